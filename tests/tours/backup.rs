//! Backups of a directory that is being served, and what becomes of them.

use crate::said::Said;
use crate::server::{KEYSTEAD, SUFFIX, Server, text};

fn keystead(server: &Server, command: &str, option: &str, folder: &str) -> Said {
    let (config, folder) = (server.config(), server.path(folder));
    server.run(KEYSTEAD, &[command, "--config", text(&config), option, text(&folder)], "")
}

fn describe(server: &Server, what: &str) {
    let change =
        format!("dn: uid=alice,ou=people,{SUFFIX}\nchangetype: modify\nreplace: description\ndescription: {what}\n");
    server.ldap_in("ldapmodify", "cn=admin", &[], &change).ok();
}

#[test]
fn a_backup_of_a_served_directory_is_restored_with_passwords_and_what_has_happened() {
    let mut server = Server::start();
    let (old, new) = (server.password("alice"), "a password for the day before");
    server.ldap("ldappasswd", "alice", &["-a", &old, "-s", new]).ok();
    describe(&server, "before");
    let made = keystead(&server, "backup", "--to", "backup").ok();
    assert!(made.out.starts_with("Copied as of 2"), "{}", made.out);
    describe(&server, "after");

    // A store that is there is not written over, and neither is a backup.
    let refused = keystead(&server, "restore", "--from", "backup");
    assert!(refused.code != 0 && refused.err.contains("is there already; nothing was changed"), "{}", refused.err);
    let refused = keystead(&server, "backup", "--to", "backup");
    assert!(refused.code != 0 && refused.err.contains("is there already; nothing was changed"), "{}", refused.err);

    server.kill();
    std::fs::rename(server.data().join("db"), server.path("lost")).unwrap();
    let restored = keystead(&server, "restore", "--from", "backup").ok();
    assert!(restored.out.contains(" entries are in "), "{}", restored.out);
    server.serve();
    let found = server.ldap("ldapsearch", "cn=admin", &["-LLL", "-b", SUFFIX, "(uid=alice)", "description"]).ok();
    assert!(found.out.contains("description: before"), "{}", found.out);
    assert_eq!((server.bind("alice", new), server.bind("alice", &old)), (0, 49));
    let events = server.run(KEYSTEAD, &["events", "--config", text(&server.config())], "").ok();
    assert!(events.out.contains("alice"), "{}", events.out);
    // It goes on as a directory of its own.
    describe(&server, "restored");
}

#[test]
fn a_backup_that_is_damaged_is_not_restored() {
    let mut server = Server::start();
    keystead(&server, "backup", "--to", "backup").ok();
    server.kill();
    std::fs::rename(server.data().join("db"), server.path("lost")).unwrap();
    let files = std::fs::read_dir(server.path("backup")).unwrap().map(|file| file.unwrap().path());
    let tables = files.filter(|path| path.extension().is_some_and(|extension| extension == "sst"));
    for table in tables {
        let mut octets = std::fs::read(&table).unwrap();
        // Somewhere in the first block.
        octets[20] ^= 0x55;
        std::fs::write(&table, octets).unwrap();
    }
    let refused = keystead(&server, "restore", "--from", "backup");
    assert_ne!(refused.code, 0, "{}", refused.out);
    assert!(!server.data().join("db").exists() && !server.data().join("db.unfinished").exists());
    let refused = keystead(&server, "restore", "--from", "nothing");
    assert!(refused.code != 0 && refused.err.contains("nothing"), "{}", refused.err);
}
