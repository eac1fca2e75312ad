//! Passwords travel over TLS only, and a bind that fails leaves nobody behind.

use std::process::Command;

use crate::ber;
use crate::client::Client;
use crate::said::Said;
use crate::server::{KEYSTEAD, SUFFIX, Server, Transport, full, text};

const TLS_ONLY: &str = "passwords are accepted over TLS only: use ldaps:// or StartTLS";

#[test]
fn in_the_clear_no_operation_takes_a_password() {
    let server = Server::start();
    let alice = full("alice");
    let requests = [
        ("bind", ber::simple_bind(&alice, &server.password("alice"))),
        ("bind with a wrong one", ber::simple_bind(&alice, "guess")),
        ("change", ber::password_modify(Some(&alice), Some("old"), Some("a much better secret"))),
        ("generate", ber::password_modify(Some(&alice), None, None)),
        ("modify", ber::replace(&alice, "userPassword", "a much better secret")),
        ("add", ber::add(&full("dora"), &[("objectClass", "person"), ("cn", "a"), ("sn", "b"), ("userPassword", "c")])),
        ("compare", ber::compare(&alice, "userPassword", "guess")),
    ];
    for (what, request) in &requests {
        let mut client = Client::plain(&server);
        let answer = client.ask(request);
        assert_eq!((answer.code, answer.words.as_str()), (13, TLS_ONLY), "{what}");
        assert_eq!(client.who_am_i(), "", "{what}");
    }
    let said = server.login("alice").at(&server.ldap).run("ldappasswd", &["-s", "a much better secret"]);
    said.fails_with(13).tells(TLS_ONLY);
    assert_eq!(server.bind("alice", &server.password("alice")), 0);
}

#[test]
fn in_the_clear_passwords_are_taken_where_the_administrator_says_so_and_is_warned() {
    let mut server = Server::prepare();
    let config = std::fs::read_to_string(server.config()).unwrap();
    let clear = "url = \"ldap://127.0.0.1:0\"\n";
    std::fs::write(server.config(), config.replace(clear, &format!("{clear}cleartext_credentials = true\n"))).unwrap();
    server.keystead("check", &[]).ok().tells("takes passwords in the clear");
    server.serve();
    assert_eq!(Client::plain(&server).bind("alice", &server.password("alice")), 0);
    assert!(server.stop().contains("takes passwords in the clear"));
}

#[test]
fn a_name_without_a_password_is_nobody() {
    let server = Server::start();
    server.answer_wrong_passwords_at_once();
    let mut client = Client::local(&server);
    let answer = client.ask(&ber::simple_bind(&full("alice"), ""));
    assert_eq!((answer.code, answer.words.as_str()), (53, "a name without a password does not authenticate anybody"));
    assert_eq!(client.bind("nobody", ""), 53);
    assert_eq!(client.bind("", "a password"), 49);
    assert_eq!((client.bind("", ""), client.who_am_i()), (0, String::new()));
    for transport in Transport::ALL {
        let arguments: &[&str] =
            if transport == Transport::Ldaps { &["-H", &server.ldaps] } else { &["-ZZ", "-H", &server.ldap] };
        let alice = full("alice");
        let all = [arguments, &["-x", "-D", &alice, "-w", ""]].concat();
        let said = server.run("ldapwhoami", &all, "");
        assert_ne!(said.out, format!("dn:{alice}\n"), "{said:?}");
    }
    // Likewise NUL octets are part of a password, and end nothing.
    let right = server.password("alice");
    assert_eq!(client.bind("alice", &format!("{right}\0")), 49);
    assert_eq!(client.bind("alice", "\0"), 49);
}

#[test]
fn a_bind_that_fails_leaves_the_connection_anonymous() {
    let server = Server::start();
    server.answer_wrong_passwords_at_once();
    let right = server.password("alice");
    let mut client = Client::local(&server);
    let version_2 =
        ber::with(0x60, &[ber::number(2, 2), ber::text(&full("alice")), ber::element(0x80, right.as_bytes())]);
    let unknown_mechanism = ber::with(0x60, &[ber::number(2, 3), ber::text(""), ber::with(0xa3, &[ber::text("NTLM")])]);
    let not_a_name = ber::simple_bind("uid=alice,,", &right);
    let malformed = ber::with(0x60, &[ber::number(2, 3), ber::text("")]);
    let failures = [
        ("wrong", ber::simple_bind(&full("alice"), "guess"), 49),
        ("empty", ber::simple_bind(&full("alice"), ""), 53),
        ("nobody", ber::simple_bind(&full("nobody"), &right), 49),
        ("version", version_2, 2),
        ("mechanism", unknown_mechanism, 7),
        ("name", not_a_name, 34),
        ("malformed", malformed, 2),
    ];
    for (what, request, code) in &failures {
        assert_eq!(client.bind("alice", &right), 0);
        assert_eq!(client.who_am_i(), format!("dn:{}", full("alice")));
        assert_eq!(client.ask(request).code, *code, "{what}");
        assert_eq!(client.who_am_i(), "", "{what}");
        assert_eq!(client.ask(&ber::search(SUFFIX, &ber::present("uid"), &[])).code, 32, "{what}");
    }
    // By other names it is the same person.
    for name in
        ["alice", "u:alice", "dn:uid=alice,ou=people,dc=example,dc=com", "UID=Alice , OU=People,dc=EXAMPLE,dc=com"]
    {
        assert_eq!(client.ask(&ber::simple_bind(name, &right)).code, 0, "{name}");
        assert_eq!(client.who_am_i(), format!("dn:{}", full("alice")), "{name}");
    }
}

#[test]
fn anonymous_access_can_be_switched_off_and_the_root_dse_answers_all_the_same() {
    let server = Server::start_with("\n[limits]\nanonymous_bind = false\n");
    let mut client = Client::plain(&server);
    let answer = client.ask(&ber::simple_bind("", ""));
    assert_eq!((answer.code, answer.words.as_str()), (48, "anonymous access is not allowed here"));
    assert_eq!(client.find(&ber::read("", &["namingContexts"])), [""]);
    assert_eq!(server.bind("alice", &server.password("alice")), 0);
}

fn ask_over_tls(server: &Server, ca: &str, version: &str) -> Said {
    server.python("tls.py", &[server.ldaps.strip_prefix("ldaps://").unwrap(), ca, version], "")
}

#[test]
fn tls_1_2_and_1_3_are_spoken_and_older_ones_are_not() {
    let server = Server::start();
    let ca = server.ca();
    assert_eq!(ask_over_tls(&server, text(&ca), "1.2").ok().out, "TLSv1.2 success\n");
    assert_eq!(ask_over_tls(&server, text(&ca), "1.3").ok().out, "TLSv1.3 success\n");
    ask_over_tls(&server, text(&ca), "1.1").fails_with(1).tells("alert");
    // Somebody who speaks LDAP or HTTP where TLS is spoken harms nobody.
    for greeting in [ber::message(1, &ber::who_am_i()), b"GET / HTTP/1.1\r\n\r\n".to_vec()] {
        let mut stream = std::net::TcpStream::connect(server.ldaps.replace("ldaps://localhost", "127.0.0.1")).unwrap();
        std::io::Write::write_all(&mut stream, &greeting).unwrap();
        let mut said = Vec::new();
        let _ = std::io::Read::read_to_end(&mut stream, &mut said);
        assert!(said.is_empty() || said[0] == 0x15, "{said:x?}");
    }
    assert_eq!(server.bind("alice", &server.password("alice")), 0);
}

#[test]
fn a_renewed_certificate_is_used_without_a_restart() {
    let server = Server::start();
    let before = server.path("before.crt");
    std::fs::copy(server.ca(), &before).unwrap();
    let mut open = Client::bound(&server, "alice", &server.password("alice"));
    let renewed = server.path("renewed");
    let init = Command::new(KEYSTEAD)
        .args(["init", "--suffix", SUFFIX, "--data", text(&server.path("other")), "--certificates", text(&renewed)])
        .output()
        .unwrap();
    assert!(init.status.success(), "{init:?}");
    let put = |name: &str| std::fs::copy(renewed.join(name), server.data().join("tls").join(name)).unwrap();
    // A certificate whose key has not come yet: the old one stays.
    put("server.crt");
    server.signal("HUP");
    server.wait_for_log("the old one stays in force", 1);
    assert_eq!(ask_over_tls(&server, text(&before), "1.3").ok().out, "TLSv1.3 success\n");
    // Nobody tells the server of the key.
    put("server.key");
    put("ca.crt");
    server.wait_for_log("the certificate was read", 1);
    ask_over_tls(&server, text(&before), "1.3").fails_with(1).tells("certificate verify failed");
    assert_eq!(ask_over_tls(&server, text(&server.ca()), "1.3").ok().out, "TLSv1.3 success\n");
    assert_eq!(server.bind("alice", &server.password("alice")), 0);
    assert_eq!(open.who_am_i(), format!("dn:{}", full("alice")));
}
