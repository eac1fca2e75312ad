//! Names of entries that have others below them, remembered: every entry that is found needs that of its parent.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::directory::Dn;
use crate::directory::tree::EntryId;

/// A directory has thousands of containers at most; should it have more, they take turns.
const CAPACITY: usize = 10_000;

/// Remembered names. They hold for as long as none of these entries is renamed, moved or deleted; then a fresh one takes
/// its place.
#[derive(Debug, Default)]
pub(super) struct Names(RwLock<Maps>);

#[derive(Debug, Default)]
struct Maps {
    names: HashMap<EntryId, Arc<Dn>>,
    ids: HashMap<Box<[u8]>, EntryId>,
}

impl Names {
    pub(super) fn name(&self, id: EntryId) -> Option<Arc<Dn>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).names.get(&id).cloned()
    }

    /// The entry whose name has that key.
    pub(super) fn id(&self, key: &[u8]) -> Option<EntryId> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).ids.get(key).copied()
    }

    pub(super) fn remember(&self, id: EntryId, dn: &Arc<Dn>) {
        let mut maps = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if maps.names.len() >= CAPACITY {
            *maps = Maps::default();
        }
        maps.names.insert(id, Arc::clone(dn));
        maps.ids.insert(dn.key().into(), id);
        drop(maps);
    }

    pub(super) fn knows(&self, id: EntryId) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).names.contains_key(&id)
    }
}
