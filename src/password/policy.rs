//! Password policies (draft-behera-ldap-password-policy-10 §5.2), read from their entries.

pub mod applies;
pub mod hashing;
pub mod idle;
mod reader;
mod satisfiable;
pub mod settings;
mod strictness;

use std::time::Duration;

use crate::directory::schema::Schema;
use crate::directory::{Entry, Timestamp};

use super::account::{Account, Lock};
use super::logins;
use super::meter::ABSOLUTE_LIMIT;
pub use applies::Applies;
pub use hashing::Hashing;
pub use idle::Idle;
use reader::Reader;
pub use strictness::Strictness;

/// What a password policy says. Absent attributes have the meaning that the draft gives them; a duration of zero counts
/// as absent where the draft says so.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "the attributes of the draft, one by one")]
pub struct Policy {
    /// The name of the entry that it was read from; empty if there is none.
    pub origin: String,
    /// What of its [settings](Self::settings) the entry says; of the others it says nothing.
    pub said: Vec<&'static str>,
    /// `pwdMinAge`: how long a password must have been in use before its owner changes it.
    pub pwd_min_age: Duration,
    /// `pwdMaxAge`: how long a password is good.
    pub pwd_max_age: Option<Duration>,
    /// `pwdInHistory`: how many used passwords are remembered, besides the current one.
    pub pwd_in_history: usize,
    /// `pwdCheckQuality`
    pub pwd_check_quality: CheckQuality,
    /// `pwdMinLength`, in code points.
    pub pwd_min_length: usize,
    /// `pwdMaxLength`, in code points; 0 for no limit but that of the server.
    pub pwd_max_length: usize,
    /// `pwdExpireWarning`: how long before the end a bind warns.
    pub pwd_expire_warning: Duration,
    /// `pwdExpireNotice`: how long before the end that is told also of those who do not bind, the shortest first; zero for the
    /// end alone. If there are none, nothing is.
    pub expire_notices: Vec<Duration>,
    /// `pwdGraceAuthNLimit`: binds that still succeed after the end.
    pub pwd_grace_authn_limit: usize,
    /// `pwdGraceExpiry`: how long after the end they do.
    pub pwd_grace_expiry: Option<Duration>,
    /// `pwdLockout`
    pub pwd_lockout: bool,
    /// `pwdLockoutDuration`; absent: until an administrator unlocks.
    pub pwd_lockout_duration: Option<Duration>,
    /// `pwdMaxFailure`: how many wrong passwords lock the account; 0 for none.
    pub pwd_max_failure: usize,
    /// `pwdFailureCountInterval`: after which time a wrong password no longer counts.
    pub pwd_failure_count_interval: Option<Duration>,
    /// `pwdMaxRecordedFailure`: how many times are kept.
    pub pwd_max_recorded_failure: usize,
    /// `pwdMustChange`: whether a password that somebody else set must be changed.
    pub pwd_must_change: bool,
    /// `pwdAllowUserChange`
    pub pwd_allow_user_change: bool,
    /// `pwdSafeModify`: whether the old password must be given.
    pub pwd_safe_modify: bool,
    /// `pwdMinDelay`: how long the answer to the first wrong password is held back; doubled by each further one.
    pub pwd_min_delay: Duration,
    /// `pwdMaxDelay`: and at most how long.
    pub pwd_max_delay: Duration,
    /// `pwdMaxIdle`: after which time without a bind the account is locked.
    pub pwd_max_idle: Option<Duration>,
    /// `pwdQualityProfile`
    pub quality_profile: QualityProfile,
    /// `pwdForbiddenWord`
    pub forbidden_words: Vec<String>,
    /// `pwdMinClasses`: of how many classes of characters a password must be: lower case, upper case, digits, others.
    pub min_classes: usize,
    /// `pwdMinScore`: the score that a password must have, from 1 to 4, by how soon it would be guessed; 0 for any.
    pub min_score: usize,
    /// `pwdMaxRepeat`: how often the same character may come in a row; 0 for no limit.
    pub max_repeat: usize,
    /// `pwdMaxSequence`: how many characters may follow each other as in `abc` or `321`; 0 for no limit.
    pub max_sequence: usize,
    /// `pwdMaxClassRun`: how many characters of the same class may come in a row; 0 for no limit.
    pub max_class_run: usize,
    /// `pwdForbidNames`: how far names of its owner are looked for, forwards and backwards, whatever the profile does.
    pub forbid_names: ForbidNames,
    /// `pwdForbidPalindromes`: whether a password may not be the same backwards.
    pub forbid_palindromes: bool,
    /// `pwdMinDifferent`: by how many characters a password must differ from the old one, where that is given.
    pub min_different: usize,
    /// `pwdTemporaryMaxAge`: how long a password that somebody else set is good.
    pub temporary_max_age: Option<Duration>,
    /// `pwdTemporaryMaxUses`: for how many binds it is.
    pub temporary_max_uses: Option<u32>,
    /// `pwdResetApprovalMaxAge`: how long the approval of somebody else is good, which a reset needs; absent: it needs none.
    pub reset_approval_max_age: Option<Duration>,
    /// `pwdResetCodeMaxAge`: how long a code is good that takes the place of a forgotten password.
    pub reset_code_max_age: Duration,
    /// `pwdMustChangeBind`
    pub must_change_bind: MustChangeBind,
    /// `pwdSessionsAfterReset`: what becomes of live connections when somebody else sets the password.
    pub sessions_after_reset: LiveConnections,
    /// `pwdSessionsAfterLock`: what becomes of them when an administrator locks or disables the account.
    pub sessions_after_lock: LiveConnections,
    /// `pwdKnownSourceMaxAge`: how long after a good bind its source may try though wrong passwords from elsewhere have
    /// locked the account; absent: a lock holds for everybody.
    pub known_source_max_age: Option<Duration>,
    /// `pwdNetscapeControls`: whether clients that do not ask for the password policy control are told of expiry by the
    /// controls of Netscape.
    pub netscape_controls: bool,
    /// `pwdVerifiedCacheSeconds`: how long a right password is known without another hash; absent: not at all.
    pub verified_cache: Option<Duration>,
    /// `pwdInLoginHistory`: how many of the last logins are kept; 0 for none.
    pub in_login_history: usize,
    /// `pwdBreachAction`: what follows when a good bind shows a password that is publicly known.
    pub breach_action: BreachAction,
    /// `pwdHashScheme` and the cost: how new passwords are kept.
    pub hashing: Hashing,
    /// `pwdScramIterations`: how often clients hash a password for SCRAM; absent: no keys are kept for that.
    pub scram_iterations: Option<u32>,
    /// `pwdRehashDeadline`: from then on, whoever binds with a password that is not kept so must change it.
    pub rehash_deadline: Option<Timestamp>,
    /// `pwdPrecedence`: of several policies that say that they govern somebody, the one with the lowest number does.
    pub precedence: u32,
    /// `pwdReportOnly`: it governs nobody, and what it would have done is reported.
    pub report_only: bool,
    /// Whom it says by itself that it governs; `None` if it says nothing of that.
    pub applies: Option<Applies>,
    /// What it says and nothing comes of.
    pub idle: Vec<Idle>,
}

/// How far a new password is checked (draft-behera §5.2.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum CheckQuality {
    /// Not at all.
    #[default]
    Off,
    /// If it can be: a hash passes.
    IfPossible,
    /// It must pass; a hash, which cannot be checked, does not.
    Enforced,
}

/// By which rules quality is judged, besides length.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum QualityProfile {
    /// NIST SP 800-63B-4 §3.1.1.2: the whole password against a list, the user's names and the organization's words.
    #[default]
    Nist,
    /// What Microsoft Entra Password Protection does: banned words count one point each, as does each other character.
    Entra,
    /// By length alone.
    None,
}

/// What follows when a good bind shows that a password is publicly known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum BreachAction {
    /// Nothing; it is not even looked up.
    #[default]
    None,
    /// It is recorded, and stands in the log.
    Notify,
    /// And its owner must change it.
    MustChange,
}

/// What a bind does while the password must be changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum MustChangeBind {
    /// It succeeds, and the connection may do nothing but change the password.
    #[default]
    Restrict,
    /// It fails, for applications that only bind and would let the person in.
    Fail,
}

/// How far names of the owner are looked for in a password.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ForbidNames {
    /// As the profile does, and no further.
    #[default]
    None,
    /// A password must not be a name.
    Whole,
    /// Nor have one in it.
    Contained,
}

/// What becomes of connections on which somebody has authenticated, when somebody else ends what they have proven.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LiveConnections {
    /// They end.
    #[default]
    End,
    /// They may do nothing but change the password.
    Restrict,
    /// They go on.
    Leave,
}

/// A policy entry that makes no sense.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{attribute}: {reason}")]
pub struct PolicyError {
    /// The attribute that is wrong.
    pub attribute: &'static str,
    /// Why, in words.
    pub reason: String,
}

impl Default for Policy {
    /// The policy where there is none: nothing expires, locks or is checked.
    fn default() -> Self {
        Self {
            origin: String::new(),
            said: Vec::new(),
            pwd_min_age: Duration::ZERO,
            pwd_max_age: None,
            pwd_in_history: 0,
            pwd_check_quality: CheckQuality::Off,
            pwd_min_length: 0,
            pwd_max_length: 0,
            pwd_expire_warning: Duration::ZERO,
            expire_notices: Vec::new(),
            pwd_grace_authn_limit: 0,
            pwd_grace_expiry: None,
            pwd_lockout: false,
            pwd_lockout_duration: None,
            pwd_max_failure: 0,
            pwd_failure_count_interval: None,
            pwd_max_recorded_failure: DEFAULT_RECORDED,
            pwd_must_change: false,
            pwd_allow_user_change: true,
            pwd_safe_modify: false,
            pwd_min_delay: Duration::ZERO,
            pwd_max_delay: Duration::ZERO,
            pwd_max_idle: None,
            quality_profile: QualityProfile::default(),
            forbidden_words: Vec::new(),
            min_classes: 0,
            min_score: 0,
            max_repeat: 0,
            max_sequence: 0,
            max_class_run: 0,
            forbid_names: ForbidNames::default(),
            forbid_palindromes: false,
            min_different: 0,
            reset_approval_max_age: None,
            temporary_max_age: None,
            temporary_max_uses: None,
            reset_code_max_age: RESET_CODE_MAX_AGE,
            must_change_bind: MustChangeBind::default(),
            sessions_after_reset: LiveConnections::default(),
            sessions_after_lock: LiveConnections::default(),
            known_source_max_age: None,
            netscape_controls: false,
            verified_cache: None,
            in_login_history: 0,
            breach_action: BreachAction::default(),
            hashing: Hashing::default(),
            scram_iterations: None,
            rehash_deadline: None,
            precedence: u32::MAX,
            report_only: false,
            applies: None,
            idle: Vec::new(),
        }
    }
}

/// Enough to see what happened, and few enough to write often.
const DEFAULT_RECORDED: usize = 10;
const MAX_HISTORY: usize = 50;
/// So long a password is taken for right without another hash, at most.
const MAX_VERIFIED: Duration = Duration::from_secs(3600);
/// A year and a day in hours would be a nonsensical delay; so is a minute.
const MAX_DELAY: Duration = Duration::from_secs(30);

impl Policy {
    /// Reads a policy entry, and refuses nonsense with the reason.
    pub fn read(entry: &Entry, origin: &str, schema: &Schema) -> Result<Self, PolicyError> {
        let reader = Reader::new(entry, schema);
        let seconds = |name| reader.seconds(name);
        let max_failure = reader.count("pwdMaxFailure")?.unwrap_or(0);
        let mut policy = Self {
            origin: origin.to_owned(),
            said: Vec::new(),
            pwd_min_age: seconds("pwdMinAge")?.unwrap_or_default(),
            pwd_max_age: seconds("pwdMaxAge")?,
            pwd_in_history: reader.count("pwdInHistory")?.unwrap_or(0),
            pwd_check_quality: reader.check_quality()?,
            pwd_min_length: reader.count("pwdMinLength")?.unwrap_or(0),
            pwd_max_length: reader.count("pwdMaxLength")?.unwrap_or(0),
            pwd_expire_warning: seconds("pwdExpireWarning")?.unwrap_or_default(),
            expire_notices: reader.expire_notices()?,
            pwd_grace_authn_limit: reader.count("pwdGraceAuthNLimit")?.unwrap_or(0),
            pwd_grace_expiry: seconds("pwdGraceExpiry")?,
            pwd_lockout: reader.flag("pwdLockout")?.unwrap_or(false),
            pwd_lockout_duration: seconds("pwdLockoutDuration")?,
            pwd_max_failure: max_failure,
            pwd_failure_count_interval: seconds("pwdFailureCountInterval")?,
            pwd_max_recorded_failure: reader.recorded(max_failure)?,
            pwd_must_change: reader.flag("pwdMustChange")?.unwrap_or(false),
            pwd_allow_user_change: reader.flag("pwdAllowUserChange")?.unwrap_or(true),
            pwd_safe_modify: reader.flag("pwdSafeModify")?.unwrap_or(false),
            pwd_min_delay: seconds("pwdMinDelay")?.unwrap_or_default(),
            pwd_max_delay: seconds("pwdMaxDelay")?.or(seconds("pwdMinDelay")?).unwrap_or_default(),
            pwd_max_idle: seconds("pwdMaxIdle")?,
            quality_profile: reader.quality_profile()?,
            forbidden_words: reader.texts("pwdForbiddenWord"),
            min_classes: reader.count("pwdMinClasses")?.unwrap_or(0),
            min_score: reader.count("pwdMinScore")?.unwrap_or(0),
            max_repeat: reader.count("pwdMaxRepeat")?.unwrap_or(0),
            max_sequence: reader.count("pwdMaxSequence")?.unwrap_or(0),
            max_class_run: reader.count("pwdMaxClassRun")?.unwrap_or(0),
            forbid_names: reader.forbid_names()?,
            forbid_palindromes: reader.flag("pwdForbidPalindromes")?.unwrap_or(false),
            min_different: reader.count("pwdMinDifferent")?.unwrap_or(0),
            reset_approval_max_age: seconds("pwdResetApprovalMaxAge")?,
            temporary_max_age: seconds("pwdTemporaryMaxAge")?,
            temporary_max_uses: reader.count("pwdTemporaryMaxUses")?.and_then(|uses| u32::try_from(uses).ok()),
            reset_code_max_age: seconds("pwdResetCodeMaxAge")?.unwrap_or(RESET_CODE_MAX_AGE),
            must_change_bind: reader.must_change_bind()?,
            sessions_after_reset: reader.live_connections("pwdSessionsAfterReset")?,
            sessions_after_lock: reader.live_connections("pwdSessionsAfterLock")?,
            known_source_max_age: seconds("pwdKnownSourceMaxAge")?,
            netscape_controls: reader.flag("pwdNetscapeControls")?.unwrap_or(false),
            verified_cache: seconds("pwdVerifiedCacheSeconds")?,
            in_login_history: reader.count("pwdInLoginHistory")?.unwrap_or(0),
            breach_action: reader.breach_action()?,
            hashing: Hashing::read(&reader)?,
            scram_iterations: reader.scram_iterations()?,
            rehash_deadline: reader.time("pwdRehashDeadline")?,
            precedence: reader.number("pwdPrecedence")?.unwrap_or(u32::MAX),
            report_only: reader.flag("pwdReportOnly")?.unwrap_or(false),
            applies: Applies::read(&reader)?,
            idle: Vec::new(),
        };
        reader.check_attribute()?;
        policy.check()?;
        policy.keep_within_bounds();
        policy.said = policy.settings().iter().map(|setting| setting.attribute).collect();
        policy.said.retain(|attribute| reader.value(attribute).is_some());
        policy.idle = idle::find(&policy, &reader);
        Ok(policy)
    }

    /// What holds where a policy cannot be read: nonsense is refused where a policy is written, but should some be there all
    /// the same, it must not open anything.
    pub fn strict(entry: &Entry, origin: &str, schema: &Schema) -> Self {
        let reader = Reader::new(entry, schema);
        // Whom it was meant for, as far as that can be told: then it comes after all that can be read.
        let (precedence, applies) = match Applies::read(&reader) {
            Ok(applies) => (reader.number("pwdPrecedence").ok().flatten(), applies),
            Err(_) => (None, Some(Applies::readable_part(&reader))),
        };
        let strict = Self {
            origin: origin.to_owned(),
            pwd_min_length: 15,
            pwd_check_quality: CheckQuality::Enforced,
            pwd_safe_modify: true,
            pwd_lockout: true,
            pwd_max_failure: 10,
            pwd_lockout_duration: Some(Duration::from_secs(900)),
            pwd_must_change: true,
            precedence: precedence.unwrap_or(u32::MAX),
            report_only: matches!(reader.flag("pwdReportOnly"), Ok(Some(true))),
            applies,
            ..Self::default()
        };
        let said =
            strict.settings().iter().filter(|setting| !setting.value.is_empty()).map(|it| it.attribute).collect();
        Self { said, ..strict }
    }

    /// What the draft requires of values together (§5.2), and what a person cannot have meant.
    fn check(&self) -> Result<(), PolicyError> {
        let fault = |attribute, reason: String| Err(PolicyError { attribute, reason });
        satisfiable::check(self)?;
        if let Some(max_age) = self.pwd_max_age {
            if self.pwd_min_age >= max_age {
                return fault(
                    "pwdMinAge",
                    "it must be less than pwdMaxAge, or nobody could ever change in time".into(),
                );
            }
            if self.expire_notices.last().is_some_and(|longest| *longest >= max_age) {
                return fault("pwdExpireNotice", "each must be less than pwdMaxAge".into());
            }
        }
        if self.reset_code_max_age > LONGEST_RESET_CODE {
            return fault("pwdResetCodeMaxAge", "no code is good for more than a day".to_owned());
        }
        self.check_dead_ends()?;
        if self.verified_cache.is_some_and(|life| life > MAX_VERIFIED) {
            let reason = format!("a right password is known for at most {} seconds", MAX_VERIFIED.as_secs());
            return fault("pwdVerifiedCacheSeconds", reason);
        }
        if self.in_login_history > logins::MOST {
            return fault("pwdInLoginHistory", format!("at most {} logins are kept", logins::MOST));
        }
        if self.pwd_min_delay > self.pwd_max_delay {
            return fault("pwdMinDelay", "it must not be more than pwdMaxDelay".into());
        }
        Ok(())
    }

    /// What other servers do without bounds is done within those of this one, so that their policies load unchanged; that
    /// nothing comes of the rest is [told](Idle).
    fn keep_within_bounds(&mut self) {
        self.pwd_in_history = self.pwd_in_history.min(MAX_HISTORY);
        if self.pwd_lockout {
            self.pwd_max_failure = self.pwd_max_failure.min(ABSOLUTE_LIMIT as usize);
        }
        self.pwd_min_delay = self.pwd_min_delay.min(MAX_DELAY);
        self.pwd_max_delay = self.pwd_max_delay.min(MAX_DELAY);
    }

    /// Who must change a password that they may not change is shut out.
    fn check_dead_ends(&self) -> Result<(), PolicyError> {
        let demands = [
            ("pwdMustChange", self.pwd_must_change),
            ("pwdRehashDeadline", self.rehash_deadline.is_some()),
            ("pwdBreachAction", self.breach_action == BreachAction::MustChange),
        ];
        match demands.into_iter().find(|(_, demands_change)| *demands_change) {
            Some((attribute, _)) if !self.pwd_allow_user_change => {
                let reason =
                    "with pwdAllowUserChange FALSE, those who must change their passwords could not".to_owned();
                Err(PolicyError { attribute, reason })
            }
            _ => Ok(()),
        }
    }

    /// How many wrong passwords lock the account, if any do.
    pub const fn lockout_limit(&self) -> Option<usize> {
        if self.pwd_lockout && self.pwd_max_failure > 0 { Some(self.pwd_max_failure) } else { None }
    }

    /// When the lock ends; `None` if only an administrator ends it.
    pub fn lock_ends(&self, lock: Lock) -> Option<Timestamp> {
        match lock {
            Lock::Exhausted | Lock::ByAdministrator(_) => None,
            Lock::Since(time) => self.pwd_lockout_duration.map(|duration| time.saturating_add(duration)),
        }
    }

    /// Whether the lock holds at that time.
    pub fn is_locked(&self, lock: Option<Lock>, now: Timestamp) -> bool {
        lock.is_some_and(|lock| self.lock_ends(lock).is_none_or(|end| now < end))
    }

    /// When the password ends; `None` if it does not.
    pub fn expires(&self, account: &Account) -> Option<Timestamp> {
        account.changed.zip(self.pwd_max_age).map(|(changed, age)| changed.saturating_add(age))
    }

    /// How long the answer to the wrong password that is the `count`th in a row is held back.
    pub fn delay(&self, count: usize) -> Duration {
        let doublings = u32::try_from(count.saturating_sub(1)).unwrap_or(u32::MAX).min(16);
        self.pwd_min_delay.saturating_mul(1 << doublings).min(self.pwd_max_delay)
    }
}

/// How long a code is good where the policy says nothing (OWASP ASVS 6.5.5).
const RESET_CODE_MAX_AGE: Duration = Duration::from_secs(600);
/// NIST SP 800-63B-4 §4.2.1.2.
const LONGEST_RESET_CODE: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::{Attribute, Attributes};

    fn read(list: &[(&str, &str)]) -> Result<Policy, PolicyError> {
        let schema = Schema::standard();
        let attributes: Attributes = list
            .iter()
            .map(|(name, value)| Attribute {
                description: schema.describe(name).unwrap(),
                values: vec![value.as_bytes().to_vec()],
            })
            .collect();
        Policy::read(&Entry::encode(&attributes, &schema), "cn=default", &schema)
    }

    #[test]
    fn absent_attributes_mean_what_the_draft_says() {
        let policy = read(&[("pwdAttribute", "2.5.4.35")]).unwrap();
        assert_eq!(policy, Policy { origin: "cn=default".into(), ..Policy::default() });
        assert!(policy.pwd_allow_user_change && policy.lockout_limit().is_none());
    }

    #[test]
    fn an_openldap_policy_is_understood() {
        let policy = read(&[
            ("pwdAttribute", "userPassword"),
            ("pwdMaxAge", "7776002"),
            ("pwdExpireWarning", "432000"),
            ("pwdInHistory", "6"),
            ("pwdCheckQuality", "1"),
            ("pwdMinLength", "8"),
            ("pwdMaxFailure", "5"),
            ("pwdLockout", "TRUE"),
            ("pwdLockoutDuration", "1920"),
            ("pwdGraceAuthNLimit", "0"),
            ("pwdFailureCountInterval", "0"),
            ("pwdMustChange", "TRUE"),
            ("pwdAllowUserChange", "TRUE"),
            ("pwdSafeModify", "FALSE"),
        ])
        .unwrap();
        assert_eq!(policy.pwd_max_age, Some(Duration::from_secs(7_776_002)));
        assert_eq!((policy.lockout_limit(), policy.pwd_failure_count_interval), (Some(5), None));
        assert_eq!(policy.pwd_check_quality, CheckQuality::IfPossible);
        // Copied from one guide into many; then each bind warns.
        assert!(read(&[("pwdMaxAge", "7516800"), ("pwdExpireWarning", "14482463")]).is_ok());
    }

    #[test]
    fn nonsense_is_refused_with_the_attribute_and_the_reason() {
        let fault = |list: &[(&str, &str)]| read(list).unwrap_err().to_string();
        assert_eq!(
            fault(&[("pwdMinLength", "20"), ("pwdMaxLength", "10")]),
            "pwdMinLength: 20 is more than pwdMaxLength, 10"
        );
        assert!(fault(&[("pwdMaxAge", "-1")]).starts_with("pwdMaxAge: \"-1\" must be a whole number"));
        assert!(fault(&[("pwdCheckQuality", "3")]).contains("one of 0, 1, 2"));
        assert!(fault(&[("pwdMinAge", "100"), ("pwdMaxAge", "100")]).contains("less than pwdMaxAge"));
        assert!(fault(&[("pwdAttribute", "cn")]).contains("must be userPassword"));
        for (attribute, value) in
            [("pwdMustChange", "TRUE"), ("pwdBreachAction", "must-change"), ("pwdRehashDeadline", "20270101000000Z")]
        {
            let told = fault(&[("pwdAllowUserChange", "FALSE"), (attribute, value)]);
            assert_eq!(
                told,
                format!("{attribute}: with pwdAllowUserChange FALSE, those who must change their passwords could not")
            );
        }
        assert!(fault(&[("pwdMinDelay", "10"), ("pwdMaxDelay", "5")]).contains("pwdMaxDelay"));
        assert!(fault(&[("pwdVerifiedCacheSeconds", "3601")]).contains("at most 3600"));
        assert!(fault(&[("pwdInLoginHistory", "51")]).contains("at most 50"));
        assert!(fault(&[("pwdMinClasses", "5")]).contains("four classes"));
        assert!(fault(&[("pwdMaxSequence", "1")]).contains("at least 2"));
        assert!(fault(&[("pwdMinDifferent", "20"), ("pwdMaxLength", "16")]).contains("longer than 16"));
        assert!(fault(&[("pwdQualityProfile", "strong")]).contains("one of nist, entra, none"));
    }

    #[test]
    fn what_is_beyond_the_bounds_of_this_server_is_done_within_them_and_told() {
        let policy = read(&[
            ("pwdLockout", "TRUE"),
            ("pwdMaxFailure", "500"),
            ("pwdInHistory", "51"),
            ("pwdMinDelay", "31"),
            ("pwdMaxDelay", "3600"),
        ])
        .unwrap();
        assert_eq!((policy.lockout_limit(), policy.pwd_in_history), (Some(100), 50));
        assert_eq!((policy.pwd_min_delay.as_secs(), policy.pwd_max_delay.as_secs()), (30, 30));
        let told: Vec<String> =
            policy.idle.iter().map(|idle| idle.to_string().split(':').next().unwrap().to_owned()).collect();
        assert_eq!(
            told,
            [
                "pwdMaxFailure has no effect above 100",
                "pwdInHistory has no effect above 50",
                "pwdMinDelay has no effect above 30",
                "pwdMaxDelay has no effect above 30",
            ]
        );
        let within = [("pwdLockout", "TRUE"), ("pwdMaxFailure", "100"), ("pwdInHistory", "50"), ("pwdMinDelay", "30")];
        assert_eq!(read(&within).unwrap().idle, []);
    }

    #[test]
    fn a_lock_ends_when_the_policy_says() {
        let policy = read(&[("pwdLockoutDuration", "60")]).unwrap();
        let at = |seconds: i64| Timestamp::from_unix_micros(seconds * 1_000_000);
        assert!(policy.is_locked(Some(Lock::Since(at(100))), at(159)));
        assert!(!policy.is_locked(Some(Lock::Since(at(100))), at(160)));
        for lock in [Lock::Exhausted, Lock::ByAdministrator(None), Lock::ByAdministrator(Some(at(100)))] {
            assert!(policy.is_locked(Some(lock), at(1_000_000)), "{lock:?}");
        }
        assert!(Policy::default().is_locked(Some(Lock::Since(at(100))), at(1_000_000)));
        assert!(!policy.is_locked(None, at(0)));
    }

    #[test]
    fn delays_double_up_to_the_greatest() {
        let policy = read(&[("pwdMinDelay", "1"), ("pwdMaxDelay", "8")]).unwrap();
        let delays: Vec<_> = [1, 2, 3, 4, 5, 1000].iter().map(|count| policy.delay(*count).as_secs()).collect();
        assert_eq!(delays, [1, 2, 4, 8, 8, 8]);
    }
}
