//! Connections on which nothing happens end, and the client is told why.

use crate::ber;
use crate::client::Client;
use crate::server::{Server, full};

/// RFC 4511 §4.4.1: the notice of disconnection says `unavailable`, and then the connection ends.
#[test]
fn a_connection_that_is_idle_for_too_long_is_told_so_and_ended() {
    let server = Server::start_with("\n[limits]\nidle_seconds_before_bind = 1\nidle_seconds = 2\n");
    let mut stranger = Client::plain(&server);
    let mut alice = Client::bound(&server, "alice", &server.password("alice"));
    // Whoever waits for something to happen is not idle.
    let mut waiting = Client::local(&server);
    let value = [ber::number(ber::INTEGER, 15), b"\x01\x01\xff".to_vec(), b"\x01\x01\xff".to_vec()];
    let changes = ber::element(4, &ber::with(ber::SEQUENCE, &value));
    let control = ber::with(ber::SEQUENCE, &[ber::text("2.16.840.1.113730.3.4.3"), changes]);
    let watch = ber::read(&full("alice"), &["title"]);
    let watch = ber::with(ber::SEQUENCE, &[ber::number(ber::INTEGER, 2), watch, ber::with(0xa0, &[control])]);
    let bind = ber::message(1, &ber::simple_bind(&full("bob"), &server.password("bob")));
    waiting.send(&[bind, watch].concat());
    assert_eq!(waiting.receive().unwrap().summary(), (1, ber::BIND, 0));
    for client in [&mut stranger, &mut alice] {
        let notice = client.is_told_of_the_end();
        assert_eq!((notice.code, notice.words.as_str()), (52, "the connection was idle for too long"));
    }
    let title = ber::replace(&full("alice"), "title", "still there");
    assert_eq!(Client::root(&server).ask(&title).code, 0);
    assert_eq!(waiting.receive().unwrap().summary(), (2, ber::ENTRY, 0));
}

/// Whoever has authenticated is given more time.
#[test]
fn a_stranger_is_given_less_time_than_somebody_who_is_known() {
    let server = Server::start_with("\n[limits]\nidle_seconds_before_bind = 1\n");
    let mut alice = Client::bound(&server, "alice", &server.password("alice"));
    let mut stranger = Client::plain(&server);
    assert_eq!(stranger.is_told_of_the_end().code, 52);
    assert_eq!(alice.who_am_i(), format!("dn:{}", full("alice")));
}
