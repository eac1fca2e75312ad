//! Requests that write (RFC 4511 §4.6, §4.7, §4.9), decoded by `ldap3_proto`.

use ldap3_lber::parse::Parser;
use ldap3_proto::proto::{LdapModifyType, LdapOp};

use crate::directory::modification::ModificationKind;
use crate::protocol::ber::{self, Cursor};

/// A request to change attributes.
#[derive(Clone, PartialEq, Eq)]
pub struct ModifyRequest {
    /// The entry's name.
    pub object: String,
    /// The changes, in order.
    pub changes: Vec<RequestedChange>,
}

impl ModifyRequest {
    /// Whether it changes a password.
    pub fn is_about_password(&self) -> bool {
        self.changes.iter().any(|change| names_password(&change.attribute))
    }
}

/// Whether an attribute description names `userPassword`, with whatever options.
pub fn names_password(description: &str) -> bool {
    let name = description.split(';').next().unwrap_or_default();
    name.eq_ignore_ascii_case("userPassword") || name == "2.5.4.35"
}

/// A change of an attribute, as it was asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestedChange {
    /// What is to be done.
    pub kind: ModificationKind,
    /// With which attribute.
    pub attribute: String,
    /// With which values.
    pub values: Vec<Vec<u8>>,
}

/// A request to add an entry.
#[derive(Clone, PartialEq, Eq)]
pub struct AddRequest {
    /// The entry's name.
    pub entry: String,
    /// Its attributes and their values.
    pub attributes: Vec<(String, Vec<Vec<u8>>)>,
}

/// A request to rename or move an entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ModifyDnRequest {
    /// The entry's name.
    pub entry: String,
    /// Its new RDN.
    pub new_rdn: String,
    /// Whether the values of the old RDN go.
    pub delete_old_rdn: bool,
    /// The entry to move it below.
    pub new_superior: Option<String>,
}

// Values may be passwords, so they are not printed.
impl std::fmt::Debug for ModifyRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let changes = self.changes.iter().map(|change| (change.kind, &change.attribute));
        write!(f, "ModifyRequest({:?}, {:?})", self.object, changes.collect::<Vec<_>>())
    }
}

impl std::fmt::Debug for RequestedChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RequestedChange({:?}, {:?}, ..)", self.kind, self.attribute)
    }
}

impl std::fmt::Debug for AddRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.attributes.iter().map(|(name, _)| name);
        write!(f, "AddRequest({:?}, {:?})", self.entry, names.collect::<Vec<_>>())
    }
}

/// Has the other crate decode a whole protocolOp, whose elements have been checked and whose tag is that of a request.
fn decode(whole: &[u8]) -> Option<LdapOp> {
    let (_, tag) = Parser::new(2 * crate::directory::filter::MAX_DEPTH).parse(whole).ok()?;
    LdapOp::try_from(tag).ok()
}

pub(super) fn decode_modify(whole: &[u8]) -> Result<ModifyRequest, &'static str> {
    let Some(LdapOp::ModifyRequest(modify)) = decode(whole) else { return Err("the modify request is malformed") };
    let kind = |kind| match kind {
        LdapModifyType::Add => ModificationKind::Add,
        LdapModifyType::Delete => ModificationKind::Delete,
        LdapModifyType::Replace => ModificationKind::Replace,
        LdapModifyType::Increment => ModificationKind::Increment,
    };
    let changes = modify.changes.into_iter().map(|change| RequestedChange {
        kind: kind(change.operation),
        attribute: change.modification.atype,
        values: change.modification.vals,
    });
    Ok(ModifyRequest { object: modify.dn, changes: changes.collect() })
}

pub(super) fn decode_add(whole: &[u8]) -> Result<AddRequest, &'static str> {
    let Some(LdapOp::AddRequest(add)) = decode(whole) else { return Err("the add request is malformed") };
    let attributes = add.attributes.into_iter().map(|attribute| (attribute.atype, attribute.vals));
    Ok(AddRequest { entry: add.dn, attributes: attributes.collect() })
}

pub(super) fn decode_modify_dn(whole: &[u8], mut cursor: Cursor<'_>) -> Result<ModifyDnRequest, &'static str> {
    const MALFORMED: &str = "the modify DN request is malformed";
    // The other crate takes a new superior that is not UTF-8 for none, and so would rename what should be moved.
    for tag in [ber::OCTET_STRING, ber::OCTET_STRING, ber::BOOLEAN] {
        cursor.take(tag).ok_or(MALFORMED)?;
    }
    if cursor.peek() == Some(ber::context(0)) && cursor.take_text(ber::context(0)).is_none() {
        return Err("the name of the new superior is not UTF-8");
    }
    if !cursor.is_at_end() {
        return Err(MALFORMED);
    }
    let Some(LdapOp::ModifyDNRequest(rename)) = decode(whole) else { return Err(MALFORMED) };
    Ok(ModifyDnRequest {
        entry: rename.dn,
        new_rdn: rename.newrdn,
        delete_old_rdn: rename.deleteoldrdn,
        new_superior: rename.new_superior,
    })
}

#[cfg(test)]
mod tests {
    use ldap3_proto::proto::{
        LdapAddRequest, LdapModify, LdapModifyDNRequest, LdapModifyRequest, LdapPartialAttribute,
    };

    use super::super::Request;
    use super::super::tests::{decode_octets, encode};
    use super::ModificationKind::{Add, Delete, Increment, Replace};
    use super::*;

    #[test]
    fn changes_keep_their_order_and_octets() {
        let change = |operation, atype: &str, vals| LdapModify {
            operation,
            modification: LdapPartialAttribute { atype: atype.into(), vals },
        };
        let octets = encode(LdapOp::ModifyRequest(LdapModifyRequest {
            dn: "cn=a".into(),
            changes: vec![
                change(LdapModifyType::Delete, "userPassword", vec![b"old".to_vec()]),
                change(LdapModifyType::Add, "userPassword", vec![vec![0xff, 0]]),
                change(LdapModifyType::Replace, "mail", vec![]),
                change(LdapModifyType::Increment, "uidNumber", vec![b"1".to_vec()]),
            ],
        }));
        let message = decode_octets(&octets);
        let Request::Modify(modify) = &message.request else { panic!("{message:?}") };
        let kinds: Vec<_> = modify.changes.iter().map(|change| change.kind).collect();
        assert_eq!(kinds, [Delete, Add, Replace, Increment]);
        assert_eq!(modify.changes[1].values, [[0xff, 0]]);
        assert!(!format!("{message:?}").contains("old"));
    }

    #[test]
    fn a_truncated_change_is_malformed_and_not_a_shorter_request() {
        let octets =
            b"\x30\x1c\x02\x01\x01\x66\x17\x04\x04cn=a\x30\x0f\x30\x0d\x0a\x01\x02\x30\x20\x04\x04mail\x31\x00";
        let fatal = crate::protocol::Framing { max_octets: 1000, max_elements: 100 };
        assert!(fatal.next(&mut bytes::BytesMut::from(&octets[..])).is_err());
    }

    #[test]
    fn entries_to_be_added_are_read() {
        let attribute = LdapPartialAttribute { atype: "cn".into(), vals: vec![b"a".to_vec(), b"b".to_vec()] };
        let octets = encode(LdapOp::AddRequest(LdapAddRequest { dn: "cn=a".into(), attributes: vec![attribute] }));
        let Request::Add(add) = decode_octets(&octets).request else { panic!() };
        assert_eq!(add.attributes, [("cn".to_owned(), vec![b"a".to_vec(), b"b".to_vec()])]);
    }

    #[test]
    fn a_new_superior_that_is_not_utf_8_is_refused() {
        let request = |new_superior: &str| LdapModifyDNRequest {
            dn: "cn=a".into(),
            newrdn: "cn=b".into(),
            deleteoldrdn: true,
            new_superior: Some(new_superior.into()),
        };
        let mut octets = encode(LdapOp::ModifyDNRequest(request("dc=x")));
        let Request::ModifyDn(rename) = decode_octets(&octets).request else { panic!() };
        assert_eq!((rename.delete_old_rdn, rename.new_superior.as_deref()), (true, Some("dc=x")));
        *octets.last_mut().unwrap() = 0xff;
        assert!(matches!(decode_octets(&octets).request, Request::Malformed { .. }));
    }
}
