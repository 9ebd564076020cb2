//! The control endpoint: plain HTTP that tells and resets the count of queries.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::time::sleep;

use crate::failure::{During, Outcome};
use crate::pages::{Payload, json, text};
use crate::tally::Tally;

/// After an error of the machine's own, such as too many open files.
const PAUSE: Duration = Duration::from_millis(50);

/// Listens on loopback and serves in the background; port 0 takes a free one. Returns the port.
pub async fn listen(port: u16, tally: Tally) -> Outcome<u16> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let what = format!("control on {address}");
    let listener = TcpListener::bind(address).await.during(&what)?;
    let port = listener.local_addr().during(&what)?.port();
    tokio::spawn(accept(listener, tally));
    Ok(port)
}

async fn accept(listener: TcpListener, tally: Tally) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(PAUSE).await;
            continue;
        };
        let tally = tally.clone();
        let service = service_fn(move |request| {
            let response = respond(&request, &tally);
            async { Ok::<_, Infallible>(response) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

fn respond(request: &Request<Incoming>, tally: &Tally) -> Response<Payload> {
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/queries") => json(&tally.queries()),
        (&Method::POST, "/queries/reset") => {
            tally.reset();
            json(&tally.queries())
        }
        _ => text(
            StatusCode::NOT_FOUND,
            "GET /queries or POST /queries/reset\n".to_owned(),
        ),
    }
}
