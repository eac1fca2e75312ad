//! The configuration file as it is written.

use serde::Deserialize;
use toml::Spanned;

use super::{Fault, heading};

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfig {
    pub(super) directory: RawDirectory,
    #[serde(default)]
    pub(super) listen: Vec<RawListen>,
    pub(super) tls: Option<RawTls>,
    #[serde(default)]
    pub(super) limits: RawLimits,
    #[serde(default)]
    pub(super) password: RawPassword,
    #[serde(default)]
    pub(super) store: RawStore,
    #[serde(default)]
    pub(super) audit: RawAudit,
    #[serde(default)]
    pub(super) log: RawLog,
    pub(super) index: Option<Vec<RawIndex>>,
    #[serde(default)]
    pub(super) integrity: RawIntegrity,
    pub(super) unique: Option<Vec<Spanned<RawUnique>>>,
    #[serde(default)]
    pub(super) constraint: Vec<Spanned<RawConstraint>>,
    #[serde(default)]
    pub(super) allocate: Vec<Spanned<RawAllocation>>,
    #[serde(default)]
    pub(super) access: Vec<Spanned<RawRule>>,
    #[serde(default)]
    pub(super) assert: Vec<Spanned<RawAssertion>>,
    #[serde(default)]
    pub(super) map: Vec<Spanned<RawMapping>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDirectory {
    pub(super) suffix: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) suffixes: Vec<Spanned<String>>,
    pub(super) data: Spanned<String>,
    #[serde(default)]
    pub(super) schema: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) referrals: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) alt_servers: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawListen {
    pub(super) url: Spanned<String>,
    #[serde(default)]
    pub(super) cleartext_credentials: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTls {
    pub(super) certificate: Spanned<String>,
    pub(super) private_key: Spanned<String>,
    pub(super) client_ca: Option<Spanned<String>>,
    pub(super) client_certificate: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMapping {
    pub(super) from: String,
    pub(super) pattern: String,
    pub(super) entry: Option<String>,
    pub(super) base: Option<String>,
    pub(super) filter: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLimits {
    pub(super) anonymous_bind: Option<bool>,
    pub(super) size: Option<Spanned<u32>>,
    pub(super) time_seconds: Option<u32>,
    pub(super) page: Option<Spanned<u32>>,
    pub(super) attributes: Option<Spanned<usize>>,
    pub(super) sort: Option<usize>,
    pub(super) rename: Option<usize>,
    pub(super) tree_delete: Option<usize>,
    pub(super) entry_octets: Option<Spanned<usize>>,
    pub(super) rules: Option<usize>,
    pub(super) rules_per_author: Option<usize>,
    pub(super) assertion_steps: Option<u64>,
    pub(super) connections: Option<Spanned<usize>>,
    pub(super) connections_per_address: Option<Spanned<usize>>,
    pub(super) outstanding: Option<Spanned<usize>>,
    pub(super) message_octets_before_bind: Option<Spanned<usize>>,
    pub(super) message_octets: Option<Spanned<usize>>,
    pub(super) idle_seconds_before_bind: Option<Spanned<u32>>,
    pub(super) idle_seconds: Option<Spanned<u32>>,
    pub(super) write_seconds: Option<Spanned<u32>>,
    pub(super) handshake_seconds: Option<Spanned<u32>>,
    pub(super) shutdown_seconds: Option<u32>,
    pub(super) threads: Option<Spanned<usize>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPassword {
    pub(super) scheme: Option<Spanned<String>>,
    pub(super) argon2_memory_kib: Option<Spanned<u32>>,
    pub(super) argon2_passes: Option<Spanned<u32>>,
    pub(super) argon2_lanes: Option<Spanned<u32>>,
    pub(super) hashing_threads: Option<Spanned<usize>>,
    pub(super) hashing_queue: Option<Spanned<usize>>,
    pub(super) last_success_precision_seconds: Option<u32>,
    pub(super) expired_change: Option<bool>,
    pub(super) add_replaces: Option<bool>,
    pub(super) spray_source_accounts: Option<Spanned<usize>>,
    pub(super) spray_guess_accounts: Option<Spanned<usize>>,
    pub(super) spray_window_seconds: Option<u32>,
    pub(super) spray_delay_seconds: Option<Spanned<u32>>,
    pub(super) breach_filter: Option<Spanned<String>>,
    pub(super) recovery_attributes: Option<Vec<Spanned<String>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStore {
    pub(super) cache_mib: Option<Spanned<usize>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAudit {
    pub(super) keep_days: Option<Spanned<u32>>,
    pub(super) keep_events: Option<Spanned<u64>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLog {
    pub(super) level: Option<Spanned<String>>,
    pub(super) format: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawIndex {
    pub(super) attribute: Spanned<String>,
    pub(super) kinds: Vec<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawIntegrity {
    pub(super) references: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    pub(super) nested_member_of: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConstraint {
    pub(super) name: String,
    pub(super) attributes: Words,
    pub(super) base: Option<String>,
    pub(super) filter: Option<String>,
    pub(super) regex: Option<String>,
    pub(super) count: Option<usize>,
    pub(super) octets: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAllocation {
    pub(super) attribute: String,
    pub(super) class: String,
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) base: Option<String>,
    pub(super) magic: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawUnique {
    pub(super) attributes: Words,
    pub(super) base: Option<String>,
    pub(super) filter: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRule {
    pub(super) name: String,
    pub(super) who: Words,
    pub(super) to: Words,
    pub(super) filter: Option<String>,
    pub(super) when: Option<RawWhen>,
    #[serde(default)]
    pub(super) attributes: Words,
    #[serde(default)]
    pub(super) values: Words,
    #[serde(default)]
    pub(super) allow: Words,
    #[serde(default)]
    pub(super) deny: Words,
    pub(super) reason: Option<String>,
    pub(super) ticket: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAssertion {
    pub(super) name: String,
    #[serde(default)]
    pub(super) who: Words,
    #[serde(default)]
    pub(super) except: Words,
    pub(super) must_not: Words,
    #[serde(default)]
    pub(super) to: Words,
    pub(super) filter: Option<String>,
    #[serde(default)]
    pub(super) attributes: Words,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWhen {
    #[serde(default)]
    pub(super) network: Words,
    pub(super) tls: Option<String>,
    #[serde(default)]
    pub(super) authentication: Words,
    pub(super) from: Option<Point>,
    pub(super) until: Option<Point>,
    #[serde(default)]
    pub(super) days: Words,
    pub(super) hours: Option<String>,
    pub(super) zone: Option<String>,
}

/// A point in time: as text, or as TOML has it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Point {
    Text(String),
    Toml(toml::value::Datetime),
}

impl Point {
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Toml(time) => time.to_string(),
        }
    }
}

/// One word or a list of them.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Words {
    One(String),
    Several(Vec<String>),
}

impl Default for Words {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

impl Words {
    pub(super) fn to_vec(&self) -> Vec<String> {
        match self {
            Self::One(word) => vec![word.clone()],
            Self::Several(words) => words.clone(),
        }
    }

    pub(super) fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(word) => vec![word],
            Self::Several(words) => words,
        }
    }
}

/// More faults of one file at once help nobody.
const MOST_FAULTS: usize = 20;

/// Reads the text, or tells everything that cannot be read: a line with a fault is left out, with a heading all that is below
/// it, and the rest is tried again.
pub(super) fn parse(text: &str) -> Result<RawConfig, Vec<Fault>> {
    let mut lines: Vec<&str> = text.lines().collect();
    let mut faults: Vec<Fault> = Vec::new();
    loop {
        let error = match toml::from_str::<RawConfig>(&lines.join("\n")) {
            Ok(raw) if faults.is_empty() => return Ok(raw),
            Ok(_) => return Err(faults),
            Err(error) => error,
        };
        let joined = lines.join("\n");
        let line = error.span().map(|span| line_of(&joined, span.start));
        let at_fault = line.and_then(|line| lines.get_mut(line - 1..)).unwrap_or_default();
        let wrong_heading = at_fault.first().and_then(|line| heading::fault(line));
        let (reason, left_out) = match wrong_heading {
            Some(reason) => (reason, heading::extent(at_fault)),
            None => (error.message().replace('\n', " "), 1),
        };
        let fault = Fault { line, key: String::new(), reason };
        let seen = faults.iter().any(|known| known.line == fault.line);
        // What follows from a line that was left out is no fault of the file.
        let follows = fault.reason.starts_with("missing field") && !faults.is_empty();
        if !seen && !follows {
            faults.push(fault);
        }
        let can_be_left_out = at_fault.first().is_some_and(|line| !line.is_empty());
        if seen || !can_be_left_out || faults.len() >= MOST_FAULTS {
            return Err(faults);
        }
        at_fault.iter_mut().take(left_out).for_each(|line| *line = "");
    }
}

/// The line, from 1, of an offset in octets.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|octet| **octet == b'\n').count() + 1
}
