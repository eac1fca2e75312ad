//! What a server tells of itself, and of changes as they happen.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::ber;
use crate::client::{Answer, Client};
use crate::server::{PATIENCE, Server, full, text};

/// A persistent search of the people: of all kinds of changes, with what is there already, and with notices.
fn persistent() -> Vec<u8> {
    let truth = |is: bool| ber::element(1, if is { b"\xff" } else { b"\0" });
    let value = ber::with(ber::SEQUENCE, &[ber::number(ber::INTEGER, 15), truth(false), truth(true)]);
    let control = ber::with(
        ber::SEQUENCE,
        &[ber::text("2.16.840.1.113730.3.4.3"), truth(true), ber::element(ber::OCTET_STRING, &value)],
    );
    let search = ber::search(&full("ou=people"), &ber::equal("uid", "alice"), &["uid", "title"]);
    [search, ber::element(0xa0, &control)].concat()
}

/// Begins one that is known to have begun, and returns its message id.
#[track_caller]
fn begin(client: &mut Client) -> i32 {
    let id = client.begin(&persistent());
    assert_eq!(client.receive().unwrap().summary(), (id, ber::ENTRY, 0));
    id
}

/// Changes an entry that is watched.
#[track_caller]
fn change(server: &Server, title: &str) {
    assert_eq!(Client::root(server).ask(&ber::replace(&full("alice"), "title", title)).code, 0);
}

fn done(id: i32, code: i32) -> (i32, u8, i32) {
    (id, ber::SEARCH_DONE, code)
}

#[test]
fn a_search_that_waits_ends_by_abandon_cancel_and_bind() {
    let server = Server::start();
    let alice = server.password("alice");
    let mut client = Client::bound(&server, "alice", &alice);
    let (first, second, third) = (begin(&mut client), begin(&mut client), begin(&mut client));
    change(&server, "one");
    let mut told: Vec<i32> = (0..3).map(|_| client.receive().unwrap()).map(|notice: Answer| notice.id).collect();
    told.sort_unstable();
    assert_eq!(told, [first, second, third]);
    client.begin(&ber::abandon(first));
    let cancel = client.begin(&ber::cancel(second));
    assert_eq!(client.receive().unwrap().summary(), done(second, 118));
    assert_eq!(client.receive().unwrap().summary(), (cancel, ber::EXTENDED, 0));
    change(&server, "two");
    assert_eq!(client.receive().unwrap().summary(), (third, ber::ENTRY, 0));
    assert_eq!(client.bind("alice", &alice), 0);
    change(&server, "three");
    assert_eq!(client.who_am_i(), format!("dn:{}", full("alice")));
}

#[test]
fn searches_that_wait_hold_up_nothing_and_are_not_without_number() {
    let server = Server::start_with("[limits]\noutstanding = 4\n");
    let mut client = Client::bound(&server, "alice", &server.password("alice"));
    let ids: Vec<i32> = (0..16).map(|_| begin(&mut client)).collect();
    let refused = client.ask(&persistent());
    assert_eq!(refused.code, 11, "{refused:?}");
    // Others are answered all the same.
    for _ in 0..20 {
        assert_eq!(client.who_am_i(), format!("dn:{}", full("alice")));
    }
    change(&server, "all are told");
    let mut told: Vec<i32> = ids.iter().map(|_| client.receive().unwrap().id).collect();
    told.sort_unstable();
    assert_eq!(told, ids);
    client.begin(&ber::abandon(ids[0]));
    begin(&mut client);
}

#[test]
fn a_search_that_waits_ends_with_the_password_it_was_begun_by() {
    let server = Server::start();
    let mut client = Client::bound(&server, "alice", &server.password("alice"));
    begin(&mut client);
    assert_eq!(
        Client::root(&server).ask(&ber::password_modify(Some("u:alice"), None, Some("a much better secret"))).code,
        0
    );
    // Nobody has asked for anything: what was committed is enough.
    let notice = client.is_told_of_the_end();
    assert_eq!((notice.code, notice.words.as_str()), (8, "your password has been changed; authenticate again"));
}

#[test]
fn a_search_that_waits_is_told_when_the_server_stops() {
    let mut server = Server::start();
    let mut client = Client::bound(&server, "alice", &server.password("alice"));
    let id = begin(&mut client);
    server.signal("TERM");
    assert_eq!(client.receive().unwrap().summary(), done(id, 52));
    assert_eq!(client.is_told_of_the_end().code, 52);
    server.wait_for_the_end();
}

#[test]
fn whoever_does_not_read_what_is_told_holds_up_nobody() {
    let server = Server::start();
    let mut silent = Client::bound(&server, "alice", &server.password("alice"));
    let id = begin(&mut silent);
    let mut root = Client::root(&server);
    let large = "x".repeat(60_000);
    for number in 0..100 {
        assert_eq!(root.ask(&ber::replace(&full("alice"), "title", &format!("{number} {large}"))).code, 0);
    }
    let mut other = Client::bound(&server, "bob", &server.password("bob"));
    assert_eq!(other.who_am_i(), format!("dn:{}", full("bob")));
    for _ in 0..100 {
        assert_eq!(silent.receive().unwrap().summary(), (id, ber::ENTRY, 0));
    }
}

#[test]
fn ldapsearch_prints_changes_as_they_happen() {
    let server = Server::start();
    let password = server.secret(&server.password("alice"));
    // The tool keeps what it prints until there is much of it, unless it is told otherwise.
    let mut process = Command::new("timeout")
        .args([&PATIENCE.as_secs().to_string(), "stdbuf", "-oL", "ldapsearch", "-x", "-H", &server.ldaps])
        .args(["-D", &full("alice"), "-y", text(&password), "-b", &full("ou=people"), "-E", "ps=15/0/1"])
        .args(["(uid=alice)", "title"])
        .env("LDAPTLS_CACERT", server.ca())
        .env("LDAPCONF", "/dev/null")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == format!("dn: {}", full("alice"))));
    change(&server, "watched");
    assert!(lines.any(|line| line.starts_with("# EntryChangeNotification: ") || line == "title: watched"));
    process.kill().unwrap();
    process.wait().unwrap();
}

#[test]
fn administrators_see_how_the_server_is_doing() {
    let server = Server::start();
    let read = |who: &str, arguments: &[&str]| {
        server.ldap("ldapsearch", who, &[&["-LLL", "-o", "ldif_wrap=no"], arguments].concat())
    };
    let one = |base: &str, name: &str| {
        let said = read("cn=admin", &["-s", "base", "-b", base, name]).ok();
        let value = said.values(name).concat();
        assert!(!value.is_empty(), "{base}: {said:?}");
        value
    };
    let number = |base: &str, name: &str| one(base, name).parse::<u64>().unwrap();
    let context = read("cn=admin", &["-s", "base", "-b", "", "monitorContext"]).ok().values("monitorContext");
    assert_eq!(context, ["cn=Monitor"]);
    read("alice", &["-s", "base", "-b", "cn=Monitor"]).fails_with(32);

    let binds = || number("cn=Bind,cn=Operations,cn=Monitor", "monitorOpCompleted");
    let wrong = || {
        let found = read("cn=admin", &["-b", "cn=Results,cn=Monitor", "(cn=invalidCredentials)", "monitorCounter"]);
        found.ok().values("monitorCounter").concat().parse().unwrap_or(0_u64)
    };
    let (binds_before, wrong_before) = (binds(), wrong());
    assert_eq!(server.bind("bob", "not bob's password"), 49);
    assert_eq!(wrong(), wrong_before + 1);
    assert!(binds() >= binds_before + 3);

    let commits = || number("cn=Last Commit,cn=Store,cn=Monitor", "monitorCounter");
    let before = commits();
    change(&server, "one more");
    assert!(commits() > before);
    for (name, least) in [
        ("cn=Entries,cn=Store", 5),
        ("cn=Octets on Disk,cn=Store", 0),
        ("cn=Most Octets,cn=Cache", 1),
        ("cn=Queue,cn=Hashing", 0),
        ("cn=Threads,cn=Hashing", 1),
        ("cn=Current,cn=Connections", 1),
        ("cn=Total,cn=Connections", 8),
        ("cn=Entries,cn=Statistics", 8),
        ("cn=Bytes,cn=Statistics", 1_000),
        ("cn=Bytes Received,cn=Statistics", 1_000),
    ] {
        assert!(number(&format!("{name},cn=Monitor"), "monitorCounter") >= least, "{name}");
    }
    let bob = Client::bound(&server, "bob", &server.password("bob"));
    let filter = format!("(monitorConnectionAuthzDN={})", full("bob"));
    let whose = |filter: &str| read("cn=admin", &["-b", "cn=Monitor", filter, "monitorConnectionPeerAddress"]).ok();
    assert_eq!(whose(&filter).values("monitorConnectionPeerAddress").len(), 1);
    drop(bob);
    assert_eq!(one("cn=Monitor", "startTime"), one("cn=Start,cn=Time,cn=Monitor", "monitorTimestamp"));
}

#[test]
fn the_change_log_is_followed_page_by_page() {
    let server = Server::start();
    let base = ["-s", "base", "-b", "", "firstChangeNumber", "lastChangeNumber"];
    let told = server.ldap("ldapsearch", "cn=admin", &base).ok();
    let (first, last) = (told.values("firstChangeNumber").concat(), told.values("lastChangeNumber").concat());
    let pages = ["-LLL", "-E", "!pr=3/noprompt", "-b", "cn=changelog", "-s", "one", "changeNumber"];
    let numbers = server.ldap("ldapsearch", "cn=admin", &pages).ok().values("changeNumber");
    assert_eq!((numbers.first(), numbers.last()), (Some(&first), Some(&last)));
    assert!(numbers.len() > 6);
}

#[test]
fn ldapsearch_brings_a_copy_up_to_date() {
    let server = Server::start();
    let sync = |cookie: &str| {
        let control = format!("!sync=ro{cookie}");
        let base = full("ou=people");
        server.ldap("ldapsearch", "alice", &["-o", "ldif_wrap=no", "-E", &control, "-b", &base, "uid"]).ok()
    };
    let first = sync("");
    let people = first.values("uid").len();
    assert!(people >= 4, "{first:?}");
    let cookie = |said: &crate::said::Said| {
        let told = said.out.lines().find_map(|line| line.split_once("cookie: ").map(|(_, cookie)| cookie.to_owned()));
        told.unwrap_or_else(|| panic!("{said:?}"))
    };
    change(&server, "new");
    let second = sync(&format!("/{}", cookie(&first)));
    assert_eq!(second.values("uid"), ["alice"], "{second:?}");
    let third = sync(&format!("/{}", cookie(&second)));
    assert_eq!(third.values("uid"), [""; 0], "{third:?}");
}
