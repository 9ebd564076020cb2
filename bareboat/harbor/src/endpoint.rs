//! The HTTPS endpoints: each is one host, one port and one kind of certificate or TLS version.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    Good,
    Wrong,
    Expired,
    Unknown,
    Tls12,
    Tls13,
}

impl Endpoint {
    /// In the order of their ports.
    pub const ALL: [Self; 6] = [
        Self::Good,
        Self::Wrong,
        Self::Expired,
        Self::Unknown,
        Self::Tls12,
        Self::Tls13,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Wrong => "wrong",
            Self::Expired => "expired",
            Self::Unknown => "unknown",
            Self::Tls12 => "tls12",
            Self::Tls13 => "tls13",
        }
    }

    pub const fn host(self) -> &'static str {
        match self {
            Self::Good => "good.harbor.test",
            Self::Wrong => "wrong.harbor.test",
            Self::Expired => "expired.harbor.test",
            Self::Unknown => "unknown.harbor.test",
            Self::Tls12 => "tls12.harbor.test",
            Self::Tls13 => "tls13.harbor.test",
        }
    }

    /// The port when the first of the six is `base`; with base 0 the system chooses each.
    pub const fn port(self, base: u16) -> u16 {
        if base == 0 { 0 } else { base + self as u16 }
    }

    /// Where it listens: the good one also wherever `big.harbor.test` points.
    pub fn addresses(self, ipv6: bool) -> Vec<IpAddr> {
        let mut addresses = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
        if ipv6 {
            addresses.push(IpAddr::V6(Ipv6Addr::LOCALHOST));
        }
        if self == Self::Good {
            addresses.extend(big_addresses().map(IpAddr::V4));
        }
        addresses
    }
}

/// Two hundred addresses: more than the 1232 bytes of one UDP answer, less than the 4800 bytes
/// that musl keeps of a TCP answer. <https://git.musl-libc.org/cgit/musl/tree/src/network/lookup_name.c>
pub fn big_addresses() -> impl Iterator<Item = Ipv4Addr> {
    (1..=200).map(|last| Ipv4Addr::new(127, 0, 1, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_follow_one_another() {
        let ports: Vec<u16> = Endpoint::ALL
            .iter()
            .map(|endpoint| endpoint.port(8443))
            .collect();
        assert_eq!(ports, [8443, 8444, 8445, 8446, 8447, 8448]);
    }

    #[test]
    fn a_host_is_its_name_in_the_harbor() {
        for endpoint in Endpoint::ALL {
            assert_eq!(endpoint.host(), format!("{}.harbor.test", endpoint.name()));
        }
    }

    #[test]
    fn only_the_good_one_listens_where_big_points() {
        assert_eq!(Endpoint::Good.addresses(true).len(), 202);
        assert_eq!(Endpoint::Wrong.addresses(true).len(), 2);
        assert_eq!(Endpoint::Wrong.addresses(false).len(), 1);
    }
}
