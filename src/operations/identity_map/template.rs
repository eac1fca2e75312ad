//! Texts with placeholders: matched against a name, and filled with what matched.

use super::MappingError;

/// What no placeholder stands for, since it separates the parts of names.
const STRUCTURE: &[char] = &[',', '+', '=', '"', '\\', '<', '>', ';', '#', '\0'];

/// A text with placeholders.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Template(Vec<Piece>);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Text(String),
    Placeholder(String),
}

/// What placeholders stand for.
pub(super) type Captured<'n> = Vec<(&'n str, &'n str)>;

impl Template {
    pub(super) fn parse(text: &str) -> Result<Self, MappingError> {
        let bad = || MappingError::BadPlaceholder(text.to_owned());
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (word, after) = after.split_once('}').ok_or_else(bad)?;
            if word.is_empty() || !word.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'_') {
                return Err(bad());
            }
            pieces.extend(text_piece(before));
            pieces.push(Piece::Placeholder(word.to_owned()));
            rest = after;
        }
        pieces.extend(text_piece(rest));
        let has_brace = |piece: &Piece| matches!(piece, Piece::Text(text) if text.contains('}'));
        if pieces.iter().any(has_brace) { Err(bad()) } else { Ok(Self(pieces)) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn placeholders(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Placeholder(word) => Some(word.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// Requires that each part of a name can be told from the next.
    pub(super) fn require_distinct(&self, written: &str) -> Result<(), MappingError> {
        if self.0.windows(2).any(|two| two.iter().all(|piece| matches!(piece, Piece::Placeholder(_)))) {
            return Err(MappingError::Adjacent(written.to_owned()));
        }
        let mut seen = Vec::new();
        for word in self.placeholders() {
            if seen.contains(&word) {
                return Err(MappingError::Twice(word.to_owned()));
            }
            seen.push(word);
        }
        Ok(())
    }

    pub(super) fn require_known(&self, pattern: &Self) -> Result<(), MappingError> {
        match self.placeholders().find(|word| !pattern.placeholders().any(|known| known == *word)) {
            Some(word) => Err(MappingError::Unknown(word.to_owned())),
            None => Ok(()),
        }
    }

    /// Some values, to see whether what comes of them makes sense.
    pub(super) fn examples(&self) -> Captured<'_> {
        self.placeholders().map(|word| (word, "1")).collect()
    }

    /// What the placeholders stand for in a name, if it matches as a whole.
    pub(super) fn captures<'n>(&'n self, name: &'n str) -> Option<Captured<'n>> {
        let mut captured = Captured::new();
        let mut rest = name;
        for (at, piece) in self.0.iter().enumerate() {
            match piece {
                Piece::Text(text) => rest = strip_prefix_ignoring_case(rest, text)?,
                Piece::Placeholder(word) => {
                    let next = match self.0.get(at + 1) {
                        Some(Piece::Text(text)) => text.chars().next(),
                        _ => None,
                    };
                    let ends =
                        |c: char| STRUCTURE.contains(&c) || next.is_some_and(|next| next.eq_ignore_ascii_case(&c));
                    let (value, behind) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
                    if value.is_empty() {
                        return None;
                    }
                    captured.push((word, value));
                    rest = behind;
                }
            }
        }
        rest.is_empty().then_some(captured)
    }

    /// The text with what placeholders stand for, escaped for where it stands.
    pub(super) fn filled(&self, captured: &Captured<'_>, escape: impl Fn(&str) -> String) -> String {
        let value = |word: &str| captured.iter().find(|(own, _)| *own == word).map_or("", |(_, value)| value);
        let text = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Placeholder(word) => escape(value(word)),
        };
        self.0.iter().map(text).collect()
    }
}

fn text_piece(text: &str) -> Option<Piece> {
    (!text.is_empty()).then(|| Piece::Text(text.to_owned()))
}

fn strip_prefix_ignoring_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (head, tail) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(tail)
}

/// Escapes a value so that it can stand in a filter (RFC 4515 §3).
pub(super) fn escape_in_filter(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '*' => escaped.push_str("\\2a"),
            '(' => escaped.push_str("\\28"),
            ')' => escaped.push_str("\\29"),
            '\\' => escaped.push_str("\\5c"),
            '\0' => escaped.push_str("\\00"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(pattern: &str, name: &str) -> Option<Vec<(String, String)>> {
        let template = Template::parse(pattern).unwrap();
        let owned = |(word, value): (&str, &str)| (word.to_owned(), value.to_owned());
        template.captures(name).map(|captured| captured.into_iter().map(owned).collect())
    }

    #[test]
    fn a_name_matches_as_a_whole_whatever_its_case() {
        let one = |value: &str| Some(vec![("host".to_owned(), value.to_owned())]);
        let pattern = "CN={host},OU=Hosts,O=Example";
        assert_eq!(captured(pattern, "CN=web1,OU=Hosts,O=Example"), one("web1"));
        assert_eq!(captured(pattern, "cn=web1,ou=hosts,o=example"), one("web1"));
        for other in ["CN=,OU=Hosts,O=Example", "CN=web1,OU=Hosts,O=Example,C=DE", "DC=x,CN=web1,OU=Hosts,O=Example"] {
            assert_eq!(captured(pattern, other), None, "{other}");
        }
        assert_eq!(captured("CN=admin", "CN=admin"), Some(vec![]));
    }

    #[test]
    fn a_placeholder_never_spans_parts_of_a_name() {
        for sly in ["CN=a,OU=Hosts,CN=b,OU=Hosts", "CN=a\\,OU=Hosts", "CN=a+UID=root,OU=Hosts", "CN=x=y,OU=Hosts"] {
            assert_eq!(captured("CN={host},OU=Hosts", sly), None, "{sly}");
        }
        assert_eq!(
            captured("{user}@{domain}", "a@b@c"),
            Some(vec![("user".into(), "a".into()), ("domain".into(), "b@c".into())])
        );
        assert_eq!(captured("{user}@example.com", "a@b@example.com"), None);
    }
}
