//! Whatever comes over the wire is answered as the protocol has it, and harms nobody else.

use crate::ber::{self, message};
use crate::client::{Answer, Client};
use crate::server::{SUFFIX, Server, full};

/// A search with a filter nested so deep.
fn nested(depth: usize) -> Vec<u8> {
    let filter = (0..depth).fold(ber::present("cn"), |inner, _| ber::element(0xa2, &inner));
    ber::search(SUFFIX, &filter, &["1.1"])
}

/// A notice of disconnection with the code of a protocol error.
#[track_caller]
fn is_protocol_error(notice: &Answer) {
    assert_eq!(notice.code, 2, "{notice:?}");
    assert!(!notice.words.is_empty());
}

#[test]
fn what_is_no_ldap_ends_the_connection_with_a_notice_and_harms_nobody() {
    let server = Server::start();
    let mut other = Client::bound(&server, "alice", &server.password("alice"));
    let who = ber::who_am_i();
    let id = |octets: &[u8]| ber::with(ber::SEQUENCE, &[ber::element(ber::INTEGER, octets), who.clone()]);
    let garbage: Vec<u8> = (0_u32..1_000).map(|number| (number * 7_919 % 251).to_le_bytes()[0]).collect();
    let many = ber::with(0x63, &vec![ber::text(""); 3_000]);
    let bad: Vec<(&str, Vec<u8>)> = vec![
        ("an HTTP request", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec()),
        ("a TLS greeting", b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03".to_vec()),
        ("an SSH greeting", b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
        ("garbage", garbage),
        ("an indefinite length", b"\x30\x80\x02\x01\x01\x42\x00\x00\x00".to_vec()),
        ("a length of five octets", b"\x30\x85\x00\x00\x00\x00\x05\x02\x01\x01\x42\x00".to_vec()),
        ("a length of 2 GiB", b"\x30\x84\x7f\xff\xff\xff".to_vec()),
        ("more than a stranger may send", ber::element(ber::SEQUENCE, &vec![0; 300 << 10])),
        ("more elements than a stranger may send", message(1, &many)),
        ("nothing inside", b"\x30\x00".to_vec()),
        ("no request", b"\x30\x03\x02\x01\x01".to_vec()),
        ("no message id", ber::element(ber::SEQUENCE, &who)),
        ("the message id 0", message(0, &who)),
        ("a negative message id", id(&[0xff])),
        ("a message id that is too large", id(&[0, 0x80, 0, 0, 0])),
        ("an empty message id", id(&[])),
        ("an element that is longer than what is around it", b"\x30\x05\x02\x01\x01\x42\x05".to_vec()),
        ("an indefinite length inside", b"\x30\x09\x02\x01\x01\x63\x80\x04\x00\x00\x00".to_vec()),
        ("a tag of several octets", b"\x30\x08\x02\x01\x01\x7f\x81\x01\x01\x00".to_vec()),
        ("an answer instead of a request", message(1, &ber::with(0x61, &[ber::number(ber::ENUMERATED, 0)]))),
        ("a request that nobody knows", message(1, &ber::element(0x5d, b""))),
        ("a filter of a thousand levels", message(1, &nested(1_000))),
    ];
    for (what, octets) in &bad {
        let mut client = Client::plain(&server);
        client.send(octets);
        // As far as octets were sent that the server did not read, the notice may be lost with the connection.
        match client.try_receive() {
            Ok(Some(notice)) => {
                assert_eq!((notice.id, notice.tag), (0, ber::EXTENDED), "{what}: {notice:?}");
                is_protocol_error(&notice);
                assert!(matches!(client.try_receive(), Ok(None) | Err(_)), "{what}");
            }
            Ok(None) => panic!("{what}: there was no notice"),
            Err(_) => assert!(octets.len() > 1_000, "{what}: the connection broke"),
        }
        assert_eq!(other.who_am_i(), format!("dn:{}", full("alice")), "{what}");
    }
}

#[test]
fn what_can_be_framed_and_not_understood_is_answered_with_its_message_id() {
    let server = Server::start();
    let mut client = Client::bound(&server, "alice", &server.password("alice"));
    let sequence = |tag: u8| ber::with(tag, &[ber::text("cn=a"), ber::number(ber::INTEGER, 7)]);
    let cut_off = ber::with(0x63, &[ber::text(SUFFIX), ber::number(ber::ENUMERATED, 2)]);
    let bad = [
        ("a search that is cut off", cut_off, 0x65),
        ("a filter of a hundred and fifty levels", nested(150), 0x65),
        ("a search without anything", ber::element(0x63, b""), 0x65),
        ("a modify", sequence(0x66), 0x67),
        ("an add", sequence(0x68), 0x69),
        ("a rename", sequence(0x6c), 0x6d),
        ("a compare", sequence(0x6e), 0x6f),
        ("an extended request without a name", ber::with(0x77, &[ber::element(0x81, b"x")]), 0x78),
        ("an extended request that nobody knows", ber::extended("1.2.3.4", None), 0x78),
        (
            "a password request with unknown fields",
            ber::extended("1.3.6.1.4.1.4203.1.11.1", Some(b"\x30\x02\x85\x00")),
            0x78,
        ),
        (
            "a password request that is cut off",
            ber::extended("1.3.6.1.4.1.4203.1.11.1", Some(b"\x30\x0a\x80\x02me")),
            0x78,
        ),
        ("StartTLS with a value", ber::extended("1.3.6.1.4.1.1466.20037", Some(b"x")), 0x78),
        ("a cancel of nothing", ber::extended("1.3.6.1.1.8", None), 0x78),
        ("who am I, with a value", ber::extended("1.3.6.1.4.1.4203.1.11.3", Some(b"me")), 0x78),
    ];
    let odd_controls = |controls: &[u8]| {
        ber::with(ber::SEQUENCE, &[ber::number(ber::INTEGER, 9_000), ber::who_am_i(), controls.to_vec()])
    };
    for (what, request, tag) in &bad {
        let answer = client.ask(request);
        let may_be_answered = *what == "who am I, with a value" && answer.code == 0;
        assert!(answer.code == 2 || may_be_answered, "{what}: {answer:?}");
        assert_eq!(answer.tag, *tag, "{what}");
        assert_eq!(client.who_am_i(), format!("dn:{}", full("alice")), "{what}");
    }
    for (controls, code) in [
        (ber::element(0xa0, b""), 0),
        (ber::with(0xa0, &[ber::with(ber::SEQUENCE, &[ber::text("1.2.3")])]), 0),
        (ber::with(0xa0, &[ber::with(ber::SEQUENCE, &[ber::text("1.2.3"), b"\x01\x01\xff".to_vec()])]), 12),
        (ber::with(0xa0, &[ber::text("1.2.3")]), 2),
        (ber::element(0x80, b"x"), 2),
    ] {
        client.send(&odd_controls(&controls));
        assert_eq!(client.receive().unwrap().summary(), (9_000, ber::EXTENDED, code), "{controls:x?}");
    }
    // Filters as deep as they may be are understood, and so are requests that come octet by octet.
    assert_eq!(client.ask(&nested(99)).code, 0);
    for octet in message(9_001, &ber::who_am_i()) {
        client.send(&[octet]);
    }
    assert_eq!(client.receive().unwrap().summary(), (9_001, ber::EXTENDED, 0));
    // Whoever has authenticated may send more.
    let large = ber::compare(&full("alice"), "description", &"x".repeat(300 << 10));
    assert_eq!(client.ask(&large).code, 16);
}

#[test]
fn a_request_that_breaks_off_or_has_any_wrong_octet_harms_nobody() {
    let server = Server::start();
    // Some of what follows are wrong passwords, and this is not about those.
    server.change_policy(&["replace: pwdLockout\npwdLockout: FALSE", "delete: pwdMinDelay", "delete: pwdMaxDelay"]);
    let password = server.password("alice");
    let mut other = Client::bound(&server, "alice", &password);
    let filter = ber::with(0xa0, &[ber::equal("uid", "alice"), ber::with(0xa2, &[ber::present("mail")])]);
    let search = message(2, &ber::search(SUFFIX, &filter, &["cn", "+"]));
    let change = message(2, &ber::password_modify(Some("u:bob"), Some("old"), Some("a much better secret")));
    for whole in [&search, &change] {
        for end in 0..whole.len() {
            // What is not whole is no request, and is not answered.
            let answers = Client::local(&server).send_last(&whole[..end]);
            assert_eq!(answers, [], "{end}");
        }
        for at in 0..whole.len() {
            for octet in [0x00, 0x01, 0x30, 0x7f, 0x80, 0xff, whole[at] ^ 0x20] {
                let mut octets = whole.clone();
                octets[at] = octet;
                for answer in Client::local(&server).send_last(&octets) {
                    let kinds = [ber::ENTRY, ber::SEARCH_DONE, ber::EXTENDED];
                    assert!(kinds.contains(&answer.tag) || answer.code == 2, "{at} {octet:x}: {answer:?}");
                }
            }
        }
        assert_eq!(other.who_am_i(), format!("dn:{}", full("alice")));
    }
    assert_eq!(Client::local(&server).bind("bob", &server.password("bob")), 0);
    assert_eq!(Client::local(&server).bind("alice", &password), 0);
}

#[test]
fn a_client_that_reads_nothing_holds_up_nobody() {
    let server = Server::start();
    let mut silent = Client::bound(&server, "alice", &server.password("alice"));
    let schema = ber::read("cn=Subschema", &["*", "+"]);
    // Many times more than fits into the buffers between the two.
    for id in 1..=200 {
        silent.send(&message(id, &schema));
    }
    let mut other = Client::bound(&server, "bob", &server.password("bob"));
    assert_eq!(other.find(&schema), ["cn=Subschema"]);
    for id in 1..=200 {
        assert_eq!(silent.receive().unwrap().summary(), (id, ber::ENTRY, 0));
        assert_eq!(silent.receive().unwrap().summary(), (id, ber::SEARCH_DONE, 0));
    }
}
