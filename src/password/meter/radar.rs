//! Notices attacks that no single account shows (password spraying): one source that fails at many accounts, and the same
//! wrong password at many accounts.
//!
//! It locks nobody. Whoever is noticed is answered later and later, and the log tells of it. What is kept is digests under a
//! key that only this process knows, in memory, so much and no more. It is looked at when a password was wrong; when it was
//! right, only while some source fails at many accounts.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use smallvec::SmallVec;

use crate::directory::Timestamp;

/// Sources and guesses that are remembered.
const CAPACITY: usize = 8_192;
/// So many accounts beyond those that raise the alarm are counted: each doubles the delay.
const BEYOND: usize = 8;
/// The first delay.
const FIRST: Duration = Duration::from_millis(500);
/// Alarms that nobody has heard yet.
const ALARMS: usize = 64;

/// From when on something is an attack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Thresholds {
    /// At how many accounts one source has failed, and been let in at fewer; 0: this is not looked for.
    pub accounts_of_source: usize,
    /// At how many accounts the same wrong password was tried; 0: this is not looked for.
    pub accounts_of_guess: usize,
    /// In which time.
    pub window: Duration,
    /// For how long answers are held back at most.
    pub delay: Duration,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            accounts_of_source: 20,
            accounts_of_guess: 10,
            window: Duration::from_secs(3_600),
            delay: Duration::from_secs(8),
        }
    }
}

/// Something that is noticed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alarm {
    /// What it is.
    pub kind: AlarmKind,
    /// From where it came, or the last of it.
    pub source: Arc<str>,
    /// At how many accounts.
    pub accounts: usize,
    /// Since when.
    pub since: Timestamp,
}

/// What kind of attack it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AlarmKind {
    /// One source fails at many accounts.
    Source,
    /// The same wrong password is tried at many accounts, from wherever.
    Guess,
}

/// A password that was tried, as digests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tried {
    /// Of the network that it came from.
    pub(super) network: u64,
    pub(super) account: u64,
    /// Of the password.
    pub(super) guess: u64,
}

/// Notices attacks.
#[derive(Debug, Default)]
pub struct Radar {
    seen: Mutex<Seen>,
    /// Until when it must be looked at whoever is let in, in microseconds.
    wary_until: AtomicI64,
}

#[derive(Debug, Default)]
struct Seen {
    sightings: HashMap<(AlarmKind, u64), Sighting>,
    alarms: VecDeque<Alarm>,
}

/// The accounts at which something was seen.
#[derive(Debug)]
struct Sighting {
    since: Timestamp,
    failed: SmallVec<[u64; 2]>,
    /// Where the same source was let in.
    passed: SmallVec<[u64; 2]>,
    is_told: bool,
}

impl Radar {
    /// A wrong password was tried. For how long the answer is held back.
    pub(super) fn failed(&self, tried: Tried, source: &Arc<str>, now: Timestamp, limits: &Thresholds) -> Duration {
        let mut delay = Duration::ZERO;
        let mut seen = self.seen();
        for kind in [AlarmKind::Source, AlarmKind::Guess] {
            let (digest, limit) = kind.of(tried, limits);
            if limit == 0 {
                continue;
            }
            let sighting = seen.sighting((kind, digest), limits.window, now);
            add(&mut sighting.failed, tried.account, limit + BEYOND);
            if kind == AlarmKind::Source && sighting.failed.len() * 2 >= limit {
                let until = sighting.since.saturating_add(limits.window);
                self.wary_until.fetch_max(until.unix_micros(), Ordering::Relaxed);
            }
            let (accounts, since) = (sighting.failed.len(), sighting.since);
            let own = sighting.delay(limit, limits.delay);
            delay = delay.max(own.unwrap_or_default());
            if own.is_some() && !std::mem::replace(&mut sighting.is_told, true) {
                seen.raise(Alarm { kind, source: Arc::clone(source), accounts, since });
            }
        }
        drop(seen);
        delay
    }

    /// A password was right. For how long the answer is held back: whoever attacks must not see at once what was right.
    pub(super) fn passed(&self, tried: Tried, now: Timestamp, limits: &Thresholds) -> Duration {
        let limit = limits.accounts_of_source;
        let mut seen = self.seen();
        let Some(sighting) = seen.sightings.get_mut(&(AlarmKind::Source, tried.network)) else { return Duration::ZERO };
        if now >= sighting.since.saturating_add(limits.window) {
            return Duration::ZERO;
        }
        add(&mut sighting.passed, tried.account, limit + BEYOND);
        let delay = sighting.delay(limit, limits.delay);
        drop(seen);
        delay.unwrap_or_default()
    }

    /// Whether some source fails at so many accounts that it must be looked at whoever is let in.
    pub(super) fn is_wary(&self, now: Timestamp) -> bool {
        now.unix_micros() < self.wary_until.load(Ordering::Relaxed)
    }

    /// What was noticed and has not been told yet.
    pub fn take_alarms(&self) -> Vec<Alarm> {
        self.seen().alarms.drain(..).collect()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AlarmKind {
    const fn of(self, tried: Tried, limits: &Thresholds) -> (u64, usize) {
        match self {
            Self::Source => (tried.network, limits.accounts_of_source),
            Self::Guess => (tried.guess, limits.accounts_of_guess),
        }
    }
}

impl Seen {
    fn sighting(&mut self, of: (AlarmKind, u64), window: Duration, now: Timestamp) -> &mut Sighting {
        self.make_room(of, window, now);
        let sighting = self.sightings.entry(of).or_insert_with(|| Sighting::new(now));
        if now >= sighting.since.saturating_add(window) {
            *sighting = Sighting::new(now);
        }
        sighting
    }

    /// What is over goes, then what was seen at one account alone, then the older half.
    fn make_room(&mut self, of: (AlarmKind, u64), window: Duration, now: Timestamp) {
        if self.sightings.len() < CAPACITY || self.sightings.contains_key(&of) {
            return;
        }
        self.sightings.retain(|_, sighting| now < sighting.since.saturating_add(window));
        if self.sightings.len() >= CAPACITY {
            self.sightings.retain(|_, sighting| sighting.failed.len() > 1);
        }
        if self.sightings.len() >= CAPACITY {
            let mut times: Vec<Timestamp> = self.sightings.values().map(|sighting| sighting.since).collect();
            let median = *times.select_nth_unstable(CAPACITY / 2).1;
            self.sightings.retain(|_, sighting| sighting.since > median);
        }
    }

    fn raise(&mut self, alarm: Alarm) {
        if self.alarms.len() < ALARMS {
            self.alarms.push_back(alarm);
        }
    }
}

impl Sighting {
    fn new(since: Timestamp) -> Self {
        Self { since, failed: SmallVec::new(), passed: SmallVec::new(), is_told: false }
    }

    /// For how long answers are held back, if it is an attack: where many people log in from one address, some fail, but
    /// most get in.
    fn delay(&self, limit: usize, most: Duration) -> Option<Duration> {
        let failed = self.failed.len();
        let doublings = u32::try_from(failed.checked_sub(limit)?).unwrap_or(u32::MAX).min(16);
        (failed > self.passed.len()).then(|| FIRST.saturating_mul(1 << doublings).min(most))
    }
}

fn add(accounts: &mut SmallVec<[u64; 2]>, account: u64, most: usize) {
    if accounts.len() < most && !accounts.contains(&account) {
        accounts.push(account);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Thresholds = Thresholds {
        accounts_of_source: 4,
        accounts_of_guess: 3,
        window: Duration::from_secs(100),
        delay: Duration::from_secs(3),
    };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_micros(seconds * 1_000_000)
    }

    fn fail(radar: &Radar, network: u64, account: u64, guess: u64, now: i64) -> u128 {
        let tried = Tried { network, account, guess };
        radar.failed(tried, &format!("10.0.0.{network}").into(), at(now), &LIMITS).as_millis()
    }

    fn pass(radar: &Radar, network: u64, account: u64, now: i64) -> u128 {
        if !radar.is_wary(at(now)) {
            return 0;
        }
        radar.passed(Tried { network, account, guess: 0 }, at(now), &LIMITS).as_millis()
    }

    #[test]
    fn a_source_that_fails_at_many_accounts_is_answered_later_and_later() {
        let radar = Radar::default();
        let delays: Vec<_> = (0..8).map(|account| fail(&radar, 1, account, account, 0)).collect();
        assert_eq!(delays, [0, 0, 0, 500, 1_000, 2_000, 3_000, 3_000]);
        assert_eq!(fail(&radar, 2, 1, 100, 0), 0);
        // What was right is answered as late, or its time would tell. Others are not affected.
        assert_eq!((pass(&radar, 1, 50, 0), pass(&radar, 2, 50, 0)), (3_000, 0));
        let told = Alarm { kind: AlarmKind::Source, source: "10.0.0.1".into(), accounts: 4, since: at(0) };
        assert_eq!(radar.take_alarms(), [told]);
        assert_eq!(radar.take_alarms(), []);
        // When the time is over, it begins anew.
        assert_eq!((fail(&radar, 1, 1, 101, 100), pass(&radar, 1, 50, 100)), (0, 0));
    }

    #[test]
    fn failing_again_at_the_same_accounts_is_no_spray() {
        let radar = Radar::default();
        for guess in 0..1_000 {
            assert_eq!(fail(&radar, 1, guess % 3, guess, 0), 0);
        }
        assert_eq!(radar.take_alarms(), []);
    }

    #[test]
    fn the_same_wrong_password_at_many_accounts_is_noticed_wherever_it_comes_from() {
        let radar = Radar::default();
        let delays: Vec<_> = (0..5).map(|account| fail(&radar, account, account, 7, 0)).collect();
        assert_eq!(delays, [0, 0, 500, 1_000, 2_000]);
        assert_eq!(fail(&radar, 9, 9, 8, 0), 0);
        let told = Alarm { kind: AlarmKind::Guess, source: "10.0.0.2".into(), accounts: 3, since: at(0) };
        assert_eq!(radar.take_alarms(), [told]);
    }

    #[test]
    fn where_many_log_in_from_one_address_and_some_fail_nobody_waits() {
        let radar = Radar::default();
        for account in 0..100 {
            assert_eq!(pass(&radar, 1, 1_000 + account, 0), 0);
            let failed = fail(&radar, 1, account, account, 0);
            for other in 0..2 {
                pass(&radar, 1, 2_000 + 2 * account + other, 0);
            }
            assert!(failed == 0 || account < 4, "{account} {failed}");
        }
    }

    #[test]
    fn what_is_switched_off_is_not_looked_for() {
        let off = Thresholds { accounts_of_source: 0, accounts_of_guess: 0, ..LIMITS };
        let radar = Radar::default();
        for account in 0..100 {
            let tried = Tried { network: 1, account, guess: 1 };
            assert_eq!(radar.failed(tried, &"10.0.0.1".into(), at(0), &off), Duration::ZERO);
            assert_eq!(radar.passed(tried, at(0), &off), Duration::ZERO);
        }
        assert!(radar.seen().sightings.is_empty());
    }

    #[test]
    fn memory_is_bounded_and_noise_does_not_hide_an_attack() {
        let radar = Radar::default();
        for number in 0..50_000_u64 {
            fail(&radar, 1_000 + number, number, 1_000 + number, 0);
            if number % 1_000 == 0 {
                fail(&radar, 1, number, 1, 0);
            }
            assert!(radar.seen().sightings.len() <= CAPACITY);
        }
        let alarms = radar.take_alarms();
        assert!(alarms.iter().any(|alarm| alarm.kind == AlarmKind::Guess), "{alarms:?}");
    }
}
