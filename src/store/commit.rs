//! The commit thread: the only writer.
//!
//! It takes the changes that have queued up while the disk was busy with the ones before, checks the conditions of each
//! against what is on disk and what the group has changed already, writes all that hold in one synced batch, and then
//! answers. So many clients share one wait for the disk, no lock is held while anybody thinks, and a change that lost a
//! race is told so and planned again.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use super::Shared;
use super::pending::Pending;
use super::view::Moment;
use crate::directory::tree::{Change, CommitError, Committed, Write};

/// What is called when a change has happened for good, or has not happened at all.
pub type Reply = Box<dyn FnOnce(Result<Committed, CommitError>) + Send>;

/// Changes that wait; when there are more, the server is busy.
const QUEUE: usize = 4_096;
/// One group has at most so many changes, and about so many octets.
const GROUP: usize = 256;
const GROUP_OCTETS: usize = 1 << 20;

/// Where numbering goes on: written with every group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Position {
    pub(super) moment: Moment,
    pub(super) last_id: u32,
    pub(super) log_sequence: u64,
    pub(super) event_sequence: u64,
}

struct Job {
    change: Change,
    reply: Reply,
}

/// The commit thread, and the queue in front of it. Dropped, it finishes what has queued and ends.
#[derive(Debug)]
pub(super) struct Committer {
    queue: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    pub(super) fn start(shared: Arc<Shared>, position: Position) -> Self {
        let (sender, receiver) = sync_channel(QUEUE);
        let run = move || Writer { shared, position }.run(&receiver);
        let thread = std::thread::Builder::new().name("commit".to_owned()).spawn(run).ok();
        Self { queue: Some(sender), thread }
    }

    pub(super) fn submit(&self, change: Change, reply: Reply) {
        let sent = match &self.queue {
            Some(queue) => queue.try_send(Job { change, reply }),
            None => return,
        };
        match sent {
            Ok(()) => {}
            Err(TrySendError::Full(job)) => (job.reply)(Err(CommitError::Busy)),
            Err(TrySendError::Disconnected(job)) => {
                (job.reply)(Err(CommitError::Unavailable("the commit thread has ended".to_owned())));
            }
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A commit thread that panicked has answered nobody, and nobody was told of success.
            let _ = thread.join();
        }
    }
}

struct Writer {
    shared: Arc<Shared>,
    position: Position,
}

/// What a failed sync left behind is unknown, so it is never tried again by a process that takes it to be written.
const UNTIL_A_RESTART: &str =
    "nothing is written any more until there is room and a sound disk, and the server is started again";

impl Writer {
    fn run(mut self, queue: &Receiver<Job>) {
        while let Ok(first) = queue.recv() {
            let mut group = vec![first];
            let mut octets = 0;
            while group.len() < GROUP && octets < GROUP_OCTETS {
                let Ok(job) = queue.try_recv() else { break };
                octets += size(&job.change);
                group.push(job);
            }
            self.commit(group);
        }
    }

    fn commit(&mut self, group: Vec<Job>) {
        if let Some(reason) = self.shared.failed.get() {
            return group.into_iter().for_each(|job| (job.reply)(Err(CommitError::Unavailable(reason.clone()))));
        }
        let shared = Arc::clone(&self.shared);
        let mut pending = Pending::new(&shared, self.position);
        let mut answers = Vec::with_capacity(group.len());
        for job in group {
            let result = pending.add(job.change);
            answers.push((job.reply, result));
        }
        match pending.write() {
            Ok(position) => {
                self.position = position;
                if let Some(announce) = shared.announce.get() {
                    announce.0();
                }
                for (reply, result) in answers {
                    reply(result);
                }
            }
            Err(error) => {
                let reason = shared.failed.get_or_init(|| format!("{error}; {UNTIL_A_RESTART}"));
                for (reply, _) in answers {
                    reply(Err(CommitError::Unavailable(reason.clone())));
                }
            }
        }
    }
}

/// About how many octets a change writes.
pub(super) fn size(change: &Change) -> usize {
    let one = |write: &Write| match write {
        Write::Insert { entry, credentials, .. } => {
            entry.octets().len() + credentials.as_ref().map_or(0, |credentials| credentials.octets().len())
        }
        Write::Replace { entry, .. } | Write::Move { entry, .. } => entry.octets().len(),
        Write::Remove { .. } => 0,
        Write::SetCredentials { credentials, .. } => credentials.octets().len(),
        Write::SetSchema(schema) => schema.extension().all().map(String::len).sum(),
    };
    let logged = change.log.iter().map(|record| record.changes.len());
    let happened = change.events.iter().map(|event| event.actor.len() + event.target.len() + event.reason.len());
    change.writes.iter().map(one).chain(logged).chain(happened).sum()
}
