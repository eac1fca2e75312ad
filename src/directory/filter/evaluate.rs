//! The evaluation of filters in three-valued logic (RFC 4511 §4.5.1.7).

use super::{Matcher, Selector};
use crate::directory::schema::{AttributeSet, AttributeTypeId, NormalForm};
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

impl Matcher {
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
}
