//! PBKDF2 (RFC 8018) as `OpenLDAP`, 389 Directory Server and `OpenDJ` write it.

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::Hmac;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use super::digest::equal;

/// More rounds than anybody sets for SHA-1, and still below two seconds.
const MAX_ROUNDS: u32 = 2_000_000;
const MAX_KEY: usize = 512;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

struct Parsed {
    function: Function,
    rounds: u32,
    salt: Vec<u8>,
    key: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Function {
    Sha1,
    Sha256,
    Sha512,
}

pub(super) fn is_valid(scheme: &str, text: &str) -> bool {
    parse(scheme, text).is_some()
}

pub(super) fn verify(scheme: &str, text: &str, password: &[u8]) -> bool {
    let Some(parsed) = parse(scheme, text) else { return false };
    let mut key = vec![0; parsed.key.len()];
    let done = match parsed.function {
        Function::Sha1 => pbkdf2::pbkdf2::<Hmac<Sha1>>(password, &parsed.salt, parsed.rounds, &mut key),
        Function::Sha256 => pbkdf2::pbkdf2::<Hmac<Sha256>>(password, &parsed.salt, parsed.rounds, &mut key),
        Function::Sha512 => pbkdf2::pbkdf2::<Hmac<Sha512>>(password, &parsed.salt, parsed.rounds, &mut key),
    };
    done.is_ok() && equal(&key, &parsed.key)
}

fn parse(scheme: &str, text: &str) -> Option<Parsed> {
    let function = match scheme {
        "PBKDF2" | "PBKDF2-SHA1" | "PBKDF2-HMAC-SHA1" => Function::Sha1,
        "PBKDF2-SHA256" | "PBKDF2_SHA256" | "PBKDF2-HMAC-SHA256" => Function::Sha256,
        "PBKDF2-SHA512" | "PBKDF2-HMAC-SHA512" => Function::Sha512,
        _ => return None,
    };
    let (rounds, salt, key) = if scheme == "PBKDF2_SHA256" {
        old_389(text)?
    } else if let Some((rounds, packed)) = text.split_once(':') {
        opendj(rounds, packed, function)?
    } else {
        let mut fields = text.split('$');
        let rounds = fields.next()?.parse().ok()?;
        let parsed = (rounds, base64(fields.next()?)?, base64(fields.next()?)?);
        fields.next().is_none().then_some(parsed)?
    };
    let sane = (1..=MAX_ROUNDS).contains(&rounds) && (16..=MAX_KEY).contains(&key.len());
    sane.then_some(Parsed { function, rounds, salt, key })
}

/// OpenLDAP writes `.` for `+` and no padding; 389 Directory Server writes usual base64.
fn base64(text: &str) -> Option<Vec<u8>> {
    LENIENT.decode(text.replace('.', "+")).ok()
}

/// 389 Directory Server before 2.x packs rounds (four octets), salt (64) and key (256) into one.
fn old_389(text: &str) -> Option<(u32, Vec<u8>, Vec<u8>)> {
    let octets = LENIENT.decode(text).ok()?;
    let (rounds, rest) = octets.split_first_chunk::<4>()?;
    let (salt, key) = rest.split_at_checked(64)?;
    Some((u32::from_be_bytes(*rounds), salt.to_vec(), key.to_vec()))
}

/// `OpenDJ` packs key and salt into one, behind the rounds and a colon.
fn opendj(rounds: &str, packed: &str, function: Function) -> Option<(u32, Vec<u8>, Vec<u8>)> {
    let mut key = LENIENT.decode(packed).ok()?;
    let len = match function {
        Function::Sha1 => 20,
        Function::Sha256 => 32,
        Function::Sha512 => 64,
    };
    let salt = (key.len() > len).then(|| key.split_off(len))?;
    Some((rounds.parse().ok()?, salt, key))
}
