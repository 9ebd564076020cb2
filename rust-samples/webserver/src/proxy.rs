//! Answers one request: from the upstream its path belongs to, or with the reason why not.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use hyper::{Method, Request, Response, StatusCode, Uri, Version};
use tokio::time::sleep;

use crate::body::{RequestBody, ResponseBody};
use crate::failure::{Class, Failure};
use crate::log::{Counter, Entry};
use crate::pool::{Attempt, Pool};
use crate::route::Route;
use crate::{headers, json};

pub struct Proxy {
    routes: Vec<Route>,
    pool: Arc<Pool>,
    timeout: Duration,
}

impl Proxy {
    pub fn new(routes: Vec<Route>, pool: Arc<Pool>, timeout: Duration) -> Self {
        Self {
            routes,
            pool,
            timeout,
        }
    }

    pub async fn answer(&self, request: Request<Incoming>, peer: IpAddr) -> Response<ResponseBody> {
        let (parts, incoming) = request.into_parts();
        let entry = Entry::start(parts.method.as_str(), parts.uri.path());
        let is_head = parts.method == Method::HEAD;
        if parts.method == Method::CONNECT {
            let body = json::Object::new()
                .text("error", "method")
                .text("detail", "this is no forward proxy");
            let mut response = respond(
                StatusCode::METHOD_NOT_ALLOWED,
                JSON,
                body.finish(),
                is_head,
                entry,
            );
            response.headers_mut().insert(
                ALLOW,
                HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE"),
            );
            return response;
        }
        if parts.uri.path() == "/healthz" {
            return respond(StatusCode::OK, TEXT, "ok\n".to_owned(), is_head, entry);
        }
        if let Some((route, uri)) = self.target(&parts.uri) {
            return self.proxy(route, uri, parts, incoming, peer, entry).await;
        }
        let body = json::Object::new()
            .text("error", "path")
            .text("detail", "no upstream has this path");
        respond(StatusCode::NOT_FOUND, JSON, body.finish(), is_head, entry)
    }

    /// The upstream and what its request line asks for.
    fn target(&self, uri: &Uri) -> Option<(&Route, Uri)> {
        let asked = uri.path_and_query()?;
        let (route, path) = self
            .routes
            .iter()
            .find_map(|route| Some((route, route.path_and_query(asked)?)))?;
        Some((route, path.parse().ok()?))
    }

    async fn proxy(
        &self,
        route: &Route,
        uri: Uri,
        mut parts: Parts,
        incoming: Incoming,
        peer: IpAddr,
        mut entry: Entry,
    ) -> Response<ResponseBody> {
        route.authority.as_str().clone_into(&mut entry.upstream);
        if let Ok(host) = HeaderValue::from_str(route.authority.as_str()) {
            headers::forward(&mut parts.headers, host, peer);
        }
        parts.uri = uri;
        parts.version = Version::HTTP_11;
        parts.extensions.clear();
        let is_head = parts.method == Method::HEAD;
        match self
            .fetch(&route.authority, parts, incoming, &entry.bytes_in)
            .await
        {
            Ok(response) => {
                let (mut parts, incoming) = response.into_parts();
                headers::remove_hop_by_hop(&mut parts.headers);
                parts.version = Version::HTTP_11;
                parts.extensions.clear();
                entry.status = parts.status.as_u16();
                entry.error = None;
                Response::from_parts(parts, ResponseBody::upstream(incoming, entry))
            }
            Err(failure) => {
                let mut response = respond(failure.status(), JSON, failure.body(), is_head, entry);
                response.body_mut().fail(failure.to_string());
                response
            }
        }
    }

    async fn fetch(
        &self,
        upstream: &Authority,
        parts: Parts,
        incoming: Incoming,
        sent: &Counter,
    ) -> Result<Response<Incoming>, Failure> {
        let has_body = !incoming.is_end_stream();
        // What may be done twice is done twice, where a kept connection closed under it.
        let again = (!has_body && parts.method.is_idempotent()).then(|| parts.clone());
        let body = if has_body {
            RequestBody::Stream(incoming, Counter::clone(sent))
        } else {
            RequestBody::Empty
        };
        let mut tried = self
            .try_fetch(upstream, Request::from_parts(parts, body), sent)
            .await;
        if let (Err(Attempt::Broken(_)), Some(parts)) = (&tried, again) {
            tried = self
                .try_fetch(
                    upstream,
                    Request::from_parts(parts, RequestBody::Empty),
                    sent,
                )
                .await;
        }
        tried.map_err(|(Attempt::Failed(failure) | Attempt::Broken(failure))| failure)
    }

    async fn try_fetch(
        &self,
        upstream: &Authority,
        request: Request<RequestBody>,
        sent: &Counter,
    ) -> Result<Response<Incoming>, Attempt> {
        tokio::select! {
            response = self.pool.send(upstream, request) => response,
            () = standstill(self.timeout, sent) => {
                let detail = format!("no response's headers within {} s", self.timeout.as_secs());
                Err(Attempt::Failed(Failure::new(Class::Timeout, detail)))
            }
        }
    }
}

/// Ends when for so long no byte of the request's body has moved: a long upload is no slow upstream.
async fn standstill(limit: Duration, sent: &Counter) {
    let mut before = None;
    loop {
        let now = sent.load(Ordering::Relaxed);
        if before == Some(now) {
            return;
        }
        before = Some(now);
        sleep(limit).await;
    }
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

fn respond(
    status: StatusCode,
    content_type: HeaderValue,
    body: String,
    is_head: bool,
    mut entry: Entry,
) -> Response<ResponseBody> {
    entry.status = status.as_u16();
    entry.error = None;
    let length = HeaderValue::from(body.len());
    let body = if is_head { String::new() } else { body };
    let mut response = Response::new(ResponseBody::text(body, entry));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
}
