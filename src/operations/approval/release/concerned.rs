//! The accounts that a change may bring under another policy, or take away.

use std::collections::HashSet;

use uuid::Uuid;

use crate::access::actor::memberships_of;
use crate::access::explain::{entry_called, members};
use crate::directory::tree::{Change, EntryId, Node, Overlay, Place, Tree, Write};
use crate::directory::{Dn, Entry};
use crate::operations::{Context, Refusal};

use super::kept::Kept;

/// So many accounts are looked at for one change.
const MOST: usize = 10_000;

/// The accounts that a change is found to concern.
pub(super) struct Concerned<'c, 'k> {
    ctx: &'c Context<'c>,
    /// The tree as it is, and as it will be where entries get other names.
    sides: Vec<Side<'c>>,
    /// What must stay as it is, or there would be others.
    kept: &'c mut Kept<'k>,
    found: HashSet<EntryId>,
}

/// A tree, and the groups by which policies say there whom they govern.
struct Side<'t> {
    tree: &'t dyn Tree,
    selecting: HashSet<Dn>,
}

impl<'t> Side<'t> {
    fn new(ctx: &Context<'_>, tree: &'t dyn Tree) -> Result<Self, Refusal> {
        Ok(Self { tree, selecting: ctx.services.policies.selecting_groups(tree)? })
    }

    /// Whether policies select by a group, or by one that it is in.
    fn selects(&self, group: &Dn) -> Result<bool, Refusal> {
        if self.selecting.is_empty() {
            return Ok(false);
        }
        if self.selecting.contains(group) {
            return Ok(true);
        }
        let above = memberships_of(group, self.tree)?;
        Ok(above.names.iter().any(|name| self.selecting.contains(&**name)))
    }
}

impl<'c, 'k> Concerned<'c, 'k> {
    /// Finds them; `after` is the tree with the change, if by that entries get other names.
    pub(super) fn find(
        ctx: &'c Context<'c>,
        (change, after): (&Change, Option<&'c Overlay<'_>>),
        kept: &'c mut Kept<'k>,
    ) -> Result<HashSet<EntryId>, Refusal> {
        let trees = [ctx.tree].into_iter().chain(after.map(|after| after as &dyn Tree));
        let sides = trees.map(|tree| Side::new(ctx, tree)).collect::<Result<_, _>>()?;
        let mut concerned = Self { ctx, sides, kept, found: HashSet::new() };
        for write in &change.writes {
            concerned.note(write)?;
        }
        Ok(concerned.found)
    }

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

    /// The members of a group that it has either before or afterwards, if policies select by it. If none does, it must not come into
    /// another group meanwhile.
    fn note_members(&mut self, group: Option<&Dn>, (before, after): (&Entry, &Entry)) -> Result<(), Refusal> {
        let Some(group) = group.filter(|_| self.sides.iter().any(|side| !side.selecting.is_empty())) else {
            return Ok(());
        };
        let known = self.ctx.schema().known();
        for attribute in [known.member, known.unique_member] {
            let old: HashSet<&[u8]> = before.values(attribute).collect();
            let new: HashSet<&[u8]> = after.values(attribute).collect();
            if old == new {
                continue;
            }
            if !self.selects(group)? {
                self.kept.outside(group)?;
                continue;
            }
            for value in old.symmetric_difference(&new) {
                self.note_member(value)?;
            }
        }
        Ok(())
    }

    /// A member of a group by which policies select. If it is a group, or comes to be one, others may change what that comes to.
    fn note_member(&mut self, name: &[u8]) -> Result<(), Refusal> {
        let Some(id) = entry_called(name, self.ctx.tree)? else {
            self.kept.everything();
            return Ok(());
        };
        self.add(id)?;
        if !self.has_members(id)? {
            return self.kept.entry(id);
        }
        self.kept.everything();
        if let Some(dn) = self.ctx.tree.dn(id)? {
            add_all(&mut self.found, members(&dn, self.ctx.tree)?)?;
        }
        Ok(())
    }

    /// An entry that gets another name, and what stands below it; and the members of what of these is a group by which policies
    /// select, by the name that it had or by that which it gets.
    fn note_below(&mut self, top: EntryId) -> Result<(), Refusal> {
        let by_group = self.sides.iter().any(|side| !side.selecting.is_empty());
        let mut pending = vec![top];
        while let Some(id) = pending.pop() {
            self.add(id)?;
            let below = self.ctx.tree.children(id, None, MOST + 1)?;
            // A group may come to stand below it meanwhile, and get another name as well.
            if by_group && (!below.is_empty() || !self.is_mere_account(id)?) {
                self.kept.everything();
            }
            for side in self.sides.iter().filter(|side| !side.selecting.is_empty()) {
                let Some(dn) = side.tree.dn(id)? else { continue };
                if side.selects(&dn)? {
                    add_all(&mut self.found, members(&dn, side.tree)?)?;
                }
                self.kept.outside(&dn)?;
            }
            pending.extend(below);
        }
        Ok(())
    }

    /// Whether an entry is somebody's account, and no group.
    fn is_mere_account(&self, id: EntryId) -> Result<bool, Refusal> {
        let Some(node) = self.ctx.tree.node(id)? else { return Ok(false) };
        Ok(self.ctx.has_password(&node)? && !self.has_members(id)?)
    }

    fn has_members(&self, id: EntryId) -> Result<bool, Refusal> {
        let known = self.ctx.schema().known();
        let is_group = |node: Node| [known.member, known.unique_member].iter().any(|one| node.entry.has(*one));
        Ok(self.ctx.tree.node(id)?.is_some_and(is_group))
    }

    fn add(&mut self, id: EntryId) -> Result<(), Refusal> {
        add_all(&mut self.found, [id])
    }

    /// Whether policies select by a group as it is called now.
    fn selects(&self, group: &Dn) -> Result<bool, Refusal> {
        self.sides.first().map_or(Ok(false), |side| side.selects(group))
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

fn add_all(found: &mut HashSet<EntryId>, ids: impl IntoIterator<Item = EntryId>) -> Result<(), Refusal> {
    found.extend(ids);
    if found.len() > MOST {
        return Err(Refusal::AdminLimit(
            "this concerns more accounts than this server looks at to find out whether their passwords take two people: \
             do it in parts, or as the superuser of the machine",
        ));
    }
    Ok(())
}
