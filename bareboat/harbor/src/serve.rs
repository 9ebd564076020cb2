//! `harbor serve`: puts names, certificates and endpoints together and keeps them until told to end.

use std::collections::BTreeMap;
use std::net::{Ipv6Addr, TcpListener};

use time::OffsetDateTime;
use tokio::signal::unix::{SignalKind, signal};

use crate::authority::Certificates;
use crate::failure::{During, Outcome};
use crate::state::{Ready, State};
use crate::tally::Tally;
use crate::zone::Zone;
use crate::{control, dns, https};

/// Port 0 takes a free one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    pub dns: u16,
    pub control: u16,
    /// The first of six.
    pub https: u16,
}

/// Serves until SIGTERM or SIGINT.
pub async fn serve(state: &State, ports: Ports) -> Outcome<()> {
    // Process 1 of a container has no default action for signals: they are caught before all else.
    let mut terminate = signal(SignalKind::terminate()).during("SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).during("SIGINT")?;
    start(state, ports, has_ipv6()).await?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    state.withdraw()
}

/// Starts everything in the background, then writes the ready file.
pub async fn start(state: &State, ports: Ports, ipv6: bool) -> Outcome<Ready> {
    let certificates = Certificates::make(OffsetDateTime::now_utc())?;
    state.prepare(&certificates.known_root, ipv6)?;
    let tally = Tally::default();
    let resolver = dns::Resolver {
        zone: Zone { ipv6 },
        tally: tally.clone(),
    };
    let mut ready = Ready {
        dns: dns::listen(ports.dns, resolver).await?,
        control: control::listen(ports.control, tally).await?,
        https: BTreeMap::new(),
        ipv6,
    };
    for chain in certificates.chains {
        let endpoint = chain.endpoint;
        let port = https::listen(chain, endpoint.port(ports.https), ipv6).await?;
        ready.https.insert(endpoint.name().to_owned(), port);
    }
    state.announce(&ready)?;
    Ok(ready)
}

pub fn has_ipv6() -> bool {
    TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}
