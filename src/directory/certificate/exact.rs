//! What a certificate is asked for by: its number, and who has issued it (RFC 4523 §2.1).

/// A certificate exact assertion.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExactAssertion {
    /// The serial number, in digits.
    pub serial_number: String,
    /// The name of the issuer (RFC 4514).
    pub issuer: String,
}

impl ExactAssertion {
    /// Reads one: `{ serialNumber 1, issuer rdnSequence:"cn=ca" }` (RFC 3641), or `1$cn=ca` as older clients have it.
    pub fn parse(text: &str) -> Option<Self> {
        let (serial_number, issuer) = match text.trim().strip_prefix('{') {
            Some(rest) => in_braces(rest)?,
            None => text.trim().split_once('$').map(|(number, name)| (number.trim(), name.trim().to_owned()))?,
        };
        let digits = serial_number.strip_prefix('-').unwrap_or(serial_number);
        let is_number = !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit());
        (is_number && !issuer.is_empty()).then(|| Self { serial_number: serial_number.to_owned(), issuer })
    }
}

fn in_braces(text: &str) -> Option<(&str, String)> {
    let rest = spaced(text.trim_start().strip_prefix("serialNumber")?)?;
    let (number, rest) = rest.split_once(',')?;
    let rest = spaced(rest.trim_start().strip_prefix("issuer")?)?;
    let rest = rest.strip_prefix("rdnSequence")?.trim_start().strip_prefix(':')?;
    let (name, rest) = quoted(rest.trim_start().strip_prefix('"')?)?;
    (rest.trim() == "}").then(|| (number.trim_end(), name))
}

/// What follows a space, or several.
fn spaced(text: &str) -> Option<&str> {
    text.starts_with(' ').then(|| text.trim_start())
}

/// A string whose first quote has been read, and what follows its last one; a quote within it stands there twice
/// (RFC 3641 §3.2).
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let (part, behind) = rest.split_once('"')?;
        value.push_str(part);
        match behind.strip_prefix('"') {
            Some(more) => {
                value.push('"');
                rest = more;
            }
            None => return Some((value, behind)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_and_the_issuer_are_read() {
        for text in [
            "{ serialNumber 17, issuer rdnSequence:\"cn=a,o=b\" }",
            "{serialNumber 17,issuer rdnSequence:\"cn=a,o=b\"}",
            "  {  serialNumber  17 ,  issuer  rdnSequence : \"cn=a,o=b\"  }  ",
            "17$cn=a,o=b",
        ] {
            let read = ExactAssertion::parse(text).unwrap();
            assert_eq!((read.serial_number.as_str(), read.issuer.as_str()), ("17", "cn=a,o=b"), "{text}");
        }
        let read = ExactAssertion::parse("{ serialNumber -1, issuer rdnSequence:\"cn=\"\"a\"\"\" }").unwrap();
        assert_eq!((read.serial_number.as_str(), read.issuer.as_str()), ("-1", "cn=\"a\""));
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            "",
            "17",
            "$cn=a",
            "17$",
            "x$cn=a",
            "{ serialNumber 1 }",
            "{ issuer rdnSequence:\"cn=a\", serialNumber 1 }",
            "{ serialNumber 1, issuer \"cn=a\" }",
            "{ serialNumber 1, issuer rdnSequence:\"cn=a }",
            "{ serialNumber 1, issuer rdnSequence:\"cn=a\"",
            "{ serialNumber 1, issuer rdnSequence:\"cn=a\" } x",
            "{ serialNumber1, issuer rdnSequence:\"cn=a\" }",
            "{ serialNumber 0x1, issuer rdnSequence:\"cn=a\" }",
            "{ serialNumber 1, issuer rdnSequence:\"\" }",
        ] {
            assert_eq!(ExactAssertion::parse(text), None, "{text}");
        }
    }
}
