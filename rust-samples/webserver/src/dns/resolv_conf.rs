//! Reads resolv.conf(5): name servers, search list and the options that are kept here.
//!
//! hickory reads it too, with a parser five times the size, and gives no more than this.

use std::net::IpAddr;
use std::time::Duration;

#[derive(Debug, PartialEq, Eq)]
pub struct ResolvConf {
    pub servers: Vec<IpAddr>,
    pub search: Vec<String>,
    pub ndots: usize,
    pub timeout: Duration,
    /// Tries, the first included.
    pub attempts: usize,
    pub edns0: bool,
}

impl ResolvConf {
    /// What is not understood is passed over, as the C libraries do.
    pub fn parse(text: &str) -> Self {
        let mut conf = Self {
            servers: Vec::new(),
            search: Vec::new(),
            ndots: 1,
            timeout: Duration::from_secs(5),
            attempts: 2,
            edns0: false,
        };
        for line in text.lines().filter(|line| !line.starts_with(['#', ';'])) {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") => conf.servers.extend(words.next().and_then(address)),
                // The last of either stands.
                Some("search" | "domain") => conf.search = words.map(str::to_owned).collect(),
                Some("options") => words.for_each(|option| conf.set(option)),
                _ => {}
            }
        }
        conf
    }

    /// The bounds are glibc's.
    fn set(&mut self, option: &str) {
        let (name, value) = option.split_once(':').unwrap_or((option, ""));
        let number = value.parse::<u16>().ok();
        match (name, number) {
            ("ndots", Some(ndots)) => self.ndots = usize::from(ndots.min(15)),
            ("timeout", Some(seconds)) => {
                self.timeout = Duration::from_secs(u64::from(seconds.clamp(1, 30)));
            }
            ("attempts", Some(attempts)) => self.attempts = usize::from(attempts.clamp(1, 5)),
            ("edns0", None) => self.edns0 = true,
            _ => {}
        }
    }
}

/// Without the interface of a link-local address, which hickory could not use.
fn address(word: &str) -> Option<IpAddr> {
    word.split('%').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_read() {
        let conf = ResolvConf::parse(
            "# comment\n; comment\ndomain old.test\nsearch a.test b.test.\nnameserver 192.0.2.1\n\
             nameserver fe80::1%eth0\nnameserver nonsense\noptions ndots:5 timeout:1 attempts:3 edns0 rotate\n",
        );
        let expected = ResolvConf {
            servers: vec!["192.0.2.1".parse().unwrap(), "fe80::1".parse().unwrap()],
            search: vec!["a.test".to_owned(), "b.test.".to_owned()],
            ndots: 5,
            timeout: Duration::from_secs(1),
            attempts: 3,
            edns0: true,
        };
        assert_eq!(conf, expected);
    }

    #[test]
    fn no_server_is_made_up_and_bounds_hold() {
        assert_eq!(ResolvConf::parse("").servers, [] as [IpAddr; 0]);
        let conf = ResolvConf::parse("options ndots:99 timeout:0 attempts:0 ndots:x");
        assert_eq!(
            (conf.ndots, conf.timeout.as_secs(), conf.attempts),
            (15, 1, 1)
        );
    }
}
