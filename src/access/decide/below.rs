//! Which rules reach the entries below one, found out once for all of them.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use smallvec::SmallVec;

use super::Purpose;
use super::ground::Ground;
use super::rule_mask::RuleMask;
use crate::access::reach::Reach;
use crate::directory::dn::{plain_value, plain_value_of_key};
use crate::directory::schema::Schema;
use crate::directory::tree::{Node, Tree, TreeError};
use crate::directory::{Dn, Rdn};

/// Which rules reach the entries below a parent.
#[derive(Debug, Default)]
pub(super) struct Below {
    /// All of them.
    pub(super) all: RuleMask,
    /// What these come to, by the purpose.
    grounds: Grounds,
    /// Only the one with that RDN key; in order.
    one: Vec<(Box<[u8]>, usize)>,
    /// What those are called, in lower case, where that alone tells them from most others.
    plain: Option<HashSet<Box<[u8]>, foldhash::fast::RandomState>>,
}

/// What the same rules come to for each purpose, once it has been asked for.
#[derive(Debug, Default)]
struct Grounds {
    everything: OnceLock<Arc<Ground>>,
    sight: OnceLock<Arc<Ground>>,
}

/// Which rules reach the entries below a parent, as long as it is called that.
#[derive(Clone, Debug)]
pub(super) struct BelowNamed {
    pub(super) parent_dn: Option<Arc<Dn>>,
    pub(super) below: Arc<Below>,
}

impl Below {
    /// Notes which entries below `parent` a rule reaches. The entries of suffixes have no parent; each is looked at by
    /// its name.
    pub(super) fn note(&mut self, position: usize, reach: &Reach, parent: Option<&Dn>) {
        let child_key = |dn: &Dn| match parent {
            Some(parent) if dn.depth() == parent.depth() + 1 && dn.is_within(parent) => {
                dn.rdns().next().map(|(_, key)| key.into())
            }
            Some(_) => None,
            None => Some(dn.key().into()),
        };
        let all = match (reach, parent) {
            (Reach::Everything, _) => true,
            (Reach::Children(base), Some(parent)) => parent == base,
            (Reach::Subtree(base) | Reach::Below(base), Some(parent)) => parent.is_within(base),
            _ => false,
        };
        if all {
            self.all.insert(position);
        } else if let Reach::Entry(dn) | Reach::Subtree(dn) = reach {
            self.one.extend(child_key(dn).map(|key| (key, position)));
        }
    }

    /// Makes ready for being asked.
    pub(super) fn ready(&mut self, schema: &Schema) {
        self.one.sort_unstable();
        let plain =
            |(key, _): &(Box<[u8]>, usize)| plain_value_of_key(schema, key).map(|value| lower(value).as_slice().into());
        self.plain = self.one.iter().map(plain).collect();
    }

    /// What the rules that reach all of them come to.
    pub(super) fn ground(&self, purpose: Purpose, find: impl FnOnce() -> Arc<Ground>) -> &Arc<Ground> {
        let ground = match purpose {
            Purpose::Everything => &self.grounds.everything,
            Purpose::Sight => &self.grounds.sight,
        };
        ground.get_or_init(find)
    }

    /// The rules that reach one of the entries besides those that reach all.
    pub(super) fn of_one(&self, node: &Node, schema: &Schema, tree: &dyn Tree) -> Result<RuleMask, TreeError> {
        if self.one.is_empty() || self.is_surely_no_one(node) {
            return Ok(RuleMask::default());
        }
        let key = rdn_key(node, schema, tree)?;
        let first = self.one.partition_point(|(own, _)| **own < *key);
        Ok(self.one.iter().skip(first).take_while(|(own, _)| **own == *key).map(|(_, position)| *position).collect())
    }

    /// Whether what an entry is called shows that no rule is about it alone, without being brought to the normal form.
    fn is_surely_no_one(&self, node: &Node) -> bool {
        match (&self.plain, plain_value(node.rdn.as_bytes())) {
            (Some(names), Some(value)) if node.parent.is_some() => !names.contains(lower(value).as_slice()),
            _ => false,
        }
    }
}

fn lower(value: &[u8]) -> SmallVec<[u8; 64]> {
    value.iter().map(u8::to_ascii_lowercase).collect()
}

/// What an RDN is compared by; of the entry of a suffix, which has no parent, the whole name.
fn rdn_key(node: &Node, schema: &Schema, tree: &dyn Tree) -> Result<Box<[u8]>, TreeError> {
    if node.parent.is_none() {
        return Ok(tree.dn(node.id)?.map(|dn| dn.key().into()).unwrap_or_default());
    }
    Ok(Rdn::parse(schema, &node.rdn).map(|rdn| rdn.key().into()).unwrap_or_default())
}
