//! Makes filters ready: finds their attributes in the schema and brings their values to their normal form.

use std::collections::HashSet;

use bytes::Bytes;
use smallvec::SmallVec;

use super::{Assertion, Chain, Extensible, Filter, Matcher, Pieces, Selector, Substrings, Truth};
use crate::directory::schema::prepare::Position;
use crate::directory::schema::{AttributeType, AttributeTypeId, MatchingRule, NormalForm, RuleKind, Special};
use crate::directory::{AttributeDescription, Schema};

impl Matcher {
    /// Finds the attributes of a filter in the schema and brings its values to their normal form. What the schema does
    /// not know, and values that their rule cannot compare, become Undefined.
    pub fn prepare(filter: &Filter, schema: &Schema) -> Self {
        match filter {
            Filter::And(filters) => Self::And(prepare_all(filters, schema)),
            Filter::Or(filters) => Self::Or(prepare_all(filters, schema)),
            Filter::Not(inner) => Self::Not(Box::new(Self::prepare(inner, schema))),
            Filter::Present(attribute) => match describe(attribute, schema) {
                Some(description) => Self::Present(Selector::new(&description, schema)),
                None => Self::Always(Truth::Undefined),
            },
            Filter::Equality(assertion) | Filter::Approx(assertion) => Self::or_undefined(equality(assertion, schema)),
            Filter::GreaterOrEqual(assertion) => Self::or_undefined(
                ordering(assertion, schema).map(|(selector, form, normal)| Self::AtLeast(selector, form, normal)),
            ),
            Filter::LessOrEqual(assertion) => Self::or_undefined(
                ordering(assertion, schema).map(|(selector, form, normal)| Self::AtMost(selector, form, normal)),
            ),
            Filter::Substrings(substrings) => Self::or_undefined(pieces(substrings, schema)),
            Filter::Extensible(extensible) => Self::or_undefined(self::extensible(extensible, schema)),
            Filter::Unknown => Self::Always(Truth::Undefined),
        }
    }

    fn or_undefined(prepared: Option<Self>) -> Self {
        prepared.unwrap_or(Self::Always(Truth::Undefined))
    }
}

/// Of many parts, those that say the same are kept once: to ask again tells nothing.
fn prepare_all(filters: &[Filter], schema: &Schema) -> Vec<Matcher> {
    const FEW: usize = 8;
    let mut parts: Vec<Matcher> = filters.iter().map(|filter| Matcher::prepare(filter, schema)).collect();
    if parts.len() > FEW {
        let mut seen = HashSet::with_capacity(parts.len());
        let is_new: Vec<bool> = parts.iter().map(|part| seen.insert(part)).collect();
        let mut is_new = is_new.into_iter();
        parts.retain(|_| is_new.next() == Some(true));
    }
    parts
}

fn describe(octets: &[u8], schema: &Schema) -> Option<AttributeDescription> {
    schema.describe(std::str::from_utf8(octets).ok()?)
}

fn equality(assertion: &Assertion, schema: &Schema) -> Option<Matcher> {
    let description = describe(&assertion.attribute, schema)?;
    let form = schema.attribute_type(description.attribute_type).equality?.normal_form();
    equal(&description, form, &assertion.value, schema)
}

fn equal(description: &AttributeDescription, form: NormalForm, value: &Bytes, schema: &Schema) -> Option<Matcher> {
    let normal = form.of_assertion(schema, value).ok()?.into_owned();
    // The octets decide alone only where a stored value has the same form as an asserted one.
    let first_component = matches!(
        form,
        NormalForm::OidFirstComponent | NormalForm::IntegerFirstComponent | NormalForm::TextFirstComponent
    );
    let raw = if first_component { Bytes::from_static(b"\0") } else { value.clone() };
    Some(Matcher::Equal { selector: Selector::new(description, schema), form, normal, raw })
}

fn ordering(assertion: &Assertion, schema: &Schema) -> Option<(Selector, NormalForm, Vec<u8>)> {
    let description = describe(&assertion.attribute, schema)?;
    let form = ordering_form(schema.attribute_type(description.attribute_type))?;
    let normal = form.of_assertion(schema, &assertion.value).ok()?.into_owned();
    Some((Selector::new(&description, schema), form, normal))
}

/// How values of the type are ordered. Many types of text, `uid` among them, name no ordering rule though clients ask
/// for ranges of them; they are ordered as they are compared for equality.
pub fn ordering_form(attribute: &AttributeType) -> Option<NormalForm> {
    let rule = attribute.ordering.or(attribute.equality)?;
    match rule.normal_form() {
        form @ (NormalForm::Octets
        | NormalForm::CaseExact
        | NormalForm::CaseIgnore
        | NormalForm::Numeric
        | NormalForm::Integer
        | NormalForm::Time
        | NormalForm::Uuid
        | NormalForm::Csn) => Some(form),
        _ => None,
    }
}

fn pieces(substrings: &Substrings, schema: &Schema) -> Option<Matcher> {
    let description = describe(&substrings.attribute, schema)?;
    let form = schema.attribute_type(description.attribute_type).substring?.normal_form();
    let piece = |piece: &Bytes, position| form.of_piece(piece, position).ok();
    let pieces = Pieces {
        initial: match &substrings.initial {
            Some(initial) => Some(piece(initial, Position::Initial)?),
            None => None,
        },
        any: substrings.any.iter().map(|any| piece(any, Position::Any)).collect::<Option<_>>()?,
        last: match &substrings.last {
            Some(last) => Some(piece(last, Position::Final)?),
            None => None,
        },
    };
    Some(Matcher::Pieces(Selector::new(&description, schema), form, pieces))
}

fn extensible(extensible: &Extensible, schema: &Schema) -> Option<Matcher> {
    let rule = match &extensible.rule {
        Some(name) => Some(MatchingRule::find(std::str::from_utf8(name).ok()?)?),
        None => None,
    };
    let Some(attribute) = &extensible.attribute else {
        return any_attribute(extensible, rule?, schema);
    };
    let description = describe(attribute, schema)?;
    let attribute = schema.attribute_type(description.attribute_type);
    let rule = rule.or(attribute.equality)?;
    if !rule.fits(attribute) {
        return None;
    }
    by_rule(&description, rule, extensible, schema)
}

/// `(:caseExactMatch:=x)`: every attribute that the rule is defined for (RFC 4511 §4.5.1.7.7).
fn any_attribute(extensible: &Extensible, rule: MatchingRule, schema: &Schema) -> Option<Matcher> {
    let applies = schema.attribute_types().iter().filter(|attribute| rule.fits(attribute) && !attribute.oid.is_empty());
    let types: SmallVec<[AttributeTypeId; 4]> = applies.map(|attribute| attribute.id).collect();
    let first = *types.first()?;
    let mut matcher = by_rule(&AttributeDescription::plain(first), rule, extensible, schema)?;
    matcher.look_at(&types);
    Some(matcher)
}

impl Matcher {
    fn look_at(&mut self, types: &SmallVec<[AttributeTypeId; 4]>) {
        match self {
            Self::Equal { selector, .. }
            | Self::Bits { selector, .. }
            | Self::Word(selector, _)
            | Self::Pieces(selector, ..) => selector.types.clone_from(types),
            Self::InName(selector, _, _, inner) => {
                selector.types.clone_from(types);
                inner.look_at(types);
            }
            _ => {}
        }
    }
}

fn by_rule(
    description: &AttributeDescription,
    rule: MatchingRule,
    extensible: &Extensible,
    schema: &Schema,
) -> Option<Matcher> {
    let selector = Selector::new(description, schema);
    let value = &extensible.value;
    let matcher = match (rule.special(), rule.kind()) {
        (Special::Word, _) => {
            Matcher::Word(selector, rule.normal_form().of_assertion(schema, value).ok()?.into_owned())
        }
        (special @ (Special::BitAnd | Special::BitOr), _) => {
            let number: i64 = std::str::from_utf8(value).ok()?.parse().ok()?;
            Matcher::Bits { selector, all: special == Special::BitAnd, bits: number.cast_unsigned() }
        }
        (Special::InChain, _) => {
            rule.normal_form().of_assertion(schema, value).ok()?;
            let end = std::str::from_utf8(value).ok()?.into();
            Matcher::InChain(Chain { attribute: description.attribute_type, end, linked: None })
        }
        (Special::Plain, RuleKind::Substring) => {
            let piece = rule.normal_form().of_piece(value, Position::Any).ok()?;
            Matcher::Pieces(selector, rule.normal_form(), Pieces { any: vec![piece], ..Default::default() })
        }
        (Special::Plain, _) => equal(description, rule.normal_form(), value, schema)?,
    };
    // Another rule than the attribute's own may tell values apart that have the same octets in neither direction.
    if !extensible.dn_attributes {
        return Some(matcher);
    }
    let normal = rule.normal_form().of_assertion(schema, value).ok()?.into_owned();
    Some(Matcher::InName(Selector::new(description, schema), rule.normal_form(), normal, Box::new(matcher)))
}
