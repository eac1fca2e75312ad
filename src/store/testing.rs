//! What tests of the store need: a store in a folder of its own, and entries in it.

use std::path::Path;

use uuid::Uuid;

use super::bulk::{BulkLoader, LoadedEntry};
use super::{Existence, OpenError, OpenOptions, Store};
use crate::directory::schema::{SchemaBuilder, SchemaError};
use crate::directory::tree::{Change, Directory, EntryId, Place, Write};
use crate::directory::{AttributeTypeId, Attributes, Dn, Entry, Rdn, Schema, Timestamp};

pub(super) const SUFFIX: &str = "dc=example";

/// Opens a store at that time, with a schema of its own.
pub(super) fn open_by(
    path: &Path,
    existence: Existence,
    now: Timestamp,
    schema: &dyn Fn(Vec<(String, AttributeTypeId)>) -> Result<Schema, SchemaError>,
) -> Result<Store, OpenError> {
    let suffixes = &[SUFFIX.to_owned()];
    Store::open(&OpenOptions { path, existence, suffixes, indexes: None, cache_octets: 16 << 20, now, schema })
}

fn with_options<R>(path: &Path, existence: Existence, open: impl FnOnce(&OpenOptions<'_>) -> R) -> R {
    open(&OpenOptions {
        path,
        existence,
        suffixes: &[SUFFIX.to_owned()],
        indexes: None,
        cache_octets: 16 << 20,
        now: Timestamp::default(),
        schema: &|numbering| SchemaBuilder::new().with_numbering(numbering).add_standard()?.build(),
    })
}

pub(super) fn open(path: &Path, existence: Existence) -> Result<Store, OpenError> {
    with_options(path, existence, Store::open)
}

/// A loader of a store that exists.
pub(super) fn loader(path: &Path) -> BulkLoader {
    with_options(path, Existence::Required, BulkLoader::open).unwrap()
}

pub(super) fn parse(store: &Store, dn: &str) -> Dn {
    Dn::parse(store.view().schema(), dn).unwrap()
}

/// The entry of that name.
pub(super) fn find(store: &Store, dn: &str) -> Option<EntryId> {
    store.view().find(&parse(store, dn)).unwrap().entry()
}

/// An identity that follows from the name.
pub(super) fn uuid(dn: &str) -> Uuid {
    Uuid::from_slice(&dn.bytes().chain([7; 16]).take(16).collect::<Vec<_>>()).unwrap()
}

fn attributes(schema: &Schema, dn: &str) -> Attributes {
    let known = schema.known();
    let mut attributes = Attributes::new();
    attributes.set_one(known.object_class, "person");
    attributes.set_one(known.cn, dn);
    attributes.set_one(known.sn, dn);
    attributes
}

fn password(schema: &Schema, password: &str) -> Entry {
    let mut attributes = Attributes::new();
    attributes.set_one(schema.known().user_password, password);
    Entry::encode(&attributes, schema)
}

/// Where an entry of that name is to stand; its RDN follows the one above.
pub(super) fn place(store: &Store, dn: &str) -> Place {
    let view = store.view();
    match dn.split_once(',') {
        None => Place::Suffix(parse(store, dn)),
        Some((rdn, above)) => {
            let rdn = Rdn::parse(view.schema(), rdn).unwrap();
            let above = view.node(find(store, above).unwrap()).unwrap().unwrap();
            Place::Below { parent: above.uuid, rdn: rdn.as_str().into(), key: rdn.key().into() }
        }
    }
}

/// Makes one write.
pub(super) fn write(store: &Store, write: Write) {
    store.commit(Change { writes: vec![write], ..Change::none() }).unwrap();
}

/// Adds an entry without a password.
pub(super) fn add(store: &Store, dn: &str) {
    let entry = Entry::encode(&attributes(store.view().schema(), dn), store.view().schema());
    write(store, Write::Insert { uuid: uuid(dn), place: place(store, dn), entry, credentials: None });
}

/// Loads an entry whose password is its name.
pub(super) fn load(loader: &mut BulkLoader, dn: &str) {
    let schema = std::sync::Arc::clone(loader.schema());
    let one = LoadedEntry {
        dn: Dn::parse(&schema, dn).unwrap(),
        uuid: uuid(dn),
        entry: Entry::encode(&attributes(&schema, dn), &schema),
        credentials: Some(password(&schema, dn)),
    };
    let prepared = loader.preparer().prepare(one);
    let csn = loader.csn();
    loader.add(prepared, csn).unwrap();
}
