//! Files that hold secrets.

use std::fs::{OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use zeroize::Zeroizing;

use super::CliError;
use crate::password::Secret;

/// Writes a file that nobody but its owner may read.
pub(super) fn write_private(path: &Path, content: &[u8]) -> Result<(), CliError> {
    let failed = |cause| CliError::File { path: path.to_owned(), cause };
    // One that is there already may be open to others, in another's hands, or lead elsewhere.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    file.sync_all().map_err(failed)
}

/// Makes a folder that nobody but its owner may look into.
pub(super) fn make_private_folder(path: &Path) -> Result<(), CliError> {
    let failed = |cause| CliError::File { path: path.to_owned(), cause };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)
}

/// Makes a folder that everybody may look into, and likewise those above it that are missing.
pub(super) fn make_folder(path: &Path) -> Result<(), CliError> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    if let Some(above) = path.parent() {
        make_folder(above)?;
    }
    let made = std::fs::create_dir(path).and_then(|()| std::fs::set_permissions(path, Permissions::from_mode(0o755)));
    made.map_err(|cause| CliError::File { path: path.to_owned(), cause })
}

/// Lets everybody read a file.
pub(super) fn make_readable(path: &Path) -> Result<(), CliError> {
    std::fs::set_permissions(path, Permissions::from_mode(0o644))
        .map_err(|cause| CliError::File { path: path.to_owned(), cause })
}

/// How other users of this machine can get at a store, in sentences.
pub(super) fn access_by_others(store: &Path) -> Vec<String> {
    let mode = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    let mut sentences = Vec::new();
    if mode(store) & 0o077 != 0 {
        let path = store.display();
        sentences.push(format!(
            "others can look into {path}, where password hashes are; its owner can close it: chmod 700 {path}"
        ));
    }
    // Where the sticky bit is set, what belongs to somebody stays in its place.
    if let Some(above) = store.parent().filter(|above| mode(above) & 0o1002 == 0o002) {
        let path = above.display();
        sentences.push(format!("everybody can put another store in the place of the one in {path}: chmod o-w {path}"));
    }
    sentences
}

/// Reads a secret from a file, without the line break at its end.
pub(super) fn read_secret(path: &Path) -> Result<Secret, CliError> {
    let failed = |cause| CliError::File { path: path.to_owned(), cause };
    let content = Zeroizing::new(std::fs::read(path).map_err(failed)?);
    let secret = without_line_break(&content);
    if secret.is_empty() {
        return Err(CliError::Message(format!("{} holds no password", path.display())));
    }
    Ok(Secret::new(secret))
}

/// Reads a secret from standard input: from a prompt that shows nothing, or from a pipe.
pub(super) fn ask_secret(prompt: &str) -> Result<Secret, CliError> {
    use std::io::{IsTerminal, Read};

    let failed = |cause| CliError::File { path: "standard input".into(), cause };
    let typed = if io::stdin().is_terminal() {
        Zeroizing::new(rpassword::prompt_password(prompt).map_err(failed)?.into_bytes())
    } else {
        let mut piped = Zeroizing::new(Vec::new());
        io::stdin().read_to_end(&mut piped).map_err(failed)?;
        piped
    };
    let secret = without_line_break(&typed);
    if secret.is_empty() {
        return Err(CliError::Message("no password was given".to_owned()));
    }
    Ok(Secret::new(secret))
}

fn without_line_break(content: &[u8]) -> &[u8] {
    let content = content.strip_suffix(b"\n").unwrap_or(content);
    content.strip_suffix(b"\r").unwrap_or(content)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_secret_does_not_go_into_a_file_that_others_can_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "old").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let mut watching = std::fs::File::open(&path).unwrap();
        write_private(&path, b"new").unwrap();
        assert_eq!((mode(&path), std::fs::read(&path).unwrap().as_slice()), (0o600, b"new".as_slice()));
        let mut seen = String::new();
        watching.read_to_string(&mut seen).unwrap();
        assert_eq!(seen, "old");
    }

    #[test]
    fn a_secret_does_not_follow_a_link_that_somebody_has_laid() {
        let folder = tempfile::tempdir().unwrap();
        let (path, elsewhere) = (folder.path().join("secret"), folder.path().join("elsewhere"));
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        write_private(&path, b"new").unwrap();
        assert!(!elsewhere.exists());
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn whoever_can_get_at_a_store_is_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("db");
        std::fs::create_dir(&store).unwrap();
        let told = |own: u32, above: u32| {
            std::fs::set_permissions(&store, Permissions::from_mode(own)).unwrap();
            std::fs::set_permissions(folder.path(), Permissions::from_mode(above)).unwrap();
            access_by_others(&store).len()
        };
        assert_eq!([told(0o700, 0o755), told(0o750, 0o755), told(0o700, 0o777), told(0o700, 0o1777)], [0, 1, 1, 0]);
    }

    #[test]
    fn a_folder_for_everybody_can_be_looked_into() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        make_folder(&path).unwrap();
        make_folder(&path).unwrap();
        assert_eq!((mode(&path), mode(&folder.path().join("a"))), (0o755, 0o755));
    }
}
