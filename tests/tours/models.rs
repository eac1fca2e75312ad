//! What holds between entries, and entries that stand for others, with the tools of ldap-utils.

use crate::said::Said;
use crate::server::{SUFFIX, Server, full};

fn search(server: &Server, arguments: &[&str]) -> Said {
    server.ldap("ldapsearch", "cn=admin", &[&["-LLL", "-o", "ldif_wrap=no"], arguments].concat())
}

#[test]
fn what_names_an_entry_follows_it() {
    let server = Server::start();
    let members = || search(&server, &["-b", &full("cn=staff,ou=groups"), "member"]).ok().values("member");
    server.ldap("ldapmodrdn", "cn=admin", &["-r", &full("alice"), "uid=alicia"]).ok();
    assert_eq!(members(), [full("alicia"), full("bob")]);
    server.ldap("ldapmodrdn", "cn=admin", &["-r", &full("ou=people"), "ou=humans"]).ok();
    assert_eq!(members(), [full("uid=alicia,ou=humans"), full("uid=bob,ou=humans")]);
    server.ldap("ldapdelete", "cn=admin", &[&full("uid=bob,ou=humans")]).ok();
    assert_eq!(members(), [full("uid=alicia,ou=humans")]);
    let told =
        server.ldap("ldapsearch", "cn=admin", &["-LLL", "-b", "cn=changelog", "(changeType=delete)", "targetDN"]).ok();
    assert_eq!(told.values("targetDN"), [full("uid=bob,ou=humans")]);
}

#[test]
fn of_two_who_are_added_at_once_one_gets_the_mail_address() {
    let server = Server::start();
    let add = |uid: &str| {
        let person = format!("dn: {}\nobjectClass: inetOrgPerson\ncn: x\nsn: y\nmail: shared@example.com\n", full(uid));
        server.ldap_in("ldapadd", "cn=admin", &[], &person).code
    };
    let mut codes = std::thread::scope(|scope| {
        let all: Vec<_> = ["x1", "x2", "x3", "x4"].map(|uid| scope.spawn(move || add(uid))).into_iter().collect();
        all.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
    });
    codes.sort_unstable();
    assert_eq!(codes, [0, 19, 19, 19]);
}

#[test]
fn the_tools_follow_aliases_and_references() {
    let server = Server::start_with("");
    let entries = format!(
        "dn: ou=also,{SUFFIX}\nobjectClass: alias\nobjectClass: extensibleObject\naliasedObjectName: ou=people,{SUFFIX}\n\n\
         dn: ou=remote,{SUFFIX}\nobjectClass: referral\nobjectClass: extensibleObject\nref: ldap://other.example.org/ou=x\n\n\
         dn: cn=sub,{SUFFIX}\nobjectClass: subentry\nsubtreeSpecification: {{}}\n\n\
         dn: cn=found,ou=groups,{SUFFIX}\nobjectClass: groupOfURLs\nmemberURL: ldap:///ou=people,{SUFFIX}??one?(uid=b*)\n"
    );
    server.ldap_in("ldapadd", "cn=admin", &[], &entries).ok();
    let base = full("ou=also");
    assert_eq!(search(&server, &["-a", "always", "-b", &base, "(uid=bob)", "uid"]).ok().values("uid"), ["bob"]);
    assert_eq!(search(&server, &["-b", &base, "(uid=bob)", "uid"]).ok().values("uid"), [""; 0]);
    search(&server, &["-b", &full("uid=x,ou=remote"), "-s", "base"]).fails_with(10);
    search(&server, &["-b", SUFFIX, "(uid=bob)"]).ok().tells("# refldap://other.example.org/ou=x??sub");
    let managed = search(&server, &["-M", "-b", &full("ou=remote"), "-s", "base", "ref"]).ok();
    assert_eq!(managed.values("ref"), ["ldap://other.example.org/ou=x"]);
    assert_eq!(search(&server, &["-b", SUFFIX, "(cn=sub)", "cn"]).ok().values("cn"), [""; 0]);
    assert_eq!(search(&server, &["-b", SUFFIX, "-E", "!subentries=TRUE", "cn"]).ok().values("cn"), ["sub"]);
    let found = search(&server, &["-b", SUFFIX, &format!("(memberOf={})", full("cn=found,ou=groups")), "uid"]).ok();
    assert_eq!(found.values("uid"), ["bob"]);
    let nested = format!("(memberOf:1.2.840.113556.1.4.1941:={})", full("cn=staff,ou=groups"));
    assert_eq!(search(&server, &["-b", SUFFIX, &nested, "uid"]).ok().values("uid"), ["alice", "bob"]);
}
