//! What is read before anybody asks: after a start nothing is kept decoded, and reading each entry when it is first asked for
//! takes several times as long as reading them all in their order.

use super::engine::{Family, Go};
use super::index::{IndexKind, Indexes};
use super::key;
use super::memo::ShortList;
use super::recent::{Recent, SHORT};
use super::{Store, StoreError};
use crate::directory::tree::{Directory, EntryId, Version};

/// So many records are read before it is asked whether to go on.
const AT_ONCE: usize = 512;

/// Keeps a record, which has a key and a value and was read at a commit; may say with which key to go on.
type Keep<'k> = dyn FnMut(&Recent, &[u8], &[u8], Version) -> Option<Vec<u8>> + 'k;

/// How many records were read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Warmed {
    /// Entries.
    pub entries: u64,
    /// Credentials.
    pub credentials: u64,
    /// Names.
    pub names: u64,
    /// Postings by which the server itself finds entries.
    pub postings: u64,
}

impl Store {
    /// Reads entries, what is kept beside them and what they are found by, as many as are kept decoded, while `goes_on` says so.
    ///
    /// # Errors
    ///
    /// The disk cannot be read. What is damaged is passed over: who asks for it is told.
    pub fn warm(&self, goes_on: &mut dyn FnMut() -> bool) -> Result<Warmed, StoreError> {
        let mut records = |family| {
            let keep = &mut |recent: &Recent, key: &[u8], value: &[u8], at| {
                recent.keep_record(family, key, value, at);
                None
            };
            self.read_ahead((family, &[]), goes_on, keep)
        };
        let entries = records(Family::Entry)?;
        let credentials = records(Family::Credentials)?;
        let names = records(Family::Name)?;
        let postings = self.read_lists(goes_on)?;
        Ok(Warmed { entries, credentials, names, postings })
    }

    fn read_lists(&self, goes_on: &mut dyn FnMut() -> bool) -> Result<u64, StoreError> {
        let view = self.view();
        let mut read = 0;
        for attribute in Indexes::needed(view.schema()) {
            let prefix = key::index_prefix(attribute, IndexKind::Equality);
            let mut list = List::default();
            let take = &mut |recent: &Recent, key: &[u8], _: &[u8], at| list.take(recent, key, at);
            read += self.read_ahead((Family::Index, &prefix), goes_on, take)?;
            list.keep(view.recent());
        }
        Ok(read)
    }

    /// Has records whose keys begin alike kept, from the first on, and says how many.
    fn read_ahead(
        &self,
        (family, prefix): (Family, &[u8]),
        goes_on: &mut dyn FnMut() -> bool,
        keep: &mut Keep<'_>,
    ) -> Result<u64, StoreError> {
        let (mut next, mut read) = (Some(prefix.to_vec()), 0);
        while let Some(from) = next.take() {
            // Each time as it is now: a moment that is looked at for long keeps what has been removed since.
            let view = self.view();
            let (recent, at) = (view.recent(), view.version());
            if recent.is_full(family) || !goes_on() {
                break;
            }
            let mut left = AT_ONCE;
            view.snapshot().scan_once(family, &from, &mut |key, value| {
                if !key.starts_with(prefix) {
                    return Go::Stop;
                }
                if left == 0 {
                    next = Some(key.to_vec());
                    return Go::Stop;
                }
                left -= 1;
                read += 1;
                next = keep(recent, key, value, at);
                if next.is_some() { Go::Stop } else { Go::On }
            })?;
        }
        Ok(read)
    }
}

/// A list of postings that is being read.
#[derive(Default)]
struct List {
    postings: Vec<u8>,
    ids: ShortList,
    /// The commit at which its first one was read.
    since: Version,
}

impl List {
    /// Takes one posting; of a list that is too long to be kept, says what comes behind it.
    fn take(&mut self, recent: &Recent, key: &[u8], at: Version) -> Option<Vec<u8>> {
        let postings = key::postings_of(key);
        if postings != self.postings {
            self.keep(recent);
            postings.clone_into(&mut self.postings);
            self.ids.clear();
            self.since = at;
        }
        self.ids.extend(key::posting_id(key));
        (self.ids.len() > SHORT).then(|| [postings, &key::entry(EntryId(u32::MAX))].concat())
    }

    fn keep(&self, recent: &Recent) {
        if !self.ids.is_empty() {
            recent.keep_postings(&self.postings, self.since, self.ids.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{SUFFIX, add, find, open, place, uuid};
    use super::super::{Existence, key::Postings};
    use super::*;
    use crate::directory::tree::{Change, Write};
    use crate::directory::{Attributes, Entry};

    const PEOPLE: usize = 600;

    fn dn(number: usize) -> String {
        format!("uid=person{number},dc=example")
    }

    /// A person whose `uid` is that.
    fn insert(store: &Store, dn: &str, uid: &str) -> Write {
        let view = store.view();
        let mut attributes = Attributes::new();
        attributes.set_one(view.schema().known().uid, uid);
        let entry = Entry::encode(&attributes, view.schema());
        Write::Insert { uuid: uuid(dn), place: place(store, dn), entry, credentials: None }
    }

    fn store(folder: &tempfile::TempDir) -> Store {
        let store = open(folder.path(), Existence::Forbidden).unwrap();
        add(&store, SUFFIX);
        let writes = (0..PEOPLE).map(|number| insert(&store, &dn(number), &format!("person{number}"))).collect();
        store.commit(Change { writes, ..Change::none() }).unwrap();
        drop(store);
        open(folder.path(), Existence::Required).unwrap()
    }

    fn postings(store: &Store, uid: &str) -> Postings {
        Postings::equality(store.view().schema().known().uid, uid.as_bytes())
    }

    #[test]
    fn what_has_been_read_ahead_is_known_without_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let view = store.view();
        let known = || view.recent().postings(postings(&store, "person77").octets(), view.version());
        assert_eq!(known(), None);
        let read = store.warm(&mut || true).unwrap();
        assert_eq!((read.entries, read.names), (PEOPLE as u64 + 1, PEOPLE as u64 + 1));
        let id = find(&store, &dn(77)).unwrap();
        assert_eq!(known(), Some(ShortList::from_slice(&[id])));
        for number in [0, 77, PEOPLE - 1] {
            let id = find(&store, &dn(number)).unwrap();
            let node = view.recent().node(id, view.version(), || -> Result<_, ()> { Err(()) });
            assert_eq!(node.unwrap().unwrap().uuid, uuid(&dn(number)));
        }
    }

    #[test]
    fn it_stops_when_it_is_told_to() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        assert_eq!(store.warm(&mut || false).unwrap(), Warmed::default());
        let mut turns = 1;
        let read = store.warm(&mut || std::mem::take(&mut turns) > 0).unwrap();
        assert_eq!((read.entries, read.credentials), (AT_ONCE as u64, 0));
    }

    #[test]
    fn what_was_read_ahead_gives_way_to_what_changes() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        store.warm(&mut || true).unwrap();
        let namesake = insert(&store, "cn=namesake,dc=example", "person77");
        store.commit(Change { writes: vec![namesake], ..Change::none() }).unwrap();
        let both = ["uid=person77,dc=example", "cn=namesake,dc=example"].map(|dn| find(&store, dn).unwrap());
        assert_eq!(store.view().listed(&postings(&store, "person77")).unwrap().as_slice(), both);
    }
}
