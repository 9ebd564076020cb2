//! The folder that the harbor shares with subject and client: authority, resolv.conf, hosts, ready.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::failure::{During, Outcome};

/// The order in which a name of few dots is completed: only the last domain has it.
pub const RESOLV_CONF: &str = "nameserver 127.0.0.1\n\
    search svc.internal internal harbor.test\n\
    options ndots:5 timeout:1 attempts:2\n";

/// The ports, and whether `::1` is there too; written once all of them listen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    pub dns: u16,
    pub control: u16,
    /// By the endpoint's name.
    pub https: BTreeMap<String, u16>,
    pub ipv6: bool,
}

#[derive(Debug, Clone)]
pub struct State(PathBuf);

impl State {
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    pub fn prepare(&self, known_root: &str, ipv6: bool) -> Outcome<()> {
        fs::create_dir_all(&self.0).during(format!("folder {}", self.0.display()))?;
        self.withdraw()?;
        self.write("ca.pem", known_root)?;
        self.write("resolv.conf", RESOLV_CONF)?;
        self.write("hosts", &hosts(ipv6))
    }

    /// Written beside and renamed, so that who sees it sees all of it.
    pub fn announce(&self, ready: &Ready) -> Outcome<()> {
        let text = serde_json::to_string(ready).during("the file ready")?;
        self.write("ready.new", &(text + "\n"))?;
        let what = format!("file {}", self.path("ready").display());
        fs::rename(self.path("ready.new"), self.path("ready")).during(what)
    }

    pub fn withdraw(&self) -> Outcome<()> {
        let path = self.path("ready");
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).during(format!("file {}", path.display()))
            }
            _ => Ok(()),
        }
    }

    /// None while it is not there yet.
    pub fn ready(&self) -> Outcome<Option<Ready>> {
        let path = self.path("ready");
        let what = format!("file {}", path.display());
        match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).during(what).map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).during(what),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        Path::new(&self.0).join(name)
    }

    fn write(&self, name: &str, text: &str) -> Outcome<()> {
        let path = self.path(name);
        fs::write(&path, text).during(format!("file {}", path.display()))
    }
}

fn hosts(ipv6: bool) -> String {
    let mut lines = vec!["127.0.0.1 localhost", "127.0.0.1 hosts-first.harbor.test"];
    if ipv6 {
        lines.insert(1, "::1 localhost");
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_plain_text() {
        assert_eq!(
            RESOLV_CONF,
            "nameserver 127.0.0.1\nsearch svc.internal internal harbor.test\n\
             options ndots:5 timeout:1 attempts:2\n"
        );
        assert_eq!(
            hosts(true),
            "127.0.0.1 localhost\n::1 localhost\n127.0.0.1 hosts-first.harbor.test\n"
        );
        assert_eq!(
            hosts(false),
            "127.0.0.1 localhost\n127.0.0.1 hosts-first.harbor.test\n"
        );
    }

    #[test]
    fn ready_comes_and_goes() {
        let folder = std::env::temp_dir().join(format!("harbor-state-{}", std::process::id()));
        let state = State::new(&folder);
        state.prepare("root", true).unwrap();
        assert_eq!(state.ready().unwrap(), None);
        let ready = Ready {
            dns: 53,
            control: 8053,
            https: BTreeMap::from([("good".into(), 1)]),
            ipv6: true,
        };
        state.announce(&ready).unwrap();
        assert_eq!(state.ready().unwrap(), Some(ready));
        state.prepare("another root", true).unwrap();
        assert_eq!(
            state.ready().unwrap(),
            None,
            "an old promise does not outlive a new start"
        );
        fs::remove_dir_all(folder).unwrap();
    }
}
