//! TLS by OpenSSL: the system's, or one compiled in.

use std::path::Path;
use std::pin::Pin;

use openssl::error::ErrorStack;
use openssl::ssl::{Error, SslConnector, SslMethod, SslVersion};
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use super::{
    EXPIRED, NO_COMMON_VERSION, NOT_TLS, NOT_YET_VALID, REVOKED, UNKNOWN_AUTHORITY, failure,
    wrong_name,
};
use crate::config::Mistake;
use crate::failure::Failure;
use crate::roots;

pub type Stream = SslStream<TcpStream>;

/// Codes of `X509_STORE_CTX_get_error(3)`; the crate names only the one for success.
mod code {
    pub const OK: i32 = 0;
    pub const NOT_YET_VALID: i32 = 9;
    pub const EXPIRED: i32 = 10;
    pub const REVOKED: i32 = 23;
    pub const HOST_MISMATCH: i32 = 62;
    pub const ADDRESS_MISMATCH: i32 = 64;
    /// No issuer at all, itself its issuer (leaf, root), issuer not found here, leaf alone.
    pub const UNKNOWN: [i32; 5] = [2, 18, 19, 20, 21];
}

#[derive(Clone)]
pub struct Connector {
    connector: SslConnector,
    trusts_anybody: bool,
}

impl Connector {
    pub fn new(extra_ca: Option<&Path>) -> Result<Self, Mistake> {
        let mut trusted: Vec<X509> = roots::read_native()
            .iter()
            .flat_map(|text| certificates(text))
            .collect();
        if let Some(path) = extra_ca {
            let extra = certificates(&roots::read_extra(path)?);
            if extra.is_empty() {
                return Err(roots::no_certificate(path));
            }
            trusted.extend(extra);
        }
        let trusts_anybody = !trusted.is_empty();
        let connector =
            build(trusted).map_err(|error| Mistake::new("OpenSSL", error.to_string()))?;
        Ok(Self {
            connector,
            trusts_anybody,
        })
    }

    pub async fn connect(&self, host: &str, tcp: TcpStream) -> Result<Stream, Failure> {
        if !self.trusts_anybody {
            return Err(failure(roots::NOBODY));
        }
        let ssl = self
            .connector
            .configure()
            .and_then(|configuration| configuration.into_ssl(host));
        let stream = ssl.and_then(|ssl| SslStream::new(ssl, tcp));
        let mut stream = stream.map_err(|error| failure(error.to_string()))?;
        match Pin::new(&mut stream).connect().await {
            Ok(()) => Ok(stream),
            Err(error) => Err(failure(reason(
                stream.ssl().verify_result().as_raw(),
                &error,
                host,
            ))),
        }
    }
}

fn build(trusted: Vec<X509>) -> Result<SslConnector, ErrorStack> {
    let mut store = X509StoreBuilder::new()?;
    for certificate in trusted {
        store.add_cert(certificate)?;
    }
    let mut builder = SslConnector::builder(SslMethod::tls_client())?;
    // In place of the folder that was compiled into the library.
    builder.set_cert_store(store.build());
    builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
    builder.set_alpn_protos(b"\x08http/1.1")?;
    Ok(builder.build())
}

/// The certificates of a PEM text; one that cannot be read does not spoil those beside it.
fn certificates(text: &[u8]) -> Vec<X509> {
    const BEGIN: &str = "-----BEGIN ";
    X509::stack_from_pem(text).unwrap_or_else(|_| {
        let text = String::from_utf8_lossy(text);
        let parts = text.split(BEGIN).skip(1);
        parts
            .filter_map(|part| X509::from_pem(format!("{BEGIN}{part}").as_bytes()).ok())
            .collect()
    })
}

fn reason(verified: i32, error: &Error, host: &str) -> String {
    if verified != code::OK {
        return certificate_reason(verified, host);
    }
    let reasons: Vec<&str> = error
        .ssl_error()
        .iter()
        .flat_map(|stack| stack.errors())
        .filter_map(openssl::error::Error::reason)
        .collect();
    handshake_reason(&reasons).unwrap_or_else(|| format!("the handshake broke off: {error}"))
}

fn certificate_reason(verified: i32, host: &str) -> String {
    match verified {
        code::EXPIRED => EXPIRED.to_owned(),
        code::NOT_YET_VALID => NOT_YET_VALID.to_owned(),
        code::REVOKED => REVOKED.to_owned(),
        code::HOST_MISMATCH | code::ADDRESS_MISMATCH => wrong_name(host),
        unknown if code::UNKNOWN.contains(&unknown) => UNKNOWN_AUTHORITY.to_owned(),
        other => format!("the certificate is not acceptable: OpenSSL's verify error {other}"),
    }
}

fn handshake_reason(reasons: &[&str]) -> Option<String> {
    let any = |word: &str| reasons.iter().any(|reason| reason.contains(word));
    if any("unsupported protocol") || any("alert protocol version") || any("no protocols available")
    {
        return Some(NO_COMMON_VERSION.to_owned());
    }
    if any("wrong version number") || any("packet length too long") || any("http request") {
        return Some(NOT_TLS.to_owned());
    }
    (!reasons.is_empty()).then(|| format!("the handshake failed: {}", reasons.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_has_its_words() {
        assert_eq!(certificate_reason(10, "a.test"), EXPIRED);
        assert_eq!(certificate_reason(19, "a.test"), UNKNOWN_AUTHORITY);
        assert_eq!(
            certificate_reason(62, "a.test"),
            "the certificate is not valid for the name a.test"
        );
        assert_eq!(
            handshake_reason(&["tlsv1 alert protocol version"]).unwrap(),
            NO_COMMON_VERSION
        );
        assert_eq!(
            handshake_reason(&["wrong version number"]).unwrap(),
            NOT_TLS
        );
        assert_eq!(
            handshake_reason(&["bad"]).unwrap(),
            "the handshake failed: bad"
        );
        assert_eq!(handshake_reason(&[]), None);
    }

    #[test]
    fn a_broken_certificate_is_passed_over() {
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(certificates(broken.as_bytes()).is_empty());
    }
}
