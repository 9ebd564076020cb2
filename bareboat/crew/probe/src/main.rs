//! Asks a service on 127.0.0.1 one question by HTTP, and ends with 0 where the answer is whole and its status is 2xx,
//! else with 1.
//!
//!     probe PORT [PATH]
//!
//! An answer is whole when its head is, and as much of the body has come as the head says. All of it has five seconds.

#![no_std]
#![no_main]

use core::arch::{asm, global_asm};
use core::mem::MaybeUninit;

// The kernel has the stack aligned and the arguments on it; a function would find neither.
global_asm!(".globl _start", "_start: xor ebp, ebp", "mov rdi, rsp", "call {}", "ud2", sym begin);

const READ: usize = 0;
const SOCKET: usize = 41;
const CONNECT: usize = 42;
const SENDMSG: usize = 46;
const EXIT: usize = 60;
const PPOLL: usize = 271;

const AF_INET: u64 = 2;
const LOOPBACK: u64 = u32::from_le_bytes([127, 0, 0, 1]) as u64;
const SOCK_STREAM_NONBLOCK: usize = 1 | 0o4000;
const MSG_NOSIGNAL: usize = 0x4000;
const POLLIN: u64 = 1;
const POLLOUT: u64 = 4;
const SECONDS: u64 = 5;
// A head has room in the first half; what comes after it is read into the second.
const HALF: usize = 16384;
const FIELD: &[u8] = b"content-length:";

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}

/// One system call of up to four words; what is below zero is an errno.
#[inline(always)]
unsafe fn call(number: usize, words: [usize; 4]) -> isize {
    let result: isize;
    asm!(
        "syscall",
        inlateout("rax") number as isize => result,
        in("rdi") words[0], in("rsi") words[1], in("rdx") words[2], in("r10") words[3],
        // ppoll has a fifth, the size of a mask that it is not given.
        lateout("rcx") _, lateout("r11") _,
        options(nostack),
    );
    result
}

/// Where it begins; the stack has the number of arguments, and the arguments.
unsafe extern "C" fn begin(stack: *const usize) -> ! {
    let well = *stack > 1 && is_well(*stack.add(2) as *const u8, *stack.add(3) as *const u8);
    loop {
        call(EXIT, [usize::from(!well), 0, 0, 0]);
    }
}

unsafe fn is_well(port: *const u8, path: *const u8) -> bool {
    let Some(port) = read_port(port) else {
        return false;
    };
    let path = if path.is_null() { c"/".as_ptr().cast() } else { path };
    let socket = call(SOCKET, [AF_INET as usize, SOCK_STREAM_NONBLOCK, 0, 0]);
    let address = [AF_INET | port << 16 | LOOPBACK << 32, 0];
    call(CONNECT, [socket as usize, address.as_ptr() as usize, 16, 0]);
    // The kernel takes off what each wait has taken.
    let mut left = [SECONDS, 0];
    wait(socket, POLLOUT, &mut left);
    send(socket, path);
    let mut seen = MaybeUninit::<[u8; 2 * HALF]>::uninit();
    let seen = seen.as_mut_ptr().cast::<u8>();
    let mut total = 0;
    loop {
        wait(socket, POLLIN, &mut left);
        // What is not there in time, was refused or has ended gives nothing.
        let got = call(READ, [socket as usize, seen.add(total.min(HALF)) as usize, HALF, 0]);
        if got <= 0 {
            return false;
        }
        total += got as usize;
        if let Some((head, body)) = read_head(seen, total.min(HALF)) {
            if head < 12 || !is_good(seen) {
                return false;
            }
            if total - head >= body {
                return true;
            }
        }
    }
}

/// Whether an answer whose first twelve bytes are there has a status of 2xx.
unsafe fn is_good(seen: *const u8) -> bool {
    // As numbers, or the compiler would call a C library here.
    let (version, status) = (
        seen.cast::<u64>().read_unaligned(),
        seen.add(8).cast::<[u8; 4]>().read(),
    );
    version << 8 == u64::from_le_bytes(*b"\0HTTP/1.")
        && status[0] == b' '
        && status[1] == b'2'
        && status[2].is_ascii_digit()
        && status[3].is_ascii_digit()
}

/// The number that is written there, in the order of bytes that an address has it in; nothing for what is no number.
unsafe fn read_port(mut digits: *const u8) -> Option<u64> {
    let mut port = 0_u16;
    loop {
        let digit = digits.read().wrapping_sub(b'0');
        if digit > 9 {
            return (digit == 0_u8.wrapping_sub(b'0')).then_some(u64::from(port.to_be()));
        }
        port = port.wrapping_mul(10).wrapping_add(u16::from(digit));
        digits = digits.add(1);
    }
}

unsafe fn wait(socket: isize, what: u64, left: &mut [u64; 2]) {
    let asked = socket as u32 as u64 | what << 32;
    call(PPOLL, [&raw const asked as usize, 1, left.as_mut_ptr() as usize, 0]);
}

unsafe fn send(socket: isize, path: *const u8) {
    let mut length = 0;
    // Volatile, or the compiler would call a C library here.
    while path.add(length).read_volatile() != 0 {
        length += 1;
    }
    let (before, after) = ("GET ", " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let parts = [
        (before.as_ptr(), before.len()),
        (path, length),
        (after.as_ptr(), after.len()),
    ];
    let message = [0, 0, parts.as_ptr() as usize, parts.len(), 0, 0, 0];
    call(SENDMSG, [socket as usize, message.as_ptr() as usize, MSG_NOSIGNAL, 0]);
}

/// How long a head is, and the body that it tells of, as far as it tells; nothing where the head does not end there.
unsafe fn read_head(seen: *const u8, length: usize) -> Option<(usize, usize)> {
    // How much of the line is as that field's; one that is not has more than all of it.
    let (mut same, mut body) = (0, 0_usize);
    for place in 0..length {
        let byte = seen.add(place).read();
        if byte == b'\n' {
            if same == 0 {
                return Some((place + 1, body));
            }
            same = 0;
        } else if same < FIELD.len() && byte != b'\r' {
            same = if byte | 0x20 == FIELD[same] { same + 1 } else { usize::MAX };
        } else if same == FIELD.len() && byte.is_ascii_digit() {
            body = body.wrapping_mul(10).wrapping_add(usize::from(byte - b'0'));
        }
    }
    None
}
