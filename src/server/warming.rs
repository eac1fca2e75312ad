//! Reads after a start what is going to be asked for, on a thread of its own to which everything else is put first.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::nice;
use tracing::{debug, warn};

use super::Shared;
use super::background::{Background, Bell, Woken};

/// So much less important than whoever waits for an answer.
const NICER: i32 = 10;
/// Those who have waited for the start are answered first.
const PAUSE: Duration = Duration::from_secs(1);

pub(super) fn start(shared: Arc<Shared>) -> Background {
    Background::start("warming", Arc::default(), move |bell| {
        // On Linux it is said of the thread. Elsewhere it is said of everybody, which changes nothing between them.
        let _ = nice(NICER);
        if bell.sleep(PAUSE) != Woken::Stop {
            read(&shared, bell);
        }
    })
}

fn read(shared: &Shared, bell: &Bell) {
    let begun = Instant::now();
    match shared.store.warm(&mut || bell.sleep(Duration::ZERO) != Woken::Stop) {
        Ok(read) => debug!(
            entries = read.entries,
            credentials = read.credentials,
            names = read.names,
            postings = read.postings,
            took = ?begun.elapsed(),
            "what is asked for most has been read"
        ),
        Err(error) => warn!(%error, "not everything could be read ahead; `keystead verify` tells what is damaged"),
    }
}
