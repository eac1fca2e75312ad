//! One-time passwords: a few digits of an HMAC over a number that both sides know. The number counts uses (HOTP,
//! RFC 4226) or time steps (TOTP, RFC 6238).

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::Secret;

/// How many digits a code may have: fewer are guessed too soon (RFC 4226 §4, R4), and more than nine are not in 31 bits.
pub const DIGITS: std::ops::RangeInclusive<u32> = 6..=8;

/// An HMAC by which codes are made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Algorithm {
    /// HMAC-SHA-1, which nearly every token has.
    Sha1,
    /// HMAC-SHA-224.
    Sha224,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-384.
    Sha384,
    /// HMAC-SHA-512.
    Sha512,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Sha1, Self::Sha224, Self::Sha256, Self::Sha384, Self::Sha512];

    /// Its object identifier (RFC 8018 appendix B.1).
    pub const fn oid(self) -> &'static str {
        match self {
            Self::Sha1 => "1.2.840.113549.2.7",
            Self::Sha224 => "1.2.840.113549.2.8",
            Self::Sha256 => "1.2.840.113549.2.9",
            Self::Sha384 => "1.2.840.113549.2.10",
            Self::Sha512 => "1.2.840.113549.2.11",
        }
    }

    /// The one of that object identifier.
    pub fn of_oid(oid: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.oid() == oid)
    }
}

/// What makes the codes of one token.
#[derive(Clone, PartialEq, Eq)]
pub struct Generator {
    secret: Secret,
    algorithm: Algorithm,
    digits: u32,
}

impl Generator {
    /// Makes codes of so many digits, which must be within [`DIGITS`].
    pub fn new(secret: Secret, algorithm: Algorithm, digits: u32) -> Option<Self> {
        DIGITS.contains(&digits).then_some(Self { secret, algorithm, digits })
    }

    /// How many digits its codes have.
    pub const fn digits(&self) -> usize {
        self.digits as usize
    }

    /// The code of a number (RFC 4226 §5.3).
    pub fn code(&self, number: u64) -> Zeroizing<String> {
        let value = self.truncated(number) % 10_u32.pow(self.digits);
        Zeroizing::new(format!("{value:0width$}", width = self.digits()))
    }

    /// Whether that is the code of a number; found out in a time that does not depend on how much of it is right.
    pub fn makes(&self, number: u64, code: &[u8]) -> bool {
        self.code(number).as_bytes().ct_eq(code).into()
    }

    fn truncated(&self, number: u64) -> u32 {
        let key = self.secret.expose();
        match self.algorithm {
            Algorithm::Sha1 => truncated(mac::<Hmac<Sha1>>(key), number),
            Algorithm::Sha224 => truncated(mac::<Hmac<Sha224>>(key), number),
            Algorithm::Sha256 => truncated(mac::<Hmac<Sha256>>(key), number),
            Algorithm::Sha384 => truncated(mac::<Hmac<Sha384>>(key), number),
            Algorithm::Sha512 => truncated(mac::<Hmac<Sha512>>(key), number),
        }
    }
}

impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generator")
            .field("algorithm", &self.algorithm)
            .field("digits", &self.digits)
            .finish_non_exhaustive()
    }
}

fn mac<M: Mac + KeyInit>(key: &[u8]) -> M {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104 §2)")]
    <M as KeyInit>::new_from_slice(key).expect("a key of any length")
}

/// Dynamic truncation: the four octets at the place that the last one names, without the sign.
fn truncated(mut mac: impl Mac, number: u64) -> u32 {
    mac.update(&number.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let place = usize::from(hash.last().copied().unwrap_or_default() & 0x0f);
    let octets = hash.get(place..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
    u32::from_be_bytes(octets) & 0x7fff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generator(secret: &str, algorithm: Algorithm, digits: u32) -> Generator {
        Generator::new(Secret::new(secret), algorithm, digits).unwrap()
    }

    #[test]
    fn the_codes_of_rfc_4226_appendix_d() {
        let token = generator("12345678901234567890", Algorithm::Sha1, 6);
        let codes =
            ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
        for (number, code) in (0..).zip(codes) {
            assert_eq!(*token.code(number), code);
            assert!(token.makes(number, code.as_bytes()) && !token.makes(number + 1, code.as_bytes()));
        }
    }

    #[test]
    fn the_codes_of_rfc_6238_appendix_b() {
        let secret = "1234567890".repeat(7);
        let tokens = [(Algorithm::Sha1, 20), (Algorithm::Sha256, 32), (Algorithm::Sha512, 64)]
            .map(|(algorithm, length)| generator(secret.get(..length).unwrap(), algorithm, 8));
        for (time, codes) in [
            (59, ["94287082", "46119246", "90693936"]),
            (1_111_111_109, ["07081804", "68084774", "25091201"]),
            (1_111_111_111, ["14050471", "67062674", "99943326"]),
            (1_234_567_890, ["89005924", "91819424", "93441116"]),
            (2_000_000_000, ["69279037", "90698825", "38618901"]),
            (20_000_000_000, ["65353130", "77737706", "47863826"]),
        ] {
            assert_eq!(tokens.each_ref().map(|token| token.code(time / 30).to_string()), codes, "{time}");
        }
    }

    #[test]
    fn a_code_has_six_digits_to_eight() {
        for digits in [0, 1, 5, 9, 10, u32::MAX] {
            assert_eq!(Generator::new(Secret::new("12345678901234567890"), Algorithm::Sha1, digits), None, "{digits}");
        }
        for digits in DIGITS {
            let token = generator("12345678901234567890", Algorithm::Sha1, digits);
            assert_eq!(token.code(7).len(), token.digits());
        }
    }

    #[test]
    fn every_hash_makes_codes_and_every_number_has_one() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::of_oid(algorithm.oid()), Some(algorithm));
            for number in [0, 1, u64::MAX] {
                let token = generator("12345678901234567890", algorithm, 6);
                assert!(token.makes(number, token.code(number).as_bytes()));
            }
        }
        assert_eq!(Algorithm::of_oid("1.2.840.113549.2.6"), None);
    }

    #[test]
    fn what_is_no_code_is_wrong() {
        let token = generator("12345678901234567890", Algorithm::Sha1, 6);
        for wrong in ["", "75522", "7552240", " 755224", "\u{ff17}55224", "75522a"] {
            assert!(!token.makes(0, wrong.as_bytes()), "{wrong}");
        }
    }

    #[test]
    fn a_generator_shows_no_secret() {
        let token = generator("12345678901234567890", Algorithm::Sha1, 6);
        assert_eq!(format!("{token:?}"), "Generator { algorithm: Sha1, digits: 6, .. }");
    }
}
