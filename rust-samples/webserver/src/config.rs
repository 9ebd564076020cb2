//! Reads the configuration from environment variables, and says which variable is wrong and why.

use std::cmp::Reverse;
use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::route::Route;

const UPSTREAM: &str = "UPSTREAM";
const UPSTREAM_TIMEOUT: &str = "UPSTREAM_TIMEOUT_SECONDS";
const GRACE: &str = "GRACE_SECONDS";

/// A variable and what is wrong with it.
#[derive(Debug, PartialEq, Eq)]
pub struct Mistake {
    variable: String,
    what: String,
}

impl Mistake {
    pub fn new(variable: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            variable: variable.into(),
            what: what.into(),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.variable, self.what)
    }
}

#[derive(Debug)]
pub struct Config {
    pub listen: SocketAddr,
    /// Longest prefix first, so that the first match is the right one.
    pub routes: Vec<Route>,
    pub extra_ca: Option<PathBuf>,
    /// From the request to the response's headers.
    pub upstream_timeout: Duration,
    pub grace: Duration,
}

impl Config {
    pub fn from_variables(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, Mistake> {
        let mut config = Self {
            listen: SocketAddr::from(([0, 0, 0, 0], 8080)),
            routes: Vec::new(),
            extra_ca: None,
            upstream_timeout: Duration::from_secs(10),
            grace: Duration::from_secs(30),
        };
        for (name, value) in variables {
            if let Some(name) = name.to_str() {
                config.set(name, value)?;
            }
        }
        if config.routes.is_empty() {
            return Err(Mistake::new(
                UPSTREAM,
                "is not set: give the https URL to fetch from",
            ));
        }
        config
            .routes
            .sort_by_cached_key(|route| (Reverse(route.prefix.len()), route.prefix.clone()));
        for pair in config.routes.windows(2) {
            if let [one, other] = pair
                && one.prefix == other.prefix
            {
                let what = format!("two variables give an upstream for the path {}", one.prefix);
                return Err(Mistake::new(&other.variable, what));
            }
        }
        Ok(config)
    }

    fn set(&mut self, name: &str, value: OsString) -> Result<(), Mistake> {
        match name {
            "LISTEN" => self.listen = listen(&text(name, value)?)?,
            "EXTRA_CA" => self.extra_ca = Some(PathBuf::from(value)),
            UPSTREAM_TIMEOUT => self.upstream_timeout = seconds(name, &text(name, value)?)?,
            GRACE => self.grace = seconds(name, &text(name, value)?)?,
            UPSTREAM => self
                .routes
                .push(Route::new(name, "/".to_owned(), &text(name, value)?)?),
            _ => {
                if let Some(suffix) = name.strip_prefix("UPSTREAM_") {
                    let prefix = prefix(name, suffix)?;
                    self.routes
                        .push(Route::new(name, prefix, &text(name, value)?)?);
                }
            }
        }
        Ok(())
    }
}

fn text(name: &str, value: OsString) -> Result<String, Mistake> {
    value
        .into_string()
        .map_err(|_| Mistake::new(name, "is not UTF-8"))
}

fn listen(value: &str) -> Result<SocketAddr, Mistake> {
    let what = || format!("{value:?} is no IP address and port, such as 0.0.0.0:8080 or [::]:8080");
    value.parse().map_err(|_| Mistake::new("LISTEN", what()))
}

fn seconds(name: &str, value: &str) -> Result<Duration, Mistake> {
    match value.parse() {
        Ok(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds)),
        _ => Err(Mistake::new(
            name,
            format!("{value:?} is no whole number of seconds from 1 to 86400"),
        )),
    }
}

fn prefix(name: &str, suffix: &str) -> Result<String, Mistake> {
    if suffix.is_empty()
        || !suffix
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return Err(Mistake::new(
            name,
            "only letters, digits and _ may follow UPSTREAM_",
        ));
    }
    Ok(format!("/{}/", suffix.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use hyper::http::uri::PathAndQuery;

    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Config, String> {
        let variables = variables
            .iter()
            .map(|(name, value)| (name.into(), value.into()));
        Config::from_variables(variables).map_err(|mistake| mistake.to_string())
    }

    fn target(config: &Config, path: &str) -> Option<String> {
        let path = PathAndQuery::try_from(path).unwrap();
        let found = |route: &Route| {
            Some(format!(
                "{}{}",
                route.authority,
                route.path_and_query(&path)?
            ))
        };
        config.routes.iter().find_map(found)
    }

    #[test]
    fn only_an_upstream_is_needed() {
        let config = read(&[("UPSTREAM", "https://example.test"), ("PATH", "/bin")]).unwrap();
        assert_eq!(config.listen.to_string(), "0.0.0.0:8080");
        assert_eq!(config.upstream_timeout.as_secs(), 10);
        assert_eq!(config.grace.as_secs(), 30);
        assert_eq!(config.extra_ca, None);
        assert_eq!(target(&config, "/a/b?c=d").unwrap(), "example.test/a/b?c=d");
    }

    #[test]
    fn a_prefix_is_lower_cased_and_stripped_and_goes_before_the_root() {
        let config = read(&[
            ("UPSTREAM", "https://root.test/base/"),
            ("UPSTREAM_API", "https://api.test:8443"),
            ("UPSTREAM_API_V2", "https://[::1]:1/v2"),
        ])
        .unwrap();
        assert_eq!(
            target(&config, "/api/users?x").unwrap(),
            "api.test:8443/users?x"
        );
        assert_eq!(target(&config, "/api/").unwrap(), "api.test:8443/");
        assert_eq!(target(&config, "/api_v2/u").unwrap(), "[::1]:1/v2/u");
        assert_eq!(target(&config, "/api").unwrap(), "root.test/base/api");
        assert_eq!(target(&config, "/apis/").unwrap(), "root.test/base/apis/");
    }

    #[test]
    fn without_a_root_other_paths_have_no_upstream() {
        let config = read(&[("UPSTREAM_A", "https://a.test")]).unwrap();
        assert_eq!(target(&config, "/b/"), None);
    }

    #[test]
    fn a_mistake_names_its_variable() {
        for (variables, expected) in [
            (vec![], "UPSTREAM: is not set"),
            (
                vec![("UPSTREAM", "http://a.test")],
                "UPSTREAM: \"http://a.test\" does not begin with https://, and",
            ),
            (
                vec![("UPSTREAM", "a.test")],
                "UPSTREAM: \"a.test\" does not begin with https://",
            ),
            (vec![("UPSTREAM", "")], "UPSTREAM: \"\" is no URL"),
            (
                vec![("UPSTREAM", "https://u:p@a.test")],
                "UPSTREAM: \"https://u:p@a.test\" holds a user name",
            ),
            (
                vec![("UPSTREAM", "https://a.test?b")],
                "UPSTREAM: \"https://a.test?b\" has a query",
            ),
            (
                vec![("UPSTREAM", "https://a.test:0")],
                "UPSTREAM: \"https://a.test:0\" has a port",
            ),
            (
                vec![("UPSTREAM", "https://a.test:99999")],
                "UPSTREAM: \"https://a.test:99999\"",
            ),
            (
                vec![("UPSTREAM_", "https://a.test")],
                "UPSTREAM_: only letters",
            ),
            (
                vec![
                    ("UPSTREAM_a", "https://a.test"),
                    ("UPSTREAM_B", "https://a.test"),
                    ("UPSTREAM_A", "https://a.test"),
                ],
                "UPSTREAM_A: two variables",
            ),
            (
                vec![("LISTEN", "8080")],
                "LISTEN: \"8080\" is no IP address and port",
            ),
            (
                vec![("UPSTREAM_TIMEOUT_SECONDS", "0")],
                "UPSTREAM_TIMEOUT_SECONDS: \"0\" is no whole number",
            ),
            (
                vec![("GRACE_SECONDS", "1.5")],
                "GRACE_SECONDS: \"1.5\" is no whole number",
            ),
        ] {
            let mistake = read(&variables).unwrap_err();
            assert!(mistake.starts_with(expected), "{mistake}");
        }
    }
}
