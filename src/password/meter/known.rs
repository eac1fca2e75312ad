//! Sources from which somebody was let in lately. While others have locked the account, these may go on trying, a few
//! times.
//!
//! The bound: between two right passwords there are never more different wrong ones from a source than [`TRIES`], and while
//! an account is locked nobody else tries at all and no source becomes known, of which there are [`SOURCES`] at most. So a
//! lock lets `SOURCES * TRIES` guesses more pass than one that holds for everybody, however long it lasts and however often
//! it comes back, and none of these to whoever is not where the owner was lately.

use std::collections::HashMap;
use std::time::Duration;

use smallvec::SmallVec;
use uuid::Uuid;

use crate::directory::Timestamp;

/// Sources of one account that are known; the one that was used least lately makes room.
pub const SOURCES: usize = 8;
/// Wrong passwords that a source may try while the account is locked, until a right one comes from there.
pub const TRIES: usize = 3;
/// Accounts of which sources are known; the half that was used least lately makes room.
const CAPACITY: usize = 4_096;

/// The sources that are known of some accounts.
#[derive(Debug, Default)]
pub(super) struct KnownSources(HashMap<Uuid, SmallVec<[Known; 1]>>);

#[derive(Debug)]
struct Known {
    source: u64,
    /// When somebody was let in from there last.
    last: Timestamp,
    /// Digests of the wrong passwords since.
    wrong: SmallVec<[u64; TRIES]>,
    under_way: usize,
}

/// Whether a source may try a password though the account is locked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Admission {
    /// It may.
    Go,
    /// Not until an attempt that is under way has ended.
    Wait,
    /// It may not.
    Refused,
}

/// From when on a good bind makes a source known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Since(pub(super) Timestamp);

impl Since {
    /// So long ago, and after the password was set.
    pub(super) fn ago(age: Duration, changed: Option<Timestamp>, now: Timestamp) -> Self {
        Self(now.saturating_sub(age).max(changed.unwrap_or_default()))
    }
}

impl KnownSources {
    /// Somebody was let in from there.
    pub(super) fn let_in(&mut self, uuid: Uuid, source: u64, now: Timestamp) {
        self.make_room(uuid);
        let known = self.0.entry(uuid).or_default();
        if let Some(known) = known.iter_mut().find(|known| known.source == source) {
            known.last = known.last.max(now);
            known.wrong.clear();
            return;
        }
        if known.len() >= SOURCES {
            let oldest = known.iter().enumerate().min_by_key(|(_, known)| known.last).map(|(at, _)| at);
            oldest.map(|at| known.swap_remove(at));
        }
        known.push(Known { source, last: now, wrong: SmallVec::new(), under_way: 0 });
    }

    /// Whether anything is known of the source.
    pub(super) fn contains(&self, uuid: Uuid, source: u64) -> bool {
        self.0.get(&uuid).is_some_and(|known| known.iter().any(|known| known.source == source))
    }

    /// Announces an attempt.
    pub(super) fn begin(&mut self, uuid: Uuid, source: u64, since: Since) -> Admission {
        let Some(known) = self.find(uuid, source).filter(|known| known.last >= since.0) else {
            return Admission::Refused;
        };
        let left = TRIES.saturating_sub(known.wrong.len());
        if left == 0 {
            Admission::Refused
        } else if known.under_way >= left {
            Admission::Wait
        } else {
            known.under_way += 1;
            Admission::Go
        }
    }

    /// The password was wrong. The same again is not counted again.
    pub(super) fn fail(&mut self, uuid: Uuid, source: u64, digest: u64) {
        if let Some(known) = self.find(uuid, source).filter(|known| !known.wrong.contains(&digest)) {
            known.wrong.push(digest);
        }
    }

    /// An attempt has ended, however.
    pub(super) fn end(&mut self, uuid: Uuid, source: u64) {
        if let Some(known) = self.find(uuid, source) {
            known.under_way = known.under_way.saturating_sub(1);
        }
    }

    fn find(&mut self, uuid: Uuid, source: u64) -> Option<&mut Known> {
        self.0.get_mut(&uuid)?.iter_mut().find(|known| known.source == source)
    }

    fn make_room(&mut self, uuid: Uuid) {
        if self.0.len() < CAPACITY || self.0.contains_key(&uuid) {
            return;
        }
        let used = |known: &SmallVec<[Known; 1]>| known.iter().map(|known| known.last).max().unwrap_or_default();
        let mut times: Vec<Timestamp> = self.0.values().map(used).collect();
        let (_, median, _) = times.select_nth_unstable(CAPACITY / 2);
        let median = *median;
        self.0.retain(|_, known| used(known) > median);
    }

    #[cfg(test)]
    pub(super) fn accounts(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: Uuid = Uuid::from_u128(7);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_micros(seconds * 1_000_000)
    }

    #[test]
    fn a_source_is_known_from_a_good_bind_on_for_a_time_and_for_one_password() {
        let mut known = KnownSources::default();
        let day = Duration::from_secs(86_400);
        known.let_in(ALICE, 1, at(1_000_000));
        let mut begin = |source, changed, now| known.begin(ALICE, source, Since::ago(day, changed, at(now)));
        assert_eq!(begin(2, None, 1_000_000), Admission::Refused);
        assert_eq!(begin(1, None, 1_086_400), Admission::Go);
        assert_eq!(begin(1, None, 1_086_401), Admission::Refused);
        assert_eq!(begin(1, Some(at(1_000_000)), 1_000_001), Admission::Go);
        assert_eq!(begin(1, Some(at(1_000_001)), 1_000_001), Admission::Refused);
    }

    #[test]
    fn it_has_so_many_tries_and_a_right_password_gives_as_many_again() {
        let mut known = KnownSources::default();
        known.let_in(ALICE, 1, at(0));
        for round in 0..3 {
            for number in 0..3 {
                assert_eq!(known.begin(ALICE, 1, Since(at(0))), Admission::Go, "{round} {number}");
                // The same wrong password again counts once.
                known.fail(ALICE, 1, number);
                known.fail(ALICE, 1, number);
                known.end(ALICE, 1);
            }
            assert_eq!(known.begin(ALICE, 1, Since(at(0))), Admission::Refused);
            known.let_in(ALICE, 1, at(round));
        }
    }

    #[test]
    fn attempts_under_way_are_counted_as_if_they_were_wrong() {
        let mut known = KnownSources::default();
        known.let_in(ALICE, 1, at(0));
        let begun: Vec<_> = (0..5).map(|_| known.begin(ALICE, 1, Since(at(0)))).collect();
        assert_eq!(begun, [Admission::Go, Admission::Go, Admission::Go, Admission::Wait, Admission::Wait]);
        known.end(ALICE, 1);
        assert_eq!(known.begin(ALICE, 1, Since(at(0))), Admission::Go);
    }

    #[test]
    fn memory_is_bounded_and_the_latest_are_kept() {
        let mut known = KnownSources::default();
        for number in 0..20 {
            known.let_in(ALICE, number, at(i64::try_from(number).unwrap()));
        }
        let kept: Vec<_> = (0..20).filter(|source| known.contains(ALICE, *source)).collect();
        assert_eq!(kept, (12..20).collect::<Vec<_>>());
        for number in 0..20_000_u32 {
            known.let_in(Uuid::from_u128(number.into()), 1, at(number.into()));
            assert!(known.accounts() <= CAPACITY);
        }
        assert!(known.contains(Uuid::from_u128(19_999), 1));
    }
}
