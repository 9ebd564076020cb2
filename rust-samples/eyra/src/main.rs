//! Does what its first argument says, each time something else that std needs a C library for.

// What is not named is not linked.
#[cfg(feature = "eyra")]
extern crate eyra;

#[cfg(feature = "mustang")]
mustang::can_run_this!();

#[cfg(not(feature = "hello"))]
mod acts;

#[cfg(feature = "hello")]
fn main() {
    println!("Hello, world!");
}

#[cfg(not(feature = "hello"))]
fn main() -> std::process::ExitCode {
    acts::main()
}
