//! The read entry controls (RFC 4527): the target of a change as it was just before, and as it is just after.
//!
//! Both are taken from the plan: a change is made only if the entry is still what was read, and then it becomes what was
//! planned. All that a plan cannot know is the change sequence number, which the commit puts into its place, there and
//! here.

use bytes::Bytes;

use crate::access::Decision;
use crate::directory::schema::AttributeSet;
use crate::directory::tree::{Change, EntryId, Node, Place, Write};
use crate::directory::{AttributeTypeId, Attributes, Csn, Dn, Entry, Rdn};
use crate::password::Account;
use crate::protocol::control::{ResponseControl, read_entry_response};
use crate::protocol::oid;

use super::derived::Derived;
use super::selection::Selection;
use super::{Context, Refusal};

/// A copy of an entry that a change will have made.
#[derive(Clone, Debug)]
pub struct PostRead {
    dn: String,
    attributes: Entry,
    /// What the commit writes in the entry itself, if it writes the entry.
    stamped: Option<AttributeTypeId>,
}

impl PostRead {
    /// The control of the answer, once the change has been made.
    pub fn committed(self, csn: Csn) -> ResponseControl {
        let attributes = match self.stamped {
            Some(id) => self.attributes.stamped(id, csn.to_string().as_bytes()),
            None => self.attributes,
        };
        read_entry_response(oid::POST_READ, &self.dn, &attributes)
    }
}

/// An entry that is written, and where it stands from then on.
struct Written<'c> {
    entry: &'c Entry,
    place: Option<&'c Place>,
}

impl Context<'_> {
    /// The entry of that name as it is.
    pub(super) fn read_before(&self, name: &[u8], list: &[Bytes]) -> Result<ResponseControl, Refusal> {
        let target = self.target(&self.parse_dn(name)?)?;
        let selection = Selection::read(list, self.schema());
        let attributes = self.visible_copy(&target.node, &target.dn, &target.decision, &selection)?;
        Ok(read_entry_response(oid::PRE_READ, target.dn.as_str(), &Entry::encode(&attributes, self.schema())))
    }

    /// The entry of that name as `change` makes it.
    pub(super) fn read_after(&self, name: &[u8], change: &Change, list: &[Bytes]) -> Result<PostRead, Refusal> {
        let written = change.writes.iter().find_map(written);
        let (node, dn) = self.node_after(name, written.as_ref())?;
        let decision = match written.as_ref().and_then(|written| written.place) {
            Some(_) => self.decider().decide_new(&dn, &node.entry)?,
            None => self.decider().decide(&node, self.tree)?,
        };
        let selection = Selection::read(list, self.schema());
        let mut attributes = self.visible_copy(&node, &dn, &decision, &selection)?;
        if let Some(credentials) = change.writes.iter().find_map(credentials) {
            self.replace_credentials(&mut attributes, credentials, &decision, &selection);
        }
        let stamped = written.map(|_| self.schema().known().entry_csn);
        Ok(PostRead { dn: dn.to_string(), attributes: Entry::encode(&attributes, self.schema()), stamped })
    }

    /// The entry and its name afterwards.
    fn node_after(&self, name: &[u8], written: Option<&Written<'_>>) -> Result<(Node, Dn), Refusal> {
        let asked = self.parse_dn(name)?;
        let existing = match self.tree.find(&asked)?.entry() {
            Some(id) => self.tree.node(id)?.zip(self.tree.dn(id)?),
            None => None,
        };
        let (mut node, mut dn) = match existing {
            Some((node, dn)) => (node, Dn::clone(&dn)),
            None => (unborn(), asked),
        };
        if let Some(Written { entry, place }) = written {
            node.entry = Entry::clone(entry);
            if let Some(Place::Below { parent, rdn, .. }) = place {
                let parent = self.tree.find_uuid(*parent)?.ok_or(Refusal::Busy)?;
                let above = self.tree.dn(parent)?.ok_or(Refusal::Busy)?;
                let rdn = Rdn::parse(self.schema(), rdn)?;
                node.parent = Some(parent);
                dn = Dn::child(&above, rdn.as_str(), rdn.key());
            }
        }
        Ok((node, dn))
    }

    /// What the requester may read of what was asked for.
    fn visible_copy(
        &self,
        node: &Node,
        dn: &Dn,
        decision: &Decision,
        selection: &Selection,
    ) -> Result<Attributes, Refusal> {
        let needed = Derived::needed(selection, &AttributeSet::EMPTY, self.schema());
        let derived = self.derived(node, dn, &needed)?;
        let mut copy = Attributes::new();
        for entry in [&node.entry, &derived] {
            self.copy_visible(&mut copy, entry, decision, selection);
        }
        Ok(copy)
    }

    fn copy_visible(&self, copy: &mut Attributes, entry: &Entry, decision: &Decision, selection: &Selection) {
        let visible = entry.attributes().filter(|attribute| {
            decision.read.contains(attribute.attribute_type) && selection.selects(attribute, self.schema())
        });
        visible.for_each(|attribute| copy.push(attribute.decode()));
    }

    /// Puts the state of the new password in the place of that of the old one.
    fn replace_credentials(
        &self,
        copy: &mut Attributes,
        credentials: &Entry,
        decision: &Decision,
        selection: &Selection,
    ) {
        for id in self.schema().known().credentials() {
            copy.remove(id);
        }
        let public = Account::from_entry(credentials, self.schema()).to_public_entry(self.schema());
        self.copy_visible(copy, &public, decision, selection);
    }
}

/// An entry that has no number yet, and so nothing below it and no credentials.
fn unborn() -> Node {
    let uuid = uuid::Uuid::nil();
    Node { id: EntryId(u32::MAX), uuid, parent: None, version: 0, rdn: "".into(), entry: Entry::empty() }
}

const fn written(write: &Write) -> Option<Written<'_>> {
    match write {
        Write::Insert { entry, place, .. } | Write::Move { entry, place, .. } => {
            Some(Written { entry, place: Some(place) })
        }
        Write::Replace { entry, .. } => Some(Written { entry, place: None }),
        Write::Remove { .. } | Write::SetCredentials { .. } | Write::SetSchema(_) => None,
    }
}

const fn credentials(write: &Write) -> Option<&Entry> {
    match write {
        Write::SetCredentials { credentials, .. } => Some(credentials),
        Write::Insert { credentials, .. } => credentials.as_ref(),
        Write::Replace { .. } | Write::Move { .. } | Write::Remove { .. } | Write::SetSchema(_) => None,
    }
}
