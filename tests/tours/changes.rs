//! What has been changed can be read as LDIF, also beside a running server.

use crate::server::{SUFFIX, Server, full};

#[test]
fn what_has_been_changed_is_written_as_ldif_without_secrets() {
    let server = Server::start();
    let made = server.keystead("changes", &[]).ok().out;
    assert!(made.contains("changetype: add\n") && made.contains(&format!("dn: {}\n", full("alice"))), "{made}");
    let last = number(&made);
    let change = format!("dn: {}\nchangetype: modify\nreplace: title\ntitle: boss\n", full("bob"));
    server.ldap_in("ldapmodify", "cn=admin", &[], &change).ok();
    server.ldap("ldappasswd", "cn=admin", &["-s", "a much better secret", &full("bob")]).ok();
    server.ldap("ldapmodrdn", "cn=admin", &["-r", &full("bob"), "uid=rob"]).ok();
    server.ldap("ldapdelete", "cn=admin", &[&full("uid=rob,ou=people")]).ok();
    let told = server.keystead("changes", &["--after", &last.to_string()]).ok().out.replace("\n ", "");
    assert!(told.contains(&format!(" by cn=admin,{SUFFIX}, entryUUID ")), "{told}");
    for part in [
        format!("dn: {}\nchangetype: modify\nreplace: title\ntitle: boss\n-\n", full("bob")),
        format!("dn: {}\nchangetype: modrdn\nnewrdn: uid=rob\n", full("bob")),
        format!("dn: {}\nchangetype: delete\n", full("uid=rob,ou=people")),
    ] {
        assert_eq!(told.matches(&part).count(), 1, "{part}?\n{told}");
    }
    assert!(!told.contains("a much better secret") && !told.contains("changetype: add"), "{told}");
    // Groups that named him have changed as well.
    assert!(number(&told) >= last + 4, "{told}");
    // Whatever it is, it can be parsed.
    let file = server.file("changes.ldif", &told);
    let dry = ["-n", "-f", file.to_str().unwrap()];
    server.ldap("ldapmodify", "cn=admin", &dry).ok();
}

/// The number of the last change.
fn number(ldif: &str) -> u64 {
    let mut comments = ldif.lines().filter_map(|line| line.strip_prefix("# ")?.split_once(" at "));
    comments.next_back().unwrap().0.parse().unwrap()
}
