//! A client's TLS by embedded-tls, for servers of one private authority and for nobody else.
//!
//! What it checks is the signature of that authority, when the certificate is valid, and its common name. It looks at no
//! alternative name and no wildcard, and takes whatever the authority signed for an authority in its turn: of a public
//! one any customer could be any server.

use std::io::{self, Read};
use std::net::TcpStream;
use std::time::{SystemTime, UNIX_EPOCH};

use embedded_io_adapters::std::FromStd;
use embedded_tls::blocking::{
    Aes128GcmSha256, Certificate, CryptoProvider, TlsClock, TlsConfig, TlsConnection, TlsContext,
    TlsError, TlsVerifier,
};
use embedded_tls::pki::CertVerifier;
use rand_core::{CryptoRngCore, OsRng};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::client::read_all;
use crate::fault::Fault;

/// A record of TLS and what encryption adds to it.
const RECORD_BYTES: usize = 16_640;

/// The most that a server's certificates may take.
const CERTIFICATE_BYTES: usize = 4096;

pub struct Trust {
    authority: CertificateDer<'static>,
}

impl Trust {
    pub fn from_pem(authority: &[u8]) -> Result<Self, Fault> {
        let mut found = CertificateDer::pem_slice_iter(authority);
        match (found.next(), found.next()) {
            (Some(Ok(authority)), None) => Ok(Self { authority }),
            _ => Err(Fault::Wrong("embedded-tls wants a file of one authority")),
        }
    }

    /// Sends a request to the server of that name, and takes all that comes until it says that it was all.
    pub fn exchange(&self, tcp: TcpStream, host: &str, request: &[u8]) -> Result<Vec<u8>, Fault> {
        let (mut read, mut write) = (vec![0; RECORD_BYTES], vec![0; RECORD_BYTES]);
        let mut tls = TlsConnection::new(FromStd::new(tcp), &mut read, &mut write);
        let config = TlsConfig::new().with_server_name(host);
        let provider = Provider {
            verifier: CertVerifier::new(Certificate::X509(&self.authority)),
        };
        tls.open(TlsContext::new(&config, provider))
            .map_err(fault)?;
        let mut rest = request;
        while !rest.is_empty() {
            rest = &rest[tls.write(rest).map_err(fault)?..];
        }
        tls.flush().map_err(fault)?;
        Ok(read_all(UntilClosed(tls))?)
    }
}

struct UntilClosed<'a>(TlsConnection<'a, FromStd<TcpStream>, Aes128GcmSha256>);

impl Read for UntilClosed<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match self.0.read(to) {
            Err(TlsError::ConnectionClosed) => Ok(0),
            read => read.map_err(io::Error::other),
        }
    }
}

struct Provider<'a> {
    verifier: CertVerifier<'a, Aes128GcmSha256, Clock, CERTIFICATE_BYTES>,
}

impl CryptoProvider for Provider<'_> {
    type CipherSuite = Aes128GcmSha256;
    /// It has no certificate of its own and signs nothing.
    type Signature = &'static [u8];

    fn rng(&mut self) -> impl CryptoRngCore {
        OsRng
    }

    fn verifier(&mut self) -> Result<&mut impl TlsVerifier<Aes128GcmSha256>, TlsError> {
        Ok(&mut self.verifier)
    }
}

struct Clock;

impl TlsClock for Clock {
    /// Without a time nothing would be checked: a clock before 1970 is at its beginning, when nothing is valid yet.
    fn now() -> Option<u64> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Some(since.map_or(0, |since| since.as_secs()))
    }
}

fn fault(error: TlsError) -> Fault {
    match error {
        TlsError::InvalidCertificate => {
            Fault::Distrust("it is of another authority, for another name, or not of this time")
        }
        TlsError::InvalidSignature => Fault::Distrust("its signature is not valid"),
        other => Fault::Io(io::Error::other(other)),
    }
}
