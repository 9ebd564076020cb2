//! A server's TLS by rustls.

use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::provider;
use crate::fault::Fault;
use crate::server::answer;

#[derive(Clone)]
pub struct Identity {
    config: Arc<ServerConfig>,
}

impl Identity {
    /// A chain of certificates, the server's own first, and its key.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, Fault> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificates).collect();
        let chain = chain.map_err(|_| Fault::Wrong("the certificate is no PEM"))?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|_| Fault::Wrong("there is no key in the file"))?;
        let config = ServerConfig::builder_with_provider(provider::of_server())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|_| Fault::Wrong("the key is none for ECDSA, or not the certificate's"))?;
        Ok(Self {
            config: Arc::new(config),
        })
    }

    /// Answers one request.
    pub fn welcome(&self, tcp: TcpStream) -> Result<(), Fault> {
        let session = ServerConnection::new(Arc::clone(&self.config)).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(session, tcp);
        answer(&mut stream)?;
        stream.conn.send_close_notify();
        Ok(stream.flush()?)
    }
}
