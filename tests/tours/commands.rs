//! What an administrator asks of the program, and what it says.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::client::Client;
use crate::said::Said;
use crate::server::{KEYSTEAD, SUFFIX, Server, full, text};

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

/// Puts a new directory without entries in the place of the server's, which is not running.
fn empty(server: &Server) {
    let other = server.path("empty");
    let init = ["init", "--empty", "--suffix", SUFFIX, "--data", text(&other)];
    server.run(KEYSTEAD, &init, "").ok().tells("keystead import --config");
    std::fs::remove_dir_all(server.data().join("db")).unwrap();
    std::fs::rename(other.join("db"), server.data().join("db")).unwrap();
    std::fs::remove_dir_all(other).unwrap();
}

#[test]
fn the_program_says_what_it_can_do() {
    let server = Server::prepare();
    let run = |arguments: &[&str]| server.run(KEYSTEAD, arguments, "");
    assert_eq!(run(&["--version"]).ok().out, concat!("keystead ", env!("CARGO_PKG_VERSION"), "\n"));
    let help = run(&["--help"]).ok();
    for command in [
        "init",
        "serve",
        "check",
        "import",
        "export",
        "verify",
        "events",
        "changes",
        "explain",
        "breach",
        "hash-password",
        "manual",
        "recover-admin",
    ] {
        assert!(help.out.contains(&format!("\n  {command} ")), "{command}: {}", help.out);
        assert!(run(&["help", command]).ok().out.contains(&format!("Usage: keystead {command} ")), "{command}");
    }
    run(&[]).fails_with(2).tells("Usage: keystead <COMMAND>");
    run(&["frobnicate"]).fails_with(2).tells("unrecognized subcommand 'frobnicate'");
    run(&["serve"]).fails_with(2).tells("--config <FILE>");
    run(&["check", "--config", "nowhere.toml"]).fails_with(1).tells("nowhere.toml: No such file");
}

#[test]
fn there_are_man_pages_and_completions() {
    let server = Server::prepare();
    let folder = server.path("manual");
    server.run(KEYSTEAD, &["manual", "--to", text(&folder)], "").ok();
    for page in ["keystead.1", "keystead-serve.1", "keystead-explain-access.1", "keystead-recover-admin.1"] {
        let said = std::fs::read_to_string(folder.join(page)).unwrap();
        assert!(said.contains(".SH SYNOPSIS") && said.contains("keystead"), "{page}: {said}");
    }
    for completion in ["keystead.bash", "_keystead", "keystead.fish"] {
        assert!(std::fs::read_to_string(folder.join(completion)).unwrap().contains("recover-admin"), "{completion}");
    }
}

#[test]
fn who_may_do_what_is_answered_with_the_rule_and_its_line() {
    let server = Server::start();
    let rules = std::fs::read_to_string(server.config()).unwrap();
    let line = 1 + rules.lines().position(|line| line.contains("the helpdesk resets")).unwrap();
    let config = server.config();
    let asked = |question: &[&str]| {
        let (first, rest) = question.split_first().unwrap();
        let arguments = [&["explain", first, "--config", text(&config)], rest].concat();
        server.run(KEYSTEAD, &arguments, "").ok().out
    };
    let said = asked(&["access", "--who", "hanna", "--to", "alice", "--right", "reset-password"]);
    assert!(said.starts_with(&format!("{} may reset-password {}", full("hanna"), full("alice"))), "{said}");
    let told = |line: usize| said.contains(&format!("keystead.toml:{line})"));
    assert!(told(line) || told(line - 1), "{said}");
    let who = asked(&["access", "--to", "alice", "--right", "reset-password"]);
    assert!(who.contains("cn=admin") && who.contains("uid=hanna") && !who.contains("uid=bob"), "{who}");
    assert!(who.contains("cn=admin,dc=example,dc=com, by the rule \"administrators"), "{who}");
    let whom = asked(&["access", "--who", "hanna", "--right", "reset-password"]);
    assert!(!whom.contains("\nou=people"), "it has no password: {whom}");
    assert!(whom.contains(" that have no password") || whom.contains(" that has no password"), "{whom}");
    assert!(whom.contains(&full("alice")) && !whom.contains("cn=admin"), "{whom}");
    let policy = asked(&["policy", "alice"]);
    assert!(policy.contains("cn=default,ou=policies") && policy.contains("15 characters at least"), "{policy}");
    assert!(policy.contains("it is the default"), "{policy}");
}

#[test]
fn the_examples_that_are_shown_at_the_start_work_as_they_stand() {
    let mut server = Server::prepare();
    let mut command = Command::new(KEYSTEAD);
    command.args(["serve", "--show-examples", "--config"]).arg(server.config());
    let lines: Vec<String> = server.serve_by(command).take_while(|line| !line.starts_with("Stop with")).collect();
    let shown = lines.join("\n");
    for words in [format!("cn=admin,{SUFFIX}"), server.password("cn=admin"), text(&server.data()).to_owned()] {
        assert!(shown.contains(&words), "{shown}");
    }
    let paste = |tool: &str| {
        let line = lines.iter().find(|line| line.contains(&format!(" {tool} "))).unwrap();
        server.run("env", &["-u", "LDAPTLS_CACERT", "sh", "-c", line], "").ok()
    };
    assert_eq!(paste("ldapsearch").values("mail"), ["alice@example.com"]);
    let made = paste("ldappasswd").out.trim().strip_prefix("New password: ").unwrap().to_owned();
    assert_eq!(server.bind("bob", &made), 0);
}

#[test]
fn init_makes_a_directory_that_nobody_else_can_look_into() {
    let server = Server::prepare();
    let data = server.data();
    for (name, expected) in [
        ("", 0o700),
        ("db", 0o700),
        ("keystead.toml", 0o600),
        ("admin-password", 0o600),
        ("example-passwords", 0o600),
        ("tls/server.key", 0o600),
        ("tls/ca.key", 0o600),
        ("tls/ca.crt", 0o644),
    ] {
        assert_eq!(mode(&data.join(name)), expected, "{name}");
    }
    assert_eq!(server.keystead("check", &[]).ok().err, "");
    // Also where the folder was there before, open to everybody.
    let folder = server.path("open");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    server.run(KEYSTEAD, &["init", "--suffix", SUFFIX, "--data", text(&folder)], "").ok();
    assert_eq!((mode(&folder.join("db")), mode(&folder.join("admin-password"))), (0o700, 0o600));
    // Without the example as well, every name in the rules is somebody's, and nobody may more by that.
    let config = folder.join("keystead.toml");
    assert_eq!(server.run(KEYSTEAD, &["check", "--config", text(&config)], "").ok().err, "");
    let paths = server.run(KEYSTEAD, &["explain", "paths", "--config", text(&config)], "").ok();
    assert!(paths.out.contains("nobody else can become an administrator"), "{}", paths.out);
}

#[test]
fn init_leaves_nothing_behind_when_it_fails_and_harms_nothing_that_is_there() {
    let server = Server::prepare();
    let before = std::fs::read(server.config()).unwrap();
    let data = server.data();
    let new = server.path("new");
    let init = |data: &Path, more: &[&str]| {
        server.run(KEYSTEAD, &[&["init", "--data", text(data)], more].concat(), "").fails_with(1)
    };
    init(&data, &["--suffix", SUFFIX]).tells("exists already; nothing was changed. Choose another folder");
    assert_eq!(std::fs::read(server.config()).unwrap(), before);
    let short = server.file("short", "too short\n");
    let nothing = server.file("nothing", "");
    let gone = server.path("gone");
    let begins = "must begin with dc=, o=, ou= or c=, as dc=example,dc=com does";
    for (arguments, words) in [
        (["--suffix", "cn=example", "--listen", "ldapi://x"], begins),
        (["--suffix", "", "--listen", "ldapi://x"], "the suffix is empty; use one such as dc=example,dc=com"),
        (["--suffix", "example", "--listen", "ldapi://x"], "lacks its attribute type, as in uid=alice"),
        (["--suffix", SUFFIX, "--listen", "http://x"], "listen.url: \"http\" is not known; use ldap, ldaps or ldapi"),
        (["--suffix", SUFFIX, "--admin-password-file", text(&short)], "at least 15 characters"),
        (["--suffix", SUFFIX, "--admin-password-file", text(&nothing)], "holds no password"),
        (["--suffix", SUFFIX, "--admin-password-file", text(&gone)], "gone: No such file"),
    ] {
        init(&new, &arguments).tells(words);
        assert!(!new.exists(), "{arguments:?}");
    }
    // What was mended works, with a password of one's own.
    let chosen = server.file("chosen", "the owl of the miller\n");
    let company = "o=Some Company,c=DE";
    let arguments = ["init", "--data", text(&new), "--suffix", company, "--admin-password-file", text(&chosen)];
    let said = server.run(KEYSTEAD, &arguments, "").ok();
    assert!(!said.out.contains("owl") && said.out.contains("cn=admin,o=Some Company,c=DE"), "{}", said.out);
    assert!(!new.join("admin-password").exists());
}

#[test]
fn what_was_exported_and_imported_is_the_same_as_before() {
    let mut server = Server::start();
    server.answer_wrong_passwords_at_once();
    let odd = [
        r"dn: uid=o\2c d\2b,ou=people,dc=example,dc=com",
        "objectClass: inetOrgPerson\nuid: o, d+\ncn: x\ncn;lang-fr: y\nsn: x",
        "description:: IGJlZ2lucyB3aXRoIGEgc3BhY2U=",
        "description:: ZW5kcyB3aXRoIGEgc3BhY2Ug",
        "description:: dHdvCmxpbmVzDQo=",
        "description:: PDxub3QgYSBVUkw=",
        "description:: w6TDtsO8IPCfmIA=",
        "jpegPhoto:: /9j/4AAQSkZJRgABAQAAAQABAAD/2Q==",
        &format!("description: {}", "long ".repeat(500).trim_end()),
    ];
    server.ldap_in("ldapadd", "cn=admin", &[], &(odd.join("\n") + "\n")).ok();
    let old = server.password("alice");
    server.ldap("ldappasswd", "alice", &["-a", &old, "-s", "a much better secret"]).ok();
    server.ldap("ldappasswd", "hanna", &["-s", "given out by the helpdesk", &full("bob")]).ok();
    let mut client = Client::local(&server);
    for guess in 0..10 {
        assert_eq!(client.bind("carol", &format!("guess number {guess}")), 49);
    }
    drop(client);
    server.stop();
    let (first, second) = (server.path("first.ldif"), server.path("second.ldif"));
    server.keystead("export", &["--output", text(&first)]).ok();
    assert_eq!(mode(&first), 0o600);
    empty(&server);
    server.keystead("import", &[text(&first)]).ok().tells("17 entries were imported from");
    server.keystead("export", &["--output", text(&second)]).ok();
    let (first, second) = (std::fs::read_to_string(first).unwrap(), std::fs::read_to_string(second).unwrap());
    assert!(first == second, "{first}\n*** is not ***\n{second}");
    server.keystead("verify", &[]).ok().tells("Everything fits together.");
    // People, and what is known of their passwords, came along.
    server.serve();
    assert_eq!((server.bind("alice", &old), server.bind("alice", "a much better secret")), (49, 0));
    let used = ["-a", "a much better secret", "-s", &old];
    let again = server.login("alice").with("a much better secret").run("ldappasswd", &used);
    again.refuses_with(19).tells("was used before");
    let must_change = server.login("bob").with("given out by the helpdesk").run("ldapwhoami", &["-e", "ppolicy"]);
    must_change.ok().tells("Password must be changed");
    assert_eq!(server.bind("carol", &server.password("carol")), 49);
}

#[test]
fn imported_entries_that_bring_no_change_sequence_number_get_one_each_and_those_that_do_keep_it() {
    let server = Server::prepare();
    empty(&server);
    let kept = "20200101000000.000000Z#000001#002#000000";
    let person = |uid: &str, more: &str| {
        format!("\ndn: uid={uid},dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: x\nsn: x\n{more}")
    };
    let people = person("a", "") + &person("b", "") + &person("c", &format!("entryCSN: {kept}\n"));
    let ldif =
        server.file("people.ldif", &format!("dn: dc=example,dc=com\nobjectClass: domain\ndc: example\n{people}"));
    server.keystead("import", &[text(&ldif)]).ok().tells("4 entries were imported from");
    let numbers = server.keystead("export", &[]).ok().values("entryCSN");
    let (own, brought): (Vec<_>, Vec<_>) = numbers.iter().partition(|number| *number != kept);
    assert_eq!((own.len(), brought.len()), (3, 1), "{numbers:?}");
    assert!(own.is_sorted_by(|a, b| a < b) && own.iter().all(|number| number.as_str() > "2026"), "{own:?}");
    server.keystead("verify", &[]).ok().tells("Everything fits together.");
}

#[test]
fn an_export_is_as_large_as_one_wants_it() {
    let server = Server::prepare();
    let export = |arguments: &[&str]| server.keystead("export", arguments);
    let people = export(&["--base", "OU=People,dc=example,dc=com"]).ok();
    let mut names = people.values("dn");
    names.sort();
    assert_eq!(names, ["ou=people", "alice", "bob", "carol", "hanna"].map(full));
    assert_eq!(people.values("userPassword").len(), 4);
    let without = export(&["--base", &full("alice"), "--no-passwords"]).ok();
    assert_eq!(without.values("uid"), ["alice"]);
    assert!(!without.out.contains("userPassword") && !without.out.contains("pwdChangedTime"), "{}", without.out);
    export(&["--base", "ou=nowhere,dc=example,dc=com"]).fails_with(1).tells("there is no entry ou=nowhere");
    export(&["--base", "nonsense"]).fails_with(1).tells("lacks its attribute type");
    let there = server.file("there", "precious");
    export(&["--output", text(&there)]).fails_with(1).tells("there: File exists");
    assert_eq!(std::fs::read_to_string(there).unwrap(), "precious");
}

#[test]
fn a_hash_by_the_program_opens_the_account_that_it_is_given_to() {
    let server = Server::start();
    server.answer_wrong_passwords_at_once();
    let config = std::fs::read_to_string(server.config()).unwrap();
    for (scheme, prefix) in [("argon2id", "{ARGON2}$argon2id$"), ("ssha512", "{SSHA512}"), ("ssha", "{SSHA}")] {
        let password = format!("the cat of the {scheme} maker");
        std::fs::write(server.config(), format!("{config}\n[password]\nscheme = \"{scheme}\"\n")).unwrap();
        let checked = server.keystead("check", &[]).ok();
        assert_eq!(checked.err.contains("a thief of the data breaks quickly"), scheme != "argon2id", "{}", checked.err);
        let file = server.secret(&password);
        let from_file = server.keystead("hash-password", &["--password-file", text(&file)]).ok();
        let path = server.config();
        let piped = ["hash-password", "--config", text(&path)];
        let piped = server.run(KEYSTEAD, &piped, &format!("{password}\n")).ok();
        assert_ne!(from_file.out, piped.out, "the same salt twice");
        for hash in [from_file.out, piped.out] {
            assert!(hash.starts_with(prefix), "{hash}");
            let change = format!("changetype: modify\nreplace: userPassword\nuserPassword: {hash}");
            server.ldap_in("ldapmodify", "cn=admin", &[], &format!("dn: {}\n{change}", full("alice"))).ok();
            assert_eq!((server.bind("alice", &password), server.bind("alice", "another")), (0, 49), "{scheme}");
        }
    }
    let hash = |arguments: &[&str], input: &str| server.run(KEYSTEAD, &[&["hash-password"], arguments].concat(), input);
    hash(&[], "by default").ok().tells("{ARGON2}$argon2id$v=19$m=19456,t=2,p=1$");
    hash(&[], "").fails_with(1).tells("no password was given");
    hash(&["--password-file", "/nowhere"], "").fails_with(1).tells("/nowhere: No such file");
}

#[test]
fn an_administrator_whose_password_is_lost_or_locked_gets_a_new_one() {
    let mut server = Server::start();
    server.answer_wrong_passwords_at_once();
    let mut client = Client::local(&server);
    for guess in 0..10 {
        assert_eq!(client.bind("cn=admin", &format!("guess number {guess}")), 49);
    }
    let old = server.password("cn=admin");
    assert_eq!(client.bind("cn=admin", &old), 49);
    drop(client);
    server.keystead("recover-admin", &[]).fails_with(1).tells("is in use by a running server; stop it first");
    server.stop();
    let said = server.keystead("recover-admin", &[]).ok();
    let made = said.out.lines().last().unwrap().to_owned();
    assert_eq!(said.out, format!("cn=admin,{SUFFIX} has a new password.\n{made}\n"));
    let file = server.secret("the owl of the miller");
    let hanna = full("hanna");
    let said = server.keystead("recover-admin", &["--admin", &hanna, "--password-file", text(&file)]).ok();
    assert_eq!(said.out, format!("{hanna} has a new password.\n"));
    let nobody = full("nobody");
    server.keystead("recover-admin", &["--admin", &nobody]).fails_with(1).tells("there is no such entry");
    let short = server.secret("short");
    let short = ["--password-file", text(&short)];
    server.keystead("recover-admin", &short).fails_with(1).tells("at least 15 characters");
    server.serve();
    assert_eq!((server.bind("cn=admin", &old), server.bind("cn=admin", &made)), (49, 0));
    // It need not be changed first.
    server.login("cn=admin").with(&made).run("ldapsearch", &["-b", SUFFIX, "(uid=alice)"]).ok();
    assert_eq!(server.bind("hanna", "the owl of the miller"), 0);
}

const RULE: &str = r#"
[[access]]
name = "names are public"
who = "anonymous"
to = "subtree:ou=people,dc=example,dc=com"
attributes = "cn"
allow = ["search", "read"]
"#;

#[test]
fn a_running_server_reads_its_configuration_again_if_it_is_right() {
    let mut server = Server::start();
    let search = |server: &Server| -> Said {
        let arguments = ["-x", "-LLL", "-H", &server.ldap, "-b", &full("alice"), "(cn=*)", "cn"];
        server.run("ldapsearch", &arguments, "")
    };
    search(&server).fails_with(32);
    let mut open = Client::bound(&server, "bob", &server.password("bob"));
    let before = std::fs::read_to_string(server.config()).unwrap();
    server.configure(&RULE.replace("\"read\"", "\"raed\""));
    server.signal("HUP");
    server.wait_for_log("the new configuration cannot be used; the old one stays in force", 1);
    server.wait_for_log(&format!("keystead.toml: line {}: access: ", before.lines().count() + 2), 1);
    search(&server).fails_with(32);
    std::fs::write(server.config(), before.clone() + RULE).unwrap();
    server.signal("HUP");
    server.wait_for_log("the configuration was read again", 1);
    assert_eq!(search(&server).ok().values("cn"), ["Alice Adams"]);
    std::fs::write(server.config(), before).unwrap();
    server.signal("HUP");
    server.wait_for_log("the configuration was read again", 2);
    search(&server).fails_with(32);
    // Nobody was thrown out by all that.
    assert_eq!(open.who_am_i(), format!("dn:{}", full("bob")));
    server.stop();
}

#[test]
fn a_reload_sets_the_level_of_the_log_and_names_what_waits_for_a_restart() {
    let mut server = Server::prepare();
    let original = std::fs::read_to_string(server.config()).unwrap();
    let configure = |server: &Server, level: &str, format: &str, more: &str| {
        let text = original.replace("level = \"info\"", &format!("level = {level:?}"));
        let text = text.replace("format = \"text\"", &format!("format = {format:?}"));
        std::fs::write(server.config(), text + more).unwrap();
    };
    configure(&server, "error", "text", "");
    server.serve();
    configure(&server, "info", "text", "");
    server.signal("HUP");
    server.wait_for_log("the configuration was read again", 1);
    assert_eq!(server.bind("bob", &server.password("bob")), 0);
    server.wait_for_log("uid=bob", 1);
    configure(&server, "warn", "json", "\n[limits]\nconnections = 77\n");
    server.signal("HUP");
    server.wait_for_log("the configuration was read again; limits.connections, log.format wait for a restart", 1);
    assert_eq!(server.bind("carla", "wrong"), 49);
    // When all is as it was, nothing waits.
    configure(&server, "info", "text", "");
    server.signal("HUP");
    server.wait_for_log("the configuration was read again\n", 2);
    let log = server.stop();
    assert!(!log.contains("uid=carla"), "{log}");
}

#[test]
fn a_store_is_read_also_where_nothing_can_be_written_beside_it() {
    let server = Server::prepare();
    let (store, temporary) = (server.data().join("db"), server.path("temporary"));
    std::fs::create_dir(&temporary).unwrap();
    // A file stands where the reader would make its folder: its process id stays the same over `exec`.
    let script = "touch \"$2/reader-$$\" && exec env TMPDIR=\"$3\" \"$0\" \"$4\" --config \"$1\"";
    for command in ["verify", "export", "events", "changes"] {
        let config = server.config();
        let arguments = ["-c", script, KEYSTEAD, text(&config), text(&store), text(&temporary), command];
        server.run("sh", &arguments, "").ok();
        assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0, "{command}");
    }
    // Without that folder, there is nowhere to go.
    std::fs::remove_dir(&temporary).unwrap();
    let config = server.config();
    let arguments = ["-c", script, KEYSTEAD, text(&config), text(&store), text(&temporary), "verify"];
    server.run("sh", &arguments, "").fails_with(1).tells(text(&temporary));
}
