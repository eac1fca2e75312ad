//! Which indexes hold nothing. Of many that the server asks at each search or bind, as for aliases and referrals, there are no
//! entries at all, and then no list of theirs has to be looked up.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::fast::FixedState;

use super::key::INDEX;
use crate::directory::tree::Version;

/// What is known of each index: attribute and kind, as its keys begin.
#[derive(Debug, Default)]
pub(super) struct Emptiness(HashMap<[u8; INDEX], State, FixedState>);

#[derive(Debug, Default)]
struct State {
    /// The last commit that wrote to it.
    last_change: AtomicU64,
    /// The commit at which it held nothing; or one of those below.
    empty_at: AtomicU64,
}

/// Nobody has looked.
const UNKNOWN: Version = 0;
/// It has held something, so it is not asked again: what is used once is used again.
const IN_USE: Version = Version::MAX;

impl Emptiness {
    /// For these indexes; of others it is never known.
    pub(super) fn of(indexes: impl Iterator<Item = [u8; INDEX]>) -> Self {
        Self(indexes.map(|index| (index, State::default())).collect())
    }

    /// Says that a commit changes a list of the index that the key belongs to. To be called before any reader can see that.
    pub(super) fn note(&self, key: &[u8], version: Version) {
        let state = key.first_chunk().and_then(|index| self.0.get(index));
        if let Some(state) = state {
            state.last_change.store(version, Ordering::Relaxed);
        }
    }

    /// Whether the index held nothing at a moment; `look` looks there.
    pub(super) fn holds_nothing<E>(
        &self,
        index: [u8; INDEX],
        at: Version,
        look: impl FnOnce() -> Result<bool, E>,
    ) -> Result<bool, E> {
        let Some(state) = self.0.get(&index) else { return Ok(false) };
        let empty_at = state.empty_at.load(Ordering::Relaxed);
        if empty_at == IN_USE {
            return Ok(false);
        }
        if empty_at != UNKNOWN && state.last_change.load(Ordering::Relaxed) <= empty_at.min(at) {
            return Ok(true);
        }
        let holds_nothing = look()?;
        state.empty_at.store(if holds_nothing { at } else { IN_USE }, Ordering::Relaxed);
        Ok(holds_nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALIASES: [u8; INDEX] = [0, 7, 1];

    /// What is said at a moment at which so many postings are on the disk, and whether it was asked.
    fn ask(emptiness: &Emptiness, at: Version, on_disk: u32) -> (bool, bool) {
        let mut asked = false;
        let look = || -> Result<bool, ()> {
            asked = true;
            Ok(on_disk == 0)
        };
        (emptiness.holds_nothing(ALIASES, at, look).unwrap(), asked)
    }

    fn emptiness() -> Emptiness {
        Emptiness::of([ALIASES].into_iter())
    }

    #[test]
    fn the_disk_is_asked_once_as_long_as_nothing_is_written() {
        let emptiness = emptiness();
        assert_eq!([ask(&emptiness, 5, 0), ask(&emptiness, 9, 1)], [(true, true), (true, false)]);
    }

    #[test]
    fn what_is_written_is_found() {
        let emptiness = emptiness();
        ask(&emptiness, 5, 0);
        emptiness.note(&[ALIASES.as_slice(), &[0; 8]].concat(), 6);
        assert_eq!(ask(&emptiness, 5, 0), (true, true));
        assert_eq!(ask(&emptiness, 6, 1), (false, true));
        assert_eq!(ask(&emptiness, 7, 1), (false, false));
    }

    #[test]
    fn who_looks_at_an_earlier_moment_hides_nothing_from_those_who_follow() {
        let emptiness = emptiness();
        emptiness.note(&ALIASES, 6);
        assert_eq!(ask(&emptiness, 5, 0), (true, true));
        assert_eq!(ask(&emptiness, 6, 1), (false, true));
    }

    #[test]
    fn of_other_indexes_it_is_not_known() {
        let held = Emptiness::default().holds_nothing(ALIASES, 1, || Err("not to be asked"));
        assert_eq!(held, Ok(false));
    }
}
