//! A scene for measuring decisions about access: a tree, somebody, and rules.

mod searching;

use std::sync::Arc;

use keystead::access::{Actor, Circumstances, Decider, RuleText, Rules};
use keystead::directory::tree::memory::{MemoryDirectory, MemoryTree};
use keystead::directory::tree::{Change, Directory, Node, Place, Tree, Write};
use keystead::directory::{Attribute, Attributes, Dn, Entry, Identity, Schema, Timestamp};

/// A tree with many people, of whom one asks, and a group that all are in.
pub struct Scene {
    tree: MemoryTree,
    nodes: Vec<Node>,
    identity: Identity,
}

const SUFFIX: &str = "dc=example,dc=com";

impl Scene {
    /// A tree with that many people.
    pub fn of(people: u32) -> Self {
        let schema = Schema::standard();
        let directory = MemoryDirectory::new(Arc::clone(&schema), vec![dn(&schema, SUFFIX)]);
        let name = |number| format!("uid=p{number},ou=people,{SUFFIX}");
        let domain = entry(&schema, &[("objectClass", "domain"), ("dc", "example")]);
        let place = Place::Suffix(dn(&schema, SUFFIX));
        let mut writes = vec![Write::Insert { uuid: uuid(0), place, entry: domain, credentials: None }];
        let unit = entry(&schema, &[("objectClass", "organizationalUnit")]);
        writes.push(below(&schema, uuid(0), &format!("ou=people,{SUFFIX}"), unit, 1));
        for number in 0..people {
            let (uid, title) = (format!("p{number}"), if number % 2 == 0 { "Clerk" } else { "Porter" });
            let manager = name(number / 10);
            let attributes = [
                ("objectClass", "inetOrgPerson"),
                ("uid", &uid),
                ("cn", &uid),
                ("sn", "Person"),
                ("title", title),
                ("mail", "somebody@example.com"),
                ("telephoneNumber", "+49 30 1234567"),
                ("manager", &manager),
            ];
            writes.push(below(&schema, uuid(1), &name(number), entry(&schema, &attributes), number + 2));
        }
        let members: Vec<String> = (0..people).map(name).collect();
        let mut attributes = vec![("objectClass", "groupOfNames"), ("cn", "all")];
        attributes.extend(members.iter().map(|member| ("member", member.as_str())));
        writes.push(below(&schema, uuid(0), &format!("cn=all,{SUFFIX}"), entry(&schema, &attributes), people + 2));
        commit(&directory, writes);
        let tree = directory.view();
        let id = tree.find(&dn(&schema, &name(0))).unwrap().entry().unwrap();
        let identity =
            Identity::Entry { uuid: tree.node(id).unwrap().unwrap().uuid, dn: tree.dn(id).unwrap().unwrap() };
        let nodes = tree.nodes_after(None, usize::MAX).unwrap();
        Self { tree, nodes, identity }
    }

    /// Makes rules ready.
    pub fn rules(&self, texts: &[RuleText]) -> Rules {
        Rules::prepare(texts, self.tree.schema()).unwrap()
    }

    /// Finds out about who asks.
    pub fn actor(&self, rules: &Rules) -> Actor {
        let noon = Timestamp::parse(b"20260601120000Z").unwrap();
        Actor::find(self.identity.clone(), &Circumstances::unknown(noon), rules, &self.tree).unwrap()
    }

    /// Decides for every entry, in batches as a search does; how many are visible.
    pub fn decide_all(&self, rules: &Rules, actor: &Actor) -> usize {
        let mut visible = 0;
        for batch in self.nodes.chunks(64) {
            let mut decider = Decider::new(rules, actor, self.tree.schema());
            for node in batch {
                visible += usize::from(decider.decide(node, &self.tree).unwrap().is_visible());
            }
        }
        visible
    }

    /// How many entries there are.
    pub fn entries(&self) -> usize {
        self.nodes.len()
    }
}

/// A rule that lets somebody see some entries.
pub fn see(who: &str, to: &str) -> RuleText {
    RuleText {
        name: "see".into(),
        who: vec![who.into()],
        to: vec![to.into()],
        allow: ["search", "read", "compare"].map(str::to_owned).to_vec(),
        ..RuleText::default()
    }
}

fn dn(schema: &Schema, text: &str) -> Dn {
    Dn::parse(schema, text).unwrap()
}

fn uuid(number: u32) -> uuid::Uuid {
    uuid::Uuid::from_u128(u128::from(number) + 1)
}

fn entry(schema: &Schema, values: &[(&str, &str)]) -> Entry {
    let mut attributes = Attributes::new();
    for (name, value) in values {
        let description = schema.describe(name).unwrap();
        match attributes.get(&description) {
            Some(_) => attributes.values_mut(&description).push(value.as_bytes().to_vec()),
            None => attributes.push(Attribute { description, values: vec![value.as_bytes().to_vec()] }),
        }
    }
    Entry::encode(&attributes, schema)
}

/// What adds an entry below one that there is.
fn below(schema: &Schema, parent: uuid::Uuid, name: &str, entry: Entry, number: u32) -> Write {
    let name = dn(schema, name);
    let (rdn, key) = name.rdns().next().unwrap();
    let place = Place::Below { parent, rdn: rdn.into(), key: key.into() };
    Write::Insert { uuid: uuid(number), place, entry, credentials: None }
}

fn commit(directory: &MemoryDirectory, writes: Vec<Write>) {
    directory.commit(Change { writes, log: Vec::new(), ..Change::none() }).unwrap();
}
