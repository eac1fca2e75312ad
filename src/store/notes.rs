//! Where somebody who reads a store beside the process that writes it keeps notes: a folder in it, or, where nothing can be
//! written there, one among temporary files. It is removed at the end.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::StoreError;

/// What the folder of a reader's notes is called, in front of its process id.
const READER: &str = "reader-";
/// So many names are tried for one among temporary files, where others may have made some.
const TRIES: u32 = 100;

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
    /// Makes one, and removes what readers have left behind that were ended. A store on a file system that is mounted to be
    /// read, or whose folder is another's, can be read as well.
    pub(super) fn new(store: &Path) -> Result<Self, StoreError> {
        remove_notes_of_the_dead(store);
        let name = format!("{READER}{}", std::process::id());
        let beside = store.join(&name);
        match DirBuilder::new().recursive(true).mode(0o700).create(&beside) {
            Ok(()) => Ok(Self(beside)),
            Err(_) => Ok(Self(temporary(&name)?)),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

/// A new folder among temporary files. One that is there already is not taken: whose it is nobody knows.
fn temporary(name: &str) -> Result<PathBuf, StoreError> {
    let folder = std::env::temp_dir();
    let make = |number| {
        let path = folder.join(format!("keystead-{name}-{number}"));
        DirBuilder::new().mode(0o700).create(&path).map(|()| path)
    };
    let is_taken =
        |tried: &io::Result<PathBuf>| tried.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AlreadyExists);
    let found = (0..TRIES).map(make).find(|tried| !is_taken(tried));
    let found = found.unwrap_or_else(|| Err(io::ErrorKind::AlreadyExists.into()));
    found.map_err(|error| StoreError(format!("no folder can be made in {}: {error}", folder.display())))
}

impl Drop for Notes {
    fn drop(&mut self) {
        // What is left behind does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn where_nothing_can_be_written_notes_are_kept_elsewhere_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let beside = Notes::new(folder.path()).unwrap();
        assert!(beside.path().is_dir() && beside.path().starts_with(folder.path()));
        // Nobody makes a folder below /proc, not even the superuser.
        let (one, other) = (Notes::new(Path::new("/proc")).unwrap(), Notes::new(Path::new("/proc")).unwrap());
        let paths = [one.path().to_owned(), other.path().to_owned()];
        assert_ne!(paths[0], paths[1]);
        for path in &paths {
            assert!(path.starts_with(std::env::temp_dir()));
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        }
        drop((one, other));
        assert!(!paths[0].exists() && !paths[1].exists());
    }
}
