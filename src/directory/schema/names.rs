//! Look-up by name, in any case, without allocating.

use std::collections::HashMap;

use foldhash::fast::FixedState;

/// Longer names are looked up as well, only not as fast.
const USUAL_LENGTH: usize = 64;

/// What names and object identifiers stand for. Case does not count (RFC 4512 §1.4).
///
/// Only administrators put names in, so that nobody can choose them to fall together, and a quick hash will do.
#[derive(Clone, Debug)]
pub(super) struct Names<T>(HashMap<Box<[u8]>, T, FixedState>);

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

impl<T: Copy> Names<T> {
    /// What `name` stands for.
    pub(super) fn find(&self, name: &str) -> Option<T> {
        let mut buffer = [0; USUAL_LENGTH];
        let found = match buffer.get_mut(..name.len()) {
            Some(folded) => {
                folded.copy_from_slice(name.as_bytes());
                folded.make_ascii_lowercase();
                self.0.get(&*folded)
            }
            None => self.0.get(name.to_ascii_lowercase().as_bytes()),
        };
        found.copied()
    }

    /// Lets `name` stand for `thing`; what it stood for before is returned and stays.
    pub(super) fn insert(&mut self, name: &str, thing: T) -> Option<T> {
        let key = name.to_ascii_lowercase().into_bytes().into_boxed_slice();
        match self.0.entry(key) {
            std::collections::hash_map::Entry::Occupied(taken) => Some(*taken.get()),
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(thing);
                None
            }
        }
    }
}
