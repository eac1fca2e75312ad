//! A connection is who authenticated on it for as long as that is true: no longer than their password, their account and
//! their entry.

use crate::ber;
use crate::client::Client;
use crate::server::{Server, full};

const NEW: &str = "a much better secret";

/// Asserts that the next request of the connection is answered by its end, which says why.
#[track_caller]
fn is_ended(client: &mut Client, why: &str) {
    client.begin(&ber::who_am_i());
    let notice = client.is_told_of_the_end();
    assert_eq!((notice.code, notice.words.as_str()), (8, why));
}

#[test]
fn a_reset_ends_the_connections_that_the_old_password_has_opened() {
    let server = Server::start();
    let mut alice = Client::bound(&server, "alice", &server.password("alice"));
    let mut bob = Client::bound(&server, "bob", &server.password("bob"));
    let mut hanna = Client::bound(&server, "hanna", &server.password("hanna"));
    assert_eq!(hanna.ask(&ber::password_modify(Some("u:alice"), None, Some(NEW))).code, 0);
    is_ended(&mut alice, "your password has been changed; authenticate again");
    assert_eq!(bob.who_am_i(), format!("dn:{}", full("bob")));
    assert_eq!(hanna.who_am_i(), format!("dn:{}", full("hanna")));
    assert_eq!(Client::local(&server).bind("alice", NEW), 0);
}

#[test]
fn the_policy_says_what_becomes_of_connections_after_a_reset_or_a_lock() {
    let server = Server::start();
    server.change_policy(&[
        "replace: pwdSessionsAfterReset\npwdSessionsAfterReset: restrict",
        "replace: pwdSessionsAfterLock\npwdSessionsAfterLock: leave",
    ]);
    let mut alice = Client::bound(&server, "alice", &server.password("alice"));
    let mut bob = Client::bound(&server, "bob", &server.password("bob"));
    let mut root = Client::root(&server);
    assert_eq!(root.ask(&ber::password_modify(Some("u:alice"), None, Some(NEW))).code, 0);
    let search = ber::read(&full("alice"), &["cn"]);
    assert_eq!(alice.ask(&search).code, 50);
    assert_eq!(alice.ask(&ber::password_modify(None, Some(NEW), Some("yet another secret"))).code, 0);
    assert_eq!(alice.ask(&search).code, 0);
    assert_eq!(root.ask(&ber::replace(&full("bob"), "pwdAccountLockedTime", "000001010000Z")).code, 0);
    assert_eq!(bob.who_am_i(), format!("dn:{}", full("bob")));
}

#[test]
fn whoever_changes_their_password_goes_on_where_they_did_and_nowhere_else() {
    let server = Server::start();
    let old = server.password("alice");
    let (mut here, mut there) = (Client::bound(&server, "alice", &old), Client::bound(&server, "alice", &old));
    assert_eq!(here.ask(&ber::password_modify(None, Some(&old), Some(NEW))).code, 0);
    assert_eq!(here.who_am_i(), format!("dn:{}", full("alice")));
    is_ended(&mut there, "your password has been changed; authenticate again");
    // A connection may authenticate again before it asks for anything else.
    let mut third = Client::bound(&server, "alice", NEW);
    assert_eq!(here.ask(&ber::password_modify(None, Some(NEW), Some("yet another secret"))).code, 0);
    assert_eq!(third.bind("alice", "yet another secret"), 0);
    assert_eq!(third.who_am_i(), format!("dn:{}", full("alice")));
}

#[test]
fn a_removed_or_closed_account_ends_its_connections() {
    let server = Server::start();
    let mut root = Client::root(&server);
    let mut carol = Client::bound(&server, "carol", &server.password("carol"));
    assert_eq!(root.ask(&ber::delete(&full("carol"))).code, 0);
    is_ended(&mut carol, "your entry has been removed");
    let mut alice = Client::bound(&server, "alice", &server.password("alice"));
    assert_eq!(root.ask(&ber::replace(&full("alice"), "pwdAccountLockedTime", "000001010000Z")).code, 0);
    is_ended(&mut alice, "your account has been closed");
    let mut bob = Client::bound(&server, "bob", &server.password("bob"));
    assert_eq!(root.ask(&ber::replace(&full("bob"), "pwdEndTime", "20200101000000Z")).code, 0);
    is_ended(&mut bob, "your account has been closed");
}

#[test]
fn a_password_that_must_be_changed_restricts_connections_that_are_open() {
    let server = Server::start();
    let old = server.password("alice");
    let mut alice = Client::bound(&server, "alice", &old);
    assert_eq!(Client::root(&server).ask(&ber::replace(&full("alice"), "pwdReset", "TRUE")).code, 0);
    let search = ber::read(&full("alice"), &["cn"]);
    assert_eq!(alice.ask(&search).code, 50);
    assert_eq!(alice.ask(&ber::password_modify(None, Some(&old), Some(NEW))).code, 0);
    assert_eq!(alice.ask(&search).code, 0);
}

#[test]
fn wrong_passwords_throw_nobody_out() {
    let server = Server::start();
    server.change_policy(&[
        "replace: pwdMaxFailure\npwdMaxFailure: 2",
        "delete: pwdMinDelay",
        "delete: pwdMaxDelay",
        "delete: pwdKnownSourceMaxAge",
    ]);
    let mut alice = Client::bound(&server, "alice", &server.password("alice"));
    let mut attacker = Client::local(&server);
    for guess in ["one", "two", "three"] {
        assert_eq!(attacker.bind("alice", guess), 49);
    }
    assert_eq!(attacker.bind("alice", &server.password("alice")), 49);
    // The lock has been written, and the directory has changed since.
    assert_eq!(Client::root(&server).ask(&ber::replace(&full("bob"), "title", "Painter")).code, 0);
    assert_eq!(alice.who_am_i(), format!("dn:{}", full("alice")));
}

#[test]
fn a_renamed_entry_goes_on_under_its_new_name() {
    let server = Server::start();
    let mut alice = Client::bound(&server, "alice", &server.password("alice"));
    let rename = format!("dn: {}\nchangetype: modrdn\nnewrdn: uid=alicia\ndeleteoldrdn: 1\n", full("alice"));
    server.ldap("ldapmodify", "cn=admin", &["-f", server.file("rename.ldif", &rename).to_str().unwrap()]).ok();
    assert_eq!(alice.who_am_i(), format!("dn:{}", full("alicia")));
}
