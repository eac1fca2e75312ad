//! What there is to gain on the way to becoming an administrator, and who could set out.

use std::collections::HashSet;
use std::sync::Arc;

use super::Inquiry;
use super::policy::Policy;
use crate::access::actor::{Memberships, direct_groups, is_one_of, memberships_of};
use crate::access::explain::{entry_called, members, occupants};
use crate::access::rule::Rules;
use crate::access::who::Who;
use crate::directory::tree::{EntryId, Found, Node, Tree, TreeError};
use crate::directory::{AttributeTypeId, Dn, Identity, Schema, Timestamp};

/// What there is to gain.
pub(super) struct Terrain<'a> {
    pub(super) rules: &'a Rules,
    pub(super) now: Timestamp,
    pub(super) most: usize,
    pub(super) tree: &'a dyn Tree,
    pub(super) inquiry: &'a Inquiry<'a>,
    /// Groups that rules name or that are in one of these, whether they have members or not.
    pub(super) groups: Vec<Place>,
    /// People in them, and those whom rules or these entries name.
    pub(super) people: Vec<Place>,
    /// What each of the people is, in the same order.
    pub(super) classes: Vec<Class>,
    /// Password policies.
    pub(super) policies: Vec<Policy>,
    /// The groups to which a rule denies something.
    pub(super) denied: HashSet<EntryId>,
    /// The groups and people that are administrators.
    pub(super) administrators: HashSet<EntryId>,
    /// Those of these who are administrators by their name or a role, and not by a group: to be a member of theirs is nothing.
    by_name: HashSet<EntryId>,
    /// The entries that rules take for groups, whatever they are.
    named: HashSet<EntryId>,
    /// Groups that rules name and that are not there.
    pub(super) missing: Vec<Missing>,
    /// How many entries that matter are not among these.
    pub(super) unseen: usize,
    /// The attributes by which rules apply.
    pub(super) holding: Vec<AttributeTypeId>,
}

/// An entry that matters.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) node: Node,
    pub(super) dn: Arc<Dn>,
}

/// What makes people alike: the groups that they are in, the names below which they stand that rules name, and who they are,
/// if that matters.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Class {
    pub(super) groups: Vec<EntryId>,
    pub(super) below: Vec<bool>,
    pub(super) alone: Option<EntryId>,
}

/// A group that is not there.
pub(super) struct Missing {
    pub(super) dn: Dn,
    pub(super) administers: bool,
}

impl<'a> Terrain<'a> {
    pub(super) fn survey(inquiry: &'a Inquiry<'a>, most: usize, tree: &'a dyn Tree) -> Result<Self, TreeError> {
        let Inquiry { rules, administrators, by_name, now, .. } = *inquiry;
        let mut terrain = Self {
            rules,
            now,
            most,
            tree,
            inquiry,
            groups: Vec::new(),
            people: Vec::new(),
            classes: Vec::new(),
            policies: Vec::new(),
            denied: HashSet::new(),
            administrators: HashSet::new(),
            by_name: HashSet::new(),
            named: HashSet::new(),
            missing: Vec::new(),
            unseen: 0,
            holding: Vec::new(),
        };
        let mut ids = HashSet::new();
        for group in administrators {
            let top = tree.find(group)?.entry();
            terrain.named.extend(top);
            terrain.administrators.extend(top);
            terrain.administrators.extend(members(group, tree)?);
        }
        for role in administrators {
            let found = occupants(role, tree)?;
            terrain.by_name.extend(found.difference(&terrain.administrators));
        }
        for name in by_name {
            let one = tree.find(name)?.entry().filter(|id| !terrain.administrators.contains(id));
            terrain.by_name.extend(one);
        }
        terrain.administrators.extend(terrain.by_name.iter().copied());
        ids.extend(terrain.administrators.iter().copied());
        for who in rules.iter().filter(|rule| !rule.is_over(now)).flat_map(|rule| &rule.who) {
            match who {
                Who::Group(group) => match tree.find(group)?.entry() {
                    Some(id) => {
                        terrain.named.insert(id);
                        ids.insert(id);
                        ids.extend(members(group, tree)?);
                    }
                    None => terrain.add_missing(group, administrators),
                },
                Who::Role(role) => match tree.find(role)?.entry() {
                    Some(id) => {
                        terrain.named.insert(id);
                        ids.insert(id);
                        ids.extend(occupants(role, tree)?);
                    }
                    None => terrain.add_missing(role, administrators),
                },
                Who::Entry(dn) => ids.extend(tree.find(dn)?.entry()),
                Who::HeldIn(attribute) if !terrain.holding.contains(attribute) => terrain.holding.push(*attribute),
                _ => {}
            }
        }
        terrain.denied = terrain.denied()?;
        terrain.add_places(ids)?;
        terrain.add_holders()?;
        terrain.policies = Policy::find_all(tree)?;
        terrain.classes = terrain.people.iter().map(|person| terrain.class(person)).collect::<Result<_, _>>()?;
        Ok(terrain)
    }

    pub(super) fn add_missing(&mut self, group: &Dn, administrators: &[Dn]) {
        if self.missing.iter().all(|known| known.dn != *group) {
            self.missing.push(Missing { dn: group.clone(), administers: administrators.contains(group) });
        }
    }

    /// Administrators come first: if there are too many entries, they are among those that are looked at.
    pub(super) fn add_places(&mut self, ids: HashSet<EntryId>) -> Result<(), TreeError> {
        let schema = self.tree.schema();
        let password = schema.known().user_password;
        let mut ids: Vec<EntryId> = ids.into_iter().collect();
        ids.sort_unstable_by_key(|id| (!self.administrators.contains(id), *id));
        let room = self.most.saturating_sub(self.groups.len() + self.people.len());
        self.unseen += ids.len().saturating_sub(room);
        for id in ids.into_iter().take(room) {
            let Some(place) = self.place(id)? else { continue };
            let is_group = self.is_group(&place);
            // Of a class that allows everything, an entry may be both.
            if !is_group || schema.allows(&place.node.entry, password) {
                self.people.push(place.clone());
            }
            if is_group {
                self.groups.push(place);
            }
        }
        Ok(())
    }

    /// Whether an entry is a group: has members, may have some, or is taken for one by a rule.
    pub(super) fn is_group(&self, place: &Place) -> bool {
        let schema = self.tree.schema();
        let mut holding = [schema.known().member, schema.known().unique_member].into_iter();
        has_members(place, schema)
            || self.named.contains(&place.node.id)
            || holding.any(|attribute| schema.allows(&place.node.entry, attribute))
    }

    /// Whether administrators are its members, or it is one by its name.
    pub(super) fn is_named(&self, place: &Place) -> bool {
        self.named.contains(&place.node.id) || self.by_name.contains(&place.node.id)
    }

    pub(super) fn class(&self, person: &Place) -> Result<Class, TreeError> {
        let mut groups: Vec<EntryId> = memberships_of(&person.dn, self.tree)?.groups.into_iter().collect();
        groups.sort_unstable();
        let whos = || self.rules.iter().flat_map(|rule| &rule.who);
        let below = |who: &Who| match who {
            Who::Below(base) => Some(*person.dn != *base && person.dn.is_within(base)),
            _ => None,
        };
        let is_named = whos().any(|who| matches!(who, Who::Entry(dn) if *dn == *person.dn));
        let identity = Identity::Entry { uuid: person.node.uuid, dn: Arc::clone(&person.dn) };
        for role in whos().filter(|who| matches!(who, Who::Role(_))) {
            if is_one_of(std::slice::from_ref(role), &identity, &Memberships::default(), self.tree)? {
                groups.extend(role.body().map(|role| self.tree.find(role)).transpose()?.and_then(Found::entry));
            }
        }
        groups.sort_unstable();
        groups.dedup();
        let matters = is_named || self.is_held(person)?;
        Ok(Class { groups, below: whos().filter_map(below).collect(), alone: matters.then_some(person.node.id) })
    }

    /// Those whom groups and people that matter name in an attribute by which rules apply.
    pub(super) fn add_holders(&mut self) -> Result<(), TreeError> {
        let mut ids = HashSet::new();
        for place in self.groups.iter().chain(&self.people) {
            for value in self.holding.iter().flat_map(|attribute| place.node.entry.values(*attribute)) {
                ids.extend(entry_called(value, self.tree)?);
            }
        }
        for place in self.groups.iter().chain(&self.people) {
            ids.remove(&place.node.id);
        }
        self.add_places(ids)
    }

    pub(super) fn place(&self, id: EntryId) -> Result<Option<Place>, TreeError> {
        Ok(self.tree.node(id)?.zip(self.tree.dn(id)?).map(|(node, dn)| Place { node, dn }))
    }

    /// Whether rules name it as a role, though nobody has it yet.
    pub(super) fn is_role(&self, dn: &Dn) -> bool {
        let mut whos = self.rules.iter().flat_map(|rule| &rule.who);
        whos.any(|who| matches!(who, Who::Role(role) if role == dn))
    }

    pub(super) fn is_administrator(&self, place: &Place) -> bool {
        self.administrators.contains(&place.node.id)
    }

    /// Whether members of an entry are administrators.
    pub(super) fn makes_administrators(&self, place: &Place) -> bool {
        self.is_administrator(place) && !self.by_name.contains(&place.node.id)
    }

    /// Whether a person, made a group, would pass something on to members.
    pub(super) fn passes_on(&self, person: &Place, class: &Class) -> Result<bool, TreeError> {
        Ok(!direct_groups(&person.dn, self.tree)?.is_empty() || (class.alone.is_some() && self.is_held(person)?))
    }

    pub(super) fn is_held(&self, person: &Place) -> Result<bool, TreeError> {
        for attribute in &self.holding {
            if !self.tree.equal(*attribute, person.dn.key())?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether a group has members, or somebody a role.
pub(super) fn has_members(place: &Place, schema: &Schema) -> bool {
    let known = schema.known();
    [known.member, known.unique_member, known.role_occupant].iter().any(|attribute| place.node.entry.has(*attribute))
}
