//! A directory as it would be after some changes that are not made.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use uuid::Uuid;

use crate::directory::filter::Matcher;
use crate::directory::tree::{
    Change, Credentials, EntryId, Found, LoggedChange, Node, Place, Plan, PlanBudget, Tree, TreeError, Version, Write,
};
use crate::directory::{AttributeTypeId, Attributes, Csn, Dn, Entry, Schema};
use crate::store::View;

/// A view, but for a few entries.
pub(super) struct Supposed<'v> {
    view: &'v Arc<View>,
    /// What is otherwise, or not there any more.
    otherwise: BTreeMap<EntryId, Option<(Node, Arc<Dn>)>>,
}

impl<'v> Supposed<'v> {
    pub(super) const fn of(view: &'v Arc<View>) -> Self {
        Self { view, otherwise: BTreeMap::new() }
    }

    /// The entries that are otherwise.
    pub(super) fn changed(&self) -> impl Iterator<Item = (&Node, &Arc<Dn>)> {
        self.otherwise.values().flatten().map(|(node, dn)| (node, dn))
    }

    /// Supposes that a change was made. Entries are added, replaced and removed; nothing else happens to a policy.
    pub(super) fn suppose(&mut self, change: Change) -> Result<(), TreeError> {
        let unlikely = || TreeError::new("supposing a change", "this is more than a change of policies");
        for write in change.writes {
            match write {
                Write::Insert { uuid, place: Place::Below { parent, rdn, key }, entry, credentials: None } => {
                    let parent = self.find_uuid(parent)?.ok_or_else(unlikely)?;
                    let above = self.dn(parent)?.ok_or_else(unlikely)?;
                    let dn = Arc::new(Dn::child(&above, &rdn, &key));
                    let id = self.free_id();
                    let node = Node { id, uuid, parent: Some(parent), version: 0, rdn: rdn.into(), entry };
                    self.otherwise.insert(id, Some((node, dn)));
                }
                Write::Replace { uuid, entry, .. } => {
                    let id = self.find_uuid(uuid)?.ok_or_else(unlikely)?;
                    self.replace(id, entry)?;
                }
                Write::Remove { uuid, .. } => {
                    let id = self.find_uuid(uuid)?.ok_or_else(unlikely)?;
                    self.otherwise.insert(id, None);
                }
                Write::Insert { .. } | Write::Move { .. } | Write::SetCredentials { .. } | Write::SetSchema(_) => {
                    return Err(unlikely());
                }
            }
        }
        Ok(())
    }

    /// Supposes that an attribute was not there in all that is otherwise.
    pub(super) fn suppose_without(&mut self, attribute: AttributeTypeId) {
        let schema = Arc::clone(self.view.schema());
        for (node, _) in self.otherwise.values_mut().flatten() {
            let mut attributes: Attributes = node.entry.decode();
            attributes.remove(attribute);
            node.entry = Entry::encode(&attributes, &schema);
        }
    }

    fn replace(&mut self, id: EntryId, entry: Entry) -> Result<(), TreeError> {
        if let (Some(node), Some(dn)) = (self.node(id)?, self.dn(id)?) {
            self.otherwise.insert(id, Some((Node { entry, ..node }, dn)));
        }
        Ok(())
    }

    /// No entry of the view has so high a number.
    fn free_id(&self) -> EntryId {
        EntryId(u32::MAX - u32::try_from(self.otherwise.len()).unwrap_or(0))
    }

    fn is_here(&self, found: Option<EntryId>) -> Option<EntryId> {
        found.filter(|id| !matches!(self.otherwise.get(id), Some(None)))
    }
}

impl Tree for Supposed<'_> {
    fn schema(&self) -> &Arc<Schema> {
        self.view.schema()
    }

    fn suffixes(&self) -> &[Dn] {
        Tree::suffixes(self.view)
    }

    fn find(&self, dn: &Dn) -> Result<Found, TreeError> {
        if let Some((node, _)) = self.changed().find(|(_, own)| ***own == *dn) {
            return Ok(Found::Entry(node.id));
        }
        Ok(match self.view.find(dn)? {
            Found::Entry(id) if self.is_here(Some(id)).is_none() => Found::Missing(self.view.parent(id)?),
            found => found,
        })
    }

    fn node(&self, id: EntryId) -> Result<Option<Node>, TreeError> {
        match self.otherwise.get(&id) {
            Some(otherwise) => Ok(otherwise.as_ref().map(|(node, _)| node.clone())),
            None => self.view.node(id),
        }
    }

    /// As the view has them: nobody goes through all entries of what is supposed.
    fn nodes_after(&self, after: Option<EntryId>, limit: usize) -> Result<Vec<Node>, TreeError> {
        self.view.nodes_after(after, limit)
    }

    fn find_uuid(&self, uuid: Uuid) -> Result<Option<EntryId>, TreeError> {
        match self.changed().find(|(node, _)| node.uuid == uuid) {
            Some((node, _)) => Ok(Some(node.id)),
            None => Ok(self.is_here(self.view.find_uuid(uuid)?)),
        }
    }

    fn dn(&self, id: EntryId) -> Result<Option<Arc<Dn>>, TreeError> {
        match self.otherwise.get(&id) {
            Some(otherwise) => Ok(otherwise.as_ref().map(|(_, dn)| Arc::clone(dn))),
            None => self.view.dn(id),
        }
    }

    fn parent(&self, id: EntryId) -> Result<Option<EntryId>, TreeError> {
        Ok(self.node(id)?.and_then(|node| node.parent))
    }

    fn children(&self, id: EntryId, after: Option<EntryId>, limit: usize) -> Result<Vec<EntryId>, TreeError> {
        self.view.children(id, after, limit)
    }

    fn credentials(&self, id: EntryId) -> Result<Option<Credentials>, TreeError> {
        self.view.credentials(id)
    }

    fn equal(&self, attribute_type: AttributeTypeId, normal: &[u8]) -> Result<Vec<EntryId>, TreeError> {
        let form = self.schema().attribute_type(attribute_type).equality_or_fallback().normal_form();
        let has =
            |node: &Node| node.entry.values(attribute_type).any(|value| form.matches(self.schema(), value, normal));
        let mut found = self.view.equal(attribute_type, normal)?;
        found.retain(|id| !self.otherwise.contains_key(id));
        found.extend(self.changed().filter(|(node, _)| has(node)).map(|(node, _)| node.id));
        found.sort_unstable();
        Ok(found)
    }

    fn plan(&self, _: &Matcher, _: PlanBudget) -> Result<Plan, TreeError> {
        Ok(Plan::every_entry("every entry"))
    }

    fn changes_after(&self, after: u64, limit: usize) -> Result<Vec<LoggedChange>, TreeError> {
        self.view.changes_after(after, limit)
    }

    fn change_numbers(&self) -> Result<Option<RangeInclusive<u64>>, TreeError> {
        self.view.change_numbers()
    }

    fn csn(&self) -> Csn {
        self.view.csn()
    }

    fn version(&self) -> Version {
        self.view.version()
    }

    fn membership_version(&self) -> Version {
        self.view.membership_version()
    }

    fn policies_version(&self) -> Version {
        self.view.policies_version()
    }
}
