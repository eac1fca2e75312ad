//! Reads after a start what is going to be asked for, on a thread of its own to which everything else is put first.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use rustix::process::nice;
use tracing::{debug, warn};

use super::Shared;

/// So much less important than whoever waits for an answer.
const NICER: i32 = 10;

pub(super) fn start(shared: Arc<Shared>) -> Option<JoinHandle<()>> {
    let run = move || {
        // On Linux it is said of the thread. Elsewhere it is said of everybody, which changes nothing between them.
        let _ = nice(NICER);
        let begun = Instant::now();
        match shared.store.warm(&mut || !shared.stop.is_cancelled()) {
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
    };
    std::thread::Builder::new().name("warming".to_owned()).spawn(run).ok()
}
