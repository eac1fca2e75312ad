//! The ways to become an administrator that `keystead explain paths` tells can be walked, step by step; and what it does not tell
//! since a guard keeps from it is refused.

use keystead::access::RuleText;
use keystead::directory::ResultCode::{InsufficientAccessRights, Success};
use keystead::directory::tree::memory::MemoryDirectory;
use keystead::protocol::oid;

use crate::rights_paths::{group, helpdesk, staff_may_all, ways};
use crate::scene::{Client, SUFFIX, Scene, acting_as, full, rule, rules};

/// Rules besides those of `init`, and what is written by the administrators before.
struct Case {
    rules: Vec<RuleText>,
    before: String,
}

impl Case {
    fn of(rules: impl IntoIterator<Item = RuleText>) -> Self {
        Self { rules: rules.into_iter().collect(), before: String::new() }
    }

    fn scene(&self) -> Scene<MemoryDirectory> {
        let scene = Scene::in_memory();
        if !self.before.is_empty() {
            assert_eq!(scene.root().change(&self.before), Ok(()));
        }
        scene.rule_by(&rules().into_iter().chain(self.rules.iter().cloned()).collect::<Vec<_>>());
        scene
    }
}

/// Somebody of those who can go a way.
fn somebody(from: &str) -> String {
    let of_group = |name: &str| from == format!("a member of {}", group(name));
    match from {
        _ if of_group("helpdesk") => full("hanna"),
        _ if of_group("staff") => full("alice"),
        "whoever has authenticated" => full("bob"),
        _ if from.starts_with("whoever has the role ") => full("alice"),
        name => name.to_owned(),
    }
}

/// What stands between two pieces of a sentence.
fn between<'s>(text: &'s str, before: &str, after: &[&str]) -> Option<&'s str> {
    let rest = text.strip_prefix(before)?;
    let ends = after.iter().filter_map(|end| rest.find(end));
    Some(&rest[..ends.min().unwrap_or(rest.len())])
}

/// Takes a step; who they are from then on.
fn step(scene: &Scene<MemoryDirectory>, own: &str, told: &str) -> String {
    let client = scene.client(own);
    let change = |text: &str| assert_eq!(client.change(text), Ok(()), "{told}\n{text}");
    let modify = |dn: &str, verb: &str, attribute: &str, value: &str| {
        change(&format!("dn: {dn}\nchangetype: modify\n{verb}: {attribute}\n{attribute}: {value}\n-\n"));
    };
    let ends = [", by ", ", which ", ", whose ", ", where ", ", and ", ", so that "];
    let name = |before: &str| between(told, before, &ends).map(str::to_owned);
    if let Some((attribute, dn)) = name("may add themselves as ").as_deref().and_then(|it| it.split_once(" of ")) {
        modify(dn, "add", attribute, own);
    } else if let Some((dn, new)) =
        name("may rename ").or_else(|| name("may move ")).as_deref().and_then(|it| it.split_once(" to "))
    {
        let (rdn, above) = new.split_once(',').unwrap();
        change(&format!("dn: {dn}\nchangetype: modrdn\nnewrdn: {rdn}\ndeleteoldrdn: 1\nnewsuperior: {above}\n"));
    } else if let Some(dn) =
        between(told, "may make ", &[" a group by its objectClass"]).filter(|_| told.contains("a group by"))
    {
        let attribute = between(told.split_once("themselves as ").unwrap().1, "", &[" of it"]).unwrap();
        change(&format!(
            "dn: {dn}\nchangetype: modify\nadd: objectClass\nobjectClass: extensibleObject\n-\nadd: {attribute}\n{attribute}: {own}\n-\n"
        ));
    } else if let Some((attribute, dn)) =
        name("may put themselves into ").as_deref().and_then(|it| it.split_once(" of "))
    {
        modify(dn, "add", attribute, own);
        if told.contains("lets them write") {
            modify(dn, "add", "member", own);
        } else {
            return take_over(&client, dn, told);
        }
    } else if let Some(dn) = name("may reset the password of ").or_else(|| name("may act as ")) {
        return take_over(&client, &dn, told);
    } else if let Some(what) = name("may write ") {
        let (attribute, dn) = what.split_once(" of ").unwrap();
        let dn = dn.strip_prefix("the password policy ").unwrap_or(dn);
        let value = match attribute {
            "pwdPolicySubentry" => "cn=default,ou=policies,dc=example,dc=com",
            "pwdLockout" => "FALSE",
            "pwdAppliesToFilter" => "(sn=Administrator)",
            "telephoneNumber" | "mobile" => "+49 30 1234",
            _ => "mine",
        };
        // What names the entry stays.
        modify(dn, if attribute == "uid" { "add" } else { "replace" }, attribute, value);
    } else if let Some(place) = between(told, "may add a password policy below ", &[" that says"]) {
        let admin = format!("cn=admin,{SUFFIX}");
        change(&format!(
            "dn: cn=mine,{place}\nobjectClass: device\nobjectClass: pwdPolicy\nobjectClass: keysteadPolicy\npwdAttribute: userPassword\n\
             pwdLockout: FALSE\npwdAppliesToSubtree: {admin}\n"
        ));
    } else if told.starts_with("may make a password policy of ") {
        change(&format!(
            "dn: {own}\nchangetype: modify\nadd: objectClass\nobjectClass: pwdPolicy\nobjectClass: keysteadPolicy\n-\n\
             add: pwdAttribute\npwdAttribute: userPassword\n-\nadd: pwdAppliesToSubtree\npwdAppliesToSubtree: cn=admin,{SUFFIX}\n-\n"
        ));
    } else if let Some(dn) = name("may put administrators into ") {
        modify(&dn, "add", "member", &format!("cn=admin,{SUFFIX}"));
    } else if let Some(dn) = name("may take administrators out of ") {
        modify(&dn, "delete", "member", &format!("cn=admin,{SUFFIX}"));
    } else if let Some((who, dn)) = name("may take ").as_deref().and_then(|it| it.split_once(" out of ")) {
        modify(dn, "delete", "member", if who == "themselves" { own } else { who });
    } else {
        panic!("nobody knows how to do this: {told}");
    }
    own.to_owned()
}

/// Acts as somebody, or resets their password, whichever they are told to have a way by.
fn take_over(client: &Client<'_, MemoryDirectory>, dn: &str, told: &str) -> String {
    let acts = || client.extended(oid::WHO_AM_I, None, &acting_as(&format!("dn:{dn}"))).result.code == Success;
    let resets = || client.password_modify(Some(dn), None, Some("taken over by somebody")) == Ok(None);
    let done = match told {
        _ if told.contains("may act as") => acts(),
        _ if told.contains("may reset") => resets(),
        _ => acts() || resets(),
    };
    assert!(done, "{told}");
    dn.to_owned()
}

/// Whether a step makes somebody an administrator at once: others have power over one, which is used elsewhere.
fn makes_administrators(told: &str) -> bool {
    ["may add themselves", "and add themselves", "lets them write", "may reset", "may act as"]
        .iter()
        .any(|words| told.contains(words))
}

fn administrators() -> String {
    format!("entry:{}", group("administrators"))
}

/// Cases in which there are ways, of each kind that is told.
#[expect(clippy::too_many_lines, reason = "a table, one case after another")]
fn cases() -> Vec<Case> {
    let admin = format!("entry:cn=admin,{SUFFIX}");
    let staff = format!("group:{}", group("staff"));
    let joins_staff = || helpdesk(&format!("entry:{}", group("staff")), &["member"], "write");
    let weak = format!(
        "dn: cn=weak,ou=policies\nobjectClass: device\nobjectClass: pwdPolicy\nobjectClass: keysteadPolicy\n\
         pwdAttribute: userPassword\npwdAppliesToGroup: {}\npwdAppliesToFilter: (title=mine)\n",
        group("staff"),
    );
    let spare = "dn: cn=spare,ou=policies\nobjectClass: device\nobjectClass: pwdPolicy\ncn: spare\npwdAttribute: userPassword\n";
    let spare = spare.to_owned();
    let owned = format!("dn: {}\nchangetype: modify\nadd: owner\nowner: {}\n-\n", group("administrators"), full("bob"));
    let closed = format!("dn: cn=admin,{SUFFIX}\nchangetype: modify\nadd: description\ndescription: closed\n-\n");
    let groups = format!("subtree:ou=groups,{SUFFIX}");
    let (ops, unit) = (format!("entry:{}", group("ops")), format!("ou=ops,{SUFFIX}"));
    let owners = || rule("owners", "attribute:owner", &format!("subtree:ou=groups,{SUFFIX}"), &["member"], &["write"]);
    vec![
        Case::of([helpdesk(&format!("subtree:ou=groups,{SUFFIX}"), &["member"], "write")]),
        Case::of([RuleText { values: vec!["self".into()], ..helpdesk(&administrators(), &["member"], "write") }]),
        Case::of([joins_staff(), rule("staff", &staff, &administrators(), &["member"], &["write"])]),
        Case::of([joins_staff(), staff_may_all()]),
        Case::of([rule("everybody", "authenticated", &administrators(), &["member"], &["write"])]),
        Case::of([owners(), helpdesk(&format!("subtree:ou=groups,{SUFFIX}"), &["owner"], "write")]),
        Case { before: owned, ..Case::of([owners()]) },
        Case::of([helpdesk(&admin, &[], "proxy")]),
        Case::of([
            rule("managers", "attribute:manager", &admin, &[], &["proxy"]),
            helpdesk(&admin, &["manager"], "write"),
        ]),
        Case::of([helpdesk(&admin, &["telephoneNumber"], "write")]),
        Case::of([helpdesk(&admin, &["uid"], "write")]),
        Case { before: spare, ..Case::of([helpdesk(&format!("subtree:ou=policies,{SUFFIX}"), &["pwdLockout"], "write")]) },
        Case { before: weak.clone(), ..Case::of([joins_staff()]) },
        Case { before: weak, ..Case::of([helpdesk(&admin, &["title"], "write")]) },
        Case::of([staff_may_all()]),
        // What a filter looks at is written, so that a grant applies, or a denial no longer does.
        Case::of([describes(&administrators()), with_filter("(description=mine)", joins())]),
        Case::of([
            describes(&admin),
            with_filter("(&(description=mine)(sn=Administrator))", helpdesk(&admin, &[], "proxy")),
        ]),
        Case::of([
            describes(&administrators()),
            joins(),
            with_filter("(!(description=mine))", everybodys(denied(joins()))),
        ]),
        Case {
            before: closed,
            ..Case::of([
                describes(&admin),
                helpdesk(&admin, &[], "proxy"),
                with_filter("(description=closed)", denied(helpdesk(&admin, &[], "proxy"))),
            ])
        },
        // A role is taken.
        Case {
            before: "dn: cn=keeper,ou=groups\nobjectClass: organizationalRole\ncn: keeper\nroleOccupant: uid=alice,ou=people,dc=example,dc=com\n".to_owned(),
            ..Case::of([
                helpdesk(&format!("entry:{}", group("keeper")), &["roleOccupant"], "write"),
                rule("keepers", &format!("role:{}", group("keeper")), &administrators(), &["member"], &["write"]),
            ])
        },
        // A group that has no members yet is joined: one that stands in another, or that a rule names.
        Case { before: nested(), ..Case::of([helpdesk(&ops, &["member"], "write")]) },
        Case { before: empty_ops(), ..Case::of([ops_join(&group("ops")), helpdesk(&ops, &["member"], "write")]) },
        // Whatever a rule names as a group is made one.
        Case {
            before: "dn: ou=ops\nobjectClass: organizationalUnit\nou: ops\n".to_owned(),
            ..Case::of([ops_join(&unit), helpdesk(&format!("entry:{unit}"), &["objectClass", "uniqueMember"], "write")])
        },
        // And so is a person, who stands in groups.
        Case {
            before: makes_administrator(&full("bob")),
            ..Case::of([helpdesk(&format!("subtree:ou=people,{SUFFIX}"), &["objectClass", "member"], "write")])
        },
        Case {
            before: makes_administrator(&full("bob")),
            ..Case::of([helpdesk(&format!("subtree:ou=people,{SUFFIX}"), &["*"], "write")])
        },
        Case::of([
            rule("staff", &staff, &administrators(), &["member"], &["write"]),
            helpdesk(&format!("entry:{}", full("alice")), &["objectClass", "member"], "write"),
        ]),
        // An entry is renamed or moved, so that a filter matches it or a rule reaches it.
        Case {
            before: nested(),
            ..Case::of([
                helpdesk(&groups, &[], "rename"),
                with_filter("(cn=open)", helpdesk(&groups, &["member"], "write")),
            ])
        },
        // It may be named by more than one value, and others may stand below it.
        Case {
            before: nested().replace("cn=ops,ou=groups", "cn=ops+description=desk,ou=groups"),
            ..Case::of([
                helpdesk(&groups, &[], "rename"),
                with_filter("(cn=open)", helpdesk(&groups, &["member"], "write")),
            ])
        },
        Case {
            before: format!("{}\ndn: cn=below,{}\nobjectClass: device\ncn: below\n", nested(), group("ops")),
            ..Case::of([
                helpdesk(&groups, &[], "rename"),
                with_filter("(cn=open)", helpdesk(&groups, &["member"], "write")),
            ])
        },
        Case {
            before: nested(),
            ..Case::of([
                helpdesk(&groups, &[], "rename"),
                with_filter("(objectClass=groupOfMembers)", helpdesk(&groups, &["member"], "write")),
                with_filter("(cn=ops)", denied(everybodys(helpdesk(&groups, &["member"], "write")))),
            ])
        },
        Case {
            before: format!("dn: ou=open\nobjectClass: organizationalUnit\nou: open\n\n{}", nested()),
            ..Case::of([
                helpdesk(&groups, &[], "rename"),
                rule(
                    "open",
                    &format!("group:{}", group("helpdesk")),
                    &format!("subtree:ou=open,{SUFFIX}"),
                    &["member", "ou"],
                    &["add", "write", "read"],
                ),
            ])
        },
        // A group to which something is denied is left: by themselves, or by another that they are in.
        Case {
            before: bound(&full("bob")),
            ..Case::of([bob_joins(), bob_is_denied(), RuleText { values: vec!["self".into()], ..leaves() }])
        },
        Case {
            before: format!(
                "dn: cn=inner,ou=groups\nobjectClass: groupOfNames\ncn: inner\nmember: {}\n\n{}",
                full("bob"),
                bound(&group("inner"))
            ),
            ..Case::of([bob_joins(), bob_is_denied(), leaves()])
        },
    ]
}

fn empty_ops() -> String {
    "dn: cn=ops,ou=groups\nobjectClass: groupOfMembers\ncn: ops\n".to_owned()
}

/// A group without members that is in the administrators.
fn nested() -> String {
    format!("{}\n{}", empty_ops(), makes_administrator(&group("ops")))
}

fn makes_administrator(name: &str) -> String {
    format!("dn: cn=administrators,ou=groups\nchangetype: modify\nadd: member\nmember: {name}\n-\n")
}

/// That members of a group may join the administrators.
fn ops_join(group: &str) -> RuleText {
    rule("ops", &format!("group:{group}"), &administrators(), &["member"], &["write"])
}

fn with_filter(filter: &str, rule: RuleText) -> RuleText {
    RuleText { name: format!("{} if {filter}", rule.name), filter: Some(filter.into()), ..rule }
}

fn denied(rule: RuleText) -> RuleText {
    RuleText { deny: rule.allow, allow: Vec::new(), ..rule }
}

/// A denial that binds administrators as well is none by which they would hold more.
fn everybodys(rule: RuleText) -> RuleText {
    RuleText { who: vec!["authenticated".into()], ..rule }
}

fn describes(to: &str) -> RuleText {
    helpdesk(to, &["description"], "write")
}

fn joins() -> RuleText {
    helpdesk(&administrators(), &["member"], "write")
}

fn bob_joins() -> RuleText {
    rule("bob joins", &format!("dn:{}", full("bob")), &administrators(), &["member"], &["write"])
}

fn bob_is_denied() -> RuleText {
    RuleText { who: vec![format!("group:{}", group("bound"))], ..denied(bob_joins()) }
}

fn leaves() -> RuleText {
    rule("leaving", "authenticated", &format!("entry:{}", group("bound")), &["member"], &["write"])
}

/// A group with that member and another.
fn bound(member: &str) -> String {
    format!(
        "dn: cn=bound,ou=groups\nobjectClass: groupOfNames\ncn: bound\nmember: {member}\nmember: {}\n",
        full("henry")
    )
}

/// Each way that is told is walked, by somebody who can go it; at its end they reset an administrator, or have written what has
/// power over one.
#[test]
fn each_way_that_is_told_can_be_walked() {
    let mut kinds = 0;
    for case in cases() {
        let told = ways(&case.scene(), &case.rules);
        assert!(!told.is_empty(), "{:?}", case.rules);
        for (from, steps) in told {
            // Setting from outside how a password stands has tests of its own.
            if steps.iter().any(|told| told.contains("set from outside")) {
                continue;
            }
            let scene = case.scene();
            let mut own = somebody(&from);
            for told in &steps {
                own = step(&scene, &own, told);
            }
            if steps.last().is_some_and(|told| makes_administrators(told)) {
                let other = "dn: cn=other,ou=people\nobjectClass: inetOrgPerson\ncn: other\nsn: O\nuserPassword: the other's password\n\n\
                             dn: cn=administrators,ou=groups\nchangetype: modify\nadd: member\nmember: cn=other,ou=people,dc=example,dc=com\n-\n";
                scene.root().change(other).unwrap();
                let reset = scene.client(&own).password_modify(
                    Some(&full("cn=other,ou=people")),
                    None,
                    Some("reset in the end"),
                );
                assert_eq!(reset, Ok(None), "{from}: {steps:?}");
            }
            kinds += 1;
        }
    }
    assert!(kinds >= 30, "{kinds}");
}

/// Where a guard keeps somebody from the last step, no way is told, and the step is refused.
#[test]
fn what_a_guard_keeps_from_is_not_told_and_is_refused() {
    let all = format!("subtree:{SUFFIX}");
    let admin = format!("cn=admin,{SUFFIX}");
    let named =
        || rule("auditors", &format!("group:{}", group("auditors")), &administrators(), &["member"], &["write"]);
    let policy = |dn: &str, lines: &str| {
        format!(
            "dn: {dn}\nobjectClass: device\nobjectClass: pwdPolicy\nobjectClass: keysteadPolicy\ncn: mine\npwdAttribute: userPassword\n{lines}\n"
        )
    };
    let modify = |dn: &str, attribute: &str, value: &str| {
        format!("dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n-\n")
    };
    let groups = format!("below:ou=groups,{SUFFIX}");
    let auditors =
        format!("dn: cn=auditors,ou=groups\nobjectClass: groupOfNames\ncn: auditors\nmember: {}\n", full("hanna"));
    let policies = format!("subtree:ou=policies,{SUFFIX}");
    let class =
        "dn: cn=default,ou=policies\nchangetype: modify\nadd: objectClass\nobjectClass: keysteadPolicy\n-\n".to_owned();
    let named_by = format!(
        "dn: {admin}\nchangetype: modify\nadd: pwdPolicySubentry\npwdPolicySubentry: cn=own,ou=policies,{SUFFIX}\n-\n"
    );
    let named_policy =
        format!("{}\n\n{named_by}", policy("cn=own,ou=policies", "").trim_end().replace("cn: mine", "cn: own"));
    let cases = [
        (Case::of([named(), helpdesk(&groups, &[], "add")]), auditors),
        (
            Case::of([named(), helpdesk(&format!("entry:{}", group("helpdesk")), &[], "rename")]),
            "dn: cn=helpdesk,ou=groups\nchangetype: modrdn\nnewrdn: cn=auditors\ndeleteoldrdn: 1\n".to_owned(),
        ),
        (Case::of([helpdesk(&all, &["mail"], "write")]), modify(&admin, "mail", "hanna@example.com")),
        (Case::of([helpdesk(&all, &["mobile"], "write")]), modify(&admin, "mobile", "+49 30 1234")),
        (
            Case::of([helpdesk(&all, &["pwdPolicySubentry"], "write")]),
            modify(&admin, "pwdPolicySubentry", &format!("cn=default,ou=policies,{SUFFIX}")),
        ),
        (
            Case::of([helpdesk(&policies, &["pwdLockout"], "write")]),
            modify("cn=default,ou=policies", "pwdLockout", "FALSE"),
        ),
        (
            Case { before: named_policy, ..Case::of([helpdesk(&policies, &["pwdLockout"], "write")]) },
            modify("cn=own,ou=policies", "pwdLockout", "FALSE"),
        ),
        (
            Case::of([helpdesk(&format!("below:ou=people,{SUFFIX}"), &[], "add")]),
            policy("cn=mine,ou=people", &format!("pwdAppliesToSubtree: {admin}")),
        ),
        (
            Case { before: class.clone(), ..Case::of([helpdesk(&policies, &["pwdAppliesToFilter"], "write")]) },
            modify("cn=default,ou=policies", "pwdAppliesToFilter", "(sn=Administrator)"),
        ),
        (
            Case { before: class, ..Case::of([helpdesk(&policies, &["pwdAppliesToGroup"], "write")]) },
            modify("cn=default,ou=policies", "pwdAppliesToGroup", &group("administrators")),
        ),
        (
            Case::of([
                rule("managers", "attribute:manager", &all, &[], &["reset-password", "proxy"]),
                rule(
                    "oneself a manager",
                    &format!("dn:{}", full("hanna")),
                    &format!("entry:{admin}"),
                    &["manager"],
                    &["write"],
                ),
            ]),
            modify(&admin, "manager", &full("hanna")),
        ),
    ];
    for (case, change) in cases {
        let scene = case.scene();
        assert_eq!(ways(&scene, &case.rules), [], "{change}");
        let hanna = scene.client("hanna");
        if change.contains("manager") {
            // The step itself is no power.
            assert_eq!(hanna.change(&change), Ok(()));
            assert_eq!(
                hanna.password_modify(Some(&admin), None, Some("taken over by hanna")),
                Err(InsufficientAccessRights)
            );
            let who = hanna.extended(oid::WHO_AM_I, None, &acting_as(&format!("dn:{admin}")));
            assert_ne!(who.result.code, Success);
        } else {
            assert_eq!(hanna.change(&change), Err(InsufficientAccessRights), "{change}");
        }
    }
}
