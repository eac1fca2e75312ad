//! A person changes their own password, with every tool that can, and is told why when it cannot be.

use serde_json::json;

use crate::ber;
use crate::client::Client;
use crate::said::Said;
use crate::server::{SUFFIX, Server, Transport, full, text};

/// Asserts that one password opens the account from now on, and the other does not.
#[track_caller]
fn is_changed(server: &Server, who: &str, old: &str, new: &str) {
    let mut client = Client::local(server);
    assert_eq!((client.bind(who, old), client.bind(who, new)), (49, 0));
}

fn change(who: &str, lines: &str) -> String {
    format!("dn: {}\nchangetype: modify\n{lines}\n", full(who))
}

#[test]
fn everybody_changes_their_own_password_with_ldappasswd() {
    let server = Server::start();
    server.answer_wrong_passwords_at_once();
    for (transport, new) in Transport::ALL.into_iter().zip(["a much better secret", "another good secret"]) {
        let old = if transport == Transport::Ldaps { server.password("alice") } else { "a much better secret".into() };
        server.login("alice").with(&old).over(transport).run("ldappasswd", &["-a", &old, "-s", new]).ok();
        is_changed(&server, "alice", &old, new);
    }
    let (old, new) = ("another good secret", "and a third one as well");
    server.login("alice").with(old).at(&server.ldapi).run("ldappasswd", &["-a", old, "-s", new]).ok();
    is_changed(&server, "alice", old, new);
    // Naming oneself is the same, and so is a file in the place of an argument.
    let (old, new) = (server.password("bob"), "läßt sich gut merken");
    let (old_file, new_file) = (server.secret(&old), server.secret(new));
    let arguments = ["-t", text(&old_file), "-T", text(&new_file), &full("bob")];
    server.ldap("ldappasswd", "bob", &arguments).ok();
    is_changed(&server, "bob", &old, new);
}

#[test]
fn ldappasswd_asks_for_the_passwords_on_a_terminal() {
    let server = Server::start();
    server.answer_wrong_passwords_at_once();
    let (old, new) = (server.password("alice"), "a much better secret");
    let ask = |options: &[&str], answers: &[(&str, &str)]| {
        let alice = full("alice");
        let command = [&["ldappasswd", "-x", "-D", &alice, "-W"], options].concat();
        server.python("prompt.py", &[], &json!({ "command": command, "answers": answers }).to_string())
    };
    let both = |old, new| {
        let (asks, repeats) = ("Old password: ", "Re-enter old password: ");
        [
            (asks, old),
            (repeats, old),
            ("New password: ", new),
            ("Re-enter new password: ", new),
            ("Enter LDAP Password: ", old),
        ]
    };
    let ldaps = ["-H", &server.ldaps, "-A", "-S"];
    ask(&ldaps, &both(old.as_str(), "short")).refuses_with(19).tells("needs at least 15 characters");
    let said = ask(&ldaps, &both(old.as_str(), new)).ok();
    assert!(!said.out.contains(new) && !said.out.contains(&old), "{}", said.out);
    is_changed(&server, "alice", &old, new);
    let start_tls = ["-H", &server.ldap, "-ZZ", "-A", "-S"];
    ask(&start_tls, &both(new, "another good secret")).ok();
    is_changed(&server, "alice", new, "another good secret");
    // Without -A the old one is missing, unless the policy does not want it.
    let third = both("another good secret", "and a third one as well");
    let only_new = ["-H", &server.ldaps, "-S"];
    ask(&only_new, &third[2..]).refuses_with(50).tells("The current password must be given to change it.");
    server.change_policy(&["replace: pwdSafeModify\npwdSafeModify: FALSE"]);
    ask(&only_new, &third[2..]).ok();
    is_changed(&server, "alice", "another good secret", "and a third one as well");
}

#[test]
fn a_password_that_the_server_makes_is_told_and_good_enough_for_the_policy() {
    let server = Server::start();
    server.answer_wrong_passwords_at_once();
    let old = server.password("alice");
    let made = made_password(&server.ldap("ldappasswd", "alice", &["-a", &old]).ok());
    assert!(made.len() >= 15, "{made}");
    is_changed(&server, "alice", &old, &made);
    // It may be chosen by hand as well, by somebody else, so it is as the policy wants it.
    let bobs = server.password("bob");
    server.ldap("ldappasswd", "bob", &["-a", &bobs, "-s", &made]).ok();
    server.change_policy(&["replace: pwdMinLength\npwdMinLength: 40"]);
    let long = made_password(&server.login("alice").with(&made).run("ldappasswd", &["-a", &made]).ok());
    assert!(long.len() >= 40, "{long}");
    is_changed(&server, "alice", &made, &long);
    assert_ne!(long, made_password(&server.login("alice").with(&long).run("ldappasswd", &["-a", &long]).ok()));
}

fn made_password(said: &Said) -> String {
    said.out.trim().strip_prefix("New password: ").unwrap().to_owned()
}

#[test]
fn a_modify_of_the_password_is_a_change_of_it() {
    let server = Server::start();
    server.answer_wrong_passwords_at_once();
    let (old, new) = (server.password("alice"), "a much better secret");
    let modify = |password: &str, lines: &str| {
        server.login("alice").with(password).run_in("ldapmodify", &[], &change("alice", lines))
    };
    let both = |old: &str, new: &str| {
        format!("delete: userPassword\nuserPassword: {old}\n-\nadd: userPassword\nuserPassword: {new}")
    };
    modify(&old, &both(&old, new)).ok();
    is_changed(&server, "alice", &old, new);
    modify(new, &both("a wrong old password", "yet another good one")).fails_with(49);
    modify(new, "replace: userPassword\nuserPassword: yet another good one")
        .fails_with(50)
        .tells("The current password must be given to change it.");
    modify(new, "add: userPassword\nuserPassword: yet another good one").fails_with(20);
    modify(new, "delete: userPassword").fails_with(53);
    assert_eq!(server.bind("alice", new), 0);
    // Where the policy does not want the old password, a replace is enough, and is judged all the same.
    server.change_policy(&["replace: pwdSafeModify\npwdSafeModify: FALSE"]);
    modify(new, "replace: userPassword\nuserPassword: short").fails_with(19).tells("at least 15 characters");
    modify(new, "add: userPassword\nuserPassword: yet another good one").fails_with(20);
    modify(new, "replace: userPassword\nuserPassword: {SSHA}aGVsbG8gd29ybGQgaGVsbG8=").fails_with(19).tells("hashed");
    modify(new, "replace: userPassword\nuserPassword: yet another good one").ok();
    is_changed(&server, "alice", new, "yet another good one");
}

#[test]
fn the_old_password_stops_working_at_once_on_every_connection() {
    let server = Server::start();
    server.answer_wrong_passwords_at_once();
    let (old, new) = (server.password("alice"), "a much better secret");
    let mut open: Vec<Client> = (0..8).map(|_| Client::bound(&server, "alice", &old)).collect();
    let changed = open[0].ask(&ber::password_modify(None, Some(&old), Some(new)));
    assert_eq!((changed.code, changed.words.as_str()), (0, ""));
    for client in &mut open {
        assert_eq!(client.bind("alice", &old), 49);
        assert_eq!(client.who_am_i(), "");
        assert_eq!(client.bind("alice", new), 0);
        assert_eq!(client.bind("ALICE", new), 0);
    }
    // Of several changes at once, one is made.
    let of = |number: usize| format!("number {number} comes first and wins it");
    for (number, client) in open.iter_mut().enumerate() {
        client.begin(&ber::password_modify(None, Some(new), Some(&of(number))));
    }
    let codes: Vec<i32> = open.iter_mut().map(|client| client.receive().unwrap().code).collect();
    assert_eq!(codes.iter().filter(|code| **code == 0).count(), 1, "{codes:?}");
    let winner = codes.iter().position(|code| *code == 0).unwrap();
    is_changed(&server, "alice", new, &of(winner));
}

#[test]
fn a_refusal_tells_the_user_what_to_do() {
    let server = Server::start();
    server.answer_wrong_passwords_at_once();
    let old = server.password("alice");
    let refused = |new: &str, code: i32, words: &str| {
        server.ldap("ldappasswd", "alice", &["-a", &old, "-s", new]).refuses_with(code).tells(words);
    };
    refused("short", 19, "The new password needs at least 15 characters.");
    refused("alice", 19, "at least 15 characters. The new password is little more than the name \"alice\".");
    refused(&"x".repeat(2_000), 19, "The new password may have at most");
    refused("Password123456!", 19, "The new password is among those that everybody tries first.");
    refused("12AliceAdams345!", 19, "The new password is little more than the name \"Alice Adams\".");
    refused("abcdefghijklmnopqrstuvwxyz", 19, "The new password is little more than a repetition or a row of keys.");
    refused(&old, 19, "The new password is the same as the current one.");
    server
        .ldap("ldappasswd", "alice", &["-s", "some other good secret"])
        .refuses_with(50)
        .tells("The current password must be given to change it.");
    server.ldap("ldappasswd", "alice", &["-a", "wrong", "-s", "some other good secret"]).refuses_with(49);
    assert_eq!(server.bind("alice", &old), 0);
    // An empty new password is not the wish to have one made.
    let mut client = Client::bound(&server, "alice", &old);
    let empty = client.ask(&ber::password_modify(None, Some(&old), Some("")));
    assert_eq!((empty.code, empty.words.as_str()), (19, "The new password is empty."));
    // What the policy control tells a program that does not read sentences.
    let said = server.ldap("ldappasswd", "alice", &["-e", "ppolicy", "-a", &old, "-s", "short"]);
    said.refuses_with(19).tells("Password is too short for policy");
}

#[test]
fn passwords_that_were_used_before_are_refused_as_long_as_they_are_remembered() {
    let server = Server::start();
    server.change_policy(&["replace: pwdInHistory\npwdInHistory: 2"]);
    let first = server.password("alice");
    let mut client = Client::bound(&server, "alice", &first);
    let mut set = |old: &str, new: &str| {
        let answer = client.ask(&ber::password_modify(None, Some(old), Some(new)));
        (answer.code, answer.words)
    };
    assert_eq!(set(&first, "the second password").0, 0);
    assert_eq!(set("the second password", "the third password").0, 0);
    let used_before = (19, "The new password was used before.".to_owned());
    assert_eq!(set("the third password", &first), used_before);
    assert_eq!(set("the third password", "the second password"), used_before);
    assert_eq!(set("the third password", "the fourth password").0, 0);
    assert_eq!(set("the fourth password", &first).0, 0);
}

#[test]
fn a_change_moves_the_time_that_logins_and_browsers_read() {
    let server = Server::start();
    let before =
        format!("dn: {}\nchangetype: modify\nreplace: shadowLastChange\nshadowLastChange: 12345\n", full("alice"));
    server.ldap_in("ldapmodify", "cn=admin", &[], &before).ok();
    let old = server.password("alice");
    server.ldap("ldappasswd", "alice", &["-a", &old, "-s", "a much better secret"]).ok();
    let arguments = ["-LLL", "-b", SUFFIX, "(uid=alice)", "shadowLastChange", "pwdChangedTime", "modifiersName"];
    let found = server.login("alice").with("a much better secret").run("ldapsearch", &arguments).ok();
    assert_eq!(found.values("modifiersName"), [full("alice")]);
    let days: u32 = found.values("shadowLastChange")[0].parse().unwrap();
    assert!(days > 20_000, "{days}");
    assert_eq!(found.values("pwdChangedTime")[0].len(), "20260101000000Z".len());
}

#[test]
fn the_owner_of_an_expired_password_changes_it_without_being_let_in() {
    let server = Server::start();
    server.answer_wrong_passwords_at_once();
    let old = server.password("alice");
    let short = "objectClass: namedPolicy\nobjectClass: pwdPolicy\npwdAttribute: userPassword\npwdMaxAge: 1\n";
    let short = format!("dn: {}\n{short}pwdCheckQuality: 2\npwdMinLength: 15\n", full("cn=short,ou=policies"));
    server.ldap_in("ldapadd", "cn=admin", &[], &short).ok();
    let lines = format!("replace: pwdPolicySubentry\npwdPolicySubentry: {}", full("cn=short,ou=policies"));
    server.ldap_in("ldapmodify", "cn=admin", &[], &change("alice", &lines)).ok();
    let mut client = Client::local(&server);
    while client.bind("alice", &old) == 0 {}
    let policy = server.ldap("ldapwhoami", "alice", &["-e", "ppolicy"]).fails_with(49);
    policy.tells("Password expired");
    assert_eq!(client.who_am_i(), "");
    let mut ask =
        |who: Option<&str>, old: Option<&str>, new: &str| client.ask(&ber::password_modify(who, old, Some(new))).code;
    assert_eq!(ask(Some(&full("alice")), Some("a wrong old one"), "a much better secret"), 49);
    assert_eq!(ask(Some(&full("nobody")), Some(&old), "a much better secret"), 49);
    assert_eq!(ask(Some(&full("alice")), None, "a much better secret"), 8);
    assert_eq!(ask(None, Some(&old), "a much better secret"), 8);
    assert_eq!(ask(Some(&full("alice")), Some(&old), "short"), 19);
    let alice = full("alice");
    let unbound = ["-x", "-H", &server.ldaps, "-a", &old, "-s", "a much better secret", &alice];
    server.run("ldappasswd", &unbound, "").ok();
    let longer = change("cn=short,ou=policies", "delete: pwdMaxAge");
    server.ldap_in("ldapmodify", "cn=admin", &[], &longer).ok();
    assert_eq!(server.bind("alice", "a much better secret"), 0);
}
