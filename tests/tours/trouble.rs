//! What goes wrong is told in a sentence that names the thing and the way out, and nothing else breaks.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use crate::ber;
use crate::client::Client;
use crate::server::{KEYSTEAD, SUFFIX, Server, full, text};

/// Replaces something in the configuration that is there once or more, everywhere.
#[track_caller]
fn replace(server: &Server, from: &str, to: &str) {
    let config = std::fs::read_to_string(server.config()).unwrap();
    assert!(config.contains(from), "{from:?}?\n{config}");
    std::fs::write(server.config(), config.replace(from, to)).unwrap();
}

/// The line, from 1, of the first line of the configuration that begins so.
#[track_caller]
fn line(server: &Server, start: &str) -> usize {
    let config = std::fs::read_to_string(server.config()).unwrap();
    config.lines().position(|line| line.starts_with(start)).unwrap() + 1
}

/// Asserts that the server does not start, and says so in these words behind the name of the file.
#[track_caller]
fn refuses(server: &Server, words: &str) {
    let said = server.refuses_to_serve();
    let whole = format!("keystead: {}: {words}", server.config().display());
    assert!(said.starts_with(&whole), "{whole}?\n{said}");
}

#[test]
fn a_mistake_in_the_configuration_is_told_with_file_line_key_and_what_is_right() {
    let server = Server::prepare();
    let right = std::fs::read_to_string(server.config()).unwrap();
    for (from, to, start, words) in [
        ("ldap://127", "http://127", "url = \"http", "listen.url: \"http\" is not known; use ldap, ldaps or ldapi"),
        (
            "ldap://127.0.0.1:0",
            "ldap://127.0.0.1.1:0",
            "url = ",
            "listen.url: \"127.0.0.1.1:0\" is no address of this machine, such as 0.0.0.0:389",
        ),
        ("ldapi://socket", "ldapi://", "url = \"ldapi", "listen.url: ldapi:// needs the path of a socket"),
        (
            "level = \"info\"",
            "level = \"loud\"",
            "level",
            "log.level: \"loud\" is not known; use off, error, warn, info, debug or trace",
        ),
        ("suffix = ", "sufix = ", "sufix", "unknown field `sufix`, expected one of `suffix`, `suffixes`"),
        ("suffix = \"", "suffix = ", "suffix", ""),
        ("allow = \"authenticate\"", "allow = \"login\"", "[[access]]", ""),
    ] {
        std::fs::write(server.config(), &right).unwrap();
        replace(&server, from, to);
        let at = line(&server, start);
        if start == "[[access]]" {
            let said = server.refuses_to_serve();
            assert!(said.contains(": access: ") && said.contains("\"login\""), "{said}");
        } else {
            refuses(&server, &format!("line {at}: {words}"));
        }
    }
    // All mistakes are told at once.
    std::fs::write(server.config(), &right).unwrap();
    let more = "\n[limits]\noutstanding = 0\n[store]\ncache_mib = 1\n[password]\nscheme = \"md5\"\nargon2_passes = 0\n\
                [[index]]\nattribute = \"nonsense\"\nkinds = [\"fast\"]\n";
    server.configure(more);
    let said = server.keystead("check", &[]).fails_with(1);
    for words in [
        "limits.outstanding: must be at least 1",
        "store.cache_mib: must be from 16 to 1048576",
        "password.scheme: \"md5\" is not known; use argon2id, ssha512 or ssha",
        "password.argon2_memory_kib: the cost is out of bounds",
        "index.attribute: the attribute \"nonsense\" is not in the schema",
        "index.kinds: \"fast\" is not known; use presence, equality, substring or ordering",
    ] {
        assert!(said.err.contains(words), "{words}?\n{}", said.err);
    }
    assert_eq!(said.err.lines().count(), 6, "{}", said.err);
    std::fs::write(server.config(), right.replace("data = \"db\"", "data = \"nowhere\"")).unwrap();
    assert!(server.refuses_to_serve().contains("nowhere holds no directory yet; `keystead init` makes one"));
}

#[test]
fn an_address_that_is_taken_is_named() {
    let mut server = Server::start();
    let other = Server::prepare();
    let (taken, address) = (server.address(), "ldap://127.0.0.1:0");
    replace(&other, address, &format!("ldap://{taken}"));
    let said = other.refuses_to_serve();
    assert!(said.starts_with(&format!("keystead: cannot listen on {taken}: Address already in use")), "{said}");
    assert!(said.contains("another process listens there"), "{said}");
    replace(&other, &format!("ldap://{taken}"), address);
    replace(&other, "ldapi://socket", &format!("ldapi://{}", server.socket().display()));
    let said = other.refuses_to_serve();
    assert!(said.contains(&format!("cannot listen on {}", server.socket().display())), "{said}");
    assert!(said.contains("another process listens there"), "{said}");
    // Nobody was harmed by that, and what a dead server has left behind is no obstacle.
    assert_eq!(Client::local(&server).bind("alice", &server.password("alice")), 0);
    server.kill();
    assert!(server.socket().exists());
    server.serve();
    assert_eq!(Client::local(&server).bind("alice", &server.password("alice")), 0);
}

#[test]
fn a_certificate_that_is_of_no_use_is_told_by_name() {
    let mut server = Server::prepare();
    let tls = server.data().join("tls");
    let right = std::fs::read_to_string(server.config()).unwrap();
    let (certificate, key) = (line(&server, "certificate"), line(&server, "private_key"));
    for (from, to, at, words) in [
        ("server.crt", "gone.crt", certificate, "tls.certificate: {}/gone.crt: No such file or directory"),
        ("server.key", "gone.key", key, "tls.private_key: {}/gone.key: No such file or directory"),
        ("tls/server.crt", "db", certificate, "tls.certificate: "),
        ("server.crt", "ca.key", certificate, "tls.certificate: {}/ca.key holds no certificate in PEM"),
        ("server.crt", "server.key", certificate, "tls.certificate: {}/server.key holds no certificate in PEM"),
        ("server.key", "server.crt", key, "tls.private_key: {}/server.crt holds no private key in PEM"),
        ("server.key", "ca.key", certificate, "tls.certificate: {}/server.crt and {}/ca.key: "),
    ] {
        replace(&server, from, to);
        refuses(&server, &format!("line {at}: {}", words.replace("{}", text(&tls))));
        std::fs::write(server.config(), &right).unwrap();
    }
    // One that has expired is used, since perhaps the clock is wrong; but it is warned about.
    let pair = KeyPair::generate().unwrap();
    let mut expired = CertificateParams::new(["localhost".to_owned()]).unwrap();
    for (year, words) in [(2020, "20200201000000Z"), (1999, "19990201000000Z"), (2049, ""), (2050, ""), (4096, "")] {
        expired.not_before = date_time_ymd(1990, 1, 1);
        expired.not_after = date_time_ymd(year, 2, 1);
        std::fs::write(tls.join("server.crt"), expired.self_signed(&pair).unwrap().pem()).unwrap();
        std::fs::write(tls.join("server.key"), pair.serialize_pem()).unwrap();
        let said = server.keystead("check", &[]).ok();
        let expected = format!("server.crt is good until {words} only, and then no client accepts it: renew it\n");
        assert_eq!(said.err.ends_with(&expected), !words.is_empty(), "{year}: {}", said.err);
        assert_eq!(said.err.lines().count(), usize::from(!words.is_empty()), "{}", said.err);
    }
    expired.not_after = date_time_ymd(2020, 2, 1);
    std::fs::write(tls.join("server.crt"), expired.self_signed(&pair).unwrap().pem()).unwrap();
    server.serve();
    server.wait_for_log("server.crt is good until 20200201000000Z only", 1);
    server.ldap("ldapwhoami", "alice", &[]).fails_with(255).tells("Can't contact LDAP server");
    assert_eq!(Client::local(&server).bind("alice", &server.password("alice")), 0);
}

#[test]
fn two_servers_cannot_have_the_same_data() {
    let server = Server::start();
    let second = server.file("second.toml", &std::fs::read_to_string(server.config()).unwrap());
    let data = server.data().join("db");
    let config = std::fs::read_to_string(&second).unwrap();
    let config = config.replace("data = \"db\"", &format!("data = \"{}\"", data.display()));
    std::fs::write(&second, config.replace("ldapi://socket", "ldapi://second")).unwrap();
    let ldif = server.file("nothing.ldif", "");
    for command in [&["serve"][..], &["recover-admin"], &["import", text(&ldif)]] {
        let all = [command, &["--config", text(&second)]].concat();
        let said = server.run(KEYSTEAD, &all, "").fails_with(1);
        assert_eq!(said.err, format!("keystead: {} is in use by a running server; stop it first\n", data.display()));
    }
    assert_eq!(server.bind("alice", &server.password("alice")), 0);
}

#[test]
fn a_store_with_entries_of_another_suffix_is_not_served() {
    let mut server = Server::prepare();
    let store = server.data().join("db");
    let original = std::fs::read_to_string(server.config()).unwrap();
    replace(&server, SUFFIX, "dc=exmaple,dc=com");
    let words = format!(
        "{} holds the entries of {SUFFIX}, and the configuration does not name that as a suffix (dc=exmaple,dc=com): name it, too \
         (directory.suffix), or another folder (directory.data)",
        store.display()
    );
    assert_eq!(server.refuses_to_serve(), format!("keystead: {words}\n"));
    for command in ["check", "verify", "export"] {
        server.keystead(command, &[]).fails_with(1).tells(&words);
    }
    // Beside it, and however it is spelt, it is right.
    let suffix = |suffixes: &str| {
        let text = original.replace(&format!("suffix = \"{SUFFIX}\""), &format!("suffixes = {suffixes}"));
        std::fs::write(server.config(), text).unwrap();
    };
    suffix("[\"o=other\", \"DC=Example, DC=com\"]");
    server.keystead("check", &[]).ok();
    server.serve();
    assert_eq!(server.bind("alice", &server.password("alice")), 0);
}

#[test]
fn a_store_of_an_unknown_format_or_a_broken_one_is_left_alone() {
    let server = Server::prepare();
    let path = server.data().join("db");
    let options = rocksdb::Options::default();
    let families = rocksdb::DB::list_cf(&options, &path).unwrap();
    let db = rocksdb::DB::open_cf(&options, &path, &families).unwrap();
    db.put(b"format", b"77").unwrap();
    drop(db);
    let words = format!("{} has the format 77, and this release reads 1 only", path.display());
    let way_out = "use the release that wrote it, or export there and import here";
    let said = server.refuses_to_serve();
    assert!(said.contains(&words) && said.contains(way_out), "{said}");
    for command in ["verify", "export", "recover-admin"] {
        server.keystead(command, &[]).fails_with(1).tells(&words);
    }
    let db = rocksdb::DB::open_cf(&options, &path, &families).unwrap();
    assert_eq!(db.get(b"format").unwrap().unwrap(), b"77");
    drop(db);
    std::fs::write(path.join("CURRENT"), "nonsense").unwrap();
    let said = server.refuses_to_serve();
    assert!(said.starts_with(&format!("keystead: {}: ", path.display())), "{said}");
    assert_eq!(std::fs::read(path.join("CURRENT")).unwrap(), b"nonsense");
}

#[test]
fn verify_finds_what_does_not_fit_and_changes_nothing() {
    let server = Server::prepare();
    let path = server.data().join("db");
    let families = ["default", "entry", "credentials", "name", "uuid", "index", "log", "event"];
    let open = || rocksdb::DB::open_cf(&rocksdb::Options::default(), &path, families).unwrap();
    let first = |db: &rocksdb::DB, family| {
        let family = db.cf_handle(family).unwrap();
        db.iterator_cf(family, rocksdb::IteratorMode::Start).next().unwrap().unwrap()
    };
    for (family, words) in [
        ("index", "an index lacks entry"),
        ("name", "names are recorded, and the entries have 16"),
        ("uuid", "UUIDs are recorded, and the entries have 16"),
        ("entry", "stands below an entry that does not exist"),
    ] {
        server.keystead("verify", &[]).ok().tells("16 entries, 6 with a password").tells("Everything fits together.");
        let db = open();
        let (key, value) = first(&db, family);
        db.delete_cf(db.cf_handle(family).unwrap(), &key).unwrap();
        drop(db);
        for _ in 0..2 {
            server.keystead("verify", &[]).fails_with(1).tells(words).tells("faults were found; nothing was changed");
        }
        let db = open();
        db.put_cf(db.cf_handle(family).unwrap(), &key, &value).unwrap();
    }
    server.keystead("verify", &[]).ok();
}

#[test]
fn each_fault_of_an_ldif_file_is_told_with_its_line_and_nothing_is_imported() {
    let server = Server::prepare();
    let before = server.keystead("export", &[]).ok().out;
    let good = |uid: &str| format!("dn: {}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: x\nsn: x\n", full(uid));
    let bad = [
        &good("dora"),
        "dn: uid=erik,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: erik\ncn: x\nsn: x\nshoeSize: 44\n",
        "dn: uid=finn,ou=nowhere,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: finn\ncn: x\nsn: x\n",
        &good("alice"),
        "dn: uid=gina,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: gina\n",
        "dn: dc=elsewhere\nobjectClass: domain\ndc: elsewhere\n",
        "dn: uid=,,ou=people\nobjectClass: account\n",
        "dn: uid=bob,ou=people,dc=example,dc=com\nchangetype: delete\n",
        "dn: uid=ida,ou=people,dc=example,dc=com\nthere is no colon\n",
    ];
    let file = server.file("bad.ldif", &bad.join("\n"));
    let said = server.keystead("import", &[text(&file)]).fails_with(1);
    let expected = [
        ("line 7: uid=erik,", "\"shoeSize\" is not in the schema"),
        ("line 14: uid=finn,", "the entry above it does not exist"),
        ("line 20: uid=alice,", "an entry of that name exists already"),
        ("line 26: uid=gina,", ""),
        ("line 30: dc=elsewhere: ", "below none of the suffixes"),
        ("line 34: uid=,,ou=people: ", ""),
        ("line 37: uid=bob,", "use ldapmodify"),
        ("line 41: ", "a colon is missing"),
        ("nothing was imported from ", "bad.ldif"),
    ];
    let lines: Vec<&str> = said.err.strip_prefix("keystead: ").unwrap().lines().collect();
    for ((start, words), line) in expected.iter().zip(&lines) {
        assert!(line.starts_with(start) && line.contains(words), "{start} {words}?\n{}", said.err);
    }
    assert_eq!(lines.len(), expected.len(), "{}", said.err);
    for (content, words) in [
        ("dn: dc=x\ndescription:: !!!\n", "line 2: the value behind :: is not base64"),
        ("version: 2\n\ndn: dc=x\n", "line 1: "),
        ("objectClass: top\n", "line 1: "),
    ] {
        let file = server.file("bad.ldif", content);
        server.keystead("import", &[text(&file)]).fails_with(1).tells(words);
    }
    server.keystead("import", &["/nowhere.ldif"]).fails_with(1).tells("/nowhere.ldif: No such file");
    assert!(server.keystead("export", &[]).ok().out == before, "something was imported");
}

#[test]
fn an_import_that_breaks_a_constraint_is_refused_with_the_line() {
    let server = Server::prepare();
    server.configure(
        "\n[[constraint]]\nname = \"personnel numbers\"\nattributes = [\"employeeNumber\"]\n\
         base = \"ou=people,dc=example,dc=com\"\nregex = \"E-[0-9]{4}\"\n\
         [[constraint]]\nname = \"one address\"\nattributes = [\"mail\"]\ncount = 1\n",
    );
    let before = server.keystead("export", &[]).ok().out;
    let person =
        |name: &str, lines: &str| format!("dn: {}\nobjectClass: inetOrgPerson\ncn: x\nsn: x\n{lines}\n", full(name));
    let number = |number: &str| format!("employeeNumber: {number}\n");
    let both = person("finn", "mail: f@example.com\nmail: finn@example.com\n");
    let bad = [person("dora", &number("E-0001")), person("erik", &number("17")), both].concat();
    let said = server.keystead("import", &[text(&server.file("bad.ldif", &bad))]).fails_with(1);
    let about = |name: &str| format!("the constraint \"{name}\":");
    for words in [
        format!("line 7: {}: {} employeeNumber takes values that match E-", full("erik"), about("personnel numbers")),
        format!("line 13: {}: {} mail takes one value", full("finn"), about("one address")),
    ] {
        assert!(said.err.contains(&words), "{words}?\n{}", said.err);
    }
    assert!(server.keystead("export", &[]).ok().out == before, "something was imported");
    // It is about people only, and about those who have a number.
    let elsewhere = person("cn=x,ou=services", &number("17"));
    let good = [person("dora", &number("E-0001")), elsewhere, person("finn", "")].concat();
    server.keystead("import", &[text(&server.file("good.ldif", &good))]).ok();
}

/// RFC 4522 §3: certificates are one attribute with `;binary` and without, also in LDIF.
#[test]
fn certificates_are_imported_with_the_option_binary_and_without() {
    let mut server = Server::prepare();
    let person = |name: &str, attribute: &str, value: &str| {
        format!("dn: {}\nobjectClass: inetOrgPerson\ncn: x\nsn: x\n{attribute}:: {value}\n\n", full(name))
    };
    let (one, two) = ("MAMCAf8=", "MAMCAf4=");
    let both = person("finn", "userCertificate", one).replace("\n\n", &format!("\nuserCertificate;binary:: {two}\n\n"));
    let good = [person("dora", "userCertificate;binary", one), person("erik", "userCertificate", one), both].concat();
    server.keystead("import", &[text(&server.file("good.ldif", &good))]).ok();
    let exported = server.keystead("export", &[]).ok().out;
    assert_eq!(exported.matches("userCertificate;binary:: MAMCAf8=").count(), 3, "{exported}");
    assert!(!exported.contains("userCertificate:"), "{exported}");
    // Others have no such form.
    for bad in [person("gina", "cn;binary", one), person("gina", "jpegPhoto;binary", one)] {
        server
            .keystead("import", &[text(&server.file("bad.ldif", &bad))])
            .fails_with(1)
            .tells("line 1: ")
            .tells("binary");
    }
    server.serve();
    let mut root = Client::root(&server);
    for name in ["userCertificate", "userCertificate;binary"] {
        let mut found = root.find(&ber::search(SUFFIX, &ber::present(name), &["1.1"]));
        found.sort();
        assert_eq!(found, ["dora", "erik", "finn"].map(full), "{name}");
    }
}

#[test]
fn secrets_that_others_can_read_are_warned_about() {
    let mut server = Server::prepare();
    let set = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    let key = server.data().join("tls/server.key");
    set(&key, 0o655);
    let words = format!("everybody on this machine may read {0}, which holds secrets: chmod o-rwx {0}", key.display());
    assert_eq!(server.keystead("check", &[]).ok().err, format!("keystead: warning: {words}\n"));
    server.serve();
    assert!(server.stop().contains(&words));
    set(&key, 0o650);
    assert_eq!(server.keystead("check", &[]).ok().err, "");
    set(&key, 0o600);
    // The folder of the store is closed by whoever starts the server, so that nothing is left to be done.
    let store = server.data().join("db");
    for mode in [0o755, 0o750] {
        set(&store, mode);
        let told = server.keystead("check", &[]).ok().err;
        let words = format!(
            "others can look into {0}, where password hashes are; its owner can close it: chmod 700 {0}",
            store.display()
        );
        assert_eq!(told, format!("keystead: warning: {words}\n"));
        server.serve();
        let log = server.stop();
        assert!(!log.contains("chmod"), "{log}");
        assert_eq!(server.keystead("check", &[]).ok().err, "");
    }
}

#[test]
fn when_the_disk_is_full_writes_are_refused_and_everything_else_goes_on() {
    let mut server = Server::start();
    server.answer_wrong_passwords_at_once();
    server.stop();
    // No file may become larger than 256 KiB, as if there were no more room; the signal about it is ignored.
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' XFSZ; ulimit -f 512; exec \"$0\" serve --config \"$1\"", KEYSTEAD])
        .arg(server.config());
    drop(server.serve_by(command));
    let mut root = Client::root(&server);
    let add = |number: usize| {
        let description = format!("{number} {}", "x".repeat(10_000));
        let name = full(&format!("cn=thing {number},ou=services"));
        ber::add(&name, &[("objectClass", "device"), ("description", &description)])
    };
    let written = (0..100).take_while(|number| root.ask(&add(*number)).code == 0).count();
    assert!((5..60).contains(&written), "{written}");
    let old = server.password("alice");
    let mut alice = Client::bound(&server, "alice", &old);
    for _ in 0..3 {
        // Whoever asks is told, and need not wait.
        let refused = root.ask(&add(200));
        let words = "the directory can only be read now; nothing was changed";
        assert_eq!((refused.code, refused.words.as_str()), (52, words));
        let changed = alice.ask(&ber::password_modify(None, Some(&old), Some("a much better secret")));
        assert_eq!((changed.code, changed.words.as_str()), (52, words));
        // Searches and logins go on, and wrong passwords are counted as well as they can be.
        let things = ber::search(SUFFIX, &ber::equal("objectClass", "device"), &["1.1"]);
        assert_eq!(root.find(&things).len(), written);
        assert_eq!((alice.bind("bob", "wrong"), alice.bind("alice", &old)), (49, 0));
    }
    let watching = ber::search("cn=Store,cn=Monitor", &ber::present("monitoredInfo"), &["1.1"]);
    assert_eq!(root.find(&watching), ["cn=Store,cn=Monitor"]);
    // Whoever guesses is locked out as well, and is answered: the lock is in memory.
    let guesses: Vec<i32> = (0..10).map(|number| alice.bind("bob", &format!("guess number {number}"))).collect();
    assert_eq!((guesses, alice.bind("bob", &server.password("bob"))), (vec![49; 10], 49));
    let log = server.stop();
    assert!(!log.contains("panicked") && log.contains("a change could not be made"), "{log}");
    assert!(log.contains("and the server is started again"), "{log}");
    // With room again, everything that was acknowledged is there, and nothing else.
    server.serve();
    let mut root = Client::root(&server);
    assert_eq!(root.find(&ber::search(SUFFIX, &ber::equal("objectClass", "device"), &["1.1"])).len(), written);
    assert_eq!(root.ask(&add(200)).code, 0);
    assert_eq!(server.bind("alice", &old), 0);
    server.keystead("verify", &[]).ok().tells("Everything fits together.");
}

#[test]
fn that_nothing_can_be_written_is_an_error_also_where_a_wrong_password_finds_out() {
    let mut server = Server::prepare();
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" serve --config \"$1\"", KEYSTEAD]).arg(server.config());
    drop(server.serve_by(command));
    let store = ["-LLL", "-o", "ldif-wrap=no", "-b", "cn=Store,cn=Monitor", "-s", "base", "monitoredInfo"];
    let told = |server: &Server| server.ldap("ldapsearch", "cn=admin", &store).ok().values("monitoredInfo");
    assert!(told(&server).is_empty());
    // From now on no file may grow, as if there were no more room.
    let full = Command::new("prlimit").args(["--fsize=0:0", "--pid", &server.pid().to_string()]).status().unwrap();
    assert!(full.success());
    assert_eq!(server.bind("alice", "wrong"), 49);
    server.wait_for_log("could not be written, and is kept in memory", 1);
    assert!(server.log().contains(" ERROR keystead::server::recording: "), "{}", server.log());
    let words = "nothing is written any more until there is room and a sound disk, and the server is started again";
    server.wait_for_log(words, 1);
    let info = told(&server);
    assert!(info.len() == 1 && info[0].ends_with(words), "{info:?}");
}
