//! Two people reset the password of an account that matters, with the tools that they have.

use crate::server::{SUFFIX, Server, full};

#[test]
fn a_reset_of_an_account_that_matters_takes_two_people() {
    let server = Server::start();
    server.change_policy(&["add: pwdResetApprovalMaxAge\npwdResetApprovalMaxAge: 3600"]);
    let reset = |who: &str| server.ldap("ldappasswd", who, &["-s", "given out by two people", "u:alice"]);
    let first = reset("hanna").refuses_with(53).tells("somebody else must approve this");
    let said = format!("{}{}", first.out, first.err);
    let name = said.split("set resetApproval of ").nth(1).and_then(|rest| rest.split(" to TRUE").next()).unwrap();
    let approval = format!("dn: {name}\nchangetype: modify\nreplace: resetApproval\nresetApproval: TRUE\n");
    reset("hanna").refuses_with(53);
    for who in ["hanna", "alice", "bob"] {
        server.ldap_in("ldapmodify", who, &[], &approval).fails_with(50);
    }
    let search = ["-LLL", "-o", "ldif-wrap=no", "-b", SUFFIX, "(objectClass=resetRequest)", "+", "*"];
    let found = server.ldap("ldapsearch", "cn=admin", &search).ok();
    assert_eq!(found.values("resetTarget"), [full("alice")]);
    assert_eq!(found.values("resetRequestedBy"), [full("hanna")]);
    server.ldap_in("ldapmodify", "cn=admin", &[], &approval).ok();
    reset("hanna").ok();
    assert_eq!(server.bind("alice", "given out by two people"), 0);
    server.ldap("ldappasswd", "hanna", &["u:alice"]).refuses_with(53);
    let told = server.keystead("events", &["--of", &full("alice")]).ok();
    assert!(told.out.contains(&format!("approved by {}", full("cn=admin"))), "{}", told.out);
}
