//! A bulk load that was broken off, and how the store becomes again what it was before.
//!
//! A load brings its files in one after another, and only then moves the position. Before the first file it says so, in
//! the family `meta`; the batch that moves the position takes that back. Whoever opens the store for writing and finds it
//! said removes what the load has left: everything that belongs to a number that had not been given out before. Else the
//! next new entry would get the number of one that was half loaded, and with it that one's password.
//!
//! ```text
//! importing  the last number that was given out before, u32
//! ```

use super::StoreError;
use super::engine::{Batch, Engine, Family, Go};
use super::key;
use crate::directory::tree::EntryId;

const KEY: &[u8] = b"importing";

/// The families that a load writes to.
const LOADED: [Family; 5] = [Family::Index, Family::Name, Family::Uuid, Family::Credentials, Family::Entry];

/// No key of these families is greater.
const BEYOND: [u8; 32] = [0xff; 32];

/// So many keys are removed at once.
const AT_ONCE: usize = 10_000;

/// Says, on disk when this returns, that numbers above `last` are being loaded.
pub(super) fn begin(engine: &Engine, last: EntryId) -> Result<(), StoreError> {
    let mut batch = engine.batch();
    batch.put(Family::Meta, KEY, &key::entry(last))?;
    batch.write()
}

/// Says that everything has been taken in.
pub(super) fn end(batch: &mut Batch<'_>) -> Result<(), StoreError> {
    batch.delete(Family::Meta, KEY)
}

/// The last number that was given out before a load that has not ended.
pub(super) fn begun(engine: &Engine) -> Result<Option<EntryId>, StoreError> {
    let damaged = || StoreError("the record of an import that was broken off is damaged".to_owned());
    let record = engine.get(Family::Meta, KEY)?;
    record.map(|record| key::entry_id(&record).ok_or_else(damaged)).transpose()
}

/// Makes the store what it was before a load that was broken off. If this is broken off, it is done again.
pub(super) fn take_back(engine: &Engine) -> Result<(), StoreError> {
    let Some(last) = begun(engine)? else { return Ok(()) };
    for family in LOADED {
        match (last, family) {
            // Nothing stood there before, and that is the usual case.
            (EntryId(0), _) => remove_from(engine, family, &[])?,
            (_, Family::Entry | Family::Credentials) => {
                remove_from(engine, family, &key::entry(EntryId(last.0.saturating_add(1))))?;
            }
            _ => sweep(engine, family, last)?,
        }
    }
    let mut batch = engine.batch();
    end(&mut batch)?;
    // Synced, and so is everything before it.
    batch.write()
}

fn remove_from(engine: &Engine, family: Family, first: &[u8]) -> Result<(), StoreError> {
    let mut batch = engine.batch();
    batch.delete_range(family, first, &BEYOND)?;
    batch.write_later()
}

/// Removes what leads to numbers above `last`.
fn sweep(engine: &Engine, family: Family, last: EntryId) -> Result<(), StoreError> {
    let mut start = Vec::new();
    loop {
        let mut doomed: Vec<Vec<u8>> = Vec::new();
        engine.scan(family, &start, &mut |key, value| {
            if leads_to(family, key, value) > Some(last) {
                doomed.push(key.to_vec());
            }
            if doomed.len() >= AT_ONCE { Go::Stop } else { Go::On }
        })?;
        let mut batch = engine.batch();
        for key in &doomed {
            batch.delete(family, key)?;
        }
        batch.write_later()?;
        let all = doomed.len() < AT_ONCE;
        match doomed.pop() {
            Some(key) if !all => start = key,
            _ => return Ok(()),
        }
    }
}

/// The entry that a record belongs to.
pub(super) fn leads_to(family: Family, key: &[u8], value: &[u8]) -> Option<EntryId> {
    match family {
        Family::Entry | Family::Credentials => key::entry_id(key),
        Family::Name | Family::Uuid => key::entry_id(value),
        Family::Index => key::posting_id(key),
        Family::Log | Family::Event | Family::Meta => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{SUFFIX, add, find, load, loader, open};
    use super::super::{Existence, OpenError};
    use super::*;
    use crate::directory::tree::Directory;

    const IMPORTED: [&str; 4] = [SUFFIX, "ou=people,dc=example", "cn=ada,ou=people,dc=example", "cn=bob,dc=example"];
    const FILES: usize = 5;

    /// A store into which an import was taken in as far as so many files, when the power went. `before` was there before.
    fn half_imported(folder: &std::path::Path, before: &[&str], files: usize) {
        let store = open(folder, Existence::Forbidden).unwrap();
        for dn in before {
            add(&store, dn);
        }
        drop(store);
        let mut loader = loader(folder);
        for dn in IMPORTED.iter().filter(|dn| !before.contains(*dn)) {
            load(&mut loader, dn);
        }
        loader.take_in(files).unwrap();
    }

    #[test]
    fn an_import_that_was_broken_off_leaves_nothing_behind() {
        for before in [&[][..], &[SUFFIX, "cn=eve,dc=example"]] {
            for files in 0..=FILES {
                let folder = tempfile::tempdir().unwrap();
                half_imported(folder.path(), before, files);
                let store = open(folder.path(), Existence::Required).unwrap();
                let report = store.verify(&mut |_| {}).unwrap();
                assert_eq!(report.faults, Vec::<String>::new(), "{files}");
                assert_eq!((report.entries, report.credentials), (before.len() as u64, 0), "{files}");
                for dn in IMPORTED.iter().chain(before) {
                    assert_eq!(find(&store, dn).is_some(), before.contains(dn), "{dn}");
                }
            }
        }
    }

    #[test]
    fn nobody_gets_the_password_of_an_import_that_was_broken_off() {
        for files in 0..=FILES {
            let folder = tempfile::tempdir().unwrap();
            half_imported(folder.path(), &[SUFFIX], files);
            let store = open(folder.path(), Existence::Required).unwrap();
            add(&store, "cn=new,dc=example");
            let id = find(&store, "cn=new,dc=example").unwrap();
            assert!(store.view().credentials(id).unwrap().is_none(), "{files}");
            assert_eq!(store.verify(&mut |_| {}).unwrap().faults, Vec::<String>::new(), "{files}");
        }
    }

    #[test]
    fn what_was_broken_off_can_be_begun_again() {
        let folder = tempfile::tempdir().unwrap();
        half_imported(folder.path(), &[SUFFIX], 3);
        let mut again = loader(folder.path());
        for dn in &IMPORTED[1..] {
            load(&mut again, dn);
        }
        again.finish().unwrap();
        let store = open(folder.path(), Existence::ReadOnly).unwrap();
        let report = store.verify(&mut |_| {}).unwrap();
        assert_eq!((report.faults.as_slice(), report.entries, report.credentials), (&[][..], 4, 3));
    }

    #[test]
    fn nobody_reads_half_an_import() {
        let folder = tempfile::tempdir().unwrap();
        half_imported(folder.path(), &[SUFFIX], 2);
        let refused = open(folder.path(), Existence::ReadOnly).unwrap_err();
        assert!(matches!(refused, OpenError::Importing(_)), "{refused}");
        drop(open(folder.path(), Existence::Required).unwrap());
        open(folder.path(), Existence::ReadOnly).unwrap();
    }

    #[test]
    fn what_has_a_number_that_was_never_given_out_is_found_and_is_nobodys_password() {
        let folder = tempfile::tempdir().unwrap();
        half_imported(folder.path(), &[SUFFIX], FILES);
        // What releases before this one left behind.
        let store = open(folder.path(), Existence::Required).unwrap();
        let mut batch = store.shared.engine.batch();
        let two = key::entry(EntryId(2));
        batch.put(Family::Credentials, &two, &[0; 8]).unwrap();
        batch.put(Family::Name, b"\0\0\0\x01cn=x", &two).unwrap();
        batch.put(Family::Uuid, &[9; 16], &two).unwrap();
        let posting = key::Postings::presence(crate::directory::AttributeTypeId(3)).key(EntryId(2));
        batch.put(Family::Index, &posting, b"").unwrap();
        batch.write().unwrap();
        drop(store);
        let store = open(folder.path(), Existence::Required).unwrap();
        let faults = store.verify(&mut |_| {}).unwrap().faults.join("\n");
        for what in ["credentials have", "a name leads to", "a UUID leads to", "an index names"] {
            assert!(faults.contains(&format!("{what} the number 2, which will be given")), "{faults}");
        }
        add(&store, "cn=new,dc=example");
        assert!(store.view().credentials(EntryId(2)).unwrap().is_none());
    }
}
