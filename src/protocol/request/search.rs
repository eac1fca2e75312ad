//! Search requests (RFC 4511 §4.5.1), over the octets of the message.

use bytes::Bytes;
use smallvec::SmallVec;

use crate::directory::filter::{Assertion, Extensible, Filter, MAX_DEPTH, Substrings};
use crate::directory::tree::Scope;
use crate::protocol::ber::{self, Cursor};

/// A request to find entries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SearchRequest {
    /// The name to search at or below.
    pub base: Bytes,
    /// How far.
    pub scope: Scope,
    /// What to do with aliases.
    pub deref_aliases: DerefAliases,
    /// How many entries at most; 0 for as many as the server sends.
    pub size_limit: u32,
    /// For how many seconds at most; 0 for as long as the server takes.
    pub time_limit: u32,
    /// Whether values are left out.
    pub types_only: bool,
    /// Which entries.
    pub filter: Filter,
    /// Which attributes of them; none for all user attributes.
    pub attributes: SmallVec<[Bytes; 4]>,
}

impl SearchRequest {
    /// Whether nothing but the limits differs.
    pub fn is_same_but_for_limits(&self, other: &Self) -> bool {
        self.base == other.base
            && self.scope == other.scope
            && self.deref_aliases == other.deref_aliases
            && self.types_only == other.types_only
            && self.filter == other.filter
            && self.attributes == other.attributes
    }
}

/// When aliases are followed (RFC 4511 §4.5.1.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DerefAliases {
    /// Never.
    Never,
    /// Below the base.
    InSearching,
    /// In finding the base.
    FindingBaseObject,
    /// Both.
    Always,
}

const MALFORMED: &str = "the search request is malformed";

pub(super) fn decode(mut cursor: Cursor<'_>) -> Result<SearchRequest, &'static str> {
    let base = cursor.take_octets(ber::OCTET_STRING).ok_or(MALFORMED)?;
    let scope = match cursor.take_integer(ber::ENUMERATED).ok_or(MALFORMED)? {
        0 => Scope::BaseObject,
        1 => Scope::SingleLevel,
        2 => Scope::WholeSubtree,
        3 => Scope::Subordinates,
        _ => return Err("the scope of the search is unknown"),
    };
    let deref_aliases = match cursor.take_integer(ber::ENUMERATED).ok_or(MALFORMED)? {
        0 => DerefAliases::Never,
        1 => DerefAliases::InSearching,
        2 => DerefAliases::FindingBaseObject,
        3 => DerefAliases::Always,
        _ => return Err("the treatment of aliases is unknown"),
    };
    let mut limit = || cursor.take_integer(ber::INTEGER).and_then(|limit| u32::try_from(limit).ok());
    let size_limit = limit().ok_or("the size limit is no number from 0 to 2147483647")?;
    let time_limit = limit().ok_or("the time limit is no number from 0 to 2147483647")?;
    let types_only = cursor.take_boolean(ber::BOOLEAN).ok_or(MALFORMED)?;
    let filter = filter(&mut cursor, 0)?;
    let mut list = cursor.enter(ber::SEQUENCE).ok_or(MALFORMED)?;
    let mut attributes = SmallVec::new();
    while !list.is_at_end() {
        attributes.push(list.take_octets(ber::OCTET_STRING).ok_or(MALFORMED)?);
    }
    Ok(SearchRequest { base, scope, deref_aliases, size_limit, time_limit, types_only, filter, attributes })
}

const BAD_FILTER: &str = "the filter is malformed";

/// Decodes a filter; also those of controls are made like this.
pub(in crate::protocol) fn filter(cursor: &mut Cursor<'_>, depth: usize) -> Result<Filter, &'static str> {
    if depth >= MAX_DEPTH {
        return Err("the filter is nested too deep");
    }
    let tag = cursor.peek().ok_or(BAD_FILTER)?;
    match tag {
        0xa0 => Ok(Filter::And(filters(cursor, tag, depth)?)),
        0xa1 => Ok(Filter::Or(filters(cursor, tag, depth)?)),
        0xa2 => {
            let mut inner = cursor.enter(tag).ok_or(BAD_FILTER)?;
            let negated = filter(&mut inner, depth + 1)?;
            if inner.is_at_end() { Ok(Filter::Not(Box::new(negated))) } else { Err(BAD_FILTER) }
        }
        0xa3 => assertion(cursor, tag).map(Filter::Equality),
        0xa4 => substrings(cursor, tag).map(Filter::Substrings),
        0xa5 => assertion(cursor, tag).map(Filter::GreaterOrEqual),
        0xa6 => assertion(cursor, tag).map(Filter::LessOrEqual),
        0x87 => Ok(Filter::Present(cursor.take_octets(tag).ok_or(BAD_FILTER)?)),
        0xa8 => assertion(cursor, tag).map(Filter::Approx),
        0xa9 => extensible(cursor, tag).map(Filter::Extensible),
        _ => {
            cursor.next_element().ok_or(BAD_FILTER)?;
            Ok(Filter::Unknown)
        }
    }
}

fn filters(cursor: &mut Cursor<'_>, tag: u8, depth: usize) -> Result<Vec<Filter>, &'static str> {
    let mut set = cursor.enter(tag).ok_or(BAD_FILTER)?;
    let mut filters = Vec::new();
    while !set.is_at_end() {
        filters.push(filter(&mut set, depth + 1)?);
    }
    Ok(filters)
}

fn assertion(cursor: &mut Cursor<'_>, tag: u8) -> Result<Assertion, &'static str> {
    let mut inner = cursor.enter(tag).ok_or(BAD_FILTER)?;
    let attribute = inner.take_octets(ber::OCTET_STRING).ok_or(BAD_FILTER)?;
    let value = inner.take_octets(ber::OCTET_STRING).ok_or(BAD_FILTER)?;
    Ok(Assertion { attribute, value })
}

fn substrings(cursor: &mut Cursor<'_>, tag: u8) -> Result<Substrings, &'static str> {
    let mut inner = cursor.enter(tag).ok_or(BAD_FILTER)?;
    let attribute = inner.take_octets(ber::OCTET_STRING).ok_or(BAD_FILTER)?;
    let mut substrings = Substrings { attribute, ..Default::default() };
    let mut pieces = inner.enter(ber::SEQUENCE).ok_or(BAD_FILTER)?;
    if pieces.is_at_end() {
        return Err("the filter has a substring assertion without a piece");
    }
    substrings.initial = pieces.take_octets(ber::context(0));
    while let Some(piece) = pieces.take_octets(ber::context(1)) {
        substrings.any.push(piece);
    }
    substrings.last = pieces.take_octets(ber::context(2));
    if pieces.is_at_end() { Ok(substrings) } else { Err(BAD_FILTER) }
}

fn extensible(cursor: &mut Cursor<'_>, tag: u8) -> Result<Extensible, &'static str> {
    let mut inner = cursor.enter(tag).ok_or(BAD_FILTER)?;
    let rule = inner.take_octets(ber::context(1));
    let attribute = inner.take_octets(ber::context(2));
    let value = inner.take_octets(ber::context(3)).ok_or(BAD_FILTER)?;
    let dn_attributes = match inner.peek() {
        Some(tag) if tag == ber::context(4) => inner.take_boolean(tag).ok_or(BAD_FILTER)?,
        _ => false,
    };
    if rule.is_none() && attribute.is_none() {
        return Err("the filter has an extensible assertion with neither attribute nor matching rule");
    }
    Ok(Extensible { rule, attribute, value, dn_attributes })
}

#[cfg(test)]
pub(super) mod tests {
    use bytes::BytesMut;
    use ldap3_proto::proto::{
        LdapDerefAliases, LdapFilter, LdapOp, LdapSearchRequest, LdapSearchScope, LdapSubstringFilter,
    };

    use super::super::tests::{decode_octets, encode};
    use super::super::{MessageId, Request};
    use super::*;

    pub(in super::super) fn sample() -> BytesMut {
        encode(LdapOp::SearchRequest(request()))
    }

    fn request() -> LdapSearchRequest {
        LdapSearchRequest {
            base: "dc=example,dc=com".into(),
            scope: LdapSearchScope::Subtree,
            aliases: LdapDerefAliases::Always,
            sizelimit: 5,
            timelimit: 300,
            typesonly: true,
            filter: LdapFilter::And(vec![
                LdapFilter::Equality("uid".into(), "alice".into()),
                LdapFilter::Not(Box::new(LdapFilter::Present("mail".into()))),
                LdapFilter::Substring(
                    "cn".into(),
                    LdapSubstringFilter {
                        initial: Some("a".into()),
                        any: vec!["b".into(), "c".into()],
                        final_: Some("d".into()),
                    },
                ),
                LdapFilter::Or(vec![]),
            ]),
            attrs: vec!["cn".into(), "+".into()],
        }
    }

    fn search(octets: &[u8]) -> Result<SearchRequest, &'static str> {
        match decode_octets(octets).request {
            Request::Search(search) => Ok(search),
            Request::Malformed { reason, .. } => Err(reason),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_request_of_another_implementation_is_understood() {
        let search = search(&sample()).unwrap();
        assert_eq!((search.base.as_ref(), search.scope), (&b"dc=example,dc=com"[..], Scope::WholeSubtree));
        assert_eq!((search.deref_aliases, search.types_only), (DerefAliases::Always, true));
        assert_eq!((search.size_limit, search.time_limit), (5, 300));
        assert_eq!(search.filter.to_string(), "(&(uid=alice)(!(mail=*))(cn=a*b*c*d)(|))");
        assert_eq!(search.attributes.as_slice(), ["cn", "+"]);
    }

    /// A search of the root whose filter is `filter`.
    fn with_filter(filter: &[u8]) -> Vec<u8> {
        let mut op = b"\x04\x00\x0a\x01\x00\x0a\x01\x00\x02\x01\x00\x02\x01\x00\x01\x01\x00".to_vec();
        op.extend_from_slice(filter);
        op.extend_from_slice(b"\x30\x00");
        let mut content = b"\x02\x01\x01".to_vec();
        crate::directory::wire::put_element(&mut content, 0x63, &op);
        let mut message = Vec::new();
        crate::directory::wire::put_element(&mut message, 0x30, &content);
        message
    }

    #[test]
    fn values_are_octets_and_an_unknown_choice_is_no_error() {
        let binary = search(&with_filter(b"\xa3\x0a\x04\x04guid\x04\x02\xff\x00")).unwrap();
        assert_eq!(binary.filter.to_string(), "(guid=\\ff\\00)");
        assert_eq!(search(&with_filter(b"\xaf\x00")).unwrap().filter, Filter::Unknown);
        let rule = search(&with_filter(b"\xa9\x10\x81\x011\x82\x02cn\x83\x01x\x84\x01\xff\x85\x01z")).unwrap();
        assert_eq!(rule.filter.to_string(), "(cn:dn:1:=x)");
    }

    #[test]
    fn a_malformed_filter_is_told_and_costs_nobody_the_connection() {
        for bad in [
            &b"\xa2\x00"[..],
            b"\xa2\x0a\x87\x02cn\x87\x04mail",
            b"\xa3\x02\x04\x00",
            b"\xa4\x06\x04\x02cn\x30\x00",
            b"\xa4\x09\x04\x02cn\x30\x03\x83\x01a",
            b"\xa9\x03\x83\x01x",
        ] {
            assert!(search(&with_filter(bad)).is_err(), "{bad:x?}");
        }
        let deep = (0..150).fold(b"\x87\x02cn".to_vec(), |inner, _| {
            let mut outer = Vec::new();
            crate::directory::wire::put_element(&mut outer, 0xa2, &inner);
            outer
        });
        assert_eq!(search(&with_filter(&deep)), Err("the filter is nested too deep"));
    }

    #[test]
    fn numbers_out_of_range_are_a_protocol_error_with_the_message_id() {
        let mut octets = with_filter(b"\x87\x02cn");
        let scope = octets.iter().position(|octet| *octet == 0x0a).unwrap() + 2;
        octets[scope] = 9;
        let message = decode_octets(&octets);
        assert_eq!(message.id, MessageId(1));
        assert!(matches!(message.request, Request::Malformed { reason: "the scope of the search is unknown", .. }));
        octets[scope] = 0;
        octets[scope + 6] = 0xff;
        assert_eq!(search(&octets), Err("the size limit is no number from 0 to 2147483647"));
    }
}
