//! Taking the text of a name apart (RFC 4514 §3), without a schema.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::DnError;
use crate::directory::wire;

/// One part of a name: where it stands in the text, and its types and values.
#[derive(Debug)]
pub(super) struct RawRdn<'t> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) avas: SmallVec<[RawAva<'t>; 1]>,
}

/// An attribute type and a value, with escapes resolved.
#[derive(Debug)]
pub(super) struct RawAva<'t> {
    pub(super) attribute_type: &'t str,
    pub(super) value: Cow<'t, [u8]>,
}

/// The parts of a name, leaf first; nothing for the empty name.
pub(super) fn rdns(text: &str) -> impl Iterator<Item = Result<RawRdn<'_>, DnError>> {
    let mut parser = Parser { text, at: 0 };
    let mut more = !text.trim_matches(' ').is_empty();
    std::iter::from_fn(move || {
        if !more {
            return None;
        }
        let rdn = parser.rdn();
        more = rdn.is_ok() && parser.skip(b',');
        Some(rdn)
    })
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn skip_spaces(&mut self) {
        while self.skip(b' ') {}
    }

    fn rdn(&mut self) -> Result<RawRdn<'t>, DnError> {
        self.skip_spaces();
        let start = self.at;
        let mut avas = SmallVec::new();
        loop {
            avas.push(self.ava()?);
            if !self.skip(b'+') {
                break;
            }
        }
        let taken = self.text.get(start..self.at).unwrap_or_default();
        Ok(RawRdn { start, end: start + trimmed_len(taken), avas })
    }

    fn ava(&mut self) -> Result<RawAva<'t>, DnError> {
        self.skip_spaces();
        let rest = self.text.get(self.at..).unwrap_or_default();
        let equals = rest.bytes().position(|octet| matches!(octet, b'=' | b',' | b'+')).ok_or(DnError::NoType)?;
        let (attribute_type, tail) = rest.split_at_checked(equals).ok_or(DnError::NoType)?;
        let attribute_type = attribute_type.trim_end_matches(' ');
        if !tail.starts_with('=') || attribute_type.is_empty() {
            return Err(DnError::NoType);
        }
        if !is_type(attribute_type) {
            return Err(DnError::BadType);
        }
        self.at += equals + 1;
        self.skip_spaces();
        let value = if self.peek() == Some(b'#') { self.hex_value()? } else { self.string_value()? };
        Ok(RawAva { attribute_type, value })
    }

    fn hex_value(&mut self) -> Result<Cow<'t, [u8]>, DnError> {
        let rest = self.text.get(self.at + 1..).unwrap_or_default();
        let end = rest.bytes().position(|octet| matches!(octet, b',' | b'+')).unwrap_or(rest.len());
        let digits = rest.get(..end).unwrap_or_default();
        self.at += 1 + end;
        let octets = hex(digits.trim_end_matches(' ').as_bytes()).ok_or(DnError::BadHex)?;
        let element = wire::element(&octets).filter(|element| element.rest.is_empty()).ok_or(DnError::BadHex)?;
        Ok(Cow::Owned(element.content.to_vec()))
    }

    fn string_value(&mut self) -> Result<Cow<'t, [u8]>, DnError> {
        let start = self.at;
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        let special = |octet: &u8| matches!(octet, b',' | b'+' | b'"' | b';' | b'<' | b'>' | b'\\' | 0);
        let plain = rest.iter().position(special).unwrap_or(rest.len());
        if matches!(rest.get(plain), None | Some(b',' | b'+')) {
            self.at += plain;
            let value = rest.get(..plain).unwrap_or_default();
            let end = value.iter().rposition(|octet| *octet != b' ').map_or(0, |last| last + 1);
            return Ok(Cow::Borrowed(value.get(..end).unwrap_or_default()));
        }
        let mut unescaped: Option<Vec<u8>> = None;
        // Spaces at the end count only where they are escaped.
        let mut significant = 0;
        while let Some(octet) = self.peek() {
            match octet {
                b',' | b'+' => break,
                b'"' | b';' | b'<' | b'>' | 0 => return Err(DnError::Unescaped),
                b'\\' => {
                    let taken = self.text.as_bytes().get(start..self.at).unwrap_or_default();
                    let value = unescaped.get_or_insert_with(|| taken.to_vec());
                    let (escaped, len) = escape(self.text.as_bytes().get(self.at + 1..).unwrap_or_default())?;
                    value.push(escaped);
                    self.at += 1 + len;
                    significant = value.len();
                }
                _ => {
                    self.at += 1;
                    if let Some(value) = &mut unescaped {
                        value.push(octet);
                    }
                    if octet != b' ' {
                        significant = unescaped.as_ref().map_or(self.at - start, Vec::len);
                    }
                }
            }
        }
        Ok(match unescaped {
            Some(mut value) => {
                value.truncate(significant);
                Cow::Owned(value)
            }
            None => Cow::Borrowed(self.text.as_bytes().get(start..start + significant).unwrap_or_default()),
        })
    }
}

/// The octet that an escape stands for, and how long the escape is without its backslash.
fn escape(rest: &[u8]) -> Result<(u8, usize), DnError> {
    match rest {
        [special @ (b'"' | b'+' | b',' | b';' | b'<' | b'>' | b'\\' | b' ' | b'#' | b'='), ..] => Ok((*special, 1)),
        [high, low, ..] => {
            let octet = hex(&[*high, *low]).and_then(|octets| octets.first().copied());
            octet.map(|octet| (octet, 2)).ok_or(DnError::BadEscape)
        }
        _ => Err(DnError::BadEscape),
    }
}

fn hex(digits: &[u8]) -> Option<Vec<u8>> {
    let (pairs, odd) = digits.as_chunks::<2>();
    if !odd.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|[high, low]| {
            let digit = |octet: u8| char::from(octet).to_digit(16);
            u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()
        })
        .collect()
}

/// A keystring or a numeric object identifier (RFC 4512 §1.4); options have no place in a name.
fn is_type(text: &str) -> bool {
    if text.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return text.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
    }
    text.split('.').all(|number| !number.is_empty() && number.bytes().all(|octet| octet.is_ascii_digit()))
}

/// The length without trailing spaces, of which the last one stays if it is escaped.
fn trimmed_len(text: &str) -> usize {
    let trimmed = text.trim_end_matches(' ');
    let backslashes = trimmed.bytes().rev().take_while(|octet| *octet == b'\\').count();
    let escaped = backslashes % 2 == 1 && trimmed.len() < text.len();
    trimmed.len() + usize::from(escaped)
}
