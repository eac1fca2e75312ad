//! Reading schema definitions (RFC 4512 §4.1): `( 2.5.4.3 NAME 'cn' SUP name )`.

use std::collections::BTreeMap;

/// Why a definition cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DefinitionError {
    /// It does not begin with `(` or end with `)`.
    #[error("a definition stands between parentheses")]
    NoParentheses,
    /// It does not begin with a numeric object identifier.
    #[error("a definition begins with a numeric object identifier, not with {0:?}")]
    NoOid(String),
    /// A quoted string does not end.
    #[error("a quoted string does not end")]
    OpenQuote,
    /// Something stands where a keyword should.
    #[error("{0:?} is no keyword of such a definition")]
    UnknownKeyword(String),
    /// A keyword lacks what must follow it, or what follows is of the wrong form.
    #[error("{0} must be followed by {1}")]
    BadArgument(String, &'static str),
    /// A keyword stands twice.
    #[error("{0} stands twice")]
    Repeated(String),
}

/// A definition taken apart: its number and what each keyword says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Definition {
    /// The object identifier, or the number of a structure rule.
    pub oid: String,
    fields: BTreeMap<String, Vec<String>>,
}

/// What follows a keyword.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Quoted,
    Words,
    WordWithLength,
}

const KEYWORDS: &[(&str, Takes)] = &[
    ("NAME", Takes::Quoted),
    ("DESC", Takes::Quoted),
    ("OBSOLETE", Takes::Nothing),
    ("SUP", Takes::Words),
    ("EQUALITY", Takes::Words),
    ("ORDERING", Takes::Words),
    ("SUBSTR", Takes::Words),
    ("SYNTAX", Takes::WordWithLength),
    ("SINGLE-VALUE", Takes::Nothing),
    ("COLLECTIVE", Takes::Nothing),
    ("NO-USER-MODIFICATION", Takes::Nothing),
    ("USAGE", Takes::Words),
    ("ABSTRACT", Takes::Nothing),
    ("STRUCTURAL", Takes::Nothing),
    ("AUXILIARY", Takes::Nothing),
    ("MUST", Takes::Words),
    ("MAY", Takes::Words),
    ("NOT", Takes::Words),
    ("AUX", Takes::Words),
    ("OC", Takes::Words),
    ("FORM", Takes::Words),
    ("APPLIES", Takes::Words),
];

impl Definition {
    /// Reads one definition.
    pub fn parse(text: &str) -> Result<Self, DefinitionError> {
        let mut tokens = tokens(text)?.into_iter().peekable();
        if tokens.next() != Some(Token::Open) {
            return Err(DefinitionError::NoParentheses);
        }
        let oid = match tokens.next() {
            Some(Token::Word(oid)) if oid.bytes().all(|b| b.is_ascii_digit() || b == b'.') => oid,
            other => return Err(DefinitionError::NoOid(other.map(Token::into_text).unwrap_or_default())),
        };
        let mut definition = Self { oid, fields: BTreeMap::new() };
        loop {
            match tokens.next() {
                Some(Token::Close) if tokens.peek().is_none() => return Ok(definition),
                Some(Token::Word(keyword)) => definition.read_field(keyword, &mut tokens)?,
                Some(other) => return Err(DefinitionError::UnknownKeyword(other.into_text())),
                None => return Err(DefinitionError::NoParentheses),
            }
        }
    }

    fn read_field(
        &mut self,
        keyword: String,
        tokens: &mut std::iter::Peekable<impl Iterator<Item = Token>>,
    ) -> Result<(), DefinitionError> {
        let upper = keyword.to_ascii_uppercase();
        let takes = match KEYWORDS.iter().find(|(known, _)| *known == upper) {
            Some((_, takes)) => *takes,
            None if upper.starts_with("X-") => Takes::Quoted,
            None => return Err(DefinitionError::UnknownKeyword(keyword)),
        };
        let values = match takes {
            Takes::Nothing => Vec::new(),
            Takes::Quoted => list(tokens, takes).ok_or_else(|| bad(&upper, "a quoted string or a list of them"))?,
            Takes::Words => list(tokens, takes).ok_or_else(|| bad(&upper, "a name or a list of names"))?,
            Takes::WordWithLength => list(tokens, takes).ok_or_else(|| bad(&upper, "an object identifier"))?,
        };
        if self.fields.insert(upper, values).is_some() {
            return Err(DefinitionError::Repeated(keyword));
        }
        Ok(())
    }

    /// Whether the keyword stands in the definition.
    pub fn has(&self, keyword: &str) -> bool {
        self.fields.contains_key(keyword)
    }

    /// All that follows the keyword.
    pub fn all(&self, keyword: &str) -> &[String] {
        self.fields.get(keyword).map(Vec::as_slice).unwrap_or_default()
    }

    /// The first that follows the keyword.
    pub fn one(&self, keyword: &str) -> Option<&str> {
        self.all(keyword).first().map(String::as_str)
    }

    /// Whether the extension `keyword` says `TRUE`.
    pub fn is_marked(&self, keyword: &str) -> bool {
        self.one(keyword) == Some("TRUE")
    }

    /// The syntax and, in braces behind it, the length that an implementation should at least support.
    pub fn syntax(&self) -> Option<(&str, Option<u32>)> {
        let text = self.one("SYNTAX")?;
        match text.split_once('{') {
            Some((oid, length)) => Some((oid, length.strip_suffix('}').and_then(|n| n.parse().ok()))),
            None => Some((text, None)),
        }
    }

    /// What the definition is called in a message: its first name, else its number.
    pub fn label(&self) -> &str {
        self.one("NAME").unwrap_or(&self.oid)
    }
}

fn bad(keyword: &str, wanted: &'static str) -> DefinitionError {
    DefinitionError::BadArgument(keyword.to_owned(), wanted)
}

/// The object identifier, number or quoted string that a definition begins with (RFC 4517 §4.2.14, 18, 27).
pub fn first_component(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?;
    let rest = text.trim_start().strip_prefix('(')?.trim_start();
    if let Some(quoted) = rest.strip_prefix('\'') {
        return quoted.split('\'').next().map(str::to_owned);
    }
    let end = rest.find(|c: char| c.is_whitespace() || c == ')')?;
    rest.get(..end).filter(|first| !first.is_empty()).map(str::to_owned)
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Token {
    Open,
    Close,
    Dollar,
    Word(String),
    Quoted(String),
}

impl Token {
    fn into_text(self) -> String {
        match self {
            Self::Open => "(".into(),
            Self::Close => ")".into(),
            Self::Dollar => "$".into(),
            Self::Word(text) | Self::Quoted(text) => text,
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, DefinitionError> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let tail = rest.get(first.len_utf8()..).unwrap_or_default();
        rest = match first {
            '(' => {
                tokens.push(Token::Open);
                tail
            }
            ')' => {
                tokens.push(Token::Close);
                tail
            }
            '$' => {
                tokens.push(Token::Dollar);
                tail
            }
            '\'' => {
                let (quoted, after) = tail.split_once('\'').ok_or(DefinitionError::OpenQuote)?;
                tokens.push(Token::Quoted(unescape(quoted)));
                after
            }
            _ => {
                let end = rest.find(|c: char| c.is_whitespace() || "()$'".contains(c)).unwrap_or(rest.len());
                let (word, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
                tokens.push(Token::Word(word.to_owned()));
                after
            }
        }
        .trim_start();
    }
    Ok(tokens)
}

/// `\27` is `'` and `\5C` is `\` (RFC 4512 §4.1).
fn unescape(quoted: &str) -> String {
    if !quoted.contains('\\') {
        return quoted.to_owned();
    }
    quoted.replace("\\27", "'").replace("\\5C", "\\").replace("\\5c", "\\")
}

/// `word`, `'string'`, `( a $ b )` or `( 'a' 'b' )`.
fn list(tokens: &mut std::iter::Peekable<impl Iterator<Item = Token>>, takes: Takes) -> Option<Vec<String>> {
    let item = |token| match token {
        Token::Quoted(text) => Some(text),
        Token::Word(text) if takes != Takes::Quoted => Some(text),
        _ => None,
    };
    match tokens.next()? {
        Token::Open => {
            let mut items = Vec::new();
            loop {
                match tokens.next()? {
                    Token::Close => return Some(items),
                    Token::Dollar => {}
                    token => items.push(item(token)?),
                }
            }
        }
        token => item(token).map(|text| vec![text]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_type_is_taken_apart() {
        let text =
            "( 2.5.4.4 NAME ( 'sn' 'surname' ) DESC 'it\\27s' SUP name SYNTAX 1.2.3{32768} SINGLE-VALUE X-A 'b' )";
        let definition = Definition::parse(text).unwrap();
        assert_eq!(definition.oid, "2.5.4.4");
        assert_eq!(definition.all("NAME"), ["sn", "surname"]);
        assert_eq!(definition.one("DESC"), Some("it's"));
        assert_eq!(definition.syntax(), Some(("1.2.3", Some(32768))));
        assert!(definition.has("SINGLE-VALUE") && !definition.has("COLLECTIVE"));
        assert_eq!(definition.one("X-A"), Some("b"));
    }

    #[test]
    fn lists_need_no_spaces() {
        let definition = Definition::parse("(2.5.6.6 NAME 'person' SUP top MUST(sn$cn)MAY ( a $ b ))").unwrap();
        assert_eq!(definition.all("MUST"), ["sn", "cn"]);
        assert_eq!(definition.all("MAY"), ["a", "b"]);
    }

    #[test]
    fn faults_are_named() {
        let fault = |text| Definition::parse(text).unwrap_err().to_string();
        assert!(fault("2.5.4.3 NAME 'cn'").contains("parentheses"));
        assert!(fault("( cn-oid NAME 'cn' )").contains("cn-oid"));
        assert!(fault("( 2.5.4.3 NAME 'cn )").contains("does not end"));
        assert!(fault("( 2.5.4.3 NAME cn )").contains("NAME must be followed by"));
        assert!(fault("( 2.5.4.3 WHAT 'cn' )").contains("WHAT"));
        assert!(fault("( 2.5.4.3 OBSOLETE OBSOLETE )").contains("twice"));
        assert!(fault("( 2.5.4.3 NAME 'cn'").contains("parentheses"));
    }

    #[test]
    fn the_first_component_identifies_a_definition() {
        assert_eq!(first_component(b"( 2.5.4.3 NAME 'cn' )").as_deref(), Some("2.5.4.3"));
        assert_eq!(first_component(b"(2.5.4.3)").as_deref(), Some("2.5.4.3"));
        assert_eq!(first_component(b"2.5.4.3"), None);
    }
}
