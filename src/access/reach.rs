//! Some entries, as rules name them.

use super::rule::{RuleFault, read_dn};
use crate::directory::Dn;
use crate::directory::schema::Schema;

/// Some entries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reach {
    /// All, but for the change log, what a server tells of itself and the schema, which must be named.
    Everything,
    /// The one of that name.
    Entry(Dn),
    /// Those directly below it.
    Children(Dn),
    /// It and those below.
    Subtree(Dn),
    /// Those below it.
    Below(Dn),
}

impl Reach {
    /// The name of the single entry that it is, if it is one.
    pub const fn entry(&self) -> Option<&Dn> {
        if let Self::Entry(dn) = self { Some(dn) } else { None }
    }

    /// Reads a word of a rule.
    pub fn parse(word: &str, schema: &Schema) -> Result<Self, RuleFault> {
        if word == EVERYTHING {
            return Ok(Self::Everything);
        }
        let unknown = || RuleFault::UnknownWord { key: "to", word: word.to_owned() };
        let (kind, name) = word.split_once(':').ok_or_else(unknown)?;
        let name = read_dn("to", name, schema)?;
        match kind {
            "entry" => Ok(Self::Entry(name)),
            "children" => Ok(Self::Children(name)),
            "subtree" => Ok(Self::Subtree(name)),
            "below" => Ok(Self::Below(name)),
            _ => Err(unknown()),
        }
    }

    /// Whether an entry of that name is one of these.
    pub fn has(&self, dn: &Dn) -> bool {
        match self {
            Self::Everything => !is_apart(dn),
            Self::Entry(base) => dn == base,
            Self::Children(base) => dn.depth() == base.depth() + 1 && dn.is_within(base),
            Self::Subtree(base) => dn.is_within(base),
            Self::Below(base) => dn != base && dn.is_within(base),
        }
    }

    /// Whether every entry of `other` is one of these.
    pub fn includes(&self, other: &Self) -> bool {
        match (self, other) {
            // Whoever may do something to everything may be trusted with what the log tells of it.
            (Self::Everything, _) => true,
            (Self::Below(own), Self::Entry(name) | Self::Subtree(name)) => name != own && name.is_within(own),
            (
                Self::Subtree(own),
                Self::Entry(name) | Self::Children(name) | Self::Subtree(name) | Self::Below(name),
            )
            | (Self::Below(own), Self::Children(name) | Self::Below(name)) => name.is_within(own),
            (Self::Children(own), Self::Entry(name)) => name.parent().as_ref() == Some(own),
            (Self::Children(own), Self::Children(name)) | (Self::Entry(own), Self::Entry(name)) => own == name,
            _ => false,
        }
    }

    /// The name that it begins at; `None` for everything.
    pub const fn base(&self) -> Option<&Dn> {
        match self {
            Self::Everything => None,
            Self::Entry(base) | Self::Children(base) | Self::Subtree(base) | Self::Below(base) => Some(base),
        }
    }
}

/// Whether an entry of that name stands in the change log or in what a server tells of itself, which tell of others, or is the
/// schema, on which all others depend.
pub(super) fn is_apart(dn: &Dn) -> bool {
    let top = dn.rdns().next_back().map(|(rdn, _)| rdn);
    top.is_some_and(|rdn| APART.iter().any(|apart| rdn.eq_ignore_ascii_case(apart)))
}

/// The word for all entries.
pub(super) const EVERYTHING: &str = "everything";

/// At the top of what stands apart.
pub(super) const APART: [&str; 3] = ["cn=changelog", "cn=monitor", "cn=subschema"];
