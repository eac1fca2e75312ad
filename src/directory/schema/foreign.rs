//! Schema files as other servers keep them.
//!
//! * LDIF with `attributeTypes` and `objectClasses`, as 389 Directory Server and RFC 4512 have it;
//! * the same below `cn=config` of OpenLDAP: `olcAttributeTypes: {0}( ... )`;
//! * OpenLDAP's `.schema` files: `attributetype ( ... )`, where a line that begins with white space goes on.
//!
//! DIT content rules come along. Syntaxes, matching rules and name forms are what a server can do, or what none does: those that
//! are not built in are named, and left out. A type of such a syntax is kept as octets.
//!
//! OpenLDAP lets a name stand for an object identifier (`objectidentifier`), 389 takes `NAME-oid` for one. Both are
//! replaced, so that what is published is RFC 4512.

use std::collections::HashMap;

use super::definition::Definition;
use super::{MatchingRule, SchemaErrorKind, Syntax};
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
    ContentRule,
    /// Something else, in words: it is left out.
    Other(&'static str),
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
            // In LDIF, objectClass is also what the entry is.
            _ if !says.starts_with('(') => continue,
            "objectclass" | "objectclasses" => Kind::ObjectClass,
            "ditcontentrule" | "ditcontentrules" => Kind::ContentRule,
            "ldapsyntax" | "ldapsyntaxes" => Kind::Other("syntax"),
            "matchingrule" | "matchingrules" => Kind::Other("matching rule"),
            "nameform" | "nameforms" => Kind::Other("name form"),
            "ditstructurerule" | "ditstructurerules" => Kind::Other("structure rule"),
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

/// Whether there is a syntax or a matching rule of that number here.
pub(super) fn is_built_in(oid: &str) -> bool {
    Syntax::find(oid).is_some() || MatchingRule::find(oid).is_some()
}

/// The syntax of a definition, if it is none of those here, and the definition with that of octets in its place.
pub(super) fn unknown_syntax(text: &str, definition: &Definition) -> Option<(String, String)> {
    let (oid, _) = definition.syntax()?;
    let is_number = oid.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.');
    if !is_number || Syntax::find(oid).is_some() {
        return None;
    }
    let octets = |named: &str| (named == oid).then(|| Syntax::OctetString.oid().to_owned());
    Some((oid.to_owned(), with_oids(text, octets)))
}

/// Puts numbers in the place of names where a definition has an object identifier: behind `(` and behind `SYNTAX`.
fn with_numeric_oids(text: &str, macros: &HashMap<String, String>) -> String {
    // Some write the syntax in quotes.
    with_oids(text, |oid| Some(resolve(oid.trim_matches('\''), macros)))
}

/// Puts something else in the place of object identifiers: behind the first `(` and behind `SYNTAX`.
fn with_oids(text: &str, other: impl Fn(&str) -> Option<String>) -> String {
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
            let replaced = if is_oid { other(token) } else { None };
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
    fn a_type_of_a_syntax_that_is_not_known_is_kept_as_octets() {
        let text = "attributetype ( 1.2.3.4 NAME 'x' DESC 'SYNTAX 1.2.3' SYNTAX 1.2.3{64} )\n";
        let schema = schema_with(text).unwrap();
        let odd = schema.find_attribute_type("x").unwrap();
        assert_eq!(odd.syntax, crate::directory::schema::Syntax::OctetString);
        let published = "( 1.2.3.4 NAME 'x' DESC 'SYNTAX 1.2.3' SYNTAX 1.3.6.1.4.1.1466.115.121.1.40{64} )";
        assert_eq!(odd.definition.as_ref(), published);
        let told = "theirs, line 1: x: the syntax 1.2.3 is not known here, so its values are taken as octets";
        assert_eq!(schema.remarks(), [told]);
    }

    #[test]
    fn what_is_left_out_is_told() {
        let text = "ldapsyntax ( 1.2.3 DESC 'x' )\nldapsyntax ( 1.3.6.1.4.1.1466.115.121.1.15 DESC 'known' )\n\
                    matchingrule ( 1.2.4 NAME 'oddMatch' SYNTAX 1.2.3 )\nmatchingrule ( 2.5.13.2 NAME 'caseIgnoreMatch' )\n\
                    nameform ( 1.2.5 NAME 'personForm' OC person MUST cn )\nditstructurerule ( 1 FORM personForm )\n";
        let told = "theirs, line 1: the syntax 1.2.3 is left out\ntheirs, line 3: the matching rule oddMatch is left out\n\
                    theirs, line 5: the name form personForm is left out\ntheirs, line 6: the structure rule 1 is left out";
        let schema = schema_with(text).unwrap();
        let remarks: Vec<&str> = schema.remarks().iter().filter_map(|remark| remark.split(": there").next()).collect();
        assert_eq!(remarks.join("\n"), told);
    }

    #[test]
    fn content_rules_are_read_from_all_kinds_of_files() {
        for text in [
            "ditcontentrule ( 2.5.6.6 NAME 'personContent' AUX posixAccount MUST uid NOT telephoneNumber )\n",
            "dn: cn={1}x,cn=schema,cn=config\nolcDitContentRules: {0}( 2.5.6.6 NAME 'personContent' AUX posixAccount MUST uid NOT telephoneNumber )\n",
            "dn: cn=schema\nditContentRules: ( 2.5.6.6 NAME 'personContent' AUX posixAccount MUST uid NOT telephoneNumber )\n",
        ] {
            let schema = schema_with(text).unwrap();
            let [rule] = schema.content_rules() else { panic!("{text}") };
            assert_eq!(rule.class, schema.find_object_class("person").unwrap().id);
            assert!(schema.publish().content_rules.concat().contains("'personContent'"));
            assert!(schema.remarks().is_empty());
        }
        for (rule, fault) in [
            ("( 1.2.3 AUX posixAccount )", "\"1.2.3\" is not defined"),
            ("( 1.3.6.1.1.1.2.0 MUST cn )", "is about a structural class"),
            ("( 2.5.6.6 AUX organization )", "AUX lists auxiliary classes"),
            ("( 2.5.6.6 MUST nosuch )", "\"nosuch\" is not defined"),
            ("( 2.5.6.6 NOT sn )", "NOT lists \"sn\", which"),
            ("( 2.5.6.6 MUST uid NOT uid )", "NOT lists \"uid\", which"),
        ] {
            let told = schema_with(&format!("ditcontentrule {rule}\n")).unwrap_err().to_string();
            assert!(told.starts_with("theirs, line 1: ") && told.contains(fault), "{told}");
        }
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
