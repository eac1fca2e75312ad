//! Numbers that the server gives to entries that are added, or become what needs one, without: `uidNumber` and `gidNumber`
//! from a range. Two entries that are added
//! at the same moment get different ones, since the change says who may have the number when it is made.

use std::ops::RangeInclusive;

use super::extent::Extent;
use super::{IntegrityError, stored};
use crate::directory::filter::{Matcher, Selector};
use crate::directory::modification::{Modification, ModificationKind};
use crate::directory::schema::{NormalForm, ObjectClassId};
use crate::directory::tree::{Candidates, Condition, EntryId, Node, PlanBudget};
use crate::directory::{AttributeDescription, AttributeTypeId, Attributes, Dn, Entry, Schema};
use crate::operations::{Context, Refusal};

/// From which range a number is given, as the configuration has it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AllocationText {
    /// The name of the attribute.
    pub attribute: String,
    /// The object class of the entries that get a number.
    pub class: String,
    /// The smallest number.
    pub from: u64,
    /// The greatest.
    pub to: u64,
    /// Below which name; everywhere if it is left out.
    pub base: Option<String>,
    /// A value in whose place a number is put.
    pub magic: Option<String>,
}

/// All ranges that numbers are given from.
#[derive(Clone, Debug, Default)]
pub struct Allocations(Vec<Allocation>);

/// A range that numbers are given from.
#[derive(Clone, Debug)]
pub struct Allocation {
    attribute: AttributeTypeId,
    class: ObjectClassId,
    range: RangeInclusive<u64>,
    extent: Extent,
    magic: Option<String>,
}

/// A number that an entry was given.
#[derive(Debug)]
pub(in crate::operations) struct Given {
    attribute_type: AttributeTypeId,
    number: Vec<u8>,
    normal: Box<[u8]>,
}

impl Given {
    /// The change that it is to an entry that was there before.
    pub(in crate::operations) fn change(&self) -> Modification {
        let attribute = AttributeDescription::plain(self.attribute_type);
        Modification { kind: ModificationKind::Replace, attribute, values: vec![self.number.clone()] }
    }

    /// The condition on which the number is given: nobody else has got it in the meantime.
    pub(in crate::operations) fn to(self, uuid: uuid::Uuid) -> Condition {
        Condition::HeldOnlyBy { attribute_type: self.attribute_type, normal: self.normal, holders: vec![uuid] }
    }
}

impl Allocations {
    /// All of these.
    pub fn prepare(list: &[AllocationText], schema: &Schema) -> Result<Self, IntegrityError> {
        list.iter().map(|text| Allocation::prepare(text, schema)).collect::<Result<_, _>>().map(Self)
    }

    /// The attributes; entries must be found quickly by each.
    pub fn attributes(&self) -> impl Iterator<Item = AttributeTypeId> {
        self.0.iter().map(|allocation| allocation.attribute)
    }
}

impl Allocation {
    /// Makes it of its text.
    pub fn prepare(text: &AllocationText, schema: &Schema) -> Result<Self, IntegrityError> {
        let attribute = stored(&text.attribute, schema)?;
        if attribute.equality_or_fallback().normal_form() != NormalForm::Integer {
            return Err(IntegrityError::NoNumber(text.attribute.clone()));
        }
        if text.from > text.to {
            return Err(IntegrityError::EmptyRange { from: text.from, to: text.to });
        }
        let class = schema.find_object_class(&text.class);
        Ok(Self {
            attribute: attribute.id,
            class: class.ok_or_else(|| IntegrityError::UndefinedClass(text.class.clone()))?.id,
            range: text.from..=text.to,
            extent: Extent::prepare(text.base.as_deref(), None, schema)?,
            magic: text.magic.clone(),
        })
    }

    /// Whether an entry comes without the number that it needs. One that was there `before` is given a number only if it
    /// becomes what needs one, or if it is asked for.
    fn is_wanted(&self, before: Option<&Entry>, dn: &Dn, attributes: &Attributes, schema: &Schema) -> bool {
        let is_class = |value: &[u8]| {
            let class = std::str::from_utf8(value).ok().and_then(|name| schema.find_object_class(name));
            class.is_some_and(|class| class.is_or_derives_from(self.class))
        };
        let object_class = schema.known().object_class;
        if !self.extent.reaches(dn) || !attributes.values(object_class).iter().any(|value| is_class(value)) {
            return false;
        }
        let is_magic = |value: &[u8]| self.magic.as_ref().is_some_and(|magic| magic.as_bytes() == value);
        let asks = matches!(attributes.values(self.attribute), [only] if is_magic(only));
        let asked = before.is_some_and(|entry| entry.values(self.attribute).any(is_magic));
        let was_one = before.is_some_and(|entry| entry.values(object_class).any(is_class));
        (asks && !asked) || (!attributes.has(self.attribute) && !was_one)
    }
}

impl Context<'_> {
    /// Gives an entry the numbers that it lacks: a new one, or one that was otherwise `before`.
    pub(in crate::operations) fn allocate(
        &self,
        before: Option<&Entry>,
        dn: &Dn,
        attributes: &mut Attributes,
    ) -> Result<Vec<Given>, Refusal> {
        let mut given = Vec::new();
        for allocation in &self.services.integrity.allocations.0 {
            if allocation.is_wanted(before, dn, attributes, self.schema()) {
                let number = self.next_number(allocation)?.to_string().into_bytes();
                let normal =
                    NormalForm::Integer.of_value(self.schema(), &number).map(|normal| normal.into_owned().into());
                let normal = normal.map_err(|_| Refusal::Failed)?;
                attributes.set(allocation.attribute, vec![number.clone()]);
                given.push(Given { attribute_type: allocation.attribute, number, normal });
            }
        }
        Ok(given)
    }

    /// The number behind the greatest that is used within the range. It is found by halving what is left of the range.
    fn next_number(&self, allocation: &Allocation) -> Result<u64, Refusal> {
        let (from, to) = (*allocation.range.start(), *allocation.range.end());
        if !self.is_one_used(allocation.attribute, from..=to)? {
            return Ok(from);
        }
        let (mut used, mut unused) = (from, to.saturating_add(1));
        while unused - used > 1 {
            let middle = used + (unused - used) / 2;
            if self.is_one_used(allocation.attribute, middle..=to)? {
                used = middle;
            } else {
                unused = middle;
            }
        }
        if unused > to {
            return Err(Refusal::AdminLimit(
                "all numbers up to the end of the range are used; widen it in [[allocate]]",
            ));
        }
        Ok(unused)
    }

    /// Whether an entry has a number of the range.
    fn is_one_used(&self, id: AttributeTypeId, range: RangeInclusive<u64>) -> Result<bool, Refusal> {
        let least = NormalForm::Integer
            .of_value(self.schema(), range.start().to_string().as_bytes())
            .map(std::borrow::Cow::into_owned);
        let least = least.map_err(|_| Refusal::Failed)?;
        let selector = Selector { types: std::iter::once(id).collect(), options: "".into() };
        let matcher = Matcher::AtLeast(selector, NormalForm::Integer, least);
        let number = |value: &[u8]| std::str::from_utf8(value).ok()?.parse::<u64>().ok();
        let is_it = |node: &Node| node.entry.values(id).filter_map(number).any(|number| range.contains(&number));
        match self.tree.plan(&matcher, PlanBudget::IN_FULL)?.candidates {
            Candidates::These(ids) => {
                for id in &ids {
                    if self.tree.node(EntryId(id))?.is_some_and(|node| is_it(&node)) {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Candidates::All => Ok(!self.look_for(is_it)?.is_empty()),
        }
    }
}
