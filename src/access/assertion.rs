//! Assertions: what rules must never grant, whoever writes them.

use super::Rights;
use super::attributes::read_attributes;
use super::reach::{APART, EVERYTHING, Reach};
use super::rule::{RuleError, RuleFault, Source, prepare_filter, read_dn, read_rights};
use super::who::Who;
use crate::directory::Dn;
use crate::directory::filter::Matcher;
use crate::directory::schema::{AttributeSet, Schema};

/// An assertion as it is written: nobody of these, except those, has such a right to these attributes of those entries.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AssertionText {
    /// What it is called.
    pub name: String,
    /// Where it stands.
    pub source: Source,
    /// Who must not, as rules say it. Absent: everyone.
    pub who: Vec<String>,
    /// But for these.
    pub except: Vec<String>,
    /// What they must not do: rights by name, or `all`.
    pub must_not: Vec<String>,
    /// To which entries: as rules say it, and `members:GROUP` for those in a group, also in groups in it. Absent:
    /// everything.
    pub to: Vec<String>,
    /// And only those that match this filter.
    pub filter: Option<String>,
    /// To which attributes, as rules say it. Absent: all.
    pub attributes: Vec<String>,
}

/// An assertion made ready.
#[derive(Clone, Debug)]
pub struct Assertion {
    /// What it is called.
    pub name: String,
    /// Where it stands.
    pub source: Source,
    /// Who must not.
    pub who: Vec<Who>,
    /// But for these.
    pub except: Vec<Who>,
    /// What they must not do.
    pub must_not: Rights,
    /// To which entries.
    pub to: Vec<Extent>,
    /// And only those that match this.
    pub filter: Option<Matcher>,
    /// To which attributes.
    pub attributes: AttributeSet,
}

/// Some entries that an assertion is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Extent {
    /// Those of certain names.
    Reach(Reach),
    /// Those in that group, also in groups in it.
    Members(Dn),
}

impl Assertion {
    /// Makes assertions ready, or says what is wrong with the first that cannot be used.
    pub fn prepare_all(texts: &[AssertionText], schema: &Schema) -> Result<Vec<Self>, RuleError> {
        let prepare = |text: &AssertionText| {
            Self::prepare(text, schema).map_err(|fault| RuleError { rule: text.name.clone(), fault })
        };
        texts.iter().map(prepare).collect()
    }

    fn prepare(text: &AssertionText, schema: &Schema) -> Result<Self, RuleFault> {
        let whos = |key, words: &[String]| -> Result<Vec<_>, _> {
            words.iter().map(|word| Who::parse(key, word, schema)).collect()
        };
        let who = if text.who.is_empty() { vec![Who::Everyone] } else { whos("who", &text.who)? };
        let to = if text.to.is_empty() { vec![EVERYTHING.to_owned()] } else { text.to.clone() };
        let mut extents = Vec::with_capacity(to.len());
        for word in &to {
            extents.push(Extent::parse(word, schema)?);
            if word == EVERYTHING {
                // To rules these must be named. What must never be must not be there either.
                let apart = APART.map(|name| Extent::parse(&format!("subtree:{name}"), schema));
                extents.extend(apart.into_iter().collect::<Result<Vec<_>, _>>()?);
            }
        }
        let must_not = read_rights("must_not", &text.must_not)?;
        if must_not.is_empty() {
            return Err(RuleFault::NoRight);
        }
        let attributes = if text.attributes.is_empty() {
            let mut all = AttributeSet::first(schema.attribute_types().len());
            all.subtract(schema.secret());
            all
        } else {
            read_attributes(&text.attributes, schema)?
        };
        Ok(Self {
            name: text.name.clone(),
            source: text.source.clone(),
            who,
            except: whos("except", &text.except)?,
            must_not,
            to: extents,
            filter: text.filter.as_ref().map(|filter| prepare_filter(filter, schema)).transpose()?,
            attributes,
        })
    }
}

impl Extent {
    /// Those of certain names, if it is these.
    pub(super) const fn reach(&self) -> Option<&Reach> {
        match self {
            Self::Reach(reach) => Some(reach),
            Self::Members(_) => None,
        }
    }

    fn parse(word: &str, schema: &Schema) -> Result<Self, RuleFault> {
        match word.split_once(':') {
            Some(("members", group)) => Ok(Self::Members(read_dn("to", group, schema)?)),
            _ => Reach::parse(word, schema).map(Self::Reach),
        }
    }
}
