//! From the command line to a command, and from its outcome to an exit code.

mod answer;
mod arguments;
mod authority;
mod body;
mod check;
mod control;
mod dns;
#[cfg(test)]
mod end_to_end;
mod endpoint;
mod failure;
mod https;
mod inflight;
mod judge;
mod pages;
mod pattern;
mod probe;
mod serve;
#[cfg(test)]
mod stand_in;
mod state;
mod subject;
mod tally;
mod upstream;
mod zone;

use std::io::{Write, stdout};
use std::process::ExitCode;

use serde_json::json;
use tokio::runtime::Builder;

use arguments::{Command, USAGE};
use failure::{During, Outcome};
use state::State;
use subject::Subject;

const FAILED: u8 = 2;

fn main() -> ExitCode {
    let done = arguments::parse(std::env::args().skip(1)).and_then(|command| {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        runtime.during("the runtime")?.block_on(run(command))
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("harbor: {failure}");
            ExitCode::from(FAILED)
        }
    }
}

async fn run(command: Command) -> Outcome<()> {
    match command {
        Command::Serve { state, ports } => serve::serve(&State::new(state), ports).await,
        Command::Check {
            subject,
            state,
            only,
            patience,
        } => {
            let probes = probe::select(&only)?;
            let (subject, state) = (Subject::parse(&subject)?, State::new(state));
            print(&check::check(&subject, &state, &probes, patience).await?)
        }
        Command::List => {
            let probes: Vec<_> = probe::PROBES.iter().map(|probe| probe.listed()).collect();
            print(&json!({ "probes": probes }))
        }
        Command::Environment { https_port } => {
            print(&upstream::environment(|endpoint| endpoint.port(https_port)))
        }
        Command::Inflight { subject } => print(&inflight::fly(&Subject::parse(&subject)?).await?),
        Command::Help => write(USAGE),
    }
}

fn print(value: &impl serde::Serialize) -> Outcome<()> {
    write(&serde_json::to_string(value).during("the report")?)
}

fn write(text: &str) -> Outcome<()> {
    writeln!(stdout().lock(), "{text}").during("stdout")
}
