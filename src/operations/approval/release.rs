//! What makes one person enough to set a password that takes two: another group, attribute, name or policy for the account, or
//! none of it any more.
//!
//! It is found out by asking of the tree as it would be. A change of a policy itself is for whoever may write policies, and is
//! not held.

use std::collections::HashSet;
use std::time::Duration;

use uuid::Uuid;

use crate::access::actor::memberships_of;
use crate::access::explain::{entry_called, members};
use crate::directory::tree::{Change, EntryId, Overlay, Place, Tree, Write};
use crate::directory::{Dn, Entry};

use crate::operations::target::Target;
use crate::operations::transaction::unmade;
use crate::operations::{Context, Refusal};

use super::subject;

/// So many accounts are looked at for one change.
const MOST: usize = 10_000;

/// The account, not that of `own`, whose password takes two people to set before a change, and after it one, or that goes with
/// it; and for how long an approval is good. Several at once are refused: each is approved by itself.
pub(super) fn released(ctx: &Context<'_>, change: &Change, own: Uuid) -> Result<Option<(Target, Duration)>, Refusal> {
    if change.writes.is_empty() || !ctx.services.policies.ask_for_approval(ctx.tree)? {
        return Ok(None);
    }
    let mut bound = Vec::new();
    for id in concerned(ctx, change)? {
        let Some(node) = ctx.tree.node(id)?.filter(|node| node.uuid != own) else { continue };
        if ctx.has_password(&node)? {
            bound.extend(subject(ctx, node.uuid)?);
        }
    }
    if bound.is_empty() {
        return Ok(None);
    }
    let mut after = Overlay::new(ctx.tree)?;
    after.apply(change.clone()).map_err(unmade)?;
    let mut released = None;
    for (target, max_age) in bound {
        if !is_bound(ctx, target.node.uuid, &after)? && released.replace((target, max_age)).is_some() {
            return Err(Refusal::Unwilling(
                "this would let one person set the passwords of several accounts that take two: do it for one after another",
            ));
        }
    }
    Ok(released)
}

/// Whether it takes two people to set the password of an account.
fn is_bound(ctx: &Context<'_>, uuid: Uuid, tree: &dyn Tree) -> Result<bool, Refusal> {
    let Some(id) = tree.find_uuid(uuid)? else { return Ok(false) };
    let (Some(node), Some(dn)) = (tree.node(id)?, tree.dn(id)?) else { return Ok(false) };
    Ok(ctx.services.policies.governing(&node.entry, &dn, tree)?.reset_approval_max_age.is_some())
}

/// The accounts that a change may bring under another policy, or take away.
fn concerned(ctx: &Context<'_>, change: &Change) -> Result<HashSet<EntryId>, Refusal> {
    let mut concerned =
        Concerned { ctx, selecting: ctx.services.policies.selecting_groups(ctx.tree)?, found: HashSet::new() };
    for write in &change.writes {
        concerned.note(write)?;
    }
    Ok(concerned.found)
}

struct Concerned<'c> {
    ctx: &'c Context<'c>,
    /// The groups by which policies say whom they govern.
    selecting: HashSet<Dn>,
    found: HashSet<EntryId>,
}

impl Concerned<'_> {
    fn note(&mut self, write: &Write) -> Result<(), Refusal> {
        let nothing = Entry::empty();
        match write {
            Write::Insert { place, entry, .. } => {
                let name = self.name_at(place)?;
                self.note_members(name.as_ref(), (&nothing, entry))
            }
            Write::Replace { uuid, entry, .. } => self.note_changed(*uuid, Some(entry)),
            Write::Remove { uuid, .. } => self.note_changed(*uuid, None),
            Write::Move { uuid, place, .. } => {
                let Some(id) = self.ctx.tree.find_uuid(*uuid)? else { return Ok(()) };
                if self.stays(id, place)? { Ok(()) } else { self.note_below(id) }
            }
            Write::SetCredentials { .. } | Write::SetSchema(_) => Ok(()),
        }
    }

    fn note_changed(&mut self, uuid: Uuid, after: Option<&Entry>) -> Result<(), Refusal> {
        let Some(id) = self.ctx.tree.find_uuid(uuid)? else { return Ok(()) };
        let (Some(node), Some(dn)) = (self.ctx.tree.node(id)?, self.ctx.tree.dn(id)?) else { return Ok(()) };
        self.add(id)?;
        let nothing = Entry::empty();
        self.note_members(Some(&dn), (&node.entry, after.unwrap_or(&nothing)))
    }

    /// The members of a group that it has either before or afterwards, if policies select by it.
    fn note_members(&mut self, group: Option<&Dn>, (before, after): (&Entry, &Entry)) -> Result<(), Refusal> {
        let known = self.ctx.schema().known();
        for attribute in [known.member, known.unique_member] {
            let old: HashSet<&[u8]> = before.values(attribute).collect();
            let new: HashSet<&[u8]> = after.values(attribute).collect();
            if old == new || !self.selects(group)? {
                continue;
            }
            for value in old.symmetric_difference(&new) {
                let Some(id) = entry_called(value, self.ctx.tree)? else { continue };
                self.add_with_members(id)?;
            }
        }
        Ok(())
    }

    /// An entry that gets another name, and what stands below it; and the members of what of these is a group.
    fn note_below(&mut self, top: EntryId) -> Result<(), Refusal> {
        let mut pending = vec![top];
        while let Some(id) = pending.pop() {
            if self.ctx.tree.dn(id)?.is_some_and(|dn| self.selects(Some(&dn)).unwrap_or(true)) {
                self.add_with_members(id)?;
            }
            self.add(id)?;
            pending.extend(self.ctx.tree.children(id, None, MOST + 1)?);
        }
        Ok(())
    }

    fn add_with_members(&mut self, id: EntryId) -> Result<(), Refusal> {
        self.add(id)?;
        if let Some(dn) = self.ctx.tree.dn(id)? {
            for member in members(&dn, self.ctx.tree)? {
                self.add(member)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, id: EntryId) -> Result<(), Refusal> {
        self.found.insert(id);
        if self.found.len() > MOST {
            return Err(Refusal::AdminLimit(
                "this concerns more accounts than this server looks at to find out whether their passwords take two people: \
                 do it in parts, or as the superuser of the machine",
            ));
        }
        Ok(())
    }

    /// Whether policies select by a group, or by one that it is in.
    fn selects(&self, group: Option<&Dn>) -> Result<bool, Refusal> {
        let Some(group) = group.filter(|_| !self.selecting.is_empty()) else { return Ok(false) };
        if self.selecting.contains(group) {
            return Ok(true);
        }
        let above = memberships_of(group, self.ctx.tree)?;
        Ok(above.names.iter().any(|name| self.selecting.contains(&**name)))
    }

    /// Whether an entry keeps its name.
    fn stays(&self, id: EntryId, place: &Place) -> Result<bool, Refusal> {
        let name = self.name_at(place)?;
        Ok(name.is_some() && self.ctx.tree.dn(id)?.as_deref() == name.as_ref())
    }

    fn name_at(&self, place: &Place) -> Result<Option<Dn>, Refusal> {
        let tree = self.ctx.tree;
        match place {
            Place::Suffix(dn) => Ok(Some(dn.clone())),
            Place::Below { parent, rdn, key } => {
                let above = tree.find_uuid(*parent)?.map(|id| tree.dn(id)).transpose()?.flatten();
                Ok(above.map(|above| Dn::child(&above, rdn, key)))
            }
        }
    }
}
