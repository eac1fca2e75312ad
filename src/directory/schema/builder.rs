//! Building a schema from definitions.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::definition::{Definition, DefinitionError};
use super::{
    AttributeSet, AttributeType, AttributeTypeId, ContentRule, DefinitionKind, Extension, MatchingRule, Names,
    ObjectClass, ObjectClassId, ObjectClassKind, RuleKind, Schema, Syntax, Traits, Usage, WellKnown, foreign,
};
use crate::directory::ldif;

/// A definition that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{origin}: {definition}: {kind}")]
pub struct SchemaError {
    /// The file, and the line where that is known.
    pub origin: String,
    /// The name or the beginning of the definition.
    pub definition: String,
    /// What is wrong with it.
    pub kind: SchemaErrorKind,
}

/// What is wrong with a definition.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SchemaErrorKind {
    /// The file is not LDIF.
    #[error("{0}")]
    Ldif(String),
    /// The text is no definition.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// It names something that no definition defines.
    #[error("{0} {1:?} is not defined")]
    Undefined(&'static str, String),
    /// Its number or one of its names is taken.
    #[error("{0:?} is defined already")]
    Taken(String),
    /// A name is malformed.
    #[error("{0:?} is no name: a letter, then letters, digits and hyphens")]
    BadName(String),
    /// An attribute type has neither a syntax nor a supertype.
    #[error("it needs a SYNTAX or a SUP")]
    NoSyntax,
    /// A word has no meaning where it stands.
    #[error("{0:?} is not known here")]
    BadWord(String),
    /// A class derives from one that it may not derive from.
    #[error("a {0} class may not derive from a {1} one")]
    BadSuperclass(&'static str, &'static str),
    /// A content rule is about a class that is not structural.
    #[error("a content rule is about a structural class, and {0:?} is none")]
    NotStructural(String),
    /// A content rule lets entries be of a class that is not auxiliary.
    #[error("AUX lists auxiliary classes, and {0:?} is none")]
    NotAuxiliary(String),
    /// A content rule takes away what must be there.
    #[error("NOT lists {0:?}, which entries of this class must have")]
    Required(String),
    /// There are more definitions than numbers for them.
    #[error("there are too many definitions")]
    TooMany,
}

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

/// A type that no entry has, for numbers out of range.
fn undefined() -> AttributeType {
    AttributeType {
        id: AttributeTypeId(u16::MAX),
        oid: "0.0".into(),
        names: Vec::new(),
        supertype: None,
        equality: None,
        ordering: None,
        substring: None,
        syntax: Syntax::OctetString,
        usage: Usage::DsaOperation,
        traits: Traits::NO_USER_MODIFICATION.and(Traits::SECRET),
        definition: "".into(),
    }
}

/// Gives every type its number and names. Numbers that a store keeps for types which are no longer defined stay free.
fn number_attribute_types(
    sources: &[Source],
    numbering: &HashMap<String, AttributeTypeId>,
    schema: &mut Schema,
) -> Result<(), SchemaError> {
    let mut next = numbering.values().map(|id| id.0 + 1).max().unwrap_or(0);
    for source in sources {
        let id = match numbering.get(&source.definition.oid) {
            Some(id) => *id,
            None if next == u16::MAX => return Err(error(source, SchemaErrorKind::TooMany)),
            None => {
                next += 1;
                AttributeTypeId(next - 1)
            }
        };
        register(&mut schema.attribute_names, source, id)?;
    }
    schema.attribute_types = vec![schema.undefined.clone(); usize::from(next)];
    schema.numbering = numbering.iter().map(|(oid, id)| (*id, oid.as_str().into())).collect();
    for oid in sources.iter().map(|source| &source.definition.oid) {
        if let Some(id) = schema.attribute_names.find(oid) {
            schema.numbering.insert(id, oid.as_str().into());
        }
    }
    Ok(())
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

fn resolve_attribute_types(sources: &[Source], schema: &mut Schema) -> Result<(), SchemaError> {
    let mut pending: Vec<&Source> = sources.iter().collect();
    let mut resolved = vec![false; schema.attribute_types.len()];
    while !pending.is_empty() {
        let before = pending.len();
        let mut waiting = Vec::new();
        for source in pending {
            let supertype = supertype(source, schema)?;
            if supertype.is_some_and(|id| resolved.get(id.index()) == Some(&false)) {
                waiting.push(source);
                continue;
            }
            let attribute = attribute_type(source, supertype, schema).map_err(|kind| error(source, kind))?;
            let place = attribute.id.index();
            if let (Some(slot), Some(done)) = (schema.attribute_types.get_mut(place), resolved.get_mut(place)) {
                *slot = attribute;
                *done = true;
            }
        }
        if let (Some(source), true) = (waiting.first(), waiting.len() == before) {
            let sup = source.definition.one("SUP").unwrap_or_default().to_owned();
            return Err(error(source, SchemaErrorKind::Undefined("the supertype (they form a circle)", sup)));
        }
        pending = waiting;
    }
    Ok(())
}

fn supertype(source: &Source, schema: &Schema) -> Result<Option<AttributeTypeId>, SchemaError> {
    let Some(name) = source.definition.one("SUP") else { return Ok(None) };
    let id = schema.attribute_names.find(name);
    id.map(Some).ok_or_else(|| error(source, SchemaErrorKind::Undefined("the supertype", name.to_owned())))
}

fn attribute_type(
    source: &Source,
    supertype: Option<AttributeTypeId>,
    schema: &Schema,
) -> Result<AttributeType, SchemaErrorKind> {
    let definition = &source.definition;
    let parent = supertype.map(|id| schema.attribute_type(id));
    let syntax = match definition.syntax() {
        Some((oid, _)) => Syntax::find(oid).ok_or_else(|| SchemaErrorKind::Undefined("the syntax", oid.to_owned()))?,
        None => parent.map(|parent| parent.syntax).ok_or(SchemaErrorKind::NoSyntax)?,
    };
    let usage = match definition.one("USAGE") {
        Some(word) => Usage::parse(word).ok_or_else(|| SchemaErrorKind::BadWord(word.to_owned()))?,
        None => Usage::default(),
    };
    let inherits_secret = parent.is_some_and(AttributeType::is_secret);
    let traits = [
        (Traits::SINGLE_VALUE, definition.has("SINGLE-VALUE")),
        (Traits::COLLECTIVE, definition.has("COLLECTIVE")),
        (Traits::NO_USER_MODIFICATION, definition.has("NO-USER-MODIFICATION")),
        (Traits::OBSOLETE, definition.has("OBSOLETE")),
        (Traits::SECRET, definition.is_marked("X-SECRET") || inherits_secret),
    ];
    let traits = traits.into_iter().filter(|(_, holds)| *holds).fold(Traits::default(), |all, (one, _)| all.and(one));
    Ok(AttributeType {
        id: schema.attribute_names.find(&definition.oid).unwrap_or(schema.undefined.id),
        oid: definition.oid.as_str().into(),
        names: names(definition),
        supertype,
        equality: rule(definition, "EQUALITY", RuleKind::Equality)?.or_else(|| parent?.equality),
        ordering: rule(definition, "ORDERING", RuleKind::Ordering)?.or_else(|| parent?.ordering),
        substring: rule(definition, "SUBSTR", RuleKind::Substring)?.or_else(|| parent?.substring),
        syntax,
        usage,
        traits,
        definition: source.text.as_str().into(),
    })
}

fn names(definition: &Definition) -> Vec<Box<str>> {
    definition.all("NAME").iter().map(|name| name.as_str().into()).collect()
}

fn rule(definition: &Definition, keyword: &str, kind: RuleKind) -> Result<Option<MatchingRule>, SchemaErrorKind> {
    let Some(name) = definition.one(keyword) else { return Ok(None) };
    match MatchingRule::find(name) {
        Some(rule) if rule.kind() == kind => Ok(Some(rule)),
        _ => Err(SchemaErrorKind::Undefined("the matching rule", name.to_owned())),
    }
}

fn collect_sets(schema: &mut Schema) {
    let mut subtypes = vec![Vec::new(); schema.attribute_types.len()];
    for attribute in schema.attribute_types.iter().filter(|attribute| attribute.id != schema.undefined.id) {
        let mut above = Some(attribute.id);
        while let Some(id) = above {
            if let Some(list) = subtypes.get_mut(id.index()) {
                list.push(attribute.id);
            }
            above = schema.attribute_type(id).supertype;
        }
    }
    for (index, list) in (0..).zip(&mut subtypes) {
        list.sort_by_key(|id| id.0 != index);
    }
    let with = |wanted: fn(&AttributeType) -> bool| {
        schema.attribute_types.iter().filter(|attribute| wanted(attribute)).map(|attribute| attribute.id).collect()
    };
    let operational: AttributeSet = with(|attribute| attribute.usage.is_operational());
    let secret: AttributeSet = with(AttributeType::is_secret);
    let collective: AttributeSet = with(|attribute| attribute.traits.has(Traits::COLLECTIVE));
    schema.collective = collective;
    schema.all = AttributeSet::first(schema.attribute_types.len());
    schema.user = schema.all.clone();
    schema.user.subtract(&operational);
    schema.subtypes = subtypes;
    schema.operational = operational;
    schema.secret = secret;
    let base = Arc::clone(&schema.base);
    let own = schema.attribute_types.iter().filter(|one| !one.definition.is_empty() && !base.defines(&one.oid));
    schema.extended_by = own.map(|attribute| attribute.id).collect();
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

/// Orders object classes so that each stands behind those that it derives from; `names` has those that came before.
fn in_order(sources: Vec<Source>, names: &mut Names<()>) -> Result<Vec<Source>, SchemaError> {
    let mut ordered = Vec::new();
    let mut pending = sources;
    while !pending.is_empty() {
        let before = pending.len();
        let (ready, waiting): (Vec<_>, Vec<_>) = pending
            .into_iter()
            .partition(|source| source.definition.all("SUP").iter().all(|name| names.find(name).is_some()));
        if let (Some(source), true) = (waiting.first(), waiting.len() == before) {
            let missing = source.definition.all("SUP").iter().find(|name| names.find(name).is_none());
            let kind = SchemaErrorKind::Undefined("the object class", missing.cloned().unwrap_or_default());
            return Err(error(source, kind));
        }
        for source in ready {
            for name in source.definition.all("NAME").iter().chain([&source.definition.oid]) {
                names.insert(name, ());
            }
            ordered.push(source);
        }
        pending = waiting;
    }
    Ok(ordered)
}

fn object_class(source: &Source, schema: &Schema) -> Result<ObjectClass, SchemaErrorKind> {
    let definition = &source.definition;
    let kind = match (definition.has("ABSTRACT"), definition.has("AUXILIARY")) {
        (true, _) => ObjectClassKind::Abstract,
        (_, true) => ObjectClassKind::Auxiliary,
        _ => ObjectClassKind::Structural,
    };
    let id = ObjectClassId(u16::try_from(schema.object_classes.len()).map_err(|_| SchemaErrorKind::TooMany)?);
    let mut lineage = vec![id];
    let mut must = attributes(definition, "MUST", schema)?;
    let mut may = attributes(definition, "MAY", schema)?;
    for name in definition.all("SUP") {
        let parent = schema
            .find_object_class(name)
            .ok_or_else(|| SchemaErrorKind::Undefined("the object class", name.clone()))?;
        if !may_derive(kind, parent.kind) {
            return Err(SchemaErrorKind::BadSuperclass(kind.word(), parent.kind.word()));
        }
        lineage.extend(&parent.lineage);
        must.extend(&parent.must);
        may.extend(&parent.may);
    }
    Ok(ObjectClass {
        id,
        oid: definition.oid.as_str().into(),
        names: names(definition),
        kind,
        lineage: unique(lineage),
        must: unique(must),
        may: unique(may),
        structural_when_alone: definition.is_marked("X-STRUCTURAL-WHEN-ALONE"),
        definition: source.text.as_str().into(),
    })
}

fn content_rule(source: &Source, schema: &Schema) -> Result<ContentRule, SchemaErrorKind> {
    let definition = &source.definition;
    let find = |name: &str| {
        schema.find_object_class(name).ok_or_else(|| SchemaErrorKind::Undefined("the object class", name.to_owned()))
    };
    let class = find(&definition.oid)?;
    if class.kind != ObjectClassKind::Structural && !class.structural_when_alone {
        return Err(SchemaErrorKind::NotStructural(class.name().to_owned()));
    }
    let mut aux = Vec::new();
    for name in definition.all("AUX") {
        let auxiliary = find(name)?;
        if auxiliary.kind != ObjectClassKind::Auxiliary {
            return Err(SchemaErrorKind::NotAuxiliary(name.clone()));
        }
        aux.extend(&auxiliary.lineage);
    }
    let must = attributes(definition, "MUST", schema)?;
    let not = attributes(definition, "NOT", schema)?;
    if let Some(required) = not.iter().find(|id| class.must.contains(id) || must.contains(id)) {
        return Err(SchemaErrorKind::Required(schema.attribute_type(*required).name().to_owned()));
    }
    Ok(ContentRule {
        class: class.id,
        names: names(definition),
        aux: unique(aux),
        must,
        may: attributes(definition, "MAY", schema)?,
        not,
        definition: source.text.as_str().into(),
    })
}

/// RFC 4512 §2.4.
const fn may_derive(kind: ObjectClassKind, parent: ObjectClassKind) -> bool {
    match parent {
        ObjectClassKind::Abstract => true,
        ObjectClassKind::Structural => matches!(kind, ObjectClassKind::Structural),
        ObjectClassKind::Auxiliary => matches!(kind, ObjectClassKind::Auxiliary),
    }
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
