//! What SCRAM's salts are made of for names that have none: kept beside the store, since such a salt must be the same after a
//! restart, and known to nobody else, or it would tell who exists.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::random::SystemRandom;
use crate::directory::Randomness;

const FILE: &str = "fake-salts";

/// Makes the file if it is not there.
pub fn keep(store: &Path) -> io::Result<()> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(store.join(FILE));
    match made {
        Ok(mut file) => {
            file.write_all(&draw())?;
            file.sync_all()
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Copies the file, if there is one, for another store.
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    match std::fs::copy(from.join(FILE), to.join(FILE)) {
        Ok(_) => std::fs::File::open(to.join(FILE))?.sync_all(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// What the file says; something else if it cannot be read, so that nothing is ever made of what others know.
pub fn read(store: &Path) -> [u8; 32] {
    let mut octets = [0; 32];
    let read = std::fs::File::open(store.join(FILE)).and_then(|mut file| file.read_exact(&mut octets));
    if read.is_ok() { octets } else { draw() }
}

fn draw() -> [u8; 32] {
    let mut octets = [0; 32];
    SystemRandom.fill(&mut octets);
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_once_and_read_by_nobody_else() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        assert_ne!(read(folder.path()), read(folder.path()));
        keep(folder.path()).unwrap();
        let kept = read(folder.path());
        keep(folder.path()).unwrap();
        assert_eq!(read(folder.path()), kept);
        let mode = std::fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let other = tempfile::tempdir().unwrap();
        copy(folder.path(), other.path()).unwrap();
        assert_eq!(read(other.path()), kept);
        let nothing = tempfile::tempdir().unwrap();
        copy(nothing.path(), other.path()).unwrap();
        assert_eq!(read(other.path()), kept);
    }
}
