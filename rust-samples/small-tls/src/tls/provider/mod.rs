//! The cryptography of rustls: TLS 1.3 with the one suite that every server must have (RFC 8446, 9.1), and X25519.
//!
//! What a list names is linked. A client judges certificates and signs nothing; a server signs and judges none.

#[cfg(not(feature = "rustcrypto"))]
mod ring;
#[cfg(feature = "rustcrypto")]
mod rustcrypto;

#[cfg(not(feature = "rustcrypto"))]
pub use ring::*;
#[cfg(feature = "rustcrypto")]
pub use rustcrypto::*;
