//! Prints one line and ends with the number of its arguments: origin starts it, and rustix calls the kernel.

#![no_std]
#![no_main]

use core::panic::PanicInfo;

use origin::program::immediate_exit;
use rustix::io::write;
use rustix::stdio::stdout;

const GREETING: &[u8] = b"Hello, world!\n";

/// What origin calls, with the number of the program's words, itself counted.
#[unsafe(no_mangle)]
extern "Rust" fn origin_main(
    words: usize,
    _arguments: *mut *mut u8,
    _environment: *mut *mut u8,
) -> i32 {
    // SAFETY: a program is started with its standard output open, and nobody closes it.
    let output = unsafe { stdout() };
    if write(output, GREETING) != Ok(GREETING.len()) {
        return 1;
    }
    // Of an exit code nobody sees more than 8 bits.
    i32::from((words - 1).to_le_bytes()[0])
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    immediate_exit(101)
}
