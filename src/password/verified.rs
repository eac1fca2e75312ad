//! Passwords that were right a moment ago: for service accounts that bind a thousand times a second, so that not each of
//! these costs a heavy hash.
//!
//! Off unless a policy says otherwise. What is kept is a digest under a key that only this process knows, in memory, for a
//! short time, and it holds for one version of the entry and of its credentials. It saves the hash and nothing else: locks,
//! expiry and everything that may be wrong with an account are looked at as ever. It is asked only whether a password is
//! right, so it tells by its time no more than the answer does.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::directory::Timestamp;
use crate::directory::tree::Version;

use super::Secret;

const SHARDS: usize = 16;
/// Accounts that are remembered at once, per shard.
const SHARD_CAPACITY: usize = 256;

/// Passwords that were right a moment ago.
pub struct VerifiedPasswords {
    /// Known to this process only.
    mac: Hmac<Sha256>,
    shards: [Mutex<HashMap<Uuid, Verified>>; SHARDS],
}

/// What a password was verified against.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Against {
    /// The entry.
    pub uuid: Uuid,
    /// Its version.
    pub entry: Version,
    /// The version of its credentials.
    pub credentials: Version,
}

struct Verified {
    against: Against,
    digest: [u8; 32],
    until: Timestamp,
}

impl VerifiedPasswords {
    /// Nothing yet. `key` is random and told to nobody.
    pub fn new(key: &[u8; 16]) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104 §2)")]
        let mac = Hmac::new_from_slice(key).expect("a key of any length");
        Self { mac, shards: std::array::from_fn(|_| Mutex::default()) }
    }

    /// Remembers that the password was right, for so long.
    pub fn remember(&self, against: Against, password: &Secret, life: Duration, now: Timestamp) {
        let verified = Verified { against, digest: self.digest(against, password), until: now.saturating_add(life) };
        let mut shard = self.shard(against.uuid);
        make_room(&mut shard, against.uuid, now);
        shard.insert(against.uuid, verified);
    }

    /// Whether the password was right a moment ago, and nothing has changed since.
    pub fn contains(&self, against: Against, password: &Secret, now: Timestamp) -> bool {
        let shard = self.shard(against.uuid);
        let known = shard.get(&against.uuid).filter(|known| known.against == against && now < known.until);
        let Some(digest) = known.map(|known| known.digest) else { return false };
        drop(shard);
        self.digest(against, password).ct_eq(&digest).into()
    }

    fn digest(&self, against: Against, password: &Secret) -> [u8; 32] {
        let mut mac = self.mac.clone();
        mac.update(against.uuid.as_bytes());
        mac.update(&against.credentials.to_be_bytes());
        mac.update(password.expose());
        mac.finalize().into_bytes().into()
    }

    fn shard(&self, uuid: Uuid) -> MutexGuard<'_, HashMap<Uuid, Verified>> {
        let shard = usize::try_from(uuid.as_u64_pair().1 % SHARDS as u64).unwrap_or(0);
        #[expect(clippy::indexing_slicing, reason = "the remainder of a division by the length")]
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes room for one more: what has ended goes, or else what ends first.
fn make_room(shard: &mut HashMap<Uuid, Verified>, uuid: Uuid, now: Timestamp) {
    if shard.len() < SHARD_CAPACITY || shard.contains_key(&uuid) {
        return;
    }
    shard.retain(|_, verified| now < verified.until);
    if shard.len() >= SHARD_CAPACITY {
        let first = shard.iter().min_by_key(|(_, verified)| verified.until).map(|(uuid, _)| *uuid);
        first.and_then(|first| shard.remove(&first));
    }
}

impl fmt::Debug for VerifiedPasswords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifiedPasswords(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(60);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_micros(seconds * 1_000_000)
    }

    fn alice() -> Against {
        Against { uuid: Uuid::from_u128(7), entry: 3, credentials: 5 }
    }

    #[test]
    fn a_password_is_known_for_its_time_and_no_other_is() {
        let verified = VerifiedPasswords::new(&[1; 16]);
        verified.remember(alice(), &Secret::new("right"), LIFE, at(0));
        assert!(verified.contains(alice(), &Secret::new("right"), at(59)));
        assert!(!verified.contains(alice(), &Secret::new("right"), at(60)));
        for wrong in ["", "Right", "right ", "wrong"] {
            assert!(!verified.contains(alice(), &Secret::new(wrong), at(0)), "{wrong}");
        }
    }

    #[test]
    fn whatever_changes_ends_it() {
        let verified = VerifiedPasswords::new(&[1; 16]);
        verified.remember(alice(), &Secret::new("right"), LIFE, at(0));
        for changed in [
            Against { uuid: Uuid::from_u128(8), ..alice() },
            Against { entry: 4, ..alice() },
            Against { credentials: 6, ..alice() },
        ] {
            assert!(!verified.contains(changed, &Secret::new("right"), at(0)), "{changed:?}");
        }
    }

    #[test]
    fn memory_is_bounded_and_the_newest_are_kept() {
        let verified = VerifiedPasswords::new(&[1; 16]);
        let account = |number| Against { uuid: Uuid::from_u128(number), ..alice() };
        for number in 0..20_000_u32 {
            verified.remember(account(number.into()), &Secret::new("x"), LIFE, at(number.into()));
        }
        let held: usize = verified.shards.iter().map(|shard| shard.lock().unwrap().len()).sum();
        assert!(held <= SHARDS * SHARD_CAPACITY, "{held}");
        assert!(verified.contains(account(19_999), &Secret::new("x"), at(19_999)));
    }

    #[test]
    fn it_shows_nothing() {
        let verified = VerifiedPasswords::new(&[1; 16]);
        verified.remember(alice(), &Secret::new("right"), LIFE, at(0));
        assert_eq!(format!("{verified:?}"), "VerifiedPasswords(..)");
    }
}
