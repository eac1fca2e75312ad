//! Names as logs show them.

use std::borrow::Cow;

use super::parse;
use crate::directory::Schema;
use crate::directory::schema::AttributeType;

/// What stands in the place of a value that is not shown.
const LEFT_OUT: &str = "(left out)";

/// A name with the values left out that the schema marks as secret. No entry has such a name, but somebody may have typed it. It
/// need not be a good one; of one that cannot be read, nothing is shown from the secret on.
pub fn without_secrets<'t>(schema: &Schema, text: &'t str) -> Cow<'t, str> {
    let Some(first) = first_secret(schema, text) else { return Cow::Borrowed(text) };
    let Ok(rdns) = parse::rdns(text).collect::<Result<Vec<_>, _>>() else { return Cow::Owned(hide(text, first)) };
    let shown = |rdn: &parse::RawRdn<'_>| {
        let own = text.get(rdn.start..rdn.end).unwrap_or_default();
        first_secret(schema, own).map_or_else(|| own.to_owned(), |at| hide(own, at))
    };
    Cow::Owned(rdns.iter().map(shown).collect::<Vec<_>>().join(","))
}

/// All up to the equals sign there.
fn hide(text: &str, at: usize) -> String {
    format!("{}={LEFT_OUT}", text.get(..at).unwrap_or_default())
}

/// The first equals sign behind the name of a secret attribute, whatever may stand between.
fn first_secret(schema: &Schema, text: &str) -> Option<usize> {
    memchr::memchr_iter(b'=', text.as_bytes()).find(|at| ends_with_secret(schema, text.get(..*at).unwrap_or_default()))
}

fn ends_with_secret(schema: &Schema, text: &str) -> bool {
    let is_secret = |word: &str| schema.find_attribute_type(word).is_some_and(AttributeType::is_secret);
    // Mostly a part is one word.
    let before = text.bytes().rposition(|octet| !(octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.')));
    let start = before.map_or(0, |at| at + 1);
    if before.is_none_or(|at| text.as_bytes().get(at).is_some_and(|octet| PARTS.contains(&char::from(*octet)))) {
        return text.get(start..).is_some_and(is_secret);
    }
    let part = text.rsplit(PARTS).next().unwrap_or_default();
    part.split([';', ':', ' ', '"', '\\', '<', '>', '\0']).any(is_secret)
}

/// What a part of a name may stand behind.
const PARTS: [char; 3] = [',', '+', '='];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_of_a_secret_attribute_is_left_out() {
        let schema = Schema::standard();
        for (text, shown) in [
            ("uid=alice,dc=example", "uid=alice,dc=example"),
            ("", ""),
            ("alice", "alice"),
            ("userPassword=hunter2,dc=example", "userPassword=(left out),dc=example"),
            ("USERPASSWORD = hunter2 , dc=example", "USERPASSWORD =(left out),dc=example"),
            ("2.5.4.35=hunter2,dc=example", "2.5.4.35=(left out),dc=example"),
            ("uid=a+userPassword=hunter2,dc=example", "uid=a+userPassword=(left out),dc=example"),
            ("cn=x,userPassword=hunter2\\,more,dc=example", "cn=x,userPassword=(left out),dc=example"),
            ("userPassword=#040768756e74657232,dc=example", "userPassword=(left out),dc=example"),
            ("userPassword=one,pwdHistory=two,dc=example", "userPassword=(left out),pwdHistory=(left out),dc=example"),
            // No good names.
            ("userPassword=\"hunter2, and more\",dc=example", "userPassword=(left out)"),
            ("userPassword;lang-de=hunter2,dc=example", "userPassword;lang-de=(left out)"),
            ("dn:userPassword=hunter2,dc=example", "dn:userPassword=(left out)"),
            ("cn=a;userPassword=hunter2,dc=example", "cn=a;userPassword=(left out)"),
            ("cn=a,,userPassword=hunter2", "cn=a,,userPassword=(left out)"),
            ("userPassword=", "userPassword=(left out)"),
        ] {
            assert_eq!(without_secrets(&schema, text), shown, "{text}");
        }
    }
}
