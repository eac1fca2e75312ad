//! What entries could be called, so that other rules reach them, or their filters match them.

use std::sync::Arc;

use super::step::{Reader, shown};
use super::terrain::Place;
use crate::access::rule::Rule;
use crate::access::who::Who;
use crate::access::{Right, escalation};
use crate::directory::dn::escape;
use crate::directory::filter::Matcher;
use crate::directory::schema::NormalForm;
use crate::directory::tree::{EntryId, Node, TreeError};
use crate::directory::{AttributeDescription, AttributeTypeId, Dn, Entry, Rdn};

/// So many names are tried for an entry.
const MOST_NAMES: usize = 100;
/// So many entries may stand below one that is tried with another name.
const MOST_BELOW: usize = 1_000;
/// A value that no filter is taken to ask for.
const OTHER: &str = "renamed";

impl Reader<'_> {
    /// What they can do to an entry by `find`, as it is called, or else as they may call it: what they do before, and that.
    #[expect(clippy::type_complexity, reason = "that of `find_by_bending`, told of which entry")]
    pub(super) fn find_by_renaming<T>(
        &mut self,
        place: &Place,
        find: &mut dyn FnMut(&mut Self, &Place) -> Result<Vec<T>, TreeError>,
    ) -> Result<Vec<(Vec<String>, T)>, TreeError> {
        let plain = self.find_by_bending(place, &mut |reader| find(reader, place))?;
        if !plain.is_empty() {
            return Ok(plain);
        }
        for (renamed, step) in self.renamings(place)? {
            let found = self.find_by_bending(&renamed, &mut |reader| find(reader, &renamed))?;
            if !found.is_empty() {
                let after = |(before, last): (Vec<String>, T)| ([vec![step.clone()], before].concat(), last);
                return Ok(found.into_iter().map(after).collect());
            }
        }
        Ok(plain)
    }

    /// What they may call an entry that no rule names: below where rules begin, and by what their filters ask for. Of several
    /// values that name it one is another.
    fn renamings(&mut self, place: &Place) -> Result<Vec<(Place, String)>, TreeError> {
        let Place { node, dn } = place;
        let tree = self.terrain.tree;
        let names_it =
            |who: &Who| matches!(who, Who::Group(name) | Who::Role(name) | Who::Entry(name) if *name == **dn);
        let (Some(own_parent), Some(above)) = (node.parent, dn.parent()) else { return Ok(Vec::new()) };
        if !self.decider.decide(node, tree)?.allows(Right::Rename)
            || self.rules.iter().flat_map(|rule| &rule.who).any(names_it)
            || self.terrain.is_named(place)
            || self.is_bound_to_name(place)?
        {
            return Ok(Vec::new());
        }
        let naming = self.naming_of(node);
        let mut found = Vec::new();
        for (at, (description, value)) in naming.iter().enumerate() {
            for (parent, text) in self.names_tried(&above, description, value).into_iter().take(MOST_NAMES) {
                let Some(parent_id) = tree.find(&parent)?.entry() else { continue };
                let Some(rdn) = self.rdn_with(&naming, at, &text) else { continue };
                let new = Dn::child(&parent, rdn.as_str(), rdn.key());
                let entry = with_value(node, description, (value, &text), tree.schema());
                let renamed = Place {
                    node: Node { parent: Some(parent_id), rdn: rdn.as_str().into(), entry, ..node.clone() },
                    dn: Arc::new(new),
                };
                if let Some(step) = self.rename(place, &renamed, (own_parent, parent_id))? {
                    found.push((renamed, step));
                }
            }
        }
        Ok(found)
    }

    /// The values that name an entry, one of which is another.
    fn rdn_with(&self, naming: &[(AttributeDescription, String)], at: usize, text: &str) -> Option<Rdn> {
        let schema = self.terrain.tree.schema();
        let part = |(own, (description, value)): (usize, &(AttributeDescription, String))| {
            let value = if own == at { text } else { value };
            format!("{}={}", schema.attribute_type(description.attribute_type).name(), escape(value))
        };
        let parts: Vec<String> = naming.iter().enumerate().map(part).collect();
        Rdn::parse(schema, &parts.join("+")).ok()
    }

    /// Whether all that stands below an entry may have the names that it gets then.
    fn may_carry(&self, place: &Place, new: &Dn) -> Result<bool, TreeError> {
        let tree = self.terrain.tree;
        let (mut pending, mut left) = (vec![(place.node.id, new.clone())], MOST_BELOW);
        while let Some((id, name)) = pending.pop() {
            for child in tree.children(id, None, left + 1)? {
                let (Some(node), Some(old)) = (tree.node(child)?, tree.dn(child)?) else { continue };
                let Ok(rdn) = Rdn::parse(tree.schema(), &node.rdn) else { return Ok(false) };
                let new = Dn::child(&name, rdn.as_str(), rdn.key());
                if left == 0
                    || self.is_refused(&node.entry, &old)?
                    || self.is_refused(&node.entry, &new)?
                    || escalation::closes(&old, self.actor, self.rules, tree)?.is_some()
                    || escalation::rests_on(&old, self.rules, self.terrain.now).is_some()
                    || escalation::opens(&new, self.actor, self.rules).is_some()
                    || escalation::exceeds(node.uuid, &new, self.actor, self.rules, tree)?.is_some()
                {
                    return Ok(false);
                }
                left -= 1;
                pending.push((child, new));
            }
        }
        Ok(true)
    }

    /// Whether it is refused to give an entry another name, whichever.
    fn is_bound_to_name(&self, Place { node, dn }: &Place) -> Result<bool, TreeError> {
        let tree = self.terrain.tree;
        Ok(escalation::closes(dn, self.actor, self.rules, tree)?.is_some()
            || escalation::rests_on(dn, self.rules, self.terrain.now).is_some()
            || self.is_refused(&node.entry, dn)?)
    }

    /// What names an entry; nothing if one of that is the name of another.
    fn naming_of(&self, node: &Node) -> Vec<(AttributeDescription, String)> {
        let schema = self.terrain.tree.schema();
        let Ok(rdn) = Rdn::parse(schema, &node.rdn) else { return Vec::new() };
        let read = |(description, value): &(AttributeDescription, Vec<u8>)| {
            let form = schema.attribute_type(description.attribute_type).equality_or_fallback().normal_form();
            let value = String::from_utf8(value.clone()).ok()?;
            (form != NormalForm::Dn).then(|| (description.clone(), value))
        };
        rdn.assertions().iter().map(read).collect::<Option<_>>().unwrap_or_default()
    }

    /// Places and values, of which one is new.
    fn names_tried(&self, above: &Dn, description: &AttributeDescription, value: &str) -> Vec<(Dn, String)> {
        let (mut parents, mut values) = (vec![above.clone()], vec![value.to_owned(), OTHER.to_owned()]);
        for (position, rule) in self.rules.iter().enumerate() {
            if !self.actor.may_have_rule(position) || rule.is_over(self.terrain.now) {
                continue;
            }
            if let Some(filter) = &rule.filter {
                values_asked_for(filter, description.attribute_type, &mut values);
            }
            for base in rule.to.iter().filter_map(|reach| reach.base()) {
                parents.push(base.clone());
                parents.extend(base.parent().filter(|parent| !parent.is_root()));
                let first = base.rdns().next().and_then(|(rdn, _)| Rdn::parse(self.terrain.tree.schema(), rdn).ok());
                if let Some([(_, value)]) = first.as_ref().map(Rdn::assertions) {
                    values.extend(String::from_utf8(value.clone()));
                }
            }
        }
        let mut tried: Vec<(Dn, String)> = Vec::new();
        for parent in parents {
            for text in &values {
                let one = (parent.clone(), text.clone());
                if (parent != *above || text != value) && !tried.contains(&one) {
                    tried.push(one);
                }
            }
        }
        tried
    }

    /// How they give an entry another name, if they may.
    fn rename(
        &mut self,
        place: &Place,
        renamed: &Place,
        (own_parent, parent): (EntryId, EntryId),
    ) -> Result<Option<String>, TreeError> {
        let (tree, Place { node, dn }) = (self.terrain.tree, renamed);
        let suffix = |dn: &Dn| tree.suffixes().iter().position(|suffix| dn.is_within(suffix));
        if tree.find(dn)?.entry().is_some_and(|id| id != node.id)
            || suffix(dn) != suffix(&place.dn)
            || dn.parent().is_some_and(|above| above.is_within(&place.dn))
            || self.is_refused(&node.entry, dn)?
            || escalation::opens(dn, self.actor, self.rules).is_some()
            || escalation::exceeds(node.uuid, dn, self.actor, self.rules, tree)?.is_some()
            || !self.may_carry(place, dn)?
        {
            return Ok(None);
        }
        let by = self.rule(Right::Rename, None, place)?;
        if own_parent == parent {
            return Ok(Some(format!("may rename {} to {dn}, by {by}", place.dn)));
        }
        let Some(above) = tree.node(parent)? else { return Ok(None) };
        let is_seen = self.decider.decide(&above, tree)?.is_visible();
        if !is_seen || !self.decider.decide_renamed(node.uuid, dn, &node.entry)?.allows(Right::Add) {
            return Ok(None);
        }
        let applying = self.decider.applying(node, tree)?;
        let mut rules = applying.into_iter().filter_map(|position| self.rules.get(position));
        let adding = rules.find(|rule: &&Rule| rule.allow.has(Right::Add)).map(shown).unwrap_or_default();
        let by = if by == adding { by } else { format!("{by} and {adding}") };
        Ok(Some(format!("may move {} to {dn}, by {by}", place.dn)))
    }
}

/// The entry with another value where it has that of its name.
fn with_value(
    node: &Node,
    description: &AttributeDescription,
    (old, new): (&str, &str),
    schema: &crate::directory::Schema,
) -> Entry {
    let mut attributes = node.entry.decode();
    let values = attributes.values_mut(description);
    values.retain(|value| value != old.as_bytes());
    values.push(new.as_bytes().to_vec());
    Entry::encode(&attributes, schema)
}

/// The values of an attribute by which a filter may come to match, or no longer.
fn values_asked_for(filter: &Matcher, id: AttributeTypeId, values: &mut Vec<String>) {
    match filter {
        Matcher::And(parts) | Matcher::Or(parts) => parts.iter().for_each(|part| values_asked_for(part, id, values)),
        Matcher::Not(inner) => values_asked_for(inner, id, values),
        Matcher::Equal { selector, raw, .. } if selector.types.contains(&id) => {
            values.extend(String::from_utf8(raw.to_vec()));
        }
        Matcher::AtLeast(selector, _, value) | Matcher::AtMost(selector, _, value) | Matcher::Word(selector, value)
            if selector.types.contains(&id) =>
        {
            values.extend(String::from_utf8(value.clone()));
        }
        Matcher::Pieces(selector, _, pieces) if selector.types.contains(&id) => {
            values.extend(String::from_utf8(pieces.iter().flatten().copied().collect()));
        }
        _ => {}
    }
}
