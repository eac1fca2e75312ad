//! What is on disk is for the owner of the server alone: it holds password hashes.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::server::{KEYSTEAD, SUFFIX, Server};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// The files in a folder that others may read.
fn open_to_others(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| mode(path) & 0o077 != 0).map(|path| path.display().to_string()).collect()
}

#[test]
fn init_into_a_folder_that_everybody_can_look_into_keeps_hashes_from_them() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    set_mode(&data, 0o755);
    let said = Command::new("sh")
        .args(["-c", "umask 022; exec \"$0\" init --example --suffix \"$1\" --data \"$2\"", KEYSTEAD, SUFFIX])
        .arg(&data)
        .output()
        .unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    assert_eq!((mode(&data), mode(&data.join("db"))), (0o755, 0o700));
    assert_eq!(open_to_others(&data.join("db")), Vec::<String>::new());
    assert_eq!(open_to_others(&data), [data.join("tls").display().to_string()]);
    // Who connects needs the authority's certificate.
    assert_eq!((mode(&data.join("tls/ca.crt")), mode(&data.join("tls/server.key"))), (0o644, 0o600));
}

#[test]
fn a_store_that_others_can_look_into_is_closed_when_it_is_opened() {
    let mut server = Server::prepare();
    let store = server.data().join("db");
    set_mode(&store, 0o755);
    server.serve();
    assert_eq!(mode(&store), 0o700);
    let export = server.path("all.ldif");
    server.keystead("export", &["--output", export.to_str().unwrap()]).ok();
    assert_eq!(mode(&export), 0o600);
    server.stop();
    assert_eq!(open_to_others(&store), Vec::<String>::new());
}
