//! What an app is told of a token, mostly as a picture: `otpauth://totp/...`, the form that all of them read.

use std::fmt::Write;

use zeroize::Zeroizing;

use super::Secret;
use super::one_time_password::Algorithm;
use super::second_factor::Kind;

/// A token as an app is to have it.
#[derive(Clone, Debug)]
pub struct Enrolment<'e> {
    /// What its numbers count.
    pub kind: Kind,
    /// Who has issued it, in the words of people.
    pub issuer: &'e str,
    /// Whose it is.
    pub account: &'e str,
    /// What it shares with the server.
    pub secret: &'e Secret,
    /// How it makes codes.
    pub algorithm: Algorithm,
    /// How many digits they have.
    pub digits: u32,
    /// The seconds of a time step.
    pub period: u64,
}

impl Enrolment<'_> {
    /// It as a URL. Whoever reads it has the token.
    pub fn url(&self) -> Zeroizing<String> {
        let (issuer, account) = (escaped(self.issuer), escaped(self.account));
        let label = if issuer.is_empty() { account } else { format!("{issuer}:{account}") };
        let kind = match self.kind {
            Kind::Totp => "totp",
            Kind::Hotp => "hotp",
        };
        let mut url = Zeroizing::new(String::with_capacity(512));
        // What is written into memory does not fail.
        let _ = write!(url, "otpauth://{kind}/{label}?secret={}", *base32(self.secret));
        if !issuer.is_empty() {
            let _ = write!(url, "&issuer={issuer}");
        }
        let _ = write!(url, "&algorithm={}&digits={}", algorithm(self.algorithm), self.digits);
        let _ = match self.kind {
            Kind::Totp => write!(url, "&period={}", self.period),
            Kind::Hotp => write!(url, "&counter=0"),
        };
        url
    }
}

const fn algorithm(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Sha1 => "SHA1",
        Algorithm::Sha224 => "SHA224",
        Algorithm::Sha256 => "SHA256",
        Algorithm::Sha384 => "SHA384",
        Algorithm::Sha512 => "SHA512",
    }
}

/// A secret in letters and digits, without padding (RFC 4648 §6): what is typed where there is no camera.
pub fn base32(secret: &Secret) -> Zeroizing<String> {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = Zeroizing::new(String::with_capacity(secret.len() * 8 / 5 + 1));
    let (mut bits, mut held) = (0_u16, 0);
    for octet in secret.expose() {
        bits = (bits << 8) | u16::from(*octet);
        held += 8;
        while held >= 5 {
            held -= 5;
            text.extend(ALPHABET.get(usize::from(bits >> held & 31)).map(|letter| char::from(*letter)));
        }
        bits &= 31;
    }
    if held > 0 {
        text.extend(ALPHABET.get(usize::from(bits << (5 - held) & 31)).map(|letter| char::from(*letter)));
    }
    text
}

/// Text as a part of a URL (RFC 3986 §2.1).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~@".contains(&octet) {
            out.push(char::from(octet));
        } else {
            let _ = write!(out, "%{octet:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_4648_without_padding() {
        for (octets, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
            ("12345678901234567890", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"),
        ] {
            assert_eq!(*base32(&Secret::new(octets)), text);
        }
        assert_eq!(*base32(&Secret::new(vec![0xff; 5])), "77777777");
    }

    #[test]
    fn an_app_is_told_all_that_it_must_know() {
        let secret = Secret::new("12345678901234567890");
        let totp = Enrolment {
            kind: Kind::Totp,
            issuer: "M\u{fc}ller & Co: IT",
            account: "alice@example.com",
            secret: &secret,
            algorithm: Algorithm::Sha256,
            digits: 8,
            period: 60,
        };
        assert_eq!(
            *totp.url(),
            "otpauth://totp/M%C3%BCller%20%26%20Co%3A%20IT:alice@example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=M%C3%BCller%20%26%20Co%3A%20IT&algorithm=SHA256&digits=8&period=60"
        );
        let hotp = Enrolment { kind: Kind::Hotp, issuer: "", account: "bob", digits: 6, ..totp };
        assert_eq!(
            *hotp.url(),
            "otpauth://hotp/bob?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&algorithm=SHA256&digits=6&counter=0"
        );
    }
}
