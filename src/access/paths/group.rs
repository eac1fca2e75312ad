//! Groups that rules name and that are not there: whoever makes one is in it.

use super::step::{Reader, shown};
use super::terrain::Place;
use crate::access::actor::Memberships;
use crate::access::rule::Rule;
use crate::access::{Right, escalation};
use crate::directory::schema::Schema;
use crate::directory::tree::{Node, TreeError};
use crate::directory::{Attribute, AttributeDescription, Attributes, Dn, Entry};

use uuid::Uuid;

impl Reader<'_> {
    /// How they come to be in a group that is not there: by adding it, or by renaming one that they are in or may join.
    pub(super) fn make(&mut self, group: &Dn, memberships: &Memberships) -> Result<Option<String>, TreeError> {
        if self.actor.identity.dn().is_none() || self.exceeds_by_name(group)? {
            return Ok(None);
        }
        let entry =
            written(&["top", "groupOfNames", "groupOfUniqueNames", "organizationalRole"], self.terrain.tree.schema());
        if self.may_add_some(group, &entry)? {
            let rule = self.rule_for_new(Right::Add, None, group, &entry)?;
            return Ok(Some(format!("may add the group {group}, which rules name and which is not there, by {rule}")));
        }
        for place in &self.terrain.groups {
            if self.may_rename(place, group)? {
                let is_in = memberships.groups.contains(&place.node.id) || self.join(place)?.is_some();
                if is_in {
                    let rule = self.rule(Right::Rename, None, place)?;
                    return Ok(Some(format!(
                        "may rename {} to {group}, which rules name and which is not there, by {rule}",
                        place.dn
                    )));
                }
            }
        }
        Ok(None)
    }

    /// Whether the name holds more than they do already, or members of a group of that name would, so that they may not take
    /// it.
    fn exceeds_by_name(&self, dn: &Dn) -> Result<bool, TreeError> {
        Ok(escalation::opens(dn, self.actor, self.rules).is_some()
            || escalation::exceeds(Uuid::nil(), dn, self.actor, self.rules, self.terrain.tree)?.is_some())
    }

    /// Whether they may give an entry that name, of the same kind as its own.
    fn may_rename(&mut self, place: &Place, to: &Dn) -> Result<bool, TreeError> {
        let Place { node, dn } = place;
        if !self.decider.decide(node, self.terrain.tree)?.allows(Right::Rename) {
            return Ok(false);
        }
        Ok(dn.parent() == to.parent() || self.may_move(node, to)?)
    }

    fn may_move(&mut self, node: &Node, to: &Dn) -> Result<bool, TreeError> {
        Ok(self.decider.decide_new(to, &node.entry)?.allows(Right::Add))
    }

    /// The rule by which they may do something to an entry that is not there.
    pub(super) fn rule_for_new(
        &self,
        right: Right,
        attribute: Option<crate::directory::AttributeTypeId>,
        dn: &Dn,
        entry: &Entry,
    ) -> Result<String, TreeError> {
        let grants = |rule: &&Rule| rule.allow.has(right) && attribute.is_none_or(|id| rule.attributes.contains(id));
        let applying = self.decider.applying_new(dn, entry)?;
        let mut rules = applying.into_iter().filter_map(|position| self.rules.get(position));
        Ok(rules.find(grants).map(shown).unwrap_or_default())
    }
}

/// An entry of these classes of which nothing else is known.
pub(super) fn written(classes: &[&str], schema: &Schema) -> Entry {
    let mut attributes = Attributes::new();
    attributes.push(Attribute {
        description: AttributeDescription::plain(schema.known().object_class),
        values: classes.iter().map(|class| class.as_bytes().to_vec()).collect(),
    });
    Entry::encode(&attributes, schema)
}
