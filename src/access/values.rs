//! Which values of an attribute a rule is about.

use super::Actor;
use super::rule::{RuleFault, read_dn};
use crate::directory::modification::{Modification, ModificationKind};
use crate::directory::schema::{AttributeSet, NormalForm, Schema};
use crate::directory::{AttributeTypeId, Dn, Entry};

/// Some values of an attribute.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Values {
    /// The name of whoever writes.
    OwnName,
    /// This one.
    Exactly(String),
    /// Names below that name.
    Below(Dn),
}

impl Values {
    /// Reads a word of a rule.
    pub fn parse(word: &str, schema: &Schema) -> Result<Self, RuleFault> {
        match word.split_once(':') {
            None if word == "self" => Ok(Self::OwnName),
            Some(("value", value)) => Ok(Self::Exactly(value.to_owned())),
            Some(("below", name)) => Ok(Self::Below(read_dn("values", name, schema)?)),
            _ => Err(RuleFault::UnknownWord { key: "values", word: word.to_owned() }),
        }
    }

    /// Whether they can only be names.
    pub const fn are_names(&self) -> bool {
        matches!(self, Self::OwnName | Self::Below(_))
    }

    fn has(&self, value: &[u8], form: NormalForm, actor: &Actor, schema: &Schema) -> bool {
        match self {
            Self::OwnName => {
                actor.identity.dn().is_some_and(|own| are_names(form) && form.matches(schema, value, own.key()))
            }
            Self::Exactly(wanted) => form
                .of_assertion(schema, wanted.as_bytes())
                .is_ok_and(|normal| form.matches(schema, value, normal.as_ref())),
            Self::Below(base) => {
                let name = std::str::from_utf8(value).ok().and_then(|text| Dn::parse(schema, text).ok());
                name.is_some_and(|name| are_names(form) && name != *base && name.is_within(base))
            }
        }
    }
}

/// Whether values of that form are names, as those of `member` and `uniqueMember`.
pub(super) const fn are_names(form: NormalForm) -> bool {
    matches!(form, NormalForm::Dn | NormalForm::NameAndUid)
}

/// The right to write some values of some attributes, or that it is denied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LimitedWrite {
    /// Of which attributes.
    pub attributes: AttributeSet,
    /// Which values: any of these.
    pub values: Vec<Values>,
    /// Whether it is granted or denied.
    pub effect: Effect,
}

/// What a rule does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// It grants.
    Grant,
    /// It denies, whatever others grant.
    Denial,
}

impl LimitedWrite {
    /// Whether it has to do with an attribute and is a grant or a denial.
    pub fn concerns(&self, attribute: AttributeTypeId, effect: Effect) -> bool {
        self.effect == effect && self.attributes.contains(attribute)
    }

    fn has(&self, value: &[u8], form: NormalForm, actor: &Actor, schema: &Schema) -> bool {
        self.values.iter().any(|values| values.has(value, form, actor, schema))
    }
}

/// Whether a change may be made by the rights to some values alone. What takes away or replaces all values touches each
/// that is there.
pub(super) fn may_write_values(
    limited: &[LimitedWrite],
    change: &Modification,
    entry: &Entry,
    (actor, schema): (&Actor, &Schema),
) -> bool {
    let id = change.attribute.attribute_type;
    let form = schema.attribute_type(id).equality_or_fallback().normal_form();
    let granted =
        |value: &[u8]| limited.iter().any(|one| one.concerns(id, Effect::Grant) && one.has(value, form, actor, schema));
    let mut touched = touched(change, entry).peekable();
    touched.peek().is_some() && touched.all(granted)
}

/// Whether a change touches a value that is denied.
pub(super) fn touches_denied_value(
    limited: &[LimitedWrite],
    change: &Modification,
    entry: &Entry,
    (actor, schema): (&Actor, &Schema),
) -> bool {
    let id = change.attribute.attribute_type;
    let form = schema.attribute_type(id).equality_or_fallback().normal_form();
    let mut denials = limited.iter().filter(|one| one.concerns(id, Effect::Denial));
    denials.any(|one| touched(change, entry).any(|value| one.has(value, form, actor, schema)))
}

fn touched<'c>(change: &'c Modification, entry: &'c Entry) -> impl Iterator<Item = &'c [u8]> {
    let some = match change.kind {
        ModificationKind::Add => true,
        ModificationKind::Delete => !change.values.is_empty(),
        ModificationKind::Replace | ModificationKind::Increment => false,
    };
    let present = entry.values(change.attribute.attribute_type).filter(move |_| !some);
    change.values.iter().map(Vec::as_slice).chain(present)
}
