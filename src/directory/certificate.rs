//! What a certificate (RFC 5280) says: whose it is, and whose number it bears.

mod exact;

use std::fmt::Write as _;

pub use exact::ExactAssertion;

use super::{dn, wire};

/// `[0]`, the version in front of what is signed (RFC 5280 §4.1).
const VERSION: u8 = 0xa0;
const INTEGER: u8 = 0x02;
/// A serial number has 20 octets at most (RFC 5280 §4.1.2.2); some have a few more all the same.
const SERIAL_OCTETS: usize = 64;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;
const IA5_STRING: u8 = 0x16;

/// The attribute types that have a name in RFC 4514 §3, and that of mail addresses, by their object identifiers.
const SHORT_NAMES: &[(&[u8], &str)] = &[
    (b"\x55\x04\x03", "CN"),
    (b"\x55\x04\x06", "C"),
    (b"\x55\x04\x07", "L"),
    (b"\x55\x04\x08", "ST"),
    (b"\x55\x04\x09", "STREET"),
    (b"\x55\x04\x0a", "O"),
    (b"\x55\x04\x0b", "OU"),
    (b"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", "UID"),
    (b"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", "DC"),
    (b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", "emailAddress"),
];

/// The subject of a certificate (RFC 5280 §4.1.2.6) as RFC 4514 writes names: as `openssl x509 -noout -subject -nameopt
/// RFC2253` shows it. `None` if it has none, or one that cannot be written without doubt.
pub fn subject(certificate: &[u8]) -> Option<String> {
    // Behind the serial number, the algorithm, the issuer and the validity.
    name(field(certificate, 4)?)
}

/// The issuer of a certificate (RFC 5280 §4.1.2.4), written likewise.
pub fn issuer(certificate: &[u8]) -> Option<String> {
    name(field(certificate, 2)?)
}

/// The serial number of a certificate (RFC 5280 §4.1.2.2), in digits.
pub fn serial_number(certificate: &[u8]) -> Option<String> {
    let field = field(certificate, 0).filter(|field| field.tag == INTEGER)?;
    let is_short = !field.content.is_empty() && field.content.len() <= SERIAL_OCTETS;
    is_short.then(|| digits(field.content))
}

/// A field of what is signed, from 0, the optional version left aside.
fn field(certificate: &[u8], number: usize) -> Option<wire::Element<'_>> {
    let certificate = wire::element(certificate).filter(|whole| whole.tag == wire::SEQUENCE)?;
    let signed = wire::element(certificate.content).filter(|signed| signed.tag == wire::SEQUENCE)?;
    wire::elements(signed.content).filter(|field| field.tag != VERSION).nth(number)
}

fn name(field: wire::Element<'_>) -> Option<String> {
    if field.tag != wire::SEQUENCE {
        return None;
    }
    let mut rdns = wire::elements(field.content).map(|rdn| relative_name(rdn.content)).collect::<Option<Vec<_>>>()?;
    rdns.reverse();
    (!rdns.is_empty()).then(|| rdns.join(","))
}

/// An integer (X.690 §8.3) in digits.
fn digits(octets: &[u8]) -> String {
    let is_negative = octets.first().is_some_and(|octet| octet & 0x80 != 0);
    let mut magnitude: Vec<u8> = octets.iter().map(|octet| if is_negative { !octet } else { *octet }).collect();
    if is_negative {
        // The two's complement; a carry beyond the first octet is one more.
        let carried = magnitude.iter_mut().rev().all(|octet| {
            *octet = octet.wrapping_add(1);
            *octet == 0
        });
        if carried {
            magnitude.insert(0, 1);
        }
    }
    let mut digits = Vec::new();
    while magnitude.iter().any(|octet| *octet != 0) {
        let mut rest: u16 = 0;
        for octet in &mut magnitude {
            let number = rest << 8 | u16::from(*octet);
            *octet = u8::try_from(number / 10).unwrap_or(u8::MAX);
            rest = number % 10;
        }
        digits.push(char::from(b'0' + u8::try_from(rest).unwrap_or_default()));
    }
    if digits.is_empty() {
        digits.push('0');
    } else if is_negative {
        digits.push('-');
    }
    digits.iter().rev().collect()
}

fn relative_name(set: &[u8]) -> Option<String> {
    let parts = wire::elements(set).map(|part| name_part(part.content)).collect::<Option<Vec<_>>>()?;
    (!parts.is_empty()).then(|| parts.join("+"))
}

fn name_part(content: &[u8]) -> Option<String> {
    let kind = wire::element(content).filter(|kind| kind.tag == OBJECT_IDENTIFIER)?;
    let value = wire::element(kind.rest)?;
    // A value of another kind of string could be read in several ways.
    if ![UTF8_STRING, PRINTABLE_STRING, IA5_STRING].contains(&value.tag) {
        return None;
    }
    let text = std::str::from_utf8(value.content).ok().filter(|text| !text.chars().any(char::is_control))?;
    let known = SHORT_NAMES.iter().find(|(oid, _)| *oid == kind.content);
    let name = match known {
        Some((_, name)) => (*name).to_owned(),
        None => dotted(kind.content)?,
    };
    Some(format!("{name}={}", dn::escape(text)))
}

/// An object identifier as people write it (X.690 §8.19).
fn dotted(octets: &[u8]) -> Option<String> {
    let mut arcs: Vec<u64> = Vec::new();
    let mut arc: u64 = 0;
    for octet in octets {
        arc = arc.checked_mul(128)?.checked_add(u64::from(octet & 0x7f))?;
        if octet & 0x80 == 0 {
            arcs.push(arc);
            arc = 0;
        }
    }
    let (first, rest) = arcs.split_first()?;
    let root = (*first / 40).min(2);
    let mut text = format!("{root}.{}", first - root * 40);
    for arc in rest {
        write!(text, ".{arc}").ok()?;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        wire::put_element(&mut out, tag, content);
        out
    }

    fn part(oid: &[u8], tag: u8, value: &str) -> Vec<u8> {
        element(wire::SEQUENCE, &[element(OBJECT_IDENTIFIER, oid), element(tag, value.as_bytes())].concat())
    }

    fn certificate(rdns: &[Vec<u8>]) -> Vec<u8> {
        let subject =
            element(wire::SEQUENCE, &rdns.iter().flat_map(|parts| element(wire::SET, parts)).collect::<Vec<_>>());
        let any = element(wire::SEQUENCE, b"");
        let version = element(VERSION, b"\x02\x01\x02");
        let signed = [version, element(2, b"\x01"), any.clone(), any.clone(), any, subject].concat();
        element(wire::SEQUENCE, &element(wire::SEQUENCE, &signed))
    }

    #[test]
    fn the_subject_is_written_most_specific_first() {
        let rdns = [part(b"\x55\x04\x06", PRINTABLE_STRING, "DE"), part(b"\x55\x04\x03", UTF8_STRING, "Müller, Anna")];
        assert_eq!(subject(&certificate(&rdns)).unwrap(), "CN=Müller\\, Anna,C=DE");
        let both = [part(b"\x55\x04\x03", UTF8_STRING, "a"), part(SHORT_NAMES[7].0, UTF8_STRING, "b")].concat();
        assert_eq!(subject(&certificate(&[both])).unwrap(), "CN=a+UID=b");
        let unknown = part(b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x02", UTF8_STRING, "x");
        assert_eq!(subject(&certificate(&[unknown])).unwrap(), "1.2.840.113549.1.9.2=x");
    }

    #[test]
    fn numbers_are_written_in_digits() {
        for (octets, text) in [
            (&b"\x00"[..], "0"),
            (b"\x01", "1"),
            (b"\x7f", "127"),
            (b"\x00\x80", "128"),
            (b"\x01\x00\x00\x00\x00\x00\x00\x00\x00", "18446744073709551616"),
            (b"\xff", "-1"),
            (b"\x80", "-128"),
            (b"\xff\x00", "-256"),
        ] {
            assert_eq!(digits(octets), text, "{octets:x?}");
        }
        let one = certificate(&[part(b"\x55\x04\x03", UTF8_STRING, "a")]);
        assert_eq!(serial_number(&one).unwrap(), "1");
        assert_eq!(issuer(&one), None, "it is empty there");
    }

    #[test]
    fn what_can_be_read_in_several_ways_is_nobody() {
        for bad in [
            certificate(&[]),
            certificate(&[part(b"\x55\x04\x03", 0x1e, "ab")]),
            certificate(&[part(b"\x55\x04\x03", UTF8_STRING, "admin\0.example")]),
            certificate(&[vec![]]),
            b"\x30\x02\x30\x00".to_vec(),
        ] {
            assert_eq!(subject(&bad), None, "{bad:x?}");
        }
    }

    proptest! {
        #[test]
        fn no_octets_make_it_panic(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            subject(&octets);
            issuer(&octets);
            serial_number(&octets);
        }
    }
}
