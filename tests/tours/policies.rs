//! Policies as administrators work with them.

use crate::server::{KEYSTEAD, SUFFIX, Server, full, text};

/// A policy as LDIF.
fn policy(name: &str, lines: &str) -> String {
    let classes = ["namedPolicy", "pwdPolicy", "keysteadPolicy"].map(|class| format!("objectClass: {class}\n"));
    let classes = classes.concat();
    format!("dn: cn={name},ou=policies,{SUFFIX}\n{classes}cn: {name}\npwdAttribute: userPassword\n{lines}\n\n")
}

fn add(server: &Server, ldif: &str) {
    server.ldap_in("ldapadd", "cn=admin", &[], ldif).ok();
}

#[test]
fn which_policy_governs_somebody_is_answered_with_the_reason() {
    let server = Server::start();
    let group = format!("pwdMinLength: 30\npwdAppliesToGroup: cn=helpdesk,ou=groups,{SUFFIX}\npwdPrecedence: 5");
    let filter = "pwdMinLength: 30\npwdAppliesToFilter: (uid=h*)\npwdAppliesToFilter: (uid=b*)";
    add(&server, &(policy("helpdesk", &group) + &policy("some", filter)));
    let config = server.config();
    let asked = |more: &[&str]| {
        let arguments = [&["explain", "policy", "--config", text(&config)], more].concat();
        server.run(KEYSTEAD, &arguments, "").ok().out
    };
    let hanna = asked(&["hanna"]);
    assert!(hanna.contains(&format!("governed by cn=helpdesk,ou=policies,{SUFFIX}")), "{hanna}");
    assert!(hanna.contains(&format!("it is a member of cn=helpdesk,ou=groups,{SUFFIX}")), "{hanna}");
    assert!(hanna.contains("cn=some") && hanna.contains("(no precedence) would govern it, too"), "{hanna}");
    let bob: serde_json::Value = serde_json::from_str(&asked(&["bob", "--json"])).unwrap();
    assert_eq!(bob["policy"], format!("cn=some,ou=policies,{SUFFIX}"));
    assert_eq!(bob["because"], serde_json::json!(["it matches (uid=b*)"]));
    let length = bob["settings"].as_array().unwrap().iter().find(|one| one["attribute"] == "pwdMinLength").unwrap();
    assert_eq!((&length["value"], &length["from"]), (&"30".into(), &bob["policy"]));
    let told = server
        .ldap("ldapsearch", "cn=admin", &["-LLL", "-o", "ldif-wrap=no", "(uid=bob)", "pwdEffectivePolicy"])
        .ok()
        .out;
    assert!(told.contains(&format!("pwdMinLength: 30 (cn=some,ou=policies,{SUFFIX})")), "{told}");
}

#[test]
fn why_somebody_cannot_log_in_is_answered_with_times_and_places() {
    let mut server = Server::start();
    server.answer_wrong_passwords_at_once();
    server.change_policy(&["replace: pwdMaxFailure\npwdMaxFailure: 2", "delete: pwdKnownSourceMaxAge"]);
    let config = server.config();
    let asked = |server: &Server, more: &[&str]| {
        server.run(KEYSTEAD, &[&["explain", "login", "--config", text(&config)], more].concat(), "")
    };
    let bob = asked(&server, &["bob"]).ok().out;
    assert!(bob.starts_with(&format!("{} can log in with the right password:", full("bob"))), "{bob}");
    assert!(bob.contains(&format!("governed by cn=default,ou=policies,{SUFFIX}: it is the default")), "{bob}");
    for wrong in ["a first guess", "a second guess"] {
        assert_eq!(server.bind("bob", wrong), 49);
    }
    let hanna = "dn: uid=alice,ou=people,dc=example,dc=com\nchangetype: modify\nreplace: pwdAccountLockedTime\n\
                 pwdAccountLockedTime: 000001010000Z\n";
    server.ldap_in("ldapmodify", "hanna", &[], hanna).ok();
    // What it has counted is on disk when it has stopped.
    server.stop();
    let locked = asked(&server, &["bob"]).fails_with(1).out;
    assert!(locked.contains("locked since 2"), "{locked}");
    assert!(locked.contains(" by 2 wrong passwords, the last on ") && locked.contains(" from 127.0.0.1"), "{locked}");
    let alice = asked(&server, &["alice", "--json"]).fails_with(1).out;
    let alice: serde_json::Value = serde_json::from_str(&alice).unwrap();
    assert_eq!((&alice["can"], &alice["conditions"][0]["condition"]), (&false.into(), &"locked-by-hand".into()));
    let meaning = alice["conditions"][0]["meaning"].as_str().unwrap();
    assert!(meaning.starts_with(&format!("locked by {} since ", full("hanna"))), "{meaning}");
    let policy = server.run(KEYSTEAD, &["explain", "policy", "--config", text(&config), "alice"], "").ok().out;
    assert!(policy.contains(meaning), "{policy}");
    asked(&server, &["nobody"]).fails_with(1).tells("there is no entry");
}

#[test]
fn what_a_policy_would_do_that_is_only_tried_out_stands_in_the_log() {
    let mut server = Server::start();
    let strict =
        "pwdReportOnly: TRUE\npwdAppliesToFilter: (uid=alice)\npwdCheckQuality: 2\npwdMinLength: 60\npwdMaxAge: 1";
    add(&server, &policy("strict", strict));
    let password = server.password("alice");
    server.ldap("ldappasswd", "alice", &["-a", &password, "-s", "quite a long sentence"]).ok();
    assert_eq!(server.bind("bob", &server.password("bob")), 0);
    let explained = server.run(KEYSTEAD, &["explain", "policy", "--config", text(&server.config()), "alice"], "").ok();
    assert!(explained.out.contains("were it not only tried out"), "{}", explained.out);
    let log = server.stop();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("policy_report")).collect();
    let about = format!("target={}", full("alice"));
    assert!(lines.iter().any(|line| line.contains("too-short") && line.contains(&about)), "{log}");
    assert!(lines.iter().all(|line| line.contains("cn=strict") && line.contains(&about)), "{log}");
    assert!(!log.contains("quite a long sentence"), "{log}");
}

#[test]
fn what_has_no_effect_in_a_policy_is_told_wherever_somebody_looks() {
    let mut server = Server::start();
    let name = format!("cn=default,ou=policies,{SUFFIX}");
    let change = "replace: pwdExpireWarning\npwdExpireWarning: 600";
    let told =
        format!("pwdExpireWarning of \"{name}\" has no effect: pwdMaxAge is 0 or absent, so no password expires");
    let file = server.file("policy.ldif", &format!("dn: {name}\nchangetype: modify\n{change}\n"));
    let config = server.config();
    let simulated = ["policy", "simulate", "--config", text(&config), text(&file), "--json"];
    let simulated = server.run(KEYSTEAD, &simulated, "").ok();
    assert!(simulated.err.contains(&format!("warning: {told}\n")), "{}", simulated.err);
    assert!(serde_json::from_str::<serde_json::Value>(&simulated.out).is_ok(), "{}", simulated.out);
    assert_eq!(server.keystead("check", &[]).ok().err, "");
    // When it is written, and whenever the server starts.
    server.change_policy(&[change]);
    server.wait_for_log(&told, 1);
    server.stop();
    server.serve();
    server.wait_for_log(&told, 1);
    let checked = server.keystead("check", &[]).ok().err;
    assert!(checked.contains(&format!("warning: {told}\n")), "{checked}");
    let asked = |more: &[&str]| {
        server.run(KEYSTEAD, &[&["explain", "policy", "--config", text(&config), "bob"], more].concat(), "").ok().out
    };
    let said = asked(&[]);
    assert!(
        said.contains("\n  pwdExpireWarning has no effect: pwdMaxAge is 0 or absent, so no password expires\n"),
        "{said}"
    );
    let said: serde_json::Value = serde_json::from_str(&asked(&["--json"])).unwrap();
    assert_eq!(said["without_effect"][0]["attribute"], "pwdExpireWarning", "{said}");
}

#[test]
fn an_entry_that_names_what_is_no_policy_is_told_wherever_somebody_looks() {
    let mut server = Server::start();
    let own = format!("cn=own,ou=policies,{SUFFIX}");
    let name_it =
        format!("dn: {}\nchangetype: modify\nreplace: pwdPolicySubentry\npwdPolicySubentry: {own}\n", full("alice"));
    let refused = server.ldap_in("ldapmodify", "cn=admin", &[], &name_it).fails_with(19);
    refused.tells(&format!(
        "pwdPolicySubentry: \"{own}\" is no password policy: name an entry that has the object class pwdPolicy"
    ));
    add(&server, &policy("own", "pwdMinLength: 30"));
    server.ldap_in("ldapmodify", "cn=admin", &[], &name_it).ok();
    let no_more = format!(
        "dn: {own}\nchangetype: modify\ndelete: pwdMinLength\n-\ndelete: pwdAttribute\n-\ndelete: objectClass\n\
         objectClass: pwdPolicy\nobjectClass: keysteadPolicy\n"
    );
    server.ldap_in("ldapmodify", "cn=admin", &[], &no_more).ok();
    let told = format!("pwdPolicySubentry of \"{}\" is not heeded: \"{own}\" is no password policy", full("alice"));
    server.stop();
    server.serve();
    server.wait_for_log(&told, 1);
    let config = server.config();
    let asked = |more: &[&str]| {
        server.run(KEYSTEAD, &[&["explain", "policy", "--config", text(&config), "alice"], more].concat(), "").ok().out
    };
    let said = asked(&[]);
    assert!(said.contains(&format!("governed by cn=default,ou=policies,{SUFFIX}")) && said.contains(&told), "{said}");
    let said: serde_json::Value = serde_json::from_str(&asked(&["--json"])).unwrap();
    assert_eq!(said["named_but_no_policy"], own, "{said}");
    let checked = server.keystead("check", &[]).ok().err;
    assert!(checked.contains(&format!("warning: {told}\n")), "{checked}");
    server.keystead("verify", &[]).ok().tells(&format!("has pwdPolicySubentry {own}, which is no password policy"));
}

#[test]
fn how_many_passwords_are_kept_by_which_scheme_is_told() {
    let server = Server::start();
    add(&server, &policy("old", "pwdAppliesToFilter: (uid=alice)\npwdHashScheme: ssha512"));
    let password = server.password("alice");
    server.ldap("ldappasswd", "alice", &["-a", &password, "-s", "quite a long sentence"]).ok();
    let config = server.config();
    let asked = |more: &[&str]| {
        server.run(KEYSTEAD, &[&["explain", "schemes", "--config", text(&config)], more].concat(), "").ok().out
    };
    let said = asked(&[]);
    assert!(said.contains("        1  ssha512\n") && said.contains("argon2id m=19456,t=2,p=1\n"), "{said}");
    let told: serde_json::Value = serde_json::from_str(&asked(&["--json"])).unwrap();
    assert_eq!(told["deadlines"], serde_json::json!([]));
    assert_eq!(
        told["schemes"][1],
        serde_json::json!({ "scheme": "ssha512", "passwords": 1, "outdated": 0, "unusable": 0 }),
        "{told}"
    );
    server.ldap("ldapdelete", "cn=admin", &[&format!("cn=old,ou=policies,{SUFFIX}")]).ok();
    let said = asked(&[]);
    assert!(said.contains("1  ssha512  1 of them are hashed anew"), "{said}");
    let found = server.ldap("ldapsearch", "cn=admin", &["-LLL", "(pwdScheme=ssha512)", "1.1"]).ok().out;
    assert!(found.contains(&full("alice")), "{found}");
    // What no bind can show is not hashed anew by one.
    let unusable =
        format!("dn: {}\nchangetype: modify\nreplace: userPassword\nuserPassword: {{CRYPT}}!\n", full("alice"));
    server.ldap_in("ldapmodify", "cn=admin", &[], &unusable).ok();
    let said = asked(&[]);
    assert!(said.contains("        1  unusable  no password matches them, so nobody binds by them\n"), "{said}");
    let told: serde_json::Value = serde_json::from_str(&asked(&["--json"])).unwrap();
    let unusable = serde_json::json!({ "scheme": "unusable", "passwords": 1, "outdated": 0, "unusable": 1 });
    assert!(told["schemes"].as_array().unwrap().contains(&unusable), "{told}");
}

#[test]
fn how_many_passwords_come_too_late_to_be_hashed_anew_is_told() {
    let server = Server::start();
    let costly =
        "pwdAppliesToFilter: (|(uid=alice)(uid=bob))\npwdHashMemory: 20000\npwdRehashDeadline: 20200101000000Z";
    add(&server, &policy("costly", costly));
    let config = server.config();
    let asked = |more: &[&str]| {
        server.run(KEYSTEAD, &[&["explain", "schemes", "--config", text(&config)], more].concat(), "").ok().out
    };
    let name = format!("cn=costly,ou=policies,{SUFFIX}");
    let line = |number| {
        format!(
            "        {number}  must be changed when their owners bind next, since 20200101000000Z (pwdRehashDeadline of {name})\n"
        )
    };
    let said = asked(&[]);
    assert!(said.contains(&line(2)), "{said}");
    let bound = server.login("alice").run("ldapwhoami", &["-e", "ppolicy"]);
    bound.ok().tells("Password must be changed");
    let cost = ["-LLL", "(uid=alice)", "pwdHashCost", "pwdReset"];
    let seen = server.ldap("ldapsearch", "cn=admin", &cost).ok();
    assert_eq!(
        (seen.values("pwdHashCost"), seen.values("pwdReset")),
        (vec!["m=20000,t=2,p=1".into()], vec!["TRUE".into()])
    );
    let said = asked(&[]);
    assert!(said.contains(&line(1)) && said.contains("        1  argon2id m=20000,t=2,p=1\n"), "{said}");
    let later =
        format!("dn: {name}\nchangetype: modify\nreplace: pwdRehashDeadline\npwdRehashDeadline: 29990101000000Z\n");
    server.ldap_in("ldapmodify", "cn=admin", &[], &later).ok();
    let said = asked(&[]);
    assert!(said.contains("        1  must be changed if their owners first bind after 29990101000000Z ("), "{said}");
    let told: serde_json::Value = serde_json::from_str(&asked(&["--json"])).unwrap();
    let deadline = serde_json::json!({ "policy": name, "deadline": "29990101000000Z", "passed": false, "outdated": 1 });
    assert_eq!(told["deadlines"], serde_json::json!([deadline]));
}
