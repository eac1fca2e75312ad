//! Finding the entries from which a name is reached by way of others, for filters that ask for these.

use std::collections::BTreeMap;
use std::sync::Arc;

use roaring::RoaringBitmap;

use super::confined;
use crate::access::Decider;
use crate::directory::filter::{Chain, Linked, Matcher, Steps};
use crate::directory::tree::{EntryId, Node};
use crate::directory::{AttributeTypeId, Dn};
use crate::operations::derived::DynamicGroup;
use crate::operations::integrity::MemberOf;
use crate::operations::{Context, Refusal};
use crate::password::scheme::Effort;

/// What it costs to look a name up; compare [`Steps`].
const LOOKUP: u64 = 8;
/// Steps that are taken while others wait for the thread, and where nobody does.
const STEPS_AT_ONCE: u64 = 4_000;
const STEPS_IN_FULL: u64 = 2_000_000;

/// Finds what the chains of a filter need. `false` if that takes more effort.
pub(super) fn link(ctx: &Context<'_>, matcher: &mut Matcher, effort: Effort) -> Result<bool, Refusal> {
    let mut chains = matcher.chains_mut();
    if chains.is_empty() {
        return Ok(true);
    }
    let most = if effort == Effort::Light { STEPS_AT_ONCE } else { STEPS_IN_FULL };
    let mut linking = Linking { ctx, decider: ctx.sight(), dynamic: None, named: None, steps: Steps::new(most) };
    for chain in chains.iter_mut().filter(|chain| chain.linked.is_none()) {
        linking.named = confined::named_for(ctx, chain.attribute)?;
        chain.linked = linking.links_of(chain)?;
        if chain.linked.is_none() {
            let too_much = Refusal::AdminLimit("the filter follows more names than this server does for one search");
            return if effort == Effort::Light { Ok(false) } else { Err(too_much) };
        }
    }
    Ok(true)
}

struct Linking<'c> {
    ctx: &'c Context<'c>,
    decider: Decider<'c>,
    /// The groups whose members are found by a search, once they have been looked for.
    dynamic: Option<Arc<[DynamicGroup]>>,
    /// The only entries that can lead on, if these are known: of others, nothing is looked at.
    named: Option<RoaringBitmap>,
    steps: Steps,
}

impl Linking<'_> {
    /// The entries from which the end is reached, only by way of what the requester may search; `None` if that takes too
    /// many steps.
    fn links_of(&mut self, chain: &Chain) -> Result<Option<Linked>, Refusal> {
        let known = self.ctx.schema().known();
        let is_derived = [known.member_of, known.is_member_of].contains(&chain.attribute);
        let mut linked: BTreeMap<Box<[u8]>, EntryId> = BTreeMap::new();
        if self.named.as_ref().is_some_and(RoaringBitmap::is_empty) {
            return Ok(Some(Arc::new(linked)));
        }
        let mut pending = vec![Arc::new(Dn::parse(self.ctx.schema(), &chain.end)?)];
        while let Some(end) = pending.pop() {
            let next = if is_derived { self.members(&end)? } else { self.holders(chain.attribute, &end)? };
            if self.steps.are_exceeded() {
                return Ok(None);
            }
            for node in next {
                if !self.decider.decide(&node, self.ctx.tree)?.search.contains(chain.attribute) {
                    continue;
                }
                let Some(dn) = self.ctx.tree.dn(node.id)? else { continue };
                if linked.insert(dn.key().into(), node.id).is_none() {
                    pending.push(dn);
                }
            }
        }
        Ok(Some(Arc::new(linked)))
    }

    /// The entries that hold the name.
    fn holders(&mut self, id: AttributeTypeId, name: &Dn) -> Result<Vec<Node>, Refusal> {
        let form = self.ctx.schema().attribute_type(id).equality_or_fallback().normal_form();
        let mut found = Vec::new();
        let may_hold = match &self.named {
            Some(named) => named.iter().map(EntryId).collect(),
            None => self.ctx.that_may_hold(id, name.key())?,
        };
        for holder in may_hold {
            let Some(node) = self.ctx.tree.node(holder)? else { continue };
            // What may not be searched counts for no limit.
            if !self.decider.decide(&node, self.ctx.tree)?.search.contains(id) {
                continue;
            }
            let mut is_it = |value: &[u8]| {
                let value = form.name_in(value);
                value == name.as_str().as_bytes()
                    || (self.steps.take(LOOKUP).is_some() && form.matches(self.ctx.schema(), value, name.key()))
            };
            if node.entry.values(id).any(&mut is_it) {
                found.push(node);
            }
        }
        if id == self.ctx.schema().known().member {
            found.extend(self.dynamic_holders(name)?);
        }
        Ok(found)
    }

    /// The groups whose searches find the entry of that name.
    fn dynamic_holders(&mut self, name: &Dn) -> Result<Vec<Node>, Refusal> {
        let groups = match &self.dynamic {
            Some(groups) => Arc::clone(groups),
            None => Arc::clone(self.dynamic.insert(DynamicGroup::all(self.ctx, &mut self.decider)?.into())),
        };
        let Some(node) = self.node(name)? else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for group in groups.iter() {
            if group.holds(self.ctx, &node, &mut self.decider, &mut self.steps)? == Some(true) {
                found
                    .extend(self.node(&group.name)?.filter(|group| !group.entry.has(self.ctx.schema().known().member)));
            }
        }
        Ok(found)
    }

    /// The members of the group of that name, if the requester may know of them.
    fn members(&mut self, group: &Dn) -> Result<Vec<Node>, Refusal> {
        let known = self.ctx.schema().known();
        let Some(node) = self.node(group)? else { return Ok(Vec::new()) };
        let decision = self.decider.decide(&node, self.ctx.tree)?;
        // Where memberOf tells of nested groups, this is what tells it, to whoever may know of the group.
        let is_told = self.ctx.services.integrity.member_of == MemberOf::Nested && decision.is_visible();
        let may_follow = |id: AttributeTypeId| is_told || decision.search.contains(id);
        let mut found = Vec::new();
        for id in [known.member, known.unique_member].into_iter().filter(|id| may_follow(*id)) {
            let form = self.ctx.schema().attribute_type(id).equality_or_fallback().normal_form();
            for value in node.entry.values(id) {
                if self.steps.take(LOOKUP).is_none() {
                    return Ok(found);
                }
                let name = std::str::from_utf8(form.name_in(value)).ok();
                let name = name.and_then(|text| Dn::parse(self.ctx.schema(), text).ok());
                if let Some(name) = name
                    && let Some(id) = self.ctx.tree.find(&name)?.entry()
                {
                    found.extend(self.leading(id)?);
                }
            }
        }
        if may_follow(known.member)
            && !node.entry.has(known.member)
            && let Some(group) = DynamicGroup::read(self.ctx, &node)?
        {
            let members = group.members(self.ctx, &mut self.decider, &mut self.steps)?;
            // Of more than are told, none is.
            let Some(members) = members else { return Ok(self.too_many()) };
            for name in members {
                found.extend(self.node(&name)?);
            }
        }
        Ok(found)
    }

    /// Nothing is found, since that would take too many steps.
    fn too_many(&mut self) -> Vec<Node> {
        let _ = self.steps.take(u64::MAX);
        Vec::new()
    }

    /// The entry of that number, if it can lead on.
    fn leading(&self, id: EntryId) -> Result<Option<Node>, Refusal> {
        let may_lead = self.named.as_ref().is_none_or(|named| named.contains(id.0));
        if may_lead { Ok(self.ctx.tree.node(id)?) } else { Ok(None) }
    }

    fn node(&self, name: &Dn) -> Result<Option<Node>, Refusal> {
        let Some(id) = self.ctx.tree.find(name)?.entry() else { return Ok(None) };
        Ok(self.ctx.tree.node(id)?)
    }
}
