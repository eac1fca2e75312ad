//! The entries that a new directory begins with, as LDIF.

/// What every directory needs: places for people, groups and services, the default policy, the administrators.
pub(super) fn skeleton(suffix: &str) -> String {
    format!(
        "dn: ou=people,{suffix}\nobjectClass: organizationalUnit\nou: people\n\n\
         dn: ou=groups,{suffix}\nobjectClass: organizationalUnit\nou: groups\n\n\
         dn: ou=services,{suffix}\nobjectClass: organizationalUnit\nou: services\n\n\
         dn: ou=policies,{suffix}\nobjectClass: organizationalUnit\nou: policies\n\n\
         dn: ou=approvals,{suffix}\nobjectClass: organizationalUnit\nou: approvals\n\n\
         dn: cn=default,ou=policies,{suffix}\n\
         objectClass: namedPolicy\nobjectClass: pwdPolicy\nobjectClass: keysteadPolicy\n\
         cn: default\npwdAttribute: userPassword\n\
         pwdMinLength: 15\npwdMaxLength: 256\npwdCheckQuality: 2\npwdQualityProfile: nist\n\
         pwdInHistory: 5\npwdSafeModify: TRUE\npwdAllowUserChange: TRUE\n\
         pwdLockout: TRUE\npwdMaxFailure: 10\npwdLockoutDuration: 900\n\
         pwdMinDelay: 1\npwdMaxDelay: 8\npwdKnownSourceMaxAge: 2592000\n\
         pwdMustChange: TRUE\npwdTemporaryMaxAge: 86400\npwdTemporaryMaxUses: 10\n\n\
         dn: cn=admin,{suffix}\nobjectClass: inetOrgPerson\ncn: admin\nsn: Administrator\n\
         userPassword: @password@\n\n\
         dn: cn=administrators,ou=groups,{suffix}\nobjectClass: groupOfNames\ncn: administrators\n\
         description: They may do everything; named by the access rules\nmember: cn=admin,{suffix}\n\n"
    )
}

/// A helpdesk to put people into: a group has members, and this one may do no more by it than before.
pub(super) fn helpdesk(suffix: &str) -> String {
    helpdesk_of(&format!("cn=admin,{suffix}"), suffix)
}

fn helpdesk_of(member: &str, suffix: &str) -> String {
    format!(
        "dn: cn=helpdesk,ou=groups,{suffix}\nobjectClass: groupOfNames\ncn: helpdesk\n\
         description: They reset the passwords of people; named by the access rules\nmember: {member}\n\n"
    )
}

/// A few people to try things with.
pub(super) fn people(suffix: &str) -> String {
    let person = |uid: &str, given: &str, surname: &str, number: u32| {
        format!(
            "dn: uid={uid},ou=people,{suffix}\n\
             objectClass: inetOrgPerson\nobjectClass: posixAccount\nobjectClass: shadowAccount\n\
             uid: {uid}\ncn: {given} {surname}\ngivenName: {given}\nsn: {surname}\ndisplayName: {given} {surname}\n\
             mail: {uid}@example.com\nuidNumber: {number}\ngidNumber: 5000\nhomeDirectory: /home/{uid}\n\
             loginShell: /bin/bash\nuserPassword: @password@\n\n"
        )
    };
    [
        person("alice", "Alice", "Adams", 5001),
        person("bob", "Bob", "Baker", 5002),
        person("carol", "Carol", "Clark", 5003),
        person("hanna", "Hanna", "Hill", 5004),
        helpdesk_of(&format!("uid=hanna,ou=people,{suffix}"), suffix),
        format!(
            "dn: cn=staff,ou=groups,{suffix}\nobjectClass: groupOfNames\nobjectClass: posixGroup\ncn: staff\n\
             gidNumber: 5000\nmember: uid=alice,ou=people,{suffix}\nmember: uid=bob,ou=people,{suffix}\n\
             memberUid: alice\nmemberUid: bob\n\n\
             dn: cn=app,ou=services,{suffix}\nobjectClass: applicationProcess\nobjectClass: simpleSecurityObject\n\
             cn: app\ndescription: An application that looks people up\nuserPassword: @password@\n\n"
        ),
    ]
    .concat()
}

/// The access rules that a new configuration begins with.
pub(super) fn rules(suffix: &str) -> String {
    format!(
        r#"# Who may do what. Nothing is allowed that no rule here allows; "deny" wins over every "allow"; the order does not
# matter. Passwords and other secrets can be shown to nobody by any rule.

[[access]]
name = "administrators do everything"
who = "group:cn=administrators,ou=groups,{suffix}"
to = "subtree:{suffix}"
attributes = ["*", "+", "password-state"]
allow = "all"

[[access]]
name = "administrators change the schema"
who = ["group:cn=administrators,ou=groups,{suffix}", "local-root"]
to = "entry:cn=Subschema"
attributes = ["*", "+"]
allow = ["search", "read", "compare", "write"]

[[access]]
name = "administrators read the change log"
who = ["group:cn=administrators,ou=groups,{suffix}", "local-root"]
to = "subtree:cn=changelog"
attributes = ["*", "+"]
allow = ["search", "read", "compare"]

[[access]]
name = "administrators see how the server is doing"
who = ["group:cn=administrators,ou=groups,{suffix}", "local-root"]
to = "subtree:cn=monitor"
attributes = ["*", "+"]
allow = ["search", "read", "compare"]

[[access]]
name = "the superuser of this machine does everything, over ldapi://"
who = "local-root"
to = "everything"
attributes = ["*", "+", "password-state"]
allow = "all"

[[access]]
name = "everybody may try to authenticate"
who = "everyone"
to = "subtree:{suffix}"
allow = "authenticate"

[[access]]
name = "everybody changes their own password"
who = "self"
to = "subtree:{suffix}"
allow = "change-password"

[[access]]
name = "everybody sees themselves, and how their password stands"
who = "self"
to = "subtree:{suffix}"
attributes = ["*", "+", "password-state"]
allow = ["search", "read", "compare"]

[[access]]
name = "whoever has authenticated sees the directory"
who = "authenticated"
to = "subtree:{suffix}"
attributes = ["*", "+"]
allow = ["search", "read", "compare"]

[[access]]
name = "the helpdesk resets the passwords of people"
who = "group:cn=helpdesk,ou=groups,{suffix}"
to = "subtree:ou=people,{suffix}"
attributes = "password-state"
allow = ["search", "read", "compare", "reset-password", "unlock"]
"#
    )
}
