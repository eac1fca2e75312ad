//! Distinguished names (RFC 4514).

mod parse;
mod shown;

use std::fmt;
use std::hash::{Hash, Hasher};

use smallvec::SmallVec;

use super::{AttributeDescription, AttributeTypeId, Schema};
use parse::RawRdn;
pub use shown::without_secrets;

/// A distinguished name. Keeps the spelling that it was given; compares and hashes by `distinguishedNameMatch`
/// (RFC 4517 §4.2.15), so it is a safe map key.
#[derive(Clone)]
pub struct Dn {
    text: Box<str>,
    /// The keys of the RDNs, leaf first; see [`Rdn::key`].
    key: Box<[u8]>,
    rdns: SmallVec<[Span; 6]>,
}

/// Where an RDN stands in text and key.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: u32,
    end: u32,
    key_end: u32,
}

/// Why a text is no distinguished name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DnError {
    /// A part has no `=`, or nothing in front of it.
    #[error("a part of the name lacks its attribute type, as in uid=alice")]
    NoType,
    /// The attribute type is neither a name nor an object identifier.
    #[error("an attribute type in the name is malformed")]
    BadType,
    /// A character must be escaped.
    #[error("the name holds a character that must be escaped by a backslash")]
    Unescaped,
    /// A backslash is not followed by a special character or two hexadecimal digits.
    #[error("the name holds a backslash that escapes nothing")]
    BadEscape,
    /// The value behind `#` is no hexadecimal BER.
    #[error("the name holds a value behind # that is not hexadecimal BER")]
    BadHex,
    /// A value is longer than 65,535 octets, or there are more RDNs than a name can have.
    #[error("the name is too long")]
    TooLong,
    /// Names within names within names.
    #[error("the name holds names nested too deep")]
    TooDeep,
}

impl Dn {
    /// The name of the root, which is empty.
    pub fn root() -> Self {
        Self { text: "".into(), key: Box::default(), rdns: SmallVec::new() }
    }

    /// Reads a name. Attribute types that the schema lacks are allowed and compare without regard to case.
    pub fn parse(schema: &Schema, text: &str) -> Result<Self, DnError> {
        Self::parse_nested(schema, text, 0)
    }

    fn parse_nested(schema: &Schema, text: &str, depth: u8) -> Result<Self, DnError> {
        let mut key = Vec::with_capacity(text.len() + 8);
        let mut rdns = SmallVec::new();
        for raw in parse::rdns(text) {
            let raw = raw?;
            put_rdn_key(schema, &raw, depth, &mut key)?;
            rdns.push(Span { start: small(raw.start)?, end: small(raw.end)?, key_end: small(key.len())? });
        }
        Ok(Self::between_spaces(text, key, rdns))
    }

    /// Leaves out the spaces in front of the first part and behind the last.
    fn between_spaces(text: &str, key: Vec<u8>, mut rdns: SmallVec<[Span; 6]>) -> Self {
        let start = rdns.first().map_or(0, |span: &Span| span.start);
        let end = rdns.last().map_or(start, |span| span.end);
        for span in &mut rdns {
            span.start -= start;
            span.end -= start;
        }
        let text = text.get(start as usize..end as usize).unwrap_or_default();
        Self { text: text.into(), key: key.into(), rdns }
    }

    /// The name, spelled as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What names are compared by: the keys of the RDNs, leaf first. Only meaningful to the schema that made it.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// How many RDNs it has.
    pub fn depth(&self) -> usize {
        self.rdns.len()
    }

    /// Whether it is the name of the root.
    pub fn is_root(&self) -> bool {
        self.rdns.is_empty()
    }

    /// The RDNs as text and key, leaf first.
    pub fn rdns(&self) -> impl DoubleEndedIterator<Item = (&str, &[u8])> + ExactSizeIterator {
        (0..self.rdns.len()).map(|at| {
            let text = self.rdns.get(at).and_then(|span| self.text.get(span.start as usize..span.end as usize));
            (text.unwrap_or_default(), self.key.get(self.key_start(at)..self.key_start(at + 1)).unwrap_or_default())
        })
    }

    fn key_start(&self, rdn: usize) -> usize {
        rdn.checked_sub(1).and_then(|before| self.rdns.get(before)).map_or(0, |span| span.key_end as usize)
    }

    /// The name of the entry above; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        self.ancestor(1)
    }

    /// The name of the entry `steps` above; `None` if there are not so many.
    pub fn ancestor(&self, steps: usize) -> Option<Self> {
        if steps > self.rdns.len() {
            return None;
        }
        let start = self.rdns.get(steps).map_or(self.text.len(), |span| span.start as usize);
        let key_start = self.key_start(steps);
        let shift = |span: &Span| Span {
            start: span.start.saturating_sub(u32::try_from(start).unwrap_or(0)),
            end: span.end.saturating_sub(u32::try_from(start).unwrap_or(0)),
            key_end: span.key_end.saturating_sub(u32::try_from(key_start).unwrap_or(0)),
        };
        Some(Self {
            text: self.text.get(start..)?.into(),
            key: self.key.get(key_start..)?.into(),
            rdns: self.rdns.get(steps..)?.iter().map(shift).collect(),
        })
    }

    /// Whether this name lies at or below `base`.
    pub fn is_within(&self, base: &Self) -> bool {
        let Some(steps) = self.rdns.len().checked_sub(base.rdns.len()) else { return false };
        self.key.get(self.key_start(steps)..) == Some(&base.key)
    }

    /// The name of the child of `parent` whose own part is spelled `rdn` and has the key `key`.
    pub fn child(parent: &Self, rdn: &str, key: &[u8]) -> Self {
        let separator = if parent.is_root() { "" } else { "," };
        let text = [rdn, separator, &parent.text].concat();
        let moved = u32::try_from(rdn.len() + separator.len()).unwrap_or(u32::MAX);
        let key_len = u32::try_from(key.len()).unwrap_or(u32::MAX);
        let mut rdns = SmallVec::with_capacity(parent.rdns.len() + 1);
        rdns.push(Span { start: 0, end: u32::try_from(rdn.len()).unwrap_or(u32::MAX), key_end: key_len });
        rdns.extend(parent.rdns.iter().map(|span| Span {
            start: span.start.saturating_add(moved),
            end: span.end.saturating_add(moved),
            key_end: span.key_end.saturating_add(key_len),
        }));
        Self { text: text.into(), key: [key, &parent.key].concat().into(), rdns }
    }
}

fn small(number: usize) -> Result<u32, DnError> {
    u32::try_from(number).map_err(|_| DnError::TooLong)
}

impl PartialEq for Dn {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Dn {}

impl Hash for Dn {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl fmt::Display for Dn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Dn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dn({:?})", self.text)
    }
}

/// One part of a name with what it asserts: `cn=Alice+uid=alice` (RFC 4514 §2.2).
#[derive(Clone, Debug)]
pub struct Rdn {
    text: Box<str>,
    key: Box<[u8]>,
    assertions: Vec<(AttributeDescription, Vec<u8>)>,
}

/// Why a text is no RDN for an entry to have.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RdnError {
    /// It is no name at all.
    #[error(transparent)]
    Dn(#[from] DnError),
    /// It is empty or a name of several parts.
    #[error("exactly one part of a name is needed, as in uid=alice")]
    NotOne,
    /// Its attribute type is not in the schema.
    #[error("the attribute type {0:?} is not in the schema")]
    UndefinedType(String),
}

impl Rdn {
    /// Reads an RDN that an entry may have: its attribute types are in the schema.
    pub fn parse(schema: &Schema, text: &str) -> Result<Self, RdnError> {
        let mut rdns = parse::rdns(text);
        let (Some(raw), None) = (rdns.next(), rdns.next()) else { return Err(RdnError::NotOne) };
        let raw = raw?;
        let mut key = Vec::new();
        put_rdn_key(schema, &raw, 0, &mut key)?;
        let assertion = |ava: parse::RawAva<'_>| match schema.describe(ava.attribute_type) {
            Some(description) => Ok((description, ava.value.into_owned())),
            None => Err(RdnError::UndefinedType(ava.attribute_type.to_owned())),
        };
        let text = text.get(raw.start..raw.end).unwrap_or_default().into();
        let assertions = raw.avas.into_iter().map(assertion).collect::<Result<_, _>>()?;
        Ok(Self { text, key: key.into(), assertions })
    }

    /// Spelled as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What it is compared by. Several assertions stand in one fixed order.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// What the entry of this name must hold: attributes and values.
    pub fn assertions(&self) -> &[(AttributeDescription, Vec<u8>)] {
        &self.assertions
    }
}

impl PartialEq for Rdn {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Rdn {}

/// How deep names may stand within names; more than a schema has use for, and few enough for any stack.
const MAX_DEPTH: u8 = 3;

/// Appends the key of an RDN: its assertions in order, each as type, length, and normal form of the value.
fn put_rdn_key(schema: &Schema, raw: &RawRdn<'_>, depth: u8, out: &mut Vec<u8>) -> Result<(), DnError> {
    if let [ava] = raw.avas.as_slice() {
        return put_ava_key(schema, ava, depth, out);
    }
    let mut keys = Vec::with_capacity(raw.avas.len());
    for ava in &raw.avas {
        let mut key = Vec::new();
        put_ava_key(schema, ava, depth, &mut key)?;
        keys.push(key);
    }
    keys.sort_unstable();
    keys.dedup();
    out.extend(
        keys.into_iter().enumerate().flat_map(|(at, key)| if at == 0 { key } else { [vec![0xff], key].concat() }),
    );
    Ok(())
}

fn put_ava_key(schema: &Schema, ava: &parse::RawAva<'_>, depth: u8, out: &mut Vec<u8>) -> Result<(), DnError> {
    use super::schema::NormalForm;

    let Some(attribute) = schema.find_attribute_type(ava.attribute_type) else {
        out.extend(u16::MAX.to_be_bytes());
        put_sized(out, ava.attribute_type.to_ascii_lowercase().as_bytes())?;
        return put_sized(out, &ava.value.to_ascii_lowercase());
    };
    out.extend(attribute.id.0.to_be_bytes());
    let form = attribute.equality_or_fallback().normal_form();
    if matches!(form, NormalForm::Dn | NormalForm::NameAndUid)
        && let Ok(text) = std::str::from_utf8(&ava.value)
    {
        if depth >= MAX_DEPTH {
            return Err(DnError::TooDeep);
        }
        match Dn::parse_nested(schema, text, depth + 1) {
            Ok(inner) => return put_sized(out, &inner.key),
            Err(DnError::TooDeep) => return Err(DnError::TooDeep),
            // No name, so it is compared as it is.
            Err(_) => {}
        }
    }
    match form {
        NormalForm::Dn | NormalForm::NameAndUid => put_sized(out, &ava.value),
        _ => match form.of_value(schema, &ava.value) {
            Ok(normal) => put_sized(out, &normal),
            // A value that its own rule cannot compare still names something: itself.
            Err(_) => put_sized(out, &ava.value),
        },
    }
}

fn put_sized(out: &mut Vec<u8>, octets: &[u8]) -> Result<(), DnError> {
    let len = u16::try_from(octets.len()).map_err(|_| DnError::TooLong)?;
    out.extend(len.to_be_bytes());
    out.extend_from_slice(octets);
    Ok(())
}

/// Whether a text may well be the name of that key: what follows its first `=` is, but for case and escapes, the value that
/// the key begins with. Names can be spelled otherwise, so that it is not says nothing.
pub(super) fn begins_alike(text: &[u8], key: &[u8]) -> bool {
    let Some((head, rest)) = key.split_first_chunk::<KEY_HEAD>() else { return false };
    let [_, _, length @ ..] = *head;
    let Some(value) = rest.get(..usize::from(u16::from_be_bytes(length))) else { return false };
    let start = memchr::memchr(b'=', text).map_or(text.len(), |at| at + 1);
    let mut spelled = text.iter().skip(start).filter(|octet| **octet != b'\\');
    value.iter().all(|octet| spelled.next().is_some_and(|own| own.eq_ignore_ascii_case(octet)))
}

/// Whether a text is the name of another key for sure, as its first value shows without being brought to its normal form.
/// Most names of a group, or of somebody's manager, are.
pub fn is_surely_other(schema: &Schema, text: &[u8], key: &[u8]) -> bool {
    match (plain_value_of_key(schema, key), plain_value(text)) {
        (Some(value), Some(spelled)) => !spelled.eq_ignore_ascii_case(value),
        _ => false,
    }
}

/// The first value in the key of a name, if in plain text it looks as [`plain_value`] finds it, but for the case of letters.
pub fn plain_value_of_key<'k>(schema: &Schema, key: &'k [u8]) -> Option<&'k [u8]> {
    use super::schema::NormalForm;

    let (head, rest) = key.split_first_chunk::<KEY_HEAD>()?;
    let [high, low, length @ ..] = *head;
    let value = rest.get(..usize::from(u16::from_be_bytes(length)))?;
    let attribute_type = AttributeTypeId(u16::from_be_bytes([high, low]));
    let attribute = schema.attribute_types().get(attribute_type.index())?;
    let form = attribute.equality_or_fallback().normal_form();
    matches!(form, NormalForm::CaseIgnore | NormalForm::CaseExact).then_some(value)
}

/// The first value of a name, if its normal form is the value itself, but for the case of letters.
pub fn plain_value(text: &[u8]) -> Option<&[u8]> {
    let (_, spelled) = memchr::memchr(b'=', text).and_then(|at| text.split_at_checked(at + 1))?;
    let end = memchr::memchr(b',', spelled).unwrap_or(spelled.len());
    let spelled = spelled.get(..end).unwrap_or_default().trim_ascii();
    let is_plain = |octet: &u8| (octet.is_ascii_graphic() || *octet == b' ') && !b"\"#+;<>\\".contains(octet);
    let is_plain = spelled.iter().all(is_plain) && !spelled.windows(2).any(|pair| pair == b"  ");
    is_plain.then_some(spelled)
}

/// What stands in front of the value in the key of an RDN: the number of its attribute type and its length.
const KEY_HEAD: usize = 4;

/// Escapes a value so that it can stand in a name (RFC 4514 §2.4).
pub fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (at, c) in value.chars().enumerate() {
        let special = match c {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => true,
            '#' => at == 0,
            ' ' => at == 0 || at == last,
            '\0' => {
                escaped.push_str("\\00");
                continue;
            }
            _ => false,
        };
        if special {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dn(text: &str) -> Dn {
        Dn::parse(&Schema::standard(), text).unwrap()
    }

    #[test]
    fn examples_of_rfc_4514_are_names() {
        assert_eq!(dn("UID=jsmith,DC=example,DC=net").depth(), 3);
        assert_eq!(dn("OU=Sales+CN=J.  Smith,DC=example,DC=net").depth(), 3);
        assert_eq!(dn(r#"CN=James \"Jim\" Smith\, III,DC=example,DC=net"#).depth(), 3);
        assert_eq!(dn(r"CN=Before\0dAfter,DC=example,DC=net").depth(), 3);
        assert_eq!(dn("1.3.6.1.4.1.1466.0=#04024869").depth(), 1);
        assert_eq!(dn(r"CN=Lu\C4\8Di\C4\87"), dn("CN=Lučić"));
        assert!(dn("").is_root());
    }

    /// Names spelled in many ways, few of which differ.
    fn spelled() -> impl Strategy<Value = String> {
        let types =
            prop::sample::select(vec!["cn", "CN", "2.5.4.3", "uid", "homeDirectory", "telephoneNumber", "nosuch"]);
        let values = prop::sample::select(vec![
            "a", "A", " a", "a  b", "a b", "A B ", "\\41", "a\\20", "ä", "\\c3\\a4", "Ä", "#040141", "1 2", "1-2",
            "12", "a\\2cb", "a\\,b", "",
        ]);
        let ava = (types, values).prop_map(|(name, value)| format!("{name}={value}"));
        let rdn = prop::collection::vec(ava, 1..3).prop_map(|avas| avas.join("+"));
        prop::collection::vec(rdn, 1..3).prop_map(|rdns| rdns.join(","))
    }

    proptest! {
        #[test]
        fn what_is_another_name_for_sure_is_another_name(text in spelled(), other in spelled()) {
            let schema = Schema::standard();
            if let (Ok(own), Ok(other)) = (Dn::parse(&schema, &text), Dn::parse(&schema, &other)) {
                prop_assert!(!is_surely_other(&schema, text.as_bytes(), other.key()) || own != other);
                prop_assert!(!is_surely_other(&schema, text.as_bytes(), own.key()));
            }
        }
    }

    #[test]
    fn most_other_names_are_told_without_being_read() {
        let schema = Schema::standard();
        let is_other = |text: &str, name: &str| is_surely_other(&schema, text.as_bytes(), dn(name).key());
        assert!(is_other("uid=bob,dc=x", "uid=alice,dc=x") && is_other("CN = Tom Smith , dc=x", "cn=tom smithe,dc=x"));
        assert!(!is_other("UID = Alice,dc=x", "uid=alice,dc=y") && !is_other("cn=a+sn=b", "cn=c"));
    }

    #[test]
    fn names_compare_by_the_rules_of_their_attributes() {
        assert_eq!(dn("UID=Alice , OU=People,  DC=Example,DC=com"), dn("uid=alice,ou=people,dc=example,dc=com"));
        assert_eq!(dn("commonName=A  B"), dn("2.5.4.3=a b"));
        assert_eq!(dn("cn=a+sn=b"), dn("SN=B + CN=A"));
        assert_eq!(dn("cn=#040141"), dn("cn=a"));
        assert_eq!(dn(r"cn=\20a"), dn("cn=a"));
        assert_eq!(dn("nosuch=X"), dn("NoSuch=x"));
        assert_ne!(dn("cn=a,cn=b"), dn("cn=a+cn=b"));
        assert_ne!(dn("homeDirectory=/A"), dn("homeDirectory=/a"));
        assert_eq!(dn("member=cn\\=A\\,dc\\=B"), dn("member=CN\\=a\\, DC\\=b"));
    }

    #[test]
    fn a_name_keeps_its_spelling() {
        let name = dn("  UID=Alice , OU=People,DC=Example ");
        assert_eq!(name.to_string(), "UID=Alice , OU=People,DC=Example");
        let parts: Vec<_> = name.rdns().map(|(text, _)| text.to_owned()).collect();
        assert_eq!(parts, ["UID=Alice", "OU=People", "DC=Example"]);
        assert_eq!(name.parent().unwrap().to_string(), "OU=People,DC=Example");
        assert_eq!(name.parent(), Some(dn("ou=people,dc=example")));
        assert_eq!(name.ancestor(3), Some(Dn::root()));
        assert_eq!(name.ancestor(4), None);
    }

    #[test]
    fn within_means_at_or_below_part_by_part() {
        let base = dn("dc=example,dc=com");
        assert!(base.is_within(&base) && dn("ou=x,dc=example,dc=com").is_within(&base) && base.is_within(&Dn::root()));
        assert!(!dn("xdc=example,dc=com").is_within(&base));
        assert!(!dn("dc=com").is_within(&base));
    }

    #[test]
    fn a_child_is_named_below_its_parent() {
        let schema = Schema::standard();
        let rdn = Rdn::parse(&schema, "uid=Bob").unwrap();
        let child = Dn::child(&dn("ou=People,dc=example"), rdn.as_str(), rdn.key());
        assert_eq!(child.to_string(), "uid=Bob,ou=People,dc=example");
        assert_eq!(child, dn("uid=bob,ou=people,dc=example"));
        assert_eq!(child.parent(), Some(dn("ou=people,dc=example")));
        let top = Dn::child(&Dn::root(), rdn.as_str(), rdn.key());
        assert_eq!(top.to_string(), "uid=Bob");
    }

    #[test]
    fn what_is_no_name_is_refused_with_the_reason() {
        let fault = |text: &str| Dn::parse(&Schema::standard(), text).unwrap_err();
        assert_eq!(fault("alice"), DnError::NoType);
        assert_eq!(fault("uid=alice,"), DnError::NoType);
        assert_eq!(fault(",uid=alice"), DnError::NoType);
        assert_eq!(fault("uid=alice,,dc=x"), DnError::NoType);
        assert_eq!(fault("u_id=alice"), DnError::BadType);
        assert_eq!(fault("1..2=alice"), DnError::BadType);
        assert_eq!(fault("cn=a\"b"), DnError::Unescaped);
        assert_eq!(fault("cn=a<b"), DnError::Unescaped);
        assert_eq!(fault("cn=a;b"), DnError::Unescaped);
        assert_eq!(fault("cn=a\\"), DnError::BadEscape);
        assert_eq!(fault("cn=a\\x"), DnError::BadEscape);
        assert_eq!(fault("cn=#04"), DnError::BadHex);
        assert_eq!(fault("cn=#04z1"), DnError::BadHex);
        assert_eq!(fault(&"member=".repeat(100_000)), DnError::TooDeep);
        assert_eq!(fault(&format!("cn={}", "x".repeat(70_000))), DnError::TooLong);
    }

    #[test]
    fn an_rdn_says_what_its_entry_must_hold() {
        let schema = Schema::standard();
        let rdn = Rdn::parse(&schema, r"cn=Doe\, John \+ Co+sn=Doe").unwrap();
        let values: Vec<_> = rdn.assertions().iter().map(|(_, value)| String::from_utf8_lossy(value)).collect();
        assert_eq!(values, ["Doe, John + Co", "Doe"]);
        assert_eq!(Rdn::parse(&schema, "cn=a,cn=b").unwrap_err(), RdnError::NotOne);
        assert_eq!(Rdn::parse(&schema, "").unwrap_err(), RdnError::NotOne);
        assert_eq!(Rdn::parse(&schema, "nosuch=a").unwrap_err(), RdnError::UndefinedType("nosuch".into()));
    }

    proptest! {
        #[test]
        fn escaping_and_parsing_are_inverse(values in proptest::collection::vec("\\PC{1,12}", 1..4)) {
            let schema = Schema::standard();
            let text: Vec<String> = values.iter().map(|value| format!("cn={}", escape(value))).collect();
            let parsed = Dn::parse(&schema, &text.join(",")).unwrap();
            let read: Vec<Vec<u8>> = parsed.rdns()
                .map(|(text, _)| Rdn::parse(&schema, text).unwrap().assertions()[0].1.clone())
                .collect();
            let given: Vec<Vec<u8>> = values.iter().map(|value| value.as_bytes().to_vec()).collect();
            prop_assert_eq!(read, given);
        }

        #[test]
        fn no_text_makes_parsing_panic(text in "[a-c=,+\\\\#\" ;<0-9\u{e4}]{0,40}") {
            if let Ok(dn) = Dn::parse(&Schema::standard(), &text) {
                let joined: Vec<_> = dn.rdns().map(|(text, _)| text.to_owned()).collect();
                prop_assert_eq!(&Dn::parse(&Schema::standard(), &joined.join(",")).unwrap(), &dn);
                for steps in 0..=dn.depth() {
                    prop_assert!(dn.is_within(&dn.ancestor(steps).unwrap()));
                }
            }
        }
    }
}
