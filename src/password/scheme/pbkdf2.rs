//! PBKDF2 (RFC 8018) as `OpenLDAP`, 389 Directory Server, `OpenDJ`, Atlassian and Django write it.

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
    setting: Setting,
    key: Vec<u8>,
}

/// What it takes to derive a key.
pub(super) struct Setting {
    function: Function,
    pub(super) rounds: u32,
    pub(super) salt: Vec<u8>,
    /// The length of the key in octets.
    pub(super) len: usize,
}

#[derive(Clone, Copy)]
enum Function {
    Sha1,
    Sha256,
    Sha512,
}

impl Function {
    fn of(scheme: &str) -> Option<Self> {
        Some(match scheme {
            "PBKDF2" | "PBKDF2-SHA1" | "PBKDF2-HMAC-SHA1" | "PKCS5S2" | "DJANGO-PBKDF2-SHA1" => Self::Sha1,
            "PBKDF2-SHA256" | "PBKDF2_SHA256" | "PBKDF2-HMAC-SHA256" | "DJANGO-PBKDF2-SHA256" => Self::Sha256,
            "PBKDF2-SHA512" | "PBKDF2-HMAC-SHA512" => Self::Sha512,
            _ => return None,
        })
    }

    /// So many rounds are as much work as OWASP recommends.
    const fn enough_rounds(self) -> u32 {
        match self {
            Self::Sha1 => 1_300_000,
            Self::Sha256 => 600_000,
            Self::Sha512 => 210_000,
        }
    }
}

/// The name of the scheme among those that have another for the same.
pub(super) fn plain_name(scheme: &str) -> Option<&'static str> {
    Function::of(scheme).map(|function| match function {
        Function::Sha1 => "PBKDF2-SHA1",
        Function::Sha256 => "PBKDF2-SHA256",
        Function::Sha512 => "PBKDF2-SHA512",
    })
}

pub(super) fn is_valid(scheme: &str, text: &str) -> bool {
    parse(scheme, text).is_some()
}

pub(super) fn told_cost(scheme: &str, text: &str) -> Option<String> {
    Some(format!("rounds={}", parse(scheme, text)?.setting.rounds))
}

pub(super) fn verify(scheme: &str, text: &str, password: &[u8]) -> bool {
    parse(scheme, text)
        .is_some_and(|parsed| parsed.setting.derive(password).is_some_and(|key| equal(&key, &parsed.key)))
}

/// Setting and key of a value that has fewer rounds than one should have.
pub(super) fn split_fast(scheme: &str, text: &str) -> Option<(Setting, Vec<u8>)> {
    let Parsed { setting, key } = parse(scheme, text)?;
    (setting.rounds < setting.function.enough_rounds()).then_some((setting, key))
}

impl Setting {
    /// Reads `ROUNDS$SALT$LENGTH`.
    pub(super) fn parse(scheme: &str, text: &str) -> Option<Self> {
        let function = Function::of(scheme)?;
        let mut fields = text.split('$');
        let rounds = fields.next()?.parse().ok()?;
        let salt = LENIENT.decode(fields.next()?).ok()?;
        let len = fields.next()?.parse().ok()?;
        let setting = Self { function, rounds, salt, len };
        (fields.next().is_none() && setting.is_sane()).then_some(setting)
    }

    fn is_sane(&self) -> bool {
        (1..=MAX_ROUNDS).contains(&self.rounds) && (16..=MAX_KEY).contains(&self.len)
    }

    pub(super) fn derive(&self, password: &[u8]) -> Option<Vec<u8>> {
        let mut key = vec![0; self.len];
        let done = match self.function {
            Function::Sha1 => pbkdf2::pbkdf2::<Hmac<Sha1>>(password, &self.salt, self.rounds, &mut key),
            Function::Sha256 => pbkdf2::pbkdf2::<Hmac<Sha256>>(password, &self.salt, self.rounds, &mut key),
            Function::Sha512 => pbkdf2::pbkdf2::<Hmac<Sha512>>(password, &self.salt, self.rounds, &mut key),
        };
        done.is_ok().then_some(key)
    }
}

fn parse(scheme: &str, text: &str) -> Option<Parsed> {
    let function = Function::of(scheme)?;
    let (rounds, salt, key) = match scheme {
        "PBKDF2_SHA256" => old_389(text)?,
        "PKCS5S2" => atlassian(text)?,
        "DJANGO-PBKDF2-SHA1" | "DJANGO-PBKDF2-SHA256" => django(text)?,
        _ => usual(text, function)?,
    };
    let setting = Setting { function, rounds, salt, len: key.len() };
    setting.is_sane().then_some(Parsed { setting, key })
}

/// `ROUNDS$SALT$KEY` of OpenLDAP and 389 Directory Server, or `ROUNDS:` of `OpenDJ`.
fn usual(text: &str, function: Function) -> Option<(u32, Vec<u8>, Vec<u8>)> {
    if let Some((rounds, packed)) = text.split_once(':') {
        return opendj(rounds, packed, function);
    }
    let mut fields = text.split('$');
    let rounds = fields.next()?.parse().ok()?;
    let parsed = (rounds, base64(fields.next()?)?, base64(fields.next()?)?);
    fields.next().is_none().then_some(parsed)
}

/// Jira, Confluence and Crowd pack salt (16 octets) and key (32) into one; the rounds are always these.
fn atlassian(text: &str) -> Option<(u32, Vec<u8>, Vec<u8>)> {
    let octets = LENIENT.decode(text).ok()?;
    let (salt, key) = octets.split_at_checked(16)?;
    (key.len() == 32).then(|| (10_000, salt.to_vec(), key.to_vec()))
}

/// `ROUNDS$SALT$KEY` of Django, whose salt is text.
fn django(text: &str) -> Option<(u32, Vec<u8>, Vec<u8>)> {
    let (rounds, rest) = text.split_once('$')?;
    let (salt, key) = rest.split_once('$')?;
    Some((rounds.parse().ok()?, salt.as_bytes().to_vec(), LENIENT.decode(key).ok()?))
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
