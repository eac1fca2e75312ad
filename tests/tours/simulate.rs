//! What would become of a policy, told before it is in force.

use serde_json::Value;

use crate::server::{KEYSTEAD, SUFFIX, Server, full, text};

fn policy(name: &str, lines: &str) -> String {
    format!(
        "dn: cn={name},ou=policies,{SUFFIX}\nobjectClass: namedPolicy\nobjectClass: pwdPolicy\n\
         objectClass: keysteadPolicy\ncn: {name}\npwdAttribute: userPassword\n{lines}\n\n"
    )
}

/// What the command says of some LDIF.
fn simulate(server: &Server, ldif: &str, more: &[&str]) -> crate::said::Said {
    let file = server.file("policy.ldif", ldif);
    let config = server.config();
    server.run(KEYSTEAD, &[&["policy", "simulate", "--config", text(&config), text(&file)], more].concat(), "")
}

fn as_json(server: &Server, ldif: &str) -> Value {
    serde_json::from_str(&simulate(server, ldif, &["--json"]).ok().out).unwrap()
}

/// Somebody whose password was set long ago, and is hashed as of old.
fn add_old(server: &Server) {
    let ldif = format!(
        "dn: uid=old,ou=people,{SUFFIX}\nobjectClass: inetOrgPerson\nuid: old\ncn: Old\nsn: Old\n\
         userPassword: {{SSHA}}/OGEpRm7XwEalwJWGyxExca0swmjTO7Q\npwdChangedTime: 20200101000000Z\n\n\
         dn: cn=olds,ou=groups,{SUFFIX}\nobjectClass: groupOfNames\ncn: olds\nmember: uid=old,ou=people,{SUFFIX}\n\n"
    );
    server.keystead("import", &[text(&server.file("old.ldif", &ldif))]).ok();
}

/// Nobody of the others has a password as old as this.
const YEAR: &str = "pwdMaxAge: 31536000";

#[test]
fn whom_a_new_policy_would_shut_out_is_told_before() {
    let mut server = Server::prepare();
    add_old(&server);
    let rule = format!(
        "\n[[access]]\nname = \"olds\"\nwho = \"group:cn=olds,ou=groups,{SUFFIX}\"\nto = \"everything\"\nallow = \"read\"\n"
    );
    server.configure(&rule);
    server.serve();
    let ldif = policy("new", &format!("pwdAppliesToFilter: (uid=*)\n{YEAR}\npwdReportOnly: TRUE"));
    let told = as_json(&server, &ldif);
    let expired = &told["outlook"]["expired"];
    assert_eq!((&expired["now"], &expired["then"], &expired["begins"]), (&0.into(), &1.into(), &1.into()), "{told}");
    assert_eq!(expired["begins_names"], serde_json::json!([full("old")]), "{told}");
    assert_eq!(told["outlook"]["older-scheme"]["then"], 1, "{told}");
    let because = serde_json::json!([{ "entry": full("old"), "because": ["expired"] }]);
    assert_eq!(told["administrators"], because, "{told}");
    assert!(told["accounts"].as_u64() > told["governed"].as_u64(), "{told}");
    let said = simulate(&server, &ldif, &["--list"]).ok().out;
    assert!(said.contains(&format!("1  password expired (0 now): {}", full("old"))), "{said}");
    assert!(
        said.contains(&format!("in a group that an access rule names: {}: password expired", full("old"))),
        "{said}"
    );
    let below = simulate(&server, &ldif, &["--base", &full("bob"), "--json"]).ok().out;
    let below: Value = serde_json::from_str(&below).unwrap();
    assert_eq!((&below["accounts"], &below["outlook"]["expired"]["then"]), (&1.into(), &0.into()));
    let found = server.ldap("ldapsearch", "cn=admin", &["-LLL", "(cn=new)", "1.1"]).ok().out;
    assert!(!found.contains("dn:"), "nothing has changed: {found}");
}

#[test]
fn what_a_file_says_is_simulated_together() {
    let mut server = Server::start();
    server.answer_wrong_passwords_at_once();
    for guess in ["wrong 1", "wrong 2", "wrong 3"] {
        assert_eq!(server.bind("alice", guess), 49);
    }
    // So that what was counted has been written.
    server.stop();
    let default = format!("cn=default,ou=policies,{SUFFIX}");
    let stricter = format!("dn: {default}\nchangetype: modify\nreplace: pwdMaxFailure\npwdMaxFailure: 3\n\n");
    let told = as_json(&server, &stricter);
    assert_eq!(told["outlook"]["locked"]["begins_names"], serde_json::json!([full("alice")]), "{told}");
    let exception = policy("alice", "pwdAppliesToFilter: (uid=alice)\npwdLockout: FALSE");
    let told = as_json(&server, &format!("{stricter}{exception}"));
    assert_eq!(told["outlook"]["locked"]["begins"], 0, "{told}");
    assert_eq!(told["governed"], told["accounts"], "{told}");
    let told = as_json(&server, &format!("dn: {default}\nchangetype: delete\n"));
    assert_eq!((&told["governed"], &told["released"]), (&0.into(), &told["accounts"]), "{told}");
}

#[test]
fn deadlines_of_hashes_and_notices_of_ends_are_simulated() {
    let mut server = Server::prepare();
    add_old(&server);
    server.serve();
    let old = "pwdAppliesToFilter: (uid=old)";
    for (lines, overdue, noticed) in [
        ("pwdRehashDeadline: 20200101000000Z", 1, 0),
        ("pwdRehashDeadline: 29990101000000Z", 0, 0),
        ("pwdRehashDeadline: 20200101000000Z\npwdHashScheme: ssha", 0, 0),
        (&format!("{YEAR}\npwdExpireNotice: 86400"), 0, 1),
        (YEAR, 0, 0),
    ] {
        let told = as_json(&server, &policy("new", &format!("{old}\n{lines}")));
        for (word, number) in [("rehash-overdue", overdue), ("noticed", noticed)] {
            assert_eq!(
                (&told["outlook"][word]["then"], &told["outlook"][word]["now"]),
                (&number.into(), &0.into()),
                "{told}"
            );
        }
    }
    let said = simulate(&server, &policy("new", &format!("{old}\npwdRehashDeadline: 20200101000000Z")), &[]).ok().out;
    assert!(
        said.contains(&format!("1  must change it at the next bind, hashed as of old (0 now): {}", full("old"))),
        "{said}"
    );
}

#[test]
fn what_ldapadd_would_refuse_is_refused_with_the_line() {
    let server = Server::start();
    for (ldif, words) in [
        (policy("new", "pwdMinLength: 20\npwdMaxLength: 10"), "line 1: cn=new"),
        (policy("new", "pwdAppliesToFilter: (userPassword=*)"), "no policy goes by userPassword"),
        (format!("dn: {}\nchangetype: modify\nreplace: sn\nsn: x\n", full("bob")), "this is no password policy"),
        (format!("dn: cn=none,ou=policies,{SUFFIX}\nchangetype: delete\n"), "line 1: cn=none"),
        ("dn: cn=x\n-\n".to_owned(), "policy.ldif"),
    ] {
        simulate(&server, &ldif, &[]).fails_with(1).tells(words);
    }
}
