//! Filters made ready by the schema, and their evaluation in three-valued logic (RFC 4511 §4.5.1.7).

use bytes::Bytes;
use smallvec::SmallVec;

use super::{Assertion, Extensible, Filter, Substrings};
use crate::directory::attribute::has_options;
use crate::directory::schema::prepare::Position;
use crate::directory::schema::{
    AttributeSet, AttributeType, AttributeTypeId, MatchingRule, NormalForm, RuleKind, Special,
};
use crate::directory::{AttributeDescription, Dn, Entry, Rdn, Schema};

/// What a filter comes to. Ordered so that And is the least and Or the greatest of its parts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Truth {
    /// It does not match.
    False,
    /// It cannot be decided, which is not a match, and neither is its negation.
    Undefined,
    /// It matches.
    True,
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

impl Truth {
    /// `True` becomes `False` and the other way round; `Undefined` stays.
    #[must_use]
    pub const fn negated(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Undefined => Self::Undefined,
            Self::True => Self::False,
        }
    }
}

/// A filter with its attributes found in the schema and its values in their normal form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Matcher {
    /// All hold.
    And(Vec<Self>),
    /// One holds.
    Or(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// The attribute is there.
    Present(Selector),
    /// A value has the normal form.
    Equal {
        /// Which attributes are looked at.
        selector: Selector,
        /// How values are brought to the normal form.
        form: NormalForm,
        /// The normal form of the asserted value.
        normal: Vec<u8>,
        /// The asserted value as it came: if a stored value has the same octets, it matches without further ado.
        raw: Bytes,
    },
    /// A value's normal form is not less than this one.
    AtLeast(Selector, NormalForm, Vec<u8>),
    /// A value's normal form is not greater than this one.
    AtMost(Selector, NormalForm, Vec<u8>),
    /// A value's normal form holds the pieces in order.
    Pieces(Selector, NormalForm, Pieces),
    /// One of the words of a value is this one.
    Word(Selector, Vec<u8>),
    /// All (or, if not `all`, some) bits of the number are set in a value.
    Bits {
        /// Which attributes are looked at.
        selector: Selector,
        /// All bits or at least one.
        all: bool,
        /// The bits.
        bits: u64,
    },
    /// A part of the entry's name has the attribute and the normal form, or the matcher holds (`:dn:`).
    InName(Selector, NormalForm, Vec<u8>, Box<Self>),
    /// The entry's groups, or its groups' groups, hold this name (MS-ADTS 3.1.1.3.4.4.3). Decided by whoever plans the
    /// search, who knows the tree; here it is Undefined.
    InChain(AttributeTypeId, Bytes),
    /// Decided already.
    Always(Truth),
}

/// The pieces of a substring assertion, in their prepared form.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pieces {
    /// What the value begins with.
    pub initial: Option<Vec<u8>>,
    /// What follows, in order.
    pub any: Vec<Vec<u8>>,
    /// What the value ends with.
    pub last: Option<Vec<u8>>,
}

impl Pieces {
    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.initial.iter().chain(&self.any).chain(&self.last).map(Vec::as_slice)
    }

    fn occur_in(&self, value: &[u8]) -> bool {
        let mut rest = value;
        if let Some(initial) = &self.initial {
            let Some(tail) = rest.strip_prefix(initial.as_slice()) else { return false };
            rest = tail;
        }
        for piece in &self.any {
            let Some(at) = memchr::memmem::find(rest, piece) else { return false };
            rest = rest.get(at + piece.len()..).unwrap_or_default();
        }
        self.last.as_ref().is_none_or(|last| rest.ends_with(last))
    }
}

/// Which attributes a filter item looks at: a type, its subtypes, and options that must be there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selector {
    /// The type and its subtypes.
    pub types: SmallVec<[AttributeTypeId; 4]>,
    /// Options that the attribute must have, each with a `;` in front.
    pub options: Box<str>,
}

impl Selector {
    fn new(description: &AttributeDescription, schema: &Schema) -> Self {
        let types = schema.subtypes(description.attribute_type).into();
        Self { types, options: description.options().into() }
    }

    /// The only type, if there are no subtypes and no options: what an index can answer alone.
    pub fn single(&self) -> Option<AttributeTypeId> {
        match self.types.as_slice() {
            [only] if self.options.is_empty() => Some(*only),
            _ => None,
        }
    }

    /// The values that the facts let it see.
    fn values<'f>(&'f self, facts: &'f Facts<'_>) -> impl Iterator<Item = &'f [u8]> {
        facts.entries.iter().flat_map(move |entry| {
            entry
                .attributes()
                .filter(|attribute| {
                    self.types.contains(&attribute.attribute_type)
                        && facts.searchable.contains(attribute.attribute_type)
                        && (self.options.is_empty() || has_options(attribute.options(), &self.options))
                })
                .flat_map(|attribute| attribute.values())
        })
    }

    /// Whether at least one of the types may be searched; otherwise nothing can be said about it.
    fn is_searchable(&self, facts: &Facts<'_>) -> bool {
        self.types.iter().any(|id| facts.searchable.contains(*id))
    }
}

/// What a filter is tested against.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'f> {
    /// The entry's attributes, stored and derived, in one or more parts.
    pub entries: &'f [&'f Entry],
    /// The attributes that whoever asks may search; all others make an item Undefined.
    pub searchable: &'f AttributeSet,
    /// The entry's name.
    pub dn: &'f Dn,
    /// The schema.
    pub schema: &'f Schema,
}

impl Matcher {
    /// Finds the attributes of a filter in the schema and brings its values to their normal form. What the schema does
    /// not know, and values that their rule cannot compare, become Undefined.
    pub fn prepare(filter: &Filter, schema: &Schema) -> Self {
        match filter {
            Filter::And(filters) => Self::And(filters.iter().map(|filter| Self::prepare(filter, schema)).collect()),
            Filter::Or(filters) => Self::Or(filters.iter().map(|filter| Self::prepare(filter, schema)).collect()),
            Filter::Not(inner) => Self::Not(Box::new(Self::prepare(inner, schema))),
            Filter::Present(attribute) => match describe(attribute, schema) {
                Some(description) => Self::Present(Selector::new(&description, schema)),
                None => Self::Always(Truth::Undefined),
            },
            Filter::Equality(assertion) | Filter::Approx(assertion) => Self::or_undefined(equality(assertion, schema)),
            Filter::GreaterOrEqual(assertion) => Self::or_undefined(
                ordering(assertion, schema).map(|(selector, form, normal)| Self::AtLeast(selector, form, normal)),
            ),
            Filter::LessOrEqual(assertion) => Self::or_undefined(
                ordering(assertion, schema).map(|(selector, form, normal)| Self::AtMost(selector, form, normal)),
            ),
            Filter::Substrings(substrings) => Self::or_undefined(pieces(substrings, schema)),
            Filter::Extensible(extensible) => Self::or_undefined(self::extensible(extensible, schema)),
            Filter::Unknown => Self::Always(Truth::Undefined),
        }
    }

    fn or_undefined(prepared: Option<Self>) -> Self {
        prepared.unwrap_or(Self::Always(Truth::Undefined))
    }

    /// Tests the facts.
    pub fn evaluate(&self, facts: &Facts<'_>) -> Truth {
        match self {
            Self::And(all) => all.iter().map(|one| one.evaluate(facts)).min().unwrap_or(Truth::True),
            Self::Or(any) => any.iter().map(|one| one.evaluate(facts)).max().unwrap_or(Truth::False),
            Self::Not(inner) => inner.evaluate(facts).negated(),
            Self::Always(truth) => *truth,
            Self::Present(selector) => item(selector, facts, |_| true),
            Self::Equal { selector, form, normal, raw } => {
                if selector.values(facts).any(|value| value == raw) {
                    return Truth::True;
                }
                item(selector, facts, |value| form.matches(facts.schema, value, normal))
            }
            Self::AtLeast(selector, form, bound) => item(selector, facts, |value| {
                form.of_value(facts.schema, value).is_ok_and(|own| own.as_ref() >= bound.as_slice())
            }),
            Self::AtMost(selector, form, bound) => item(selector, facts, |value| {
                form.of_value(facts.schema, value).is_ok_and(|own| own.as_ref() <= bound.as_slice())
            }),
            Self::Pieces(selector, form, pieces) => {
                item(selector, facts, |value| form.of_value(facts.schema, value).is_ok_and(|own| pieces.occur_in(&own)))
            }
            Self::Word(selector, word) => item(selector, facts, |value| {
                let own = NormalForm::CaseIgnore.of_value(facts.schema, value);
                own.is_ok_and(|own| {
                    own.split(|octet| !octet.is_ascii_alphanumeric() && octet.is_ascii()).any(|w| w == word)
                })
            }),
            Self::Bits { selector, all, bits } => item(selector, facts, |value| {
                let number = std::str::from_utf8(value).ok().and_then(|text| text.parse::<i64>().ok());
                number.is_some_and(|number| {
                    let set = number.cast_unsigned() & bits;
                    if *all { set == *bits } else { set != 0 }
                })
            }),
            Self::InName(selector, form, normal, inner) => {
                let in_name = Truth::from(in_name(selector, *form, normal, facts));
                in_name.max(inner.evaluate(facts))
            }
            Self::InChain(..) => Truth::Undefined,
        }
    }

    /// Whether some part of it is Undefined whatever is tested.
    pub fn is_undecidable(&self) -> bool {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::is_undecidable),
            Self::Not(inner) | Self::InName(_, _, _, inner) => inner.is_undecidable(),
            Self::Always(truth) => *truth == Truth::Undefined,
            Self::InChain(..) => true,
            Self::Present(_)
            | Self::Equal { .. }
            | Self::AtLeast(..)
            | Self::AtMost(..)
            | Self::Pieces(..)
            | Self::Word(..)
            | Self::Bits { .. } => false,
        }
    }

    /// Whether it looks at the entry's name (`:dn:`).
    pub fn looks_at_name(&self) -> bool {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::looks_at_name),
            Self::Not(inner) => inner.looks_at_name(),
            Self::InName(..) => true,
            _ => false,
        }
    }

    /// The attributes that it looks at, so that derived ones are made only where they are needed.
    pub fn mentioned(&self) -> AttributeSet {
        let mut set = AttributeSet::EMPTY;
        self.collect_mentioned(&mut set);
        set
    }

    fn collect_mentioned(&self, set: &mut AttributeSet) {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.collect_mentioned(set)),
            Self::Not(inner) => inner.collect_mentioned(set),
            Self::InName(selector, _, _, inner) => {
                set.union(&selector.types.iter().copied().collect());
                inner.collect_mentioned(set);
            }
            Self::Present(selector)
            | Self::Equal { selector, .. }
            | Self::AtLeast(selector, ..)
            | Self::AtMost(selector, ..)
            | Self::Pieces(selector, ..)
            | Self::Word(selector, _)
            | Self::Bits { selector, .. } => set.union(&selector.types.iter().copied().collect()),
            Self::InChain(id, _) => set.insert(*id),
            Self::Always(_) => {}
        }
    }
}

fn item(selector: &Selector, facts: &Facts<'_>, test: impl FnMut(&[u8]) -> bool) -> Truth {
    if selector.values(facts).any(test) {
        Truth::True
    } else if selector.is_searchable(facts) {
        Truth::False
    } else {
        Truth::Undefined
    }
}

fn in_name(selector: &Selector, form: NormalForm, normal: &[u8], facts: &Facts<'_>) -> bool {
    let searchable = |id: &AttributeTypeId| facts.searchable.contains(*id);
    facts.dn.rdns().any(|(text, _)| {
        Rdn::parse(facts.schema, text).is_ok_and(|rdn| {
            rdn.assertions().iter().any(|(description, value)| {
                let id = description.attribute_type;
                selector.types.contains(&id) && searchable(&id) && form.matches(facts.schema, value, normal)
            })
        })
    })
}

fn describe(octets: &[u8], schema: &Schema) -> Option<AttributeDescription> {
    schema.describe(std::str::from_utf8(octets).ok()?)
}

fn equality(assertion: &Assertion, schema: &Schema) -> Option<Matcher> {
    let description = describe(&assertion.attribute, schema)?;
    let form = schema.attribute_type(description.attribute_type).equality?.normal_form();
    equal(&description, form, &assertion.value, schema)
}

fn equal(description: &AttributeDescription, form: NormalForm, value: &Bytes, schema: &Schema) -> Option<Matcher> {
    let normal = form.of_assertion(schema, value).ok()?.into_owned();
    // The octets decide alone only where a stored value has the same form as an asserted one.
    let first_component = matches!(
        form,
        NormalForm::OidFirstComponent | NormalForm::IntegerFirstComponent | NormalForm::TextFirstComponent
    );
    let raw = if first_component { Bytes::from_static(b"\0") } else { value.clone() };
    Some(Matcher::Equal { selector: Selector::new(description, schema), form, normal, raw })
}

fn ordering(assertion: &Assertion, schema: &Schema) -> Option<(Selector, NormalForm, Vec<u8>)> {
    let description = describe(&assertion.attribute, schema)?;
    let form = ordering_form(schema.attribute_type(description.attribute_type))?;
    let normal = form.of_assertion(schema, &assertion.value).ok()?.into_owned();
    Some((Selector::new(&description, schema), form, normal))
}

/// How values of the type are ordered. Many types of text, `uid` among them, name no ordering rule though clients ask
/// for ranges of them; they are ordered as they are compared for equality.
pub fn ordering_form(attribute: &AttributeType) -> Option<NormalForm> {
    let rule = attribute.ordering.or(attribute.equality)?;
    match rule.normal_form() {
        form @ (NormalForm::Octets
        | NormalForm::CaseExact
        | NormalForm::CaseIgnore
        | NormalForm::Numeric
        | NormalForm::Integer
        | NormalForm::Time
        | NormalForm::Uuid
        | NormalForm::Csn) => Some(form),
        _ => None,
    }
}

fn pieces(substrings: &Substrings, schema: &Schema) -> Option<Matcher> {
    let description = describe(&substrings.attribute, schema)?;
    let form = schema.attribute_type(description.attribute_type).substring?.normal_form();
    let piece = |piece: &Bytes, position| form.of_piece(piece, position).ok();
    let pieces = Pieces {
        initial: match &substrings.initial {
            Some(initial) => Some(piece(initial, Position::Initial)?),
            None => None,
        },
        any: substrings.any.iter().map(|any| piece(any, Position::Any)).collect::<Option<_>>()?,
        last: match &substrings.last {
            Some(last) => Some(piece(last, Position::Final)?),
            None => None,
        },
    };
    Some(Matcher::Pieces(Selector::new(&description, schema), form, pieces))
}

fn extensible(extensible: &Extensible, schema: &Schema) -> Option<Matcher> {
    let rule = match &extensible.rule {
        Some(name) => Some(MatchingRule::find(std::str::from_utf8(name).ok()?)?),
        None => None,
    };
    let Some(attribute) = &extensible.attribute else {
        return any_attribute(extensible, rule?, schema);
    };
    let description = describe(attribute, schema)?;
    let attribute = schema.attribute_type(description.attribute_type);
    let rule = rule.or(attribute.equality)?;
    if !fits(rule, attribute) {
        return None;
    }
    by_rule(&description, rule, extensible, schema)
}

/// `(:caseExactMatch:=x)`: every attribute that the rule is defined for (RFC 4511 §4.5.1.7.7).
fn any_attribute(extensible: &Extensible, rule: MatchingRule, schema: &Schema) -> Option<Matcher> {
    let applies =
        schema.attribute_types().iter().filter(|attribute| fits(rule, attribute) && !attribute.oid.is_empty());
    let types: SmallVec<[AttributeTypeId; 4]> = applies.map(|attribute| attribute.id).collect();
    let first = *types.first()?;
    let mut matcher = by_rule(&AttributeDescription::plain(first), rule, extensible, schema)?;
    matcher.look_at(&types);
    Some(matcher)
}

impl Matcher {
    fn look_at(&mut self, types: &SmallVec<[AttributeTypeId; 4]>) {
        match self {
            Self::Equal { selector, .. }
            | Self::Bits { selector, .. }
            | Self::Word(selector, _)
            | Self::Pieces(selector, ..) => selector.types.clone_from(types),
            Self::InName(selector, _, _, inner) => {
                selector.types.clone_from(types);
                inner.look_at(types);
            }
            _ => {}
        }
    }
}

fn by_rule(
    description: &AttributeDescription,
    rule: MatchingRule,
    extensible: &Extensible,
    schema: &Schema,
) -> Option<Matcher> {
    let selector = Selector::new(description, schema);
    let value = &extensible.value;
    let matcher = match (rule.special(), rule.kind()) {
        (Special::Word, _) => {
            Matcher::Word(selector, rule.normal_form().of_assertion(schema, value).ok()?.into_owned())
        }
        (special @ (Special::BitAnd | Special::BitOr), _) => {
            let number: i64 = std::str::from_utf8(value).ok()?.parse().ok()?;
            Matcher::Bits { selector, all: special == Special::BitAnd, bits: number.cast_unsigned() }
        }
        (Special::InChain, _) => Matcher::InChain(description.attribute_type, value.clone()),
        (Special::Plain, RuleKind::Substring) => {
            let piece = rule.normal_form().of_piece(value, Position::Any).ok()?;
            Matcher::Pieces(selector, rule.normal_form(), Pieces { any: vec![piece], ..Default::default() })
        }
        (Special::Plain, _) => equal(description, rule.normal_form(), value, schema)?,
    };
    // Another rule than the attribute's own may tell values apart that have the same octets in neither direction.
    if !extensible.dn_attributes {
        return Some(matcher);
    }
    let normal = rule.normal_form().of_assertion(schema, value).ok()?.into_owned();
    Some(Matcher::InName(Selector::new(description, schema), rule.normal_form(), normal, Box::new(matcher)))
}

/// Whether values of the attribute's syntax can be compared by the rule (RFC 4512 §4.1.4): the rule is its own, or of
/// the same make.
fn fits(rule: MatchingRule, attribute: &AttributeType) -> bool {
    let own = [attribute.equality, attribute.ordering, attribute.substring];
    if own.contains(&Some(rule)) {
        return true;
    }
    let text = |form| matches!(form, NormalForm::CaseExact | NormalForm::CaseIgnore);
    let form = rule.normal_form();
    let attribute_form = attribute.equality.map(MatchingRule::normal_form);
    match rule.special() {
        Special::Word => attribute_form.is_some_and(text),
        Special::BitAnd | Special::BitOr => attribute_form == Some(NormalForm::Integer),
        Special::InChain => attribute_form == Some(NormalForm::Dn),
        Special::Plain => attribute_form.is_some_and(|own| own == form || (text(own) && text(form))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Attribute;

    fn entry(schema: &Schema, attributes: &[(&str, &[&str])]) -> Entry {
        let attributes = attributes
            .iter()
            .map(|(name, values)| Attribute {
                description: schema.describe(name).unwrap(),
                values: values.iter().map(|value| value.as_bytes().to_vec()).collect(),
            })
            .collect();
        Entry::encode(&attributes, schema)
    }

    fn alice(schema: &Schema) -> Entry {
        entry(
            schema,
            &[
                ("objectClass", &["inetOrgPerson", "organizationalPerson", "person", "top"]),
                ("cn", &["Alice  Adams", "Ali"]),
                ("cn;lang-de", &["Alizia"]),
                ("sn", &["Adams"]),
                ("uid", &["alice"]),
                ("uidNumber", &["1003"]),
                ("member", &["uid=bob,dc=example,dc=com"]),
                ("createTimestamp", &["20260102030405Z"]),
                ("userPassword", &["secret"]),
            ],
        )
    }

    fn truth(filter: &str) -> Truth {
        let schema = Schema::standard();
        let alice = alice(&schema);
        let mut searchable = AttributeSet::first(schema.attribute_types().len());
        searchable.subtract(schema.secret());
        let dn = Dn::parse(&schema, "uid=alice,ou=people,dc=example,dc=com").unwrap();
        let facts = Facts { entries: &[&alice], searchable: &searchable, dn: &dn, schema: &schema };
        Matcher::prepare(&Filter::parse(filter).unwrap(), &schema).evaluate(&facts)
    }

    #[test]
    fn items_match_by_the_rule_of_their_attribute() {
        for filter in [
            "(uid=ALICE)",
            "(cn=alice adams)",
            "(CommonName=ali)",
            "(2.5.4.3=Ali)",
            "(cn=al*ce*ms)",
            "(cn=*adams)",
            "(cn=alice *)",
            "(uidNumber=1003)",
            "(uidNumber>=999)",
            "(uidNumber<=10000)",
            "(createTimestamp>=20260101000000Z)",
            "(uid>=a)",
            "(uid<=b)",
            "(objectClass=*)",
            "(objectClass=PERSON)",
            "(objectClass=2.5.6.6)",
            "(member=UID=Bob, DC=example,DC=com)",
            "(name=Adams)",
            "(cn;lang-de=alizia)",
            "(cn=alizia)",
            "(cn~=alice adams)",
            "(cn:caseExactMatch:=Alice Adams)",
            "(:caseExactMatch:=Adams)",
            "(ou:dn:=people)",
            "(uid:dn:=alice)",
            "(cn:wordMatch:=adams)",
            "(uidNumber:1.2.840.113556.1.4.803:=3)",
            "(uidNumber:1.2.840.113556.1.4.804:=6)",
            "(cn:caseIgnoreSubstringsMatch:=ice)",
            "(&)",
        ] {
            assert_eq!(truth(filter), Truth::True, "{filter}");
        }
    }

    #[test]
    fn items_that_do_not_match_are_false() {
        for filter in [
            "(uid=bob)",
            "(cn;lang-fr=alizia)",
            "(uidNumber>=1004)",
            "(uidNumber<=100)",
            "(cn=adams*)",
            "(cn=*alice)",
            "(cn=ali*ali)",
            "(description=*)",
            "(cn:caseExactMatch:=alice adams)",
            "(ou=people)",
            "(uidNumber:1.2.840.113556.1.4.803:=7)",
            "(|)",
            "(sn;lang-de=Adams)",
        ] {
            assert_eq!(truth(filter), Truth::False, "{filter}");
        }
    }

    #[test]
    fn what_cannot_be_decided_is_undefined_and_so_is_its_negation() {
        for filter in [
            "(foobar=x)",
            "(foobar=*)",
            "(foobar>=x)",
            "(uidNumber=abc)",
            "(member=not a name)",
            "(member>=uid=bob)",
            "(uidNumber=1*)",
            "(userPassword=secret)",
            "(userPassword=*)",
            "(userPassword=s*)",
            "(cn:noSuchMatch:=x)",
            "(uidNumber:caseExactMatch:=1003)",
        ] {
            assert_eq!(truth(filter), Truth::Undefined, "{filter}");
            assert_eq!(truth(&format!("(!{filter})")), Truth::Undefined, "not {filter}");
            assert_eq!(truth(&format!("(|{filter}(uid=alice))")), Truth::True, "or {filter}");
            assert_eq!(truth(&format!("(&{filter}(uid=bob))")), Truth::False, "and {filter}");
        }
    }

    #[test]
    fn negation_of_an_absent_attribute_is_true() {
        assert_eq!(truth("(!(description=x))"), Truth::True);
        assert_eq!(truth("(!(uid=alice))"), Truth::False);
    }

    #[test]
    fn a_matcher_says_what_it_looks_at() {
        let schema = Schema::standard();
        let filter = Filter::parse("(&(uid=a)(!(memberOf=dc=b))(|(sn=c*)))").unwrap();
        let mentioned = Matcher::prepare(&filter, &schema).mentioned();
        for name in ["uid", "memberOf", "sn"] {
            assert!(mentioned.contains(schema.find_attribute_type(name).unwrap().id), "{name}");
        }
        assert!(!mentioned.contains(schema.known().cn));
    }
}
