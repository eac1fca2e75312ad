//! Telling what policies that are only tried out would have done.

use std::fmt;
use std::sync::Arc;

use crate::directory::Dn;
use crate::password::Policy;
use crate::password::report::{Given, Would};
use crate::password::second_factor::TokenFault;
use crate::protocol::control::Flag;

use super::Context;

/// Takes what policies that are only tried out would have done, what good binds show of passwords in use, and what is written
/// into policies in vain.
pub trait Reports: fmt::Debug + Send + Sync {
    /// Takes what a policy would have done.
    fn take(&self, report: &Report<'_>);

    /// Takes that a password in use is publicly known.
    fn take_known(&self, known: &Known<'_>);

    /// Takes a sentence about something in a policy that is being written and nothing comes of.
    fn take_unheeded(&self, told: &str);

    /// Takes why nobody logs in by a token of an entry, which asks for one.
    fn take_unusable_token(&self, target: &Dn, fault: &TokenFault);
}

/// A password in use that is in a list of known ones.
#[derive(Clone, Copy, Debug)]
pub struct Known<'r> {
    /// The name of the policy that had it looked up.
    pub policy: &'r str,
    /// Whose password it is.
    pub target: &'r Dn,
    /// The rule that it would break, were it new.
    pub rule: &'r str,
}

/// What a policy would have done, had it governed somebody.
#[derive(Clone, Copy, Debug)]
pub struct Report<'r> {
    /// The name of the policy.
    pub policy: &'r str,
    /// Whom it would have governed.
    pub target: &'r Dn,
    /// What it would have done.
    pub would: &'r Would,
}

impl Context<'_> {
    /// Tells of each policy that is tried out with an entry what it would have done, if it would have done something.
    pub(super) fn report(&self, target: &Dn, tried: &[Arc<Policy>], would: impl Fn(&Policy) -> Option<Would>) {
        for policy in tried {
            if let Some(would) = would(policy) {
                self.services.reports.take(&Report { policy: &policy.origin, target, would: &would });
            }
        }
    }

    /// Tells what they would have done with a new password that has been admitted.
    pub(super) fn report_change(&self, target: &Dn, tried: &[Arc<Policy>], given: &Given<'_>) {
        if !self.flags.has(Flag::NoOp) {
            self.report(target, tried, |policy| Would::at_change(given, policy, self.now));
        }
    }
}
