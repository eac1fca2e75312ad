//! Threads that serve connections: each has a runtime of its own, and a connection stays on the thread that it was dealt
//! to, so that serving it wakes nobody else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::task::TaskTracker;

use super::connection::{Kind, Opened, serve};
use super::listener::Listeners;
use super::peer::Peer;
use super::shared::{Place, Shared};
use super::stream::Stream;

/// A connection that was accepted.
pub(super) struct Accepted {
    pub(super) raw: Raw,
    pub(super) kind: Kind,
    pub(super) peer: Peer,
    pub(super) place: Place,
}

/// A socket that belongs to no runtime yet.
pub(super) enum Raw {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
}

/// Deals connections out to the workers in turn.
#[derive(Clone)]
pub(super) struct Dealer {
    workers: Arc<[UnboundedSender<Accepted>]>,
    next: Arc<AtomicUsize>,
}

impl Dealer {
    pub(super) fn deal(&self, accepted: Accepted) {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let worker = turn.checked_rem(self.workers.len()).and_then(|turn| self.workers.get(turn));
        if let Some(worker) = worker {
            // A worker that has ended takes nothing: the server is stopping, and the connection closes.
            let _ = worker.send(accepted);
        }
    }
}

/// Serves until the server stops and all connections have ended.
pub(super) fn run(shared: &Arc<Shared>, listeners: Listeners) {
    let mut senders = Vec::new();
    let mut threads = Vec::new();
    for number in 0..shared.settings.workers.max(1) {
        let (sender, receiver) = unbounded_channel();
        senders.push(sender);
        let shared = Arc::clone(shared);
        let run = move || in_runtime(work(shared, number, receiver));
        threads.extend(std::thread::Builder::new().name(format!("worker-{number}")).spawn(run));
    }
    let dealer = Dealer { workers: senders.into(), next: Arc::default() };
    in_runtime(listeners.accept(shared, &dealer));
    drop(dealer);
    for thread in threads {
        // A worker that panicked has ended as well.
        let _ = thread.join();
    }
}

fn in_runtime(work: impl Future<Output = ()>) {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(work),
        Err(error) => tracing::error!(%error, "a thread could not be set up"),
    }
}

async fn work(shared: Arc<Shared>, worker: usize, mut accepted: UnboundedReceiver<Accepted>) {
    let connections = TaskTracker::new();
    while let Some(Accepted { raw, kind, peer, place }) = accepted.recv().await {
        let stream = match raw {
            Raw::Tcp(stream) => tokio::net::TcpStream::from_std(stream).map(Stream::Tcp),
            Raw::Unix(stream) => tokio::net::UnixStream::from_std(stream).map(Stream::Unix),
        };
        if let Ok(stream) = stream {
            connections.spawn(serve(Arc::clone(&shared), worker, Opened { stream, kind, peer, place }));
        }
    }
    connections.close();
    // Whoever has not finished by then is cut off.
    let _ = tokio::time::timeout(shared.settings.shutdown, connections.wait()).await;
}
