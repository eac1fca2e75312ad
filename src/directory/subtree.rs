//! Subtree specifications (RFC 3672 §2.1): which entries below an administrative point something is about.

use super::schema::{ObjectClassId, Schema};
use super::{Dn, Entry};

/// Which entries below an administrative point something is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SubtreeSpecification {
    /// The name of the topmost entry, below the administrative point; empty for that itself.
    base: String,
    /// What is cut off, by names below the base.
    exclusions: Vec<Exclusion>,
    /// So many levels below the base it begins.
    minimum: usize,
    /// So many levels below the base it ends.
    maximum: Option<usize>,
    /// Which entries of these, by their classes.
    refinement: Option<Refinement>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Exclusion {
    /// The entry and all below it.
    Before(String),
    /// All below the entry.
    After(String),
}

/// A test of object classes.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Refinement {
    Class(ObjectClassId),
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
}

/// A text that is no subtree specification.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SubtreeError {
    /// Something else stands where it was expected.
    #[error("{0} is expected at {1:?}")]
    Expected(&'static str, String),
    /// A part has no such name.
    #[error("{0:?} is no part of a subtree specification")]
    UnknownPart(String),
    /// A name in it is none.
    #[error("{0:?} is no name")]
    BadName(String),
    /// The schema does not define an object class.
    #[error("the object class {0:?} is not in the schema")]
    UndefinedClass(String),
    /// Refinements stand in each other too deep.
    #[error("refinements are nested too deep")]
    TooDeep,
}

/// Refinements may stand in each other so deep.
const MOST_DEPTH: usize = 32;

impl SubtreeSpecification {
    /// Reads `{ base "ou=people", minimum 1 }` and the like.
    pub fn parse(schema: &Schema, text: &str) -> Result<Self, SubtreeError> {
        let mut reader = Reader { rest: text, schema };
        let mut read =
            Self { base: String::new(), exclusions: Vec::new(), minimum: 0, maximum: None, refinement: None };
        reader.list(|reader| {
            match reader.word() {
                "base" => read.base = reader.name()?,
                "specificExclusions" => reader.list(|reader| {
                    read.exclusions.push(reader.exclusion()?);
                    Ok(())
                })?,
                "minimum" => read.minimum = reader.number()?,
                "maximum" => read.maximum = Some(reader.number()?),
                "specificationFilter" => read.refinement = Some(reader.refinement(0)?),
                other => return Err(SubtreeError::UnknownPart(other.to_owned())),
            }
            Ok(())
        })?;
        reader.skip();
        if reader.rest.is_empty() { Ok(read) } else { Err(reader.expected("the end")) }
    }

    /// Whether an entry is meant, seen from the administrative point.
    pub fn holds(&self, point: &Dn, dn: &Dn, entry: &Entry, schema: &Schema) -> bool {
        let Some(base) = below(schema, &self.base, point).filter(|base| dn.is_within(base)) else { return false };
        let depth = dn.depth() - base.depth();
        let is_deep = depth >= self.minimum && self.maximum.is_none_or(|maximum| depth <= maximum);
        let cut = |exclusion: &Exclusion| exclusion.cuts(&base, dn, schema);
        is_deep
            && !self.exclusions.iter().any(cut)
            && self.refinement.as_ref().is_none_or(|refinement| refinement.matches(entry, schema))
    }
}

impl Exclusion {
    fn cuts(&self, base: &Dn, dn: &Dn, schema: &Schema) -> bool {
        match self {
            Self::Before(name) => below(schema, name, base).is_some_and(|top| dn.is_within(&top)),
            Self::After(name) => below(schema, name, base).is_some_and(|top| dn.is_within(&top) && *dn != top),
        }
    }
}

impl Refinement {
    fn matches(&self, entry: &Entry, schema: &Schema) -> bool {
        match self {
            Self::Class(class) => entry.values(schema.known().object_class).any(|value| {
                let own = std::str::from_utf8(value).ok().and_then(|name| schema.find_object_class(name));
                own.is_some_and(|own| own.is_or_derives_from(*class))
            }),
            Self::And(all) => all.iter().all(|one| one.matches(entry, schema)),
            Self::Or(any) => any.iter().any(|one| one.matches(entry, schema)),
            Self::Not(inner) => !inner.matches(entry, schema),
        }
    }
}

/// A local name, seen from the entry that it is local to.
fn below(schema: &Schema, local: &str, above: &Dn) -> Option<Dn> {
    match (local.is_empty(), above.is_root()) {
        (true, _) => Some(above.clone()),
        (false, true) => Dn::parse(schema, local).ok(),
        (false, false) => Dn::parse(schema, &format!("{local},{above}")).ok(),
    }
}

struct Reader<'t> {
    rest: &'t str,
    schema: &'t Schema,
}

impl<'t> Reader<'t> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    fn take(&mut self, token: char) -> bool {
        self.skip();
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn require(&mut self, token: char, what: &'static str) -> Result<(), SubtreeError> {
        if self.take(token) { Ok(()) } else { Err(self.expected(what)) }
    }

    fn expected(&self, what: &'static str) -> SubtreeError {
        SubtreeError::Expected(what, self.rest.chars().take(20).collect())
    }

    /// `{ item, item }`
    fn list(&mut self, mut item: impl FnMut(&mut Self) -> Result<(), SubtreeError>) -> Result<(), SubtreeError> {
        self.require('{', "{")?;
        if self.take('}') {
            return Ok(());
        }
        loop {
            item(self)?;
            if !self.take(',') {
                return self.require('}', "} or a comma");
            }
        }
    }

    /// Letters, digits, dots and hyphens; perhaps none.
    fn word(&mut self) -> &'t str {
        self.skip();
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        word
    }

    fn number(&mut self) -> Result<usize, SubtreeError> {
        let fault = self.expected("a number");
        self.word().parse::<u32>().map(|number| number as usize).map_err(|_| fault)
    }

    /// A name in quotes; a quote in it stands twice.
    fn name(&mut self) -> Result<String, SubtreeError> {
        self.require('"', "a name in quotes")?;
        let mut name = String::new();
        loop {
            let (part, rest) = self.rest.split_once('"').ok_or_else(|| self.expected("a quote behind the name"))?;
            name.push_str(part);
            self.rest = rest;
            match self.rest.strip_prefix('"') {
                Some(rest) => {
                    name.push('"');
                    self.rest = rest;
                }
                None => break,
            }
        }
        if Dn::parse(self.schema, &name).is_err() {
            return Err(SubtreeError::BadName(name));
        }
        Ok(name)
    }

    fn exclusion(&mut self) -> Result<Exclusion, SubtreeError> {
        let kind = self.word();
        self.require(':', ":")?;
        match kind {
            "chopBefore" => self.name().map(Exclusion::Before),
            "chopAfter" => self.name().map(Exclusion::After),
            other => Err(SubtreeError::UnknownPart(other.to_owned())),
        }
    }

    fn refinement(&mut self, depth: usize) -> Result<Refinement, SubtreeError> {
        if depth > MOST_DEPTH {
            return Err(SubtreeError::TooDeep);
        }
        let kind = self.word();
        self.require(':', ":")?;
        match kind {
            "item" => {
                let name = self.word();
                let class = self.schema.find_object_class(name);
                class
                    .map(|class| Refinement::Class(class.id))
                    .ok_or_else(|| SubtreeError::UndefinedClass(name.to_owned()))
            }
            "and" => self.refinements(depth).map(Refinement::And),
            "or" => self.refinements(depth).map(Refinement::Or),
            "not" => self.refinement(depth + 1).map(|inner| Refinement::Not(Box::new(inner))),
            other => Err(SubtreeError::UnknownPart(other.to_owned())),
        }
    }

    fn refinements(&mut self, depth: usize) -> Result<Vec<Refinement>, SubtreeError> {
        let mut all = Vec::new();
        self.list(|reader| {
            all.push(reader.refinement(depth + 1)?);
            Ok(())
        })?;
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::directory::Attributes;

    fn entry(classes: &[&str]) -> Entry {
        let schema = Schema::standard();
        let mut attributes = Attributes::new();
        let classes = classes.iter().map(|class| class.as_bytes().to_vec()).collect();
        attributes.set(schema.known().object_class, classes);
        Entry::encode(&attributes, &schema)
    }

    fn holds(specification: &str, name: &str) -> bool {
        let schema = Schema::standard();
        let dn = |text: &str| Dn::parse(&schema, text).unwrap();
        let read = SubtreeSpecification::parse(&schema, specification).unwrap();
        read.holds(&dn("dc=example"), &dn(name), &entry(&["top", "inetOrgPerson"]), &schema)
    }

    #[test]
    fn the_examples_of_rfc_3672_hold() {
        assert!(holds("{}", "dc=example") && holds("{ }", "uid=a,ou=b,dc=example") && !holds("{}", "dc=other"));
        let people = "{ base \"ou=people\" }";
        assert!(holds(people, "ou=People,dc=example") && holds(people, "uid=a,ou=people,dc=example"));
        assert!(!holds(people, "dc=example") && !holds(people, "ou=groups,dc=example"));
    }

    #[test]
    fn levels_are_counted_from_the_base() {
        let some = "{ base \"ou=a\", minimum 1, maximum 2 }";
        let at =
            ["ou=a,dc=example", "ou=1,ou=a,dc=example", "ou=2,ou=1,ou=a,dc=example", "ou=3,ou=2,ou=1,ou=a,dc=example"];
        assert_eq!(at.map(|name| holds(some, name)), [false, true, true, false]);
    }

    #[test]
    fn branches_are_cut_off() {
        let cut = "{specificExclusions { chopBefore:\"ou=x\", chopAfter:\"ou=y,ou=z\" }}";
        for (name, is_held) in [
            ("ou=x,dc=example", false),
            ("uid=a,ou=x,dc=example", false),
            ("ou=y,ou=z,dc=example", true),
            ("uid=a,ou=y,ou=z,dc=example", false),
            ("ou=z,dc=example", true),
        ] {
            assert_eq!(holds(cut, name), is_held, "{name}");
        }
    }

    #[test]
    fn classes_refine_it() {
        let refined = |refinement: &str| holds(&format!("{{ specificationFilter {refinement} }}"), "dc=example");
        assert!(refined("item:person") && refined("item:2.5.6.6") && !refined("item:account"));
        assert!(refined("and:{ item:person, not:item:account }") && !refined("and:{item:person, item:account}"));
        assert!(refined("or:{ item:account, item:person }") && !refined("or:{}") && refined("and:{}"));
    }

    #[test]
    fn what_is_no_specification_is_refused() {
        let schema = Schema::standard();
        for bad in [
            "",
            "{",
            "}",
            "{} x",
            "{ base ou=x }",
            "{ base \"x\" }",
            "{ base \"ou=x }",
            "{ minimum -1 }",
            "{ minimum }",
            "{ maximum 1 minimum 2 }",
            "{ other 1 }",
            "{ specificExclusions { chop:\"ou=x\" } }",
            "{ specificationFilter item:nosuch }",
            "{ specificationFilter person }",
            "{ base \"ou=x\", }",
        ] {
            assert!(SubtreeSpecification::parse(&schema, bad).is_err(), "{bad}");
        }
        let deep = format!("{{ specificationFilter {}item:top }}", "not:".repeat(100_000));
        assert_eq!(SubtreeSpecification::parse(&schema, &deep), Err(SubtreeError::TooDeep));
    }

    /// Writes one as RFC 3672 has it.
    fn write(read: &SubtreeSpecification, schema: &Schema) -> String {
        fn refinement(one: &Refinement, schema: &Schema) -> String {
            let list = |all: &[Refinement]| all.iter().map(|one| refinement(one, schema)).collect::<Vec<_>>().join(",");
            match one {
                Refinement::Class(class) => format!("item:{}", schema.object_class(*class).unwrap().oid),
                Refinement::And(all) => format!("and:{{{}}}", list(all)),
                Refinement::Or(any) => format!("or:{{{}}}", list(any)),
                Refinement::Not(inner) => format!("not:{}", refinement(inner, schema)),
            }
        }
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let exclusion = |one: &Exclusion| match one {
            Exclusion::Before(name) => format!("chopBefore:{}", quoted(name)),
            Exclusion::After(name) => format!("chopAfter:{}", quoted(name)),
        };
        let exclusions = read.exclusions.iter().map(exclusion).collect::<Vec<_>>().join(" , ");
        let mut parts = vec![format!("base {}", quoted(&read.base)), format!("specificExclusions {{ {exclusions} }}")];
        parts.push(format!("minimum {}", read.minimum));
        parts.extend(read.maximum.map(|maximum| format!("maximum {maximum}")));
        parts.extend(read.refinement.as_ref().map(|one| format!("specificationFilter {}", refinement(one, schema))));
        format!("{{ {} }}", parts.join(", "))
    }

    fn any_refinement() -> impl Strategy<Value = Refinement> {
        let class = (0_u16..40).prop_map(|number| Refinement::Class(ObjectClassId(number)));
        class.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Refinement::And),
                prop::collection::vec(inner.clone(), 0..3).prop_map(Refinement::Or),
                inner.prop_map(|inner| Refinement::Not(Box::new(inner))),
            ]
        })
    }

    fn any_specification() -> impl Strategy<Value = SubtreeSpecification> {
        let name = || prop_oneof![Just(String::new()), "ou=[a-z]{1,3}", "cn=[a-z]\\\\\"[a-z],ou=[a-z]"];
        let exclusion = prop_oneof![name().prop_map(Exclusion::Before), name().prop_map(Exclusion::After)];
        let exclusions = prop::collection::vec(exclusion, 0..3);
        let levels = (0_usize..5, prop::option::of(0_usize..5));
        (name(), exclusions, levels, prop::option::of(any_refinement())).prop_map(
            |(base, exclusions, (minimum, maximum), refinement)| SubtreeSpecification {
                base,
                exclusions,
                minimum,
                maximum,
                refinement,
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(read in any_specification()) {
            let schema = Schema::standard();
            let text = write(&read, &schema);
            prop_assert_eq!(SubtreeSpecification::parse(&schema, &text), Ok(read), "{}", text);
        }

        #[test]
        fn no_text_brings_it_down(text in "[{}:,\" a-z=0-9]{0,60}") {
            let _ = SubtreeSpecification::parse(&Schema::standard(), &text);
        }
    }
}
