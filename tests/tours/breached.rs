//! A list of passwords that are publicly known: built, taken into use, replaced, damaged.

use crate::said::Said;
use crate::server::{KEYSTEAD, Server, full};

/// `keystead breach build` of what is on standard input, to the place that the configuration names.
fn build(server: &Server, options: &[&str], list: &str) -> Said {
    let filter = server.data().join("breached.filter");
    let arguments = [&["breach", "build", "--from", "-", "--to", filter.to_str().unwrap()], options].concat();
    server.run(KEYSTEAD, &arguments, list)
}

fn check(server: &Server, password: &str) -> Said {
    let filter = server.data().join("breached.filter");
    server.run(KEYSTEAD, &["breach", "check", "--filter", filter.to_str().unwrap()], password)
}

/// The administrator sets bob's password.
fn set(server: &Server, password: &str) -> Said {
    let new = server.secret(password);
    server.ldap("ldappasswd", "cn=admin", &["-T", new.to_str().unwrap(), &full("bob")])
}

/// SHA-1 of `password`, and of `hunter2`.
const HASHES: &str =
    "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:9545824\r\nf3bbbd66a63d4bf1747940578ec3d0103530e21d:17043\r\n";

#[test]
fn a_list_is_built_taken_into_use_and_replaced() {
    let mut server = Server::prepare();
    server.configure("\n[password]\nbreach_filter = \"breached.filter\"\n");
    assert!(server.refuses_to_serve().contains("breached.filter: No such file"));
    build(&server, &["--plain"], "lost by somebody else\nand lost once more\n").ok().tells("holds 2 passwords");
    server.serve();
    set(&server, "lost by somebody else").refuses_with(19).tells("passwords that are publicly known");
    set(&server, "found by nobody so far").ok();

    let second = "found by nobody so far?\nand by nobody at all?\n";
    build(&server, &["--plain", "--name", "The second list"], second).ok().tells("2 passwords in");
    set(&server, "found by nobody so far?").ok();
    server.signal("HUP");
    server.wait_for_log("the configuration was read again", 1);
    set(&server, "and by nobody at all?").refuses_with(19).tells("passwords that are publicly known");
    set(&server, "lost by somebody else").ok();
    server.stop();
}

#[test]
fn a_damaged_list_is_not_used_and_the_old_one_stays() {
    let mut server = Server::prepare();
    server.configure("\n[password]\nbreach_filter = \"breached.filter\"\n");
    build(&server, &["--plain"], "lost by somebody else\n").ok();
    server.serve();
    let filter = server.data().join("breached.filter");
    let mut octets = std::fs::read(&filter).unwrap();
    *octets.last_mut().unwrap() ^= 1;
    // As a new file: the server has the old one open.
    std::fs::remove_file(&filter).unwrap();
    std::fs::write(&filter, &octets).unwrap();
    server.signal("HUP");
    server.wait_for_log("breached.filter: it is damaged; build it again", 1);
    set(&server, "lost by somebody else").refuses_with(19).tells("passwords that are publicly known");
    check(&server, "lost by somebody else").fails_with(1).tells("it is damaged");
    server.stop();
    assert!(server.refuses_to_serve().contains("it is damaged; build it again"));
    std::fs::write(&filter, &octets[..octets.len() - 1]).unwrap();
    assert!(server.refuses_to_serve().contains("was it copied as a whole?"));
    server.keystead("check", &[]).fails_with(1).tells("password.breach_filter");
}

#[test]
fn hashes_are_read_as_pwned_passwords_has_them() {
    let server = Server::prepare();
    build(&server, &["--name", "Pwned Passwords"], HASHES).ok().tells("holds 2 passwords");
    check(&server, "hunter2\n").fails_with(4).tells("The password is listed (Pwned Passwords, 2 passwords, built 2");
    check(&server, "hunter3").ok().tells("The password is not listed");
    build(&server, &["--min-count", "100000"], HASHES).ok().tells("holds 1 password in");
    check(&server, "password").fails_with(4).tells("is listed");
    check(&server, "hunter2").ok().tells("is not listed");
}

#[test]
fn what_is_wrong_with_a_list_is_told_and_the_filter_stays_as_it_was() {
    let server = Server::prepare();
    build(&server, &[], HASHES).ok();
    let backwards = HASHES.lines().rev().collect::<Vec<_>>().join("\n");
    build(&server, &[], &backwards).fails_with(1).tells("line 2 is not in the order of the hashes");
    build(&server, &[], "hunter2\n").fails_with(1).tells("line 1 is not a SHA-1 in hex").tells("--plain");
    build(&server, &["--min-count", "100000000"], HASHES).fails_with(1).tells("there is no password in it");
    build(&server, &[], "").fails_with(1).tells("nothing was built");
    check(&server, "hunter2").fails_with(4).tells("is listed");
    assert!(!server.data().join("breached.filter.partial").exists());
    build(&server, &["--unordered"], &backwards).ok().tells("holds 2 passwords");
    let list = server.file("list", HASHES);
    let list = list.to_str().unwrap();
    let onto = server.run(KEYSTEAD, &["breach", "build", "--from", list, "--to", list], "");
    onto.fails_with(1).tells("is the list itself");
    assert_eq!(std::fs::read_to_string(list).unwrap(), HASHES);
}
