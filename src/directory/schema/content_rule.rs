//! DIT content rules (RFC 4512 §4.1.6): what entries of a structural class may and must be and have besides what their classes
//! say.

use super::{AttributeTypeId, ObjectClassId};

/// A DIT content rule. It governs the entries whose structural class it names.
#[derive(Clone, Debug)]
pub struct ContentRule {
    /// The structural class.
    pub class: ObjectClassId,
    /// Its names; empty if it is known by the number of the class only.
    pub names: Vec<Box<str>>,
    /// The auxiliary classes that such entries may have, with those that these derive from.
    pub aux: Vec<ObjectClassId>,
    /// Attributes that they must have besides.
    pub must: Vec<AttributeTypeId>,
    /// Attributes that they may have besides.
    pub may: Vec<AttributeTypeId>,
    /// Attributes that they must not have, although their classes allow them.
    pub not: Vec<AttributeTypeId>,
    /// The definition as it was read.
    pub definition: Box<str>,
}
