//! `pwdEffectivePolicy`: what holds for the password of an entry, and which policy says so, for whoever may read the state
//! of passwords.

use keystead::directory::ResultCode::{CompareTrue, ConstraintViolation};
use keystead::directory::tree::Directory;

use crate::scene::{Scene, rule};
use crate::sentences;

const EFFECTIVE: &str = "pwdEffectivePolicy";
const DEFAULT: &str = "cn=default,ou=policies,dc=example,dc=com";
const SHORTEST: &str = "pwdMinLength: 12 (cn=default,ou=policies,dc=example,dc=com)";

/// A policy for bob alone.
fn add_for_bob<D: Directory>(scene: &Scene<D>) {
    let ldif = "dn: cn=bob,ou=policies\nobjectClass: namedPolicy\nobjectClass: pwdPolicy\nobjectClass: keysteadPolicy\n\
        cn: bob\npwdAttribute: userPassword\npwdMinLength: 20\npwdAppliesToFilter: (uid=bob)\n";
    assert_eq!(scene.root().change(ldif), Ok(()));
}

sentences! {
    /// Each value is a setting, what it comes to, and the policy that says so; or that it is the default of the draft.
    fn what_holds_is_told_with_where_it_comes_from(scene) {
        let told = scene.client("alice").values("alice", EFFECTIVE);
        for line in [SHORTEST, "pwdAllowUserChange: TRUE (default)", &format!("pwdMaxFailure: 3 ({DEFAULT})")] {
            assert!(told.iter().any(|value| value == line), "{line}: {told:?}");
        }
        add_for_bob(scene);
        let told = scene.root().values("bob", EFFECTIVE);
        assert!(told.contains(&"pwdMinLength: 20 (cn=bob,ou=policies,dc=example,dc=com)".to_owned()), "{told:?}");
        assert!(told.contains(&"pwdLockout: FALSE (default)".to_owned()), "{told:?}");
        assert_eq!(scene.root().change(&format!("dn: {DEFAULT}\nchangetype: delete\n")), Ok(()));
        let told = scene.root().values("alice", EFFECTIVE);
        assert!(!told.is_empty() && told.iter().all(|line| line.ends_with(" (default)")), "{told:?}");
    }

    /// It is an operational attribute: only who names it, or asks for `+`, gets it; and only entries that can have a
    /// password have it. What the entry itself says of its policy stays as it is.
    fn it_is_there_when_it_is_asked_for(scene) {
        let has = |name: &str, list: &[&str]| !scene.root().read(name, list).unwrap().texts(EFFECTIVE).is_empty();
        assert!(has("alice", &[EFFECTIVE]) && has("alice", &["+"]) && has("alice", &["PWDEFFECTIVEPOLICY"]));
        assert!(!has("alice", &["*"]) && !has("alice", &[]) && !has("alice", &["pwdScheme"]));
        assert!(!has("cn=staff,ou=groups", &[EFFECTIVE]));
        assert_eq!(scene.root().values("alice", "pwdPolicySubentry"), [""; 0]);
        let write = format!("dn: alice\nchangetype: modify\nreplace: {EFFECTIVE}\n{EFFECTIVE}: x\n-\n");
        assert_eq!(scene.root().change(&write), Err(ConstraintViolation));
    }

    /// It is of the state of passwords: whoever may not read that is not told which policy there is.
    fn it_is_told_to_those_who_may_read_the_state_of_passwords(scene) {
        let told = |who: &str| !scene.client(who).values("bob", EFFECTIVE).is_empty();
        assert!(told("bob") && told("hanna") && told("cn=admin") && !told("alice"));
        assert_eq!(scene.client("alice").find(&format!("({EFFECTIVE}=*)")), ["uid=alice,ou=people"]);
        scene.rule_by(&[rule("some", "everyone", "everything", &["*", "+"], &["search", "read", "compare"])]);
        assert!(!told("bob") && !told("cn=admin"));
    }

    /// Who may search the state finds by it whom a policy governs.
    fn whom_a_policy_governs_can_be_searched_for(scene) {
        add_for_bob(scene);
        let admin = scene.client("cn=admin");
        assert_eq!(admin.find(&format!("({EFFECTIVE}=pwdMinLength: 20*)")), ["uid=bob,ou=people"]);
        let by_default = admin.find(&format!("(&(uid=*)({EFFECTIVE}=*cn=default*))"));
        assert_eq!(by_default, ["alice", "hanna", "henry"].map(|uid| format!("uid={uid},ou=people")));
        assert_eq!(admin.compare("alice", EFFECTIVE, SHORTEST), CompareTrue);
    }
}
