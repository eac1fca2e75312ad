//! Requests follow each other without waiting, wait where they must, and are given up when nobody wants them any more.

use crate::ber::{self, message};
use crate::client::{Answer, Client};
use crate::server::{SUFFIX, Server, Transport, full};

/// A server with so many entries that a search of them all is not done at once.
fn large() -> Server {
    large_with("")
}

/// The same with lines appended to the configuration.
fn large_with(more_config: &str) -> Server {
    let server = Server::start_with(more_config);
    let mut root = Client::root(&server);
    let names: Vec<String> = (0..300).map(|number| format!("cn=thing {number},ou=services,{SUFFIX}")).collect();
    let adds = names.iter().map(|name| root.begin(&ber::add(name, &[("objectClass", "device")]))).collect::<Vec<_>>();
    for _ in adds {
        assert_eq!(root.receive().unwrap().code, 0);
    }
    server
}

fn everything() -> Vec<u8> {
    ber::search(SUFFIX, &ber::present("objectClass"), &["1.1"])
}

/// Everything that comes until the answer with that id.
fn until(client: &mut Client, id: i32) -> Vec<Answer> {
    let mut answers = Vec::new();
    while answers.last().is_none_or(|last: &Answer| last.id != id) {
        answers.push(client.receive().unwrap());
    }
    answers
}

fn ends(answers: &[Answer]) -> Vec<(i32, u8, i32)> {
    answers.iter().filter(|answer| answer.tag != ber::ENTRY).map(Answer::summary).collect()
}

#[test]
fn many_requests_in_one_segment_are_answered_each_by_its_id() {
    let server = large();
    let bind = ber::simple_bind(&full("alice"), &server.password("alice"));
    let mut octets = message(1, &bind);
    // What is sent behind a bind is done by whom the bind makes.
    for id in (2..1_000).step_by(3) {
        octets.extend(message(id, &ber::who_am_i()));
        octets.extend(message(id + 1, &ber::search(SUFFIX, &ber::equal("uid", "bob"), &["cn"])));
        octets.extend(message(id + 2, &ber::compare(&full("bob"), "sn", "Baker")));
    }
    let mut client = Client::local(&server);
    client.send(&octets);
    assert_eq!(client.receive().unwrap().summary(), (1, ber::BIND, 0));
    let mut entries = Vec::new();
    let mut done = Vec::new();
    while done.len() < 999 {
        let answer = client.receive().unwrap();
        match answer.tag {
            ber::ENTRY => entries.push((answer.id, answer.words)),
            _ => done.push(answer.summary()),
        }
    }
    done.sort_unstable();
    let expected: Vec<_> = (2..1_000)
        .step_by(3)
        .flat_map(|id| [(id, ber::EXTENDED, 0), (id + 1, ber::SEARCH_DONE, 0), (id + 2, 0x6f, 6)])
        .collect();
    assert_eq!(done, expected);
    assert_eq!(entries.len(), 333);
    assert!(entries.iter().all(|(id, name)| id % 3 == 0 && *name == full("bob")), "{entries:?}");
}

#[test]
fn slow_requests_hold_up_no_quick_ones() {
    let server = large();
    let old = server.password("alice");
    let mut client = Client::bound(&server, "alice", &old);
    let change = message(100, &ber::password_modify(None, Some(&old), Some("a much better secret")));
    client.send(&[change, message(101, &everything()), message(102, &ber::who_am_i())].concat());
    let mut answers = Vec::new();
    while ends(&answers).len() < 3 {
        answers.push(client.receive().unwrap());
    }
    let mut ended = ends(&answers);
    assert_eq!(ended[0], (102, ber::EXTENDED, 0), "{ended:?}");
    ended.sort_unstable();
    assert_eq!(ended, [(100, ber::EXTENDED, 0), (101, ber::SEARCH_DONE, 0), (102, ber::EXTENDED, 0)]);
    assert!(answers.iter().filter(|answer| answer.tag == ber::ENTRY).count() > 300);
}

#[test]
fn what_is_abandoned_is_not_answered() {
    let server = large();
    let mut client = Client::bound(&server, "alice", &server.password("alice"));
    let octets = [message(100, &everything()), message(101, &ber::abandon(100)), message(102, &ber::who_am_i())];
    client.send(&octets.concat());
    let answers = until(&mut client, 102);
    assert_eq!(ends(&answers), [(102, ber::EXTENDED, 0)]);
    // Nor afterwards; and to abandon what is not there does nothing.
    client.send(
        &[message(103, &ber::abandon(100)), message(104, &ber::abandon(77)), message(105, &everything())].concat(),
    );
    let answers = until(&mut client, 105);
    assert!(answers.iter().all(|answer| answer.id == 105), "{answers:?}");
    let answers: Vec<_> = std::iter::from_fn(|| client.receive()).take_while(|a| a.tag == ber::ENTRY).collect();
    assert!(answers.len() > 200);
    // A password change that was abandoned may have happened or not, but has no answer.
    let change = ber::password_modify(None, Some(&server.password("alice")), Some("a much better secret"));
    client.send(&[message(106, &change), message(107, &ber::abandon(106))].concat());
    assert_eq!(client.who_am_i(), format!("dn:{}", full("alice")));
    let again = ber::password_modify(None, Some("neither of the two"), Some("another good secret"));
    assert_eq!(client.ask(&again).code, 49);
}

#[test]
fn a_search_is_cancelled_and_both_are_told() {
    let server = large();
    let mut client = Client::bound(&server, "alice", &server.password("alice"));
    client.send(&[message(100, &everything()), message(101, &ber::cancel(100))].concat());
    let answers = until(&mut client, 101);
    assert_eq!(ends(&answers), [(100, ber::SEARCH_DONE, 118), (101, ber::EXTENDED, 0)]);
    assert_eq!(client.ask(&ber::cancel(100)).code, 119);
    // What changes something cannot be stopped halfway.
    let change = ber::password_modify(None, Some(&server.password("alice")), Some("a much better secret"));
    client.send(&[message(102, &change), message(103, &ber::cancel(102))].concat());
    assert_eq!(client.receive().unwrap().summary(), (103, ber::EXTENDED, 120));
    assert_eq!(client.receive().unwrap().summary(), (102, ber::EXTENDED, 0));
}

#[test]
fn a_bind_gives_up_what_is_under_way() {
    let server = large();
    let mut client = Client::bound(&server, "alice", &server.password("alice"));
    let bind = ber::simple_bind(&full("bob"), &server.password("bob"));
    client.send(&[message(100, &everything()), message(101, &bind), message(102, &ber::who_am_i())].concat());
    let answers = until(&mut client, 102);
    assert_eq!(ends(&answers), [(101, ber::BIND, 0), (102, ber::EXTENDED, 0)]);
    assert_eq!(client.who_am_i(), format!("dn:{}", full("bob")));
    // Two requests with one id cannot be told apart.
    client.send(&[message(200, &everything()), message(200, &ber::who_am_i())].concat());
    let notice = std::iter::from_fn(|| client.receive()).find(|answer| answer.tag != ber::ENTRY).unwrap();
    assert_eq!(notice.summary(), (0, ber::EXTENDED, 2));
    assert_eq!(client.receive(), None);
}

#[test]
fn unbind_ends_the_connection_without_a_word() {
    let server = large();
    let mut client = Client::bound(&server, "alice", &server.password("alice"));
    client.send(&[message(100, &everything()), message(101, &ber::unbind()), message(102, &ber::who_am_i())].concat());
    let answers: Vec<_> = std::iter::from_fn(|| client.receive()).collect();
    assert_eq!(ends(&answers), []);
}

/// Nothing, or an alert of TLS.
#[track_caller]
fn is_tls_at_most(octets: &[u8]) {
    assert!(octets.first().is_none_or(|kind| *kind == 0x15), "{octets:x?}");
}

#[test]
fn starttls_needs_a_quiet_connection() {
    // A search that finds something, and so takes a while, before anybody has authenticated.
    let server = large_with(
        "\n[[access]]\nname = \"everybody sees all\"\nwho = [\"everyone\"]\nto = [\"everything\"]\n\
         allow = [\"search\", \"read\"]\n",
    );
    let whole_tree = ber::search("", &ber::present("objectClass"), &["1.1"]);
    let mut client = Client::plain(&server);
    client.send(&[message(1, &whole_tree), message(2, &ber::start_tls())].concat());
    let mut answers = Vec::new();
    while ends(&answers).len() < 2 {
        answers.push(client.receive().unwrap());
    }
    assert_eq!(ends(&answers), [(2, ber::EXTENDED, 1), (1, ber::SEARCH_DONE, 0)]);
    assert_eq!(client.who_am_i(), "");
    // What is slipped in behind it in the clear is not done, neither in the clear nor inside TLS.
    let smuggled = ber::replace(&full("alice"), "title", "Intruder");
    let mut client = Client::plain(&server);
    client.send(&[message(1, &ber::start_tls()), message(2, &smuggled)].concat());
    assert_eq!(client.receive().unwrap().summary(), (1, ber::EXTENDED, 0));
    is_tls_at_most(&client.receive_rest());
    let mut client = Client::plain(&server);
    client.send(&message(1, &ber::start_tls()));
    assert_eq!(client.receive().unwrap().summary(), (1, ber::EXTENDED, 0));
    client.send(&message(2, &smuggled));
    is_tls_at_most(&client.receive_rest());
    let arguments = ["-LLL", "-b", &full("alice"), "title"];
    assert_eq!(server.ldap("ldapsearch", "cn=admin", &arguments).ok().values("title"), [""; 0]);
    // Where nobody can listen in, there is nothing to be protected.
    assert_eq!(Client::local(&server).ask(&ber::start_tls()).code, 1);
    for transport in Transport::ALL {
        server.login("alice").over(transport).run("ldapwhoami", &[]).ok();
    }
}
