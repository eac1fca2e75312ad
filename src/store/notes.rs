//! Where somebody who reads a store beside the process that writes it keeps notes: a folder in it, removed at the end.

use std::path::{Path, PathBuf};

use super::StoreError;

/// What the folder of a reader's notes is called, in front of its process id.
const READER: &str = "reader-";

/// Removes what readers have left behind that were ended.
fn remove_notes_of_the_dead(store: &Path) {
    for entry in std::fs::read_dir(store).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(process) = name.to_str().and_then(|name| name.strip_prefix(READER)) else { continue };
        if process.parse::<u32>().is_ok() && !Path::new("/proc").join(process).exists() {
            // What cannot be removed does no harm.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// The folder of a reader's notes.
#[derive(Debug)]
pub(super) struct Notes(PathBuf);

impl Notes {
    /// Makes one, and removes what readers have left behind that were ended.
    pub(super) fn new(store: &Path) -> Result<Self, StoreError> {
        remove_notes_of_the_dead(store);
        let path = store.join(format!("{READER}{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Notes {
    fn drop(&mut self) {
        // What is left behind does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
