//! The helpdesk resets the passwords of those whom it may, and nobody takes over anybody else.

use crate::ber;
use crate::client::{Client, contains};
use crate::server::{SUFFIX, Server, full};

/// Somebody who may more than the helpdesk: a rule of its own, for a group.
const KEEPERS: &str = r#"
[[access]]
name = "the keepers write groups"
who = "group:cn=keepers,ou=groups,dc=example,dc=com"
to = "subtree:ou=groups,dc=example,dc=com"
allow = "write"
"#;

fn person(uid: &str) -> String {
    format!("dn: {}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: Any\nsn: Body\n\n", full(uid))
}

fn group(name: &str, member: &str) -> String {
    format!(
        "dn: {}\nobjectClass: groupOfNames\ncn: {name}\nmember: {member}\n\n",
        full(&format!("cn={name},ou=groups"))
    )
}

fn joins(group: &str, member: &str) -> String {
    format!("dn: {}\nchangetype: modify\nadd: member\nmember: {member}\n\n", full(&format!("cn={group},ou=groups")))
}

#[test]
fn the_helpdesk_resets_people_by_whatever_it_calls_them() {
    let server = Server::start();
    let bob = full("bob");
    let names = [bob.clone(), format!("dn:{bob}"), "u:bob".to_owned(), "bob".to_owned(), "BOB".to_owned()];
    for (number, name) in names.into_iter().enumerate() {
        let new = format!("given out by the helpdesk {number}");
        server.ldap("ldappasswd", "hanna", &["-s", &new, &name]).ok();
        assert_eq!(server.bind("bob", &new), 0, "{name}");
    }
    // Without a new one the server makes one, to be read out on the telephone.
    let said = server.ldap("ldappasswd", "hanna", &["bob"]).ok();
    let made = said.out.trim().strip_prefix("New password: ").unwrap();
    assert_eq!(server.bind("bob", made), 0);
    let replace =
        format!("dn: {bob}\nchangetype: modify\nreplace: userPassword\nuserPassword: by a browser this time\n");
    server.ldap_in("ldapmodify", "hanna", &[], &replace).ok();
    assert_eq!(server.bind("bob", "by a browser this time"), 0);
    // A name that nobody has.
    server.ldap("ldappasswd", "hanna", &["-s", "given out by mistake", "u:nobody"]).refuses_with(50);
    server.ldap("ldappasswd", "hanna", &["-s", "given out by mistake", &full("nobody")]).refuses_with(32);
    // What the helpdesk gives out is judged as well.
    server
        .ldap("ldappasswd", "hanna", &["-s", "bob", "bob"])
        .refuses_with(19)
        .tells("at least 15 characters. The new password is little more than the name \"bob\"");
}

#[test]
fn the_helpdesk_takes_over_nobody_who_may_more() {
    let mut server = Server::start_with(KEEPERS);
    server.answer_wrong_passwords_at_once();
    let people: String = ["chief", "deputy", "henry", "keeper"].map(person).concat();
    let groups = [group("deputies", &full("deputy")), group("keepers", &full("keeper"))].concat();
    server.ldap_in("ldapadd", "cn=admin", &[], &(people + &groups)).ok();
    let members = [
        joins("administrators", &full("chief")),
        joins("administrators", &full("cn=deputies,ou=groups")),
        joins("helpdesk", &full("henry")),
        joins("helpdesk", &full("keeper")),
    ];
    server.ldap_in("ldapmodify", "cn=admin", &[], &members.concat()).ok();
    let reset = |who: &str, name: &str| {
        let arguments = ["-s", "given out by the helpdesk", &full(name)];
        server.ldap("ldappasswd", who, &arguments)
    };
    // Colleagues who may the same.
    reset("hanna", "henry").ok();
    // Administrators, also through a group in a group, and a colleague who may more.
    let more = "this account has rights that you do not have";
    for name in ["chief", "deputy", "keeper"] {
        reset("hanna", name).refuses_with(50).tells(more);
    }
    // Those who are none of the helpdesk's business.
    for name in ["cn=admin", "cn=app,ou=services"] {
        reset("hanna", name).refuses_with(50).tells("you may not set the password of this account");
    }
    // Oneself needs the old password, whatever one may do to others.
    reset("hanna", "hanna").refuses_with(50).tells("The current password must be given to change it.");
    // By modify it is no different.
    let replace = |name: &str| {
        format!("dn: {}\nchangetype: modify\nreplace: userPassword\nuserPassword: by a browser this time\n", full(name))
    };
    for name in ["chief", "deputy", "keeper", "cn=admin"] {
        server.ldap_in("ldapmodify", "hanna", &[], &replace(name)).fails_with(50);
    }
    // An administrator resets another administrator, and everybody below.
    for name in ["chief", "deputy", "keeper", "hanna", "cn=app,ou=services"] {
        reset("cn=admin", name).ok();
        assert_eq!(server.bind(name, "given out by the helpdesk"), 0, "{name}");
    }
    // Whoever leaves the helpdesk can do no more of this, at once.
    let leaves = joins("helpdesk", &full("henry")).replace("add: member", "delete: member");
    let mut henry = Client::bound(&server, "henry", "given out by the helpdesk");
    let change = ber::password_modify(None, Some("given out by the helpdesk"), Some("chosen by henry himself"));
    assert_eq!(henry.ask(&change).code, 0);
    let bob = ber::password_modify(Some("u:bob"), None, Some("given out by the helpdesk"));
    assert_eq!(henry.ask(&bob).code, 0);
    server.ldap_in("ldapmodify", "cn=admin", &[], &leaves).ok();
    assert_eq!(henry.ask(&bob).code, 50);
    let log = server.stop();
    assert!(!log.contains("given out") && !log.contains("by a browser"), "{log}");
}

#[test]
fn after_a_reset_the_owner_must_change_the_password_and_can_on_the_same_connection() {
    let server = Server::start();
    server.ldap("ldappasswd", "hanna", &["-s", "given out by the helpdesk", "bob"]).ok();
    let temporary = "given out by the helpdesk";
    let said = server.login("bob").with(temporary).run("ldapwhoami", &["-e", "ppolicy"]).ok();
    said.tells("Password must be changed");
    let search = ["-LLL", "-b", SUFFIX, "(uid=bob)"];
    server.login("bob").with(temporary).run("ldapsearch", &search).fails_with(50).tells("change your password first");
    let state = ["-LLL", "-b", &full("bob"), "pwdReset"];
    assert_eq!(server.ldap("ldapsearch", "hanna", &state).ok().values("pwdReset"), ["TRUE"]);
    let mut bob = Client::bound(&server, "bob", temporary);
    let search = ber::search(SUFFIX, &ber::equal("uid", "bob"), &["cn"]);
    let others = ber::password_modify(Some("u:alice"), None, Some("a much better secret"));
    let rename = ber::replace(&full("bob"), "title", "Baker");
    for request in [&search, &others, &rename, &ber::delete(&full("bob"))] {
        let answer = bob.ask(request);
        assert_eq!((answer.code, answer.words.as_str()), (50, "change your password first"));
    }
    assert_eq!(bob.who_am_i(), format!("dn:{}", full("bob")));
    let same = bob.ask(&ber::password_modify(None, Some(temporary), Some(temporary)));
    assert_eq!(same.code, 19, "{same:?}");
    assert_eq!(bob.ask(&search).code, 50);
    let change = bob.ask(&ber::password_modify(None, Some(temporary), Some("chosen by bob himself")));
    assert_eq!(change.code, 0, "{change:?}");
    assert_eq!(bob.find(&search), [full("bob")]);
    assert_eq!(server.ldap("ldapsearch", "hanna", &state).ok().values("pwdReset"), [""; 0]);
    let said = server.login("bob").with("chosen by bob himself").run("ldapwhoami", &["-e", "ppolicy"]).ok();
    assert!(!said.err.contains("must be changed") && !said.out.contains("must be changed"), "{said:?}");
}

#[test]
fn somebody_whose_own_password_was_reset_resets_nobody_before_it_is_changed() {
    let server = Server::start();
    server.ldap("ldappasswd", "cn=admin", &["-s", "given out by the admin", &full("hanna")]).ok();
    let mut hanna = Client::bound(&server, "hanna", "given out by the admin");
    let reset = ber::password_modify(Some("u:bob"), None, Some("given out by the helpdesk"));
    let refused = hanna.ask(&reset);
    assert_eq!((refused.code, refused.words.as_str()), (50, "change your password first"));
    let by_modify = ber::replace(&full("bob"), "userPassword", "by a browser this time");
    assert_eq!(hanna.ask(&by_modify).code, 50);
    let change = ber::password_modify(None, Some("given out by the admin"), Some("chosen by hanna herself"));
    assert_eq!((hanna.ask(&change).code, hanna.ask(&reset).code), (0, 0));
    assert_eq!(server.bind("bob", "given out by the helpdesk"), 0);
}

#[test]
fn guessing_at_the_password_of_somebody_else_tells_nothing_and_locks_nobody() {
    let server = Server::start();
    let mut alice = Client::bound(&server, "alice", &server.password("alice"));
    let right = server.password("bob");
    for guess in (0..20).map(|number| format!("guess number {number}")).chain([right.clone()]) {
        for name in [full("bob"), "u:bob".to_owned(), full("cn=admin")] {
            let change = ber::password_modify(Some(&name), Some(&guess), Some("now it belongs to alice"));
            let answer = alice.ask(&change);
            assert_eq!((answer.code, answer.words.as_str()), (50, "you may not set the password of this account"));
        }
    }
    let by_modify = format!(
        "dn: {}\nchangetype: modify\ndelete: userPassword\nuserPassword: {right}\n-\nadd: userPassword\nuserPassword: now it belongs to alice\n",
        full("bob")
    );
    server.ldap_in("ldapmodify", "alice", &[], &by_modify).fails_with(50);
    assert_eq!(server.bind("bob", &right), 0);
    let state = ["-LLL", "-b", &full("bob"), "pwdFailureTime", "pwdAccountLockedTime"];
    let found = server.ldap("ldapsearch", "hanna", &state).ok();
    assert!(!found.out.contains("pwd"), "{}", found.out);
}

#[test]
fn nobody_reads_a_password_by_any_way() {
    let mut server = Server::start();
    server.answer_wrong_passwords_at_once();
    let hash = {
        let exported = server.keystead("export", &["--base", &full("bob")]).ok();
        exported.values("userPassword").pop().unwrap_or_else(|| panic!("no hash: {}", exported.out))
    };
    assert!(hash.starts_with("{ARGON2}"), "{hash}");
    let mut clients = vec![("root", Client::root(&server))];
    for who in ["cn=admin", "hanna", "bob", "alice", "cn=app,ou=services"] {
        clients.push((who, Client::bound(&server, who, &server.password(who))));
    }
    for (who, client) in &mut clients {
        for attributes in
            [&["*", "+"][..], &["userPassword", "pwdHistory"], &["userpassword;x-a", "2.5.4.35", "@person"]]
        {
            let id = client.begin(&ber::search(SUFFIX, &ber::equal("uid", "bob"), attributes));
            let entry = client.receive().unwrap();
            assert_eq!((entry.id, entry.tag), (id, ber::ENTRY), "{who}");
            assert_eq!(client.receive().unwrap().summary(), (id, ber::SEARCH_DONE, 0), "{who}");
            for secret in [&b"ARGON2"[..], b"$argon2id", b"userPassword", b"2.5.4.35"] {
                assert!(!contains(&entry.content, secret), "{who} {attributes:?}");
            }
        }
        let beginning = ber::with(0xa4, &[ber::text("userPassword"), ber::with(0x30, &[ber::element(0x80, b"{")])]);
        let at_least = ber::with(0xa5, &[ber::text("userPassword"), ber::text("{")]);
        let filters = [ber::present("userPassword"), ber::equal("userPassword", &hash), beginning, at_least];
        for filter in filters {
            assert_eq!(client.find(&ber::search(SUFFIX, &filter, &["1.1"])), [""; 0], "{who}");
            let negated = ber::with(0xa2, &[filter]);
            assert_eq!(client.find(&ber::search(SUFFIX, &negated, &["1.1"])), [""; 0], "{who}");
        }
        let answer = client.ask(&ber::compare(&full("bob"), "userPassword", &hash));
        assert_eq!(answer.code, 5, "{who}: {answer:?}");
        let answer = client.ask(&ber::compare(&full("bob"), "pwdHistory", &hash));
        assert_eq!(answer.code, 50, "{who}: {answer:?}");
    }
    let log = server.stop();
    assert!(!log.contains(&hash) && !log.contains("argon2id"), "{log}");
}
