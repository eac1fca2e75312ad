//! SASL with the tools that people have: PLAIN and SCRAM by Cyrus SASL, which the tools of ldap-utils use.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use sha2::{Digest, Sha256};

use crate::ber;
use crate::client::Client;
use crate::said::Said;
use crate::scram_client::ScramClient;
use crate::server::{KEYSTEAD, SUFFIX, Server, full, text};

/// Runs `ldapwhoami` as somebody with a password, by a SASL mechanism.
fn whoami(server: &Server, mechanism: &str, url: &[&str], credentials: (&str, &str)) -> Said {
    whoami_with(server, &[], &[&["-Y", mechanism], url].concat(), credentials)
}

/// The same with settings of the libraries and options of the tool.
fn whoami_with(server: &Server, settings: &[&str], options: &[&str], (who, password): (&str, &str)) -> Said {
    let file = server.secret(password);
    let mut all = settings.to_vec();
    all.extend(["ldapwhoami", "-Q", "-O", "none", "-U", who, "-y", text(&file)]);
    all.extend_from_slice(options);
    server.run("env", &all, "")
}

/// A bind request by a mechanism.
fn sasl_bind(mechanism: &str, message: &[u8]) -> Vec<u8> {
    let credentials = ber::with(0xa3, &[ber::text(mechanism), ber::element(0x04, message)]);
    ber::with(0x60, &[ber::number(2, 3), ber::text(""), credentials])
}

/// The SASL credentials of a bind response.
fn server_credentials(content: &[u8]) -> Vec<u8> {
    let mut message = content;
    ber::take(&mut message).unwrap();
    let (_, mut fields) = ber::take(&mut message).unwrap();
    std::iter::from_fn(|| ber::take(&mut fields)).find(|(tag, _)| *tag == 0x87).unwrap().1.to_vec()
}

#[test]
fn plain_takes_passwords_over_tls_and_nowhere_else() {
    let server = Server::start();
    server.answer_wrong_passwords_at_once();
    let right = server.password("alice");
    let alice = format!("dn:{}\n", full("alice"));
    let urls: [&[&str]; 2] = [&["-H", &server.ldaps], &["-ZZ", "-H", &server.ldap]];
    for url in urls {
        assert_eq!(whoami(&server, "PLAIN", url, ("alice", &right)).ok().out, alice);
        assert_eq!(whoami(&server, "PLAIN", url, (&full("alice"), &right)).ok().out, alice);
        whoami(&server, "PLAIN", url, ("alice", "a guess")).fails_with(49);
        whoami(&server, "PLAIN", url, ("nobody", "a guess")).fails_with(49);
        whoami(&server, "PLAIN", &[url, &["-X", "u:bob"]].concat(), ("alice", &right)).fails_with(49);
    }
    let clear = whoami(&server, "PLAIN", &["-H", &server.ldap], ("alice", &right));
    clear.fails_with(13).tells("passwords are accepted over TLS only");
    let mut client = Client::plain(&server);
    let answer = client.ask(&sasl_bind("PLAIN", format!("\0alice\0{right}").as_bytes()));
    assert_eq!((answer.code, client.who_am_i()), (13, String::new()));
    server.wait_for_log("target=\"alice\"", 1);
}

#[test]
fn scram_proves_the_password_without_sending_it() {
    let server = Server::start();
    server.answer_wrong_passwords_at_once();
    let right = server.password("alice");
    let alice = format!("dn:{}\n", full("alice"));
    let url: &[&str] = &["-H", &server.ldaps];
    whoami(&server, "SCRAM-SHA-256", url, ("alice", &right)).fails_with(7);
    server.change_policy(&["replace: pwdScramIterations\npwdScramIterations: 4096"]);
    whoami(&server, "SCRAM-SHA-256", url, ("alice", &right)).fails_with(49);
    // The first bind that sends the password makes the keys.
    assert_eq!(server.bind("alice", &right), 0);
    let after = whoami(&server, "SCRAM-SHA-256", url, ("alice", &right));
    assert_eq!(after.ok().out, alice);
    let start_tls: &[&str] = &["-ZZ", "-H", &server.ldap];
    assert_eq!(whoami(&server, "SCRAM-SHA-256", start_tls, (&full("alice"), &right)).ok().out, alice);
    for (who, password) in [("alice", "a guess"), ("nobody", right.as_str())] {
        whoami(&server, "SCRAM-SHA-256", url, (who, password)).fails_with(49);
    }
    whoami(&server, "SCRAM-SHA-256", &["-H", &server.ldap], ("alice", &right)).fails_with(13);
    // Keys are of no use to anybody else: they are in no answer, no log and no file but the store.
    let said = server.ldap("ldapsearch", "cn=admin", &["-LLL", "-b", &full("alice"), "*", "+", "pwdScramSha256"]).ok();
    assert!(said.out.contains("pwdChangedTime") && !said.out.contains("SCRAM-SHA"), "{}", said.out);
    assert!(!server.log().contains("SCRAM-SHA-256$"));
}

#[test]
fn the_keys_for_scram_leave_the_store_in_an_export_by_its_owner_and_by_nothing_else() {
    let mut server = Server::prepare();
    let config = std::fs::read_to_string(server.config()).unwrap();
    std::fs::write(server.config(), config.replace("level = \"info\"", "level = \"trace\"")).unwrap();
    server.serve();
    server.change_policy(&["replace: pwdScramIterations\npwdScramIterations: 4096"]);
    let (old, new, url) = (server.password("alice"), "a much better secret", server.ldaps.clone());
    server.ldap("ldappasswd", "alice", &["-a", &old, "-s", new]).ok();
    whoami(&server, "SCRAM-SHA-256", &["-H", &url], ("alice", new)).ok();
    whoami(&server, "SCRAM-SHA-256", &["-H", &url], ("alice", &old)).fails_with(49);
    // Whoever may read the files of the store may have them.
    let path = server.path("export.ldif");
    server.keystead("export", &["--output", text(&path)]).ok();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let export = std::fs::read_to_string(&path).unwrap();
    // A long line is folded.
    let export = export.replace("\n ", "");
    let (_, keys) = export.split_once("pwdScramSha256: SCRAM-SHA-256$4096:").unwrap();
    let secrets: Vec<&str> = keys.lines().next().unwrap().split(['$', ':']).collect();
    assert_eq!(secrets.iter().map(|secret| secret.len()).collect::<Vec<_>>()[1..], [44, 44]);
    // Nobody else has: not by a search of whoever may most, in no log of changes, no copy, no record, no answer to a question.
    let found = |who: &str, arguments: &[&str]| server.ldap("ldapsearch", who, arguments).ok().out;
    let alice = server.login("alice").with(new);
    let everything = ["-b", SUFFIX, "(objectClass=*)", "*", "+", "pwdScramSha256", "userPassword"];
    let root = ["-Q", "-Y", "EXTERNAL", "-H", &server.ldapi];
    let config = server.config();
    let mut told = vec![
        alice.run("ldapsearch", &everything).ok().out,
        found("hanna", &everything),
        found("cn=admin", &everything),
        found("cn=admin", &["-b", "cn=changelog", "(objectClass=*)", "*", "+"]),
        found("cn=admin", &["-E", "sync=ro", "-b", SUFFIX, "*", "+"]),
        server.run("ldapsearch", &[&root[..], &everything].concat(), "").ok().out,
        server.keystead("export", &["--no-passwords"]).ok().out,
        server.keystead("events", &[]).ok().out,
        server.keystead("events", &["--json"]).ok().out,
        server.run(KEYSTEAD, &["explain", "login", "--config", text(&config), "alice", "--json"], "").ok().out,
        server.run(KEYSTEAD, &["explain", "schemes", "--config", text(&config), "--json"], "").ok().out,
    ];
    told.push(server.stop());
    for text in &told {
        assert!(!text.is_empty() && !text.contains("SCRAM-SHA-256$"), "{text}");
        assert!(!secrets.iter().any(|secret| text.contains(secret)), "{text}");
    }
}

#[test]
fn ldap_utils_bind_to_the_channel() {
    let server = Server::start();
    let right = server.password("alice");
    server.change_policy(&["replace: pwdScramIterations\npwdScramIterations: 4096"]);
    assert_eq!(server.bind("alice", &right), 0);
    let url: &[&str] = &["-H", &server.ldaps];
    let settings = ["LDAPSASL_CBINDING=tls-endpoint"];
    let bound = whoami_with(&server, &settings, &[&["-Y", "SCRAM-SHA-256-PLUS"], url].concat(), ("alice", &right));
    assert_eq!(bound.ok().out, format!("dn:{}\n", full("alice")));
    // Whichever of the two names the library is told, it says in its message what it has seen of the channel, or nothing.
    let unbound = whoami_with(&server, &settings, &[&["-Y", "SCRAM-SHA-256"], url].concat(), ("alice", &right));
    assert_eq!(unbound.ok().out, format!("dn:{}\n", full("alice")));
}

#[test]
fn a_client_binds_to_the_channel_by_tls_exporter_and_by_the_certificate() {
    let server = Server::start();
    let right = server.password("alice");
    server.change_policy(&["replace: pwdScramIterations\npwdScramIterations: 4096"]);
    assert_eq!(server.bind("alice", &right), 0);
    let certificate = CertificateDer::from_pem_file(server.data().join("tls/server.crt")).unwrap();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut tls = connect(&server, version);
        let exporter = tls.conn.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", None).unwrap();
        let end_point = Sha256::digest(&certificate);
        let by_exporter = if *version == rustls::version::TLS13 { 0 } else { 48 };
        for (name, channel, code) in [
            ("tls-server-end-point", &end_point[..], 0),
            ("tls-server-end-point", b"another certificate", 49),
            ("tls-exporter", &exporter, by_exporter),
            ("tls-unique", b"", 48),
        ] {
            let scram = ScramClient::new(&format!("p={name},,"), "alice");
            let first = ask(&mut tls, 1, &sasl_bind("SCRAM-SHA-256-PLUS", &scram.first()));
            if first.0 != 14 {
                assert_eq!(first.0, code, "{name}");
                continue;
            }
            let (last, expected) = scram.last(&server_credentials(&first.1), &right, channel);
            let answer = ask(&mut tls, 2, &sasl_bind("SCRAM-SHA-256-PLUS", &last));
            assert_eq!(answer.0, code, "{name}");
            if code == 0 {
                assert_eq!(server_credentials(&answer.1), expected);
            }
        }
    }
}

type Tls = StreamOwned<ClientConnection, TcpStream>;

fn connect(server: &Server, version: &'static rustls::SupportedProtocolVersion) -> Tls {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(server.ca()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[version]).unwrap();
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    let connection = ClientConnection::new(config, ServerName::try_from("localhost").unwrap()).unwrap();
    let address = server.ldaps.replace("ldaps://localhost", "127.0.0.1");
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(crate::server::PATIENCE)).unwrap();
    let mut tls = StreamOwned::new(connection, stream);
    while tls.conn.is_handshaking() {
        tls.conn.complete_io(&mut tls.sock).unwrap();
    }
    tls
}

/// Sends a request; the code and the content of the answer.
fn ask(tls: &mut Tls, id: i32, request: &[u8]) -> (i32, Vec<u8>) {
    tls.write_all(&ber::message(id, request)).unwrap();
    let mut header = [0; 2];
    tls.read_exact(&mut header).unwrap();
    let long = usize::from(header[1]);
    let length = if long < 0x80 {
        long
    } else {
        let mut octets = vec![0; long & 0x7f];
        tls.read_exact(&mut octets).unwrap();
        octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet))
    };
    let mut content = vec![0; length];
    tls.read_exact(&mut content).unwrap();
    let mut rest = content.as_slice();
    ber::take(&mut rest).unwrap();
    let (_, mut fields) = ber::take(&mut rest).unwrap();
    let code = ber::take(&mut fields).unwrap().1.to_vec();
    (i32::from(code[0]), content)
}
