//! Digests in base64, with or without salt: `{SSHA}`, `{SHA256}`, `{SMD5}` ...

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;

use super::{Scheme, Value};
use crate::directory::Randomness;

/// Some tools leave the padding out.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const NEW_SALT: usize = 16;

#[derive(Clone, Copy)]
pub(super) enum Algorithm {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Algorithm {
    /// The algorithm of a scheme, and whether it is salted.
    fn of(scheme: &str) -> Option<(Self, bool)> {
        Some(match scheme {
            "MD5" => (Self::Md5, false),
            "SMD5" => (Self::Md5, true),
            "SHA" => (Self::Sha1, false),
            "SSHA" => (Self::Sha1, true),
            "SHA256" => (Self::Sha256, false),
            "SSHA256" => (Self::Sha256, true),
            "SHA384" => (Self::Sha384, false),
            "SSHA384" => (Self::Sha384, true),
            "SHA512" => (Self::Sha512, false),
            "SSHA512" => (Self::Sha512, true),
            _ => return None,
        })
    }

    const fn output_len(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    fn digest(self, password: &[u8], salt: &[u8]) -> Vec<u8> {
        fn run<D: Digest>(password: &[u8], salt: &[u8]) -> Vec<u8> {
            D::new().chain_update(password).chain_update(salt).finalize().to_vec()
        }
        match self {
            Self::Md5 => run::<Md5>(password, salt),
            Self::Sha1 => run::<Sha1>(password, salt),
            Self::Sha256 => run::<Sha256>(password, salt),
            Self::Sha384 => run::<Sha384>(password, salt),
            Self::Sha512 => run::<Sha512>(password, salt),
        }
    }
}

pub(super) fn create_salted(algorithm: Algorithm, password: &[u8], random: &dyn Randomness) -> Value {
    let mut salt = [0; NEW_SALT];
    random.fill(&mut salt);
    let mut octets = algorithm.digest(password, &salt);
    octets.extend_from_slice(&salt);
    let name = if matches!(algorithm, Algorithm::Sha1) { "SSHA" } else { "SSHA512" };
    Value::new(format!("{{{name}}}{}", STANDARD.encode(octets)))
}

fn parse(scheme: &str, text: &str) -> Option<(Algorithm, Vec<u8>, Vec<u8>)> {
    let (algorithm, salted) = Algorithm::of(scheme)?;
    let mut digest = LENIENT.decode(text.trim_ascii()).ok()?;
    if digest.len() < algorithm.output_len() {
        return None;
    }
    let salt = digest.split_off(algorithm.output_len());
    (salt.is_empty() != salted).then_some((algorithm, digest, salt))
}

/// Whether a scheme is one of these.
pub(super) fn is_name(scheme: &str) -> bool {
    Algorithm::of(scheme).is_some()
}

pub(super) fn scheme(scheme: &str, text: &str) -> Scheme {
    match parse(scheme, text) {
        Some((_, _, salt)) if salt.is_empty() => Scheme::PlainDigest,
        Some(_) => Scheme::SaltedDigest,
        None => Scheme::Unusable,
    }
}

pub(super) fn verify(scheme: &str, text: &str, password: &[u8]) -> bool {
    parse(scheme, text).is_some_and(|(algorithm, digest, salt)| equal(&algorithm.digest(password, &salt), &digest))
}

/// Salt and digest of a value.
pub(super) fn split(scheme: &str, text: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    parse(scheme, text).map(|(_, digest, salt)| (salt, digest))
}

/// Whether a scheme is one of these, and has a salt if there is one.
pub(super) fn is_setting(scheme: &str, salt: &[u8]) -> bool {
    Algorithm::of(scheme).is_some_and(|(_, salted)| salt.is_empty() != salted)
}

/// The digest of a password.
pub(super) fn compute(scheme: &str, password: &[u8], salt: &[u8]) -> Option<Vec<u8>> {
    Algorithm::of(scheme).map(|(algorithm, _)| algorithm.digest(password, salt))
}

/// Compares in a time that depends on the lengths only.
pub(super) fn equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}
