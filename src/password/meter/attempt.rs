//! One password that is tried, from the announcement to the end.

use std::sync::Arc;
use std::time::Duration;

use super::tally::Tally;
use super::{Meter, Shard, Subject};
use crate::directory::Timestamp;
use crate::password::account::Seen;
use crate::password::logins::NewLogins;
use crate::password::{Policy, Secret};

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
    pub(super) meter: &'m Meter,
    pub(super) subject: Subject,
    pub(super) seen: Seen,
    pub(super) counting: Counting,
    /// Where it comes from, if the policy has that remembered.
    pub(super) network: Option<u64>,
    pub(super) way: Way,
}

/// Why the password is verified.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// The account is not locked.
    Open,
    /// It is, and the source is known.
    DespiteLock,
}

/// What of a policy counting needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counting {
    pub(super) limit: Option<usize>,
    pub(super) interval: Option<Duration>,
    pub(super) recorded: usize,
}

/// A wrong password, counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failure {
    /// How many wrong passwords now count.
    pub count: usize,
    /// The same with the password before, which does not count: the answer is held back by it.
    pub tried: usize,
    /// Whether this very password had been tried before and so did not count again.
    pub repeated: bool,
    /// Whether this one locked the account.
    pub locked_now: bool,
}

impl Trial<'_> {
    pub(super) fn seen(&self) -> Seen {
        Seen { time: self.now, source: Arc::clone(self.source) }
    }
}

impl Counting {
    pub(super) const fn of(policy: &Policy) -> Self {
        Self {
            limit: policy.lockout_limit(),
            interval: policy.pwd_failure_count_interval,
            recorded: policy.pwd_max_recorded_failure,
        }
    }
}

impl Attempt<'_> {
    /// Whether wrong passwords have locked the account for others.
    pub const fn is_despite_lock(&self) -> bool {
        matches!(self.way, Way::DespiteLock)
    }

    /// The password was wrong. `note` is told how that counts before anybody can write what was counted.
    pub fn failed(self, password: &Secret, note: impl FnOnce(&Failure)) -> Failure {
        let digest = self.meter.password_digest(self.subject, password);
        let mut shard = self.meter.shard(self.subject);
        let Shard { tallies, known } = &mut *shard;
        if let (Way::DespiteLock, Subject::Entry(uuid), Some(network)) = (self.way, self.subject, self.network) {
            known.fail(uuid, network, digest);
        }
        let failure = match (tallies.get_mut(&self.subject), self.way) {
            (Some(tally), Way::DespiteLock) => {
                tally.refuse(self.seen.clone());
                tally.failure()
            }
            (Some(tally), Way::Open) => tally.fail(digest, self.counting, self.seen.clone()),
            (None, _) => Failure { count: 1, tried: 1, repeated: false, locked_now: false },
        };
        note(&failure);
        drop(shard);
        failure
    }

    /// The password was the one before, which is no guess: from where it came is kept, and nothing else. Only the answers
    /// are held back as if it were one.
    pub fn stale(self) -> Failure {
        self.not_counted(|tally, seen| tally.stale(&seen.source, seen.time))
    }

    /// The password was right, and the code behind it the last one that was used: no guess either, and answered as late.
    pub fn used(self) -> Failure {
        self.not_counted(|tally, seen| tally.refuse(seen.clone()))
    }

    fn not_counted(&self, note: impl FnOnce(&mut Tally, &Seen)) -> Failure {
        let mut shard = self.meter.shard(self.subject);
        let unknown = Failure { count: 0, tried: 1, repeated: true, locked_now: false };
        let failure = shard.tallies.get_mut(&self.subject).map_or(unknown, |tally| {
            note(tally, &self.seen);
            if self.way == Way::Open {
                tally.counted(self.counting.interval, self.seen.time);
                tally.stale_since.get_or_insert(self.seen.time);
            }
            tally.failure()
        });
        drop(shard);
        failure
    }

    /// The password was right, which ends the row of wrong ones.
    pub fn passed(self) {
        self.end(|_| {});
    }

    /// The password was right, and whoever gave it was let in: the account is in use. `precision` is how exactly the time
    /// of that is kept, `logins` what there is to note of it, if anything.
    pub fn let_in(self, precision: Duration, logins: Option<NewLogins>) {
        self.end(|tally| {
            tally.use_at(precision, self.seen.clone());
            if let Some(new) = logins {
                tally.note_logins(new);
            }
        });
        if let (Subject::Entry(uuid), Some(network)) = (self.subject, self.network) {
            self.meter.shard(self.subject).known.let_in(uuid, network, self.seen.time);
        }
    }

    fn end(&self, end: impl FnOnce(&mut Tally)) {
        let mut shard = self.meter.shard(self.subject);
        if let Some(tally) = shard.tallies.get_mut(&self.subject) {
            match self.way {
                Way::Open => tally.pass(),
                Way::DespiteLock => tally.pass_despite_lock(),
            }
            end(tally);
        }
        drop(shard);
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let mut shard = self.meter.shard(self.subject);
        let Shard { tallies, known } = &mut *shard;
        match (self.way, self.subject, self.network) {
            (Way::DespiteLock, Subject::Entry(uuid), Some(network)) => known.end(uuid, network),
            _ => {
                if let Some(tally) = tallies.get_mut(&self.subject) {
                    tally.under_way = tally.under_way.saturating_sub(1);
                }
            }
        }
        if tallies.get(&self.subject).is_some_and(|tally| !tally.is_needed()) {
            tallies.remove(&self.subject);
        }
        drop(shard);
    }
}
