//! People who never bind are told of as well when their passwords end: by a running server, in the record of events.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use jiff::{SignedDuration, Timestamp};

use crate::server::{KEYSTEAD, PATIENCE, Server, full, text};

const DAY: i64 = 86_400;
/// What is logged when all have been looked at.
const LOOKED: &str = "it was looked for passwords that end";

/// Has somebody's password be so many seconds old.
#[track_caller]
fn is_old(server: &Server, who: &str, seconds: i64, more: &str) {
    let changed = (Timestamp::now() - SignedDuration::from_secs(seconds)).strftime("%Y%m%d%H%M%SZ");
    let change = format!(
        "dn: {}\nchangetype: modify\nreplace: pwdChangedTime\npwdChangedTime: {changed}\n-\n{more}\n",
        full(who)
    );
    server.ldap_in("ldapmodify", "cn=admin", &["-e", "!relax"], &change).ok();
}

/// `keystead events` as somebody leaves it running, which gives up when nothing comes.
fn follow(server: &Server, kind: &str) -> (Child, impl Iterator<Item = String> + use<>) {
    let config = server.config();
    let seconds = PATIENCE.as_secs().to_string();
    let mut follower = Command::new("timeout")
        .args([&seconds, KEYSTEAD, "events", "--config", text(&config), "--follow", "--kind", kind])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    (follower, lines.map_while(Result::ok))
}

/// All events of a kind, without their times.
fn told(server: &Server, kind: &str) -> Vec<String> {
    let said = server.keystead("events", &["--kind", kind]).ok();
    said.out.lines().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
}

#[test]
fn passwords_that_end_are_told_of_when_the_server_looks_and_once() {
    let mut server = Server::start();
    server.change_policy(&[
        "replace: pwdMaxAge\npwdMaxAge: 7776000",
        "replace: pwdExpireNotice\npwdExpireNotice: 1209600\npwdExpireNotice: 259200\npwdExpireNotice: 86400",
    ]);
    is_old(&server, "alice", 88 * DAY, "");
    is_old(&server, "bob", 91 * DAY, "");
    // Nobody can log in to this one.
    is_old(&server, "carol", 91 * DAY, "replace: pwdEndTime\npwdEndTime: 20200101000000Z\n-\n");
    server.stop();
    server.serve();
    let (mut expiring, mut of_expiring) = follow(&server, "expiring");
    let (mut expired, mut of_expired) = follow(&server, "expired");
    let soon = of_expiring.next().unwrap();
    assert!(soon.contains(&format!(" expiring of {} through time: in 1", full("alice"))), "{soon}");
    assert!(soon.ends_with("; pwdExpireNotice: 259200"), "{soon}");
    let ended = of_expired.next().unwrap();
    assert!(ended.contains(&format!(" expired of {} through time: on 20", full("bob"))), "{ended}");
    for follower in [&mut expiring, &mut expired] {
        follower.kill().unwrap();
        follower.wait().unwrap();
    }
    // Another start looks again, and tells nothing again.
    server.wait_for_log(LOOKED, 1);
    server.kill();
    server.serve();
    server.wait_for_log(LOOKED, 1);
    assert_eq!((told(&server, "expiring").len(), told(&server, "expired").len()), (1, 1));
    let seen = |who: &str, reader: &str| {
        let search = ["-LLL", "-b", &full(who), "-s", "base", "pwdExpireNoticed"];
        server.ldap("ldapsearch", reader, &search).ok().values("pwdExpireNoticed")
    };
    assert!(seen("alice", "hanna")[0].ends_with("#259200") && seen("bob", "hanna")[0].ends_with("#0"));
    assert_eq!(
        (seen("carol", "hanna"), seen("alice", "cn=app,ou=services")),
        (Vec::<String>::new(), Vec::<String>::new())
    );
    // A password of her own begins anew.
    let old = server.password("alice");
    server.ldap("ldappasswd", "alice", &["-a", &old, "-s", "a much better secret"]).ok();
    assert_eq!(seen("alice", "hanna"), [""; 0]);
}

#[test]
fn where_no_policy_asks_for_it_nothing_is_told() {
    let mut server = Server::start();
    server.change_policy(&["replace: pwdMaxAge\npwdMaxAge: 86400"]);
    is_old(&server, "alice", 2 * DAY, "");
    server.stop();
    server.serve();
    server.stop();
    assert_eq!(told(&server, "expired"), [""; 0]);
    // What makes no sense is refused with the reason.
    server.serve();
    let change = format!(
        "dn: {}\nchangetype: modify\nreplace: pwdExpireNotice\npwdExpireNotice: 86400\n",
        full("cn=default,ou=policies")
    );
    let refused = server.ldap_in("ldapmodify", "cn=admin", &[], &change);
    refused.fails_with(19).tells("pwdExpireNotice: each must be less than pwdMaxAge");
}
