//! Which entries a demand is about: those below a base that a filter matches.

use super::IntegrityError;
use crate::directory::filter::{Facts, Filter, Matcher, Truth};
use crate::directory::{Dn, Entry, Schema};

/// Which entries a demand is about.
#[derive(Clone, Debug, Default)]
pub struct Extent {
    /// Below which name; everywhere if there is none.
    pub(super) base: Option<Dn>,
    /// Among which entries; all if there is none.
    pub(super) filter: Option<Matcher>,
}

/// What an entry is called and what it holds.
#[derive(Clone, Copy, Debug)]
pub struct State<'s> {
    /// Its name.
    pub dn: &'s Dn,
    /// Its attributes.
    pub entry: &'s Entry,
}

impl Extent {
    /// Makes it of its text.
    pub fn prepare(base: Option<&str>, filter: Option<&str>, schema: &Schema) -> Result<Self, IntegrityError> {
        let read_base =
            |base: &str| Dn::parse(schema, base).map_err(|error| IntegrityError::Base(base.to_owned(), error));
        let read_filter = |filter: &str| Filter::parse(filter).map_err(IntegrityError::Filter);
        let filter = filter.map(read_filter).transpose()?;
        Ok(Self {
            base: base.map(read_base).transpose()?,
            filter: filter.map(|filter| Matcher::prepare(&filter, schema)),
        })
    }

    /// Whether it is about an entry of that name.
    pub fn reaches(&self, dn: &Dn) -> bool {
        self.base.as_ref().is_none_or(|base| dn.is_within(base))
    }

    /// Whether it is about that entry.
    pub fn concerns(&self, State { dn, entry }: State<'_>, schema: &Schema) -> bool {
        let matches = |filter: &Matcher| {
            let facts = Facts { entries: &[entry], searchable: schema.everything(), dn, schema };
            filter.evaluate(&facts) == Truth::True
        };
        self.reaches(dn) && self.filter.as_ref().is_none_or(matches)
    }

    /// Whether it is about an entry of one name and not of another.
    pub fn differs(&self, old: &Dn, new: &Dn) -> bool {
        self.base.is_some() && self.reaches(new) != self.reaches(old)
    }
}
