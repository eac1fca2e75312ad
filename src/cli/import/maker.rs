//! What is made of a record, on any thread: translated, then an entry, then what indexes say of it.

use super::entry::EntryReader;
use super::wrap;
use crate::directory::ldif::{Body, Record};
use crate::directory::migration::{Draft, Fate, Note, Origin};
use crate::directory::{AttributeTypeId, Csn, Schema, Timestamp};
use crate::password::StoredPassword;
use crate::password::scheme::{Cost, Scheme};
use crate::store::bulk::{PreparedEntry, Preparer};

const NO_LOGIN: &str = "no password matches it here: unless that was wanted, it needs a new one";
const ONE_PASSWORD: &str = "an entry has one password here: the first that can be verified";
const UNDATED: &str = "no pwdChangedTime came with them, so they do not expire before they are changed";
const AS_TOLD: &str = "by --leave-out";

/// Makes something of each record.
pub(super) struct Maker<'a> {
    pub(super) reader: EntryReader<'a>,
    pub(super) preparer: Preparer,
    pub(super) origin: Option<Origin>,
    pub(super) leave_out: &'a [String],
    /// At what cost fast hashes are wrapped, if they are.
    pub(super) wrap: Option<Cost>,
    pub(super) now: Timestamp,
}

/// What has become of a record.
pub(super) enum Arrival {
    /// An entry to load.
    Entry {
        entry: Box<PreparedEntry>,
        notes: Vec<Note>,
        /// The operational attributes that came along from another server, one for each value.
        kept: Vec<AttributeTypeId>,
    },
    /// Nothing, for that reason.
    LeftOut(&'static str),
}

impl Maker<'_> {
    /// Makes something of a record, whose attributes are taken. `csn` is the number of its entry, if it brings none.
    pub(super) fn make(&self, record: &mut Record, csn: Csn) -> Result<Arrival, String> {
        let (Body::Content(attributes) | Body::Add(attributes)) = &mut record.body else {
            return Err("this is a change of an entry, and an import takes whole entries; use ldapmodify".to_owned());
        };
        let mut draft = Draft::new(std::mem::take(attributes));
        if let Some(Err(why)) = self.origin.map(|origin| origin.translate(&record.dn, &mut draft, self.now)) {
            return Ok(Arrival::LeftOut(why));
        }
        for name in self.leave_out {
            draft.leave_out(name, AS_TOLD);
            draft.leave_class_out(name, AS_TOLD);
        }
        draft.keep_one("userPassword", is_usable, ONE_PASSWORD);
        note_what_to_do_about_passwords(&mut draft);
        if let Some(cost) = self.wrap {
            wrap::wrap(&mut draft, cost);
        }
        let entry = self.reader.read(&record.dn, &draft.attributes, csn)?;
        let entry = Box::new(self.preparer.prepare(entry));
        let kept = self.origin.map(|_| operational(&draft, self.reader.schema())).unwrap_or_default();
        Ok(Arrival::Entry { entry, notes: draft.notes, kept })
    }
}

fn is_usable(value: &[u8]) -> bool {
    StoredPassword::new(value).scheme() != Scheme::Unusable
}

/// Whoever moves people here wants to know whose password will not let them in, and whose will for ever.
fn note_what_to_do_about_passwords(draft: &mut Draft) {
    let Some((_, value)) = draft.attributes.iter().find(|(name, _)| name.eq_ignore_ascii_case("userPassword")) else {
        return;
    };
    match StoredPassword::new(value).scheme() {
        Scheme::Unusable => draft.note(Fate::Unusable, "userPassword", NO_LOGIN),
        // It becomes a hash, and is as old as that.
        Scheme::Clear => {}
        _ if !draft.has("pwdChangedTime") => draft.note(Fate::Undated, "userPassword", UNDATED),
        _ => {}
    }
}

fn operational(draft: &Draft, schema: &Schema) -> Vec<AttributeTypeId> {
    let ids = draft.attributes.iter().filter_map(|(name, _)| schema.describe(name));
    ids.map(|description| description.attribute_type).filter(|id| schema.operational().contains(*id)).collect()
}
