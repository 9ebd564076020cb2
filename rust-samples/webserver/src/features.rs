//! Which TLS, resolver, roots and allocator were compiled in, and which sets of features make no program.

#[cfg(not(any(
    feature = "tls-rustls-ring",
    feature = "tls-rustls-aws-lc",
    feature = "tls-openssl"
)))]
compile_error!(
    "no TLS chosen: enable one of tls-rustls-ring, tls-rustls-aws-lc, tls-openssl, tls-openssl-vendored"
);

#[cfg(any(
    all(feature = "tls-rustls-ring", feature = "tls-rustls-aws-lc"),
    all(feature = "tls-rustls-ring", feature = "tls-openssl"),
    all(feature = "tls-rustls-aws-lc", feature = "tls-openssl"),
))]
compile_error!(
    "two TLS features chosen: keep one of tls-rustls-ring (a default: --no-default-features drops it), \
     tls-rustls-aws-lc, tls-openssl, tls-openssl-vendored"
);

#[cfg(not(any(feature = "dns-hickory", feature = "dns-system")))]
compile_error!("no resolver chosen: enable one of dns-hickory, dns-system");

#[cfg(all(feature = "dns-hickory", feature = "dns-system"))]
compile_error!(
    "two resolvers chosen: keep one of dns-hickory (a default: --no-default-features drops it), dns-system"
);

#[cfg(not(any(feature = "roots-native", feature = "roots-webpki")))]
compile_error!("no roots chosen: enable one of roots-native, roots-webpki");

#[cfg(all(feature = "roots-native", feature = "roots-webpki"))]
compile_error!(
    "two sets of roots chosen: keep one of roots-native (a default: --no-default-features drops it), roots-webpki"
);

#[cfg(all(feature = "tls-openssl", feature = "roots-webpki"))]
compile_error!(
    "roots-webpki holds rustls trust anchors, which OpenSSL cannot read: use roots-native with tls-openssl"
);

const TLS: &str = if cfg!(feature = "tls-openssl-vendored") {
    "openssl-vendored"
} else if cfg!(feature = "tls-openssl") {
    "openssl"
} else if cfg!(feature = "tls-rustls-aws-lc") {
    "rustls-aws-lc"
} else {
    "rustls-ring"
};

const DNS: &str = if cfg!(feature = "dns-system") {
    "system"
} else {
    "hickory"
};

const ROOTS: &str = if cfg!(feature = "roots-webpki") {
    "webpki"
} else {
    "native"
};

const ALLOCATOR: &str = if cfg!(feature = "alloc-mimalloc") {
    "mimalloc"
} else {
    "system"
};

/// The one line that says what this program is made of.
pub fn line() -> String {
    format!(
        "webserver {} tls={TLS} dns={DNS} roots={ROOTS} alloc={ALLOCATOR}",
        env!("CARGO_PKG_VERSION")
    )
}
