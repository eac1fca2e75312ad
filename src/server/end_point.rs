//! The channel binding `tls-server-end-point` (RFC 5929 §4): the hash of the server's certificate.

use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use crate::directory::wire;
use crate::password::Secret;

/// The hash of a certificate by the algorithm with which it is signed; SHA-256 in the place of MD5 and SHA-1. `None` where
/// the signature has no such algorithm (`Ed25519`), for which the RFC says nothing.
pub(super) fn of(certificate: &[u8]) -> Option<Secret> {
    let mut fields = wire::elements(wire::element(certificate)?.content);
    let algorithm = fields.nth(1)?;
    let oid = wire::element(algorithm.content)?;
    let name = match hash_of_signature(oid.content)? {
        Named::Here(hash) => hash,
        Named::InParameters => hash_of_parameters(oid.rest)?,
    };
    Some(match name {
        Hash::Sha224 => Secret::new(Sha224::digest(certificate).as_slice()),
        Hash::Sha256 => Secret::new(Sha256::digest(certificate).as_slice()),
        Hash::Sha384 => Secret::new(Sha384::digest(certificate).as_slice()),
        Hash::Sha512 => Secret::new(Sha512::digest(certificate).as_slice()),
    })
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Hash {
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Named {
    Here(Hash),
    InParameters,
}

/// What the object identifiers of algorithms with RSA and with ECDSA begin with (RFC 8017, RFC 5758), and those of SHA-2.
const RSA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01";
const ECDSA: &[u8] = b"\x2a\x86\x48\xce\x3d\x04";
const SHA_2: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x02";

fn hash_of_signature(oid: &[u8]) -> Option<Named> {
    let (rsa, ecdsa) = (oid.strip_prefix(RSA), oid.strip_prefix(ECDSA));
    Some(match (rsa, ecdsa) {
        (Some([0x0a]), _) => Named::InParameters,
        // MD5 and SHA-1 are the first two, and the first of those with ECDSA.
        (Some([0x04 | 0x05 | 0x0b]), _) | (_, Some([0x01] | [0x03, 0x02])) => Named::Here(Hash::Sha256),
        (Some([0x0e]), _) | (_, Some([0x03, 0x01])) => Named::Here(Hash::Sha224),
        (Some([0x0c]), _) | (_, Some([0x03, 0x03])) => Named::Here(Hash::Sha384),
        (Some([0x0d]), _) | (_, Some([0x03, 0x04])) => Named::Here(Hash::Sha512),
        _ => return None,
    })
}

/// The hash that RSASSA-PSS names in its parameters (RFC 4055 §3.1); SHA-1 if it names none.
fn hash_of_parameters(parameters: &[u8]) -> Option<Hash> {
    const HASH: u8 = 0xa0;
    let Some(first) = wire::elements(wire::element(parameters)?.content).find(|field| field.tag == HASH) else {
        return Some(Hash::Sha256);
    };
    let oid = wire::element(wire::element(first.content)?.content)?;
    match oid.content.strip_prefix(SHA_2) {
        Some([0x02]) => Some(Hash::Sha384),
        Some([0x03]) => Some(Hash::Sha512),
        Some([0x04]) => Some(Hash::Sha224),
        _ => Some(Hash::Sha256),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, SignatureAlgorithm};

    use super::*;

    fn made_by(algorithm: &'static SignatureAlgorithm) -> Vec<u8> {
        let key = KeyPair::generate_for(algorithm).unwrap();
        CertificateParams::default().self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn the_hash_is_the_one_of_the_signature() {
        let certificate = made_by(&rcgen::PKCS_ECDSA_P256_SHA256);
        assert_eq!(of(&certificate), Some(Secret::new(Sha256::digest(&certificate).as_slice())));
        let certificate = made_by(&rcgen::PKCS_ECDSA_P384_SHA384);
        assert_eq!(of(&certificate), Some(Secret::new(Sha384::digest(&certificate).as_slice())));
        assert_eq!(of(&made_by(&rcgen::PKCS_ED25519)), None);
    }

    #[test]
    fn md5_and_sha_1_are_not_used() {
        let named = |oid: &[&[u8]]| hash_of_signature(&oid.concat());
        for old in [&[RSA, b"\x04"], &[RSA, b"\x05"], &[ECDSA, b"\x01"]] {
            assert_eq!(named(old), Some(Named::Here(Hash::Sha256)));
        }
        assert_eq!(named(&[RSA, b"\x0d"]), Some(Named::Here(Hash::Sha512)));
        assert_eq!(named(&[RSA, b"\x0a"]), Some(Named::InParameters));
        assert_eq!(hash_of_parameters(b"\x30\x00"), Some(Hash::Sha256));
        let sha_512 = [b"\x30\x0f\xa0\x0d\x30\x0b\x06\x09", SHA_2, b"\x03"].concat();
        assert_eq!(hash_of_parameters(&sha_512), Some(Hash::Sha512));
    }

    #[test]
    fn what_is_no_certificate_has_none() {
        for octets in [&b""[..], b"\x30\x00", b"\x30\x04\x30\x00\x30\x00", b"no certificate"] {
            assert_eq!(of(octets), None);
        }
    }
}
