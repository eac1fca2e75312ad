//! Persistent search with entry change notification (draft-ietf-ldapext-psearch-03): a search that goes on to tell of
//! changes as they happen.

use super::{Controls, RawControl, ResponseControl, sequence};
use crate::directory::tree::LogKind;
use crate::directory::wire;
use crate::protocol::{ber, oid};

/// Changes are to be told of as they happen (§3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PersistentSearch {
    /// Which, as bits.
    kinds: u8,
    /// Whether what is there already is left out.
    pub changes_only: bool,
    /// Whether it is told with each entry what has happened to it.
    pub return_ecs: bool,
}

/// The bits that say something.
const KINDS: i32 = 0b1111;

impl PersistentSearch {
    /// Everything, without saying what has happened.
    pub const fn everything() -> Self {
        Self { kinds: 0b1111, changes_only: false, return_ecs: false }
    }

    /// Whether changes of that kind are to be told of.
    pub const fn wants(self, kind: LogKind) -> bool {
        self.kinds & number(kind) != 0
    }
}

/// The number of a kind of change, as the request and the notice have it.
const fn number(kind: LogKind) -> u8 {
    match kind {
        LogKind::Add => 1,
        LogKind::Delete => 2,
        LogKind::Modify => 4,
        LogKind::ModifyDn => 8,
    }
}

pub(super) fn read(controls: &mut Controls, control: &RawControl) -> Option<()> {
    let mut value = control.elements(4)?;
    let mut fields = value.enter(ber::SEQUENCE)?;
    let kinds = fields.take_integer(ber::INTEGER)?;
    let changes_only = fields.take_boolean(ber::BOOLEAN)?;
    let return_ecs = fields.take_boolean(ber::BOOLEAN)?;
    let kinds = u8::try_from(kinds & KINDS).ok().filter(|kinds| *kinds != 0)?;
    controls.rare_mut().persistent = Some(PersistentSearch { kinds, changes_only, return_ecs });
    Some(())
}

/// What has happened to an entry that is sent (§5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EntryChange<'e> {
    /// The kind of change.
    pub kind: LogKind,
    /// What it was called before it was renamed.
    pub previous_dn: Option<&'e str>,
    /// The number of the change.
    pub number: Option<u64>,
}

impl EntryChange<'_> {
    /// The control that stands with the entry.
    pub fn to_control(self) -> ResponseControl {
        let mut fields = Vec::new();
        ber::put_integer(&mut fields, ber::ENUMERATED, i64::from(number(self.kind)));
        if let Some(previous) = self.previous_dn {
            wire::put_element(&mut fields, ber::OCTET_STRING, previous.as_bytes());
        }
        if let Some(number) = self.number.and_then(|number| i64::try_from(number).ok()) {
            ber::put_integer(&mut fields, ber::INTEGER, number);
        }
        ResponseControl { oid: oid::ENTRY_CHANGE, value: Some(sequence(&fields)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::request::tests::sample_search;

    fn read(value: &'static [u8]) -> Option<PersistentSearch> {
        let control = RawControl { oid: oid::PERSISTENT_SEARCH.into(), critical: true, value: Some(value.into()) };
        Controls::read(&[control], &sample_search()).ok()?.rare().persistent
    }

    #[test]
    fn kinds_of_changes_are_bits() {
        let asked = read(b"\x30\x09\x02\x01\x05\x01\x01\xff\x01\x01\x00").unwrap();
        assert_eq!((asked.changes_only, asked.return_ecs), (true, false));
        let wanted = [LogKind::Add, LogKind::Delete, LogKind::Modify, LogKind::ModifyDn].map(|kind| asked.wants(kind));
        assert_eq!(wanted, [true, false, true, false]);
        for bad in [
            &b""[..],
            b"\x30\x00",
            b"\x30\x09\x02\x01\x00\x01\x01\xff\x01\x01\x00",
            b"\x30\x09\x02\x01\x10\x01\x01\xff\x01\x01\x00",
            b"\x30\x06\x02\x01\x05\x01\x01\xff",
        ] {
            assert_eq!(read(bad), None, "{bad:x?}");
        }
    }

    #[test]
    fn a_notice_tells_what_has_happened() {
        let change = EntryChange { kind: LogKind::ModifyDn, previous_dn: Some("cn=a"), number: Some(300) };
        assert_eq!(change.to_control().value.unwrap(), b"\x30\x0d\x0a\x01\x08\x04\x04cn=a\x02\x02\x01\x2c");
        let change = EntryChange { kind: LogKind::Delete, previous_dn: None, number: None };
        assert_eq!(change.to_control().value.unwrap(), b"\x30\x03\x0a\x01\x02");
    }
}
