//! Each question is answered by one line, or by an error and exit code 1.

use std::error::Error;
use std::ffi::{CStr, c_char};
use std::net::ToSocketAddrs;
use std::{env, fs, process};

fn main() {
    let question = env::args().nth(1).unwrap_or_default();
    let answer = match question.as_str() {
        "certs" => certs(),
        "hosts" => hosts(),
        "tmp" => tmp(),
        "tz" => tz(),
        "user" => user(),
        _ => Ok("ask for certs, hosts, tmp, tz or user".to_owned()),
    };
    match answer {
        Ok(line) => println!("{line}"),
        Err(error) => {
            eprintln!("{question}: {error}");
            process::exit(1);
        }
    }
}

fn certs() -> Result<String, Box<dyn Error>> {
    let bundle = fs::read_to_string("/etc/ssl/certs/ca-certificates.crt")?;
    match bundle.matches("-----BEGIN CERTIFICATE-----").count() {
        101.. => Ok("more than 100 authorities".to_owned()),
        few => Err(format!("{few} authorities").into()),
    }
}

fn hosts() -> Result<String, Box<dyn Error>> {
    let addresses: Vec<_> = "localhost:80".to_socket_addrs()?.collect();
    if !addresses.is_empty() && addresses.iter().all(|address| address.ip().is_loopback()) {
        Ok("localhost is here".to_owned())
    } else {
        Err(format!("localhost is {addresses:?}").into())
    }
}

fn tmp() -> Result<String, Box<dyn Error>> {
    let path = env::temp_dir().join("provisions");
    fs::write(&path, "written")?;
    Ok(format!("{} and read", fs::read_to_string(&path)?))
}

fn tz() -> Result<String, Box<dyn Error>> {
    if fs::read("/usr/share/zoneinfo/Europe/Zurich")?.starts_with(b"TZif") {
        Ok("Zurich has a time zone".to_owned())
    } else {
        Err("Zurich's file is no zone info".into())
    }
}

/// The start of C's `struct passwd`, alike in glibc and musl.
#[repr(C)]
struct Passwd {
    name: *const c_char,
}

unsafe extern "C" {
    fn getuid() -> u32;
    fn getpwuid(uid: u32) -> *const Passwd;
}

fn user() -> Result<String, Box<dyn Error>> {
    // SAFETY: one thread only; what getpwuid returns stands until its next call.
    unsafe {
        let entry = getpwuid(getuid());
        if entry.is_null() {
            return Err(format!("user {} has no name", getuid()).into());
        }
        Ok(CStr::from_ptr((*entry).name).to_string_lossy().into_owned())
    }
}
