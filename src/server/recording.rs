//! Writes down what was refused, a little later and in one change, and forgets what need not be kept any more.

use std::time::{Duration, Instant};

use tracing::{error, warn};

use crate::directory::tree::{Change, CommitError, Directory, Event};

use super::Shared;

/// How often the record is looked at for what is too old.
const TRIM_EVERY: Duration = Duration::from_secs(3_600);

/// What there is to do besides the counting.
#[derive(Debug, Default)]
pub(super) struct Recording {
    trimmed: Option<Instant>,
}

impl Recording {
    /// Writes what has come together since.
    pub(super) fn write(&mut self, shared: &Shared) {
        write_now(shared);
        if self.trimmed.is_none_or(|last| last.elapsed() >= TRIM_EVERY) {
            self.trimmed = Some(Instant::now());
            if let Err(error) = shared.store.trim_events(shared.settings.retention, shared.clock.now()) {
                warn!(%error, "what is too old of the record of passwords could not be removed");
            }
        }
    }
}

/// Writes what has come together until now.
pub(super) fn write_now(shared: &Shared) {
    write(shared, shared.services.load().journal.take(shared.clock.now()));
}

/// Writes everything at the end, when nothing more comes.
pub(super) fn write_rest(shared: &Shared) {
    write(shared, shared.services.load().journal.take_all());
}

fn write(shared: &Shared, events: Vec<Event>) {
    if events.is_empty() {
        return;
    }
    let change = Change { events: events.clone(), ..Change::none() };
    if let Err(error) = shared.store.commit(change) {
        tell_unwritten(&error, "the record of refused passwords");
        shared.services.load().journal.take_back(events);
    }
}

/// Tells that something is still to be written. A full queue passes; a store that takes nothing more, somebody must see to.
pub(super) fn tell_unwritten(error: &CommitError, what: &str) {
    if let CommitError::Unavailable(_) = error {
        error!(%error, "{what} could not be written, and is kept in memory");
    } else {
        warn!(%error, "{what} could not be written, and will be tried again");
    }
}
