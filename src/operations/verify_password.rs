//! Testing a password: the one way, so that there is one meter for wrong ones.

use std::time::Duration;

use crate::password::account::Account;
use crate::password::meter::{Attempt, Begin, Subject};
use crate::password::scheme::Effort;
use crate::password::verdict::PolicyErrorCode;
use crate::password::{Policy, Secret};

use super::{Context, Refusal};

impl Context<'_> {
    /// Tests a password, and counts it if it is wrong. What is right is for the caller to report to the attempt, since
    /// the account may be blocked for other reasons, which must not be told to whoever does not know the password.
    ///
    /// An account that is locked or has no password takes the same time as one that has.
    pub(super) fn verify_password(
        &self,
        subject: Subject,
        account: &Account,
        policy: &Policy,
        password: &Secret,
    ) -> Result<Attempt<'_>, Refusal> {
        match self.services.meter.begin(subject, account, policy, self.now) {
            Begin::Wait => Err(Refusal::Wait),
            Begin::Locked { .. } => {
                self.is_right(account, password);
                self.take_as_long(account, password);
                Err(Refusal::InvalidCredentials {
                    policy: Some(PolicyErrorCode::AccountLocked),
                    delay: policy.delay(policy.pwd_max_failure),
                })
            }
            Begin::Go(attempt) => {
                if self.is_right(account, password) {
                    return Ok(attempt);
                }
                self.take_as_long(account, password);
                let failure = attempt.failed(password, self.now);
                let locked = failure.locked_now.then_some(PolicyErrorCode::AccountLocked);
                Err(Refusal::InvalidCredentials { policy: locked, delay: policy.delay(failure.count) })
            }
        }
    }

    fn is_right(&self, account: &Account, password: &Secret) -> bool {
        let stored = account.password.as_ref().unwrap_or(&self.services.no_password);
        stored.verify(password) && account.password.is_some()
    }

    /// A refusal takes as long where the hash is of an old and quick kind, so that time does not tell who has such a one.
    fn take_as_long(&self, account: &Account, password: &Secret) {
        if account.password.as_ref().is_some_and(|stored| stored.effort() == Effort::Light) {
            self.services.no_password.verify(password);
        }
    }
}

/// The refusal for somebody whose password is right, but who may not come in.
pub(super) const fn blocked(policy: Option<PolicyErrorCode>) -> Refusal {
    Refusal::InvalidCredentials { policy, delay: Duration::ZERO }
}
