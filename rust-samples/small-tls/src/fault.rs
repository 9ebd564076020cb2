//! Why there is no answer.

use std::fmt;
use std::io;

// A server doubts no certificate, and a client without TLS sees none.
#[cfg_attr(
    not(all(feature = "client", any(feature = "embedded", feature = "rustls"))),
    allow(dead_code)
)]
pub enum Fault {
    /// The server's certificate is none to trust: what it is.
    Distrust(&'static str),
    /// The answer is another than 2xx.
    Status(u16),
    /// What is wrong with what was asked for, or with what came.
    Wrong(&'static str),
    Io(io::Error),
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Distrust(what) => write!(formatter, "the certificate is refused: {what}"),
            Self::Status(status) => write!(formatter, "answered with status {status}"),
            Self::Wrong(what) => formatter.write_str(what),
            Self::Io(error) => error.fmt(formatter),
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
