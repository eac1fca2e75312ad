//! What the old password proves: who asks. A one-time code that the helpdesk has given out can take its place.
//!
//! A client that has lost its connection knows nothing of what has become of its request. If it asks again, the old password
//! is wrong by now. So the same change again, a moment later and by the same identity, is answered as the first was, and
//! changes nothing. It is verified as any other: the new password must be the one that the account has.

use std::time::Duration;

use crate::password::change::{self, By, OldPassword};
use crate::password::meter::{Attempt, Subject};
use crate::password::verdict::BrokenRule;
use crate::password::{Account, Policy, Secret};

use super::set_password::{NewPassword, kind};
use super::target::Target;
use super::verify_password::{Besides, Given, Known, Matched, SecondFactor};
use super::{Context, Refusal};

/// How long after a change it may be asked for again.
const AGAIN: Duration = Duration::from_secs(60);

/// An old password that is to be proven.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim<'c> {
    pub(super) target: &'c Target,
    pub(super) account: &'c Account,
    pub(super) policy: &'c Policy,
    pub(super) request: &'c NewPassword,
    /// Whether the same change may have been made a moment ago.
    pub(super) again: Option<Again<'c>>,
    /// The code behind it. On a connection that has proven one, none is asked for.
    pub(super) second_factor: SecondFactor<'c>,
}

/// A request that may be the last change once more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Again<'c> {
    /// The new password.
    pub(super) new: &'c Secret,
    /// Whether a one-time code was given in the place of the old password, which is no longer known.
    by_code: bool,
}

/// By what somebody has proven who they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ProvenBy {
    /// By the old password.
    Old,
    /// By a one-time code.
    Code,
    /// By the new password, which the account has already.
    Again,
}

impl Context<'_> {
    /// The old password, proven as far as it was given; nothing if the same was asked for a moment ago, and done.
    pub(super) fn proven_old(
        &self,
        target: &Target,
        account: &Account,
        policy: &Policy,
        request: &NewPassword,
    ) -> Result<Option<OldPassword>, Refusal> {
        let again = self.asked_again(account, request);
        Ok(Some(match (&request.old, again) {
            (OldPassword::Given(old), _) => {
                let (by, attempt) = self.prove(&Claim {
                    target,
                    account,
                    policy,
                    request,
                    again,
                    second_factor: SecondFactor::NotAsked,
                })?;
                self.note_passed(attempt);
                match by {
                    ProvenBy::Again => return Ok(None),
                    ProvenBy::Code => OldPassword::Code,
                    ProvenBy::Old => OldPassword::Proven(old.clone()),
                }
            }
            // Whoever has set it a moment ago may know that it is what it is.
            (OldPassword::Absent, Some(again)) if request.by == By::Administrator && account.has(again.new) => {
                return Ok(None);
            }
            (other, _) => other.clone(),
        }))
    }

    /// What keeps the requester from setting the password now, whatever the new one is.
    pub(super) fn held_back(&self, account: &Account, policy: &Policy, by: By, old: &OldPassword) -> Vec<BrokenRule> {
        if by == By::Administrator {
            return Vec::new();
        }
        let mut broken = change::held_back(account, policy, old, self.now);
        // Whoever acts as the owner has not shown that they know the password, whatever the policy asks of its owner.
        let is_unproven = self.requester.proxied_by.is_some() && matches!(old, OldPassword::Absent);
        if is_unproven && !broken.contains(&BrokenRule::OldPasswordMissing) {
            broken.insert(0, BrokenRule::OldPasswordMissing);
        }
        broken
    }

    /// Whether a request may be the last change once more: one of the same kind, by the same identity, and a moment ago; and,
    /// where somebody sets the password of another, with the same reason and the same options.
    pub(super) fn asked_again<'r>(&self, account: &Account, request: &'r NewPassword) -> Option<Again<'r>> {
        let new = request.new.as_ref()?;
        let last = account.ledger.last_set()?;
        let is_the_same = last.kind == kind(request.by) && last.actor == self.requester.identity.name();
        let is_the_same = is_the_same && (request.by == By::Owner || last.reason == self.reason_to_set());
        let is_recent = last.time <= self.now && self.now.since(last.time) < AGAIN;
        (is_the_same && is_recent).then(|| Again { new, by_code: last.is_by_code() })
    }

    /// Verifies the old password of a request. Whatever is wrong is counted, by the one meter.
    pub(super) fn prove(&self, claim: &Claim<'_>) -> Result<(ProvenBy, Attempt<'_>), Refusal> {
        let Claim { target, account, policy, request, again, second_factor } = *claim;
        let OldPassword::Given(old) = &request.old else { return Err(Refusal::AuthenticationRequired) };
        let subject = Subject::Entry(target.node.uuid);
        let (means, known) = (request.means, Known::Nothing);
        let given = |password| Given { subject, means, account, policy, password, known, second_factor };
        let code = account.code.as_ref().filter(|code| self.now < code.until);
        match self.verify(&given(old), Besides { code, again: again.map(|again| again.new) }) {
            Ok((Matched::Password, attempt)) => Ok((ProvenBy::Old, attempt)),
            Ok((Matched::Code, attempt)) => Ok((ProvenBy::Code, attempt)),
            Ok((Matched::Again, attempt)) => Ok((ProvenBy::Again, attempt)),
            Err(refusal) => match again.filter(|again| may_be_the_one_before(&refusal, account, *again)) {
                Some(again) => {
                    let new = Given { second_factor: second_factor.again(), ..given(again.new) };
                    self.verify_password(&new).map(|attempt| (ProvenBy::Again, attempt))
                }
                None => Err(refusal),
            },
        }
    }
}

/// Whether a password was refused that may be the one before, or what was given in its place, where that is not remembered.
fn may_be_the_one_before(refusal: &Refusal, account: &Account, again: Again<'_>) -> bool {
    matches!(refusal, Refusal::InvalidCredentials { policy: None, .. }) && (again.by_code || account.before().is_none())
}
