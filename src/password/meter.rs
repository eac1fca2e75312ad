//! The meter: counts every wrong password, wherever it was tried (draft-behera §7.4).
//!
//! Counting happens in memory, where it can be exact: an attempt is announced before the password is hashed, and no more
//! attempts are under way than wrong ones are left, so parallel guesses gain nothing. What was counted is written to the
//! credentials a little later and in batches, because to write at every guess would hand an attacker the disk.
//!
//! Names that do not exist are counted as well, so that they cannot be told from those that do.

mod tally;

use std::collections::HashMap;
use std::hash::Hasher;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use siphasher::sip::SipHasher13;
use uuid::Uuid;

use crate::directory::tree::Version;
use crate::directory::{Dn, Timestamp};

use super::account::{Account, Seen};
use super::policy::Policy;
use super::verified::VerifiedPasswords;
use super::{Secret, prepare};

pub use tally::Live;
use tally::Tally;

/// More wrong passwords in a row than this lock the account until an administrator unlocks it, whatever the policy says
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
    shards: [Mutex<HashMap<Subject, Tally>>; SHARDS],
    beginnings: AtomicU64,
    verified: VerifiedPasswords,
}

/// Whose passwords are counted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Subject {
    /// An entry.
    Entry(Uuid),
    /// A name that no entry has, as a number.
    Unknown(u64),
}

/// A password that somebody tries.
#[derive(Clone, Copy, Debug)]
pub struct Trial<'t> {
    /// Whose it is to be.
    pub subject: Subject,
    /// Where they are: an address.
    pub source: &'t Arc<str>,
    /// When.
    pub now: Timestamp,
}

/// What becomes of an attempt.
#[derive(Debug)]
pub enum Begin<'m> {
    /// The password may be verified. Tell the attempt how that ended.
    Go(Attempt<'m>),
    /// Nothing is verified: the account is locked.
    Locked {
        /// When the lock ends; `None` if an administrator must end it.
        until: Option<Timestamp>,
    },
    /// So many attempts are under way that, were they all wrong, this one would be one too many. Try again when one of
    /// them has ended.
    Wait,
}

/// An attempt under way. Dropped without a word, it has not happened.
#[derive(Debug)]
pub struct Attempt<'m> {
    meter: &'m Meter,
    subject: Subject,
    seen: Seen,
    policy: Counting,
}

/// What of a policy counting needs.
#[derive(Clone, Copy, Debug)]
struct Counting {
    limit: Option<usize>,
    interval: Option<Duration>,
    recorded: usize,
}

/// A wrong password, counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failure {
    /// How many wrong passwords now count.
    pub count: usize,
    /// Whether this very password had been tried before and so did not count again.
    pub repeated: bool,
    /// Whether this one locked the account.
    pub locked_now: bool,
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

impl Meter {
    /// A meter that has counted nothing. `key` is random and told to nobody.
    pub fn new(key: [u8; 16]) -> Self {
        Self {
            key,
            shards: std::array::from_fn(|_| Mutex::default()),
            beginnings: AtomicU64::new(0),
            verified: VerifiedPasswords::new(&key),
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
        let (counting, seen) = (Counting::of(policy), trial.seen());
        let Trial { subject, now, .. } = *trial;
        let mut shard = self.shard(subject);
        make_room(&mut shard, subject);
        let tally = shard.entry(subject).or_default();
        tally.refresh(account, &self.beginnings);
        if policy.is_locked(tally.live.locked, now) {
            tally.refuse(seen);
            return Begin::Locked { until: tally.live.locked.and_then(|lock| policy.lock_ends(lock)) };
        }
        tally.unlock_if_over();
        let counted = tally.counted(counting.interval, now);
        if counting.limit.is_some_and(|limit| counted + tally.under_way >= limit.max(1)) && tally.under_way > 0 {
            return Begin::Wait;
        }
        tally.under_way += 1;
        drop(shard);
        Begin::Go(Attempt { meter: self, subject, seen, policy: counting })
    }

    /// What has been counted and not been written yet, of accounts that exist, at most `most` of them. Whoever takes it says
    /// how writing ended, by [`Meter::written`], [`Meter::not_written`] or [`Meter::forget`]; until then it is not handed
    /// out again.
    pub fn take_unwritten(&self, most: usize) -> Vec<Unwritten> {
        let mut some = Vec::new();
        for shard in &self.shards {
            let left = most - some.len();
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            some.extend(shard.iter_mut().filter_map(|(subject, tally)| tally.take_unwritten(*subject)).take(left));
        }
        some
    }

    /// Has everything written that could have waited, since there will be no later.
    pub fn hasten(&self) {
        for shard in &self.shards {
            shard.lock().unwrap_or_else(PoisonError::into_inner).values_mut().for_each(Tally::hasten);
        }
    }

    /// It was written, and this is the version that the credentials have now.
    pub fn written(&self, unwritten: &Unwritten, version: Version) {
        self.end_writing(unwritten, |tally| {
            tally.written = unwritten.change;
            tally.version = tally.version.max(version);
        });
    }

    /// It could not be written, and is to be tried again.
    pub fn not_written(&self, unwritten: &Unwritten) {
        self.end_writing(unwritten, |_| {});
    }

    fn end_writing(&self, unwritten: &Unwritten, end: impl FnOnce(&mut Tally)) {
        let mut shard = self.shard(Subject::Entry(unwritten.uuid));
        let tally = shard.get_mut(&Subject::Entry(unwritten.uuid));
        if let Some(tally) = tally.filter(|tally| tally.beginning == unwritten.beginning) {
            tally.writing = false;
            end(tally);
        }
        drop(shard);
    }

    /// Forgets what was counted of an entry, because its credentials were set by somebody else.
    pub fn forget(&self, uuid: Uuid) {
        let mut shard = self.shard(Subject::Entry(uuid));
        if let Some(tally) = shard.get_mut(&Subject::Entry(uuid)) {
            tally.begin_anew(Tally::default(), &self.beginnings);
        }
        drop(shard);
    }

    /// The state of an account as it is now: what the credentials say and what has been counted since.
    pub fn overlay(&self, uuid: Uuid, account: &mut Account) {
        let shard = self.shard(Subject::Entry(uuid));
        if let Some(tally) = shard.get(&Subject::Entry(uuid)).filter(|tally| tally.version >= account.version) {
            tally.live.apply(account);
        }
        drop(shard);
    }

    fn shard(&self, subject: Subject) -> MutexGuard<'_, HashMap<Subject, Tally>> {
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

/// Makes room for one more: what holds nothing that must be kept goes, then what belongs to no entry.
fn make_room(shard: &mut HashMap<Subject, Tally>, subject: Subject) {
    if shard.len() < SHARD_CAPACITY || shard.contains_key(&subject) {
        return;
    }
    shard.retain(|_, tally| tally.is_needed());
    if shard.len() >= SHARD_CAPACITY {
        shard.retain(|subject, tally| matches!(subject, Subject::Entry(_)) || tally.under_way > 0);
    }
}

impl Trial<'_> {
    fn seen(&self) -> Seen {
        Seen { time: self.now, source: Arc::clone(self.source) }
    }
}

impl Counting {
    const fn of(policy: &Policy) -> Self {
        Self {
            limit: policy.lockout_limit(),
            interval: policy.pwd_failure_count_interval,
            recorded: policy.pwd_max_recorded_failure,
        }
    }
}

impl Attempt<'_> {
    /// The password was wrong.
    pub fn failed(self, password: &Secret) -> Failure {
        let digest = self.meter.password_digest(self.subject, password);
        let mut shard = self.meter.shard(self.subject);
        let failure = match shard.get_mut(&self.subject) {
            Some(tally) => tally.fail(digest, self.policy, self.seen.clone()),
            None => Failure { count: 1, repeated: false, locked_now: false },
        };
        drop(shard);
        failure
    }

    /// The password was the one before, which is no guess: from where it came is kept, and nothing else.
    pub fn stale(self) -> Failure {
        let mut shard = self.meter.shard(self.subject);
        let count = shard.get_mut(&self.subject).map_or(0, |tally| {
            tally.stale(&self.seen.source, self.seen.time);
            tally.counted(self.policy.interval, self.seen.time)
        });
        drop(shard);
        Failure { count, repeated: true, locked_now: false }
    }

    /// The password was right, which ends the row of wrong ones.
    pub fn passed(self) {
        self.end(Tally::pass);
    }

    /// The password was right, and whoever gave it was let in: the account is in use. `precision` is how exactly the time
    /// of that is kept.
    pub fn let_in(self, precision: Duration) {
        self.end(|tally| {
            tally.pass();
            tally.use_at(precision, self.seen.clone());
        });
    }

    fn end(&self, end: impl FnOnce(&mut Tally)) {
        let mut shard = self.meter.shard(self.subject);
        if let Some(tally) = shard.get_mut(&self.subject) {
            end(tally);
        }
        drop(shard);
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let mut shard = self.meter.shard(self.subject);
        if let Some(tally) = shard.get_mut(&self.subject) {
            tally.under_way = tally.under_way.saturating_sub(1);
            if !tally.is_needed() {
                shard.remove(&self.subject);
            }
        }
        drop(shard);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
            Begin::Go(attempt) => Some(attempt.failed(&Secret::new(password))),
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
        assert_eq!(attempt.failed(&Secret::new("b")).count, 2);
    }

    #[test]
    fn what_is_counted_while_the_count_is_written_is_kept_and_written_next() {
        let (meter, policy) = (Meter::new([0; 16]), policy(10));
        guess(&meter, &policy, "a", 0).unwrap();
        let first = meter.take_unwritten(100);
        // The credentials are newer than the meter knows, since the write has happened and not been reported yet.
        let own = Account { version: 5, failures: vec![at(0)], ..Account::default() };
        let attempt = go(begin_with(&meter, alice(), &own, &policy, 1));
        assert_eq!(attempt.failed(&Secret::new("b")).count, 2);
        assert!(meter.take_unwritten(100).is_empty());
        meter.written(first.first().unwrap(), 5);
        let next = meter.take_unwritten(100);
        assert_eq!(next.first().map(|next| (next.version, next.live.failures.len())), Some((5, 2)));
        meter.not_written(next.first().unwrap());
        assert_eq!(meter.take_unwritten(100).len(), 1);
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
        begin(1).let_in(Duration::from_secs(60));
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
        assert!(attempt.failed(&Secret::new("a")).locked_now);
        assert!(matches!(begin(&meter, subject, &policy, 1), Begin::Locked { .. }));
        assert!(meter.take_unwritten(100).is_empty());
    }

    #[test]
    fn memory_is_bounded_however_many_names_are_tried() {
        let (meter, policy) = (Meter::new([0; 16]), policy(3));
        for number in 0..600_000_u64 {
            let subject = Subject::Unknown(number);
            if let Begin::Go(attempt) = begin(&meter, subject, &policy, 0) {
                attempt.failed(&Secret::new("x"));
            }
        }
        let held: usize = meter.shards.iter().map(|shard| shard.lock().unwrap().len()).sum();
        assert!(held <= SHARDS * SHARD_CAPACITY, "{held}");
    }

    proptest! {
        /// However attempts begin and end, in whatever order, no more different passwords are tried than the limit.
        #[test]
        fn no_interleaving_gains_a_guess(limit in 1_usize..6, steps in proptest::collection::vec(any::<bool>(), 1..200)) {
            let (meter, policy) = (Meter::new([0; 16]), policy(limit));
            let mut under_way = Vec::new();
            let mut tried = 0;
            for (number, another) in steps.into_iter().enumerate() {
                if another || under_way.is_empty() {
                    if let Begin::Go(attempt) = begin(&meter, alice(), &policy, 0) {
                        tried += 1;
                        under_way.push((number, attempt));
                    }
                } else {
                    let (number, attempt) = under_way.remove(number % under_way.len());
                    attempt.failed(&Secret::new(number.to_string()));
                }
            }
            prop_assert!(tried <= limit, "{tried} tries of {limit}");
        }
    }
}
