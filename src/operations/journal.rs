//! What has happened without a change of its own to be told in: refusals above all.
//!
//! It waits in memory until the next batch of counted passwords is written, so that whoever guesses does not make the disk
//! wait; and there is so much of it at most, for each account and altogether: what is more is told together, as one event
//! that says how often. A crash forgets the last second.
//!
//! What only somebody with a right password brings about, or with the one before, is counted apart: people are to be told
//! of that one by one, on a Monday morning as well, and no flood of refusals hides it.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use uuid::Uuid;

use crate::directory::Timestamp;
use crate::directory::tree::{Event, EventKind};

/// So many events of one kind and one account are told one by one, in each minute.
const EACH: u32 = 10;
/// And of all kinds and accounts together, of those that anybody can bring about. It bounds the memory, too.
const ALL: u32 = 2_000;
/// The same of those that take a right password, or the one before: more than can be hashed in a minute.
const ALL_OF_OWNERS: u32 = 30_000;
/// So many wait to be written at most.
const WAITING: usize = (ALL + ALL_OF_OWNERS) as usize;
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);
/// So many locks wait until what was counted is written.
const LOCKS: usize = 10_000;
/// So much is remembered of each kind that is told once a day; what was told longest ago makes room, and is told again.
const REMEMBERED: usize = 65_536;

/// Events that wait to be written.
#[derive(Debug, Default)]
pub struct Journal(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    events: Vec<Event>,
    /// The lock that wrong passwords have brought about, until what the meter has counted is written.
    locks: HashMap<Uuid, Event>,
    minute: Timestamp,
    /// What anybody can bring about.
    anybodys: Minute,
    /// What takes a right password, or the one before.
    owners: Minute,
    told_today: HashMap<EventKind, Told>,
}

/// What was told in a minute.
#[derive(Debug, Default)]
struct Minute {
    each: HashMap<(Uuid, EventKind), Share>,
    all: Share,
}

/// What was told within a day, of one kind: whose, and of devices from where, as a number.
#[derive(Debug, Default)]
struct Told {
    last: HashMap<u64, Timestamp>,
    hashing: RandomState,
}

/// What was told in a minute, and what was left out.
#[derive(Debug, Default)]
struct Share {
    told: u32,
    /// The last one that was left out; it says how many.
    left_out: Option<Event>,
}

impl Journal {
    /// Notes what has happened.
    pub fn note(&self, event: Event) {
        let mut waiting = self.waiting();
        waiting.begin_minute(event.time);
        if let Some(event) = waiting.anybodys.admit(event, ALL) {
            waiting.events.push(event);
        }
    }

    /// Notes what happens at each bind with a right password and is worth telling once a day of each account; or with the one
    /// before, once a day of each place that it comes from. What finds no room is told by the next bind. Whether it waits to be
    /// written now.
    pub fn note_daily(&self, event: Event) -> bool {
        let mut waiting = self.waiting();
        waiting.begin_minute(event.time);
        let Waiting { owners, told_today, .. } = &mut *waiting;
        let told = told_today.entry(event.kind).or_default();
        if owners.all.told >= ALL_OF_OWNERS || !told.is_new(&event) {
            return false;
        }
        let event = owners.admit(event, ALL_OF_OWNERS);
        let is_told = event.is_some();
        waiting.events.extend(event);
        is_told
    }

    /// Notes that wrong passwords have locked an account. It is written with what was counted, and not before.
    pub fn note_lock(&self, event: Event) {
        let mut waiting = self.waiting();
        if waiting.locks.len() >= LOCKS {
            // What nobody has fetched for so long is of an account that has changed otherwise meanwhile.
            let oldest = waiting.locks.iter().min_by_key(|(_, lock)| lock.time).map(|(uuid, _)| *uuid);
            oldest.map(|uuid| waiting.locks.remove(&uuid));
        }
        waiting.locks.insert(event.uuid, event);
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
        let room = WAITING.saturating_sub(waiting.events.len());
        waiting.events.splice(..0, events.into_iter().take(room));
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Ends a minute that is over: what was left out in it is told together.
    fn begin_minute(&mut self, now: Timestamp) {
        if now.since(self.minute) < MINUTE && self.minute <= now {
            return;
        }
        self.tell_left_out();
        self.minute = now;
    }

    fn tell_left_out(&mut self) {
        let minutes = [std::mem::take(&mut self.anybodys), std::mem::take(&mut self.owners)];
        self.events.extend(minutes.into_iter().flat_map(Minute::left_out));
    }
}

impl Minute {
    /// The event, if it is told by itself; what is too much for its account, or altogether, is told at the end.
    fn admit(&mut self, event: Event, most: u32) -> Option<Event> {
        if self.all.told >= most {
            self.all.leave_out(event);
            return None;
        }
        let share = self.each.entry((event.uuid, event.kind)).or_default();
        if share.told >= EACH {
            share.leave_out(event);
            return None;
        }
        share.told += 1;
        self.all.told += 1;
        Some(event)
    }

    fn left_out(self) -> impl Iterator<Item = Event> {
        self.each.into_values().chain([self.all]).filter_map(|share| share.left_out)
    }
}

impl Told {
    /// Whether it was not told within a day, which it is from now on.
    fn is_new(&mut self, event: &Event) -> bool {
        // It is the owner whom it is told of, wherever they bind from; or else a device.
        let place = Some(&event.source).filter(|_| event.kind == EventKind::StaleDevice);
        let (now, key) = (event.time, self.hashing.hash_one((event.uuid, place)));
        if self.last.get(&key).is_some_and(|last| now < last.saturating_add(DAY)) {
            return false;
        }
        if self.last.len() >= REMEMBERED && !self.last.contains_key(&key) {
            self.make_room();
        }
        self.last.insert(key, now);
        true
    }

    /// The half that was told longest ago goes.
    fn make_room(&mut self) {
        let mut times: Vec<Timestamp> = self.last.values().copied().collect();
        let (_, median, _) = times.select_nth_unstable(REMEMBERED / 2);
        let median = *median;
        self.last.retain(|_, last| *last > median);
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

    fn note_daily(journal: &Journal, event: Event) {
        journal.note_daily(event);
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
        (0..86_400).step_by(600).for_each(|second| note_daily(&journal, event(1, second)));
        assert_eq!(journal.take_all().len(), 1);
        journal.note_daily(event(1, 86_400));
        assert_eq!(journal.take_all().len(), 1);
    }

    #[test]
    fn everybody_whose_password_expires_is_told_on_one_morning() {
        let (journal, expiring) = (Journal::default(), |whose| Event { kind: EventKind::Expiring, ..event(whose, 0) });
        // A flood of refusals comes first.
        (0..100_000).for_each(|whose| journal.note(event(whose, 0)));
        (0..20_000).for_each(|whose| note_daily(&journal, expiring(whose)));
        let told = journal.take_all();
        let of_owners = told.iter().filter(|event| event.kind == EventKind::Expiring);
        assert_eq!(of_owners.filter(|event| event.times == 1).count(), 20_000);
    }

    #[test]
    fn what_is_told_once_a_day_stays_bounded_and_the_latest_are_told() {
        let journal = Journal::default();
        let mut told = 0;
        for whose in 0..200_000_u128 {
            // Ten people a second, and another kind beside them.
            let seconds = i64::try_from(whose).unwrap() / 10;
            journal.note_daily(Event { kind: EventKind::Expiring, ..event(whose, seconds) });
            journal.note_daily(Event { kind: EventKind::StaleDevice, ..event(whose % 100, seconds) });
            told += journal.take(at(seconds)).iter().filter(|event| event.kind == EventKind::Expiring).count();
            assert!(journal.waiting().told_today.values().all(|told| told.last.len() <= REMEMBERED));
        }
        assert_eq!(told, 200_000);
        // What was told a moment ago is not told again.
        journal.note_daily(Event { kind: EventKind::Expiring, ..event(199_999, 20_000) });
        assert_eq!(journal.take_all(), []);
    }

    #[test]
    fn what_finds_no_room_is_told_by_the_next_bind() {
        let (journal, most) = (Journal::default(), u128::from(ALL_OF_OWNERS));
        (0..=most).for_each(|whose| note_daily(&journal, event(whose, 0)));
        assert_eq!(journal.take_all().len(), ALL_OF_OWNERS as usize);
        journal.note_daily(event(most, 60));
        assert_eq!(journal.take_all().iter().map(|event| event.uuid.as_u128()).collect::<Vec<_>>(), [most]);
    }

    #[test]
    fn one_account_at_which_much_happens_leaves_room_for_the_others() {
        let journal = Journal::default();
        let device = |number: u32| Event {
            source: format!("2001:db8::{number:x}"),
            kind: EventKind::StaleDevice,
            ..event(1, 0)
        };
        (0..50_000).for_each(|number| note_daily(&journal, device(number)));
        journal.note_daily(event(2, 0));
        assert_eq!(times(&journal.take(at(0))), [1; EACH as usize + 1]);
    }

    #[test]
    fn the_latest_locks_are_kept() {
        let journal = Journal::default();
        (0..10_010).for_each(|whose: i64| journal.note_lock(event(u128::try_from(whose).unwrap(), whose)));
        assert_eq!(journal.waiting().locks.len(), LOCKS);
        assert!(journal.lock_of(Uuid::from_u128(10_009)).is_some() && journal.lock_of(Uuid::from_u128(9)).is_none());
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
