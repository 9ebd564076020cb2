//! What the program can be asked to do; every act prints one line.

use std::cell::Cell;
use std::env;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream, ToSocketAddrs};
use std::panic;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex, mpsc};
use std::thread;

pub fn main() -> ExitCode {
    let act = env::args().nth(1).unwrap_or_default();
    let said = match act.as_str() {
        "" => Ok("Hello, world!".to_owned()),
        "arguments" => Ok(env::args().skip(2).collect::<Vec<_>>().join("|")),
        "environment" => Ok(environment()),
        "threads" => Ok(threads()),
        "thread-locals" => Ok(thread_locals()),
        "channels" => Ok(channels()),
        "tcp" => tcp(),
        "catch-unwind" => Ok(catch_unwind()),
        "thread-panics" => Ok(thread_panics()),
        "names" => names(),
        other => Err(io::Error::other(format!("there is no act '{other}'"))),
    };
    match said {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{act}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn environment() -> String {
    let told = ["GREETING", "SILENCE"].map(|name| {
        let value = env::var(name).unwrap_or_else(|_| "absent".to_owned());
        format!("{name} is {value}")
    });
    told.join(", ")
}

fn threads() -> String {
    const THREADS: usize = 8;
    let (count, all) = (Mutex::new(0_usize), Barrier::new(THREADS));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                all.wait();
                for _ in 0..10_000 {
                    *count.lock().unwrap() += 1;
                }
            });
        }
    });
    let counted = count.into_inner().unwrap();
    format!("{THREADS} threads counted to {counted}, and waited for each other")
}

/// A value that is counted when it is dropped.
struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn thread_locals() -> String {
    const THREADS: usize = 4;
    static DROPPED: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: (Cell<usize>, Counted<'static>) = const { (Cell::new(0), Counted(&DROPPED)) };
    }
    // A thread that is joined has dropped its values; one whose scope ends may still be about to.
    let running = (0..THREADS).map(|number| {
        thread::spawn(move || {
            OWN.with(|own| own.0.set(own.0.get() + number));
            thread::yield_now();
            OWN.with(|own| own.0.get() == number)
        })
    });
    let running = running.collect::<Vec<_>>();
    let own = running.into_iter().filter_map(|thread| thread.join().ok()).filter(|&own| own).count();
    let dropped = DROPPED.load(Ordering::SeqCst);
    format!("{THREADS} threads had {own} values of their own, and {dropped} were dropped")
}

fn channels() -> String {
    const SENDERS: u64 = 3;
    // Few places, so that senders have to wait.
    let (sender, receiver) = mpsc::sync_channel(2);
    let received = thread::scope(|scope| {
        for first in 0..SENDERS {
            let sender = sender.clone();
            scope.spawn(move || {
                for number in (first..SENDERS * 1000).step_by(3) {
                    sender.send(number).unwrap();
                }
            });
        }
        drop(sender);
        receiver.iter().collect::<Vec<_>>()
    });
    let sum = received.iter().sum::<u64>();
    format!("{SENDERS} senders, {} messages, the sum is {sum}", received.len())
}

fn tcp() -> io::Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    let echo = thread::spawn(move || -> io::Result<u64> {
        let (mut stream, _) = listener.accept()?;
        let mut back = stream.try_clone()?;
        io::copy(&mut stream, &mut back)
    });
    let sent = (0..100_000_u32).map(|number| number.to_le_bytes()[0]).collect::<Vec<_>>();
    let mut stream = TcpStream::connect(address)?;
    let mut writer = stream.try_clone()?;
    let received = thread::scope(|scope| {
        scope.spawn(|| writer.write_all(&sent).and_then(|()| writer.shutdown(Shutdown::Write)));
        let mut received = Vec::new();
        stream.read_to_end(&mut received).map(|_| received)
    })?;
    let echoed = echo.join().map_err(|_| io::Error::other("the echo panicked"))??;
    if received != sent {
        return Err(io::Error::other("other bytes came back"));
    }
    Ok(format!("{echoed} bytes went to {} and came back", address.ip()))
}

fn catch_unwind() -> String {
    let dropped = AtomicUsize::new(0);
    let caught = panic::catch_unwind(|| {
        let _passed = Counted(&dropped);
        panic!("number {}", env::args().count() + 5);
    });
    let what = match &caught {
        Ok(()) => "nothing",
        Err(payload) => payload.downcast_ref::<String>().map_or("another payload", String::as_str),
    };
    format!("caught: {what}; dropped on the way: {}", dropped.load(Ordering::SeqCst))
}

fn thread_panics() -> String {
    let together = Barrier::new(4);
    let ended = thread::scope(|scope| {
        let together = &together;
        let running = [0, 1, 2, 3].map(|number| {
            scope.spawn(move || {
                together.wait();
                assert!(number > 0, "as it was asked to");
                number
            })
        });
        running.map(thread::ScopedJoinHandle::join)
    });
    let panicked = ended.iter().filter(|end| end.is_err()).count();
    let sum = ended.iter().flatten().sum::<i32>();
    format!("{panicked} thread panicked, {} others ended with {sum}", ended.len() - panicked)
}

fn names() -> io::Result<String> {
    let found = ("localhost", 80).to_socket_addrs()?.find(std::net::SocketAddr::is_ipv4);
    let found = found.ok_or_else(|| io::Error::other("no address"))?;
    Ok(format!("localhost is {}", found.ip()))
}
