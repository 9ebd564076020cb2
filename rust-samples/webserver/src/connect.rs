//! A connection to an upstream: its addresses, TCP to the first that answers, TLS over it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hyper::http::uri::Authority;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::dns::Resolver;
use crate::failure::{Class, Failure};
use crate::tls;

/// How long an address may take while there are others; the last has all the time that is left.
const ATTEMPT: Duration = Duration::from_millis(1500);

pub struct Connector {
    resolver: Resolver,
    tls: tls::Connector,
    limit: Duration,
}

impl Connector {
    /// `limit` is for names, TCP and TLS together.
    pub fn new(resolver: Resolver, tls: tls::Connector, limit: Duration) -> Self {
        Self {
            resolver,
            tls,
            limit,
        }
    }

    pub async fn connect(&self, upstream: &Authority) -> Result<tls::Stream, Failure> {
        let host = upstream.host().trim_matches(['[', ']']);
        let port = upstream.port_u16().unwrap_or(443);
        let limit = self.limit.as_millis();
        let end = Instant::now() + self.limit;
        let addresses = timeout_at(end, self.addresses(host))
            .await
            .unwrap_or_else(|_| {
                let detail =
                    format!("timeout: no name server answered for {host} within {limit} ms");
                Err(Failure::timed_out(Class::Dns, detail))
            })?;
        let tcp = tcp(&addresses, port, end).await?;
        timeout_at(end, self.tls.connect(host, tcp))
            .await
            .unwrap_or_else(|_| {
                let detail =
                    format!("{host}, port {port}: no end of the TLS handshake within {limit} ms");
                Err(Failure::new(Class::Timeout, detail))
            })
    }

    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Failure> {
        match host.parse() {
            Ok(address) => Ok(vec![address]),
            Err(_) => self.resolver.lookup(host).await,
        }
    }
}

async fn tcp(addresses: &[IpAddr], port: u16, end: Instant) -> Result<TcpStream, Failure> {
    let mut failures = Vec::new();
    for (index, address) in addresses.iter().enumerate() {
        let address = SocketAddr::new(*address, port);
        let is_last = index + 1 == addresses.len();
        let until = if is_last {
            end
        } else {
            end.min(Instant::now() + ATTEMPT)
        };
        match timeout_at(until, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // A small request must not wait for an acknowledgement; without the option it is only slower.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => failures.push((address, error)),
            Err(_) => failures.push((
                address,
                io::Error::new(io::ErrorKind::TimedOut, "no answer"),
            )),
        }
    }
    Err(no_connection(failures))
}

fn no_connection(failures: Vec<(SocketAddr, io::Error)>) -> Failure {
    let late = |(_, error): &(SocketAddr, io::Error)| error.kind() == io::ErrorKind::TimedOut;
    let class = if failures.iter().all(late) {
        Class::Timeout
    } else {
        Class::Connect
    };
    let each: Vec<_> = failures
        .into_iter()
        .map(|(address, error)| format!("{address}: {error}"))
        .collect();
    Failure::new(class, each.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_silence_everywhere_is_a_timeout() {
        let address = "192.0.2.1:443".parse().unwrap();
        let error = |kind| (address, io::Error::from(kind));
        let late = no_connection(vec![error(io::ErrorKind::TimedOut)]);
        assert_eq!(late.class, Class::Timeout);
        let refused = no_connection(vec![
            error(io::ErrorKind::TimedOut),
            error(io::ErrorKind::ConnectionRefused),
        ]);
        assert_eq!(refused.class, Class::Connect);
        assert!(
            refused.detail.starts_with("192.0.2.1:443: "),
            "{}",
            refused.detail
        );
    }
}
