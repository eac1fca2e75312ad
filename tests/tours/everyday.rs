//! What the tools of ldap-utils do every day, against the example directory.

use crate::said::Said;
use crate::server::{SUFFIX, Server, Transport, full};

/// Runs a tool as an administrator, with something on its standard input.
type Admin<'s> = &'s dyn Fn(&str, &[&str], &str) -> Said;

/// What an administrator does with every tool of ldap-utils.
#[track_caller]
fn every_tool_works(server: &Server, admin: Admin<'_>) {
    let found = admin("ldapsearch", &["-LLL", "-b", SUFFIX, "(uid=alice)", "mail"], "").ok();
    assert_eq!(found.values("mail"), ["alice@example.com"]);
    assert_eq!(admin("ldapcompare", &[&full("alice"), "sn:ADAMS"], "").code, 6);
    assert_eq!(admin("ldapcompare", &[&full("alice"), "sn:Baker"], "").code, 5);
    let dora = format!("dn: {}\nobjectClass: inetOrgPerson\nuid: dora\ncn: Dora\nsn: Dove\n", full("dora"));
    admin("ldapadd", &[], &dora).ok();
    admin("ldapadd", &[], &dora).fails_with(68);
    let change = format!("dn: {}\nchangetype: modify\nadd: mail\nmail: dora@example.com\n", full("dora"));
    admin("ldapmodify", &[], &change).ok();
    admin("ldappasswd", &["-s", "the pigeon of the baker", &full("dora")], "").ok();
    assert_eq!(server.bind("dora", "the pigeon of the baker"), 0);
    admin("ldapmodrdn", &["-r", &full("dora"), "uid=dolly"], "").ok();
    let found = admin("ldapsearch", &["-LLL", "-b", SUFFIX, "(mail=dora@example.com)", "uid"], "").ok();
    assert_eq!(found.values("uid"), ["dolly"]);
    assert_eq!(server.bind("dolly", "the pigeon of the baker"), 0);
    let moved = ["-r", "-s", &full("ou=services"), &full("dolly"), "uid=dolly"];
    admin("ldapmodrdn", &moved, "").ok();
    admin("ldapdelete", &[&full("dolly")], "").fails_with(32).tells(&full("ou=people"));
    admin("ldapdelete", &[&full("uid=dolly,ou=services")], "").ok();
    admin("ldapdelete", &[&full("ou=people")], "").fails_with(66);
}

#[test]
fn the_everyday_tools_work_over_ldaps_and_over_starttls() {
    let server = Server::start();
    for transport in Transport::ALL {
        let login = server.login("cn=admin").over(transport);
        assert_eq!(login.run("ldapwhoami", &[]).ok().out, format!("dn:cn=admin,{SUFFIX}\n"));
        every_tool_works(&server, &|tool, arguments, input| login.run_in(tool, arguments, input));
    }
}

#[test]
fn over_the_local_socket_root_is_an_administrator_without_a_password() {
    let server = Server::start();
    let local = |tool: &str, arguments: &[&str], input: &str| {
        let all = [&["-Q", "-Y", "EXTERNAL", "-H", &server.ldapi], arguments].concat();
        server.run(tool, &all, input)
    };
    assert_eq!(local("ldapwhoami", &[], "").ok().out, "dn:gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth\n");
    every_tool_works(&server, &local);
    let change = format!("dn: {}\nchangetype: modify\nreplace: title\ntitle: Baker\n", full("alice"));
    local("ldapmodify", &[], &change).ok();
    let found = local("ldapsearch", &["-LLL", "-o", "ldif_wrap=no", "-b", &full("alice"), "modifiersName"], "").ok();
    assert_eq!(found.values("modifiersName"), ["gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth"]);
    // A name and a password do as well: nobody can listen in on a local socket.
    let said = server.login("bob").at(&server.ldapi).run("ldapwhoami", &[]).ok();
    assert_eq!(said.out, format!("dn:{}\n", full("bob")));
    // Over TCP a connection proves nothing by itself.
    let over_tcp = server.run("ldapwhoami", &["-Q", "-Y", "EXTERNAL", "-H", &server.ldaps], "");
    assert_ne!(over_tcp.code, 0, "{over_tcp:?}");
}

#[test]
fn results_come_in_pages_to_clients_that_ask_for_pages() {
    let server = Server::start();
    let search = |arguments: &[&str]| {
        let all = [&["-LLL", "-o", "ldif_wrap=no", "-b", SUFFIX], arguments].concat();
        server.ldap("ldapsearch", "cn=admin", &all)
    };
    let whole = search(&["(objectClass=*)", "1.1"]).ok().values("dn");
    for transport in Transport::ALL {
        let arguments = ["-LLL", "-b", SUFFIX, "-E", "!pr=2/noprompt", "(objectClass=*)", "1.1"];
        let paged = server.login("cn=admin").over(transport).run("ldapsearch", &arguments).ok();
        assert_eq!(paged.values("dn"), whole);
        assert_eq!(paged.out.matches("# pagedresults: cookie=").count(), whole.len().div_ceil(2));
    }
    assert_eq!(search(&["-E", "pr=1000/noprompt", "1.1"]).ok().values("dn"), whole);
    let few = search(&["-z", "3", "1.1"]).fails_with(4);
    assert_eq!(few.values("dn"), whole[..3]);
}

#[test]
fn an_unknown_control_is_refused_if_it_is_critical_and_ignored_if_not() {
    let server = Server::start();
    let search = |control: &str| server.ldap("ldapsearch", "cn=admin", &["-LLL", "-b", SUFFIX, "-E", control, "dc"]);
    assert_eq!(search("1.2.3.4").ok().values("dc"), ["example"]);
    search("!1.2.3.4").fails_with(12).tells("1.2.3.4");
    // A control that is known, where it has no meaning.
    let delete = |control: &str| server.ldap("ldapdelete", "cn=admin", &["-e", control, &full("nobody")]);
    delete("!1.2.840.113556.1.4.319").fails_with(12);
    delete("1.2.840.113556.1.4.319").fails_with(32);
}

#[test]
fn clients_choose_attributes_by_name_by_class_and_by_kind() {
    let server = Server::start();
    let alice = full("alice");
    let read = |attributes: &[&str]| {
        let all = [&["-LLL", "-o", "ldif_wrap=no", "-b", &alice], attributes].concat();
        server.ldap("ldapsearch", "cn=admin", &all).ok()
    };
    let user = read(&[]);
    assert_eq!((user.values("uid"), user.values("entryUUID").len()), (vec!["alice".to_owned()], 0));
    let operational = read(&["+"]);
    assert_eq!((operational.values("uid").len(), operational.values("entryUUID").len()), (0, 1));
    assert_eq!(operational.values("memberOf"), [full("cn=staff,ou=groups")]);
    assert_eq!(operational.values("subschemaSubentry"), ["cn=Subschema"]);
    let both = read(&["*", "+"]);
    assert_eq!((both.values("uid").len(), both.values("entryUUID").len()), (1, 1));
    let of_class = read(&["@posixAccount"]);
    assert_eq!((of_class.values("uidNumber").len(), of_class.values("mail").len()), (1, 0));
    assert_eq!(read(&["1.1"]).out.trim(), format!("dn: {}", full("alice")));
    let twice = read(&["MAIL", "mail", "nonsense"]);
    assert_eq!(twice.out.matches("alice@example.com").count(), 1);
    let types = read(&["-A", "mail"]);
    assert!(types.out.contains("mail:\n") && !types.out.contains("alice@"), "{}", types.out);
}

#[test]
fn everybody_may_ask_what_the_server_is_and_nothing_else_without_a_bind() {
    let server = Server::start();
    let anonymous = |base: &str, arguments: &[&str]| {
        let all = [&["-x", "-LLL", "-o", "ldif_wrap=no", "-H", &server.ldap, "-b", base], arguments].concat();
        server.run("ldapsearch", &all, "")
    };
    let root = anonymous("", &["-s", "base", "*", "+"]).ok();
    assert_eq!(root.values("namingContexts"), [SUFFIX]);
    assert_eq!(root.values("supportedLDAPVersion"), ["3"]);
    assert_eq!(root.values("vendorName"), ["Keystead"]);
    for extension in ["1.3.6.1.4.1.4203.1.11.1", "1.3.6.1.4.1.4203.1.11.3", "1.3.6.1.4.1.1466.20037", "1.3.6.1.1.8"] {
        assert!(root.values("supportedExtension").contains(&extension.to_owned()), "{}", root.out);
    }
    for control in ["1.2.840.113556.1.4.319", "1.3.6.1.4.1.42.2.27.8.5.1", "2.16.840.1.113730.3.4.2"] {
        assert!(root.values("supportedControl").contains(&control.to_owned()), "{}", root.out);
    }
    let schema =
        anonymous("cn=Subschema", &["-s", "base", "(objectClass=subschema)", "attributeTypes", "objectClasses"]);
    let schema = schema.ok();
    assert!(schema.values("attributeTypes").iter().any(|text| text.contains("NAME 'userPassword'")));
    assert!(schema.values("objectClasses").iter().any(|text| text.contains("NAME 'inetOrgPerson'")));
    for (base, code) in [(SUFFIX, 32), (&full("alice"), 32), ("dc=elsewhere", 32)] {
        let said = anonymous(base, &[]).fails_with(code);
        assert_eq!(said.out, "", "{base}");
    }
    assert_eq!(anonymous("", &["-s", "sub", "(uid=alice)"]).ok().out, "");
}
