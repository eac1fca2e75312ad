//! What must stay as it was read, so that a change releases nobody whom it was not seen to release.
//!
//! An account may be bound by several groups. Each of two changes that are planned at the same moment may take it out of one, and see
//! that another is left. So all that still binds it is a condition of each: the second is planned again.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::access::actor::{direct_groups, memberships_of};
use crate::directory::Dn;
use crate::directory::tree::{Condition, EntryId, Found, Tree, Version};
use crate::operations::target::Target;
use crate::operations::{Context, Refusal};

/// So many entries and names are looked at when the change is made. If there are more, nothing at all may have been written.
const MOST: usize = 1_000;

/// What must stay as it was read.
pub(super) struct Kept<'c> {
    ctx: &'c Context<'c>,
    entries: HashMap<Uuid, Version>,
    /// Names that must come into no group that they are not in.
    outside: HashSet<Dn>,
    is_everything: bool,
}

impl<'c> Kept<'c> {
    /// Nothing yet.
    pub(super) fn new(ctx: &'c Context<'c>) -> Self {
        Self { ctx, entries: HashMap::new(), outside: HashSet::new(), is_everything: false }
    }

    /// No entry is written.
    pub(super) const fn everything(&mut self) {
        self.is_everything = true;
    }

    /// The entry is not written.
    pub(super) fn entry(&mut self, id: EntryId) -> Result<(), Refusal> {
        if let Some(node) = self.ctx.tree.node(id)?.filter(|_| !self.is_everything) {
            self.entries.insert(node.uuid, node.version);
            self.is_everything = self.is_much();
        }
        Ok(())
    }

    /// The entry is not written, nor what stands above it: it keeps its name.
    fn entry_and_above(&mut self, id: EntryId) -> Result<(), Refusal> {
        let mut at = Some(id);
        while let Some(id) = at {
            self.entry(id)?;
            at = self.ctx.tree.parent(id)?;
        }
        Ok(())
    }

    /// Nothing of that name comes into a group that it is not in, be it through others; and those that it is in keep their names,
    /// and it its own.
    pub(super) fn outside(&mut self, name: &Dn) -> Result<(), Refusal> {
        let mut pending = vec![name.clone()];
        while let Some(name) = pending.pop().filter(|_| !self.is_everything) {
            if let Some(id) = self.ctx.tree.find(&name)?.entry() {
                self.entry_and_above(id)?;
            }
            if self.outside.contains(&name) {
                continue;
            }
            for group in direct_groups(&name, self.ctx.tree)? {
                pending.extend(self.ctx.tree.dn(group)?.map(|name| Dn::clone(&name)));
            }
            self.outside.insert(name);
            self.is_everything = self.is_much();
        }
        Ok(())
    }

    /// All stays by which an account is bound, now and in the tree that the change makes.
    pub(super) fn stays_bound(&mut self, account: &Target, after: &dyn Tree) -> Result<(), Refusal> {
        self.entry_and_above(account.node.id)?;
        let (Some(node), Some(dn)) = (after.node(account.node.id)?, after.dn(account.node.id)?) else { return Ok(()) };
        for name in [&account.dn, &dn] {
            self.outside(name)?;
            for group in memberships_of(name, self.ctx.tree)?.groups {
                self.entry_and_above(group)?;
            }
        }
        let policy = self.ctx.services.policies.governing(&node.entry, &dn, after)?;
        let policy = Dn::parse(self.ctx.schema(), &policy.origin).ok();
        match policy.map(|name| self.ctx.tree.find(&name)).transpose()?.and_then(Found::entry) {
            Some(policy) => self.entry(policy),
            None => Ok(()),
        }
    }

    fn is_much(&self) -> bool {
        self.entries.len() + self.outside.len() > MOST
    }

    /// The conditions of the change.
    pub(super) fn into_conditions(self) -> Result<Vec<Condition>, Refusal> {
        let tree = self.ctx.tree;
        if self.is_everything {
            return Ok(vec![Condition::NoEntryWrittenSince(tree.csn())]);
        }
        let unchanged = |(uuid, version)| Condition::Unchanged { uuid, version };
        let mut conditions: Vec<_> = self.entries.into_iter().map(unchanged).collect();
        let known = self.ctx.schema().known();
        for name in &self.outside {
            for attribute_type in [known.member, known.unique_member] {
                let mut holders = Vec::new();
                for id in tree.equal(attribute_type, name.key())? {
                    holders.extend(tree.node(id)?.map(|node| node.uuid));
                }
                conditions.push(Condition::HeldOnlyBy { attribute_type, normal: name.key().into(), holders });
            }
        }
        Ok(conditions)
    }
}
