//! Changing the schema: modify of the subschema subentry (RFC 4512 §4.4).
//!
//! What is built in or comes with the configuration stays as it is; clients add definitions of their own, and change and
//! delete those. Nothing is changed that would make of an entry what it is not: a definition that some entry uses can only
//! be widened, and a content rule is obeyed by all entries that it is about.

mod governed;

use std::time::Duration;

use uuid::Uuid;

use crate::directory::modification::{Modification, ModificationKind};
use crate::directory::schema::check::Violation;
use crate::directory::schema::definition::{DefinitionError, first_component};
use crate::directory::schema::{
    AttributeType, DefinitionKind, Extension, ObjectClass, SchemaError, Syntax, Traits, read_addition,
};
use crate::directory::tree::{Change, Condition, LogKind, Node, Write};
use crate::directory::{ResultCode, Schema};
use crate::protocol::control::{Flag, Flags};
use crate::protocol::request::{ModifyRequest, RequestedChange};

use super::modify::log_lines;
use super::root_dse::{SUBSCHEMA, is_subschema};
use super::{Context, Outcome, Refusal};
use governed::Governed;

/// More definitions nobody needs, and every look at the schema returns them all.
const MOST: usize = 10_000;
/// How many entries are looked at in one go.
const BATCH: usize = 1_000;

/// Why the schema is not changed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SchemaFault {
    /// A value is no definition.
    #[error("the definition {0:?} cannot be read: {1}")]
    Malformed(String, DefinitionError),
    /// The definitions do not fit together.
    #[error(transparent)]
    Unusable(#[from] SchemaError),
    /// A definition of that number is there.
    #[error("{0} is defined already; to change a definition, delete it and add the new one in the same request")]
    Exists(String),
    /// No definition of that number is there.
    #[error("there is no definition {0}")]
    Missing(String),
    /// The definition is not one that a client has added.
    #[error("{0} is built in or comes with a schema file, and stays as it is")]
    Fixed(String),
    /// Something else needs it.
    #[error("{0} is in use: {1}")]
    InUse(String, &'static str),
    /// An entry would not be what a content rule demands.
    #[error("an entry of the class {0} would not be legal any longer: {1}")]
    Disobeyed(String, Violation),
    /// The attribute is not one of those that can be changed.
    #[error("of the schema, attributeTypes, objectClasses and dITContentRules can be changed; {0} is built in")]
    NotHere(String),
}

impl SchemaFault {
    pub(super) const fn code(&self) -> ResultCode {
        match self {
            Self::Malformed(..) => ResultCode::InvalidAttributeSyntax,
            Self::Unusable(_) => ResultCode::ConstraintViolation,
            Self::Exists(_) => ResultCode::AttributeOrValueExists,
            Self::Missing(_) => ResultCode::NoSuchAttribute,
            Self::Fixed(_) | Self::InUse(..) | Self::Disobeyed(..) | Self::NotHere(_) => ResultCode::UnwillingToPerform,
        }
    }
}

/// Whether a request changes the schema.
pub(super) fn is_about_schema(ctx: &Context<'_>, request: &ModifyRequest) -> bool {
    // The name has one part, and no comma in it: mostly nothing is to be parsed.
    !request.object.as_bytes().contains(&b',')
        && ctx.parse_dn(request.object.as_bytes()).is_ok_and(|dn| is_subschema(ctx.schema(), &dn))
}

/// Changes the definitions that clients have added.
pub(super) fn modify(ctx: &Context<'_>, request: &ModifyRequest) -> Result<Outcome, Refusal> {
    let (before, changes) = (ctx.schema(), read_changes(ctx, request)?);
    require_right(ctx, &changes)?;
    let mut extension = before.extension().clone();
    for change in &changes {
        apply(ctx, change, &mut extension)?;
    }
    let mut outcome = Outcome::answer(ResultCode::Success);
    if extension == *before.extension() {
        return Ok(outcome);
    }
    require_room(ctx, &extension)?;
    let next = before.extension().modified.saturating_add(Duration::from_secs(1));
    extension.modified = ctx.now.max(next).whole_seconds();
    ctx.requester.identity.name().clone_into(&mut extension.modifier);
    let after = before.extended(extension).map_err(|error| still_needed(before, error))?;
    let mut conditions = vec![Condition::SchemaIs(ctx.tree.schema().clone())];
    let narrowed = Narrowed::between(before, &after);
    if !narrowed.is_empty() {
        narrowed.require_unused(ctx)?;
        conditions.push(Condition::ExtensionUnusedSince(ctx.tree.csn()));
    }
    let governed = Governed::between(before, &after);
    if !governed.is_empty() {
        governed.require_obedience(ctx, &after)?;
        conditions.push(Condition::NoEntryWrittenSince(ctx.tree.csn()));
    }
    let log = ctx.log(LogKind::Modify, SUBSCHEMA, Uuid::nil(), log_lines(ctx, changes.iter()));
    outcome.change = Change { conditions, ..Change::of(vec![Write::SetSchema(std::sync::Arc::new(after))], vec![log]) };
    Ok(outcome)
}

fn read_changes(ctx: &Context<'_>, request: &ModifyRequest) -> Result<Vec<Modification>, Refusal> {
    let read = |change: &RequestedChange| {
        let undefined = || Refusal::UndefinedAttribute(change.attribute.clone());
        let attribute = ctx.schema().describe(&change.attribute).ok_or_else(undefined)?;
        Ok(Modification { kind: change.kind, attribute, values: change.values.clone() })
    };
    request.changes.iter().map(read).collect()
}

fn require_right(ctx: &Context<'_>, changes: &[Modification]) -> Result<(), Refusal> {
    let name = ctx.parse_dn(SUBSCHEMA.as_bytes())?;
    let decision = ctx.decider().decide_by_name(&name);
    if changes.iter().all(|change| decision.write.contains(change.attribute.attribute_type)) {
        return Ok(());
    }
    Err(Refusal::InsufficientAccess("you may not change the schema: that takes an access rule for cn=Subschema"))
}

/// Bounds what everybody is sent who asks for the schema.
fn require_room(ctx: &Context<'_>, extension: &Extension) -> Result<(), Refusal> {
    let octets = extension.all().map(String::len).sum::<usize>();
    if extension.all().count() > MOST || octets > ctx.services.limits.entry_octets {
        return Err(Refusal::AdminLimit("the schema would be larger than this server takes"));
    }
    Ok(())
}

/// What a change is about.
#[derive(Clone, Copy)]
struct Definitions<'a> {
    schema: &'a Schema,
    kind: DefinitionKind,
}

impl<'a> Definitions<'a> {
    fn of(change: &Modification, schema: &'a Schema) -> Result<Self, SchemaFault> {
        let name = schema.attribute_type(change.attribute.attribute_type).name();
        let kind = DefinitionKind::of_attribute(name).ok_or_else(|| SchemaFault::NotHere(name.to_owned()))?;
        Ok(Self { schema, kind })
    }

    /// The text of what the schema has under that number without clients.
    fn fixed(self, oid: &str) -> Option<&'a str> {
        let definition = match self.kind {
            DefinitionKind::AttributeType => self.schema.find_attribute_type(oid).map(|one| &*one.definition),
            DefinitionKind::ObjectClass => self.schema.find_object_class(oid).map(|class| &*class.definition),
            DefinitionKind::ContentRule => {
                let class = self.schema.find_object_class(oid);
                class.and_then(|class| self.schema.content_rule(class.id)).map(|rule| &*rule.definition)
            }
        };
        definition.filter(|_| self.schema.is_fixed(self.kind, oid))
    }
}

fn apply(ctx: &Context<'_>, change: &Modification, extension: &mut Extension) -> Result<(), Refusal> {
    let definitions = Definitions::of(change, ctx.schema())?;
    match change.kind {
        ModificationKind::Add => {
            for value in &change.values {
                add(definitions, value, ctx.flags, extension)?;
            }
        }
        ModificationKind::Delete if change.values.is_empty() => {
            return Err(Refusal::Unwilling("name the definitions that are to go: those that are built in stay"));
        }
        ModificationKind::Delete => {
            for value in &change.values {
                delete(definitions, value, ctx.flags, extension)?;
            }
        }
        ModificationKind::Replace => replace(definitions, &change.values, extension)?,
        ModificationKind::Increment => return Err(Refusal::Unwilling("definitions cannot be incremented")),
    }
    Ok(())
}

fn add(definitions: Definitions<'_>, value: &[u8], flags: Flags, extension: &mut Extension) -> Result<(), SchemaFault> {
    let (oid, text) = read(value)?;
    let texts = extension.texts_mut(definitions.kind);
    let is_there = texts.iter().any(|other| is_of(other, &oid));
    if flags.has(Flag::PermissiveModify) && texts.contains(&text) {
        return Ok(());
    }
    if is_there || definitions.fixed(&oid).is_some() {
        return Err(SchemaFault::Exists(oid));
    }
    texts.push(text);
    Ok(())
}

/// Takes away the definition of the number that the value begins with, which tells it from others (RFC 4512 §4.2).
fn delete(
    definitions: Definitions<'_>,
    value: &[u8],
    flags: Flags,
    extension: &mut Extension,
) -> Result<(), SchemaFault> {
    let oid = first_component(value).ok_or_else(|| match read(value) {
        Err(fault) => fault,
        Ok((oid, _)) => SchemaFault::Missing(oid),
    })?;
    let texts = extension.texts_mut(definitions.kind);
    match texts.iter().position(|text| is_of(text, &oid)) {
        Some(position) => drop(texts.remove(position)),
        None if definitions.fixed(&oid).is_some() => return Err(SchemaFault::Fixed(oid)),
        None if flags.has(Flag::PermissiveModify) => {}
        None => return Err(SchemaFault::Missing(oid)),
    }
    Ok(())
}

/// Puts other definitions in the place of those that were added. What is built in may be among them as it is, since that is
/// what a client has read.
fn replace(definitions: Definitions<'_>, values: &[Vec<u8>], extension: &mut Extension) -> Result<(), SchemaFault> {
    extension.texts_mut(definitions.kind).clear();
    for value in values {
        let (oid, text) = read(value)?;
        match definitions.fixed(&oid) {
            Some(fixed) if fixed.split_ascii_whitespace().eq(text.split(' ')) => {}
            Some(_) => return Err(SchemaFault::Fixed(oid)),
            None => add(definitions, value, Flags::default(), extension)?,
        }
    }
    Ok(())
}

fn read(value: &[u8]) -> Result<(String, String), SchemaFault> {
    let text = String::from_utf8_lossy(value);
    read_addition(&text).map_err(|error| SchemaFault::Malformed(text.chars().take(60).collect(), error))
}

fn is_of(text: &str, oid: &str) -> bool {
    first_component(text.as_bytes()).is_some_and(|own| own == oid)
}

/// A definition that others name cannot go: then it is not the others that are wrong.
fn still_needed(before: &Schema, error: SchemaError) -> SchemaFault {
    use crate::directory::schema::SchemaErrorKind::Undefined;
    match &error.kind {
        Undefined(_, name)
            if before.find_attribute_type(name).is_some() || before.find_object_class(name).is_some() =>
        {
            SchemaFault::InUse(name.clone(), "another definition names it")
        }
        _ => error.into(),
    }
}

/// What a change takes away or narrows, so that entries which are legal now might not be.
#[derive(Default)]
struct Narrowed<'s> {
    types: Vec<&'s AttributeType>,
    classes: Vec<&'s ObjectClass>,
    /// What nothing is called any longer.
    lost_names: Vec<&'s str>,
}

impl<'s> Narrowed<'s> {
    fn between(before: &'s Schema, after: &Schema) -> Self {
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

    const fn is_empty(&self) -> bool {
        self.types.is_empty() && self.classes.is_empty()
    }

    /// Requires that no entry uses any of it.
    fn require_unused(&self, ctx: &Context<'_>) -> Result<(), Refusal> {
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
