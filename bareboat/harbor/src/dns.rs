//! The DNS server's sockets: one for UDP, one for TCP, on the same port.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::{sleep, timeout};

use crate::answer::{Protocol, answer};
use crate::failure::{During, Outcome};
use crate::tally::Tally;
use crate::zone::Zone;

const IDLE: Duration = Duration::from_secs(10);
/// After an error of the machine's own, such as too many open files.
const PAUSE: Duration = Duration::from_millis(50);

#[derive(Debug, Clone)]
pub struct Resolver {
    pub zone: Zone,
    pub tally: Tally,
}

impl Resolver {
    fn answer(&self, query: &[u8], protocol: Protocol) -> Option<Vec<u8>> {
        let exchange = answer(self.zone, query, protocol);
        if let Some(question) = exchange.question {
            self.tally.count(question);
        }
        exchange.response
    }
}

/// Listens on loopback and serves in the background; port 0 takes a free one. Returns the port.
pub async fn listen(port: u16, resolver: Resolver) -> Outcome<u16> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let tcp = TcpListener::bind(address)
        .await
        .during(format!("DNS over TCP on {address}"))?;
    let address = tcp.local_addr().during("DNS over TCP")?;
    let udp = UdpSocket::bind(address)
        .await
        .during(format!("DNS over UDP on {address}"))?;
    tokio::spawn(serve_udp(udp, resolver.clone()));
    tokio::spawn(serve_tcp(tcp, resolver));
    Ok(address.port())
}

async fn serve_udp(socket: UdpSocket, resolver: Resolver) {
    let mut query = vec![0; usize::from(u16::MAX)];
    loop {
        let Ok((length, peer)) = socket.recv_from(&mut query).await else {
            sleep(PAUSE).await;
            continue;
        };
        if let Some(response) = resolver.answer(&query[..length], Protocol::Udp) {
            let _ = socket.send_to(&response, peer).await;
        }
    }
}

async fn serve_tcp(listener: TcpListener, resolver: Resolver) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(serve_stream(stream, resolver.clone()));
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}

async fn serve_stream(mut stream: TcpStream, resolver: Resolver) -> io::Result<()> {
    while let Ok(query) = timeout(IDLE, read_frame(&mut stream)).await {
        if let Some(response) = resolver.answer(&query?, Protocol::Tcp) {
            stream.write_all(&frame(&response)?).await?;
        }
    }
    Ok(())
}

/// A message over TCP stands behind its length: RFC 1035, 4.2.2.
pub async fn read_frame(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let length = stream.read_u16().await?;
    let mut message = vec![0; usize::from(length)];
    stream.read_exact(&mut message).await?;
    Ok(message)
}

pub fn frame(message: &[u8]) -> io::Result<Vec<u8>> {
    let length = u16::try_from(message.len()).map_err(io::Error::other)?;
    Ok([&length.to_be_bytes(), message].concat())
}
