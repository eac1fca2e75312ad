//! Resets that need two people: one asks, another approves, and then the first does it once (features, "What none of them
//! has", 8).

use keystead::access::RuleText;
use keystead::directory::ResultCode;
use keystead::directory::ResultCode::{
    InsufficientAccessRights, NoSuchObject, ObjectClassViolation, UnwillingToPerform,
};
use keystead::directory::tree::Directory;
use keystead::directory::tree::Scope::BaseObject;
use keystead::protocol::{RawControl, Response, oid};

use crate::scene::{Client, SUFFIX, Scene, acting_as, full, result, rule, rules, search_request};
use crate::sentences;

const NEW: &str = "given out by two people";

/// Resets need an approval, which is good for an hour; and there is a place for requests.
pub fn two_people_reset<D: Directory>(scene: &Scene<D>) {
    scene.root().change("dn: ou=approvals\nobjectClass: organizationalUnit\nou: approvals\n").unwrap();
    scene.policy(&[("pwdResetApprovalMaxAge", "3600")]);
}

fn reset<D: Directory>(client: &Client<'_, D>, whom: &str) -> Response {
    client.password_modify_with(Some(&full(whom)), None, None, &[])
}

/// The names of the requests there are.
pub fn pending<D: Directory>(scene: &Scene<D>) -> Vec<String> {
    scene.root().find("(objectClass=resetRequest)")
}

/// Asks for a reset of somebody, and returns the name of the request.
#[track_caller]
pub fn request<D: Directory>(scene: &Scene<D>, who: &str, whom: &str) -> String {
    let before = pending(scene);
    let response = reset(&scene.client(who), whom);
    assert_eq!(result(&response), Err(UnwillingToPerform), "{}", response.result.diagnostic_message);
    let made = pending(scene).into_iter().find(|name| !before.contains(name)).unwrap();
    assert!(response.result.diagnostic_message.contains(&full(&made)), "{}", response.result.diagnostic_message);
    made
}

fn approval(request: &str) -> String {
    format!("dn: {request}\nchangetype: modify\nreplace: resetApproval\nresetApproval: TRUE\n-\n")
}

pub fn approve<D: Directory>(scene: &Scene<D>, who: &str, request: &str) -> Result<(), ResultCode> {
    scene.client(who).change(&approval(request))
}

/// A policy that asks for two people has effect on those whom it selects so; and the helpdesk does the joining and leaving.
pub fn chiefs<D: Directory>(scene: &Scene<D>, selects: &str) {
    let root = scene.root();
    if root.find("(ou=approvals)").is_empty() {
        root.change("dn: ou=approvals\nobjectClass: organizationalUnit\nou: approvals\n").unwrap();
    }
    root.change(&format!(
        "dn: cn=chiefs,ou=policies\nobjectClass: device\nobjectClass: pwdPolicy\nobjectClass: keysteadPolicy\ncn: chiefs\n\
         pwdAttribute: userPassword\npwdResetApprovalMaxAge: 3600\n{selects}\n"
    ))
    .unwrap();
    scene.rule_by(&rules().into_iter().chain([keepers()]).collect::<Vec<_>>());
}

pub fn keepers() -> RuleText {
    let helpdesk = format!("group:{}", full("cn=helpdesk,ou=groups"));
    let rights = &["search", "read", "add", "delete", "rename", "write", "reset-password"];
    rule("keepers", &helpdesk, &format!("subtree:{SUFFIX}"), &["*", "+", "pwdPolicySubentry"], rights)
}

/// Henry approves, hanna resets alice.
fn approved<D: Directory>(scene: &Scene<D>) -> String {
    two_people_reset(scene);
    let made = request(scene, "hanna", "alice");
    assert_eq!(approve(scene, "henry", &made), Ok(()));
    made
}

sentences! {
    /// The first try leaves a request and sets nothing; when a second administrator has approved, it is done, once.
    fn a_reset_takes_two_people(scene) {
        two_people_reset(scene);
        let made = request(scene, "hanna", "alice");
        assert_eq!(scene.anonymous().bind("alice", "alice's password"), Ok(()));
        assert_eq!(scene.root().values(&made, "resetTarget"), [full("alice")]);
        assert_eq!(scene.root().values(&made, "resetRequestedBy"), [full("hanna")]);
        assert_eq!(result(&reset(&scene.client("hanna"), "alice")), Err(UnwillingToPerform), "nobody has approved it");
        assert_eq!(pending(scene).len(), 1, "asking again asks for the same");
        assert_eq!(approve(scene, "henry", &made), Ok(()));
        assert_eq!(scene.root().values(&made, "resetApprovedBy"), [full("henry")]);
        let set = scene.client("hanna").password_modify(Some(&full("alice")), None, Some(NEW));
        assert_eq!(set, Ok(None));
        assert_eq!(scene.anonymous().bind("alice", NEW), Ok(()));
        assert_eq!(pending(scene), [""; 0], "it was good for one");
        assert_eq!(result(&reset(&scene.client("hanna"), "alice")), Err(UnwillingToPerform));
    }

    /// What somebody may do is told as it is: alone they set nothing, and once it is approved they do.
    fn effective_rights_tell_of_a_password_that_takes_two_people(scene) {
        let told = |scene: &Scene<D>, who: &str| {
            let control = RawControl { oid: oid::EFFECTIVE_RIGHTS.into(), critical: true, value: None };
            let search = search_request(&full("alice"), BaseObject, "(objectClass=*)", &["userPassword"]);
            let (found, response) = scene.client(who).send_search(&search, &[control]);
            assert_eq!(result(&response), Ok(()));
            found.iter().flat_map(|one| one.texts("attributeLevelRights")).collect::<String>()
        };
        assert_eq!(told(scene, "hanna"), "userPassword:wo");
        two_people_reset(scene);
        assert_eq!(told(scene, "hanna"), "userPassword:none");
        assert_eq!(told(scene, "alice"), "userPassword:wo", "their own they change, knowing it");
        let made = request(scene, "hanna", "alice");
        assert_eq!(told(scene, "hanna"), "userPassword:none");
        assert_eq!(approve(scene, "henry", &made), Ok(()));
        assert_eq!(told(scene, "hanna"), "userPassword:wo");
        assert_eq!(told(scene, "henry"), "userPassword:none", "it was approved for somebody else");
    }

    /// By whatever operation it is done.
    fn a_modify_of_the_password_is_a_reset_as_well(scene) {
        two_people_reset(scene);
        let change = format!("dn: alice\nchangetype: modify\nreplace: userPassword\nuserPassword: {NEW}\n-\n");
        assert_eq!(scene.client("hanna").change(&change), Err(UnwillingToPerform));
        let [made] = pending(scene).try_into().unwrap();
        assert_eq!(approve(scene, "henry", &made), Ok(()));
        assert_eq!(scene.client("hanna").change(&change), Ok(()));
        assert_eq!(pending(scene), [""; 0]);
    }

    /// To remove somebody's password is no less.
    fn a_password_is_not_removed_by_one(scene) {
        two_people_reset(scene);
        let remove = "dn: alice\nchangetype: modify\ndelete: userPassword\n-\n";
        assert_eq!(scene.client("hanna").change(remove), Err(UnwillingToPerform));
        assert_eq!(scene.anonymous().bind("alice", "alice's password"), Ok(()));
    }

    /// Nobody approves their own request, nor the account that it is about, nor whoever may not reset it themselves.
    fn not_everybody_may_approve(scene) {
        two_people_reset(scene);
        let made = request(scene, "hanna", "henry");
        for who in ["hanna", "henry", "bob"] {
            assert_eq!(approve(scene, who, &made), Err(InsufficientAccessRights), "{who}");
        }
        let anonymous = scene.anonymous().change(&approval(&made));
        assert_eq!(anonymous, Err(NoSuchObject));
        assert_eq!(approve(scene, "cn=admin", &made), Ok(()));
    }

    /// Whoever has set the password of an approver might be both, also if the approver then seems to have changed it: a week later,
    /// with a password of their own, they are a second person.
    fn nobody_is_the_second_person_whose_password_the_first_has_set(scene) {
        two_people_reset(scene);
        scene.root().change("dn: cn=alone,ou=policies\nobjectClass: device\nobjectClass: pwdPolicy\ncn: alone\npwdAttribute: userPassword\n").unwrap();
        let policy = "changetype: modify\nreplace: pwdPolicySubentry\npwdPolicySubentry: cn=alone,ou=policies,dc=example,dc=com\n-\n";
        scene.root().change(&format!("dn: henry\n{policy}")).unwrap();
        scene.client("hanna").password_modify(Some(&full("henry")), None, Some("known to hanna, too")).unwrap();
        let made = request(scene, "hanna", "alice");
        let response = scene.client("henry").change_with(&approval(&made), &[]);
        assert_eq!(result(&response), Err(InsufficientAccessRights));
        assert!(response.result.diagnostic_message.contains("set your password"), "{}", response.result.diagnostic_message);
        let own = scene.client("henry").password_modify(None, Some("known to hanna, too"), Some("known to henry alone"));
        assert_eq!(own, Ok(None));
        assert_eq!(approve(scene, "henry", &made), Err(InsufficientAccessRights), "hanna may have done that");
        scene.wait(8 * 86_400);
        let made = request(scene, "hanna", "bob");
        assert_eq!(approve(scene, "henry", &made), Ok(()));
        // What was approved before is not any longer.
        scene.client("hanna").password_modify(Some(&full("henry")), None, Some("known to hanna again")).unwrap();
        assert_eq!(result(&reset(&scene.client("hanna"), "bob")), Err(UnwillingToPerform));
        scene.client("cn=admin").password_modify(Some(&full("henry")), None, Some("from somebody else")).unwrap();
        assert_eq!(approve(scene, "henry", &request(scene, "cn=admin", "hanna")), Err(InsufficientAccessRights));
    }

    /// Whoever knows a password can change it until the ledger has forgotten who has set it, and is no second person by that.
    fn nobody_is_the_second_person_by_filling_the_ledger(scene) {
        two_people_reset(scene);
        scene.root().change("dn: cn=alone,ou=policies\nobjectClass: device\nobjectClass: pwdPolicy\ncn: alone\npwdAttribute: userPassword\n").unwrap();
        let policy = "changetype: modify\nreplace: pwdPolicySubentry\npwdPolicySubentry: cn=alone,ou=policies,dc=example,dc=com\n-\n";
        scene.root().change(&format!("dn: henry\n{policy}")).unwrap();
        scene.client("hanna").password_modify(Some(&full("henry")), None, Some("known to hanna 0")).unwrap();
        let made = request(scene, "hanna", "alice");
        let henry = scene.client("henry");
        for number in 0..25 {
            let (old, new) = (format!("known to hanna {number}"), format!("known to hanna {}", number + 1));
            assert_eq!(henry.password_modify(None, Some(&old), Some(&new)), Ok(None));
        }
        assert_eq!(approve(scene, "henry", &made), Err(InsufficientAccessRights));
        scene.wait(8 * 86_400);
        assert_eq!(approve(scene, "henry", &request(scene, "hanna", "bob")), Ok(()));
    }

    /// Nor whose account the first has made.
    fn nobody_is_the_second_person_whom_the_first_has_made(scene) {
        two_people_reset(scene);
        let class = "objectClass: inetOrgPerson\ncn: x\nsn: y\n";
        scene.client("cn=admin").change(&format!("dn: uid=puppet,ou=people\n{class}uid: puppet\nuserPassword: known to the admin\n")).unwrap();
        let join = format!("dn: cn=helpdesk,ou=groups\nchangetype: modify\nadd: member\nmember: {}\n-\n", full("puppet"));
        scene.client("cn=admin").change(&join).unwrap();
        let made = request(scene, "cn=admin", "alice");
        assert_eq!(approve(scene, "puppet", &made), Err(InsufficientAccessRights));
        assert_eq!(approve(scene, "henry", &made), Ok(()));
        let other = request(scene, "hanna", "bob");
        assert_eq!(approve(scene, "puppet", &other), Ok(()));
    }

    /// Two people are not one who acts as the other (RFC 4370).
    fn nobody_approves_as_somebody_else(scene) {
        scene.rule_by(&rules().into_iter().chain([rule(
            "proxy", "dn:uid=hanna,ou=people,dc=example,dc=com", &format!("below:ou=people,{SUFFIX}"), &[], &["proxy"],
        )]).collect::<Vec<_>>());
        two_people_reset(scene);
        let made = request(scene, "hanna", "alice");
        let hanna = scene.client("hanna");
        assert_eq!(result(&hanna.change_with(&approval(&made), &acting_as("u:henry"))), Err(InsufficientAccessRights));
        let as_henry = hanna.password_modify_with(Some(&full("alice")), None, Some(NEW), &acting_as("u:henry"));
        assert_eq!(result(&as_henry), Err(InsufficientAccessRights));
        assert_eq!(pending(scene).len(), 1);
    }

    /// A request ends by itself, approved or not; asked for again, it begins anew.
    fn a_request_ends_by_itself(scene) {
        scene.policy(&[("pwdInHistory", "0")]);
        let made = approved(scene);
        scene.wait(3601);
        assert_eq!(result(&reset(&scene.client("hanna"), "alice")), Err(UnwillingToPerform));
        assert_eq!(scene.root().values(&made, "resetApprovedBy"), [""; 0]);
        assert_eq!(approve(scene, "henry", &made), Ok(()));
        assert_eq!(result(&reset(&scene.client("hanna"), "alice")), Ok(()));
        let made = request(scene, "hanna", "alice");
        scene.wait(3601);
        assert_eq!(approve(scene, "henry", &made), Err(UnwillingToPerform), "too late");
        request(scene, "hanna", "bob");
        assert_eq!(pending(scene).len(), 1, "the one that had ended is gone");
    }

    /// An approval is as good as whoever gave it still is.
    fn an_approval_ends_with_the_right_to_give_it(scene) {
        approved(scene);
        let henry = full("henry");
        let leave = format!("dn: cn=helpdesk,ou=groups\nchangetype: modify\ndelete: member\nmember: {henry}\n-\n");
        scene.root().change(&leave).unwrap();
        assert_eq!(result(&reset(&scene.client("hanna"), "alice")), Err(UnwillingToPerform));
        assert_eq!(scene.anonymous().bind("alice", "alice's password"), Ok(()));
    }

    /// Nor does it help against the guard: neither of the two takes over somebody who may more.
    fn the_guard_holds_for_both(scene) {
        let made = approved(scene);
        let join = format!("dn: cn=administrators,ou=groups\nchangetype: modify\nadd: member\nmember: {}\n-\n", full("alice"));
        scene.root().change(&join).unwrap();
        assert_eq!(result(&reset(&scene.client("hanna"), "alice")), Err(InsufficientAccessRights));
        assert_eq!(approve(scene, "henry", &made), Err(InsufficientAccessRights));
        assert_eq!(result(&reset(&scene.client("hanna"), "cn=admin")), Err(InsufficientAccessRights));
    }

    /// An approval is for one target and one requester, whatever the request is called.
    fn an_approval_is_for_nothing_else(scene) {
        let made = approved(scene);
        assert_eq!(result(&reset(&scene.client("cn=admin"), "alice")), Err(UnwillingToPerform), "that was hanna's");
        let others = request(scene, "hanna", "bob");
        let (name, _) = others.split_once(',').unwrap();
        scene.root().change(&format!("dn: {others}\nchangetype: delete\n")).unwrap();
        scene.root().change(&format!("dn: {made}\nchangetype: modrdn\nnewrdn: {name}\ndeleteoldrdn: 1\n")).unwrap();
        assert_eq!(result(&reset(&scene.client("hanna"), "bob")), Err(UnwillingToPerform));
        assert_eq!(scene.anonymous().bind("bob", "bob's password"), Ok(()));
    }

    /// What a request says is written by the server alone, and it is changed in no way but by approving it.
    fn nobody_forges_a_request(scene) {
        two_people_reset(scene);
        let made = request(scene, "hanna", "alice");
        let admin = scene.client("cn=admin");
        for lines in [
            "replace: resetApproval\nresetApproval: FALSE\n", "delete: resetApproval\n", "replace: description\ndescription: x\n",
            "replace: resetApproval\nresetApproval: TRUE\n-\nreplace: description\ndescription: x\n",
        ] {
            let change = format!("dn: {made}\nchangetype: modify\n{lines}-\n");
            assert_eq!(admin.change(&change), Err(UnwillingToPerform), "{lines}");
        }
        let forged = format!("dn: cn=x,ou=approvals\nobjectClass: resetRequest\ncn: x\nresetTarget: {}\n", full("alice"));
        assert!(admin.change(&forged).is_err());
        let empty = "dn: cn=x,ou=approvals\nobjectClass: resetRequest\ncn: x\nresetApproval: TRUE\n";
        assert_eq!(admin.change(empty), Err(ObjectClassViolation));
    }

    /// People change their own password as ever, and so does the superuser of the machine everybody's; whom the policy does
    /// not name is reset by one.
    fn what_needs_no_second_person(scene) {
        two_people_reset(scene);
        let own = scene.client("alice").password_modify(None, Some("alice's password"), Some("chosen by alice herself"));
        assert_eq!(own, Ok(None));
        assert_eq!(result(&reset(&scene.root(), "alice")), Ok(()));
        scene.policy(&[("pwdResetApprovalMaxAge", "")]);
        assert_eq!(result(&reset(&scene.client("hanna"), "bob")), Ok(()));
    }

    /// Without the place for requests, nothing opens.
    fn without_a_place_for_requests_nothing_is_reset(scene) {
        scene.policy(&[("pwdResetApprovalMaxAge", "3600")]);
        let response = reset(&scene.client("hanna"), "alice");
        assert_eq!(result(&response), Err(UnwillingToPerform));
        assert!(response.result.diagnostic_message.contains("ou=approvals"));
        assert_eq!(scene.anonymous().bind("alice", "alice's password"), Ok(()));
    }

    /// A request is approved by itself: what else was asked for is not left undone in silence.
    fn nothing_else_is_asked_for_with_an_approval(scene) {
        two_people_reset(scene);
        let made = request(scene, "hanna", "alice");
        let both = approval(&made) + "replace: userPassword\nuserPassword: something else\n-\n";
        assert_eq!(scene.client("henry").change(&both), Err(UnwillingToPerform));
        assert_eq!(approve(scene, "henry", &made), Ok(()));
    }

    /// Who is tagged by a group stays so until two people say otherwise: whoever could take them out of it could reset them alone.
    fn the_tag_of_an_account_is_taken_away_by_two(scene) {
        chiefs(scene, &format!("pwdAppliesToGroup: {}", full("cn=staff,ou=groups")));
        let leave = format!("dn: cn=staff,ou=groups\nchangetype: modify\ndelete: member\nmember: {}\n-\n", full("alice"));
        let hanna = scene.client("hanna");
        assert_eq!(hanna.change(&leave), Err(UnwillingToPerform));
        let [made] = pending(scene).try_into().unwrap();
        assert_eq!(scene.root().values(&made, "resetPurpose"), ["release"]);
        assert_eq!(scene.root().values(&made, "resetTarget"), [full("alice")]);
        assert_eq!(hanna.change(&leave), Err(UnwillingToPerform), "nobody has approved it");
        assert_eq!(scene.root().values("cn=staff,ou=groups", "member").len(), 2);
        // An approval of the one is none of the other.
        assert_eq!(approve(scene, "hanna", &made), Err(InsufficientAccessRights));
        assert_eq!(approve(scene, "henry", &made), Ok(()));
        let reset_made = request(scene, "hanna", "alice");
        assert_eq!(scene.root().values(&reset_made, "resetPurpose"), ["reset"]);
        assert_eq!(hanna.change(&leave), Ok(()));
        assert_eq!(pending(scene), [reset_made], "it was good for one");
        assert_eq!(result(&reset(&hanna, "alice")), Ok(()), "she is tagged no more");
    }

    /// By whatever operation: the account goes, moves, gets another policy, or no longer has what the policy looks at; its group goes,
    /// moves, or leaves the group that is meant; or it joins one whose policy asks for nobody.
    fn no_operation_takes_the_tag_away_by_one(scene) {
        let staff = format!("pwdAppliesToGroup: {}", full("cn=staff,ou=groups"));
        let people = format!("pwdAppliesToSubtree: ou=people,{SUFFIX}");
        let above = format!("pwdAppliesToGroup: {}", full("cn=all,ou=groups"));
        let alice = "dn: alice\nchangetype:";
        let root = scene.root();
        root.change("dn: ou=elsewhere\nobjectClass: organizationalUnit\nou: elsewhere\n").unwrap();
        let nested = format!("dn: cn=all,ou=groups\nobjectClass: groupOfNames\ncn: all\nmember: {}\nmember: {}\n", full("cn=staff,ou=groups"), full("hanna"));
        root.change(&nested).unwrap();
        root.change(&format!("dn: cn=staff,ou=groups\nchangetype: modify\ndelete: member\nmember: {}\n-\n", full("bob"))).unwrap();
        root.change("dn: alice\nchangetype: modify\nadd: title\ntitle: chief\n-\n").unwrap();
        root.change(&format!(
            "dn: cn=lax,ou=policies\nobjectClass: device\nobjectClass: pwdPolicy\nobjectClass: keysteadPolicy\ncn: lax\npwdAttribute: userPassword\n\
             pwdPrecedence: 1\npwdAppliesToGroup: {}\n", full("cn=lax,ou=groups")
        )).unwrap();
        let lax = format!("dn: cn=lax,ou=groups\nobjectClass: groupOfNames\ncn: lax\nmember: {}\n", full("alice"));
        let out_of_all = format!("dn: cn=all,ou=groups\nchangetype: modify\ndelete: member\nmember: {}\n-\n", full("cn=staff,ou=groups"));
        let by_name = format!("pwdPolicySubentry: {}", full("cn=lax,ou=policies"));
        let cases = [
            (&staff, format!("{alice} delete\n")),
            (&people, format!("{alice} modrdn\nnewrdn: uid=alice\ndeleteoldrdn: 1\nnewsuperior: ou=elsewhere,{SUFFIX}\n")),
            (&staff, format!("{alice} modify\nadd: pwdPolicySubentry\n{by_name}\n-\n")),
            (&"pwdAppliesToFilter: (title=chief)".to_owned(), format!("{alice} modify\ndelete: title\n-\n")),
            (&"pwdAppliesToFilter: (title=chief)".to_owned(), format!("{alice} modify\nreplace: title\ntitle: clerk\n-\n")),
            (&staff, "dn: cn=staff,ou=groups\nchangetype: delete\n".to_owned()),
            (&above, "dn: cn=staff,ou=groups\nchangetype: delete\n".to_owned()),
            (&above, out_of_all),
            (&above, lax),
        ];
        for (selects, change) in cases {
            chiefs(scene, selects);
            let hanna = scene.client("hanna");
            assert_eq!(hanna.change(&change), Err(UnwillingToPerform), "{selects}\n{change}");
            let [made] = pending(scene).try_into().unwrap();
            assert_eq!(scene.root().values(&made, "resetPurpose"), ["release"], "{change}");
            assert_eq!(result(&reset(&hanna, "alice")), Err(UnwillingToPerform), "{change}");
            for made in pending(scene) {
                root.change(&format!("dn: {made}\nchangetype: delete\n")).unwrap();
            }
            root.change("dn: cn=chiefs,ou=policies\nchangetype: delete\n").unwrap();
        }
    }

    /// For several accounts it is done for one after another, so that each is approved.
    fn several_tags_are_not_taken_away_at_once(scene) {
        chiefs(scene, &format!("pwdAppliesToGroup: {}", full("cn=staff,ou=groups")));
        let response = scene.client("hanna").change_with("dn: cn=staff,ou=groups\nchangetype: delete\n", &[]);
        assert_eq!(response.result.code, UnwillingToPerform);
        assert!(response.result.diagnostic_message.contains("one after another"), "{}", response.result.diagnostic_message);
        assert_eq!(pending(scene), [""; 0]);
    }

    /// What takes no tag away is done by one: of whom the policy does not mean, of who has no password, one's own, and whatever the
    /// superuser of the machine does.
    fn what_takes_no_tag_away_is_done_by_one(scene) {
        chiefs(scene, &format!("pwdAppliesToGroup: {}", full("cn=staff,ou=groups")));
        let hanna = scene.client("hanna");
        let member = |verb: &str, who: &str| format!("dn: cn=staff,ou=groups\nchangetype: modify\n{verb}: member\nmember: {}\n-\n", full(who));
        assert_eq!(hanna.change(&member("add", "henry")), Ok(()));
        assert_eq!(hanna.change("dn: alice\nchangetype: modify\nadd: title\ntitle: x\n-\n"), Ok(()));
        assert_eq!(hanna.change(&member("add", "hanna")), Ok(()));
        assert_eq!(hanna.change(&member("delete", "hanna")), Ok(()), "her own");
        assert_eq!(hanna.change("dn: alice\nchangetype: modrdn\nnewrdn: uid=alicia\ndeleteoldrdn: 1\n"), Ok(()), "the group follows");
        scene.root().change("dn: uid=carla,ou=people\nobjectClass: inetOrgPerson\nuid: carla\ncn: C\nsn: C\n").unwrap();
        assert_eq!(hanna.change(&member("add", "carla")), Ok(()));
        assert_eq!(hanna.change(&member("delete", "carla")), Ok(()), "she has no password");
        assert_eq!(scene.root().change(&member("delete", "bob")), Ok(()));
        assert_eq!(pending(scene), [""; 0]);
    }

    /// One's own is not what one acts as: whoever acts as the account needs the second person as well (RFC 4370).
    fn whoever_acts_as_an_account_takes_no_tag_from_it(scene) {
        chiefs(scene, &format!("pwdAppliesToGroup: {}", full("cn=staff,ou=groups")));
        let hanna = format!("dn:{}", full("hanna"));
        let proxy = rule("proxy", &hanna, &format!("below:ou=people,{SUFFIX}"), &[], &["proxy"]);
        scene.rule_by(&rules().into_iter().chain([keepers(), proxy]).collect::<Vec<_>>());
        let member = |verb: &str| format!("dn: cn=staff,ou=groups\nchangetype: modify\n{verb}: member\nmember: {}\n-\n", full("henry"));
        scene.root().change(&member("add")).unwrap();
        let hanna = scene.client("hanna");
        let as_henry = |change: &str| result(&hanna.change_with(change, &acting_as("u:henry")));
        assert_eq!(as_henry(&member("delete")), Err(InsufficientAccessRights));
        assert_eq!(as_henry("dn: henry\nchangetype: delete\n"), Err(InsufficientAccessRights));
        assert_eq!(as_henry("dn: henry\nchangetype: modify\nadd: title\ntitle: x\n-\n"), Ok(()));
        assert_eq!(scene.client("henry").change(&member("delete")), Ok(()), "his own");
    }

    /// Requests that have ended are taken away a day later, so that whoever comes too late is told so.
    fn requests_that_have_ended_go_after_a_day(scene) {
        two_people_reset(scene);
        let made = request(scene, "hanna", "alice");
        scene.wait(3601);
        assert_eq!(scene.sweep_requests(), 0);
        assert_eq!(approve(scene, "henry", &made), Err(UnwillingToPerform));
        let other = request(scene, "cn=admin", "bob");
        let before = pending(scene);
        assert!(before.contains(&other));
        scene.wait(24 * 3600);
        assert_eq!(scene.sweep_requests(), usize::from(before.contains(&made)));
        assert_eq!(pending(scene), [other], "it ended less than a day ago");
        scene.wait(3600);
        assert_eq!((scene.sweep_requests(), pending(scene)), (1, Vec::new()));
        assert_eq!(scene.sweep_requests(), 0);
    }
}
