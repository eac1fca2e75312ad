//! Rules in the tree: a helpdesk lets somebody else help, over LDAP.

use crate::server::{Server, full};

const DELEGATION: &str = r#"
[[access]]
name = "the helpdesk passes on what it may"
who = "group:cn=helpdesk,ou=groups,dc=example,dc=com"
to = "subtree:ou=people,dc=example,dc=com"
attributes = ["*", "+"]
allow = ["add", "delete", "write", "delegate"]
"#;

#[test]
fn a_rule_in_the_tree_is_in_force_while_its_author_holds_what_it_grants() {
    let mut server = Server::start_with(DELEGATION);
    server.answer_wrong_passwords_at_once();
    let rule = |who: &str, right: &str| {
        format!(
            "dn: cn=help,ou=people,dc=example,dc=com\nobjectClass: subentry\nobjectClass: accessRule\ncn: help\n\
             subtreeSpecification: {{}}\naccessWho: dn:{}\naccessAllow: {right}\n",
            full(who)
        )
    };
    let reset = |who: &str| server.ldap("ldappasswd", who, &["u:carol"]);
    reset("alice").refuses_with(50);
    server.ldap_in("ldapadd", "bob", &[], &rule("alice", "reset-password")).fails_with(50);
    server.ldap_in("ldapadd", "hanna", &[], &rule("alice", "import-hash")).fails_with(50).tells("import-hash");
    server.ldap_in("ldapadd", "hanna", &[], &rule("alice", "reset")).fails_with(19).tells("is not known in `allow`");
    server.ldap_in("ldapadd", "hanna", &[], &rule("alice", "reset-password")).ok();
    reset("alice").ok();
    let question = ["--who", "alice", "--to", "carol", "--right", "reset-password"];
    let explained = |server: &Server| {
        let config = server.config();
        let mut all = vec!["explain", "access", "--config", crate::server::text(&config)];
        all.extend(question);
        server.run(crate::server::KEYSTEAD, &all, "").ok()
    };
    explained(&server).tells("may reset-password").tells("cn=help,ou=people,dc=example,dc=com");
    // Who leaves the helpdesk takes it back.
    let leaves = format!(
        "dn: {}\nchangetype: modify\ndelete: member\nmember: {}\n",
        full("cn=helpdesk,ou=groups"),
        full("hanna")
    );
    let joins = leaves.replace("delete: member", "add: member");
    let other = joins.replace("uid=hanna", "uid=bob");
    server.ldap_in("ldapmodify", "cn=admin", &[], &other).ok();
    server.ldap_in("ldapmodify", "cn=admin", &[], &leaves).ok();
    reset("alice").refuses_with(50);
    explained(&server).tells("may not reset-password").tells("does not hold the right reset-password");
    let again =
        "dn: cn=help,ou=people,dc=example,dc=com\nchangetype: modify\nreplace: description\ndescription: mine now\n";
    server.ldap_in("ldapmodify", "bob", &[], again).ok();
    reset("alice").ok();
    // After a restart all is as it was.
    server.stop();
    server.serve();
    server.ldap("ldappasswd", "alice", &["u:carol"]).ok();
    let log = server.stop();
    assert!(!log.contains("is not in force"), "{log}");
}
