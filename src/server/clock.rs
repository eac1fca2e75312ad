//! The time: the only place that asks the system for it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::directory::Timestamp;

/// A clock that never goes back, so that setting the system's clock back unlocks no account and revives no password.
#[derive(Debug, Default)]
pub struct Clock {
    latest: AtomicI64,
}

impl Clock {
    /// A clock that begins no earlier than `start`, which is the time of the last change that was written.
    pub const fn starting_at(start: Timestamp) -> Self {
        Self { latest: AtomicI64::new(start.unix_micros()) }
    }

    /// The time now, or the latest that it has ever told.
    pub fn now(&self) -> Timestamp {
        let system = system_micros();
        let latest = self.latest.fetch_max(system, Ordering::Relaxed);
        Timestamp::from_unix_micros(latest.max(system))
    }
}

#[expect(clippy::disallowed_methods, reason = "the clock is where time comes from")]
fn system_micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_never_goes_back() {
        let future = Timestamp::from_unix_micros(system_micros() + 1_000_000_000);
        assert_eq!(Clock::starting_at(future).now(), future);
        let clock = Clock::default();
        let first = clock.now();
        assert!(clock.now() >= first);
    }
}
