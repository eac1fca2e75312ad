//! What the server counts, and what it tells of itself below `cn=monitor`.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::lanes::Lane;
use super::shared::Shared;
use crate::directory::tree::{Directory, Tree};
use crate::directory::{Identity, ResultCode, Timestamp};
use crate::operations::monitor::{Connected, Connections, Monitor, Operations, Part, Readings};
use crate::protocol::Operation;

/// What the connections of one worker have done. Its thread alone writes here, and no other has its memory beside it, so
/// that counting waits for nobody.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Tally {
    initiated: Counters,
    completed: Counters,
    results: Counters,
    entries: Counters,
    sent: Counters,
    received: Counters,
}

/// Some numbers that only grow.
#[derive(Debug)]
struct Counters(Box<[AtomicU64]>);

impl Counters {
    fn new(count: usize) -> Self {
        Self((0..count).map(|_| AtomicU64::new(0)).collect())
    }

    /// Adds to one of them. Only one thread may, which needs no lock for that.
    fn add(&self, at: usize, more: u64) {
        if let Some(number) = self.0.get(at) {
            number.store(number.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
        }
    }

    fn read(&self, at: usize) -> u64 {
        self.0.get(at).map_or(0, |number| number.load(Ordering::Relaxed))
    }
}

impl Tally {
    fn new() -> Self {
        let (kinds, codes) = (Operation::ALL.len(), ResultCode::ALL.len());
        Self {
            initiated: Counters::new(kinds),
            completed: Counters::new(kinds),
            results: Counters::new(codes),
            entries: Counters::new(1),
            sent: Counters::new(1),
            received: Counters::new(1),
        }
    }

    /// One for each worker.
    pub(super) fn for_workers(workers: usize) -> Box<[Arc<Self>]> {
        (0..workers.max(1)).map(|_| Arc::new(Self::new())).collect()
    }

    /// Counts a request that has come.
    pub(super) fn begin(&self, operation: Operation) {
        self.initiated.add(operation as usize, 1);
    }

    /// Counts a request that needs no answer, or none any more.
    pub(super) fn end(&self, operation: Operation) {
        self.completed.add(operation as usize, 1);
    }

    /// Counts an answer.
    pub(super) fn answer(&self, operation: Operation, code: ResultCode) {
        self.end(operation);
        self.results.add(code as usize, 1);
    }

    /// Counts entries that were sent.
    pub(super) fn send_entries(&self, count: u64) {
        self.entries.add(0, count);
    }

    /// Counts octets that were sent.
    pub(super) fn send(&self, octets: usize) {
        self.sent.add(0, octets as u64);
    }

    /// Counts octets that have come.
    pub(super) fn receive(&self, octets: usize) {
        self.received.add(0, octets as u64);
    }
}

/// A connection, as others see it.
#[derive(Debug)]
pub(super) struct Seen {
    from: String,
    since: Timestamp,
    who: Mutex<Identity>,
}

impl Seen {
    /// Notes whose connection it is now.
    pub(super) fn belongs_to(&self, identity: &Identity) {
        identity.clone_into(&mut self.who.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// The connections that are open, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Register(Mutex<BTreeMap<u64, Arc<Seen>>>);

impl Register {
    /// Notes a connection.
    pub(super) fn enter(&self, number: u64, from: String, since: Timestamp) -> Arc<Seen> {
        let seen = Arc::new(Seen { from, since, who: Mutex::new(Identity::Anonymous) });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(number, Arc::clone(&seen));
        seen
    }

    /// Notes that it has ended.
    pub(super) fn leave(&self, number: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
    }

    fn after(&self, number: u64, limit: usize) -> Vec<Connected> {
        let connected = |(number, seen): (u64, Arc<Seen>)| Connected {
            number,
            from: seen.from.clone(),
            since: seen.since,
            who: seen.who.lock().unwrap_or_else(PoisonError::into_inner).name().to_owned(),
        };
        self.seen_after(number, limit).into_iter().map(connected).collect()
    }

    fn seen_after(&self, number: u64, limit: usize) -> Vec<(u64, Arc<Seen>)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let behind = all.range((Excluded(number), Unbounded)).take(limit);
        let seen = behind.map(|(number, seen)| (*number, Arc::clone(seen))).collect();
        drop(all);
        seen
    }
}

/// Reads what the server has counted; it is part of what the server shares.
#[derive(Debug)]
pub(super) struct Watching(pub(super) Weak<Shared>);

impl Monitor for Watching {
    fn readings(&self) -> Readings {
        self.0.upgrade().map(|shared| read(&shared)).unwrap_or_default()
    }

    fn connections_after(&self, after: u64, limit: usize) -> Vec<Connected> {
        self.0.upgrade().map(|shared| shared.connections.register.after(after, limit)).unwrap_or_default()
    }
}

fn read(shared: &Shared) -> Readings {
    let total = |read: &dyn Fn(&Tally) -> u64| shared.tallies.iter().map(|tally| read(tally)).sum::<u64>();
    let operations = Operation::ALL.iter().map(|operation| Operations {
        operation: *operation,
        initiated: total(&|tally| tally.initiated.read(*operation as usize)),
        completed: total(&|tally| tally.completed.read(*operation as usize)),
    });
    let results = ResultCode::ALL.iter().map(|code| (*code, total(&|tally| tally.results.read(*code as usize))));
    let (current, opened) = shared.connections.counted();
    Readings {
        started: shared.started,
        connections: Connections { current, total: opened, most: shared.settings.connections.total as u64 },
        operations: operations.collect(),
        results: results.filter(|(_, count)| *count > 0).collect(),
        entries_sent: total(&|tally| tally.entries.read(0)),
        octets_sent: total(&|tally| tally.sent.read(0)),
        octets_received: total(&|tally| tally.received.read(0)),
        parts: parts(shared),
        store_failure: shared.store.failure().map(str::to_owned),
        withheld: shared.services.load().rules.withheld().iter().map(ToString::to_string).collect(),
    }
}

fn parts(shared: &Shared) -> Vec<Part> {
    let view = shared.store.view();
    let figures = shared.store.figures();
    let last_change = view.change_numbers().ok().flatten().map_or(0, |numbers| *numbers.end());
    let store = vec![
        ("Entries", figures.entries),
        ("Octets on Disk", figures.disk_octets),
        ("Last Commit", view.version()),
        ("Commits", view.version().saturating_sub(shared.first_version)),
        ("Last Change", last_change),
    ];
    let cache = vec![
        ("Octets", figures.cache_octets),
        ("Most Octets", figures.cache_capacity),
        ("Octets to Write", figures.unwritten_octets),
    ];
    let settings = &shared.settings;
    vec![
        Part { name: "Store", numbers: store },
        Part { name: "Cache", numbers: cache },
        Part { name: "Hashing", numbers: lane(&shared.hashing, settings.hashing_threads, settings.hashing_queue) },
        Part { name: "Searches", numbers: lane(&shared.scans, settings.workers, super::shared::SCAN_QUEUE) },
    ]
}

fn lane(lane: &Lane, threads: usize, most: usize) -> Vec<(&'static str, u64)> {
    vec![("Queue", lane.waiting() as u64), ("Most Waiting", most as u64), ("Threads", threads.max(1) as u64)]
}
