//! BER as LDAP restricts it (RFC 4511 §5.1): a strict look at a whole message, and a cursor over its elements.

use bytes::Bytes;

use crate::directory::wire::{self, Element};

/// BOOLEAN.
pub const BOOLEAN: u8 = 0x01;
/// INTEGER.
pub const INTEGER: u8 = 0x02;
/// OCTET STRING.
pub const OCTET_STRING: u8 = wire::OCTET_STRING;
/// ENUMERATED.
pub const ENUMERATED: u8 = 0x0a;
/// SEQUENCE.
pub const SEQUENCE: u8 = wire::SEQUENCE;
/// SET.
pub const SET: u8 = wire::SET;

/// The bit of a tag that says that elements are inside.
const CONSTRUCTED: u8 = 0x20;

/// `[number]` with octets inside, as IMPLICIT tagging of a string makes it.
pub const fn context(number: u8) -> u8 {
    0x80 | number
}

/// `[number]` with elements inside.
pub const fn context_constructed(number: u8) -> u8 {
    0xa0 | number
}

/// How deep elements may stand within elements: the deepest filter and what is around it.
const MAX_DEPTH: usize = 2 * crate::directory::filter::MAX_DEPTH;

/// Why octets are no BER that LDAP allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BerError {
    /// An element ends behind the one that it is in, or its length is indefinite or too long.
    #[error("an element does not fit into the one around it")]
    BadLength,
    /// A tag of several octets, which LDAP has no use for.
    #[error("an element has a tag of several octets")]
    LongTag,
    /// Elements within elements within elements.
    #[error("elements are nested too deep")]
    TooDeep,
    /// More elements than a message may have.
    #[error("the message has too many elements")]
    TooMany,
}

/// Looks at every element inside `content`: each fits exactly into the one around it, none is too deep, and there are no
/// more than `limit`. Everything that reads the message afterwards may rely on that. Allocates nothing.
pub fn check(content: &[u8], limit: usize) -> Result<(), BerError> {
    let mut left = limit;
    check_level(content, 0, &mut left)
}

fn check_level(content: &[u8], depth: usize, left: &mut usize) -> Result<(), BerError> {
    if depth > MAX_DEPTH {
        return Err(BerError::TooDeep);
    }
    let mut rest = content;
    while let Some(tag) = rest.first() {
        if tag & 0x1f == 0x1f {
            return Err(BerError::LongTag);
        }
        *left = left.checked_sub(1).ok_or(BerError::TooMany)?;
        let element = wire::element(rest).ok_or(BerError::BadLength)?;
        if tag & CONSTRUCTED != 0 {
            check_level(element.content, depth + 1, left)?;
        }
        rest = element.rest;
    }
    Ok(())
}

/// Reads elements one after another from a part of a message.
#[derive(Clone, Debug)]
pub struct Cursor<'m> {
    message: &'m Bytes,
    rest: &'m [u8],
}

impl<'m> Cursor<'m> {
    /// Reads from `part`, which lies in `message`.
    pub const fn new(message: &'m Bytes, part: &'m [u8]) -> Self {
        Self { message, rest: part }
    }

    /// The tag of the next element.
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Whether nothing is left.
    pub const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next element, whatever it is.
    pub fn next_element(&mut self) -> Option<Element<'m>> {
        let element = wire::element(self.rest)?;
        self.rest = element.rest;
        Some(element)
    }

    /// The content of the next element, if it has that tag; otherwise nothing is read.
    pub fn take(&mut self, tag: u8) -> Option<&'m [u8]> {
        if self.peek() != Some(tag) {
            return None;
        }
        self.next_element().map(|element| element.content)
    }

    /// The same, shared with the message instead of borrowed from it.
    pub fn take_octets(&mut self, tag: u8) -> Option<Bytes> {
        self.take(tag).map(|content| self.message.slice_ref(content))
    }

    /// The same as UTF-8.
    pub fn take_text(&mut self, tag: u8) -> Option<&'m str> {
        self.take(tag).and_then(|content| std::str::from_utf8(content).ok())
    }

    /// A number of at most 32 bits.
    pub fn take_integer(&mut self, tag: u8) -> Option<i32> {
        integer(self.take(tag)?)
    }

    /// A truth value. LDAP writes TRUE as `ff`, but reads every octet that is not zero (X.690 §8.2).
    pub fn take_boolean(&mut self, tag: u8) -> Option<bool> {
        match self.take(tag)? {
            [octet] => Some(*octet != 0),
            _ => None,
        }
    }

    /// All that is left, as it is.
    pub fn rest_octets(&self) -> Bytes {
        self.message.slice_ref(self.rest)
    }

    /// A cursor over what is inside the next element, if it has that tag.
    pub fn enter(&mut self, tag: u8) -> Option<Self> {
        let content = self.take(tag)?;
        Some(Self { message: self.message, rest: content })
    }
}

/// A two's complement number of at most 32 bits.
pub fn integer(content: &[u8]) -> Option<i32> {
    let (first, _) = content.split_first()?;
    if content.len() > 4 {
        return None;
    }
    let start = if first & 0x80 == 0 { 0 } else { -1 };
    Some(content.iter().fold(start, |number, octet| number << 8 | i32::from(*octet)))
}

/// Writes a number as BER INTEGER or ENUMERATED, in its shortest form.
pub fn put_integer(out: &mut Vec<u8>, tag: u8, number: i64) {
    let octets = number.to_be_bytes();
    let redundant = |pair: &&[u8]| {
        matches!(pair, [0, next] if next & 0x80 == 0) || matches!(pair, [0xff, next] if next & 0x80 != 0)
    };
    let skip = octets.windows(2).take_while(redundant).count();
    wire::put_element(out, tag, octets.get(skip..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn elements_must_fit_exactly() {
        assert_eq!(check(b"\x30\x03\x04\x01a", 10), Ok(()));
        assert_eq!(check(b"\x30\x03\x04\x02a", 10), Err(BerError::BadLength));
        assert_eq!(check(b"\x30\x80\x00\x00", 10), Err(BerError::BadLength));
        assert_eq!(check(b"\x30\x89\x01\x01\x01\x01\x01\x01\x01\x01\x01", 10), Err(BerError::BadLength));
        assert_eq!(check(b"\x1f\x81\x01\x00", 10), Err(BerError::LongTag));
    }

    #[test]
    fn number_and_depth_of_elements_are_bounded() {
        assert_eq!(check(&[5, 0].repeat(10), 10), Ok(()));
        assert_eq!(check(&[5, 0].repeat(11), 10), Err(BerError::TooMany));
        let mut deep = Vec::new();
        for _ in 0..300 {
            let mut outer = Vec::new();
            wire::put_element(&mut outer, 0xa2, &deep);
            deep = outer;
        }
        assert_eq!(check(&deep, 1000), Err(BerError::TooDeep));
    }

    proptest! {
        #[test]
        fn numbers_are_written_in_their_shortest_form_and_read_back(number in any::<i32>()) {
            let mut out = Vec::new();
            put_integer(&mut out, INTEGER, i64::from(number));
            let message = Bytes::from(out);
            prop_assert_eq!(Cursor::new(&message, &message).take_integer(INTEGER), Some(number));
            prop_assert!(message.len() <= 6);
        }

        #[test]
        fn no_octets_make_the_check_panic(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = check(&octets, 50);
        }
    }
}
