//! The BER elements (X.690, restricted as RFC 4511 §5.1 says) that stored attributes are made of.
//!
//! Just enough to write and walk `PartialAttribute`s (RFC 4511 §4.1.7); the protocol itself is `crate::protocol`.

use bytes::BufMut;

/// OCTET STRING.
pub const OCTET_STRING: u8 = 0x04;
/// SEQUENCE, constructed.
pub const SEQUENCE: u8 = 0x30;
/// SET, constructed.
pub const SET: u8 = 0x31;

/// How many octets tag and length take in front of `len` octets of content.
pub const fn header_len(len: usize) -> usize {
    match len {
        0..0x80 => 2,
        0x80..0x100 => 3,
        0x100..0x1_0000 => 4,
        0x1_0000..0x100_0000 => 5,
        _ => 6,
    }
}

/// How many octets an element with `len` octets of content takes.
pub const fn element_len(len: usize) -> usize {
    header_len(len) + len
}

/// Writes tag and length, the length in its shortest form. Lengths end at 4 GiB.
pub fn put_header(out: &mut impl BufMut, tag: u8, len: usize) {
    let len = u32::try_from(len).unwrap_or(u32::MAX);
    let [a, b, c, d] = len.to_be_bytes();
    match len {
        0..0x80 => out.put_slice(&[tag, d]),
        0x80..0x100 => out.put_slice(&[tag, 0x81, d]),
        0x100..0x1_0000 => out.put_slice(&[tag, 0x82, c, d]),
        0x1_0000..0x100_0000 => out.put_slice(&[tag, 0x83, b, c, d]),
        _ => out.put_slice(&[tag, 0x84, a, b, c, d]),
    }
}

/// Writes an element.
pub fn put_element(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    put_header(out, tag, content.len());
    out.extend_from_slice(content);
}

/// One element at the beginning of some octets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Element<'a> {
    /// Its tag, one octet.
    pub tag: u8,
    /// What is inside.
    pub content: &'a [u8],
    /// The whole of it, with tag and length.
    pub whole: &'a [u8],
    /// What follows it.
    pub rest: &'a [u8],
}

/// Reads the element that `octets` begin with: definite length, at most four length octets, one tag octet.
pub fn element(octets: &[u8]) -> Option<Element<'_>> {
    let (&tag, after_tag) = octets.split_first()?;
    let (&first, after_first) = after_tag.split_first()?;
    let (len, content) = if first < 0x80 {
        (usize::from(first), after_first)
    } else {
        let (length, content) = after_first.split_at_checked(usize::from(first & 0x7f))?;
        if length.is_empty() || length.len() > 4 {
            return None;
        }
        (length.iter().fold(0, |len, octet| len << 8 | usize::from(*octet)), content)
    };
    let (content, rest) = content.split_at_checked(len)?;
    let whole = octets.get(..octets.len() - rest.len())?;
    Some(Element { tag, content, whole, rest })
}

/// The elements that follow each other in `octets`, up to the first that is malformed.
pub fn elements(octets: &[u8]) -> impl Iterator<Item = Element<'_>> {
    let mut rest = octets;
    std::iter::from_fn(move || {
        let next = element(rest)?;
        rest = next.rest;
        Some(next)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_in_their_shortest_form_and_read_back() {
        for len in [0, 1, 127, 128, 255, 256, 65_535, 65_536, 70_000] {
            let mut out = Vec::new();
            put_element(&mut out, OCTET_STRING, &vec![7; len]);
            assert_eq!(out.len(), element_len(len), "{len}");
            let read = element(&out).unwrap();
            assert_eq!((read.tag, read.content.len(), read.rest.len()), (OCTET_STRING, len, 0));
        }
    }

    #[test]
    fn what_is_cut_short_or_indefinite_is_no_element() {
        for bad in [&b""[..], b"\x04", b"\x04\x05abc", b"\x04\x80ab", b"\x04\x82\x01", b"\x04\x85\0\0\0\0\x01a"] {
            assert_eq!(element(bad), None, "{bad:x?}");
        }
    }
}
