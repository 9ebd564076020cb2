//! Links to libgcc what C code of an allocator calls of it: rustc asks for none of it where it links to musl dynamically.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|libc| libc == "musl") {
        println!("cargo::rustc-link-arg-bins=-lgcc");
    }
}
