//! Whoever writes a policy has power over those whom it governs: so none that says that it governs somebody who holds more.

use std::collections::HashSet;

use super::{has_member, suffix_of};
use crate::access::escalation;
use crate::access::explain::{entry_called, members};
use crate::access::who::Who;
use crate::directory::tree::EntryId;
use crate::directory::{AttributeTypeId, Dn, Entry};
use crate::operations::{Context, Refusal};
use crate::password::Policy;
use crate::password::policy::Applies;

/// So many people who hold more are looked at: whether the policy governs them.
const MOST: usize = 10_000;

impl Context<'_> {
    /// Requires that an entry is no policy that says, by group, subtree or filter, that it governs somebody who holds
    /// something that the requester does not hold. A policy that says nothing of that governs whom others name it for.
    pub(in crate::operations) fn require_no_claim(&self, entry: &Entry, dn: &Dn) -> Result<(), Refusal> {
        let schema = self.schema();
        let mut classes = entry.values(schema.known().object_class);
        if !classes.any(|class| class.eq_ignore_ascii_case(super::CLASS.as_bytes())) {
            return Ok(());
        }
        let read = Policy::read(entry, dn.as_str(), schema);
        let policy = read.unwrap_or_else(|_| Policy::strict(entry, dn.as_str(), schema));
        let (Some(applies), Some(suffix)) = (&policy.applies, suffix_of(dn, self.tree)) else { return Ok(()) };
        let mut claim = Claim { ctx: self, applies, suffix, left: MOST };
        for who in escalation::beyond(self.actor, self.rules).flat_map(|rule| &rule.who) {
            if claim.meets(who)? {
                return Err(Refusal::InsufficientAccess(
                    "this policy governs somebody who has rights that you do not have: have it written by somebody who has them",
                ));
            }
        }
        Ok(())
    }
}

/// What a policy says of whom it governs.
struct Claim<'c> {
    ctx: &'c Context<'c>,
    applies: &'c Applies,
    suffix: &'c Dn,
    left: usize,
}

impl Claim<'_> {
    /// Whether it governs one of those whom a rule is for.
    fn meets(&mut self, who: &Who) -> Result<bool, Refusal> {
        match who {
            Who::Entry(dn) => self.governs_called(dn),
            Who::Group(dn) => self.governs_one_of(members(dn, self.ctx.tree)?),
            Who::Below(base) => self.governs_below(base),
            Who::HeldIn(attribute) => self.governs_held(*attribute),
            // To be oneself is no power over others, and those have no password here.
            Who::Oneself | Who::Anonymous | Who::LocalRoot => Ok(false),
            Who::Authenticated | Who::Everyone => Ok(true),
        }
    }

    fn governs(&mut self, id: EntryId) -> Result<bool, Refusal> {
        let too_many = "more people than this server looks at have rights that you do not have: have the policy written by \
                        somebody who has them";
        self.left = self.left.checked_sub(1).ok_or(Refusal::AdminLimit(too_many))?;
        let tree = self.ctx.tree;
        let (Some(node), Some(dn)) = (tree.node(id)?, tree.dn(id)?) else { return Ok(false) };
        Ok(suffix_of(&dn, tree) == Some(self.suffix)
            && self.applies.admits(&node.entry, &dn, tree.schema())
            && has_member(self.applies, &dn, &mut None, tree)?)
    }

    fn governs_called(&mut self, dn: &Dn) -> Result<bool, Refusal> {
        match self.ctx.tree.find(dn)?.entry() {
            Some(id) => self.governs(id),
            None => Ok(false),
        }
    }

    fn governs_one_of(&mut self, ids: HashSet<EntryId>) -> Result<bool, Refusal> {
        for id in ids {
            if self.governs(id)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn governs_below(&mut self, base: &Dn) -> Result<bool, Refusal> {
        let mut pending: Vec<EntryId> = self.ctx.tree.find(base)?.entry().into_iter().collect();
        let mut is_base = true;
        while let Some(id) = pending.pop() {
            if !std::mem::take(&mut is_base) && self.governs(id)? {
                return Ok(true);
            }
            pending.extend(self.ctx.tree.children(id, None, self.left.saturating_add(1))?);
        }
        Ok(false)
    }

    /// Those whom some entry holds in that attribute, and members of groups that it holds.
    fn governs_held(&mut self, attribute: AttributeTypeId) -> Result<bool, Refusal> {
        let tree = self.ctx.tree;
        for holder in self.ctx.those_with(attribute)? {
            let Some(node) = tree.node(EntryId(holder))? else { continue };
            for value in node.entry.values(attribute) {
                let Some(id) = entry_called(value, tree)? else { continue };
                if self.governs(id)? {
                    return Ok(true);
                }
                if let Some(dn) = tree.dn(id)?
                    && self.governs_one_of(members(&dn, tree)?)?
                {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}
