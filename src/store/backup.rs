//! A copy of the directory as it is at one moment, while it is in use.

use std::path::Path;

use super::{Store, StoreError};

impl Store {
    /// Copies the store to a folder that does not exist yet. Files that never change are linked where that is possible, so
    /// that it takes no time; the copy is a store of its own.
    pub fn backup(&self, to: &Path) -> Result<(), StoreError> {
        self.shared.engine.checkpoint(to)
    }
}
