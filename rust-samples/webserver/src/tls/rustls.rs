//! TLS by rustls, with the cryptography of ring or of AWS-LC.

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, KeyProvider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::SigningKey;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, Error, PeerIncompatible, RootCertStore,
    SupportedCipherSuite,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{
    EXPIRED, NO_COMMON_VERSION, NOT_TLS, NOT_YET_VALID, REVOKED, UNKNOWN_AUTHORITY, failure,
    wrong_name,
};
use crate::config::Mistake;
use crate::failure::Failure;
use crate::roots;

pub type Stream = tokio_rustls::client::TlsStream<TcpStream>;

#[cfg(not(feature = "tls-rustls-ring"))]
use rustls::crypto::aws_lc_rs as cryptography;
#[cfg(feature = "tls-rustls-ring")]
use rustls::crypto::ring as cryptography;

use cryptography::cipher_suite as suite;

/// Every server has these; `ChaCha20`, for processors without AES instructions, need not come aboard.
const AES_GCM: [SupportedCipherSuite; 6] = [
    suite::TLS13_AES_256_GCM_SHA384,
    suite::TLS13_AES_128_GCM_SHA256,
    suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
];

/// The proxy has no certificate of its own, so the code that signs need not come aboard.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        Err(Error::General("no private key is ever used".to_owned()))
    }
}

#[derive(Clone)]
pub struct Connector {
    connector: TlsConnector,
    trusts_anybody: bool,
}

impl Connector {
    pub fn new(extra_ca: Option<&Path>) -> Result<Self, Mistake> {
        let store = trusted(extra_ca)?;
        let trusts_anybody = !store.is_empty();
        let provider = CryptoProvider {
            cipher_suites: AES_GCM.to_vec(),
            key_provider: &NoKeys,
            ..cryptography::default_provider()
        };
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| Mistake::new("EXTRA_CA", error.to_string()))?
            .with_root_certificates(store)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
            trusts_anybody,
        })
    }

    pub async fn connect(&self, host: &str, tcp: TcpStream) -> Result<Stream, Failure> {
        if !self.trusts_anybody {
            return Err(failure(roots::NOBODY));
        }
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| failure(format!("{host}: {error}")))?;
        self.connector
            .connect(name, tcp)
            .await
            .map_err(|error| failure(reason(&error, host)))
    }
}

fn trusted(extra_ca: Option<&Path>) -> Result<RootCertStore, Mistake> {
    let mut store = RootCertStore::empty();
    #[cfg(feature = "roots-webpki")]
    store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    #[cfg(feature = "roots-native")]
    {
        let texts = roots::read_native();
        let unique: HashSet<_> = texts.iter().flat_map(|text| certificates(text)).collect();
        store.add_parsable_certificates(unique);
    }
    if let Some(path) = extra_ca {
        let text = roots::read_extra(path)?;
        let unique: HashSet<_> = certificates(&text).collect();
        if store.add_parsable_certificates(unique).0 == 0 {
            return Err(roots::no_certificate(path));
        }
    }
    Ok(store)
}

fn certificates(text: &[u8]) -> impl Iterator<Item = CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(text).filter_map(Result::ok)
}

fn reason(error: &io::Error, host: &str) -> String {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>())
    {
        Some(Error::InvalidCertificate(fault)) => certificate_reason(fault, host),
        Some(
            Error::AlertReceived(AlertDescription::ProtocolVersion)
            | Error::PeerIncompatible(
                PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
            ),
        ) => NO_COMMON_VERSION.to_owned(),
        Some(Error::AlertReceived(alert)) => {
            format!("the upstream ended the handshake with the alert {alert:?}")
        }
        Some(Error::InvalidMessage(_)) => NOT_TLS.to_owned(),
        Some(other) => other.to_string(),
        None => format!("the handshake broke off: {error}"),
    }
}

fn certificate_reason(fault: &CertificateError, host: &str) -> String {
    match fault {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => EXPIRED.to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            NOT_YET_VALID.to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            wrong_name(host)
        }
        CertificateError::UnknownIssuer => UNKNOWN_AUTHORITY.to_owned(),
        CertificateError::Revoked => REVOKED.to_owned(),
        other => format!("the certificate is not acceptable: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason_of(error: Error) -> String {
        reason(&io::Error::other(error), "a.test")
    }

    #[test]
    fn each_fault_has_its_words() {
        let certificate = |fault| reason_of(Error::InvalidCertificate(fault));
        assert_eq!(certificate(CertificateError::Expired), EXPIRED);
        assert_eq!(
            certificate(CertificateError::UnknownIssuer),
            UNKNOWN_AUTHORITY
        );
        assert_eq!(
            certificate(CertificateError::NotValidForName),
            "the certificate is not valid for the name a.test"
        );
        assert_eq!(
            reason_of(Error::AlertReceived(AlertDescription::ProtocolVersion)),
            NO_COMMON_VERSION
        );
        assert!(
            reason_of(Error::AlertReceived(AlertDescription::HandshakeFailure))
                .ends_with("HandshakeFailure")
        );
    }
}
