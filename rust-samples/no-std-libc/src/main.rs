//! Prints one line and ends with the number of its arguments, on the C library that the target has.

#![no_std]
#![no_main]

use core::panic::PanicInfo;

use libc::{STDOUT_FILENO, abort, c_char, c_int, write};

const GREETING: &[u8] = b"Hello, world!\n";

/// What the C library calls, with the number of the program's words, itself counted.
#[unsafe(no_mangle)]
extern "C" fn main(words: c_int, _arguments: *const *const c_char) -> c_int {
    // SAFETY: the bytes are there that are said to be.
    let written = unsafe { write(STDOUT_FILENO, GREETING.as_ptr().cast(), GREETING.len()) };
    if usize::try_from(written) == Ok(GREETING.len()) {
        words - 1
    } else {
        1
    }
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    // SAFETY: it ends the program.
    unsafe { abort() }
}
