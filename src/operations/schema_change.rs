//! Changing the schema: modify of the subschema subentry (RFC 4512 §4.4).
//!
//! What is built in or comes with the configuration stays as it is; clients add definitions of their own, and change and
//! delete those. Nothing is changed that would make of an entry what it is not: a definition that some entry uses can only
//! be widened, and a content rule is obeyed by all entries that it is about.

mod governed;
mod narrowed;

use std::time::Duration;

use uuid::Uuid;

use crate::directory::modification::{Modification, ModificationKind};
use crate::directory::schema::check::Violation;
use crate::directory::schema::definition::{DefinitionError, first_component};
use crate::directory::schema::{DefinitionKind, Extension, SchemaError, read_addition};
use crate::directory::tree::{Change, Condition, LogKind, Write};
use crate::directory::{ResultCode, Schema};
use crate::protocol::control::{Flag, Flags};
use crate::protocol::request::{ModifyRequest, RequestedChange};

use super::modify::log_lines;
use super::root_dse::{SUBSCHEMA, is_subschema};
use super::{Context, Outcome, Refusal};
use governed::Governed;
use narrowed::Narrowed;

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
    /// The configuration names it: where, and what would be wrong there.
    #[error("the configuration names it; take it out of there first, and have that read again: {0}")]
    Configured(String),
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
            Self::Fixed(_) | Self::InUse(..) | Self::Configured(_) | Self::Disobeyed(..) | Self::NotHere(_) => {
                ResultCode::UnwillingToPerform
            }
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
    require_configured(ctx, &after)?;
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

/// Requires that the configuration makes sense by the schema that comes, or the next start would be refused.
fn require_configured(ctx: &Context<'_>, after: &Schema) -> Result<(), SchemaFault> {
    let Some(configured) = &ctx.services.configured else { return Ok(()) };
    let before = configured.faults(ctx.schema());
    let new = configured.faults(after).into_iter().find(|fault| !before.contains(fault));
    new.map_or(Ok(()), |fault| Err(SchemaFault::Configured(fault)))
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
