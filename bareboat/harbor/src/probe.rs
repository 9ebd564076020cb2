//! The probes: what each asks of the subject, through which upstream, and what must be seen.

use serde::Serialize;

use crate::failure::{Failure, Outcome};
use crate::upstream::{
    BIG, EXPIRED, GOOD, HOSTS, LITERAL, NOTHING, SHORT, SILENT, TLS12, TLS13, UNKNOWN, Upstream,
    V4ONLY, V6FAILS, V6LITERAL, WRONG,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Healthz,
    /// 200 and so many bytes of the pattern.
    Body(u64),
    Echo(u64),
    /// One of these statuses and a JSON body with this `error`.
    Refused(&'static [u16], &'static str),
    /// As `Body`, and the name was asked for over TCP.
    Truncated(u64),
    /// So many requests over some connections at once.
    Parallel(u32),
    /// As `Parallel`, each by a new connection to the upstream.
    Handshakes(u32),
    Slow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    pub name: &'static str,
    pub upstream: Option<Upstream>,
    pub kind: Kind,
    expects: &'static str,
}

/// A probe as `harbor check --list` tells it.
#[derive(Debug, Serialize)]
pub struct Listed {
    name: &'static str,
    environment: Vec<String>,
    expects: &'static str,
}

const fn probe(name: &'static str, upstream: Upstream, kind: Kind, expects: &'static str) -> Probe {
    Probe {
        name,
        upstream: Some(upstream),
        kind,
        expects,
    }
}

const KIBI: u64 = 1024;
const MEBI: u64 = 1024 * KIBI;

pub const PROBES: &[Probe] = &[
    Probe {
        name: "healthz",
        upstream: None,
        kind: Kind::Healthz,
        expects: "200 from /healthz",
    },
    probe("body-1k", GOOD, Kind::Body(KIBI), "1 KiB, byte for byte"),
    probe(
        "body-50m",
        GOOD,
        Kind::Body(50 * MEBI),
        "50 MiB, byte for byte",
    ),
    probe(
        "echo-1m",
        GOOD,
        Kind::Echo(MEBI),
        "1 MiB there and back, byte for byte",
    ),
    probe(
        "tls12",
        TLS12,
        Kind::Body(KIBI),
        "200 from a server of TLS 1.2 only",
    ),
    probe(
        "tls13",
        TLS13,
        Kind::Body(KIBI),
        "200 from a server of TLS 1.3 only",
    ),
    probe(
        "wrong-host",
        WRONG,
        Kind::Refused(&[502], "tls"),
        "502: the certificate names another host",
    ),
    probe(
        "expired",
        EXPIRED,
        Kind::Refused(&[502], "tls"),
        "502: the certificate ended yesterday",
    ),
    probe(
        "unknown-authority",
        UNKNOWN,
        Kind::Refused(&[502], "tls"),
        "502: the authority is a stranger",
    ),
    probe(
        "nxdomain",
        NOTHING,
        Kind::Refused(&[502], "dns"),
        "502: there is no such name",
    ),
    probe(
        "silent",
        SILENT,
        Kind::Refused(&[502, 504], "dns"),
        "502 or 504: the name server does not answer",
    ),
    probe(
        "truncated",
        BIG,
        Kind::Truncated(KIBI),
        "200: a truncated answer is asked for over TCP",
    ),
    probe(
        "search",
        SHORT,
        Kind::Body(KIBI),
        "200: the third search domain completes the name",
    ),
    probe(
        "v6fails",
        V6FAILS,
        Kind::Body(KIBI),
        "200: A answers while AAAA fails",
    ),
    probe(
        "v4only",
        V4ONLY,
        Kind::Body(KIBI),
        "200: A answers while AAAA is empty",
    ),
    probe(
        "hosts-first",
        HOSTS,
        Kind::Body(KIBI),
        "200: /etc/hosts comes before DNS",
    ),
    probe(
        "ipv4-literal",
        LITERAL,
        Kind::Body(KIBI),
        "200: the certificate names the address",
    ),
    probe(
        "ipv6-literal",
        V6LITERAL,
        Kind::Body(KIBI),
        "200: the certificate names the address; not asked where there is no ::1",
    ),
    probe(
        "parallel",
        GOOD,
        Kind::Parallel(200),
        "200 requests over 16 connections, all right",
    ),
    probe(
        "handshakes",
        GOOD,
        Kind::Handshakes(1000),
        "1000 requests over 16 connections, all right, each by a new connection to the upstream",
    ),
    probe(
        "slow",
        GOOD,
        Kind::Slow,
        "a response of 1 s whose first byte comes before its last",
    ),
];

impl Probe {
    pub fn listed(&self) -> Listed {
        Listed {
            name: self.name,
            environment: self.upstream.map(Upstream::variable).into_iter().collect(),
            expects: self.expects,
        }
    }

    /// Whether it cannot be asked on a machine without `::1`.
    pub fn needs_ipv6(&self) -> bool {
        self.upstream.is_some_and(Upstream::is_ipv6)
    }

    /// The path under the probe's upstream.
    pub fn path(&self, rest: &str) -> String {
        match self.upstream {
            Some(upstream) => format!("/{}/{rest}", upstream.name),
            None => format!("/{rest}"),
        }
    }
}

/// The named probes in the table's order; all where none is named.
pub fn select(names: &[String]) -> Outcome<Vec<Probe>> {
    for name in names {
        if !PROBES.iter().any(|probe| probe.name == name) {
            let known: Vec<_> = PROBES.iter().map(|probe| probe.name).collect();
            return Err(Failure::new(format!(
                "no probe is named '{name}'; there are: {}",
                known.join(", ")
            )));
        }
    }
    let wanted = |probe: &Probe| names.is_empty() || names.iter().any(|name| name == probe.name);
    Ok(PROBES.iter().copied().filter(wanted).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::GOOD_NAMES;
    use crate::endpoint::Endpoint;

    #[test]
    fn each_probe_that_must_pass_asks_for_a_name_in_the_good_certificate() {
        let good = |probe: &&Probe| {
            probe
                .upstream
                .is_some_and(|upstream| upstream.endpoint == Endpoint::Good)
                && !matches!(probe.kind, Kind::Refused(..))
        };
        for probe in PROBES.iter().filter(good) {
            assert!(
                GOOD_NAMES.contains(&probe.upstream.unwrap().host()),
                "{}",
                probe.name
            );
        }
    }

    #[test]
    fn probes_are_selected_by_name() {
        assert_eq!(select(&[]).unwrap().len(), PROBES.len());
        let two = select(&["slow".to_owned(), "tls12".to_owned()]).unwrap();
        assert_eq!(
            two.iter().map(|probe| probe.name).collect::<Vec<_>>(),
            ["tls12", "slow"]
        );
        assert!(select(&["tls14".to_owned()]).is_err());
    }

    #[test]
    fn only_the_ipv6_literal_needs_ipv6() {
        let needing = PROBES.iter().filter(|probe| probe.needs_ipv6());
        assert_eq!(
            needing.map(|probe| probe.name).collect::<Vec<_>>(),
            ["ipv6-literal"]
        );
    }
}
