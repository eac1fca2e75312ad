//! Writes down what the meter has counted: in batches and a little later, so that guessing passwords does not become a
//! flood of writes. A lock is written at once, and who is locked out is told so then. It takes many guesses, each of which is
//! hashed, and while some locks are being written, those that come meanwhile become one batch.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tracing::warn;
use uuid::Uuid;

use crate::directory::tree::{Change, CommitError, Committed, Directory};
use crate::operations::counted;
use crate::operations::hold::Awaited;
use crate::password::Meter;
use crate::password::meter::radar::{Alarm, AlarmKind};
use crate::password::meter::{Unwritten, UnwrittenLock};

use super::Shared;
use super::background::{Background, Bell, Woken};
use super::recording::{Recording, tell_unwritten, write_now, write_rest};

const EVERY: Duration = Duration::from_secs(1);

/// The locks that somebody waits for to be written, and what has been noted.
#[derive(Debug, Default)]
pub(super) struct Locks {
    waiting: Mutex<Vec<Waiting>>,
    /// Those who wait for what has been noted; dropped when it is written, or cannot be.
    noted: Mutex<Vec<oneshot::Sender<()>>>,
    bell: Arc<Bell>,
}

/// A lock that is to be written; dropped when it is, or cannot be.
#[derive(Debug)]
struct Waiting {
    uuid: Uuid,
    /// Who waits notices that it is gone.
    _ended: oneshot::Sender<()>,
}

impl Locks {
    /// Has written at once what somebody waits for, if anything. What is returned ends when it is, or cannot be.
    pub(super) fn write(&self, awaited: Awaited) -> Option<oneshot::Receiver<()>> {
        let (ended, end) = oneshot::channel();
        match awaited {
            Awaited::Nothing => return None,
            Awaited::Lock(uuid) => self.put([Waiting { uuid, _ended: ended }]),
            Awaited::Noted => self.noted.lock().unwrap_or_else(PoisonError::into_inner).push(ended),
        }
        self.bell.call();
        Some(end)
    }

    fn take_noted(&self) -> Vec<oneshot::Sender<()>> {
        std::mem::take(&mut self.noted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(&self, waiting: impl IntoIterator<Item = Waiting>) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).extend(waiting);
    }

    fn take(&self) -> Vec<Waiting> {
        std::mem::take(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Starts the thread that writes. When it is stopped, it writes what is left.
pub(super) fn start(shared: Arc<Shared>) -> Background {
    let bell = Arc::clone(&shared.locks.bell);
    Background::start("counting", bell, move |bell| {
        let mut recording = Recording::default();
        let mut next = Instant::now() + EVERY;
        while bell.sleep(next.saturating_duration_since(Instant::now())) != Woken::Stop {
            write_locks(&shared);
            write_noted(&shared);
            if Instant::now() < next {
                continue;
            }
            write_all(&shared);
            tell_alarms(&shared);
            recording.write(&shared);
            next = Instant::now() + EVERY;
        }
        shared.services.load().meter.hasten();
        write_all(&shared);
        write_rest(&shared);
    })
}

/// Tells of attacks on many accounts, in the log and in the record. What was tried is no part of it.
fn tell_alarms(shared: &Shared) {
    let services = shared.services.load();
    for alarm in services.meter.radar().take_alarms() {
        let Alarm { kind, source, accounts, since } = &alarm;
        let text = match kind {
            AlarmKind::Source => "one source fails to log in to many accounts; it is answered later and later",
            AlarmKind::Guess => "the same wrong password is tried at many accounts; this is its latest source",
        };
        warn!(%source, accounts, %since, "{text}");
        services.journal.note(counted::spray(&alarm, shared.clock.now()));
    }
}

/// As many accounts as are written at once. The commit queue is for those who wait for an answer.
const AT_ONCE: usize = 256;

/// Writes the locks that somebody waits for.
fn write_locks(shared: &Shared) {
    let meter = Arc::clone(&shared.services.load().meter);
    let mut waiting = shared.locks.take();
    while !waiting.is_empty() {
        let rest = waiting.split_off(waiting.len().min(AT_ONCE));
        let mut locks = Vec::new();
        let mut later = Vec::new();
        for one in std::mem::replace(&mut waiting, rest) {
            match meter.take_lock(one.uuid) {
                UnwrittenLock::None => {}
                UnwrittenLock::Now(lock) => locks.push((lock, one)),
                // Somebody else is writing what was counted before, which takes no time worth speaking of.
                UnwrittenLock::Later => later.push(one),
            }
        }
        shared.locks.put(later);
        let (locks, waited_for): (Vec<_>, Vec<_>) = locks.into_iter().unzip();
        // What could not be written is tried again with all the rest. Until then the lock is in memory.
        let _ = write_together(shared, &meter, locks);
        drop(waited_for);
    }
}

/// Writes what has been noted, if somebody waits for it.
fn write_noted(shared: &Shared) {
    let waiting = shared.locks.take_noted();
    if !waiting.is_empty() {
        write_now(shared);
    }
    drop(waiting);
}

/// Writes everything, some at a time, each when the ones before have been written.
fn write_all(shared: &Shared) {
    let meter = Arc::clone(&shared.services.load().meter);
    loop {
        let unwritten = meter.take_unwritten(AT_ONCE);
        let count = unwritten.len();
        if write_together(shared, &meter, unwritten).is_err() || count < AT_ONCE {
            return;
        }
    }
}

/// Writes some together, and waits until that has ended.
fn write_together(shared: &Shared, meter: &Arc<Meter>, some: Vec<Unwritten>) -> Result<(), CommitError> {
    let (ended, all_ended) = channel::<Result<(), CommitError>>();
    for one in some {
        write(shared, meter, one, ended.clone());
    }
    drop(ended);
    let failed = all_ended.iter().filter_map(Result::err).last();
    failed.map_or(Ok(()), |error| {
        tell_unwritten(&error, "the count of wrong passwords");
        Err(error)
    })
}

/// Who waits for the end of a writing is told how it went by this.
pub(super) type Ended = Sender<Result<(), CommitError>>;

fn write(shared: &Shared, meter: &Arc<Meter>, unwritten: Unwritten, ended: Ended) {
    let journal = Arc::clone(&shared.services.load().journal);
    // What the store cannot read it cannot write either.
    let change = counted::change(&shared.store.view(), &unwritten, &journal, shared.clock.now());
    let Ok(Some(change)) = change else {
        journal.settle(unwritten.uuid);
        return meter.superseded(&unwritten);
    };
    submit(shared, meter, unwritten, change, ended);
}

/// Has a change written that holds what was counted, and settles that.
pub(super) fn submit(shared: &Shared, meter: &Arc<Meter>, unwritten: Unwritten, change: Change, ended: Ended) {
    let journal = Arc::clone(&shared.services.load().journal);
    let meter = Arc::clone(meter);
    let reply = move |result: Result<Committed, CommitError>| {
        let end = match result {
            Ok(committed) => {
                meter.written(&unwritten, committed.version);
                // One that has come meanwhile is told with the next.
                if unwritten.live.locked.is_some() {
                    journal.settle(unwritten.uuid);
                }
                Ok(())
            }
            Err(CommitError::Conflict) => {
                meter.superseded(&unwritten);
                journal.settle(unwritten.uuid);
                Ok(())
            }
            Err(error) => {
                meter.not_written(&unwritten);
                Err(error)
            }
        };
        // Who asked for it waits for this.
        let _ = ended.send(end);
    };
    shared.store.submit(change, Box::new(reply));
}
