//! Building a schema from definitions.

mod attribute_types;
mod content_rules;
mod error;
mod object_classes;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub use error::{SchemaError, SchemaErrorKind};

use super::definition::Definition;
use super::{AttributeSet, AttributeTypeId, DefinitionKind, Extension, Names, Schema, WellKnown, foreign};
use crate::directory::ldif;
use attribute_types::{collect_sets, number_attribute_types, resolve_attribute_types, undefined};
use content_rules::content_rule;
use object_classes::{in_order, object_class};

#[derive(Clone, Debug)]
struct Source {
    origin: String,
    text: String,
    definition: Definition,
}

/// Collects definitions and builds a [`Schema`] from them.
#[derive(Clone, Debug, Default)]
pub struct SchemaBuilder {
    pub(super) numbering: HashMap<String, AttributeTypeId>,
    attribute_types: Vec<Source>,
    object_classes: Vec<Source>,
    content_rules: Vec<Source>,
    remarks: Vec<String>,
}

impl SchemaBuilder {
    /// Starts without any definition.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives attribute types the numbers that a store has kept for them.
    #[must_use]
    pub fn with_numbering(mut self, numbering: impl IntoIterator<Item = (String, AttributeTypeId)>) -> Self {
        self.numbering.extend(numbering);
        self
    }

    /// Adds the files that are built into the binary.
    pub fn add_standard(mut self) -> Result<Self, SchemaError> {
        for (name, text) in super::standard::FILES {
            self = self.add_ldif(name, text)?;
        }
        Ok(self)
    }

    /// Adds the `attributeTypes`, `objectClasses` and `dITContentRules` values of an LDIF file of our own; `origin` stands in messages.
    pub fn add_ldif(mut self, origin: &str, text: &str) -> Result<Self, SchemaError> {
        for record in ldif::Reader::new(text.as_bytes()) {
            let record = record.map_err(|error| SchemaError {
                origin: origin.to_owned(),
                definition: "the file".to_owned(),
                kind: SchemaErrorKind::Ldif(error.to_string()),
            })?;
            let origin = format!("{origin}, line {}", record.line);
            for (name, value) in record.attributes() {
                let text = String::from_utf8_lossy(value);
                match name.to_ascii_lowercase().as_str() {
                    "attributetypes" => self.add_attribute_type(&origin, &text)?,
                    "objectclasses" => self.add_object_class(&origin, &text)?,
                    "ditcontentrules" => self.content_rules.push(source(&origin, &text)?),
                    _ => {}
                }
            }
        }
        Ok(self)
    }

    /// Adds a file of somebody else, as LDIF or as a `.schema` file of OpenLDAP. What is defined already stays as it is,
    /// since the files of other servers repeat the standards.
    pub fn add_foreign(mut self, origin: &str, text: &str) -> Result<Self, SchemaError> {
        let definitions = foreign::definitions(text).map_err(|kind| SchemaError {
            origin: origin.to_owned(),
            definition: "the file".to_owned(),
            kind,
        })?;
        for found in definitions {
            let origin = format!("{origin}, line {}", found.line);
            let mut source = source(&origin, &found.text)?;
            if foreign::is_secret(source.definition.all("NAME")) && !source.definition.is_marked("X-SECRET") {
                source = self::source(&origin, &foreign::marked_as_secret(&found.text))?;
            }
            if found.kind == foreign::Kind::AttributeType
                && let Some((unknown, text)) = foreign::unknown_syntax(&found.text, &source.definition)
            {
                let label = source.definition.label();
                self.remarks.push(format!(
                    "{origin}: {label}: the syntax {unknown} is not known here, so its values are taken as octets"
                ));
                source = self::source(&origin, &text)?;
            }
            let all = match found.kind {
                foreign::Kind::AttributeType => &mut self.attribute_types,
                foreign::Kind::ObjectClass => &mut self.object_classes,
                foreign::Kind::ContentRule => &mut self.content_rules,
                foreign::Kind::Other(what) => {
                    if !foreign::is_built_in(&source.definition.oid) {
                        let label = source.definition.label();
                        self.remarks.push(format!(
                            "{origin}: the {what} {label} is left out: there are no others here than those built in"
                        ));
                    }
                    continue;
                }
            };
            if all.iter().all(|other| other.definition.oid != source.definition.oid) {
                all.push(source);
            }
        }
        Ok(self)
    }

    /// Adds one attribute type.
    pub fn add_attribute_type(&mut self, origin: &str, text: &str) -> Result<(), SchemaError> {
        self.attribute_types.push(source(origin, text)?);
        Ok(())
    }

    /// Adds one object class.
    pub fn add_object_class(&mut self, origin: &str, text: &str) -> Result<(), SchemaError> {
        self.object_classes.push(source(origin, text)?);
        Ok(())
    }

    /// Whether it has a definition of that number.
    pub(super) fn defines(&self, oid: &str) -> bool {
        self.attribute_types.iter().chain(&self.object_classes).any(|source| source.definition.oid == oid)
    }

    /// Whether it has a content rule of that number.
    pub(super) fn has_content_rule(&self, oid: &str) -> bool {
        self.content_rules.iter().any(|source| source.definition.oid == oid)
    }

    /// Resolves what the definitions say about each other.
    pub fn build(self) -> Result<Schema, SchemaError> {
        Self::build_extended(&Arc::new(self), Extension::default())
    }

    /// The same with what the directory itself adds. Numbers are given to that last, so that it disturbs none.
    pub(super) fn build_extended(base: &Arc<Self>, extension: Extension) -> Result<Schema, SchemaError> {
        let added = |texts: &[String]| texts.iter().map(|text| source(EXTENSION, text)).collect::<Result<Vec<_>, _>>();
        let [added_types, added_classes, added_rules] = [
            added(extension.texts(DefinitionKind::AttributeType))?,
            added(extension.texts(DefinitionKind::ObjectClass))?,
            added(extension.texts(DefinitionKind::ContentRule))?,
        ];
        let mut schema = Schema {
            attribute_types: Vec::new(),
            undefined: undefined(),
            attribute_names: Names::default(),
            subtypes: Vec::new(),
            object_classes: Vec::new(),
            class_names: Names::default(),
            content_rules: Vec::new(),
            remarks: base.remarks.clone(),
            known: WellKnown::default(),
            all: AttributeSet::EMPTY,
            user: AttributeSet::EMPTY,
            operational: AttributeSet::EMPTY,
            secret: AttributeSet::EMPTY,
            derived: AttributeSet::EMPTY,
            beside: AttributeSet::EMPTY,
            collective: AttributeSet::EMPTY,
            extended_by: AttributeSet::EMPTY,
            numbering: BTreeMap::new(),
            base: Arc::clone(base),
            extension,
        };
        let types = [base.attribute_types.clone(), added_types].concat();
        number_attribute_types(&types, &base.numbering, &mut schema)?;
        resolve_attribute_types(&types, &mut schema)?;
        collect_sets(&mut schema);
        let mut names = Names::default();
        for sources in [base.object_classes.clone(), added_classes] {
            for source in in_order(sources, &mut names)? {
                let class = object_class(&source, &schema).map_err(|kind| error(&source, kind))?;
                register(&mut schema.class_names, &source, class.id)?;
                schema.object_classes.push(class);
            }
        }
        for source in base.content_rules.iter().chain(&added_rules) {
            let rule = content_rule(source, &schema).map_err(|kind| error(source, kind))?;
            if schema.content_rule(rule.class).is_some() {
                return Err(error(source, SchemaErrorKind::Taken(source.definition.oid.clone())));
            }
            // A rule that is obsolete governs nobody (RFC 4512 §4.1.6).
            schema.content_rules.extend((!source.definition.has("OBSOLETE")).then_some(rule));
        }
        schema.known = WellKnown::find(&schema).map_err(|name| SchemaError {
            origin: "the schema".to_owned(),
            definition: name.to_owned(),
            kind: SchemaErrorKind::Undefined("the attribute type", name.to_owned()),
        })?;
        note_derived(&mut schema);
        Ok(schema)
    }
}

/// Where definitions stand, in messages, that the directory itself adds.
const EXTENSION: &str = "cn=Subschema";

fn source(origin: &str, text: &str) -> Result<Source, SchemaError> {
    let definition = Definition::parse(text).map_err(|kind| SchemaError {
        origin: origin.to_owned(),
        definition: text.chars().take(60).collect(),
        kind: kind.into(),
    })?;
    Ok(Source { origin: origin.to_owned(), text: text.to_owned(), definition })
}

fn error(source: &Source, kind: SchemaErrorKind) -> SchemaError {
    SchemaError { origin: source.origin.clone(), definition: source.definition.label().to_owned(), kind }
}

fn register<T: Copy + PartialEq>(names: &mut Names<T>, source: &Source, id: T) -> Result<(), SchemaError> {
    let all = source.definition.all("NAME").iter();
    if let Some(bad) = all.clone().find(|name| !is_name(name)) {
        return Err(error(source, SchemaErrorKind::BadName(bad.clone())));
    }
    for name in all.chain([&source.definition.oid]) {
        if names.insert(name, id).is_some_and(|taken| taken != id || *name == source.definition.oid) {
            return Err(error(source, SchemaErrorKind::Taken(name.clone())));
        }
    }
    Ok(())
}

/// A `descr` (RFC 4512 §1.4).
fn is_name(name: &str) -> bool {
    let tail = name.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
    tail && name.starts_with(|first: char| first.is_ascii_alphabetic())
}

fn names(definition: &Definition) -> Vec<Box<str>> {
    definition.all("NAME").iter().map(|name| name.as_str().into()).collect()
}

/// Notes what entries show that is not stored in them.
fn note_derived(schema: &mut Schema) {
    let known = &schema.known;
    let derived: AttributeSet = known.derived().into_iter().collect();
    let mut beside: AttributeSet = known.credentials().into_iter().collect();
    beside.subtract(&schema.secret);
    beside.union(&derived);
    (schema.derived, schema.beside) = (derived, beside);
}

fn attributes(
    definition: &Definition,
    keyword: &str,
    schema: &Schema,
) -> Result<Vec<AttributeTypeId>, SchemaErrorKind> {
    let find = |name: &String| {
        schema.attribute_names.find(name).ok_or_else(|| SchemaErrorKind::Undefined("the attribute type", name.clone()))
    };
    definition.all(keyword).iter().map(find).collect()
}

fn unique<T: Copy + PartialEq>(list: Vec<T>) -> Vec<T> {
    let mut seen = Vec::with_capacity(list.len());
    for item in list {
        if !seen.contains(&item) {
            seen.push(item);
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::schema::MatchingRule;

    fn build(ldif: &str) -> Result<Schema, SchemaError> {
        SchemaBuilder::new().add_standard()?.add_ldif("own.ldif", &format!("dn: cn=schema\n{ldif}\n"))?.build()
    }

    fn fault(ldif: &str) -> String {
        build(ldif).unwrap_err().to_string()
    }

    #[test]
    fn a_file_of_ones_own_extends_the_schema() {
        let schema = build(
            "attributeTypes: ( 1.1.1 NAME 'badge' SUP name SINGLE-VALUE )\n\
             objectClasses: ( 1.1.2 NAME 'badged' SUP person STRUCTURAL MUST badge )",
        )
        .unwrap();
        let badge = schema.find_attribute_type("BADGE").unwrap();
        assert_eq!(badge.equality, Some(MatchingRule::CaseIgnore));
        let name = schema.find_attribute_type("name").unwrap();
        assert!(schema.subtypes(name.id).contains(&badge.id));
        let badged = schema.find_object_class("badged").unwrap();
        assert!(badged.must.contains(&schema.find_attribute_type("sn").unwrap().id));
    }

    #[test]
    fn faults_name_the_file_the_definition_and_the_reason() {
        let text = fault("attributeTypes: ( 1.1.1 NAME 'badge' SUP nosuch )");
        assert_eq!(text, "own.ldif, line 1: badge: the supertype \"nosuch\" is not defined");
        assert!(fault("attributeTypes: ( 1.1.1 NAME 'cn' SUP name )").contains("\"cn\" is defined already"));
        assert!(fault("attributeTypes: ( 1.1.1 NAME 'x_y' SUP name )").contains("is no name"));
        assert!(fault("attributeTypes: ( 1.1.1 NAME 'x' )").contains("SYNTAX or a SUP"));
        assert!(fault("attributeTypes: ( 1.1.1 NAME 'x' SYNTAX 1.2.3 )").contains("the syntax \"1.2.3\""));
        assert!(
            fault("attributeTypes: ( 1.1.1 NAME 'x' EQUALITY x SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )")
                .contains("matching rule")
        );
        assert!(fault("attributeTypes: ( 1.1.1 NAME 'x' SUP x )").contains("circle"));
        assert!(fault("objectClasses: ( 1.1.1 NAME 'x' SUP nosuch )").contains("nosuch"));
        assert!(fault("objectClasses: ( 1.1.1 NAME 'x' SUP person AUXILIARY )").contains("may not derive"));
        assert!(fault("objectClasses: ( 1.1.1 NAME 'x' MUST nosuch )").contains("nosuch"));
    }

    #[test]
    fn kept_numbers_stay_and_new_types_come_behind_them() {
        let kept = [("2.5.4.3".to_owned(), AttributeTypeId(900)), ("9.9.9".to_owned(), AttributeTypeId(901))];
        let schema = SchemaBuilder::new().with_numbering(kept).add_standard().unwrap().build().unwrap();
        assert_eq!(schema.find_attribute_type("cn").unwrap().id, AttributeTypeId(900));
        assert!(schema.find_attribute_type("sn").unwrap().id.0 > 901);
        assert_eq!(schema.attribute_type(AttributeTypeId(901)).oid.as_ref(), "0.0");
    }
}
