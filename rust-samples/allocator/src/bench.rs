//! A load on several threads for some time, and what it took: operations, memory, and what the kernel counted.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, Instant};

use crate::allocator;
use crate::loads::{Load, Ring, WAITING, Worker};
use crate::process::{self, Counts};

/// How long an allocator has to give memory back once everything is freed; jemalloc's own decay is ten seconds, and
/// is not waited for.
const REST: Duration = Duration::from_millis(200);

/// What part of the time passes besides before anything is counted, so that the first use of memory is none of it.
const WARM_UP: u32 = 2;

pub struct Order {
    pub load: Load,
    pub threads: usize,
    pub time: Duration,
}

/// What all threads meet at.
struct Meeting {
    begin: Barrier,
    freed: Barrier,
    looked: Barrier,
    warm: AtomicBool,
    over: AtomicBool,
}

/// Carry an order out; a line of JSON.
pub fn run(order: &Order) -> Result<String, String> {
    let all = order.threads + 1;
    let meeting = Meeting {
        begin: Barrier::new(all),
        freed: Barrier::new(all),
        looked: Barrier::new(all),
        warm: AtomicBool::new(false),
        over: AtomicBool::new(false),
    };
    let before = process::resident()?;
    let (operations, elapsed, counts) = thread::scope(|scope| {
        let workers: Vec<_> = rings(order.threads)
            .into_iter()
            .enumerate()
            .map(|(number, ring)| {
                let meeting = &meeting;
                scope.spawn(move || work(Worker::new(order.load, number, ring), meeting))
            })
            .collect();
        meeting.begin.wait();
        thread::sleep(order.time / WARM_UP);
        meeting.warm.store(true, Ordering::Relaxed);
        let start = Instant::now();
        thread::sleep(order.time);
        meeting.over.store(true, Ordering::Relaxed);
        let elapsed = start.elapsed();
        meeting.freed.wait();
        // The threads are still there, as a service's are between two loads.
        thread::sleep(REST);
        let counts = Counts::take();
        meeting.looked.wait();
        let operations = workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_default())
            .fold([0; 2], |all, one| [all[0] + one[0], all[1] + one[1]]);
        (operations, elapsed, counts)
    });
    Ok(tell(order, operations, elapsed, before, &counts?))
}

fn rings(threads: usize) -> Vec<Ring> {
    let (mut senders, receivers): (Vec<_>, Vec<_>) =
        (0..threads).map(|_| sync_channel(WAITING)).unzip();
    senders.rotate_left(1);
    senders
        .into_iter()
        .zip(receivers)
        .map(|(next, own)| Ring { next, own })
        .collect()
}

/// One thread's part; its operations until all was warm, and from then until time was over.
fn work(mut worker: Worker, meeting: &Meeting) -> [usize; 2] {
    let mut operations = [0; 2];
    meeting.begin.wait();
    while !meeting.warm.load(Ordering::Relaxed) {
        operations[0] += worker.step();
    }
    while !meeting.over.load(Ordering::Relaxed) {
        operations[1] += worker.step();
    }
    drop(worker);
    meeting.freed.wait();
    meeting.looked.wait();
    operations
}

fn tell(
    order: &Order,
    [warm, operations]: [usize; 2],
    elapsed: Duration,
    before: u64,
    counts: &Counts,
) -> String {
    let seconds = elapsed.as_secs_f64();
    let Counts {
        peak_bytes,
        resting_bytes,
        voluntary_switches,
        involuntary_switches,
        minor_faults,
    } = counts;
    format!(
        "{{\"allocator\":\"{}\",\"load\":\"{}\",\"threads\":{},\"seconds\":{seconds:.6},\"operations\":{operations},\
         \"warm_operations\":{warm},\
         \"before_bytes\":{before},\"peak_bytes\":{peak_bytes},\"resting_bytes\":{resting_bytes},\
         \"voluntary_switches\":{voluntary_switches},\"involuntary_switches\":{involuntary_switches},\
         \"minor_faults\":{minor_faults}}}",
        allocator::NAME,
        order.load.name(),
        order.threads,
    )
}
