//! Which groups entries are in, found out for many entries at little more cost than for one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::collective::Collection;
use super::dynamic::DynamicGroup;
use crate::access::Decider;
use crate::directory::Dn;
use crate::directory::filter::Steps;
use crate::directory::schema::NormalForm;
use crate::directory::tree::{EntryId, Node};
use crate::operations::{Context, Refusal};

/// Groups of fewer members are looked through each time.
const MANY_MEMBERS: usize = 32;
/// A group that is asked about more often has its members remembered.
const OFTEN: u32 = 2;
/// So many members are remembered, of all groups together.
const MOST_REMEMBERED: usize = 500_000;
/// What it costs to bring a name to its normal form; compare [`Steps`].
const NAME: u64 = 8;

/// What a search has found out about groups.
#[derive(Clone, Debug, Default)]
pub(in crate::operations) struct Groups {
    known: HashMap<EntryId, Group>,
    remembered: usize,
    dynamic: Option<Arc<[DynamicGroup]>>,
    /// Not groups, but collections of entries that share attributes.
    collections: Option<Arc<[Collection]>>,
}

/// A group.
#[derive(Clone, Debug)]
struct Group {
    /// Its name; `None` if whoever asks may not know of it.
    name: Option<Arc<Dn>>,
    asked: u32,
    members: Option<HashSet<Box<[u8]>>>,
}

impl Groups {
    /// The names of the groups that `dn` is in and that the requester may know of; `None` if that takes too many steps.
    pub(in crate::operations) fn of(
        &mut self,
        ctx: &Context<'_>,
        dn: &Dn,
        decider: &mut Decider<'_>,
        steps: &mut Steps,
    ) -> Result<Option<Vec<Arc<Dn>>>, Refusal> {
        let known = ctx.schema().known();
        let mut names = Vec::new();
        let mut may_hold = ctx.that_may_hold(known.member, dn.key())?;
        may_hold.extend(ctx.that_may_hold(known.unique_member, dn.key())?);
        may_hold.sort_unstable();
        may_hold.dedup();
        for id in may_hold {
            if steps.take(NAME).is_none() {
                return Ok(None);
            }
            let Some(name) = self.name(ctx, id, decider)? else { continue };
            match self.holds(ctx, id, dn, steps)? {
                Some(true) => names.push(name),
                Some(false) => {}
                None => return Ok(None),
            }
        }
        Ok(Some(names))
    }

    /// The names of the groups whose searches find an entry; `None` if that takes too many steps.
    pub(in crate::operations) fn dynamic_of(
        &mut self,
        ctx: &Context<'_>,
        node: &Node,
        decider: &mut Decider<'_>,
        steps: &mut Steps,
    ) -> Result<Option<Vec<Arc<Dn>>>, Refusal> {
        let groups = match &self.dynamic {
            Some(groups) => Arc::clone(groups),
            None => Arc::clone(self.dynamic.insert(DynamicGroup::all(ctx, decider)?.into())),
        };
        let mut names = Vec::new();
        for group in groups.iter() {
            match group.holds(ctx, node, decider, steps)? {
                Some(true) => names.push(Arc::clone(&group.name)),
                Some(false) => {}
                None => return Ok(None),
            }
        }
        Ok(Some(names))
    }

    /// The collections of entries that share attributes, once they have been looked for.
    pub(super) fn collections(
        &mut self,
        find: impl FnOnce() -> Result<Vec<Collection>, Refusal>,
    ) -> Result<Arc<[Collection]>, Refusal> {
        match &self.collections {
            Some(collections) => Ok(Arc::clone(collections)),
            None => Ok(Arc::clone(self.collections.insert(find()?.into()))),
        }
    }

    fn name(&mut self, ctx: &Context<'_>, id: EntryId, decider: &mut Decider<'_>) -> Result<Option<Arc<Dn>>, Refusal> {
        if let Some(group) = self.known.get(&id) {
            return Ok(group.name.clone());
        }
        let is_visible = match ctx.tree.node(id)? {
            Some(node) => decider.decide(&node, ctx.tree)?.is_visible(),
            None => false,
        };
        let name = if is_visible { ctx.tree.dn(id)? } else { None };
        self.known.insert(id, Group { name: name.clone(), asked: 0, members: None });
        Ok(name)
    }

    /// Whether a group has a member; `None` if that takes too many steps.
    fn holds(&mut self, ctx: &Context<'_>, id: EntryId, dn: &Dn, steps: &mut Steps) -> Result<Option<bool>, Refusal> {
        let Some(group) = self.known.get_mut(&id) else { return Ok(Some(false)) };
        if let Some(members) = &group.members {
            return Ok(Some(members.contains(dn.key())));
        }
        let Some(node) = ctx.tree.node(id)? else { return Ok(Some(false)) };
        let count = values(ctx, &node).count();
        group.asked += 1;
        if count <= MANY_MEMBERS || group.asked <= OFTEN || self.remembered + count > MOST_REMEMBERED {
            return Ok(has_member(ctx, &node, dn, steps));
        }
        let Some(members) = members(ctx, &node, steps) else { return Ok(None) };
        let holds = members.contains(dn.key());
        self.remembered += members.len();
        group.members = Some(members);
        Ok(Some(holds))
    }
}

/// The names of the members, as they are spelled.
fn values<'n>(ctx: &Context<'_>, node: &'n Node) -> impl Iterator<Item = &'n [u8]> {
    let known = ctx.schema().known();
    let unique = node.entry.values(known.unique_member).map(|value| NormalForm::NameAndUid.name_in(value));
    node.entry.values(known.member).chain(unique)
}

/// Most members are spelled as their entries are: only if none is, it is looked closer.
fn has_member(ctx: &Context<'_>, node: &Node, dn: &Dn, steps: &mut Steps) -> Option<bool> {
    if values(ctx, node).any(|value| value == dn.as_str().as_bytes()) {
        return Some(true);
    }
    for value in values(ctx, node) {
        steps.take(NAME)?;
        if key(ctx, value).is_some_and(|own| *own == *dn.key()) {
            return Some(true);
        }
    }
    Some(false)
}

fn members(ctx: &Context<'_>, node: &Node, steps: &mut Steps) -> Option<HashSet<Box<[u8]>>> {
    let mut members = HashSet::new();
    for value in values(ctx, node) {
        steps.take(NAME)?;
        members.extend(key(ctx, value));
    }
    Some(members)
}

fn key(ctx: &Context<'_>, value: &[u8]) -> Option<Box<[u8]>> {
    Some(Dn::parse(ctx.schema(), std::str::from_utf8(value).ok()?).ok()?.key().into())
}
