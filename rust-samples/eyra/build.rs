//! Leaves out the C library's start files, where eyra brings its own start.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_FEATURE_EYRA").is_some() {
        println!("cargo::rustc-link-arg=-nostartfiles");
    }
}
