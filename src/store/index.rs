//! Which attributes are indexed, and what an entry contributes to the indexes.

use std::collections::{BTreeSet, HashSet};

use smallvec::SmallVec;

use super::key::Postings;
use crate::directory::entry::EncodedAttribute;
use crate::directory::filter::{Pieces, ordering_form};
use crate::directory::schema::{AttributeType, MatchingRule, NormalForm, Schema};
use crate::directory::{AttributeTypeId, Entry};

/// What an index answers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum IndexKind {
    /// `(a=*)`
    Presence,
    /// `(a=v)`
    Equality,
    /// `(a=*v*)`
    Substring,
    /// `(a>=v)` and `(a<=v)`
    Ordering,
}

impl IndexKind {
    /// The number that stands for it on disk.
    pub const fn number(self) -> u8 {
        match self {
            Self::Presence => 1,
            Self::Equality => 2,
            Self::Substring => 3,
            Self::Ordering => 4,
        }
    }

    /// The kind of that number.
    pub const fn of_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Presence,
            2 => Self::Equality,
            3 => Self::Substring,
            4 => Self::Ordering,
            _ => return None,
        })
    }

    /// The word that the configuration has for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Presence => "presence",
            Self::Equality => "equality",
            Self::Substring => "substring",
            Self::Ordering => "ordering",
        }
    }

    /// The kind of that word.
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Presence, Self::Equality, Self::Substring, Self::Ordering].into_iter().find(|kind| kind.word() == word)
    }
}

/// An attribute and the indexes that it shall have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IndexedAttribute {
    /// The name of the attribute type.
    pub attribute: String,
    /// The indexes.
    pub kinds: Vec<IndexKind>,
}

impl IndexedAttribute {
    /// What is indexed unless something else is asked for.
    pub fn usual() -> Vec<Self> {
        let usual =
            |(name, kinds): &(&str, &[IndexKind])| Self { attribute: (*name).to_owned(), kinds: kinds.to_vec() };
        USUAL.iter().map(usual).collect()
    }

    /// Whether the attribute can have these indexes.
    pub fn check(&self, schema: &Schema) -> Result<(), IndexError> {
        stored(&self.attribute, schema)?;
        self.kinds.iter().try_for_each(|kind| indexable(&self.attribute, *kind, schema).map(drop))
    }
}

/// Why an attribute cannot have an index.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IndexError {
    /// The schema does not define it.
    #[error("the attribute {0:?} is not in the schema")]
    Undefined(String),
    /// The schema gives it no rule that such an index could go by.
    #[error("the attribute {0:?} cannot have the index {1:?}: the schema gives it no such matching rule")]
    NoRule(String, &'static str),
    /// No entry holds it.
    #[error(
        "the attribute {0:?} cannot be indexed: no entry stores it, since it follows from other things; leave it out"
    )]
    Derived(String),
    /// It stands beside the entry.
    #[error("the attribute {0:?} cannot be indexed: it is kept with the password, beside the entry; leave it out")]
    Credentials(String),
    /// Nobody may search for it.
    #[error("the attribute {0:?} cannot be indexed: it is a secret, and nobody may search for it; leave it out")]
    Secret(String),
}

/// What people, applications and the server itself search by.
const USUAL: &[(&str, &[IndexKind])] = {
    use IndexKind::{Equality, Ordering, Presence, Substring};
    &[
        ("objectClass", &[Equality]),
        ("uid", &[Equality, Substring, Presence]),
        ("cn", &[Equality, Substring]),
        ("sn", &[Equality, Substring]),
        ("givenName", &[Equality, Substring]),
        ("displayName", &[Equality, Substring]),
        ("mail", &[Equality, Substring, Presence]),
        ("telephoneNumber", &[Equality]),
        ("employeeNumber", &[Equality]),
        ("ou", &[Equality]),
        ("o", &[Equality]),
        ("dc", &[Equality]),
        ("uidNumber", &[Equality, Ordering]),
        ("gidNumber", &[Equality]),
        ("member", &[Equality]),
        ("uniqueMember", &[Equality]),
        ("memberUid", &[Equality]),
        ("owner", &[Equality]),
        ("manager", &[Equality]),
        ("seeAlso", &[Equality]),
        ("aliasedObjectName", &[Equality, Presence]),
        ("ref", &[Presence]),
        ("pwdPolicySubentry", &[Equality]),
        ("entryUUID", &[Equality]),
        ("entryCSN", &[Ordering]),
        ("modifyTimestamp", &[Ordering]),
        ("createTimestamp", &[Ordering]),
    ]
};

/// Attributes whose equality index the server cannot do without: names are found by it, memberships, policies, what follows an
/// entry that is renamed, and what no two may share.
const NEEDED: &[&str] = &[
    "objectClass",
    "uid",
    "mail",
    "member",
    "uniqueMember",
    "owner",
    "manager",
    "secretary",
    "seeAlso",
    "roleOccupant",
    "pwdPolicySubentry",
    "pwdAppliesToGroup",
    "pwdAppliesToSubtree",
    "oathTOTPToken",
    "oathHOTPToken",
    "oathTOTPParams",
    "oathHOTPParams",
    "accessAuthor",
    "aliasedObjectName",
];

/// Attributes whose presence index the server cannot do without: it tells which entries are treated otherwise than others.
const NEEDED_PRESENCE: &[&str] =
    &["ref", "aliasedObjectName", "subtreeSpecification", "memberURL", "pwdPolicySubentry"];

/// So much of a value is taken to pieces: more of a megabyte of text would fill the index and help nobody. Values that
/// are longer are marked, and looked at whatever is searched.
const MAX_PIECES: usize = 256;

/// The piece that marks them.
pub(super) const LONG: [u8; 3] = [0; 3];

/// What stands in front of the first octet and behind the last in the pieces of a value, so that beginnings and ends are
/// found as such. No prepared text has them.
const START: u8 = 0x02;
const END: u8 = 0x03;

/// The indexes of a store.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Indexes {
    /// By the number of the attribute type; mostly empty.
    kinds: Vec<Vec<IndexKind>>,
}

impl Indexes {
    /// Those that are asked for, or the usual ones.
    pub(super) fn choose(wanted: Option<&[IndexedAttribute]>, schema: &Schema) -> Result<Self, IndexError> {
        let mut indexes = Self { kinds: vec![Vec::new(); schema.attribute_types().len()] };
        match wanted {
            Some(wanted) => {
                for one in wanted {
                    for kind in &one.kinds {
                        indexes.add(&one.attribute, *kind, schema)?;
                    }
                }
            }
            None => {
                for (name, kinds) in USUAL {
                    for kind in *kinds {
                        indexes.add(name, *kind, schema)?;
                    }
                }
            }
        }
        for name in NEEDED {
            indexes.add(name, IndexKind::Equality, schema)?;
        }
        for name in NEEDED_PRESENCE {
            indexes.add(name, IndexKind::Presence, schema)?;
        }
        Ok(indexes)
    }

    fn add(&mut self, name: &str, kind: IndexKind, schema: &Schema) -> Result<(), IndexError> {
        let attribute = indexable(name, kind, schema)?;
        let undefined = || IndexError::Undefined(name.to_owned());
        let kinds = self.kinds.get_mut(attribute.id.index()).ok_or_else(undefined)?;
        if !kinds.contains(&kind) {
            kinds.push(kind);
            kinds.sort_unstable();
        }
        Ok(())
    }

    /// Whether the attribute has that index.
    pub(super) fn has(&self, attribute: AttributeTypeId, kind: IndexKind) -> bool {
        self.of(attribute).contains(&kind)
    }

    fn of(&self, attribute: AttributeTypeId) -> &[IndexKind] {
        self.kinds.get(attribute.index()).map(Vec::as_slice).unwrap_or_default()
    }

    /// The attributes by which the server itself finds entries.
    pub(super) fn needed(schema: &Schema) -> impl Iterator<Item = AttributeTypeId> {
        NEEDED.iter().filter_map(|name| schema.find_attribute_type(name)).map(|attribute| attribute.id)
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (AttributeTypeId, IndexKind)> + '_ {
        let all = (0..).zip(&self.kinds);
        all.flat_map(|(number, kinds)| kinds.iter().map(move |kind| (AttributeTypeId(number), *kind)))
    }

    /// The postings that an entry has, in order.
    pub(super) fn postings(&self, entry: &Entry, schema: &Schema) -> Vec<Postings> {
        let mut postings = Vec::new();
        self.append_postings(entry, schema, &mut postings);
        postings.sort_unstable();
        postings.dedup();
        postings
    }

    /// Appends the postings that an entry has; what two of its values share comes twice.
    pub(super) fn append_postings(&self, entry: &Entry, schema: &Schema, postings: &mut impl Extend<Postings>) {
        for attribute in entry.attributes() {
            self.collect(&attribute, schema, postings);
        }
    }

    /// The postings that an entry gains and loses. Attributes and values that stay as they are, which is most, are not looked
    /// into, but for what the entry goes on to have of that which it might lose: a piece of another value, an attribute
    /// with other options, or what only shares the hash.
    pub(super) fn difference(&self, old: &Entry, new: &Entry, schema: &Schema) -> (Vec<Postings>, Vec<Postings>) {
        let (old, new): (Listed<'_>, Listed<'_>) = (old.attributes().collect(), new.attributes().collect());
        let (mut before, mut after) = (BTreeSet::new(), BTreeSet::new());
        for attribute in missing_in(&old, &new) {
            self.collect_but(counterpart(attribute, &new), attribute, schema, &mut before);
        }
        for attribute in missing_in(&new, &old) {
            self.collect_but(counterpart(attribute, &old), attribute, schema, &mut after);
        }
        let gained = after.difference(&before).copied().collect();
        let mut lost = Lost(before.difference(&after).copied().collect());
        for attribute in &new {
            if lost.0.iter().any(|posting| posting.is_of(attribute.attribute_type)) {
                self.collect(attribute, schema, &mut lost);
            }
        }
        (gained, lost.0.into_iter().collect())
    }

    /// The postings of an attribute, but for those of values that stand in another, too.
    fn collect_but(
        &self,
        other: Option<&EncodedAttribute<'_>>,
        encoded: &EncodedAttribute<'_>,
        schema: &Schema,
        postings: &mut impl Extend<Postings>,
    ) {
        let others: HashSet<&[u8]> = other.iter().flat_map(|other| other.values()).collect();
        self.collect_of(
            encoded.attribute_type,
            || encoded.values().filter(|value| !others.contains(value)),
            schema,
            postings,
        );
    }

    fn collect(&self, encoded: &EncodedAttribute<'_>, schema: &Schema, postings: &mut impl Extend<Postings>) {
        self.collect_of(encoded.attribute_type, || encoded.values(), schema, postings);
    }

    /// The postings of values of an attribute.
    fn collect_of<'v, V: Iterator<Item = &'v [u8]>>(
        &self,
        id: AttributeTypeId,
        values: impl Fn() -> V,
        schema: &Schema,
        postings: &mut impl Extend<Postings>,
    ) {
        let attribute = schema.attribute_type(id);
        for kind in self.of(id) {
            match kind {
                IndexKind::Presence => {
                    postings.extend([Postings::presence(id)]);
                }
                IndexKind::Equality => {
                    let form = attribute.equality_or_fallback().normal_form();
                    let normal = values().filter_map(|value| form.of_value(schema, value).ok());
                    postings.extend(normal.map(|normal| Postings::equality(id, &normal)));
                    // A name with a bit string is found by the name alone, too: groups are looked for by their members.
                    let named = values().filter(|value| form.name_in(value).len() < value.len());
                    let normal = named.filter_map(|value| form.of_value(schema, form.name_in(value)).ok());
                    postings.extend(normal.map(|normal| Postings::equality(id, &normal)));
                }
                IndexKind::Substring => {
                    for normal in values().filter_map(|value| piece_form(attribute)?.of_value(schema, value).ok()) {
                        postings.extend(pieces_of_value(&normal).into_iter().map(|piece| Postings::piece(id, piece)));
                    }
                }
                IndexKind::Ordering => {
                    let Some(form) = ordering_form(attribute) else { continue };
                    let normal = values().filter_map(|value| form.of_value(schema, value).ok());
                    postings.extend(normal.map(|normal| Postings::ordered(id, &normal)));
                }
            }
        }
    }
}

/// Postings that an entry loses, but for those that it goes on to have: adding one takes it away.
struct Lost(BTreeSet<Postings>);

impl Extend<Postings> for Lost {
    fn extend<T: IntoIterator<Item = Postings>>(&mut self, kept: T) {
        for posting in kept {
            self.0.remove(&posting);
        }
    }
}

/// The attribute of the same type and options.
fn counterpart<'l, 'e>(
    attribute: &EncodedAttribute<'_>,
    others: &'l [EncodedAttribute<'e>],
) -> Option<&'l EncodedAttribute<'e>> {
    let is_it = |other: &&EncodedAttribute<'_>| {
        other.attribute_type == attribute.attribute_type && other.description() == attribute.description()
    };
    others.iter().find(is_it)
}

/// The attributes of an entry.
type Listed<'e> = SmallVec<[EncodedAttribute<'e>; 32]>;

/// The attributes of `some` that `others` do not have like that. Mostly both have the same in the same order.
fn missing_in<'l, 'e>(
    some: &'l [EncodedAttribute<'e>],
    others: &'l [EncodedAttribute<'e>],
) -> impl Iterator<Item = &'l EncodedAttribute<'e>> {
    let mut next = 0;
    some.iter().filter(move |one| {
        let is_same = |other: &EncodedAttribute<'_>| other.octets == one.octets;
        let found = if others.get(next).is_some_and(is_same) { Some(next) } else { others.iter().position(is_same) };
        next = found.unwrap_or(next) + 1;
        found.is_none()
    })
}

/// The attribute, if entries hold it. An index of what they do not hold would stay empty, and hide the entries that have it
/// when they are asked.
fn stored<'s>(name: &str, schema: &'s Schema) -> Result<&'s AttributeType, IndexError> {
    let attribute = schema.find_attribute_type(name).ok_or_else(|| IndexError::Undefined(name.to_owned()))?;
    let known = schema.known();
    if known.derived().contains(&attribute.id)
        || [known.context_csn, known.pwd_scheme, known.pwd_hash_cost].contains(&attribute.id)
    {
        return Err(IndexError::Derived(name.to_owned()));
    }
    if known.credentials().contains(&attribute.id) {
        return Err(IndexError::Credentials(name.to_owned()));
    }
    if attribute.is_secret() {
        return Err(IndexError::Secret(name.to_owned()));
    }
    Ok(attribute)
}

/// The attribute, if it can have such an index.
fn indexable<'s>(name: &str, kind: IndexKind, schema: &'s Schema) -> Result<&'s AttributeType, IndexError> {
    let attribute = stored(name, schema)?;
    let possible = match kind {
        IndexKind::Presence => true,
        IndexKind::Equality => attribute.equality.is_some(),
        IndexKind::Substring => attribute.substring.is_some(),
        IndexKind::Ordering => ordering_form(attribute).is_some(),
    };
    if possible { Ok(attribute) } else { Err(IndexError::NoRule(name.to_owned(), kind.word())) }
}

fn piece_form(attribute: &AttributeType) -> Option<NormalForm> {
    attribute.substring.map(MatchingRule::normal_form)
}

/// The pieces of three octets of a value, with what marks its ends.
fn pieces_of_value(normal: &[u8]) -> Vec<[u8; 3]> {
    let is_long = normal.len() > MAX_PIECES;
    let mut marked = Vec::with_capacity(normal.len().min(MAX_PIECES) + 2);
    marked.push(START);
    marked.extend(normal.iter().take(MAX_PIECES));
    if !is_long {
        marked.push(END);
    }
    let mut pieces = triples(&marked);
    pieces.extend(is_long.then_some(LONG));
    pieces
}

/// The pieces of three octets that a value which is not long must have to match an assertion. None if what is asserted is
/// too short.
pub(super) fn pieces_of_assertion(pieces: &Pieces) -> BTreeSet<[u8; 3]> {
    let initial = pieces.initial.iter().map(|initial| [&[START], initial.as_slice()].concat());
    let last = pieces.last.iter().map(|last| [last.as_slice(), &[END]].concat());
    let all = initial.chain(pieces.any.iter().cloned()).chain(last);
    all.flat_map(|piece| triples(&piece)).collect()
}

fn triples(octets: &[u8]) -> Vec<[u8; 3]> {
    octets.windows(3).filter_map(|triple| triple.try_into().ok()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::directory::Attributes;
    use crate::directory::attribute::AttributeDescription;

    fn choose(name: &str, kind: IndexKind) -> Result<Indexes, IndexError> {
        let wanted = [IndexedAttribute { attribute: name.to_owned(), kinds: vec![kind] }];
        Indexes::choose(Some(&wanted), &Schema::standard())
    }

    #[test]
    fn what_no_entry_stores_has_no_index() {
        for name in
            ["hasSubordinates", "numSubordinates", "memberOf", "isMemberOf", "entryDN", "pwdScheme", "pwdHashCost"]
        {
            assert_eq!(choose(name, IndexKind::Presence), Err(IndexError::Derived(name.to_owned())));
        }
        for name in ["pwdAccountLockedTime", "pwdReset", "pwdLastSuccess", "userPassword"] {
            assert_eq!(choose(name, IndexKind::Presence), Err(IndexError::Credentials(name.to_owned())));
        }
    }

    #[test]
    fn an_index_needs_a_rule_to_go_by() {
        assert_eq!(choose("shoeSize", IndexKind::Equality), Err(IndexError::Undefined("shoeSize".to_owned())));
        let no_rule = IndexError::NoRule("jpegPhoto".to_owned(), "ordering");
        assert_eq!(choose("jpegPhoto", IndexKind::Ordering), Err(no_rule));
        choose("description", IndexKind::Substring).unwrap();
        Indexes::choose(None, &Schema::standard()).unwrap();
    }

    /// Entries of few attributes, values and options, so that two of them have much in common.
    fn entries() -> impl Strategy<Value = Entry> {
        let names = prop::sample::select(vec!["cn", "cn;lang-de", "sn", "uid", "description", "member"]);
        let values = prop::sample::select(vec!["cn=a", "cn=b", "CN=A", "abcd"]);
        let all = prop::collection::vec((names, prop::collection::vec(values, 1..3)), 0..6);
        all.prop_map(|all| {
            let schema = Schema::standard();
            let mut attributes = Attributes::new();
            for (name, values) in all {
                let description = AttributeDescription::parse(&schema, name).unwrap();
                let values = values.into_iter().map(|value| value.as_bytes().to_vec()).collect();
                *attributes.values_mut(&description) = values;
            }
            Entry::encode(&attributes, &schema)
        })
    }

    proptest! {
        #[test]
        fn the_difference_makes_of_the_postings_of_one_entry_those_of_another(old in entries(), new in entries()) {
            let schema = Schema::standard();
            let indexes = Indexes::choose(None, &schema).unwrap();
            let (gained, lost) = indexes.difference(&old, &new, &schema);
            let mut postings: BTreeSet<_> = indexes.postings(&old, &schema).into_iter().chain(gained).collect();
            postings.retain(|posting| !lost.contains(posting));
            prop_assert_eq!(postings.into_iter().collect::<Vec<_>>(), indexes.postings(&new, &schema));
        }
    }
}
