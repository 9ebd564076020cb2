//! One system call, as each architecture makes it, and the numbers that each has for them.

use core::arch::asm;

#[cfg(target_arch = "x86_64")]
pub mod number {
    pub const READ: usize = 0;
    pub const WRITE: usize = 1;
    pub const CLOSE: usize = 3;
    pub const MMAP: usize = 9;
    pub const GETPID: usize = 39;
    pub const SOCKET: usize = 41;
    pub const CONNECT: usize = 42;
    pub const SENDTO: usize = 44;
    pub const CLONE: usize = 56;
    pub const EXECVE: usize = 59;
    pub const WAIT4: usize = 61;
    pub const KILL: usize = 62;
    pub const FCNTL: usize = 72;
    pub const GETRUSAGE: usize = 98;
    pub const GETUID: usize = 102;
    pub const SETSID: usize = 112;
    pub const CAPGET: usize = 125;
    pub const STATFS: usize = 137;
    pub const SCHED_SETAFFINITY: usize = 203;
    pub const SCHED_GETAFFINITY: usize = 204;
    pub const CLOCK_GETTIME: usize = 228;
    pub const EXIT_GROUP: usize = 231;
    pub const OPENAT: usize = 257;
    pub const PPOLL: usize = 271;
    pub const DUP3: usize = 292;
    pub const PIPE2: usize = 293;
}

#[cfg(target_arch = "aarch64")]
pub mod number {
    pub const DUP3: usize = 24;
    pub const FCNTL: usize = 25;
    pub const STATFS: usize = 43;
    pub const OPENAT: usize = 56;
    pub const CLOSE: usize = 57;
    pub const PIPE2: usize = 59;
    pub const READ: usize = 63;
    pub const WRITE: usize = 64;
    pub const PPOLL: usize = 73;
    pub const CAPGET: usize = 90;
    pub const EXIT_GROUP: usize = 94;
    pub const CLOCK_GETTIME: usize = 113;
    pub const SCHED_SETAFFINITY: usize = 122;
    pub const SCHED_GETAFFINITY: usize = 123;
    pub const KILL: usize = 129;
    pub const SETSID: usize = 157;
    pub const GETRUSAGE: usize = 165;
    pub const GETPID: usize = 172;
    pub const GETUID: usize = 174;
    pub const SOCKET: usize = 198;
    pub const CONNECT: usize = 203;
    pub const SENDTO: usize = 206;
    pub const CLONE: usize = 220;
    pub const EXECVE: usize = 221;
    pub const MMAP: usize = 222;
    pub const WAIT4: usize = 260;
}

/// One system call; what is below zero is an errno.
#[cfg(target_arch = "x86_64")]
unsafe fn call_with(number: usize, given: [usize; 6]) -> isize {
    let result: isize;
    asm!(
        "syscall",
        inlateout("rax") number as isize => result,
        in("rdi") given[0], in("rsi") given[1], in("rdx") given[2],
        in("r10") given[3], in("r8") given[4], in("r9") given[5],
        lateout("rcx") _, lateout("r11") _,
        options(nostack),
    );
    result
}

/// One system call; what is below zero is an errno.
#[cfg(target_arch = "aarch64")]
unsafe fn call_with(number: usize, given: [usize; 6]) -> isize {
    let result: isize;
    asm!(
        "svc 0",
        in("x8") number,
        inlateout("x0") given[0] => result,
        in("x1") given[1], in("x2") given[2], in("x3") given[3], in("x4") given[4], in("x5") given[5],
        options(nostack),
    );
    result
}

/// One system call of up to six words.
pub unsafe fn call<const WORDS: usize>(number: usize, words: [usize; WORDS]) -> isize {
    let mut given = [0; 6];
    for (place, word) in given.iter_mut().zip(words) {
        *place = word;
    }
    call_with(number, given)
}
