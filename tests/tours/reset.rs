//! What a helpdesk says beside a reset, and one-time codes, with the tools of OpenLDAP.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::server::{KEYSTEAD, SUFFIX, Server, full, text};

/// One of Keystead's own controls, as `-e` wants it.
fn control(number: u32, text: &str) -> String {
    format!("!2.25.271882395885119902382355470247459148908.3.{number}={}", STANDARD.encode(text))
}

fn ledger(server: &Server, who: &str, password: &str) -> Vec<String> {
    let arguments = ["-LLL", "-o", "ldif_wrap=no", "-b", &full(who), "-s", "base", "pwdLedger"];
    server.login(who).with(password).run("ldapsearch", &arguments).ok().values("pwdLedger")
}

#[test]
fn somebody_who_has_forgotten_the_password_gets_in_with_a_code_that_the_helpdesk_reads_out() {
    let server = Server::start();
    server.answer_wrong_passwords_at_once();
    let (why, how) = (control(1, "forgotten, ticket #4711"), control(2, "code"));
    let said = server.ldap("ldappasswd", "hanna", &["-e", &why, "-e", &how, "u:alice"]).ok();
    let code = said.out.trim().strip_prefix("New password: ").unwrap();
    assert_eq!((server.bind("alice", code), server.bind("alice", &server.password("alice"))), (49, 0));
    let unbound = |code: &str| {
        let arguments = ["-x", "-H", &server.ldaps, "-a", code, "-s", "a secret of her own", &full("alice")];
        server.run("ldappasswd", &arguments, "")
    };
    unbound("7K3M-Q9ZD-01XW-R5TC").refuses_with(49);
    unbound(&code.to_lowercase()).ok();
    assert_eq!(server.bind("alice", "a secret of her own"), 0);
    // Asked for once more, as by a client that heard no answer.
    unbound(code).ok();
    let lines = ledger(&server, "alice", "a secret of her own");
    let [_, issued, changed] = lines.as_slice() else { panic!("{lines:?}") };
    assert!(issued.contains(" code-issued; through password-modify; from 127.0.0.1; by uid=hanna,"), "{issued}");
    assert!(issued.ends_with("; reason forgotten, ticket #4711"), "{issued}");
    assert!(changed.contains(&format!("; by {}; entryUUID ", full("alice"))), "{changed}");
    assert!(changed.ends_with("; reason by a one-time code"), "{changed}");
}

#[test]
fn an_administrator_sets_a_password_against_the_policy_and_that_is_recorded() {
    let server = Server::start();
    let skip = control(2, "skip=quality,history need-not-change");
    let set = |who: &str, more: &[&str]| {
        let arguments = [more, &["-s", "1234", "u:bob"]].concat();
        server.ldap("ldappasswd", who, &arguments)
    };
    set("cn=admin", &[]).refuses_with(19).tells("at least 15 characters");
    set("hanna", &["-e", &skip]).refuses_with(50).tells("leave out skip=");
    set("cn=admin", &["-e", &skip, "-e", &control(1, "for the old printer")]).ok();
    assert_eq!(server.bind("bob", "1234"), 0);
    let recorded = server.keystead("events", &["--kind", "reset"]).ok().out;
    // What was refused before is written a little later, and may stand behind it.
    let told = |line: &str| line.ends_with("for the old printer, need-not-change, policy bypassed: quality, history");
    assert!(recorded.lines().any(told), "{recorded}");
    let lines = ledger(&server, "bob", "1234");
    assert!(lines.iter().any(|line| line.ends_with("policy bypassed: quality, history")), "{lines:?}");
    let config = server.config();
    let asked = ["explain", "access", "--config", text(&config), "--to", "bob", "--right", "bypass-policy"];
    let who = server.run(KEYSTEAD, &asked, "").ok();
    assert!(!who.out.contains("hanna"), "{}", who.out);
}

#[test]
fn a_temporary_password_that_begins_later_is_wrong_until_then() {
    let server = Server::start();
    server.answer_wrong_passwords_at_once();
    let later = control(2, "valid-from=29990101000000Z");
    server.ldap("ldappasswd", "hanna", &["-e", &later, "-s", "for the first of January", "u:bob"]).ok();
    assert_eq!(server.bind("bob", "for the first of January"), 49);
    let explained = server.run(KEYSTEAD, &["explain", "login", "--config", text(&server.config()), "bob"], "");
    explained.fails_with(1).tells("the temporary password is good from 2999-01-01 00:00:00 UTC on");
    let now = control(2, "valid-from=20200101000000Z");
    server.ldap("ldappasswd", "hanna", &["-e", &now, "-s", "for this very moment", "u:bob"]).ok();
    assert_eq!(server.bind("bob", "for this very moment"), 0);
}

#[test]
fn a_reset_says_how_long_it_is_good_and_why() {
    let server = Server::start();
    let how = control(2, "lifetime=3600 uses=1");
    server
        .ldap(
            "ldappasswd",
            "hanna",
            &["-e", &control(1, "locked out"), "-e", &how, "-s", "by telephone today", "u:bob"],
        )
        .ok();
    assert_eq!((server.bind("bob", "by telephone today"), server.bind("bob", "by telephone today")), (0, 49));
    let how = control(2, "need-not-change");
    server.ldap("ldappasswd", "hanna", &["-e", &how, "-s", "by telephone tomorrow", "u:bob"]).ok();
    let found =
        server.login("bob").with("by telephone tomorrow").run("ldapsearch", &["-b", SUFFIX, "(uid=alice)", "sn"]);
    assert_eq!(found.ok().values("sn"), ["Adams"]);
    let lines = ledger(&server, "bob", "by telephone tomorrow");
    assert!(lines.iter().any(|line| line.ends_with("; reason locked out, lifetime=3600 uses=1")), "{lines:?}");
    server.ldap("ldappasswd", "hanna", &["-e", &control(2, "for ever"), "u:bob"]).refuses_with(2);
    let unlock = format!("dn: {}\nchangetype: modify\ndelete: pwdAccountLockedTime\n", full("bob"));
    server.ldap_in("ldapmodify", "hanna", &["-e", &control(1, "back from leave")], &unlock).ok();
    let said = server.keystead("events", &["--kind", "unlocked"]).ok().out;
    assert!(said.trim_end().ends_with(" through modify: back from leave"), "{said}");
}
