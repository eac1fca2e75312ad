//! Hashing a password anew when a good bind shows it and its hash is outdated.

use crate::directory::tree::Means;
use crate::password::scheme::NewScheme;
use crate::password::{Account, Policy};

use super::Context;

/// What a good bind does with the hash of the password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rehash {
    /// It stays.
    Nothing,
    /// The password is hashed anew like this.
    Anew(NewScheme),
    /// It is, but too late (`pwdRehashDeadline`): the old hash has been about for so long that the password must be changed.
    TooLate(NewScheme),
}

impl Rehash {
    /// How the password is to be hashed, if it is.
    pub(super) const fn wanted(self) -> Option<NewScheme> {
        match self {
            Self::Nothing => None,
            Self::Anew(scheme) | Self::TooLate(scheme) => Some(scheme),
        }
    }

    /// Whether its owner must change it now.
    pub(super) const fn demands_change(self) -> bool {
        matches!(self, Self::TooLate(_))
    }
}

impl Context<'_> {
    /// What is to be done with the hash of a password that was right. After the deadline a compare leaves it as it is:
    /// otherwise it would take from the owner's next bind what shows that it comes too late.
    pub(super) fn rehash(&self, account: &Account, policy: &Policy, means: Means) -> Rehash {
        let wanted = policy.hashing.or(self.services.new_passwords);
        if !account.password.as_ref().is_some_and(|stored| stored.is_outdated(wanted)) {
            return Rehash::Nothing;
        }
        match policy.rehash_deadline {
            Some(deadline) if deadline <= self.now && means == Means::Bind => Rehash::TooLate(wanted),
            Some(deadline) if deadline <= self.now => Rehash::Nothing,
            _ => Rehash::Anew(wanted),
        }
    }
}
