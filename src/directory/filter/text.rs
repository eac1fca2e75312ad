//! Filters as text (RFC 4515).

use std::fmt::{self, Write};

use bytes::Bytes;

use super::{Assertion, Extensible, Filter, MAX_DEPTH, Substrings};

/// Why a text is no filter, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the filter is malformed at character {at}: {expected} expected")]
pub struct FilterSyntaxError {
    /// Octets in front of the fault, plus one.
    pub at: usize,
    /// What should stand there.
    pub expected: &'static str,
}

pub(super) fn parse(text: &str) -> Result<Filter, FilterSyntaxError> {
    let mut parser = Parser { text: text.as_bytes(), at: 0 };
    parser.skip_spaces();
    let filter = parser.filter(0)?;
    parser.skip_spaces();
    if parser.peek().is_some() { Err(parser.fault("the end")) } else { Ok(filter) }
}

struct Parser<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn fault(&self, expected: &'static str) -> FilterSyntaxError {
        FilterSyntaxError { at: self.at + 1, expected }
    }

    fn skip(&mut self, wanted: u8, expected: &'static str) -> Result<(), FilterSyntaxError> {
        if self.peek() != Some(wanted) {
            return Err(self.fault(expected));
        }
        self.at += 1;
        Ok(())
    }

    fn skip_spaces(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    fn filter(&mut self, depth: usize) -> Result<Filter, FilterSyntaxError> {
        if depth >= MAX_DEPTH {
            return Err(self.fault("less nesting"));
        }
        self.skip(b'(', "an opening parenthesis")?;
        self.skip_spaces();
        let filter = match self.peek() {
            Some(b'&') => Filter::And(self.list(depth)?),
            Some(b'|') => Filter::Or(self.list(depth)?),
            Some(b'!') => {
                self.at += 1;
                self.skip_spaces();
                let inner = self.filter(depth + 1)?;
                self.skip_spaces();
                Filter::Not(Box::new(inner))
            }
            _ => self.item()?,
        };
        self.skip(b')', "a closing parenthesis")?;
        Ok(filter)
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Filter>, FilterSyntaxError> {
        self.at += 1;
        let mut filters = Vec::new();
        loop {
            self.skip_spaces();
            if self.peek() != Some(b'(') {
                return Ok(filters);
            }
            filters.push(self.filter(depth + 1)?);
        }
    }

    fn until(&mut self, stop: impl Fn(u8) -> bool) -> &'t [u8] {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|octet| stop(*octet)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn item(&mut self) -> Result<Filter, FilterSyntaxError> {
        let start = self.at;
        let attribute = self.until(|octet| b"=~<>:()".contains(&octet));
        let attribute = Bytes::copy_from_slice(attribute.trim_ascii_end());
        match self.peek() {
            Some(b':') => return self.extensible(attribute),
            _ if attribute.is_empty() => {
                self.at = start;
                return Err(self.fault("an attribute"));
            }
            Some(b'=') => {
                self.at += 1;
                return self.equality_or_pieces(attribute);
            }
            _ => {}
        }
        let kind = self.peek();
        self.at += 1;
        self.skip(b'=', "=")?;
        let assertion = Assertion { attribute, value: self.value()? };
        match kind {
            Some(b'~') => Ok(Filter::Approx(assertion)),
            Some(b'>') => Ok(Filter::GreaterOrEqual(assertion)),
            Some(b'<') => Ok(Filter::LessOrEqual(assertion)),
            _ => Err(self.fault("=, ~=, >=, <= or :=")),
        }
    }

    fn equality_or_pieces(&mut self, attribute: Bytes) -> Result<Filter, FilterSyntaxError> {
        let mut pieces = vec![self.piece()?];
        while self.peek() == Some(b'*') {
            self.at += 1;
            pieces.push(self.piece()?);
        }
        let some = |piece: Bytes| (!piece.is_empty()).then_some(piece);
        if pieces.len() == 1 {
            return Ok(Filter::Equality(Assertion { attribute, value: pieces.pop().unwrap_or_default() }));
        }
        if pieces.iter().all(Bytes::is_empty) {
            return Ok(Filter::Present(attribute));
        }
        let last = pieces.pop().and_then(some);
        let mut pieces = pieces.into_iter();
        let initial = pieces.next().and_then(some);
        Ok(Filter::Substrings(Substrings { attribute, initial, any: pieces.filter_map(some).collect(), last }))
    }

    fn extensible(&mut self, attribute: Bytes) -> Result<Filter, FilterSyntaxError> {
        let mut extensible = Extensible { attribute: Some(attribute).filter(|a| !a.is_empty()), ..Default::default() };
        loop {
            self.skip(b':', "a colon")?;
            if self.peek() == Some(b'=') {
                break;
            }
            let word = self.until(|octet| b":=()".contains(&octet));
            match word {
                b"dn" | b"DN" if !extensible.dn_attributes && extensible.rule.is_none() => {
                    extensible.dn_attributes = true;
                }
                [] => return Err(self.fault("a matching rule")),
                _ if extensible.rule.is_some() => return Err(self.fault(":=")),
                rule => extensible.rule = Some(Bytes::copy_from_slice(rule)),
            }
        }
        self.at += 1;
        if extensible.attribute.is_none() && extensible.rule.is_none() {
            return Err(self.fault("an attribute or a matching rule"));
        }
        extensible.value = self.value()?;
        Ok(Filter::Extensible(extensible))
    }

    fn value(&mut self) -> Result<Bytes, FilterSyntaxError> {
        let value = self.piece()?;
        if self.peek() == Some(b'*') { Err(self.fault("\\2a for an asterisk")) } else { Ok(value) }
    }

    /// A value or a piece of one, with escapes resolved, up to `*` or `)`.
    fn piece(&mut self) -> Result<Bytes, FilterSyntaxError> {
        let mut piece = Vec::new();
        loop {
            piece.extend_from_slice(self.until(|octet| b"\\*()\0".contains(&octet)));
            match self.peek() {
                Some(b'\\') => {
                    let digits = self.text.get(self.at + 1..self.at + 3).and_then(|two| std::str::from_utf8(two).ok());
                    let octet = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
                    piece.push(octet.ok_or_else(|| self.fault("two hexadecimal digits behind the backslash"))?);
                    self.at += 3;
                }
                Some(b'(' | 0) => return Err(self.fault("an escape for this character")),
                _ => return Ok(piece.into()),
            }
        }
    }
}

pub(super) fn write(filter: &Filter, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_char('(')?;
    match filter {
        Filter::And(filters) => write_list('&', filters, f)?,
        Filter::Or(filters) => write_list('|', filters, f)?,
        Filter::Not(inner) => {
            f.write_char('!')?;
            write(inner, f)?;
        }
        Filter::Equality(assertion) => write_assertion(assertion, "=", f)?,
        Filter::GreaterOrEqual(assertion) => write_assertion(assertion, ">=", f)?,
        Filter::LessOrEqual(assertion) => write_assertion(assertion, "<=", f)?,
        Filter::Approx(assertion) => write_assertion(assertion, "~=", f)?,
        Filter::Present(attribute) => write!(f, "{}=*", attribute.escape_ascii())?,
        Filter::Substrings(substrings) => write_substrings(substrings, f)?,
        Filter::Extensible(extensible) => write_extensible(extensible, f)?,
        // RFC 4515 has no text for it; this is what slapd prints.
        Filter::Unknown => f.write_str("?=undefined")?,
    }
    f.write_char(')')
}

fn write_list(operator: char, filters: &[Filter], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_char(operator)?;
    filters.iter().try_for_each(|filter| write(filter, f))
}

fn write_assertion(assertion: &Assertion, operator: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{}{operator}", assertion.attribute.escape_ascii())?;
    write_value(&assertion.value, f)
}

fn write_substrings(substrings: &Substrings, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{}=", substrings.attribute.escape_ascii())?;
    write_value(substrings.initial.as_deref().unwrap_or_default(), f)?;
    for piece in &substrings.any {
        f.write_char('*')?;
        write_value(piece, f)?;
    }
    f.write_char('*')?;
    write_value(substrings.last.as_deref().unwrap_or_default(), f)
}

fn write_extensible(extensible: &Extensible, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{}", extensible.attribute.as_deref().unwrap_or_default().escape_ascii())?;
    if extensible.dn_attributes {
        f.write_str(":dn")?;
    }
    if let Some(rule) = &extensible.rule {
        write!(f, ":{}", rule.escape_ascii())?;
    }
    f.write_str(":=")?;
    write_value(&extensible.value, f)
}

/// Escapes what has a meaning in a filter, and every octet that is not part of UTF-8 text.
fn write_value(value: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for chunk in value.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '*' | '(' | ')' | '\\' | '\0' => write!(f, "\\{:02x}", u32::from(c))?,
                _ => f.write_char(c)?,
            }
        }
        chunk.invalid().iter().try_for_each(|octet| write!(f, "\\{octet:02x}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn examples_of_rfc_4515_are_read_and_printed_alike() {
        for text in [
            "(cn=Babs Jensen)",
            "(!(cn=Tim Howes))",
            "(&(objectClass=Person)(|(sn=Jensen)(cn=Babs J*)))",
            "(o=univ*of*mich*)",
            "(seeAlso=)",
            "(cn:caseExactMatch:=Fred Flintstone)",
            "(cn:=Betty Rubble)",
            "(sn:dn:2.4.6.8.10:=Barney Rubble)",
            "(o:dn:=Ace Industry)",
            "(:1.2.3:=Wilma Flintstone)",
            "(:dn:2.4.6.8.10:=Dino)",
            "(o=Parens R Us \\28for all your parenthetical needs\\29)",
            "(cn=*\\2a*)",
            "(filename=C:\\5cMyFile)",
            "(sn=Lučić)",
            "(a>=1)",
            "(a<=1)",
            "(a~=1)",
            "(a=*)",
            "(a=*x)",
            "(a=x*)",
            "(&)",
            "(|)",
            "(cn;lang-en=x)",
        ] {
            assert_eq!(Filter::parse(text).map(|filter| filter.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn octets_that_are_no_text_are_escaped() {
        let filter = Filter::parse("(bin=\\00\\00\\00\\04\\fe)").unwrap();
        assert_eq!(
            filter,
            Filter::Equality(Assertion { attribute: "bin".into(), value: vec![0, 0, 0, 4, 0xfe].into() })
        );
        assert_eq!(filter.to_string(), "(bin=\\00\u{0}\u{0}\u{4}\\fe)".replace('\u{0}', "\\00"));
    }

    #[test]
    fn spaces_around_filters_do_not_count() {
        let filter = Filter::parse(" (& (cn=G)( objectclass=groupOfNames) ) ").unwrap();
        assert_eq!(filter.to_string(), "(&(cn=G)(objectclass=groupOfNames))");
    }

    #[test]
    fn what_is_no_filter_is_refused_with_the_place() {
        for bad in [
            "",
            "cn=a",
            "(cn=a",
            "(cn)",
            "(=a)",
            "(cn=a)b",
            "(cn=a(b)",
            "(cn=\\2)",
            "(cn=\\zz)",
            "(cn:=a*b)",
            "(:=a)",
            "(cn~a)",
            "(&(cn=a)",
            "(!(a=b)(c=d))",
            "(cn:a:b:=c)",
            "(a>=b*c)",
        ] {
            assert!(Filter::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(
            Filter::parse("(cn=a").unwrap_err().to_string(),
            "the filter is malformed at character 6: a closing parenthesis expected"
        );
        let deep = "(!".repeat(10_000) + "(a=b)" + &")".repeat(10_000);
        assert_eq!(Filter::parse(&deep).unwrap_err().expected, "less nesting");
    }

    fn any_filter() -> impl Strategy<Value = Filter> {
        let name = || "[a-zA-Z][a-zA-Z0-9-]{0,6}(;[a-z]{1,3})?".prop_map(Bytes::from);
        let value = || proptest::collection::vec(any::<u8>(), 1..8).prop_map(Bytes::from);
        let assertion = move || (name(), value()).prop_map(|(attribute, value)| Assertion { attribute, value });
        let pieces = (name(), proptest::option::of(value()), proptest::collection::vec(value(), 0..3), value())
            .prop_map(|(attribute, initial, any, last)| Substrings { attribute, initial, any, last: Some(last) });
        let leaf = prop_oneof![
            assertion().prop_map(Filter::Equality),
            assertion().prop_map(Filter::GreaterOrEqual),
            assertion().prop_map(Filter::LessOrEqual),
            assertion().prop_map(Filter::Approx),
            name().prop_map(Filter::Present),
            pieces.prop_map(Filter::Substrings),
            (name(), value(), any::<bool>()).prop_map(|(attribute, value, dn_attributes)| Filter::Extensible(
                Extensible { rule: Some("2.5.13.2".into()), attribute: Some(attribute), value, dn_attributes }
            )),
        ];
        leaf.prop_recursive(4, 20, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Filter::And),
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Filter::Or),
                inner.prop_map(|filter| Filter::Not(Box::new(filter))),
            ]
        })
    }

    proptest! {
        #[test]
        fn printing_and_reading_are_inverse(filter in any_filter()) {
            prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
        }

        #[test]
        fn no_text_makes_reading_panic(text in "[()&|!=~<>:*\\\\a-c0-9 ]{0,40}") {
            let _ = Filter::parse(&text);
        }
    }
}
