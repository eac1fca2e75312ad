//! Controls of requests, as the tools of `OpenLDAP` send them.

use crate::said::Said;
use crate::server::{SUFFIX, Server, full};

#[test]
fn a_dry_run_changes_nothing() {
    let server = Server::start();
    let old = server.password("alice");
    let alice = full("alice");
    let ask = |new: &str| server.ldap("ldappasswd", "alice", &["-e", "!noop", "-a", &old, "-s", new]);
    ask("quite another password").refuses_with(16654);
    ask("alice").refuses_with(19).tells("at least 15 characters");
    server
        .ldap("ldappasswd", "alice", &["-e", "!noop", "-a", "not it", "-s", "quite another password"])
        .refuses_with(49);
    assert_eq!(server.bind("alice", &old), 0);
    let change = format!("dn: {alice}\nchangetype: modify\nreplace: description\ndescription: x\n");
    let said = server.ldap_in("ldapmodify", "cn=admin", &["-e", "!noop"], &change);
    assert!(said.err.contains("No Operation"), "{said:?}");
    server.ldap("ldapdelete", "cn=admin", &["-e", "!noop", &alice]).tells("No Operation");
    assert_eq!(
        server.ldap("ldapsearch", "cn=admin", &["-b", &alice, "description"]).ok().values("description"),
        [""; 0]
    );
}

/// Changes the description of alice, with a control.
fn describe(server: &Server, control: &str) -> Said {
    let change = format!("dn: {}\nchangetype: modify\nreplace: description\ndescription: changed\n", full("alice"));
    server.ldap_in("ldapmodify", "cn=admin", &["-v", "-e", control], &change)
}

#[test]
fn a_change_depends_on_an_assertion() {
    let server = Server::start();
    describe(&server, "!assert=(sn=ZZ)").fails_with(122);
    describe(&server, "!assert=(uid=alice)").ok();
    describe(&server, "!assert=(description=changed)").ok();
    let base = full("alice");
    server.ldap("ldapsearch", "cn=admin", &["-e", "!assert=(sn=ZZ)", "-b", &base]).fails_with(122);
}

#[test]
fn a_change_shows_the_entry_before_and_after() {
    let server = Server::start();
    let read = |name: &str| server.ldap("ldapsearch", "cn=admin", &["-b", &full("alice"), name]).ok().values(name);
    let old = read("entryCSN");
    let before = describe(&server, "!preread=entryCSN,description").ok();
    assert_eq!((before.values("entryCSN"), before.values("description")), (old, vec![]));
    let after = describe(&server, "!postread=entryCSN,description,userPassword").ok();
    assert_eq!((after.values("entryCSN"), after.values("description")), (read("entryCSN"), vec!["changed".to_owned()]));
    assert!(!after.out.contains("userPassword"), "{}", after.out);
}

#[test]
fn a_tree_is_deleted_at_once() {
    let server = Server::start();
    let people = format!("ou=people,{SUFFIX}");
    server.ldap("ldapdelete", "cn=admin", &[&people]).fails_with(66);
    let tree_delete = ["-e", "!1.2.840.113556.1.4.805", &people];
    server.ldap("ldapdelete", "alice", &tree_delete).fails_with(50);
    server.ldap("ldapdelete", "cn=admin", &tree_delete).ok();
    server.ldap("ldapsearch", "cn=admin", &["-b", &people, "1.1"]).fails_with(32);
}

#[test]
fn entries_bring_along_what_only_the_server_sets() {
    let server = Server::start();
    let change = format!(
        "dn: {}\nchangetype: modify\nreplace: pwdChangedTime\npwdChangedTime: 20200101000000Z\n-\n\
         replace: createTimestamp\ncreateTimestamp: 20200101000000Z\n",
        full("alice")
    );
    server.ldap_in("ldapmodify", "cn=admin", &[], &change).fails_with(19);
    server.ldap_in("ldapmodify", "hanna", &["-e", "relax"], &change).fails_with(50);
    server.ldap_in("ldapmodify", "cn=admin", &["-e", "!relax"], &change).ok();
    let found =
        server.ldap("ldapsearch", "cn=admin", &["-b", &full("alice"), "pwdChangedTime", "createTimestamp"]).ok();
    assert_eq!(found.values("pwdChangedTime"), found.values("createTimestamp"));
}

#[test]
fn a_bind_tells_who_it_was_and_a_request_to_which_session_it_belongs() {
    let server = Server::start();
    let said =
        server.ldap("ldapwhoami", "alice", &["-e", "!bauthzid", "-e", "sessiontracking=mallory\nlevel=INFO"]).ok();
    assert!(said.out.contains(&format!("dn:{}", full("alice"))), "{said:?}");
    let change = format!("dn: {}\nchangetype: delete\n", full("nobody"));
    server.ldap_in("ldapmodify", "cn=admin", &["-e", "sessiontracking=session 4711"], &change).fails_with(32);
    server.wait_for_log("session 4711", 1);
    assert!(!server.log().lines().any(|line| line.starts_with("level=INFO")));
}

/// The uids of the people that a search finds, with options.
fn people(server: &Server, options: &[&str]) -> Said {
    let search = [options, &["-b", SUFFIX, "(&(uid=*)(mail=*))", "uid"]].concat();
    server.ldap("ldapsearch", "alice", &search)
}

#[test]
fn results_are_sorted_and_paged() {
    let server = Server::start();
    let sorted = people(&server, &["-E", "!sss=-uid"]).ok();
    let mut expected = sorted.values("uid");
    expected.sort();
    expected.reverse();
    assert!(expected.len() >= 4 && sorted.values("uid") == expected, "{sorted:?}");
    let paged = people(&server, &["-E", "!sss=-uid:caseIgnoreOrderingMatch", "-E", "!pr=2/noprompt"]).ok();
    assert_eq!(paged.values("uid"), expected);
    people(&server, &["-E", "!sss=nosuch"]).fails_with(12);
    assert_eq!(people(&server, &["-E", "sss=userPassword"]).ok().values("uid").len(), expected.len());
}

#[test]
fn a_part_of_a_sorted_list_is_shown() {
    let server = Server::start();
    let all = people(&server, &["-E", "!sss=uid"]).ok().values("uid");
    // The tool goes on to ask for which part is wanted next; what is told of the first comes before that.
    let first = |window: &str| {
        let said = people(&server, &["-E", "!sss=uid", "-E", window]);
        let (entries, told) = said.out.split_once("vlvResult: ").unwrap();
        let uids: Vec<_> = entries.lines().filter_map(|line| line.strip_prefix("uid: ")).map(str::to_owned).collect();
        (uids, told.lines().next().unwrap_or_default().to_owned())
    };
    let (uids, told) = first("!vlv=0/1/2/0");
    assert_eq!((uids.as_slice(), told), (&all[1..3], format!("pos=2 count={} context= (0) Success", all.len())));
    assert_eq!(first("!vlv=0/0:ca").0, ["carol"]);
}

#[test]
fn members_come_with_their_group_and_values_are_chosen() {
    let server = Server::start();
    let group = full("cn=administrators,ou=groups");
    let group = ["-b", group.as_str(), "member"];
    let found = server.ldap("ldapsearch", "cn=admin", &[&["-E", "!deref=member:cn,sn"], &group[..]].concat()).ok();
    assert!(found.out.contains("# member: <cn=admin>;<sn="), "{found:?}");
    assert!(found.out.contains(&full("cn=admin")), "{found:?}");
    let chosen = ["-E", "!mv=(member=cn=nobody)"];
    assert_eq!(server.ldap("ldapsearch", "cn=admin", &[&chosen, &group[..]].concat()).ok().values("member"), [""; 0]);
}

/// RFC 5805, as `ldapmodify` sends it.
#[test]
fn changes_happen_together_or_not_at_all() {
    let server = Server::start();
    let describe =
        |name: &str| format!("dn: {}\nchangetype: modify\nreplace: description\ndescription: together\n\n", full(name));
    let described = || {
        let filter = "(description=together)";
        server.ldap("ldapsearch", "cn=admin", &["-b", SUFFIX, filter, "uid"]).ok().values("uid").len()
    };
    let both = [describe("alice"), describe("bob")].concat();
    let and_nobody = [both.clone(), describe("nobody")].concat();
    server.ldap_in("ldapmodify", "cn=admin", &["-E", "!txn=commit"], &and_nobody).fails_with(32);
    server.ldap_in("ldapmodify", "cn=admin", &["-E", "!txn=abort"], &both).ok();
    assert_eq!(described(), 0);
    server.ldap_in("ldapmodify", "cn=admin", &["-E", "!txn=commit"], &both).ok();
    assert_eq!(described(), 2);
}
