//! Preparing a password, so that the same password typed on another keyboard is the same octets: the `OpaqueString`
//! profile (RFC 8265 §4.2).

use unicode_normalization::{UnicodeNormalization, is_nfc};
use zeroize::Zeroizing;

use super::Secret;

/// No password is longer, in octets. Refused before any work is done on it.
pub const MAX_LEN: usize = 1024;

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
