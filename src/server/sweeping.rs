//! Looks each hour, and when the server begins, for passwords that end, of people who never bind; and takes away requests to
//! approve something that ended long ago.
//!
//! It works a tenth of the time and some entries at a time, so that nobody who waits for an answer notices.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use tracing::{info, warn};

use crate::directory::tree::{CommitError, Committed, Tree, TreeError};
use crate::operations::notices::{self, Due};
use crate::operations::{Services, approval};

use super::Shared;
use super::background::{Background, Bell, Woken};
use super::counting::{Ended, submit};

const EVERY: Duration = Duration::from_secs(3_600);
/// So many entries are looked at before it rests.
const AT_ONCE: usize = 256;
/// And so many times as long as that took.
const REST: u32 = 9;

/// Starts the thread that looks. When it is stopped, it ends as soon as what it is writing has been written.
pub(super) fn start(shared: Arc<Shared>) -> Background {
    Background::start("sweeping", Arc::default(), move |bell| {
        let mut pause = Duration::ZERO;
        while bell.sleep(pause) != Woken::Stop {
            if let Err(error) = take_away_requests(&shared) {
                warn!(%error, "requests that have ended could not be taken away, which will be tried again in an hour");
            }
            if let Err(error) = sweep(&shared, bell) {
                warn!(%error, "it could not be looked for passwords that end, and will be tried again in an hour");
            }
            pause = EVERY;
        }
    })
}

/// Takes away requests that ended long ago, some at a time.
fn take_away_requests(shared: &Shared) -> Result<(), CommitError> {
    loop {
        let (view, _) = shared.now();
        let swept = approval::sweep(&view, shared.clock.now());
        let change = swept.map_err(|error| CommitError::Unavailable(error.to_string()))?;
        drop(view);
        if change.is_empty() {
            return Ok(());
        }
        let taken = change.writes.len();
        let (ended, has_ended) = channel();
        // Whoever has changed one of them meanwhile goes before.
        let reply = move |result: Result<Committed, CommitError>| drop(ended.send(result.map(drop)));
        shared.store.submit(change, Box::new(reply));
        has_ended.recv().unwrap_or(Err(CommitError::Busy))?;
        info!(requests = taken, "requests that have ended were taken away");
    }
}

/// Looks at every account once, if any policy asks for that.
fn sweep(shared: &Shared, bell: &Bell) -> Result<(), TreeError> {
    let (view, services) = shared.now();
    if !services.policies.give_notice(&view)? {
        return Ok(());
    }
    drop(view);
    let (mut after, mut due) = (None, 0);
    loop {
        let begun = Instant::now();
        let (view, services) = shared.now();
        let found = notices::find(&view, &services.policies, after, AT_ONCE, shared.clock.now())?;
        if found.last.is_none() {
            break;
        }
        after = found.last;
        tell_all(shared, &view, &services, &found.due);
        due += found.due.len();
        drop(view);
        if bell.sleep(begun.elapsed() * REST) == Woken::Stop {
            return Ok(());
        }
        // By now nobody works with what the accounts were before.
        found.due.iter().for_each(|due| services.meter.let_go(due.uuid));
    }
    info!(due, "it was looked for passwords that end");
    Ok(())
}

/// Tells all of it, and waits until it is written. What was not is found again in an hour.
fn tell_all(shared: &Shared, view: &dyn Tree, services: &Services, due: &[Due]) {
    let (ended, all_ended) = channel::<Result<(), CommitError>>();
    for one in due {
        tell(shared, (view, services), one, ended.clone());
    }
    drop(ended);
    if let Some(error) = all_ended.iter().filter_map(Result::err).last() {
        warn!(%error, "that passwords end could not be recorded, and will be tried again in an hour");
    }
}

fn tell(shared: &Shared, (view, services): (&dyn Tree, &Services), due: &Due, ended: Ended) {
    let Services { meter, journal, .. } = services;
    let Some(unwritten) = meter.take_along(due.uuid, &due.account) else { return };
    match notices::change(view, due, &unwritten, journal, shared.clock.now()) {
        Ok(Some(change)) => submit(shared, meter, unwritten, change, ended),
        // What the store cannot read it cannot write either.
        Ok(None) | Err(_) => meter.superseded(&unwritten),
    }
}
