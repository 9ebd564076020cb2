//! Prints one line, in the three ways that there are with std.

#![cfg_attr(feature = "no-main", no_main)]

#[cfg(not(feature = "no-main"))]
fn main() {
    println!("Hello, world!");
}

/// What the C library calls.
#[cfg(all(feature = "no-main", not(feature = "descriptor")))]
#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    println!("Hello, world!");
    0
}

/// What the C library calls.
#[cfg(feature = "descriptor")]
#[unsafe(no_mangle)]
extern "C" fn main() -> i32 {
    use std::fs::File;
    use std::io::Write;
    use std::mem::ManuallyDrop;
    use std::os::fd::FromRawFd;

    // SAFETY: a program is started with its standard output open, and it is not closed here.
    let mut output = ManuallyDrop::new(unsafe { File::from_raw_fd(1) });
    i32::from(output.write_all(b"Hello, world!\n").is_err())
}
