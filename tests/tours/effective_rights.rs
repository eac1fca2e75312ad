//! What somebody may do is asked over LDAP, as people do with 389 Directory Server.

use crate::server::{SUFFIX, Server, full};

#[test]
fn what_somebody_may_do_is_told_with_each_entry() {
    let server = Server::start();
    let ask = |who: &str, whose: &str, filter: &str, attributes: &[&str]| {
        let control = format!("!1.3.6.1.4.1.42.2.27.9.5.2=:{whose}");
        let mut all = vec!["-LLL", "-o", "ldif-wrap=no", "-E", &control, "-b", SUFFIX, filter];
        all.extend_from_slice(attributes);
        server.ldap("ldapsearch", who, &all)
    };
    let bob = format!("dn:{}", full("bob"));
    let told = ask("bob", &bob, "(|(uid=alice)(uid=bob))", &["cn", "userPassword"]).ok();
    assert_eq!(told.values("entryLevelRights"), ["v", "v"]);
    assert_eq!(told.values("attributeLevelRights"), ["cn:rsc, userPassword:none", "cn:rsc, userPassword:wo"]);
    assert_eq!(told.values("userPassword").len(), 0);
    let by_admin = ask("cn=admin", "u:hanna", "(uid=alice)", &["userPassword", "mail"]).ok();
    assert_eq!(by_admin.values("attributeLevelRights"), ["userPassword:wo, mail:rsc"]);
    ask("bob", "u:alice", "(uid=alice)", &[]).fails_with(50).tells("you may not ask what others may do");
}
