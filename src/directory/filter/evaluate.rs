//! The evaluation of filters in three-valued logic (RFC 4511 §4.5.1.7).

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::ControlFlow;

use super::{Matcher, Selector};
use crate::directory::schema::{AttributeSet, NormalForm};
use crate::directory::{Dn, Entry, Rdn, Schema};

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

/// The steps that a test may take: about one for each part of the filter and for each value that is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Steps {
    most: u64,
    taken: u64,
}

impl Steps {
    /// So many.
    pub const fn new(most: u64) -> Self {
        Self { most, taken: 0 }
    }

    /// How many were taken.
    pub const fn taken(&self) -> u64 {
        self.taken
    }

    /// How many may still be taken.
    pub const fn left(&self) -> u64 {
        self.most.saturating_sub(self.taken)
    }

    /// Whether more would have been needed.
    pub const fn are_exceeded(&self) -> bool {
        self.taken > self.most
    }

    /// Takes some; `None` if there are not so many left.
    pub fn take(&mut self, steps: u64) -> Option<()> {
        self.taken = self.taken.saturating_add(steps);
        (!self.are_exceeded()).then_some(())
    }
}

impl Matcher {
    /// Tests the facts.
    pub fn evaluate(&self, facts: &Facts<'_>) -> Truth {
        self.evaluate_within(facts, &mut Steps::new(u64::MAX)).unwrap_or(Truth::Undefined)
    }

    /// Tests the facts; `None` if that takes more steps.
    pub fn evaluate_within(&self, facts: &Facts<'_>, steps: &mut Steps) -> Option<Truth> {
        Evaluation::new(facts, steps).truth(self)
    }
}

/// So many values of an attribute are compared one by one, however often they are asked for.
const MANY_VALUES: usize = 32;
/// Of so many attributes with many values it is remembered that they were asked for.
const MOST_REMEMBERED: usize = 8;

/// The test of one entry.
pub(super) struct Evaluation<'e> {
    pub(super) facts: &'e Facts<'e>,
    steps: &'e mut Steps,
    /// What it costs to pass over the attributes of the entry.
    passing: u64,
    remembered: Vec<Remembered<'e>>,
}

/// Many values that were asked for: when that happens again, their normal forms are worked out, all at once.
struct Remembered<'e> {
    selector: &'e Selector,
    form: NormalForm,
    normal: Option<HashSet<Vec<u8>>>,
}

impl<'e> Evaluation<'e> {
    fn new(facts: &'e Facts<'_>, steps: &'e mut Steps) -> Self {
        let attributes: usize = facts.entries.iter().map(|entry| entry.attributes_len()).sum();
        Self { facts, steps, passing: small(attributes / 16), remembered: Vec::new() }
    }

    fn truth(&mut self, matcher: &'e Matcher) -> Option<Truth> {
        self.steps.take(1)?;
        let schema = self.facts.schema;
        match matcher {
            Matcher::And(all) => self.all(all),
            Matcher::Or(any) => self.any(any),
            Matcher::Not(inner) => Some(self.truth(inner)?.negated()),
            Matcher::Always(truth) => Some(*truth),
            Matcher::Present(selector) => self.item(selector, 0, |_| true),
            Matcher::Equal { selector, form, normal, raw } => self.equal(selector, *form, normal, raw),
            Matcher::AtLeast(selector, form, bound) => self.item(selector, weight(*form), |value| {
                form.of_value(schema, value).is_ok_and(|own| own.as_ref() >= bound.as_slice())
            }),
            Matcher::AtMost(selector, form, bound) => self.item(selector, weight(*form), |value| {
                form.of_value(schema, value).is_ok_and(|own| own.as_ref() <= bound.as_slice())
            }),
            Matcher::Pieces(selector, form, pieces) => self.item(selector, weight(*form), |value| {
                form.of_value(schema, value).is_ok_and(|own| pieces.occur_in(&own))
            }),
            Matcher::Word(selector, word) => self.item(selector, 1, |value| {
                let own = NormalForm::CaseIgnore.of_value(schema, value);
                own.is_ok_and(|own| has_word(&own, word))
            }),
            Matcher::Bits { selector, all, bits } => self.item(selector, 1, |value| {
                let number = std::str::from_utf8(value).ok().and_then(|text| text.parse::<i64>().ok());
                number.is_some_and(|number| {
                    let set = number.cast_unsigned() & bits;
                    if *all { set == *bits } else { set != 0 }
                })
            }),
            Matcher::InName(selector, form, normal, inner) => {
                if self.is_in_name(selector, *form, normal)? {
                    return Some(Truth::True);
                }
                self.truth(inner)
            }
            // Elsewhere it is Undefined, as the facts say.
            Matcher::Within(_, inner) => self.truth(inner),
            Matcher::InChain(chain) => Some(self.is_linked(chain)),
        }
    }

    /// The least of all; nothing is less than False.
    fn all(&mut self, parts: &'e [Matcher]) -> Option<Truth> {
        let mut least = Truth::True;
        for part in parts {
            least = least.min(self.truth(part)?);
            if least == Truth::False {
                break;
            }
        }
        Some(least)
    }

    /// The greatest of all; nothing is greater than True.
    fn any(&mut self, parts: &'e [Matcher]) -> Option<Truth> {
        let mut greatest = Truth::False;
        for part in parts {
            greatest = greatest.max(self.truth(part)?);
            if greatest == Truth::True {
                break;
            }
        }
        Some(greatest)
    }

    fn item(&mut self, selector: &Selector, weight: u64, test: impl Fn(&[u8]) -> bool) -> Option<Truth> {
        self.steps.take(self.passing.saturating_mul(small(selector.types.len())))?;
        // From within, the values are passed over much faster than by `for`.
        let looked = selector.values(self.facts).try_for_each(|value| {
            if self.steps.take(weight.saturating_mul(1 + small(value.len() / 64))).is_none() {
                return ControlFlow::Break(None);
            }
            if test(value) { ControlFlow::Break(Some(Truth::True)) } else { ControlFlow::Continue(()) }
        });
        match looked {
            ControlFlow::Break(truth) => truth,
            ControlFlow::Continue(()) => Some(self.absence(selector)),
        }
    }

    /// What it means that no value was found.
    fn absence(&self, selector: &Selector) -> Truth {
        if selector.is_searchable(self.facts) { Truth::False } else { Truth::Undefined }
    }

    fn equal(&mut self, selector: &'e Selector, form: NormalForm, normal: &[u8], raw: &[u8]) -> Option<Truth> {
        let is_it = |remembered: &Remembered<'_>| remembered.form == form && remembered.selector == selector;
        if let Some(position) = self.remembered.iter().position(is_it) {
            let has = self.normal_forms(position)?.contains(normal);
            return Some(if has { Truth::True } else { self.absence(selector) });
        }
        let mut count = 0;
        let mut is_raw = |value: &[u8]| {
            count += 1;
            value == raw
        };
        if selector.values(self.facts).any(&mut is_raw) {
            return Some(Truth::True);
        }
        if count == 0 {
            return Some(self.absence(selector));
        }
        self.steps.take(small(count / 16))?;
        if count > MANY_VALUES && self.remembered.len() < MOST_REMEMBERED {
            self.remembered.push(Remembered { selector, form, normal: None });
        }
        let schema = self.facts.schema;
        self.item(selector, weight(form), |value| form.matches(schema, value, normal))
    }

    /// The normal forms of values that are many and are asked for again.
    fn normal_forms(&mut self, position: usize) -> Option<&HashSet<Vec<u8>>> {
        let remembered = self.remembered.get_mut(position)?;
        if remembered.normal.is_none() {
            let form = remembered.form;
            let mut all = HashSet::new();
            for value in remembered.selector.values(self.facts) {
                self.steps.take(weight(form).saturating_mul(1 + small(value.len() / 64)))?;
                all.extend(form.of_value(self.facts.schema, value).map(Cow::into_owned));
            }
            remembered.normal = Some(all);
        }
        remembered.normal.as_ref()
    }

    fn is_in_name(&mut self, selector: &Selector, form: NormalForm, normal: &[u8]) -> Option<bool> {
        let Facts { dn, searchable, schema, .. } = *self.facts;
        for (text, _) in dn.rdns() {
            self.steps.take(weight(NormalForm::Dn).saturating_mul(1 + small(text.len() / 64)))?;
            let Ok(rdn) = Rdn::parse(schema, text) else { continue };
            let has = rdn.assertions().iter().any(|(description, value)| {
                let id = description.attribute_type;
                selector.types.contains(&id) && searchable.contains(id) && form.matches(schema, value, normal)
            });
            if has {
                return Some(true);
            }
        }
        Some(false)
    }
}

fn has_word(text: &[u8], word: &[u8]) -> bool {
    text.split(|octet| !octet.is_ascii_alphanumeric() && octet.is_ascii()).any(|own| own == word)
}

/// What it costs to bring a short value to its normal form.
const fn weight(form: NormalForm) -> u64 {
    match form {
        NormalForm::Dn | NormalForm::NameAndUid => 8,
        _ => 1,
    }
}

fn small(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Attribute;
    use crate::directory::filter::Filter;

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
            "(userCertificate={ serialNumber 1, issuer \"cn=ca\" })",
            "(userCertificate:2.5.13.35:={ serialNumber 1 })",
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

    /// The steps that a filter takes on a group of `members`.
    fn steps_on_group(members: usize, filter: &Filter) -> (Truth, u64) {
        let schema = Schema::standard();
        let members = (0..members).map(|n| format!("uid=u{n},dc=example,dc=com").into_bytes()).collect();
        let member = Attribute { description: schema.describe("member").unwrap(), values: members };
        let group = Entry::encode(&std::iter::once(member).collect(), &schema);
        let searchable = AttributeSet::first(schema.attribute_types().len());
        let facts = Facts { entries: &[&group], searchable: &searchable, dn: &Dn::root(), schema: &schema };
        let mut steps = Steps::new(1_000_000);
        let truth = Matcher::prepare(filter, &schema).evaluate_within(&facts, &mut steps).unwrap();
        (truth, steps.taken())
    }

    #[test]
    fn many_values_are_brought_to_their_normal_form_once() {
        let is_member = |n: usize| Filter::parse(&format!("(member=UID=u{n}, dc=example,dc=com)")).unwrap();
        let (truth, one) = steps_on_group(1_000, &is_member(5_000));
        assert_eq!(truth, Truth::False);
        let (truth, many) = steps_on_group(1_000, &Filter::Or((5_000..6_000).map(is_member).collect()));
        assert_eq!(truth, Truth::False);
        assert!(many < 3 * one, "{many} and {one}");
        let all_and_one = Filter::Or((5_000..6_000).chain([7]).map(is_member).collect());
        assert_eq!(steps_on_group(1_000, &all_and_one).0, Truth::True);
    }

    #[test]
    fn what_is_decided_is_asked_no_further() {
        let filter = |text: &str| Filter::parse(text).unwrap();
        for (text, truth) in [("(&(|)(member=cn=x))", Truth::False), ("(|(&)(member=cn=x))", Truth::True)] {
            let (found, steps) = steps_on_group(1_000, &filter(text));
            assert_eq!(found, truth);
            assert!(steps < 10, "{steps}");
        }
    }

    #[test]
    fn a_test_ends_with_its_steps() {
        let schema = Schema::standard();
        let alice = alice(&schema);
        let searchable = AttributeSet::first(schema.attribute_types().len());
        let facts = Facts { entries: &[&alice], searchable: &searchable, dn: &Dn::root(), schema: &schema };
        let matcher = Matcher::prepare(&Filter::parse("(|(uid=x)(cn=y)(sn=z)(uid=alice))").unwrap(), &schema);
        let mut few = Steps::new(3);
        assert_eq!(matcher.evaluate_within(&facts, &mut few), None);
        assert!(few.are_exceeded());
        assert_eq!(matcher.evaluate_within(&facts, &mut Steps::new(100)), Some(Truth::True));
    }
}
