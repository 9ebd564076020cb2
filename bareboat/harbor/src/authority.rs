//! The certificates: two authorities, one of them known, and for each endpoint a chain with its flaw.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use time::{Duration, OffsetDateTime};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::endpoint::Endpoint;
use crate::failure::{During, Failure, Outcome};

/// All that the good certificate is good for; `short` stands for itself, since a client
/// compares the name it was given, not the one that a search domain led to.
pub const GOOD_NAMES: [&str; 11] = [
    "good.harbor.test",
    "slow.harbor.test",
    "v4only.harbor.test",
    "v6fails.harbor.test",
    "big.harbor.test",
    "short.harbor.test",
    "short",
    "hosts-first.harbor.test",
    "silent.harbor.test",
    "127.0.0.1",
    "::1",
];

type Issuer = CertifiedIssuer<'static, KeyPair>;

#[derive(Debug)]
pub struct Chain {
    pub endpoint: Endpoint,
    /// The leaf, then the intermediate; the root is for the client to have.
    pub certificates: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
}

#[derive(Debug)]
pub struct Certificates {
    /// The root that clients are to trust, in PEM.
    pub known_root: String,
    pub chains: Vec<Chain>,
}

/// What stands in one leaf.
struct Leaf {
    names: Vec<String>,
    from: OffsetDateTime,
    until: OffsetDateTime,
}

impl Certificates {
    /// Makes new keys and certificates, valid around `now`.
    pub fn make(now: OffsetDateTime) -> Outcome<Self> {
        let (known_root, known) = authority("Bareboat harbor", now)?;
        let (_, unknown) = authority("Bareboat strangers", now)?;
        let chain = |endpoint| {
            let issuer = if endpoint == Endpoint::Unknown {
                &unknown
            } else {
                &known
            };
            chain(endpoint, &leaf(endpoint, now), issuer)
        };
        let chains = Endpoint::ALL
            .into_iter()
            .map(chain)
            .collect::<Outcome<_>>()?;
        Ok(Self {
            known_root: known_root.pem(),
            chains,
        })
    }
}

fn authority(name: &str, now: OffsetDateTime) -> Outcome<(Issuer, Issuer)> {
    let what = format!("the authority {name}");
    let root = authority_params(&format!("{name} root"), 1, now);
    let root = CertifiedIssuer::self_signed(root, KeyPair::generate().during(&what)?);
    let root = root.during(&what)?;
    let middle = authority_params(&format!("{name} intermediate"), 0, now);
    let middle = CertifiedIssuer::signed_by(middle, KeyPair::generate().during(&what)?, &root);
    Ok((root, middle.during(&what)?))
}

fn authority_params(name: &str, below: u8, now: OffsetDateTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    params.not_before = now - Duration::days(365);
    params.not_after = now + Duration::days(3650);
    params
}

fn leaf(endpoint: Endpoint, now: OffsetDateTime) -> Leaf {
    let names = match endpoint {
        Endpoint::Good => GOOD_NAMES.map(str::to_owned).to_vec(),
        Endpoint::Wrong => vec!["elsewhere.harbor.test".to_owned()],
        _ => vec![endpoint.host().to_owned()],
    };
    let until = match endpoint {
        Endpoint::Expired => now - Duration::days(1),
        _ => now + Duration::days(365),
    };
    Leaf {
        names,
        from: now - Duration::days(30),
        until,
    }
}

fn chain(endpoint: Endpoint, leaf: &Leaf, issuer: &Issuer) -> Outcome<Chain> {
    let what = format!("the certificate of {}", endpoint.host());
    let mut params = CertificateParams::new(leaf.names.clone()).during(&what)?;
    params
        .distinguished_name
        .push(DnType::CommonName, leaf.names[0].as_str());
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params.not_before = leaf.from;
    params.not_after = leaf.until;
    let key = KeyPair::generate().during(&what)?;
    let certificate = params.signed_by(&key, issuer).during(&what)?;
    let key = PrivateKeyDer::try_from(key.serialize_der());
    Ok(Chain {
        endpoint,
        certificates: vec![certificate.der().clone(), issuer.der().clone()],
        key: key.map_err(|error| Failure::new(format!("{what}: {error}")))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use x509_parser::prelude::*;

    fn made() -> Certificates {
        Certificates::make(OffsetDateTime::now_utc()).unwrap()
    }

    fn parse<'a>(der: &'a CertificateDer<'_>) -> X509Certificate<'a> {
        X509Certificate::from_der(der).unwrap().1
    }

    fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
        let extension = certificate.subject_alternative_name().unwrap().unwrap();
        let spell = |name: &GeneralName<'_>| match name {
            GeneralName::DNSName(name) => (*name).to_owned(),
            GeneralName::IPAddress(bytes) => match <[u8; 4]>::try_from(*bytes) {
                Ok(ipv4) => std::net::Ipv4Addr::from(ipv4).to_string(),
                Err(_) => {
                    std::net::Ipv6Addr::from(<[u8; 16]>::try_from(*bytes).unwrap()).to_string()
                }
            },
            other => other.to_string(),
        };
        extension.value.general_names.iter().map(spell).collect()
    }

    #[test]
    fn only_the_expired_one_is_out_of_date() {
        for chain in made().chains {
            let valid = parse(&chain.certificates[0]).validity().is_valid();
            assert_eq!(
                valid,
                chain.endpoint != Endpoint::Expired,
                "{:?}",
                chain.endpoint
            );
            assert!(parse(&chain.certificates[1]).validity().is_valid());
        }
    }

    #[test]
    fn only_the_wrong_one_lacks_its_host() {
        for chain in made().chains {
            let names = names(&parse(&chain.certificates[0]));
            let has_host = names.iter().any(|name| name == chain.endpoint.host());
            assert_eq!(
                has_host,
                chain.endpoint != Endpoint::Wrong,
                "{:?}",
                chain.endpoint
            );
            if chain.endpoint == Endpoint::Good {
                assert_eq!(names, GOOD_NAMES);
            }
        }
    }

    #[test]
    fn only_the_unknown_one_does_not_lead_to_the_known_root() {
        let made = made();
        let (_, pem) = x509_parser::pem::parse_x509_pem(made.known_root.as_bytes()).unwrap();
        let root = pem.parse_x509().unwrap();
        assert!(root.is_ca());
        assert_eq!(root.subject(), root.issuer());
        for chain in &made.chains {
            let [leaf, middle] = chain.certificates.as_slice() else {
                panic!("leaf and intermediate");
            };
            let (leaf, middle) = (parse(leaf), parse(middle));
            assert_eq!(leaf.issuer(), middle.subject());
            assert!(!leaf.is_ca() && middle.is_ca());
            let known = middle.issuer() == root.subject();
            assert_eq!(
                known,
                chain.endpoint != Endpoint::Unknown,
                "{:?}",
                chain.endpoint
            );
        }
    }
}
