//! Leaving groups to which something is denied.

use std::collections::{BTreeSet, HashSet};

use super::step::Reader;
use super::terrain::{Place, Terrain};
use super::walk::Standing;
use crate::access::Right;
use crate::access::actor::{Memberships, direct_groups};
use crate::directory::modification::{Modification, ModificationKind};
use crate::directory::tree::{EntryId, TreeError};
use crate::directory::{AttributeDescription, AttributeTypeId, Dn};

/// A membership that ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Leaving {
    /// Theirs, in that group.
    Own(EntryId),
    /// That of a group in which they are, the second, in another.
    Nested(EntryId, EntryId),
}

impl Terrain<'_> {
    /// The groups to which a rule denies something.
    pub(super) fn denied(&self) -> Result<HashSet<EntryId>, TreeError> {
        let denials = self.rules.iter().filter(|rule| rule.is_denial() && !rule.is_over(self.now));
        let mut found = HashSet::new();
        for who in denials.flat_map(|rule| &rule.who) {
            if let Some(group) = who.body() {
                found.extend(self.tree.find(group)?.entry());
            }
        }
        Ok(found)
    }

    /// The groups that somebody is in by these, and by the groups that these are in, but for memberships that have ended.
    pub(super) fn memberships(&self, standing: &Standing) -> Result<Memberships, TreeError> {
        let mut found = Memberships::default();
        let mut pending: Vec<EntryId> = standing.direct.iter().copied().collect();
        let known = self.tree.schema().known();
        while let Some(id) = pending.pop() {
            let Some(Place { node, dn: name }) = self.place(id)? else { continue };
            let is_theirs = standing.direct.contains(&id);
            let is_role = is_theirs && (node.entry.has(known.role_occupant) || self.is_role(&name));
            if is_role {
                found.roles.insert(id);
            }
            // Who has a role is not in the groups that it is in. Anything else is a group when they are its first member.
            let is_group =
                (is_theirs && !is_role) || node.entry.has(known.member) || node.entry.has(known.unique_member);
            if !is_group || !found.groups.insert(id) {
                continue;
            }
            let above = direct_groups(&name, self.tree)?;
            pending.extend(above.into_iter().filter(|above| !standing.cut.contains(&(*above, id))));
            found.names.push(name);
        }
        Ok(found)
    }

    /// The memberships without which somebody would be in fewer of the groups to which something is denied.
    pub(super) fn bonds(&self, standing: &Standing, memberships: &Memberships) -> Result<BTreeSet<Leaving>, TreeError> {
        let mut bonds = BTreeSet::new();
        let groups = &memberships.groups;
        if self.denied.is_disjoint(groups) {
            return Ok(bonds);
        }
        let leads_on = |id: EntryId| {
            let only = Standing { direct: [id].into(), cut: standing.cut.clone() };
            Ok::<_, TreeError>(!self.memberships(&only)?.groups.is_disjoint(&self.denied))
        };
        for id in &standing.direct {
            if leads_on(*id)? {
                bonds.insert(Leaving::Own(*id));
            }
        }
        for id in groups {
            let Some(name) = self.tree.dn(*id)? else { continue };
            for above in direct_groups(&name, self.tree)? {
                if groups.contains(&above) && !standing.cut.contains(&(above, *id)) && leads_on(above)? {
                    bonds.insert(Leaving::Nested(above, *id));
                }
            }
        }
        Ok(bonds)
    }
}

impl Reader<'_> {
    /// How they end a membership.
    pub(super) fn leave(&mut self, leaving: Leaving) -> Result<Vec<Vec<String>>, TreeError> {
        let tree = self.terrain.tree;
        let (group, member, what) = match leaving {
            Leaving::Own(group) => (group, self.actor.identity.dn().cloned(), "themselves".to_owned()),
            Leaving::Nested(group, member) => {
                let name = tree.dn(member)?;
                let what = name.as_ref().map(ToString::to_string).unwrap_or_default();
                (group, name, what)
            }
        };
        let (Some(place), Some(member)) = (self.terrain.place(group)?, member) else { return Ok(Vec::new()) };
        let mut find = |reader: &mut Self| {
            let Some(attribute) = reader.may_take_out(&member, &place)? else { return Ok(Vec::new()) };
            let rule = reader.rule(Right::Write, Some(attribute), &place)?;
            Ok(vec![format!("may take {what} out of {}, by which something is denied to them, by {rule}", place.dn)])
        };
        let found = self.find_by_bending(&place, &mut find)?;
        Ok(found.into_iter().take(1).map(|(before, step)| [before, vec![step]].concat()).collect())
    }

    fn may_take_out(&mut self, member: &Dn, group: &Place) -> Result<Option<AttributeTypeId>, TreeError> {
        let schema = self.terrain.tree.schema();
        let known = schema.known();
        let decision = self.decide(group)?;
        Ok([known.member, known.unique_member].into_iter().find(|attribute| {
            let change = Modification {
                kind: ModificationKind::Delete,
                attribute: AttributeDescription::plain(*attribute),
                values: vec![member.as_str().as_bytes().to_vec()],
            };
            group.node.entry.has(*attribute) && decision.may_write(&change, &group.node.entry, self.actor, schema)
        }))
    }
}
