//! What the C library's `crypt` makes: `$1$`, `$2b$`, `$5$`, `$6$`, `$y$` (crypt(5)).

mod sha;

use md5::{Digest, Md5};
use sha_crypt::password_hash::PasswordVerifier;

use super::Scheme;
use super::digest::equal;

/// Above the highest cost in use, and about two seconds.
const MAX_SHA_ROUNDS: u32 = 2_000_000;
const MAX_BCRYPT_COST: u32 = 15;
/// So many rounds are about as much work as Argon2id at its usual cost.
const ENOUGH_SHA_ROUNDS: u32 = 200_000;
/// As many as it always has.
const MD5_ROUNDS: u32 = 1000;
/// In KiB, as of Argon2.
const MAX_YESCRYPT_MEMORY: u64 = 256 * 1024;

pub(super) fn scheme(text: &str) -> Scheme {
    if is_md5(text) {
        Scheme::Md5Crypt
    } else if is_sha(text) {
        Scheme::ShaCrypt
    } else if is_bcrypt(text) {
        Scheme::Bcrypt
    } else if is_yescrypt(text) {
        Scheme::Yescrypt
    } else {
        Scheme::Unusable
    }
}

pub(super) fn verify(text: &str, password: &[u8]) -> bool {
    match scheme(text) {
        Scheme::Md5Crypt => verify_md5(text, password),
        Scheme::ShaCrypt => mcf::PasswordHashRef::new(text)
            .is_ok_and(|hash| sha_crypt::ShaCrypt::default().verify_password(password, hash).is_ok()),
        // bcrypt looks at 72 octets only; a longer password would match what shares its beginning.
        Scheme::Bcrypt => bcrypt::non_truncating_verify(password, text).unwrap_or(false),
        Scheme::Yescrypt => mcf::PasswordHashRef::new(text)
            .is_ok_and(|hash| yescrypt::Yescrypt::default().verify_password(password, hash).is_ok()),
        _ => false,
    }
}

/// A hash without its digest, and the digest, if it is a fast one.
pub(super) fn split_fast(text: &str) -> Option<(&str, Vec<u8>)> {
    let (setting, hash) = text.rsplit_once('$')?;
    let digest = match scheme(text) {
        Scheme::Md5Crypt => Some(hash.as_bytes().to_vec()),
        Scheme::ShaCrypt => sha::digest_of_fast(setting, hash, ENOUGH_SHA_ROUNDS),
        _ => None,
    };
    digest.map(|digest| (setting, digest))
}

/// Whether it is what stands before a digest: `$1$SALT`, `$6$rounds=5000$SALT`.
pub(super) fn is_setting(setting: &str) -> bool {
    setting.strip_prefix("$1$").is_some_and(is_md5_salt) || sha::is_setting(setting)
}

/// The digest of a password.
pub(super) fn compute(setting: &str, password: &[u8]) -> Option<Vec<u8>> {
    match setting.strip_prefix("$1$") {
        Some(salt) => is_md5_salt(salt).then(|| md5_crypt(password, salt.as_bytes()).into_bytes()),
        None => sha::compute(setting, password),
    }
}

/// What a hash says of its cost, or what holds where it says nothing.
pub(super) fn told_cost(text: &str) -> Option<String> {
    match scheme(text) {
        Scheme::Md5Crypt => Some(format!("rounds={MD5_ROUNDS}")),
        Scheme::ShaCrypt => sha::rounds(text).map(|rounds| format!("rounds={rounds}")),
        Scheme::Bcrypt => text.split('$').nth(2)?.parse().ok().map(|cost: u32| format!("cost={cost}")),
        Scheme::Yescrypt => {
            let params: yescrypt::Params = text.split('$').nth(2)?.parse().ok()?;
            Some(format!("n={},r={},p={}", params.n(), params.r(), params.p()))
        }
        _ => None,
    }
}

/// What that kind of hash is called.
pub(super) fn name(setting: &str) -> &'static str {
    match setting.get(..3) {
        Some("$1$") => "md5-crypt",
        Some("$5$") => "sha256-crypt",
        _ => "sha512-crypt",
    }
}

fn is_md5_salt(salt: &str) -> bool {
    salt.len() <= 8 && !salt.contains('$')
}

fn is_sha(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("$5$").or_else(|| text.strip_prefix("$6$")) else { return false };
    let fields: Vec<&str> = rest.split('$').collect();
    match fields.as_slice() {
        [salt, hash] => !salt.is_empty() && !hash.is_empty(),
        [rounds, _, hash] => {
            let rounds = rounds.strip_prefix("rounds=").and_then(|number| number.parse::<u32>().ok());
            rounds.is_some_and(|rounds| rounds <= MAX_SHA_ROUNDS) && !hash.is_empty()
        }
        _ => false,
    }
}

fn is_bcrypt(text: &str) -> bool {
    let known = ["$2a$", "$2b$", "$2x$", "$2y$"].iter().find_map(|prefix| text.strip_prefix(prefix));
    let Some((cost, rest)) = known.and_then(|rest| rest.split_once('$')) else { return false };
    rest.len() == 53 && cost.parse::<u32>().is_ok_and(|cost| (4..=MAX_BCRYPT_COST).contains(&cost))
}

fn is_yescrypt(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("$y$") else { return false };
    let mut fields = rest.split('$');
    let params = fields.next().and_then(|params| params.parse::<yescrypt::Params>().ok());
    let sane = params.is_some_and(|params| {
        let memory = params.n().saturating_mul(u64::from(params.r())).saturating_mul(128) / 1024;
        memory <= MAX_YESCRYPT_MEMORY && params.p() <= 16
    });
    sane && fields.count() == 2
}

fn is_md5(text: &str) -> bool {
    let fields = text.strip_prefix("$1$").and_then(|rest| rest.split_once('$'));
    fields.is_some_and(|(salt, hash)| salt.len() <= 8 && hash.len() == 22 && !hash.contains('$'))
}

fn verify_md5(text: &str, password: &[u8]) -> bool {
    let fields = text.strip_prefix("$1$").and_then(|rest| rest.split_once('$'));
    fields.is_some_and(|(salt, hash)| equal(md5_crypt(password, salt.as_bytes()).as_bytes(), hash.as_bytes()))
}

/// Poul-Henning Kamp's MD5-based crypt, as FreeBSD 2.0 had it.
fn md5_crypt(password: &[u8], salt: &[u8]) -> String {
    let inner = Md5::new().chain_update(password).chain_update(salt).chain_update(password).finalize();
    let mut first = Md5::new().chain_update(password).chain_update(b"$1$").chain_update(salt);
    for chunk in password.chunks(16) {
        first.update(inner.get(..chunk.len()).unwrap_or_default());
    }
    let mut length = password.len();
    while length > 0 {
        let octet = if length & 1 == 1 { &[0][..] } else { password.get(..1).unwrap_or_default() };
        first.update(octet);
        length >>= 1;
    }
    let mut digest = first.finalize();
    for round in 0..MD5_ROUNDS {
        let mut next = Md5::new();
        if round % 2 == 1 {
            next.update(password);
        } else {
            next.update(digest);
        }
        if round % 3 != 0 {
            next.update(salt);
        }
        if round % 7 != 0 {
            next.update(password);
        }
        if round % 2 == 1 {
            next.update(digest);
        } else {
            next.update(password);
        }
        digest = next.finalize();
    }
    encode_md5(digest.as_slice())
}

fn encode_md5(digest: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const ORDER: [[usize; 3]; 5] = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]];
    let at = |index: usize| u32::from(digest.get(index).copied().unwrap_or(0));
    let groups = ORDER.iter().map(|[a, b, c]| (at(*a) << 16 | at(*b) << 8 | at(*c), 4)).chain([(at(11), 2)]);
    let digits = groups.flat_map(|(bits, count)| (0..count).map(move |digit| bits >> (6 * digit) & 0x3f));
    digits.filter_map(|digit| ALPHABET.get(digit as usize)).map(|octet| char::from(*octet)).collect()
}
