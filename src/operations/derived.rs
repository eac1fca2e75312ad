//! Attributes that no entry stores, because they follow from others: what an entry is called, which groups it is in,
//! what stands below it, and how its password stands.

use crate::access::actor::direct_groups;
use crate::directory::schema::{AttributeSet, WellKnown};
use crate::directory::tree::{Node, Tree};
use crate::directory::{AttributeTypeId, Attributes, Dn, Entry, Schema};
use crate::password::{Account, account};

use super::root_dse::SUBSCHEMA;
use super::selection::Selection;
use super::{Context, Refusal};

/// Which derived attributes a search needs, to test its filter or to return them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Derived(AttributeSet);

impl Derived {
    pub(super) fn needed(selection: &Selection, mentioned: &AttributeSet, schema: &Schema) -> Self {
        let known = schema.known();
        let wanted = |id: &AttributeTypeId| {
            // To count costs a look at each, so `+` alone does not ask for it.
            let selected = if *id == known.num_subordinates { selection.names(*id) } else { selection.wants(*id) };
            selected || mentioned.contains(*id)
        };
        let all = [
            known.entry_dn,
            known.subschema_subentry,
            known.member_of,
            known.is_member_of,
            known.has_subordinates,
            known.num_subordinates,
        ];
        // Nobody is told a secret, so nobody needs one.
        let state = account::attributes(known).into_iter().filter(|id| !schema.secret().contains(*id));
        Self(all.into_iter().chain(state).filter(wanted).collect())
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.0.is_empty()
    }

    fn any_of(&self, ids: &[AttributeTypeId]) -> bool {
        ids.iter().any(|id| self.0.contains(*id))
    }
}

impl Context<'_> {
    /// The derived attributes of an entry.
    pub(super) fn derived(&self, node: &Node, dn: &Dn, needed: &Derived) -> Result<Entry, Refusal> {
        let known = self.schema().known();
        let mut attributes = Attributes::new();
        if needed.any_of(&[known.entry_dn, known.subschema_subentry]) {
            attributes.set_one(known.entry_dn, dn.as_str());
            attributes.set_one(known.subschema_subentry, SUBSCHEMA);
        }
        if needed.any_of(&[known.member_of, known.is_member_of]) {
            put_groups(&mut attributes, dn, known, self.tree)?;
        }
        if needed.any_of(&[known.has_subordinates]) {
            let has = if self.tree.has_children(node.id)? { "TRUE" } else { "FALSE" };
            attributes.set_one(known.has_subordinates, has);
        }
        if needed.any_of(&[known.num_subordinates]) {
            let count = self.tree.children(node.id, None, usize::MAX)?.len();
            attributes.set_one(known.num_subordinates, count.to_string());
        }
        if needed.any_of(&account::attributes(known)) {
            let public = self.account(node)?.to_public_entry(self.schema());
            public.attributes().for_each(|attribute| attributes.push(attribute.decode()));
        }
        Ok(Entry::encode(&attributes, self.schema()))
    }

    /// The password of an entry and its state, as it is now.
    pub(super) fn account(&self, node: &Node) -> Result<Account, Refusal> {
        let credentials = self.tree.credentials(node.id)?;
        let mut account = Account::read(credentials.as_ref(), self.schema());
        self.services.meter.overlay(node.uuid, &mut account);
        Ok(account)
    }
}

fn put_groups(attributes: &mut Attributes, dn: &Dn, known: &WellKnown, tree: &dyn Tree) -> Result<(), Refusal> {
    let mut names = Vec::new();
    for group in direct_groups(dn, tree)? {
        names.extend(tree.dn(group)?.map(|dn| dn.as_str().as_bytes().to_vec()));
    }
    names.dedup();
    attributes.set(known.member_of, names.clone());
    attributes.set(known.is_member_of, names);
    Ok(())
}
