//! People move here from other servers, with their passwords: see the folder `migration`.
//!
//! The export of OpenLDAP is made by OpenLDAP while the test runs. Those of 389 Directory Server and `OpenDJ` are written
//! by hand as their documentation has them.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::said::Said;
use crate::server::{KEYSTEAD, SUFFIX, Server, full, text};

/// A directory without entries that is not served yet, with a schema of the site; administrators are found there later.
fn newcomer(schema: &str) -> Server {
    let server = Server::prepare();
    let other = server.path("other");
    server.run(KEYSTEAD, &["init", "--empty", "--suffix", SUFFIX, "--data", text(&other)], "").ok();
    std::fs::remove_dir_all(server.data().join("db")).unwrap();
    std::fs::rename(other.join("db"), server.data().join("db")).unwrap();
    let file = server.file("schema-of-the-site", &fixture(schema));
    let config = std::fs::read_to_string(server.config()).unwrap();
    let named = format!("[directory]\nschema = [{:?}]", text(&file));
    assert_eq!(config.matches("[directory]").count(), 1, "{config}");
    std::fs::write(server.config(), config.replace("[directory]", &named)).unwrap();
    server
}

fn fixture(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tours/migration").join(name)).unwrap()
}

/// A hash as such servers write it.
fn ssha512(server: &Server, password: &str) -> String {
    let program = "import hashlib,base64,sys; p = sys.argv[1].encode(); s = b'saltsalt'; \
                   print('{SSHA512}' + base64.b64encode(hashlib.sha512(p + s).digest() + s).decode(), end='')";
    server.run("/usr/bin/python3", &["-c", program, password], "").ok().out
}

/// A fixture with hashes of these passwords in it, as such servers write them.
fn with_hashes(server: &Server, name: &str) -> PathBuf {
    let mut ldif = fixture(name);
    for who in ["alice", "bob", "carol", "old"] {
        ldif = ldif.replace(&format!("@{who}@"), &ssha512(server, &format!("{who}'s password")));
    }
    server.file(name, &ldif)
}

/// What the superuser of this machine sees of an entry.
fn seen(server: &Server, who: &str) -> Said {
    let all =
        ["-Q", "-Y", "EXTERNAL", "-H", &server.ldapi, "-LLL", "-o", "ldif_wrap=no", "-b", &full(who), "-s", "base"];
    server.run("ldapsearch", &[&all[..], &["*", "+"]].concat(), "").ok()
}

fn changes(server: &Server, who: &str, old: &str, new: &str) -> Said {
    server.login(who).with(old).run("ldappasswd", &["-a", old, "-s", new])
}

/// A running OpenLDAP, which ends with this.
struct Slapd {
    folder: PathBuf,
    process: Child,
}

impl Slapd {
    /// Starts one with the configuration of the fixtures.
    fn start(server: &Server) -> Self {
        let folder = server.path("");
        std::fs::create_dir(folder.join("slapd")).unwrap();
        server.file("badge.schema", &fixture("badge.schema"));
        server.file("slapd.conf", &fixture("slapd.conf").replace("@folder@", text(&folder).trim_end_matches('/')));
        let mut command = Command::new("/usr/sbin/slapd");
        command.args(["-d", "none", "-f", &config(&folder), "-h", &url(&folder)]).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut said = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        // Its socket is there by then.
        assert!(said.any(|line| line.contains("slapd starting")));
        Self { folder, process }
    }

    fn run(&self, server: &Server, tool: &str, login: (&str, &str), arguments: &[&str]) -> Said {
        let url = url(&self.folder);
        server.run(tool, &[&["-x", "-H", &url, "-D", &full(login.0), "-w", login.1], arguments].concat(), "")
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        // As an administrator would, so that everything is on disk.
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}

fn config(folder: &Path) -> String {
    text(&folder.join("slapd.conf")).to_owned()
}

fn url(folder: &Path) -> String {
    format!("ldapi://{}", text(&folder.join("slapd.socket")).replace('/', "%2F"))
}

#[test]
fn people_move_here_from_openldap_with_their_passwords_and_what_is_known_of_them() {
    if !Path::new("/usr/sbin/slapd").exists() || !Path::new("/etc/ldap/schema/core.schema").exists() {
        crate::clients::left_out("slapd, with the schema files of Debian,");
        return;
    }
    let mut server = newcomer("badge.schema");
    let slapd = Slapd::start(&server);
    let root = ("cn=root", "secret");
    let ldif = server.file("openldap.ldif", &fixture("openldap.ldif"));
    slapd.run(&server, "ldapadd", root, &["-f", text(&ldif)]).ok();
    let change = ["-a", "alice's first", "-s", "alice's second"];
    slapd.run(&server, "ldappasswd", ("alice", "alice's first"), &change).ok();
    slapd.run(&server, "ldapwhoami", ("alice", "alice's second"), &[]).ok();
    slapd.run(&server, "ldapwhoami", ("alice", "a guess"), &[]).fails_with(49);
    for guess in ["guess 1", "guess 2", "guess 3"] {
        slapd.run(&server, "ldapwhoami", ("bob", guess), &[]).fails_with(49);
    }
    slapd.run(&server, "ldappasswd", root, &["-s", "carol's reset", &full("carol")]).ok();
    // So its export has the entry before the one above it.
    let former = full("ou=former");
    slapd.run(&server, "ldapmodrdn", root, &["-s", &former, &full("dora"), "uid=dora"]).ok();
    let exported = server.run("slapcat", &["-f", &config(&slapd.folder), "-o", "ldif-wrap=no"], "").ok().out;
    drop(slapd);

    let slapcat = server.file("slapcat.ldif", &exported);
    let report = server.path("report");
    let said = server.keystead("import", &[text(&slapcat), "--report", text(&report)]).ok();
    let said = said.tells("11 entries were imported from ").tells(", an export of OpenLDAP.");
    let said =
        said.tells("entryUUID (11)").tells("pwdChangedTime (").tells("Unusable: userPassword (1): no password matches");
    assert!(!said.out.contains("SSHA"), "{}", said.out);
    let lines = std::fs::read_to_string(report).unwrap();
    assert!(lines.contains("uid=dora,ou=former,dc=example,dc=com: userPassword: unusable: "), "{lines}");

    server.keystead("verify", &[]).ok();
    server.serve();
    for who in ["alice", "bob", "carol", "uid=dora,ou=former", "cn=strict,ou=policies"] {
        let here = seen(&server, who);
        let start = format!("dn: {}\n", full(who));
        let there = exported.split("\n\n").find(|record| record.trim_start().starts_with(&start)).unwrap();
        for line in there.lines().skip(1) {
            let (name, value) = line.split_once(": ").unwrap();
            if !["userPassword:", "pwdHistory"].contains(&name) {
                // Some times have a fraction here.
                let start = value.trim_end_matches('Z');
                assert!(here.values(name).iter().any(|own| own.starts_with(start)), "{who}: {line}?\n{}", here.out);
            }
        }
    }
    assert_eq!(server.bind("alice", "alice's first"), 49);
    assert_eq!(server.bind("alice", "alice's second"), 0);
    assert_eq!(server.bind("bob", "bob's password"), 49, "locked there, and here");
    let must_change = server.login("carol").with("carol's reset").run("ldapwhoami", &["-e", "ppolicy"]);
    must_change.ok().tells("Password must be changed");
    changes(&server, "alice", "alice's second", "alice's first").refuses_with(19).tells("was used before");
    changes(&server, "alice", "alice's second", "a much better secret").ok();
    // The hash has become one of this server at the first bind.
    assert_eq!(seen(&server, "alice").values("pwdScheme"), ["argon2id"]);
    assert_eq!(seen(&server, "alice").values("memberOf"), [full("cn=team,ou=groups")]);
}

#[test]
fn people_move_here_from_389_directory_server_with_their_passwords() {
    let mut server = newcomer("99user.ldif");
    let ldif = with_hashes(&server, "389.ldif");
    let said = server.keystead("import", &[text(&ldif)]).ok().tells("5 entries were imported from ");
    let said =
        said.tells(", an export of 389 Directory Server.").tells("Left out: 1 whole entries: it was removed there.");
    let said =
        said.tells("Translated: nsUniqueId (5): entryUUID.").tells("Left out: aci (1): who may do what is said in");
    said.tells("Left out: nsSizeLimit (1): ").tells("Translated: passwordHistory (1): pwdHistory.");
    server.keystead("verify", &[]).ok();
    server.serve();
    let alice = seen(&server, "alice");
    assert_eq!(alice.values("entryUUID"), ["3b6f4f82-1dd2-11b2-80d7-f1e872ee0001"]);
    assert_eq!(alice.values("createTimestamp"), ["20240102000000Z"]);
    assert_eq!(alice.values("pwdChangedTime"), ["20240302000000Z"]);
    assert_eq!((alice.values("sn"), alice.values("exampleBadge")), (vec!["Adams".into()], vec!["A-17".into()]));
    assert_eq!(server.bind("alice", "alice's password"), 0);
    assert_eq!(server.bind("bob", "bob's password"), 49, "locked there, and here");
    let must_change = server.login("carol").with("carol's password").run("ldapwhoami", &["-e", "ppolicy"]);
    must_change.ok().tells("Password must be changed");
}

#[test]
fn people_move_here_from_opendj_with_their_passwords() {
    let mut server = newcomer("badge.schema");
    let ldif = with_hashes(&server, "opendj.ldif");
    let said = server.keystead("import", &[text(&ldif), "--from", "opendj"]).ok();
    let said = said.tells("5 entries were imported from ").tells(", an export of OpenDJ.");
    let said = said.tells("Translated: ds-pwp-account-disabled (1): ").tells("Left out: ds-sync-hist (1): ");
    said.tells("Unusable: userPassword (1): ").tells("Left out: ds-pwp-password-policy-dn (1): ");
    server.keystead("verify", &[]).ok();
    server.serve();
    let alice = seen(&server, "alice");
    assert_eq!(alice.values("entryUUID"), ["6f1b1d1e-7a0b-4a75-9f3e-000000000003"]);
    assert_eq!(alice.values("pwdChangedTime"), ["20240302000000Z"]);
    assert_eq!(server.bind("alice", "alice's password"), 0);
    assert_eq!(server.bind("bob", "bob's password"), 49);
    assert_eq!(server.bind("carol", "carol's password"), 49);
}

#[test]
fn what_the_schema_does_not_know_is_told_and_can_be_left_out() {
    let server = newcomer("badge.schema");
    let ldif = "dn: dc=example,dc=com\nobjectClass: domain\nobjectClass: strange\ndc: example\nshoeSize: 44\n";
    let file = server.file("strange.ldif", ldif);
    let import = |more: &[&str]| server.keystead("import", &[&[text(&file)], more].concat());
    import(&[]).fails_with(1).tells("\"shoeSize\" is not in the schema").tells("--leave-out shoeSize");
    import(&["--leave-out", "shoeSize"]).fails_with(1).tells("strange");
    let said = import(&["--leave-out", "shoesize", "--leave-out", "STRANGE"]).ok();
    said.tells("1 entries were imported").tells("Left out: shoesize (1): by --leave-out.");
}

/// People of `fast.ldif`, as slapcat writes them, with the passwords that they have there.
const FAST: [(&str, &str); 4] = [
    ("alice", "alice's password"),
    ("bob", "bob's password"),
    ("carol", "carol's password"),
    ("dora", "dora's password"),
];

/// What a thief could try passwords on quickly: their digests, alice's old one last.
const DIGESTS: [&str; 4] =
    ["CrmKrj30gekCWWYFBjtfCzpptx", "OJvTyTE4oyc+zW55avcuXQ==", "yckNSKKahRmkCd8gISdxn.", "4+ad9mfDlQ1r81GNUU3xWWCvlA"];

/// What `keystead export` says, with its lines unfolded.
fn exported(server: &Server) -> String {
    let ldif = server.keystead("export", &[]).ok().out.replace("\n ", "");
    for kept in DIGESTS.iter().chain(&["dora's password"]) {
        assert!(!ldif.contains(kept), "{kept}: {ldif}");
    }
    ldif
}

/// The beginnings of all passwords in an export.
fn kept_as(ldif: &str) -> Vec<&str> {
    let values = ldif.lines().filter_map(|line| line.strip_prefix("userPassword: "));
    let mut schemes: Vec<&str> = values.map(|value| &value[..=value.rfind('}').unwrap()]).collect();
    schemes.sort_unstable();
    schemes
}

fn schemes(server: &Server) -> String {
    server.run(KEYSTEAD, &["explain", "schemes", "--config", text(&server.config())], "").ok().out
}

#[test]
fn fast_hashes_are_wrapped_at_once_and_nobody_needs_a_new_password() {
    let mut server = newcomer("badge.schema");
    let ldif = server.file("fast.ldif", &fixture("fast.ldif"));
    server.keystead("import", &[text(&ldif), "--wrap", "--keep-clear-text"]).fails_with(2).tells("cannot be used with");
    let said = server.keystead("import", &[text(&ldif), "--wrap"]).ok().tells(", an export of OpenLDAP.");
    let said = said.tells("Translated: userPassword (3): in Argon2id, until its owner binds.");
    said.tells("Translated: pwdHistory (1): in Argon2id, until its owner binds.");
    let wrapped = exported(&server);
    assert_eq!(
        kept_as(&wrapped),
        ["{ARGON2-WRAP}{CRYPT}", "{ARGON2-WRAP}{MD5}", "{ARGON2-WRAP}{SSHA}", "{ARGON2}"],
        "{wrapped}"
    );
    let counted = schemes(&server);
    for kind in ["md5-crypt in argon2id", "md5 in argon2id", "ssha in argon2id"] {
        let line =
            format!("        1  {kind} m=19456,t=2,p=1  1 of them are hashed anew when their owners bind next\n");
        assert!(counted.contains(&line), "{kind}: {counted}");
    }
    assert!(counted.contains("        1  argon2id m=19456,t=2,p=1\n"), "{counted}");

    // What is wrapped can be taken elsewhere, and wrapping it again changes nothing.
    let mut other = newcomer("badge.schema");
    let ldif = other.file("wrapped.ldif", &wrapped);
    other.keystead("import", &[text(&ldif), "--wrap"]).ok().tells("8 entries were imported from ");
    assert_eq!(exported(&other), wrapped);
    for server in [&mut server, &mut other] {
        server.serve();
        for (who, password) in FAST {
            // The new hash gives way to the first writing of the last success, should both happen at once.
            assert_eq!([server.bind(who, password), server.bind(who, password)], [0, 0], "{who}");
            assert_eq!(server.bind(who, &password.to_uppercase()), 49, "{who}");
        }
        for stolen in ["{SSHA}CrmKrj30gekCWWYFBjtfCzpptx2zyRtq", "CrmKrj30gekCWWYFBjtfCzpptx2zyRtq"] {
            assert_eq!(server.bind("alice", stolen), 49);
        }
        server.stop();
        assert_eq!(kept_as(&exported(server)), ["{ARGON2}"; 4]);
        assert_eq!(schemes(server), "        4  argon2id m=19456,t=2,p=1\n");
    }
    server.serve();
    changes(&server, "alice", "alice's password", "alice's first").refuses_with(19).tells("was used before");
    changes(&server, "alice", "alice's password", "a much better secret").ok();
}

#[test]
fn what_somebody_must_do_something_about_is_told_first() {
    let mut server = newcomer("badge.schema");
    let person = |name: &str, more: &str| format!("dn: cn={name},{SUFFIX}\nobjectClass: person\nsn: {name}\n{more}\n");
    let top = format!("version: 1\n\ndn: {SUFFIX}\nobjectClass: domain\ndc: example\n\n");
    let (old, hash) = ("userPassword: {SASL}ann@EXAMPLE\n", ssha512(&server, "ann's password"));

    // What stands below an entry with a fault has none of its own.
    let below = format!("dn: cn=below,cn=bad,{SUFFIX}\nobjectClass: person\nsn: x\n\n");
    let faulty = top.clone() + &person("bad", "colour: red\n") + &below;
    let refused = server.keystead("import", &[text(&server.file("faulty.ldif", &faulty))]);
    assert!(refused.code != 0 && refused.err.contains("--leave-out colour"), "{}", refused.err);
    assert!(!refused.err.contains("cn=below"), "{}", refused.err);

    let ldif = top + &person("ann", &format!("{old}userPassword: {hash}\n")) + &person("sue", old);
    let said = server.keystead("import", &[text(&server.file("export.ldif", &ldif))]).ok();
    let told: Vec<&str> = said.out.lines().filter(|line| line.contains("userPassword")).collect();
    let beginnings = ["Unusable: userPassword (1)", "Without a time: userPassword (1)", "Left out: userPassword (1)"];
    assert_eq!(told.len(), beginnings.len(), "{}", said.out);
    assert!(told.iter().zip(beginnings).all(|(line, beginning)| line.starts_with(beginning)), "{told:?}");
    server.serve();
    assert_eq!(server.bind(&format!("cn=ann,{SUFFIX}"), "ann's password"), 0);
}
