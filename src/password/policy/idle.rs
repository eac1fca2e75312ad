//! What a policy says and nothing comes of. It is no fault: many policies that are about have it, of other servers above all,
//! and load unchanged. But perhaps it is not what was meant, so it is told.

use std::fmt;

use super::reader::Reader;
use super::{CheckQuality, Policy};

/// A setting that has no effect beside the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Idle {
    /// The attribute that says it.
    pub attribute: &'static str,
    /// How far: `has no effect`, or none above a bound.
    pub extent: &'static str,
    /// Why nothing comes of it.
    pub reason: &'static str,
}

const NONE: &str = "has no effect";

impl fmt::Display for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.attribute, self.extent, self.reason)
    }
}

/// What a policy asks for, besides what it asks for in vain.
pub(super) fn find(policy: &Policy, reader: &Reader<'_>) -> Vec<Idle> {
    let mut all = Vec::new();
    let mut idle = |reason, attributes: &[&'static str]| {
        let asked = attributes.iter().filter(|attribute| is_asked_for(reader, attribute));
        all.extend(asked.map(|attribute| Idle { attribute, extent: NONE, reason }));
    };
    let locks = policy.lockout_limit().is_some();
    if policy.pwd_lockout && !locks {
        idle("pwdMaxFailure is 0 or absent, so no wrong password locks", &["pwdLockout"]);
    }
    if !locks {
        let attributes = ["pwdMaxFailure", "pwdLockoutDuration", "pwdKnownSourceMaxAge"];
        idle("wrong passwords lock nobody, which takes pwdLockout TRUE and pwdMaxFailure", &attributes);
    }
    if !locks && policy.pwd_min_delay.is_zero() {
        idle("wrong passwords lock nobody and are answered at once", &["pwdFailureCountInterval"]);
    }
    if locks && reader.count("pwdMaxRecordedFailure").is_ok_and(|most| most < Some(policy.pwd_max_failure)) {
        idle("as many wrong passwords are recorded as lock, pwdMaxFailure", &["pwdMaxRecordedFailure"]);
    }
    if policy.pwd_min_delay.is_zero() {
        idle("pwdMinDelay is 0 or absent, so no answer is held back", &["pwdMaxDelay"]);
    }
    if policy.pwd_max_age.is_none() {
        let attributes = ["pwdExpireWarning", "pwdExpireNotice", "pwdGraceAuthNLimit", "pwdGraceExpiry"];
        idle("pwdMaxAge is 0 or absent, so no password expires", &attributes);
    } else if policy.pwd_grace_authn_limit == 0 {
        idle("pwdGraceAuthNLimit is 0 or absent, so no bind succeeds after the end", &["pwdGraceExpiry"]);
    }
    if policy.pwd_check_quality == CheckQuality::Off {
        idle("pwdCheckQuality is 0 or absent, so new passwords are not checked", &OF_QUALITY);
    }
    if !policy.pwd_allow_user_change {
        idle("pwdAllowUserChange is FALSE, so no owner changes a password", &["pwdMinAge", "pwdSafeModify"]);
    }
    all.extend(beyond_bounds(policy, reader));
    all
}

/// What other servers have no bounds for. A hundred wrong passwords in a row lock for good, and nobody waits for an answer longer
/// than half a minute.
fn beyond_bounds(policy: &Policy, reader: &Reader<'_>) -> Vec<Idle> {
    const DELAY: &str = "no answer is held back for longer";
    let bounds = [
        ("pwdMaxFailure", 100, "has no effect above 100", "so many wrong passwords in a row always lock, where any do"),
        ("pwdInHistory", 50, "has no effect above 50", "no more passwords are remembered"),
        ("pwdMinDelay", 30, "has no effect above 30", DELAY),
        ("pwdMaxDelay", 30, "has no effect above 30", DELAY),
    ];
    let is_beyond = |attribute, bound: usize| reader.count(attribute).is_ok_and(|count| count > Some(bound));
    bounds
        .into_iter()
        .filter(|(attribute, bound, ..)| is_beyond(attribute, *bound))
        .filter(|(attribute, ..)| *attribute != "pwdMaxFailure" || policy.lockout_limit().is_some())
        .map(|(attribute, _, extent, reason)| Idle { attribute, extent, reason })
        .collect()
}

/// Whether an attribute says more than that something is off.
fn is_asked_for(reader: &Reader<'_>, attribute: &str) -> bool {
    reader
        .value(attribute)
        .is_some_and(|value| !["0", "FALSE", "none"].iter().any(|off| off.eq_ignore_ascii_case(value)))
}

/// What new passwords are judged by.
const OF_QUALITY: [&str; 12] = [
    "pwdMinLength",
    "pwdMaxLength",
    "pwdQualityProfile",
    "pwdForbiddenWord",
    "pwdMinClasses",
    "pwdMinScore",
    "pwdMaxRepeat",
    "pwdMaxSequence",
    "pwdMaxClassRun",
    "pwdForbidNames",
    "pwdForbidPalindromes",
    "pwdMinDifferent",
];

#[cfg(test)]
mod tests {
    use crate::directory::{Attribute, Attributes, Entry, Schema};
    use crate::password::Policy;

    /// The attributes of a policy that have no effect.
    fn idle(lines: &str) -> Vec<String> {
        let schema = Schema::standard();
        let attribute = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap();
            Attribute { description: schema.describe(name).unwrap(), values: vec![value.as_bytes().to_vec()] }
        };
        let attributes: Attributes = lines.split_terminator('\n').map(attribute).collect();
        let policy = Policy::read(&Entry::encode(&attributes, &schema), "cn=default", &schema).unwrap();
        policy.idle.iter().map(ToString::to_string).collect()
    }

    fn names(lines: &str) -> Vec<String> {
        idle(lines).iter().map(|told| told.split(' ').next().unwrap().to_owned()).collect()
    }

    /// From the guide for administrators of OpenLDAP.
    #[test]
    fn the_policy_of_the_guide_of_openldap_loads_and_what_is_idle_in_it_is_told() {
        let guide = "pwdAllowUserChange: TRUE\npwdAttribute: userPassword\npwdCheckQuality: 2\npwdExpireWarning: 600\n\
            pwdFailureCountInterval: 30\npwdGraceAuthNLimit: 5\npwdInHistory: 5\npwdLockout: TRUE\npwdLockoutDuration: 0\n\
            pwdMaxAge: 0\npwdMaxFailure: 5\npwdMinAge: 0\npwdMinLength: 5\npwdMustChange: FALSE\npwdSafeModify: FALSE\n";
        let never = "has no effect: pwdMaxAge is 0 or absent, so no password expires";
        assert_eq!(idle(guide), [format!("pwdExpireWarning {never}"), format!("pwdGraceAuthNLimit {never}")]);
        assert_eq!(names(&guide.replace("pwdMaxAge: 0", "pwdMaxAge: 7776000")), [""; 0]);
    }

    #[test]
    fn what_is_0_or_false_asks_for_nothing() {
        let off = "pwdLockout: FALSE\npwdMaxFailure: 0\npwdLockoutDuration: 0\npwdFailureCountInterval: 0\npwdMaxDelay: 0\n\
            pwdExpireWarning: 0\npwdGraceAuthNLimit: 0\npwdMinLength: 0\npwdCheckQuality: 0\npwdMaxRecordedFailure: 0\n\
            pwdAllowUserChange: FALSE\npwdSafeModify: FALSE\npwdMinAge: 0\npwdQualityProfile: none\n";
        assert_eq!(names(off), [""; 0]);
    }

    #[test]
    fn what_nothing_comes_of_is_told() {
        for (lines, told) in [
            ("pwdLockout: TRUE\n", "pwdLockout"),
            ("pwdLockout: TRUE\npwdMaxFailure: 0\npwdLockoutDuration: 60\n", "pwdLockout pwdLockoutDuration"),
            ("pwdMaxFailure: 5\npwdFailureCountInterval: 60\n", "pwdMaxFailure pwdFailureCountInterval"),
            ("pwdFailureCountInterval: 60\npwdMinDelay: 1\n", ""),
            ("pwdMaxDelay: 5\n", "pwdMaxDelay"),
            ("pwdMinDelay: 2\npwdMaxDelay: 5\n", ""),
            ("pwdLockout: TRUE\npwdMaxFailure: 5\npwdMaxRecordedFailure: 4\n", "pwdMaxRecordedFailure"),
            ("pwdLockout: TRUE\npwdMaxFailure: 5\npwdMaxRecordedFailure: 5\n", ""),
            ("pwdMaxAge: 100\npwdGraceExpiry: 60\n", "pwdGraceExpiry"),
            ("pwdMaxAge: 100\npwdGraceExpiry: 60\npwdGraceAuthNLimit: 1\n", ""),
            ("pwdExpireNotice: 60\npwdGraceExpiry: 60\n", "pwdExpireNotice pwdGraceExpiry"),
            (
                "pwdMinLength: 8\npwdMinClasses: 2\npwdQualityProfile: nist\n",
                "pwdMinLength pwdQualityProfile pwdMinClasses",
            ),
            ("pwdMinLength: 8\npwdCheckQuality: 1\n", ""),
            ("pwdAllowUserChange: FALSE\npwdMinAge: 60\npwdSafeModify: TRUE\n", "pwdMinAge pwdSafeModify"),
        ] {
            assert_eq!(names(lines).join(" "), told, "{lines}");
        }
    }
}
