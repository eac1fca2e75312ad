//! What the server itself writes into entries: who made or changed them, and when (RFC 4512 §3.4).

use uuid::Uuid;

use crate::directory::schema::AttributeSet;
use crate::directory::tree::{LogKind, LogRecord};
use crate::directory::{Attributes, Csn, ldif};

use super::Context;

impl Context<'_> {
    /// Stamps an entry that is being added, but for what it brings along.
    pub(super) fn stamp_new(&self, attributes: &mut Attributes, uuid: Uuid) {
        let known = self.schema().known();
        attributes.set_one(known.entry_uuid, uuid.to_string());
        let brought: AttributeSet = attributes.iter().map(|one| one.description.attribute_type).collect();
        if !brought.contains(known.create_timestamp) {
            attributes.set_one(known.create_timestamp, self.now.to_string());
        }
        if !brought.contains(known.creators_name) {
            attributes.set_one(known.creators_name, self.requester.identity.name());
        }
        let hands = self.requester.hands();
        if !hands.is_empty() {
            attributes.set(known.creator_uuid, hands.iter().map(|hand| hand.to_string().into_bytes()).collect());
        }
        self.stamp_changed_but(&brought, attributes);
    }

    /// Stamps an entry that is being changed. The commit puts the change sequence number in its place; until then a
    /// number of the same width stands there.
    pub(super) fn stamp_changed(&self, attributes: &mut Attributes) {
        self.stamp_changed_but(&AttributeSet::EMPTY, attributes);
    }

    /// The same, but for what the request itself has set.
    pub(super) fn stamp_changed_but(&self, given: &AttributeSet, attributes: &mut Attributes) {
        let known = self.schema().known();
        if !given.contains(known.modify_timestamp) {
            attributes.set_one(known.modify_timestamp, self.now.to_string());
        }
        if !given.contains(known.modifiers_name) {
            attributes.set_one(known.modifiers_name, self.requester.identity.name());
        }
        attributes.set_one(known.entry_csn, Csn { time: self.now, count: 0, sid: 1 }.to_string());
    }

    /// What the change log keeps of a change to an entry.
    pub(super) fn log(&self, kind: LogKind, target: &str, uuid: Uuid, changes: String) -> LogRecord {
        let actor = self.requester.signature();
        LogRecord { time: self.now, actor, target: target.to_owned(), uuid, kind, changes }
    }

    /// The attributes of an entry as the lines of an LDIF record, without what is secret.
    pub(super) fn log_lines(&self, attributes: &Attributes) -> String {
        let mut out = Vec::new();
        for attribute in attributes.iter() {
            let name = attribute.description.to_text(self.schema());
            let secret = self.schema().attribute_type(attribute.description.attribute_type).is_secret();
            for value in attribute.values.iter().filter(|_| !secret) {
                ldif::write_attribute(&mut out, &name, value);
            }
        }
        String::from_utf8(out).unwrap_or_default()
    }
}
