//! What whoever resets a password says beside it: why, whether it must be changed, how long it is good; or that a code is
//! given out in its place, which is good for one change by its owner.

use keystead::directory::ResultCode;
use keystead::directory::ResultCode::{
    ConstraintViolation, InsufficientAccessRights, InvalidCredentials, ProtocolError, UnwillingToPerform,
};
use keystead::directory::tree::Directory;
use keystead::protocol::{RawControl, Response, oid};

use crate::scene::answer::{CHANGE_AFTER_RESET, NOTHING};
use crate::scene::{Client, SUFFIX, Scene, assert_told, full, policy_control, result, rule, rules};
use crate::sentences;

const ALICE: &str = "alice's password";
const TEMPORARY: &str = "a temporary one";
const NEW: &str = "a much better secret";

fn control(oid: &'static str, value: &str) -> RawControl {
    RawControl { oid: oid.into(), critical: true, value: Some(value.to_owned().into()) }
}

fn options(words: &str) -> RawControl {
    control(oid::RESET_OPTIONS, words)
}

fn reason(words: &str) -> RawControl {
    control(oid::PASSWORD_REASON, words)
}

/// A reset of alice's password with controls.
fn reset<D: Directory>(who: &Client<'_, D>, controls: &[RawControl]) -> Result<(), ResultCode> {
    result(&who.password_modify_with(Some("alice"), None, Some(TEMPORARY), controls))
}

/// A code for alice.
fn code<D: Directory>(scene: &Scene<D>) -> String {
    let answer = scene.client("hanna").password_modify_with(Some("alice"), None, None, &[options("code")]);
    assert_eq!(result(&answer), Ok(()));
    crate::scene::answer::generated(&answer.value.unwrap())
}

/// A change by somebody who is not bound.
fn change<D: Directory>(scene: &Scene<D>, old: &str, new: &str) -> Result<(), ResultCode> {
    scene.anonymous().password_modify(Some("alice"), Some(old), Some(new)).map(drop)
}

fn alice(lines: &str) -> String {
    format!("dn: alice\nchangetype: modify\n{lines}-\n")
}

fn bind<D: Directory>(scene: &Scene<D>, password: &str) -> Response {
    scene.anonymous().bind_with("alice", password, &policy_control())
}

sentences! {
    /// "Because" is recorded with the event and in the ledger, by whatever way the password is set or its state changed.
    fn a_reason_is_recorded(scene) {
        scene.wait(60);
        let said = [reason("forgotten, ticket #4711")];
        let hanna = scene.client("hanna");
        assert_eq!(reset(&hanna, &said), Ok(()));
        let modify = alice("replace: userPassword\nuserPassword: another temporary one\n");
        assert_eq!(result(&hanna.change_with(&modify, &said)), Ok(()));
        let unlock = alice("delete: pwdAccountLockedTime\n");
        assert_eq!(result(&hanna.change_with(&unlock, &said)), Ok(()));
        assert_eq!(scene.events(), [
            "reset done of alice by hanna, password-modify: forgotten, ticket #4711",
            "reset done of alice by hanna, modify: forgotten, ticket #4711",
            "unlocked done of alice by hanna, modify: forgotten, ticket #4711",
        ]);
        let ledger = scene.client("alice").values("alice", "pwdLedger");
        let who = scene.root().values("hanna", "entryUUID").concat();
        let end = format!("; by {}; entryUUID {who}; reason forgotten, ticket #4711", full("hanna"));
        assert_eq!(ledger.iter().filter(|line| line.ends_with(&end)).count(), 3, "{ledger:?}");
        for wrong in ["", "two\nlines"] {
            assert_eq!(reset(&hanna, &[reason(wrong)]), Err(ProtocolError));
        }
    }

    /// The policy says by default whether a password must be changed that somebody else has set; each reset may say otherwise.
    fn each_reset_may_say_whether_it_must_be_changed(scene) {
        let hanna = scene.client("hanna");
        for (policy, option, told) in [
            ("TRUE", "", CHANGE_AFTER_RESET),
            ("TRUE", "need-not-change", NOTHING),
            ("FALSE", "", NOTHING),
            ("FALSE", "must-change", CHANGE_AFTER_RESET),
        ] {
            scene.wait(60);
            scene.policy(&[("pwdMustChange", policy), ("pwdInHistory", "")]);
            assert_eq!(reset(&hanna, &[options(option)]), Ok(()));
            assert_told(&bind(scene, TEMPORARY), Ok(()), told);
            let word = if told == NOTHING { "FALSE" } else { "TRUE" };
            let both = format!("replace: userPassword\nuserPassword: {TEMPORARY} 2\n-\nreplace: pwdReset\npwdReset: {word}\n");
            scene.wait(60);
            assert_eq!(hanna.change(&alice(&both)), Ok(()));
            assert_told(&bind(scene, &format!("{TEMPORARY} 2")), Ok(()), told);
        }
    }

    /// A reset may shorten what the policy allows a temporary password, and not lengthen it.
    fn a_reset_may_say_how_long_it_is_good(scene) {
        scene.policy(&[("pwdTemporaryMaxAge", "86400"), ("pwdTemporaryMaxUses", "3"), ("pwdInHistory", "")]);
        let hanna = scene.client("hanna");
        let said = |words: &str| {
            scene.wait(3_600);
            assert_eq!(reset(&hanna, &[options(words)]), Ok(()));
            let root = scene.root();
            (root.values("alice", "pwdTemporaryExpiry").concat(), root.values("alice", "pwdTemporaryUses").concat())
        };
        assert_eq!(said("lifetime=3600 uses=1"), ("20260601140000Z".into(), "1".into()));
        assert_eq!(said("lifetime=999999 uses=9"), ("20260602140000Z".into(), "3".into()));
        scene.policy(&[("pwdTemporaryMaxAge", ""), ("pwdTemporaryMaxUses", "")]);
        assert_eq!(said("lifetime=3600 uses=1"), ("20260601160000Z".into(), "1".into()));
        assert_told(&bind(scene, TEMPORARY), Ok(()), CHANGE_AFTER_RESET);
        assert_eq!(result(&bind(scene, TEMPORARY)), Err(InvalidCredentials));
        for wrong in ["lifetime=0", "uses=none", "forever"] {
            assert_eq!(reset(&hanna, &[options(wrong)]), Err(ProtocolError), "{wrong}");
        }
    }

    /// Whoever has the right `bypass-policy` may set a password that the policy forbids, where they say so; it is recorded which
    /// rules were left aside, and nothing of what is wrong with the password.
    fn a_reset_may_leave_rules_of_the_policy_aside(scene) {
        scene.wait(60);
        let admin = scene.client("cn=admin");
        let set = |who: &Client<'_, _>, new: &str, controls: &[RawControl]| {
            result(&who.password_modify_with(Some("alice"), None, Some(new), controls))
        };
        // Not by default, and each rule by its own word.
        assert_eq!(set(&admin, "short", &[]), Err(ConstraintViolation));
        assert_eq!(set(&admin, "short", &[options("skip=history")]), Err(ConstraintViolation));
        assert_eq!(set(&admin, ALICE, &[options("skip=quality")]), Err(ConstraintViolation));
        assert_eq!(set(&admin, "short", &[options("skip=quality"), reason("for the old printer")]), Ok(()));
        assert_eq!(result(&bind(scene, "short")), Ok(()));
        scene.wait(60);
        assert_eq!(set(&admin, "short", &[options("skip=quality,history need-not-change")]), Ok(()));
        // What no password may be stays so.
        assert_eq!(set(&admin, "", &[options("skip=quality")]), Err(ConstraintViolation));
        assert_eq!(set(&admin, &"x".repeat(2_000), &[options("skip=quality")]), Err(ConstraintViolation));
        let events = scene.events();
        for line in [
            "reset done of alice by cn=admin, password-modify: for the old printer, policy bypassed: quality",
            "reset done of alice by cn=admin, password-modify: need-not-change, policy bypassed: quality, history",
        ] {
            assert!(events.iter().any(|event| event == line), "{events:?}");
        }
        let ledger = scene.client("alice").values("alice", "pwdLedger");
        assert!(ledger.iter().any(|line| line.ends_with("; reason need-not-change, policy bypassed: quality, history")), "{ledger:?}");
    }

    /// It needs its own right on the target, which the right to reset does not bring along, and is never for oneself.
    fn to_leave_rules_aside_needs_a_right_of_its_own(scene) {
        scene.wait(60);
        let skip = [options("skip=quality,history")];
        assert_eq!(reset(&scene.client("hanna"), &skip), Err(InsufficientAccessRights));
        let own = scene.client("cn=admin").password_modify_with(None, None, Some("short"), &skip);
        assert_eq!(result(&own), Err(UnwillingToPerform));
        let code = scene.client("cn=admin").password_modify_with(Some("alice"), None, None, &[options("code skip=quality")]);
        assert_eq!(result(&code), Err(UnwillingToPerform));
        assert!(scene.events().contains(&"reset refused of alice by hanna, password-modify: no-right".to_owned()));
        let more = rule("trusted", &format!("dn:{}", full("hanna")), &format!("subtree:ou=people,{SUFFIX}"), &[], &["bypass-policy"]);
        scene.rule_by(&[rules(), vec![more]].concat());
        assert_eq!(reset(&scene.client("hanna"), &skip), Ok(()));
        let modify = alice("replace: userPassword\nuserPassword: tiny\n");
        assert_eq!(result(&scene.client("hanna").change_with(&modify, &[])), Err(ConstraintViolation));
        assert_eq!(result(&scene.client("hanna").change_with(&modify, &skip)), Ok(()));
        assert_eq!(result(&bind(scene, "tiny")), Ok(()));
        // Whoever may less than that takes over nobody who may.
        let henry = rule("colleague", &format!("dn:{}", full("bob")), &format!("subtree:ou=people,{SUFFIX}"), &[], &["reset-password"]);
        let more = rule("trusted", &format!("dn:{}", full("alice")), &format!("subtree:ou=people,{SUFFIX}"), &[], &["bypass-policy"]);
        scene.rule_by(&[rules(), vec![henry, more]].concat());
        assert_eq!(reset(&scene.client("bob"), &[]), Err(InsufficientAccessRights));
    }

    /// A temporary password may be good from later on: before that it is as wrong as any other.
    fn a_temporary_password_may_begin_later(scene) {
        scene.policy(&[("pwdTemporaryMaxAge", "3600"), ("pwdInHistory", "")]);
        let hanna = scene.client("hanna");
        assert_eq!(reset(&hanna, &[options("valid-from=20260602080000Z")]), Ok(()));
        let root = scene.root();
        let stored = |name: &str| root.values("alice", name).concat();
        assert_eq!(stored("pwdTemporaryValidFrom"), "20260602080000Z");
        assert_eq!(stored("pwdTemporaryExpiry"), "20260602090000Z");
        scene.wait(20 * 3_600 - 1);
        assert_told(&bind(scene, TEMPORARY), Err(InvalidCredentials), NOTHING);
        assert_told(&bind(scene, "another wrong one"), Err(InvalidCredentials), NOTHING);
        assert_eq!(change(scene, TEMPORARY, NEW), Err(InvalidCredentials));
        scene.wait(1);
        assert_told(&bind(scene, TEMPORARY), Ok(()), CHANGE_AFTER_RESET);
        assert_eq!(change(scene, TEMPORARY, NEW), Ok(()));
        assert_eq!((stored("pwdTemporaryValidFrom"), stored("pwdTemporaryExpiry")), (String::new(), String::new()));
        assert_told(&bind(scene, NEW), Ok(()), NOTHING);
    }

    /// The life that a reset gives it begins then, too; one that need not be changed begins at once or not at all.
    fn what_bounds_a_temporary_password_begins_with_it(scene) {
        scene.policy(&[("pwdInHistory", "")]);
        let hanna = scene.client("hanna");
        // Not so soon that it is the same reset once more.
        let reset = |client: &Client<'_, _>, controls: &[RawControl]| {
            scene.wait(60);
            reset(client, controls)
        };
        assert_eq!(reset(&hanna, &[options("valid-from=20260602080000Z lifetime=60 uses=1")]), Ok(()));
        assert_eq!(scene.root().values("alice", "pwdTemporaryExpiry"), ["20260602080100Z"]);
        let lasting = reset(&hanna, &[options("need-not-change valid-from=20260602080000Z")]);
        assert_eq!(lasting, Err(UnwillingToPerform));
        scene.policy(&[("pwdMustChange", "FALSE")]);
        assert_eq!(reset(&hanna, &[options("valid-from=20260602080000Z")]), Err(UnwillingToPerform));
        assert_eq!(reset(&hanna, &[options("must-change valid-from=20260602080000Z")]), Ok(()));
        // Otherwise it would be recorded that a password ends that does not.
        for lasting in ["need-not-change lifetime=60", "need-not-change uses=1", "lifetime=60 uses=1"] {
            assert_eq!(reset(&hanna, &[options(lasting)]), Err(UnwillingToPerform), "{lasting}");
        }
        // A time that has passed bounds nothing.
        assert_eq!(reset(&hanna, &[options("must-change valid-from=20200101000000Z lifetime=60")]), Ok(()));
        assert_told(&bind(scene, TEMPORARY), Ok(()), CHANGE_AFTER_RESET);
        assert_eq!(reset(&hanna, &[options("valid-from=monday")]), Err(ProtocolError));
    }

    /// Nobody says of their own password how long it is good.
    fn options_are_for_the_password_of_somebody_else(scene) {
        let own = scene.client("alice").password_modify_with(None, Some(ALICE), Some(NEW), &[options("need-not-change")]);
        assert_eq!(result(&own), Err(UnwillingToPerform));
        let own = scene.client("alice").password_modify_with(None, None, None, &[options("code")]);
        assert_eq!(result(&own), Err(UnwillingToPerform));
        let unbound = [options("code")];
        let unbound = scene.anonymous().password_modify_with(Some("alice"), None, None, &unbound);
        assert_eq!(result(&unbound), Err(ResultCode::StrongerAuthRequired));
        assert_eq!(result(&bind(scene, ALICE)), Ok(()));
    }

    /// With a code, somebody who has forgotten their password chooses another, and nobody else knows it. Until then the old one
    /// is good.
    fn a_code_takes_the_place_of_a_forgotten_password(scene) {
        scene.wait(60);
        let code = code(scene);
        assert_eq!(scene.root().values("alice", "pwdResetCodeExpiry"), ["20260601121100Z"]);
        assert_eq!(result(&bind(scene, ALICE)), Ok(()));
        assert_eq!(result(&bind(scene, &code)), Err(InvalidCredentials));
        assert_eq!(change(scene, &code, "short"), Err(ConstraintViolation));
        assert_eq!(change(scene, &code.to_lowercase().replace('-', ""), NEW), Ok(()));
        assert_told(&bind(scene, NEW), Ok(()), NOTHING);
        assert_eq!(scene.root().values("alice", "pwdResetCodeExpiry"), [""; 0]);
        let events = scene.events();
        assert_eq!(events.first().unwrap(), "code-issued done of alice by hanna, password-modify");
        assert!(events.contains(&"changed done of alice by alice, password-modify: by a one-time code".to_owned()));
        // It is asked for once more, and used up all the same.
        assert_eq!(change(scene, &code, NEW), Ok(()));
        scene.wait(60);
        assert_eq!(change(scene, &code, "yet another secret"), Err(InvalidCredentials));
    }

    /// It lasts for as long as the policy says, or whoever gives it out; another change makes it worthless, as does another code.
    fn a_code_ends(scene) {
        let late = code(scene);
        scene.wait(600);
        assert_eq!(change(scene, &late, NEW), Err(InvalidCredentials));
        scene.policy(&[("pwdResetCodeMaxAge", "3600")]);
        let (first, second) = (code(scene), code(scene));
        assert_eq!(change(scene, &first, NEW), Err(InvalidCredentials));
        scene.wait(3_599);
        assert_eq!(change(scene, &second, NEW), Ok(()));
        let third = code(scene);
        assert_eq!(change(scene, NEW, "a secret of her own"), Ok(()));
        assert_eq!(change(scene, &third, "yet another secret"), Err(InvalidCredentials));
        let too_long = "dn: cn=default,ou=policies\nchangetype: modify\nreplace: pwdResetCodeMaxAge\npwdResetCodeMaxAge: 86401\n-\n";
        assert_eq!(scene.root().change(too_long), Err(ConstraintViolation));
    }

    /// One meter counts wrong codes as it counts wrong passwords.
    fn wrong_codes_are_counted(scene) {
        let right = code(scene);
        for number in 1000..1003 {
            assert_eq!(change(scene, &format!("7K3M-Q9ZD-01XW-{number}"), NEW), Err(InvalidCredentials));
        }
        assert_eq!(change(scene, &right, NEW), Err(InvalidCredentials), "the account is locked");
        // Another code opens it again, for that is why it is given out.
        let right = code(scene);
        assert_eq!(change(scene, &right, NEW), Ok(()));
        assert_eq!(result(&bind(scene, NEW)), Ok(()));
    }

    /// The right is that to reset, with its bounds; and a closed account stays closed.
    fn a_code_needs_the_right_to_reset(scene) {
        for (who, whom) in [("bob", "alice"), ("hanna", "cn=admin,dc=example,dc=com")] {
            let answer = scene.client(who).password_modify_with(Some(whom), None, None, &[options("code")]);
            assert_eq!(result(&answer), Err(InsufficientAccessRights), "{who}");
        }
        let given = scene.client("hanna").password_modify_with(Some("alice"), None, Some(NEW), &[options("code")]);
        assert_eq!(result(&given), Err(UnwillingToPerform));
        let code = code(scene);
        scene.client("hanna").change(&alice("replace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n")).unwrap();
        assert_eq!(change(scene, &code, NEW), Err(InvalidCredentials));
        scene.policy(&[("pwdMustChange", "FALSE"), ("pwdAllowUserChange", "FALSE")]);
        let useless = scene.client("hanna").password_modify_with(Some("bob"), None, None, &[options("code")]);
        assert_eq!(result(&useless), Err(UnwillingToPerform));
    }

    /// Where a reset needs two people, so does a code.
    fn a_code_needs_an_approval_where_a_reset_does(scene) {
        scene.policy(&[("pwdResetApprovalMaxAge", "3600")]);
        let answer = scene.client("hanna").password_modify_with(Some("alice"), None, None, &[options("code")]);
        assert_ne!(result(&answer), Ok(()));
        assert_eq!((answer.value, scene.root().values("alice", "pwdResetCodeExpiry")), (None, Vec::new()));
    }

    /// A code helps where the password itself no longer does: a temporary one that has ended, or an account that was idle.
    fn a_code_helps_where_the_password_has_ended(scene) {
        scene.policy(&[("pwdTemporaryMaxAge", "3600"), ("pwdMinAge", "600")]);
        assert_eq!(reset(&scene.client("hanna"), &[]), Ok(()));
        scene.wait(3_600);
        assert_eq!(result(&bind(scene, TEMPORARY)), Err(InvalidCredentials));
        let code = code(scene);
        assert_eq!(change(scene, &code, NEW), Ok(()));
        assert_told(&bind(scene, NEW), Ok(()), NOTHING);
    }

    /// Nobody sees a code but whoever asked for it, once.
    fn a_code_is_seen_by_nobody(scene) {
        let code = code(scene);
        for who in ["alice", "hanna", "cn=admin"] {
            let entry = scene.client(who).read("alice", &["*", "+", "pwdResetCode", "pwdResetCodeExpiry"]).unwrap();
            assert!(!entry.names().contains(&"pwdResetCode") && entry.names().contains(&"pwdResetCodeExpiry"), "{who}");
            assert!(!format!("{entry:?}").contains(&code));
        }
        assert!(scene.recorded().iter().all(|one| !format!("{one:?}").contains(&code)));
    }
}
