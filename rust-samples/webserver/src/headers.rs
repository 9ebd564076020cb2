//! Which headers cross the proxy, and which it adds.

use std::net::IpAddr;

use hyper::HeaderMap;
use hyper::header::{
    CONNECTION, EXPECT, HOST, HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE,
    TRAILER, TRANSFER_ENCODING, UPGRADE,
};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Removes what concerns one connection only: RFC 9110, 7.6.1.
pub fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// Makes a client's headers those of a request to `host`.
pub fn forward(headers: &mut HeaderMap, host: HeaderValue, client: IpAddr) {
    remove_hop_by_hop(headers);
    // Answered on this side already, as soon as the body is asked for.
    headers.remove(EXPECT);
    headers.insert(HOST, host);
    let earlier = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut hops: Vec<String> = earlier.map(str::to_owned).collect();
    hops.push(client.to_canonical().to_string());
    if let Ok(value) = HeaderValue::try_from(hops.join(", ")) {
        headers.insert(FORWARDED_FOR, value);
    }
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static("http"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        let mut headers = HeaderMap::new();
        for (name, value) in pairs.iter().map(pair) {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn what_connection_names_goes_with_the_fixed_ones() {
        let mut headers = map(&[
            ("connection", "close, X-Secret"),
            ("connection", "x-other"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "websocket"),
            ("proxy-authorization", "Basic x"),
            ("x-secret", "1"),
            ("x-other", "2"),
            ("content-length", "3"),
            ("cookie", "a=b"),
        ]);
        remove_hop_by_hop(&mut headers);
        assert_eq!(headers, map(&[("content-length", "3"), ("cookie", "a=b")]));
    }

    #[test]
    fn the_client_is_added_to_those_before_it() {
        let mut headers = map(&[
            ("host", "proxy.test"),
            ("expect", "100-continue"),
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-for", "192.0.2.2"),
            ("x-forwarded-proto", "https"),
        ]);
        forward(
            &mut headers,
            HeaderValue::from_static("up.test:8443"),
            "::ffff:192.0.2.3".parse().unwrap(),
        );
        let expected = map(&[
            ("host", "up.test:8443"),
            ("x-forwarded-for", "192.0.2.1, 192.0.2.2, 192.0.2.3"),
            ("x-forwarded-proto", "http"),
        ]);
        assert_eq!(headers, expected);
    }
}
