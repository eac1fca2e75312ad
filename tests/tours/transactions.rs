//! Transactions (RFC 5805) over the wire.

use crate::ber::{self, message};
use crate::client::{Client, contains};
use crate::server::{Server, full};

/// A message with the transaction specification control.
fn part_of(id: i32, request: &[u8], identifier: &[u8]) -> Vec<u8> {
    let control = [ber::text("1.3.6.1.1.21.2"), ber::element(1, b"\xff"), ber::element(4, identifier)];
    let controls = ber::with(0xa0, &[ber::with(ber::SEQUENCE, &control)]);
    ber::with(ber::SEQUENCE, &[ber::number(ber::INTEGER, id), request.to_vec(), controls])
}

fn start() -> Vec<u8> {
    ber::extended("1.3.6.1.1.21.1", None)
}

fn end(identifier: &[u8]) -> Vec<u8> {
    ber::extended("1.3.6.1.1.21.3", Some(&ber::with(ber::SEQUENCE, &[ber::element(4, identifier)])))
}

/// Has requests done together, and returns how that has ended; `None` if the server ended before it answered.
pub fn try_settle(client: &mut Client, requests: &[Vec<u8>]) -> Option<i32> {
    // A notice that the server ends may come in the place of any answer.
    let receive = |client: &mut Client| client.try_receive().ok()?.filter(|answer| answer.id != 0);
    client.begin(&start());
    let identifier = receive(client)?.value().unwrap();
    let ids: Vec<i32> = requests.iter().map(|one| client.begin_by(|id| part_of(id, one, &identifier))).collect();
    let last = client.begin(&end(&identifier));
    for id in ids {
        let answer = receive(client)?;
        assert_eq!((answer.id, answer.code), (id, 0), "{answer:?}");
    }
    receive(client).filter(|answer| answer.id == last).map(|answer| answer.code)
}

/// What a client was answered in order: message id, tag, code.
fn answers<const N: usize>(client: &mut Client) -> [(i32, u8, i32); N] {
    std::array::from_fn(|_| client.receive().unwrap().summary())
}

#[test]
fn requests_that_are_sent_without_waiting_are_done_together() {
    let server = Server::start();
    let mut client = Client::bound(&server, "cn=admin", &server.password("cn=admin"));
    let title = |name: &str, title: &str| ber::replace(&full(name), "title", title);
    client.send(&message(10, &start()));
    assert_eq!(answers(&mut client), [(10, ber::EXTENDED, 0)]);
    let sent = [
        part_of(11, &title("alice", "together"), b"1"),
        part_of(12, &ber::password_modify(Some(&full("bob")), None, Some("a much better secret")), b"1"),
        part_of(13, &title("nobody", "together"), b"1"),
        message(14, &end(b"1")),
        message(15, &start()),
        part_of(16, &title("alice", "together"), b"2"),
        message(17, &end(b"2")),
    ];
    client.send(&sent.concat());
    let mut all: [(i32, u8, i32); 7] = answers(&mut client);
    all.sort_unstable();
    let codes: Vec<_> = all.iter().map(|(id, _, code)| (*id, *code)).collect();
    assert_eq!(codes, [(11, 0), (12, 0), (13, 0), (14, 32), (15, 0), (16, 0), (17, 0)]);
    assert_ne!(server.bind("bob", "a much better secret"), 0);
    client.send(&message(20, &ber::read(&full("alice"), &["title"])));
    assert!(contains(&client.receive().unwrap().content, b"together"));
}

#[test]
fn a_bind_forgets_a_transaction() {
    let server = Server::start();
    let mut client = Client::bound(&server, "cn=admin", &server.password("cn=admin"));
    assert_eq!(client.ask(&start()).code, 0);
    client.send(&part_of(30, &ber::delete(&full("bob")), b"1"));
    assert_eq!(answers(&mut client), [(30, 0x6b, 0)]);
    assert_eq!(client.bind("cn=admin", &server.password("cn=admin")), 0);
    assert_eq!(client.ask(&end(b"1")).code, 2);
    assert_eq!(server.bind("bob", &server.password("bob")), 0);
}

/// A change that is taken down has done nothing yet; each has its line, with its final code, when the transaction has ended.
#[test]
fn the_access_log_tells_how_each_change_of_a_transaction_ended() {
    let mut server = Server::start();
    let mut client = Client::bound(&server, "cn=admin", &server.password("cn=admin"));
    let title = |name: &str| ber::replace(&full(name), "title", "told");
    assert_eq!(try_settle(&mut client, &[title("alice"), ber::delete(&full("carol"))]), Some(0));
    assert_eq!(try_settle(&mut client, &[title("bob"), title("nobody"), title("hanna")]), Some(32));
    let log = server.stop();
    let told: Vec<_> = log.lines().filter(|line| line.contains("transaction=")).collect();
    let expected = [
        ("modify", "alice", "success", "1"),
        ("delete", "carol", "success", "1"),
        ("modify", "bob", "canceled", "2"),
        ("modify", "nobody", "noSuchObject", "2"),
        ("modify", "hanna", "canceled", "2"),
    ];
    for (line, (op, who, code, transaction)) in told.iter().zip(expected) {
        let words = format!("op=\"{op}\" who=\"{}\" target=\"{}\" code=\"{code}\"", full("cn=admin"), full(who));
        let is_told = line.contains(&words) && line.contains(&format!("transaction=\"{transaction}\""));
        assert!(is_told, "{words} transaction=\"{transaction}\"?\n{log}");
    }
    assert_eq!(told.len(), expected.len(), "{log}");
}
