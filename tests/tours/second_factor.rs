//! A second factor, from the making of a secret to the login: codes behind the password, each good once, also across
//! restarts and when many come at once.

use std::time::{SystemTime, UNIX_EPOCH};

use keystead::password::Secret;
use keystead::password::one_time_password::{Algorithm, Generator};

use crate::said::Said;
use crate::server::{KEYSTEAD, SUFFIX, Server, text};

/// So long that no test falls between two steps.
const PERIOD: u64 = 600;

const PARAMS: &str = "\
dn: ou=tokens,SUFFIX
objectClass: organizationalUnit
ou: tokens

dn: cn=totp,ou=tokens,SUFFIX
objectClass: device
objectClass: oathTOTPParams
cn: totp
oathOTPLength: 6
oathHMACAlgorithm: 1.2.840.113549.2.9
oathTOTPTimeStepPeriod: 600
oathTOTPTimeStepWindow: 2
";

const NAMED: &str = "\
dn: uid=alice,ou=people,SUFFIX
changetype: modify
add: objectClass
objectClass: oathTOTPUser
-
add: oathTOTPToken
oathTOTPToken: cn=alice,ou=tokens,SUFFIX
-
";

/// An app that has read what `keystead token` tells it.
struct App {
    generator: Generator,
    began: u64,
}

impl App {
    fn enrolled(told: &str) -> Self {
        let url = told.lines().next().unwrap().strip_prefix("# For the app, once: ").unwrap();
        let (start, rest) = url.split_once("secret=").unwrap();
        assert_eq!(start, "otpauth://totp/Example:alice?");
        let (letters, rest) = rest.split_once('&').unwrap();
        assert_eq!(rest, "issuer=Example&algorithm=SHA256&digits=6&period=600");
        let bits = letters.chars().map(|letter| "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(letter).unwrap());
        let bits: Vec<u8> = bits.flat_map(|five| (0..5).rev().map(move |bit| u8::from(five >> bit & 1 == 1))).collect();
        let secret: Vec<u8> =
            bits.chunks_exact(8).map(|eight| eight.iter().fold(0, |octet, bit| octet << 1 | bit)).collect();
        assert_eq!(secret.len(), 20);
        #[expect(clippy::disallowed_methods, reason = "a device that makes codes has a clock")]
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        Self { generator: Generator::new(Secret::new(secret), Algorithm::Sha256, 6).unwrap(), began: now / PERIOD }
    }

    /// The code of so many time steps after the test began.
    fn code(&self, later: u64) -> String {
        self.generator.code(self.began + later).to_string()
    }
}

/// Alice gets a token, from the parameters on.
fn enrol(server: &Server) -> (App, String) {
    let admin = |tool, input: &str| server.ldap_in(tool, "cn=admin", &[], &input.replace("SUFFIX", SUFFIX)).ok();
    admin("ldapadd", PARAMS);
    let (token, params) = (format!("cn=alice,ou=tokens,{SUFFIX}"), format!("cn=totp,ou=tokens,{SUFFIX}"));
    let settings = ["--algorithm", "sha256", "--period", "600"];
    let names = ["token", "--account", "alice", "--issuer", "Example", "--token", &token, "--params", &params];
    let made = server.run(KEYSTEAD, &[&names[..], &settings].concat(), "").ok().out;
    admin("ldapadd", &made);
    admin("ldapmodify", NAMED);
    (App::enrolled(&made), made)
}

/// Why alice can log in, or cannot.
fn explain(server: &Server) -> Said {
    server.run(KEYSTEAD, &["explain", "login", "--config", text(&server.config()), "alice"], "")
}

#[test]
fn a_code_behind_the_password_is_good_once() {
    let mut server = Server::start();
    server.answer_wrong_passwords_at_once();
    let password = server.password("alice");
    assert_eq!(server.bind("alice", &password), 0);
    let (app, made) = enrol(&server);
    let with = |later| format!("{password}{}", app.code(later));
    assert_eq!(server.bind("alice", &password), 49);
    assert_eq!(server.bind("alice", &app.code(0)), 49);
    assert_eq!((server.bind("alice", &with(0)), server.bind("alice", &with(0))), (0, 49));
    explain(&server).ok().tells("asks for a code behind the password: TOTP of cn=alice,ou=tokens");
    // What was answered is on disk.
    server.kill();
    server.serve();
    assert_eq!((server.bind("alice", &with(0)), server.bind("alice", &with(1))), (49, 0));
    // The secret is in the directory and its export, and nowhere else.
    let secret = made.lines().find(|line| line.starts_with("oathSecret:: ")).unwrap();
    let exported = server.keystead("export", &[]).ok().out;
    assert!(exported.lines().any(|line| line == secret));
    assert!(!server.keystead("export", &["--no-passwords"]).ok().out.contains("oathSecret"));
    assert!(!server.keystead("changes", &[]).ok().out.contains(secret.split_once(' ').unwrap().1));
    let seen = server.ldap("ldapsearch", "cn=admin", &["-b", SUFFIX, "*", "+", "oathSecret"]).ok().out;
    assert!(seen.contains("oathTOTPLastTimeStep: ") && !seen.lines().any(|line| line.starts_with("oathSecret")));
}

#[test]
fn of_many_who_come_with_one_code_one_gets_in() {
    let server = Server::start();
    server.answer_wrong_passwords_at_once();
    let password = server.password("alice");
    let (app, _) = enrol(&server);
    let once = format!("{password}{}", app.code(0));
    let codes: Vec<i32> = std::thread::scope(|scope| {
        #[expect(clippy::needless_collect, reason = "all have begun before the first is waited for")]
        let binds: Vec<_> = (0..8).map(|_| scope.spawn(|| server.bind("alice", &once))).collect();
        binds.into_iter().map(|bind| bind.join().unwrap()).collect()
    });
    let how_many = |code: i32| codes.iter().filter(|own| **own == code).count();
    assert_eq!((how_many(0), how_many(49)), (1, 7), "{codes:?}");
    // They were no guesses.
    assert_eq!(server.bind("alice", &format!("{password}{}", app.code(1))), 0);
}

#[test]
fn a_token_that_cannot_be_read_is_told_to_the_administrator() {
    let server = Server::start();
    server.answer_wrong_passwords_at_once();
    let password = server.password("alice");
    let (app, _) = enrol(&server);
    let change = format!("dn: cn=alice,ou=tokens,{SUFFIX}\nchangetype: modify\ndelete: oathSecret\n-\n");
    server.ldap_in("ldapmodify", "cn=admin", &[], &change).ok();
    assert_eq!(server.bind("alice", &format!("{password}{}", app.code(0))), 49);
    server.wait_for_log("nobody logs in by this token of the entry: the token has no oathSecret", 1);
    let told = explain(&server);
    told.fails_with(1).tells("asks for a second factor that nobody can give: the token has no oathSecret");
}

#[test]
fn what_is_asked_of_the_token_command_must_make_sense() {
    let server = Server::prepare();
    let token = |arguments: &[&str]| server.run(KEYSTEAD, &[&["token", "--account", "a"], arguments].concat(), "");
    token(&["--digits", "5"]).fails_with(1).tells("--digits must be from 6 to 8");
    token(&["--token", "uid=a,dc=example", "--params", "cn=p"]).fails_with(1).tells("begins with cn=");
    token(&["--token", "cn=a,dc=example"]).fails_with(2);
    let plain = token(&["--kind", "hotp"]).ok().out;
    assert!(plain.contains("otpauth://hotp/a?secret=") && plain.contains("\noathSecret"), "{plain}");
    assert_ne!(plain, token(&["--kind", "hotp"]).ok().out);
}
