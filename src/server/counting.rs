//! Writes down what the meter has counted: in batches and a little later, so that guessing passwords does not become a
//! flood of writes.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tracing::warn;

use crate::directory::tree::{Change, CommitError, Committed, Directory};
use crate::operations::counted;
use crate::password::Meter;
use crate::password::meter::Unwritten;
use crate::password::meter::radar::{Alarm, AlarmKind};

use super::Shared;
use super::recording::{Recording, write_rest};

const EVERY: Duration = Duration::from_secs(1);

/// The thread that writes.
#[derive(Debug)]
pub(super) struct Counting {
    stop: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

pub(super) fn start(shared: Arc<Shared>) -> Counting {
    let (stop, stopped) = channel();
    let run = move || {
        let mut recording = Recording::default();
        while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
            write_all(&shared);
            tell_alarms(&shared);
            recording.write(&shared);
        }
        shared.services.load().meter.hasten();
        write_all(&shared);
        write_rest(&shared);
    };
    let thread = std::thread::Builder::new().name("counting".to_owned()).spawn(run).ok();
    Counting { stop, thread }
}

impl Counting {
    /// Writes what is left, and ends.
    pub(super) fn stop(mut self) {
        drop(self.stop);
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has ended as well.
            let _ = thread.join();
        }
    }
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

/// Writes everything, some at a time, each when the ones before have been written.
fn write_all(shared: &Arc<Shared>) {
    let meter = Arc::clone(&shared.services.load().meter);
    loop {
        let unwritten = meter.take_unwritten(AT_ONCE);
        let count = unwritten.len();
        let (ended, all_ended) = channel::<Result<(), CommitError>>();
        for one in unwritten {
            write(shared, &meter, one, ended.clone());
        }
        drop(ended);
        let failed = all_ended.iter().filter_map(Result::err).last();
        if let Some(error) = failed {
            warn!(%error, "the count of wrong passwords could not be written, and will be tried again");
            return;
        }
        if count < AT_ONCE {
            return;
        }
    }
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
                journal.settle(unwritten.uuid);
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
