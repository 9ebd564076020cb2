//! A client's TLS by rustls: the authorities of a file are trusted, as many as there are.

use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, ClientConnection, Error, RootCertStore, StreamOwned};

use super::provider;
use crate::client::read_all;
use crate::fault::Fault;

pub struct Trust {
    config: Arc<ClientConfig>,
}

impl Trust {
    pub fn from_pem(authorities: &[u8]) -> Result<Self, Fault> {
        let mut roots = RootCertStore::empty();
        // One that cannot be read does not spoil those beside it.
        roots.add_parsable_certificates(
            CertificateDer::pem_slice_iter(authorities).filter_map(Result::ok),
        );
        if roots.is_empty() {
            return Err(Fault::Wrong("there is no authority in the file"));
        }
        let config = ClientConfig::builder_with_provider(provider::of_client())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(fault)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            config: Arc::new(config),
        })
    }

    /// Sends a request to the server of that name, and takes all that comes until it says that it was all.
    pub fn exchange(&self, tcp: TcpStream, host: &str, request: &[u8]) -> Result<Vec<u8>, Fault> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Fault::Wrong("no certificate can be for such a name"))?;
        let session = ClientConnection::new(Arc::clone(&self.config), name).map_err(fault)?;
        let mut stream = StreamOwned::new(session, tcp);
        stream.write_all(request).map_err(fault_of_stream)?;
        read_all(stream).map_err(fault_of_stream)
    }
}

fn fault_of_stream(error: io::Error) -> Fault {
    match error.downcast::<Error>() {
        Ok(error) => fault(error),
        Err(error) => Fault::Io(error),
    }
}

fn fault(error: Error) -> Fault {
    match error {
        Error::InvalidCertificate(fault) => Fault::Distrust(match fault {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired",
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "it is for another name"
            }
            CertificateError::UnknownIssuer => "it is of another authority",
            _ => "it is not valid",
        }),
        other => Fault::Io(io::Error::other(other)),
    }
}
