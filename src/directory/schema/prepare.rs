//! String preparation (RFC 4518): what of a string counts when two are compared.
//!
//! The six steps are transcode, map, normalize (NFKC), prohibit, check bidi and insignificant character handling. Here
//! the last one makes the shortest form, single inner spaces and none at the ends, so that a prepared string is also
//! its own index key; bidi needs no step, and prohibited code points are kept, since to refuse to compare a value that
//! is already stored would only make it unfindable.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// Whether upper and lower case differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Case {
    /// They differ.
    Exact,
    /// They are folded (RFC 4518 §2.2, RFC 3454 table B.2).
    Ignore,
}

/// Where in a value a piece of a substring assertion stands (RFC 4511 §4.5.1.7.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Position {
    /// At its beginning.
    Initial,
    /// Anywhere.
    Any,
    /// At its end.
    Final,
}

/// The octets are not UTF-8, so they are no string at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotText;

/// Prepares a whole value: folded if asked, spaces squeezed to one and trimmed.
pub fn prepare(value: &[u8], case: Case) -> Result<Cow<'_, [u8]>, NotText> {
    if is_prepared(value, case) {
        return Ok(Cow::Borrowed(value));
    }
    let mapped = map(value, case)?;
    Ok(Cow::Owned(squeeze(&mapped, None)))
}

/// Prepares a piece of a substring assertion; a space at an inner edge is kept, since it stands between words.
pub fn prepare_piece(piece: &[u8], case: Case, position: Position) -> Result<Vec<u8>, NotText> {
    let mapped = map(piece, case)?;
    Ok(squeeze(&mapped, Some(position)))
}

/// Whether `value` prepares to `prepared`, without building the prepared form where that can be avoided.
pub fn prepares_to(value: &[u8], prepared: &[u8], case: Case) -> bool {
    if value == prepared && is_prepared(value, case) {
        return true;
    }
    if begins_otherwise(value, prepared, case) {
        return false;
    }
    if value.is_ascii() {
        return ascii(value, case).eq(prepared.iter().copied());
    }
    prepare(value, case).is_ok_and(|own| own.as_ref() == prepared)
}

/// Whether the first character shows that a value does not prepare to `prepared`, as most that differ do. The second one may
/// combine with it, unless that is plain ASCII, too.
fn begins_otherwise(value: &[u8], prepared: &[u8], case: Case) -> bool {
    let [first, second, ..] = value else { return false };
    let is_plain = first.is_ascii_graphic() && second.is_ascii_graphic();
    is_plain && prepared.first() != Some(&folded(*first, case))
}

const fn folded(octet: u8, case: Case) -> u8 {
    match case {
        Case::Ignore => octet.to_ascii_lowercase(),
        Case::Exact => octet,
    }
}

/// Already in the prepared form: plain ASCII without anything to fold, map, squeeze or trim.
fn is_prepared(value: &[u8], case: Case) -> bool {
    let mut after_space = true;
    for &octet in value {
        let fold = case == Case::Ignore && octet.is_ascii_uppercase();
        if fold || !(b' '..0x7f).contains(&octet) || (octet == b' ' && after_space) {
            return false;
        }
        after_space = octet == b' ';
    }
    !after_space || value.is_empty()
}

/// The prepared form of an ASCII string, octet by octet.
fn ascii(value: &[u8], case: Case) -> impl Iterator<Item = u8> + '_ {
    let mut pending = false;
    let mut started = false;
    let mut held = None;
    let mut rest = value.iter();
    std::iter::from_fn(move || {
        if let Some(octet) = held.take() {
            return Some(octet);
        }
        for &octet in rest.by_ref() {
            match octet {
                b' ' | b'\t'..=b'\r' => pending = started,
                0..=0x1f | 0x7f => {}
                _ => {
                    started = true;
                    let folded = folded(octet, case);
                    if std::mem::take(&mut pending) {
                        held = Some(folded);
                        return Some(b' ');
                    }
                    return Some(folded);
                }
            }
        }
        None
    })
}

/// Transcode, map and normalize: everything but the handling of spaces.
fn map(value: &[u8], case: Case) -> Result<Vec<u8>, NotText> {
    if value.is_ascii() {
        let mapped = value.iter().filter_map(|&octet| match octet {
            b'\t'..=b'\r' => Some(b' '),
            0..=0x1f | 0x7f => None,
            _ if case == Case::Ignore => Some(octet.to_ascii_lowercase()),
            _ => Some(octet),
        });
        return Ok(mapped.collect());
    }
    let text = std::str::from_utf8(value).map_err(|_| NotText)?;
    let mapped = text.chars().filter_map(map_char);
    let normal: String = match case {
        Case::Exact => mapped.nfkc().collect(),
        // Folding can undo NFKC and the other way round (RFC 3454 §3.2), hence both twice.
        Case::Ignore => {
            let once: String = caseless::default_case_fold_str(&mapped.collect::<String>()).nfkc().collect();
            caseless::default_case_fold_str(&once).nfkc().collect()
        }
    };
    Ok(normal.into_bytes())
}

/// RFC 4518 §2.2: spaces become SPACE, what has no appearance becomes nothing.
fn map_char(c: char) -> Option<char> {
    match c {
        '\t'..='\r'
        | '\u{85}'
        | '\u{a0}'
        | '\u{1680}'
        | '\u{2000}'..='\u{200a}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{202f}'
        | '\u{205f}'
        | '\u{3000}' => Some(' '),
        '\u{0}'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{ad}'
        | '\u{34f}'
        | '\u{6dd}'
        | '\u{70f}'
        | '\u{1806}'
        | '\u{180b}'..='\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2063}'
        | '\u{206a}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffc}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0001}'
        | '\u{e0020}'..='\u{e007f}' => None,
        _ => Some(c),
    }
}

/// Makes every run of spaces one space, and removes it at the ends of the value: both for a whole one, otherwise the one
/// that the piece stands at.
fn squeeze(text: &[u8], piece: Option<Position>) -> Vec<u8> {
    let trim_start = matches!(piece, None | Some(Position::Initial));
    let trim_end = matches!(piece, None | Some(Position::Final));
    let mut squeezed = Vec::with_capacity(text.len());
    for &octet in text {
        let repeated = squeezed.last() == Some(&b' ') || (trim_start && squeezed.is_empty());
        if octet != b' ' || !repeated {
            squeezed.push(octet);
        }
    }
    if trim_end && squeezed.last() == Some(&b' ') {
        squeezed.pop();
    }
    squeezed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        String::from_utf8(prepare(text.as_bytes(), Case::Ignore).unwrap().into_owned()).unwrap()
    }

    #[test]
    fn insignificant_spaces_and_case_do_not_count() {
        assert_eq!(folded("  Alice   A "), "alice a");
        assert_eq!(folded("Alice\tA\r\n"), "alice a");
        assert_eq!(folded("alice a"), "alice a");
        assert_eq!(folded("   "), "");
        assert_eq!(prepare(b"Alice A", Case::Exact).unwrap().as_ref(), b"Alice A");
    }

    #[test]
    fn compatibility_characters_and_invisible_ones_are_mapped() {
        assert_eq!(folded("Straße"), "strasse");
        assert_eq!(folded("ﬁn"), "fin");
        assert_eq!(folded("ÄRGER"), folded("a\u{308}rger"));
        assert_eq!(folded("soft\u{ad}hyphen"), "softhyphen");
        assert_eq!(folded("no\u{a0}break"), "no break");
    }

    #[test]
    fn octets_that_are_not_utf_8_are_no_text() {
        assert_eq!(prepare(b"\xff", Case::Ignore), Err(NotText));
    }

    #[test]
    fn a_piece_keeps_the_space_at_its_inner_edge() {
        let piece = |text: &str, position| prepare_piece(text.as_bytes(), Case::Ignore, position).unwrap();
        assert_eq!(piece("  Al  ", Position::Initial), b"al ");
        assert_eq!(piece("  A  ", Position::Any), b" a ");
        assert_eq!(piece("  A  ", Position::Final), b" a");
    }

    #[test]
    fn comparing_needs_no_prepared_copy_and_agrees_with_one() {
        for value in ["  Alice   A ", "alice a", "ALICE A", "Alice\tA", "alice  a ", "Älice a", "x", "", " "] {
            for other in ["alice a", "älice a", "x", "", "alice"] {
                let slow = prepare(value.as_bytes(), Case::Ignore).unwrap().as_ref() == other.as_bytes();
                assert_eq!(prepares_to(value.as_bytes(), other.as_bytes(), Case::Ignore), slow, "{value:?} {other:?}");
            }
        }
    }
}
