//! Where work goes that would hold up a thread that serves connections.
//!
//! A lane has a fixed number of threads and a bounded queue, which is fair: sources take turns, so that one that floods
//! the lane waits behind its own flood and nobody else does.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// A piece of work. It is called again, behind the others, for as long as it says so.
pub type Job = Box<dyn FnMut() -> Status + Send>;

/// How far a job got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// It is done.
    Finished,
    /// It has to wait for another one, and is to be called again later.
    Again,
}

/// Who a job is for: an address, or anything else that should take turns with others.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Source(pub u64);

/// The queue is full: the server is busy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full;

/// How urgent the threads of a lane are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Urgency {
    /// As any other thread.
    Normal,
    /// They run when those that serve connections have nothing to do, and get what is left when not.
    Low,
}

/// Threads that work off a fair queue.
#[derive(Debug)]
pub struct Lane {
    queue: Arc<Queue>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// How long a thread steps back from a job that has to wait, unless another one arrives.
const PAUSE: Duration = Duration::from_millis(1);

#[derive(Debug)]
struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    capacity: usize,
}

#[derive(Default)]
struct State {
    jobs: HashMap<Source, VecDeque<Job>>,
    turns: VecDeque<Source>,
    waiting: usize,
    closed: bool,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "State({} waiting)", self.waiting)
    }
}

impl Lane {
    /// Starts a lane.
    pub fn start(name: &str, threads: usize, capacity: usize, urgency: Urgency) -> Self {
        let queue = Arc::new(Queue { state: Mutex::default(), arrived: Condvar::new(), capacity });
        let start = |_| {
            let queue = Arc::clone(&queue);
            let run = move || {
                if urgency == Urgency::Low {
                    step_back();
                }
                queue.work();
            };
            std::thread::Builder::new().name(name.to_owned()).spawn(run).ok()
        };
        let threads = (0..threads.max(1)).filter_map(start).collect();
        Self { queue, threads: Mutex::new(threads) }
    }

    /// Queues a job.
    pub fn submit(&self, source: Source, job: Job) -> Result<(), Full> {
        let mut state = self.queue.lock();
        if state.closed || state.waiting >= self.queue.capacity {
            return Err(Full);
        }
        state.push(source, job);
        drop(state);
        self.queue.arrived.notify_one();
        Ok(())
    }

    /// How many jobs wait.
    pub fn waiting(&self) -> usize {
        self.queue.lock().waiting
    }

    /// Works off what waits, takes nothing more, and ends the threads.
    pub fn close(&self) {
        self.queue.lock().closed = true;
        self.queue.arrived.notify_all();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // A thread that panicked has ended as well.
            let _ = thread.join();
        }
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some((source, mut job)) = self.next() {
            if job() == Status::Again {
                let mut state = self.lock();
                state.push(source, job);
                // What it waits for takes milliseconds, and asking all the time would only slow that down.
                drop(self.arrived.wait_timeout(state, PAUSE));
            }
        }
    }

    fn next(&self) -> Option<(Source, Job)> {
        let mut state = self.lock();
        loop {
            if let Some(next) = state.pop() {
                return Some(next);
            }
            if state.closed {
                return None;
            }
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl State {
    fn push(&mut self, source: Source, job: Job) {
        let jobs = self.jobs.entry(source).or_default();
        if jobs.is_empty() {
            self.turns.push_back(source);
        }
        jobs.push_back(job);
        self.waiting += 1;
    }

    /// The next job of the source whose turn it is; then it is the turn of the others.
    fn pop(&mut self) -> Option<(Source, Job)> {
        let source = self.turns.pop_front()?;
        let jobs = self.jobs.get_mut(&source)?;
        let job = jobs.pop_front()?;
        if jobs.is_empty() {
            self.jobs.remove(&source);
        } else {
            self.turns.push_back(source);
        }
        self.waiting -= 1;
        Some((source, job))
    }
}

/// Makes the calling thread the one that others go before. On Linux the priority is the thread's own.
fn step_back() {
    // Where it is not allowed, hashing competes with the rest, which is slower and no less right.
    let _ = rustix::process::setpriority_process(None, 10);
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    fn blocked(lane: &Lane) -> Sender<()> {
        let (release, wait) = channel::<()>();
        let (started, is_started) = channel();
        let job = move || {
            started.send(()).unwrap();
            let _ = wait.recv();
            Status::Finished
        };
        lane.submit(Source(0), Box::new(job)).unwrap();
        is_started.recv().unwrap();
        release
    }

    #[test]
    fn sources_take_turns() {
        let lane = Lane::start("test", 1, 100, Urgency::Normal);
        let release = blocked(&lane);
        let (sender, receiver) = channel();
        for (source, name) in [(1, 'a'), (1, 'b'), (1, 'c'), (2, 'x'), (3, 'y')] {
            let sender = sender.clone();
            let job = move || {
                sender.send(name).unwrap();
                Status::Finished
            };
            lane.submit(Source(source), Box::new(job)).unwrap();
        }
        drop((sender, release));
        assert_eq!(receiver.iter().collect::<String>(), "axybc");
        lane.close();
    }

    #[test]
    fn a_full_lane_says_so_and_a_closed_one_takes_nothing() {
        let lane = Lane::start("test", 1, 2, Urgency::Normal);
        let release = blocked(&lane);
        let job = || Box::new(|| Status::Finished);
        assert_eq!(lane.submit(Source(1), job()), Ok(()));
        assert_eq!(lane.submit(Source(2), job()), Ok(()));
        assert_eq!((lane.submit(Source(3), job()), lane.waiting()), (Err(Full), 2));
        drop(release);
        lane.close();
        assert_eq!(lane.submit(Source(1), job()), Err(Full));
    }

    #[test]
    fn a_job_that_has_to_wait_is_called_again() {
        let lane = Lane::start("test", 1, 10, Urgency::Low);
        let (sender, receiver) = channel();
        let mut left = 3;
        let job = move || {
            left -= 1;
            if left > 0 {
                return Status::Again;
            }
            sender.send(()).unwrap();
            Status::Finished
        };
        lane.submit(Source(1), Box::new(job)).unwrap();
        receiver.recv().unwrap();
        lane.close();
    }
}
