//! Files that hold secrets.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use zeroize::Zeroizing;

use super::CliError;
use crate::password::Secret;

/// Writes a file that nobody but its owner may read.
pub(super) fn write_private(path: &Path, content: &[u8]) -> Result<(), CliError> {
    let failed = |cause| CliError::File { path: path.to_owned(), cause };
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    file.sync_all().map_err(failed)
}

/// Makes a folder that nobody but its owner may look into.
pub(super) fn make_private_folder(path: &Path) -> Result<(), CliError> {
    let failed = |cause| CliError::File { path: path.to_owned(), cause };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)
}

/// Makes a folder that everybody may look into.
pub(super) fn make_folder(path: &Path) -> Result<(), CliError> {
    std::fs::create_dir_all(path).map_err(|cause| CliError::File { path: path.to_owned(), cause })
}

/// Lets everybody read a file.
pub(super) fn make_readable(path: &Path) -> Result<(), CliError> {
    let permissions = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(path, permissions).map_err(|cause| CliError::File { path: path.to_owned(), cause })
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
    let typed = if std::io::stdin().is_terminal() {
        Zeroizing::new(rpassword::prompt_password(prompt).map_err(failed)?.into_bytes())
    } else {
        let mut piped = Zeroizing::new(Vec::new());
        std::io::stdin().read_to_end(&mut piped).map_err(failed)?;
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
