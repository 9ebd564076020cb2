//! Kept connections to the upstreams, and the sending of one request over one of them or a new one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::http::uri::Authority;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

use crate::body::RequestBody;
use crate::connect::Connector;
use crate::failure::{Class, Failure};

const IDLE: Duration = Duration::from_secs(30);
const IDLE_PER_UPSTREAM: usize = 64;

/// The most that is read ahead of one connection, headers included.
pub const BUFFER_BYTES: usize = 64 * 1024;

type Sender = SendRequest<RequestBody>;

pub struct Pool {
    connector: Connector,
    idle: Mutex<HashMap<Authority, Vec<(Instant, Sender)>>>,
}

/// Why there is no response.
pub enum Attempt {
    Failed(Failure),
    /// A kept connection closed as the request went out: the upstream may or may not have seen it.
    Broken(Failure),
}

impl Pool {
    pub fn new(connector: Connector) -> Self {
        Self {
            connector,
            idle: Mutex::default(),
        }
    }

    pub async fn send(
        self: &Arc<Self>,
        upstream: &Authority,
        mut request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, Attempt> {
        while let Some(mut sender) = self.take(upstream) {
            let mut error = match sender.try_send_request(request).await {
                Ok(response) => {
                    self.keep(upstream, sender);
                    return Ok(response);
                }
                Err(error) => error,
            };
            // Given back unsent where the upstream had closed the connection: another will do.
            let Some(unsent) = error.take_message() else {
                let error = error.into_error();
                let attempt = if error.is_incomplete_message() {
                    Attempt::Broken
                } else {
                    Attempt::Failed
                };
                return Err(attempt(failure(&error)));
            };
            request = unsent;
        }
        let mut sender = self.open(upstream).await.map_err(Attempt::Failed)?;
        let sent = sender.send_request(request).await;
        let response = sent.map_err(|error| Attempt::Failed(failure(&error)))?;
        self.keep(upstream, sender);
        Ok(response)
    }

    async fn open(&self, upstream: &Authority) -> Result<Sender, Failure> {
        let stream = self.connector.connect(upstream).await?;
        let handshake = Builder::new()
            .max_buf_size(BUFFER_BYTES)
            .handshake(TokioIo::new(stream));
        let (sender, connection) = handshake.await.map_err(|error| failure(&error))?;
        // Its errors reach whoever waits for the response or its body.
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    fn take(&self, upstream: &Authority) -> Option<Sender> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle.get_mut(upstream)?;
        // The youngest first, so that what is not needed grows old.
        while let Some((since, sender)) = kept.pop() {
            if is_usable(since, &sender) {
                return Some(sender);
            }
        }
        None
    }

    /// Takes the connection back once the response has been read to its end.
    fn keep(self: &Arc<Self>, upstream: &Authority, mut sender: Sender) {
        let (pool, upstream) = (Arc::clone(self), upstream.clone());
        tokio::spawn(async move {
            if sender.ready().await.is_ok() {
                let mut idle = pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
                let kept = idle.entry(upstream).or_default();
                if kept.len() < IDLE_PER_UPSTREAM {
                    kept.push((Instant::now(), sender));
                }
            }
        });
    }

    /// Closes, for ever, what was idle for too long.
    pub async fn prune(&self) {
        loop {
            tokio::time::sleep(IDLE / 2).await;
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            for kept in idle.values_mut() {
                kept.retain(|(since, sender)| is_usable(*since, sender));
            }
        }
    }
}

fn is_usable(since: Instant, sender: &Sender) -> bool {
    since.elapsed() < IDLE && !sender.is_closed()
}

fn failure(error: &hyper::Error) -> Failure {
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return Failure::new(
            Class::Upstream,
            "the connection closed before the response's headers",
        );
    }
    if error.is_parse() {
        return Failure::new(
            Class::Upstream,
            format!("the response is not HTTP/1.1: {error}"),
        );
    }
    Failure::from_chain(error)
}
