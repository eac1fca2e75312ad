//! Where work goes that would hold up a thread that serves connections.
//!
//! A lane has a fixed number of threads and a bounded queue, which is fair: sources take turns, so that one that floods
//! the lane waits behind its own flood and nobody else does. Nor does it take the room of others: when the queue is full,
//! whoever has most in it gives way.
//!
//! A job that has to wait for another one is put aside, where it holds no thread. Whenever a job is done, those that were put
//! aside are called again, each source's in the order in which they came.
//!
//! A job is told what becomes of it, whatever that is, so that whoever waits for it gets an answer.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// A piece of work. It is called once with [`Fate::Run`], and again for as long as it says so, or with another fate, which
/// is the last.
pub type Job = Box<dyn FnMut(Fate) -> Status + Send>;

/// What becomes of a job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It is its turn.
    Run,
    /// There is no room for it: the server is busy.
    Dropped,
    /// It panicked when it ran.
    Panicked,
}

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

/// Threads that work off a fair queue.
#[derive(Debug)]
pub struct Lane {
    queue: Arc<Queue>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// After so long those that were put aside are called again in any case, since what they wait for may be done elsewhere.
const PAUSE: Duration = Duration::from_millis(10);

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
    /// Those that have to wait for others, the first first.
    aside: VecDeque<(Source, Job)>,
    /// How many there are, those included that were put aside.
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
    pub fn start(name: &str, threads: usize, capacity: usize) -> Self {
        let queue = Arc::new(Queue { state: Mutex::default(), arrived: Condvar::new(), capacity });
        let start = |_| {
            let queue = Arc::clone(&queue);
            let run = move || queue.work();
            std::thread::Builder::new().name(name.to_owned()).spawn(run).ok()
        };
        let threads = (0..threads.max(1)).filter_map(start).collect();
        Self { queue, threads: Mutex::new(threads) }
    }

    /// Queues a job, or drops one for which there is no room.
    pub fn submit(&self, source: Source, job: Job) {
        let dropped = self.queue.lock().admit(source, job, self.queue.capacity);
        match dropped {
            Some(mut dropped) => end(&mut dropped, Fate::Dropped),
            None => self.queue.arrived.notify_one(),
        }
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
            // What a job holds is not looked at again but by itself, to be answered.
            match catch_unwind(AssertUnwindSafe(|| job(Fate::Run))) {
                Ok(Status::Finished) => self.call_again(),
                Ok(Status::Again) => self.lock().put_aside(source, job),
                Err(_) => {
                    tracing::error!("a request panicked, and is answered as failed");
                    end(&mut job, Fate::Panicked);
                    self.call_again();
                }
            }
        }
    }

    /// Something has ended that others may have waited for.
    fn call_again(&self) {
        let mut state = self.lock();
        if !state.aside.is_empty() {
            state.call_again();
            drop(state);
            self.arrived.notify_all();
        }
    }

    fn next(&self) -> Option<(Source, Job)> {
        let mut state = self.lock();
        loop {
            if let Some(next) = state.pop() {
                return Some(next);
            }
            if !state.aside.is_empty() {
                let (again, timeout) = self.arrived.wait_timeout(state, PAUSE).unwrap_or_else(PoisonError::into_inner);
                state = again;
                if timeout.timed_out() {
                    state.call_again();
                }
            } else if state.closed {
                return None;
            } else {
                state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

impl State {
    /// Takes a job in. Returns the one for which there is no room, if there is not: this one, where its source has as many
    /// as any other; otherwise the newest of the source that has most.
    fn admit(&mut self, source: Source, job: Job, capacity: usize) -> Option<Job> {
        if self.closed {
            return Some(job);
        }
        if self.waiting < capacity {
            self.push(source, job);
            return None;
        }
        // Those that were put aside take room like any other.
        self.call_again();
        let own = self.jobs.get(&source).map_or(0, VecDeque::len);
        let longest = self.jobs.iter().max_by_key(|(_, jobs)| jobs.len()).map(|(source, jobs)| (*source, jobs.len()));
        let dropped = longest.filter(|(_, length)| *length > own + 1).and_then(|(longest, _)| self.pop_newest(longest));
        match dropped {
            Some(dropped) => {
                self.push(source, job);
                Some(dropped)
            }
            None => Some(job),
        }
    }

    fn pop_newest(&mut self, source: Source) -> Option<Job> {
        let jobs = self.jobs.get_mut(&source)?;
        let job = jobs.pop_back()?;
        if jobs.is_empty() {
            self.jobs.remove(&source);
            self.turns.retain(|turn| *turn != source);
        }
        self.waiting -= 1;
        Some(job)
    }

    fn push(&mut self, source: Source, job: Job) {
        let jobs = self.jobs.entry(source).or_default();
        if jobs.is_empty() {
            self.turns.push_back(source);
        }
        jobs.push_back(job);
        self.waiting += 1;
    }

    fn put_aside(&mut self, source: Source, job: Job) {
        self.aside.push_back((source, job));
        self.waiting += 1;
    }

    /// Those that were put aside are the first of their source again.
    fn call_again(&mut self) {
        let Self { jobs, turns, aside, .. } = self;
        for (source, _) in aside.iter() {
            if !jobs.contains_key(source) {
                turns.push_back(*source);
                jobs.insert(*source, VecDeque::new());
            }
        }
        for (source, job) in aside.drain(..).rev() {
            jobs.entry(source).or_default().push_front(job);
        }
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

/// Tells a job its last fate.
fn end(job: &mut Job, fate: Fate) {
    // What panics even now cannot be helped; its thread can.
    if catch_unwind(AssertUnwindSafe(|| job(fate))).is_err() {
        tracing::error!("a request panicked while it was answered");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    fn blocked(lane: &Lane) -> Sender<()> {
        let (release, wait) = channel::<()>();
        let (started, is_started) = channel();
        let job = move |_| {
            started.send(()).unwrap();
            let _ = wait.recv();
            Status::Finished
        };
        lane.submit(Source(0), Box::new(job));
        is_started.recv().unwrap();
        release
    }

    /// What became of jobs.
    struct Fates(Sender<(char, Fate)>, Receiver<(char, Fate)>);

    impl Fates {
        fn new() -> Self {
            let (sender, receiver) = channel();
            Self(sender, receiver)
        }

        fn submit(&self, lane: &Lane, source: u64, name: char) {
            let sender = self.0.clone();
            let job = move |fate| {
                sender.send((name, fate)).unwrap();
                Status::Finished
            };
            lane.submit(Source(source), Box::new(job));
        }

        fn next(&self) -> Option<(char, Fate)> {
            self.1.try_recv().ok()
        }

        /// All, when the lane has ended.
        fn all(self) -> Vec<(char, Fate)> {
            drop(self.0);
            self.1.iter().collect()
        }
    }

    #[test]
    fn sources_take_turns() {
        let lane = Lane::start("test", 1, 100);
        let release = blocked(&lane);
        let fates = Fates::new();
        for (source, name) in [(1, 'a'), (1, 'b'), (1, 'c'), (2, 'x'), (3, 'y')] {
            fates.submit(&lane, source, name);
        }
        drop(release);
        lane.close();
        assert_eq!(fates.all().into_iter().map(|(name, _)| name).collect::<String>(), "axybc");
    }

    #[test]
    fn a_source_may_fill_the_queue_and_gives_way_to_others() {
        let lane = Lane::start("test", 1, 4);
        let release = blocked(&lane);
        let fates = Fates::new();
        for name in ['a', 'b', 'c', 'd', 'e'] {
            fates.submit(&lane, 1, name);
        }
        assert_eq!((fates.next(), lane.waiting()), (Some(('e', Fate::Dropped)), 4));
        fates.submit(&lane, 2, 'x');
        assert_eq!((fates.next(), lane.waiting()), (Some(('d', Fate::Dropped)), 4));
        drop(release);
        lane.close();
    }

    #[test]
    fn when_all_is_full_the_newest_of_whoever_has_most_gives_way() {
        let lane = Lane::start("test", 1, 16);
        let release = blocked(&lane);
        let fates = Fates::new();
        for source in 1..=8 {
            fates.submit(&lane, source, 'o');
            fates.submit(&lane, source, 'n');
        }
        assert_eq!((fates.next(), lane.waiting()), (None, 16));
        // Somebody new finds room, in turn, until nobody has more than they would have.
        for source in 9..=16 {
            fates.submit(&lane, source, 'x');
            assert_eq!(fates.next(), Some(('n', Fate::Dropped)));
        }
        fates.submit(&lane, 17, 'y');
        assert_eq!((fates.next(), lane.waiting()), (Some(('y', Fate::Dropped)), 16));
        drop(release);
        lane.close();
        assert!(fates.all().into_iter().all(|(name, fate)| name != 'n' && fate == Fate::Run));
    }

    #[test]
    fn a_closed_lane_takes_nothing() {
        let lane = Lane::start("test", 1, 2);
        lane.close();
        let fates = Fates::new();
        fates.submit(&lane, 1, 'a');
        assert_eq!(fates.next(), Some(('a', Fate::Dropped)));
    }

    #[test]
    fn a_job_that_has_to_wait_is_called_again() {
        let lane = Lane::start("test", 1, 10);
        let (sender, receiver) = channel();
        let mut left = 3;
        let job = move |_| {
            left -= 1;
            if left > 0 {
                return Status::Again;
            }
            sender.send(()).unwrap();
            Status::Finished
        };
        lane.submit(Source(1), Box::new(job));
        receiver.recv().unwrap();
        lane.close();
    }

    /// Jobs of which one at a time may be under way, each of which ends when it is told to.
    struct OneAtATime {
        place: Arc<Mutex<bool>>,
        begun: Sender<usize>,
        go_on: Arc<Mutex<Receiver<()>>>,
    }

    impl OneAtATime {
        fn submit(&self, lane: &Lane, source: u64, number: usize) {
            let (place, begun, go_on) = (Arc::clone(&self.place), self.begun.clone(), Arc::clone(&self.go_on));
            let job = move |fate| {
                if fate != Fate::Run {
                    begun.send(usize::MAX).unwrap();
                    return Status::Finished;
                }
                if std::mem::replace(&mut *place.lock().unwrap(), true) {
                    return Status::Again;
                }
                begun.send(number).unwrap();
                go_on.lock().unwrap().recv().unwrap();
                *place.lock().unwrap() = false;
                Status::Finished
            };
            lane.submit(Source(source), Box::new(job));
        }
    }

    #[test]
    fn jobs_that_wait_for_a_place_hold_no_thread_and_all_get_one() {
        let lane = Lane::start("test", 2, 100);
        let ((begun, has_begun), (release, go_on)) = (channel(), channel());
        let jobs = OneAtATime { place: Arc::default(), begun, go_on: Arc::new(Mutex::new(go_on)) };
        (0..64).for_each(|number| jobs.submit(&lane, 1, number));
        let first = has_begun.recv().unwrap();
        // 63 wait, and another thread is free for others all the same.
        let others = Fates::new();
        others.submit(&lane, 2, 'a');
        assert_eq!(others.1.recv().unwrap(), ('a', Fate::Run));
        (0..64).for_each(|_| release.send(()).unwrap());
        let mut all: Vec<_> = std::iter::once(first).chain(has_begun.iter().take(63)).collect();
        all.sort_unstable();
        assert_eq!(all, (0..64).collect::<Vec<_>>());
        lane.close();
    }

    #[test]
    fn those_that_were_put_aside_keep_their_order_and_give_way_like_any_other() {
        let (sender, receiver) = channel();
        let job = |name: char| -> Job {
            let sender = sender.clone();
            Box::new(move |fate| {
                sender.send((name, fate)).unwrap();
                Status::Finished
            })
        };
        let mut state = State::default();
        for (source, name) in [(1, 'a'), (2, 'x'), (1, 'b'), (1, 'c')] {
            state.put_aside(Source(source), job(name));
        }
        state.push(Source(1), job('d'));
        // The newest of the source that has most is dropped.
        let mut dropped = state.admit(Source(3), job('y'), 5).unwrap();
        assert_eq!((dropped(Fate::Dropped), state.waiting), (Status::Finished, 5));
        while let Some((_, mut job)) = state.pop() {
            job(Fate::Run);
        }
        let told: String = receiver.try_iter().map(|(name, _)| name).collect();
        assert_eq!((told.as_str(), state.waiting), ("daxybc", 0));
    }

    #[test]
    fn a_job_that_panics_is_told_and_the_lane_goes_on() {
        let lane = Lane::start("test", 1, 10);
        let (sender, receiver) = channel();
        let panics = move |fate| {
            sender.send(('p', fate)).unwrap();
            assert_ne!(fate, Fate::Run, "this panic is part of a test");
            Status::Finished
        };
        lane.submit(Source(1), Box::new(panics));
        let fates = Fates::new();
        fates.submit(&lane, 2, 'a');
        lane.close();
        assert_eq!(fates.next(), Some(('a', Fate::Run)));
        let told: Vec<_> = receiver.iter().collect();
        assert_eq!(told, [('p', Fate::Run), ('p', Fate::Panicked)]);
    }
}
