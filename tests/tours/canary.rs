//! What people type as a password is written nowhere, whichever way it comes and whatever becomes of it: not to the log at
//! its most talkative, and not to the disk.

use std::path::{Path, PathBuf};

use crate::ber;
use crate::client::{Client, contains};
use crate::server::{SUFFIX, Server, full};

/// Secrets that were typed, each a different one.
#[derive(Default)]
struct Typed(Vec<String>);

impl Typed {
    fn make(&mut self, way: &str) -> String {
        let secret = format!("{way} canary number {}", self.0.len());
        self.0.push(secret.clone());
        secret
    }

    fn take<'s>(&mut self, secret: &'s str) -> &'s str {
        self.0.push(secret.to_owned());
        secret
    }

    #[track_caller]
    fn must_not_be_in(&self, octets: &[u8], place: &str) {
        for secret in &self.0 {
            assert!(!contains(octets, secret.as_bytes()), "{secret:?} is in {place}");
        }
    }
}

/// Every file of the store. What `init` hands over stands beside it, in files that say so.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() && !path.ends_with("example-passwords") && !path.ends_with("admin-password") {
            found.push(path);
        }
    }
    found
}

/// Types a secret by each way that there is, right and wrong, taken and refused.
fn type_secrets(server: &Server) -> Typed {
    let mut typed = Typed::default();
    let mut client = Client::local(server);
    let old = server.password("alice");
    typed.take(&old);
    assert_eq!(client.bind("alice", &typed.make("a wrong one")), 49);
    assert_eq!(client.bind("nobody", &typed.make("one of nobody's")), 49);
    assert_eq!(client.bind("alice", &old), 0);
    let new = typed.make("a new one");
    let mut change = |old: &str, new: &str| client.ask(&ber::password_modify(None, Some(old), Some(new))).code;
    assert_eq!(change(&typed.make("a wrong old one"), &typed.make("one that is not taken")), 49);
    assert_eq!(change(&old, typed.take("qz too short")), 19);
    assert_eq!(change(&old, &new), 0);
    let newer = typed.make("a newer one");
    let lines = format!("delete: userPassword\nuserPassword: {new}\n-\nadd: userPassword\nuserPassword: {newer}\n");
    let modify = format!("dn: {}\nchangetype: modify\n{lines}", full("alice"));
    server.login("alice").with(&new).run_in("ldapmodify", &[], &modify).ok();
    let mut root = Client::root(server);
    assert_eq!(root.ask(&ber::compare(&full("alice"), "userPassword", &newer)).code, 6);
    assert_eq!(root.ask(&ber::compare(&full("alice"), "userPassword", &typed.make("a compared one"))).code, 5);
    assert_eq!(root.ask(&ber::replace(&full("bob"), "userPassword", &typed.make("a replaced one"))).code, 0);
    assert_eq!(root.ask(&ber::replace(&full("bob"), "userPassword", typed.take("qz short, too"))).code, 19);
    let person = |secret: &str| {
        let attributes =
            [("objectClass", "account"), ("objectClass", "simpleSecurityObject"), ("userPassword", secret)];
        ber::add(&full("newcomer"), &attributes)
    };
    let mut alice = Client::bound(server, "alice", &newer);
    assert_eq!(alice.ask(&person(&typed.make("an added one that is refused"))).code, 50);
    assert_eq!(root.ask(&person(&typed.make("an added one"))).code, 0);
    let unbound =
        ber::password_modify(Some(&full("carol")), Some(&typed.make("unbound")), Some(&typed.make("unbound new")));
    assert_eq!(Client::local(server).ask(&unbound).code, 49);
    let made = server.ldap("ldappasswd", "cn=admin", &[&full("carol")]).ok().out;
    typed.take(made.trim().rsplit(' ').next().unwrap());
    // Where it must not have been sent, or was not understood.
    assert_eq!(Client::plain(server).bind("alice", &typed.make("one in the clear")), 13);
    let filter = ber::equal("userPassword", &typed.make("a searched one"));
    assert_eq!(root.ask(&ber::search(SUFFIX, &filter, &["1.1"])).code, 0);
    // As a part of a name.
    let mut name = |way: &str| format!("userPassword={},ou=people,{SUFFIX}", typed.make(way));
    assert_ne!(root.ask(&ber::add(&name("a named one"), &[("objectClass", "account"), ("uid", "x")])).code, 0);
    assert_ne!(root.ask(&ber::delete(&name("a deleted one"))).code, 0);
    assert_ne!(root.ask(&ber::replace(&name("a modified one"), "cn", "x")).code, 0);
    assert_ne!(root.ask(&ber::compare(&name("a compared name"), "cn", "x")).code, 0);
    assert_ne!(root.ask(&ber::read(&name("a read one"), &["cn"])).code, 0);
    assert_ne!(Client::local(server).ask(&ber::simple_bind(&name("a bound one"), "x")).code, 0);
    assert_ne!(root.ask(&ber::delete(&format!("cn=\"{}", name("no name at all")))).code, 0);
    let mut broken = ber::message(1, &ber::simple_bind(&full("alice"), &typed.make("a broken one")));
    broken[1] ^= 0x01;
    Client::local(server).send_last(&broken);
    let as_name = ber::simple_bind(&full("alice"), &format!("{}\0\u{fffd}", typed.make("an odd one")));
    assert_eq!(Client::local(server).ask(&as_name).code, 49);
    typed
}

#[test]
fn a_password_is_written_nowhere() {
    let mut server = Server::prepare();
    let config = std::fs::read_to_string(server.config()).unwrap();
    std::fs::write(server.config(), config.replace("level = \"info\"", "level = \"trace\"")).unwrap();
    server.serve();
    server.change_policy(&["replace: pwdLockout\npwdLockout: FALSE", "delete: pwdMinDelay", "delete: pwdMaxDelay"]);
    let typed = type_secrets(&server);
    let while_it_runs: Vec<_> = files(&server.data()).iter().filter_map(|path| std::fs::read(path).ok()).collect();
    let log = server.stop();
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "{log}");
    typed.must_not_be_in(log.as_bytes(), "the log");
    for octets in &while_it_runs {
        typed.must_not_be_in(octets, "a file of the running server");
    }
    for path in files(&server.data()) {
        typed.must_not_be_in(&std::fs::read(&path).unwrap(), &path.display().to_string());
    }
    let export = server.path("export.ldif");
    server.keystead("export", &["--output", export.to_str().unwrap()]).ok();
    typed.must_not_be_in(&std::fs::read(&export).unwrap(), "the export");
}
