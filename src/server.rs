//! The shell around sessions and operations: sockets, TLS, threads and time. Async ends here.
//!
//! Reading order: a [`Server`] is opened from [`Settings`] and runs until it is told to stop; [`listener`] accepts
//! connections and deals them out to workers, each a thread with a runtime of its own; [`connection`] is one connection,
//! which reads, asks its [session](crate::session) what to do, has [`dispatch`] do it, and writes; what takes long goes to
//! one of the [`lanes`], so that hashing never delays a search.

mod access_log;
mod background;
pub mod breach_file;
mod clock;
pub mod connection;
mod counting;
mod dispatch;
mod end_point;
pub mod fake_salts;
pub mod lanes;
pub mod listener;
mod monitor;
mod paging;
mod peer;
pub mod policy_log;
mod proving;
pub mod random;
mod recording;
pub mod settings;
mod shared;
mod stream;
mod sweeping;
pub mod tls;
mod warming;
mod worker;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

pub use clock::Clock;
pub use listener::{Bound, ListenError};
pub use proving::tell_withheld;
pub use settings::Settings;
pub use shared::{Refit, Shared};

/// A server whose sockets are open.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    listeners: listener::Listeners,
}

impl Server {
    /// Opens the sockets.
    pub fn open(shared: Arc<Shared>, settings: &Settings) -> Result<Self, ListenError> {
        let listeners = listener::Listeners::open(settings, &shared)?;
        Ok(Self { shared, listeners })
    }

    /// Where it listens.
    pub fn bound(&self) -> Vec<Bound> {
        self.listeners.bound()
    }

    /// What stops it: connections finish what is under way, are told, and end.
    pub fn stopper(&self) -> CancellationToken {
        self.shared.stop.clone()
    }

    /// Serves until it is stopped.
    pub fn run(self) {
        let shared = Arc::clone(&self.shared);
        let counting = counting::start(Arc::clone(&shared));
        let sweeping = sweeping::start(Arc::clone(&shared));
        let warming = warming::start(Arc::clone(&shared));
        let proving = proving::start(Arc::clone(&shared));
        worker::run(&self.shared, self.listeners);
        proving.stop();
        warming.stop();
        sweeping.stop();
        counting.stop();
        shared.hashing.close();
        shared.scans.close();
    }
}
