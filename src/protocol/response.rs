//! Answers (RFC 4511 §4.1.9), written into a buffer.

use bytes::BytesMut;

use super::control::{self, ResponseControl};
use super::{Fatal, MessageId, Operation, ber, oid};
use crate::directory::{ResultCode, wire};

/// What an operation came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LdapResult {
    /// The code.
    pub code: ResultCode,
    /// The name of the nearest entry that exists, where that helps.
    pub matched_dn: String,
    /// Words for a person.
    pub diagnostic_message: String,
    /// Where to ask instead.
    pub referrals: Vec<String>,
}

/// The answer that ends an operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Response {
    /// What it came to.
    pub result: LdapResult,
    /// The object identifier of an extended response, where one must be given.
    pub name: Option<&'static str>,
    /// The value of an extended response, or the SASL credentials of a bind response.
    pub value: Option<Vec<u8>>,
    /// The controls.
    pub controls: Vec<ResponseControl>,
}

impl LdapResult {
    /// A result without words.
    pub const fn new(code: ResultCode) -> Self {
        Self { code, matched_dn: String::new(), diagnostic_message: String::new(), referrals: Vec::new() }
    }

    /// A result with words for a person.
    pub fn with_message(code: ResultCode, message: impl Into<String>) -> Self {
        Self { diagnostic_message: message.into(), ..Self::new(code) }
    }
}

impl From<LdapResult> for Response {
    fn from(result: LdapResult) -> Self {
        Self { result, name: None, value: None, controls: Vec::new() }
    }
}

impl From<ResultCode> for Response {
    fn from(code: ResultCode) -> Self {
        LdapResult::new(code).into()
    }
}

impl Response {
    /// An answer with words for a person.
    pub fn with_message(code: ResultCode, message: impl Into<String>) -> Self {
        LdapResult::with_message(code, message).into()
    }

    /// Writes the answer to the request `id`, unless the operation has none.
    pub fn put(&self, out: &mut BytesMut, id: MessageId, operation: Operation) {
        if let Some(tag) = operation.response_tag() {
            self.put_tagged(out, id.0, tag);
        }
    }

    fn put_tagged(&self, out: &mut BytesMut, id: i32, tag: u8) {
        let mut content = Vec::with_capacity(64);
        self.result.put(&mut content);
        if tag == EXTENDED_RESPONSE {
            if let Some(name) = self.name {
                wire::put_element(&mut content, ber::context(10), name.as_bytes());
            }
            if let Some(value) = &self.value {
                wire::put_element(&mut content, ber::context(11), value);
            }
        } else if let (BIND_RESPONSE, Some(credentials)) = (tag, &self.value) {
            wire::put_element(&mut content, ber::context(7), credentials);
        }
        let mut message = Vec::with_capacity(content.len() + 16);
        ber::put_integer(&mut message, ber::INTEGER, i64::from(id));
        wire::put_element(&mut message, tag, &content);
        control::put_all(&mut message, &self.controls);
        wire::put_header(out, wire::SEQUENCE, message.len());
        out.extend_from_slice(&message);
    }
}

/// Writes something that is told before the answer to the request `id` (RFC 4511 §4.13).
pub(super) fn put_intermediate(out: &mut BytesMut, id: MessageId, name: &str, value: &[u8]) {
    let mut content = Vec::with_capacity(value.len() + 40);
    wire::put_element(&mut content, ber::context(0), name.as_bytes());
    wire::put_element(&mut content, ber::context(1), value);
    let mut message = Vec::with_capacity(content.len() + 16);
    ber::put_integer(&mut message, ber::INTEGER, i64::from(id.0));
    wire::put_element(&mut message, INTERMEDIATE_RESPONSE, &content);
    wire::put_header(out, wire::SEQUENCE, message.len());
    out.extend_from_slice(&message);
}

const INTERMEDIATE_RESPONSE: u8 = 0x79;
const BIND_RESPONSE: u8 = 0x61;
const EXTENDED_RESPONSE: u8 = 0x78;

impl LdapResult {
    fn put(&self, out: &mut Vec<u8>) {
        ber::put_integer(out, ber::ENUMERATED, i64::from(self.code.number()));
        wire::put_element(out, ber::OCTET_STRING, self.matched_dn.as_bytes());
        wire::put_element(out, ber::OCTET_STRING, self.diagnostic_message.as_bytes());
        if !self.referrals.is_empty() {
            let mut urls = Vec::new();
            for url in &self.referrals {
                wire::put_element(&mut urls, ber::OCTET_STRING, url.as_bytes());
            }
            wire::put_element(out, ber::context_constructed(3), &urls);
        }
    }
}

/// Writes the unsolicited notice that the connection ends (RFC 4511 §4.4.1).
pub fn put_notice_of_disconnection(out: &mut BytesMut, code: ResultCode, message: &str) {
    let notice = Response { name: Some(oid::NOTICE_OF_DISCONNECTION), ..Response::with_message(code, message) };
    notice.put_tagged(out, 0, EXTENDED_RESPONSE);
}

/// Writes the unsolicited notice that a transaction will not be settled (RFC 5805 §2.4).
pub fn put_aborted_transaction(out: &mut BytesMut, identifier: &str, code: ResultCode, message: &str) {
    let value = Some(identifier.as_bytes().to_vec());
    let notice = Response { name: Some(oid::ABORTED_TRANSACTION), value, ..Response::with_message(code, message) };
    notice.put_tagged(out, 0, EXTENDED_RESPONSE);
}

impl Fatal {
    /// The code that a notice of disconnection gives for it.
    pub const fn result_code(self) -> ResultCode {
        ResultCode::ProtocolError
    }
}

#[cfg(test)]
mod tests {
    use ldap3_proto::LdapCodec;
    use ldap3_proto::proto::{LdapExtendedResponse, LdapMsg, LdapOp, LdapResult as OtherResult, LdapResultCode};
    use tokio_util::codec::{Decoder, Encoder};

    use super::*;

    fn ours(response: &Response, operation: Operation) -> BytesMut {
        let mut out = BytesMut::new();
        response.put(&mut out, MessageId(300), operation);
        out
    }

    fn theirs(op: LdapOp) -> BytesMut {
        let mut out = BytesMut::new();
        LdapCodec::default().encode(LdapMsg::new(300, op), &mut out).unwrap();
        out
    }

    fn other_result() -> OtherResult {
        OtherResult {
            code: LdapResultCode::NoSuchObject,
            matcheddn: "dc=x".into(),
            message: "x".repeat(300),
            referral: vec!["ldap://a/".into(), "ldap://b/".into()],
        }
    }

    fn response() -> Response {
        let other = other_result();
        LdapResult {
            code: ResultCode::NoSuchObject,
            matched_dn: other.matcheddn,
            diagnostic_message: other.message,
            referrals: other.referral,
        }
        .into()
    }

    #[test]
    fn results_are_written_as_another_implementation_writes_them() {
        assert_eq!(ours(&response(), Operation::Search), theirs(LdapOp::SearchResultDone(other_result())));
        assert_eq!(ours(&response(), Operation::Modify), theirs(LdapOp::ModifyResponse(other_result())));
        assert_eq!(ours(&response(), Operation::Add), theirs(LdapOp::AddResponse(other_result())));
        assert_eq!(ours(&response(), Operation::Delete), theirs(LdapOp::DelResponse(other_result())));
        assert_eq!(ours(&response(), Operation::ModifyDn), theirs(LdapOp::ModifyDNResponse(other_result())));
        assert_eq!(ours(&response(), Operation::Compare), theirs(LdapOp::CompareResult(other_result())));
        let extended = LdapExtendedResponse { res: other_result(), name: None, value: Some(vec![1, 2]) };
        let own = Response { value: Some(vec![1, 2]), ..response() };
        assert_eq!(ours(&own, Operation::Extended), theirs(LdapOp::ExtendedResponse(extended)));
    }

    #[test]
    fn abandon_and_unbind_have_no_answer() {
        assert!(ours(&response(), Operation::Abandon).is_empty() && ours(&response(), Operation::Unbind).is_empty());
    }

    #[test]
    fn controls_stand_behind_the_answer() {
        let control = control::paged_results_response(b"");
        let mut with = ours(&Response { controls: vec![control], ..ResultCode::Success.into() }, Operation::Search);
        let message = LdapCodec::default().decode(&mut with).unwrap().unwrap();
        assert_eq!(message.ctrl.len(), 1);
    }

    #[test]
    fn the_notice_of_disconnection_has_the_message_id_zero_and_its_name() {
        let mut out = BytesMut::new();
        put_notice_of_disconnection(&mut out, ResultCode::Unavailable, "bye");
        let message = LdapCodec::default().decode(&mut out).unwrap().unwrap();
        let LdapOp::ExtendedResponse(notice) = message.op else { panic!() };
        assert_eq!((message.msgid, notice.name.as_deref()), (0, Some("1.3.6.1.4.1.1466.20036")));
    }
}
