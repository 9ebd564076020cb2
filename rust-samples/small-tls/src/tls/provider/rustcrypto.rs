//! The cryptography of RustCrypto, all of it: its provider is a list of all, and what another could be made of is not
//! public.

use std::sync::Arc;

use rustls::NamedGroup;
use rustls::crypto::CryptoProvider;
use rustls_rustcrypto::TLS13_AES_128_GCM_SHA256;

#[cfg(feature = "client")]
pub fn of_client() -> Arc<CryptoProvider> {
    provider()
}

#[cfg(feature = "server")]
pub fn of_server() -> Arc<CryptoProvider> {
    provider()
}

fn provider() -> Arc<CryptoProvider> {
    let mut provider = rustls_rustcrypto::provider();
    provider.cipher_suites = vec![TLS13_AES_128_GCM_SHA256];
    provider
        .kx_groups
        .retain(|group| group.name() == NamedGroup::X25519);
    Arc::new(provider)
}
