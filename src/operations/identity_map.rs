//! Which entry somebody is who is known by another name: the subject of a certificate, a user of this machine, or a user
//! name that is no value of `uid`.
//!
//! A mapping is a pattern and where it leads. In a pattern, `{word}` stands for one or more characters, but for those that
//! give a name its structure and for the first character of what follows in the pattern. So a name matches in one way or
//! not at all, in time proportional to its length, and what it matched with cannot change the meaning of the place where it
//! is put in.

mod template;

use crate::directory::filter::{Facts, Filter, Matcher, Truth};
use crate::directory::schema::{AttributeSet, Schema};
use crate::directory::tree::{Candidates, EntryId, Node, PlanBudget, Tree, TreeError};
use crate::directory::{Dn, dn};

use template::{Captured, Template, escape_in_filter};

/// A longer name is nobody's.
const MOST_OCTETS: usize = 1_024;
/// So many entries are looked at to find the one that a filter means.
const MOST_CANDIDATES: usize = 64;

/// Where a name comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Origin {
    /// The subject of a client certificate, as RFC 4514 writes names.
    Certificate,
    /// The user whose process is at the other end of a local socket:
    /// `gidNumber=GID+uidNumber=UID,cn=peercred,cn=external,cn=auth`.
    Local,
    /// What somebody calls themselves: `u:NAME`, or a name that is no distinguished name.
    UserName,
}

/// A mapping as it is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MappingText {
    /// Which names it is for.
    pub from: Origin,
    /// What they look like.
    pub pattern: String,
    /// Where they lead.
    pub to: DestinationText,
}

/// Where a mapping leads, as it is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DestinationText {
    /// To the entry of that name, in which placeholders stand.
    Entry(String),
    /// To the one entry below a base that matches a filter in which placeholders stand.
    Search {
        /// The base.
        base: String,
        /// The filter.
        filter: String,
    },
}

/// Why a mapping cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MappingError {
    /// The braces do not fit together.
    #[error("{0:?}: a placeholder is a word in braces, such as {{user}}")]
    BadPlaceholder(String),
    /// Where one ends and the next begins could not be told.
    #[error("{0:?}: something must stand between two placeholders")]
    Adjacent(String),
    /// A placeholder stands twice.
    #[error("the placeholder {{{0}}} stands twice in the pattern")]
    Twice(String),
    /// The destination has a placeholder that the pattern lacks.
    #[error("the pattern has no placeholder {{{0}}}")]
    Unknown(String),
    /// The pattern would match one name only, and that is empty.
    #[error("the pattern is empty")]
    Empty,
    /// The destination is no name.
    #[error("{text:?}: {reason}")]
    BadName {
        /// What is written.
        text: String,
        /// Why it is none.
        reason: String,
    },
    /// The destination is no filter, or one that could never match.
    #[error("{text:?}: {reason}")]
    BadFilter {
        /// What is written.
        text: String,
        /// What is wrong.
        reason: String,
    },
}

/// The mappings of a directory. The first whose pattern a name matches says who it is.
#[derive(Clone, Debug, Default)]
pub struct IdentityMap(Vec<Mapping>);

#[derive(Clone, Debug)]
struct Mapping {
    from: Origin,
    pattern: Template,
    to: Destination,
}

#[derive(Clone, Debug)]
enum Destination {
    Entry(Template),
    Search { base: Dn, filter: Template },
}

impl IdentityMap {
    /// Makes mappings ready, or says what is wrong with the first that cannot be used, and which it is.
    pub fn prepare(texts: &[MappingText], schema: &Schema) -> Result<Self, (usize, MappingError)> {
        let prepare = |(at, text)| Mapping::prepare(text, schema).map_err(|error| (at, error));
        texts.iter().enumerate().map(prepare).collect::<Result<_, _>>().map(Self)
    }

    /// The entry that a name stands for. The outer `None` says that no mapping is about such a name; the inner one, that
    /// there is no such entry, or several.
    pub fn find(&self, from: Origin, name: &str, tree: &dyn Tree) -> Result<Option<Option<EntryId>>, TreeError> {
        let of_origin = self.0.iter().filter(|mapping| mapping.from == from && name.len() <= MOST_OCTETS);
        for mapping in of_origin {
            if let Some(captured) = mapping.pattern.captures(name) {
                return mapping.to.find(&captured, tree).map(Some);
            }
        }
        Ok(None)
    }
}

impl Mapping {
    fn prepare(text: &MappingText, schema: &Schema) -> Result<Self, MappingError> {
        let pattern = Template::parse(&text.pattern)?;
        if pattern.is_empty() {
            return Err(MappingError::Empty);
        }
        pattern.require_distinct(&text.pattern)?;
        let to = match &text.to {
            DestinationText::Entry(name) => {
                let template = Template::parse(name)?;
                template.require_known(&pattern)?;
                parse_dn(&template.filled(&template.examples(), dn::escape), name, schema)?;
                Destination::Entry(template)
            }
            DestinationText::Search { base, filter } => {
                let template = Template::parse(filter)?;
                template.require_known(&pattern)?;
                check_filter(&template, filter, schema)?;
                Destination::Search { base: parse_dn(base, base, schema)?, filter: template }
            }
        };
        Ok(Self { from: text.from, pattern, to })
    }
}

fn parse_dn(name: &str, written: &str, schema: &Schema) -> Result<Dn, MappingError> {
    let bad = |error: dn::DnError| MappingError::BadName { text: written.to_owned(), reason: error.to_string() };
    Dn::parse(schema, name).map_err(bad)
}

fn check_filter(template: &Template, written: &str, schema: &Schema) -> Result<(), MappingError> {
    let bad = |reason: String| MappingError::BadFilter { text: written.to_owned(), reason };
    let filter = Filter::parse(&template.filled(&template.examples(), escape_in_filter));
    let matcher = Matcher::prepare(&filter.map_err(|error| bad(error.to_string()))?, schema);
    if matcher.mentioned().intersects(schema.secret()) {
        return Err(bad("it asks for a secret".to_owned()));
    }
    if matcher.is_undecidable() {
        return Err(bad("it asks for something that the schema does not know".to_owned()));
    }
    Ok(())
}

impl Destination {
    fn find(&self, captured: &Captured<'_>, tree: &dyn Tree) -> Result<Option<EntryId>, TreeError> {
        let schema = tree.schema();
        match self {
            Self::Entry(template) => match Dn::parse(schema, &template.filled(captured, dn::escape)) {
                Ok(dn) => Ok(tree.find(&dn)?.entry()),
                Err(_) => Ok(None),
            },
            Self::Search { base, filter } => match Filter::parse(&filter.filled(captured, escape_in_filter)) {
                Ok(filter) => only_match(base, &Matcher::prepare(&filter, schema), tree),
                Err(_) => Ok(None),
            },
        }
    }
}

/// The one entry at or below `base` that matches.
fn only_match(base: &Dn, matcher: &Matcher, tree: &dyn Tree) -> Result<Option<EntryId>, TreeError> {
    let Some(base) = tree.find(base)?.entry() else { return Ok(None) };
    let mut searchable = AttributeSet::first(tree.schema().attribute_types().len());
    searchable.subtract(tree.schema().secret());
    let mut found = None;
    for node in candidates(matcher, tree)? {
        let Some(dn) = tree.dn(node.id)? else { continue };
        let facts = Facts { entries: &[&node.entry], searchable: &searchable, dn: &dn, schema: tree.schema() };
        let is_it = matcher.evaluate(&facts) == Truth::True && tree.is_within(node.id, base)?;
        if is_it && found.replace(node.id).is_some() {
            // Nobody can say which of the two is meant.
            return Ok(None);
        }
    }
    Ok(found)
}

/// The entries that may match. Where an index does not make them few there are none: whoever knocks must not be able to have
/// the whole directory looked through.
fn candidates(matcher: &Matcher, tree: &dyn Tree) -> Result<Vec<Node>, TreeError> {
    let nodes = match tree.plan(matcher, PlanBudget::AT_ONCE)?.candidates {
        Candidates::These(ids) => {
            let few = ids.iter().take(MOST_CANDIDATES + 1).map(EntryId);
            few.filter_map(|id| tree.node(id).transpose()).collect::<Result<Vec<_>, _>>()?
        }
        Candidates::All => tree.nodes_after(None, MOST_CANDIDATES + 1)?,
    };
    Ok(if nodes.len() > MOST_CANDIDATES { Vec::new() } else { nodes })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn prepared(pattern: &str, to: DestinationText) -> Result<IdentityMap, String> {
        let text = MappingText { from: Origin::Certificate, pattern: pattern.into(), to };
        IdentityMap::prepare(&[text], &Schema::standard()).map_err(|(_, error)| error.to_string())
    }

    fn entry(name: &str) -> DestinationText {
        DestinationText::Entry(name.into())
    }

    fn search(filter: &str) -> DestinationText {
        DestinationText::Search { base: "dc=x".into(), filter: filter.into() }
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_the_reason() {
        let fault = |pattern, to| prepared(pattern, to).unwrap_err();
        assert!(fault("CN={a}{b}", entry("uid={a},dc=x")).contains("between two placeholders"));
        assert!(fault("CN={a},O={a}", entry("uid={a},dc=x")).contains("twice"));
        assert!(fault("CN={a}", entry("uid={b},dc=x")).contains("no placeholder {b}"));
        for bad in ["CN={a", "CN={}", "CN=a}", "CN={a b}"] {
            assert!(fault(bad, entry("dc=x")).contains("in braces"), "{bad}");
        }
        assert!(fault("", entry("dc=x")).contains("empty"));
        assert!(fault("CN={a}", entry("{a}")).contains("\"{a}\""));
        assert!(fault("CN={a}", search("(uid={a}")).contains("(uid={a}"));
        assert!(fault("CN={a}", search("(nosuch={a})")).contains("does not know"));
        assert!(fault("CN={a}", search("(userPassword={a})")).contains("secret"));
        assert!(prepared("CN={a}", search("(&(uid={a})(objectClass=person))")).is_ok());
    }

    proptest! {
        #[test]
        fn whatever_a_name_is_it_becomes_one_value(name in "\\PC{0,40}") {
            let schema = Schema::standard();
            let template = Template::parse("uid={a},dc=x").unwrap();
            let whole = format!("CN={name}");
            if let Some(captured) = Template::parse("CN={a}").unwrap().captures(&whole) {
                let dn = Dn::parse(&schema, &template.filled(&captured, dn::escape)).unwrap();
                prop_assert_eq!(dn.depth(), 2);
                prop_assert!(dn.is_within(&Dn::parse(&schema, "dc=x").unwrap()));
                let filter = Template::parse("(uid={a})").unwrap().filled(&captured, escape_in_filter);
                let parsed = Filter::parse(&filter).unwrap();
                prop_assert!(matches!(parsed, Filter::Equality(_)), "{}", filter);
            }
        }
    }
}
