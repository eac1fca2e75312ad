//! Testing a password: the one way, so that there is one meter for wrong ones.

use std::time::Duration;

use crate::password::account::Account;
use crate::password::meter::{Attempt, Begin, Subject};
use crate::password::verdict::PolicyErrorCode;
use crate::password::{Policy, Secret};

use super::{Context, Refusal};

impl Context<'_> {
    /// Tests a password, and counts it if it is wrong. What is right is for the caller to report to the attempt, since
    /// the account may be blocked for other reasons, which must not be told to whoever does not know the password.
    ///
    /// An account that is locked or has no password costs the same time as one that has.
    pub(super) fn verify_password(
        &self,
        subject: Subject,
        account: &Account,
        policy: &Policy,
        password: &Secret,
    ) -> Result<Attempt<'_>, Refusal> {
        let stored = account.password.as_ref().unwrap_or(&self.services.no_password);
        match self.services.meter.begin(subject, account, policy, self.now) {
            Begin::Wait => Err(Refusal::Wait),
            Begin::Locked { .. } => {
                stored.verify(password);
                Err(Refusal::InvalidCredentials {
                    policy: Some(PolicyErrorCode::AccountLocked),
                    delay: policy.delay(policy.pwd_max_failure),
                })
            }
            Begin::Go(attempt) => {
                if stored.verify(password) && account.password.is_some() {
                    return Ok(attempt);
                }
                let failure = attempt.failed(password, self.now);
                let locked = failure.locked_now.then_some(PolicyErrorCode::AccountLocked);
                Err(Refusal::InvalidCredentials { policy: locked, delay: policy.delay(failure.count) })
            }
        }
    }
}

/// The refusal for somebody whose password is right, but who may not come in.
pub(super) const fn blocked(policy: Option<PolicyErrorCode>) -> Refusal {
    Refusal::InvalidCredentials { policy, delay: Duration::ZERO }
}
