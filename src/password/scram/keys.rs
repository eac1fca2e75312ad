//! What is kept of a password for SCRAM (RFC 5802 §3): salt, iteration count, `StoredKey` and `ServerKey`.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{Hash, hmac};
use crate::directory::Randomness;
use crate::password::{Secret, prepare};

/// The iterations that every server must ask for at least (RFC 7677 §4).
pub const LEAST_ITERATIONS: u32 = 4_096;
/// More than anybody asks for, and still below a second.
pub const MOST_ITERATIONS: u32 = 2_000_000;

const SALT: usize = 16;
const LONGEST_SALT: usize = 64;
const SCHEME: &str = "SCRAM-SHA-256";

/// The keys of a password. Whoever has them can guess it, at the price of the iterations for each guess, and can pretend to
/// be this server: they are as secret as a hash, and cheaper to try.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramKeys {
    salt: Vec<u8>,
    iterations: u32,
    pub(super) stored_key: Zeroizing<Hash>,
    pub(super) server_key: Zeroizing<Hash>,
}

impl ScramKeys {
    /// Makes the keys of a password; none of one that is not text, which no client can prepare.
    pub fn make(password: &Secret, iterations: u32, random: &dyn Randomness) -> Option<Self> {
        let mut salt = vec![0; SALT];
        random.fill(&mut salt);
        Self::of(password, salt, iterations)
    }

    pub(super) fn of(password: &Secret, salt: Vec<u8>, iterations: u32) -> Option<Self> {
        let prepared = prepare::saslprep(password)?;
        let mut salted: Zeroizing<Hash> = Zeroizing::default();
        pbkdf2::pbkdf2_hmac::<Sha256>(prepared.expose(), &salt, iterations, salted.as_mut_slice());
        let client_key = hmac(&salted, &[b"Client Key"]);
        let stored_key = Zeroizing::new(Sha256::digest(client_key.as_slice()).into());
        let server_key = hmac(&salted, &[b"Server Key"]);
        Some(Self { salt, iterations, stored_key, server_key })
    }

    /// What a name seems to have that has no keys: the same salt whenever it is asked for, and keys that no password has.
    /// `secret` is known to the server only; without it, nobody can tell such a salt from one that was drawn.
    pub fn of_nobody(secret: &[u8; 32], name: &[u8], iterations: u32) -> Self {
        let part = |which: &[u8]| hmac(secret, &[which, name]);
        let salt = part(b"salt ").iter().copied().take(SALT).collect();
        Self { salt, iterations, stored_key: part(b"stored "), server_key: part(b"server ") }
    }

    /// The salt.
    pub fn salt(&self) -> &[u8] {
        &self.salt
    }

    /// How often a client is to hash the password.
    pub const fn iterations(&self) -> u32 {
        self.iterations
    }

    /// Reads a value as [`to_value`](Self::to_value) writes it; `None` if it is none.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let rest = std::str::from_utf8(value).ok()?.strip_prefix(SCHEME)?.strip_prefix('$')?;
        let (info, keys) = rest.split_once('$')?;
        let ((iterations, salt), (stored, server)) = (info.split_once(':')?, keys.split_once(':')?);
        let key = |text: &str| -> Option<Zeroizing<Hash>> {
            let octets = Zeroizing::new(STANDARD.decode(text).ok()?);
            octets.as_slice().try_into().ok().map(Zeroizing::new)
        };
        let (iterations, salt) = (iterations.parse().ok()?, STANDARD.decode(salt).ok()?);
        let is_sane = (1..=MOST_ITERATIONS).contains(&iterations) && (1..=LONGEST_SALT).contains(&salt.len());
        let keys = Self { salt, iterations, stored_key: key(stored)?, server_key: key(server)? };
        is_sane.then_some(keys)
    }

    /// The form of RFC 5803: `SCRAM-SHA-256$ITERATIONS:SALT$STOREDKEY:SERVERKEY`, in base64.
    pub fn to_value(&self) -> Vec<u8> {
        let [salt, stored, server] =
            [&self.salt, self.stored_key.as_slice(), self.server_key.as_slice()].map(|octets| STANDARD.encode(octets));
        format!("{SCHEME}${}:{salt}${stored}:{server}", self.iterations).into_bytes()
    }
}

impl fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScramKeys({}, ..)", self.iterations)
    }
}
