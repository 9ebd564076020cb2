//! The loads: what each thread asks of the allocator, one step after another.

use std::hint::black_box;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError};
use std::thread;

use crate::random::Random;

const PAGE: usize = 4096;
/// How many small blocks a thread keeps, of which each step frees one and allocates another in its place.
const SMALL_KEPT: usize = 1024;
const LARGE_KEPT: usize = 4;
/// How many blocks go to another thread at once, so that the channel is a small part of the work.
const BATCH: usize = 256;
/// How many batches may wait for a thread.
pub const WAITING: usize = 8;

type Block = Vec<u8>;
pub type Batch = Vec<Block>;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Load {
    Churn,
    Handoff,
    Large,
    Grow,
}

impl Load {
    pub const ALL: [Self; 4] = [Self::Churn, Self::Handoff, Self::Large, Self::Grow];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Churn => "churn",
            Self::Handoff => "handoff",
            Self::Large => "large",
            Self::Grow => "grow",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|load| load.name() == name)
    }
}

/// The channels of one thread in a ring of them: to the next, and from the one before.
pub struct Ring {
    pub next: SyncSender<Batch>,
    pub own: Receiver<Batch>,
}

/// What one thread does and keeps between its steps.
pub struct Worker {
    load: Load,
    random: Random,
    kept: Vec<Block>,
    ring: Ring,
}

impl Worker {
    pub fn new(load: Load, number: usize, ring: Ring) -> Self {
        let kept = match load {
            Load::Churn => SMALL_KEPT,
            Load::Large => LARGE_KEPT,
            Load::Handoff | Load::Grow => 0,
        };
        Self {
            load,
            random: Random::new(number),
            kept: vec![Block::new(); kept],
            ring,
        }
    }

    /// Do a step; returns how many operations that was. For `grow` one is a change of a block's size, for the others
    /// the allocation of a block and the freeing of one.
    pub fn step(&mut self) -> usize {
        match self.load {
            Load::Churn => self.churn(),
            Load::Handoff => self.hand_off(),
            Load::Large => self.replace_large(),
            Load::Grow => self.grow(),
        }
    }

    /// Blocks of 16 to 1024 bytes, which is most of what programs ask for.
    fn churn(&mut self) -> usize {
        for _ in 0..BATCH {
            let slot = self.random.below(SMALL_KEPT);
            self.kept[slot] = small(&mut self.random);
        }
        BATCH
    }

    /// Allocates for the next thread, and frees what the one before has allocated; one thread alone frees its own.
    fn hand_off(&mut self) -> usize {
        let mut batch: Batch = (0..BATCH).map(|_| small(&mut self.random)).collect();
        let mut freed = 0;
        // Nobody waits inside the channel, which would wake threads by calls that are not the allocator's.
        while let Err(refused) = self.ring.next.try_send(batch) {
            match refused {
                TrySendError::Full(back) => batch = back,
                // The thread is at its end: what it would have freed is freed here.
                TrySendError::Disconnected(_) => return freed,
            }
            match self.ring.own.try_recv() {
                Ok(received) => freed += received.len(),
                Err(TryRecvError::Empty) => thread::yield_now(),
                Err(TryRecvError::Disconnected) => return freed,
            }
        }
        if let Ok(received) = self.ring.own.try_recv() {
            freed += received.len();
        }
        freed
    }

    /// Blocks of 64 KiB to 4 MiB, one byte of each page written, as whoever asks for a block uses it.
    fn replace_large(&mut self) -> usize {
        let slot = self.random.below(LARGE_KEPT);
        self.kept[slot] = Block::new();
        let size = self.random.size(16, 22);
        // Not zeroed: what is zeroed comes from the kernel as it is, and is not written to at all.
        let mut block = Block::with_capacity(size);
        for page in block.spare_capacity_mut().chunks_mut(PAGE) {
            page[0].write(1);
        }
        self.kept[slot] = black_box(block);
        1
    }

    /// A block that grows by half until it is as large as 256 bytes to 1 MiB, and shrinks to a quarter, twice.
    fn grow(&mut self) -> usize {
        let limit = self.random.size(8, 20);
        let mut block = small(&mut self.random);
        let mut changes = 0;
        while block.len() < limit {
            let more = block.len() / 2 + 16;
            block.reserve_exact(more);
            block.resize(block.len() + more, 1);
            changes += 1;
        }
        for _ in 0..2 {
            block.truncate(block.len() / 4);
            block.shrink_to_fit();
            changes += 1;
        }
        black_box(block);
        changes
    }
}

/// A block of 16 to 1024 bytes, its first half written.
fn small(random: &mut Random) -> Block {
    let size = random.size(4, 10);
    let mut block = Block::with_capacity(size);
    block.resize(size / 2, 1);
    black_box(block)
}

/// One step of a load on this thread alone.
pub fn check(load: Load) -> Result<(), String> {
    let (next, own) = std::sync::mpsc::sync_channel(WAITING);
    let mut worker = Worker::new(load, 0, Ring { next, own });
    if worker.step() == 0 {
        return Err(format!("a step of {} did nothing", load.name()));
    }
    let wrong = worker
        .kept
        .iter()
        .flatten()
        .find(|byte| **byte != 1)
        .copied();
    wrong.map_or(Ok(()), |byte| {
        Err(format!("{} found {byte} where it wrote 1", load.name()))
    })
}
