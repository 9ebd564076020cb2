//! Names by hickory, from /etc/hosts and the name servers of /etc/resolv.conf, and from nobody else.

use std::fs;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::caching_client::CachingClient;
use hickory_resolver::config::{NameServerConfig, ResolverOpts, ServerOrderingStrategy};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::xfer::RetryDnsHandle;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::{DnsRequestOptions, Query};
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::{NameServerPool, PoolContext, TlsConfig};
use tokio::time::timeout;

use super::resolv_conf::ResolvConf;
use super::{Miss, hosts};
use crate::failure::Failure;

const RESOLV_CONF: &str = "/etc/resolv.conf";

/// How long one family's addresses wait for the other's: RFC 8305, 3.
const RESOLUTION_DELAY: Duration = Duration::from_millis(50);

pub struct Resolver {
    search: Vec<Name>,
    ndots: usize,
    /// Or why there are none.
    servers: Result<(Servers, DnsRequestOptions), String>,
}

impl Resolver {
    pub fn new() -> Self {
        let text = fs::read_to_string(RESOLV_CONF);
        let conf = ResolvConf::parse(text.as_deref().unwrap_or_default());
        let servers = match text {
            Err(error) => Err(error.to_string()),
            Ok(_) if conf.servers.is_empty() => Err("it names none".to_owned()),
            Ok(_) => build(&conf),
        };
        let search = conf
            .search
            .iter()
            .filter_map(|domain| Name::from_ascii(domain).ok())
            .collect();
        Self {
            search,
            ndots: conf.ndots,
            servers,
        }
    }

    /// The addresses in the order in which they should be tried: the families by turns.
    pub async fn lookup(&self, host: &str) -> Result<Vec<IpAddr>, Failure> {
        let name = Name::from_ascii(host).map_err(|_| {
            Miss::Other("is no name that DNS can hold".to_owned()).into_failure(host)
        })?;
        let listed = hosts::lookup(host);
        if !listed.is_empty() {
            return Ok(listed);
        }
        let (servers, options) = self.servers.as_ref().map_err(|why| {
            let what = format!("no name server: {RESOLV_CONF}: {why}; and it is not in /etc/hosts");
            Miss::Other(what).into_failure(host)
        })?;
        let mut miss = Miss::NxDomain;
        for candidate in candidates(&name, &self.search, self.ndots) {
            match both_families(servers, *options, candidate).await {
                Ok(addresses) => return Ok(addresses),
                Err(Miss::Timeout) => return Err(Miss::Timeout.into_failure(host)),
                // That a server failed says more than that other names do not exist.
                Err(Miss::NxDomain) => {}
                Err(Miss::NoAddress) if matches!(miss, Miss::Other(_)) => {}
                Err(other) => miss = other,
            }
        }
        Err(miss.into_failure(host))
    }
}

/// Name servers by UDP and TCP, tried again on failure, behind hickory's cache.
type Servers = CachingClient<RetryDnsHandle<NameServerPool<TokioRuntimeProvider>>>;

/// Not by hickory's own builder: its search list passes over /etc/hosts, and it is a tenth of a megabyte.
fn build(conf: &ResolvConf) -> Result<(Servers, DnsRequestOptions), String> {
    let mut options = ResolverOpts::default();
    options.timeout = conf.timeout;
    options.edns0 = conf.edns0;
    options.server_ordering_strategy = ServerOrderingStrategy::UserProvidedOrder;
    let mut request = DnsRequestOptions::default();
    request.recursion_desired = true;
    request.use_edns = conf.edns0;
    request.edns_payload_len = options.edns_payload_len;
    let (cache_size, preserve) = (options.cache_size, options.preserve_intermediates);
    let no_tls = TlsConfig::new().map_err(|error| error.to_string())?;
    let context = Arc::new(PoolContext::new(options, no_tls));
    let servers = conf
        .servers
        .iter()
        .map(|address| NameServerConfig::udp_and_tcp(*address));
    let pool = NameServerPool::from_config(servers, context, TokioRuntimeProvider::default());
    // hickory counts the tries after the first.
    let retry = RetryDnsHandle::new(pool, conf.attempts - 1);
    Ok((CachingClient::new(cache_size, retry, preserve), request))
}

/// The full names to ask for, in turn: resolv.conf(5), `ndots`.
fn candidates(name: &Name, search: &[Name], ndots: usize) -> Vec<Name> {
    let mut absolute = name.clone();
    absolute.set_fqdn(true);
    if name.is_fqdn() || name.is_localhost() {
        return vec![absolute];
    }
    let mut names: Vec<Name> = search
        .iter()
        .filter_map(|domain| name.clone().append_domain(domain).ok())
        .collect();
    let dots = usize::from(name.num_labels()).saturating_sub(1);
    names.insert(if dots >= ndots { 0 } else { names.len() }, absolute);
    names
}

/// Asks for A and AAAA at once; one that fails or is late leaves the other's answer standing.
async fn both_families(
    servers: &Servers,
    options: DnsRequestOptions,
    name: Name,
) -> Result<Vec<IpAddr>, Miss> {
    let ask = async |record_type| {
        addresses(
            servers
                .lookup(Query::query(name.clone(), record_type), options)
                .await,
        )
    };
    let (four, six) = (ask(RecordType::A), ask(RecordType::AAAA));
    tokio::pin!(four, six);
    let (four, six) = tokio::select! {
        first = &mut four => {
            let second = wait(first.is_ok(), six).await;
            (first, second)
        }
        first = &mut six => {
            let second = wait(first.is_ok(), four).await;
            (second, first)
        }
    };
    match (six, four) {
        (Err(one), Err(other)) => Err(graver(one, other)),
        (six, four) => Ok(by_turns(six.unwrap_or_default(), four.unwrap_or_default())),
    }
}

type Found = Result<Vec<IpAddr>, Miss>;

async fn wait(briefly: bool, lookup: impl Future<Output = Found>) -> Found {
    if briefly {
        timeout(RESOLUTION_DELAY, lookup)
            .await
            .unwrap_or(Err(Miss::Timeout))
    } else {
        lookup.await
    }
}

fn addresses(lookup: Result<Lookup, NetError>) -> Found {
    match lookup {
        Ok(lookup) => {
            let found: Vec<_> = lookup
                .answers()
                .iter()
                .filter_map(|record| record.data.ip_addr())
                .collect();
            if found.is_empty() {
                Err(Miss::NoAddress)
            } else {
                Ok(found)
            }
        }
        Err(error) if error.is_nx_domain() => Err(Miss::NxDomain),
        Err(error) if error.is_no_records_found() => Err(Miss::NoAddress),
        Err(NetError::Timeout) => Err(Miss::Timeout),
        Err(NetError::Dns(DnsError::ResponseCode(code))) => {
            Err(Miss::Other(format!("the name server said {code}")))
        }
        Err(error) => Err(Miss::Other(format!(
            "the name server cannot be asked: {error}"
        ))),
    }
}

fn graver(one: Miss, other: Miss) -> Miss {
    let weight = |miss: &Miss| match miss {
        Miss::NoAddress => 0,
        Miss::Timeout => 1,
        Miss::Other(_) => 2,
        Miss::NxDomain => 3,
    };
    if weight(&other) > weight(&one) {
        other
    } else {
        one
    }
}

fn by_turns(first: Vec<IpAddr>, second: Vec<IpAddr>) -> Vec<IpAddr> {
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut all = Vec::new();
    loop {
        let before = all.len();
        all.extend(first.next());
        all.extend(second.next());
        if all.len() == before {
            return all;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &str, ndots: usize) -> Vec<String> {
        let search = ["a.test.", "b.test."].map(|domain| Name::from_ascii(domain).unwrap());
        let names = candidates(&Name::from_ascii(name).unwrap(), &search, ndots);
        names.iter().map(Name::to_ascii).collect()
    }

    #[test]
    fn the_search_list_goes_by_ndots() {
        assert_eq!(asked("db", 1), ["db.a.test.", "db.b.test.", "db."]);
        assert_eq!(asked("db.x", 1), ["db.x.", "db.x.a.test.", "db.x.b.test."]);
        assert_eq!(
            asked("db.x.y", 5),
            ["db.x.y.a.test.", "db.x.y.b.test.", "db.x.y."]
        );
        assert_eq!(asked("db.x.", 5), ["db.x."]);
        assert_eq!(asked("localhost", 5), ["localhost."]);
    }

    #[test]
    fn families_take_turns() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let six = vec![ip("::1"), ip("::2"), ip("::3")];
        assert_eq!(
            by_turns(six, vec![ip("1.1.1.1")]),
            [ip("::1"), ip("1.1.1.1"), ip("::2"), ip("::3")]
        );
    }

    #[test]
    fn a_failing_server_is_graver_than_no_address() {
        let failed = Miss::Other("SERVFAIL".to_owned());
        assert_eq!(graver(Miss::NoAddress, failed.clone()), failed);
        assert_eq!(graver(Miss::NxDomain, Miss::Timeout), Miss::NxDomain);
    }
}
