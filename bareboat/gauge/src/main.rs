//! The gauge: runs a program again and again from inside a container, and says what each run took, as JSON.
//!
//!     gauge RUNS TOTAL EACH STOP PORT PROGRAM [ARGUMENT...]
//!
//! It runs the program at most RUNS times, and no more once TOTAL milliseconds are over, but three times at least. EACH
//! is the bound of one run, STOP the time that a run has to heed SIGTERM. A service has a PORT on 127.0.0.1, other
//! programs have 0. In turn with the program it runs itself without arguments, which does nothing: what that takes is
//! the runtime's own share, and the kernel's.
//!
//! It stays on one processor, and has a program that ends stay there, too: whether the next one wakes up for it is most
//! of what a short run takes, and falls one way or the other for a whole container. A service has all processors.
//!
//! It allocates nothing: a child's peak memory counts what its parent had when it was made.

#![no_std]
#![no_main]

mod call;
mod json;
mod memory;
mod run;
mod system;

use core::ptr::{addr_of_mut, null};

use json::Output;
use run::{Program, Run};

#[cfg(target_arch = "x86_64")]
core::arch::global_asm!(".globl _start", "_start: xor ebp, ebp", "mov rdi, rsp", "and rsp, -16", "call {}", "ud2", sym begin);
#[cfg(target_arch = "aarch64")]
core::arch::global_asm!(".globl _start", "_start: mov x29, #0", "mov x30, #0", "mov x0, sp", "bl {}", "brk #1", sym begin);

const MOST: usize = 100;
const FEWEST: usize = 3;
const MILLISECOND: u64 = 1_000_000;
// What the runtime is still at when it has started a container, it has done by then.
const SETTLE: u64 = 30 * MILLISECOND;
const NUMBERS: usize = 5;
const NOTHING: Run = Run {
    began: 0,
    output: 0,
    connected: 0,
    answered: 0,
    ended: 0,
    stopped: false,
    errno: 0,
    status: 0,
    usage: system::Usage::NONE,
};

static mut RUNS: [Run; MOST] = [NOTHING; MOST];
static mut IDLE_RUNS: [Run; MOST] = [NOTHING; MOST];
static mut BUFFER: [u8; 65536] = [0; 65536];

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    system::exit(3)
}

/// What the processors did since the machine began, in hundredths of a second: all, and idle.
#[derive(Default)]
struct Processors {
    all: u64,
    idle: u64,
}

/// Where the program begins; the stack has the number of arguments, the arguments, and the environment.
unsafe extern "C" fn begin(stack: *const usize) -> ! {
    let count = *stack;
    let arguments = stack.add(1).cast::<*const u8>();
    if count == 1 {
        system::exit(0);
    }
    if count < 2 + NUMBERS {
        system::exit(2);
    }
    let number = |place: usize| read_number(*arguments.add(place));
    let environment = arguments.add(count + 1);
    let all = system::Processors::own();
    let one = all.last();
    one.keep_to();
    let own = [*arguments, null()];
    let program = Program {
        path: *arguments.add(1 + NUMBERS),
        arguments: arguments.add(1 + NUMBERS),
        environment,
        port: number(5) as u16,
        each: number(3) * MILLISECOND,
        stop: number(4) * MILLISECOND,
        processors: if number(5) == 0 { one } else { all },
    };
    let idle = Program {
        path: *arguments,
        arguments: own.as_ptr(),
        port: 0,
        ..program
    };
    let (runs, idle_runs) = (&mut *addr_of_mut!(RUNS), &mut *addr_of_mut!(IDLE_RUNS));
    system::poll(&mut [], SETTLE);
    let (before, begun) = (read_processors(), system::own_microseconds());
    let most = (number(1) as usize).min(MOST);
    let made = run_all(
        &program,
        &idle,
        most,
        number(2) * MILLISECOND,
        runs,
        idle_runs,
    );
    let (after, done) = (read_processors(), system::own_microseconds());
    let mut output = Output::new();
    say_place(&mut output);
    output.field(",\"processors\":{", "all_ticks", after.all - before.all);
    output.field(",", "idle_ticks", after.idle - before.idle);
    output.field(",", "own_microseconds", done - begun);
    output.text("},\n\"runs\":[");
    say_runs(&mut output, &runs[..made]);
    output.text("],\n\"idle_runs\":[");
    say_runs(&mut output, &idle_runs[..made]);
    output.text("]}\n");
    output.flush();
    system::exit(0)
}

/// Runs both in turn, and says how often.
fn run_all(
    program: &Program,
    idle: &Program,
    most: usize,
    total: u64,
    runs: &mut [Run],
    idle_runs: &mut [Run],
) -> usize {
    let page = system::shared_page();
    if page.is_null() {
        return 0;
    }
    let buffer = unsafe { &mut *addr_of_mut!(BUFFER) };
    let deadline = system::now() + total;
    let mut made = 0;
    for (one, other) in runs.iter_mut().zip(idle_runs).take(most) {
        *other = run::run(idle, page, buffer);
        *one = run::run(program, page, buffer);
        made += 1;
        // What cannot be executed, or came to the bound of a run, does so each time.
        let hopeless = one.errno != 0 || (one.stopped && one.answered == 0);
        if hopeless || (made >= FEWEST && system::now() > deadline) {
            break;
        }
    }
    made
}

fn say_place(output: &mut Output) {
    output.field("{", "process", system::process());
    output.field(",", "user", system::user());
    output.field(",", "capabilities", system::capabilities());
    output.text(",\"read_only\":");
    output.text(if system::root_is_read_only() {
        "true"
    } else {
        "false"
    });
}

fn say_runs(output: &mut Output, runs: &[Run]) {
    let mut before = "\n{";
    for run in runs {
        output.field(before, "errno", run.errno);
        output.moment("output_ns", run.output, run.began);
        output.moment("connected_ns", run.connected, run.began);
        output.moment("answered_ns", run.answered, run.began);
        output.moment("ended_ns", run.ended, run.began);
        output.field(",", "signal", run.status as u64 & 0x7f);
        output.field(",", "exit_code", run.status as u64 >> 8 & 0xff);
        output.field(",", "peak_kib", run.usage.max_resident_kib);
        output.field(",", "minor_faults", run.usage.minor_faults);
        output.field(",", "major_faults", run.usage.major_faults);
        output.text(",\"stopped\":");
        output.text(if run.stopped { "true}" } else { "false}" });
        before = ",\n{";
    }
}

/// The first line of /proc/stat; nothing where it cannot be read.
fn read_processors() -> Processors {
    let mut said = [0_u8; 256];
    let file = system::open(c"/proc/stat");
    system::read(file, &mut said);
    system::close(file);
    let mut found = Processors::default();
    let line = said.split(|byte| *byte == b'\n').next().unwrap_or(&[]);
    let words = line
        .split(|byte| *byte == b' ')
        .filter(|word| !word.is_empty())
        .skip(1);
    // user, nice, system, idle, iowait, irq, softirq, steal; what guests take is in the first two already.
    for (place, word) in words.take(8).enumerate() {
        let ticks = parse(word);
        found.all += ticks;
        if place == 3 || place == 4 {
            found.idle += ticks;
        }
    }
    found
}

unsafe fn read_number(text: *const u8) -> u64 {
    let mut length = 0;
    // Volatile, or the compiler would call a C library here.
    while text.add(length).read_volatile() != 0 {
        length += 1;
    }
    parse(core::slice::from_raw_parts(text, length))
}

/// The number that is written with these digits.
fn parse(digits: &[u8]) -> u64 {
    digits.iter().fold(0_u64, |number, digit| {
        number
            .wrapping_mul(10)
            .wrapping_add(u64::from(digit.wrapping_sub(b'0')))
    })
}
