//! Hashes without the name of a scheme in braces: those of `crypt` (`$6$...`), PHC strings (`$argon2id$...`) and what
//! Django writes (`pbkdf2_sha256$...`).
//!
//! Only a well-formed one counts: each of its fields has the form and the length that it must have. Everything else
//! that begins like one is somebody's password. The cost does not matter here: an absurd one makes a hash that nothing
//! matches, and not a password.

/// The scheme of a hash, and the hash as that scheme reads it.
pub(super) fn recognize(value: &[u8]) -> Option<(&'static str, &str)> {
    let text = std::str::from_utf8(value).ok()?;
    if text.starts_with('$') { modular(text) } else { django(text) }
}

/// Behind these, nothing is verified here. But whoever has read the hash must not log in with it.
const UNKNOWN: (&str, &str) = ("UNKNOWN", "");

fn modular(text: &str) -> Option<(&'static str, &str)> {
    let (id, rest) = text.strip_prefix('$')?.split_once('$')?;
    let fields: Vec<&str> = rest.splitn(6, '$').collect();
    let crypt = ("CRYPT", text);
    let (found, is_one) = match (id, fields.as_slice()) {
        ("1" | "apr1", [salt, hash]) => (crypt, salt.len() <= 8 && is_hash(hash, 22)),
        ("5", [salt, hash]) => (crypt, is_salt(salt) && is_hash(hash, 43)),
        ("6", [salt, hash]) => (crypt, is_salt(salt) && is_hash(hash, 86)),
        ("5", [rounds, salt, hash]) => (crypt, is_rounds(rounds) && is_salt(salt) && is_hash(hash, 43)),
        ("6", [rounds, salt, hash]) => (crypt, is_rounds(rounds) && is_salt(salt) && is_hash(hash, 86)),
        ("2a" | "2b" | "2x" | "2y", [cost, hash]) => (crypt, cost.len() == 2 && is_number(cost) && is_hash(hash, 53)),
        ("y" | "gy", [params, salt, hash]) => (crypt, is_crypt64(params) && is_crypt64(salt) && is_hash(hash, 43)),
        ("7", [setting, hash]) => (crypt, is_crypt64(setting) && is_hash(hash, 43)),
        ("argon2id" | "argon2i" | "argon2d", [version, costs, salt, hash]) => {
            (("ARGON2", text), is_parameter(version) && is_phc(costs, salt, hash))
        }
        ("argon2id" | "argon2i" | "argon2d", [costs, salt, hash]) => (("ARGON2", text), is_phc(costs, salt, hash)),
        ("scrypt" | "pbkdf2" | "pbkdf2-sha1" | "pbkdf2-sha256" | "pbkdf2-sha512", [costs, salt, hash]) => {
            (UNKNOWN, is_number(costs) && is_base64(salt) && is_base64(hash) || is_phc(costs, salt, hash))
        }
        _ => return None,
    };
    is_one.then_some(found)
}

/// `Django` puts the name of its class in front, and a whole hash of another kind behind it, or its own fields.
fn django(text: &str) -> Option<(&'static str, &str)> {
    let (name, rest) = text.split_once('$')?;
    let fields: Vec<&str> = rest.splitn(6, '$').collect();
    let behind = text.get(name.len()..)?;
    match (name, fields.as_slice()) {
        ("pbkdf2_sha256", [rounds, _, hash]) => is_django(rounds, hash, 44).then_some(("DJANGO-PBKDF2-SHA256", rest)),
        ("pbkdf2_sha1", [rounds, _, hash]) => is_django(rounds, hash, 28).then_some(("DJANGO-PBKDF2-SHA1", rest)),
        ("argon2", _) => modular(behind).filter(|(scheme, _)| *scheme == "ARGON2"),
        ("bcrypt", _) => modular(rest).filter(|(scheme, _)| *scheme == "CRYPT"),
        ("bcrypt_sha256", _) => modular(rest).map(|_| UNKNOWN),
        ("scrypt", [_, n, r, p, hash]) => {
            ([n, r, p].iter().all(|number| is_number(number)) && is_base64(hash)).then_some(UNKNOWN)
        }
        ("sha1", [_, hash]) => is_hexadecimal(hash, 40).then_some(UNKNOWN),
        ("md5", [_, hash]) => is_hexadecimal(hash, 32).then_some(UNKNOWN),
        _ => None,
    }
}

fn is_django(rounds: &str, hash: &str, len: usize) -> bool {
    is_number(rounds) && hash.len() == len && is_base64(hash)
}

/// The fields of a PHC string behind its name and version: `m=19456,t=2,p=1`, salt, hash.
fn is_phc(costs: &str, salt: &str, hash: &str) -> bool {
    costs.split(',').all(is_parameter) && is_base64(salt) && is_base64(hash)
}

fn is_parameter(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, number)| name.len() <= 2 && is_number(number))
}

fn is_rounds(text: &str) -> bool {
    text.strip_prefix("rounds=").is_some_and(is_number)
}

fn is_salt(text: &str) -> bool {
    text.len() <= 16
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit())
}

fn is_hash(text: &str, len: usize) -> bool {
    text.len() == len && is_crypt64(text)
}

fn is_crypt64(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"./".contains(&octet))
}

/// In base64, of eight octets at least.
fn is_base64(text: &str) -> bool {
    text.len() >= 11 && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"+/.=".contains(&octet))
}

fn is_hexadecimal(text: &str, len: usize) -> bool {
    text.len() == len && text.bytes().all(|octet| octet.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scheme(text: &str) -> Option<&'static str> {
        recognize(text.as_bytes()).map(|(scheme, _)| scheme)
    }

    #[test]
    fn a_hash_that_is_not_verified_here_is_no_password_either() {
        let crypt = "a".repeat(43);
        for text in [
            format!("$7$CU..../....2Q9obwLhin8qvQl6sisAO/${crypt}"),
            format!("$gy$j9T$saltsalt${crypt}"),
            "$apr1$saltsalt$abcdefghijklmnopqrstuv".to_owned(),
            "$scrypt$ln=16,r=8,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA".to_owned(),
            "$pbkdf2-sha256$29000$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA".to_owned(),
            "$argon2id$v=19$m=4194304,t=9,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo".to_owned(),
            format!("$6$rounds=4000000000$saltsalt${}", "a".repeat(86)),
            format!("bcrypt_sha256$$2b$12${}", "a".repeat(53)),
            "scrypt$salt$16384$8$1$aGFzaGhhc2hoYXNoaGFzaA==".to_owned(),
            format!("sha1$salt${}", "0f".repeat(20)),
            format!("md5$salt${}", "0f".repeat(16)),
        ] {
            assert!(scheme(&text).is_some(), "{text}");
            let stored = super::super::StoredPassword::new(text.as_bytes());
            assert_eq!(stored.scheme(), super::super::Scheme::Unusable, "{text}");
            assert!(!stored.verify(&crate::password::Secret::new(text.as_str())), "{text}");
        }
    }

    #[test]
    fn a_password_may_begin_with_a_dollar_sign() {
        let hash = "a".repeat(86);
        for text in [
            "$".to_owned(),
            "$$$".to_owned(),
            "$1$".to_owned(),
            "$6$ and a half".to_owned(),
            "$1$salt$short".to_owned(),
            "$1$abc$def$ghi".to_owned(),
            format!("$6$saltsalt${}", &hash[1..]),
            format!("$6$saltsalt${hash}a"),
            format!("$6$rounds=x$saltsalt${hash}"),
            format!("$6$a$b$c${hash}"),
            format!("$6$saltsalt${}!", &hash[1..]),
            format!("$5$saltsalt${hash}"),
            "$2b$05$tooshort".to_owned(),
            "$argon2id$ is what I like".to_owned(),
            "$argon2id$v=19$m=1024$salt$hash".to_owned(),
            "pbkdf2_sha256$is$my$password".to_owned(),
            "a$b$c".to_owned(),
            "sha1$a$b".to_owned(),
            "bcrypt$hello".to_owned(),
        ] {
            assert_eq!(scheme(&text), None, "{text}");
        }
    }
}
