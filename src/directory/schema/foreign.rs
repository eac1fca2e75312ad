//! Schema files as other servers keep them.
//!
//! * LDIF with `attributeTypes` and `objectClasses`, as 389 Directory Server and RFC 4512 have it;
//! * the same below `cn=config` of OpenLDAP: `olcAttributeTypes: {0}( ... )`;
//! * OpenLDAP's `.schema` files: `attributetype ( ... )`, where a line that begins with white space goes on.
//!
//! OpenLDAP lets a name stand for an object identifier (`objectidentifier`), 389 takes `NAME-oid` for one. Both are
//! replaced, so that what is published is RFC 4512.

use std::collections::HashMap;

use super::SchemaErrorKind;
use crate::directory::ldif;

/// What proves who somebody is in the schemas of others, which do not say so: hashes, keys and seeds.
const SECRETS: &[&str] = &[
    "sambaNTPassword",
    "sambaLMPassword",
    "sambaPasswordHistory",
    "sambaClearTextPassword",
    "sambaPreviousClearTextPassword",
    "krbPrincipalKey",
    "krbMKey",
    "krbPwdHistory",
    "ipaNTHash",
    "ipatokenOTPkey",
    "oathSecret",
    "oathEncKey",
    "passwordHistory",
    "nsMultiplexorCredentials",
    "nsds5ReplicaCredentials",
    "olcRootPW",
    "unicodePwd",
    "dBCSPwd",
    "supplementalCredentials",
];

/// Whether an attribute type with these names is kept from everybody, whatever a rule says.
pub(super) fn is_secret(names: &[String]) -> bool {
    names.iter().any(|name| SECRETS.iter().any(|secret| secret.eq_ignore_ascii_case(name)))
}

/// The definition, marked as secret.
pub(super) fn marked_as_secret(text: &str) -> String {
    let open = text.trim_end().strip_suffix(')').unwrap_or(text);
    format!("{} X-SECRET 'TRUE' )", open.trim_end())
}

/// A definition, and where it stands.
pub(super) struct Found {
    pub(super) kind: Kind,
    /// The line that it begins on, or that its record begins on.
    pub(super) line: usize,
    pub(super) text: String,
}

/// What is defined.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    AttributeType,
    ObjectClass,
}

/// A keyword with what it says, and its line.
type Directive = (usize, String, String);

/// Finds the definitions of a file in any of the forms.
pub(super) fn definitions(text: &str) -> Result<Vec<Found>, SchemaErrorKind> {
    let directives = if is_schema_file(text) { schema_file(text) } else { ldif_file(text)? };
    let mut macros = HashMap::new();
    let mut found = Vec::new();
    for (line, keyword, says) in directives {
        // cn=config prefixes keywords, and numbers values.
        let keyword = keyword.to_ascii_lowercase();
        let says = without_number(says.trim());
        let kind = match keyword.strip_prefix("olc").unwrap_or(&keyword) {
            "objectidentifier" => {
                if let Some((name, oid)) = says.split_once(char::is_whitespace) {
                    macros.insert(name.to_ascii_lowercase(), resolve(oid.trim(), &macros));
                }
                continue;
            }
            "attributetype" | "attributetypes" => Kind::AttributeType,
            "objectclass" | "objectclasses" if says.starts_with('(') => Kind::ObjectClass,
            _ => continue,
        };
        found.push(Found { kind, line, text: with_numeric_oids(says, &macros) });
    }
    Ok(found)
}

/// Whether the first line that says something begins with a keyword without a colon.
fn is_schema_file(text: &str) -> bool {
    let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#')).unwrap_or_default();
    first.split_whitespace().next().is_some_and(|word| !word.contains(':'))
}

fn schema_file(text: &str) -> Vec<Directive> {
    let mut directives: Vec<Directive> = Vec::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.starts_with('#')) {
        if let (true, Some((_, _, says))) = (line.starts_with(char::is_whitespace), directives.last_mut()) {
            says.push(' ');
            says.push_str(line.trim());
        } else {
            let (keyword, says) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            directives.push((number, keyword.to_owned(), says.trim().to_owned()));
        }
    }
    directives
}

fn ldif_file(text: &str) -> Result<Vec<Directive>, SchemaErrorKind> {
    let mut directives = Vec::new();
    for record in ldif::Reader::new(text.as_bytes()) {
        let record = record.map_err(|error| SchemaErrorKind::Ldif(error.to_string()))?;
        let says = |(name, value): &(String, Vec<u8>)| {
            (record.line, name.clone(), String::from_utf8_lossy(value).into_owned())
        };
        directives.extend(record.attributes().iter().map(says));
    }
    Ok(directives)
}

/// `{12}( ... )` is `( ... )`.
fn without_number(text: &str) -> &str {
    let numbered = text.strip_prefix('{').and_then(|rest| rest.split_once('}'));
    numbered
        .filter(|(number, _)| number.bytes().all(|octet| octet.is_ascii_digit()))
        .map_or(text, |(_, rest)| rest.trim())
}

/// Puts numbers in the place of names where a definition has an object identifier: behind `(` and behind `SYNTAX`.
fn with_numeric_oids(text: &str, macros: &HashMap<String, String>) -> String {
    let (mut out, mut rest, mut is_oid) = (String::with_capacity(text.len()), text, false);
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '\'' => rest.get(1..).and_then(|tail| tail.find('\'')).map_or(rest.len(), |at| at + 2),
            '(' | ')' | '$' | '{' => 1,
            _ if first.is_whitespace() => first.len_utf8(),
            _ => rest.find(|c: char| c.is_whitespace() || "()${'".contains(c)).unwrap_or(rest.len()),
        };
        let (token, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if token.trim().is_empty() {
            out.push_str(token);
        } else {
            // Some write the syntax in quotes.
            let replaced = is_oid.then(|| resolve(token.trim_matches('\''), macros));
            out.push_str(replaced.as_deref().unwrap_or(token));
            is_oid = out.trim() == "(" || token.eq_ignore_ascii_case("SYNTAX");
        }
        rest = tail;
    }
    out
}

/// `Name` and `Name:1.2` by what was said of the name; `NAME-oid` by a number made of it (ITU-T X.667).
fn resolve(oid: &str, macros: &HashMap<String, String>) -> String {
    let (name, below) = oid.split_once(':').map_or((oid, None), |(name, below)| (name, Some(below)));
    match (macros.get(&name.to_ascii_lowercase()), below) {
        (Some(number), Some(below)) => format!("{number}.{below}"),
        (Some(number), None) => number.clone(),
        (None, _) if oid.to_ascii_lowercase().ends_with("-oid") => format!("2.25.{}", hash(&oid.to_ascii_lowercase())),
        (None, _) => oid.to_owned(),
    }
}

/// FNV-1a with 128 bits: the same name has the same number on every server.
fn hash(text: &str) -> u128 {
    let step =
        |hash: u128, octet: u8| (hash ^ u128::from(octet)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    text.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, step)
}

#[cfg(test)]
mod tests {
    use crate::directory::Schema;
    use crate::directory::schema::{SchemaBuilder, SchemaError};

    fn schema_with(text: &str) -> Result<Schema, SchemaError> {
        SchemaBuilder::new().add_standard()?.add_foreign("theirs", text)?.build()
    }

    #[test]
    fn schema_files_of_openldap_are_read() {
        let text = "# A comment\nobjectIdentifier ExampleRoot 1.3.6.1.4.1.55555\nobjectidentifier ExampleAttr ExampleRoot:1\n\n\
                    objectidentifier Text 1.3.6.1.4.1.1466.115.121.1.15\n\
                    attributetype ( ExampleAttr:1\n\tNAME ( 'exampleBadge' 'badge' )\n\tDESC 'SYNTAX (Text'\n\
                    \tEQUALITY caseIgnoreMatch\n\tSYNTAX Text{64} )\n\n\
                    objectclass (ExampleRoot:2.1 NAME 'examplePerson' SUP top AUXILIARY\n\tMAY exampleBadge)\n";
        let schema = schema_with(text).unwrap();
        let badge = schema.find_attribute_type("badge").unwrap();
        assert_eq!(badge.oid.as_ref(), "1.3.6.1.4.1.55555.1.1");
        assert!(badge.definition.contains("DESC 'SYNTAX (Text'"), "{}", badge.definition);
        assert!(badge.definition.contains("SYNTAX 1.3.6.1.4.1.1466.115.121.1.15{64}"), "{}", badge.definition);
        assert_eq!(schema.find_object_class("examplePerson").unwrap().oid.as_ref(), "1.3.6.1.4.1.55555.2.1");
    }

    #[test]
    fn cn_config_of_openldap_is_read() {
        let text = "dn: cn={4}example,cn=schema,cn=config\nobjectClass: olcSchemaConfig\ncn: {4}example\n\
                    olcObjectIdentifier: {0}Ex 1.3.6.1.4.1.55555\n\
                    olcAttributeTypes: {0}( Ex:1 NAME 'exampleBadge' SUP name )\n\
                    olcObjectClasses: {0}( Ex:2 NAME 'exampleThing' SUP top STRUCTURAL MUST exampleBadge )\n";
        let schema = schema_with(text).unwrap();
        assert!(schema.find_attribute_type("1.3.6.1.4.1.55555.1").is_some());
        assert!(schema.find_object_class("exampleThing").is_some());
    }

    #[test]
    fn schema_files_of_389_are_read() {
        let text = "dn: cn=schema\nobjectclass: top\nobjectclass: ldapSubentry\nobjectclass: subschema\ncn: schema\n\
                    attributetypes: ( exampleBadge-oid NAME 'exampleBadge' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 X-ORIGIN ( \
                    'Example' 'user defined' ) )\n\
                    objectclasses: ( 1.3.6.1.4.1.55555.2 NAME 'exampleThing' SUP top STRUCTURAL MAY ( exampleBadge $ cn ) )\n";
        let schema = schema_with(text).unwrap();
        let oid = schema.find_attribute_type("exampleBadge").unwrap().oid.to_string();
        assert!(oid.starts_with("2.25.") && oid.len() > 20, "{oid}");
        assert_eq!(schema_with(text).unwrap().find_attribute_type("exampleBadge").unwrap().oid.as_ref(), oid);
    }

    #[test]
    fn a_syntax_may_stand_in_quotes() {
        let text =
            "objectidentifier Number 1.3.6.1.4.1.1466.115.121.1.27\nattributetype ( 1.2.3 NAME 'x' SYNTAX 'Number' )\n";
        assert!(schema_with(text).unwrap().find_attribute_type("x").unwrap().definition.contains("121.1.27 )"));
    }

    #[test]
    fn what_is_defined_already_stays_as_it_is() {
        let text = "attributetype ( 2.5.4.3 NAME ( 'cn' 'commonName' ) SUP name SINGLE-VALUE )\n";
        let schema = schema_with(text).unwrap();
        assert!(!schema.find_attribute_type("cn").unwrap().definition.contains("SINGLE-VALUE"));
        // The same name for something else is a mistake.
        let told = schema_with("attributetype ( 1.2.3 NAME 'cn' SUP name )\n").unwrap_err().to_string();
        assert!(told.contains("theirs, line 1: cn: ") && told.contains("defined already"), "{told}");
    }

    #[test]
    fn hashes_of_other_servers_are_secret() {
        let text = "attributetype ( 1.3.6.1.4.1.7165.2.1.25 NAME 'sambaNTPassword' EQUALITY caseIgnoreIA5Match\n\
                    \tSYNTAX 1.3.6.1.4.1.1466.115.121.1.26{32} SINGLE-VALUE )\n\
                    attributetype ( 1.3.6.1.4.1.7165.2.1.26 NAME 'sambaDomainName' SUP name )\n";
        let schema = schema_with(text).unwrap();
        assert!(schema.find_attribute_type("sambaNTPassword").unwrap().is_secret());
        assert!(!schema.find_attribute_type("sambaDomainName").unwrap().is_secret());
    }

    #[test]
    fn faults_are_told_with_their_line() {
        let told = schema_with("# one\nattributetype ( 1.2.3 NAME 'x' SYNTAX Unknown )\n").unwrap_err().to_string();
        assert!(told.starts_with("theirs, line 2: x: ") && told.contains("Unknown"), "{told}");
        for odd in
            ["attributetype", "objectidentifier x", "(", "attributetype ( 'x", "dn: x\nolcAttributeTypes: {", "\u{e9}"]
        {
            let _ = schema_with(odd);
        }
    }
}
