//! The meter: counts every wrong password, wherever it was tried (draft-behera §7.4).
//!
//! Counting happens in memory, where it can be exact: an attempt is announced before the password is hashed, and no more
//! attempts are under way than wrong ones are left, so parallel guesses gain nothing. What was counted is written to the
//! credentials a little later and in batches, because to write at every guess would hand an attacker the disk; a lock, which
//! takes many guesses, is written before it is told.
//!
//! Names that do not exist are counted as well, so that they cannot be told from those that do.

mod attempt;
mod known;
pub mod radar;
mod tally;

use std::collections::HashMap;
use std::hash::Hasher;
use std::net::Ipv6Addr;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use siphasher::sip::SipHasher13;
use uuid::Uuid;

use crate::directory::Dn;
use crate::directory::tree::Version;

use super::account::{Account, Lock};
use super::policy::Policy;
use super::verified::VerifiedPasswords;
use super::{Secret, prepare};

pub use attempt::{Attempt, Begin, Failure, Trial};
use attempt::{Counting, Way};
use known::{Admission, KnownSources, Since};
pub use known::{SOURCES as KNOWN_SOURCES, TRIES as TRIES_OF_KNOWN_SOURCES};
use radar::{Radar, Thresholds, Tried};
pub use tally::Live;
use tally::Tally;

/// So many wrong passwords in a row lock the account until an administrator unlocks it, wherever the policy locks at all
/// (NIST SP 800-63B-4 §3.2.2).
pub const ABSOLUTE_LIMIT: u32 = 100;

/// Accounts of which something is remembered, per shard; thousands of guesses a second against as many names need some
/// hundreds of kilobytes.
const SHARD_CAPACITY: usize = 16_384;
const SHARDS: usize = 32;

/// Counts wrong passwords.
#[derive(Debug)]
pub struct Meter {
    /// Known to this process only and gone with it, so that what is kept of wrong passwords is worth nothing outside.
    key: [u8; 16],
    shards: [Mutex<Shard>; SHARDS],
    beginnings: AtomicU64,
    verified: VerifiedPasswords,
    radar: Radar,
}

/// Some of the accounts.
#[derive(Debug, Default)]
struct Shard {
    tallies: HashMap<Subject, Tally>,
    known: KnownSources,
}

/// Whose passwords are counted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Subject {
    /// An entry.
    Entry(Uuid),
    /// A name that no entry has, as a number.
    Unknown(u64),
}

/// Something that is to be written to the credentials of an entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unwritten {
    /// The entry.
    pub uuid: Uuid,
    /// The version that its credentials must still have; otherwise somebody else has set them, and what was counted is
    /// read from there anew.
    pub version: Version,
    /// What to write.
    pub live: Live,
    change: u64,
    beginning: u64,
}

/// The lock of an account by wrong passwords, as far as it is not written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UnwrittenLock {
    /// There is none.
    None,
    /// It is to be written, with what has been counted.
    Now(Unwritten),
    /// What was counted before it is being written; then it is its turn.
    Later,
}

impl Meter {
    /// A meter that has counted nothing. `key` is random and told to nobody.
    pub fn new(key: [u8; 16]) -> Self {
        Self {
            key,
            shards: std::array::from_fn(|_| Mutex::default()),
            beginnings: AtomicU64::new(0),
            verified: VerifiedPasswords::new(&key),
            radar: Radar::default(),
        }
    }

    /// Passwords that were right a moment ago.
    pub const fn verified(&self) -> &VerifiedPasswords {
        &self.verified
    }

    /// Whose passwords are counted when somebody tries to be `dn`, which no entry is.
    pub fn unknown(&self, dn: &Dn) -> Subject {
        Subject::Unknown(self.digest(dn.key(), b""))
    }

    /// Announces an attempt. `account` is what the credentials say.
    pub fn begin(&self, trial: &Trial<'_>, account: &Account, policy: &Policy) -> Begin<'_> {
        let Trial { subject, now, .. } = *trial;
        let counting = Counting::of(policy);
        let network = policy.known_source_max_age.map(|_| self.network(trial.source));
        let mut shard = self.shard(subject);
        shard.make_room(subject);
        let Shard { tallies, known } = &mut *shard;
        let tally = tallies.entry(subject).or_default();
        tally.refresh(account, &self.beginnings);
        let way = if policy.is_locked(tally.live.locked, now) {
            match self.admission(known, tally, trial, (account, policy)) {
                Admission::Go => Way::DespiteLock,
                Admission::Wait => return Begin::Wait,
                Admission::Refused => {
                    tally.refuse(trial.seen());
                    return Begin::Locked { until: tally.live.locked.and_then(|lock| policy.lock_ends(lock)) };
                }
            }
        } else {
            tally.unlock_if_over();
            let counted = tally.counted(counting.interval, now);
            let left_in_a_row = ABSOLUTE_LIMIT.saturating_sub(tally.live.in_a_row) as usize;
            let is_last = |limit: usize| counted + tally.under_way >= limit || tally.under_way >= left_in_a_row;
            if counting.limit.is_some_and(is_last) && tally.under_way > 0 {
                return Begin::Wait;
            }
            tally.under_way += 1;
            Way::Open
        };
        drop(shard);
        Begin::Go(Attempt { meter: self, subject, seen: trial.seen(), counting, network, way })
    }

    /// Whether a source is let try though the account is locked by wrong passwords: if somebody was let in from there
    /// lately. Of what a restart has forgotten, the last is in the credentials.
    fn admission(
        &self,
        known: &mut KnownSources,
        tally: &Tally,
        trial: &Trial<'_>,
        (account, policy): (&Account, &Policy),
    ) -> Admission {
        let (Subject::Entry(uuid), Some(Lock::Since(_)), Some(age)) =
            (trial.subject, tally.live.locked, policy.known_source_max_age)
        else {
            return Admission::Refused;
        };
        let network = self.network(trial.source);
        if let Some(last) = &tally.live.last_success
            && !known.contains(uuid, network)
            && self.network(&last.source) == network
        {
            known.let_in(uuid, network, last.time);
        }
        known.begin(uuid, network, Since::ago(age, account.changed, trial.now))
    }

    /// Notices that a wrong password was tried, and says for how long the answer is held back because it is one of many.
    pub fn notice_wrong(&self, trial: &Trial<'_>, password: &Secret, limits: &Thresholds) -> Duration {
        let guess = self.digest(b"guess", prepare::prepare(password).expose());
        let tried = Tried { guess, ..self.tried(trial) };
        self.radar.failed(tried, trial.source, trial.now, limits)
    }

    /// The same where it was right.
    pub fn notice_right(&self, trial: &Trial<'_>, limits: &Thresholds) -> Duration {
        if !self.radar.is_wary(trial.now) {
            return Duration::ZERO;
        }
        self.radar.passed(self.tried(trial), trial.now, limits)
    }

    /// Notices attacks that no single account shows.
    pub const fn radar(&self) -> &Radar {
        &self.radar
    }

    fn tried(&self, trial: &Trial<'_>) -> Tried {
        let account = match trial.subject {
            Subject::Entry(uuid) => self.digest(uuid.as_bytes(), b""),
            Subject::Unknown(number) => number,
        };
        Tried { network: self.network(trial.source), account, guess: 0 }
    }

    /// A source as a number. Whoever has an IPv6 network has as many addresses as they like.
    fn network(&self, source: &str) -> u64 {
        match source.parse::<Ipv6Addr>() {
            Ok(address) => self.digest(b"network", &(address.to_bits() >> 64).to_be_bytes()),
            Err(_) => self.digest(b"source", source.as_bytes()),
        }
    }

    /// What has been counted and not been written yet, of accounts that exist, at most `most` of them. Whoever takes it says
    /// how writing ended, by [`Meter::written`], [`Meter::not_written`] or [`Meter::superseded`]; until then it is not handed
    /// out again.
    pub fn take_unwritten(&self, most: usize) -> Vec<Unwritten> {
        let mut some = Vec::new();
        for shard in &self.shards {
            let left = most - some.len();
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            some.extend(shard.take_unwritten().take(left));
            drop(shard);
        }
        some
    }

    /// Takes what has been counted of an account, if it has locked it, so that the lock is written at once. How writing ended is
    /// said as with [`Meter::take_unwritten`].
    pub fn take_lock(&self, uuid: Uuid) -> UnwrittenLock {
        let mut shard = self.shard(Subject::Entry(uuid));
        let tally = shard.tallies.get_mut(&Subject::Entry(uuid));
        let lock = tally.map_or(UnwrittenLock::None, |tally| tally.take_lock(uuid));
        drop(shard);
        lock
    }

    /// Takes what has been counted of an account, written or not, so that it is written together with something else; nothing
    /// while it is being written already, or where `account` is not what it was counted for. How writing ended is said as
    /// with [`Meter::take_unwritten`].
    pub fn take_along(&self, uuid: Uuid, account: &Account) -> Option<Unwritten> {
        let subject = Subject::Entry(uuid);
        let mut shard = self.shard(subject);
        shard.make_room(subject);
        let tally = shard.tallies.entry(subject).or_default();
        tally.refresh(account, &self.beginnings);
        let taken = if tally.version == Some(account.version) { tally.take(uuid) } else { None };
        drop(shard);
        taken
    }

    /// Nothing is to be written of an account any more; what holds nothing that must be kept goes.
    pub fn let_go(&self, uuid: Uuid) {
        let subject = Subject::Entry(uuid);
        let mut shard = self.shard(subject);
        if shard.tallies.get(&subject).is_some_and(|tally| !tally.is_needed()) {
            shard.tallies.remove(&subject);
        }
        drop(shard);
    }

    /// Has everything written that could have waited, since there will be no later.
    pub fn hasten(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.tallies.values_mut().for_each(Tally::hasten);
        }
    }

    /// It was written, and this is the version that the credentials have now.
    pub fn written(&self, unwritten: &Unwritten, version: Version) {
        self.end_writing(unwritten, |tally| {
            tally.written = unwritten.change;
            tally.version = tally.version.max(Some(version));
        });
    }

    /// It could not be written, and is to be tried again.
    pub fn not_written(&self, unwritten: &Unwritten) {
        self.end_writing(unwritten, |_| {});
    }

    fn end_writing(&self, unwritten: &Unwritten, end: impl FnOnce(&mut Tally)) {
        let mut shard = self.shard(Subject::Entry(unwritten.uuid));
        let tally = shard.tallies.get_mut(&Subject::Entry(unwritten.uuid));
        if let Some(tally) = tally.filter(|tally| tally.beginning == unwritten.beginning) {
            tally.writing = false;
            end(tally);
        }
        drop(shard);
    }

    /// It cannot be written, because somebody else has set the credentials since. What they say now counts from the next
    /// attempt on, unless counting has begun anew for that already.
    pub fn superseded(&self, unwritten: &Unwritten) {
        let mut shard = self.shard(Subject::Entry(unwritten.uuid));
        let tally = shard.tallies.get_mut(&Subject::Entry(unwritten.uuid));
        if let Some(tally) = tally.filter(|tally| tally.beginning == unwritten.beginning) {
            tally.begin_anew(Tally::default(), &self.beginnings);
        }
        drop(shard);
    }

    /// Forgets what was counted of an entry, because its credentials were set by somebody else.
    pub fn forget(&self, uuid: Uuid) {
        let mut shard = self.shard(Subject::Entry(uuid));
        if let Some(tally) = shard.tallies.get_mut(&Subject::Entry(uuid)) {
            tally.begin_anew(Tally::default(), &self.beginnings);
        }
        drop(shard);
    }

    /// The state of an account as it is now: what the credentials say and what has been counted since.
    pub fn overlay(&self, uuid: Uuid, account: &mut Account) {
        let shard = self.shard(Subject::Entry(uuid));
        let is_newer = |tally: &&Tally| tally.version.is_some_and(|own| own >= account.version);
        if let Some(tally) = shard.tallies.get(&Subject::Entry(uuid)).filter(is_newer) {
            tally.live.apply(account);
        }
        drop(shard);
    }

    fn shard(&self, subject: Subject) -> MutexGuard<'_, Shard> {
        let number = match subject {
            Subject::Entry(uuid) => uuid.as_u64_pair().1,
            Subject::Unknown(number) => number,
        };
        let shard = usize::try_from(number % SHARDS as u64).unwrap_or(0);
        #[expect(clippy::indexing_slicing, reason = "the remainder of a division by the length")]
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn digest(&self, first: &[u8], second: &[u8]) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write_usize(first.len());
        hasher.write(first);
        hasher.write(second);
        hasher.finish()
    }

    fn password_digest(&self, subject: Subject, password: &Secret) -> u64 {
        let name = match subject {
            Subject::Entry(uuid) => *uuid.as_bytes(),
            Subject::Unknown(number) => u128::from(number).to_be_bytes(),
        };
        self.digest(&name, prepare::prepare(password).expose())
    }
}

impl Shard {
    fn take_unwritten(&mut self) -> impl Iterator<Item = Unwritten> {
        self.tallies.iter_mut().filter_map(|(subject, tally)| tally.take_unwritten(*subject))
    }

    /// Makes room for one more: what holds nothing that must be kept goes, then what belongs to no entry.
    fn make_room(&mut self, subject: Subject) {
        if self.tallies.len() < SHARD_CAPACITY || self.tallies.contains_key(&subject) {
            return;
        }
        self.tallies.retain(|_, tally| tally.is_needed());
        if self.tallies.len() >= SHARD_CAPACITY {
            self.tallies.retain(|subject, tally| matches!(subject, Subject::Entry(_)) || tally.under_way > 0);
        }
    }
}

#[cfg(test)]
mod model;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Timestamp;
    use crate::password::account::Seen;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_micros(seconds * 1_000_000)
    }

    fn policy(limit: usize) -> Policy {
        Policy {
            pwd_lockout: true,
            pwd_max_failure: limit,
            pwd_lockout_duration: Some(Duration::from_secs(900)),
            ..Policy::default()
        }
    }

    fn seen(seconds: i64) -> Seen {
        Seen { time: at(seconds), source: "10.2.3.4".into() }
    }

    fn alice() -> Subject {
        Subject::Entry(Uuid::from_u128(7))
    }

    fn begin<'m>(meter: &'m Meter, subject: Subject, policy: &Policy, now: i64) -> Begin<'m> {
        begin_with(meter, subject, &Account::default(), policy, now)
    }

    fn begin_with<'m>(meter: &'m Meter, subject: Subject, account: &Account, policy: &Policy, now: i64) -> Begin<'m> {
        meter.begin(&Trial { subject, source: &"10.2.3.4".into(), now: at(now) }, account, policy)
    }

    fn go(begin: Begin<'_>) -> Attempt<'_> {
        match begin {
            Begin::Go(attempt) => attempt,
            other => panic!("{other:?}"),
        }
    }

    fn guess(meter: &Meter, policy: &Policy, password: &str, now: i64) -> Option<Failure> {
        match begin(meter, alice(), policy, now) {
            Begin::Go(attempt) => Some(attempt.failed(&Secret::new(password), |_| {})),
            Begin::Locked { .. } | Begin::Wait => None,
        }
    }

    #[test]
    fn different_wrong_passwords_lock_the_account_until_the_duration_is_over() {
        let (meter, policy) = (Meter::new([0; 16]), policy(3));
        assert_eq!(guess(&meter, &policy, "a", 0).unwrap().count, 1);
        assert_eq!(guess(&meter, &policy, "b", 1).unwrap().count, 2);
        assert!(guess(&meter, &policy, "c", 2).unwrap().locked_now);
        assert_eq!(guess(&meter, &policy, "d", 901), None);
        assert_eq!(guess(&meter, &policy, "d", 902).unwrap().count, 1);
    }

    #[test]
    fn the_same_wrong_password_counts_once() {
        let (meter, policy) = (Meter::new([0; 16]), policy(3));
        for _ in 0..50 {
            assert_eq!(guess(&meter, &policy, "old one", 0).unwrap().count, 1);
        }
        assert!(!guess(&meter, &policy, "another", 0).unwrap().locked_now);
    }

    #[test]
    fn the_right_password_starts_the_count_again() {
        let (meter, policy) = (Meter::new([0; 16]), policy(2));
        guess(&meter, &policy, "a", 0).unwrap();
        let attempt = go(begin(&meter, alice(), &policy, 1));
        attempt.passed();
        assert_eq!(guess(&meter, &policy, "b", 2).unwrap().count, 1);
    }

    #[test]
    fn an_attempt_that_came_to_nothing_has_not_happened() {
        let (meter, policy) = (Meter::new([0; 16]), policy(1));
        drop(begin(&meter, alice(), &policy, 0));
        assert!(guess(&meter, &policy, "a", 0).is_some());
    }

    #[test]
    fn wrong_passwords_are_forgotten_after_the_interval() {
        let meter = Meter::new([0; 16]);
        let policy = Policy { pwd_failure_count_interval: Some(Duration::from_secs(60)), ..policy(2) };
        assert_eq!(guess(&meter, &policy, "a", 0).unwrap().count, 1);
        assert_eq!(guess(&meter, &policy, "b", 60).unwrap().count, 1);
        assert!(guess(&meter, &policy, "c", 61).unwrap().locked_now);
    }

    #[test]
    fn a_hundred_in_a_row_are_an_end() {
        let (meter, policy) = (Meter::new([0; 16]), policy(10));
        let mut now = 0;
        for number in 0..ABSOLUTE_LIMIT {
            while guess(&meter, &policy, &number.to_string(), now).is_none() {
                now += 1000;
            }
        }
        assert_eq!(guess(&meter, &policy, "x", now + 1_000_000_000), None);
    }

    #[test]
    fn what_was_counted_is_written_once_and_read_again() {
        let (meter, policy) = (Meter::new([0; 16]), policy(3));
        guess(&meter, &policy, "a", 0).unwrap();
        let unwritten = meter.take_unwritten(100);
        let [one] = unwritten.as_slice() else { panic!("{unwritten:?}") };
        assert_eq!((one.version, one.live.failures.len()), (0, 1));
        meter.written(one, 5);
        assert!(meter.take_unwritten(100).is_empty());
        // Read from the credentials after a restart.
        let (again, mut account) = (Meter::new([1; 16]), Account { version: 5, ..Account::default() });
        one.live.apply(&mut account);
        let attempt = go(begin_with(&again, alice(), &account, &policy, 1));
        assert_eq!(attempt.failed(&Secret::new("b"), |_| {}).count, 2);
    }

    #[test]
    fn what_is_counted_while_the_count_is_written_is_kept_and_written_next() {
        let (meter, policy) = (Meter::new([0; 16]), policy(10));
        guess(&meter, &policy, "a", 0).unwrap();
        let first = meter.take_unwritten(100);
        // The credentials are newer than the meter knows, since the write has happened and not been reported yet.
        let own = Account { version: 5, failures: vec![at(0)], ..Account::default() };
        let attempt = go(begin_with(&meter, alice(), &own, &policy, 1));
        assert_eq!(attempt.failed(&Secret::new("b"), |_| {}).count, 2);
        assert!(meter.take_unwritten(100).is_empty());
        meter.written(first.first().unwrap(), 5);
        let next = meter.take_unwritten(100);
        assert_eq!(next.first().map(|next| (next.version, next.live.failures.len())), Some((5, 2)));
        meter.not_written(next.first().unwrap());
        assert_eq!(meter.take_unwritten(100).len(), 1);
    }

    #[test]
    fn a_lock_is_written_once_and_after_what_was_counted_before() {
        let (meter, policy, uuid) = (Meter::new([0; 16]), policy(2), Uuid::from_u128(7));
        assert_eq!(meter.take_lock(uuid), UnwrittenLock::None);
        guess(&meter, &policy, "a", 0).unwrap();
        assert_eq!(meter.take_lock(uuid), UnwrittenLock::None);
        let count = meter.take_unwritten(100);
        assert!(guess(&meter, &policy, "b", 1).unwrap().locked_now);
        assert_eq!(meter.take_lock(uuid), UnwrittenLock::Later);
        meter.written(count.first().unwrap(), 5);
        let UnwrittenLock::Now(lock) = meter.take_lock(uuid) else { panic!("it is not written yet") };
        assert_eq!((lock.version, lock.live.locked), (5, Some(Lock::Since(at(1)))));
        // What could not be written is written with the rest.
        meter.not_written(&lock);
        assert_eq!(meter.take_unwritten(100), std::slice::from_ref(&lock));
        meter.written(&lock, 6);
        assert_eq!(meter.take_lock(uuid), UnwrittenLock::None);
    }

    #[test]
    fn a_writing_that_ends_after_the_count_began_anew_does_not_count_for_it() {
        let (meter, policy) = (Meter::new([0; 16]), policy(10));
        guess(&meter, &policy, "a", 0).unwrap();
        let late = meter.take_unwritten(100);
        meter.forget(Uuid::from_u128(7));
        guess(&meter, &policy, "b", 1).unwrap();
        meter.written(late.first().unwrap(), 5);
        assert_eq!(meter.take_unwritten(100).len(), 1);
    }

    #[test]
    fn only_being_let_in_is_a_use_of_the_account() {
        let (meter, policy) = (Meter::new([0; 16]), policy(10));
        let begin = |now| go(begin(&meter, alice(), &policy, now));
        begin(0).passed();
        assert!(meter.take_unwritten(100).is_empty());
        begin(1).let_in(Duration::from_secs(60), None);
        assert_eq!(meter.take_unwritten(100).first().unwrap().live.last_success, Some(seen(1)));
    }

    #[test]
    fn where_wrong_passwords_come_from_is_kept_and_written_with_what_is_counted() {
        let (meter, policy) = (Meter::new([0; 16]), policy(2));
        let live = || {
            meter.take_unwritten(100).pop().map(|unwritten| {
                meter.written(&unwritten, unwritten.version + 1);
                unwritten.live
            })
        };
        guess(&meter, &policy, "a", 1).unwrap();
        assert_eq!(live().unwrap().last_failure, Some(seen(1)));
        // The same again, and what is not even looked at, is no reason to write.
        guess(&meter, &policy, "a", 2).unwrap();
        assert_eq!(live(), None);
        guess(&meter, &policy, "b", 3).unwrap();
        assert_eq!(live().unwrap().last_failure, Some(seen(3)));
        assert_eq!(guess(&meter, &policy, "c", 4), None);
        assert_eq!(live(), None);
        meter.hasten();
        assert_eq!(live().unwrap().last_failure, Some(seen(4)));
    }

    #[test]
    fn devices_with_the_password_before_are_counted_and_written_now_and_then() {
        let (meter, policy) = (Meter::new([0; 16]), policy(2));
        let mut written = Vec::new();
        for second in 0..150 {
            go(begin(&meter, alice(), &policy, second)).stale();
            for unwritten in meter.take_unwritten(100) {
                written.extend(unwritten.live.stale.first().map(|place| place.count));
                meter.written(&unwritten, unwritten.version + 1);
            }
        }
        assert_eq!(written, [1, 61, 121]);
        let mut account = Account::default();
        meter.overlay(Uuid::from_u128(7), &mut account);
        assert_eq!(account.stale.first().map(|place| (place.count, place.last)), Some((150, at(149))));
        meter.hasten();
        assert_eq!(meter.take_unwritten(100).len(), 1);
    }

    #[test]
    fn credentials_that_somebody_else_has_set_are_read_anew() {
        let (meter, policy) = (Meter::new([0; 16]), policy(1));
        assert!(guess(&meter, &policy, "a", 0).unwrap().locked_now);
        assert!(matches!(begin(&meter, alice(), &policy, 1), Begin::Locked { .. }));
        let set = Account { version: 9, ..Account::default() };
        assert!(matches!(begin_with(&meter, alice(), &set, &policy, 1), Begin::Go(_)));
    }

    #[test]
    fn names_that_do_not_exist_are_counted_alike() {
        let (meter, policy) = (Meter::new([0; 16]), policy(1));
        let dn = Dn::parse(&crate::directory::Schema::standard(), "uid=nobody").unwrap();
        let subject = meter.unknown(&dn);
        let attempt = go(begin(&meter, subject, &policy, 0));
        assert!(attempt.failed(&Secret::new("a"), |_| {}).locked_now);
        assert!(matches!(begin(&meter, subject, &policy, 1), Begin::Locked { .. }));
        assert!(meter.take_unwritten(100).is_empty());
    }

    #[test]
    fn memory_is_bounded_however_many_names_are_tried() {
        let (meter, policy) = (Meter::new([0; 16]), policy(3));
        for number in 0..600_000_u64 {
            let subject = Subject::Unknown(number);
            if let Begin::Go(attempt) = begin(&meter, subject, &policy, 0) {
                attempt.failed(&Secret::new("x"), |_| {});
            }
        }
        let held: usize = meter.shards.iter().map(|shard| shard.lock().unwrap().tallies.len()).sum();
        assert!(held <= SHARDS * SHARD_CAPACITY, "{held}");
    }

    /// What the [model] shows, with threads: 64 at once, each as fast as it can.
    #[test]
    fn sixty_four_parallel_guesses_are_no_more_than_one_after_the_other() {
        let (meter, policy) = (Meter::new([0; 16]), policy(10));
        let tried = AtomicU64::new(0);
        let guess = |password: String| {
            let Begin::Go(attempt) = begin(&meter, alice(), &policy, 0) else { return };
            tried.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            std::thread::yield_now();
            attempt.failed(&Secret::new(password), |_| {});
        };
        std::thread::scope(|scope| {
            for thread in 0..64 {
                let guess = &guess;
                scope.spawn(move || (0..20).for_each(|number| guess(format!("{thread} {number}"))));
            }
        });
        assert_eq!(tried.into_inner(), 10);
        assert!(matches!(begin(&meter, alice(), &policy, 0), Begin::Locked { .. }));
    }

    #[test]
    fn a_known_source_goes_on_during_a_lock_and_opens_it_for_nobody_else() {
        let known_source_max_age = Some(Duration::from_secs(86_400));
        let (meter, policy) = (Meter::new([0; 16]), Policy { known_source_max_age, ..policy(3) });
        let from = |source: &str, now| {
            let trial = Trial { subject: alice(), source: &source.into(), now: at(now) };
            match meter.begin(&trial, &Account::default(), &policy) {
                Begin::Go(attempt) => Some(attempt),
                Begin::Locked { .. } | Begin::Wait => None,
            }
        };
        from("2001:db8::1", 0).unwrap().let_in(Duration::ZERO, None);
        for number in 0..3 {
            let failure = from("10.6.6.6", 1).unwrap().failed(&Secret::new(number.to_string()), |_| {});
            assert!(!failure.locked_now || number == 2);
        }
        assert!(from("10.6.6.6", 2).is_none() && from("2001:db8:1::1", 2).is_none());
        // From the same network, with another of its addresses.
        let attempt = from("2001:db8::2", 2).unwrap();
        assert!(attempt.is_despite_lock());
        attempt.let_in(Duration::ZERO, None);
        assert!(from("10.6.6.6", 3).is_none());
        // Its tries are its own, and few.
        for number in 0..3 {
            from("2001:db8::1", 3).unwrap().failed(&Secret::new(format!("own {number}")), |_| {});
        }
        assert!(from("2001:db8::1", 3).is_none());
        // What an administrator has locked, or a hundred in a row, is locked for everybody.
        let locks = [Lock::Exhausted, Lock::ByAdministrator(None), Lock::ByAdministrator(Some(at(1)))];
        for (version, lock) in (9..).zip(locks) {
            let locked = Account { version, locked: Some(lock), ..Account::default() };
            let (source, now) = ("2001:db8::3".into(), at(4));
            let begun = meter.begin(&Trial { subject: alice(), source: &source, now }, &locked, &policy);
            assert!(matches!(begun, Begin::Locked { until: None }), "{lock:?}");
        }
    }

    #[test]
    fn of_known_sources_a_restart_forgets_all_but_the_last() {
        let known_source_max_age = Some(Duration::from_secs(86_400));
        let (meter, policy) = (Meter::new([0; 16]), Policy { known_source_max_age, ..policy(3) });
        let account = Account {
            version: 1,
            locked: Some(Lock::Since(at(100))),
            last_success: Some(seen(50)),
            changed: Some(at(20)),
            ..Account::default()
        };
        assert!(go(begin_with(&meter, alice(), &account, &policy, 101)).is_despite_lock());
        let changed = Account { version: 2, changed: Some(at(60)), ..account };
        assert!(matches!(begin_with(&meter, alice(), &changed, &policy, 101), Begin::Locked { .. }));
    }
}
