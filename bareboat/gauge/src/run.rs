//! One run of a program: it is started, watched, asked where it is a service, and ended where it does not end.

use crate::system::{
    close, connect, duplicate, execute, exit, fork, kill, lead_session, now, pipe, poll, process,
    read, send, socket, wait, Polled, Processors, Usage, AGAIN, IN_PROGRESS, IS_CONNECTED, POLLIN,
    POLLOUT, SIGKILL, SIGTERM,
};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
// How long after a refused connection the next is tried: a fiftieth of the time so far, and a little.
const PAUSE: u64 = 100_000;
const PART: u64 = 50;
const NEVER: u64 = u64::MAX;

/// What is run, and for how long at most; times in nanoseconds.
pub struct Program {
    pub path: *const u8,
    pub arguments: *const *const u8,
    pub environment: *const *const u8,
    pub port: u16,              // of a service; 0 of a program that ends
    pub each: u64,              // the bound of a run
    pub stop: u64,              // how long one that is told to end may take
    pub processors: Processors, // on which it is run
}

/// What a run showed: moments of the clock, 0 of what never came.
#[derive(Clone, Copy, Default)]
pub struct Run {
    pub began: u64,
    pub output: u64,
    pub connected: u64,
    pub answered: u64,
    pub ended: u64,
    pub stopped: bool, // whether it was told to end
    pub errno: u64,    // why it could not be executed
    pub status: i32,
    pub usage: Usage,
}

/// What is waited for in a run.
struct Watch {
    output: i32,
    socket: i32,
    asked: bool, // whether the socket is connected and the request is sent
    next: u64,   // when a connection is tried
}

/// Runs a program once. `page` is shared with the child, which notes there when it began and why it could not.
pub fn run(program: &Program, page: *mut u64, buffer: &mut [u8]) -> Run {
    let mut run = Run::default();
    let Some([reading, writing]) = pipe() else {
        return run;
    };
    unsafe {
        page.write_volatile(0);
        page.add(1).write_volatile(0);
    }
    let mut end = -1;
    let child = fork(&mut end);
    if child == 0 {
        become_program(program, page, writing);
    }
    close(writing);
    if child < 0 {
        close(reading);
        run.errno = -child as u64;
        return run;
    }
    watch(program, child, end, reading, &mut run, buffer);
    wait(child, &mut run.status, &mut run.usage);
    close(end);
    reap(child);
    unsafe {
        run.began = page.read_volatile();
        run.errno = page.add(1).read_volatile();
    }
    run
}

fn become_program(program: &Program, page: *mut u64, output: i32) -> ! {
    program.processors.keep_to();
    lead_session();
    duplicate(output, 1);
    duplicate(output, 2);
    unsafe {
        page.write_volatile(now());
        let errno = execute(program.path, program.arguments, program.environment);
        page.add(1).write_volatile(-errno as u64);
    }
    exit(127)
}

/// Notes what comes until the child has ended.
fn watch(
    program: &Program,
    child: isize,
    end: i32,
    reading: i32,
    run: &mut Run,
    buffer: &mut [u8],
) {
    let start = now();
    let mut deadline = start + program.each;
    let next = if program.port == 0 { NEVER } else { start };
    let mut watch = Watch {
        output: reading,
        socket: -1,
        asked: false,
        next,
    };
    loop {
        let mut polled = [
            Polled {
                descriptor: end,
                wanted: POLLIN,
                came: 0,
            },
            Polled {
                descriptor: watch.output,
                wanted: POLLIN,
                came: 0,
            },
            Polled {
                descriptor: watch.socket,
                wanted: if watch.asked { POLLIN } else { POLLOUT },
                came: 0,
            },
        ];
        poll(&mut polled, watch.next.min(deadline).saturating_sub(now()));
        let moment = now();
        let [ended, output, answer] = polled.map(|one| one.came != 0);
        if output {
            watch.drain(run, moment, buffer);
        }
        if ended {
            run.ended = moment;
            break;
        }
        let served = answer && watch.advance(program, run, moment, start, buffer);
        if watch.socket < 0 && moment >= watch.next {
            watch.try_port(program, run, start);
        }
        if served || moment >= deadline {
            kill(child, if run.stopped { SIGKILL } else { SIGTERM });
            run.stopped = true;
            watch.next = NEVER;
            deadline = moment + program.stop;
        }
    }
    close(watch.output);
    close(watch.socket);
}

impl Watch {
    fn drain(&mut self, run: &mut Run, moment: u64, buffer: &mut [u8]) {
        let length = read(self.output, buffer);
        if length > 0 && run.output == 0 {
            run.output = moment;
        }
        if length <= 0 && length != AGAIN {
            close(self.output);
            self.output = -1;
        }
    }

    /// Whether a connection that something came of is done with: answered, or closed without an answer.
    fn advance(
        &mut self,
        program: &Program,
        run: &mut Run,
        moment: u64,
        start: u64,
        buffer: &mut [u8],
    ) -> bool {
        if !self.asked {
            let result = connect(self.socket, program.port);
            self.settle(run, result, start);
            return false;
        }
        let length = read(self.socket, buffer);
        if length > 0 {
            run.answered = moment;
        }
        let done = length != AGAIN;
        if done {
            close(self.socket);
            self.socket = -1;
            self.next = NEVER;
        }
        done
    }

    fn try_port(&mut self, program: &Program, run: &mut Run, start: u64) {
        self.socket = socket();
        let result = connect(self.socket, program.port);
        self.settle(run, result, start);
    }

    /// Asks where a connection was made; where none was, says when the next is tried.
    fn settle(&mut self, run: &mut Run, result: isize, start: u64) {
        let moment = now();
        if result == 0 || result == IS_CONNECTED {
            run.connected = moment;
            self.asked = true;
            self.next = NEVER;
            send(self.socket, REQUEST);
        } else if result == IN_PROGRESS {
            self.next = NEVER;
        } else {
            close(self.socket);
            self.socket = -1;
            self.next = moment + PAUSE + (moment - start) / PART;
        }
    }
}

/// Ends all that a program has left running, and waits for it.
fn reap(child: isize) {
    kill(-child, SIGKILL);
    if process() == 1 {
        // Of the first process of a container: all others in it.
        kill(-1, SIGKILL);
    }
    let (mut status, mut usage) = (0, Usage::default());
    while wait(-1, &mut status, &mut usage) > 0 {}
}
