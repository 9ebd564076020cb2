//! The cryptography of ring, piece by piece: rustls's own provider is a list of all there is, and so is what is linked.

use std::sync::Arc;

use ring::rand::{SecureRandom as _, SystemRandom};
use rustls::Error;
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
#[cfg(feature = "embedded")]
use rustls::crypto::ring::kx_group::SECP256R1 as GROUP; // the one that embedded-tls has
#[cfg(not(feature = "embedded"))]
use rustls::crypto::ring::kx_group::X25519 as GROUP;
use rustls::crypto::{
    CryptoProvider, GetRandomFailed, KeyProvider, SecureRandom, WebPkiSupportedAlgorithms,
};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::SigningKey;

#[cfg(all(feature = "client", not(feature = "embedded")))]
pub fn of_client() -> Arc<CryptoProvider> {
    /// A client without a certificate of its own signs nothing.
    #[derive(Debug)]
    struct NoKeys;

    impl KeyProvider for NoKeys {
        fn load_private_key(
            &self,
            _: PrivateKeyDer<'static>,
        ) -> Result<Arc<dyn SigningKey>, Error> {
            Err(Error::General(String::new()))
        }
    }

    provider(certificates::ALGORITHMS, &NoKeys)
}

#[cfg(feature = "server")]
pub fn of_server() -> Arc<CryptoProvider> {
    /// The key of a certificate is one for ECDSA, on P-256 or P-384.
    #[derive(Debug)]
    struct EcdsaKeys;

    impl KeyProvider for EcdsaKeys {
        fn load_private_key(
            &self,
            key: PrivateKeyDer<'static>,
        ) -> Result<Arc<dyn SigningKey>, Error> {
            rustls::crypto::ring::sign::any_ecdsa_type(&key)
        }
    }

    const NONE: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
        all: &[],
        mapping: &[],
    };
    provider(NONE, &EcdsaKeys)
}

fn provider(
    signature_verification_algorithms: WebPkiSupportedAlgorithms,
    key_provider: &'static dyn KeyProvider,
) -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        cipher_suites: vec![TLS13_AES_128_GCM_SHA256],
        kx_groups: vec![GROUP],
        signature_verification_algorithms,
        secure_random: &Random,
        key_provider,
    })
}

#[derive(Debug)]
struct Random;

impl SecureRandom for Random {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        SystemRandom::new().fill(bytes).map_err(|_| GetRandomFailed)
    }
}

/// By what a server's certificates may be signed: all that public authorities sign with.
#[cfg(all(feature = "client", not(feature = "embedded")))]
mod certificates {
    use rustls::SignatureScheme as Scheme;
    use rustls::crypto::WebPkiSupportedAlgorithms;
    use webpki::ring::{
        ECDSA_P256_SHA256, ECDSA_P256_SHA384, ECDSA_P384_SHA256, ECDSA_P384_SHA384,
        RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
        RSA_PSS_2048_8192_SHA256_LEGACY_KEY, RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
        RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
    };

    pub const ALGORITHMS: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
        all: &[
            ECDSA_P256_SHA256,
            ECDSA_P256_SHA384,
            ECDSA_P384_SHA256,
            ECDSA_P384_SHA384,
            RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
            RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
            RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
            RSA_PKCS1_2048_8192_SHA256,
            RSA_PKCS1_2048_8192_SHA384,
            RSA_PKCS1_2048_8192_SHA512,
        ],
        mapping: &[
            (
                Scheme::ECDSA_NISTP256_SHA256,
                &[ECDSA_P256_SHA256, ECDSA_P384_SHA256],
            ),
            (
                Scheme::ECDSA_NISTP384_SHA384,
                &[ECDSA_P384_SHA384, ECDSA_P256_SHA384],
            ),
            (
                Scheme::RSA_PSS_SHA256,
                &[RSA_PSS_2048_8192_SHA256_LEGACY_KEY],
            ),
            (
                Scheme::RSA_PSS_SHA384,
                &[RSA_PSS_2048_8192_SHA384_LEGACY_KEY],
            ),
            (
                Scheme::RSA_PSS_SHA512,
                &[RSA_PSS_2048_8192_SHA512_LEGACY_KEY],
            ),
            (Scheme::RSA_PKCS1_SHA256, &[RSA_PKCS1_2048_8192_SHA256]),
            (Scheme::RSA_PKCS1_SHA384, &[RSA_PKCS1_2048_8192_SHA384]),
            (Scheme::RSA_PKCS1_SHA512, &[RSA_PKCS1_2048_8192_SHA512]),
        ],
    };
}
