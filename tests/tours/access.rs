//! Access rules with conditions, and for single values, as people and administrators meet them.

use crate::server::{KEYSTEAD, Server, Transport, full, text};

const RULES: &str = r#"
[[access]]
name = "bob writes titles over TLS"
who = "dn:uid=bob,ou=people,dc=example,dc=com"
to = "subtree:ou=people,dc=example,dc=com"
attributes = "title"
allow = "write"
when = { network = ["127.0.0.0/8", "::1"], tls = "1.3", authentication = "simple", until = 2099-12-31 }
reason = "spring cleaning"
ticket = "OPS-4711"

[[access]]
name = "bob wrote departments long ago"
who = "dn:uid=bob,ou=people,dc=example,dc=com"
to = "subtree:ou=people,dc=example,dc=com"
attributes = "departmentNumber"
allow = "write"
when = { until = "2020-01-01T00:00:00Z" }

[[access]]
name = "bob writes rooms elsewhere"
who = "dn:uid=bob,ou=people,dc=example,dc=com"
to = "subtree:ou=people,dc=example,dc=com"
attributes = "roomNumber"
allow = "write"
when = { network = "192.0.2.0/24" }

[[access]]
name = "people join groups themselves"
who = "authenticated"
to = "below:ou=groups,dc=example,dc=com"
attributes = "member"
values = "self"
allow = "write"
"#;

fn set(attribute: &str) -> String {
    format!("dn: {}\nchangetype: modify\nreplace: {attribute}\n{attribute}: x\n", full("alice"))
}

fn joins(group: &str, name: &str) -> String {
    let group = full(&format!("cn={group},ou=groups"));
    format!("dn: {group}\nchangetype: modify\nadd: member\nmember: {}\n", full(name))
}

#[test]
fn a_right_under_conditions_is_had_where_they_hold_and_logged_with_its_ticket() {
    let mut server = Server::start_with(RULES);
    for transport in Transport::ALL {
        let (modify, set) = (server.login("bob").over(transport), set("title"));
        modify.run_in("ldapmodify", &[], &set).ok();
    }
    server.ldap_in("ldapmodify", "bob", &[], &set("departmentNumber")).fails_with(50);
    server.ldap_in("ldapmodify", "bob", &[], &set("roomNumber")).fails_with(50);
    server.ldap_in("ldapmodify", "hanna", &[], &set("title")).fails_with(50);
    let log = server.stop();
    assert!(log.contains("the rule \"bob wrote departments long ago\"") && log.contains("is over"), "{log}");
    assert!(log.contains("acts under a special rule") && log.contains("OPS-4711"), "{log}");
    assert!(log.contains("spring cleaning"), "{log}");
}

#[test]
fn people_join_and_leave_a_group_themselves_and_nobody_else() {
    let server = Server::start_with(RULES);
    server.ldap_in("ldapmodify", "bob", &[], &joins("helpdesk", "bob")).ok();
    server.ldap_in("ldapmodify", "bob", &[], &joins("helpdesk", "alice")).fails_with(50);
    let leave = joins("helpdesk", "bob").replace("add:", "delete:");
    server.ldap_in("ldapmodify", "alice", &[], &leave).fails_with(50);
    server.ldap_in("ldapmodify", "bob", &[], &leave).ok();
}

#[test]
fn circumstances_are_part_of_the_question() {
    let server = Server::start_with(RULES);
    let config = server.config();
    let asked = |more: &[&str]| {
        let question = ["explain", "access", "--config", text(&config), "--to", "alice", "--right", "write"];
        server.run(KEYSTEAD, &[&question, more].concat(), "").ok().out
    };
    let bob = ["--who", "bob", "--attribute", "title"];
    let at_his_desk = ["--from", "127.0.0.1", "--tls", "1.3", "--authentication", "simple"];
    let said = asked(&[&bob[..], &at_his_desk[..]].concat());
    assert!(said.contains("uid=bob,ou=people,dc=example,dc=com may write title of"), "{said}");
    for words in ["over TLS 1.3 or later", "until 2099-12-31", "\"spring cleaning\"", "\"OPS-4711\"", "keystead.toml:"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    for elsewhere in
        [&["--from", "192.0.2.1", "--tls", "1.3"][..], &["--from", "127.0.0.1"], &["--at", "2100-01-01"], &[]]
    {
        let said = asked(&[&bob[..], elsewhere].concat());
        assert!(said.contains("may not write title"), "{elsewhere:?}: {said}");
        assert_eq!(said.contains("granted under other circumstances by"), elsewhere.first() != Some(&"--at"), "{said}");
    }
    let said = asked(&[&["--who", "bob", "--attr", "title"], &at_his_desk[..]].concat());
    assert!(said.contains("may write title of") && said.contains("\n    [[access]]\n"), "{said}");
    let who = asked(&["--attribute", "title"]);
    assert!(who.contains("uid=bob,ou=people,dc=example,dc=com, by the rule") && who.contains("OPS-4711"), "{who}");
    server
        .run(KEYSTEAD, &["explain", "access", "--config", text(&config), "--who", "bob", "--tls", "2"], "")
        .fails_with(2);
}

#[test]
fn who_may_do_something_is_people_and_not_the_groups_that_they_are_in() {
    let server = Server::start();
    // The helpdesk are all of the staff.
    server.ldap_in("ldapmodify", "cn=admin", &[], &joins("helpdesk", "cn=staff,ou=groups")).ok();
    let config = server.config();
    let asked = ["explain", "access", "--config", text(&config), "--to", "carol", "--right", "reset-password"];
    let said = server.run(KEYSTEAD, &asked, "").ok().out;
    for name in ["alice", "bob", "hanna"] {
        assert!(said.contains(&format!("\n    {}, by ", full(name))), "{said}");
    }
    assert!(!said.contains(&full("cn=staff,ou=groups")), "{said}");
}

#[test]
fn rules_that_end_are_listed_and_newcomers_can_be_asked_about() {
    let server = Server::start_with(RULES);
    let config = server.config();
    let rules = || server.run(KEYSTEAD, &["explain", "rules", "--config", text(&config)], "").ok().out;
    let said = rules();
    assert!(said.contains("over") && said.contains("the rule \"bob wrote departments long ago\""), "{said}");
    assert!(said.contains("in force") && said.contains("until 21000101000000Z"), "{said}");
    assert!(said.contains("reason \"spring cleaning\", ticket \"OPS-4711\""), "{said}");
    let asked = |who: &str| {
        let to = full("newcomer");
        let question = ["explain", "access", "--config", text(&config), "--who", who, "--to", &to, "--right", "add"];
        server.run(KEYSTEAD, &question, "").ok().out
    };
    assert!(asked("bob").contains("bob,ou=people,dc=example,dc=com may not add uid=newcomer"), "{}", asked("bob"));
    assert!(asked("local-root").contains("may add uid=newcomer,ou=people,dc=example,dc=com, which is not there yet"));
    let to = full("newcomer");
    let question = ["explain", "access", "--config", text(&config), "--to", &to, "--right", "add"];
    let said = server.run(KEYSTEAD, &question, "").ok().out;
    assert!(said.contains("these may add uid=newcomer,ou=people,dc=example,dc=com, which is not there yet:"), "{said}");
    assert!(said.contains("    the superuser of this machine, by the rule"), "{said}");
}

const NOBODY_ANONYMOUS_WRITES: &str = r#"
[[assert]]
name = "nobody writes who has not authenticated"
who = "anonymous"
must_not = ["write", "add", "delete", "rename"]
"#;

const GUESTBOOK: &str = r#"
[[access]]
name = "a guest book"
who = "everyone"
to = "subtree:ou=people,dc=example,dc=com"
attributes = "description"
allow = "write"
"#;

const HELPDESK_WRITES_GROUPS: &str = r#"
[[access]]
name = "the helpdesk keeps groups"
who = "group:cn=helpdesk,ou=groups,dc=example,dc=com"
to = "subtree:ou=groups,dc=example,dc=com"
attributes = "member"
allow = "write"
"#;

#[test]
fn rules_that_break_an_assertion_are_not_taken_and_the_counterexample_is_told() {
    let mut server = Server::start_with(NOBODY_ANONYMOUS_WRITES);
    server.keystead("check", &[]).ok();
    server.configure(GUESTBOOK);
    let told = "whoever has not authenticated may write description of";
    let checked = server.keystead("check", &[]).fails_with(1);
    assert!(
        checked.err.contains(told) && checked.err.contains("by the rule \"a guest book\" (line "),
        "{}",
        checked.err
    );
    server.signal("HUP");
    server.wait_for_log("the new configuration cannot be used", 1);
    let note = format!("dn: {}\nchangetype: modify\nadd: description\ndescription: I was here\n", full("alice"));
    server.ldap_in("ldapmodify", "bob", &[], &note).fails_with(50);
    let log = server.stop();
    assert!(log.contains(told), "{log}");
    let refused = server.refuses_to_serve();
    assert!(refused.contains("the assertion \"nobody writes who has not authenticated\" (line "), "{refused}");
    assert!(refused.contains(told), "{refused}");
}

const OPERATORS_IMPORT: &str = r#"
[[access]]
name = "operators import hashes"
who = "group:cn=operators,ou=groups,dc=example,dc=com"
to = "subtree:ou=people,dc=example,dc=com"
allow = "import-hash"

[[assert]]
name = "the helpdesk never imports hashes"
who = "group:cn=helpdesk,ou=groups,dc=example,dc=com"
must_not = "import-hash"
"#;

/// Who is put into a group breaks no start of the server: the rule is out of force until they have left.
#[test]
fn a_rule_that_breaks_an_assertion_by_who_is_in_a_group_is_out_of_force_until_they_leave() {
    let mut server = Server::start();
    let group = "dn: cn=operators,ou=groups,dc=example,dc=com\nobjectClass: groupOfNames\ncn: operators\n";
    let members = format!("member: {}\nmember: {}\n", full("alice"), full("hanna"));
    server.ldap_in("ldapadd", "cn=admin", &[], &format!("{group}{members}")).ok();
    server.stop();
    server.configure(OPERATORS_IMPORT);
    let told = format!("{} may import-hash", full("hanna"));
    let checked = server.keystead("check", &[]).fails_with(1);
    assert!(checked.err.contains(&told), "{}", checked.err);
    server.serve();
    server.wait_for_log("the rule \"operators import hashes\" (line ", 1);
    server.wait_for_log("is out of force and grants nothing until this is mended", 1);
    let monitored = || {
        let asked = ["-LLL", "-o", "ldif-wrap=no", "-s", "base", "-b", "cn=Rules out of Force,cn=Access,cn=Monitor"];
        server.ldap("ldapsearch", "cn=admin", &[&asked[..], &["monitorCounter", "monitoredInfo"]].concat()).ok().out
    };
    assert!(monitored().contains("monitorCounter: 1\n") && monitored().contains(&told), "{}", monitored());
    let may = |who: &str| {
        let config = server.config();
        let question = ["explain", "access", "--config", text(&config), "--who", who, "--to", "bob"];
        server.run(KEYSTEAD, &[&question[..], &["--right", "import-hash"]].concat(), "").ok()
    };
    assert!(may("alice").out.contains("may not import-hash"), "{}", may("alice").out);
    let modify = |kind: &str| {
        let change = format!("changetype: modify\n{kind}: member\nmember: {}\n", full("hanna"));
        server.ldap_in(
            "ldapmodify",
            "cn=admin",
            &[],
            &format!("dn: cn=operators,ou=groups,dc=example,dc=com\n{change}"),
        )
    };
    modify("delete").ok();
    server.wait_for_log("a rule is in force again", 1);
    assert!(monitored().contains("monitorCounter: 0\n"), "{}", monitored());
    assert!(may("alice").out.contains("alice,ou=people,dc=example,dc=com may import-hash"), "{}", may("alice").out);
    let refused = modify("add").fails_with(19);
    assert!(refused.err.contains(&told), "{}", refused.err);
    server.keystead("check", &[]).ok();
}

#[test]
fn ways_to_become_an_administrator_are_told_step_by_step() {
    let server = Server::start();
    let config = server.config();
    let paths = || server.run(KEYSTEAD, &["explain", "paths", "--config", text(&config)], "");
    assert!(paths().ok().out.contains("nobody else can become an administrator"));
    server.configure(HELPDESK_WRITES_GROUPS);
    let said = paths().fails_with(1);
    assert!(
        said.out.starts_with("a member of cn=helpdesk,ou=groups,dc=example,dc=com:\n  1. may add themselves"),
        "{}",
        said.out
    );
    assert!(said.out.contains("by the rule \"the helpdesk keeps groups\" (line "), "{}", said.out);
    assert!(said.err.contains("there is a way to become an administrator"), "{}", said.err);
}

const BOB_AND_RENAMES: &str = r#"
[[access]]
name = "bob may all"
who = "dn:uid=bob,ou=people,dc=example,dc=com"
to = "subtree:ou=people,dc=example,dc=com"
attributes = ["*", "+", "password-state"]
allow = "all"

[[access]]
name = "the helpdesk keeps people"
who = "group:cn=helpdesk,ou=groups,dc=example,dc=com"
to = "subtree:ou=people,dc=example,dc=com"
attributes = ["telephoneNumber", "mail"]
allow = ["write", "rename"]
"#;

#[test]
fn administrators_by_name_are_told_of_and_guards_are_part_of_the_answer() {
    let server = Server::start_with(BOB_AND_RENAMES);
    let config = server.config();
    let paths = |more: &[&str]| {
        let asked = [&["explain", "paths", "--config", text(&config)], more].concat();
        server.run(KEYSTEAD, &asked, "")
    };
    for more in [&[][..], &["--who", "bob"]] {
        let said = paths(more).fails_with(1);
        assert!(said.out.contains("may write telephoneNumber of uid=bob,ou=people,dc=example,dc=com"), "{}", said.out);
        assert!(
            said.out.contains("not looked at: what comes of it when an entry that others stand below"),
            "{}",
            said.out
        );
        assert!(said.out.contains("\n    the rule \"the helpdesk keeps people\" (line "), "{}", said.out);
    }
    let other = paths(&["--group", "cn=administrators,ou=groups,dc=example,dc=com"]).ok().out;
    assert!(other.contains("nobody else can become an administrator"), "{other}");
    let asked = |to: &str| {
        let question = ["explain", "access", "--config", text(&config), "--who", "hanna", "--to", to];
        server.run(KEYSTEAD, &[&question[..], &["--right", "write", "--attr", "mail"]].concat(), "").ok().out
    };
    let refused = asked("bob");
    assert!(refused.contains("may not write mail of uid=bob"), "{refused}");
    assert!(
        refused.contains("refused because the owner of that entry holds more, by the rule \"bob may all\""),
        "{refused}"
    );
    assert!(
        asked("alice").contains("hanna,ou=people,dc=example,dc=com may write mail of uid=alice"),
        "{}",
        asked("alice")
    );
}

fn denial(group: &str) -> String {
    format!(
        "\n[[access]]\nname = \"nothing for {group}\"\nwho = \"group:cn={group},ou=groups,dc=example,dc=com\"\n\
         to = \"subtree:dc=example,dc=com\"\ndeny = \"delete\"\n"
    )
}

#[test]
fn a_denial_for_a_group_that_is_not_there_is_not_taken_and_the_group_stays() {
    let mut server = Server::start_with(&denial("staff"));
    server.keystead("check", &[]).ok();
    let delete = "dn: cn=staff,ou=groups,dc=example,dc=com\nchangetype: delete\n";
    let refused = server.login("cn=admin").run_in("ldapmodify", &[], delete).fails_with(53);
    assert!(refused.err.contains("take the group out of the rule first"), "{}", refused.err);
    server.configure(&denial("ghosts"));
    let told = "the group cn=ghosts,ou=groups,dc=example,dc=com does not exist";
    server.keystead("check", &[]).fails_with(1).tells(told);
    server.signal("HUP");
    server.wait_for_log("the new configuration cannot be used", 1);
    let log = server.stop();
    assert!(log.contains(told), "{log}");
    assert!(server.refuses_to_serve().contains(told));
    // With an import comes the group, and the server starts.
    let group = "dn: cn=ghosts,ou=groups,dc=example,dc=com\nobjectClass: groupOfNames\ncn: ghosts\n\
                 member: uid=bob,ou=people,dc=example,dc=com\n";
    server.keystead("import", &[text(&server.file("ghosts.ldif", group))]).ok();
    server.serve();
}

#[test]
fn a_rule_about_a_place_where_nothing_is_is_told_of_and_one_below_no_suffix_is_a_mistake() {
    let mut server = Server::prepare();
    let line = std::fs::read_to_string(server.config()).unwrap().lines().count() + 2;
    let rule = |more: &str| format!("\n[[access]]\nname = \"typo\"\nwho = \"everyone\"\n{more}\n");
    server.configure(&rule("to = [\"subtree:ou=peple,dc=example,dc=com\", \"subtree:dc=com\"]\ndeny = \"read\""));
    let told =
        format!("ou=peple,dc=example,dc=com does not exist: the rule \"typo\" (line {line}) denies nothing there");
    assert_eq!(server.keystead("check", &[]).ok().err, format!("keystead: warning: {told}\n"));
    server.serve();
    server.signal("HUP");
    server.wait_for_log("the configuration was read again", 1);
    assert_eq!(server.log().matches(&told).count(), 2, "{}", server.log());
    server.configure(&rule(
        "to = \"subtree:ou=groups,dc=example,dc=com\"\nattributes = \"member\"\nallow = \"write\"\n\
         values = \"below:ou=robots,dc=example,dc=com\"",
    ));
    let words = format!("the rule \"typo\" (line {}) grants nothing by values below it", line + 6);
    server.keystead("check", &[]).ok().tells(&format!("ou=robots,dc=example,dc=com does not exist: {words}"));
    server.configure(&rule("to = \"subtree:ou=people,dc=exmaple,dc=com\"\ndeny = \"read\""));
    let told =
        "\"ou=people,dc=exmaple,dc=com\" in `to` is below none of the suffixes of this server (dc=example,dc=com)";
    server.keystead("check", &[]).fails_with(1).tells(told);
    server.signal("HUP");
    server.wait_for_log("the new configuration cannot be used", 1);
    assert!(server.stop().contains(told));
    assert!(server.refuses_to_serve().contains(told));
}
