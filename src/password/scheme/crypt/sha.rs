//! The digests in `$5$` and `$6$` hashes, apart from the hashes.

use mcf::Base64;
use sha_crypt::{Params, sha256_crypt, sha512_crypt};

use super::MAX_SHA_ROUNDS;

/// What it takes to compute a digest: `$6$rounds=5000$SALT`.
struct Setting<'t> {
    function: Function,
    rounds: u32,
    salt: &'t str,
}

#[derive(Clone, Copy)]
enum Function {
    Sha256,
    Sha512,
}

/// The digest in a hash, if that has fewer than `enough` rounds.
pub(super) fn digest_of_fast(setting: &str, hash: &str, enough: u32) -> Option<Vec<u8>> {
    let setting = Setting::parse(setting)?;
    let digest = Base64::Crypt.decode_vec(hash).ok()?;
    (setting.rounds < enough && digest.len() == setting.function.len()).then_some(digest)
}

/// The rounds of a hash.
pub(super) fn rounds(text: &str) -> Option<u32> {
    let (setting, _) = text.rsplit_once('$')?;
    Setting::parse(setting).map(|setting| setting.rounds)
}

pub(super) fn is_setting(setting: &str) -> bool {
    Setting::parse(setting).is_some()
}

/// The digest of a password, its octets in the order in which `crypt` writes them.
pub(super) fn compute(setting: &str, password: &[u8]) -> Option<Vec<u8>> {
    let Setting { function, rounds, salt } = Setting::parse(setting)?;
    let params = Params::new(rounds).ok()?;
    let digest = match function {
        Function::Sha256 => sha256_crypt(password, salt.as_bytes(), params).to_vec(),
        Function::Sha512 => sha512_crypt(password, salt.as_bytes(), params).to_vec(),
    };
    Some(function.order().into_iter().filter_map(|index| digest.get(index)).copied().collect())
}

impl<'t> Setting<'t> {
    fn parse(text: &'t str) -> Option<Self> {
        let (function, rest) = match text.strip_prefix("$5$") {
            Some(rest) => (Function::Sha256, rest),
            None => (Function::Sha512, text.strip_prefix("$6$")?),
        };
        let (rounds, salt) = match rest.split_once('$') {
            Some((rounds, salt)) => (rounds.strip_prefix("rounds=")?.parse().ok()?, salt),
            None => (Params::RECOMMENDED_ROUNDS, rest),
        };
        let is_sane = (Params::ROUNDS_MIN..=MAX_SHA_ROUNDS).contains(&rounds) && !salt.contains('$');
        is_sane.then_some(Self { function, rounds, salt })
    }
}

impl Function {
    const fn len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// Three octets at a time, one from each third of the digest, and with each step the thirds change places.
    fn order(self) -> Vec<usize> {
        let third = self.len() / 3;
        let thirds = move |step: usize| match self {
            Self::Sha256 => [[2, 1, 0], [1, 0, 2], [0, 2, 1]].into_iter().cycle().nth(step % 3),
            Self::Sha512 => [[2, 1, 0], [0, 2, 1], [1, 0, 2]].into_iter().cycle().nth(step % 3),
        };
        let steps = (0..third).flat_map(|step| thirds(step).unwrap_or_default().map(|place| place * third + step));
        steps.chain(3 * third..self.len()).collect()
    }
}
