//! Runs this program once more for every figure, so that none has the memory of another.

use std::env;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::loads::Load;

const THREADS: [u32; 4] = [1, 2, 4, 8];

/// Every load by every number of threads, for so long each; a line of JSON for each of them.
pub fn run(time: Duration) -> Result<String, String> {
    let program = this_program()?;
    let mut lines = String::new();
    for load in Load::ALL {
        for threads in THREADS {
            let done = Command::new(&program)
                .args(["--bench", load.name()])
                .args([threads.to_string(), time.as_secs_f64().to_string()])
                .stderr(Stdio::inherit())
                .output()
                .map_err(|error| error.to_string())?;
            if !done.status.success() {
                return Err(format!(
                    "{} by {threads} ended with {}",
                    load.name(),
                    done.status
                ));
            }
            let _ = write!(lines, "{}", String::from_utf8_lossy(&done.stdout));
        }
    }
    Ok(lines.trim_end().to_owned())
}

/// Start the program some times, one after another, each to its end; a line of JSON.
pub fn starts(count: u32) -> Result<String, String> {
    let program = this_program()?;
    let mut milliseconds = Vec::new();
    for _ in 0..count {
        let start = Instant::now();
        let done = Command::new(&program)
            .arg("--version")
            .stdout(Stdio::null())
            .status()
            .map_err(|error| error.to_string())?;
        milliseconds.push(format!("{:.4}", 1e3 * start.elapsed().as_secs_f64()));
        if !done.success() {
            return Err(format!("a start ended with {done}"));
        }
    }
    Ok(format!(
        "{{\"start_milliseconds\":[{}]}}",
        milliseconds.join(",")
    ))
}

fn this_program() -> Result<PathBuf, String> {
    env::current_exe().map_err(|error| error.to_string())
}
