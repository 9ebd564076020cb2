//! The upstreams: under which name the subject knows each, and the URL that it must lead to.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use crate::endpoint::Endpoint;

/// One path prefix of the subject, and the URL that it must lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upstream {
    pub name: &'static str,
    host: &'static str,
    pub endpoint: Endpoint,
}

const fn upstream(name: &'static str, host: &'static str, endpoint: Endpoint) -> Upstream {
    Upstream {
        name,
        host,
        endpoint,
    }
}

pub const GOOD: Upstream = upstream("good", Endpoint::Good.host(), Endpoint::Good);
pub const TLS12: Upstream = upstream("tls12", Endpoint::Tls12.host(), Endpoint::Tls12);
pub const TLS13: Upstream = upstream("tls13", Endpoint::Tls13.host(), Endpoint::Tls13);
pub const WRONG: Upstream = upstream("wrong", Endpoint::Wrong.host(), Endpoint::Wrong);
pub const EXPIRED: Upstream = upstream("expired", Endpoint::Expired.host(), Endpoint::Expired);
pub const UNKNOWN: Upstream = upstream("unknown", Endpoint::Unknown.host(), Endpoint::Unknown);
pub const NOTHING: Upstream = upstream("nothing", "nothing.harbor.test", Endpoint::Good);
pub const SILENT: Upstream = upstream("silent", "silent.harbor.test", Endpoint::Good);
pub const BIG: Upstream = upstream("big", "big.harbor.test", Endpoint::Good);
pub const SHORT: Upstream = upstream("short", "short", Endpoint::Good);
pub const V6FAILS: Upstream = upstream("v6fails", "v6fails.harbor.test", Endpoint::Good);
pub const V4ONLY: Upstream = upstream("v4only", "v4only.harbor.test", Endpoint::Good);
pub const HOSTS: Upstream = upstream("hostsfirst", "hosts-first.harbor.test", Endpoint::Good);
pub const LITERAL: Upstream = upstream("literal", "127.0.0.1", Endpoint::Good);
pub const V6LITERAL: Upstream = upstream("v6literal", "::1", Endpoint::Good);

const UPSTREAMS: [Upstream; 15] = [
    GOOD, TLS12, TLS13, WRONG, EXPIRED, UNKNOWN, NOTHING, SILENT, BIG, SHORT, V6FAILS, V4ONLY,
    HOSTS, LITERAL, V6LITERAL,
];

impl Upstream {
    pub fn variable(self) -> String {
        format!("UPSTREAM_{}", self.name.to_uppercase())
    }

    pub const fn host(self) -> &'static str {
        self.host
    }

    pub fn is_ipv6(self) -> bool {
        self.host.parse::<Ipv6Addr>().is_ok()
    }

    fn url(self, port: u16) -> String {
        if self.is_ipv6() {
            format!("https://[{}]:{port}", self.host)
        } else {
            format!("https://{}:{port}", self.host)
        }
    }
}

/// Every variable that a subject needs; `port_of` tells where an endpoint listens.
pub fn environment(port_of: impl Fn(Endpoint) -> u16) -> BTreeMap<String, String> {
    UPSTREAMS
        .iter()
        .map(|upstream| {
            let url = upstream.url(port_of(upstream.endpoint));
            (upstream.variable(), url)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::PROBES;

    #[test]
    fn the_environment_has_what_the_probes_need_and_no_more() {
        let environment = environment(|endpoint| endpoint.port(8443));
        for (variable, url) in [
            ("UPSTREAM_GOOD", "https://good.harbor.test:8443"),
            ("UPSTREAM_TLS13", "https://tls13.harbor.test:8448"),
            ("UPSTREAM_SHORT", "https://short:8443"),
            ("UPSTREAM_SILENT", "https://silent.harbor.test:8443"),
            ("UPSTREAM_LITERAL", "https://127.0.0.1:8443"),
            ("UPSTREAM_V6LITERAL", "https://[::1]:8443"),
        ] {
            assert_eq!(environment[variable], url);
        }
        let mut needed: Vec<String> = PROBES
            .iter()
            .filter_map(|probe| Some(probe.upstream?.variable()))
            .collect();
        needed.sort();
        needed.dedup();
        assert_eq!(environment.into_keys().collect::<Vec<_>>(), needed);
    }
}
