//! What the tools of ldap-utils do every day, against the example directory.

use crate::server::{SUFFIX, Server, full};

#[test]
fn whoami_search_compare_add_modify_rename_and_delete_work_over_ldaps() {
    let server = Server::start();
    let admin = |tool: &str, arguments: &[&str], input: &str| server.ldap_in(tool, "cn=admin", arguments, input);
    assert_eq!(admin("ldapwhoami", &[], "").ok().out, format!("dn:cn=admin,{SUFFIX}\n"));
    let found = admin("ldapsearch", &["-LLL", "-b", SUFFIX, "(uid=alice)", "mail"], "").ok();
    assert_eq!(found.values("mail"), ["alice@example.com"]);
    assert_eq!(admin("ldapcompare", &[&full("alice"), "sn:ADAMS"], "").code, 6);
    assert_eq!(admin("ldapcompare", &[&full("alice"), "sn:Baker"], "").code, 5);
    let dora = format!("dn: uid=dora,ou=people,{SUFFIX}\nobjectClass: inetOrgPerson\nuid: dora\ncn: Dora\nsn: Dove\n");
    admin("ldapadd", &[], &dora).ok();
    admin("ldapadd", &[], &dora).fails_with(68);
    let change = format!("dn: uid=dora,ou=people,{SUFFIX}\nchangetype: modify\nadd: mail\nmail: dora@example.com\n");
    admin("ldapmodify", &[], &change).ok();
    admin("ldapmodrdn", &["-r", &full("dora"), "uid=dolly"], "").ok();
    let found = admin("ldapsearch", &["-LLL", "-b", SUFFIX, "(mail=dora@example.com)", "uid"], "").ok();
    assert_eq!(found.values("uid"), ["dolly"]);
    admin("ldapdelete", &[&full("dolly")], "").ok();
    admin("ldapdelete", &[&full("dolly")], "").fails_with(32);
}

#[test]
fn a_user_changes_their_own_password_and_the_old_one_stops_working_at_once() {
    let server = Server::start();
    let (old, new) = (server.password("alice"), "a much better secret");
    let (old_file, new_file) = (server.secret(&old), server.secret(new));
    let arguments = ["-t", old_file.to_str().unwrap(), "-T", new_file.to_str().unwrap()];
    server.ldap("ldappasswd", "alice", &arguments).ok();
    server.ldap_with("ldapwhoami", &server.ldaps, "alice", &old, &[], "").fails_with(49);
    server.ldap_with("ldapwhoami", &server.ldaps, "alice", new, &[], "").ok();
}
