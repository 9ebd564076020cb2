//! TLS by the library that was compiled in, if any: whom a client trusts, and what a server shows.

#[cfg(all(feature = "client", feature = "embedded"))]
mod embedded;
#[cfg(any(
    all(feature = "client", not(any(feature = "embedded", feature = "rustls"))),
    all(feature = "server", not(feature = "rustls")),
))]
mod none;
#[cfg(feature = "rustls")]
mod provider;
#[cfg(all(feature = "client", feature = "rustls", not(feature = "embedded")))]
mod rustls_client;
#[cfg(all(feature = "server", feature = "rustls"))]
mod rustls_server;

#[cfg(all(feature = "client", feature = "embedded"))]
pub use embedded::Trust;
#[cfg(all(feature = "client", not(any(feature = "embedded", feature = "rustls"))))]
pub use none::Trust;
#[cfg(all(feature = "client", feature = "rustls", not(feature = "embedded")))]
pub use rustls_client::Trust;

#[cfg(all(feature = "server", not(feature = "rustls")))]
pub use none::Identity;
#[cfg(all(feature = "server", feature = "rustls"))]
pub use rustls_server::Identity;

/// What speaks TLS, the client's where the server's is another.
pub const NAME: &str = if cfg!(feature = "embedded") {
    "embedded-tls"
} else if cfg!(feature = "rustcrypto") {
    "rustls-rustcrypto"
} else if cfg!(feature = "ring") {
    "rustls-ring"
} else {
    "none"
};

#[cfg(all(feature = "client", feature = "server"))]
pub const IS_ABOARD: bool = cfg!(any(feature = "embedded", feature = "rustls"));
