//! Attributes that no entry stores, because they follow from others: what an entry is called, which groups it is in,
//! what stands below it, and how its password stands.

mod collective;
mod dynamic;
mod groups;
mod nested;
mod policy;

use crate::access::Decider;
use crate::directory::filter::Steps;
use crate::directory::schema::AttributeSet;
use crate::directory::tree::{EntryId, Node};
use crate::directory::{AttributeTypeId, Attributes, Dn, Entry, Schema};
use crate::password::Account;

use super::root_dse::SUBSCHEMA;
use super::selection::Selection;
use super::{Context, Refusal};

pub(super) use dynamic::DynamicGroup;
pub(super) use groups::Groups;

/// The steps that it may take to derive the attributes of one entry.
const STEPS_FOR_ONE: u64 = 4_000_000;

/// Which derived attributes a search needs, to test its filter or to return them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Derived {
    types: AttributeSet,
    /// The members of groups, which are derived where a search finds them.
    members: bool,
    /// What entries share, which they take from subentries.
    shared: bool,
}

impl Derived {
    pub(super) fn needed(selection: &Selection, mentioned: &AttributeSet, schema: &Schema) -> Self {
        let known = schema.known();
        // Nobody is told a secret, so nobody needs one.
        let mut types = selection.wanted_of(schema.beside_entries());
        // To count costs a look at each, so `+` alone does not ask for it.
        if !selection.names(known.num_subordinates) {
            types.remove(known.num_subordinates);
        }
        if mentioned.intersects(schema.beside_entries()) {
            let mut mentioned = mentioned.clone();
            mentioned.intersect(schema.beside_entries());
            types.union(&mentioned);
        }
        let wanted = |id: AttributeTypeId| selection.wants(id) || mentioned.contains(id);
        let collective = schema.collective();
        let shared = wanted(known.collective_attribute_subentries)
            || mentioned.intersects(collective)
            || !selection.wanted_of(collective).is_empty();
        Self { types, members: wanted(known.member), shared }
    }

    /// Whether nothing has to be derived for an entry.
    pub(super) fn is_nothing_of(&self, node: &Node, schema: &Schema) -> bool {
        self.types.is_empty() && !self.shared && !self.expands(node, schema)
    }

    /// Whether what entries share is needed.
    pub(super) const fn needs_shared(&self) -> bool {
        self.shared
    }

    /// Leaves out what entries share, where none do.
    pub(super) const fn without_shared(&mut self) {
        self.shared = false;
    }

    /// Whether the members of a group are to be found by its searches.
    fn expands(&self, node: &Node, schema: &Schema) -> bool {
        let known = schema.known();
        self.members && node.entry.has(known.member_url) && !node.entry.has(known.member)
    }

    fn any_of(&self, ids: &[AttributeTypeId]) -> bool {
        ids.iter().any(|id| self.types.contains(*id))
    }
}

/// What entries are derived from, besides themselves: kept from one to the next.
pub(super) struct Sources<'s, 'd> {
    pub(super) decider: &'s mut Decider<'d>,
    pub(super) groups: &'s mut Groups,
    /// What it may cost.
    pub(super) steps: &'s mut Steps,
}

/// What it costs to look at an entry below another; compare [`Steps`].
const CHILD: u64 = 4;
/// So many of the entries below one are looked at in one go to find one that may be known of.
const SOME: usize = 1_000;

impl Context<'_> {
    /// The derived attributes of an entry.
    pub(super) fn derived(&self, node: &Node, dn: &Dn, needed: &Derived) -> Result<Entry, Refusal> {
        let (mut decider, mut groups, mut steps) = (self.decider(), Groups::default(), Steps::new(STEPS_FOR_ONE));
        let mut sources = Sources { decider: &mut decider, groups: &mut groups, steps: &mut steps };
        let derived = self.derived_from(node, dn, needed, &mut sources)?;
        derived.ok_or(Refusal::AdminLimit("this takes more work than this server does for one entry"))
    }

    /// The derived attributes of an entry; `None` if that takes too many steps.
    pub(super) fn derived_from(
        &self,
        node: &Node,
        dn: &Dn,
        needed: &Derived,
        sources: &mut Sources<'_, '_>,
    ) -> Result<Option<Entry>, Refusal> {
        let known = self.schema().known();
        let mut attributes = Attributes::new();
        if needed.any_of(&[known.entry_dn, known.subschema_subentry]) {
            attributes.set_one(known.entry_dn, dn.as_str());
            attributes.set_one(known.subschema_subentry, SUBSCHEMA);
        }
        if needed.any_of(&[known.member_of, known.is_member_of]) {
            let Some(names) = self.groups_of(node, dn, sources)? else { return Ok(None) };
            let names: Vec<Vec<u8>> = names.iter().map(|name| name.as_str().as_bytes().to_vec()).collect();
            attributes.set(known.member_of, names.clone());
            attributes.set(known.is_member_of, names);
        }
        if needed.expands(node, self.schema())
            && let Some(group) = DynamicGroup::read(self, node)?
        {
            let Some(names) = group.members(self, sources.decider, sources.steps)? else { return Ok(None) };
            attributes.set(known.member, names.iter().map(|name| name.as_str().as_bytes().to_vec()).collect());
        }
        if needed.shared {
            self.add_shared(node, dn, (sources.groups, sources.decider), &mut attributes)?;
        }
        if needed.any_of(&[known.has_subordinates]) {
            let Some(has) = self.has_visible_children(node.id, sources)? else { return Ok(None) };
            attributes.set_one(known.has_subordinates, if has { "TRUE" } else { "FALSE" });
        }
        if needed.any_of(&[known.num_subordinates]) {
            let children = self.tree.children(node.id, None, usize::MAX)?;
            if sources.steps.take(CHILD.saturating_mul(children.len() as u64)).is_none() {
                return Ok(None);
            }
            let count = self.visible_among(&children, sources)?;
            attributes.set_one(known.num_subordinates, count.to_string());
        }
        if needed.any_of(&[known.pwd_effective_policy]) {
            let Some(told) = self.effective_policy(node, dn, sources)? else { return Ok(None) };
            attributes.set(known.pwd_effective_policy, told);
        }
        if needed.any_of(&known.credentials()) {
            let public = self.account(node)?.to_public_entry(self.schema());
            public.attributes().for_each(|attribute| attributes.push(attribute.decode()));
        }
        Ok(Some(Entry::encode(&attributes, self.schema())))
    }

    /// Whether the requester may know of an entry below one; `None` if to find one takes too many steps. Mostly the first
    /// is one.
    fn has_visible_children(&self, id: EntryId, sources: &mut Sources<'_, '_>) -> Result<Option<bool>, Refusal> {
        let some = self.tree.some_children(id, 1)?;
        if some.is_empty() || self.visible_among(&some, sources)? > 0 {
            return Ok(Some(!some.is_empty()));
        }
        let mut after = None;
        loop {
            let children = self.tree.children(id, after, SOME)?;
            let Some(last) = children.last() else { return Ok(Some(false)) };
            after = Some(*last);
            if sources.steps.take(CHILD.saturating_mul(children.len() as u64)).is_none() {
                return Ok(None);
            }
            if self.visible_among(&children, sources)? > 0 {
                return Ok(Some(true));
            }
        }
    }

    /// How many of these entries the requester may know of.
    fn visible_among(&self, ids: &[EntryId], sources: &mut Sources<'_, '_>) -> Result<usize, Refusal> {
        let mut count = 0;
        for id in ids {
            let Some(node) = self.tree.node(*id)? else { continue };
            count += usize::from(sources.decider.decide(&node, self.tree)?.is_visible());
        }
        Ok(count)
    }

    /// The password of an entry and its state, as it is now.
    pub(super) fn account(&self, node: &Node) -> Result<Account, Refusal> {
        let credentials = self.tree.credentials(node.id)?;
        let mut account = Account::read(credentials.as_ref(), self.schema());
        self.services.meter.overlay(node.uuid, &mut account);
        Ok(account)
    }

    /// Whether an entry has a password.
    pub(super) fn has_password(&self, node: &Node) -> Result<bool, Refusal> {
        let password = self.schema().known().user_password;
        Ok(self.tree.credentials(node.id)?.is_some_and(|credentials| credentials.entry.has(password)))
    }
}
