//! A reverse proxy to try the probes on, with a resolver of its own and faults to choose from.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::handshake;
use hyper::header::HOST;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio_rustls::{TlsConnector, rustls};

use crate::dns::{frame, read_frame};
use crate::pages::{Payload, json, text};
use crate::zone::BLACK_HOLE;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Knows no authority.
    EmptyStore,
    /// Does not ask again over TCP.
    NeverTcp,
    NeverSearches,
    /// Fails when any of the two questions fails.
    NeedsBoth,
    IgnoresHosts,
    /// Keeps a response until it is whole.
    Buffers,
    /// Changes the last byte of each piece.
    Spoils,
    /// Calls every error `upstream`.
    Vague,
}

pub struct StandIn {
    pub environment: BTreeMap<String, String>,
    pub dns: u16,
    pub known_root: String,
    pub fault: Fault,
}

/// What a subject tells: the kind of error, and its detail.
type Refusal = (&'static str, String);

impl StandIn {
    /// Serves in the background and returns the port.
    pub async fn start(self) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let proxy = Arc::new(self);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let proxy = proxy.clone();
                let service = service_fn(move |request| {
                    let proxy = proxy.clone();
                    async move { Ok::<_, Infallible>(proxy.respond(request).await) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        port
    }

    async fn respond(&self, request: Request<Incoming>) -> Response<Payload> {
        if request.uri().path() == "/healthz" {
            return text(StatusCode::OK, "ok".to_owned());
        }
        self.pass_on(request)
            .await
            .unwrap_or_else(|(error, detail)| {
                let error = if self.fault == Fault::Vague {
                    "upstream"
                } else {
                    error
                };
                let mut response = json(&BTreeMap::from([("error", error), ("detail", &detail)]));
                *response.status_mut() = StatusCode::BAD_GATEWAY;
                response
            })
    }

    async fn pass_on(&self, request: Request<Incoming>) -> Result<Response<Payload>, Refusal> {
        let whole = request.uri().path_and_query().unwrap().as_str().to_owned();
        let (name, rest) = whole[1..].split_once('/').unwrap();
        let url = &self.environment[&format!("UPSTREAM_{}", name.to_uppercase())];
        let url: Uri = url.parse().unwrap();
        let stream = self
            .connect(
                url.host().unwrap().trim_matches(['[', ']']),
                url.port_u16().unwrap(),
            )
            .await?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let (mut parts, body) = request.into_parts();
        parts.uri = format!("/{rest}").parse().unwrap();
        parts
            .headers
            .insert(HOST, url.host().unwrap().parse().unwrap());
        let response = sender.send_request(Request::from_parts(parts, body)).await;
        let (parts, body) = response
            .map_err(|error| ("http", error.to_string()))?
            .into_parts();
        Ok(Response::from_parts(parts, self.spoil(body).await))
    }

    async fn spoil(&self, body: Incoming) -> Payload {
        match self.fault {
            Fault::Buffers => {
                let whole = body.collect().await.unwrap().to_bytes();
                Full::new(whole).map_err(|never| match never {}).boxed()
            }
            Fault::Spoils => body
                .map_frame(|frame| frame.map_data(|bytes| flip(&bytes)))
                .boxed(),
            _ => body.boxed(),
        }
    }

    pub async fn connect(&self, host: &str, port: u16) -> Result<TlsStream<TcpStream>, Refusal> {
        let mut failed = ("dns", format!("{host}: no address"));
        for address in self.resolve(host).await.map_err(|detail| ("dns", detail))? {
            match TcpStream::connect((address, port)).await {
                Ok(stream) => {
                    let name = ServerName::try_from(host.to_owned()).unwrap();
                    let connected = self.connector().connect(name, stream).await;
                    return connected.map_err(|error| ("tls", error.to_string()));
                }
                Err(error) => failed = ("connect", format!("{address}: {error}")),
            }
        }
        Err(failed)
    }

    fn connector(&self) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        if self.fault != Fault::EmptyStore {
            let root = CertificateDer::from_pem_slice(self.known_root.as_bytes()).unwrap();
            roots.add(root).unwrap();
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        TlsConnector::from(Arc::new(config))
    }

    /// Literals, then hosts, then DNS with the search domains before the name itself.
    async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, String> {
        if let Ok(literal) = host.parse() {
            return Ok(vec![literal]);
        }
        if host == "hosts-first.harbor.test" && self.fault != Fault::IgnoresHosts {
            return Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]);
        }
        let domains: &[&str] = match self.fault {
            Fault::NeverSearches => &[""],
            _ => &["svc.internal.", "internal.", "harbor.test.", ""],
        };
        for domain in domains {
            let addresses = self.addresses(&format!("{host}.{domain}")).await?;
            if !addresses.is_empty() {
                assert!(
                    host == "hosts-first.harbor.test" || !addresses.contains(&BLACK_HOLE.into())
                );
                return Ok(addresses);
            }
        }
        Err(format!("{host}: no such name"))
    }

    async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, String> {
        let name = Name::from_ascii(name).unwrap();
        let mut addresses = Vec::new();
        let mut failed = None;
        for record_type in [RecordType::AAAA, RecordType::A] {
            let response = ask(self.dns, &name, record_type, self.fault != Fault::NeverTcp)
                .await
                .ok_or_else(|| format!("{name} {record_type}: no answer"))?;
            match response.metadata.response_code {
                ResponseCode::NoError | ResponseCode::NXDomain | ResponseCode::Refused => {}
                code => failed = Some(format!("{name} {record_type}: {code}")),
            }
            addresses.extend(
                response
                    .answers
                    .into_iter()
                    .filter_map(|record| match record.data {
                        RData::A(address) => Some(IpAddr::V4(address.0)),
                        RData::AAAA(address) => Some(IpAddr::V6(address.0)),
                        _ => None,
                    }),
            );
        }
        match failed {
            Some(failed) if addresses.is_empty() || self.fault == Fault::NeedsBoth => Err(failed),
            _ => Ok(addresses),
        }
    }
}

/// Asks over UDP, then over TCP where the answer was cut; None when there is no answer.
async fn ask(port: u16, name: &Name, record_type: RecordType, tcp_too: bool) -> Option<Message> {
    let response = ask_udp(port, name, record_type).await?;
    if response.metadata.truncation && tcp_too {
        Some(ask_tcp(port, name, record_type).await)
    } else {
        Some(response)
    }
}

/// None when there is no answer within half a second.
pub async fn ask_udp(port: u16, name: &Name, record_type: RecordType) -> Option<Message> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let server = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    socket
        .send_to(&query(name, record_type), server)
        .await
        .unwrap();
    let mut answer = [0; 1500];
    let received = timeout(Duration::from_millis(500), socket.recv(&mut answer))
        .await
        .ok()?;
    Some(Message::from_vec(&answer[..received.unwrap()]).unwrap())
}

pub async fn ask_tcp(port: u16, name: &Name, record_type: RecordType) -> Message {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .await
        .unwrap();
    stream
        .write_all(&frame(&query(name, record_type)).unwrap())
        .await
        .unwrap();
    Message::from_vec(&read_frame(&mut stream).await.unwrap()).unwrap()
}

fn query(name: &Name, record_type: RecordType) -> Vec<u8> {
    let mut query = Message::query();
    query.add_query(Query::query(name.clone(), record_type));
    query.to_vec().unwrap()
}

fn flip(bytes: &[u8]) -> Bytes {
    let mut spoiled = bytes.to_vec();
    if let Some(last) = spoiled.last_mut() {
        *last ^= 1;
    }
    spoiled.into()
}
