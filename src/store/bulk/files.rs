//! Files of sorted keys that wait to be taken in.

use std::path::{Path, PathBuf};

use crate::store::StoreError;
use crate::store::engine::Family;

/// A folder of them, in the order in which they are taken in. It is removed in the end.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
    files: Vec<(Family, PathBuf)>,
}

impl Files {
    /// In a new folder; what a load that was broken off has left there is removed.
    pub(super) fn new(folder: PathBuf) -> Result<Self, StoreError> {
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        Ok(Self { folder, files: Vec::new() })
    }

    /// Where they are.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of one more.
    pub(super) fn add(&mut self, family: Family) -> PathBuf {
        let path = self.folder.join(format!("{:06}.sst", self.files.len()));
        self.files.push((family, path.clone()));
        path
    }

    /// One more that has been written to their folder.
    pub(super) fn take(&mut self, family: Family, path: PathBuf) {
        self.files.push((family, path));
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Family, &PathBuf)> {
        self.files.iter().map(|(family, path)| (*family, path))
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // What is left is removed at the next load.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
