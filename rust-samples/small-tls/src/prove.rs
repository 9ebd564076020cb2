//! The client asks the server, over loopback, and what came of each question is told.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use crate::client::{Url, get};
use crate::fault::Fault;
use crate::server;
use crate::tls::{self, Identity, Trust};

const AUTHORITY: &[u8] = include_bytes!("../certificates/authority.pem");
const OTHER_AUTHORITY: &[u8] = include_bytes!("../certificates/other-authority.pem");
const SERVER: &[u8] = include_bytes!("../certificates/server.pem");
const EXPIRED: &[u8] = include_bytes!("../certificates/expired.pem");
const KEY: &[u8] = include_bytes!("../certificates/test-only-key.pem");

/// The name that the server's certificates are for, and another.
const NAME: &str = "https://localhost/";
const OTHER_NAME: &str = "https://other.test/";

/// The right one comes last: what is refused before must not hold it up.
pub fn prove() -> Result<(), Fault> {
    tell("without TLS", ask(start(None)?, "http://localhost/", None));
    if !tls::IS_ABOARD {
        return Ok(());
    }
    let address = start(Some(Identity::from_pem(SERVER, KEY)?))?;
    let expired = start(Some(Identity::from_pem(EXPIRED, KEY)?))?;
    let (trust, other) = (
        Trust::from_pem(AUTHORITY)?,
        Trust::from_pem(OTHER_AUTHORITY)?,
    );
    tell("another authority", ask(address, NAME, Some(&other)));
    tell("another name", ask(address, OTHER_NAME, Some(&trust)));
    tell("expired", ask(expired, NAME, Some(&trust)));
    tell("right", ask(address, NAME, Some(&trust)));
    Ok(())
}

/// A server that runs from now on; where it listens.
fn start(identity: Option<Identity>) -> Result<SocketAddr, Fault> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::Builder::new().spawn(move || server::run(&listener, identity.as_ref()))?;
    Ok(address)
}

fn ask(address: SocketAddr, url: &str, trust: Option<&Trust>) -> Result<Vec<u8>, Fault> {
    get(TcpStream::connect(address)?, &Url::parse(url)?, trust)
}

fn tell(question: &str, came: Result<Vec<u8>, Fault>) {
    match came {
        Ok(page) => println!("{question}: {}", String::from_utf8_lossy(&page).trim_end()),
        Err(fault) => println!("{question}: {fault}"),
    }
}
