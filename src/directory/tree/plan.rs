//! Plans: which entries a search looks at, what finding that out may cost, and how it was found out.

use std::fmt;

use roaring::RoaringBitmap;

use crate::directory::{AttributeTypeId, Schema};

/// The entries that may match a filter: all that do, and perhaps others.
#[derive(Clone, PartialEq, Debug)]
pub enum Candidates {
    /// These.
    These(RoaringBitmap),
    /// Any entry.
    All,
}

/// How much a plan may cost, in postings that are followed; looking for one thing counts as several.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlanBudget(pub u64);

impl PlanBudget {
    /// Where others wait meanwhile.
    pub const AT_ONCE: Self = Self(2_000);
    /// Where nobody does. To look at so many entries one by one costs more.
    pub const IN_FULL: Self = Self(400_000);
}

/// The candidates of a search and how they were found.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The entries to look at.
    pub candidates: Candidates,
    /// Whether something was given up because the budget did not suffice: with a larger one, fewer may be left.
    pub is_curtailed: bool,
    /// What was done, in order; of very many steps, the first.
    pub steps: Vec<PlanStep>,
}

/// One thing that was done to find candidates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlanStep {
    /// Something that takes no more words.
    Note(&'static str),
    /// The attribute has no index of that kind.
    Unindexed(Option<AttributeTypeId>, &'static str),
    /// The index of that kind named so many entries.
    Found(u64, Option<AttributeTypeId>, &'static str),
    /// The group has so many members.
    Members(u64),
}

impl Plan {
    /// Every entry, since `why`.
    pub fn every_entry(why: &'static str) -> Self {
        Self { candidates: Candidates::All, is_curtailed: false, steps: vec![PlanStep::Note(why)] }
    }

    /// What was done, in words, for people.
    pub fn explain<'p>(&'p self, schema: &'p Schema) -> impl fmt::Display + 'p {
        Explanation { steps: &self.steps, schema }
    }
}

struct Explanation<'p> {
    steps: &'p [PlanStep],
    schema: &'p Schema,
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |id: Option<AttributeTypeId>| id.map_or("?", |id| self.schema.attribute_type(id).name());
        for (number, step) in self.steps.iter().enumerate() {
            if number > 0 {
                f.write_str("; ")?;
            }
            match *step {
                PlanStep::Note(words) => f.write_str(words)?,
                PlanStep::Unindexed(id, kind) => write!(f, "{} has no {kind} index", name(id))?,
                PlanStep::Found(count, id, kind) => write!(f, "{count} by the {kind} index of {}", name(id))?,
                PlanStep::Members(count) => write!(f, "{count} members of the group")?,
            }
        }
        Ok(())
    }
}
