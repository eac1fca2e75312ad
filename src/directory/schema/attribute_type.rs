//! Attribute types (RFC 4512 §4.1.2) with what they inherit resolved.

use super::matching_rule::MatchingRule;
use super::syntax::Syntax;

/// The number of an attribute type in this server's schema: dense, and kept for as long as the data lives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AttributeTypeId(pub u16);

impl AttributeTypeId {
    /// The position in tables that have a place for every type.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What the values of an attribute are used for (RFC 4512 §4.1.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Usage {
    /// By users.
    #[default]
    UserApplications,
    /// By the directory itself.
    DirectoryOperation,
    /// By servers together.
    DistributedOperation,
    /// By one server.
    DsaOperation,
}

impl Usage {
    /// Reads the word that stands in a definition.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "userApplications" => Self::UserApplications,
            "directoryOperation" => Self::DirectoryOperation,
            "distributedOperation" => Self::DistributedOperation,
            "dSAOperation" => Self::DsaOperation,
            _ => return None,
        })
    }

    /// Returned only when asked for by name or by `+` (RFC 3673).
    pub const fn is_operational(self) -> bool {
        !matches!(self, Self::UserApplications)
    }
}

/// Properties that an attribute type has or has not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Traits(u8);

impl Traits {
    /// At most one value.
    pub const SINGLE_VALUE: Self = Self(1);
    /// Shared by a collection of entries (RFC 3671).
    pub const COLLECTIVE: Self = Self(2);
    /// Only the server writes it.
    pub const NO_USER_MODIFICATION: Self = Self(4);
    /// Never shown, searched, compared or sorted on; marked `X-SECRET 'TRUE'`.
    pub const SECRET: Self = Self(8);
    /// Not to be used for new data.
    pub const OBSOLETE: Self = Self(16);

    /// Whether all of `other` are among these.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These and `other`.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// An attribute type.
#[derive(Clone, Debug)]
pub struct AttributeType {
    /// Its number here.
    pub id: AttributeTypeId,
    /// Its object identifier.
    pub oid: Box<str>,
    /// Its names, the first of which answers carry; empty if it is known by its number only.
    pub names: Vec<Box<str>>,
    /// The type whose subtype it is.
    pub supertype: Option<AttributeTypeId>,
    /// The rule for equality, own or inherited.
    pub equality: Option<MatchingRule>,
    /// The rule for ordering, own or inherited.
    pub ordering: Option<MatchingRule>,
    /// The rule for substrings, own or inherited.
    pub substring: Option<MatchingRule>,
    /// The syntax, own or inherited.
    pub syntax: Syntax,
    /// What it is used for.
    pub usage: Usage,
    /// What else holds for it.
    pub traits: Traits,
    /// The definition as it was read.
    pub definition: Box<str>,
}

impl AttributeType {
    /// The name that answers carry.
    pub fn name(&self) -> &str {
        self.names.first().map_or(&self.oid, |name| name)
    }

    /// Whether its values are secret.
    pub const fn is_secret(&self) -> bool {
        self.traits.has(Traits::SECRET)
    }

    /// Whether only the server writes it.
    pub const fn is_read_only(&self) -> bool {
        self.traits.has(Traits::NO_USER_MODIFICATION)
    }

    /// Whether it takes at most one value.
    pub const fn is_single_valued(&self) -> bool {
        self.traits.has(Traits::SINGLE_VALUE)
    }

    /// The rule that tells its values apart, also where the definition names none.
    pub fn equality_or_fallback(&self) -> MatchingRule {
        self.equality.unwrap_or_else(|| self.syntax.fallback_equality())
    }
}
