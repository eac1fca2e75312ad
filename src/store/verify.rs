//! Looking whether everything in a store fits together; nothing is changed.

use std::collections::HashMap;
use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use super::engine::{Family, Go, Snapshot};
use super::index::Indexes;
use super::key::{self, Postings};
use super::{Store, StoreError, format, importing, record};
use crate::directory::tree::{EntryId, Node};
use crate::directory::{Dn, Rdn, Schema};

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// How many entries there are.
    pub entries: u64,
    /// How many of them have a password or its state.
    pub credentials: u64,
    /// How many postings the indexes hold.
    pub postings: u64,
    /// What is wrong, in sentences; at most [`Report::MOST`].
    pub faults: Vec<String>,
    /// Names in entries that no entry has. That is legal, and often not meant.
    pub dangling: Vec<String>,
}

impl Report {
    /// More sentences of one kind help nobody.
    pub const MOST: usize = 100;

    fn fault(&mut self, text: String) {
        if self.faults.len() < Self::MOST {
            self.faults.push(text);
        }
    }

    /// What belongs to a number that has not been given out yet would come into the hands of the next new entry.
    fn check_number(&mut self, family: Family, id: Option<EntryId>, last: EntryId) {
        let Some(id) = id.filter(|id| *id > last) else { return };
        let what = match family {
            Family::Entry => "an entry has",
            Family::Credentials => "credentials have",
            Family::Name => "a name leads to",
            Family::Uuid => "a UUID leads to",
            Family::Index | Family::Log | Family::Event | Family::Meta => "an index names",
        };
        self.fault(format!(
            "{what} the number {}, which will be given to a new entry (the last one is {}); export, and import into a fresh \
             folder",
            id.0, last.0
        ));
    }
}

/// A sum over a set, whatever its order: equal sums mean equal sets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Sum {
    count: u64,
    hash: u64,
}

impl Sum {
    fn add(&mut self, octets: &[u8]) {
        let mut hasher = SipHasher13::new();
        hasher.write(octets);
        self.count += 1;
        self.hash = self.hash.wrapping_add(hasher.finish());
    }
}

impl Store {
    /// Looks at every record: whether it can be read, whether names, identities and indexes lead to the entries and
    /// nowhere else. `progress` is called with the number of entries looked at.
    pub fn verify(&self, progress: &mut dyn FnMut(u64)) -> Result<Report, StoreError> {
        let view = self.shared.current.load_full();
        let snapshot = view.snapshot();
        let (schema, indexes) = (view.schema(), view.indexes());
        let last = format::last_id(snapshot)?;
        let mut report = Report::default();
        let mut parents: HashMap<EntryId, Option<EntryId>> = HashMap::new();
        let (mut expected, mut names, mut uuids) = (Sum::default(), Sum::default(), Sum::default());
        snapshot.scan(Family::Entry, &[], &mut |key, value| {
            report.entries += 1;
            progress(report.entries);
            let Some(id) = key::entry_id(key) else {
                report.fault(format!("an entry has the malformed key {}", key.escape_ascii()));
                return Go::On;
            };
            report.check_number(Family::Entry, Some(id), last);
            match record::decode_node(id, &bytes::Bytes::copy_from_slice(value)) {
                Ok(node) => {
                    parents.insert(id, node.parent);
                    names.add(&[name_key(&node, schema), key.to_vec()].concat());
                    uuids.add(&[node.uuid.as_bytes(), key].concat());
                    for posting in indexes.postings(&node.entry, schema) {
                        expected.add(&posting.key(id));
                    }
                    let credentials = view.credentials(id).ok().flatten();
                    let password = schema.known().user_password;
                    let elsewhere = credentials.is_some_and(|it| it.entry.has(password)).then_some(password);
                    if let Err(error) = schema.check_entry(&node.entry.decode(), elsewhere.as_slice()) {
                        report.fault(format!("entry {} ({}): {error}", id.0, node.rdn));
                    }
                    dangling(&node, &view, schema, &mut report);
                }
                Err(error) => report.fault(error.to_string()),
            }
            Go::On
        })?;
        for (id, parent) in &parents {
            if parent.is_some_and(|parent| !parents.contains_key(&parent)) {
                report.fault(format!("entry {} stands below an entry that does not exist", id.0));
            }
        }
        verify_leads(snapshot, &mut report, names, uuids)?;
        verify_credentials(snapshot, &mut report, &parents)?;
        let mut found = Sum::default();
        snapshot.scan(Family::Index, &[], &mut |key, value| {
            report.check_number(Family::Index, importing::leads_to(Family::Index, key, value), last);
            found.add(key);
            Go::On
        })?;
        report.postings = found.count;
        if found != expected {
            report.fault(format!("the indexes hold {} postings, and the entries have {}", found.count, expected.count));
            self.name_wrong_postings(&mut report, indexes, schema)?;
        }
        Ok(report)
    }

    /// The sums differ: find out which postings are missing or too many. Slow, and needed only when something is wrong.
    fn name_wrong_postings(&self, report: &mut Report, indexes: &Indexes, schema: &Schema) -> Result<(), StoreError> {
        let view = self.shared.current.load_full();
        let snapshot = view.snapshot();
        let mut missing: Vec<(EntryId, Postings)> = Vec::new();
        let mut failure = None;
        snapshot.scan(Family::Entry, &[], &mut |key, value| {
            let id = key::entry_id(key).unwrap_or(EntryId(0));
            let Ok(node) = record::decode_node(id, &bytes::Bytes::copy_from_slice(value)) else { return Go::On };
            for posting in indexes.postings(&node.entry, schema) {
                match snapshot.get(Family::Index, &posting.key(id)) {
                    Ok(None) => missing.push((id, posting)),
                    Ok(Some(_)) => {}
                    Err(error) => failure = Some(error),
                }
            }
            if missing.len() >= Report::MOST || failure.is_some() { Go::Stop } else { Go::On }
        })?;
        for (id, posting) in missing {
            report.fault(format!("an index lacks entry {} ({})", id.0, describe(posting.octets(), schema)));
        }
        let mut extra = Vec::new();
        snapshot.scan(Family::Index, &[], &mut |key, _| {
            let id = key::posting_id(key).unwrap_or(EntryId(0));
            let node = view.node(id).ok().flatten();
            let has = node.is_some_and(|node| indexes.postings(&node.entry, schema).iter().any(|p| *p.key(id) == *key));
            if !has {
                extra.push(format!("an index names entry {} wrongly ({})", id.0, describe(key, schema)));
            }
            if extra.len() >= Report::MOST { Go::Stop } else { Go::On }
        })?;
        for text in extra {
            report.fault(text);
        }
        failure.map_or(Ok(()), Err)
    }
}

/// Whether names and identities lead to the entries, each to one.
fn verify_leads(snapshot: &Snapshot, report: &mut Report, names: Sum, uuids: Sum) -> Result<(), StoreError> {
    let last = format::last_id(snapshot)?;
    for (family, expected, what) in [(Family::Name, names, "names"), (Family::Uuid, uuids, "UUIDs")] {
        let mut found = Sum::default();
        snapshot.scan(family, &[], &mut |key, value| {
            report.check_number(family, importing::leads_to(family, key, value), last);
            found.add(&[key, value].concat());
            Go::On
        })?;
        if found != expected {
            report.fault(format!("{} {what} are recorded, and the entries have {}", found.count, expected.count));
        }
    }
    Ok(())
}

fn verify_credentials(
    snapshot: &Snapshot,
    report: &mut Report,
    entries: &HashMap<EntryId, Option<EntryId>>,
) -> Result<(), StoreError> {
    let last = format::last_id(snapshot)?;
    snapshot.scan(Family::Credentials, &[], &mut |key, value| {
        report.credentials += 1;
        let id = key::entry_id(key).unwrap_or(EntryId(0));
        report.check_number(Family::Credentials, Some(id), last);
        if let Err(error) = record::decode_credentials(id, &bytes::Bytes::copy_from_slice(value)) {
            report.fault(format!("credentials: {error}"));
        }
        if !entries.contains_key(&id) {
            report.fault(format!("entry {}, which does not exist, has credentials", id.0));
        }
        Go::On
    })
}

fn name_key(node: &Node, schema: &Schema) -> Vec<u8> {
    let rdn_key: Box<[u8]> = match node.parent {
        Some(_) => Rdn::parse(schema, &node.rdn).map(|rdn| rdn.key().into()).unwrap_or_default(),
        None => Dn::parse(schema, &node.rdn).map(|dn| dn.key().into()).unwrap_or_default(),
    };
    key::name(node.parent, &rdn_key)
}

fn describe(posting: &[u8], schema: &Schema) -> String {
    let [high, low, kind, ..] = posting else { return "malformed".to_owned() };
    let id = crate::directory::AttributeTypeId(u16::from_be_bytes([*high, *low]));
    let kind = super::IndexKind::of_number(*kind).map_or("unknown", super::IndexKind::word);
    format!("{kind} index of {}", schema.attribute_type(id).name())
}

fn is_policy(id: EntryId, view: &super::View, schema: &Schema) -> bool {
    let node = view.node(id).ok().flatten();
    let is_class = |class: &[u8]| class.eq_ignore_ascii_case(b"pwdPolicy");
    node.is_none_or(|node| node.entry.values(schema.known().object_class).any(is_class))
}

/// Notes references that lead to no entry, and what is named as a policy and is none.
fn dangling(node: &Node, view: &super::View, schema: &Schema, report: &mut Report) {
    let known = schema.known();
    let references = [
        known.member,
        known.unique_member,
        known.pwd_policy_subentry,
        known.pwd_applies_to_group,
        known.pwd_applies_to_subtree,
    ];
    for id in references {
        for value in node.entry.values(id) {
            let text = String::from_utf8_lossy(value);
            let found = Dn::parse(schema, &text).ok().and_then(|dn| view.find(&dn).ok()?.entry());
            let fault = match found {
                None => "does not exist",
                Some(found) if id == known.pwd_policy_subentry && !is_policy(found, view, schema) => {
                    "is no password policy"
                }
                Some(_) => continue,
            };
            if report.dangling.len() < Report::MOST {
                let attribute = schema.attribute_type(id).name();
                report.dangling.push(format!("{} has {attribute} {text}, which {fault}", node.rdn));
            }
        }
    }
}
