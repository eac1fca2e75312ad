//! Preparing a password, so that the same password typed on another keyboard is the same octets: the `OpaqueString`
//! profile (RFC 8265 §4.2).

use unicode_normalization::{UnicodeNormalization, is_nfc};
use zeroize::Zeroizing;

use super::Secret;

/// No password is longer, in characters (code points).
pub const MAX_CHARACTERS: usize = 1024;

/// So none is longer in octets. Refused before any work is done on it.
pub const MAX_LEN: usize = 4 * MAX_CHARACTERS;

/// The prepared form: non-ASCII spaces become SPACE and the text is composed (NFC); case stays. Octets that are not UTF-8,
/// and text with control characters, which the profile refuses, are kept as they are.
pub fn prepare(password: &Secret) -> Secret {
    let Some(text) = password.expose_text() else { return password.clone() };
    if text.is_ascii() || text.chars().any(char::is_control) || is_prepared(text) {
        return password.clone();
    }
    let prepared: Zeroizing<String> = Zeroizing::new(text.chars().map(to_space).nfc().collect());
    Secret::new(prepared.as_bytes())
}

/// The form in which clients take a password for SCRAM (`SASLprep`, RFC 4013 §2.1, §2.2): what has no appearance goes, every
/// space is SPACE, and forms that are compatible are one. `None` if it is no text.
///
/// What that profile prohibits is kept, as clients do that know no better.
pub fn saslprep(password: &Secret) -> Option<Secret> {
    let text = password.expose_text()?;
    let shown = text.chars().filter(|c| !is_mapped_to_nothing(*c)).map(to_space);
    let prepared: Zeroizing<String> = Zeroizing::new(shown.nfkc().collect());
    Some(Secret::new(prepared.as_bytes()))
}

/// RFC 3454 table B.1.
const fn is_mapped_to_nothing(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{1806}' | '\u{180b}'..='\u{180d}' | '\u{200b}'..='\u{200d}' | '\u{2060}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

fn is_prepared(text: &str) -> bool {
    is_nfc(text) && text.chars().all(|c| c == to_space(c))
}

/// Characters of the Unicode category Zs.
const fn to_space(c: char) -> char {
    match c {
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(octets: &[u8]) -> Vec<u8> {
        prepare(&Secret::new(octets)).expose().to_vec()
    }

    #[test]
    fn composed_and_decomposed_letters_are_the_same_password() {
        assert_eq!(prepared("pa\u{308}ss".as_bytes()), "päss".as_bytes());
        assert_eq!(prepared("a\u{a0}b\u{3000}c".as_bytes()), b"a b c");
    }

    #[test]
    fn case_width_and_trailing_spaces_stay() {
        for text in ["PassWord ", "ｐａｓｓ", "ﬁ", " a"] {
            assert_eq!(prepared(text.as_bytes()), text.as_bytes());
        }
    }

    #[test]
    fn what_the_profile_refuses_is_kept_as_it_is() {
        assert_eq!(prepared(b"\xff\xfe"), b"\xff\xfe");
        assert_eq!(prepared("a\u{308}\0".as_bytes()), "a\u{308}\0".as_bytes());
    }
}
