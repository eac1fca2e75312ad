//! Randomness from the operating system.

use crate::directory::Randomness;

/// The operating system's generator.
#[derive(Clone, Copy, Debug)]
pub struct SystemRandom;

impl Randomness for SystemRandom {
    fn fill(&self, octets: &mut [u8]) {
        // Without randomness there are no salts and no passwords: nothing sensible can go on.
        #[expect(clippy::expect_used, reason = "the operating system's generator does not fail once it has begun")]
        getrandom::fill(octets).expect("the operating system has no randomness");
    }
}
