//! Starts the reverse proxy: configuration from the environment, a runtime, and an exit code at the end.

mod body;
mod config;
mod connect;
mod dns;
mod failure;
mod features;
mod headers;
mod json;
mod log;
mod pool;
mod proxy;
mod roots;
mod route;
mod server;
mod tls;

use std::env;
use std::process::ExitCode;

use config::{Config, Mistake};
use server::Stop;

#[cfg(feature = "alloc-mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const WRONG_CONFIGURATION: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [] => {}
        [only] if only == "--check" || only == "--version" => {
            println!("{}", features::line());
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!(
                "webserver: takes no argument but --check; it is configured by its environment"
            );
            return ExitCode::from(WRONG_CONFIGURATION);
        }
    }
    match run() {
        Ok(Stop::Finished) => ExitCode::SUCCESS,
        Ok(Stop::GaveUp) => {
            eprintln!("webserver: stopped before every connection had ended");
            ExitCode::FAILURE
        }
        Err(mistake) => {
            eprintln!("webserver: {mistake}");
            ExitCode::from(WRONG_CONFIGURATION)
        }
    }
}

fn run() -> Result<Stop, Mistake> {
    let config = Config::from_variables(env::vars_os())?;
    let tls = tls::Connector::new(config.extra_ca.as_deref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(64)
        .build()
        .map_err(|error| Mistake::new("TOKIO_WORKER_THREADS", format!("no runtime: {error}")))?;
    let stop = runtime.block_on(server::run(config, tls));
    // A getaddrinfo that still waits for its name server must not hold up the end.
    runtime.shutdown_background();
    stop
}
