//! What the HTTPS endpoints serve: `/bytes/N[?close]`, `/echo`, `/slow?ms=M&parts=P`, `/headers`, `/status/N`.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};

use crate::body::{PatternBody, SlowBody};

pub type Payload = BoxBody<Bytes, hyper::Error>;

const LONGEST_MILLISECONDS: u64 = 600_000;
const MOST_PARTS: u32 = 100_000;

/// A request's path and query, understood.
#[derive(Debug, PartialEq, Eq)]
enum Page {
    Bytes {
        size: u64,
        /// It is the last of its connection, so that the next request needs a new one.
        close: bool,
    },
    Echo,
    Slow {
        milliseconds: u64,
        parts: u32,
    },
    Headers,
    Status(StatusCode),
    Absent,
}

pub async fn respond(request: Request<Incoming>) -> Result<Response<Payload>, Infallible> {
    let query = request.uri().query().unwrap_or_default();
    Ok(match page(request.method(), request.uri().path(), query) {
        Page::Bytes { size, close } => bytes(size, close),
        Page::Echo => binary(request.into_body().boxed()),
        Page::Slow {
            milliseconds,
            parts,
        } => {
            let body = SlowBody::new(Duration::from_millis(milliseconds), parts);
            binary(body.map_err(|never| match never {}).boxed())
        }
        Page::Headers => json(&headers(request.headers())),
        Page::Status(status) => text(status, format!("{}\n", status.as_u16())),
        Page::Absent => text(
            StatusCode::NOT_FOUND,
            "no such page in the harbor\n".to_owned(),
        ),
    })
}

fn page(method: &Method, path: &str, query: &str) -> Page {
    let words: Vec<&str> = path.split('/').skip(1).collect();
    let page = match (method, words.as_slice()) {
        (&Method::GET, ["bytes", size]) => size.parse().ok().map(|size| Page::Bytes {
            size,
            close: query.split('&').any(|field| field == "close"),
        }),
        (&Method::POST, ["echo"]) => Some(Page::Echo),
        (&Method::GET, ["slow"]) => slow(query),
        (&Method::GET, ["headers"]) => Some(Page::Headers),
        (&Method::GET, ["status", code]) => {
            // A status below 200 is no answer yet: nothing may stand behind it.
            let status = code.parse().ok().filter(|status| *status >= StatusCode::OK);
            status.map(Page::Status)
        }
        _ => None,
    };
    page.unwrap_or(Page::Absent)
}

fn slow(query: &str) -> Option<Page> {
    let fields: BTreeMap<&str, &str> = query
        .split('&')
        .filter_map(|field| field.split_once('='))
        .collect();
    let milliseconds = fields.get("ms")?.parse().ok()?;
    let parts = fields.get("parts")?.parse().ok()?;
    let bounded = milliseconds <= LONGEST_MILLISECONDS && parts <= MOST_PARTS;
    bounded.then_some(Page::Slow {
        milliseconds,
        parts,
    })
}

/// Each name with its values in the order they came.
fn headers(headers: &HeaderMap) -> BTreeMap<String, Vec<String>> {
    let mut named = BTreeMap::<String, Vec<String>>::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        named.entry(name.to_string()).or_default().push(value);
    }
    named
}

fn bytes(size: u64, close: bool) -> Response<Payload> {
    let body = PatternBody::new(size).map_err(|never| match never {});
    let mut response = binary(body.boxed());
    if close {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

fn binary(body: Payload) -> Response<Payload> {
    typed("application/octet-stream", body)
}

pub fn json(value: &impl serde::Serialize) -> Response<Payload> {
    let text = serde_json::to_string(value).unwrap_or_default();
    typed("application/json", full(text + "\n"))
}

pub fn text(status: StatusCode, text: String) -> Response<Payload> {
    let mut response = typed("text/plain; charset=utf-8", full(text));
    *response.status_mut() = status;
    response
}

fn typed(media_type: &'static str, body: Payload) -> Response<Payload> {
    let mut response = Response::new(body);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

fn full(text: String) -> Payload {
    Full::new(Bytes::from(text))
        .map_err(|never| match never {})
        .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &str, query: &str) -> Page {
        page(&Method::GET, path, query)
    }

    #[test]
    fn each_page_is_found() {
        for (query, close) in [
            ("", false),
            ("close", true),
            ("n=1&close", true),
            ("c", false),
        ] {
            let page = Page::Bytes { size: 1024, close };
            assert_eq!(get("/bytes/1024", query), page, "{query}");
        }
        assert_eq!(page(&Method::POST, "/echo", ""), Page::Echo);
        let slow = Page::Slow {
            milliseconds: 1000,
            parts: 5,
        };
        assert_eq!(get("/slow", "ms=1000&parts=5"), slow);
        assert_eq!(get("/headers", ""), Page::Headers);
        assert_eq!(
            get("/status/503", ""),
            Page::Status(StatusCode::SERVICE_UNAVAILABLE)
        );
    }

    #[test]
    fn what_makes_no_sense_is_absent() {
        for path in [
            "/",
            "/bytes",
            "/bytes/-1",
            "/bytes/1/2",
            "/status/100",
            "/status/1000",
        ] {
            assert_eq!(get(path, ""), Page::Absent, "{path}");
        }
        for query in ["", "ms=1", "parts=1", "ms=x&parts=1", "ms=700000&parts=2"] {
            assert_eq!(get("/slow", query), Page::Absent, "{query}");
        }
        assert_eq!(page(&Method::GET, "/echo", ""), Page::Absent);
    }

    #[test]
    fn headers_keep_every_value() {
        let mut map = HeaderMap::new();
        map.append("via", HeaderValue::from_static("a"));
        map.append("via", HeaderValue::from_static("b"));
        assert_eq!(headers(&map)["via"], ["a", "b"]);
    }
}
