//! Whatever is done to them, the reference tree in memory and the store agree, and indexes lose nothing.

use keystead::directory::tree::Directory;
use keystead::directory::tree::Scope::{BaseObject, SingleLevel, Subordinates, WholeSubtree};
use keystead::directory::{Filter, ldif};
use keystead::protocol::Response;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::scene::{FoundEntry, SUFFIX, Scene, full, policy_control, requests};

/// Something that is done to a directory.
#[derive(Clone, Debug)]
enum Step {
    /// Somebody sends the request of an LDIF record.
    Change { who: &'static str, record: String },
    /// Somebody sets a password.
    SetPassword { who: &'static str, whose: Option<String>, old: Option<String>, new: Option<String> },
    /// Somebody binds.
    Bind { name: String, password: String },
    /// Time passes.
    Wait(u64),
    /// The server is started again.
    Restart,
}

/// Names, most of which exist now and then.
fn name() -> impl Strategy<Value = String> {
    let names = [
        "uid=alice,ou=people",
        "uid=bob,ou=people",
        "UID=Alice, OU=People",
        "uid=carla,ou=people",
        "uid=dora,ou=people",
        "cn=staff,ou=groups",
        "cn=helpdesk,ou=groups",
        "cn=administrators,ou=groups",
        "cn=new,ou=groups",
        "ou=people",
        "ou=groups",
        "cn=below,uid=carla,ou=people",
        "uid=carla,ou=groups",
        "cn=default,ou=policies",
        "ou=deep,ou=groups",
        "cn=x,ou=deep,ou=groups",
        "cn=a\\, b+sn=c,ou=people",
    ];
    select(names.to_vec()).prop_map(full)
}

fn password() -> impl Strategy<Value = String> {
    let few =
        ["alice's password", "bob's password", "a much better secret", "another good secret", "short", "wrong", ""];
    select(few.to_vec()).prop_map(str::to_owned)
}

fn who() -> impl Strategy<Value = &'static str> {
    select(&["root", "root", "root", "cn=admin", "hanna", "henry", "anonymous"][..])
}

/// A value that attributes of several syntaxes take, or refuse.
fn value() -> impl Strategy<Value = String> {
    let values = [
        "a",
        "A  b",
        "alice",
        "5001",
        "5002",
        "-7",
        "uid=alice,ou=people,dc=example,dc=com",
        "cn=staff,ou=groups,dc=example,dc=com",
        "UID=bob,ou=People,dc=example,dc=com",
        "Käse",
        "kÄSE",
        "alice@example.com",
        "a long value to be cut into pieces",
        "TRUE",
        "20260601120000Z",
        "inetOrgPerson",
        "device",
        "person",
        "groupOfNames",
        "extensibleObject",
        "0",
    ];
    select(values.to_vec()).prop_map(str::to_owned)
}

fn attribute() -> impl Strategy<Value = &'static str> {
    select(
        &[
            "cn",
            "sn",
            "description",
            "mail",
            "uid",
            "member",
            "uidNumber",
            "seeAlso",
            "title",
            "cn;lang-de",
            "objectClass",
            "owner",
            "pwdAccountLockedTime",
            "pwdReset",
            "userPassword",
            "ou",
            "jpegPhoto",
            "manager",
            "pwdMinLength",
            "pwdMaxAge",
        ][..],
    )
}

/// The lines of an entry that may often be added.
fn content() -> impl Strategy<Value = String> {
    let bodies = [
        "objectClass: inetOrgPerson\ncn: Carla\nsn: Cole\n",
        "objectClass: organizationalUnit\n",
        "objectClass: device\n",
        "objectClass: groupOfNames\nmember: uid=alice,ou=people,dc=example,dc=com\n",
        "objectClass: person\ncn: x\nsn: c\n",
        "objectClass: inetOrgPerson\nobjectClass: extensibleObject\ncn: x\nsn: Adams\nuserPassword: a much better secret\n",
    ];
    (select(bodies.to_vec()), vec((attribute(), value()), 0..3)).prop_map(|(body, more)| {
        let line = |(name, value): (&str, String)| written(name, value.as_bytes());
        more.into_iter().map(line).fold(body.to_owned(), |text, line| text + &line)
    })
}

fn modification() -> impl Strategy<Value = String> {
    let verb = select(&["add", "delete", "replace", "replace", "increment"][..]);
    (verb, attribute(), vec(value(), 0..3)).prop_map(|(verb, attribute, values)| {
        let values = values.iter().map(|value| written(attribute, value.as_bytes())).collect::<Vec<_>>().concat();
        format!("{verb}: {attribute}\n{values}-\n")
    })
}

fn record() -> impl Strategy<Value = String> {
    let rdn = select(&["uid=carla", "uid=dora", "UID=alice", "cn=new", "cn=a\\, b+sn=c", "ou=deep", "cn=staff"][..]);
    let superior = prop_oneof![2 => Just(String::new()), 1 => name().prop_map(|name| format!("newsuperior: {name}\n"))];
    prop_oneof![
        4 => (name(), content()).prop_map(|(name, content)| format!("dn: {name}\n{content}")),
        4 => (name(), vec(modification(), 1..4))
            .prop_map(|(name, changes)| format!("dn: {name}\nchangetype: modify\n{}", changes.concat())),
        2 => name().prop_map(|name| format!("dn: {name}\nchangetype: delete\n")),
        3 => (name(), rdn, any::<bool>(), superior).prop_map(|(name, rdn, delete, superior)| {
            format!("dn: {name}\nchangetype: modrdn\nnewrdn: {rdn}\ndeleteoldrdn: {}\n{superior}", u8::from(delete))
        }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let set = (who(), proptest::option::of(name()), proptest::option::of(password()), proptest::option::of(password()));
    prop_oneof![
        12 => (who(), record()).prop_map(|(who, record)| Step::Change { who, record }),
        3 => set.prop_map(|(who, whose, old, new)| Step::SetPassword { who, whose, old, new }),
        3 => (name(), password()).prop_map(|(name, password)| Step::Bind { name, password }),
        1 => (1_u64..2_000).prop_map(Step::Wait),
        1 => Just(Step::Restart),
    ]
}

/// One attribute line of LDIF.
fn written(name: &str, value: &[u8]) -> String {
    let mut line = Vec::new();
    ldif::write_attribute(&mut line, name, value);
    String::from_utf8(line).unwrap()
}

/// Does one step; somebody whose entry is gone does nothing.
fn apply<D: Directory>(scene: &Scene<D>, step: &Step) -> Vec<Response> {
    let client = |who: &str| match who {
        "root" => Some(scene.root()),
        "anonymous" => Some(scene.anonymous()),
        name => scene.root().read(name, &["1.1"]).map(|_| scene.client(name)),
    };
    match step {
        Step::Change { who, record } => {
            let Some(client) = client(who) else { return Vec::new() };
            requests(record).iter().map(|request| client.send(request, &policy_control())).collect()
        }
        Step::SetPassword { who, whose, old, new } => {
            let Some(client) = client(who) else { return Vec::new() };
            let answer =
                client.password_modify_with(whose.as_deref(), old.as_deref(), new.as_deref(), &policy_control());
            vec![answer]
        }
        Step::Bind { name, password } => vec![scene.anonymous().bind_with(name, password, &policy_control())],
        Step::Wait(seconds) => {
            scene.wait(*seconds);
            Vec::new()
        }
        Step::Restart => {
            scene.restart();
            Vec::new()
        }
    }
}

/// Everything that can be seen.
fn contents<D: Directory>(scene: &Scene<D>) -> Vec<FoundEntry> {
    let found = scene.root().search("", WholeSubtree, "(objectClass=*)", &["*", "+", "numSubordinates"]);
    let mut found = found.unwrap_or_default();
    found.sort_by(|a, b| a.dn.cmp(&b.dn));
    // Its number differs, since each numbers its own commits.
    for entry in &mut found {
        entry.attributes.retain(|(name, _)| name != "entryCSN");
    }
    found
}

/// Filters of every kind on attributes of every kind, some of which nobody has.
fn filter() -> impl Strategy<Value = String> {
    let types = select(
        &[
            "cn",
            "sn",
            "description",
            "mail",
            "uid",
            "member",
            "uidNumber",
            "seeAlso",
            "title",
            "cn;lang-de",
            "objectClass",
            "name",
            "memberOf",
            "entryDN",
            "entryUUID",
            "createTimestamp",
            "hasSubordinates",
            "numSubordinates",
            "pwdChangedTime",
            "nosuch",
            "2.5.4.3",
            "isMemberOf",
            "givenName",
            "homeDirectory",
            "modifiersName",
            "userPassword",
            "manager",
            "ou",
        ][..],
    );
    let words = [
        "a",
        "al",
        "li",
        "ice",
        "ada",
        "alice",
        "ALICE  adams",
        "5001",
        "5",
        "-7",
        "Example",
        "TRUE",
        "k\\c3\\a4se",
        "a long",
        "cut into",
        "uid=alice,ou=people,dc=example,dc=com",
        "CN=staff,ou=groups,dc=example,dc=com",
        "person",
        "inetOrgPerson",
        "20260601120000Z",
        "/home/bob",
        "x",
        "\\20",
        "",
    ];
    let word = || select(words.to_vec());
    let rules =
        select(&["", ":dn", ":caseExactMatch", ":2.5.13.2", ":integerMatch", ":dn:caseIgnoreMatch", ":1.2.3"][..]);
    let item = (types, word(), word(), word(), rules, 0..10_usize).prop_map(|(name, a, b, c, rule, kind)| match kind {
        0 | 1 => format!("({name}={a})"),
        2 => format!("({name}=*)"),
        3 => format!("({name}={a}*)"),
        4 => format!("({name}=*{a})"),
        5 => format!("({name}=*{a}*{b}*)"),
        6 => format!("({name}={a}*{b}*{c})"),
        7 => format!("({name}>={a})"),
        8 => format!("({name}<={a})"),
        _ => format!("({name}{rule}:={a})"),
    });
    item.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            3 => vec(inner.clone(), 0..4).prop_map(|all| format!("(&{})", all.concat())),
            3 => vec(inner.clone(), 0..4).prop_map(|any| format!("(|{})", any.concat())),
            1 => inner.prop_map(|not| format!("(!{not})")),
        ]
    })
    .prop_filter("empty pieces", |text| Filter::parse(text).is_ok())
}

/// A directory with more people than a search looks at without an index.
fn crowd<D: Directory>(scene: &Scene<D>, people: &[(String, String, u16)]) {
    let root = scene.root();
    for (number, (first, last, uid_number)) in people.iter().enumerate() {
        let posix = format!("uidNumber: {uid_number}\ngidNumber: 5\nhomeDirectory: /home/{number}\n");
        let lines = format!(
            "cn: {first} {last}\nsn: {last}\ngivenName: {first}\ndescription: so {}long\n",
            "long ".repeat(number)
        );
        let classes = "objectClass: inetOrgPerson\nobjectClass: posixAccount\n";
        assert_eq!(root.change(&format!("dn: p{number}\n{classes}{lines}{posix}")), Ok(()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// The reference tree in memory and the store give the same answers and end with the same contents, and the store's
    /// indexes fit its entries.
    #[test]
    fn the_tree_in_memory_and_the_store_agree(steps in vec(step(), 1..60), filters in vec(filter(), 6)) {
        let (memory, disk) = (Scene::in_memory(), Scene::on_disk());
        for step in &steps {
            prop_assert_eq!(apply(&memory, step), apply(&disk, step), "{:?}", step);
        }
        prop_assert_eq!(contents(&memory), contents(&disk));
        for filter in &filters {
            for scope in [BaseObject, SingleLevel, WholeSubtree, Subordinates] {
                for base in ["", SUFFIX, "ou=people,dc=example,dc=com", "ou=groups,dc=example,dc=com"] {
                    let (left, right) = (memory.root().names(base, scope, filter), disk.root().names(base, scope, filter));
                    prop_assert_eq!(left, right, "{} {:?} {}", base, scope, filter);
                }
            }
        }
        let report = disk.directory.verify(&mut |_| {}).unwrap();
        prop_assert!(report.faults.is_empty(), "{:?}", report.faults);
    }

    /// A search by indexes finds what a search of every entry finds: a double negation means the same, and no index
    /// answers it.
    #[test]
    fn an_index_loses_nothing(
        people in vec(("(alice|bob|Karla|Käse|al)", "(Adams|adler|B|de la Cruz|5001)", 4_990_u16..5_010), 40..60),
        filters in vec(filter(), 40),
    ) {
        let scene = Scene::on_disk();
        crowd(&scene, &people);
        let root = scene.root();
        for filter in &filters {
            let everyone = format!("(!(!{filter}))");
            prop_assert_eq!(root.find(filter), root.find(&everyone), "{}", filter);
        }
    }
}
