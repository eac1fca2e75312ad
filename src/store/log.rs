//! The change log on disk: who changed what, in words, in the order of the commits.
//!
//! ```text
//! time u64 (microseconds) | kind u8 | uuid 16 octets | version u64 | actor, target, changes: each length u32 and text
//! ```

use std::ops::RangeInclusive;

use bytes::{Buf, BufMut};
use uuid::Uuid;

use super::StoreError;
use super::engine::{Batch, Family, Go, Snapshot};
use super::key;
use crate::directory::Timestamp;
use crate::directory::tree::{LogKind, LogRecord, LoggedChange, Version};

/// How many changes are kept; older ones are forgotten.
const KEPT: u64 = 100_000;
/// What is read at once is no larger, in octets, by more than one change.
const BATCH_OCTETS: usize = 256 << 10;
/// After so many changes, what is too old is removed.
const TRIM_EVERY: u64 = 4_096;

pub(super) fn put(
    batch: &mut Batch<'_>,
    sequence: u64,
    version: Version,
    record: &LogRecord,
) -> Result<(), StoreError> {
    batch.put(Family::Log, &key::log(sequence), &encode(version, record))?;
    if sequence.is_multiple_of(TRIM_EVERY) && sequence > KEPT {
        batch.delete_range(Family::Log, &key::log(0), &key::log(sequence - KEPT))?;
    }
    Ok(())
}

pub(super) fn read_after(snapshot: &Snapshot, after: u64, limit: usize) -> Result<Vec<LoggedChange>, StoreError> {
    let mut changes = Vec::new();
    let mut octets = 0;
    if limit == 0 {
        return Ok(changes);
    }
    snapshot.scan(Family::Log, &key::log(after.saturating_add(1)), &mut |key, value| {
        let sequence = number(key);
        changes.extend(decode(value).map(|(_, record)| LoggedChange { sequence, record }));
        octets += value.len();
        if changes.len() >= limit || octets >= BATCH_OCTETS { Go::Stop } else { Go::On }
    })?;
    Ok(changes)
}

/// The numbers of the first and the last change.
pub(super) fn numbers(snapshot: &Snapshot) -> Result<Option<RangeInclusive<u64>>, StoreError> {
    let Some(last) = snapshot.last_key(Family::Log)? else { return Ok(None) };
    let mut first = None;
    snapshot.scan(Family::Log, &key::log(0), &mut |key, _| {
        first = Some(number(key));
        Go::Stop
    })?;
    Ok(first.map(|first| first..=number(&last)))
}

fn number(key: &[u8]) -> u64 {
    key.first_chunk().map_or(0, |octets| u64::from_be_bytes(*octets))
}

fn encode(version: Version, record: &LogRecord) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + record.actor.len() + record.target.len() + record.changes.len());
    out.put_i64(record.time.unix_micros());
    out.put_u8(match record.kind {
        LogKind::Add => 1,
        LogKind::Modify => 2,
        LogKind::Delete => 3,
        LogKind::ModifyDn => 4,
    });
    out.extend_from_slice(record.uuid.as_bytes());
    out.put_u64(version);
    for text in [&record.actor, &record.target, &record.changes] {
        out.put_u32(u32::try_from(text.len()).unwrap_or(u32::MAX));
        out.extend_from_slice(text.as_bytes());
    }
    out
}

fn decode(mut octets: &[u8]) -> Option<(Version, LogRecord)> {
    let time = Timestamp::from_unix_micros(octets.try_get_i64().ok()?);
    let kind = match octets.try_get_u8().ok()? {
        1 => LogKind::Add,
        2 => LogKind::Modify,
        3 => LogKind::Delete,
        4 => LogKind::ModifyDn,
        _ => return None,
    };
    let uuid = Uuid::from_u128(octets.try_get_u128().ok()?);
    let version = octets.try_get_u64().ok()?;
    let mut text = || {
        let len = octets.try_get_u32().ok()? as usize;
        let (text, rest) = octets.split_at_checked(len)?;
        octets = rest;
        String::from_utf8(text.to_vec()).ok()
    };
    let (actor, target, changes) = (text()?, text()?, text()?);
    Some((version, LogRecord { time, actor, target, uuid, kind, changes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_and_reading_are_inverse() {
        let record = LogRecord {
            time: Timestamp::from_unix_micros(-5),
            actor: "cn=admin".into(),
            target: "uid=älice".into(),
            uuid: Uuid::from_u128(3),
            kind: LogKind::ModifyDn,
            changes: String::new(),
        };
        assert_eq!(decode(&encode(9, &record)), Some((9, record.clone())));
        assert_eq!(decode(&encode(9, &record)[..40]), None);
    }
}
