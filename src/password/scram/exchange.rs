//! One attempt, between the first and the last message of a client (RFC 5802 §3).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::message::ClientFinal;
use super::{ClientFirst, Hash, ScramFault, ScramKeys, hmac};
use crate::directory::Randomness;
use crate::password::Secret;

/// An attempt that the client has begun and the server has answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exchange {
    gs2_header: String,
    client_first_bare: String,
    server_first: String,
    nonce: String,
}

/// What a client has said to prove that it knows the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Proof {
    /// `AuthMessage`: everything that was said, but for the proof.
    said: String,
    proof: Secret,
}

/// Octets of the server's part of the nonce.
const NONCE: usize = 18;

impl Exchange {
    /// Answers the first message of a client with the salt and the count of some keys.
    pub fn begin(first: &ClientFirst, keys: &ScramKeys, random: &dyn Randomness) -> Self {
        let mut drawn = [0; NONCE];
        random.fill(&mut drawn);
        Self::with_nonce(first, keys, &STANDARD.encode(drawn))
    }

    pub(super) fn with_nonce(first: &ClientFirst, keys: &ScramKeys, own: &str) -> Self {
        let nonce = format!("{}{own}", first.nonce);
        let server_first = format!("r={nonce},s={},i={}", STANDARD.encode(keys.salt()), keys.iterations());
        Self { gs2_header: first.gs2_header.clone(), client_first_bare: first.bare.clone(), server_first, nonce }
    }

    /// What the server says to that.
    pub fn server_first(&self) -> &str {
        &self.server_first
    }

    /// Reads the last message of the client. `channel` is the data of the channel binding that it has named, or nothing.
    pub fn finish(&self, message: &[u8], channel: &[u8]) -> Result<Proof, ScramFault> {
        let last = ClientFinal::read(message)?;
        if last.nonce != self.nonce {
            return Err(ScramFault::OtherNonce);
        }
        if last.channel_binding != [self.gs2_header.as_bytes(), channel].concat() {
            return Err(ScramFault::OtherChannel);
        }
        let said = format!("{},{},{}", self.client_first_bare, self.server_first, last.without_proof);
        Ok(Proof { said, proof: Secret::new(last.proof) })
    }
}

impl Proof {
    /// What was sent in the place of a password, to be counted if it is wrong. No two attempts send the same.
    pub const fn sent(&self) -> &Secret {
        &self.proof
    }

    /// Whether whoever has said this knows the password of the keys.
    pub fn is_by(&self, keys: &ScramKeys) -> bool {
        let signature = hmac(&keys.stored_key, &[self.said.as_bytes()]);
        let Ok(proof) = <&Hash>::try_from(self.proof.expose()) else { return false };
        let client_key: Vec<u8> = proof.iter().zip(signature.iter()).map(|(one, other)| one ^ other).collect();
        let hash: Hash = Sha256::digest(Secret::new(client_key).expose()).into();
        hash.ct_eq(&*keys.stored_key).into()
    }

    /// What the server says last: by it the client knows that it has talked to one that has the keys.
    pub fn server_final(&self, keys: &ScramKeys) -> Vec<u8> {
        let signature = hmac(&keys.server_key, &[self.said.as_bytes()]);
        format!("v={}", STANDARD.encode(signature.as_slice())).into_bytes()
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof(..)")
    }
}
