//! The module graph, enforced. Read this table to know the design.
#![expect(clippy::unwrap_used, reason = "a test that cannot read the sources has failed")]

use std::fs;
use std::path::{Path, PathBuf};

/// What each module may name. `main`, `cli` and `config` sit on top and may name all.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("directory", &[]),
    ("access", &["directory"]),
    ("password", &["directory"]),
    ("protocol", &["directory"]),
    ("operations", &["access", "directory", "password", "protocol"]),
    ("session", &["directory", "protocol"]),
    ("store", &["directory"]),
    ("server", &["access", "directory", "operations", "password", "protocol", "session", "store"]),
];

/// A foreign crate, and the only places that name it.
const CONFINED: &[(&str, &[&str])] = &[
    ("argon2", &["password/scheme"]),
    ("clap", &["cli"]),
    ("indicatif", &["cli"]),
    ("ipnet", &["access/when.rs"]),
    ("ldap3_lber", &["protocol"]),
    ("ldap3_proto", &["protocol"]),
    ("rcgen", &["cli/certificates.rs"]),
    ("rocksdb", &["store/engine"]),
    ("rustls", &["server"]),
    ("serde", &["config"]),
    ("serde_json", &["cli"]),
    ("tokio", &["server", "cli/reload.rs"]),
    ("toml", &["config", "cli/init.rs"]),
    ("tracing", &["server", "cli"]),
    ("xorf", &["cli/breach"]),
];

#[test]
fn modules_name_only_what_they_may() {
    for (path, code) in production_code() {
        let here = first_word(&path);
        let Some((_, allowed)) = MAY_NAME.iter().find(|(module, _)| *module == here) else {
            continue;
        };
        assert!(!code.contains("super::super"), "{path}: say `crate::` rather than `super::super`");
        for named in code.split("crate::").skip(1).map(first_word) {
            assert!(named == here || allowed.contains(&named), "{path} may not name `{named}`");
        }
    }
}

#[test]
fn foreign_crates_stay_in_their_place() {
    for (path, code) in production_code() {
        for (name, homes) in CONFINED.iter().filter(|(_, homes)| !homes.iter().any(|home| path.starts_with(home))) {
            assert!(!names(&code, name), "{path}: `{name}` lives in {homes:?}");
        }
    }
}

/// Whether the code names the crate, and not another whose name ends alike.
fn names(code: &str, name: &str) -> bool {
    let path = format!("{name}::");
    code.match_indices(&path).any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// Every file of `src/`: its path below `src/`, and its code down to its unit tests, without comments.
fn production_code() -> Vec<(String, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&src, &mut files);
    files.iter().map(|file| (below(&src, file), above_tests(file))).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}

fn below(src: &Path, file: &Path) -> String {
    file.strip_prefix(src).unwrap().to_string_lossy().into_owned()
}

fn above_tests(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let code = text.split("#[cfg(test)]\n").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn first_word(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}
