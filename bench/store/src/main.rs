//! How long the store takes to plan a search, to read an entry and to commit a change: alone, and with others that share the
//! wait for the disk. It works in a folder of its own, below the one that is given, or that for temporary files.
//!
//! For each line there are some rounds, of which the quickest counts: whatever else the machine does only adds to it.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use keystead::directory::filter::{Filter, Matcher};
use keystead::directory::schema::SchemaBuilder;
use keystead::directory::tree::{Change, Directory, Place, PlanBudget, Tree, Write};
use keystead::directory::{Attribute, Attributes, Dn, Entry, Rdn, Schema, Timestamp};
use keystead::store::{DEFAULT_CACHE, Existence, OpenOptions, Store};
use uuid::Uuid;

const SUFFIX: &str = "dc=example,dc=com";
const PEOPLE: u32 = 20_000;
const ROUNDS: usize = 5;

fn main() {
    let parent = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = parent.join(format!("keystead-store-bench-{}", std::process::id()));
    let measured = measure(&folder);
    // What is left behind would only fill the disk.
    let _ = std::fs::remove_dir_all(&folder);
    for (what, time) in measured {
        println!("{what:<60} {:>10.2} us", time.as_secs_f64() * 1e6);
    }
}

fn measure(folder: &Path) -> Vec<(String, Duration)> {
    let store = store(folder);
    let mut measured = Vec::new();
    let filters = ["(uid=p4711)", "(&(objectClass=inetOrgPerson)(uid=p4711))", "(sn=person 47*)", "(uid=nobody)"];
    for text in filters {
        let matcher = Matcher::prepare(&Filter::parse(text).unwrap(), store.view().schema());
        let plan = || black_box(store.view().plan(&matcher, PlanBudget::AT_ONCE).unwrap());
        measured.push((format!("plan {text}"), quickest(10_000, plan)));
    }
    let name = dn(store.view().schema(), &person(4_711));
    let read = || {
        let view = store.view();
        let id = view.find(&name).unwrap().entry().unwrap();
        black_box(view.node(id).unwrap().unwrap())
    };
    measured.push(("find a name and read its entry".to_owned(), quickest(10_000, read)));
    let mut number = 0;
    let alone = || {
        number += 1;
        store.commit(replacement(&store, number % PEOPLE)).unwrap()
    };
    measured.push(("commit one change, synced".to_owned(), quickest(500, alone)));
    let mut number = 0;
    let together = || {
        let (done, all_done) = channel();
        for _ in 0..64 {
            number += 1;
            let done = done.clone();
            store.submit(replacement(&store, number % PEOPLE), Box::new(move |result| done.send(result).unwrap()));
        }
        drop(done);
        assert!(all_done.iter().all(|result| result.is_ok()));
    };
    measured.push(("each of 64 changes that are committed together, synced".to_owned(), quickest(50, together) / 64));
    measured
}

/// The time that `work` takes once, by the quickest of some rounds.
fn quickest<R>(times: u32, mut work: impl FnMut() -> R) -> Duration {
    let round = |_| {
        let began = Instant::now();
        (0..times).for_each(|_| drop(work()));
        began.elapsed() / times
    };
    (0..ROUNDS).map(round).min().unwrap_or_default()
}

fn store(folder: &Path) -> Store {
    let store = Store::open(&OpenOptions {
        path: folder,
        existence: Existence::Forbidden,
        suffixes: &[SUFFIX.to_owned()],
        indexes: None,
        cache_octets: DEFAULT_CACHE,
        now: Timestamp::default(),
        schema: &|numbering| SchemaBuilder::new().with_numbering(numbering).add_standard()?.build(),
    })
    .unwrap();
    let schema = std::sync::Arc::clone(store.view().schema());
    let domain = entry(&schema, &[("objectClass", "domain"), ("dc", "example")]);
    add(&store, vec![(uuid(0), Place::Suffix(dn(&schema, SUFFIX)), domain)]);
    let unit = entry(&schema, &[("objectClass", "organizationalUnit"), ("ou", "people")]);
    add(&store, vec![(uuid(1), below(&schema, 0, "ou=people"), unit)]);
    for first in (0..PEOPLE).step_by(1_000) {
        let one =
            |number| (uuid(number + 2), below(&schema, 1, &format!("uid=p{number}")), somebody(&schema, number, "now"));
        add(&store, (first..first + 1_000).map(one).collect());
    }
    store
}

fn add(store: &Store, all: Vec<(Uuid, Place, Entry)>) {
    let insert = |(uuid, place, entry)| Write::Insert { uuid, place, entry, credentials: None };
    store.commit(Change { writes: all.into_iter().map(insert).collect(), ..Change::none() }).unwrap();
}

/// A change of the description of one of the people.
fn replacement(store: &Store, number: u32) -> Change {
    let view = store.view();
    let id = view.find_uuid(uuid(number + 2)).unwrap().unwrap();
    let node = view.node(id).unwrap().unwrap();
    let mut attributes = node.entry.decode();
    let description = view.schema().describe("description").unwrap();
    *attributes.values_mut(&description) = vec![format!("changed at {}", node.version).into_bytes()];
    let entry = Entry::encode(&attributes, view.schema());
    Change { writes: vec![Write::Replace { uuid: node.uuid, version: node.version, entry }], ..Change::none() }
}

fn person(number: u32) -> String {
    format!("uid=p{number},ou=people,{SUFFIX}")
}

fn somebody(schema: &Schema, number: u32, description: &str) -> Entry {
    let (uid, sn) = (format!("p{number}"), format!("Person {number}"));
    let mail = format!("{uid}@example.com");
    let values = [
        ("objectClass", "inetOrgPerson"),
        ("uid", &uid),
        ("cn", &sn),
        ("sn", &sn),
        ("mail", &mail),
        ("telephoneNumber", "+49 30 1234567"),
        ("description", description),
    ];
    entry(schema, &values)
}

fn entry(schema: &Schema, values: &[(&str, &str)]) -> Entry {
    let attribute = |(name, value): &(&str, &str)| Attribute {
        description: schema.describe(name).unwrap(),
        values: vec![value.as_bytes().to_vec()],
    };
    Entry::encode(&values.iter().map(attribute).collect::<Attributes>(), schema)
}

fn below(schema: &Schema, parent: u32, rdn: &str) -> Place {
    let rdn = Rdn::parse(schema, rdn).unwrap();
    Place::Below { parent: uuid(parent), rdn: rdn.as_str().into(), key: rdn.key().into() }
}

fn dn(schema: &Schema, text: &str) -> Dn {
    Dn::parse(schema, text).unwrap()
}

fn uuid(number: u32) -> Uuid {
    Uuid::from_u128(u128::from(number) + 1)
}
