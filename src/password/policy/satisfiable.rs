//! Rules that no password could follow, or that nobody could remember one by: a policy that has them shuts everybody out.

use super::{CheckQuality, Policy, PolicyError, QualityProfile};
use crate::password::prepare::MAX_CHARACTERS;
use crate::password::quality::{BEST_SCORE, LENGTH_FOR_SCORE, POINTS_NEEDED};

/// What SP 800-63B-4 §3.1.1.2 wants of a password at least, beside a second factor.
const LEAST_OF_NIST: usize = 8;

/// Refuses a policy that cannot be satisfied, with the attribute and the reason.
pub(super) fn check(policy: &Policy) -> Result<(), PolicyError> {
    let fault = |attribute, reason: String| Err(PolicyError { attribute, reason });
    if policy.pwd_max_length > 0 && policy.pwd_min_length > policy.pwd_max_length {
        let reason = format!("{} is more than pwdMaxLength, {}", policy.pwd_min_length, policy.pwd_max_length);
        return fault("pwdMinLength", reason);
    }
    if policy.pwd_min_length > MAX_CHARACTERS {
        return fault("pwdMinLength", format!("no password is longer than {MAX_CHARACTERS}"));
    }
    if policy.min_classes > 4 {
        return fault("pwdMinClasses", "there are four classes: lower case, upper case, digits, others".to_owned());
    }
    if policy.min_score > BEST_SCORE {
        return fault("pwdMinScore", format!("the best score is {BEST_SCORE}"));
    }
    if policy.max_sequence == 1 {
        return fault("pwdMaxSequence", "it must be at least 2, since words have an ab or a no in them".to_owned());
    }
    if policy.max_class_run == 1 {
        return fault("pwdMaxClassRun", "it must be at least 2, or hardly any password could be read out".to_owned());
    }
    let longest = if policy.pwd_max_length > 0 { policy.pwd_max_length } else { MAX_CHARACTERS };
    if policy.min_different > longest {
        return fault("pwdMinDifferent", format!("no password is longer than {longest}"));
    }
    if policy.pwd_check_quality == CheckQuality::Off {
        return Ok(());
    }
    check_length(policy, longest)
}

/// What takes more characters than there may be.
fn check_length(policy: &Policy, longest: usize) -> Result<(), PolicyError> {
    let fault = |attribute, reason: String| Err(PolicyError { attribute, reason });
    if policy.min_classes > longest {
        let reason = format!("{} classes take as many characters, and pwdMaxLength is {longest}", policy.min_classes);
        return fault("pwdMinClasses", reason);
    }
    if let Some(least) = LENGTH_FOR_SCORE.get(policy.min_score).filter(|least| longest < **least) {
        let reason = format!("a score of {} takes {least} characters, and pwdMaxLength is {longest}", policy.min_score);
        return fault("pwdMinScore", reason);
    }
    if policy.forbid_palindromes && longest == 1 {
        return fault("pwdForbidPalindromes", "pwdMaxLength is 1, and one character is the same backwards".to_owned());
    }
    match policy.quality_profile {
        QualityProfile::Entra if longest < POINTS_NEEDED => {
            let reason = format!(
                "{longest} is too short: with pwdQualityProfile entra, a password needs {POINTS_NEEDED} points, and a character \
                 has one"
            );
            fault("pwdMaxLength", reason)
        }
        QualityProfile::Nist if longest < LEAST_OF_NIST => {
            let reason = format!(
                "{longest} is too short: with pwdQualityProfile nist, which holds where none is named, passwords have \
                 {LEAST_OF_NIST} characters at least"
            );
            fault("pwdMaxLength", reason)
        }
        QualityProfile::Nist | QualityProfile::Entra | QualityProfile::None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(policy: &Policy) -> Option<&'static str> {
        check(policy).err().map(|error| error.attribute)
    }

    #[test]
    fn what_no_password_could_follow_is_refused_where_quality_is_checked() {
        let (none, entra, nist) = (QualityProfile::None, QualityProfile::Entra, QualityProfile::Nist);
        for (min_score, least) in (1..).zip([4, 7, 9, 11]) {
            let policy = |pwd_max_length| Policy {
                pwd_check_quality: CheckQuality::Enforced,
                quality_profile: none,
                pwd_max_length,
                min_score,
                ..Policy::default()
            };
            assert_eq!((fault(&policy(least)), fault(&policy(least - 1))), (None, Some("pwdMinScore")));
        }
        assert_eq!(fault(&Policy { min_score: 5, ..Policy::default() }), Some("pwdMinScore"));
        for (quality_profile, pwd_max_length, min_classes, forbid_palindromes, refused) in [
            (none, 3, 4, false, Some("pwdMinClasses")),
            (none, 4, 4, false, None),
            (none, 1, 0, true, Some("pwdForbidPalindromes")),
            (none, 2, 0, true, None),
            (entra, 4, 0, false, Some("pwdMaxLength")),
            (entra, 5, 0, false, None),
            (nist, 7, 0, false, Some("pwdMaxLength")),
            (nist, 8, 0, false, None),
            (nist, 0, 4, true, None),
        ] {
            let policy = |pwd_check_quality| Policy {
                pwd_check_quality,
                pwd_max_length,
                quality_profile,
                min_classes,
                forbid_palindromes,
                ..Policy::default()
            };
            assert_eq!(fault(&policy(CheckQuality::Enforced)), refused, "{quality_profile:?} {pwd_max_length}");
            assert_eq!(fault(&policy(CheckQuality::IfPossible)), refused, "{quality_profile:?} {pwd_max_length}");
            assert_eq!(fault(&policy(CheckQuality::Off)), None, "{quality_profile:?} {pwd_max_length}");
        }
    }
}
