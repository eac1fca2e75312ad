//! Randomness as an argument: who plans an operation has none of their own.

/// A source of random octets.
pub trait Randomness {
    /// Fills `octets` with octets that nobody can foretell.
    fn fill(&self, octets: &mut [u8]);
}
