//! The command line, understood.

use std::time::Duration;

use crate::failure::{During, Failure, Outcome};
use crate::serve::Ports;

pub const USAGE: &str = "\
harbor serve --state DIR [--dns-port 53] [--https-port 8443] [--control-port 8053]
harbor check --subject http://HOST:PORT --state DIR [--only NAME]... [--wait SECONDS]
harbor check --list
harbor environment [--https-port 8443]
harbor inflight --subject http://HOST:PORT";

#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    Serve {
        state: String,
        ports: Ports,
    },
    Check {
        subject: String,
        state: String,
        only: Vec<String>,
        patience: Duration,
    },
    List,
    Environment {
        https_port: u16,
    },
    Inflight {
        subject: String,
    },
    Help,
}

/// Flags that were given and not yet asked for.
struct Flags(Vec<(String, String)>);

pub fn parse(words: impl IntoIterator<Item = String>) -> Outcome<Command> {
    let words: Vec<String> = words.into_iter().collect();
    let (name, rest) = match words.split_first() {
        None => {
            return Err(Failure::new(
                "no command given; there are: serve, check, environment, inflight",
            ));
        }
        Some((name, rest)) => (name.as_str(), rest),
    };
    match (name, rest) {
        ("help" | "--help" | "-h", _) => return Ok(Command::Help),
        ("check", [list]) if list == "--list" => return Ok(Command::List),
        _ => {}
    }
    let mut flags = Flags::read(rest)?;
    let command = command(name, &mut flags)?;
    flags.end(name)?;
    Ok(command)
}

fn command(name: &str, flags: &mut Flags) -> Outcome<Command> {
    Ok(match name {
        "serve" => Command::Serve {
            state: flags.need("--state")?,
            ports: Ports {
                dns: flags.port("--dns-port", 53)?,
                control: flags.port("--control-port", 8053)?,
                https: flags.https_port()?,
            },
        },
        "check" => Command::Check {
            subject: flags.need("--subject")?,
            state: flags.need("--state")?,
            only: flags.all("--only"),
            patience: Duration::from_secs(match flags.one("--wait")? {
                Some(seconds) => seconds.parse().during(format!("--wait {seconds}"))?,
                None => 10,
            }),
        },
        "environment" => Command::Environment {
            https_port: flags.https_port()?,
        },
        "inflight" => Command::Inflight {
            subject: flags.need("--subject")?,
        },
        _ => {
            let known = "serve, check, environment, inflight";
            return Err(Failure::new(format!(
                "no command is named '{name}'; there are: {known}"
            )));
        }
    })
}

impl Flags {
    /// `--name value` or `--name=value`
    fn read(words: &[String]) -> Outcome<Self> {
        let mut flags = Vec::new();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let flag = match word.split_once('=') {
                _ if !word.starts_with("--") => {
                    return Err(Failure::new(format!("'{word}' stands where a flag should")));
                }
                Some((name, value)) => (name.to_owned(), value.to_owned()),
                None => match words.next() {
                    Some(value) => (word.clone(), value.clone()),
                    None => return Err(Failure::new(format!("{word} lacks its value"))),
                },
            };
            flags.push(flag);
        }
        Ok(Self(flags))
    }

    fn all(&mut self, name: &str) -> Vec<String> {
        self.0
            .extract_if(.., |(flag, _)| flag == name)
            .map(|(_, value)| value)
            .collect()
    }

    fn one(&mut self, name: &str) -> Outcome<Option<String>> {
        let mut values = self.all(name);
        let value = values.pop();
        if values.is_empty() {
            Ok(value)
        } else {
            Err(Failure::new(format!("{name} is given more than once")))
        }
    }

    fn need(&mut self, name: &str) -> Outcome<String> {
        self.one(name)?
            .ok_or_else(|| Failure::new(format!("{name} is needed")))
    }

    fn port(&mut self, name: &str, otherwise: u16) -> Outcome<u16> {
        match self.one(name)? {
            Some(port) => port.parse().during(format!("{name} {port}")),
            None => Ok(otherwise),
        }
    }

    /// The first of six: the others must fit behind it.
    fn https_port(&mut self) -> Outcome<u16> {
        match self.port("--https-port", 8443)? {
            port @ 65_531.. => Err(Failure::new(format!(
                "--https-port {port}: six ports from there"
            ))),
            port => Ok(port),
        }
    }

    fn end(self, command: &str) -> Outcome<()> {
        match self.0.first() {
            Some((flag, _)) => Err(Failure::new(format!("{command} has no flag {flag}"))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(str::to_owned)).map_err(|failure| failure.to_string())
    }

    #[test]
    fn commands_are_understood() {
        let ports = Ports {
            dns: 53,
            control: 8053,
            https: 8443,
        };
        let state = "s".to_owned();
        assert_eq!(
            read("serve --state s"),
            Ok(Command::Serve {
                state: state.clone(),
                ports
            })
        );
        let check = Command::Check {
            subject: "http://a:1".to_owned(),
            state,
            only: vec!["slow".to_owned(), "tls12".to_owned()],
            patience: Duration::from_secs(3),
        };
        let line = "check --subject http://a:1 --state s --only slow --only tls12 --wait 3";
        assert_eq!(read(line), Ok(check));
        assert_eq!(read("check --list"), Ok(Command::List));
        assert_eq!(
            read("environment"),
            Ok(Command::Environment { https_port: 8443 })
        );
        let inflight = Command::Inflight {
            subject: "http://a:1".to_owned(),
        };
        assert_eq!(read("inflight --subject http://a:1"), Ok(inflight));
        assert_eq!(read("--help"), Ok(Command::Help));
    }

    #[test]
    fn ports_may_be_chosen() {
        let state = "s".to_owned();
        let ports = Ports {
            dns: 0,
            control: 1,
            https: 2,
        };
        let line = "serve --state=s --dns-port=0 --control-port 1 --https-port 2";
        assert_eq!(read(line), Ok(Command::Serve { state, ports }));
    }

    #[test]
    fn mistakes_are_named() {
        for (line, said) in [
            (
                "",
                "no command given; there are: serve, check, environment, inflight",
            ),
            (
                "sail",
                "no command is named 'sail'; there are: serve, check, environment, inflight",
            ),
            ("serve", "--state is needed"),
            ("serve --state", "--state lacks its value"),
            ("serve --state s --port 1", "serve has no flag --port"),
            ("serve s", "'s' stands where a flag should"),
            (
                "serve --state s --state t",
                "--state is given more than once",
            ),
            (
                "environment --https-port 65533",
                "--https-port 65533: six ports from there",
            ),
        ] {
            assert_eq!(read(line), Err(said.to_owned()), "{line}");
        }
        assert!(
            read("serve --state s --dns-port 70000")
                .unwrap_err()
                .contains("--dns-port 70000")
        );
    }
}
