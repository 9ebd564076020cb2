use std::ffi::{CStr, c_char};
use std::hint::black_box;

unsafe extern "C" {
    fn strlcpy(to: *mut c_char, from: *const c_char, size: usize) -> usize;
}

fn main() {
    let mut copied = [0 as c_char; 10];
    // Of a text that it knows the compiler would make the copy itself, and call nothing.
    let text = black_box(c"Hello, newer glibc!");
    // SAFETY: strlcpy writes at most `size` bytes and always ends them with a NUL.
    let copy = unsafe {
        strlcpy(copied.as_mut_ptr(), text.as_ptr(), copied.len());
        CStr::from_ptr(copied.as_ptr())
    };
    println!("{}", copy.to_string_lossy());
}
