//! Object classes (RFC 4512 §4.1.1).

use super::AttributeTypeId;

/// The number of an object class in this server's schema.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ObjectClassId(pub u16);

/// What an object class may be used for (RFC 4512 §2.4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ObjectClassKind {
    /// Only to derive others from.
    Abstract,
    /// What an entry is, and stays.
    Structural,
    /// What an entry is besides.
    Auxiliary,
}

impl ObjectClassKind {
    /// The word that stands in a definition.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Abstract => "abstract",
            Self::Structural => "structural",
            Self::Auxiliary => "auxiliary",
        }
    }
}

/// An object class.
#[derive(Clone, Debug)]
pub struct ObjectClass {
    /// Its number here.
    pub id: ObjectClassId,
    /// Its object identifier.
    pub oid: Box<str>,
    /// Its names; empty if it is known by its number only.
    pub names: Vec<Box<str>>,
    /// What it may be used for.
    pub kind: ObjectClassKind,
    /// It and all classes that it derives from, each once, nearest first.
    pub lineage: Vec<ObjectClassId>,
    /// Attributes that an entry must have, own and inherited.
    pub must: Vec<AttributeTypeId>,
    /// Attributes that an entry may have, own and inherited.
    pub may: Vec<AttributeTypeId>,
    /// An auxiliary class that stands in as the structural one of an entry that has no other: `posixGroup`, which is
    /// structural in RFC 2307 and auxiliary in its successor, so that data of both loads. Marked
    /// `X-STRUCTURAL-WHEN-ALONE 'TRUE'`.
    pub structural_when_alone: bool,
    /// The definition as it was read.
    pub definition: Box<str>,
}

impl ObjectClass {
    /// The name that answers carry.
    pub fn name(&self) -> &str {
        self.names.first().map_or(&self.oid, |name| name)
    }

    /// Whether it is `other` or derives from it.
    pub fn is_or_derives_from(&self, other: ObjectClassId) -> bool {
        self.lineage.contains(&other)
    }
}
