//! A container's first process: starts a program, hands signals on to it, reaps whoever is left to the first process,
//! and ends with the program's exit code, or with 128 and the number of the signal that ended it.
//!
//!     init PROGRAM [ARGUMENT...]
//!
//! PROGRAM is a path: it is looked for nowhere else. Where it cannot be started, the exit code is 127 if it, or the
//! loader that it names, is not there, and 126 for any other reason, and the reason is said.

#![no_std]
#![no_main]

use core::arch::{asm, global_asm};

// The kernel has the stack aligned and the arguments on it; a function would find neither.
global_asm!(".globl _start", "_start: xor ebp, ebp", "mov rdi, rsp", "call {}", "ud2", sym begin);

const WRITE: usize = 1;
const RT_SIGPROCMASK: usize = 14;
const IOCTL: usize = 16;
const CLONE: usize = 56;
const EXECVE: usize = 59;
const EXIT: usize = 60;
const WAIT4: usize = 61;
const KILL: usize = 62;
const SETPGID: usize = 109;
const RT_SIGTIMEDWAIT: usize = 128;
const PRCTL: usize = 157;

const SIGCHLD: usize = 17;
const SIG_SETMASK: usize = 2;
const CLONE_CHILD_SETTID: usize = 0x0100_0000;
const PR_SET_CHILD_SUBREAPER: usize = 36;
const TIOCSPGRP: usize = 0x5410;
const WNOHANG: usize = 1;
const ANY: usize = usize::MAX;
const ENOENT: isize = -2;
const ENOEXEC: isize = -8;
const EACCES: isize = -13;

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
        lateout("rcx") _, lateout("r11") _,
        options(nostack),
    );
    result
}

/// Where it begins; the stack has the number of arguments, the arguments, and the environment.
unsafe extern "C" fn begin(stack: *const usize) -> ! {
    let (count, arguments) = (*stack, stack.add(2));
    if count < 2 {
        exit(127);
    }
    // Every signal waits until it is asked for: none gets lost, whatever the kernel does with those of a first process.
    let (every, mut before) = (u64::MAX, 0_u64);
    let every = &raw const every as usize;
    let before = &raw mut before as usize;
    call(RT_SIGPROCMASK, [SIG_SETMASK, every, before, 8]);
    // Orphans come here also where another is the first process.
    call(PRCTL, [PR_SET_CHILD_SUBREAPER, 1, 0, 0]);
    let mut own = 0_i32;
    let own = &raw mut own as usize;
    let child = call(CLONE, [SIGCHLD | CLONE_CHILD_SETTID, 0, 0, own]);
    if child > 0 {
        stay(child, every);
    }
    let mut why = child;
    if child == 0 {
        // A terminal's signals are for the program alone, which would get them twice otherwise.
        call(SETPGID, [0, 0, 0, 0]);
        call(IOCTL, [0, TIOCSPGRP, own, 0]);
        call(RT_SIGPROCMASK, [SIG_SETMASK, before, 0, 8]);
        why = call(EXECVE, [*arguments, arguments as usize, stack.add(count + 2) as usize, 0]);
    }
    refuse(*arguments as *const u8, why)
}

/// Hands on every signal until the program has ended, and reaps everybody.
unsafe fn stay(child: isize, every: usize) -> ! {
    loop {
        let signal = call(RT_SIGTIMEDWAIT, [every, 0, 0, 8]) as usize;
        if signal != SIGCHLD {
            // An errno is no signal, and is sent to nobody.
            call(KILL, [child as usize, signal, 0, 0]);
            continue;
        }
        // One signal may stand for many that have ended.
        loop {
            let mut status = 0_usize;
            let ended = call(WAIT4, [ANY, &raw mut status as usize, WNOHANG, 0]);
            if ended <= 0 {
                break;
            }
            if ended == child {
                let by = status & 0x7f;
                exit(if by == 0 { status >> 8 } else { 128 | by });
            }
        }
    }
}

/// Says why the program cannot be started.
unsafe fn refuse(path: *const u8, why: isize) -> ! {
    let mut length = 0;
    // Volatile, or the compiler would call a C library here.
    while path.add(length).read_volatile() != 0 {
        length += 1;
    }
    say("exec ".as_ptr(), 5);
    say(path, length);
    let words = match why {
        ENOENT => ": no such file or directory\n",
        ENOEXEC => ": exec format error\n",
        EACCES => ": permission denied\n",
        _ => ": cannot be started\n",
    };
    say(words.as_ptr(), words.len());
    exit(if why == ENOENT { 127 } else { 126 })
}

unsafe fn say(words: *const u8, length: usize) {
    call(WRITE, [2, words as usize, length, 0]);
}

fn exit(code: usize) -> ! {
    loop {
        unsafe { call(EXIT, [code, 0, 0, 0]) };
    }
}
