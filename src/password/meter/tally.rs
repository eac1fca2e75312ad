//! What is counted of one account.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use smallvec::SmallVec;
use uuid::Uuid;

use super::attempt::{Counting, Failure};
use super::{ABSOLUTE_LIMIT, Subject, Unwritten, UnwrittenLock};
use crate::directory::Timestamp;
use crate::directory::tree::Version;
use crate::password::account::{Account, Lock, Seen};
use crate::password::logins::NewLogins;
use crate::password::stale::{self, StaleSource};

/// What can wait is written this often.
const NOTES: Duration = Duration::from_secs(60);

/// What is counted of one account, and how much of that is written down.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// The credentials that this was read from, or written to. If there are none, they were set by somebody else, and all
    /// that may be counted here is of attempts that had begun before: it ends with the next one.
    pub(super) version: Option<Version>,
    pub(super) live: Live,
    /// Digests of the wrong passwords that were counted.
    seen: SmallVec<[u64; 12]>,
    /// Since when the password before is among those that were tried. It does not count, and makes answers as late as if it
    /// did.
    pub(super) stale_since: Option<Timestamp>,
    pub(super) under_way: usize,
    /// Counted whenever `live` changes so that it must be written; what was written last.
    changes: u64,
    pub(super) written: u64,
    /// When something was counted last that could have waited.
    noted: Option<Timestamp>,
    /// Whether something waits to be written with the next change.
    waits: bool,
    /// Whether it is being written just now. Until that has ended, newer credentials are most likely its own.
    pub(super) writing: bool,
    /// Told anew whenever it starts from nothing, so that the end of an earlier writing is not taken for its own.
    pub(super) beginning: u64,
}

/// The part of an account that the meter keeps.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Live {
    /// When wrong passwords were tried, oldest first.
    pub failures: SmallVec<[Timestamp; 4]>,
    /// How many in a row, also those whose time has passed.
    pub in_a_row: u32,
    /// Whether that locked the account.
    pub locked: Option<Lock>,
    /// When and from where the right one was given.
    pub last_success: Option<Seen>,
    /// When and from where a wrong one was given.
    pub last_failure: Option<Seen>,
    /// From where the one before is still sent.
    pub stale: Vec<StaleSource>,
    /// Logins since it was read, where the policy has them kept.
    pub logins: Option<Box<NewLogins>>,
}

impl Tally {
    /// Reads the account anew if somebody else has set its credentials since.
    pub(super) fn refresh(&mut self, account: &Account, beginnings: &AtomicU64) {
        let version = account.version;
        if self.version.is_none_or(|own| version > own && !self.writing) {
            self.begin_anew(Self { version: Some(version), live: Live::of(account), ..Self::default() }, beginnings);
        }
    }

    pub(super) fn begin_anew(&mut self, with: Self, beginnings: &AtomicU64) {
        let beginning = beginnings.fetch_add(1, Ordering::Relaxed) + 1;
        *self = Self { under_way: self.under_way, beginning, ..with };
    }

    /// A lock that has ended gives as many tries again; the row goes on.
    pub(super) fn unlock_if_over(&mut self) {
        if self.live.locked.take().is_some() {
            self.live.failures.clear();
            self.forget_tried();
            self.changes += 1;
        }
    }

    pub(super) fn counted(&mut self, interval: Option<Duration>, now: Timestamp) -> usize {
        if let Some(interval) = interval {
            self.live.failures.retain(|time| now < time.saturating_add(interval));
            if self.live.failures.is_empty() {
                self.seen.clear();
            }
            self.stale_since = self.stale_since.filter(|since| now < since.saturating_add(interval));
        }
        self.live.failures.len()
    }

    /// A wrong password that changes nothing.
    pub(super) fn failure(&self) -> Failure {
        let count = self.live.failures.len();
        Failure { count, tried: count + usize::from(self.stale_since.is_some()), repeated: true, locked_now: false }
    }

    fn forget_tried(&mut self) {
        self.seen.clear();
        self.stale_since = None;
    }

    pub(super) fn fail(&mut self, digest: u64, policy: Counting, seen: Seen) -> Failure {
        let now = seen.time;
        self.counted(policy.interval, now);
        self.refuse(seen);
        if self.seen.contains(&digest) {
            return self.failure();
        }
        self.changes += 1;
        self.remember(digest, policy.recorded);
        // Two failures of one microsecond are still two values (sharp edge of `pwdFailureTime`).
        let time = self.live.failures.last().map_or(now, |last| now.max(last.saturating_add(Duration::from_micros(1))));
        self.live.failures.push(time);
        let excess = self.live.failures.len().saturating_sub(policy.recorded.max(1));
        self.live.failures.drain(..excess);
        self.live.in_a_row = self.live.in_a_row.saturating_add(1);
        let count = self.live.failures.len();
        let permanent = self.live.in_a_row >= ABSOLUTE_LIMIT && policy.limit.is_some();
        let locked_now = permanent || policy.limit.is_some_and(|limit| count >= limit);
        if locked_now {
            self.live.locked = Some(if permanent { Lock::Exhausted } else { Lock::Since(now) });
        }
        Failure { repeated: false, locked_now, ..self.failure() }
    }

    fn remember(&mut self, digest: u64, recorded: usize) {
        if self.seen.len() >= recorded.max(12) {
            self.seen.remove(0);
        }
        self.seen.push(digest);
    }

    /// Keeps when and from where a password was refused. That alone is no reason to write.
    pub(super) fn refuse(&mut self, seen: Seen) {
        self.live.last_failure = Some(seen);
        self.waits = true;
    }

    /// Counts a place from which the password before is sent. Devices do that all day, so it is written now and then.
    pub(super) fn stale(&mut self, source: &Arc<str>, now: Timestamp) {
        stale::note(&mut self.live.stale, source, now);
        self.waits = true;
        if self.noted.is_none_or(|noted| now >= noted.saturating_add(NOTES)) {
            self.noted = Some(now);
            self.changes += 1;
        }
    }

    pub(super) fn pass(&mut self) {
        if !self.live.failures.is_empty() || self.live.in_a_row > 0 {
            self.changes += 1;
        }
        self.live.failures.clear();
        self.live.in_a_row = 0;
        self.forget_tried();
    }

    /// It was right where somebody may try though the account is locked. The lock holds for others, but theirs is no row
    /// any more: that would end in a lock for the owner as well.
    pub(super) fn pass_despite_lock(&mut self) {
        self.changes += u64::from(self.live.in_a_row > 0);
        self.live.in_a_row = 0;
    }

    pub(super) fn use_at(&mut self, precision: Duration, seen: Seen) {
        let last = self.live.last_success.as_ref();
        if last.is_none_or(|last| seen.time >= last.time.saturating_add(precision)) {
            self.changes += 1;
            self.live.last_success = Some(seen);
        }
    }

    /// Notes a login, which is written with the rest.
    pub(super) fn note_logins(&mut self, new: NewLogins) {
        self.changes += 1;
        match &mut self.live.logins {
            Some(before) => before.add(new),
            none => *none = Some(Box::new(new)),
        }
    }

    /// Has what waits written, too.
    pub(super) fn hasten(&mut self) {
        self.changes += u64::from(std::mem::take(&mut self.waits));
    }

    pub(super) fn take_unwritten(&mut self, subject: Subject) -> Option<Unwritten> {
        let Subject::Entry(uuid) = subject else { return None };
        if self.changes <= self.written { None } else { self.take(uuid) }
    }

    /// What has been counted, if it has locked the account and that has not been written.
    pub(super) fn take_lock(&mut self, uuid: Uuid) -> UnwrittenLock {
        if self.live.locked.is_none() || self.changes <= self.written || self.version.is_none() {
            return UnwrittenLock::None;
        }
        self.take(uuid).map_or(UnwrittenLock::Later, UnwrittenLock::Now)
    }

    /// What has been counted, whether or not it has been written, unless it is being written.
    pub(super) fn take(&mut self, uuid: Uuid) -> Option<Unwritten> {
        let version = self.version?;
        if self.writing {
            return None;
        }
        self.writing = true;
        self.waits = false;
        let Self { changes: change, beginning, .. } = *self;
        Some(Unwritten { uuid, version, live: self.live.clone(), change, beginning })
    }

    /// Whether forgetting it would lose something.
    pub(super) fn is_needed(&self) -> bool {
        let has_counted = self.changes > self.written
            || self.waits
            || !self.live.failures.is_empty()
            || self.stale_since.is_some()
            || self.live.locked.is_some();
        self.under_way > 0 || self.writing || self.version.is_some() && has_counted
    }
}

impl Live {
    fn of(account: &Account) -> Self {
        Self {
            failures: account.failures.iter().copied().collect(),
            in_a_row: account.failures_in_a_row.max(u32::try_from(account.failures.len()).unwrap_or(u32::MAX)),
            locked: account.locked,
            last_success: account.last_success.clone(),
            last_failure: account.last_failure.clone(),
            stale: account.stale.clone(),
            logins: None,
        }
    }

    /// Puts it in the place of what the account says.
    pub fn apply(&self, account: &mut Account) {
        account.failures = self.failures.to_vec();
        account.failures_in_a_row = self.in_a_row;
        account.locked = self.locked;
        account.stale.clone_from(&self.stale);
        if let Some(new) = &self.logins {
            account.logins.add(new);
        }
        later(&mut account.last_success, self.last_success.as_ref());
        later(&mut account.last_failure, self.last_failure.as_ref());
    }
}

/// The later one of two.
fn later(one: &mut Option<Seen>, other: Option<&Seen>) {
    if other.is_some_and(|other| one.as_ref().is_none_or(|one| one.time <= other.time)) {
        *one = other.cloned();
    }
}
