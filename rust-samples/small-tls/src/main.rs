//! Fetches a page, serves one, or does both to itself over loopback and tells what came of it.

#[cfg(feature = "client")]
mod client;
mod fault;
#[cfg(all(feature = "client", feature = "server"))]
mod prove;
#[cfg(feature = "server")]
mod server;
mod tls;

use std::env;
use std::process::ExitCode;

use fault::Fault;

const USAGE: &str = "small-tls: takes --check; get URL [AUTHORITIES]; serve ADDRESS [CERTIFICATE KEY]; \
     or prove: what of it was compiled in is what --check tells";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args_os()
        .skip(1)
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["--check"] => check(),
        #[cfg(feature = "client")]
        ["get", url] => client::print(url, client::AUTHORITIES),
        #[cfg(feature = "client")]
        ["get", url, authorities] => client::print(url, authorities),
        #[cfg(feature = "server")]
        ["serve", address] => server::serve(address, None),
        #[cfg(feature = "server")]
        ["serve", address, certificate, key] => server::serve(address, Some((certificate, key))),
        #[cfg(all(feature = "client", feature = "server"))]
        ["prove"] => prove::prove(),
        _ => Err(Fault::Wrong(USAGE)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::unnecessary_wraps)] // as the other arms
fn check() -> Result<(), Fault> {
    let roles = match (cfg!(feature = "client"), cfg!(feature = "server")) {
        (true, true) => "client,server",
        (true, false) => "client",
        _ => "server",
    };
    println!(
        "small-tls {} roles={roles} tls={}",
        env!("CARGO_PKG_VERSION"),
        tls::NAME
    );
    Ok(())
}
