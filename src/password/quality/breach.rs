//! Passwords that are publicly known, because somebody lost them (NIST SP 800-63B-4 §3.1.1.2: "passwords obtained from
//! previous breach corpuses").

use std::fmt;

use crate::password::Secret;

/// A list of passwords that are publicly known.
pub trait BreachList: fmt::Debug + Send + Sync {
    /// Whether the password is in the list. A list may be wrong about a few that are not in it, never about one that is.
    fn contains(&self, password: &Secret) -> Result<bool, Unreadable>;

    /// A number that another list does not have: what was looked up in one need not be looked up in it again.
    fn edition(&self) -> u64;
}

/// The list cannot be read now; whoever keeps it has told the log why.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the list of known passwords cannot be read")]
pub struct Unreadable;
