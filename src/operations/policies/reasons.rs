//! Why a policy governs an entry, in words.

use std::fmt;

use super::{Because, Governing, group_of};
use crate::access::actor::groups_of;
use crate::directory::tree::{Tree, TreeError};
use crate::directory::{Dn, Entry};

/// One thing for which a policy governs an entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reason {
    /// The entry names it.
    Named,
    /// The entry is a member of this group, or of a group in it.
    Member(Dn),
    /// The entry is at or below this name.
    Below(Dn),
    /// The entry matches this filter.
    Matches(String),
    /// Whom it governs cannot be read.
    Unreadable,
    /// It is the default of the suffix.
    Default,
    /// There is no policy.
    Nothing,
}

impl Governing {
    /// Everything for which it governs the entry that it was chosen for.
    pub fn reasons(&self, entry: &Entry, dn: &Dn, tree: &dyn Tree) -> Result<Vec<Reason>, TreeError> {
        match self.because {
            Because::Named => Ok(vec![Reason::Named]),
            Because::Default => Ok(vec![Reason::Default]),
            Because::Nothing => Ok(vec![Reason::Nothing]),
            Because::Selected => self.conditions(entry, dn, tree),
        }
    }

    fn conditions(&self, entry: &Entry, dn: &Dn, tree: &dyn Tree) -> Result<Vec<Reason>, TreeError> {
        let Some(applies) = &self.policy.applies else { return Ok(vec![Reason::Unreadable]) };
        let mut reasons = Vec::new();
        if !applies.groups.is_empty() {
            let group = group_of(applies, &groups_of(dn, tree)?, tree)?;
            reasons.extend(group.cloned().map(Reason::Member));
        }
        reasons.extend(applies.subtree_of(dn).cloned().map(Reason::Below));
        let filter = applies.filter_matching(entry, dn, tree.schema());
        reasons.extend(filter.map(|filter| Reason::Matches(filter.text.clone())));
        if reasons.is_empty() {
            reasons.push(Reason::Unreadable);
        }
        Ok(reasons)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named => f.write_str("the entry names it in pwdPolicySubentry"),
            Self::Member(group) => write!(f, "it is a member of {group}"),
            Self::Below(subtree) => write!(f, "it is below {subtree}"),
            Self::Matches(filter) => write!(f, "it matches {filter}"),
            Self::Unreadable => f.write_str("whom the policy governs cannot be read"),
            Self::Default => f.write_str("it is the default"),
            Self::Nothing => f.write_str("there is no policy for it"),
        }
    }
}
