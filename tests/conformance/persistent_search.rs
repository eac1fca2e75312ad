//! Persistent search with entry change notification (draft-ietf-ldapext-psearch-03).

use std::slice::from_ref;

use keystead::access::RuleText;
use keystead::directory::ResultCode::{self, NoSuchObject, ProtocolError, UnwillingToPerform};
use keystead::directory::tree::Directory;
use keystead::directory::tree::Scope::{self, BaseObject, SingleLevel, WholeSubtree};
use keystead::directory::wire;
use keystead::operations::Freedom;
use keystead::protocol::{RawControl, oid};

use crate::scene::answer::{acting_as, critical, element};
use crate::scene::client::Watching;
use crate::scene::{Client, FoundEntry, SEE, SUFFIX, full, rule, rules, search_request, short};
use crate::sentences;

const ALL: &str = "(objectClass=*)";
const EVERYTHING: u8 = 15;

/// What is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// What is there already, and then the changes.
    Everything,
    /// The changes only.
    Changes,
}

/// The control: which kinds, what is told, and with notices.
fn control(kinds: u8, told: Told) -> RawControl {
    let truth = |is: bool| element(1, if is { b"\xff" } else { b"\x00" });
    let fields = [element(2, &[kinds]), truth(told == Told::Changes), truth(true)].concat();
    critical(oid::PERSISTENT_SEARCH, Some(&element(wire::SEQUENCE, &fields)))
}

/// Somebody waits for changes of some kinds to what a search is about.
fn wait_for<'c, 's, D: Directory>(
    client: &'c Client<'s, D>,
    (base, scope, filter): (&str, Scope, &str),
    kinds: u8,
) -> Watching<'c, 's, D> {
    let request = search_request(base, scope, filter, &["*"]);
    let (watching, found) = client.watch(&request, &[control(kinds, Told::Changes)]).unwrap();
    assert_eq!(found, []);
    watching
}

fn people<'c, 's, D: Directory>(client: &'c Client<'s, D>) -> Watching<'c, 's, D> {
    wait_for(client, (&format!("ou=people,{SUFFIX}"), WholeSubtree, ALL), EVERYTHING)
}

/// A notice in words: what has happened, the name, and the name before if there is one.
fn in_words(entry: &FoundEntry) -> String {
    let notice = entry.controls.iter().find(|(name, _)| name == oid::ENTRY_CHANGE).map(|(_, value)| value.as_slice());
    let name = short(&entry.dn);
    let Some(notice) = notice else { return name };
    let fields: Vec<_> = wire::elements(wire::element(notice).unwrap().content).collect();
    let kind = match fields.first().unwrap().content {
        [1] => "add",
        [2] => "delete",
        [4] => "modify",
        [8] => "rename",
        other => panic!("{other:?}"),
    };
    let previous = fields.iter().find(|field| field.tag == 4).map(|field| String::from_utf8_lossy(field.content));
    match previous {
        Some(previous) => format!("{kind} {name}, before {}", short(&previous)),
        None => format!("{kind} {name}"),
    }
}

fn told<D: Directory>(watching: &Watching<'_, '_, D>) -> Vec<String> {
    watching.told().iter().map(in_words).collect()
}

const ADD: &str = "dn: carla\nobjectClass: account\ndescription: new\n";
const MODIFY: &str = "dn: carla\nchangetype: modify\nreplace: description\ndescription: newer\n";
const RENAME: &str = "dn: carla\nchangetype: modrdn\nnewrdn: uid=clara\ndeleteoldrdn: 1\n";
const DELETE: &str = "dn: clara\nchangetype: delete\n";

sentences! {
    /// §3: the server goes on to return entries that are added, modified, renamed and deleted, and tells which it was.
    fn changes_are_told_as_they_happen(scene) {
        let admin = scene.client("cn=admin");
        let watching = people(&admin);
        for (change, expected) in [
            (ADD, "add uid=carla,ou=people"),
            (MODIFY, "modify uid=carla,ou=people"),
            (RENAME, "rename uid=clara,ou=people, before uid=carla,ou=people"),
            (DELETE, "delete uid=clara,ou=people"),
        ] {
            assert_eq!(told(&watching), [""; 0]);
            scene.root().change(change).unwrap();
            let notices = watching.told();
            assert_eq!(notices.iter().map(in_words).collect::<Vec<_>>(), [expected]);
            // An entry that is gone is told as it was.
            assert!(notices.iter().all(|entry| !entry.texts("description").is_empty()), "{notices:?}");
        }
        assert_eq!(watching.ended(), None);
    }

    /// The same if much happens before anybody looks: what has come and gone since is not told of.
    fn changes_are_told_in_their_order(scene) {
        let admin = scene.client("cn=admin");
        let watching = people(&admin);
        for change in [ADD, MODIFY, RENAME, DELETE] {
            scene.root().change(change).unwrap();
        }
        assert_eq!(told(&watching), [""; 0]);
        for change in [ADD, MODIFY, RENAME] {
            scene.root().change(change).unwrap();
        }
        let clara = "uid=clara,ou=people";
        assert_eq!(told(&watching), [format!("add {clara}"), format!("modify {clara}"), format!("rename {clara}")]);
        scene.root().change(DELETE).unwrap();
        scene.root().change("dn: clara\nobjectClass: account\n").unwrap();
        assert_eq!(told(&watching), [format!("delete {clara}"), format!("add {clara}")]);
    }

    /// §3: changeTypes says which are wanted; changesOnly, whether what is there already is returned first.
    fn only_what_is_asked_for_is_told(scene) {
        let admin = scene.client("cn=admin");
        let base = format!("ou=people,{SUFFIX}");
        let request = search_request(&base, SingleLevel, ALL, &["1.1"]);
        let (watching, found) = admin.watch(&request, &[control(1, Told::Everything)]).unwrap();
        assert_eq!(found.len(), admin.names(&base, SingleLevel, ALL).unwrap().len());
        assert!(found.iter().all(|entry| entry.controls.is_empty()));
        let place = (base.as_str(), SingleLevel, ALL);
        let (deletes, renames) = (wait_for(&admin, place, 2), wait_for(&admin, place, 8));
        for change in [ADD, MODIFY] {
            scene.root().change(change).unwrap();
        }
        assert_eq!(told(&watching), ["add uid=carla,ou=people"]);
        assert_eq!((told(&deletes), told(&renames)), (vec![], vec![]));
        for change in [RENAME, DELETE] {
            scene.root().change(change).unwrap();
        }
        assert_eq!(told(&watching), [""; 0]);
        assert_eq!((told(&deletes).len(), told(&renames).len()), (1, 0));
    }

    /// §3: what is returned is in the scope and matches the filter. What leaves the scope is told as deleted.
    fn only_what_the_search_is_about_is_told(scene) {
        let admin = scene.client("cn=admin");
        let groups = format!("ou=groups,{SUFFIX}");
        let matching = wait_for(&admin, (SUFFIX, WholeSubtree, "(description=newer)"), EVERYTHING);
        let below = wait_for(&admin, (&groups, SingleLevel, ALL), EVERYTHING);
        let one = wait_for(&admin, (&full("alice"), BaseObject, ALL), EVERYTHING);
        let people = people(&admin);
        scene.root().change(ADD).unwrap();
        assert_eq!((told(&matching), told(&below), told(&one)), (vec![], vec![], vec![]));
        scene.root().change(MODIFY).unwrap();
        assert_eq!(told(&matching), ["modify uid=carla,ou=people"]);
        assert_eq!((told(&people).len(), told(&below)), (2, vec![]));
        let away = format!("dn: carla\nchangetype: modrdn\nnewrdn: uid=carla\ndeleteoldrdn: 0\nnewsuperior: {groups}\n");
        scene.root().change(&away).unwrap();
        assert_eq!(told(&people), ["delete uid=carla,ou=people"]);
        assert_eq!(told(&below), ["rename uid=carla,ou=groups, before uid=carla,ou=people"]);
        assert_eq!(told(&one), [""; 0]);
        scene.root().change("dn: alice\nchangetype: modify\nreplace: title\ntitle: x\n").unwrap();
        assert_eq!(told(&one), ["modify uid=alice,ou=people"]);
    }

    /// Nobody is told of what they could not find, nor of a name that they could not see, nor of an attribute that they
    /// could not read or search by.
    fn nobody_is_told_of_what_they_may_not_see(scene) {
        let mut own = rules();
        let place = |dn: &str, filter: &str| RuleText {
            deny: SEE.iter().map(|&right| right.into()).collect(),
            filter: Some(filter.into()),
            ..rule("hidden", "dn:uid=bob,ou=people,dc=example,dc=com", dn, &["*", "+"], &[])
        };
        own.push(place(&format!("subtree:{SUFFIX}"), "(description=hidden)"));
        scene.rule_by(&own);
        let bob = scene.client("bob");
        let watching = people(&bob);
        let by_hidden = wait_for(&bob, (SUFFIX, WholeSubtree, "(userPassword=*)"), EVERYTHING);
        let hidden = ADD.replace("new", "hidden");
        scene.root().change(&hidden).unwrap();
        scene.root().change("dn: carla\nchangetype: modify\nreplace: userPassword\nuserPassword: one for a test\n").ok();
        assert_eq!(told(&watching), [""; 0]);
        let shown = "dn: carla\nchangetype: modrdn\nnewrdn: uid=clara\ndeleteoldrdn: 1\n\n\
                     dn: clara\nchangetype: modify\nreplace: description\ndescription: shown\n";
        scene.root().change(shown).unwrap();
        // Once it can be seen, it is told of; what it was called before that, is not.
        assert_eq!(told(&watching), ["rename uid=clara,ou=people", "modify uid=clara,ou=people"]);
        scene.root().change("dn: clara\nchangetype: modify\nreplace: description\ndescription: hidden\n").unwrap();
        assert_eq!(told(&watching), [""; 0]);
        scene.root().change(DELETE).unwrap();
        assert_eq!(told(&watching), [""; 0]);
        assert_eq!(told(&by_hidden), [""; 0]);
    }

    /// The number of a change is for those who may see the change log.
    fn numbers_are_for_those_who_may_see_the_change_log(scene) {
        let (admin, bob) = (scene.client("cn=admin"), scene.client("bob"));
        let (of_admin, of_bob) = (people(&admin), people(&bob));
        scene.root().change(ADD).unwrap();
        let number = |entry: &FoundEntry| {
            let (_, notice) = entry.controls.first().unwrap().clone();
            wire::elements(wire::element(&notice).unwrap().content).any(|field| field.tag == 2)
        };
        assert_eq!(of_admin.told().iter().map(number).collect::<Vec<_>>(), [true]);
        assert_eq!(of_bob.told().iter().map(number).collect::<Vec<_>>(), [false]);
    }

    /// Rights are looked at anew with each change: whoever loses them is told nothing more, also of what they have seen.
    fn rights_hold_as_they_are_now(scene) {
        let bob = scene.client("bob");
        let watching = people(&bob);
        scene.root().change(ADD).unwrap();
        assert_eq!(told(&watching).len(), 1);
        scene.rule_by(&rules().into_iter().filter(|rule| rule.name == "local root").collect::<Vec<_>>());
        for change in [MODIFY, RENAME, DELETE] {
            scene.root().change(change).unwrap();
            assert_eq!(told(&watching), [""; 0]);
        }
    }

    /// RFC 4370: a search as somebody else ends when that is no longer granted.
    fn acting_for_somebody_ends_with_the_right_to(scene) {
        let mut own = rules();
        own.push(rule("app", "dn:uid=hanna,ou=people,dc=example,dc=com", &format!("subtree:ou=people,{SUFFIX}"), &[], &["proxy"]));
        scene.rule_by(&own);
        let app = scene.client("hanna");
        let request = search_request(SUFFIX, WholeSubtree, ALL, &["1.1"]);
        let controls = [vec![control(EVERYTHING, Told::Changes)], acting_as("u:bob")].concat();
        let (watching, _) = app.watch(&request, &controls).unwrap();
        scene.root().change(ADD).unwrap();
        assert_eq!(told(&watching), ["add uid=carla,ou=people"]);
        scene.rule_by(&rules());
        scene.root().change(MODIFY).unwrap();
        assert_eq!(told(&watching), [""; 0]);
        assert_eq!(watching.ended(), Some(ResultCode::AuthorizationDenied));
    }

    /// Whoever must change their password may do nothing else, and is told nothing more.
    fn it_ends_for_whoever_must_change_their_password(scene) {
        let bob = scene.client("bob");
        let watching = people(&bob);
        bob.become_free(Freedom::PasswordChange);
        scene.root().change(ADD).unwrap();
        assert_eq!(told(&watching), [""; 0]);
        assert!(watching.ended().is_some());
    }

    /// What goes with it is read; what does not is refused.
    fn what_makes_no_sense_is_refused(scene) {
        let admin = scene.client("cn=admin");
        let watch = |base: &str, scope, controls: &[RawControl]| {
            admin.watch(&search_request(base, scope, ALL, &[]), controls).map(|(_, found)| found.len()).err()
        };
        let persistent = control(EVERYTHING, Told::Everything);
        assert_eq!(watch(SUFFIX, WholeSubtree, &[control(0, Told::Changes)]), Some(ProtocolError));
        assert_eq!(watch(SUFFIX, WholeSubtree, &[persistent.clone(), crate::sort::sort_by(&["cn"])]), Some(UnwillingToPerform));
        for apart in ["", "cn=Subschema", "cn=changelog", "cn=Monitor"] {
            assert_eq!(watch(apart, BaseObject, from_ref(&persistent)), Some(UnwillingToPerform), "{apart}");
        }
        assert_eq!(watch("cn=nothing,dc=example,dc=com", BaseObject, from_ref(&persistent)), Some(NoSuchObject));
        assert_eq!(watch(SUFFIX, WholeSubtree, &[persistent]), None);
    }
}
