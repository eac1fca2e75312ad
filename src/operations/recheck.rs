//! Looking a password up again when a good bind shows it and the lists are newer than the last look.

use crate::directory::Dn;
use crate::password::policy::BreachAction;
use crate::password::quality::lists;
use crate::password::{Account, Policy, Secret};

use super::Context;
use super::reports::Known;

/// What came of looking a password up again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Recheck {
    /// It was not due, or cannot be done now.
    Nothing,
    /// It is in none of the lists of this number.
    Clean(u64),
    /// It is in one of them, by this rule.
    Found { lists: u64, rule: &'static str, action: BreachAction },
}

impl Recheck {
    /// The lists that it was looked up in.
    pub(super) const fn lists(self) -> Option<u64> {
        match self {
            Self::Nothing => None,
            Self::Clean(lists) | Self::Found { lists, .. } => Some(lists),
        }
    }

    /// Whether its owner must change it now.
    pub(super) const fn demands_change(self) -> bool {
        matches!(self, Self::Found { action: BreachAction::MustChange, .. })
    }

    /// The rule by which it was found.
    pub(super) const fn found(self) -> Option<&'static str> {
        match self {
            Self::Found { rule, .. } => Some(rule),
            Self::Nothing | Self::Clean(_) => None,
        }
    }
}

impl Context<'_> {
    /// Whether a password is to be looked up again; costs nothing where the policy does not ask for it.
    pub(super) fn recheck_is_due(&self, account: &Account, policy: &Policy) -> bool {
        policy.breach_action != BreachAction::None
            && account.checked_against != Some(lists::edition(policy, self.services.breached.as_deref()))
    }

    /// Looks up a password that is right, if that is due. Where the lists cannot be read, it is due at the next bind again.
    pub(super) fn recheck(&self, account: &Account, policy: &Policy, password: &Secret, dn: &Dn) -> Recheck {
        if !self.recheck_is_due(account, policy) {
            return Recheck::Nothing;
        }
        let breached = self.services.breached.as_deref();
        let (lists, action) = (lists::edition(policy, breached), policy.breach_action);
        match lists::look_up(password, policy, breached) {
            Err(_) => Recheck::Nothing,
            Ok(None) => Recheck::Clean(lists),
            Ok(Some(rule)) => {
                let rule = rule.key();
                self.services.reports.take_known(&Known { policy: &policy.origin, target: dn, rule });
                Recheck::Found { lists, rule, action }
            }
        }
    }
}
