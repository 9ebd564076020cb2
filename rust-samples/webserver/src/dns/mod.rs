//! Addresses of a host name, by the one resolver that was compiled in.
//!
//! Both give the same words for the same fault, so that answers can be compared between them.

#[cfg(feature = "dns-hickory")]
mod hickory;
#[cfg(feature = "dns-hickory")]
mod hosts;
#[cfg(feature = "dns-hickory")]
mod resolv_conf;
#[cfg(not(feature = "dns-hickory"))]
mod system;

#[cfg(feature = "dns-hickory")]
pub use hickory::Resolver;
#[cfg(not(feature = "dns-hickory"))]
pub use system::Resolver;

use crate::failure::{Class, Failure};

/// Why a name has no address.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Miss {
    NxDomain,
    NoAddress,
    /// The C library tells it from no other silence.
    #[cfg(feature = "dns-hickory")]
    Timeout,
    Other(String),
}

impl Miss {
    fn into_failure(self, host: &str) -> Failure {
        match self {
            Self::NxDomain => {
                Failure::new(Class::Dns, format!("NXDOMAIN: there is no name {host}"))
            }
            Self::NoAddress => Failure::new(Class::Dns, format!("no address: {host} has none")),
            #[cfg(feature = "dns-hickory")]
            Self::Timeout => Failure::timed_out(
                Class::Dns,
                format!("timeout: no name server answered for {host}"),
            ),
            Self::Other(what) => Failure::new(Class::Dns, format!("{host}: {what}")),
        }
    }
}
