//! Writes down what the meter has counted: in batches and a little later, so that guessing passwords does not become a
//! flood of writes.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tracing::warn;

use crate::directory::tree::{Change, CommitError, Committed, Directory, Tree, Write};
use crate::password::meter::Unwritten;
use crate::password::{Account, Meter};

use super::Shared;

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
        while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
            write_all(&shared);
        }
        shared.services.load().meter.hasten();
        write_all(&shared);
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

fn write(shared: &Shared, meter: &Arc<Meter>, unwritten: Unwritten, ended: Sender<Result<(), CommitError>>) {
    let Some(change) = change(shared, &unwritten) else {
        return meter.forget(unwritten.uuid);
    };
    let meter = Arc::clone(meter);
    let reply = move |result: Result<Committed, CommitError>| {
        let end = match result {
            Ok(committed) => {
                meter.written(&unwritten, committed.version);
                Ok(())
            }
            // Somebody has set the credentials since; what they say now counts from the next attempt on.
            Err(CommitError::Conflict) => {
                meter.forget(unwritten.uuid);
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

/// The credentials with what was counted; nothing if they are not those any more that counting began with.
fn change(shared: &Shared, unwritten: &Unwritten) -> Option<Change> {
    let view = shared.store.view();
    let id = view.find_uuid(unwritten.uuid).ok()??;
    let credentials = view.credentials(id).ok()?;
    let mut account = Account::read(credentials.as_ref(), view.schema());
    if account.version != unwritten.version {
        return None;
    }
    unwritten.live.apply(&mut account);
    let credentials = account.to_entry(view.schema());
    let write = Write::SetCredentials { uuid: unwritten.uuid, version: account.version, credentials };
    Some(Change { writes: vec![write], log: Vec::new() })
}
