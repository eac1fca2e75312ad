//! Argon2 (RFC 9106) in PHC form: `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`.

use std::cell::RefCell;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::Value;
use super::digest::equal;
use crate::directory::Randomness;

/// How much memory and time one hash takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes, computed one after another.
    pub lanes: u32,
}

impl Default for Cost {
    /// What OWASP recommends: 19 MiB and two passes, about 20 ms on one core.
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2, lanes: 1 }
    }
}

/// No hash may need more memory than this, in KiB.
const MAX_MEMORY: u32 = 256 * 1024;
/// No hash may touch more memory than this in all passes together, in KiB.
const MAX_WORK: u64 = 4 * MAX_MEMORY as u64;
const SALT: usize = 16;
const OUTPUT: usize = 32;
const MAX_OUTPUT: usize = 128;

thread_local! {
    /// The memory that hashes are computed in; kept, since to get 19 MiB from the system each time costs more than a
    /// tenth of the hash.
    static MEMORY: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
}

struct Parsed {
    algorithm: Algorithm,
    version: Version,
    cost: Cost,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

pub(super) fn create(password: &[u8], cost: Cost, random: &dyn Randomness) -> Value {
    let mut salt = [0; SALT];
    random.fill(&mut salt);
    let mut hash = [0; OUTPUT];
    let parsed =
        Parsed { algorithm: Algorithm::Argon2id, version: Version::V0x13, cost, salt: salt.to_vec(), hash: Vec::new() };
    // A cost outside the bounds is refused where the configuration is read; here it would make a hash that matches
    // nothing, which is the safe side.
    let made = compute(&parsed, password, &mut hash);
    let shown = if made { STANDARD_NO_PAD.encode(hash) } else { String::new() };
    value(cost, &salt, &shown)
}

fn value(cost: Cost, salt: &[u8], hash: &str) -> Value {
    let Cost { memory_kib, passes, lanes } = cost;
    let salt = STANDARD_NO_PAD.encode(salt);
    Value::new(format!("{{ARGON2}}$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${hash}"))
}

/// A value that no password matches, and that takes as long to find that out as one of that cost. It is not computed.
pub(super) fn of_nobody(cost: Cost, random: &dyn Randomness) -> Value {
    let (mut salt, mut hash) = ([0; SALT], [0; OUTPUT]);
    random.fill(&mut salt);
    random.fill(&mut hash);
    value(cost, &salt, &STANDARD_NO_PAD.encode(hash))
}

/// The algorithm: `argon2id`.
pub(super) fn name(text: &str) -> &str {
    text.split('$').nth(1).unwrap_or_default()
}

/// The cost as it stands in the hash: `m=19456,t=2,p=1`.
pub(super) fn told_cost(text: &str) -> Option<String> {
    let Cost { memory_kib, passes, lanes } = parse(text)?.cost;
    Some(format!("m={memory_kib},t={passes},p={lanes}"))
}

pub(super) fn verify(text: &str, password: &[u8]) -> bool {
    let Some(parsed) = parse(text) else { return false };
    let mut hash = vec![0; parsed.hash.len()];
    compute(&parsed, password, &mut hash) && equal(&hash, &parsed.hash)
}

pub(super) fn is_valid(text: &str) -> bool {
    parse(text).is_some()
}

pub(super) fn is_at_least(text: &str, wanted: Cost) -> bool {
    parse(text).is_some_and(|parsed| {
        let cost = parsed.cost;
        parsed.algorithm == Algorithm::Argon2id && cost.memory_kib >= wanted.memory_kib && cost.passes >= wanted.passes
    })
}

fn compute(parsed: &Parsed, password: &[u8], out: &mut [u8]) -> bool {
    let Cost { memory_kib, passes, lanes } = parsed.cost;
    let Ok(params) = Params::new(memory_kib, passes, lanes, Some(out.len())) else { return false };
    let blocks = params.block_count();
    let argon2 = Argon2::new(parsed.algorithm, parsed.version, params);
    MEMORY.with_borrow_mut(|memory| {
        if memory.len() < blocks {
            memory.resize(blocks, Block::default());
        }
        argon2.hash_password_into_with_memory(password, &parsed.salt, out, memory).is_ok()
    })
}

fn parse(text: &str) -> Option<Parsed> {
    let mut fields = text.strip_prefix('$')?.split('$');
    let algorithm = match fields.next()? {
        "argon2id" => Algorithm::Argon2id,
        "argon2i" => Algorithm::Argon2i,
        "argon2d" => Algorithm::Argon2d,
        _ => return None,
    };
    let mut next = fields.next()?;
    let mut version = Version::V0x10;
    if let Some(number) = next.strip_prefix("v=") {
        version = if number == "19" { Version::V0x13 } else { Version::V0x10 };
        next = fields.next()?;
    }
    let cost = parse_cost(next)?;
    let salt = STANDARD_NO_PAD.decode(fields.next()?.trim_end_matches('=')).ok()?;
    let hash = STANDARD_NO_PAD.decode(fields.next()?.trim_end_matches('=')).ok()?;
    let sane = (4..=MAX_OUTPUT).contains(&hash.len()) && salt.len() >= 8 && fields.next().is_none();
    sane.then_some(Parsed { algorithm, version, cost, salt, hash })
}

fn parse_cost(text: &str) -> Option<Cost> {
    let mut cost = Cost { memory_kib: 0, passes: 0, lanes: 0 };
    for field in text.split(',') {
        let (name, number) = field.split_once('=')?;
        let number = number.parse().ok()?;
        match name {
            "m" => cost.memory_kib = number,
            "t" => cost.passes = number,
            "p" => cost.lanes = number,
            _ => return None,
        }
    }
    cost.is_sane().then_some(cost)
}

impl Cost {
    /// Whether a hash of that cost can be computed in a bounded time and memory.
    pub fn is_sane(self) -> bool {
        let work = u64::from(self.memory_kib) * u64::from(self.passes);
        (1..=64).contains(&self.lanes)
            && (8 * self.lanes..=MAX_MEMORY).contains(&self.memory_kib)
            && (1..=MAX_WORK).contains(&work)
    }
}
