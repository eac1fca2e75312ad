//! What has happened without a change of its own to be told in: refusals above all.
//!
//! It waits in memory until the next batch of counted passwords is written, so that whoever guesses does not make the disk
//! wait; and there is so much of it at most, for each account and altogether: what is more is told together, as one event
//! that says how often. A crash forgets the last second.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use uuid::Uuid;

use crate::directory::Timestamp;
use crate::directory::tree::{Event, EventKind};

/// So many events of one kind and one account are told one by one, in each minute.
const EACH: u32 = 10;
/// And of all kinds and accounts together. It bounds the memory, too.
const ALL: u32 = 2_000;
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);
/// So many accounts are remembered of which something was told lately that is told once a day.
const REMEMBERED: usize = 10_000;

/// Events that wait to be written.
#[derive(Debug, Default)]
pub struct Journal(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    events: Vec<Event>,
    /// The lock that wrong passwords have brought about, until what the meter has counted is written.
    locks: HashMap<Uuid, Event>,
    each: HashMap<(Uuid, EventKind), Share>,
    all: Share,
    told_today: HashMap<(Uuid, EventKind, String), Timestamp>,
}

/// What was told in a minute, and what was left out.
#[derive(Debug, Default)]
struct Share {
    since: Timestamp,
    told: u32,
    /// The last one that was left out; it says how many.
    left_out: Option<Event>,
}

impl Journal {
    /// Notes what has happened.
    pub fn note(&self, event: Event) {
        let mut waiting = self.waiting();
        waiting.begin_minute(event.time);
        if waiting.all.told >= ALL {
            return waiting.all.leave_out(event);
        }
        let share = waiting.each.entry((event.uuid, event.kind)).or_default();
        if share.told >= EACH {
            return share.leave_out(event);
        }
        share.told += 1;
        waiting.all.told += 1;
        waiting.events.push(event);
    }

    /// Notes what happens at each bind, and is worth telling once a day of each place that it comes from.
    pub fn note_daily(&self, event: Event) {
        let mut waiting = self.waiting();
        let now = event.time;
        let key = (event.uuid, event.kind, event.source.clone());
        if waiting.told_today.get(&key).is_some_and(|last| now < last.saturating_add(DAY)) {
            return;
        }
        if waiting.told_today.len() >= REMEMBERED {
            waiting.told_today.retain(|_, last| now < last.saturating_add(DAY));
        }
        if waiting.told_today.len() < REMEMBERED {
            waiting.told_today.insert(key, now);
            drop(waiting);
            self.note(event);
        }
    }

    /// Notes that wrong passwords have locked an account. It is written with what was counted, and not before.
    pub fn note_lock(&self, event: Event) {
        let mut waiting = self.waiting();
        if waiting.locks.len() < REMEMBERED {
            waiting.locks.insert(event.uuid, event);
        }
    }

    /// The lock of an account that is being written.
    pub fn lock_of(&self, uuid: Uuid) -> Option<Event> {
        self.waiting().locks.get(&uuid).cloned()
    }

    /// What was counted of an account has been written, or counts no more.
    pub fn settle(&self, uuid: Uuid) {
        self.waiting().locks.remove(&uuid);
    }

    /// Takes what is to be written now.
    pub fn take(&self, now: Timestamp) -> Vec<Event> {
        let mut waiting = self.waiting();
        waiting.begin_minute(now);
        std::mem::take(&mut waiting.events)
    }

    /// Takes everything, also what would wait for the end of the minute.
    pub fn take_all(&self) -> Vec<Event> {
        let mut waiting = self.waiting();
        waiting.tell_left_out();
        std::mem::take(&mut waiting.events)
    }

    /// Takes back what could not be written, as much of it as there is room for.
    pub fn take_back(&self, events: Vec<Event>) {
        let mut waiting = self.waiting();
        let room = (ALL as usize).saturating_sub(waiting.events.len());
        waiting.events.splice(..0, events.into_iter().take(room));
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Ends a minute that is over: what was left out in it is told together.
    fn begin_minute(&mut self, now: Timestamp) {
        if now.since(self.all.since) < MINUTE && self.all.since <= now {
            return;
        }
        self.tell_left_out();
        self.all.since = now;
    }

    fn tell_left_out(&mut self) {
        let shares = self.each.drain().map(|(_, share)| share).chain([std::mem::take(&mut self.all)]);
        self.events.extend(shares.filter_map(|share| share.left_out));
    }
}

impl Share {
    fn leave_out(&mut self, event: Event) {
        let times = self.left_out.as_ref().map_or(0, |before| before.times).saturating_add(event.times);
        self.left_out = Some(Event { times, ..event });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::tree::{EventResult, Means};

    fn event(whose: u128, seconds: i64) -> Event {
        Event {
            time: Timestamp::from_unix_micros(seconds * 1_000_000),
            kind: EventKind::Changed,
            result: EventResult::Refused,
            means: Means::Modify,
            actor: String::new(),
            source: String::new(),
            target: String::new(),
            uuid: Uuid::from_u128(whose),
            policy: String::new(),
            reason: String::new(),
            times: 1,
        }
    }

    fn times(events: &[Event]) -> Vec<u32> {
        events.iter().map(|event| event.times).collect()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_micros(seconds * 1_000_000)
    }

    #[test]
    fn what_is_too_much_for_an_account_in_a_minute_is_told_together_when_it_is_over() {
        let journal = Journal::default();
        (0..50).for_each(|_| journal.note(event(1, 100)));
        journal.note(event(2, 100));
        assert_eq!(times(&journal.take(at(101))), [1; 11]);
        journal.note(event(1, 159));
        assert_eq!(times(&journal.take(at(159))), [0; 0]);
        assert_eq!(times(&journal.take(at(160))), [41]);
        journal.note(event(1, 161));
        assert_eq!(times(&journal.take(at(161))), [1]);
    }

    #[test]
    fn memory_is_bounded_however_many_accounts_are_tried() {
        let journal = Journal::default();
        (0..100_000).for_each(|whose| journal.note(event(whose, 0)));
        let told = journal.take_all();
        assert_eq!(told.len(), ALL as usize + 1);
        assert_eq!(told.iter().map(|event| event.times).sum::<u32>(), 100_000);
    }

    #[test]
    fn what_happens_at_each_bind_is_told_once_a_day() {
        let journal = Journal::default();
        (0..86_400).step_by(600).for_each(|second| journal.note_daily(event(1, second)));
        assert_eq!(journal.take_all().len(), 1);
        journal.note_daily(event(1, 86_400));
        assert_eq!(journal.take_all().len(), 1);
        (0..30_000).for_each(|whose| journal.note_daily(event(whose, 90_000)));
        assert!(journal.waiting().told_today.len() <= REMEMBERED);
    }

    #[test]
    fn what_could_not_be_written_is_written_next() {
        let journal = Journal::default();
        journal.note(event(1, 0));
        let failed = journal.take(at(0));
        journal.note(event(2, 1));
        journal.take_back(failed);
        let whose: Vec<u128> = journal.take(at(1)).iter().map(|event| event.uuid.as_u128()).collect();
        assert_eq!(whose, [1, 2]);
    }

    #[test]
    fn a_lock_waits_for_what_was_counted() {
        let journal = Journal::default();
        journal.note_lock(event(1, 0));
        assert_eq!(journal.take_all(), []);
        assert_eq!(journal.lock_of(Uuid::from_u128(1)), Some(event(1, 0)));
        journal.settle(Uuid::from_u128(1));
        assert_eq!(journal.lock_of(Uuid::from_u128(1)), None);
    }
}
