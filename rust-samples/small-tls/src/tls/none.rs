//! Without TLS: there is nobody to trust and nothing to show, so neither can be made.

use std::net::TcpStream;

use crate::fault::Fault;

const NONE: Fault = Fault::Wrong("no TLS was compiled in");

#[cfg(all(feature = "client", not(feature = "embedded")))]
pub enum Trust {}

#[cfg(all(feature = "client", not(feature = "embedded")))]
impl Trust {
    pub fn from_pem(_: &[u8]) -> Result<Self, Fault> {
        Err(NONE)
    }

    pub fn exchange(&self, _: TcpStream, _: &str, _: &[u8]) -> Result<Vec<u8>, Fault> {
        match *self {}
    }
}

#[cfg(feature = "server")]
#[derive(Clone)]
pub enum Identity {}

#[cfg(feature = "server")]
impl Identity {
    pub fn from_pem(_: &[u8], _: &[u8]) -> Result<Self, Fault> {
        Err(NONE)
    }

    pub fn welcome(&self, _: TcpStream) -> Result<(), Fault> {
        match *self {}
    }
}
