//! Attribute types, made of their definitions: each gets its number, then what it says and inherits.

use std::collections::HashMap;
use std::sync::Arc;

use super::{SchemaError, SchemaErrorKind, Source, error, names, register};
use crate::directory::schema::definition::Definition;
use crate::directory::schema::{
    AttributeSet, AttributeType, AttributeTypeId, MatchingRule, RuleKind, Schema, Syntax, Traits, Usage,
};

/// A type that no entry has, for numbers out of range.
pub(super) fn undefined() -> AttributeType {
    AttributeType {
        id: AttributeTypeId(u16::MAX),
        oid: "0.0".into(),
        names: Vec::new(),
        supertype: None,
        equality: None,
        ordering: None,
        substring: None,
        syntax: Syntax::OctetString,
        usage: Usage::DsaOperation,
        traits: Traits::NO_USER_MODIFICATION.and(Traits::SECRET),
        definition: "".into(),
    }
}

/// Gives every type its number and names. Numbers that a store keeps for types which are no longer defined stay free.
pub(super) fn number_attribute_types(
    sources: &[Source],
    numbering: &HashMap<String, AttributeTypeId>,
    schema: &mut Schema,
) -> Result<(), SchemaError> {
    let mut next = numbering.values().map(|id| id.0 + 1).max().unwrap_or(0);
    for source in sources {
        let id = match numbering.get(&source.definition.oid) {
            Some(id) => *id,
            None if next == u16::MAX => return Err(error(source, SchemaErrorKind::TooMany)),
            None => {
                next += 1;
                AttributeTypeId(next - 1)
            }
        };
        register(&mut schema.attribute_names, source, id)?;
    }
    schema.attribute_types = vec![schema.undefined.clone(); usize::from(next)];
    schema.numbering = numbering.iter().map(|(oid, id)| (*id, oid.as_str().into())).collect();
    for oid in sources.iter().map(|source| &source.definition.oid) {
        if let Some(id) = schema.attribute_names.find(oid) {
            schema.numbering.insert(id, oid.as_str().into());
        }
    }
    Ok(())
}

pub(super) fn resolve_attribute_types(sources: &[Source], schema: &mut Schema) -> Result<(), SchemaError> {
    let mut pending: Vec<&Source> = sources.iter().collect();
    let mut resolved = vec![false; schema.attribute_types.len()];
    while !pending.is_empty() {
        let before = pending.len();
        let mut waiting = Vec::new();
        for source in pending {
            let supertype = supertype(source, schema)?;
            if supertype.is_some_and(|id| resolved.get(id.index()) == Some(&false)) {
                waiting.push(source);
                continue;
            }
            let attribute = attribute_type(source, supertype, schema).map_err(|kind| error(source, kind))?;
            let place = attribute.id.index();
            if let (Some(slot), Some(done)) = (schema.attribute_types.get_mut(place), resolved.get_mut(place)) {
                *slot = attribute;
                *done = true;
            }
        }
        if let (Some(source), true) = (waiting.first(), waiting.len() == before) {
            let sup = source.definition.one("SUP").unwrap_or_default().to_owned();
            return Err(error(source, SchemaErrorKind::Undefined("the supertype (they form a circle)", sup)));
        }
        pending = waiting;
    }
    Ok(())
}

fn supertype(source: &Source, schema: &Schema) -> Result<Option<AttributeTypeId>, SchemaError> {
    let Some(name) = source.definition.one("SUP") else { return Ok(None) };
    let id = schema.attribute_names.find(name);
    id.map(Some).ok_or_else(|| error(source, SchemaErrorKind::Undefined("the supertype", name.to_owned())))
}

fn attribute_type(
    source: &Source,
    supertype: Option<AttributeTypeId>,
    schema: &Schema,
) -> Result<AttributeType, SchemaErrorKind> {
    let definition = &source.definition;
    let parent = supertype.map(|id| schema.attribute_type(id));
    let syntax = match definition.syntax() {
        Some((oid, _)) => Syntax::find(oid).ok_or_else(|| SchemaErrorKind::Undefined("the syntax", oid.to_owned()))?,
        None => parent.map(|parent| parent.syntax).ok_or(SchemaErrorKind::NoSyntax)?,
    };
    let usage = match definition.one("USAGE") {
        Some(word) => Usage::parse(word).ok_or_else(|| SchemaErrorKind::BadWord(word.to_owned()))?,
        None => Usage::default(),
    };
    let inherits_secret = parent.is_some_and(AttributeType::is_secret);
    let traits = [
        (Traits::SINGLE_VALUE, definition.has("SINGLE-VALUE")),
        (Traits::COLLECTIVE, definition.has("COLLECTIVE")),
        (Traits::NO_USER_MODIFICATION, definition.has("NO-USER-MODIFICATION")),
        (Traits::OBSOLETE, definition.has("OBSOLETE")),
        (Traits::SECRET, definition.is_marked("X-SECRET") || inherits_secret),
    ];
    let traits = traits.into_iter().filter(|(_, holds)| *holds).fold(Traits::default(), |all, (one, _)| all.and(one));
    Ok(AttributeType {
        id: schema.attribute_names.find(&definition.oid).unwrap_or(schema.undefined.id),
        oid: definition.oid.as_str().into(),
        names: names(definition),
        supertype,
        equality: rule(definition, "EQUALITY", RuleKind::Equality)?.or_else(|| parent?.equality),
        ordering: rule(definition, "ORDERING", RuleKind::Ordering)?.or_else(|| parent?.ordering),
        substring: rule(definition, "SUBSTR", RuleKind::Substring)?.or_else(|| parent?.substring),
        syntax,
        usage,
        traits,
        definition: source.text.as_str().into(),
    })
}

fn rule(definition: &Definition, keyword: &str, kind: RuleKind) -> Result<Option<MatchingRule>, SchemaErrorKind> {
    let Some(name) = definition.one(keyword) else { return Ok(None) };
    match MatchingRule::find(name) {
        Some(rule) if rule.kind() == kind => Ok(Some(rule)),
        _ => Err(SchemaErrorKind::Undefined("the matching rule", name.to_owned())),
    }
}

pub(super) fn collect_sets(schema: &mut Schema) {
    let mut subtypes = vec![Vec::new(); schema.attribute_types.len()];
    for attribute in schema.attribute_types.iter().filter(|attribute| attribute.id != schema.undefined.id) {
        let mut above = Some(attribute.id);
        while let Some(id) = above {
            if let Some(list) = subtypes.get_mut(id.index()) {
                list.push(attribute.id);
            }
            above = schema.attribute_type(id).supertype;
        }
    }
    for (index, list) in (0..).zip(&mut subtypes) {
        list.sort_by_key(|id| id.0 != index);
    }
    let with = |wanted: fn(&AttributeType) -> bool| {
        schema.attribute_types.iter().filter(|attribute| wanted(attribute)).map(|attribute| attribute.id).collect()
    };
    let operational: AttributeSet = with(|attribute| attribute.usage.is_operational());
    let secret: AttributeSet = with(AttributeType::is_secret);
    let collective: AttributeSet = with(|attribute| attribute.traits.has(Traits::COLLECTIVE));
    schema.collective = collective;
    schema.all = AttributeSet::first(schema.attribute_types.len());
    schema.user = schema.all.clone();
    schema.user.subtract(&operational);
    schema.subtypes = subtypes;
    schema.operational = operational;
    schema.secret = secret;
    let base = Arc::clone(&schema.base);
    let own = schema.attribute_types.iter().filter(|one| !one.definition.is_empty() && !base.defines(&one.oid));
    schema.extended_by = own.map(|attribute| attribute.id).collect();
}
