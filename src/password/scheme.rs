//! How passwords are kept: the values of `userPassword` (RFC 2307 §5.3 and what servers have added since).
//!
//! New ones are Argon2id; the others are read so that imported passwords go on working. A value that is malformed,
//! locked or absurdly costly never matches, and never costs more than a legal one.

mod argon2id;
mod bare;
mod cost;
mod crypt;
mod digest;
mod pbkdf2;
mod wrap;

use std::fmt;

use zeroize::Zeroizing;

use super::{Secret, prepare};
use crate::directory::Randomness;
pub use argon2id::Cost;

/// A value of `userPassword`: a hash, mostly behind the name of its scheme in braces, or clear text.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredPassword(Secret);

/// How a password is kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Scheme {
    /// Argon2 (RFC 9106), `{ARGON2}$argon2id$...`
    Argon2,
    /// A fast hash of another server in an Argon2id one, `{ARGON2-WRAP}{SSHA}...`
    Wrapped,
    /// PBKDF2 (RFC 8018), `{PBKDF2-SHA256}...`
    Pbkdf2,
    /// `{CRYPT}$2b$...`
    Bcrypt,
    /// `{CRYPT}$y$...`
    Yescrypt,
    /// `{CRYPT}$5$...` and `{CRYPT}$6$...`
    ShaCrypt,
    /// `{CRYPT}$1$...`
    Md5Crypt,
    /// `{SSHA}`, `{SSHA256}`, `{SMD5}` ...
    SaltedDigest,
    /// `{SHA}`, `{SHA256}`, `{MD5}` ...
    PlainDigest,
    /// The password itself.
    Clear,
    /// Nothing that a password could match: locked, malformed, or a scheme that is not known.
    Unusable,
}

/// How much work it is to verify a password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effort {
    /// Microseconds.
    Light,
    /// Milliseconds and megabytes: not to be done on a thread that serves others.
    Heavy,
}

/// What new passwords are kept as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NewScheme {
    /// Argon2id at this cost.
    Argon2id(Cost),
    /// Salted SHA-512, for old applications that read hashes.
    Ssha512,
    /// Salted SHA-1, for old applications that read hashes and for comparing servers.
    Ssha,
}

impl Default for NewScheme {
    fn default() -> Self {
        Self::Argon2id(Cost::default())
    }
}

impl StoredPassword {
    /// Takes a value of `userPassword`.
    pub fn new(value: &[u8]) -> Self {
        Self(Secret::new(value))
    }

    /// Hashes a new password in its prepared form.
    pub fn create(password: &Secret, scheme: NewScheme, random: &dyn Randomness) -> Self {
        let prepared = prepare::prepare(password);
        let value = match scheme {
            NewScheme::Argon2id(cost) => argon2id::create(prepared.expose(), cost, random),
            NewScheme::Ssha512 => digest::create_salted(digest::Algorithm::Sha512, prepared.expose(), random),
            NewScheme::Ssha => digest::create_salted(digest::Algorithm::Sha1, prepared.expose(), random),
        };
        Self(Secret::new(value.as_bytes()))
    }

    /// What no password matches, at that cost.
    pub fn of_nobody(cost: Cost, random: &dyn Randomness) -> Self {
        Self(Secret::new(argon2id::of_nobody(cost, random).as_bytes()))
    }

    /// It inside an Argon2id hash of that cost, if it is a fast one that can be verified.
    pub fn wrap(&self, cost: Cost, random: &dyn Randomness) -> Option<Self> {
        let Parts::Scheme(name, rest) = self.parts() else { return None };
        wrap::create(name, rest, cost, random).map(|value| Self(Secret::new(value.as_bytes())))
    }

    /// Scheme and cost of a hash of today, without the hash: `argon2id m=19456,t=2,p=1`; of others the scheme: `ssha512`.
    pub fn kind(&self) -> String {
        match (self.scheme(), self.cost()) {
            (Scheme::Argon2 | Scheme::Wrapped, Some(cost)) => format!("{} {cost}", self.name()),
            _ => self.name(),
        }
    }

    /// The scheme as it is, without its cost: `argon2id`, `ssha512`, `sha512-crypt`, `ssha in argon2id`.
    pub fn name(&self) -> String {
        match (self.scheme(), self.parts()) {
            (Scheme::Argon2, Parts::Scheme(_, rest)) => argon2id::name(rest).to_owned(),
            (Scheme::Wrapped, Parts::Scheme(_, rest)) => wrap::name(rest),
            (Scheme::Md5Crypt | Scheme::ShaCrypt, Parts::Scheme(_, rest)) => crypt::name(rest).to_owned(),
            (Scheme::SaltedDigest | Scheme::PlainDigest | Scheme::Pbkdf2, Parts::Scheme(name, _)) => {
                name.to_ascii_lowercase()
            }
            (scheme, _) => scheme.to_string(),
        }
    }

    /// The value, to be stored.
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }

    /// The password itself, if that is what is kept, without the name of a scheme in front of it.
    pub fn clear_text(&self) -> Option<Secret> {
        match self.parts() {
            // No password is empty.
            Parts::Scheme("CLEAR" | "CLEARTEXT", "") | Parts::Clear(b"") => None,
            Parts::Scheme("CLEAR" | "CLEARTEXT", clear) => Some(Secret::new(clear)),
            Parts::Clear(clear) => Some(Secret::new(clear)),
            Parts::Scheme(..) => None,
        }
    }

    /// How it is kept.
    pub fn scheme(&self) -> Scheme {
        match self.parts() {
            Parts::Scheme("ARGON2", rest) if argon2id::is_valid(rest) => Scheme::Argon2,
            Parts::Scheme("ARGON2-WRAP", rest) if wrap::is_valid(rest) => Scheme::Wrapped,
            Parts::Scheme(name, rest) if pbkdf2::is_valid(name, rest) => Scheme::Pbkdf2,
            Parts::Scheme("CRYPT", rest) => crypt::scheme(rest),
            Parts::Scheme("CLEAR" | "CLEARTEXT", "") | Parts::Clear(b"") => Scheme::Unusable,
            Parts::Scheme("CLEAR" | "CLEARTEXT", _) | Parts::Clear(_) => Scheme::Clear,
            Parts::Scheme(name, rest) => digest::scheme(name, rest),
        }
    }

    /// How much work it is to verify.
    pub fn effort(&self) -> Effort {
        // Most of those that are light are seen by their name.
        if matches!(self.parts(), Parts::Scheme(name, _) if digest::is_name(name)) {
            return Effort::Light;
        }
        match self.scheme() {
            Scheme::SaltedDigest | Scheme::PlainDigest | Scheme::Clear | Scheme::Unusable => Effort::Light,
            _ => Effort::Heavy,
        }
    }

    /// Whether `password` is the one: in its prepared form, or as it was typed, which is how other servers hashed it.
    pub fn verify(&self, password: &Secret) -> bool {
        if password.len() > prepare::MAX_LEN {
            return false;
        }
        let prepared = prepare::prepare(password);
        self.verify_octets(prepared.expose()) || (prepared != *password && self.verify_octets(password.expose()))
    }

    /// Nobody is let in for sending nothing, also where another server has hashed that.
    fn verify_octets(&self, password: &[u8]) -> bool {
        if password.is_empty() {
            return false;
        }
        match self.parts() {
            Parts::Scheme("ARGON2", rest) => argon2id::verify(rest, password),
            Parts::Scheme("ARGON2-WRAP", rest) => wrap::verify(rest, password),
            Parts::Scheme("CRYPT", rest) => crypt::verify(rest, password),
            Parts::Scheme("CLEAR" | "CLEARTEXT", rest) => digest::equal(rest.as_bytes(), password),
            Parts::Clear(clear) => digest::equal(clear, password),
            Parts::Scheme(name, rest) if pbkdf2::is_valid(name, rest) => pbkdf2::verify(name, rest, password),
            Parts::Scheme(name, rest) => digest::verify(name, rest, password),
        }
    }

    /// Whether a password that was just verified should be hashed anew, because its scheme or its cost is not the one
    /// wanted.
    pub fn is_outdated(&self, wanted: NewScheme) -> bool {
        match (wanted, self.parts()) {
            (NewScheme::Argon2id(cost), Parts::Scheme("ARGON2", rest)) => !argon2id::is_at_least(rest, cost),
            (NewScheme::Ssha512, Parts::Scheme(name, _)) => !matches!(name, "SSHA512" | "ARGON2"),
            (NewScheme::Ssha, Parts::Scheme(name, _)) => {
                matches!(name, "SHA" | "MD5" | "SMD5" | "CLEAR" | "CLEARTEXT" | "ARGON2-WRAP")
            }
            (NewScheme::Argon2id(_), _) | (_, Parts::Clear(_)) => true,
        }
    }

    /// Whether a good bind will hash it anew: it is outdated, and some password matches it.
    pub fn is_renewed_by_bind(&self, wanted: NewScheme) -> bool {
        self.is_outdated(wanted) && self.scheme() != Scheme::Unusable
    }

    /// Whether it says by a mark that the account has no password, `{CRYPT}!` or `{CRYPT}*`, perhaps with the hash behind it.
    pub fn is_locked(&self) -> bool {
        matches!(self.parts(), Parts::Scheme("CRYPT", rest) if rest.starts_with(['!', '*']))
    }

    /// Whether the value is a hash, behind the name of a scheme or without one: something that only an import may bring.
    pub fn is_prehashed(value: &[u8]) -> bool {
        matches!(Self::new(value).parts(), Parts::Scheme(..))
    }

    fn parts(&self) -> Parts<'_> {
        let Some(rest) = self.0.expose().strip_prefix(b"{") else {
            let bare = bare::recognize(self.0.expose());
            return bare.map_or_else(|| Parts::Clear(self.0.expose()), |(name, hash)| Parts::Scheme(name, hash));
        };
        let split = memchr::memchr(b'}', rest).and_then(|at| Some((rest.get(..at)?, rest.get(at + 1..)?)));
        let Some((name, hash)) = split else { return Parts::Clear(self.0.expose()) };
        match known(name).zip(std::str::from_utf8(hash).ok()) {
            Some(("ARGON2ID" | "ARGON2I" | "ARGON2D", hash)) => Parts::Scheme("ARGON2", hash),
            Some(("BCRYPT", hash)) if hash.starts_with("$2") => Parts::Scheme("CRYPT", hash),
            Some((name, hash)) => Parts::Scheme(name, hash),
            // What only looks like a scheme is somebody's password. But one that other servers have, and this one has
            // not, must not become a password by being imported.
            None if name.iter().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || b"-_./".contains(c)) => {
                Parts::Scheme("UNKNOWN", "")
            }
            None => Parts::Clear(self.0.expose()),
        }
    }
}

enum Parts<'p> {
    /// The name of a scheme, and what stands behind it.
    Scheme(&'static str, &'p str),
    Clear(&'p [u8]),
}

const KNOWN: &[&str] = &[
    "ARGON2",
    "ARGON2ID",
    "ARGON2I",
    "ARGON2D",
    "ARGON2-WRAP",
    "BCRYPT",
    "CRYPT",
    "CLEAR",
    "CLEARTEXT",
    "SHA",
    "SSHA",
    "SHA256",
    "SSHA256",
    "SHA384",
    "SSHA384",
    "SHA512",
    "SSHA512",
    "MD5",
    "SMD5",
    "PBKDF2",
    "PBKDF2-SHA1",
    "PBKDF2-SHA256",
    "PBKDF2-SHA512",
    "PBKDF2_SHA256",
    "PBKDF2-HMAC-SHA1",
    "PBKDF2-HMAC-SHA256",
    "PBKDF2-HMAC-SHA512",
    "PKCS5S2",
];

/// The longest of [`KNOWN`].
const LONGEST: usize = 18;

/// The name of a scheme as it is written in [`KNOWN`], in whatever case it stands in a value.
fn known(name: &[u8]) -> Option<&'static str> {
    let mut buffer = [0; LONGEST];
    let upper = buffer.get_mut(..name.len())?;
    upper.copy_from_slice(name);
    upper.make_ascii_uppercase();
    KNOWN.iter().find(|known| known.as_bytes() == upper).copied()
}

impl fmt::Debug for StoredPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredPassword({:?}, ..)", self.scheme())
    }
}

impl fmt::Display for Scheme {
    /// In a word, for whole families of schemes; what it is exactly is its [name](StoredPassword::name).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Argon2 => "argon2",
            Self::Wrapped => "argon2-wrap",
            Self::Pbkdf2 => "pbkdf2",
            Self::Bcrypt => "bcrypt",
            Self::Yescrypt => "yescrypt",
            Self::ShaCrypt => "sha-crypt",
            Self::Md5Crypt => "md5-crypt",
            Self::SaltedDigest => "salted-digest",
            Self::PlainDigest => "digest",
            Self::Clear => "clear",
            Self::Unusable => "unusable",
        })
    }
}

/// A hash under construction, wiped when it is dropped.
type Value = Zeroizing<String>;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Zeros;

    impl Randomness for Zeros {
        fn fill(&self, octets: &mut [u8]) {
            octets.fill(7);
        }
    }

    fn verify(value: &str, password: &str) -> bool {
        StoredPassword::new(value.as_bytes()).verify(&Secret::new(password))
    }

    #[test]
    fn the_names_of_schemes_are_known_in_any_case() {
        for name in KNOWN {
            assert_eq!(known(name.to_ascii_lowercase().as_bytes()), Some(*name));
        }
        assert_eq!([known(b""), known(b"SSHA1"), known(&[b'S'; 100])], [None; 3]);
    }

    #[test]
    fn no_password_is_empty() {
        let hash_of_nothing = "{SSHA}LCq6zkvYuxn2cRPaFG27jMz4SRVzYWx0c2FsdA==";
        for value in ["", "{CLEARTEXT}", "{CLEAR}", hash_of_nothing] {
            // What is left of a soft hyphen when it is prepared is nothing, too (RFC 8265).
            assert!(!verify(value, "") && !verify(value, "\u{ad}"), "{value}");
        }
        for value in ["", "{CLEARTEXT}", "{CLEAR}"] {
            let stored = StoredPassword::new(value.as_bytes());
            assert!(stored.scheme() == Scheme::Unusable && stored.clear_text().is_none(), "{value}");
        }
    }

    /// Made by slappasswd, openssl passwd, mkpasswd (libxcrypt), argon2 (the reference tool), pwdhash of 389 Directory
    /// Server 2.3.1, htpasswd, argon2-cffi, and for Atlassian and Django by Python's hashlib and passlib.
    const FIXTURES: &[(&str, Scheme)] = &[
        ("{SSHA}/OGEpRm7XwEalwJWGyxExca0swmjTO7Q", Scheme::SaltedDigest),
        ("{SMD5}+s3OuCAtE7ZmB/yZNpx0976A/bY=", Scheme::SaltedDigest),
        ("{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", Scheme::PlainDigest),
        ("{MD5}Xr4ilOzQ4PCOq3aQ0qbuaQ==", Scheme::PlainDigest),
        ("{SSHA256}i/rbQGjsIREsNHoaredFQpaY9XFgJN9SnFXa71sCnJ7y92myqaY5fQ==", Scheme::SaltedDigest),
        ("{SSHA384}qJ65YkAnuuF09ElMwas7C+QFrW3BYycQ+tELrjvA7jXtXTJU0B/gwFFweWKS3+buHTPiqYZzrO0=", Scheme::SaltedDigest),
        (
            "{SSHA512}zMH/HNzF2w5dI7Gbbkk7m4y324BXm5yCQL8ZQSeCJ6rstdE3edpqwi244yl2hfIQnfl75b8+qmD1pT+bYurro8gNWUXaxa6z",
            Scheme::SaltedDigest,
        ),
        ("{SHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=", Scheme::PlainDigest),
        ("{SHA384}WKd1ukESvjAFrkQHznV9iP2nHUBJe7gCbsrFTU4//HIyzo3jq1rLMK45dg/ufFPt", Scheme::PlainDigest),
        (
            "{SHA512}vSsar3708Jvp9Szi2NWZZ02Bqp1qRCFpbcTZPdBhnWgs5WtNZKnvCXdhztmeD2cmW192CF5bDufKRpayrW/isg==",
            Scheme::PlainDigest,
        ),
        ("{PBKDF2}10000$RVb3jWX.JZrCKNjoxLVTjQ$ECg2bRElc5GG8ePnxK4qP162aZc", Scheme::Pbkdf2),
        ("{PBKDF2-SHA1}10000$CJIGT85DScrkqMa3TB.W3g$aWlqzYXdjLEnHuFg.I3WuGeOOxM", Scheme::Pbkdf2),
        ("{PBKDF2-SHA256}10000$r/ZMVDDZD.3t6riJuweidg$8bZyTqNV3m5dmiJAaPNC5LB9kd1mYMbZZUod1BgWk7s", Scheme::Pbkdf2),
        (
            "{PBKDF2-SHA512}10000$vNWCfJdxmNH/7jdf6VQTFw$STFG7ujwdMprMynpznXhTqHYuL8O7q5dCBDh/3OjCkqLX29UylcMexf94RbHeuEItusg.9YxII2jaDJ1wd4gtg",
            Scheme::Pbkdf2,
        ),
        (
            "{PBKDF2-SHA512}10000$Sn/IB6RWUuEVvEbt9KTD3w==$D8eDuD2Dvq0Hfu6dcRQRPu3RF/V8Zuo6O/zzW/akPJRTpZkXY4KdEQ3VJD4DlJ1EPsAJNg9hTryp/EBDS+R2MA==",
            Scheme::Pbkdf2,
        ),
        (
            "{PBKDF2_SHA256}AAB1MOy3MMe2D+ANejB3EdReGvwESp4jJ6ntetpRumuWF0sKUhaMkL3etIdjhea0yXSNZ++o9f1tLuvvrVeQovTW7iEB02Ke8aAJe9WCwHw+zN/rP1TdE5pFzcTq2cH06M2ijyRBTVlNqtzuK58WFRY8Bo0HlaVJzoYZnbO6coaSEsW7CDU9zjIW4TBsWFvI8GwKyeS2EoMXHvtujjbpeuORRvWO8corl7VzQKxTJzvUZ10f5CLnqEMdnKfYr7UThXs9rnjCdXp4FPJ8Xr8FbWa3A7jlxHudkj+tlOAPZm9j8k49Lsw6ohu2CLvFDBjBw7ZnkjrFBgy4QoNfg74SIu3ocNtCTM/H3BvOELz+tI/UzanjpslFqA0Dq4fWfqnJNc2kyZ5WbaLmyWs9QVM0qbF9C9IPwM6qifZDUiPoNAjWXXTC",
            Scheme::Pbkdf2,
        ),
        ("{PBKDF2}10000:J2XB3TweO8OW4NgOlfbdWRlLbcZNMtLt2OP/fA==", Scheme::Pbkdf2),
        (
            "{PBKDF2-HMAC-SHA512}10000:wiu+YNvlFddsYOpkJNgPFdTm6UiMViyevfKT1aXmh3qufUNBkd+urvAkzf+6TK5InJGJUTYeLRxj2fjpDCmEPBAAu7EzjFoNixL69X8/dc8=",
            Scheme::Pbkdf2,
        ),
        (
            "{ARGON2}$argon2i$v=19$m=4096,t=3,p=1$UkdM8Uk9XDb7ggXbdtSf7w$Ymr5IaGC+u+LeGzMLaKE41FWJutUpBJ2GSFw1oElUJM",
            Scheme::Argon2,
        ),
        (
            "{ARGON2}$argon2id$v=19$m=1024,t=2,p=1$c2FsdHNhbHQ$5n+dqKA654HpeA9ZUkM9fgOil+sHaLHsKpxAaxMk/T4",
            Scheme::Argon2,
        ),
        (
            "{ARGON2}$argon2i$v=16$m=1024,t=2,p=1$c2FsdHNhbHQ$UIdIiYbNWj1zBpBRiybtBPjo5rPy4bhehAFaS1cyJME",
            Scheme::Argon2,
        ),
        ("{CRYPT}$1$7NJkUwSS$2n7U0fCLMPpIx44W.iV/Y/", Scheme::Md5Crypt),
        ("{CRYPT}$1$QuiMUJ9C$WBb2GpYOwNq3sjpy5McUL0", Scheme::Md5Crypt),
        ("{crypt}$5$q954RmpT5OBjuB.G$WL5TRjKEKfhogC2JNqJQFbwvMudo8XRxTuxzP8dcGjC", Scheme::ShaCrypt),
        ("{CRYPT}$5$rounds=20000$EWRB44pBgCCRJ8ZY$it.5i4cwKQ6UuhO1ara2OHbKspylpgmgR4i0436aBg1", Scheme::ShaCrypt),
        (
            "{CRYPT}$6$fVqreGbsK3CQ4YmW$AsY5WcH81TjUur/ZBr23tJtjSAByyXr1zgoyxs8/Tj.sjBEVRp1J/Cw96uy5Tud1ITQCtK8CSgBQdeR/dZ6R.0",
            Scheme::ShaCrypt,
        ),
        (
            "{CRYPT}$6$rounds=10000$ZTpLdFKCq4/Fg2Yy$YxH5Y/kHpXCrrF2VIJR9UTFQZV/Ct1ZI0nIzeHgxLqYMxR.pqUskcqMVYYQrMaQQmAPCHYgnSqTaeriyDd6ey.",
            Scheme::ShaCrypt,
        ),
        ("{CRYPT}$2b$05$knPPULxxiaPhed2dAi1mLeBhSqZYAe2aJhnLXwJ84LPTnLl.2D3Wy", Scheme::Bcrypt),
        ("{CRYPT}$2a$05$b7gDQQ5Ljs0VdTpTdB0tQO0PA4yozH8rW7Isq6SxZ1PDnx8thlv9W", Scheme::Bcrypt),
        ("{CRYPT}$y$j9T$qhPf56dC3d8L8dHeWsHwo1$9HpLRogEjUPCAGKh11nrhQtsTXCKv5KOVeeAxjP4y14", Scheme::Yescrypt),
        ("{SMD5}9JM2SiPUyuExUHYuTmuelnBdXhM=", Scheme::SaltedDigest),
        ("{SSHA256}tLBtsHHiOOWSy3zvZ6ZD73SC8b2kziL+R4MvZ5VdaWlvsT6TG75PhA==", Scheme::SaltedDigest),
        (
            "{SSHA512}tdnTz/Yq+9XrMz3x0NHD+KBDrDjtgP9aNeVorpf5qaSMru0sjUhsWwd1WlXz0glGPfMhBtqVtMvqAk6R+pR+SwFnU2pBMb0H",
            Scheme::SaltedDigest,
        ),
        ("{crypt}$1$No$UfJJcC8n9POcXgY2TY7FR.", Scheme::Md5Crypt),
        ("{crypt}$5$gm$NPUG77gMC6/fAr440HzUgvWbfIVuQK4RTD0QZ7HcZG8", Scheme::ShaCrypt),
        (
            "{crypt}$6$X8$GFbcFUSpPXJ/Xhgj5WLeAcjDlPl2L8vta9M02wiWMoatKbtKPdIF0I/ei/.0TPcfTsf2nPNwVs9e4/INQJc/k0",
            Scheme::ShaCrypt,
        ),
        (
            "{PBKDF2_SHA256}AAAgAGy8Sbp+PCfUtFN6Apb70Po3/UidDlH19QNMFNx3sIB1iyg6ow4pNUCelSDvDa8a5slY6a/6df6V3PK1XYmqWhnn0nUeuMAP04Jzyey06l6XyCjSm23ehBp+sSRDOZnM4lAgjnarEffG/t5kKHrl8hko+zU3LaF0YA9kPr81Ajtogdg47rISeepQtNPbN7L7DJIPfk56vHUt1eJk3JwdeNh5fRxIWUWqiWscyeRmeAIScS3vIfiypi0tOvkVQFBbKPu5Z10VhAXryhMMgwlKxfRkKxZqMAXwSQgy001FFZvMChZjoFV9ntxrJxnrQcOe1j5UQwldW2SZdA/Gne6hJ8Fom9zffUxMRe3Yya+bGEcYEEUbWChxBL033a/3vCX7pnUxhh1k/slkow9SHBGNyHwZdnxxSsCG+C/onMVmlV+E",
            Scheme::Pbkdf2,
        ),
        ("{PBKDF2-SHA1}10000$KR9Li1zJUdy29aQ6RxlUHkszr1Y8PIDv$BmLogRCAcKoGe/4P9QeMqia1s/c=", Scheme::Pbkdf2),
        (
            "{PBKDF2-SHA256}10000$ES1UdeMNpkSa8WEcf0538xArKgoroCnf$dMyUJ2KXYfFS7J3XGA9VALTPtPwi2O7sRZSC17hKNSk=",
            Scheme::Pbkdf2,
        ),
        (
            "{PBKDF2-SHA512}10000$GNS6v2B9PZxeuIp7b+lUcYbW5sykHjVO$Qrj40uuNK7BE/9JEsIJQxhgS8tcEGHYd9PVDLUe+XwYJb4OShS0Fj2FFQ0GkAUG7zjox9iI8GNDvPus7agIlxA==",
            Scheme::Pbkdf2,
        ),
        ("{PKCS5S2}AAECAwQFBgcICQoLDA0OD8O7V+ZxDKCL9nOaS+G4edWKL3+dAn80P9ezRVfqT6er", Scheme::Pbkdf2),
        ("{PKCS5S2}PweAsNZ6z5kz5rxXilEKge+IwgQBw3zXqmWeylMCmKyqA+LpCcc0BTz/M9zXHIKP", Scheme::Pbkdf2),
        ("pbkdf2_sha256$20000$Qkz1tVbIfe3p$MRMCr0m4IEg/x2Uuilx0PD5qlrBl/EWQq7Qw3XYPY7k=", Scheme::Pbkdf2),
        ("pbkdf2_sha256$20000$t034tXSzDy6L$w+DVeDXTNEPAzPVpTcn30zM3TywpF3s607cDQWJPwJM=", Scheme::Pbkdf2),
        ("pbkdf2_sha1$20000$1NiCxsU2I6ei$D+L+XPSxGN40Bk0gCJ9yEdw14Z4=", Scheme::Pbkdf2),
        ("{BCRYPT}$2b$05$knPPULxxiaPhed2dAi1mLeBhSqZYAe2aJhnLXwJ84LPTnLl.2D3Wy", Scheme::Bcrypt),
        ("$2y$05$5Bp0QZ8qfawA8FsJIkCwkuhfm345ipgs/q78LH.FaPwIIVQdBoDLm", Scheme::Bcrypt),
        ("{CRYPT}$2y$05$5Bp0QZ8qfawA8FsJIkCwkuhfm345ipgs/q78LH.FaPwIIVQdBoDLm", Scheme::Bcrypt),
        ("$2b$05$3Foc5p/LJm7IGa9SGufwM.eTc3WoKzHscocYbLACwvtGBp6CRAik2", Scheme::Bcrypt),
        ("bcrypt$$2b$05$3Foc5p/LJm7IGa9SGufwM.eTc3WoKzHscocYbLACwvtGBp6CRAik2", Scheme::Bcrypt),
        (
            "{ARGON2ID}$argon2id$v=19$m=1024,t=1,p=1$aROPL2T7bF1cJocxfPLmRw$zyktV3yXEUpLXyXekttBfCr+cV69WFu7EwA2Ebsqp/4",
            Scheme::Argon2,
        ),
        (
            "$argon2id$v=19$m=1024,t=1,p=1$aROPL2T7bF1cJocxfPLmRw$zyktV3yXEUpLXyXekttBfCr+cV69WFu7EwA2Ebsqp/4",
            Scheme::Argon2,
        ),
        (
            "argon2$argon2id$v=19$m=1024,t=1,p=1$aROPL2T7bF1cJocxfPLmRw$zyktV3yXEUpLXyXekttBfCr+cV69WFu7EwA2Ebsqp/4",
            Scheme::Argon2,
        ),
        ("$1$7NJkUwSS$2n7U0fCLMPpIx44W.iV/Y/", Scheme::Md5Crypt),
        ("$5$q954RmpT5OBjuB.G$WL5TRjKEKfhogC2JNqJQFbwvMudo8XRxTuxzP8dcGjC", Scheme::ShaCrypt),
        (
            "$6$fVqreGbsK3CQ4YmW$AsY5WcH81TjUur/ZBr23tJtjSAByyXr1zgoyxs8/Tj.sjBEVRp1J/Cw96uy5Tud1ITQCtK8CSgBQdeR/dZ6R.0",
            Scheme::ShaCrypt,
        ),
        ("$y$j75$fT.4VwGNfXWLpRcFeiNgB/$R7Exkzmz8pCJlq89MFdyMKJCkprGIb4PQAw8frtKmV.", Scheme::Yescrypt),
    ];

    const CHEAP: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };

    #[test]
    fn a_fast_hash_of_another_server_is_wrapped_and_matches_what_it_did_and_nothing_else() {
        for (value, scheme) in FIXTURES {
            let wrapped = StoredPassword::new(value.as_bytes()).wrap(CHEAP, &Zeros);
            let slow = matches!(scheme, Scheme::Argon2 | Scheme::Bcrypt | Scheme::Yescrypt);
            assert_eq!(wrapped.is_none(), slow, "{value}");
            let Some(wrapped) = wrapped else { continue };
            assert_eq!((wrapped.scheme(), wrapped.effort()), (Scheme::Wrapped, Effort::Heavy), "{value}");
            assert!(wrapped.verify(&Secret::new("secret")), "{value}");
            assert!(!wrapped.verify(&Secret::new("Secret")) && !wrapped.verify(&Secret::new("")), "{value}");
            assert!(
                !wrapped.verify(&Secret::new(*value)) && !wrapped.verify(&Secret::new(wrapped.expose())),
                "{value}"
            );
            assert!(StoredPassword::is_prehashed(wrapped.expose()));
            assert!(wrapped.wrap(CHEAP, &Zeros).is_none(), "once is enough");
            for wanted in [NewScheme::Argon2id(CHEAP), NewScheme::Ssha512, NewScheme::Ssha] {
                assert!(wrapped.is_outdated(wanted), "{value}");
            }
            // Nothing of the old digest is left in it; Atlassian alone has the salt in front of it.
            let old = value.rsplit(['$', '}', ':']).next().unwrap();
            let digest = if value.starts_with("{PKCS5S2}") { &old[24..] } else { &old[..16] };
            assert!(!String::from_utf8_lossy(wrapped.expose()).contains(digest), "{value}");
        }
    }

    /// Made by Python's hashlib and argon2-cffi.
    #[test]
    fn what_others_have_wrapped_is_verified() {
        for value in [
            "{ARGON2-WRAP}{SSHA}c2FsdA==|$argon2id$v=19$m=64,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$l+jrJiqH9HsXyYzxY/GICYgQr+NSiwnG5BML8WCmNiQ",
            "{ARGON2-WRAP}{PBKDF2-SHA256}1000$c2FsdHNhbHQ=$32|$argon2id$v=19$m=64,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$woDGIFCGi4lVhCPTodBpv41nhHz/KMNb0gyfIMUK3cc",
        ] {
            assert!(verify(value, "secret") && !verify(value, "Secret") && !verify(value, value), "{value}");
        }
    }

    #[test]
    fn what_cannot_be_verified_or_is_slow_itself_is_not_wrapped() {
        for value in [
            "secret",
            "{CLEAR}secret",
            "{SSHA}AAAA",
            "{SASL}user",
            "{CRYPT}!",
            "{CRYPT}$1$",
            "{PBKDF2-SHA512}210000$c2FsdHNhbHQ$c2FsdHNhbHRzYWx0c2FsdHNhbHQ",
            "{CRYPT}$5$rounds=200000$q954RmpT5OBjuB.G$WL5TRjKEKfhogC2JNqJQFbwvMudo8XRxTuxzP8dcGjC",
        ] {
            assert!(StoredPassword::new(value.as_bytes()).wrap(CHEAP, &Zeros).is_none(), "{value}");
        }
    }

    #[test]
    fn a_scheme_is_named_as_it_is() {
        for (value, name) in [
            (
                "{ARGON2}$argon2id$v=19$m=1024,t=2,p=1$c2FsdHNhbHQ$5n+dqKA654HpeA9ZUkM9fgOil+sHaLHsKpxAaxMk/T4",
                "argon2id",
            ),
            ("{ARGON2}$argon2i$m=1024,t=2,p=1$c2FsdHNhbHQ$UIdIiYbNWj1zBpBRiybtBPjo5rPy4bhehAFaS1cyJME", "argon2i"),
            ("{ssha}/OGEpRm7XwEalwJWGyxExca0swmjTO7Q", "ssha"),
            ("{MD5}Xr4ilOzQ4PCOq3aQ0qbuaQ==", "md5"),
            (
                "{SHA512}vSsar3708Jvp9Szi2NWZZ02Bqp1qRCFpbcTZPdBhnWgs5WtNZKnvCXdhztmeD2cmW192CF5bDufKRpayrW/isg==",
                "sha512",
            ),
            ("{PBKDF2}10000$RVb3jWX.JZrCKNjoxLVTjQ$ECg2bRElc5GG8ePnxK4qP162aZc", "pbkdf2"),
            ("{CRYPT}$1$7NJkUwSS$2n7U0fCLMPpIx44W.iV/Y/", "md5-crypt"),
            ("{CRYPT}$5$q954RmpT5OBjuB.G$WL5TRjKEKfhogC2JNqJQFbwvMudo8XRxTuxzP8dcGjC", "sha256-crypt"),
            (
                "$6$fVqreGbsK3CQ4YmW$AsY5WcH81TjUur/ZBr23tJtjSAByyXr1zgoyxs8/Tj.sjBEVRp1J/Cw96uy5Tud1ITQCtK8CSgBQdeR/dZ6R.0",
                "sha512-crypt",
            ),
            ("{CRYPT}$2b$05$knPPULxxiaPhed2dAi1mLeBhSqZYAe2aJhnLXwJ84LPTnLl.2D3Wy", "bcrypt"),
            ("a password", "clear"),
            ("{CRYPT}!", "unusable"),
        ] {
            assert_eq!(StoredPassword::new(value.as_bytes()).name(), name, "{value}");
        }
    }

    #[test]
    fn a_wrapped_value_says_what_is_in_it() {
        let kind = |value: &str| StoredPassword::new(value.as_bytes()).wrap(CHEAP, &Zeros).unwrap().kind();
        assert_eq!(kind("{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="), "sha in argon2id m=64,t=1,p=1");
        assert_eq!(kind("$1$7NJkUwSS$2n7U0fCLMPpIx44W.iV/Y/"), "md5-crypt in argon2id m=64,t=1,p=1");
        let value = StoredPassword::new(b"{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=").wrap(CHEAP, &Zeros).unwrap();
        let text = String::from_utf8_lossy(value.expose()).into_owned();
        assert!(text.starts_with("{ARGON2-WRAP}{SHA}|$argon2id$v=19$m=64,t=1,p=1$"), "{text}");
    }

    #[test]
    fn malformed_and_absurd_wrapped_values_never_match() {
        let inner = "$argon2id$v=19$m=64,t=1,p=1$BwcHBwcHBwcHBwcHBwcHBw$aGFzaGhhc2hoYXNoaGFzaA";
        for value in [
            "{ARGON2-WRAP}".to_owned(),
            "{ARGON2-WRAP}|".to_owned(),
            "{ARGON2-WRAP}{SSHA}|".to_owned(),
            format!("{{ARGON2-WRAP}}{inner}"),
            format!("{{ARGON2-WRAP}}|{inner}"),
            format!("{{ARGON2-WRAP}}{{SSHA}}|{inner}"),
            format!("{{ARGON2-WRAP}}{{SHA}}AAAA|{inner}"),
            format!("{{ARGON2-WRAP}}{{SSHA}}!!|{inner}"),
            format!("{{ARGON2-WRAP}}{{CLEAR}}|{inner}"),
            format!("{{ARGON2-WRAP}}{{ARGON2-WRAP}}{{SHA}}|{inner}|{inner}"),
            format!("{{ARGON2-WRAP}}{{CRYPT}}|{inner}"),
            format!("{{ARGON2-WRAP}}{{CRYPT}}$1$saltsalts|{inner}"),
            format!("{{ARGON2-WRAP}}{{CRYPT}}$6$rounds=999999999$salt|{inner}"),
            format!("{{ARGON2-WRAP}}{{CRYPT}}$6$rounds=0$salt|{inner}"),
            format!("{{ARGON2-WRAP}}{{PBKDF2-SHA1}}2147483647$c2FsdA==$20|{inner}"),
            format!("{{ARGON2-WRAP}}{{PBKDF2-SHA1}}0$c2FsdA==$20|{inner}"),
            format!("{{ARGON2-WRAP}}{{PBKDF2-SHA1}}1$c2FsdA==$4294967296|{inner}"),
            "{ARGON2-WRAP}{SHA}|$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo".to_owned(),
            "{ARGON2-WRAP}{SHA}|$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo".to_owned(),
        ] {
            assert_eq!(StoredPassword::new(value.as_bytes()).scheme(), Scheme::Unusable, "{value}");
            assert!(StoredPassword::is_prehashed(value.as_bytes()), "{value}");
            for password in ["", "secret", value.as_str()] {
                assert!(!verify(&value, password), "{value} {password}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// The twin of a wrapped value is the value.
        #[test]
        fn a_wrapped_value_verifies_what_the_value_does(
            password in "[a-c\u{308}é$]{0,6}", guess in "[a-c\u{308}é$]{0,6}", octets in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let stored = StoredPassword::create(&Secret::new(password.as_str()), NewScheme::Ssha, &Zeros);
            let wrapped = stored.wrap(CHEAP, &Zeros).unwrap();
            for guess in [Secret::new(guess.as_str()), Secret::new(password.as_str()), Secret::new(octets)] {
                prop_assert_eq!(wrapped.verify(&guess), stored.verify(&guess));
            }
        }

        #[test]
        fn no_wrapped_value_makes_trouble(old in "[A-Z0-9{}$=/|:-]{0,40}", at in 0_usize..120, octet in any::<char>()) {
            let good = StoredPassword::new(b"{SSHA}/OGEpRm7XwEalwJWGyxExca0swmjTO7Q").wrap(CHEAP, &Zeros).unwrap();
            let mut text = String::from_utf8(good.expose().to_vec()).unwrap();
            let behind = text.split_once('|').unwrap().1.to_owned();
            let other = format!("{{ARGON2-WRAP}}{old}|{behind}");
            prop_assert!(!verify(&other, "secret"), "{}", other);
            // One that is changed within the cost may be slow to tell; the cost is bounded elsewhere.
            let at = at % text.len();
            let in_cost = text.find("$m=").unwrap()..text.find("p=1$").unwrap() + 4;
            prop_assume!(!in_cost.contains(&at) && !octet.eq_ignore_ascii_case(&text[at..].chars().next().unwrap()));
            text.replace_range(at..=at, octet.encode_utf8(&mut [0; 4]));
            prop_assert!(!verify(&text, "secret"), "{}", text);
        }
    }

    #[test]
    fn what_real_tools_have_hashed_is_verified() {
        for (value, scheme) in FIXTURES {
            assert_eq!(StoredPassword::new(value.as_bytes()).scheme(), *scheme, "{value}");
            assert!(verify(value, "secret"), "{value}");
            assert!(!verify(value, "Secret"), "{value}");
            assert!(!verify(value, ""), "{value}");
            assert!(StoredPassword::is_prehashed(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn what_was_created_is_verified() {
        let cheap = NewScheme::Argon2id(Cost { memory_kib: 64, passes: 1, lanes: 1 });
        for scheme in [cheap, NewScheme::Ssha512, NewScheme::Ssha] {
            let stored = StoredPassword::create(&Secret::new("pa\u{308}ss"), scheme, &Zeros);
            assert!(stored.verify(&Secret::new("pa\u{308}ss")) && stored.verify(&Secret::new("päss")));
            assert!(!stored.verify(&Secret::new("pass")));
            assert!(!stored.is_outdated(scheme));
        }
    }

    #[test]
    fn malformed_locked_and_absurd_values_never_match() {
        for value in [
            "",
            "{CRYPT}!",
            "{CRYPT}*",
            "{CRYPT}",
            "{CRYPT}!$6$saltsalt$abc",
            "{CRYPT}$6$saltsalt$",
            "{CRYPT}$6$rounds=999999999$saltsalt$abcdef",
            "{CRYPT}$2b$31$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzabcdefghijk",
            "{CRYPT}$y$jzzzzzz$abc$def",
            "{CRYPT}$1$",
            "{SSHA}",
            "{SSHA}AAAA",
            "{SSHA}!!!!",
            "{SHA}AAAA",
            "{SMD5}AAA",
            "{ARGON2}",
            "{ARGON2}$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo",
            "{ARGON2}$argon2id$v=19$m=19456,t=4000000,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo",
            "{PBKDF2-SHA256}2147483647$c2FsdA$aGFzaA",
            "{PBKDF2-SHA256}0$c2FsdA$aGFzaA",
            "{PBKDF2_SHA256}AAAA",
            "{SASL}user@realm",
            "{NS-MTA-MD5}abc",
        ] {
            for password in ["", "!", "*", "secret", value] {
                let clear_empty = value.is_empty() && password.is_empty();
                assert!(clear_empty || !verify(value, password), "{value:?} {password:?}");
            }
        }
    }

    #[test]
    fn clear_text_and_what_only_looks_like_a_scheme_are_passwords() {
        assert!(verify("secret", "secret") && verify("{CLEAR}secret", "secret") && !verify("secret", "Secret"));
        assert!(verify("{hello} world", "{hello} world") && verify("{", "{"));
        assert!(!StoredPassword::is_prehashed(b"{hello} world") && StoredPassword::is_prehashed(b"{SASL}x"));
    }

    #[test]
    fn clear_text_is_without_the_name_of_its_scheme() {
        let clear = |value: &str| StoredPassword::new(value.as_bytes()).clear_text();
        for value in ["secret", "{CLEAR}secret", "{cleartext}secret"] {
            assert_eq!(clear(value), Some(Secret::new("secret")), "{value}");
        }
        assert_eq!(clear("{hello} world"), Some(Secret::new("{hello} world")));
        assert!(FIXTURES.iter().all(|(value, _)| clear(value).is_none()) && clear("{SASL}user").is_none());
    }

    #[test]
    fn old_schemes_and_lower_costs_are_outdated() {
        let wanted = NewScheme::Argon2id(Cost { memory_kib: 128, passes: 2, lanes: 1 });
        let outdated = |value: &StoredPassword| value.is_outdated(wanted);
        let create = |memory_kib, passes| {
            let scheme = NewScheme::Argon2id(Cost { memory_kib, passes, lanes: 1 });
            StoredPassword::create(&Secret::new("x"), scheme, &Zeros)
        };
        assert!(outdated(&StoredPassword::new(b"{SSHA}abc")) && outdated(&create(64, 2)) && outdated(&create(128, 1)));
        assert!(!outdated(&create(128, 2)) && !outdated(&create(256, 3)));
        let renewed = |value: &[u8]| StoredPassword::new(value).is_renewed_by_bind(wanted);
        assert!(renewed(b"clear") && !renewed(b"{CRYPT}!") && !renewed(b"{CRYPT}*"));
    }

    #[test]
    fn neither_hash_nor_clear_text_is_printed() {
        let printed = format!("{:?}", StoredPassword::new(b"secret"));
        assert_eq!(printed, "StoredPassword(Clear, ..)");
    }
}
