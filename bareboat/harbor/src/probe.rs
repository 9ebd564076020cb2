//! The probes: what each asks of the subject, through which upstream, and what must be seen.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::endpoint::Endpoint;
use crate::failure::{Failure, Outcome};

/// One path prefix of the subject, and the URL that it must lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upstream {
    pub name: &'static str,
    host: &'static str,
    endpoint: Endpoint,
}

const fn upstream(name: &'static str, host: &'static str, endpoint: Endpoint) -> Upstream {
    Upstream {
        name,
        host,
        endpoint,
    }
}

const GOOD: Upstream = upstream("good", Endpoint::Good.host(), Endpoint::Good);
const TLS12: Upstream = upstream("tls12", Endpoint::Tls12.host(), Endpoint::Tls12);
const TLS13: Upstream = upstream("tls13", Endpoint::Tls13.host(), Endpoint::Tls13);
const WRONG: Upstream = upstream("wrong", Endpoint::Wrong.host(), Endpoint::Wrong);
const EXPIRED: Upstream = upstream("expired", Endpoint::Expired.host(), Endpoint::Expired);
const UNKNOWN: Upstream = upstream("unknown", Endpoint::Unknown.host(), Endpoint::Unknown);
const NOTHING: Upstream = upstream("nothing", "nothing.harbor.test", Endpoint::Good);
const BIG: Upstream = upstream("big", "big.harbor.test", Endpoint::Good);
const SHORT: Upstream = upstream("short", "short", Endpoint::Good);
const V6FAILS: Upstream = upstream("v6fails", "v6fails.harbor.test", Endpoint::Good);
const V4ONLY: Upstream = upstream("v4only", "v4only.harbor.test", Endpoint::Good);
const HOSTS: Upstream = upstream("hostsfirst", "hosts-first.harbor.test", Endpoint::Good);
const LITERAL: Upstream = upstream("literal", "127.0.0.1", Endpoint::Good);

const UPSTREAMS: [Upstream; 13] = [
    GOOD, TLS12, TLS13, WRONG, EXPIRED, UNKNOWN, NOTHING, BIG, SHORT, V6FAILS, V4ONLY, HOSTS,
    LITERAL,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Healthz,
    /// 200 and so many bytes of the pattern.
    Body(u64),
    Echo(u64),
    /// 502 and a JSON body with this `error`.
    Refused(&'static str),
    /// As `Body`, and the name was asked for over TCP.
    Truncated(u64),
    Parallel,
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

pub const PROBES: [Probe; 18] = [
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
        Kind::Refused("tls"),
        "502: the certificate names another host",
    ),
    probe(
        "expired",
        EXPIRED,
        Kind::Refused("tls"),
        "502: the certificate ended yesterday",
    ),
    probe(
        "unknown-authority",
        UNKNOWN,
        Kind::Refused("tls"),
        "502: the authority is a stranger",
    ),
    probe(
        "nxdomain",
        NOTHING,
        Kind::Refused("dns"),
        "502: there is no such name",
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
        "parallel",
        GOOD,
        Kind::Parallel,
        "200 requests over 16 connections, all right",
    ),
    probe(
        "slow",
        GOOD,
        Kind::Slow,
        "a response of 1 s whose first byte comes before its last",
    ),
];

impl Upstream {
    fn variable(self) -> String {
        format!("UPSTREAM_{}", self.name.to_uppercase())
    }

    pub const fn host(self) -> &'static str {
        self.host
    }
}

impl Probe {
    pub fn listed(&self) -> Listed {
        Listed {
            name: self.name,
            environment: self.upstream.map(Upstream::variable).into_iter().collect(),
            expects: self.expects,
        }
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
            let known = PROBES.map(|probe| probe.name).join(", ");
            return Err(Failure::new(format!(
                "no probe is named '{name}'; there are: {known}"
            )));
        }
    }
    let wanted = |probe: &Probe| names.is_empty() || names.iter().any(|name| name == probe.name);
    Ok(PROBES.into_iter().filter(wanted).collect())
}

/// Every variable that a subject needs; `port_of` tells where an endpoint listens.
pub fn environment(port_of: impl Fn(Endpoint) -> u16) -> BTreeMap<String, String> {
    let url =
        |upstream: &Upstream| format!("https://{}:{}", upstream.host, port_of(upstream.endpoint));
    UPSTREAMS
        .iter()
        .map(|upstream| (upstream.variable(), url(upstream)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::GOOD_NAMES;

    #[test]
    fn the_environment_has_what_the_probes_need_and_no_more() {
        let environment = environment(|endpoint| endpoint.port(8443));
        assert_eq!(
            environment["UPSTREAM_GOOD"],
            "https://good.harbor.test:8443"
        );
        assert_eq!(
            environment["UPSTREAM_TLS13"],
            "https://tls13.harbor.test:8448"
        );
        assert_eq!(environment["UPSTREAM_SHORT"], "https://short:8443");
        let mut needed: Vec<String> = PROBES
            .iter()
            .flat_map(|probe| probe.listed().environment)
            .collect();
        needed.sort();
        needed.dedup();
        assert_eq!(environment.into_keys().collect::<Vec<_>>(), needed);
    }

    #[test]
    fn each_probe_that_must_pass_asks_for_a_name_in_the_good_certificate() {
        let good = |probe: &&Probe| {
            probe
                .upstream
                .is_some_and(|upstream| upstream.endpoint == Endpoint::Good)
                && !matches!(probe.kind, Kind::Refused(_))
        };
        for probe in PROBES.iter().filter(good) {
            assert!(
                GOOD_NAMES.contains(&probe.upstream.unwrap().host),
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
}
