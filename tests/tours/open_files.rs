//! However many connect, the server can open what it needs to go on.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::process::Command;

use crate::ber;
use crate::client::Client;
use crate::server::{KEYSTEAD, PATIENCE, Server, full};

/// A server that may open so many files, by the words of `ulimit`.
fn start_with_limit(ulimit: &str) -> Server {
    let mut server = Server::prepare();
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{ulimit}; exec \"$0\" serve --config \"$1\""), KEYSTEAD]).arg(server.config());
    drop(server.serve_by(command));
    server
}

#[test]
fn a_flood_of_connections_leaves_the_store_the_files_that_it_needs() {
    let mut server = start_with_limit("ulimit -n 256");
    server.wait_for_log("this process may open 256 files, which is enough for 64 connections at once", 1);
    let mut admin = Client::bound(&server, "cn=admin", &server.password("cn=admin"));
    let mut flood: Vec<_> = (0..300).map(|_| TcpStream::connect(server.address()).unwrap()).collect();
    // They are accepted in order: when the last one has been turned away, all have been looked at.
    let last = flood.last_mut().unwrap();
    last.set_read_timeout(Some(PATIENCE)).unwrap();
    let end = last.read(&mut [0]);
    assert!(matches!(&end, Ok(0)) || end.as_ref().is_err_and(|e| e.kind() == ErrorKind::ConnectionReset), "{end:?}");
    server.wait_for_log("connections were refused: there are too many", 1);
    let open = std::fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap().count();
    assert!(open < 192, "{open} files are open");
    for number in 0..20 {
        let change = ber::replace(&full("alice"), "description", &format!("number {number}"));
        assert_eq!(admin.ask(&change).code, 0);
    }
    assert!(!server.stop().contains("could not be accepted"));
    server.keystead("verify", &[]).ok();
}

#[test]
fn the_server_may_open_as_many_files_as_the_machine_lets_it() {
    let server = start_with_limit("ulimit -Sn 100 && ulimit -Hn 1000");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.pid())).unwrap();
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    assert_eq!(files.split_whitespace().collect::<Vec<_>>(), ["1000", "1000", "files"]);
    server.wait_for_log("this process may open 1000 files, which is enough for 250 connections at once", 1);
    assert_eq!(server.bind("alice", &server.password("alice")), 0);
}
