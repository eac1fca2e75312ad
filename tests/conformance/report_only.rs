//! Policies that are only tried out (`pwdReportOnly`): they govern nobody, and tell what they would have done.

use keystead::directory::ResultCode::{self, ConstraintViolation, InvalidCredentials};
use keystead::directory::tree::Directory;

use crate::scene::{Scene, full};
use crate::sentences;

const ALICE: &str = "alice's password";
const NEW: &str = "a much better secret";
const DAY: u64 = 86_400;

fn policy(name: &str, lines: &str) -> String {
    format!(
        "dn: cn={name},ou=policies\nobjectClass: namedPolicy\nobjectClass: pwdPolicy\nobjectClass: keysteadPolicy\n\
         cn: {name}\npwdAttribute: userPassword\n{lines}\n"
    )
}

/// Adds a policy that is tried out with those for whom `lines` say.
fn try_out<D: Directory>(scene: &Scene<D>, lines: &str) {
    assert_eq!(scene.root().change(&policy("new", &format!("pwdReportOnly: TRUE\n{lines}"))), Ok(()), "{lines}");
}

fn set<D: Directory>(scene: &Scene<D>, name: &str, lines: &str) -> Result<(), ResultCode> {
    scene.root().change(&format!("dn: {name}\nchangetype: modify\n{lines}-\n"))
}

fn change<D: Directory>(scene: &Scene<D>, old: &str, new: &str) -> Result<(), ResultCode> {
    scene.client("alice").password_modify(None, Some(old), Some(new)).map(drop)
}

const EVERYBODY: &str = "pwdAppliesToSubtree: dc=example,dc=com";

/// What is reported of alice.
fn of_alice(would: &str) -> [String; 1] {
    [format!("cn=new,ou=policies uid=alice,ou=people: {would}")]
}

sentences! {
    /// A bind goes as the policy that governs says, and what the other would have done is told: expired, in grace, idle.
    fn what_would_have_become_of_a_bind_is_told(scene) {
        try_out(scene, &format!("{EVERYBODY}\npwdMaxAge: {}\npwdGraceAuthNLimit: 2\npwdGraceExpiry: {DAY}", 90 * DAY));
        let told_at_bind = || {
            assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
            scene.reported()
        };
        assert_eq!(told_at_bind(), [""; 0]);
        scene.wait(90 * DAY);
        assert_eq!(told_at_bind(), of_alice("grace"));
        scene.wait(DAY);
        assert_eq!(told_at_bind(), of_alice("expired"));
        assert_eq!(set(scene, "cn=new,ou=policies", "add: pwdMaxIdle\npwdMaxIdle: 3600\n"), Ok(()));
        scene.wait(2 * 3600);
        assert_eq!(told_at_bind(), of_alice("idle"));
        assert_eq!(scene.root().values("alice", "pwdGraceUseTime"), [""; 0]);
    }

    /// A hash that is outdated under the policy that is tried out would have had to be changed, once its deadline has passed; only
    /// where a bind shows the password.
    fn a_password_that_would_have_been_hashed_too_late_is_told(scene) {
        try_out(scene, &format!("{EVERYBODY}\npwdHashScheme: argon2id\npwdHashMemory: 20000\npwdRehashDeadline: 20260601130000Z"));
        let bind = || {
            assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
            scene.reported()
        };
        assert_eq!(bind(), [""; 0]);
        scene.wait(3_600);
        assert_eq!(bind(), of_alice("must-change"));
        assert_eq!(scene.root().compare("alice", "userPassword", ALICE), ResultCode::CompareTrue);
        assert_eq!(scene.reported(), [""; 0]);
        // Nothing has come of it.
        assert_eq!(scene.root().values("alice", "pwdReset"), [""; 0]);
    }

    /// Wrong passwords that would have locked the account are told of, at wrong ones and at the right one.
    fn a_lock_that_would_have_been_is_told(scene) {
        scene.policy(&[("pwdMaxFailure", "5")]);
        try_out(scene, &format!("{EVERYBODY}\npwdLockout: TRUE\npwdMaxFailure: 2"));
        for (guess, told) in [("wrong 1", false), ("wrong 2", true), ("wrong 3", true)] {
            assert_eq!(scene.anonymous().bind("alice", guess), Err(InvalidCredentials));
            assert_eq!(!scene.reported().is_empty(), told, "{guess}");
        }
        assert_eq!(scene.anonymous().bind("nobody", "wrong 1"), Err(InvalidCredentials));
        assert_eq!(scene.reported(), [""; 0]);
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
        assert_eq!(scene.reported(), of_alice("locked"));
        assert_eq!(scene.anonymous().bind("alice", ALICE), Ok(()));
        assert_eq!(scene.reported(), [""; 0]);
    }

    /// A new password is set, and what the other policy would have had against it is told: the rules, and nothing that is
    /// in the password.
    fn what_would_have_been_said_of_a_new_password_is_told(scene) {
        let quality = "pwdCheckQuality: 2\npwdMinLength: 25\npwdForbiddenWord: much better secret\npwdInHistory: 5";
        try_out(scene, &format!("{EVERYBODY}\npwdMinAge: {DAY}\n{quality}"));
        assert_eq!(change(scene, ALICE, NEW), Ok(()));
        assert_eq!(scene.reported(), of_alice("refused: too-young, too-short"));
        scene.wait(2 * DAY);
        assert_eq!(change(scene, NEW, "much better secret 1"), Ok(()));
        assert_eq!(scene.reported(), of_alice("refused: too-short, forbidden-word"));
        assert_eq!(change(scene, "much better secret 1", "x"), Err(ConstraintViolation));
        assert_eq!(scene.reported(), [""; 0], "what is refused already needs no report");
        let reset = scene.client("hanna").password_modify(Some(&full("alice")), None, Some("entirely another one, long"));
        assert_eq!((reset, scene.reported()), (Ok(None), Vec::new()));
        let carla = "dn: carla\nobjectClass: inetOrgPerson\ncn: x\nsn: y\nuserPassword: good for twelve\n";
        assert_eq!(scene.root().change(carla), Ok(()));
        assert_eq!(scene.reported(), ["cn=new,ou=policies uid=carla,ou=people: refused: too-short"]);
    }

    /// Told is what would be if it governed: not of those whom another policy would govern all the same.
    fn only_those_are_told_of_whom_it_would_govern(scene) {
        scene.policy(&[("pwdInHistory", "0")]);
        try_out(scene, &format!("{EVERYBODY}\npwdPrecedence: 10\npwdCheckQuality: 2\npwdMinLength: 50"));
        for (precedence, told) in [("20", true), ("5", false)] {
            let other = format!("pwdAppliesToFilter: (uid=alice)\npwdPrecedence: {precedence}");
            assert_eq!(scene.root().change(&policy(precedence, &other)), Ok(()));
            assert_eq!(change(scene, ALICE, ALICE), Ok(()));
            assert_eq!(!scene.reported().is_empty(), told, "{precedence}");
        }
    }

    /// One that an entry names governs it no more than any other does: the entry is governed as if it named none.
    fn a_policy_that_is_named_is_tried_out_too(scene) {
        try_out(scene, "pwdCheckQuality: 2\npwdMinLength: 50");
        let named = "add: pwdPolicySubentry\npwdPolicySubentry: cn=new,ou=policies,dc=example,dc=com\n";
        assert_eq!(set(scene, "alice", named), Ok(()));
        assert_eq!(change(scene, ALICE, "x"), Err(ConstraintViolation));
        assert_eq!(change(scene, ALICE, NEW), Ok(()));
        assert_eq!(scene.reported(), of_alice("refused: too-short"));
    }

    /// The default governs those whom nothing else does, so it cannot be tried out: there would be nothing in its place.
    fn the_default_cannot_be_tried_out(scene) {
        assert_eq!(set(scene, "cn=default,ou=policies", "add: objectClass\nobjectClass: keysteadPolicy\n"), Ok(()));
        let refused = set(scene, "cn=default,ou=policies", "add: pwdReportOnly\npwdReportOnly: TRUE\n");
        assert_eq!(refused, Err(ConstraintViolation));
        try_out(scene, &format!("{EVERYBODY}\npwdCheckQuality: 2\npwdMinLength: 50"));
        assert_eq!(scene.root().change("dn: cn=default,ou=policies\nchangetype: delete\n"), Ok(()));
        let rename = "dn: cn=new,ou=policies\nchangetype: modrdn\nnewrdn: cn=default\ndeleteoldrdn: 1\n";
        assert_eq!(scene.root().change(rename), Err(ConstraintViolation), "nor by another name");
        for change in [
            "dn: ou=drafts\nobjectClass: organizationalUnit\nou: drafts\n",
            "dn: cn=new,ou=policies\nchangetype: modrdn\nnewrdn: cn=default\ndeleteoldrdn: 1\nnewsuperior: ou=drafts,dc=example,dc=com\n",
            "dn: ou=policies\nchangetype: modrdn\nnewrdn: ou=former\ndeleteoldrdn: 1\n",
            "dn: ou=drafts\nchangetype: modrdn\nnewrdn: ou=policies\ndeleteoldrdn: 1\n",
        ] {
            assert_eq!(scene.root().change(change), Ok(()), "{change}");
        }
        assert_eq!(change(scene, ALICE, NEW), Err(ConstraintViolation), "the default governs, whatever it says");
    }
}
