//! What supervises the process, as systemd does.

use std::os::unix::net::UnixDatagram;
use std::process::Command;

use crate::server::{KEYSTEAD, PATIENCE, Server};

#[test]
fn a_supervisor_is_told_when_the_server_listens() {
    let mut server = Server::prepare();
    let told = UnixDatagram::bind(server.path("notify")).unwrap();
    told.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut command = Command::new(KEYSTEAD);
    command.env("NOTIFY_SOCKET", server.path("notify")).args(["serve", "--config"]).arg(server.config());
    drop(server.serve_by(command));
    let mut message = [0; 1024];
    let len = told.recv(&mut message).unwrap();
    let message = std::str::from_utf8(&message[..len]).unwrap();
    let listening = message.strip_prefix("READY=1\nSTATUS=Listening on ").unwrap();
    for (scheme, urls) in [("ldap://", 1), ("ldaps://", 1), ("ldapi://", 1)] {
        assert_eq!(listening.matches(scheme).count(), urls, "{message}");
    }
    assert_eq!(server.bind("alice", &server.password("alice")), 0);
}
