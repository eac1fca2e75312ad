//! What has happened to passwords, on disk: in the order of the commits, each in the batch of the change that it tells of.
//!
//! ```text
//! time u64 (microseconds) | kind u8 | result u8 | means u8 | uuid 16 octets | times u32
//! | actor, source, target, policy, reason: each length u32 and text
//! ```
//!
//! It is the record of an audit, kept for as long as the configuration says, and the outbox of messages at once: whoever
//! delivers some keeps the number of the last that was delivered, as a [position](Outbox) in the family `meta`.

use std::time::Duration;

use bytes::{Buf, BufMut};
use uuid::Uuid;

use super::engine::{Batch, Engine, Family, Go};
use super::{Store, StoreError, key};
use crate::directory::Timestamp;
use crate::directory::tree::{Event, EventKind, EventResult, Means, Recorded};

/// How much of the record is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retention {
    /// What is older is forgotten.
    pub age: Duration,
    /// So many events are kept at most.
    pub count: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self { age: Duration::from_secs(400 * 86_400), count: 5_000_000 }
    }
}

pub(super) fn put(batch: &mut Batch<'_>, sequence: u64, event: &Event) -> Result<(), StoreError> {
    batch.put(Family::Event, &key::event(sequence), &encode(event))
}

pub(super) fn read_after(engine: &Engine, after: u64, limit: usize) -> Result<Vec<Recorded>, StoreError> {
    let mut events = Vec::new();
    if !engine.has(Family::Event) {
        return Ok(events);
    }
    engine.scan(Family::Event, &key::event(after.saturating_add(1)), &mut |key, value| {
        events.extend(recorded(key, value));
        if events.len() >= limit { Go::Stop } else { Go::On }
    })?;
    Ok(events)
}

/// The first event at or behind a number.
fn first_from(engine: &Engine, sequence: u64) -> Result<Option<Recorded>, StoreError> {
    Ok(read_after(engine, sequence.saturating_sub(1), 1)?.pop())
}

/// The number of the last event that is older than `time`, or a lower one; numbers up to `last` are in use. Events stand in
/// the order in which they came, so it is found in a few steps.
fn last_before(engine: &Engine, time: Timestamp, last: u64) -> Result<u64, StoreError> {
    let (mut low, mut high) = (0, last);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        match first_from(engine, middle)? {
            Some(recorded) if recorded.event.time < time => low = middle,
            _ => high = middle - 1,
        }
    }
    Ok(low)
}

impl Store {
    /// The number of the last event that is older than `time`: what follows it is younger.
    pub fn last_event_before(&self, time: Timestamp) -> Result<u64, StoreError> {
        last_before(&self.shared.engine, time, self.last_event()?)
    }

    /// The number of the last event.
    fn last_event(&self) -> Result<u64, StoreError> {
        super::format::last_event(&self.shared.engine)
    }

    /// Forgets what need not be kept any more.
    pub fn trim_events(&self, retention: Retention, now: Timestamp) -> Result<(), StoreError> {
        let engine = &self.shared.engine;
        let last = self.last_event()?;
        let old = last_before(engine, now.saturating_sub(retention.age), last)?;
        let end = old.max(last.saturating_sub(retention.count));
        if first_from(engine, 0)?.is_none_or(|first| first.sequence > end) {
            return Ok(());
        }
        let mut batch = engine.batch();
        batch.delete_range(Family::Event, &key::event(0), &key::event(end.saturating_add(1)))?;
        batch.write_later()
    }

    /// Sees what another process has written since this store was opened beside it.
    pub fn catch_up(&self) -> Result<(), StoreError> {
        self.shared.engine.catch_up()
    }

    /// The outbox, as a consumer of that name sees it.
    pub const fn outbox<'s>(&'s self, consumer: &'s str) -> Outbox<'s> {
        Outbox { store: self, consumer }
    }
}

/// The record as one consumer sees it, who makes something of each event: a mail, a call of somebody else's server. It keeps a
/// position of its own, so that each event reaches it at least once, whatever happens between.
#[derive(Clone, Copy, Debug)]
pub struct Outbox<'s> {
    store: &'s Store,
    consumer: &'s str,
}

impl Outbox<'_> {
    /// The events that it has not dealt with, oldest first, at most `limit`.
    pub fn next(&self, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        read_after(&self.store.shared.engine, self.position()?, limit)
    }

    /// It has dealt with everything up to that number, on disk when this returns.
    pub fn acknowledge(&self, sequence: u64) -> Result<(), StoreError> {
        let mut batch = self.store.shared.engine.batch();
        batch.put(Family::Meta, &self.key(), &sequence.to_be_bytes())?;
        batch.write()
    }

    fn position(&self) -> Result<u64, StoreError> {
        let record = self.store.shared.engine.get(Family::Meta, &self.key())?;
        Ok(record.and_then(|record| record.as_ref().try_into().ok()).map_or(0, u64::from_be_bytes))
    }

    fn key(&self) -> Vec<u8> {
        [b"outbox ", self.consumer.as_bytes()].concat()
    }
}

fn recorded(key: &[u8], value: &[u8]) -> Option<Recorded> {
    let sequence = key.try_into().ok().map(u64::from_be_bytes)?;
    decode(value).map(|event| Recorded { sequence, event })
}

fn encode(event: &Event) -> Vec<u8> {
    let texts = [&event.actor, &event.source, &event.target, &event.policy, &event.reason];
    let mut out = Vec::with_capacity(64 + texts.iter().map(|text| text.len()).sum::<usize>());
    out.put_i64(event.time.unix_micros());
    out.put_u8(event.kind.number());
    out.put_u8(event.result.number());
    out.put_u8(event.means.number());
    out.extend_from_slice(event.uuid.as_bytes());
    out.put_u32(event.times);
    for text in texts {
        out.put_u32(u32::try_from(text.len()).unwrap_or(u32::MAX));
        out.extend_from_slice(text.as_bytes());
    }
    out
}

fn decode(mut octets: &[u8]) -> Option<Event> {
    let time = Timestamp::from_unix_micros(octets.try_get_i64().ok()?);
    let kind = EventKind::of_number(octets.try_get_u8().ok()?)?;
    let result = EventResult::of_number(octets.try_get_u8().ok()?)?;
    let means = Means::of_number(octets.try_get_u8().ok()?)?;
    let uuid = Uuid::from_u128(octets.try_get_u128().ok()?);
    let times = octets.try_get_u32().ok()?;
    let mut text = || {
        let len = octets.try_get_u32().ok()? as usize;
        let (text, rest) = octets.split_at_checked(len)?;
        octets = rest;
        String::from_utf8(text.to_vec()).ok()
    };
    let (actor, source, target, policy, reason) = (text()?, text()?, text()?, text()?, text()?);
    Some(Event { time, kind, result, means, actor, source, target, uuid, policy, reason, times })
}

#[cfg(test)]
mod tests {
    use super::super::Existence;
    use super::super::testing::open;
    use super::*;
    use crate::directory::tree::{Change, Directory};

    fn event(seconds: i64) -> Event {
        Event {
            time: Timestamp::from_unix_micros(seconds * 1_000_000),
            kind: EventKind::Reset,
            result: EventResult::Refused,
            means: Means::PasswordModify,
            actor: "uid=hänna".into(),
            source: "10.2.3.4".into(),
            target: "uid=alice".into(),
            uuid: Uuid::from_u128(3),
            policy: String::new(),
            reason: "too-short".into(),
            times: 2,
        }
    }

    fn happen(store: &Store, seconds: std::ops::Range<i64>) {
        let events = seconds.map(event).collect();
        store.commit(Change { events, ..Change::none() }).unwrap();
    }

    fn sequences(events: &[Recorded]) -> Vec<u64> {
        events.iter().map(|recorded| recorded.sequence).collect()
    }

    #[test]
    fn writing_and_reading_are_inverse() {
        assert_eq!(decode(&encode(&event(-5))), Some(event(-5)));
        assert_eq!(decode(&encode(&event(1))[..40]), None);
    }

    #[test]
    fn events_are_numbered_in_their_order_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path(), Existence::Forbidden).unwrap();
        happen(&store, 0..3);
        drop(store);
        let store = open(folder.path(), Existence::Required).unwrap();
        happen(&store, 3..5);
        assert_eq!(sequences(&store.events_after(0, 100).unwrap()), [1, 2, 3, 4, 5]);
        assert_eq!(sequences(&store.events_after(3, 1).unwrap()), [4]);
        assert_eq!(store.events_after(4, 9).unwrap().first().map(|recorded| recorded.event.clone()), Some(event(4)));
    }

    #[test]
    fn each_consumer_of_the_outbox_has_a_position_of_its_own_that_a_restart_keeps() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path(), Existence::Forbidden).unwrap();
        happen(&store, 0..4);
        assert_eq!(sequences(&store.outbox("mail").next(2).unwrap()), [1, 2]);
        assert_eq!(
            sequences(&store.outbox("mail").next(2).unwrap()),
            [1, 2],
            "until it says that it has done with them"
        );
        store.outbox("mail").acknowledge(2).unwrap();
        drop(store);
        let store = open(folder.path(), Existence::Required).unwrap();
        assert_eq!(sequences(&store.outbox("mail").next(9).unwrap()), [3, 4]);
        assert_eq!(sequences(&store.outbox("webhook").next(9).unwrap()), [1, 2, 3, 4]);
    }

    #[test]
    fn what_is_too_old_or_too_much_is_forgotten_and_numbers_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path(), Existence::Forbidden).unwrap();
        happen(&store, 0..100);
        let now = Timestamp::from_unix_micros(100_000_000);
        let trim = |age, count| store.trim_events(Retention { age: Duration::from_secs(age), count }, now).unwrap();
        let kept = || sequences(&store.events_after(0, 1000).unwrap());
        trim(1000, 1000);
        assert_eq!(kept().len(), 100);
        trim(30, 1000);
        assert_eq!(kept(), (71..=100).collect::<Vec<_>>());
        assert_eq!(store.last_event_before(Timestamp::from_unix_micros(80_000_000)).unwrap(), 80);
        trim(30, 10);
        assert_eq!(kept(), (91..=100).collect::<Vec<_>>());
        trim(0, 10);
        assert_eq!(kept(), [0; 0]);
        happen(&store, 100..101);
        assert_eq!(kept(), [101]);
    }

    #[test]
    fn a_store_that_was_made_without_a_record_of_events_gets_one_and_can_be_read_before() {
        let folder = tempfile::tempdir().unwrap();
        drop(open(folder.path(), Existence::Forbidden).unwrap());
        super::super::engine::without_events(folder.path());
        let beside = open(folder.path(), Existence::ReadOnly).unwrap();
        assert_eq!(beside.events_after(0, 10).unwrap(), []);
        drop(beside);
        let store = open(folder.path(), Existence::Required).unwrap();
        happen(&store, 0..1);
        let beside = open(folder.path(), Existence::ReadOnly).unwrap();
        assert_eq!(sequences(&beside.events_after(0, 10).unwrap()), [1]);
        happen(&store, 1..2);
        assert_eq!(sequences(&beside.events_after(0, 10).unwrap()), [1]);
        beside.catch_up().unwrap();
        assert_eq!(sequences(&beside.events_after(0, 10).unwrap()), [1, 2]);
    }
}
