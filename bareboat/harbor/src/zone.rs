//! What the harbor's names hold, by record type.

use std::net::{Ipv4Addr, Ipv6Addr};

use hickory_proto::rr::rdata::{A, AAAA, SOA};
use hickory_proto::rr::{Name, RData, RecordType};

use crate::endpoint::big_addresses;

const APEXES: [&str; 2] = ["harbor.test.", "internal."];
/// Where `hosts-first` points in DNS, and nothing listens: only the hosts file leads to the harbor.
pub const BLACK_HOLE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    Records(Vec<RData>),
    /// The name exists, but not with this type.
    NoData(Name),
    NoSuchName(Name),
    Failure,
    Silence,
    NotOurs,
}

#[derive(Debug, Clone, Copy)]
pub struct Zone {
    /// Whether this machine has `::1`; without it no name has an AAAA record.
    pub ipv6: bool,
}

impl Zone {
    pub fn look_up(self, name: &Name, record_type: RecordType) -> Found {
        let Some(apex) = apex_of(name) else {
            return Found::NotOurs;
        };
        let spelled = name.to_lowercase().to_ascii();
        if spelled == apex.to_ascii() {
            return match record_type {
                RecordType::SOA => Found::Records(vec![start_of_authority(&apex)]),
                _ => Found::NoData(apex),
            };
        }
        let label = spelled.strip_suffix(".harbor.test.").unwrap_or_default();
        self.look_up_label(label, record_type, apex)
    }

    fn look_up_label(self, label: &str, record_type: RecordType, apex: Name) -> Found {
        let addresses: Vec<Ipv4Addr> = match label {
            "silent" => return Found::Silence,
            "v6fails" if record_type == RecordType::AAAA => return Found::Failure,
            "big" => big_addresses().collect(),
            "hosts-first" => vec![BLACK_HOLE],
            "good" | "wrong" | "expired" | "unknown" | "tls12" | "tls13" | "slow" | "short"
            | "v4only" | "v6fails" => vec![Ipv4Addr::LOCALHOST],
            _ => return Found::NoSuchName(apex),
        };
        let both = !matches!(label, "big" | "hosts-first" | "v4only");
        match record_type {
            RecordType::A => Found::Records(
                addresses
                    .into_iter()
                    .map(|address| RData::A(A(address)))
                    .collect(),
            ),
            RecordType::AAAA if both && self.ipv6 => {
                Found::Records(vec![RData::AAAA(AAAA(Ipv6Addr::LOCALHOST))])
            }
            _ => Found::NoData(apex),
        }
    }
}

fn apex_of(name: &Name) -> Option<Name> {
    APEXES
        .iter()
        .filter_map(|apex| Name::from_ascii(apex).ok())
        .find(|apex| apex.zone_of(name))
}

/// The record by which a resolver may keep "there is none": 5 s at most.
pub fn start_of_authority(apex: &Name) -> RData {
    RData::SOA(SOA::new(apex.clone(), apex.clone(), 1, 3600, 600, 86400, 5))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look_up(name: &str, record_type: RecordType) -> Found {
        Zone { ipv6: true }.look_up(&Name::from_ascii(name).unwrap(), record_type)
    }

    fn ipv4(address: [u8; 4]) -> Found {
        Found::Records(vec![RData::A(A(Ipv4Addr::from(address)))])
    }

    #[test]
    fn ordinary_names_have_both_addresses() {
        for label in [
            "good", "wrong", "expired", "unknown", "tls12", "tls13", "slow", "short",
        ] {
            let name = format!("{label}.harbor.test.");
            assert_eq!(
                look_up(&name, RecordType::A),
                ipv4([127, 0, 0, 1]),
                "{name}"
            );
            let ipv6 = Found::Records(vec![RData::AAAA(AAAA(Ipv6Addr::LOCALHOST))]);
            assert_eq!(look_up(&name, RecordType::AAAA), ipv6, "{name}");
            assert!(
                matches!(look_up(&name, RecordType::TXT), Found::NoData(_)),
                "{name}"
            );
        }
    }

    #[test]
    fn without_ipv6_no_name_has_an_aaaa_record() {
        let name = Name::from_ascii("good.harbor.test.").unwrap();
        let found = Zone { ipv6: false }.look_up(&name, RecordType::AAAA);
        assert!(matches!(found, Found::NoData(_)));
    }

    #[test]
    fn each_trap_is_laid() {
        let big = look_up("big.harbor.test.", RecordType::A);
        assert!(matches!(big, Found::Records(records) if records.len() == 200));
        let (a, aaaa) = (RecordType::A, RecordType::AAAA);
        assert_eq!(look_up("v4only.harbor.test.", a), ipv4([127, 0, 0, 1]));
        assert!(matches!(
            look_up("v4only.harbor.test.", aaaa),
            Found::NoData(_)
        ));
        assert_eq!(look_up("v6fails.harbor.test.", a), ipv4([127, 0, 0, 1]));
        assert_eq!(look_up("v6fails.harbor.test.", aaaa), Found::Failure);
        assert_eq!(look_up("hosts-first.harbor.test.", a), ipv4([127, 0, 0, 9]));
        assert!(matches!(
            look_up("hosts-first.harbor.test.", aaaa),
            Found::NoData(_)
        ));
        assert_eq!(look_up("silent.harbor.test.", a), Found::Silence);
        assert!(matches!(
            look_up("nothing.harbor.test.", a),
            Found::NoSuchName(_)
        ));
    }

    #[test]
    fn search_domains_lead_nowhere_but_to_the_harbor() {
        for name in [
            "short.svc.internal.",
            "short.internal.",
            "good.harbor.test.svc.internal.",
            "good.harbor.test.harbor.test.",
        ] {
            assert!(
                matches!(look_up(name, RecordType::A), Found::NoSuchName(_)),
                "{name}"
            );
        }
        for name in ["example.com.", "test.", ".", "xharbor.test.", "short."] {
            assert_eq!(look_up(name, RecordType::A), Found::NotOurs, "{name}");
        }
    }

    #[test]
    fn names_are_the_same_in_any_case() {
        assert_eq!(
            look_up("GoOd.HaRbOr.TeSt.", RecordType::A),
            ipv4([127, 0, 0, 1])
        );
    }

    #[test]
    fn an_apex_has_a_start_of_authority_and_no_address() {
        assert!(matches!(
            look_up("harbor.test.", RecordType::SOA),
            Found::Records(_)
        ));
        assert!(matches!(
            look_up("internal.", RecordType::A),
            Found::NoData(_)
        ));
    }
}
