//! Serves one page, each connection in a thread of its own.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::fault::Fault;
use crate::tls::Identity;

const PAGE: &str = "Hello, world!\n";

/// How long a client may be silent.
const SILENCE: Duration = Duration::from_secs(10);

/// The most that is read of a request's headers.
const MOST_BYTES: usize = 8192;

/// Until there may be a file descriptor again.
const EXHAUSTED: Duration = Duration::from_millis(50);

/// Serves for ever; over TLS where a certificate and its key are named, which are files.
pub fn serve(address: &str, files: Option<(&str, &str)>) -> Result<(), Fault> {
    let identity = match files {
        Some((certificate, key)) => Some(Identity::from_pem(
            &fs::read(certificate)?,
            &fs::read(key)?,
        )?),
        None => None,
    };
    run(&TcpListener::bind(address)?, identity.as_ref())
}

pub fn run(listener: &TcpListener, identity: Option<&Identity>) -> ! {
    loop {
        let Ok((tcp, _)) = listener.accept() else {
            thread::sleep(EXHAUSTED);
            continue;
        };
        let identity = identity.cloned();
        // A fault is the client's, which knows it; a connection for which there is no thread is closed.
        let _ = thread::Builder::new().spawn(move || drop(welcome(tcp, identity.as_ref())));
    }
}

fn welcome(mut tcp: TcpStream, identity: Option<&Identity>) -> Result<(), Fault> {
    tcp.set_read_timeout(Some(SILENCE))?;
    tcp.set_write_timeout(Some(SILENCE))?;
    match identity {
        Some(identity) => identity.welcome(tcp),
        None => Ok(answer(&mut tcp)?),
    }
}

/// Reads one request and answers it.
pub fn answer(stream: &mut (impl Read + Write)) -> io::Result<()> {
    let (status, body) = judge(&read_head(stream)?);
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(answer.as_bytes())?;
    stream.flush()
}

fn read_head(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut part = [0; 1024];
    while !head.ends_with(b"\r\n\r\n") && head.len() < MOST_BYTES {
        match stream.read(&mut part)? {
            0 => break,
            read => head.extend_from_slice(&part[..read]),
        }
    }
    Ok(head)
}

/// The status and the body that a request gets.
fn judge(head: &[u8]) -> (&'static str, &'static str) {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let mut words = line.split(|byte| *byte == b' ');
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some(b"GET"), Some(b"/"), Some(b"HTTP/1.0" | b"HTTP/1.1"), None) => ("200 OK", PAGE),
        (Some(b"GET"), Some(_), Some(b"HTTP/1.0" | b"HTTP/1.1"), None) => ("404 Not Found", ""),
        (Some(_), Some(_), Some(b"HTTP/1.0" | b"HTTP/1.1"), None) => ("405 Method Not Allowed", ""),
        _ => ("400 Bad Request", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_gets_its_status() {
        for (head, status) in [
            ("GET / HTTP/1.1\r\n\r\n", "200 OK"),
            ("GET /a HTTP/1.0\r\n\r\n", "404 Not Found"),
            ("POST / HTTP/1.1\r\n\r\n", "405 Method Not Allowed"),
            ("GET /\r\n\r\n", "400 Bad Request"),
            ("", "400 Bad Request"),
        ] {
            assert_eq!(judge(head.as_bytes()).0, status, "{head}");
        }
    }
}
