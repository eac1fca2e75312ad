//! Controls of requests, as the tools of `OpenLDAP` send them.

use crate::server::{Server, full};

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
