//! What holds between entries, whoever changes them: references follow what they name, what shall be unique is, and values are as
//! they shall be.

mod allocation;
mod constraint;
mod extent;
pub mod references;
pub mod unique;

use crate::directory::schema::{AttributeType, Schema};
use crate::directory::{AttributeTypeId, Entry};

pub(in crate::operations) use allocation::Given;
pub use allocation::{Allocation, AllocationText, Allocations};
pub use constraint::{Constraint, ConstraintText, Constraints, Unmet};
pub use extent::{Extent, State};
pub use references::References;
pub use unique::{Unique, UniqueText, Uniqueness};

/// What holds between entries.
#[derive(Clone, Debug)]
pub struct Integrity {
    /// The attributes whose values name entries, and follow them.
    pub references: References,
    /// The attributes whose values no two entries share.
    pub unique: Uniqueness,
    /// What values are like.
    pub constraints: Constraints,
    /// Numbers that entries are given.
    pub allocations: Allocations,
    /// Whose groups `memberOf` tells.
    pub member_of: MemberOf,
}

/// Whose groups `memberOf` tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum MemberOf {
    /// Those that an entry is in.
    #[default]
    Direct,
    /// And those that these are in, however far.
    Nested,
}

impl Integrity {
    /// What holds unless the configuration says otherwise.
    pub fn usual(schema: &Schema) -> Self {
        Self {
            references: References::usual(schema),
            unique: Uniqueness::usual(schema),
            constraints: Constraints::default(),
            allocations: Allocations::default(),
            member_of: MemberOf::default(),
        }
    }

    /// The attributes by which entries must be found quickly.
    pub fn found_by(&self) -> impl Iterator<Item = AttributeTypeId> {
        let given = self.allocations.attributes();
        self.references.attributes().iter().copied().chain(self.unique.attributes()).chain(given)
    }
}

/// Why the configuration asks for something that cannot hold.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IntegrityError {
    /// The schema does not define the attribute.
    #[error("the attribute {0:?} is not in the schema")]
    Undefined(String),
    /// The values of the attribute are no names.
    #[error("the values of {0:?} are no names of entries, so they cannot follow any")]
    NoReference(String),
    /// Entries cannot be found by the attribute.
    #[error("entries cannot be found by {0:?}: it is derived, secret, or compared by no rule")]
    NotFound(String),
    /// The values of an attribute whose values are to be given are no numbers.
    #[error("the values of {0:?} are no whole numbers")]
    NoNumber(String),
    /// A range holds no number.
    #[error("the range from {from} to {to} holds no number")]
    EmptyRange {
        /// Its smallest number.
        from: u64,
        /// Its greatest.
        to: u64,
    },
    /// The schema does not define the object class.
    #[error("the object class {0:?} is not in the schema")]
    UndefinedClass(String),
    /// No entry stores the attribute where it could be looked at.
    #[error("values of {0:?} cannot be constrained: it is derived, secret, or kept with the password")]
    NotStored(String),
    /// The regular expression is none.
    #[error("the regular expression {0:?}: {1}")]
    Regex(String, String),
    /// A constraint says neither of what values look like, nor how many there are, nor how long they are.
    #[error("give at least one of regex, count and octets")]
    DemandsNothing,
    /// A constraint is about no attribute.
    #[error("give at least one attribute")]
    NoAttributes,
    /// The base is no name.
    #[error("the base {0:?}: {1}")]
    Base(String, crate::directory::dn::DnError),
    /// The filter is none.
    #[error("the filter: {0}")]
    Filter(crate::directory::filter::FilterSyntaxError),
}

/// The attribute of that name, if entries store it and can be found by it.
fn stored<'s>(name: &str, schema: &'s Schema) -> Result<&'s AttributeType, IntegrityError> {
    let attribute = schema.find_attribute_type(name).ok_or_else(|| IntegrityError::Undefined(name.to_owned()))?;
    let known = schema.known();
    let is_elsewhere = known.derived().contains(&attribute.id) || known.credentials().contains(&attribute.id);
    if is_elsewhere || attribute.is_secret() || attribute.equality.is_none() {
        return Err(IntegrityError::NotFound(name.to_owned()));
    }
    Ok(attribute)
}

/// Whether the entry has an attribute of the type that it did not have like that.
fn gains(before: Option<&Entry>, after: &Entry, id: AttributeTypeId) -> bool {
    after.has(id) && !before.is_some_and(|before| octets_of(before, id).eq(octets_of(after, id)))
}

fn octets_of(entry: &Entry, id: AttributeTypeId) -> impl Iterator<Item = &[u8]> {
    entry.attributes_of(id).map(|one| one.octets)
}
