//! Filters made ready by the schema.

use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;

use super::{Chain, Facts, Region, Truth};
use crate::directory::attribute::has_options;
use crate::directory::schema::{AttributeSet, AttributeTypeId, NormalForm};
use crate::directory::{AttributeDescription, Schema};

/// A filter with its attributes found in the schema and its values in their normal form.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Matcher {
    /// All hold.
    And(Vec<Self>),
    /// One holds.
    Or(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// The attribute is there.
    Present(Selector),
    /// A value has the normal form.
    Equal {
        /// Which attributes are looked at.
        selector: Selector,
        /// How values are brought to the normal form.
        form: NormalForm,
        /// The normal form of the asserted value.
        normal: Vec<u8>,
        /// The asserted value as it came: if a stored value has the same octets, it matches without further ado.
        raw: Bytes,
    },
    /// A value's normal form is not less than this one.
    AtLeast(Selector, NormalForm, Vec<u8>),
    /// A value's normal form is not greater than this one.
    AtMost(Selector, NormalForm, Vec<u8>),
    /// A value's normal form holds the pieces in order.
    Pieces(Selector, NormalForm, Pieces),
    /// One of the words of a value is this one.
    Word(Selector, Vec<u8>),
    /// All (or, if not `all`, some) bits of the number are set in a value.
    Bits {
        /// Which attributes are looked at.
        selector: Selector,
        /// All bits or at least one.
        all: bool,
        /// The bits.
        bits: u64,
    },
    /// A part of the entry's name has the attribute and the normal form, or the matcher holds (`:dn:`).
    InName(Selector, NormalForm, Vec<u8>, Box<Self>),
    /// A name is reached by way of others (MS-ADTS 3.1.1.3.4.4.3).
    InChain(Chain),
    /// The matcher holds, and can hold in these entries alone: so plans are told.
    Within(Arc<Region>, Box<Self>),
    /// Decided already.
    Always(Truth),
}

/// The pieces of a substring assertion, in their prepared form.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Pieces {
    /// What the value begins with.
    pub initial: Option<Vec<u8>>,
    /// What follows, in order.
    pub any: Vec<Vec<u8>>,
    /// What the value ends with.
    pub last: Option<Vec<u8>>,
}

impl Pieces {
    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.initial.iter().chain(&self.any).chain(&self.last).map(Vec::as_slice)
    }

    pub(super) fn occur_in(&self, value: &[u8]) -> bool {
        let mut rest = value;
        if let Some(initial) = &self.initial {
            let Some(tail) = rest.strip_prefix(initial.as_slice()) else { return false };
            rest = tail;
        }
        for piece in &self.any {
            let Some(at) = memchr::memmem::find(rest, piece) else { return false };
            rest = rest.get(at + piece.len()..).unwrap_or_default();
        }
        self.last.as_ref().is_none_or(|last| rest.ends_with(last))
    }
}

/// Which attributes a filter item looks at: a type, its subtypes, and options that must be there.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Selector {
    /// The type and its subtypes.
    pub types: SmallVec<[AttributeTypeId; 4]>,
    /// Options that the attribute must have, each with a `;` in front.
    pub options: Box<str>,
}

impl Selector {
    /// Of a description: its type with subtypes, and its options.
    pub fn new(description: &AttributeDescription, schema: &Schema) -> Self {
        let types = schema.subtypes(description.attribute_type).into();
        Self { types, options: description.telling_options(schema).into() }
    }

    /// The only type, if there are no subtypes and no options: what an index can answer alone.
    pub fn single(&self) -> Option<AttributeTypeId> {
        match self.types.as_slice() {
            [only] if self.options.is_empty() => Some(*only),
            _ => None,
        }
    }

    /// The values that the facts let it see.
    pub fn values<'f>(&'f self, facts: &'f Facts<'_>) -> impl Iterator<Item = &'f [u8]> {
        facts.entries.iter().flat_map(move |entry| {
            let types = self.types.iter().filter(|id| facts.searchable.contains(**id));
            types
                .flat_map(|id| entry.attributes_of(*id))
                .filter(|attribute| self.options.is_empty() || has_options(attribute.options(), &self.options))
                .flat_map(|attribute| attribute.values())
        })
    }

    /// Whether at least one of the types may be searched; otherwise nothing can be said about it.
    pub(super) fn is_searchable(&self, facts: &Facts<'_>) -> bool {
        self.types.iter().any(|id| facts.searchable.contains(*id))
    }
}

impl Matcher {
    /// Whether some part of it is Undefined whatever is tested.
    pub fn is_undecidable(&self) -> bool {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::is_undecidable),
            Self::Not(inner) | Self::InName(_, _, _, inner) | Self::Within(_, inner) => inner.is_undecidable(),
            Self::Always(truth) => *truth == Truth::Undefined,
            Self::InChain(chain) => chain.linked.is_none(),
            Self::Present(_)
            | Self::Equal { .. }
            | Self::AtLeast(..)
            | Self::AtMost(..)
            | Self::Pieces(..)
            | Self::Word(..)
            | Self::Bits { .. } => false,
        }
    }

    /// Whether it looks at the entry's name (`:dn:`).
    pub fn looks_at_name(&self) -> bool {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::looks_at_name),
            Self::Not(inner) | Self::Within(_, inner) => inner.looks_at_name(),
            Self::InName(..) | Self::InChain(_) => true,
            _ => false,
        }
    }

    /// The attributes that it looks at, so that derived ones are made only where they are needed.
    pub fn mentioned(&self) -> AttributeSet {
        let mut set = AttributeSet::EMPTY;
        self.collect_mentioned(&mut set);
        set
    }

    /// Whether the name of an entry matters, and not its attributes alone.
    pub fn asks_for_name(&self) -> bool {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::asks_for_name),
            Self::Not(inner) | Self::Within(_, inner) => inner.asks_for_name(),
            Self::InName(..) => true,
            Self::Present(_)
            | Self::Equal { .. }
            | Self::AtLeast(..)
            | Self::AtMost(..)
            | Self::Pieces(..)
            | Self::Word(..)
            | Self::Bits { .. }
            | Self::InChain(..)
            | Self::Always(_) => false,
        }
    }

    fn collect_mentioned(&self, set: &mut AttributeSet) {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.collect_mentioned(set)),
            Self::Not(inner) | Self::Within(_, inner) => inner.collect_mentioned(set),
            Self::InName(selector, _, _, inner) => {
                selector.types.iter().for_each(|id| set.insert(*id));
                inner.collect_mentioned(set);
            }
            Self::Present(selector)
            | Self::Equal { selector, .. }
            | Self::AtLeast(selector, ..)
            | Self::AtMost(selector, ..)
            | Self::Pieces(selector, ..)
            | Self::Word(selector, _)
            | Self::Bits { selector, .. } => selector.types.iter().for_each(|id| set.insert(*id)),
            // What it needs has been found before any entry is looked at.
            Self::InChain(_) | Self::Always(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::filter::Filter;

    #[test]
    fn a_matcher_says_what_it_looks_at() {
        let schema = Schema::standard();
        let filter = Filter::parse("(&(uid=a)(!(memberOf=dc=b))(|(sn=c*)))").unwrap();
        let mentioned = Matcher::prepare(&filter, &schema).mentioned();
        for name in ["uid", "memberOf", "sn"] {
            assert!(mentioned.contains(schema.find_attribute_type(name).unwrap().id), "{name}");
        }
        assert!(!mentioned.contains(schema.known().cn));
    }
}
