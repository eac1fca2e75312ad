//! Whether an entry conforms to the schema (RFC 4512 §2.4, §3.3).

use std::collections::HashSet;

use super::{
    AttributeSet, AttributeType, AttributeTypeId, ContentRule, ObjectClass, ObjectClassId, ObjectClassKind, Schema,
};
use crate::directory::subtree::{SubtreeError, SubtreeSpecification};
use crate::directory::{Attribute, Attributes, Entry, Rdn};

/// How an entry breaks the schema.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Violation {
    /// It has no `objectClass`.
    #[error("the entry has no objectClass")]
    NoObjectClass,
    /// An `objectClass` value names no class.
    #[error("the object class {0:?} is not in the schema")]
    UndefinedClass(String),
    /// None of its classes says what it is.
    #[error("the entry has no structural object class")]
    NoStructuralClass,
    /// Two of its classes say what it is, and neither derives from the other.
    #[error("the entry has two structural object classes, {0} and {1}, of which neither derives from the other")]
    TwoStructuralClasses(String, String),
    /// Its structural class changed.
    #[error("the structural object class cannot change from {from} to {to}")]
    StructuralClassChanged {
        /// What it was.
        from: String,
        /// What it would become.
        to: String,
    },
    /// A required attribute is missing.
    #[error("object class {class} requires the attribute {attribute}")]
    Missing {
        /// The class.
        class: String,
        /// The attribute.
        attribute: String,
    },
    /// An attribute is not allowed by any of its classes.
    #[error("the attribute {0} is not allowed by the entry's object classes")]
    NotAllowed(String),
    /// An option is a range of languages, which values are asked for by and not kept under (RFC 3866 §2.1).
    #[error("{0} is a range of languages: search for it, but write an option without the hyphen at its end")]
    LanguageRange(String),
    /// The content rule of its structural class does not let it be of an auxiliary class (RFC 4512 §4.1.6).
    #[error("the content rule of {rule} does not let entries be of the class {class}")]
    ClassPrecluded {
        /// The structural class.
        rule: String,
        /// The auxiliary class.
        class: String,
    },
    /// The content rule of its structural class requires an attribute.
    #[error("the content rule of {rule} requires the attribute {attribute}")]
    MissingByRule {
        /// The structural class.
        rule: String,
        /// The attribute.
        attribute: String,
    },
    /// The content rule of its structural class forbids an attribute.
    #[error("the content rule of {rule} does not let entries have the attribute {attribute}")]
    Precluded {
        /// The structural class.
        rule: String,
        /// The attribute.
        attribute: String,
    },
    /// A collection of entries shares the attribute (RFC 3671).
    #[error("entries share {0}: write it into a subentry of the class collectiveAttributeSubentry")]
    Collective(String),
    /// A subentry does not say what it is about (RFC 3672).
    #[error("subtreeSpecification: {0}")]
    Subtree(SubtreeError),
    /// A single-valued attribute has several values.
    #[error("the attribute {0} takes one value only")]
    SeveralValues(String),
    /// A value breaks its syntax.
    #[error("the value of {attribute} {reason}")]
    BadValue {
        /// The attribute.
        attribute: String,
        /// What a legal value looks like.
        reason: &'static str,
    },
    /// The same value stands twice.
    #[error("a value of {0} is given twice")]
    TwiceTheSame(String),
    /// The entry lacks an attribute value that its name holds.
    #[error("the attribute {0} lacks the value that stands in the entry's name")]
    NotNamed(String),
}

impl Schema {
    /// Checks one attribute: the syntax of its values, that no two are equal, and that it may have so many.
    pub fn check_attribute(&self, attribute: &Attribute) -> Result<(), Violation> {
        let defined = self.attribute_type(attribute.description.attribute_type);
        let name = || attribute.description.to_text(self).into_owned();
        if attribute.description.is_range() {
            return Err(Violation::LanguageRange(name()));
        }
        if defined.is_single_valued() && attribute.values.len() > 1 {
            return Err(Violation::SeveralValues(name()));
        }
        for value in &attribute.values {
            self.check_value(defined, value)?;
        }
        if has_duplicates(self, defined, &attribute.values) {
            return Err(Violation::TwiceTheSame(name()));
        }
        Ok(())
    }

    /// Checks the syntax of one value.
    pub fn check_value(&self, attribute: &AttributeType, value: &[u8]) -> Result<(), Violation> {
        let checked = attribute.syntax.validate(self, value);
        checked.map_err(|reason| Violation::BadValue { attribute: attribute.name().to_owned(), reason })
    }

    /// Completes the `objectClass` values by the classes that they derive from, and finds the structural one. Values
    /// are spelled as the schema spells them; what a class derives from stands behind it.
    pub fn complete_object_classes(&self, attributes: &mut Attributes) -> Result<ObjectClassId, Violation> {
        let known = self.known();
        let classes = self.classes_of(attributes)?;
        if classes.iter().map(|class| class.id).collect::<HashSet<_>>().len() < classes.len() {
            return Err(Violation::TwiceTheSame("objectClass".to_owned()));
        }
        let structural = structural_class(&classes)?;
        let mut all: Vec<ObjectClassId> = Vec::new();
        for class in &classes {
            let new = class.lineage.iter().filter(|id| !all.contains(id)).copied();
            let new: Vec<_> = new.collect();
            all.extend(new);
        }
        let spelled: Vec<Vec<u8>> =
            all.iter().filter_map(|id| self.object_class(*id)).map(|class| class.name().as_bytes().to_vec()).collect();
        attributes.set(known.object_class, top_last(spelled));
        let name = self.object_class(structural).map_or("", ObjectClass::name);
        attributes.set_one(known.structural_object_class, name);
        Ok(structural)
    }

    fn classes_of(&self, attributes: &Attributes) -> Result<Vec<&ObjectClass>, Violation> {
        let values = attributes.values(self.known().object_class);
        if values.is_empty() {
            return Err(Violation::NoObjectClass);
        }
        let find = |value: &Vec<u8>| {
            let name = String::from_utf8_lossy(value);
            self.find_object_class(&name).ok_or_else(|| Violation::UndefinedClass(name.into_owned()))
        };
        values.iter().map(find).collect()
    }

    /// Checks that the attributes are those which the object classes require and allow, and each of them. Call after
    /// [`Schema::complete_object_classes`]. `elsewhere` are attributes that the entry has besides: its password is kept
    /// apart from the rest.
    pub fn check_entry(&self, attributes: &Attributes, elsewhere: &[AttributeTypeId]) -> Result<(), Violation> {
        self.check_composition(attributes, elsewhere)?;
        attributes.iter().try_for_each(|attribute| self.check_attribute(attribute))
    }

    /// Checks that the attributes are those which the object classes require and allow, as [`Schema::check_entry`] does,
    /// and of the attributes only those of the types that have `changed`: the others were looked at when they came.
    pub fn check_changed(
        &self,
        attributes: &Attributes,
        elsewhere: &[AttributeTypeId],
        changed: &AttributeSet,
    ) -> Result<(), Violation> {
        self.check_composition(attributes, elsewhere)?;
        let mut changed = attributes.iter().filter(|one| changed.contains(one.description.attribute_type));
        changed.try_for_each(|attribute| self.check_attribute(attribute))
    }

    fn check_composition(&self, attributes: &Attributes, elsewhere: &[AttributeTypeId]) -> Result<(), Violation> {
        let classes = self.classes_of(attributes)?;
        let has = |id: AttributeTypeId| self.has_any(attributes, id) || elsewhere.contains(&id);
        for class in &classes {
            if let Some(missing) = class.must.iter().find(|id| !has(**id)) {
                return Err(Violation::Missing {
                    class: class.name().to_owned(),
                    attribute: self.attribute_type(*missing).name().to_owned(),
                });
            }
        }
        let rule = structural_class(&classes).ok().and_then(|structural| self.content_rule(structural));
        if let Some(rule) = rule {
            self.check_content(rule, &classes, attributes, &has)?;
        }
        let by_rule = |id| {
            rule.is_some_and(|rule| {
                [&rule.may, &rule.must].into_iter().any(|list| self.is_or_derives_from_one_of(id, list))
            })
        };
        // extensibleObject allows every user attribute (RFC 4512 §4.3).
        let extensible = classes.iter().any(|class| class.oid.as_ref() == EXTENSIBLE_OBJECT);
        let is_collection = classes.iter().any(|class| class.oid.as_ref() == COLLECTION);
        if is_collection && let Some(text) = attributes.first(self.known().subtree_specification) {
            SubtreeSpecification::parse(self, &String::from_utf8_lossy(text)).map_err(Violation::Subtree)?;
        }
        for attribute in attributes.iter() {
            let defined = self.attribute_type(attribute.description.attribute_type);
            if self.collective().contains(defined.id) {
                if is_collection {
                    continue;
                }
                return Err(Violation::Collective(attribute.description.to_text(self).into_owned()));
            }
            let is_free = extensible || defined.usage.is_operational() || by_rule(defined.id);
            if !is_free && !self.is_allowed(&classes, defined.id) {
                return Err(Violation::NotAllowed(attribute.description.to_text(self).into_owned()));
            }
        }
        for id in elsewhere.iter().filter(|id| !self.attribute_type(**id).usage.is_operational()) {
            if !extensible && !by_rule(*id) && !self.is_allowed(&classes, *id) {
                return Err(Violation::NotAllowed(self.attribute_type(*id).name().to_owned()));
            }
        }
        Ok(())
    }

    /// What a content rule says beyond the classes (RFC 4512 §4.1.6).
    fn check_content(
        &self,
        rule: &ContentRule,
        classes: &[&ObjectClass],
        attributes: &Attributes,
        has: &dyn Fn(AttributeTypeId) -> bool,
    ) -> Result<(), Violation> {
        let of = || self.object_class(rule.class).map_or_else(String::new, |class| class.name().to_owned());
        let is_precluded = |class: &&&ObjectClass| {
            class.kind == ObjectClassKind::Auxiliary && class.id != rule.class && !rule.aux.contains(&class.id)
        };
        if let Some(class) = classes.iter().find(is_precluded) {
            return Err(Violation::ClassPrecluded { rule: of(), class: class.name().to_owned() });
        }
        if let Some(missing) = rule.must.iter().find(|id| !has(**id)) {
            let attribute = self.attribute_type(*missing).name().to_owned();
            return Err(Violation::MissingByRule { rule: of(), attribute });
        }
        let is_precluded = |id: AttributeTypeId| self.is_or_derives_from_one_of(id, &rule.not);
        let mut types = attributes.iter().map(|attribute| attribute.description.attribute_type);
        match types.find(|id| is_precluded(*id)) {
            Some(id) => Err(Violation::Precluded { rule: of(), attribute: self.attribute_type(id).name().to_owned() }),
            None => Ok(()),
        }
    }

    fn is_or_derives_from_one_of(&self, id: AttributeTypeId, list: &[AttributeTypeId]) -> bool {
        list.iter().any(|above| self.subtypes(*above).contains(&id))
    }

    /// Whether the object classes of an entry, and the content rule of its structural one, allow it an attribute.
    pub fn allows(&self, entry: &Entry, id: AttributeTypeId) -> bool {
        let values = entry.values(self.known().object_class).filter_map(|value| std::str::from_utf8(value).ok());
        let classes: Vec<_> = values.filter_map(|name| self.find_object_class(name)).collect();
        let rule = structural_class(&classes).ok().and_then(|structural| self.content_rule(structural));
        if let Some(rule) = rule {
            if self.is_or_derives_from_one_of(id, &rule.not) {
                return false;
            }
            if self.is_or_derives_from_one_of(id, &rule.may) || rule.must.contains(&id) {
                return true;
            }
        }
        classes.iter().any(|class| class.oid.as_ref() == EXTENSIBLE_OBJECT) || self.is_allowed(&classes, id)
    }

    /// Whether some class of these attributes requires the attribute type, and nothing in its place is there.
    pub fn requires(&self, attributes: &Attributes, id: AttributeTypeId) -> bool {
        let classes = self.classes_of(attributes).unwrap_or_default();
        let rule = structural_class(&classes).ok().and_then(|structural| self.content_rule(structural));
        let by_rule = rule.into_iter().flat_map(|rule| &rule.must);
        let mut required = classes.iter().flat_map(|class| &class.must).chain(by_rule);
        required.any(|must| self.subtypes(*must).contains(&id) && !self.has_any(attributes, *must))
    }

    fn has_any(&self, attributes: &Attributes, id: AttributeTypeId) -> bool {
        self.subtypes(id).iter().any(|id| attributes.has(*id))
    }

    /// Allowed by itself or as a subtype of what is allowed.
    fn is_allowed(&self, classes: &[&ObjectClass], id: AttributeTypeId) -> bool {
        let named =
            |id: AttributeTypeId| classes.iter().any(|class| class.must.contains(&id) || class.may.contains(&id));
        let mut above = Some(id);
        while let Some(id) = above {
            if named(id) {
                return true;
            }
            above = self.attribute_type(id).supertype;
        }
        false
    }

    /// Whether the entry holds every value that its name holds (RFC 4512 §2.3.1).
    pub fn check_naming(&self, attributes: &Attributes, rdn: &Rdn) -> Result<(), Violation> {
        for (description, value) in rdn.assertions() {
            let defined = self.attribute_type(description.attribute_type);
            let held = attributes
                .get(description)
                .is_some_and(|attribute| find_value(self, defined, &attribute.values, value).is_some());
            if !held {
                return Err(Violation::NotNamed(description.to_text(self).into_owned()));
            }
        }
        Ok(())
    }
}

/// The one class that says what the entry is: all other structural ones are what it derives from.
fn structural_class(classes: &[&ObjectClass]) -> Result<ObjectClassId, Violation> {
    let mut best: Option<&ObjectClass> = None;
    for class in classes.iter().filter(|class| class.kind == ObjectClassKind::Structural) {
        best = match best {
            None => Some(class),
            Some(best) if class.is_or_derives_from(best.id) => Some(class),
            Some(best) if best.is_or_derives_from(class.id) => Some(best),
            Some(best) => {
                return Err(Violation::TwoStructuralClasses(best.name().to_owned(), class.name().to_owned()));
            }
        };
    }
    let stand_in = || classes.iter().find(|class| class.structural_when_alone).copied();
    best.or_else(stand_in).map(|class| class.id).ok_or(Violation::NoStructuralClass)
}

/// `collectiveAttributeSubentry`
const COLLECTION: &str = "2.5.17.2";

const EXTENSIBLE_OBJECT: &str = "1.3.6.1.4.1.1466.101.120.111";

/// Where among `values` the one stands that equals `value` by the attribute's rule.
pub fn find_value(schema: &Schema, attribute: &AttributeType, values: &[Vec<u8>], value: &[u8]) -> Option<usize> {
    let form = attribute.equality_or_fallback().normal_form();
    if let Some(at) = values.iter().position(|own| own == value) {
        return Some(at);
    }
    let normal = form.of_value(schema, value).ok()?;
    values.iter().position(|own| form.matches(schema, own, &normal))
}

fn has_duplicates(schema: &Schema, attribute: &AttributeType, values: &[Vec<u8>]) -> bool {
    if values.len() < 2 {
        return false;
    }
    let form = attribute.equality_or_fallback().normal_form();
    let mut normal: Vec<_> =
        values.iter().map(|value| form.of_value(schema, value).unwrap_or_else(|_| value.as_slice().into())).collect();
    normal.sort_unstable();
    normal.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
}

/// `top` says the least, so people find it least in the way at the end.
fn top_last(mut classes: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    if let Some(at) = classes.iter().position(|class| class == b"top") {
        let top = classes.remove(at);
        classes.push(top);
    }
    classes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::schema::SchemaBuilder;

    fn attributes(list: &[(&str, &[&str])]) -> Attributes {
        let schema = Schema::standard();
        list.iter()
            .map(|(name, values)| Attribute {
                description: schema.describe(name).unwrap(),
                values: values.iter().map(|value| value.as_bytes().to_vec()).collect(),
            })
            .collect()
    }

    fn check(list: &[(&str, &[&str])]) -> Result<Attributes, Violation> {
        let schema = Schema::standard();
        let mut attributes = attributes(list);
        schema.complete_object_classes(&mut attributes)?;
        schema.check_entry(&attributes, &[])?;
        Ok(attributes)
    }

    fn classes(attributes: &Attributes) -> Vec<String> {
        let values = attributes.values(Schema::standard().known().object_class);
        values.iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect()
    }

    #[test]
    fn superclasses_are_completed_and_the_structural_one_is_found() {
        let person = check(&[("objectClass", &["INETORGPERSON"]), ("cn", &["a"]), ("sn", &["b"])]).unwrap();
        assert_eq!(classes(&person), ["inetOrgPerson", "organizationalPerson", "person", "top"]);
        let structural = person.first(Schema::standard().known().structural_object_class);
        assert_eq!(structural, Some(&b"inetOrgPerson"[..]));
    }

    #[test]
    fn required_attributes_must_be_there() {
        let error = check(&[("objectClass", &["person"]), ("cn", &["a"])]).unwrap_err();
        assert_eq!(error.to_string(), "object class person requires the attribute sn");
    }

    #[test]
    fn only_allowed_attributes_may_be_there() {
        let error =
            check(&[("objectClass", &["person"]), ("cn", &["a"]), ("sn", &["b"]), ("uid", &["c"])]).unwrap_err();
        assert_eq!(error, Violation::NotAllowed("uid".into()));
        check(&[("objectClass", &["person", "extensibleObject"]), ("cn", &["a"]), ("sn", &["b"]), ("uid", &["c"])])
            .unwrap();
    }

    #[test]
    fn exactly_one_chain_of_structural_classes_is_needed() {
        assert_eq!(check(&[("objectClass", &["top"])]).unwrap_err(), Violation::NoStructuralClass);
        assert_eq!(check(&[("cn", &["a"])]).unwrap_err(), Violation::NoObjectClass);
        let two = check(&[("objectClass", &["person", "organizationalUnit"]), ("cn", &["a"])]).unwrap_err();
        assert!(matches!(two, Violation::TwoStructuralClasses(..)));
        assert_eq!(check(&[("objectClass", &["nosuch"])]).unwrap_err(), Violation::UndefinedClass("nosuch".into()));
    }

    #[test]
    fn posix_groups_of_both_rfc_2307_and_its_successor_load() {
        let old = check(&[("objectClass", &["posixGroup"]), ("cn", &["a"]), ("gidNumber", &["5"])]).unwrap();
        assert_eq!(old.first(Schema::standard().known().structural_object_class), Some(&b"posixGroup"[..]));
        let new = check(&[
            ("objectClass", &["groupOfNames", "posixGroup"]),
            ("cn", &["a"]),
            ("gidNumber", &["5"]),
            ("member", &["cn=x"]),
        ]);
        assert_eq!(new.unwrap().first(Schema::standard().known().structural_object_class), Some(&b"groupOfNames"[..]));
    }

    #[test]
    fn values_are_checked_against_their_syntax_and_number() {
        let person = |name: &'static str, values: &'static [&'static str]| {
            check(&[
                ("objectClass", &["inetOrgPerson", "posixAccount"]),
                ("cn", &["a"]),
                ("sn", &["b"]),
                ("uid", &["u"]),
                ("gidNumber", &["1"]),
                ("homeDirectory", &["/"]),
                ("uidNumber", &["1"]),
                (name, values),
            ])
        };
        assert!(matches!(person("description", &[""]).unwrap_err(), Violation::BadValue { .. }));
        assert_eq!(person("displayName", &["a", "b"]).unwrap_err(), Violation::SeveralValues("displayName".into()));
        assert_eq!(person("mail", &["bob@x", "BOB@X"]).unwrap_err(), Violation::TwiceTheSame("mail".into()));
        person("mail", &["bob@x", "bob@y"]).unwrap();
    }

    #[test]
    fn a_content_rule_says_what_entries_of_a_class_are_besides() {
        let rule = "ditcontentrule ( 2.5.6.6 AUX ( posixAccount $ extensibleObject ) MUST telephoneNumber MAY mail NOT description )\n";
        let schema = SchemaBuilder::new().add_standard().unwrap().add_foreign("x", rule).unwrap().build().unwrap();
        let check = |lines: &[(&str, &str)]| {
            let mut attributes = Attributes::new();
            for (name, value) in [("objectClass", "person"), ("cn", "a"), ("sn", "b")].iter().chain(lines) {
                attributes.values_mut(&schema.describe(name).unwrap()).push(value.as_bytes().to_vec());
            }
            schema.complete_object_classes(&mut attributes)?;
            schema.check_entry(&attributes, &[])
        };
        let phone = ("telephoneNumber", "1");
        let told = |lines: &[(&str, &str)]| check(lines).unwrap_err().to_string();
        assert_eq!(told(&[]), "the content rule of person requires the attribute telephoneNumber");
        assert_eq!(check(&[phone]), Ok(()));
        assert_eq!(check(&[phone, ("mail", "a@b")]), Ok(()));
        let precluded = "the content rule of person does not let entries have the attribute description";
        assert_eq!(told(&[phone, ("description", "x")]), precluded);
        let all = ("objectClass", "extensibleObject");
        assert_eq!(told(&[phone, all, ("description", "x")]), precluded);
        assert_eq!(check(&[phone, all, ("l", "x")]), Ok(()));
        let account = "the content rule of person does not let entries be of the class shadowAccount";
        assert_eq!(told(&[phone, ("objectClass", "shadowAccount"), ("uid", "u")]), account);
        // A rule governs the class that it names, and not those that derive from it.
        let other = [("objectClass", "inetOrgPerson"), ("description", "x")];
        assert_eq!(check(&other), Ok(()));
    }

    #[test]
    fn an_entry_holds_what_its_name_says() {
        let schema = Schema::standard();
        let entry = attributes(&[("cn", &["Alice  A"]), ("uid", &["a"])]);
        let rdn = |text: &str| Rdn::parse(&schema, text).unwrap();
        assert_eq!(schema.check_naming(&entry, &rdn("CN=alice a+uid=A")), Ok(()));
        assert_eq!(schema.check_naming(&entry, &rdn("sn=x")), Err(Violation::NotNamed("sn".into())));
    }
}
