//! Harbor, stand-in and probes together on loopback: the sound proxy passes, each fault is found.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use hickory_proto::rr::{Name, RecordType};
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::answer::Protocol;
use crate::check::{Report, check};
use crate::inflight::{Flight, fly};
use crate::probe::{PROBES, Probe, select};
use crate::serve::{Ports, has_ipv6, start};
use crate::stand_in::{Fault, StandIn, ask_tcp, ask_udp};
use crate::state::{Ready, State};
use crate::subject::Subject;
use crate::tally::Queries;
use crate::upstream::environment;

const PATIENCE: Duration = Duration::from_secs(10);

struct Scene {
    folder: PathBuf,
    state: State,
    ready: Ready,
}

impl Scene {
    async fn open(name: &str) -> Self {
        Self::on_a_machine(name, has_ipv6()).await
    }

    async fn on_a_machine(name: &str, ipv6: bool) -> Self {
        let folder = std::env::temp_dir().join(format!("harbor-{name}-{}", std::process::id()));
        let state = State::new(&folder);
        let ports = Ports {
            dns: 0,
            control: 0,
            https: 0,
        };
        let ready = start(&state, ports, ipv6).await.unwrap();
        Self {
            folder,
            state,
            ready,
        }
    }

    async fn subject(&self, fault: Fault) -> Subject {
        Subject::local(self.stand_in(fault).start().await)
    }

    fn stand_in(&self, fault: Fault) -> StandIn {
        StandIn {
            environment: environment(|endpoint| self.ready.https[endpoint.name()]),
            dns: self.ready.dns,
            known_root: fs::read_to_string(self.state.path("ca.pem")).unwrap(),
            fault,
        }
    }

    async fn control(&self, reset: bool) -> Queries {
        let control = Subject::local(self.ready.control);
        let response = if reset {
            control
                .post("/queries/reset", crate::body::PatternBody::new(0))
                .await
        } else {
            control.get("/queries").await
        };
        let bytes = response
            .unwrap()
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes();
        serde_json::from_slice(&bytes).unwrap()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Those that the machine of these tests can be asked.
fn playable() -> Vec<Probe> {
    let can = |probe: &Probe| has_ipv6() || !probe.needs_ipv6();
    PROBES.iter().copied().filter(can).collect()
}

fn failed(report: &Report) -> Vec<(&str, &str)> {
    let failed = report.probes.iter().filter(|finding| !finding.passed);
    failed
        .map(|finding| (finding.name, finding.observed.as_str()))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sound_proxy_passes_every_probe() {
    let scene = Scene::open("sound").await;
    let subject = scene.subject(Fault::None).await;
    let report = check(&subject, &scene.state, PROBES, PATIENCE)
        .await
        .unwrap();
    assert_eq!(failed(&report), []);
    assert_eq!(report.probes.len(), playable().len());
    let flight = fly(&subject).await.unwrap();
    assert_eq!(
        flight,
        Flight {
            completed: true,
            bytes: 20 * 1024
        }
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_is_found_by_its_probes_and_by_no_other() {
    let scene = Scene::open("faults").await;
    // All but those that only repeat body-1k at length.
    let few = |probe: &Probe| !matches!(probe.name, "body-50m" | "parallel" | "handshakes");
    let probes: Vec<_> = playable().into_iter().filter(few).collect();
    let sound = [
        "healthz",
        "wrong-host",
        "expired",
        "unknown-authority",
        "nxdomain",
        "silent",
    ];
    let but_sound: Vec<&str> = probes
        .iter()
        .map(|probe| probe.name)
        .filter(|name| !sound.contains(name))
        .collect();
    for (fault, expected) in [
        (Fault::None, vec![]),
        (Fault::EmptyStore, but_sound.clone()),
        (Fault::NeverTcp, vec!["truncated"]),
        (Fault::NeverSearches, vec!["search"]),
        (Fault::NeedsBoth, vec!["v6fails"]),
        (Fault::IgnoresHosts, vec!["hosts-first"]),
        (Fault::Buffers, vec!["slow"]),
        (Fault::Spoils, but_sound.clone()),
        (Fault::Vague, sound[1..].to_vec()),
    ] {
        scene.control(true).await;
        let subject = scene.subject(fault).await;
        let report = check(&subject, &scene.state, &probes, PATIENCE)
            .await
            .unwrap();
        let failed = failed(&report);
        let names: Vec<&str> = failed.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, expected, "{fault:?}: {failed:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_ipv6_its_literal_is_left_out() {
    let scene = Scene::on_a_machine("ipv4", false).await;
    let subject = scene.subject(Fault::None).await;
    let probes = select(&["ipv4-literal".to_owned(), "ipv6-literal".to_owned()]).unwrap();
    let report = check(&subject, &scene.state, &probes, PATIENCE)
        .await
        .unwrap();
    let names: Vec<&str> = report.probes.iter().map(|finding| finding.name).collect();
    assert_eq!(names, ["ipv4-literal"]);
    assert_eq!(failed(&report), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_ends_behind_the_page_that_says_close_and_no_sooner() {
    let scene = Scene::open("close").await;
    let stand_in = scene.stand_in(Fault::None);
    let port = scene.ready.https["good"];
    let mut stream = stand_in.connect("good.harbor.test", port).await.unwrap();
    for page in ["/bytes/0", "/bytes/0?close"] {
        let request = format!("GET {page} HTTP/1.1\r\nhost: good.harbor.test\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
    }
    let mut text = String::new();
    let reading = stream.read_to_string(&mut text);
    timeout(PATIENCE, reading).await.unwrap().unwrap();
    let responses: Vec<&str> = text.split_inclusive("\r\n\r\n").collect();
    let says_close = |response: &&str| response.contains("connection: close\r\n");
    assert_eq!(
        responses.iter().map(says_close).collect::<Vec<_>>(),
        [false, true],
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_answered_and_counted_over_both_protocols() {
    let scene = Scene::open("names").await;
    let port = scene.ready.dns;
    let big = Name::from_ascii("big.harbor.test.").unwrap();
    let cut = ask_udp(port, &big, RecordType::A).await.unwrap();
    assert!(cut.metadata.truncation && cut.answers.is_empty());
    assert_eq!(ask_tcp(port, &big, RecordType::A).await.answers.len(), 200);
    let silent = Name::from_ascii("silent.harbor.test.").unwrap();
    assert!(ask_udp(port, &silent, RecordType::A).await.is_none());
    let queries = scene.control(false).await;
    assert_eq!(queries.of("big.harbor.test", Protocol::Udp), 1);
    assert_eq!(queries.of("big.harbor.test", Protocol::Tcp), 1);
    assert_eq!(queries.of("silent.harbor.test", Protocol::Udp), 1);
    assert_eq!(scene.control(true).await, Queries::default());
}

#[tokio::test]
async fn a_check_that_cannot_be_run_is_an_error() {
    let probes = select(&["healthz".to_owned()]).unwrap();
    let nowhere = State::new(std::env::temp_dir().join("harbor-that-never-was"));
    let subject = Subject::local(1);
    let failure = check(&subject, &nowhere, &probes, Duration::ZERO)
        .await
        .unwrap_err();
    assert!(
        failure.to_string().ends_with("ready is not there"),
        "{failure}"
    );
    let scene = Scene::open("unhealthy").await;
    let failure = check(&subject, &scene.state, &probes, Duration::ZERO)
        .await
        .unwrap_err();
    assert!(
        failure
            .to_string()
            .starts_with("not healthy within 0 s: connecting to"),
        "{failure}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flight_that_does_not_take_off_is_an_error() {
    let scene = Scene::open("grounded").await;
    let subject = scene.subject(Fault::EmptyStore).await;
    let failure = fly(&subject).await.unwrap_err().to_string();
    assert!(failure.starts_with("inflight: 502, tls: "), "{failure}");
}
