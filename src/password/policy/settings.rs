//! What a policy says, attribute by attribute, for people who ask.

use std::time::Duration;

use super::{BreachAction, CheckQuality, ForbidNames, LiveConnections, MustChangeBind, Policy, QualityProfile};
use crate::password::scheme::{Cost, NewScheme};

/// One thing that a policy says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting {
    /// The attribute that says it.
    pub attribute: &'static str,
    /// What it comes to, as the attribute would have it; empty if nothing.
    pub value: String,
    /// The same in words.
    pub meaning: String,
}

impl Policy {
    /// Every setting that comes to something, with the entry that says so: `pwdMinLength: 15 (cn=default,...)`.
    pub fn effective(&self) -> impl Iterator<Item = String> {
        self.settings().into_iter().filter(|setting| !setting.value.is_empty()).map(
            |Setting { attribute, value, .. }| {
                let origin = if self.said.contains(&attribute) { &self.origin } else { "default" };
                format!("{attribute}: {value} ({origin})")
            },
        )
    }

    /// Everything that it says or leaves at its default, in the order in which people think of it.
    pub fn settings(&self) -> Vec<Setting> {
        let mut all = self.of_quality();
        all.extend(self.of_age());
        all.extend(self.of_lockout());
        all.extend(self.of_changes());
        all.extend(self.of_hashing());
        let iterations = self.scram_iterations.map_or(0, |count| count as usize);
        all.push(count("pwdScramIterations", iterations, "iterations for SCRAM-SHA-256, whose keys are kept"));
        all
    }

    fn of_quality(&self) -> Vec<Setting> {
        let check = match self.pwd_check_quality {
            CheckQuality::Off => ("0", "new passwords are not checked"),
            CheckQuality::IfPossible => ("1", "new passwords are checked; hashes come from those who may import them"),
            CheckQuality::Enforced => ("2", "new passwords are checked; hashes come from those who may import them"),
        };
        let profile = match self.quality_profile {
            QualityProfile::Nist => ("nist", "common passwords, own names and patterns are refused"),
            QualityProfile::Entra => ("entra", "own names are refused, and what has fewer than five points"),
            QualityProfile::None => ("none", "only length counts"),
        };
        let names = match self.forbid_names {
            ForbidNames::None => ("none", "own names are looked for by the profile alone"),
            ForbidNames::Whole => ("whole", "no password is an own name, forwards or backwards"),
            ForbidNames::Contained => ("contained", "no password has an own name in it, forwards or backwards"),
        };
        let palindromes = if self.forbid_palindromes {
            ("TRUE", "no password is the same backwards")
        } else {
            ("FALSE", "a password may be the same backwards")
        };
        vec![
            words("pwdCheckQuality", check),
            words("pwdQualityProfile", profile),
            count("pwdMinLength", self.pwd_min_length, "characters at least"),
            count("pwdMaxLength", self.pwd_max_length, "characters at most"),
            count("pwdInHistory", self.pwd_in_history, "earlier passwords cannot be had again"),
            setting("pwdForbiddenWord", self.forbidden_words.join(", "), "words that are no password"),
            count(
                "pwdMinClasses",
                self.min_classes,
                "classes of characters at least: lower case, upper case, digits, others",
            ),
            count("pwdMinScore", self.min_score, "of 4 points at least for how late a password is guessed"),
            count("pwdMaxRepeat", self.max_repeat, "times the same character in a row at most"),
            count("pwdMaxSequence", self.max_sequence, "characters in a sequence such as abc at most"),
            count("pwdMaxClassRun", self.max_class_run, "characters of the same class in a row at most"),
            words("pwdForbidNames", names),
            words("pwdForbidPalindromes", palindromes),
            count("pwdMinDifferent", self.min_different, "characters different from the old password at least"),
        ]
    }

    fn of_age(&self) -> Vec<Setting> {
        let netscape = if self.netscape_controls {
            ("TRUE", "old clients are told of it by Netscape's controls")
        } else {
            ("FALSE", "only clients that ask by the password policy control are told of it")
        };
        vec![
            time("pwdMinAge", some(self.pwd_min_age), "before the owner may change it again"),
            time("pwdMaxAge", self.pwd_max_age, "until a password expires"),
            time("pwdExpireWarning", some(self.pwd_expire_warning), "before that, binds warn"),
            notices(&self.expire_notices),
            count("pwdGraceAuthNLimit", self.pwd_grace_authn_limit, "binds succeed after that"),
            time("pwdGraceExpiry", self.pwd_grace_expiry, "after that, they no longer do"),
            words("pwdNetscapeControls", netscape),
            time("pwdMaxIdle", self.pwd_max_idle, "without a bind lock the account"),
        ]
    }

    fn of_lockout(&self) -> Vec<Setting> {
        let lockout = if self.pwd_lockout {
            ("TRUE", "wrong passwords lock the account")
        } else {
            ("FALSE", "wrong passwords lock nobody")
        };
        vec![
            words("pwdLockout", lockout),
            count("pwdMaxFailure", self.pwd_max_failure, "wrong passwords lock it"),
            time("pwdLockoutDuration", self.pwd_lockout_duration, "until the lock ends by itself"),
            time("pwdFailureCountInterval", self.pwd_failure_count_interval, "until a wrong password no longer counts"),
            count("pwdMaxRecordedFailure", self.pwd_max_recorded_failure, "wrong passwords are remembered"),
            time(
                "pwdMinDelay",
                some(self.pwd_min_delay),
                "is the first wrong one answered later; doubled by each further one",
            ),
            time("pwdMaxDelay", some(self.pwd_max_delay), "later at most"),
            time(
                "pwdKnownSourceMaxAge",
                self.known_source_max_age,
                "after a good bind its source gets in despite a lock",
            ),
            time("pwdVerifiedCacheSeconds", self.verified_cache, "is a right password known without another hash"),
            count("pwdInLoginHistory", self.in_login_history, "of the last logins are kept (pwdLoginHistory)"),
        ]
    }

    fn of_changes(&self) -> Vec<Setting> {
        let own = if self.pwd_allow_user_change {
            ("TRUE", "people change their own")
        } else {
            ("FALSE", "nobody changes their own")
        };
        let old = if self.pwd_safe_modify {
            ("TRUE", "the old one must be given")
        } else {
            ("FALSE", "the old one need not be given")
        };
        let must = if self.pwd_must_change {
            ("TRUE", "after a reset it must be changed")
        } else {
            ("FALSE", "after a reset it may be kept")
        };
        let bind = match self.must_change_bind {
            MustChangeBind::Restrict => ("restrict", "until then a bind allows the change and nothing else"),
            MustChangeBind::Fail => ("fail", "until then binds fail"),
        };
        let breach = match self.breach_action {
            BreachAction::None => ("none", "passwords in use are not looked up again"),
            BreachAction::Notify => ("notify", "one in use that becomes publicly known is recorded"),
            BreachAction::MustChange => ("must-change", "one in use that becomes publicly known must be changed"),
        };
        let uses = self.temporary_max_uses.map_or(0, |uses| uses as usize);
        vec![
            words("pwdAllowUserChange", own),
            words("pwdSafeModify", old),
            words("pwdMustChange", must),
            words("pwdMustChangeBind", bind),
            connections("pwdSessionsAfterReset", self.sessions_after_reset, "after a reset"),
            connections(
                "pwdSessionsAfterLock",
                self.sessions_after_lock,
                "when an administrator has closed the account",
            ),
            words("pwdBreachAction", breach),
            time("pwdTemporaryMaxAge", self.temporary_max_age, "is a password good that somebody else has set"),
            time(
                "pwdResetApprovalMaxAge",
                self.reset_approval_max_age,
                "is an approval good, which a reset by somebody else needs",
            ),
            count("pwdTemporaryMaxUses", uses, "binds it is good for"),
            time("pwdResetCodeMaxAge", some(self.reset_code_max_age), "is a one-time code of the helpdesk good"),
        ]
    }

    fn of_hashing(&self) -> Vec<Setting> {
        let weak = "a weak hash, which a thief of the data breaks quickly";
        let deadline = self.rehash_deadline.map(|time| time.to_string()).unwrap_or_default();
        let meaning = "from then on, who binds with an outdated hash must change the password";
        let mut all = match self.hashing.said() {
            None => vec![setting("pwdHashScheme", String::new(), "")],
            Some(NewScheme::Ssha512) => vec![words("pwdHashScheme", ("ssha512", weak))],
            Some(NewScheme::Ssha) => vec![words("pwdHashScheme", ("ssha", weak))],
            Some(NewScheme::Argon2id(Cost { memory_kib, passes, lanes })) => vec![
                words("pwdHashScheme", ("argon2id", "new passwords are hashed by Argon2id")),
                count("pwdHashMemory", memory_kib as usize, "KiB for one hash"),
                count("pwdHashPasses", passes as usize, "passes over it"),
                count("pwdHashLanes", lanes as usize, "lanes"),
            ],
        };
        all.push(setting("pwdRehashDeadline", deadline, meaning));
        all
    }
}

fn setting(attribute: &'static str, value: String, meaning: &str) -> Setting {
    let meaning = if value.is_empty() { "-".to_owned() } else { meaning.to_owned() };
    Setting { attribute, value, meaning }
}

fn words(attribute: &'static str, (value, meaning): (&str, &str)) -> Setting {
    Setting { attribute, value: value.to_owned(), meaning: meaning.to_owned() }
}

fn connections(attribute: &'static str, become_of: LiveConnections, when: &str) -> Setting {
    let (value, meaning) = match become_of {
        LiveConnections::End => ("end", "live connections end"),
        LiveConnections::Restrict => ("restrict", "live connections may only change the password"),
        LiveConnections::Leave => ("leave", "live connections go on"),
    };
    setting(attribute, value.to_owned(), &format!("{meaning} {when}"))
}

fn count(attribute: &'static str, number: usize, meaning: &str) -> Setting {
    let value = if number == 0 { String::new() } else { number.to_string() };
    setting(attribute, value, &format!("{number} {meaning}"))
}

fn notices(before: &[Duration]) -> Setting {
    let seconds: Vec<String> = before.iter().rev().map(|time| time.as_secs().to_string()).collect();
    let times: Vec<String> = before.iter().rev().filter(|time| !time.is_zero()).map(|time| in_words(*time)).collect();
    let meaning = if times.is_empty() {
        "the end is recorded, also of those who do not bind".to_owned()
    } else {
        format!("{} before, and the end, are recorded, also of those who do not bind", times.join(", "))
    };
    setting("pwdExpireNotice", seconds.join(", "), &meaning)
}

fn time(attribute: &'static str, time: Option<Duration>, meaning: &str) -> Setting {
    let Some(time) = time else { return setting(attribute, String::new(), "") };
    setting(attribute, time.as_secs().to_string(), &format!("{} {meaning}", in_words(time)))
}

fn some(time: Duration) -> Option<Duration> {
    (!time.is_zero()).then_some(time)
}

/// The largest unit in which the time is a whole number.
fn in_words(time: Duration) -> String {
    let seconds = time.as_secs();
    let units = [("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)];
    let (unit, size) = units.into_iter().find(|(_, size)| seconds.is_multiple_of(*size)).unwrap_or(("second", 1));
    let number = seconds / size;
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_told_as_attributes_and_in_words() {
        let policy =
            Policy { pwd_max_age: Some(Duration::from_secs(90 * 86_400)), pwd_min_length: 12, ..Policy::default() };
        let told = |attribute: &str| {
            let settings = policy.settings();
            let setting = settings.iter().find(|setting| setting.attribute == attribute).unwrap();
            format!("{} ({})", setting.value, setting.meaning)
        };
        assert_eq!(told("pwdMaxAge"), "7776000 (90 days until a password expires)");
        assert_eq!(told("pwdMinLength"), "12 (12 characters at least)");
        assert_eq!(told("pwdLockout"), "FALSE (wrong passwords lock nobody)");
        assert_eq!(told("pwdMaxIdle"), " (-)");
    }

    #[test]
    fn what_comes_to_something_is_told_with_its_origin() {
        let policy =
            Policy { origin: "cn=a".into(), said: vec!["pwdMinLength"], pwd_min_length: 12, ..Policy::default() };
        let told: Vec<String> = policy.effective().collect();
        assert!(told.contains(&"pwdMinLength: 12 (cn=a)".to_owned()), "{told:?}");
        assert!(told.contains(&"pwdLockout: FALSE (default)".to_owned()), "{told:?}");
        assert!(!told.iter().any(|line| line.starts_with("pwdMaxIdle")), "{told:?}");
    }
}
