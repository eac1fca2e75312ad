//! Names that lead from one to the next: the rule `1.2.840.113556.1.4.1941` (MS-ADTS 3.1.1.3.4.4.3).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Evaluation, Matcher, Truth};
use crate::directory::AttributeTypeId;
use crate::directory::tree::EntryId;

/// From the entry a name is reached by the attribute, directly or by way of others: who is in a group or in one that is in
/// it, who is somebody's manager or their manager's. Only whoever knows the tree can tell which entries these are.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Chain {
    /// The attribute that leads on.
    pub attribute: AttributeTypeId,
    /// The name at the end.
    pub end: Box<str>,
    /// The entries from which the end is reached; `None` until they have been looked for, and then it is Undefined.
    pub linked: Option<Linked>,
}

/// Entries by the keys of their names.
pub type Linked = Arc<BTreeMap<Box<[u8]>, EntryId>>;

impl Matcher {
    /// The chains in it.
    pub fn chains_mut(&mut self) -> Vec<&mut Chain> {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter_mut().flat_map(Self::chains_mut).collect(),
            Self::Not(inner) | Self::InName(_, _, _, inner) | Self::Within(_, inner) => inner.chains_mut(),
            Self::InChain(chain) => vec![chain],
            _ => Vec::new(),
        }
    }
}

impl Matcher {
    /// Has equality of these attributes, whose values are names, mean that a name is reached by way of others as well.
    pub fn follow(&mut self, attributes: &[AttributeTypeId]) {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter_mut().for_each(|part| part.follow(attributes)),
            Self::Not(inner) | Self::InName(_, _, _, inner) | Self::Within(_, inner) => inner.follow(attributes),
            Self::Equal { selector, raw, .. } => {
                let attribute = selector.single().filter(|id| attributes.contains(id));
                if let (Some(attribute), Ok(end)) = (attribute, std::str::from_utf8(raw)) {
                    *self = Self::InChain(Chain { attribute, end: end.into(), linked: None });
                }
            }
            _ => {}
        }
    }
}

impl Evaluation<'_> {
    pub(super) fn is_linked(&self, chain: &Chain) -> Truth {
        match &chain.linked {
            Some(linked) if self.facts.searchable.contains(chain.attribute) => {
                linked.contains_key(self.facts.dn.key()).into()
            }
            _ => Truth::Undefined,
        }
    }
}
