//! `harbor inflight`: one slow request that should outlive the subject's SIGTERM.

use std::io::{Write, stdout};

use hyper::StatusCode;
use serde::Serialize;

use crate::body::PART_BYTES;
use crate::failure::{During, Failure, Outcome};
use crate::judge;
use crate::subject::{Subject, read};

const MILLISECONDS: u64 = 2000;
const PARTS: u32 = 20;

#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Flight {
    pub completed: bool,
    pub bytes: u64,
}

/// Prints `started` when the first byte has come. A response that ends early is a result, none or
/// another status than 200 is an error. What was seen of an incomplete one goes to stderr.
pub async fn fly(subject: &Subject) -> Outcome<Flight> {
    let response = subject
        .get(&format!("/good/slow?ms={MILLISECONDS}&parts={PARTS}"))
        .await?;
    if response.status() != StatusCode::OK {
        let seen = judge::describe(&read(response, || {}).await);
        return Err(Failure::new(format!("inflight: {seen}")));
    }
    let mut said = Ok(());
    let mut started = false;
    let reading = read(response, || {
        if !started {
            started = true;
            said = say("started");
        }
    })
    .await;
    said?;
    let verdict = judge::body(&reading, u64::from(PARTS) * PART_BYTES);
    if !verdict.passed {
        eprintln!("harbor: inflight: {}", verdict.observed);
    }
    Ok(Flight {
        completed: verdict.passed,
        bytes: reading.comparison.size_bytes,
    })
}

fn say(word: &str) -> Outcome<()> {
    let mut out = stdout().lock();
    writeln!(out, "{word}")
        .and_then(|()| out.flush())
        .during("stdout")
}
