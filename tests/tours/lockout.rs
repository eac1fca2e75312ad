//! Wrong passwords lock an account, whichever way they come; the attacker learns nothing, and the helpdesk sees why.

use std::time::Instant;

use crate::ber;
use crate::client::Client;
use crate::server::{KEYSTEAD, SUFFIX, Server, full, text};

const REFUSED: &str = "the name or the password is wrong, or the account cannot be used now";

/// A request that tries a password.
type Request = fn(&str) -> Vec<u8>;

/// The ways by which the password of alice is tried.
const WAYS: [(&str, Request); 4] = [
    ("bind", |guess| ber::simple_bind(&full("alice"), guess)),
    ("old password", |guess| ber::password_modify(None, Some(guess), Some("a much better secret"))),
    ("compare", |guess| ber::compare(&full("alice"), "userPassword", guess)),
    ("unbound change", |guess| ber::password_modify(Some(&full("alice")), Some(guess), Some("a much better secret"))),
];

/// A server that locks after three wrong passwords and answers each at once.
fn strict() -> Server {
    let server = Server::start();
    let known = "delete: pwdKnownSourceMaxAge";
    server.change_policy(&[
        "replace: pwdMaxFailure\npwdMaxFailure: 3",
        "delete: pwdMinDelay",
        "delete: pwdMaxDelay",
        known,
    ]);
    server
}

/// Tries so many different wrong passwords.
fn guess(client: &mut Client, who: &str, times: usize) {
    for number in 0..times {
        let answer = client.ask(&ber::simple_bind(&full(who), &format!("guess number {number}")));
        assert_eq!((answer.code, answer.words.as_str()), (49, REFUSED));
    }
}

/// What the helpdesk sees of the state of a password.
fn state(server: &Server, who: &str, attribute: &str) -> Vec<String> {
    let arguments = ["-LLL", "-b", SUFFIX, &format!("(uid={who})"), attribute];
    server.ldap("ldapsearch", "hanna", &arguments).ok().values(attribute)
}

#[test]
fn wrong_passwords_lock_the_account_and_tell_the_attacker_nothing() {
    let server = strict();
    let right = server.password("alice");
    let mut client = Client::local(&server);
    guess(&mut client, "alice", 2);
    assert_eq!(client.bind("alice", &right), 0);
    // That was two and a success; now the count begins anew.
    guess(&mut client, "alice", 3);
    let locked = client.ask(&ber::simple_bind(&full("alice"), &right));
    assert_eq!((locked.code, locked.words.as_str()), (49, REFUSED));
    // A name that does not exist cannot be told from it, neither by words nor by the control.
    guess(&mut client, "nobody", 3);
    let unknown = client.ask(&ber::simple_bind(&full("nobody"), &right));
    assert_eq!((unknown.code, &unknown.content), (49, &locked.content));
    for who in ["alice", "nobody"] {
        let said = server.login(who).with(&right).run("ldapwhoami", &["-e", "ppolicy"]).fails_with(49);
        assert!(said.err.contains("Account locked") && said.err.contains(REFUSED), "{who}: {}", said.err);
    }
    // Others are not affected, and the lock survives a restart.
    assert_eq!(server.bind("bob", &server.password("bob")), 0);
    let mut server = server;
    server.stop();
    server.serve();
    assert_eq!(server.bind("alice", &right), 49);
    let log = server.stop();
    assert!(!log.contains(&right) && !log.contains("guess number"), "{log}");
}

#[test]
fn a_device_that_still_sends_the_old_password_locks_nobody_out_and_is_logged() {
    let server = strict();
    let (old, new) = (server.password("alice"), "a much better secret");
    server.ldap("ldappasswd", "alice", &["-a", &old, "-s", new]).ok();
    let mut phone = Client::local(&server);
    for _ in 0..10 {
        assert_eq!(phone.bind("alice", &old), 49);
    }
    assert_eq!(server.bind("alice", new), 0);
    server.wait_for_log("somebody there still sends a password that has been replaced", 10);
    let log = server.log();
    assert!(log.contains("source=local") && !log.contains(&old), "{log}");
    let places = state(&server, "alice", "pwdStaleSource");
    assert!(matches!(places.as_slice(), [place] if place.contains("#10#local uid ")), "{places:?}");
    // Who asks why she cannot log in is told as well.
    let mut server = server;
    server.stop();
    let config = server.config();
    let asked = server.run(KEYSTEAD, &["explain", "login", "--config", text(&config), "alice"], "").ok().out;
    let words = |line: &str| line.starts_with("  a device at local uid ") && line.contains(": 10 times, the last on 2");
    assert!(
        asked.lines().any(|line| words(line) && line.contains("still sends the password that was replaced on 2")),
        "{asked}"
    );
}

#[test]
fn alice_and_the_helpdesk_see_who_has_logged_in_as_her_lately() {
    let server = Server::start();
    server.change_policy(&["replace: pwdInLoginHistory\npwdInLoginHistory: 5"]);
    server.ldap("ldapwhoami", "alice", &[]).ok();
    let search = ["-LLL", "-b", &full("alice"), "-s", "base", "pwdLoginHistory"];
    for (who, sees) in [("alice", true), ("hanna", true), ("bob", false)] {
        let told = server.ldap("ldapsearch", who, &search).ok().values("pwdLoginHistory");
        let is_hers = |told: &[String]| matches!(told, [one] if one.contains("Z#simple#"));
        assert_eq!(is_hers(&told), sees, "{who}: {told:?}");
    }
    let mut server = server;
    server.stop();
    let asked = server.run(KEYSTEAD, &["explain", "login", "--config", text(&server.config()), "alice"], "").ok().out;
    assert!(
        asked.lines().any(|line| line.starts_with("  logged in on 2") && line.contains(" by simple from ")),
        "{asked}"
    );
}

#[test]
fn whoever_is_elsewhere_locks_nobody_out_where_they_work() {
    let server = strict();
    server.change_policy(&["replace: pwdKnownSourceMaxAge\npwdKnownSourceMaxAge: 3600"]);
    server.ldap("ldapwhoami", "alice", &[]).ok();
    guess(&mut Client::local(&server), "alice", 3);
    assert_eq!(Client::local(&server).bind("alice", &server.password("alice")), 49);
    server.ldap("ldapwhoami", "alice", &[]).ok();
    assert_eq!(state(&server, "alice", "pwdAccountLockedTime").len(), 1);
}

#[test]
fn one_wrong_password_at_many_accounts_is_told_in_the_log() {
    let mut server = Server::start_with("[password]\nspray_guess_accounts = 3\nspray_delay_seconds = 0\n");
    server.change_policy(&["delete: pwdMinDelay", "delete: pwdMaxDelay"]);
    let mut client = Client::local(&server);
    for who in ["alice", "bob", "nobody"] {
        assert_eq!(client.bind(who, "Summer 2026 in the canteen"), 49);
    }
    server.wait_for_log("the same wrong password is tried at many accounts", 1);
    let log = server.stop();
    assert!(!log.contains("canteen"), "{log}");
    let recorded = server.keystead("events", &["--kind", "spray"]).ok().out;
    assert!(recorded.contains("the same wrong password at 3 accounts since"), "{recorded}");
}

#[test]
fn the_helpdesk_sees_with_a_search_who_can_log_in() {
    let server = strict();
    guess(&mut Client::local(&server), "bob", 3);
    let told = |who: &str, uid: &str| {
        let arguments = ["-LLL", "-b", SUFFIX, "-E", "!accountUsability", &format!("(uid={uid})"), "1.1"];
        server.ldap("ldapsearch", who, &arguments).ok().out
    };
    let (alice, bob) = (told("hanna", "alice"), told("hanna", "bob"));
    assert!(alice.contains("# accountUsability: available and does not expire"), "{alice}");
    assert!(bob.contains("# accountUsability: not available (inactive) seconds_before_unlock="), "{bob}");
    assert!(!told("carol", "bob").contains("accountUsability"));
}

#[test]
fn the_helpdesk_sees_from_where_somebody_logged_in_and_failed_to() {
    let mut server = strict();
    server.login("alice").with("wrong").run("ldapwhoami", &[]).fails_with(49);
    server.ldap("ldapwhoami", "alice", &[]).ok();
    // What is remembered survives a restart.
    server.stop();
    server.serve();
    for attribute in ["pwdLastSuccessFrom", "pwdLastFailureFrom"] {
        let from = state(&server, "alice", attribute);
        assert!(["127.0.0.1", "::1"].contains(&from.join(" ").as_str()), "{attribute} {from:?}");
    }
    assert_eq!(state(&server, "alice", "pwdLastFailure").len(), 1);
}

#[test]
fn the_helpdesk_sees_a_lock_and_ends_it() {
    let server = strict();
    let mut client = Client::local(&server);
    let (alice, bob) = (server.password("alice"), server.password("bob"));
    guess(&mut client, "alice", 2);
    assert_eq!(state(&server, "alice", "pwdFailureTime").len(), 2);
    assert_eq!(state(&server, "alice", "pwdAccountLockedTime"), [""; 0]);
    guess(&mut client, "alice", 3);
    guess(&mut client, "bob", 3);
    let since = state(&server, "alice", "pwdAccountLockedTime");
    assert_eq!(since.iter().map(String::len).collect::<Vec<_>>(), ["20260101000000Z".len()]);
    assert_eq!(state(&server, "alice", "pwdFailureTime").len(), 3);
    let found = server.ldap("ldapsearch", "hanna", &["-LLL", "-b", SUFFIX, "(pwdAccountLockedTime=*)", "uid"]).ok();
    assert_eq!(found.values("uid"), ["alice", "bob"]);
    // Other people do not see it; their own state they do.
    let seen = server.ldap("ldapsearch", "carol", &["-LLL", "-b", &full("alice"), "*", "+"]).ok();
    assert!(!seen.out.contains("pwdAccountLockedTime") && !seen.out.contains("pwdFailureTime"), "{}", seen.out);
    let own = server.ldap("ldapsearch", "carol", &["-LLL", "-b", &full("carol"), "pwdChangedTime"]).ok();
    assert_eq!(own.values("pwdChangedTime").len(), 1);
    // Nobody unlocks themselves, nor anybody else without the right to.
    let unlock = |who: &str| format!("dn: {}\nchangetype: modify\ndelete: pwdAccountLockedTime\n", full(who));
    server.ldap_in("ldapmodify", "carol", &[], &unlock("alice")).fails_with(50);
    // By ending the lock the old password is good again.
    server.ldap_in("ldapmodify", "hanna", &[], &unlock("alice")).ok();
    assert_eq!(client.bind("alice", &alice), 0);
    assert_eq!(state(&server, "alice", "pwdFailureTime"), [""; 0]);
    // By a reset there is a new one.
    server.ldap("ldappasswd", "hanna", &["-s", "given out by the helpdesk", "bob"]).ok();
    assert_eq!((client.bind("bob", &bob), client.bind("bob", "given out by the helpdesk")), (49, 0));
    assert_eq!(state(&server, "bob", "pwdAccountLockedTime"), [""; 0]);
    // The helpdesk can lock somebody as well, until it ends that itself.
    let lock = "replace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z";
    let lock = format!("dn: {}\nchangetype: modify\n{lock}\n", full("alice"));
    server.ldap_in("ldapmodify", "hanna", &[], &lock).ok();
    assert_eq!(client.bind("alice", &alice), 49);
    assert_eq!(state(&server, "alice", "pwdAccountLockedTime"), ["000001010000Z"]);
}

/// Locks the account of alice by one of the ways.
fn lock_alice(server: &Server, way: &str, request: Request) -> Client {
    let mut client = Client::local(server);
    if ["old password", "compare"].contains(&way) {
        assert_eq!(client.bind("alice", &server.password("alice")), 0);
    }
    for guess in 0..3 {
        let code = client.ask(&request(&format!("guess number {guess} by {way}"))).code;
        assert_eq!(code, if way == "compare" { 5 } else { 49 }, "{way}");
    }
    client
}

/// The locks of alice that are recorded, and their ends.
fn recorded_locks(server: &Server) -> Vec<String> {
    let recorded = server.keystead("events", &["--of", &full("alice"), "--json"]).ok().out;
    let events = recorded.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let kinds = events.map(|event| event["kind"].as_str().unwrap().to_owned());
    kinds.filter(|kind| kind.ends_with("locked")).collect()
}

#[test]
fn a_lock_is_on_disk_before_whoever_is_locked_out_is_answered() {
    let mut server = strict();
    let right = server.password("alice");
    for (number, (way, request)) in WAYS.into_iter().enumerate() {
        drop(lock_alice(&server, way, request));
        server.kill();
        server.serve();
        assert_eq!(Client::local(&server).bind("alice", &right), 49, "{way}");
        assert_eq!(state(&server, "alice", "pwdAccountLockedTime").len(), 1, "{way}");
        assert_eq!(state(&server, "alice", "pwdFailureTime").len(), 3, "{way}");
        assert_eq!(recorded_locks(&server), ["locked", "unlocked"].repeat(WAYS.len())[..=2 * number], "{way}");
        let unlock = format!("dn: {}\nchangetype: modify\ndelete: pwdAccountLockedTime\n", full("alice"));
        server.ldap_in("ldapmodify", "hanna", &[], &unlock).ok();
    }
}

#[test]
fn that_a_password_has_expired_is_recorded_before_whoever_binds_is_answered() {
    let mut server = strict();
    let right = server.password("alice");
    server
        .change_policy(&["replace: pwdMaxAge\npwdMaxAge: 86400", "replace: pwdGraceAuthNLimit\npwdGraceAuthNLimit: 0"]);
    let old = format!(
        "dn: {}\nchangetype: modify\nreplace: pwdChangedTime\npwdChangedTime: 20200101000000Z\n",
        full("alice")
    );
    server.ldap_in("ldapmodify", "cn=admin", &["-e", "!relax"], &old).ok();
    assert_eq!(Client::local(&server).bind("alice", &right), 49);
    server.kill();
    server.serve();
    let recorded = server.keystead("events", &["--of", &full("alice"), "--kind", "expired", "--json"]).ok().out;
    assert_eq!(recorded.lines().count(), 1, "{recorded}");
}

#[test]
fn a_lock_that_is_ended_at_once_is_recorded_as_well() {
    let server = strict();
    let mut hanna = Client::bound(&server, "hanna", &server.password("hanna"));
    let unlock = ber::delete_attribute(&full("alice"), "pwdAccountLockedTime");
    for _ in 0..3 {
        guess(&mut Client::local(&server), "alice", 3);
        assert_eq!(hanna.ask(&unlock).code, 0);
    }
    assert_eq!(recorded_locks(&server), ["locked", "unlocked"].repeat(3));
    assert_eq!(server.bind("alice", &server.password("alice")), 0);
}

#[test]
fn a_password_is_counted_wherever_it_is_tried() {
    let server = strict();
    let right = server.password("alice");
    for (way, request) in WAYS {
        let mut client = lock_alice(&server, way, request);
        // Locked: now the right one is not even looked at, by any way.
        assert_eq!(Client::local(&server).bind("alice", &right), 49, "{way}");
        let code = client.ask(&request(&right)).code;
        assert_eq!(code, if way == "compare" { 5 } else { 49 }, "{way}");
        let unlock = format!("dn: {}\nchangetype: modify\ndelete: pwdAccountLockedTime\n", full("alice"));
        server.ldap_in("ldapmodify", "hanna", &[], &unlock).ok();
    }
    assert_eq!(server.bind("alice", &right), 0);
}

#[test]
fn guesses_from_many_connections_at_once_are_no_more_than_one_after_the_other() {
    let server = strict();
    let right = server.password("alice");
    let mut clients: Vec<Client> = (0..12).map(|_| Client::local(&server)).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        // The right one is among them, behind enough wrong ones.
        let password = if number == 11 { right.clone() } else { format!("guess number {number}") };
        client.begin(&ber::simple_bind(&full("alice"), &password));
    }
    let answers: Vec<i32> = clients.iter_mut().map(|client| client.receive().unwrap().code).collect();
    assert!(answers[..11].iter().all(|code| *code == 49), "{answers:?}");
    let failures = state(&server, "alice", "pwdFailureTime");
    assert!(failures.len() <= 3, "{failures:?}");
}

#[test]
fn the_same_wrong_password_again_and_again_is_counted_once() {
    let server = strict();
    let mut client = Client::local(&server);
    for _ in 0..10 {
        assert_eq!(client.bind("alice", "what a telephone has stored"), 49);
    }
    assert_eq!(state(&server, "alice", "pwdFailureTime").len(), 1);
    assert_eq!(client.bind("alice", &server.password("alice")), 0);
}

#[test]
fn the_answer_to_a_wrong_password_is_held_back_and_nobody_else_waits_for_it() {
    let server = Server::start();
    let mut attacker = Client::local(&server);
    let begun = Instant::now();
    attacker.begin(&ber::simple_bind(&full("alice"), "guess number 1"));
    // Meanwhile others are served, also with the same account.
    assert_eq!(server.bind("alice", &server.password("alice")), 0);
    assert_eq!(attacker.receive().unwrap().code, 49);
    assert!(begun.elapsed().as_millis() >= 1_000, "{:?}", begun.elapsed());
    assert_eq!(attacker.bind("alice", &server.password("alice")), 0);
}

#[test]
fn the_right_password_at_sixty_four_connections_at_once_gets_in_at_each() {
    let server = strict();
    let bind = ber::simple_bind(&full("alice"), &server.password("alice"));
    let mut clients: Vec<_> = (0..64).map(|_| Client::local(&server)).collect();
    for client in &mut clients {
        client.begin(&bind);
    }
    for client in &mut clients {
        assert_eq!(client.receive().unwrap().code, 0);
    }
}
