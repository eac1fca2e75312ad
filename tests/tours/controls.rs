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
