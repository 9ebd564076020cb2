//! What the kernel knows of this process, read from /proc.

use std::fs;

/// What the kernel has counted so far.
pub struct Counts {
    pub peak_bytes: u64,
    pub resting_bytes: u64,
    pub voluntary_switches: u64,
    pub involuntary_switches: u64,
    pub minor_faults: u64,
}

impl Counts {
    /// Of the process, and of its threads that have not ended: the kernel counts switches by the thread.
    pub fn take() -> Result<Self, String> {
        let status = read("/proc/self/status")?;
        let mut counts = Self {
            peak_bytes: kilobytes(&status, "VmHWM:")?,
            resting_bytes: kilobytes(&status, "VmRSS:")?,
            voluntary_switches: 0,
            involuntary_switches: 0,
            minor_faults: minor_faults()?,
        };
        let tasks = fs::read_dir("/proc/self/task").map_err(|error| error.to_string())?;
        for task in tasks.flatten() {
            let status = fs::read_to_string(task.path().join("status"))
                .map_err(|error| error.to_string())?;
            counts.voluntary_switches += number(&status, "voluntary_ctxt_switches:")?;
            counts.involuntary_switches += number(&status, "nonvoluntary_ctxt_switches:")?;
        }
        Ok(counts)
    }
}

/// The resident memory in bytes.
pub fn resident() -> Result<u64, String> {
    kilobytes(&read("/proc/self/status")?, "VmRSS:")
}

fn read(path: &str) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))
}

/// A figure of proc(5)'s `status`.
fn number(status: &str, name: &str) -> Result<u64, String> {
    status
        .lines()
        .find_map(|line| {
            line.strip_prefix(name)?
                .split_whitespace()
                .next()?
                .parse()
                .ok()
        })
        .ok_or_else(|| format!("the kernel says nothing of {name}"))
}

/// A size of proc(5)'s `status`, in bytes.
fn kilobytes(status: &str, name: &str) -> Result<u64, String> {
    number(status, name).map(|size| 1024 * size)
}

/// The tenth word of proc(5)'s `stat`; the second, in brackets, is a name that may hold anything.
fn minor_faults() -> Result<u64, String> {
    let stat = read("/proc/self/stat")?;
    stat.rsplit_once(')')
        .and_then(|(_, rest)| rest.split_whitespace().nth(7)?.parse().ok())
        .ok_or_else(|| "the kernel says nothing of page faults".to_owned())
}
