//! The password policy control as the tools of OpenLDAP send it with any request, also as a critical one; and hashes where
//! `pwdCheckQuality` is 1.
//!
//! The tools take `-e ppolicy` for a control that is not critical, and `-e !OID` for one that is.

use crate::said::Said;
use crate::server::{SUFFIX, Server, full};

const CRITICAL: &str = "!1.3.6.1.4.1.42.2.27.8.5.1";
const GIVEN: &str = "given out by the helpdesk";
const NEW: &str = "a much better secret";
const MUST_CHANGE: &str = "ppolicy: error=2 (Password must be changed)";
/// `{SSHA}` of "a password from elsewhere".
const HASH: &str = "{SSHA}fztJe1ivw2os0Jz8U3lDnv1v6BNzYWx0c2FsdA==";

/// A tool with the control, and what it does.
type Request = (&'static str, Vec<String>, String);

/// What each tool does that asks for something else than a password.
fn requests() -> Vec<Request> {
    let bob = full("bob");
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    let device = format!("dn: {}\nobjectClass: device\ncn: x\n", full("cn=x,ou=people"));
    let title = format!("dn: {bob}\nchangetype: modify\nreplace: title\ntitle: Dr\n");
    vec![
        ("ldapsearch", words(&["-b", SUFFIX, "(uid=bob)", "sn"]), String::new()),
        ("ldapsearch", words(&["-b", SUFFIX, "-E", "pr=10/noprompt", "(uid=bob)", "sn"]), String::new()),
        ("ldapcompare", words(&[&bob, "sn:Nobody"]), String::new()),
        ("ldapadd", Vec::new(), device),
        ("ldapmodify", Vec::new(), title),
        ("ldapmodrdn", words(&[&bob, "uid=bert"]), String::new()),
        ("ldapdelete", words(&[&bob]), String::new()),
    ]
}

/// Somebody asks with the control.
fn ask(server: &Server, who: (&str, &str), control: &str, (tool, arguments, input): &Request) -> Said {
    let arguments: Vec<&str> = ["-e", control].into_iter().chain(arguments.iter().map(String::as_str)).collect();
    server.login(who.0).with(who.1).run_in(tool, &arguments, input)
}

/// A server where Alice must change her password.
fn reset() -> Server {
    let server = Server::start();
    server.change_policy(&["delete: pwdTemporaryMaxUses"]);
    server.ldap("ldappasswd", "hanna", &["-s", GIVEN, &full("alice")]).ok();
    server
}

#[test]
fn while_the_password_must_be_changed_every_tool_is_told_so() {
    let server = reset();
    for request in requests() {
        for control in ["ppolicy", CRITICAL] {
            ask(&server, ("alice", GIVEN), control, &request).fails_with(50).tells(MUST_CHANGE);
        }
        // Who does not ask for it is not told by it.
        let (tool, arguments, input) = &request;
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let said = server.login("alice").with(GIVEN).run_in(tool, &arguments, input).fails_with(50);
        assert!(!said.out.contains("ppolicy") && !said.err.contains("ppolicy"), "{}\n{}", said.out, said.err);
    }
    // What may be done tells nothing; and then everything is open.
    let whoami = ("ldapwhoami", Vec::new(), String::new());
    for control in ["ppolicy", CRITICAL] {
        let said = ask(&server, ("alice", GIVEN), control, &whoami).ok();
        assert!(said.out.starts_with(&format!("dn:{}", full("alice"))) && !said.out.contains("error="), "{}", said.out);
    }
    let change = ["-e", CRITICAL, "-a", GIVEN, "-s", NEW];
    server.login("alice").with(GIVEN).run("ldappasswd", &change).ok();
    let search = &requests()[0];
    let found = ask(&server, ("alice", NEW), CRITICAL, search).ok();
    assert_eq!(found.values("sn"), ["Baker"]);
    assert!(!found.out.contains("ppolicy: error"), "{}", found.out);
}

#[test]
fn the_control_may_be_critical_with_every_request() {
    let server = Server::start();
    let admin = server.password("cn=admin");
    for request in requests() {
        let said = ask(&server, ("cn=admin", &admin), CRITICAL, &request);
        let code = if request.0 == "ldapcompare" { 5 } else { 0 };
        assert_eq!(said.code, code, "{}: {}\n{}", request.0, said.out, said.err);
        if request.0 == "ldapmodrdn" {
            // So that the next one finds him.
            server.ldap("ldapmodrdn", "cn=admin", &["-r", &full("bert"), "uid=bob"]).ok();
        }
    }
    let old = server.password("alice");
    let passwd =
        |new: &str| server.login("alice").with(&old).run("ldappasswd", &["-e", CRITICAL, "-a", &old, "-s", new]);
    passwd("short").refuses_with(19).tells("ppolicy: error=6 (Password is too short for policy)");
    passwd(&old).refuses_with(19).tells("ppolicy: error=8 (New password is in list of old passwords)");
    passwd(NEW).ok();
    let lines = format!("delete: userPassword\nuserPassword: {NEW}\n-\nadd: userPassword\nuserPassword: short\n");
    let change = format!("dn: {}\nchangetype: modify\n{lines}", full("alice"));
    let modify = server.login("alice").with(NEW).run_in("ldapmodify", &["-e", CRITICAL], &change);
    modify.fails_with(19).tells("ppolicy: error=6 (Password is too short for policy)");
    // Another control that is critical and has no meaning is refused as ever.
    server.ldap("ldapwhoami", "alice", &["-e", "!1.2.3.4"]).fails_with(49);
    server.login("alice").with(NEW).run("ldapwhoami", &["-e", "!1.2.3.4"]).refuses_with(12);
}

#[test]
fn where_quality_is_checked_as_far_as_it_can_be_a_hash_is_taken_from_those_who_may_import_hashes() {
    let server = Server::start();
    server.answer_wrong_passwords_at_once();
    let replace = |who: &str, password: &str| {
        let change =
            format!("dn: {}\nchangetype: modify\nreplace: userPassword\nuserPassword: {password}\n", full("bob"));
        server.ldap_in("ldapmodify", who, &["-e", "ppolicy"], &change)
    };
    let kept = || {
        let search = ["-LLL", "-b", &full("bob"), "-s", "base", "pwdScheme"];
        server.ldap("ldapsearch", "cn=admin", &search).ok().values("pwdScheme").concat()
    };
    for level in ["1", "2"] {
        server.change_policy(&[&format!("replace: pwdCheckQuality\npwdCheckQuality: {level}")]);
        // What can be checked is, whoever sets it.
        for who in ["cn=admin", "hanna"] {
            replace(who, "short").fails_with(19).tells("ppolicy: error=6 (Password is too short for policy)");
        }
        // The helpdesk resets passwords and brings no hashes; nor does anybody for themselves.
        replace("hanna", HASH).fails_with(19).tells("ppolicy: error=5 (Password fails quality checks)").tells("hashed");
        let old = server.password("alice");
        let own = ["-e", "ppolicy", "-a", &old, "-s", HASH];
        server.login("alice").run("ldappasswd", &own).refuses_with(19).tells("error=5 (Password fails quality checks)");
        replace("hanna", &format!("set by the helpdesk today {level}")).ok();
        replace("cn=admin", &format!("and then set anew {level}")).ok();
        assert_eq!(kept(), "argon2id");
        // Whoever may import hashes does, by modify and by add.
        replace("cn=admin", HASH).ok();
        assert_eq!(kept(), "ssha");
        let person = full(&format!("imported{level}"));
        let entry = format!("dn: {person}\nobjectClass: inetOrgPerson\ncn: I\nsn: I\nuserPassword: {HASH}\n");
        server.ldap_in("ldapadd", "cn=admin", &["-e", "ppolicy"], &entry).ok();
        // It is what it was made of.
        assert_eq!(server.bind(&format!("imported{level}"), "a password from elsewhere"), 0);
        assert_eq!(server.bind(&format!("imported{level}"), HASH), 49);
    }
}
