//! Allocates on two threads, and says which allocator its Rust code has, and whether the C library still has its own.

mod allocator;
mod libc_malloc;

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread;

const WORDS: usize = 1000;

fn main() {
    let malloc = if libc_malloc::is_own() {
        "own"
    } else {
        "other"
    };
    println!(
        "allocator={} malloc={malloc} words={}",
        allocator::NAME,
        count()
    );
}

/// Allocates words on one thread, and frees them on another.
fn count() -> usize {
    let (sender, words) = mpsc::channel();
    let writer = thread::spawn(move || {
        (0..WORDS).try_for_each(|number| sender.send("word ".repeat(number)))
    });
    let sorted: BTreeMap<String, usize> = words.into_iter().zip(0..).collect();
    let sent = writer.join().is_ok_and(|sent| sent.is_ok());
    sorted
        .iter()
        .filter(|(word, number)| sent && word.len() == "word ".len() * **number)
        .count()
}
