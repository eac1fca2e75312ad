//! Content synchronization (RFC 4533): a client keeps a copy of what a search finds.

use bytes::{Bytes, BytesMut};
use uuid::Uuid;

use super::{Controls, RawControl, ResponseControl, sequence};
use crate::directory::wire;
use crate::protocol::response::put_intermediate;
use crate::protocol::{MessageId, ber, oid};

/// A copy is to be brought up to date (§2.2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyncRequest {
    /// Whether that is all.
    pub mode: SyncMode,
    /// How far the copy is; absent if there is none.
    pub cookie: Option<Bytes>,
}

/// What is to happen when a copy is up to date.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SyncMode {
    /// Nothing.
    RefreshOnly,
    /// It is to be told of changes.
    RefreshAndPersist,
}

/// How an entry stands to a copy (§2.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SyncState {
    /// The copy may not have it.
    Add,
    /// It has changed.
    Modify,
    /// It is no part of the copy any more.
    Delete,
}

/// What a client is told besides entries (§2.5).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SyncInfo<'s> {
    /// How far the copy is.
    NewCookie(&'s str),
    /// The copy is up to date, without the entries that were neither sent nor named.
    RefreshPresent(&'s str),
    /// These have not changed.
    Present(&'s [Uuid]),
}

pub(super) fn read(controls: &mut Controls, control: &RawControl) -> Option<()> {
    let mut value = control.elements(4)?;
    let mut fields = value.enter(ber::SEQUENCE)?;
    let mode = match fields.take_integer(ber::ENUMERATED)? {
        1 => SyncMode::RefreshOnly,
        3 => SyncMode::RefreshAndPersist,
        _ => return None,
    };
    let cookie = match fields.peek() {
        Some(ber::OCTET_STRING) => Some(fields.take_octets(ber::OCTET_STRING)?),
        _ => None,
    };
    // Whoever cannot be brought up to date gets everything, whether or not they would rather be told.
    if fields.peek() == Some(ber::BOOLEAN) {
        fields.take_boolean(ber::BOOLEAN)?;
    }
    if !fields.is_at_end() {
        return None;
    }
    controls.rare_mut().sync = Some(SyncRequest { mode, cookie });
    Some(())
}

/// The control of an entry that tells how it stands to the copy.
pub fn sync_state(state: SyncState, uuid: Uuid) -> ResponseControl {
    let number = match state {
        SyncState::Add => 1,
        SyncState::Modify => 2,
        SyncState::Delete => 3,
    };
    let mut fields = Vec::new();
    ber::put_integer(&mut fields, ber::ENUMERATED, number);
    wire::put_element(&mut fields, ber::OCTET_STRING, uuid.as_bytes());
    ResponseControl { oid: oid::SYNC_STATE, value: Some(sequence(&fields)) }
}

/// The control of the answer that tells how far the copy is (§2.4). What was neither sent nor named is no part of it.
pub fn sync_done(cookie: &str) -> ResponseControl {
    let mut fields = Vec::new();
    wire::put_element(&mut fields, ber::OCTET_STRING, cookie.as_bytes());
    ResponseControl { oid: oid::SYNC_DONE, value: Some(sequence(&fields)) }
}

impl SyncInfo<'_> {
    /// Writes it as an answer to the request `id`.
    pub fn put(&self, out: &mut BytesMut, id: MessageId) {
        let mut value = Vec::new();
        let mut fields = Vec::new();
        match self {
            Self::NewCookie(cookie) => wire::put_element(&mut value, ber::context(0), cookie.as_bytes()),
            Self::RefreshPresent(cookie) => {
                wire::put_element(&mut fields, ber::OCTET_STRING, cookie.as_bytes());
                wire::put_element(&mut value, ber::context_constructed(2), &fields);
            }
            Self::Present(uuids) => {
                let mut set = Vec::new();
                uuids.iter().for_each(|uuid| wire::put_element(&mut set, ber::OCTET_STRING, uuid.as_bytes()));
                wire::put_element(&mut fields, ber::SET, &set);
                wire::put_element(&mut value, ber::context_constructed(3), &fields);
            }
        }
        put_intermediate(out, id, oid::SYNC_INFO, &value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::request::tests::sample_search;

    fn read(value: &'static [u8]) -> Option<SyncRequest> {
        let control = RawControl { oid: oid::SYNC_REQUEST.into(), critical: true, value: Some(value.into()) };
        Controls::read(&[control], &sample_search()).ok()?.rare().sync.clone()
    }

    #[test]
    fn a_request_has_a_mode_and_may_have_a_cookie() {
        let new = read(b"\x30\x03\x0a\x01\x01").unwrap();
        assert_eq!(new, SyncRequest { mode: SyncMode::RefreshOnly, cookie: None });
        let known = read(b"\x30\x0a\x0a\x01\x03\x04\x02ab\x01\x01\x00").unwrap();
        assert_eq!(known, SyncRequest { mode: SyncMode::RefreshAndPersist, cookie: Some("ab".into()) });
        for bad in [&b""[..], b"\x30\x00", b"\x30\x03\x0a\x01\x02", b"\x30\x05\x0a\x01\x01\x05\x00"] {
            assert_eq!(read(bad), None, "{bad:x?}");
        }
    }

    #[test]
    fn what_is_told_is_written_as_the_rfc_has_it() {
        let uuid = Uuid::from_u128(7);
        let state = sync_state(SyncState::Delete, uuid).value.unwrap();
        assert_eq!(state, [&b"\x30\x15\x0a\x01\x03\x04\x10"[..], uuid.as_bytes()].concat());
        assert_eq!(sync_done("ab").value.unwrap(), b"\x30\x04\x04\x02ab");
        let mut out = BytesMut::new();
        SyncInfo::NewCookie("ab").put(&mut out, MessageId(5));
        let name = b"\x80\x181.3.6.1.4.1.4203.1.9.1.4";
        assert_eq!(&out[..], [&b"\x30\x25\x02\x01\x05\x79\x20"[..], name, b"\x81\x04\x80\x02ab"].concat());
        out.clear();
        SyncInfo::Present(&[uuid]).put(&mut out, MessageId(5));
        assert_eq!(&out[33..], [&b"\x81\x16\xa3\x14\x31\x12\x04\x10"[..], uuid.as_bytes()].concat());
        out.clear();
        SyncInfo::RefreshPresent("ab").put(&mut out, MessageId(5));
        assert_eq!(&out[33..], b"\x81\x06\xa2\x04\x04\x02ab");
    }
}
