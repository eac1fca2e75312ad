//! The change log as entries (draft-good-ldap-changelog): who changed what, in the order in which it happened.

use uuid::Uuid;

use crate::directory::filter::Filter;
use crate::directory::tree::{LogKind, LoggedChange, TreeError};
use crate::directory::{Attribute, Attributes, Dn, Entry, Schema, ldif};

use super::Context;

/// The name below which the changes stand.
pub(super) const CHANGE_LOG: &str = "cn=changelog";

/// Which changes a search below it may be about, by their numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Numbers {
    pub(super) first: u64,
    pub(super) last: u64,
}

impl Numbers {
    /// Those that a filter leaves; it is tested besides.
    pub(super) fn of(filter: &Filter) -> Self {
        let mut numbers = Self { first: 0, last: u64::MAX };
        numbers.narrow(filter);
        numbers
    }

    fn narrow(&mut self, filter: &Filter) {
        match filter {
            Filter::And(all) => all.iter().for_each(|part| self.narrow(part)),
            Filter::GreaterOrEqual(assertion) => self.begin(number(assertion)),
            Filter::LessOrEqual(assertion) => self.end(number(assertion)),
            Filter::Equality(assertion) => {
                self.begin(number(assertion));
                self.end(number(assertion));
            }
            _ => {}
        }
    }

    fn begin(&mut self, first: Option<u64>) {
        self.first = first.map_or(self.first, |first| first.max(self.first));
    }

    fn end(&mut self, last: Option<u64>) {
        self.last = last.map_or(self.last, |last| last.min(self.last));
    }

    /// That of the change of that name.
    pub(super) fn named(dn: &Dn) -> Option<Self> {
        let (rdn, _) = dn.rdns().next()?;
        let (name, value) = rdn.split_once('=')?;
        let only = value.parse().ok().filter(|_| name.eq_ignore_ascii_case("changeNumber"))?;
        Some(Self { first: only, last: only })
    }
}

fn number(assertion: &crate::directory::filter::Assertion) -> Option<u64> {
    let is_number = assertion.attribute.eq_ignore_ascii_case(b"changeNumber");
    std::str::from_utf8(&assertion.value).ok().filter(|_| is_number)?.parse().ok()
}

/// Whether somebody may know that there is a change log.
pub(super) fn is_visible(ctx: &Context<'_>) -> Result<bool, TreeError> {
    let (schema, name) = (ctx.schema(), CHANGE_LOG);
    let Ok(dn) = Dn::parse(schema, name) else { return Ok(false) };
    Ok(ctx.decider().decide_new(&dn, &top(schema))?.is_visible())
}

/// The entry above all changes.
pub(super) fn top(schema: &Schema) -> Entry {
    let list =
        [("objectClass", vec!["top", "applicationProcess"]), ("cn", vec!["changelog"]), ("entryDN", vec![CHANGE_LOG])];
    let mut attributes = Attributes::new();
    for (name, values) in list {
        put(&mut attributes, name, values.into_iter().map(|value| value.as_bytes().to_vec()).collect(), schema);
    }
    Entry::encode(&attributes, schema)
}

/// A change as an entry, and its name.
pub(super) fn entry(change: &LoggedChange, schema: &Schema) -> (String, Entry) {
    let (number, record) = (change.sequence.to_string(), &change.record);
    let name = format!("changeNumber={number},{CHANGE_LOG}");
    let mut attributes = Attributes::new();
    let one = |text: &str| vec![text.as_bytes().to_vec()];
    put(&mut attributes, "objectClass", vec![b"top".to_vec(), b"changeLogEntry".to_vec()], schema);
    put(&mut attributes, "changeNumber", one(&number), schema);
    put(&mut attributes, "targetDN", one(&record.target), schema);
    put(&mut attributes, "targetEntryUUID", one(&record.uuid.to_string()), schema);
    put(&mut attributes, "targetUniqueId", one(&unique_id(record.uuid)), schema);
    put(&mut attributes, "changeType", one(record.kind.word()), schema);
    if record.kind == LogKind::ModifyDn {
        put_new_name(&mut attributes, &record.changes, schema);
    } else if !record.changes.is_empty() {
        put(&mut attributes, "changes", one(&record.changes), schema);
    }
    put(&mut attributes, "creatorsName", one(&record.actor), schema);
    put(&mut attributes, "createTimestamp", one(&record.time.to_string()), schema);
    put(&mut attributes, "entryDN", one(&name), schema);
    let entry = Entry::encode(&attributes, schema);
    (name, entry)
}

/// An identity as Netscape's servers write it: four groups of eight digits.
fn unique_id(uuid: Uuid) -> String {
    let digits = uuid.simple().to_string();
    let groups: Vec<&str> = (0..4).filter_map(|group| digits.get(group * 8..group * 8 + 8)).collect();
    groups.join("-")
}

fn put_new_name(attributes: &mut Attributes, lines: &str, schema: &Schema) {
    let text = format!("dn:\nchangetype: modrdn\n{lines}");
    let Some(Ok(ldif::Record { body, .. })) = ldif::Reader::new(text.as_bytes()).next() else { return };
    let ldif::Body::ModifyDn { new_rdn, delete_old_rdn, new_superior } = body else { return };
    put(attributes, "newRDN", vec![new_rdn.into_bytes()], schema);
    put(attributes, "deleteOldRDN", vec![if delete_old_rdn { b"TRUE".to_vec() } else { b"FALSE".to_vec() }], schema);
    put(attributes, "newSuperior", new_superior.map(String::into_bytes).into_iter().collect(), schema);
}

fn put(attributes: &mut Attributes, name: &str, values: Vec<Vec<u8>>, schema: &Schema) {
    if let (Some(description), false) = (schema.describe(name), values.is_empty()) {
        attributes.push(Attribute { description, values });
    }
}
