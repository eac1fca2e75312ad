//! What clients are answered.

use bytes::Bytes;
use keystead::directory::{ResultCode, wire};
use keystead::protocol::{RawControl, Response, oid};

use super::client::Answered;
use super::short;

/// An entry of a search answer: its name, and names and values of its attributes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FoundEntry {
    pub dn: String,
    pub attributes: Vec<(String, Vec<Vec<u8>>)>,
    /// Names and values of the controls that stand with it.
    pub controls: Vec<(String, Vec<u8>)>,
}

impl FoundEntry {
    /// The values of an attribute as text.
    pub fn texts(&self, name: &str) -> Vec<String> {
        let attribute = self.attributes.iter().find(|(own, _)| own == name);
        attribute
            .map(|(_, values)| values.iter().map(|v| String::from_utf8_lossy(v).into_owned()).collect())
            .unwrap_or_default()
    }

    /// The names of its attributes.
    pub fn names(&self) -> Vec<&str> {
        self.attributes.iter().map(|(name, _)| name.as_str()).collect()
    }
}

/// The one entry that was found.
pub fn only(found: &[FoundEntry]) -> &FoundEntry {
    let [only] = found else { panic!("one entry was expected: {found:?}") };
    only
}

/// The code of an answer; compareFalse is an error here, since it is not success.
pub fn result(response: &Response) -> Answered {
    match response.result.code {
        ResultCode::Success | ResultCode::CompareTrue => Ok(()),
        code => Err(code),
    }
}

/// The password policy control of a request.
pub fn policy_control() -> Vec<RawControl> {
    vec![RawControl { oid: oid::PASSWORD_POLICY.into(), critical: false, value: None }]
}

/// The control that has a request done as somebody: `dn:NAME`, `u:NAME` or nothing (RFC 4370).
pub fn acting_as(authz_id: &str) -> Vec<RawControl> {
    let value = Some(authz_id.to_owned().into());
    vec![RawControl { oid: oid::PROXIED_AUTHORIZATION.into(), critical: true, value }]
}

/// A critical control of a request.
pub fn critical(oid: &'static str, value: Option<&[u8]>) -> RawControl {
    RawControl { oid: oid.into(), critical: true, value: value.map(Bytes::copy_from_slice) }
}

/// The value of a control of an answer.
pub fn control_of<'r>(response: &'r Response, oid: &str) -> Option<&'r [u8]> {
    response.controls.iter().find(|control| control.oid == oid)?.value.as_deref()
}

/// A filter, as controls hold it.
pub fn filter(text: &str) -> Vec<u8> {
    match text.trim_matches(['(', ')']).split_once('=') {
        Some((name, "*")) => element(0x87, name.as_bytes()),
        Some((name, value)) => element(0xa3, &[element(4, name.as_bytes()), element(4, value.as_bytes())].concat()),
        None => panic!("{text}"),
    }
}

/// One BER element.
pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    wire::put_element(&mut out, tag, content);
    out
}

/// A `SEQUENCE OF OCTET STRING`.
pub fn list(texts: &[&str]) -> Vec<u8> {
    let octets: Vec<_> = texts.iter().map(|text| element(4, text.as_bytes())).collect();
    element(wire::SEQUENCE, &octets.concat())
}

/// The entry in a `SearchResultEntry`.
pub fn entry(octets: &[u8]) -> FoundEntry {
    let operation = wire::element(octets).unwrap();
    assert_eq!(operation.tag, 0x64);
    let dn = wire::element(operation.content).unwrap();
    let attribute = |one: wire::Element<'_>| {
        let name = wire::element(one.content).unwrap();
        let values = wire::elements(wire::element(name.rest).unwrap().content);
        (String::from_utf8(name.content.to_vec()).unwrap(), values.map(|v| v.content.to_vec()).collect())
    };
    FoundEntry {
        dn: String::from_utf8(dn.content.to_vec()).unwrap(),
        attributes: wire::elements(wire::element(dn.rest).unwrap().content).map(attribute).collect(),
        controls: wire::element(operation.rest).map(|list| controls(list.content)).unwrap_or_default(),
    }
}

/// The octets of the password policy control of an answer.
pub fn policy_response(response: &Response) -> Option<Vec<u8>> {
    let control = response.controls.iter().find(|control| control.oid == oid::PASSWORD_POLICY)?;
    control.value.clone()
}

/// The values of the password policy control that tell of an error (draft-behera-ldap-password-policy-10 §6.2).
pub const EXPIRED: &[u8] = b"\x30\x03\x81\x01\x00";
pub const LOCKED: &[u8] = b"\x30\x03\x81\x01\x01";
pub const CHANGE_AFTER_RESET: &[u8] = b"\x30\x03\x81\x01\x02";
pub const MODIFICATION_NOT_ALLOWED: &[u8] = b"\x30\x03\x81\x01\x03";
pub const MUST_SUPPLY_OLD: &[u8] = b"\x30\x03\x81\x01\x04";
pub const INSUFFICIENT_QUALITY: &[u8] = b"\x30\x03\x81\x01\x05";
pub const TOO_SHORT: &[u8] = b"\x30\x03\x81\x01\x06";
pub const TOO_YOUNG: &[u8] = b"\x30\x03\x81\x01\x07";
pub const IN_HISTORY: &[u8] = b"\x30\x03\x81\x01\x08";
pub const TOO_LONG: &[u8] = b"\x30\x03\x81\x01\x09";
/// There is no such control.
pub const NOTHING: &[u8] = b"";

/// Asserts how a request was answered, and the octets of the password policy control.
#[track_caller]
pub fn assert_told(response: &Response, answered: Answered, control: &[u8]) {
    let told = policy_response(response).unwrap_or_default();
    assert_eq!((result(response), told.as_slice()), (answered, control), "{}", response.result.diagnostic_message);
}

/// The password in the value of an answer to a Password Modify request.
pub fn generated(value: &[u8]) -> String {
    let inner = wire::element(value).unwrap().content;
    String::from_utf8(wire::element(inner).unwrap().content.to_vec()).unwrap()
}

const REFERENCE: u8 = 0x73;

/// The names of the entries of a search answer, without the suffix, and the octets of the controls that stand with each.
pub fn controls_of_entries(octets: &[u8]) -> Vec<(String, Vec<u8>)> {
    let controls = |message: wire::Element<'_>| {
        let operation = wire::element(wire::element(message.content).unwrap().rest).unwrap();
        (short(&entry(operation.whole).dn), operation.rest.to_vec())
    };
    wire::elements(octets).map(controls).collect()
}

const INTERMEDIATE: u8 = 0x79;

/// The values of what is told besides entries, and the entries between them as nothing.
pub fn intermediate(octets: &[u8]) -> Vec<Option<Vec<u8>>> {
    let operation = |message: wire::Element<'_>| {
        let operation = wire::element(wire::element(message.content).unwrap().rest).unwrap();
        let name = wire::element(operation.content).unwrap();
        (operation.tag == INTERMEDIATE).then(|| wire::element(name.rest).unwrap().content.to_vec())
    };
    wire::elements(octets).map(operation).collect()
}

/// The entries of a search answer. Where it says that others are kept elsewhere, that is an entry without a name.
pub fn entries(octets: &[u8]) -> Vec<FoundEntry> {
    let operation = |message: wire::Element<'_>| {
        let id = wire::element(message.content).unwrap();
        let operation = wire::element(id.rest).unwrap();
        if operation.tag == REFERENCE {
            let urls = wire::elements(operation.content).map(|url| url.content.to_vec()).collect();
            let attributes = vec![("ref".to_owned(), urls)];
            return Some(FoundEntry { dn: String::new(), attributes, controls: Vec::new() });
        }
        (operation.tag != INTERMEDIATE).then(|| entry(id.rest))
    };
    wire::elements(octets).filter_map(operation).collect()
}

/// The names and values of the controls in a list.
fn controls(list: &[u8]) -> Vec<(String, Vec<u8>)> {
    let control = |one: wire::Element<'_>| {
        let name = wire::element(one.content).unwrap();
        let value = wire::element(name.rest).map(|value| value.content.to_vec()).unwrap_or_default();
        (String::from_utf8(name.content.to_vec()).unwrap(), value)
    };
    wire::elements(list).map(control).collect()
}
