//! The reverse proxy under test, seen from a client over plain HTTP.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::HOST;
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::failure::{During, Failure, Outcome, chain};
use crate::pages::Payload;
use crate::pattern::Comparison;

const HEAD_BYTES: usize = 2048;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// host:port
    authority: String,
}

/// One kept-alive connection.
pub struct Connection {
    authority: String,
    sender: SendRequest<Payload>,
}

/// What came of one response; its body was compared with the pattern and not kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    pub status: u16,
    pub comparison: Comparison,
    /// The body's first 2 KiB.
    pub head: Vec<u8>,
    /// Why the body ended too early.
    pub broken: Option<String>,
}

impl Subject {
    pub fn parse(url: &str) -> Outcome<Self> {
        let uri: Uri = url.parse().during(url)?;
        match (uri.scheme_str(), uri.host(), uri.path()) {
            (Some("http"), Some(host), "" | "/") => Ok(Self {
                authority: format!("{host}:{}", uri.port_u16().unwrap_or(80)),
            }),
            _ => Err(Failure::new(format!(
                "{url}: not of the form http://HOST:PORT"
            ))),
        }
    }

    pub fn local(port: u16) -> Self {
        Self {
            authority: format!("127.0.0.1:{port}"),
        }
    }

    pub async fn connect(&self) -> Outcome<Connection> {
        let what = format!("connecting to {}", self.authority);
        let stream = TcpStream::connect(&self.authority).await.during(&what)?;
        stream.set_nodelay(true).during(&what)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.during(&what)?;
        tokio::spawn(connection);
        Ok(Connection {
            authority: self.authority.clone(),
            sender,
        })
    }

    /// One request on a connection of its own.
    pub async fn get(&self, path: &str) -> Outcome<Response<Incoming>> {
        self.connect().await?.get(path).await
    }

    pub async fn post<B>(&self, path: &str, body: B) -> Outcome<Response<Incoming>>
    where
        B: Body<Data = Bytes, Error = Infallible> + Send + Sync + 'static,
    {
        let body = body.map_err(|never| match never {}).boxed();
        self.connect().await?.send(Method::POST, path, body).await
    }
}

impl Connection {
    pub async fn get(&mut self, path: &str) -> Outcome<Response<Incoming>> {
        let body = Empty::new().map_err(|never| match never {}).boxed();
        self.send(Method::GET, path, body).await
    }

    /// Whether one more request may go through it.
    pub async fn is_open(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: Payload,
    ) -> Outcome<Response<Incoming>> {
        let what = format!("{method} {path}");
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.authority);
        let request = request.body(body).during(&what)?;
        self.sender.send_request(request).await.during(&what)
    }
}

/// Reads a response to its end, calling `on_bytes` as bytes come.
pub async fn read(response: Response<Incoming>, mut on_bytes: impl FnMut()) -> Reading {
    let mut reading = Reading {
        status: response.status().as_u16(),
        ..Reading::default()
    };
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        match frame.map(Frame::into_data) {
            Ok(Ok(bytes)) => {
                reading.comparison.feed(&bytes);
                let room = HEAD_BYTES - reading.head.len();
                reading
                    .head
                    .extend_from_slice(&bytes[..bytes.len().min(room)]);
                on_bytes();
            }
            Ok(Err(_trailers)) => {}
            Err(error) => {
                reading.broken = Some(chain(&error));
                break;
            }
        }
    }
    reading
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_a_host_and_a_port() {
        let subject = Subject::parse("http://127.0.0.1:8080").unwrap();
        assert_eq!(subject.authority, "127.0.0.1:8080");
        assert_eq!(
            Subject::parse("http://[::1]:81/").unwrap().authority,
            "[::1]:81"
        );
        assert_eq!(
            Subject::parse("http://localhost").unwrap().authority,
            "localhost:80"
        );
        for url in [
            "127.0.0.1:8080",
            "https://a:1",
            "http://a:1/path",
            "",
            "http://",
        ] {
            assert!(Subject::parse(url).is_err(), "{url}");
        }
    }
}
