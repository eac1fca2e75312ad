//! What a store says of itself, in the family `meta`, and how it is brought up.
//!
//! ```text
//! format     the number of this format, as text
//! numbering  lines of attribute type number and object identifier
//! schema     what clients have added to the schema and when it was changed, as LDIF (see `schema`)
//! indexes    lines of attribute type number and kind of index
//! importing  see `importing`
//! position   version u64 | csn (40 octets of text) | membership version u64 | last id u32 | log sequence u64
//!            | event sequence u64 (absent in stores of releases before there were events)
//! outbox ... see `events`
//! ```

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes};

use super::commit::Position;
use super::engine::{self, Batch, Engine, Family, Go, Snapshot};
use super::index::{IndexKind, Indexes};
use super::recent::Recent;
use super::schema;
use super::view::{Fixed, Moment, View};
use super::{Existence, OpenError, OpenOptions, StoreError, importing, key, parse_suffixes, record};
use crate::directory::tree::EntryId;
use crate::directory::{AttributeTypeId, Csn, Dn, Schema, Timestamp};

/// The format that this release reads and writes.
const FORMAT: u32 = 1;

/// What is written when the schema is changed: the numbers of new types, and what was added.
pub(super) fn schema_records(schema: &Schema) -> [(&'static [u8], Vec<u8>); 2] {
    [(b"numbering", numbering_record(schema).into_bytes()), (schema::KEY, schema::record(schema))]
}

/// A store that was brought up.
pub(super) struct Opened {
    pub(super) engine: Arc<Engine>,
    pub(super) view: View,
    pub(super) position: Position,
}

pub(super) fn open(options: &OpenOptions<'_>) -> Result<Opened, OpenError> {
    match (engine::exists(options.path), options.existence) {
        (false, Existence::Required | Existence::ReadOnly) => return Err(OpenError::Missing(options.path.to_owned())),
        (true, Existence::Forbidden) => return Err(OpenError::Exists(options.path.to_owned())),
        _ => {}
    }
    let failed = |cause| OpenError::Engine { path: options.path.to_owned(), cause };
    let reading = options.existence == Existence::ReadOnly;
    let open = if reading { Engine::open_beside } else { Engine::open };
    let (blocks, decoded) = split(options.cache_octets);
    let engine = Arc::new(open(options.path, blocks).map_err(failed)?);
    check_format(&engine, options)?;
    if !reading {
        importing::take_back(&engine).map_err(failed)?;
    } else if importing::begun(&engine).map_err(failed)?.is_some() {
        return Err(OpenError::Importing(options.path.to_owned()));
    }
    let position = position(&engine).map_err(failed)?;
    let configured = (options.schema)(numbering(&engine).map_err(failed)?)?;
    let schema = schema::extended(&configured, &engine, options.now.max(position.moment.csn.time))?;
    let suffixes = parse_suffixes(options.suffixes, &schema)?;
    require_all_suffixes(&engine, &suffixes, options)?;
    let indexes = Indexes::choose(options.indexes, &schema)?;
    if !reading {
        put_numbering(&engine, &schema).map_err(failed)?;
        schema::keep(&engine, &schema).map_err(failed)?;
        update_indexes(&engine, &indexes, &schema).map_err(failed)?;
    }
    let recent = Recent::new(decoded, &indexes);
    let fixed = Arc::new(Fixed { suffixes, indexes, recent });
    let view = View::new(Snapshot::new(&engine), schema, fixed, position.moment);
    Ok(Opened { engine, view, position })
}

/// Memory for what the engine has read and has yet to write, and for what is kept decoded: that is found four times as fast.
const fn split(cache_octets: usize) -> (usize, usize) {
    let blocks = cache_octets / 4;
    (blocks, cache_octets - blocks)
}

fn check_format(engine: &Engine, options: &OpenOptions<'_>) -> Result<(), OpenError> {
    let failed = |cause| OpenError::Engine { path: options.path.to_owned(), cause };
    let found = engine.get(Family::Meta, b"format").map_err(failed)?;
    match found.as_deref() {
        Some(found) if found == FORMAT.to_string().as_bytes() => Ok(()),
        Some(found) => Err(OpenError::UnknownFormat {
            path: options.path.to_owned(),
            found: String::from_utf8_lossy(found).into_owned(),
            known: FORMAT,
        }),
        // A store that was begun and never finished: there is nothing in it.
        None => put(engine, b"format", FORMAT.to_string().as_bytes()).map_err(failed),
    }
}

/// Requires that all entries stand below one of the suffixes: of others, nobody would see that they are there.
fn require_all_suffixes(engine: &Engine, suffixes: &[Dn], options: &OpenOptions<'_>) -> Result<(), OpenError> {
    if suffixes.is_empty() {
        return Ok(());
    }
    let failed = |cause| OpenError::Engine { path: options.path.to_owned(), cause };
    let prefix = key::name_prefix(None);
    let mut unnamed = None;
    let mut look = |name: &[u8], id: &[u8]| match name.strip_prefix(&prefix) {
        Some(name) if suffixes.iter().any(|suffix| suffix.key() == name) => Go::On,
        Some(_) => {
            unnamed = key::entry_id(id);
            Go::Stop
        }
        None => Go::Stop,
    };
    engine.scan(Family::Name, &prefix, &mut look).map_err(failed)?;
    let Some(id) = unnamed else { return Ok(()) };
    let record = engine.get(Family::Entry, &key::entry(id)).map_err(failed)?;
    let held = record.and_then(|record| record::decode_node(id, &record).ok()).map(|node| node.rdn.to_string());
    let (path, named) = (options.path.to_owned(), options.suffixes.join("; "));
    Err(OpenError::OtherSuffix { path, held: held.unwrap_or_else(|| format!("number {}", id.0)), named })
}

pub(super) fn put(engine: &Engine, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
    let mut batch = engine.batch();
    batch.put(Family::Meta, key, value)?;
    batch.write()
}

/// Lines of two words.
fn pairs(engine: &Engine, key: &[u8]) -> Result<Vec<(String, String)>, StoreError> {
    let text = engine.get(Family::Meta, key)?.unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let pair = |line: &str| line.split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned()));
    Ok(text.lines().filter_map(pair).collect())
}

fn numbering(engine: &Engine) -> Result<Vec<(String, AttributeTypeId)>, StoreError> {
    let number = |(number, oid): (String, String)| Some((oid, AttributeTypeId(number.parse().ok()?)));
    Ok(pairs(engine, b"numbering")?.into_iter().filter_map(number).collect())
}

/// Keeps the numbers of new types; numbers of types that are no longer defined stay taken, since entries may hold them.
fn put_numbering(engine: &Engine, schema: &Schema) -> Result<(), StoreError> {
    if numbering(engine)?.len() == schema.numbering().count() {
        return Ok(());
    }
    put(engine, b"numbering", numbering_record(schema).as_bytes())
}

fn numbering_record(schema: &Schema) -> String {
    let mut text = String::new();
    for (id, oid) in schema.numbering() {
        let _ = writeln!(text, "{} {oid}", id.0);
    }
    text
}

/// Builds indexes that are new, and removes those that are no longer wanted.
fn update_indexes(engine: &Engine, indexes: &Indexes, schema: &Schema) -> Result<(), StoreError> {
    let parse = |(id, kind): (String, String)| {
        Some((AttributeTypeId(id.parse().ok()?), IndexKind::of_number(kind.parse().ok()?)?))
    };
    let before: BTreeSet<(AttributeTypeId, IndexKind)> =
        pairs(engine, b"indexes")?.into_iter().filter_map(parse).collect();
    let after: BTreeSet<(AttributeTypeId, IndexKind)> = indexes.iter().collect();
    if before == after {
        return Ok(());
    }
    for (id, kind) in before.difference(&after) {
        let prefix = key::index_prefix(*id, *kind);
        let mut batch = engine.batch();
        batch.delete_range(Family::Index, &prefix, &key::after_prefix(prefix))?;
        batch.write()?;
    }
    let new: BTreeSet<_> = after.difference(&before).copied().collect();
    build(engine, indexes, &new, schema)?;
    let mut text = String::new();
    for (id, kind) in after {
        let _ = writeln!(text, "{} {}", id.0, kind.number());
    }
    put(engine, b"indexes", text.as_bytes())
}

fn build(
    engine: &Engine,
    indexes: &Indexes,
    new: &BTreeSet<(AttributeTypeId, IndexKind)>,
    schema: &Schema,
) -> Result<(), StoreError> {
    let prefixes: Vec<[u8; 3]> = new.iter().map(|(id, kind)| key::index_prefix(*id, *kind)).collect();
    let mut start = EntryId(0);
    loop {
        let mut batch = engine.batch();
        let mut last = None;
        let mut failure = None;
        let mut left = 1_000;
        engine.scan(Family::Entry, &key::entry(start), &mut |key, value| {
            let id = key::entry_id(key).unwrap_or(EntryId(0));
            last = Some(id);
            left -= 1;
            if let Ok(node) = record::decode_node(id, &Bytes::copy_from_slice(value)) {
                let postings = indexes.postings(&node.entry, schema);
                let wanted = postings.iter().filter(|posting| prefixes.iter().any(|p| posting.octets().starts_with(p)));
                let put = wanted.map(|posting| batch.put(Family::Index, &posting.key(id), b""));
                failure = put.into_iter().find_map(Result::err);
            }
            if left == 0 || failure.is_some() { Go::Stop } else { Go::On }
        })?;
        if let Some(error) = failure {
            return Err(error);
        }
        batch.write_later()?;
        match last {
            Some(last) => start = EntryId(last.0.saturating_add(1)),
            None => return Ok(()),
        }
    }
}

fn position(engine: &Engine) -> Result<Position, StoreError> {
    decode_position(engine.get(Family::Meta, b"position")?)
}

/// The last number that was given to an entry.
pub(super) fn last_id(snapshot: &Snapshot) -> Result<EntryId, StoreError> {
    let position = decode_position(snapshot.get(Family::Meta, b"position")?)?;
    Ok(EntryId(position.last_id))
}

/// The number of the last event.
pub(super) fn last_event(engine: &Engine) -> Result<u64, StoreError> {
    Ok(position(engine)?.event_sequence)
}

fn decode_position(record: Option<Bytes>) -> Result<Position, StoreError> {
    let first = Position {
        moment: Moment {
            version: 0,
            csn: Csn { time: Timestamp::default(), count: 0, sid: 1 },
            membership_version: 0,
            policies_version: 0,
            extension_used: Csn { time: Timestamp::default(), count: 0, sid: 1 },
            entry_written: Csn { time: Timestamp::default(), count: 0, sid: 1 },
        },
        last_id: 0,
        log_sequence: 0,
        event_sequence: 0,
    };
    match record {
        None => Ok(first),
        Some(record) => read_position(&record).ok_or_else(|| StoreError("the position record is damaged".to_owned())),
    }
}

fn read_position(mut record: &[u8]) -> Option<Position> {
    let version = record.try_get_u64().ok()?;
    let (csn, mut rest) = record.split_at_checked(Csn::TEXT_LEN)?;
    let csn = Csn::parse(csn)?;
    let membership_version = rest.try_get_u64().ok()?;
    let last_id = rest.try_get_u32().ok()?;
    let log_sequence = rest.try_get_u64().ok()?;
    let event_sequence = if rest.is_empty() { 0 } else { rest.try_get_u64().ok()? };
    // Of what is not on disk the last commit is taken to have been the last.
    let (policies_version, extension_used, entry_written) = (version, csn, csn);
    let moment = Moment { version, csn, membership_version, policies_version, extension_used, entry_written };
    Some(Position { moment, last_id, log_sequence, event_sequence })
}

/// Writes where numbering goes on.
pub(super) fn put_position(batch: &mut Batch<'_>, position: Position) -> Result<(), StoreError> {
    let Moment { version, csn, membership_version, policies_version: _, extension_used: _, entry_written: _ } =
        position.moment;
    let mut record = Vec::with_capacity(80);
    record.put_u64(version);
    record.extend_from_slice(csn.to_string().as_bytes());
    record.put_u64(membership_version);
    record.put_u32(position.last_id);
    record.put_u64(position.log_sequence);
    record.put_u64(position.event_sequence);
    batch.put(Family::Meta, b"position", &record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_position_is_noticed() {
        assert_eq!(read_position(&[0; 10]), None);
    }
}
