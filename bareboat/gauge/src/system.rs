//! The kernel's own interface, with no C library between: calls, their numbers, and what they take and give.

use core::ffi::CStr;
use core::mem::size_of;

use crate::call::{call, number};

pub const AGAIN: isize = -11;
pub const IN_PROGRESS: isize = -115;
pub const IS_CONNECTED: isize = -106;
pub const SIGKILL: usize = 9;
pub const SIGTERM: usize = 15;
pub const POLLIN: i16 = 1;
pub const POLLOUT: i16 = 4;
const SIGCHLD: usize = 17;
const CLONE_PIDFD: usize = 0x1000;
const O_CLOEXEC: usize = 0o200_0000;
const O_NONBLOCK: usize = 0o4000;
const F_SETFL: usize = 4;
const AT_FDCWD: usize = -100_isize as usize;
const MSG_NOSIGNAL: usize = 0x4000;
const CLOCK_MONOTONIC: usize = 1;
const EVERY_KIND: usize = 0x4000_0000; // __WALL: children of every kind
const SECOND: u64 = 1_000_000_000;

/// What poll(2) looks at; a negative descriptor is passed over.
#[repr(C)]
pub struct Polled {
    pub descriptor: i32,
    pub wanted: i16,
    pub came: i16,
}

/// struct rusage of getrusage(2).
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Usage {
    user: [u64; 2],
    system: [u64; 2],
    pub max_resident_kib: u64,
    unused: [u64; 3],
    pub minor_faults: u64,
    pub major_faults: u64,
    rest: [u64; 8],
}

impl Usage {
    pub const NONE: Self = Self {
        user: [0; 2],
        system: [0; 2],
        max_resident_kib: 0,
        unused: [0; 3],
        minor_faults: 0,
        major_faults: 0,
        rest: [0; 8],
    };

    pub fn microseconds(&self) -> u64 {
        (self.user[0] + self.system[0]) * 1_000_000 + self.user[1] + self.system[1]
    }
}

pub fn exit(code: usize) -> ! {
    loop {
        unsafe { call(number::EXIT_GROUP, [code]) };
    }
}

/// Nanoseconds of a clock that nobody sets.
pub fn now() -> u64 {
    let mut time = [0_u64; 2];
    unsafe {
        call(
            number::CLOCK_GETTIME,
            [CLOCK_MONOTONIC, time.as_mut_ptr() as usize],
        )
    };
    time[0] * SECOND + time[1]
}

pub fn read(descriptor: i32, buffer: &mut [u8]) -> isize {
    unsafe {
        call(
            number::READ,
            [
                descriptor as usize,
                buffer.as_mut_ptr() as usize,
                buffer.len(),
            ],
        )
    }
}

pub fn write(descriptor: i32, bytes: &[u8]) -> isize {
    unsafe {
        call(
            number::WRITE,
            [descriptor as usize, bytes.as_ptr() as usize, bytes.len()],
        )
    }
}

pub fn close(descriptor: i32) {
    unsafe { call(number::CLOSE, [descriptor as usize]) };
}

/// Opens a file to read.
pub fn open(path: &CStr) -> i32 {
    unsafe {
        call(
            number::OPENAT,
            [AT_FDCWD, path.as_ptr() as usize, O_CLOEXEC],
        ) as i32
    }
}

/// A page of memory that is shared with child processes, all zero; null where there is none.
pub fn shared_page() -> *mut u64 {
    // PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS
    let page = unsafe { call(number::MMAP, [0, 4096, 3, 0x21, usize::MAX]) };
    if page < 0 {
        core::ptr::null_mut()
    } else {
        page as *mut u64
    }
}

/// A pipe whose reading end never blocks: that one and the writing one.
pub fn pipe() -> Option<[i32; 2]> {
    let mut ends = [0_i32; 2];
    let made = unsafe { call(number::PIPE2, [ends.as_mut_ptr() as usize, O_CLOEXEC]) };
    unsafe { call(number::FCNTL, [ends[0] as usize, F_SETFL, O_NONBLOCK]) };
    if made < 0 {
        None
    } else {
        Some(ends)
    }
}

/// Makes `to` another name of a descriptor, one that a program that is executed has, too.
pub fn duplicate(descriptor: i32, to: i32) {
    unsafe { call(number::DUP3, [descriptor as usize, to as usize]) };
}

/// A copy of this process: 0 in the copy; here its number, and a descriptor that is readable when it has ended.
pub fn fork(ended: &mut i32) -> isize {
    unsafe {
        call(
            number::CLONE,
            [
                CLONE_PIDFD | SIGCHLD,
                0,
                core::ptr::from_mut(ended) as usize,
            ],
        )
    }
}

/// Becomes the leader of a session of its own, as the first process of a container is.
pub fn lead_session() {
    unsafe { call(number::SETSID, []) };
}

/// Becomes another program; what comes back is an errno.
pub unsafe fn execute(
    path: *const u8,
    arguments: *const *const u8,
    environment: *const *const u8,
) -> isize {
    call(
        number::EXECVE,
        [path as usize, arguments as usize, environment as usize],
    )
}

/// The processors that a process may be run on, a bit each.
#[derive(Clone, Copy)]
pub struct Processors([u64; 16]);

impl Processors {
    /// Those of this process.
    pub fn own() -> Self {
        let mut found = Self([0; 16]);
        unsafe {
            call(
                number::SCHED_GETAFFINITY,
                [0, size_of::<Self>(), found.0.as_mut_ptr() as usize],
            )
        };
        found
    }

    /// The last of them alone: the first has the interrupts of most machines.
    pub fn last(&self) -> Self {
        let mut found = Self([0; 16]);
        if let Some(place) = self.0.iter().rposition(|word| *word != 0) {
            found.0[place] = 1 << self.0[place].ilog2();
        }
        found
    }

    /// Has this process, and those that it makes, run on these alone.
    pub fn keep_to(&self) {
        unsafe {
            call(
                number::SCHED_SETAFFINITY,
                [0, size_of::<Self>(), self.0.as_ptr() as usize],
            )
        };
    }
}

/// Waits for the end of a child, -1 for any: its status and what it took; below zero where there is none.
pub fn wait(process: isize, status: &mut i32, usage: &mut Usage) -> isize {
    let (status, usage) = (
        core::ptr::from_mut(status) as usize,
        core::ptr::from_mut(usage) as usize,
    );
    unsafe { call(number::WAIT4, [process as usize, status, EVERY_KIND, usage]) }
}

pub fn kill(process: isize, signal: usize) {
    unsafe { call(number::KILL, [process as usize, signal]) };
}

/// Waits until something comes, at most so many nanoseconds.
pub fn poll(polled: &mut [Polled], nanoseconds: u64) {
    let time = [nanoseconds / SECOND, nanoseconds % SECOND];
    unsafe {
        call(
            number::PPOLL,
            [
                polled.as_mut_ptr() as usize,
                polled.len(),
                time.as_ptr() as usize,
                0,
                8,
            ],
        )
    };
}

/// A TCP socket that does not block; below zero where there is none.
pub fn socket() -> i32 {
    unsafe { call(number::SOCKET, [2, 1 | O_CLOEXEC | O_NONBLOCK]) as i32 }
}

/// Connects to a port of 127.0.0.1.
pub fn connect(socket: i32, port: u16) -> isize {
    let [high, low] = port.to_be_bytes();
    let address = [2_u8, 0, high, low, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    unsafe {
        call(
            number::CONNECT,
            [socket as usize, address.as_ptr() as usize, address.len()],
        )
    }
}

/// Sends without the signal that a closed connection would give.
pub fn send(socket: i32, bytes: &[u8]) -> isize {
    unsafe {
        call(
            number::SENDTO,
            [
                socket as usize,
                bytes.as_ptr() as usize,
                bytes.len(),
                MSG_NOSIGNAL,
            ],
        )
    }
}

pub fn process() -> u64 {
    unsafe { call(number::GETPID, [0; 6]) as u64 }
}

pub fn user() -> u64 {
    unsafe { call(number::GETUID, [0; 6]) as u64 }
}

/// The capabilities in effect, a bit each.
pub fn capabilities() -> u64 {
    let mut header = [0x2008_0522_u32, 0];
    let mut sets = [0_u32; 6];
    unsafe {
        call(
            number::CAPGET,
            [header.as_mut_ptr() as usize, sets.as_mut_ptr() as usize],
        )
    };
    u64::from(sets[3]) << 32 | u64::from(sets[0])
}

/// Whether the root filesystem is mounted read-only.
pub fn root_is_read_only() -> bool {
    let mut facts = [0_u64; 15];
    unsafe {
        call(
            number::STATFS,
            [c"/".as_ptr() as usize, facts.as_mut_ptr() as usize],
        )
    };
    facts[10] & 1 == 1
}

/// What this process and its children that have ended took of the processors.
pub fn own_microseconds() -> u64 {
    let mut sum = 0;
    for whose in [0, -1_isize as usize] {
        let mut usage = Usage::default();
        unsafe {
            call(
                number::GETRUSAGE,
                [whose, core::ptr::from_mut(&mut usage) as usize],
            )
        };
        sum += usage.microseconds();
    }
    sum
}
