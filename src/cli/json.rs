//! JSON (RFC 8259) for programs that read what a command says: one object a line.

use std::fmt::Write as _;

/// A value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Json<'a> {
    /// Text.
    Text(&'a str),
    /// A number.
    Number(u64),
}

/// An object, in one line.
pub(super) fn object(fields: &[(&str, Json<'_>)]) -> String {
    let mut out = String::from("{");
    for (at, (name, value)) in fields.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        put_text(&mut out, name);
        out.push(':');
        match value {
            Json::Text(text) => put_text(&mut out, text),
            Json::Number(number) => out.push_str(&number.to_string()),
        }
    }
    out.push('}');
    out
}

fn put_text(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            // A terminal is to be told nothing by what somebody else has called themselves.
            control if control.is_control() => {
                // Writing to a string does not fail; control characters are below U+00A0.
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_stands_in_a_text_is_read_again() {
        for text in ["", "plain", "quotes \" and \\ and /", "line\nbreak\u{0}\u{1b}[31m\u{9b}", "Zoë 😀"] {
            let line = object(&[("a \"name\"", Json::Text(text)), ("n", Json::Number(u64::MAX))]);
            let read: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert_eq!((read["a \"name\""].as_str(), read["n"].as_u64()), (Some(text), Some(u64::MAX)), "{line}");
            assert!(!line.chars().any(char::is_control), "{line}");
        }
    }
}
