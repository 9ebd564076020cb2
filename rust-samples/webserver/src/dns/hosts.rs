//! Addresses of a name in /etc/hosts, read anew each time as getaddrinfo does.

use std::fs;
use std::net::IpAddr;

pub fn lookup(host: &str) -> Vec<IpAddr> {
    // A container without the file knows no names.
    find(&fs::read_to_string("/etc/hosts").unwrap_or_default(), host)
}

fn find(text: &str, host: &str) -> Vec<IpAddr> {
    let host = host.trim_end_matches('.');
    let lines = text.lines().filter_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let address = words.next()?.parse().ok()?;
        words
            .any(|name| name.eq_ignore_ascii_case(host))
            .then_some(address)
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_aliases_are_found_whatever_their_case() {
        let text = "127.0.0.1\tlocalhost\n::1 localhost # c.test\n192.0.2.1 a.test Alias\n#192.0.2.2 a.test\nbad a.test\n";
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(find(text, "localhost"), [ip("127.0.0.1"), ip("::1")]);
        assert_eq!(find(text, "alias"), [ip("192.0.2.1")]);
        assert_eq!(find(text, "A.TEST."), [ip("192.0.2.1")]);
        assert!(find(text, "c.test").is_empty());
    }
}
