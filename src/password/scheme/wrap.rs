//! Fast hashes of other servers inside a slow one: `{ARGON2-WRAP}{SSHA}c2FsdA==|$argon2id$v=19$m=19456,t=2,p=1$...`.
//!
//! In front of the bar stands what it takes to compute the old digest of a password: its scheme and its salt, without
//! the digest. Behind it stands an Argon2id hash of that digest. So a stolen copy is as slow to try passwords on as a new
//! one, on the day of the import, and without anybody having logged in.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Cost, Value, argon2id, crypt, digest, pbkdf2};
use crate::directory::Randomness;

/// A wrapped hash.
struct Wrapped<'t> {
    /// The name of the old scheme.
    name: &'t str,
    old: Old<'t>,
    argon2: &'t str,
}

/// What it takes to compute an old digest.
enum Old<'t> {
    /// `{SSHA}SALT`
    Digest { salt: Vec<u8> },
    /// `{PBKDF2-SHA256}ROUNDS$SALT$LENGTH`
    Pbkdf2(pbkdf2::Setting),
    /// `{CRYPT}$6$rounds=5000$SALT`
    Crypt(&'t str),
}

/// Wraps a hash, unless it is slow itself, or none that could be verified.
pub(super) fn create(name: &str, text: &str, cost: Cost, random: &dyn Randomness) -> Option<Value> {
    let (old, digest) = if name == "CRYPT" {
        let (setting, digest) = crypt::split_fast(text)?;
        (setting.to_owned(), digest)
    } else if let Some((setting, key)) = pbkdf2::split_fast(name, text) {
        let pbkdf2::Setting { rounds, salt, len, .. } = setting;
        (format!("{rounds}${}${len}", STANDARD.encode(salt)), key)
    } else {
        let (salt, digest) = digest::split(name, text)?;
        (STANDARD.encode(salt), digest)
    };
    // All PBKDF2 of one function are written alike, whoever made them.
    let name = pbkdf2::plain_name(name).unwrap_or(name);
    let argon2 = argon2id::create(&digest, cost, random);
    let argon2 = argon2.strip_prefix("{ARGON2}")?;
    Some(Value::new(format!("{{ARGON2-WRAP}}{{{name}}}{old}|{argon2}")))
}

pub(super) fn verify(text: &str, password: &[u8]) -> bool {
    let Some(Wrapped { name, old, argon2 }) = parse(text) else { return false };
    let digest = match old {
        Old::Digest { salt } => digest::compute(name, password, &salt),
        Old::Pbkdf2(setting) => setting.derive(password),
        Old::Crypt(setting) => crypt::compute(setting, password),
    };
    digest.is_some_and(|digest| argon2id::verify(argon2, &digest))
}

pub(super) fn is_valid(text: &str) -> bool {
    parse(text).is_some()
}

/// Both schemes: `ssha in argon2id`.
pub(super) fn name(text: &str) -> String {
    let Some(Wrapped { name, old, argon2 }) = parse(text) else { return String::new() };
    let name = match old {
        Old::Crypt(setting) => crypt::name(setting).to_owned(),
        Old::Digest { .. } | Old::Pbkdf2(_) => name.to_ascii_lowercase(),
    };
    format!("{name} in {}", argon2id::name(argon2))
}

/// The cost of the outer scheme, which is what a thief pays.
pub(super) fn told_cost(text: &str) -> Option<String> {
    argon2id::told_cost(parse(text)?.argon2)
}

fn parse(text: &str) -> Option<Wrapped<'_>> {
    let (old, argon2) = text.rsplit_once('|')?;
    let (name, setting) = old.strip_prefix('{')?.split_once('}')?;
    if !(argon2.starts_with("$argon2id$") && argon2id::is_valid(argon2)) {
        return None;
    }
    let old = if name == "CRYPT" {
        crypt::is_setting(setting).then_some(Old::Crypt(setting))?
    } else if let Some(setting) = pbkdf2::Setting::parse(name, setting) {
        Old::Pbkdf2(setting)
    } else {
        let salt = STANDARD.decode(setting).ok()?;
        digest::is_setting(name, &salt).then_some(Old::Digest { salt })?
    };
    Some(Wrapped { name, old, argon2 })
}
