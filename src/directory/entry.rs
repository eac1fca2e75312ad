//! Entries in the form in which they are stored, which is the form in which an answer carries them.

use std::borrow::Cow;

use bytes::Bytes;

use super::schema::AttributeTypeId;
use super::{Attribute, AttributeDescription, Attributes, Schema, wire};

const FORMAT: u8 = 1;
/// Format and count.
const HEAD: usize = 3;
/// Type and end of one attribute.
const ROW: usize = 6;

/// The attributes of an entry, ready to be sent.
///
/// The octets are a table, which says where the attributes of which type stand, and behind it each attribute as the
/// `PartialAttribute` of RFC 4511 §4.1.7. So a search answer is a copy of those that were asked for:
///
/// ```text
/// format u8 = 1 | count u16 | count times ( type u16 | end u32 ) | count PartialAttributes
/// ```
///
/// Numbers are big-endian; `end` counts from the first attribute. An entry has no name: the [tree](super::tree) knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    octets: Bytes,
    body: usize,
    types: TypeBits,
}

/// Which types may be there, a bit for each that its number falls on: most that an entry is asked for it does not have, and that
/// is seen so without looking at its table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct TypeBits(u64);

impl TypeBits {
    const fn with(self, attribute_type: AttributeTypeId) -> Self {
        Self(self.0 | 1 << (attribute_type.0 % 64))
    }

    const fn may_have(self, attribute_type: AttributeTypeId) -> bool {
        self.0 & 1 << (attribute_type.0 % 64) != 0
    }
}

/// Octets that are no entry: damaged, or written by a later release.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the stored entry is damaged")]
pub struct DamagedEntry;

impl Entry {
    /// The entry without attributes.
    pub fn empty() -> Self {
        Self { octets: Bytes::from_static(&[FORMAT, 0, 0]), body: HEAD, types: TypeBits::default() }
    }

    /// Brings attributes into the stored form. What does not fit the format's sizes, which no client can send, is cut.
    pub fn encode(attributes: &Attributes, schema: &Schema) -> Self {
        let rows: Vec<(AttributeTypeId, Vec<u8>)> =
            attributes.iter().map(|one| (one.description.attribute_type, encode_attribute(one, schema))).collect();
        let count = u16::try_from(rows.len()).unwrap_or(u16::MAX);
        let body = HEAD + usize::from(count) * ROW;
        let size = rows.iter().map(|(_, octets)| octets.len()).sum::<usize>();
        let mut out = Vec::with_capacity(body + size);
        out.push(FORMAT);
        out.extend(count.to_be_bytes());
        let mut end = 0_u32;
        let mut types = TypeBits::default();
        for (id, octets) in rows.iter().take(usize::from(count)) {
            types = types.with(*id);
            end = end.saturating_add(u32::try_from(octets.len()).unwrap_or(u32::MAX));
            out.extend(id.0.to_be_bytes());
            out.extend(end.to_be_bytes());
        }
        for (_, octets) in rows.iter().take(usize::from(count)) {
            out.extend_from_slice(octets);
        }
        Self { octets: out.into(), body, types }
    }

    /// Takes stored octets for an entry, after a look at the outline. An attribute is checked when it is read.
    pub fn from_octets(octets: Bytes) -> Result<Self, DamagedEntry> {
        let [FORMAT, high, low, rest @ ..] = octets.as_ref() else { return Err(DamagedEntry) };
        let rows = usize::from(u16::from_be_bytes([*high, *low])) * ROW;
        let (table, attributes) = rest.split_at_checked(rows).ok_or(DamagedEntry)?;
        let end = table.last_chunk::<4>().map_or(0, |end| u32::from_be_bytes(*end) as usize);
        if end != attributes.len() {
            return Err(DamagedEntry);
        }
        let types = table.as_chunks().0.iter().fold(TypeBits::default(), |types, row| types.with(type_of(*row)));
        let body = HEAD + rows;
        Ok(Self { octets, body, types })
    }

    /// The stored octets.
    pub const fn octets(&self) -> &Bytes {
        &self.octets
    }

    /// The attributes, in order.
    pub fn attributes(&self) -> impl Iterator<Item = EncodedAttribute<'_>> {
        let (table, body) = self.parts();
        let mut start = 0;
        table.iter().filter_map(move |row| {
            let end = end_of(*row);
            let octets = body.get(start..end)?;
            start = end;
            Some(EncodedAttribute { attribute_type: type_of(*row), octets })
        })
    }

    /// The attributes of a type: more than one if there are some with options.
    pub fn attributes_of(&self, attribute_type: AttributeTypeId) -> impl Iterator<Item = EncodedAttribute<'_>> {
        let (table, body) = if self.types.may_have(attribute_type) { self.parts() } else { Default::default() };
        let found = table.iter().enumerate().filter(move |(_, row)| type_of(**row) == attribute_type);
        found.filter_map(move |(at, row)| {
            let start = at.checked_sub(1).and_then(|before| table.get(before)).map_or(0, |row| end_of(*row));
            Some(EncodedAttribute { attribute_type, octets: body.get(start..end_of(*row))? })
        })
    }

    /// How many attributes it has; those with options count on their own.
    pub const fn attributes_len(&self) -> usize {
        self.body.saturating_sub(HEAD) / ROW
    }

    /// The table and the attributes.
    fn parts(&self) -> (&[[u8; ROW]], &[u8]) {
        let (head, body) = self.octets.split_at_checked(self.body).unwrap_or_default();
        let (table, _) = head.get(HEAD..).unwrap_or_default().as_chunks();
        (table, body)
    }

    /// The values of a type, with whatever options.
    pub fn values(&self, attribute_type: AttributeTypeId) -> impl Iterator<Item = &[u8]> {
        self.attributes_of(attribute_type).flat_map(|attribute| attribute.values())
    }

    /// The first value of a type.
    pub fn first(&self, attribute_type: AttributeTypeId) -> Option<&[u8]> {
        self.attributes_of(attribute_type).find_map(|attribute| attribute.values().next())
    }

    /// The first value of a type, if it is text.
    pub fn first_text(&self, attribute_type: AttributeTypeId) -> Option<&str> {
        self.first(attribute_type).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Whether there is an attribute of the type.
    pub fn has(&self, attribute_type: AttributeTypeId) -> bool {
        self.types.may_have(attribute_type) && self.parts().0.iter().any(|row| type_of(*row) == attribute_type)
    }

    /// Takes the entry apart, to change it.
    pub fn decode(&self) -> Attributes {
        self.attributes().map(|attribute| attribute.decode()).collect()
    }

    /// The entry with the first value of `attribute_type` overwritten by one of the same length: how a commit stamps
    /// `entryCSN` without encoding the entry again.
    #[must_use]
    pub fn stamped(&self, attribute_type: AttributeTypeId, value: &[u8]) -> Self {
        let Some(old) = self.first(attribute_type).filter(|old| old.len() == value.len()) else { return self.clone() };
        let offset = old.as_ptr().addr() - self.octets.as_ptr().addr();
        let mut octets = self.octets.to_vec();
        if let Some(place) = octets.get_mut(offset..offset + value.len()) {
            place.copy_from_slice(value);
        }
        Self { octets: octets.into(), ..*self }
    }
}

const fn type_of([high, low, ..]: [u8; ROW]) -> AttributeTypeId {
    AttributeTypeId(u16::from_be_bytes([high, low]))
}

/// Where the attribute of a row ends, counted from the first attribute.
const fn end_of([_, _, end @ ..]: [u8; ROW]) -> usize {
    u32::from_be_bytes(end) as usize
}

/// One attribute of an [`Entry`], as it stands there.
#[derive(Clone, Copy, Debug)]
pub struct EncodedAttribute<'e> {
    /// Its type.
    pub attribute_type: AttributeTypeId,
    /// The `PartialAttribute`, ready to be copied into an answer.
    pub octets: &'e [u8],
}

impl<'e> EncodedAttribute<'e> {
    /// The description, as answers carry it.
    pub fn description(&self) -> &'e str {
        let name = self.parts().map_or(&[][..], |(name, _)| name);
        std::str::from_utf8(name).unwrap_or_default()
    }

    /// The options, each with a `;` in front.
    pub fn options(&self) -> &'e str {
        let text = self.description();
        text.find(';').and_then(|at| text.get(at..)).unwrap_or_default()
    }

    /// The values.
    pub fn values(&self) -> impl Iterator<Item = &'e [u8]> + use<'e> {
        let values = self.parts().map_or(&[][..], |(_, values)| values);
        wire::elements(values).map(|value| value.content)
    }

    fn parts(&self) -> Option<(&'e [u8], &'e [u8])> {
        let name = wire::element(wire::element(self.octets)?.content)?;
        Some((name.content, wire::element(name.rest)?.content))
    }

    /// Takes it apart, to change it.
    pub fn decode(&self) -> Attribute {
        let mut description = AttributeDescription::plain(self.attribute_type);
        let options = self.options();
        if !options.is_empty() {
            description = description.with_normal_options(options);
        }
        Attribute { description, values: self.values().map(<[u8]>::to_vec).collect() }
    }
}

/// The `PartialAttribute` of one attribute.
pub fn encode_attribute(attribute: &Attribute, schema: &Schema) -> Vec<u8> {
    let name: Cow<'_, str> = attribute.description.to_text(schema);
    encode_values(&name, &attribute.values)
}

/// The `PartialAttribute` of a description and values.
pub fn encode_values(name: &str, values: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let set = values.iter().map(|value| wire::element_len(value.as_ref().len())).sum();
    let content = wire::element_len(name.len()) + wire::element_len(set);
    let mut out = Vec::with_capacity(wire::element_len(content));
    wire::put_header(&mut out, wire::SEQUENCE, content);
    wire::put_element(&mut out, wire::OCTET_STRING, name.as_bytes());
    wire::put_header(&mut out, wire::SET, set);
    for value in values {
        wire::put_element(&mut out, wire::OCTET_STRING, value.as_ref());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(schema: &Schema) -> Attributes {
        let attribute = |name: &str, values: &[&[u8]]| Attribute {
            description: schema.describe(name).unwrap(),
            values: values.iter().map(|value| value.to_vec()).collect(),
        };
        [
            attribute("objectClass", &[b"top", b"person"]),
            attribute("cn;lang-en", &[b"Alice", &[0xff, 0, 1]]),
            attribute("jpegPhoto", &[&vec![7; 70_000]]),
        ]
        .into_iter()
        .collect()
    }

    #[test]
    fn encoding_and_decoding_are_inverse() {
        let schema = Schema::standard();
        let attributes = sample(&schema);
        let entry = Entry::encode(&attributes, &schema);
        assert_eq!(entry.decode(), attributes);
        assert_eq!(Entry::from_octets(entry.octets().clone()).unwrap().decode(), attributes);
        assert_eq!(Entry::encode(&Attributes::new(), &schema), Entry::empty());
    }

    #[test]
    fn an_attribute_stands_there_as_rfc_4511_sends_it() {
        let schema = Schema::standard();
        let cn = schema.describe("cn").unwrap();
        let attributes = [Attribute { description: cn, values: vec![b"A".to_vec()] }].into_iter().collect();
        let entry = Entry::encode(&attributes, &schema);
        let octets = entry.attributes().next().unwrap().octets;
        assert_eq!(octets, b"\x30\x09\x04\x02cn\x31\x03\x04\x01A");
    }

    #[test]
    fn damaged_octets_are_noticed() {
        let schema = Schema::standard();
        let octets = Entry::encode(&sample(&schema), &schema).octets().to_vec();
        for cut in [0, 1, 2, 5, 20, octets.len() - 1] {
            assert_eq!(Entry::from_octets(octets[..cut].to_vec().into()), Err(DamagedEntry), "{cut}");
        }
    }

    #[test]
    fn a_stamp_replaces_a_value_of_the_same_length() {
        let schema = Schema::standard();
        let class = schema.known().object_class;
        let entry = Entry::encode(&sample(&schema), &schema);
        assert_eq!(entry.stamped(class, b"pot").first(class), Some(&b"pot"[..]));
        assert_eq!(entry.stamped(class, b"longer"), entry);
    }
}
