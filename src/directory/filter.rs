//! Search filters (RFC 4511 §4.5.1.7): as a request carries them, as text (RFC 4515), and made ready to test entries.

mod chain;
mod evaluate;
mod matcher;
mod prepare;
mod region;
mod text;

use std::fmt;

use bytes::Bytes;

pub use chain::{Chain, Linked};
use evaluate::Evaluation;
pub use evaluate::{Facts, Steps, Truth};
pub use matcher::{Matcher, Pieces, Selector};
pub use prepare::ordering_form;
pub use region::{Portion, Region};
pub use text::FilterSyntaxError;

/// How deep filters may be nested. Deeper ones are refused where they are read, so no walk over one can exhaust the
/// stack.
pub const MAX_DEPTH: usize = 100;

/// How many parts a filter of a search may have.
pub const MAX_PARTS: usize = 4_096;

/// A filter as a request carries it. Attribute descriptions and values are octets: what they mean is for the schema to
/// say, in [`Matcher::prepare`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Filter {
    /// All hold; of none, that is true (RFC 4526).
    And(Vec<Self>),
    /// One holds; of none, that is false (RFC 4526).
    Or(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// `(a=v)`
    Equality(Assertion),
    /// `(a=x*y*z)`
    Substrings(Substrings),
    /// `(a>=v)`
    GreaterOrEqual(Assertion),
    /// `(a<=v)`
    LessOrEqual(Assertion),
    /// `(a=*)`
    Present(Bytes),
    /// `(a~=v)`
    Approx(Assertion),
    /// `(a:dn:rule:=v)`
    Extensible(Extensible),
    /// A choice that this server does not know, which is Undefined and no error.
    Unknown,
}

/// An attribute description and a value (RFC 4511 §4.1.6).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assertion {
    /// What is compared.
    pub attribute: Bytes,
    /// With what.
    pub value: Bytes,
}

/// An attribute description and the pieces of a value (RFC 4511 §4.5.1.7.2).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Substrings {
    /// What is compared.
    pub attribute: Bytes,
    /// What the value begins with.
    pub initial: Option<Bytes>,
    /// What follows, in order.
    pub any: Vec<Bytes>,
    /// What the value ends with.
    pub last: Option<Bytes>,
}

/// An assertion that names its matching rule (RFC 4511 §4.5.1.7.7).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Extensible {
    /// The rule; if absent, the equality rule of the attribute.
    pub rule: Option<Bytes>,
    /// What is compared; if absent, every attribute that the rule applies to.
    pub attribute: Option<Bytes>,
    /// With what.
    pub value: Bytes,
    /// Whether the parts of the entry's name count as attributes too.
    pub dn_attributes: bool,
}

impl Filter {
    /// Reads the text of a filter (RFC 4515).
    pub fn parse(text: &str) -> Result<Self, FilterSyntaxError> {
        text::parse(text)
    }

    /// How many parts it has: itself, every filter within it, and every piece of a value.
    pub fn parts(&self) -> usize {
        match self {
            Self::And(filters) | Self::Or(filters) => 1 + filters.iter().map(Self::parts).sum::<usize>(),
            Self::Not(inner) => 1 + inner.parts(),
            Self::Substrings(substrings) => 1 + substrings.any.len(),
            _ => 1,
        }
    }

    /// `(objectClass=*)`, which every entry matches.
    pub fn any_entry() -> Self {
        Self::Present(Bytes::from_static(b"objectClass"))
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::write(self, f)
    }
}
