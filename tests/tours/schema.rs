//! The schema is changed online, with the tools of ldap-utils, and stays changed.

use crate::said::Said;
use crate::server::{KEYSTEAD, SUFFIX, Server, full, text};

const SIZE: &str =
    "( 1.3.6.1.4.1.99999.1.1 NAME 'shoeSize' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 )";
const WEARER: &str = "( 1.3.6.1.4.1.99999.2.1 NAME 'wearer' SUP top AUXILIARY MUST shoeSize )";

/// About the structural class `device`.
const THINGS: &str = "( 2.5.6.14 NAME 'things' MUST serialNumber )";

/// About what was defined online.
const RULE: &str = "
[[access]]
name = \"sizes are compared\"
who = \"authenticated\"
to = \"subtree:dc=example,dc=com\"
attributes = [\"shoeSize\"]
allow = [\"search\", \"compare\"]

[[index]]
attribute = \"shoeSize\"
kinds = [\"equality\"]
";

/// So are people.
const UNIQUE: &str = "
[[unique]]
attributes = [\"shoeSize\"]
";

fn change(server: &Server, who: &str, lines: &str) -> Said {
    server.ldap_in("ldapmodify", who, &[], &format!("dn: cn=Subschema\nchangetype: modify\n{lines}"))
}

/// What a browser looks at to see whether its copy of the schema is still good.
fn stamp(server: &Server) -> Vec<String> {
    let arguments = ["-LLL", "-s", "base", "-b", "cn=Subschema", "(objectClass=subschema)", "modifyTimestamp"];
    server.ldap("ldapsearch", "alice", &arguments).ok().values("modifyTimestamp")
}

fn found(server: &Server, filter: &str) -> usize {
    let arguments = ["-LLL", "-o", "ldif_wrap=no", "-b", SUFFIX, filter, "uid"];
    server.ldap("ldapsearch", "alice", &arguments).ok().values("uid").len()
}

#[test]
fn the_schema_is_changed_online_and_stays_so() {
    let mut server = Server::start();
    let before = stamp(&server);
    let both = format!("add: attributeTypes\nattributeTypes: {SIZE}\n-\nadd: objectClasses\nobjectClasses: {WEARER}\n");
    change(&server, "alice", &both).fails_with(50);
    change(&server, "cn=admin", &both).ok();
    change(&server, "cn=admin", &format!("add: dITContentRules\ndITContentRules: {THINGS}\n")).ok();
    let thing = |more: &str| format!("dn: {}\nobjectClass: device\n{more}", full("cn=thing,ou=services"));
    server.ldap_in("ldapadd", "cn=admin", &[], &thing("")).fails_with(65).tells("serialNumber");
    let after = stamp(&server);
    assert_ne!(after, before);
    let person = format!(
        "dn: {}\nobjectClass: inetOrgPerson\nobjectClass: wearer\nuid: dora\ncn: Dora\nsn: D\nshoeSize: 42\n",
        full("dora")
    );
    server.ldap_in("ldapadd", "cn=admin", &[], &person).ok();
    assert_eq!([found(&server, "(shoeSize=42)"), found(&server, "(objectClass=wearer)")], [1, 1]);

    // The configuration may name it now, and not what nobody has defined.
    server.configure(RULE);
    server.keystead("check", &[]).ok();
    server.signal("HUP");
    server.wait_for_log("the configuration was read again", 1);
    server.ldap("ldapcompare", "bob", &[&full("dora"), "shoeSize:42"]).tells("TRUE");
    server.stop();
    server.serve();
    server.keystead("verify", &[]).ok();
    assert_eq!(stamp(&server), after);
    assert_eq!([found(&server, "(shoeSize=42)"), found(&server, "(objectClass=wearer)")], [1, 1]);

    server.ldap_in("ldapadd", "cn=admin", &[], &thing("")).fails_with(65).tells("serialNumber");
    server.ldap_in("ldapadd", "cn=admin", &[], &thing("serialNumber: 1\n")).ok();
    let without =
        format!("delete: objectClasses\nobjectClasses: {WEARER}\n-\ndelete: attributeTypes\nattributeTypes: {SIZE}\n");
    change(&server, "cn=admin", &without).fails_with(53).tells("in use");
    let exported = server.keystead("export", &[]).ok().out;
    server.ldap("ldapdelete", "cn=admin", &[&full("dora")]).ok();
    // The next start would be refused.
    change(&server, "cn=admin", &without).fails_with(53).tells("the configuration names it").tells("index.attribute");
    let (configured, file) = (server.config(), server.file("all.ldif", &exported));
    let (named, unnamed) = (std::fs::read_to_string(&configured).unwrap(), RULE.to_owned());
    std::fs::write(&configured, named.replace(&unnamed, "")).unwrap();
    server.signal("HUP");
    server.wait_for_log("the configuration was read again", 1);
    change(&server, "cn=admin", &without).ok();
    server.ldap_in("ldapadd", "cn=admin", &[], &person).fails_with(17);
    server.stop();

    // A configuration that names what only the file defines.
    let other = server.path("other");
    server.run(KEYSTEAD, &["init", "--empty", "--suffix", SUFFIX, "--data", text(&other)], "").ok();
    let config = other.join("keystead.toml");
    let own = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, own + RULE + UNIQUE).unwrap();
    server.run(KEYSTEAD, &["check", "--config", text(&config)], "").fails_with(1).tells("shoeSize");
    let import = ["import", "--config", text(&config), text(&file)];
    server.run(KEYSTEAD, &import, "").ok().tells("3 definitions were added");
    let again = server.run(KEYSTEAD, &["export", "--config", text(&config)], "").ok();
    assert_eq!(again.out, exported);
}
