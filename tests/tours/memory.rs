//! What was sent as a password is nowhere in the memory of the server any more when it has been answered.
//!
//! Over the local socket nothing is left of it. Over TLS the library for that keeps copies in its buffers until it uses them again,
//! which is not looked at here: `bench/timing/memory.py` counts them.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::time::Instant;

use memchr::memmem::Finder;

use crate::ber;
use crate::client::Client;
use crate::server::{PATIENCE, Server, full};

/// Every secret of this test begins with this, and nothing else does.
const CANARY: &str = "memory canary ";
const PIECE: usize = 4 << 20;
/// Pieces overlap by more than the longest secret has.
const OVERLAP: usize = 128;

/// What a process has mapped and may be read, as ranges.
fn mappings(pid: u32) -> Vec<(u64, u64)> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let readable = maps.lines().filter(|line| {
        let rights = line.split(' ').nth(1).unwrap();
        rights.starts_with('r') && !["[vvar]", "[vvar_vclock]", "[vsyscall]"].iter().any(|name| line.ends_with(name))
    });
    readable
        .map(|line| {
            let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
            (u64::from_str_radix(start, 16).unwrap(), u64::from_str_radix(end, 16).unwrap())
        })
        .collect()
}

/// What stands behind some words, wherever they are in the memory of a process.
fn found(memory: &File, pid: u32, words: &str) -> Vec<String> {
    let (mut found, mut piece, finder) = (Vec::new(), vec![0; PIECE + OVERLAP], Finder::new(words));
    for (start, end) in mappings(pid) {
        for at in (start..end).step_by(PIECE) {
            let most = usize::try_from(end - at).unwrap().min(piece.len());
            // What has been unmapped meanwhile holds nothing.
            let Ok(count) = memory.read_at(&mut piece[..most], at) else { break };
            let octets = &piece[..count];
            found.extend(finder.find_iter(octets).map(|begin| {
                let end = octets.len().min(begin + 48);
                String::from_utf8_lossy(&octets[begin..end]).into_owned()
            }));
        }
    }
    found
}

/// Secrets, each a different one.
struct Secrets(usize);

impl Secrets {
    fn make(&mut self, way: &str) -> String {
        self.0 += 1;
        format!("{CANARY}{}, {way}", self.0)
    }
}

/// Sends a secret by each way that there is, over the local socket, and returns when all are answered.
fn send_secrets(server: &Server) -> usize {
    let mut secrets = Secrets(0);
    let (mut root, mut client) = (Client::root(server), Client::local(server));
    assert_eq!(root.ask(&ber::replace(&full("alice"), "userPassword", CANARY)).code, 19);
    let (old, new) = (secrets.make("set by an administrator"), secrets.make("chosen by the owner"));
    assert_eq!(root.ask(&ber::replace(&full("alice"), "userPassword", &old)).code, 0);
    assert_eq!(client.bind("alice", &secrets.make("a wrong bind")), 49);
    assert_eq!(client.bind("nobody", &secrets.make("a bind as nobody")), 49);
    assert_eq!(client.bind("alice", &old), 0);
    let mut change = |old: &str, new: &str| client.ask(&ber::password_modify(None, Some(old), Some(new))).code;
    assert_eq!(change(&secrets.make("a wrong old one"), &secrets.make("not taken")), 49);
    assert_eq!(change(&old, &secrets.make(&"too long ".repeat(40))), 19);
    assert_eq!(change(&old, &new), 0);
    assert_eq!(root.ask(&ber::compare(&full("alice"), "userPassword", &new)).code, 6);
    assert_eq!(root.ask(&ber::compare(&full("alice"), "userPassword", &secrets.make("compared"))).code, 5);
    let mut nobody = Client::local(server);
    assert_eq!(nobody.ask(&ber::replace(&full("bob"), "userPassword", &secrets.make("without a bind"))).code, 32);
    let unbound =
        ber::password_modify(Some(&full("bob")), Some(&secrets.make("unbound")), Some(&secrets.make("unbound new")));
    assert_eq!(nobody.ask(&unbound).code, 49);
    let person = |secret: &str| {
        let attributes =
            [("objectClass", "account"), ("objectClass", "simpleSecurityObject"), ("userPassword", secret)];
        ber::add(&full("newcomer"), &attributes)
    };
    let mut owner = Client::bound(server, "alice", &new);
    assert_eq!(owner.ask(&person(&secrets.make("an added one that is refused"))).code, 50);
    assert_eq!(root.ask(&person(&secrets.make("an added one"))).code, 0);
    secrets.0
}

#[test]
fn a_password_is_left_nowhere_in_memory() {
    let server = Server::start();
    server.change_policy(&[
        "replace: pwdLockout\npwdLockout: FALSE",
        "delete: pwdMinDelay",
        "delete: pwdMaxDelay",
        "replace: pwdMaxLength\npwdMaxLength: 100",
    ]);
    let memory = match File::open(format!("/proc/{}/mem", server.pid())) {
        Ok(memory) => memory,
        Err(error) => {
            let told = format!("not tested: the memory of the server cannot be read here ({error})\n");
            std::io::stderr().write_all(told.as_bytes()).unwrap();
            return;
        }
    };
    // What is no secret is found.
    let mut root = Client::root(&server);
    assert_eq!(root.ask(&ber::replace(&full("bob"), "description", "no secret at all, and kept")).code, 0);
    assert!(!found(&memory, server.pid(), "no secret at all").is_empty());
    assert!(send_secrets(&server) > 10);
    // Whoever has hashed one may still be about to wipe it when the answer is here; nothing else happens meanwhile.
    let begun = Instant::now();
    let left = loop {
        let left = found(&memory, server.pid(), CANARY);
        if left.is_empty() || begun.elapsed() > PATIENCE {
            break left;
        }
    };
    assert!(left.is_empty(), "left in memory: {left:?}");
}
