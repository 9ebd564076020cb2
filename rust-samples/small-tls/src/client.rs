//! Fetches one page: HTTP/1.0, so that an answer is neither in chunks nor followed by another.

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::fault::Fault;
use crate::tls::Trust;

/// Whom to trust where nobody is named: the place where Debian, Alpine and distroless have theirs.
pub const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// How long a server may be silent.
const SILENCE: Duration = Duration::from_secs(10);

/// The most that is taken of an answer.
const MOST_BYTES: u64 = 64 << 20;

pub fn print(url: &str, authorities: &str) -> Result<(), Fault> {
    let url = Url::parse(url)?;
    let trust = if url.is_https {
        Some(Trust::from_pem(&fs::read(authorities)?)?)
    } else {
        None
    };
    let tcp = TcpStream::connect((url.host, url.port))?;
    let body = get(tcp, &url, trust.as_ref())?;
    Ok(io::stdout().write_all(&body)?)
}

/// The page over a connection; with `trust` over TLS, of a server whose certificate is for the URL's host.
pub fn get(mut tcp: TcpStream, url: &Url, trust: Option<&Trust>) -> Result<Vec<u8>, Fault> {
    tcp.set_read_timeout(Some(SILENCE))?;
    tcp.set_write_timeout(Some(SILENCE))?;
    let Url {
        authority, path, ..
    } = url;
    let request = format!("GET {path} HTTP/1.0\r\nHost: {authority}\r\n\r\n");
    let answer = if let Some(trust) = trust {
        trust.exchange(tcp, url.host, request.as_bytes())?
    } else {
        tcp.write_all(request.as_bytes())?;
        read_all(tcp)?
    };
    body(&answer).map(<[u8]>::to_vec)
}

/// All that comes until the other side says that it was all.
pub fn read_all(from: impl Read) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    if from.take(MOST_BYTES).read_to_end(&mut all)? as u64 == MOST_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(all)
}

/// The body of an answer of status 2xx that is whole.
fn body(answer: &[u8]) -> Result<&[u8], Fault> {
    const NO_HTTP: Fault = Fault::Wrong("the answer is not HTTP");
    const END: &[u8] = b"\r\n\r\n";
    let end = answer.windows(END.len()).position(|bytes| bytes == END);
    let (head, body) = answer.split_at(end.ok_or(NO_HTTP)?);
    let (head, body) = (
        str::from_utf8(head).map_err(|_| NO_HTTP)?,
        &body[END.len()..],
    );
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1."))
        .and_then(|line| line.split(' ').nth(1));
    match status.and_then(|status| status.parse().ok()) {
        Some(200..=299) => {}
        Some(other) => return Err(Fault::Status(other)),
        None => return Err(NO_HTTP),
    }
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") && value.trim().parse() != Ok(body.len()) {
            return Err(Fault::Wrong("the answer is not whole"));
        }
    }
    Ok(body)
}

/// What of a URL is needed.
pub struct Url<'a> {
    pub is_https: bool,
    /// Host and port, as they stand there.
    pub authority: &'a str,
    pub host: &'a str,
    pub port: u16,
    pub path: &'a str,
}

impl<'a> Url<'a> {
    pub fn parse(text: &'a str) -> Result<Self, Fault> {
        const WRONG: Fault = Fault::Wrong("no URL such as https://example.org:8443/path");
        // A line end would begin a header of its own.
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(WRONG);
        }
        let (is_https, rest) = match text.split_once("://").ok_or(WRONG)? {
            ("https", rest) => (true, rest),
            ("http", rest) => (false, rest),
            _ => return Err(WRONG),
        };
        let (authority, path) = rest
            .find('/')
            .map_or((rest, "/"), |slash| rest.split_at(slash));
        let (host, port) = match authority.rsplit_once(':') {
            // The last colon of an IPv6 address is within its brackets.
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| WRONG)?),
            _ => (authority, if is_https { 443 } else { 80 }),
        };
        let host = host.trim_matches(['[', ']']);
        if host.is_empty() {
            return Err(WRONG);
        }
        Ok(Self {
            is_https,
            authority,
            host,
            port,
            path,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_host_and_what_else_it_has_not_is_known() {
        for (text, host, port, path) in [
            ("https://a.test", "a.test", 443, "/"),
            ("http://a.test/b?c", "a.test", 80, "/b?c"),
            ("https://[::1]:8443/", "::1", 8443, "/"),
            ("http://[::1]/", "::1", 80, "/"),
        ] {
            let url = Url::parse(text).ok().unwrap();
            assert_eq!((url.host, url.port, url.path), (host, port, path), "{text}");
        }
        for text in [
            "a.test",
            "ftp://a.test",
            "http://",
            "http://a.test:b/",
            "http://a.test/\r\nX: y",
        ] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_answer_is_whole_and_of_status_2xx() {
        let of = |answer: &'static str| body(answer.as_bytes()).map_err(|fault| fault.to_string());
        assert_eq!(
            of("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"),
            Ok(&b"hi"[..])
        );
        assert_eq!(of("HTTP/1.0 204\r\n\r\n"), Ok(&b""[..]));
        assert_eq!(
            of("HTTP/1.1 404 No\r\n\r\n"),
            Err("answered with status 404".to_owned())
        );
        assert_eq!(
            of("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi"),
            Err("the answer is not whole".to_owned())
        );
        assert_eq!(
            of("SSH-2.0\r\n\r\n"),
            Err("the answer is not HTTP".to_owned())
        );
    }
}
