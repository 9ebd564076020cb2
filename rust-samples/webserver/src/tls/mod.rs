//! TLS to an upstream, by the one library that was compiled in: HTTP/1.1 over TLS 1.2 or 1.3, certificate checked.
//!
//! Both give the same words for the same fault, so that answers can be compared between them.

#[cfg(feature = "tls-openssl")]
mod openssl;
#[cfg(not(feature = "tls-openssl"))]
mod rustls;

#[cfg(feature = "tls-openssl")]
pub use openssl::{Connector, Stream};
#[cfg(not(feature = "tls-openssl"))]
pub use rustls::{Connector, Stream};

use crate::failure::{Class, Failure};

const EXPIRED: &str = "the certificate has expired";
const NOT_YET_VALID: &str = "the certificate is not valid yet";
const UNKNOWN_AUTHORITY: &str = "the certificate is from an unknown authority";
const REVOKED: &str = "the certificate was revoked";
const NO_COMMON_VERSION: &str =
    "no common protocol version: only TLS 1.2 and TLS 1.3 are spoken here";
const NOT_TLS: &str = "the upstream does not speak TLS on this port";

fn wrong_name(host: &str) -> String {
    format!("the certificate is not valid for the name {host}")
}

fn failure(detail: impl Into<String>) -> Failure {
    Failure::new(Class::Tls, detail)
}
