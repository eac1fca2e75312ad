//! What is recorded of what happens to passwords, as an auditor reads it beside the running server.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::client::Client;
use crate::server::{KEYSTEAD, Server, full, text};

const NEW: &str = "a much better secret";

/// The events that a command names, as JSON.
fn events(server: &Server, arguments: &[&str]) -> Vec<serde_json::Value> {
    let said = server.keystead("events", &[&["--json"], arguments].concat()).ok();
    let mut events: Vec<serde_json::Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // What is refused is written a little later.
    events.sort_by_key(|event| event["time"].as_str().map(str::to_owned));
    events
}

fn words(events: &[serde_json::Value]) -> Vec<String> {
    events
        .iter()
        .map(|event| format!("{} {}", event["kind"].as_str().unwrap(), event["result"].as_str().unwrap()))
        .collect()
}

#[test]
fn an_auditor_reads_who_did_what_to_whom_beside_the_running_server() {
    let mut server = Server::start();
    server.answer_wrong_passwords_at_once();
    let alice = full("alice");
    server.ldap("ldappasswd", "hanna", &["-s", NEW, &alice]).ok();
    server.login("alice").with(NEW).run("ldappasswd", &["-a", NEW, "-s", "tiny thing"]).refuses_with(19);
    server.login("alice").with(NEW).run("ldappasswd", &["-a", NEW, "-s", "a secret of her own"]).ok();
    server.ldap("ldappasswd", "bob", &["-s", NEW, &alice]).refuses_with(50);
    // The end of the server writes everything.
    server.stop();
    server.serve();
    let of_alice = events(&server, &["--of", &alice]);
    assert_eq!(events(&server, &["--of", "alice"]), of_alice, "a uid is as good as a name");
    assert_eq!(
        events(&server, &["--of", "alice", "--by", "hanna"]),
        events(&server, &["--of", &alice, "--by", &full("hanna")])
    );
    server.keystead("events", &["--of", "nobody"]).fails_with(1).tells("there is no entry with the uid \"nobody\"");
    assert_eq!(
        words(&of_alice),
        [
            "set done",
            "reset done",
            "temporary-used done",
            "changed refused",
            "temporary-used done",
            "changed done",
            "reset refused",
        ]
    );
    let reset = &of_alice[1];
    assert_eq!(reset["actor"], full("hanna"));
    assert_eq!(reset["source"], "127.0.0.1");
    assert_eq!(reset["means"], "password-modify");
    assert_eq!(reset["policy"], full("cn=default,ou=policies"));
    assert_eq!(of_alice[3]["reason"], "too-short");
    assert_eq!(words(&events(&server, &["--by", &full("hanna")])), ["reset done"]);
    assert_eq!(events(&server, &["--kind", "reset", "--since", "1h"]).len(), 2);
    assert_eq!(events(&server, &["--since", "29990101000000Z"]).len(), 0);
    let said = server.keystead("events", &["--kind", "reset", "--by", "UID=Hanna, ou=people,dc=example,dc=com"]).ok();
    let expected = format!(" reset of {alice} by {} from 127.0.0.1 through password-modify\n", full("hanna"));
    assert_eq!(said.out.split_once('Z').unwrap().1, expected);
    // By another name it is the same entry.
    let rename = format!("dn: {alice}\nchangetype: modrdn\nnewrdn: uid=alicia\ndeleteoldrdn: 1\n");
    server.ldap_in("ldapmodify", "cn=admin", &[], &rename).ok();
    assert_eq!(events(&server, &["--of", &full("alicia")]).len(), 7);
    // No secret is in any of it.
    let everything = server.keystead("events", &[]).ok().out;
    for secret in [NEW, "tiny thing", "a secret of her own", &server.password("bob")] {
        assert!(!everything.contains(secret), "{everything}");
    }
    server.keystead("events", &["--kind", "nonsense"]).fails_with(2).tells("stale-device");
    server.keystead("events", &["--since", "yesterday"]).fails_with(1).tells("is no time such as");
}

#[test]
fn a_follower_sees_what_happens_as_it_happens() {
    let server = Server::start();
    let config = server.config();
    let mut follower = Command::new(KEYSTEAD)
        .args(["events", "--config", text(&config), "--follow", "--kind", "reset"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    for who in ["alice", "bob"] {
        server.ldap("ldappasswd", "hanna", &["-s", NEW, &full(who)]).ok();
        let line = lines.next().unwrap().unwrap();
        assert!(line.contains(&format!(" reset of {} by {} ", full(who), full("hanna"))), "{line}");
    }
    follower.kill().unwrap();
    follower.wait().unwrap();
    // What it has left behind is gone when the next one comes.
    server.keystead("events", &[]).ok();
    let left = std::fs::read_dir(server.data().join("db")).unwrap();
    assert!(!left.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("reader-")));
}

#[test]
fn guessing_is_recorded_as_the_lock_that_it_brings_about() {
    let server = Server::start();
    server.answer_wrong_passwords_at_once();
    for number in 0..10 {
        assert_eq!(Client::local(&server).bind("alice", &format!("guess {number}")), 49);
    }
    let mut server = server;
    server.stop();
    let of_alice = events(&server, &["--of", &full("alice")]);
    assert_eq!(words(&of_alice), ["set done", "locked done"]);
    assert_eq!((&of_alice[1]["actor"], &of_alice[1]["reason"]), (&"".into(), &"10 wrong passwords".into()));
    assert_eq!(of_alice[1]["source"], "local uid 0");
}

#[test]
fn an_import_is_recorded_with_the_number_of_passwords() {
    let server = Server::prepare();
    let person = |uid: &str, more: &str| {
        format!("dn: {}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: Any\nsn: Body\n{more}\n", full(uid))
    };
    let password = "userPassword: {SSHA}pPxDpjnkk9OU0sQuYpmbO0OYFzQgs6Rp\n";
    let ldif = [person("dora", password), person("emil", ""), person("fred", password)].concat();
    let file = server.file("people.ldif", &ldif);
    server.keystead("import", &[text(&file)]).ok();
    let imported = events(&server, &["--kind", "imported"]);
    let [imported] = imported.as_slice() else { panic!("{imported:?}") };
    assert_eq!((imported["times"].as_u64(), imported["reason"].as_str()), (Some(2), Some(text(&file))));
}
