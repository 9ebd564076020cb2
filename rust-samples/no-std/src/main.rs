//! Prints one line and ends with the number of its arguments, with nothing between it and the kernel of x86-64 Linux.

#![no_std]
#![no_main]

use core::arch::{asm, naked_asm};
use core::panic::PanicInfo;

const GREETING: &[u8] = b"Hello, world!\n";
const WRITE: isize = 1;
const EXIT: isize = 60;
const STANDARD_OUTPUT: i32 = 1;

/// Where the kernel starts the program: at the top of its stack is the number of its words, itself counted.
///
/// # Safety
///
/// Nothing but the kernel may call it: there it finds the stack aligned to 16 bytes, and no address to return to.
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn _start() -> ! {
    // A function may expect that its caller had the stack aligned before the call.
    naked_asm!("mov edi, [rsp]", "call {run}", run = sym run)
}

extern "C" fn run(words: i32) -> ! {
    let complete = usize::try_from(write(STANDARD_OUTPUT, GREETING)) == Ok(GREETING.len());
    exit(if complete { words - 1 } else { 1 })
}

/// How many of the bytes were written, or a number of an error below 0.
fn write(descriptor: i32, bytes: &[u8]) -> isize {
    let result;
    // SAFETY: the kernel reads the bytes that there are, and changes the registers that are named here alone.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") WRITE => result,
            in("edi") descriptor,
            in("rsi") bytes.as_ptr(),
            in("rdx") bytes.len(),
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack, preserves_flags, readonly),
        );
    }
    result
}

fn exit(code: i32) -> ! {
    // SAFETY: the kernel ends the program, and comes back to nothing.
    unsafe { asm!("syscall", in("rax") EXIT, in("edi") code, options(nostack, noreturn)) }
}

#[panic_handler]
fn panic(_: &PanicInfo) -> ! {
    exit(101)
}
