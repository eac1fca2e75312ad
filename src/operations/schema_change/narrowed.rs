//! What entries must not use if it is to go or to be narrowed.

use crate::directory::Schema;
use crate::directory::schema::{AttributeType, ObjectClass, Syntax, Traits};
use crate::directory::tree::Node;

use super::{BATCH, Context, Refusal, SchemaFault};

/// What a change takes away or narrows, so that entries which are legal now might not be.
#[derive(Default)]
pub(super) struct Narrowed<'s> {
    types: Vec<&'s AttributeType>,
    classes: Vec<&'s ObjectClass>,
    /// What nothing is called any longer.
    lost_names: Vec<&'s str>,
}

impl<'s> Narrowed<'s> {
    pub(super) fn between(before: &'s Schema, after: &Schema) -> Self {
        let mut narrowed = Self::default();
        let defined = before.attribute_types().iter().filter(|one| !one.definition.is_empty());
        for old in defined {
            let new = after.find_attribute_type(&old.oid).filter(|new| new.oid == old.oid);
            if !new.is_some_and(|new| admits_the_same(old, new)) {
                narrowed.types.push(old);
            }
            let is_lost = |name: &&str| after.find_attribute_type(name).is_none_or(|new| new.id != old.id);
            let called = old.names.iter().map(|name| &**name).chain([&*old.oid]);
            narrowed.lost_names.extend(called.filter(is_lost));
        }
        for old in before.object_classes() {
            let new = after.find_object_class(&old.oid).filter(|new| new.oid == old.oid);
            if !new.is_some_and(|new| allows_the_same((old, before), (new, after))) {
                narrowed.classes.push(old);
            }
            let is_lost = |name: &&str| after.find_object_class(name).is_none_or(|new| new.oid != old.oid);
            let called = old.names.iter().map(|name| &**name).chain([&*old.oid]);
            narrowed.lost_names.extend(called.filter(is_lost));
        }
        narrowed
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.types.is_empty() && self.classes.is_empty()
    }

    /// Requires that no entry uses any of it.
    pub(super) fn require_unused(&self, ctx: &Context<'_>) -> Result<(), Refusal> {
        let mut after = None;
        loop {
            let nodes = ctx.tree.nodes_after(after, BATCH)?;
            let Some(last) = nodes.last() else { return Ok(()) };
            after = Some(last.id);
            if let Some(fault) = nodes.iter().find_map(|node| self.used_by(node, ctx.schema())) {
                return Err(fault.into());
            }
        }
    }

    fn used_by(&self, node: &Node, schema: &Schema) -> Option<SchemaFault> {
        let entry = &node.entry;
        if let Some(used) = self.types.iter().find(|one| entry.has(one.id)) {
            return Some(SchemaFault::InUse(used.name().to_owned(), "an entry has it"));
        }
        let called = |class: &ObjectClass, value: &[u8]| {
            let names = class.names.iter().chain([&class.oid]);
            names.into_iter().any(|name| name.as_bytes().eq_ignore_ascii_case(value))
        };
        let classes = || entry.values(schema.known().object_class);
        if let Some(used) = self.classes.iter().find(|class| classes().any(|value| called(class, value))) {
            return Some(SchemaFault::InUse(used.name().to_owned(), "an entry is of that class"));
        }
        let named = self.lost_names.iter().find(|name| names(node, name, schema))?;
        Some(SchemaFault::InUse((*named).to_owned(), "a name or an access rule in the directory has it"))
    }
}

/// Whether every value that is legal under `old` is under `new`, and is compared alike.
fn admits_the_same(old: &AttributeType, new: &AttributeType) -> bool {
    let rules = |one: &AttributeType| (one.equality, one.ordering, one.substring, one.syntax, one.supertype, one.usage);
    let fixed = [Traits::COLLECTIVE, Traits::NO_USER_MODIFICATION, Traits::SECRET];
    let narrower = new.is_single_valued() && !old.is_single_valued();
    let keeps_names = old.names.iter().all(|name| new.names.iter().any(|other| other.eq_ignore_ascii_case(name)));
    rules(old) == rules(new)
        && fixed.iter().all(|one| old.traits.has(*one) == new.traits.has(*one))
        && keeps_names
        && !narrower
}

/// Whether every entry that may be of the class `old` may be of `new`.
fn allows_the_same((old, before): (&ObjectClass, &Schema), (new, after): (&ObjectClass, &Schema)) -> bool {
    let lineage = |class: &ObjectClass, schema: &Schema| -> Vec<Box<str>> {
        class.lineage.iter().filter_map(|id| Some(schema.object_class(*id)?.oid.clone())).collect()
    };
    let allowed = |id| new.must.contains(id) || new.may.contains(id);
    let keeps_names = old.names.iter().all(|name| new.names.iter().any(|other| other.eq_ignore_ascii_case(name)));
    old.kind == new.kind
        && old.structural_when_alone == new.structural_when_alone
        && lineage(old, before) == lineage(new, after)
        && new.must.iter().all(|id| old.must.contains(id))
        && old.must.iter().chain(&old.may).all(allowed)
        && keeps_names
}

/// Whether an entry names something where that matters: in a name that it holds, or in an access rule. What it has in its
/// own name it has as an attribute, too.
fn names(node: &Node, name: &str, schema: &Schema) -> bool {
    let is_rule = node.entry.has(schema.known().access_author);
    let holds_names = |id| matches!(schema.attribute_type(id).syntax, Syntax::Dn | Syntax::NameAndOptionalUid);
    node.entry.attributes().any(|attribute| {
        let in_name = holds_names(attribute.attribute_type);
        let begins_value =
            |value: &[u8], end| value.get(end..).unwrap_or_default().trim_ascii_start().starts_with(b"=");
        (is_rule || in_name)
            && attribute.values().any(|value| ends_of(name, value).any(|end| is_rule || begins_value(value, end)))
    })
}

/// Where a word ends in a text, in any case, if it is no part of a longer one.
fn ends_of<'t>(word: &'t str, text: &'t [u8]) -> impl Iterator<Item = usize> + 't {
    let is_part = move |octet: Option<&u8>| octet.is_some_and(|octet| octet.is_ascii_alphanumeric() || *octet == b'-');
    let starts =
        (0..text.len()).filter(move |start| start.checked_sub(1).is_none_or(|before| !is_part(text.get(before))));
    starts.filter_map(move |start| {
        let end = start + word.len();
        let is_it = text.get(start..end).is_some_and(|piece| piece.eq_ignore_ascii_case(word.as_bytes()));
        (is_it && !is_part(text.get(end))).then_some(end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_no_part_of_a_longer_one() {
        for (text, has) in [
            ("shoeSize=42,dc=example", true),
            ("cn=a+SHOESIZE = 42,dc=example", true),
            ("attributes: cn shoeSize", true),
            ("ou=shoeSizes,dc=example", false),
            ("x-shoeSize=4", false),
            ("shoeSiz", false),
            ("", false),
        ] {
            assert_eq!(ends_of("shoeSize", text.as_bytes()).next().is_some(), has, "{text}");
        }
    }
}
