//! Threads beside those that serve: each sleeps until its time has come, it is called, or the server stops.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// A thread that works in the background.
#[derive(Debug)]
pub(super) struct Background {
    bell: Arc<Bell>,
    thread: Option<JoinHandle<()>>,
}

/// By what such a thread is woken.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rung: Mutex<Rung>,
    woken: Condvar,
}

#[derive(Debug, Default)]
struct Rung {
    called: bool,
    stopped: bool,
}

/// Why a thread does not sleep any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Woken {
    /// Its time has come.
    Time,
    /// Somebody wants something of it.
    Call,
    /// It is to end.
    Stop,
}

impl Background {
    /// Starts a thread of that name, which ends when `work` does: soon after it was told to stop.
    pub(super) fn start(name: &str, bell: Arc<Bell>, work: impl FnOnce(&Bell) + Send + 'static) -> Self {
        let own = Arc::clone(&bell);
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || work(&own)).ok();
        Self { bell, thread }
    }

    /// Tells it to stop, and waits until it has ended.
    pub(super) fn stop(mut self) {
        self.bell.ring(|rung| rung.stopped = true);
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has ended as well.
            let _ = thread.join();
        }
    }
}

impl Bell {
    /// Wakes the thread. If it is at work, it does not sleep when it would.
    pub(super) fn call(&self) {
        self.ring(|rung| rung.called = true);
    }

    /// Sleeps for so long, unless it is woken before.
    pub(super) fn sleep(&self, time: Duration) -> Woken {
        let is_silent = |rung: &mut Rung| !rung.called && !rung.stopped;
        let slept = self.woken.wait_timeout_while(self.rung(), time, is_silent);
        let (mut rung, _) = slept.unwrap_or_else(PoisonError::into_inner);
        match (rung.stopped, std::mem::take(&mut rung.called)) {
            (true, _) => Woken::Stop,
            (false, true) => Woken::Call,
            (false, false) => Woken::Time,
        }
    }

    fn ring(&self, how: impl FnOnce(&mut Rung)) {
        how(&mut self.rung());
        self.woken.notify_one();
    }

    fn rung(&self) -> MutexGuard<'_, Rung> {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_call_wakes_it_also_when_it_comes_while_it_works() {
        let bell = Bell::default();
        bell.call();
        bell.call();
        assert_eq!([bell.sleep(Duration::MAX), bell.sleep(Duration::ZERO)], [Woken::Call, Woken::Time]);
    }

    #[test]
    fn it_works_until_it_is_stopped() {
        let (bell, (told, heard)) = (Arc::new(Bell::default()), channel());
        let work = move |bell: &Bell| {
            while bell.sleep(Duration::MAX) != Woken::Stop {
                told.send("called").unwrap();
            }
            told.send("stopped").unwrap();
        };
        let thread = Background::start("test", Arc::clone(&bell), work);
        bell.call();
        assert_eq!(heard.recv(), Ok("called"));
        thread.stop();
        assert_eq!(heard.iter().collect::<Vec<_>>(), ["stopped"]);
    }
}
