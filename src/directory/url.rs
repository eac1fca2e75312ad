//! LDAP URLs (RFC 4516).

use std::fmt;

use super::tree::Scope;

/// An LDAP URL: where to ask, and what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LdapUrl {
    /// `ldap`, `ldaps` or `ldapi`, in lower case.
    pub scheme: String,
    /// The host and the port as they are written; empty for this server.
    pub host: String,
    /// The name at which to begin.
    pub dn: String,
    /// How far to go, if that is said.
    pub scope: Option<Scope>,
    /// What to look for, if that is said.
    pub filter: Option<String>,
}

/// Why a text is no LDAP URL.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UrlError {
    /// It begins in another way.
    #[error("it must begin with ldap://, ldaps:// or ldapi://")]
    Scheme,
    /// A percent sign is not followed by two hexadecimal digits, or what they stand for is no text.
    #[error("it has a percent sign that escapes nothing")]
    Escape,
    /// The scope is none.
    #[error("the scope must be base, one, sub or children")]
    Scope,
    /// It has an extension that must be understood.
    #[error("it has a critical extension that is not known here")]
    Extension,
}

impl LdapUrl {
    /// Reads a URL. The attributes that it lists are left out.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::Scheme)?;
        let scheme = scheme.to_ascii_lowercase();
        if !["ldap", "ldaps", "ldapi"].contains(&scheme.as_str()) {
            return Err(UrlError::Scheme);
        }
        let mut parts = rest.splitn(5, '?');
        let place = parts.next().unwrap_or_default();
        let (host, dn) = place.split_once('/').unwrap_or((place, ""));
        let (_, scope, filter) = (parts.next(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if parts.next().is_some_and(|all| all.split(',').any(|extension| extension.starts_with('!'))) {
            return Err(UrlError::Extension);
        }
        let filter = unescape(filter)?;
        Ok(Self {
            scheme,
            host: host.to_owned(),
            dn: unescape(dn)?,
            scope: read_scope(scope)?,
            filter: (!filter.is_empty()).then_some(filter),
        })
    }
}

impl fmt::Display for LdapUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/{}", self.scheme, self.host, escape(&self.dn))?;
        if self.scope.is_some() || self.filter.is_some() {
            write!(f, "??{}", self.scope.map_or("", word))?;
        }
        match &self.filter {
            Some(filter) => write!(f, "?{}", escape(filter)),
            None => Ok(()),
        }
    }
}

fn read_scope(text: &str) -> Result<Option<Scope>, UrlError> {
    Ok(Some(match text.to_ascii_lowercase().as_str() {
        "" => return Ok(None),
        "base" => Scope::BaseObject,
        "one" => Scope::SingleLevel,
        "sub" => Scope::WholeSubtree,
        "children" | "subordinate" => Scope::Subordinates,
        _ => return Err(UrlError::Scope),
    }))
}

const fn word(scope: Scope) -> &'static str {
    match scope {
        Scope::BaseObject => "base",
        Scope::SingleLevel => "one",
        Scope::WholeSubtree => "sub",
        Scope::Subordinates => "children",
    }
}

fn unescape(text: &str) -> Result<String, UrlError> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'%' {
            octets.push(*first);
            continue;
        }
        let (digits, behind) = behind.split_at_checked(2).ok_or(UrlError::Escape)?;
        let digits = std::str::from_utf8(digits).map_err(|_| UrlError::Escape)?;
        octets.push(u8::from_str_radix(digits, 16).map_err(|_| UrlError::Escape)?);
        rest = behind;
    }
    String::from_utf8(octets).map_err(|_| UrlError::Escape)
}

/// Escapes all but what RFC 3986 lets stand in a path and what names and filters are full of.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~=,+:@!$&'()*;".contains(&octet) {
            escaped.push(char::from(octet));
        } else {
            let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0').to_ascii_uppercase();
            escaped.extend(['%', digit(octet >> 4), digit(octet & 15)]);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_urls_of_rfc_4516_are_read() {
        let read = |text: &str| LdapUrl::parse(text).unwrap();
        let url = read("LDAP://ldap1.example.net:6666/o=University%20of%20Michigan,c=US??sub?(cn=Babs%20Jensen)");
        assert_eq!((url.scheme.as_str(), url.host.as_str()), ("ldap", "ldap1.example.net:6666"));
        assert_eq!((url.dn.as_str(), url.scope), ("o=University of Michigan,c=US", Some(Scope::WholeSubtree)));
        assert_eq!(url.filter.as_deref(), Some("(cn=Babs Jensen)"));
        let url = read("ldap://ldap.example.com");
        assert_eq!((url.dn.as_str(), url.scope, url.filter), ("", None, None));
        assert_eq!(read("ldap:///??sub??e-bindname=cn=Manager").scope, Some(Scope::WholeSubtree));
        assert_eq!(read("ldap:///o=a?cn,sn?one").scope, Some(Scope::SingleLevel));
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for (text, error) in [
            ("", UrlError::Scheme),
            ("http://a/", UrlError::Scheme),
            ("ldap:/a", UrlError::Scheme),
            ("ldap:///o=%4", UrlError::Escape),
            ("ldap:///o=%zz", UrlError::Escape),
            ("ldap:///o=%ff", UrlError::Escape),
            ("ldap:///o=a??all", UrlError::Scope),
            ("ldap:///??sub??!e-bindname=cn=Manager", UrlError::Extension),
        ] {
            assert_eq!(LdapUrl::parse(text), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn writing_and_reading_are_inverse(dn in ".{0,20}", filter in "(|\\(cn=.{1,9}\\))") {
            let filter = (!filter.is_empty()).then_some(filter);
            let url = LdapUrl { scheme: "ldap".into(), host: "h:389".into(), dn, scope: Some(Scope::SingleLevel), filter };
            prop_assert_eq!(LdapUrl::parse(&url.to_string()), Ok(url));
        }
    }
}
