//! Constraints on values: what they look like, how many there are, how long they are.

use regex_lite::Regex;

use super::extent::{Extent, State};
use super::{IntegrityError, stored};
use crate::directory::{AttributeTypeId, Dn, Entry, Schema};

/// A constraint on values, as the configuration has it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ConstraintText {
    /// What it is called, in messages.
    pub name: String,
    /// The names of the attributes.
    pub attributes: Vec<String>,
    /// Below which name; everywhere if it is left out.
    pub base: Option<String>,
    /// Among which entries; all if it is left out.
    pub filter: Option<String>,
    /// A regular expression that each value as a whole matches.
    pub regex: Option<String>,
    /// How many values there are at most.
    pub count: Option<usize>,
    /// How many octets a value has at most.
    pub octets: Option<usize>,
}

/// What values look like, how many there are, how long they are.
#[derive(Clone, Debug, Default)]
pub struct Constraints(Vec<Constraint>);

/// A constraint on values.
#[derive(Clone, Debug)]
pub struct Constraint {
    name: String,
    attributes: Vec<AttributeTypeId>,
    extent: Extent,
    regex: Option<(String, Regex)>,
    count: Option<usize>,
    octets: Option<usize>,
}

/// A constraint that an entry would break.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the constraint {name:?}: {attribute} {reason}")]
pub struct Unmet {
    /// What the constraint is called.
    pub name: String,
    /// The attribute.
    pub attribute: String,
    /// What is wrong with it, in words.
    pub reason: String,
}

/// Values that are longer match no regular expression: the time to find that out grows with their length.
const MOST_MATCHED: usize = 64 << 10;

impl Constraints {
    /// All of these.
    pub fn prepare(list: &[ConstraintText], schema: &Schema) -> Result<Self, IntegrityError> {
        list.iter().map(|text| Constraint::prepare(text, schema)).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a change to the attribute may break one.
    pub(in crate::operations) fn depend_on(&self, id: AttributeTypeId) -> bool {
        self.0.iter().any(|one| one.extent.filter.is_some() || one.attributes.contains(&id))
    }

    /// Whether something is demanded at a name that is not at another.
    pub(in crate::operations) fn differ(&self, old: &Dn, new: &Dn) -> bool {
        self.0.iter().any(|one| one.extent.differs(old, new))
    }

    /// Requires that what an entry becomes breaks none. What it had already, under the same demand, it may keep.
    pub fn require(&self, before: Option<State<'_>>, after: State<'_>, schema: &Schema) -> Result<(), Unmet> {
        for one in self.0.iter().filter(|one| one.extent.reaches(after.dn)) {
            let known = before.filter(|before| one.extent.concerns(*before, schema)).map(|before| before.entry);
            let gains = |id: &&AttributeTypeId| super::gains(known, after.entry, **id);
            let gained: Vec<AttributeTypeId> = one.attributes.iter().filter(gains).copied().collect();
            if !gained.is_empty() && one.extent.concerns(after, schema) {
                gained.iter().try_for_each(|id| one.require(*id, after.entry, schema))?;
            }
        }
        Ok(())
    }
}

impl Constraint {
    /// Makes it of its text.
    pub fn prepare(text: &ConstraintText, schema: &Schema) -> Result<Self, IntegrityError> {
        let regex = |regex: &String| {
            let whole = Regex::new(&format!("^(?:{regex})$"));
            whole
                .map(|whole| (regex.clone(), whole))
                .map_err(|error| IntegrityError::Regex(regex.clone(), error.to_string()))
        };
        if text.regex.is_none() && text.count.is_none() && text.octets.is_none() {
            return Err(IntegrityError::DemandsNothing);
        }
        if text.attributes.is_empty() {
            return Err(IntegrityError::NoAttributes);
        }
        let attributes = text.attributes.iter().map(|name| constrained(name, schema));
        Ok(Self {
            name: text.name.clone(),
            attributes: attributes.collect::<Result<_, _>>()?,
            extent: Extent::prepare(text.base.as_deref(), text.filter.as_deref(), schema)?,
            regex: text.regex.as_ref().map(regex).transpose()?,
            count: text.count,
            octets: text.octets,
        })
    }

    fn require(&self, id: AttributeTypeId, entry: &Entry, schema: &Schema) -> Result<(), Unmet> {
        let reason = self.broken_by_number(entry.values(id).count());
        let reason = reason.or_else(|| entry.values(id).find_map(|value| self.broken_by(value)));
        match reason {
            None => Ok(()),
            Some(reason) => {
                let attribute = schema.attribute_type(id).name().to_owned();
                Err(Unmet { name: self.name.clone(), attribute, reason })
            }
        }
    }

    fn broken_by_number(&self, number: usize) -> Option<String> {
        let most = self.count.filter(|most| number > *most)?;
        Some(if most == 1 { "takes one value".to_owned() } else { format!("takes {most} values at most") })
    }

    fn broken_by(&self, value: &[u8]) -> Option<String> {
        if let Some(most) = self.octets.filter(|most| value.len() > *most) {
            return Some(format!("takes values of {most} octets at most"));
        }
        let (text, regex) = self.regex.as_ref()?;
        let matches = |value: &str| value.len() <= MOST_MATCHED && regex.is_match(value);
        let is_met = std::str::from_utf8(value).is_ok_and(matches);
        (!is_met).then(|| format!("takes values that match {text}"))
    }
}

/// The attribute of that name, if entries store it and show it.
fn constrained(name: &str, schema: &Schema) -> Result<AttributeTypeId, IntegrityError> {
    match stored(name, schema) {
        Err(IntegrityError::NotFound(_)) => {
            let attribute = schema.find_attribute_type(name);
            let known = schema.known();
            let is_elsewhere = |id| known.derived().contains(&id) || known.credentials().contains(&id);
            let plain = attribute.filter(|attribute| !attribute.is_secret() && !is_elsewhere(attribute.id));
            plain.map(|attribute| attribute.id).ok_or_else(|| IntegrityError::NotStored(name.to_owned()))
        }
        other => other.map(|attribute| attribute.id),
    }
}
