//! Where a part of a filter can match at all: for plans, which ask no index about anything else.

use std::hash::{Hash, Hasher};

use roaring::RoaringBitmap;

use super::Matcher;

/// Entries in which a part of a filter may be searched: those of these portions, and perhaps others that stand there.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Region {
    /// Each adds some.
    pub portions: Vec<Portion>,
}

/// Some entries.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Portion {
    /// Those of these numbers; absent: all.
    pub among: Option<RoaringBitmap>,
    /// And only those that match all of this, whatever they hold besides.
    pub matching: Vec<Matcher>,
}

impl Portion {
    /// Whether nothing is known of it.
    pub const fn is_anywhere(&self) -> bool {
        self.among.is_none() && self.matching.is_empty()
    }
}

impl Eq for Region {}

impl Hash for Region {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.portions.len().hash(state);
    }
}
