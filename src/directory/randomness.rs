//! Randomness as an argument: who plans an operation has none of their own.

use uuid::Uuid;

/// A source of random octets.
pub trait Randomness {
    /// Fills `octets` with octets that nobody can foretell.
    fn fill(&self, octets: &mut [u8]);

    /// A UUID that nothing else has (RFC 9562 §5.4).
    fn new_uuid(&self) -> Uuid {
        let mut octets = [0; 16];
        self.fill(&mut octets);
        uuid::Builder::from_random_bytes(octets).into_uuid()
    }
}
