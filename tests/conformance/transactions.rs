//! Transactions (RFC 5805): what is asked for in one is done together, in order, or not at all.

use keystead::directory::ResultCode::{
    self, AdminLimitExceeded, AuthorizationDenied, ConstraintViolation, EntryAlreadyExists, InsufficientAccessRights,
    NoSuchObject, ProtocolError, StrongerAuthRequired, Success, TimeLimitExceeded, UnavailableCriticalExtension,
    UnwillingToPerform,
};
use keystead::directory::tree::{Directory, Tree};
use keystead::directory::wire;
use keystead::protocol::{RawControl, Response};

use crate::delegated_rules::{TIM, bob_may_reset, bob_resets_the_team, hanna_delegates};
use crate::rule_writes::{denial, only_few_reset};
use crate::scene::{Client, Scene, full, requests, rule, rules};
use crate::sentences;

const START: &str = "1.3.6.1.1.21.1";
const SPECIFICATION: &str = "1.3.6.1.1.21.2";
const END: &str = "1.3.6.1.1.21.3";

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    wire::put_element(&mut out, tag, content);
    out
}

/// Begins a transaction, and returns what it is called.
fn start<D: Directory>(client: &Client<'_, D>) -> Vec<u8> {
    let response = client.extended(START, None, &[]);
    assert_eq!(response.result.code, Success, "{response:?}");
    response.value.unwrap()
}

fn part_of(identifier: &[u8]) -> RawControl {
    RawControl { oid: SPECIFICATION.into(), critical: true, value: Some(identifier.to_vec().into()) }
}

/// How a transaction is to end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    Commit,
    Abort,
}

fn end<D: Directory>(client: &Client<'_, D>, identifier: &[u8], wish: Wish) -> Response {
    let commit = if wish == Wish::Commit { Vec::new() } else { element(1, &[0]) };
    let value = element(wire::SEQUENCE, &[commit, element(wire::OCTET_STRING, identifier)].concat());
    client.extended(END, Some(&value), &[])
}

/// Sends the records of some LDIF within a transaction; each is answered by success at once. Returns their numbers.
fn enlist<D: Directory>(client: &Client<'_, D>, identifier: &[u8], records: &str) -> Vec<i32> {
    let send = |request| {
        assert_eq!(client.send(request, &[part_of(identifier)]).result.code, Success);
        client.last_id()
    };
    requests(records).iter().map(send).collect()
}

/// The same, and has them done.
pub fn commit<D: Directory>(client: &Client<'_, D>, records: &str) -> (Vec<i32>, Response) {
    let identifier = start(client);
    let ids = enlist(client, &identifier, records);
    (ids, end(client, &identifier, Wish::Commit))
}

/// The value that tells which request was refused.
fn refused(id: i32) -> Vec<u8> {
    element(wire::SEQUENCE, &element(2, &[u8::try_from(id).unwrap()]))
}

/// The number of the last change of the log.
fn changes<D: Directory>(scene: &Scene<D>) -> Vec<String> {
    let changes = scene.directory.view().changes_after(0, usize::MAX).unwrap();
    changes.iter().map(|change| format!("{} {}", change.record.kind, change.record.target)).collect()
}

/// That two denials of the tree end together, on which an assertion rests.
const BOTH_END: &str =
    "dn: cn=one,ou=team,ou=people\nchangetype: delete\n\ndn: cn=two,ou=team,ou=people\nchangetype: delete\n";

const CARLA: &str =
    "dn: carla\nobjectClass: inetOrgPerson\nuid: carla\ncn: Carla\nsn: Carla\nmail: carla@example.com\n\n";

sentences! {
    /// RFC 5805 §3.3 and §3.4: nothing is done before the end, and then everything.
    fn what_belongs_to_a_transaction_is_done_at_its_end(scene) {
        let admin = scene.client("cn=admin");
        let identifier = start(&admin);
        enlist(&admin, &identifier, CARLA);
        enlist(&admin, &identifier, "dn: alice\nchangetype: modify\nreplace: title\ntitle: boss\n-\n");
        assert!(admin.find("(uid=carla)").is_empty());
        let response = end(&admin, &identifier, Wish::Commit);
        assert_eq!((response.result.code, response.value), (Success, None));
        assert_eq!(admin.find("(uid=carla)"), ["uid=carla,ou=people"]);
        assert_eq!(admin.values("alice", "title"), ["boss"]);
        assert_eq!(end(&admin, &identifier, Wish::Commit).result.code, ProtocolError, "it is over");
    }

    /// RFC 5805 §3.4: if one cannot be done, none is, and its message id is told.
    fn a_request_that_fails_leaves_everything_as_it_was(scene) {
        let admin = scene.client("cn=admin");
        let before = changes(scene);
        let records = [CARLA, "dn: nobody\nchangetype: modify\nreplace: title\ntitle: x\n-\n\n", "dn: bob\nchangetype: delete\n"];
        let (ids, response) = commit(&admin, &records.concat());
        assert_eq!((response.result.code, response.value), (NoSuchObject, ids.get(1).copied().map(refused)));
        assert!(admin.find("(uid=carla)").is_empty() && !admin.find("(uid=bob)").is_empty());
        assert_eq!(changes(scene), before);
    }

    /// Each request sees what those before it have done.
    fn requests_are_done_in_their_order(scene) {
        let admin = scene.client("cn=admin");
        let (_, response) = commit(&admin, &[
            "dn: ou=new\nobjectClass: organizationalUnit\nou: new\n\n",
            "dn: uid=carla,ou=new\nobjectClass: inetOrgPerson\nuid: carla\ncn: Carla\nsn: Carla\n\n",
            "dn: uid=carla,ou=new\nchangetype: modify\nadd: title\ntitle: one\n-\n\n",
            "dn: uid=carla,ou=new\nchangetype: modify\nreplace: title\ntitle: two\n-\n\n",
            "dn: uid=carla,ou=new\nchangetype: modrdn\nnewrdn: uid=clara\ndeleteoldrdn: 1\nnewsuperior: ou=people,dc=example,dc=com\n\n",
            "dn: uid=clara,ou=people\nchangetype: modify\nadd: description\ndescription: last\n-\n\n",
            "dn: ou=new\nchangetype: modrdn\nnewrdn: ou=newer\ndeleteoldrdn: 1\n\n",
            "dn: uid=dora,ou=newer\nobjectClass: inetOrgPerson\nuid: dora\ncn: Dora\nsn: Dora\n\n",
            "dn: ou=gone\nobjectClass: organizationalUnit\nou: gone\n\n",
            "dn: ou=gone\nchangetype: delete\n\n",
        ].concat());
        assert_eq!(response.result.code, Success, "{response:?}");
        assert_eq!(admin.values("uid=clara,ou=people", "title"), ["two"]);
        assert_eq!(admin.values("uid=clara,ou=people", "description"), ["last"]);
        assert_eq!(admin.find("(|(ou=gone)(ou=newer)(uid=dora)(uid=carla))"), ["ou=newer", "uid=dora,ou=newer"]);
    }

    /// A name that one request frees may be taken by the next, and so may a value that nobody shares.
    fn what_a_request_frees_the_next_may_take(scene) {
        let admin = scene.client("cn=admin");
        admin.change(CARLA).unwrap();
        let (_, response) = commit(&admin, &["dn: carla\nchangetype: delete\n\n", CARLA].concat());
        assert_eq!(response.result.code, Success, "{response:?}");
        let (ids, response) = commit(&admin, &[
            "dn: dora\nobjectClass: inetOrgPerson\nuid: dora\ncn: Dora\nsn: Dora\n\n",
            "dn: dora\nchangetype: modify\nadd: mail\nmail: carla@example.com\n-\n\n",
        ].concat());
        assert_eq!((response.result.code, response.value), (ConstraintViolation, ids.get(1).copied().map(refused)));
        let (_, response) = commit(&admin, &[
            "dn: carla\nchangetype: modify\ndelete: mail\n-\n\n",
            "dn: dora\nobjectClass: inetOrgPerson\nuid: dora\ncn: Dora\nsn: Dora\nmail: carla@example.com\n\n",
        ].concat());
        assert_eq!(response.result.code, Success, "{response:?}");
        let twice = ["dn: emil\nobjectClass: inetOrgPerson\nuid: emil\ncn: E\nsn: E\nmail: e@example.com\n\n",
            "dn: erna\nobjectClass: inetOrgPerson\nuid: erna\ncn: E\nsn: E\nmail: E@example.com\n\n"];
        let (ids, response) = commit(&admin, &twice.concat());
        assert_eq!((response.result.code, response.value), (ConstraintViolation, ids.get(1).copied().map(refused)));
        let (ids, response) = commit(&admin, &[twice[0], twice[0]].concat());
        assert_eq!((response.result.code, response.value), (EntryAlreadyExists, ids.get(1).copied().map(refused)));
    }

    /// Whoever is added and put into a group is in it, and follows a rename and a delete there.
    fn references_follow_within_a_transaction(scene) {
        let admin = scene.client("cn=admin");
        let (_, response) = commit(&admin, &[
            CARLA,
            "dn: cn=team,ou=groups\nobjectClass: groupOfNames\ncn: team\nmember: uid=carla,ou=people,dc=example,dc=com\n\n",
            "dn: cn=team,ou=groups\nchangetype: modify\nadd: member\nmember: uid=bob,ou=people,dc=example,dc=com\n-\n\n",
            "dn: carla\nchangetype: modrdn\nnewrdn: uid=clara\ndeleteoldrdn: 1\n\n",
            "dn: bob\nchangetype: delete\n\n",
        ].concat());
        assert_eq!(response.result.code, Success, "{response:?}");
        assert_eq!(admin.values("cn=team,ou=groups", "member"), [full("clara")]);
        assert_eq!(admin.values("clara", "memberOf"), ["cn=team,ou=groups,dc=example,dc=com"]);
    }

    /// Passwords take the one way that there is: policy, rights, record.
    fn passwords_are_set_within_a_transaction(scene) {
        let admin = scene.client("cn=admin");
        let identifier = start(&admin);
        enlist(&admin, &identifier, CARLA);
        let set = |new| admin.password_modify_with(Some(&full("carla")), None, Some(new), &[part_of(&identifier)]);
        assert_eq!(set("a much better secret").result.code, Success);
        scene.wait(1);
        assert_eq!(end(&admin, &identifier, Wish::Commit).result.code, Success);
        assert_eq!(scene.client("carla").bind("carla", "a much better secret"), Ok(()));
        assert_eq!(scene.events(), ["reset done of carla by cn=admin, password-modify"]);

        let identifier = start(&admin);
        enlist(&admin, &identifier, "dn: alice\nchangetype: modify\nreplace: title\ntitle: boss\n-\n");
        let response = admin.password_modify_with(Some(&full("bob")), None, Some("short"), &[part_of(&identifier)]);
        assert_eq!(response.result.code, Success, "it is looked at when it is done");
        let id = admin.last_id();
        let response = end(&admin, &identifier, Wish::Commit);
        assert_eq!((response.result.code, response.value), (ConstraintViolation, Some(refused(id))));
        assert_eq!(admin.values("alice", "title"), [""; 0]);
        assert_eq!(scene.anonymous().bind("bob", "bob's password"), Ok(()));
    }

    /// The old password is asked for as ever, and a wrong one counts.
    fn the_old_password_is_asked_for_within_a_transaction(scene) {
        let alice = scene.client("alice");
        for (old, code) in [("wrong", ResultCode::InvalidCredentials), ("alice's password", Success)] {
            let identifier = start(&alice);
            let response = alice.password_modify_with(None, Some(old), Some("a much better secret"), &[part_of(&identifier)]);
            assert_eq!(response.result.code, Success);
            assert_eq!(end(&alice, &identifier, Wish::Commit).result.code, code);
        }
        assert_eq!(scene.anonymous().bind("alice", "a much better secret"), Ok(()));
        let identifier = start(&alice);
        for (old, new) in [("a much better secret", "another good secret"), ("another good secret", "yet another secret")] {
            let response = alice.password_modify_with(None, Some(old), Some(new), &[part_of(&identifier)]);
            assert_eq!(response.result.code, Success);
        }
        let response = end(&alice, &identifier, Wish::Commit);
        assert_eq!((response.result.code, response.value), (UnwillingToPerform, Some(refused(alice.last_id() - 1))));
        assert_eq!(scene.anonymous().bind("alice", "a much better secret"), Ok(()));
    }

    /// A policy that is changed in a transaction holds for what comes behind it there, and for nobody if nothing is done.
    fn a_policy_holds_from_the_next_request_on(scene) {
        let admin = scene.client("cn=admin");
        let attempt = |new: &str, last: &str| {
            let identifier = start(&admin);
            enlist(&admin, &identifier, "dn: cn=default,ou=policies\nchangetype: modify\nreplace: pwdMinLength\npwdMinLength: 30\n-\n");
            admin.password_modify_with(Some(&full("bob")), None, Some(new), &[part_of(&identifier)]);
            if !last.is_empty() {
                enlist(&admin, &identifier, last);
            }
            end(&admin, &identifier, Wish::Commit).result.code
        };
        let long = "a secret that is much longer than thirty characters";
        assert_eq!(attempt("a much better secret", ""), ConstraintViolation);
        assert_eq!(attempt(long, "dn: nobody\nchangetype: delete\n"), NoSuchObject);
        assert_eq!(admin.password_modify(Some(&full("bob")), None, Some("a much better secret")), Ok(None));
        assert_eq!(attempt(long, ""), Success);
        assert_eq!(admin.password_modify(Some(&full("bob")), None, Some("a quite good secret")), Err(ConstraintViolation));
    }

    /// Rights are those of whoever ends it, for each request by itself.
    fn rights_are_looked_at_for_each_request(scene) {
        let alice = scene.client("alice");
        let identifier = start(&alice);
        let id = enlist(&alice, &identifier, "dn: bob\nchangetype: modify\nreplace: title\ntitle: x\n-\n").remove(0);
        let response = end(&alice, &identifier, Wish::Commit);
        assert_eq!((response.result.code, response.value), (InsufficientAccessRights, Some(refused(id))));
        assert_eq!(scene.anonymous().extended(START, None, &[]).result.code, StrongerAuthRequired);
    }

    /// RFC 5805 §3.4: an abort does nothing; and §3.5: so does a bind.
    fn a_transaction_that_is_aborted_does_nothing(scene) {
        let admin = scene.client("cn=admin");
        let identifier = start(&admin);
        enlist(&admin, &identifier, CARLA);
        assert_eq!(end(&admin, &identifier, Wish::Abort).result.code, Success);
        let identifier = start(&admin);
        enlist(&admin, &identifier, CARLA);
        assert_eq!(admin.bind("alice", "alice's password"), Ok(()));
        assert_eq!(end(&admin, &identifier, Wish::Commit).result.code, ProtocolError);
        assert_eq!(scene.client("cn=admin").find("(uid=carla)"), [""; 0]);
    }

    /// RFC 5805 §2.3 and §4.5: the controls that answers would carry come with the end.
    fn controls_of_answers_come_with_the_end(scene) {
        let admin = scene.client("cn=admin");
        let identifier = start(&admin);
        let list = element(wire::SEQUENCE, &element(wire::OCTET_STRING, b"title"));
        let post_read = RawControl { oid: "1.3.6.1.1.13.2".into(), critical: true, value: Some(list.into()) };
        for title in ["one", "two"] {
            let record = format!("dn: alice\nchangetype: modify\nreplace: title\ntitle: {title}\n-\n");
            let response = admin.change_with(&record, &[part_of(&identifier), post_read.clone()]);
            assert_eq!((response.result.code, response.controls.len()), (Success, 0));
        }
        let value = String::from_utf8_lossy(&end(&admin, &identifier, Wish::Commit).value.unwrap()).into_owned();
        assert!(value.find("one").unwrap() < value.find("two").unwrap(), "{value}");
    }

    /// RFC 5805 §2.2 and §3.3: the control is critical, and for updates only; what cannot be part of a transaction is refused when it
    /// comes, and then the transaction is not settled.
    fn what_cannot_be_part_of_a_transaction_spoils_it(scene) {
        let admin = scene.client("cn=admin");
        let no_op = RawControl { oid: "1.3.6.1.4.1.4203.1.10.2".into(), critical: true, value: None };
        let unknown = RawControl { oid: "1.2.3".into(), critical: true, value: None };
        for (more, critical, code) in [
            (None, false, ProtocolError),
            (Some(no_op), true, UnwillingToPerform),
            (Some(unknown), true, UnavailableCriticalExtension),
        ] {
            let identifier = start(&admin);
            enlist(&admin, &identifier, CARLA);
            let mut controls = vec![RawControl { critical, ..part_of(&identifier) }];
            controls.extend(more);
            let response = admin.change_with("dn: bob\nchangetype: delete\n", &controls);
            assert_eq!(response.result.code, code);
            let id = admin.last_id();
            let response = end(&admin, &identifier, Wish::Commit);
            assert_eq!((response.result.code, response.value), (code, Some(refused(id))));
        }
        let identifier = start(&admin);
        let made = admin.password_modify_with(Some(&full("bob")), None, None, &[part_of(&identifier)]);
        assert_eq!(made.result.code, UnwillingToPerform);
        assert_eq!(end(&admin, &identifier, Wish::Abort).result.code, Success);
        let identifier = start(&admin);
        let compare = admin.compare_with("bob", "cn", "Bob", &[part_of(&identifier)]);
        assert_eq!(compare.result.code, UnavailableCriticalExtension);
        assert!(admin.find("(uid=carla)").is_empty() && !admin.find("(uid=bob)").is_empty());
    }

    /// A transaction is called by its own name, and there is one at a time.
    fn a_transaction_is_called_by_its_name(scene) {
        let admin = scene.client("cn=admin");
        let identifier = start(&admin);
        assert_eq!(admin.extended(START, None, &[]).result.code, UnwillingToPerform);
        assert_eq!(admin.change_with("dn: bob\nchangetype: delete\n", &[part_of(b"other")]).result.code, ProtocolError);
        assert_eq!(end(&admin, b"other", Wish::Commit).result.code, ProtocolError);
        assert_eq!(admin.extended(END, None, &[]).result.code, ProtocolError);
        assert_eq!(admin.extended(START, Some(b"x"), &[]).result.code, ProtocolError);
        assert_eq!(end(&admin, &identifier, Wish::Commit).result.code, Success);
        assert_ne!(start(&admin), identifier);
    }

    /// RFC 5805 §3.3: what is too much, or takes too long, is aborted, and the client is told.
    fn a_transaction_that_is_too_much_is_aborted(scene) {
        let admin = scene.client("cn=admin");
        let identifier = start(&admin);
        let request = &requests("dn: alice\nchangetype: modify\nreplace: title\ntitle: x\n-\n").remove(0);
        let codes = (0..1_001).map(|_| admin.send(request, &[part_of(&identifier)]).result.code);
        assert_eq!(codes.filter(|code| *code != Success).collect::<Vec<_>>(), [AdminLimitExceeded]);
        let aborted = admin.aborted().unwrap();
        assert_eq!((aborted.identifier.as_bytes(), aborted.code), (&*identifier, AdminLimitExceeded));
        assert_eq!(end(&admin, &identifier, Wish::Commit).result.code, ProtocolError);
        let identifier = start(&admin);
        scene.wait(300);
        assert_eq!(end(&admin, &identifier, Wish::Commit).result.code, ProtocolError);
        assert_eq!(admin.aborted().map(|aborted| aborted.code), Some(TimeLimitExceeded));
    }

    /// RFC 5805 §4.4: as whom all of it is done is said where it begins, and nowhere else; whoever may not is told at once.
    fn a_transaction_may_be_done_as_somebody_else(scene) {
        let people = "below:ou=people,dc=example,dc=com";
        scene.rule_by(&rules().into_iter().chain([
            rule("proxy", "dn:uid=bob,ou=people,dc=example,dc=com", &format!("entry:{}", full("alice")), &[], &["proxy"]),
            rule("proxy, too", "dn:uid=bob,ou=people,dc=example,dc=com", &format!("entry:{}", full("hanna")), &[], &["proxy"]),
            rule("titles", "dn:uid=alice,ou=people,dc=example,dc=com", people, &["title"], &["write"]),
        ]).collect::<Vec<_>>());
        let as_whom = |who: &str| {
            let value = Some(format!("u:{who}").into_bytes().into());
            [RawControl { oid: "2.16.840.1.113730.3.4.18".into(), critical: true, value }]
        };
        let record = |who: &str| format!("dn: {who}\nchangetype: modify\nreplace: title\ntitle: x\n-\n");
        assert_eq!(scene.client("alice").extended(START, None, &as_whom("bob")).result.code, AuthorizationDenied);
        let bob = scene.client("bob");
        for (who, code) in [("alice", Success), ("hanna", InsufficientAccessRights)] {
            let identifier = bob.extended(START, None, &as_whom(who)).value.unwrap();
            let id = enlist(&bob, &identifier, &record("henry")).remove(0);
            let response = end(&bob, &identifier, Wish::Commit);
            let value = (code != Success).then(|| refused(id));
            assert_eq!((response.result.code, response.value), (code, value), "{who}");
        }
        // The right to act as them is asked for again at the end.
        let identifier = bob.extended(START, None, &as_whom("alice")).value.unwrap();
        enlist(&bob, &identifier, &record("hanna"));
        scene.rule_by(&rules());
        assert_eq!(end(&bob, &identifier, Wish::Commit).result.code, AuthorizationDenied);
        let admin = scene.client("cn=admin");
        let identifier = start(&admin);
        let controls = [&[part_of(&identifier)][..], &as_whom("alice")].concat();
        assert_eq!(admin.change_with(&record("alice"), &controls).result.code, ProtocolError);
        let value = element(wire::SEQUENCE, &element(wire::OCTET_STRING, &identifier));
        assert_eq!(admin.extended(END, Some(&value), &as_whom("alice")).result.code, ProtocolError);
        assert_eq!(end(&admin, &identifier, Wish::Commit).result.code, ProtocolError, "it is spoilt");
        assert_eq!(scene.client("alice").values("alice", "title"), [""; 0]);
    }

    /// The schema is changed by itself: in a transaction it is refused at its end, and nothing is done.
    fn the_schema_cannot_be_changed_in_a_transaction(scene) {
        let admin = scene.client("cn=admin");
        let change = "dn: cn=Subschema\nchangetype: modify\nadd: attributeTypes\n\
            attributeTypes: ( 1.3.6.1.4.1.99999.1 NAME 'shoeSize' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 )\n-\n\n";
        let (ids, response) = commit(&admin, &[CARLA, change].concat());
        let message = &response.result.diagnostic_message;
        assert_eq!(message, "the schema is changed by itself, outside of a transaction");
        assert_eq!((response.result.code, response.value), (UnwillingToPerform, ids.get(1).copied().map(refused)));
        assert!(admin.find("(uid=carla)").is_empty());
        assert_eq!(admin.change(change), Ok(()), "by itself it can be");
    }

    /// Access rules that are changed in one are held against the assertions as those before have left them.
    fn rules_are_judged_as_those_before_have_left_them(scene) {
        hanna_delegates(scene);
        let hanna = scene.client("hanna");
        for text in [denial("one"), denial("two"), bob_resets_the_team()] {
            hanna.change(&text).unwrap();
        }
        only_few_reset(scene, 1_000_000);
        let (ids, response) = commit(&hanna, BOTH_END);
        assert_eq!(response.result.code, ConstraintViolation, "{response:?}");
        assert_eq!(response.value, Some(refused(*ids.last().unwrap())));
        assert!(!bob_may_reset(scene, TIM));
        let grant_goes = "dn: cn=bob,ou=team,ou=people\nchangetype: delete\n\n".to_owned() + BOTH_END;
        assert_eq!(commit(&hanna, &grant_goes).1.result.code, Success);
        let many: String = (0..21).map(|number| denial(&format!("no {number}")) + "\n").collect();
        let (ids, response) = commit(&hanna, &many);
        assert_eq!((response.result.code, response.value), (AdminLimitExceeded, Some(refused(*ids.last().unwrap()))));
    }

    /// What it takes to judge the access rules of one transaction has an end, however they are changed: added, written again,
    /// renamed or deleted. Twenty are done; one more, and nothing is.
    fn so_many_changes_of_rules_are_judged_for_one_transaction(scene) {
        hanna_delegates(scene);
        only_few_reset(scene, 1_000_000);
        let hanna = scene.client("hanna");
        let point = "ou=team,ou=people";
        let kinds = |number: u32| {
            let add = denial(&format!("no {number}"));
            let write = format!("dn: cn=no {number},{point}\nchangetype: modify\nreplace: description\ndescription: x\n-\n");
            let rename = format!("dn: cn=no {number},{point}\nchangetype: modrdn\nnewrdn: cn=not {number}\ndeleteoldrdn: 1\n");
            let delete = format!("dn: cn=not {number},{point}\nchangetype: delete\n");
            [add, write, rename, delete].map(|one| one + "\n").concat()
        };
        let twenty: String = (0..5).map(kinds).collect();
        assert_eq!(commit(&hanna, &twenty).1.result.code, Success);
        let (ids, response) = commit(&hanna, &(twenty + &denial("no more")));
        assert_eq!((response.result.code, response.value), (AdminLimitExceeded, Some(refused(*ids.last().unwrap()))));
        assert_eq!(response.result.diagnostic_message, "the transaction changes too many access rules; settle it in parts");
        assert!(scene.root().find("(objectClass=accessRule)").is_empty());
        // Other changes of entries there are none of these.
        let unit = |number: u32| format!("dn: ou=unit {number},{point}\nobjectClass: organizationalUnit\n\n");
        let units = (0..21).map(unit).collect::<Vec<_>>().concat();
        assert_eq!(commit(&hanna, &units).1.result.code, Success);
    }
}
