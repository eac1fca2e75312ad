//! Normal forms: values that a matching rule holds equal have the same one, and it sorts as the rule orders.
//!
//! A normal form is octets, so an index can hold it and a filter can compare it with `memcmp`. It is private to one
//! server: it may hold numbers of that server's schema.

use std::borrow::Cow;

use super::prepare::{self, Case, Position};
use super::{Schema, definition};
use crate::directory::certificate::{self, ExactAssertion};
use crate::directory::dn::{begins_alike, is_surely_other};
use crate::directory::wire;
use crate::directory::{AttributeTypeId, Csn, Dn, Entry, Timestamp};

/// The value cannot be compared by this rule; an assertion with it is Undefined (RFC 4511 §4.5.1.7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotComparable;

impl From<prepare::NotText> for NotComparable {
    fn from(_: prepare::NotText) -> Self {
        Self
    }
}

/// How the values of a family of matching rules are brought to their normal form.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum NormalForm {
    /// The octets themselves.
    Octets,
    /// The number of a certificate and who has issued it (RFC 4523 §2.1); the octets of what is none.
    CertificateExact,
    /// The octets of a value in DER (RFC 4523). An assertion may also be about parts of it, in words: of that nothing is known
    /// here.
    Der,
    /// Prepared text, case significant.
    CaseExact,
    /// Prepared text, case folded.
    CaseIgnore,
    /// Lines separated by `$`, each prepared and folded (RFC 4517 §4.2.9).
    CaseIgnoreList,
    /// Digits without spaces.
    Numeric,
    /// A telephone number without spaces and hyphens, folded.
    Telephone,
    /// A whole number of any size.
    Integer,
    /// `TRUE` or `FALSE`.
    Boolean,
    /// Microseconds since 1970.
    Time,
    /// A distinguished name.
    Dn,
    /// A distinguished name and a bit string behind `#`.
    NameAndUid,
    /// An object identifier, with names resolved by the schema.
    Oid,
    /// `'0101'B`.
    BitString,
    /// Sixteen octets.
    Uuid,
    /// A change sequence number.
    Csn,
    /// The server id of a change sequence number.
    CsnSid,
    /// A definition, which is compared by its object identifier (RFC 4517 §4.2.27).
    OidFirstComponent,
    /// A definition, which is compared by its number (RFC 4517 §4.2.18).
    IntegerFirstComponent,
    /// A definition, which is compared by the string it begins with (RFC 4517 §4.2.14).
    TextFirstComponent,
}

type Normal<'v> = Result<Cow<'v, [u8]>, NotComparable>;

impl NormalForm {
    /// The normal form of a stored value.
    pub fn of_value<'v>(self, schema: &Schema, value: &'v [u8]) -> Normal<'v> {
        match self {
            Self::Der => Ok(Cow::Borrowed(value)),
            Self::CertificateExact => Ok(certificate(schema, value).map_or(Cow::Borrowed(value), Cow::Owned)),
            Self::Oid => oid(schema, value).or_else(|NotComparable| unknown_name(value)),
            Self::OidFirstComponent => {
                let oid = definition::first_component(value).ok_or(NotComparable)?;
                Ok(Cow::Owned(oid.as_bytes().to_vec()))
            }
            Self::IntegerFirstComponent => {
                let number = definition::first_component(value).ok_or(NotComparable)?;
                integer(number.as_bytes()).map(Cow::Owned)
            }
            Self::TextFirstComponent => {
                let text = definition::first_component(value).ok_or(NotComparable)?;
                Ok(Cow::Owned(prepare::prepare(text.as_bytes(), Case::Ignore)?.into_owned()))
            }
            _ => self.of_assertion(schema, value),
        }
    }

    /// The normal form of an asserted value, which for the first component rules is the component alone.
    pub fn of_assertion<'v>(self, schema: &Schema, value: &'v [u8]) -> Normal<'v> {
        match self {
            Self::Octets | Self::BitString => Ok(Cow::Borrowed(value)),
            Self::Der => {
                if value.first() == Some(&wire::SEQUENCE) {
                    Ok(Cow::Borrowed(value))
                } else {
                    Err(NotComparable)
                }
            }
            Self::CertificateExact => match std::str::from_utf8(value).ok().and_then(ExactAssertion::parse) {
                Some(asserted) => exact(schema, &asserted).map(Cow::Owned),
                // Clients may send a whole certificate, too.
                None if value.first() == Some(&wire::SEQUENCE) => self.of_value(schema, value),
                None => Err(NotComparable),
            },
            Self::CaseExact => Ok(prepare::prepare(value, Case::Exact)?),
            Self::CaseIgnore | Self::TextFirstComponent => Ok(prepare::prepare(value, Case::Ignore)?),
            Self::CaseIgnoreList => list(value),
            Self::Numeric => Ok(without(value, b" ")),
            Self::Telephone => Ok(telephone(value)),
            Self::Integer | Self::IntegerFirstComponent => integer(value).map(Cow::Owned),
            Self::Boolean => boolean(value),
            Self::Time => time(value),
            Self::Dn => Ok(Cow::Owned(dn_key(schema, value)?)),
            Self::NameAndUid => name_and_uid(schema, value),
            Self::Oid | Self::OidFirstComponent => oid(schema, value),
            Self::Uuid => uuid(value),
            Self::Csn => csn(value),
            Self::CsnSid => csn_sid(value),
        }
    }

    /// Whether one of the stored values of `entry` has the normal form `normal`. A group has many names, and to bring each
    /// to its normal form takes long, so those that begin alike are looked at first.
    pub fn matches_one_of(self, schema: &Schema, entry: &Entry, id: AttributeTypeId, normal: &[u8]) -> bool {
        if self != Self::Dn {
            return entry.values(id).any(|value| self.matches(schema, value, normal));
        }
        let alike = |value: &&[u8]| begins_alike(value, normal);
        entry.values(id).filter(alike).any(|value| self.matches(schema, value, normal))
            || entry
                .values(id)
                .filter(|value| !alike(value) && !is_surely_other(schema, value, normal))
                .any(|value| self.matches(schema, value, normal))
    }

    /// Whether a stored value has the normal form `normal`. The common cases build nothing.
    pub fn matches(self, schema: &Schema, value: &[u8], normal: &[u8]) -> bool {
        match self {
            Self::Octets | Self::Der | Self::BitString => value == normal,
            Self::CaseExact => prepare::prepares_to(value, normal, Case::Exact),
            Self::CaseIgnore => prepare::prepares_to(value, normal, Case::Ignore),
            _ => self.of_value(schema, value).is_ok_and(|own| own.as_ref() == normal),
        }
    }

    /// The part of a value that names an entry, where values do.
    pub fn name_in(self, value: &[u8]) -> &[u8] {
        if self == Self::NameAndUid { name_and_bits(value).0 } else { value }
    }

    /// Prepares a piece of a substring assertion; `None` if this family has no substrings.
    pub fn of_piece(self, piece: &[u8], position: Position) -> Result<Vec<u8>, NotComparable> {
        match self {
            Self::CaseExact => Ok(prepare::prepare_piece(piece, Case::Exact, position)?),
            Self::CaseIgnore => Ok(prepare::prepare_piece(piece, Case::Ignore, position)?),
            Self::CaseIgnoreList => {
                let plain = unescape_lines(piece);
                Ok(prepare::prepare_piece(&plain, Case::Ignore, position)?)
            }
            Self::Numeric => Ok(without(piece, b" ").into_owned()),
            Self::Telephone => Ok(telephone(piece).into_owned()),
            Self::Octets => Ok(piece.to_vec()),
            _ => Err(NotComparable),
        }
    }
}

/// `None` if it is no certificate, or says of its issuer what the schema does not know.
fn certificate(schema: &Schema, value: &[u8]) -> Option<Vec<u8>> {
    let serial_number = certificate::serial_number(value)?;
    exact(schema, &ExactAssertion { serial_number, issuer: certificate::issuer(value)? }).ok()
}

/// It begins otherwise than anything in DER.
fn exact(schema: &Schema, asserted: &ExactAssertion) -> Result<Vec<u8>, NotComparable> {
    let mut normal = integer(asserted.serial_number.as_bytes())?;
    normal.extend(dn_key(schema, asserted.issuer.as_bytes())?);
    Ok(normal)
}

fn dn_key(schema: &Schema, value: &[u8]) -> Result<Vec<u8>, NotComparable> {
    let text = std::str::from_utf8(value).map_err(|_| NotComparable)?;
    Dn::parse(schema, text).map(|dn| dn.key().to_vec()).map_err(|_| NotComparable)
}

fn without<'v>(value: &'v [u8], dropped: &[u8]) -> Cow<'v, [u8]> {
    if !value.iter().any(|octet| dropped.contains(octet)) {
        return Cow::Borrowed(value);
    }
    Cow::Owned(value.iter().copied().filter(|octet| !dropped.contains(octet)).collect())
}

fn telephone(value: &[u8]) -> Cow<'_, [u8]> {
    let mut plain = without(value, b" -");
    if plain.iter().any(u8::is_ascii_uppercase) {
        plain.to_mut().make_ascii_lowercase();
    }
    plain
}

/// Lines stay apart by LF, which no prepared line holds.
fn list(value: &[u8]) -> Normal<'_> {
    let mut normal = Vec::with_capacity(value.len());
    for (number, line) in value.split(|octet| *octet == b'$').enumerate() {
        if number > 0 {
            normal.push(b'\n');
        }
        let plain = unescape_lines(line);
        normal.extend_from_slice(&prepare::prepare(&plain, Case::Ignore)?);
    }
    Ok(Cow::Owned(normal))
}

/// `\24` is `$` and `\5C` is `\` (RFC 4517 §3.3.28).
fn unescape_lines(line: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(line.len());
    let mut rest = line;
    loop {
        rest = match rest {
            [] => return plain,
            [b'\\', b'2', b'4', rest @ ..] => {
                plain.push(b'$');
                rest
            }
            [b'\\', b'5', b'C' | b'c', rest @ ..] => {
                plain.push(b'\\');
                rest
            }
            [octet, rest @ ..] => {
                plain.push(*octet);
                rest
            }
        };
    }
}

/// A form whose octets sort as the numbers do: a sign, the count of digits, the digits; the last two inverted below zero.
fn integer(value: &[u8]) -> Result<Vec<u8>, NotComparable> {
    let (negative, digits) = match value {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NotComparable);
    }
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    let significant = digits.get(zeros..).unwrap_or_default();
    let count = u16::try_from(significant.len()).map_err(|_| NotComparable)?;
    let negative = negative && count > 0;
    let mut normal = vec![u8::from(!negative)];
    normal.extend(count.to_be_bytes().iter().chain(significant).map(|octet| if negative { !octet } else { *octet }));
    Ok(normal)
}

fn boolean(value: &[u8]) -> Normal<'_> {
    matches!(value, b"TRUE" | b"FALSE").then_some(Cow::Borrowed(value)).ok_or(NotComparable)
}

fn time(value: &[u8]) -> Normal<'_> {
    let micros = Timestamp::parse(value).ok_or(NotComparable)?.unix_micros();
    let sortable = micros.cast_unsigned() ^ (1 << 63);
    Ok(Cow::Owned(sortable.to_be_bytes().to_vec()))
}

/// A name, and the bit string behind it with its `#`; empty if there is none (RFC 4517 §3.3.21).
pub fn name_and_bits(value: &[u8]) -> (&[u8], &[u8]) {
    let bits = value.ends_with(b"'B").then(|| memchr::memrchr(b'#', value)).flatten();
    value.split_at_checked(bits.unwrap_or(value.len())).unwrap_or((value, &[]))
}

fn name_and_uid<'v>(schema: &Schema, value: &'v [u8]) -> Normal<'v> {
    let (name, bits) = name_and_bits(value);
    let mut normal = dn_key(schema, name)?;
    normal.extend_from_slice(bits);
    Ok(Cow::Owned(normal))
}

/// A name becomes its number; of one that the schema lacks, nothing can be said (RFC 4517 §4.2.26).
fn oid<'v>(schema: &Schema, value: &'v [u8]) -> Normal<'v> {
    let text = std::str::from_utf8(value).map_err(|_| NotComparable)?;
    match schema.oid_of(text) {
        Some(known) => Ok(Cow::Owned(known.as_bytes().to_vec())),
        None if text.starts_with(|first: char| first.is_ascii_digit()) => unknown_name(value),
        None => Err(NotComparable),
    }
}

/// A stored name that the schema lacks stays a lower-cased name.
fn unknown_name(value: &[u8]) -> Normal<'_> {
    let legal = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_');
    let is_name = !value.is_empty() && value.iter().all(legal);
    is_name.then(|| Cow::Owned(value.to_ascii_lowercase())).ok_or(NotComparable)
}

fn uuid(value: &[u8]) -> Normal<'_> {
    let uuid = uuid::Uuid::try_parse_ascii(value).map_err(|_| NotComparable)?;
    Ok(Cow::Owned(uuid.as_bytes().to_vec()))
}

fn csn(value: &[u8]) -> Normal<'_> {
    let csn = Csn::parse(value).ok_or(NotComparable)?;
    Ok(Cow::Owned(csn.to_string().into_bytes()))
}

/// Both a bare server id and a whole number are assertions about the server id.
fn csn_sid(value: &[u8]) -> Normal<'_> {
    if let Some(csn) = Csn::parse(value) {
        return Ok(Cow::Owned(format!("{:03x}", csn.sid).into_bytes()));
    }
    let valid = value.len() == 3 && value.iter().all(u8::is_ascii_hexdigit);
    valid.then(|| Cow::Owned(value.to_ascii_lowercase())).ok_or(NotComparable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_sort_as_numbers() {
        let numbers = ["-1000", "-999", "-10", "-9", "-1", "0", "1", "9", "10", "99", "100", "18446744073709551616"];
        let forms: Vec<_> = numbers.iter().map(|n| integer(n.as_bytes()).unwrap()).collect();
        assert!(forms.is_sorted());
        assert_eq!(integer(b"007"), integer(b"7"));
        assert_eq!(integer(b"-0"), integer(b"0"));
        assert_eq!(integer(b"1e3"), Err(NotComparable));
    }

    #[test]
    fn a_name_among_many_is_found_however_it_is_spelled() {
        use crate::directory::{Attribute, Attributes};

        let schema = Schema::standard();
        let id = schema.known().member;
        let description = crate::directory::AttributeDescription::plain(id);
        let form = schema.attribute_type(id).equality_or_fallback().normal_form();
        let spelled = [
            "uid=bob,dc=x",
            "UID = Alice, DC=X",
            "cn=a\\, b+sn=c,dc=x",
            "uid=\\c3\\a4,dc=x",
            "2.5.4.3=tom,dc=x",
            "no name",
        ];
        let values = spelled.iter().map(|value| value.as_bytes().to_vec()).collect();
        let entry = Entry::encode(&[Attribute { description, values }].into_iter().collect::<Attributes>(), &schema);
        let found = |name: &str| form.matches_one_of(&schema, &entry, id, Dn::parse(&schema, name).unwrap().key());
        for name in ["uid=BOB,dc=x", "uid=alice,dc=x", "sn=C+cn=A\\2c b,dc=x", "uid=\u{c4},dc=x", "cn=Tom,dc=x"] {
            assert!(found(name), "{name}");
        }
        for name in ["uid=bo,dc=x", "uid=bob,dc=y", "uid=bob", "cn=bob,dc=x", "cn=a\\, b,dc=x", ""] {
            assert!(!found(name), "{name}");
        }
    }

    #[test]
    fn telephone_numbers_ignore_spaces_and_hyphens() {
        assert_eq!(telephone(b"+1 512-315 0280").as_ref(), b"+15123150280");
    }

    #[test]
    fn postal_lines_are_compared_one_by_one() {
        let one = list(b"1234 Main St.$Anytown,  CA 12345$USA").unwrap();
        assert_eq!(one, list(b" 1234 main st.$ANYTOWN, CA 12345$usa").unwrap());
        assert_ne!(list(b"a\\24b").unwrap(), list(b"a$b").unwrap());
    }

    #[test]
    fn times_sort_across_1970() {
        let times = [&b"19691231235959Z"[..], b"19700101000000Z", b"20260101000000Z"];
        assert!(times.map(|t| time(t).unwrap()).is_sorted());
    }
}
