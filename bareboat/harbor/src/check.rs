//! `harbor check`: plays the probes against the subject and reports what was seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::answer::Protocol;
use crate::body::{PART_BYTES, PatternBody};
use crate::failure::{During, Failure, Outcome};
use crate::judge::{self, Sum, Verdict};
use crate::probe::{Kind, Probe};
use crate::state::{Ready, State};
use crate::subject::{Connection, Subject, read};
use crate::tally::Queries;
use crate::upstream::Upstream;

/// The sizes that bodies of requests at once have.
const SIZES: u32 = 200;
const CONNECTIONS: u32 = 16;
const SLOW_SECONDS: u64 = 1;
const SLOW_PARTS: u32 = 5;

#[derive(Debug, Serialize)]
pub struct Report {
    pub probes: Vec<Finding>,
}

#[derive(Debug, Serialize)]
pub struct Finding {
    pub name: &'static str,
    pub passed: bool,
    pub observed: String,
    pub milliseconds: u64,
}

/// Waits for harbor and subject, for `patience` at most, then plays the probes one by one: those
/// that this machine can play.
pub async fn check(
    subject: &Subject,
    state: &State,
    probes: &[Probe],
    patience: Duration,
) -> Outcome<Report> {
    let ready = wait(subject, state, patience).await?;
    let mut findings = Vec::new();
    for probe in probes
        .iter()
        .filter(|probe| ready.ipv6 || !probe.needs_ipv6())
    {
        let start = Instant::now();
        let limit = limit(probe.kind);
        let verdict = match timeout(limit, play(probe, subject, &ready)).await {
            Ok(verdict) => verdict?,
            Err(_) => Verdict {
                passed: false,
                observed: format!("no end within {} s", limit.as_secs()),
            },
        };
        findings.push(Finding {
            name: probe.name,
            passed: verdict.passed,
            observed: verdict.observed,
            milliseconds: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
    }
    Ok(Report { probes: findings })
}

async fn wait(subject: &Subject, state: &State, patience: Duration) -> Outcome<Ready> {
    let start = Instant::now();
    loop {
        let (ready, missing) = match state.ready()? {
            None => (
                None,
                format!("{} is not there", state.path("ready").display()),
            ),
            Some(ready) => match timeout(Duration::from_secs(2), healthz(subject)).await {
                Ok(verdict) => (verdict.passed.then_some(ready), verdict.observed),
                Err(_) => (None, "no answer".to_owned()),
            },
        };
        match ready {
            Some(ready) => return Ok(ready),
            None if start.elapsed() >= patience => {
                let seconds = patience.as_secs();
                return Err(Failure::new(format!(
                    "not healthy within {seconds} s: {missing}"
                )));
            }
            None => sleep(Duration::from_millis(50)).await,
        }
    }
}

const fn limit(kind: Kind) -> Duration {
    Duration::from_secs(match kind {
        Kind::Healthz => 5,
        Kind::Body(size) if size > 1 << 20 => 60,
        Kind::Echo(_) | Kind::Parallel(_) | Kind::Handshakes(_) => 60,
        _ => 15,
    })
}

/// A probe that the subject fails is a verdict; an error is that the harbor itself did not play.
async fn play(probe: &Probe, subject: &Subject, ready: &Ready) -> Outcome<Verdict> {
    Ok(match probe.kind {
        Kind::Healthz => healthz(subject).await,
        Kind::Body(size) => body(probe, subject, size).await,
        Kind::Echo(size) => echo(probe, subject, size).await,
        Kind::Refused(statuses, error) => match subject.get(&probe.path("bytes/1024")).await {
            Ok(response) => judge::refusal(&read(response, || {}).await, statuses, error),
            Err(failure) => failure.into(),
        },
        Kind::Truncated(size) => {
            let verdict = body(probe, subject, size).await;
            let queries = queries(ready).await?;
            let name = probe.upstream.map(Upstream::host).unwrap_or_default();
            let (udp, tcp) = (
                queries.of(name, Protocol::Udp),
                queries.of(name, Protocol::Tcp),
            );
            judge::truncation(&verdict, udp, tcp)
        }
        Kind::Parallel(wanted) => judge::sum(&parallel(probe, subject, wanted, "").await, wanted),
        Kind::Handshakes(wanted) => {
            judge::sum(&parallel(probe, subject, wanted, "?close").await, wanted)
        }
        Kind::Slow => slow(probe, subject).await,
    })
}

async fn healthz(subject: &Subject) -> Verdict {
    match subject.get("/healthz").await {
        Ok(response) => judge::health(&read(response, || {}).await),
        Err(failure) => failure.into(),
    }
}

async fn body(probe: &Probe, subject: &Subject, size: u64) -> Verdict {
    match subject.get(&probe.path(&format!("bytes/{size}"))).await {
        Ok(response) => judge::body(&read(response, || {}).await, size),
        Err(failure) => failure.into(),
    }
}

async fn echo(probe: &Probe, subject: &Subject, size: u64) -> Verdict {
    match subject
        .post(&probe.path("echo"), PatternBody::new(size))
        .await
    {
        Ok(response) => judge::body(&read(response, || {}).await, size),
        Err(failure) => failure.into(),
    }
}

async fn slow(probe: &Probe, subject: &Subject) -> Verdict {
    let sending = Duration::from_secs(SLOW_SECONDS);
    let path = probe.path(&format!(
        "slow?ms={}&parts={SLOW_PARTS}",
        sending.as_millis()
    ));
    let response = match subject.get(&path).await {
        Ok(response) => response,
        Err(failure) => return failure.into(),
    };
    let (mut first, mut last) = (None, None);
    let reading = read(response, || {
        let now = Instant::now();
        first.get_or_insert(now);
        last = Some(now);
    });
    let verdict = judge::body(&reading.await, u64::from(SLOW_PARTS) * PART_BYTES);
    let between = first.zip(last).map(|(first, last)| last - first);
    judge::stream(&verdict, sending, between)
}

/// Every connection takes the next request until all are taken; each asks for another size.
async fn parallel(probe: &Probe, subject: &Subject, wanted: u32, ending: &'static str) -> Sum {
    let next = Arc::new(AtomicU32::new(0));
    let mut lanes = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let path = probe.path("bytes");
        let page = move |size| format!("{path}/{size}{ending}");
        lanes.spawn(lane(page, subject.clone(), next.clone(), wanted));
    }
    let mut whole = Sum::default();
    while let Some(lane) = lanes.join_next().await {
        let lane = lane.unwrap_or_default();
        whole.asked += lane.asked;
        whole.right += lane.right;
        whole.connections += lane.connections;
        whole.first_wrong = whole.first_wrong.or(lane.first_wrong);
    }
    whole
}

async fn lane(
    page: impl Fn(u64) -> String,
    subject: Subject,
    next: Arc<AtomicU32>,
    wanted: u32,
) -> Sum {
    let mut sum = Sum::default();
    let mut connection = None;
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= wanted {
            return sum;
        }
        sum.asked += 1;
        let size = 100 + 97 * u64::from(number % SIZES);
        let verdict = ask(&mut connection, &subject, &page(size), size, &mut sum).await;
        match verdict.unwrap_or_else(Verdict::from) {
            Verdict { passed: true, .. } => sum.right += 1,
            Verdict { observed, .. } => {
                sum.first_wrong.get_or_insert(observed);
                connection = None;
            }
        }
    }
}

/// One request over the kept connection, or over a new one where the subject has closed it.
async fn ask(
    kept: &mut Option<Connection>,
    subject: &Subject,
    path: &str,
    size: u64,
    sum: &mut Sum,
) -> Outcome<Verdict> {
    let open = match kept.take() {
        Some(mut connection) => connection.is_open().await.then_some(connection),
        None => None,
    };
    let connection = if let Some(connection) = open {
        connection
    } else {
        sum.connections += 1;
        subject.connect().await?
    };
    let response = kept.insert(connection).get(path).await?;
    Ok(judge::body(&read(response, || {}).await, size))
}

async fn queries(ready: &Ready) -> Outcome<Queries> {
    let what = "the harbor's count of queries";
    let response = Subject::local(ready.control).get("/queries").await?;
    let bytes = response
        .into_body()
        .collect()
        .await
        .during(what)?
        .to_bytes();
    serde_json::from_slice(&bytes).during(what)
}
