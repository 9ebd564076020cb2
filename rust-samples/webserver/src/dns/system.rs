//! Names by the C library's getaddrinfo, in a thread of its own since it blocks.

use std::io;
use std::net::IpAddr;

use super::Miss;
use crate::failure::Failure;

pub struct Resolver;

impl Resolver {
    pub fn new() -> Self {
        Self
    }

    /// The addresses in the order in which they should be tried.
    pub async fn lookup(&self, host: &str) -> Result<Vec<IpAddr>, Failure> {
        let found = tokio::net::lookup_host((host, 0))
            .await
            .map_err(|error| miss(&error).into_failure(host))?;
        let mut addresses = Vec::new();
        for address in found.map(|socket| socket.ip()) {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        if addresses.is_empty() {
            Err(Miss::NoAddress.into_failure(host))
        } else {
            Ok(addresses)
        }
    }
}

/// std keeps only the text of `gai_strerror`; these are glibc's and musl's.
fn miss(error: &io::Error) -> Miss {
    let text = error.to_string();
    let any = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if any(&["Name or service not known", "Name does not resolve"]) {
        Miss::NxDomain
    } else if any(&["No address associated with", "Name has no usable address"]) {
        Miss::NoAddress
    } else if any(&["Temporary failure in name resolution", "Try again"]) {
        Miss::Other(format!("timeout, failing name server, or none: {text}"))
    } else {
        Miss::Other(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glibc_and_musl_are_both_understood() {
        for (text, expected) in [
            (
                "failed to lookup address information: Name or service not known",
                Miss::NxDomain,
            ),
            (
                "failed to lookup address information: Name does not resolve",
                Miss::NxDomain,
            ),
            (
                "failed to lookup address information: No address associated with hostname",
                Miss::NoAddress,
            ),
            (
                "failed to lookup address information: Name has no usable address",
                Miss::NoAddress,
            ),
        ] {
            assert_eq!(miss(&io::Error::other(text)), expected);
        }
        for text in ["Temporary failure in name resolution", "Try again"] {
            let Miss::Other(what) = miss(&io::Error::other(text)) else {
                panic!("{text}")
            };
            assert!(what.starts_with("timeout, failing name server, or none"));
        }
    }
}
