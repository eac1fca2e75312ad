//! SCRAM-SHA-256 as the server has it (RFC 5802, RFC 7677): a client proves that it knows a password without sending it.
//!
//! [`keys`] is what is kept of a password for that, [`message`] what a client says, and an [`Exchange`] one attempt between
//! its first and its last word. Nothing here hashes a password but the making of keys: a proof costs a few HMACs.

mod exchange;
mod keys;
mod message;

pub use exchange::{Exchange, Proof};
pub use keys::{LEAST_ITERATIONS, MOST_ITERATIONS, ScramKeys};
pub use message::{ClientFirst, Gs2Flag, ScramFault};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// What SHA-256 makes.
type Hash = [u8; 32];

/// HMAC-SHA-256 of some pieces in a row. A key that is shorter than a block is filled up with zeros (RFC 2104 §2).
fn hmac(key: &Hash, pieces: &[&[u8]]) -> Zeroizing<Hash> {
    let mut block = Zeroizing::new([0; 64]);
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let mut mac = Hmac::<Sha256>::new(&(*block).into());
    for piece in pieces {
        mac.update(piece);
    }
    Zeroizing::new(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests;
