//! What only a schema can tell of a configuration: whether suffixes are names, indexes possible, and rules right.

use std::ops::Range;

use toml::Spanned;

use super::additions::Additions;
use super::raw::RawMapping;
use super::resolve::Faults;
use super::{Config, Fault, access, integrity, mapping};
use crate::access::Rules;
use crate::access::assertion::{Assertion, Extent};
use crate::directory::{Dn, Schema};
use crate::operations::identity_map::MappingText;
use crate::server::Clock;

/// What only a schema can judge, and where in the file it stands.
#[derive(Debug)]
pub(crate) struct Names {
    pub(super) spans: Spans,
    pub(super) map: Vec<Spanned<RawMapping>>,
    pub(super) text: String,
}

/// Where in the file stands what only a schema can judge.
#[derive(Debug)]
pub(crate) struct Spans {
    pub(super) suffixes: Vec<Range<usize>>,
    pub(super) indexes: Vec<Range<usize>>,
    pub(super) rules: Vec<Range<usize>>,
    pub(super) integrity: integrity::Spans,
    pub(super) assertions: Vec<Range<usize>>,
}

/// Checks what only a schema can tell: the one of the configuration if that suffices, or else with what clients have added.
pub(super) fn check_against_schema(config: &mut Config, additions: Additions<'_>, faults: &mut Faults<'_>) {
    let configured = match config.build_schema(Vec::new()) {
        Ok(schema) => schema,
        Err(error) => return faults.add(None, "directory.schema", error.to_string()),
    };
    config.warnings.extend(configured.remarks().iter().cloned());
    let by = |schema: &Schema| Judged::by(schema, config);
    let mut judged = by(&configured);
    if !judged.faults.is_empty() {
        match additions.to(&configured, config) {
            Ok(Some(schema)) => judged = by(&schema),
            // There is no store yet, so nobody has added anything.
            Ok(None) => {}
            Err(error) => judged.note(format!("what clients have added to the schema cannot be read: {error}")),
        }
    }
    faults.list.append(&mut judged.faults);
    config.warnings.append(&mut judged.warnings);
    config.mappings = judged.mappings;
}

/// What is wrong with a configuration by a schema.
pub(super) fn faults(config: &Config, schema: &Schema) -> Vec<String> {
    Judged::by(schema, config).faults.iter().map(ToString::to_string).collect()
}

/// A configuration, by one schema.
struct Judged {
    faults: Vec<Fault>,
    warnings: Vec<String>,
    mappings: Vec<MappingText>,
}

impl Judged {
    fn by(schema: &Schema, config: &Config) -> Self {
        let Names { spans, map, text } = &*config.names;
        let (mut faults, mut warnings) = (Faults::in_text(text), Vec::new());
        let suffixes = suffixes(config, schema, &mut faults);
        for (index, span) in config.indexes.iter().flatten().zip(&spans.indexes) {
            if let Err(error) = index.check(schema) {
                faults.add(Some(span.clone()), "index.attribute", error.to_string());
            }
        }
        for name in config.recovery_attributes.iter().filter(|name| schema.find_attribute_type(name).is_none()) {
            faults.add(None, "password.recovery_attributes", format!("the attribute {name:?} is not in the schema"));
        }
        spans.integrity.check(&config.integrity, schema, &mut faults);
        for (rule, span) in config.rules.iter().zip(&spans.rules) {
            match Rules::prepare(std::slice::from_ref(rule), schema) {
                Ok(prepared) => {
                    warnings.extend(access::ended(&prepared, Clock::default().now()));
                    if let Some(reason) = access::outside(prepared.iter().flat_map(|rule| &rule.to), &suffixes) {
                        faults.add(Some(span.clone()), "access", format!("access rule {:?}: {reason}", rule.name));
                    }
                }
                Err(error) => faults.add(Some(span.clone()), "access", error.to_string()),
            }
        }
        for (assertion, span) in config.assertions.iter().zip(&spans.assertions) {
            match Assertion::prepare_all(std::slice::from_ref(assertion), schema) {
                Ok(prepared) => {
                    let to = prepared.iter().flat_map(|one| &one.to).filter_map(|extent| match extent {
                        Extent::Reach(reach) => Some(reach),
                        Extent::Members(_) => None,
                    });
                    if let Some(reason) = access::outside(to, &suffixes) {
                        faults.add(Some(span.clone()), "assert", reason);
                    }
                }
                Err(error) => faults.add(Some(span.clone()), "assert", error.fault.to_string()),
            }
        }
        let mappings = mapping::mappings(map, schema, &mut faults);
        Self { faults: faults.list, warnings, mappings }
    }

    /// Adds what is to be known of the faults.
    fn note(&mut self, reason: String) {
        self.faults.push(Fault { line: None, key: "directory.data".to_owned(), reason });
    }
}

/// The suffixes. Each of them stands alone.
fn suffixes(config: &Config, schema: &Schema, faults: &mut Faults<'_>) -> Vec<Dn> {
    let mut all: Vec<Dn> = Vec::new();
    for (text, span) in config.suffixes.iter().zip(&config.names.spans.suffixes) {
        let suffix = match Dn::parse(schema, text) {
            Ok(suffix) if suffix.is_root() => {
                Err("is empty: entries are kept below a name, as dc=example,dc=com".to_owned())
            }
            Ok(suffix) => match all.iter().find(|other| suffix.is_within(other) || other.is_within(&suffix)) {
                Some(other) if *other == suffix => Err(format!("{text:?} stands twice")),
                Some(other) => Err(format!(
                    "{text:?} and \"{other}\": one is below the other, so entries would belong to both; name the upper one"
                )),
                None => Ok(suffix),
            },
            Err(error) => Err(format!("{text:?}: {error}")),
        };
        all.extend(faults.keep(span.clone(), "directory.suffix", suffix));
    }
    all
}
