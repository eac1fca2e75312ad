//! The other end of SCRAM-SHA-256 (RFC 5802 §3), written from the RFC.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// A client that has said its first words.
pub struct ScramClient {
    gs2_header: String,
    bare: String,
}

impl ScramClient {
    /// `gs2_header` is `n,,`, for instance.
    pub fn new(gs2_header: &str, name: &str) -> Self {
        let name = name.replace('=', "=3D").replace(',', "=2C");
        Self { gs2_header: gs2_header.to_owned(), bare: format!("n={name},r=fyko+d2lbbFgONRv9qkxdawL") }
    }

    /// What it says first.
    pub fn first(&self) -> Vec<u8> {
        format!("{}{}", self.gs2_header, self.bare).into_bytes()
    }

    /// What it says when the server has answered, and what the server is to say then.
    pub fn last(&self, server_first: &[u8], password: &str, channel: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let server_first = std::str::from_utf8(server_first).unwrap();
        let field = |name: &str| server_first.split(',').find_map(|field| field.strip_prefix(name)).unwrap();
        let (salt, iterations) = (STANDARD.decode(field("s=")).unwrap(), field("i=").parse().unwrap());
        let mut salted = [0; 32];
        pbkdf2::pbkdf2_hmac::<Sha256>(password.as_bytes(), &salt, iterations, &mut salted);
        let client_key = hmac(&salted, b"Client Key");
        let stored_key = Sha256::digest(&client_key);
        let binding = STANDARD.encode([self.gs2_header.as_bytes(), channel].concat());
        let without_proof = format!("c={binding},r={}", field("r="));
        let said = format!("{},{server_first},{without_proof}", self.bare);
        let signature = hmac(&stored_key, said.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(&signature).map(|(one, other)| one ^ other).collect();
        let server_signature = hmac(&hmac(&salted, b"Server Key"), said.as_bytes());
        let last = format!("{without_proof},p={}", STANDARD.encode(proof));
        (last.into_bytes(), format!("v={}", STANDARD.encode(server_signature)).into_bytes())
    }
}

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}
