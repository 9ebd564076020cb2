//! Puts one load on the program's allocator, and says as one line of JSON what came of it.

mod allocator;
mod bench;
mod loads;
mod process;
mod random;
mod series;

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use bench::Order;
use loads::Load;

const WRONG_ARGUMENTS: u8 = 2;
const MOST_THREADS: usize = 32;
const USAGE: &str = "\
allocator --check
allocator --version
allocator --bench LOAD THREADS SECONDS
allocator --series SECONDS
allocator --starts COUNT";

enum Command {
    Check,
    Version,
    Bench(Order),
    Series(Duration),
    Starts(u32),
}

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let Some(command) = parse(&words) else {
        eprintln!("{USAGE}");
        return ExitCode::from(WRONG_ARGUMENTS);
    };
    let done = match command {
        Command::Check => check(),
        Command::Version => Ok(version()),
        Command::Bench(order) => bench::run(&order),
        Command::Series(time) => series::run(time),
        Command::Starts(count) => series::starts(count),
    };
    match done {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("allocator: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn parse(words: &[&str]) -> Option<Command> {
    match *words {
        ["--check"] => Some(Command::Check),
        ["--version"] => Some(Command::Version),
        ["--bench", load, threads, seconds] => {
            let order = Order {
                load: Load::from_name(load)?,
                threads: threads
                    .parse()
                    .ok()
                    .filter(|count| (1..=MOST_THREADS).contains(count))?,
                time: parse_time(seconds)?,
            };
            Some(Command::Bench(order))
        }
        ["--series", seconds] => parse_time(seconds).map(Command::Series),
        ["--starts", count] => count
            .parse()
            .ok()
            .filter(|count| *count > 0)
            .map(Command::Starts),
        _ => None,
    }
}

fn parse_time(seconds: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds.parse().ok()?).ok()
}

fn version() -> String {
    format!(
        "allocator {} alloc={}",
        env!("CARGO_PKG_VERSION"),
        allocator::NAME
    )
}

/// Every load once, so short that it is no measurement, before the program says what it is.
fn check() -> Result<String, String> {
    for load in Load::ALL {
        loads::check(load)?;
    }
    let names: Vec<&str> = Load::ALL.iter().map(|load| load.name()).collect();
    Ok(format!("{} loads={}", version(), names.join(",")))
}
