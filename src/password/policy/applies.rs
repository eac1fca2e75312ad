//! Whom a policy says by itself that it governs, with nobody naming it.

use crate::directory::filter::{Facts, Filter, Matcher, Steps, Truth};
use crate::directory::schema::{AttributeSet, Schema};
use crate::directory::{Dn, Entry};

use super::PolicyError;
use super::reader::Reader;

/// Whom a policy says that it governs: those for whom, of every kind of condition that it names, one holds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Applies {
    /// `pwdAppliesToGroup`: members of this group, and of groups in it.
    pub groups: Vec<Dn>,
    /// `pwdAppliesToSubtree`: entries at and below this name.
    pub subtrees: Vec<Dn>,
    /// `pwdAppliesToFilter`: entries that match.
    pub filters: Vec<Condition>,
}

/// A search filter that entries match or not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Condition {
    /// As it is written (RFC 4515).
    pub text: String,
    matcher: Matcher,
}

const GROUP: &str = "pwdAppliesToGroup";
const SUBTREE: &str = "pwdAppliesToSubtree";
const FILTER: &str = "pwdAppliesToFilter";

/// It is tested at every bind.
const MOST_PARTS: usize = 100;
/// So are these.
const MOST_CONDITIONS: usize = 100;
/// So many steps a test may take; compare [`Steps`].
const STEPS: u64 = 20_000;

impl Applies {
    /// Reads whom a policy entry says that it governs; `None` if it says nothing of that.
    pub(super) fn read(reader: &Reader<'_>) -> Result<Option<Self>, PolicyError> {
        let applies = Self {
            groups: read_all(reader, GROUP, read_name)?,
            subtrees: read_all(reader, SUBTREE, read_name)?,
            filters: read_all(reader, FILTER, Condition::read)?,
        };
        Ok((applies != Self::default()).then_some(applies))
    }

    /// What of it can be read; a kind of condition that cannot be read counts as held.
    pub(super) fn readable_part(reader: &Reader<'_>) -> Self {
        Self {
            groups: read_all(reader, GROUP, read_name).unwrap_or_default(),
            subtrees: read_all(reader, SUBTREE, read_name).unwrap_or_default(),
            filters: read_all(reader, FILTER, Condition::read).unwrap_or_default(),
        }
    }

    /// The names that it goes by, each with the attribute that has it.
    pub fn names(&self) -> impl Iterator<Item = (&'static str, &Dn)> {
        let groups = self.groups.iter().map(|name| (GROUP, name));
        groups.chain(self.subtrees.iter().map(|name| (SUBTREE, name)))
    }

    /// Whether subtree and filter, as far as they are named, hold for an entry. Groups are for whoever knows the tree.
    pub fn admits(&self, entry: &Entry, dn: &Dn, schema: &Schema) -> bool {
        let below = || self.subtrees.is_empty() || self.subtree_of(dn).is_some();
        let matches = || self.filters.is_empty() || self.filter_matching(entry, dn, schema).is_some();
        below() && matches()
    }

    /// The attributes that its filters look at.
    pub fn mentioned(&self) -> AttributeSet {
        let mut all = AttributeSet::EMPTY;
        self.filters.iter().for_each(|condition| all.union(&condition.matcher.mentioned()));
        all
    }

    /// Whether it governs whatever stands there, by its place alone.
    pub fn admits_by_place(&self, dn: &Dn) -> bool {
        self.groups.is_empty() && self.filters.is_empty() && self.subtree_of(dn).is_some()
    }

    /// The subtree that the name is in.
    pub fn subtree_of(&self, dn: &Dn) -> Option<&Dn> {
        self.subtrees.iter().find(|subtree| dn.is_within(subtree))
    }

    /// The filter that the entry matches. One that takes too long to test is not matched.
    pub fn filter_matching(&self, entry: &Entry, dn: &Dn, schema: &Schema) -> Option<&Condition> {
        if self.filters.is_empty() {
            return None;
        }
        let facts = Facts { entries: &[entry], searchable: schema.everything(), dn, schema };
        let matches = |condition: &&Condition| {
            condition.matcher.evaluate_within(&facts, &mut Steps::new(STEPS)) == Some(Truth::True)
        };
        self.filters.iter().find(matches)
    }
}

impl Condition {
    /// Reads a filter, and refuses one that says nothing of an entry: with what the schema does not know, with what no
    /// entry stores, or with secrets and the state of passwords, which would change who governs while it governs.
    fn read(text: &str, schema: &Schema) -> Result<Self, String> {
        let filter = Filter::parse(text).map_err(|error| error.to_string())?;
        if filter.parts() > MOST_PARTS {
            return Err(format!("it has more than {MOST_PARTS} parts, and it is tested at every bind"));
        }
        let matcher = Matcher::prepare(&filter, schema);
        let known = schema.known();
        let mentioned = matcher.mentioned();
        let unfit = |id: &_| schema.secret().contains(*id) || known.credentials().contains(id);
        if let Some(id) = mentioned.iter().find(unfit) {
            let name = schema.attribute_type(id).name();
            return Err(format!("no policy goes by {name}, which is a secret or the state of a password"));
        }
        if let Some(id) = mentioned.iter().find(|id| known.derived().contains(id)) {
            let name = schema.attribute_type(id).name();
            return Err(format!("no entry stores {name}; use {GROUP} or {SUBTREE}"));
        }
        if matcher.is_undecidable() {
            return Err("the schema does not know an attribute or a rule in it, or not such a value".to_owned());
        }
        Ok(Self { text: text.to_owned(), matcher })
    }
}

/// All values of an attribute.
fn read_all<T>(
    reader: &Reader<'_>,
    attribute: &'static str,
    read: fn(&str, &Schema) -> Result<T, String>,
) -> Result<Vec<T>, PolicyError> {
    let texts = reader.texts(attribute);
    if texts.len() > MOST_CONDITIONS {
        return Err(PolicyError { attribute, reason: format!("at most {MOST_CONDITIONS} values are looked at") });
    }
    let read = |text: &String| {
        read(text, reader.schema).map_err(|reason| PolicyError { attribute, reason: format!("{text:?}: {reason}") })
    };
    texts.iter().map(read).collect()
}

fn read_name(text: &str, schema: &Schema) -> Result<Dn, String> {
    match Dn::parse(schema, text) {
        Ok(dn) if dn.is_root() => Err("the root of the tree is no entry".to_owned()),
        Ok(dn) => Ok(dn),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::{Attribute, Attributes};

    fn entry(list: &[(&str, &str)]) -> Entry {
        let schema = Schema::standard();
        let attribute = |(name, value): &(&str, &str)| Attribute {
            description: schema.describe(name).unwrap(),
            values: vec![value.as_bytes().to_vec()],
        };
        Entry::encode(&list.iter().map(attribute).collect::<Attributes>(), &schema)
    }

    fn read(list: &[(&str, &str)]) -> Result<Option<Applies>, String> {
        let schema = Schema::standard();
        Applies::read(&Reader::new(&entry(list), &schema)).map_err(|error| error.to_string())
    }

    fn admits(list: &[(&str, &str)], person: &[(&str, &str)], dn: &str) -> bool {
        let schema = Schema::standard();
        let dn = Dn::parse(&schema, dn).unwrap();
        read(list).unwrap().unwrap().admits(&entry(person), &dn, &schema)
    }

    #[test]
    fn every_kind_of_condition_that_is_named_must_hold() {
        let conditions = [(SUBTREE, "ou=people,dc=x"), (FILTER, "(employeeType=staff)")];
        let (staff, guest) = ([("employeeType", "Staff")], [("employeeType", "guest")]);
        assert!(admits(&conditions, &staff, "uid=a,OU=People,dc=x"));
        assert!(!admits(&conditions, &guest, "uid=a,ou=people,dc=x"));
        assert!(!admits(&conditions, &staff, "uid=a,ou=others,dc=x"));
        assert!(
            admits(&conditions[..1], &guest, "ou=people,dc=x") && !admits(&conditions[..1], &guest, "ou=xpeople,dc=x")
        );
        assert!(!admits(&[(FILTER, "(!(employeeType=staff))")], &staff, "dc=x"));
        assert!(admits(&[(FILTER, "(ou:dn:=people)")], &[], "uid=a,ou=people,dc=x"));
    }

    #[test]
    fn a_policy_that_says_nothing_governs_nobody_by_itself() {
        assert_eq!(read(&[("pwdMinLength", "8")]), Ok(None));
    }

    #[test]
    fn what_says_nothing_of_an_entry_is_refused_with_the_reason() {
        let fault = |attribute, value| read(&[(attribute, value)]).unwrap_err();
        assert!(fault(GROUP, "staff").starts_with("pwdAppliesToGroup: \"staff\": "));
        assert!(fault(SUBTREE, "").contains("no entry"));
        assert!(fault(FILTER, "(uid=a").starts_with("pwdAppliesToFilter: \"(uid=a\": "));
        for secret in ["(userPassword=*)", "(&(uid=a)(!(pwdHistory=*)))", "(pwdReset=TRUE)", "(pwdScheme=clear)"] {
            assert!(fault(FILTER, secret).contains("secret or the state"), "{secret}");
        }
        assert!(fault(FILTER, "(:caseIgnoreMatch:=clear)").contains("pwdScheme"));
        assert!(fault(FILTER, "(memberOf=cn=a)").contains("pwdAppliesToGroup"));
        for unknown in ["(nosuch=*)", "(uidNumber=x)", "(uid:nosuchMatch:=x)"] {
            assert!(fault(FILTER, unknown).contains("does not know"), "{unknown}");
        }
        assert!(fault(FILTER, &format!("(|{})", "(uid=a)".repeat(MOST_PARTS))).contains("parts"));
    }

    #[test]
    fn of_what_cannot_be_read_the_rest_holds() {
        let schema = Schema::standard();
        let damaged = entry(&[(SUBTREE, "ou=people,dc=x"), (FILTER, "(nosuch=*)")]);
        let applies = Applies::readable_part(&Reader::new(&damaged, &schema));
        let admits = |dn: &str| applies.admits(&entry(&[]), &Dn::parse(&schema, dn).unwrap(), &schema);
        assert!(admits("uid=a,ou=people,dc=x") && !admits("uid=a,dc=x"));
    }
}
