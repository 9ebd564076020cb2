//! The HTTPS listeners, each with its chain and its TLS versions.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ALL_VERSIONS, ServerConfig, SupportedProtocolVersion, crypto::ring};

use crate::authority::Chain;
use crate::endpoint::Endpoint;
use crate::failure::{During, Outcome};
use crate::pages;

const HANDSHAKE: Duration = Duration::from_secs(10);
/// After an error of the machine's own, such as too many open files.
const PAUSE: Duration = Duration::from_millis(50);

/// Listens on every address of the chain's endpoint, all on one port, and serves in the
/// background; port 0 takes a free one. Returns the port.
pub async fn listen(chain: Chain, port: u16, ipv6: bool) -> Outcome<u16> {
    let endpoint = chain.endpoint;
    let acceptor = TlsAcceptor::from(Arc::new(config(chain)?));
    let mut port = port;
    for address in endpoint.addresses(ipv6) {
        let address = SocketAddr::from((address, port));
        let what = format!("HTTPS for {} on {address}", endpoint.host());
        let listener = TcpListener::bind(address).await.during(&what)?;
        port = listener.local_addr().during(&what)?.port();
        tokio::spawn(accept(listener, acceptor.clone()));
    }
    Ok(port)
}

fn config(chain: Chain) -> Outcome<ServerConfig> {
    let what = format!("TLS for {}", chain.endpoint.host());
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions(chain.endpoint))
        .during(&what)?
        .with_no_client_auth()
        .with_single_cert(chain.certificates, chain.key)
        .during(&what)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

const fn versions(endpoint: Endpoint) -> &'static [&'static SupportedProtocolVersion] {
    static ONLY_TLS12: [&SupportedProtocolVersion; 1] = [&TLS12];
    static ONLY_TLS13: [&SupportedProtocolVersion; 1] = [&TLS13];
    match endpoint {
        Endpoint::Tls12 => &ONLY_TLS12,
        Endpoint::Tls13 => &ONLY_TLS13,
        _ => ALL_VERSIONS,
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(serve(stream, acceptor.clone()));
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}

/// Serves one connection; that a client breaks it off is part of the game.
async fn serve(stream: TcpStream, acceptor: TlsAcceptor) {
    let _ = stream.set_nodelay(true);
    let Ok(Ok(stream)) = timeout(HANDSHAKE, acceptor.accept(stream)).await else {
        return;
    };
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service_fn(pages::respond))
        .await;
}
