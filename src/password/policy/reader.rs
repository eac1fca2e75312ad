//! Reading the attributes of a policy entry, with the reason where that cannot be done.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{
    BreachAction, CheckQuality, DEFAULT_RECORDED, ForbidNames, LiveConnections, MustChangeBind, PolicyError,
    QualityProfile,
};
use crate::directory::schema::Schema;
use crate::directory::{Entry, Timestamp};
use crate::password::scram::{LEAST_ITERATIONS, MOST_ITERATIONS};

const MAX_RECORDED: usize = 100;
const MAX_NOTICES: usize = 16;

/// An entry that is read as a policy.
pub(super) struct Reader<'a> {
    entry: &'a Entry,
    pub(super) schema: &'a Schema,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(entry: &'a Entry, schema: &'a Schema) -> Self {
        Self { entry, schema }
    }

    pub(super) fn value(&self, name: &str) -> Option<&'a str> {
        self.entry.first_text(self.schema.find_attribute_type(name)?.id)
    }

    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        let Some(attribute) = self.schema.find_attribute_type(name) else { return Vec::new() };
        self.entry.values(attribute.id).map(|value| String::from_utf8_lossy(value).into_owned()).collect()
    }

    pub(super) fn number(&self, attribute: &'static str) -> Result<Option<u32>, PolicyError> {
        let Some(text) = self.value(attribute) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| not_whole(attribute, text))
    }

    /// How long before the end of a password that is told, the shortest first.
    pub(super) fn expire_notices(&self) -> Result<Vec<Duration>, PolicyError> {
        let attribute = "pwdExpireNotice";
        let texts = self.texts(attribute);
        if texts.len() > MAX_NOTICES {
            let reason = format!("at most {MAX_NOTICES}, since each is told of every password");
            return Err(PolicyError { attribute, reason });
        }
        let parse = |text: &String| text.parse::<u32>().map_err(|_| not_whole(attribute, text));
        let seconds = texts.iter().map(parse).collect::<Result<BTreeSet<_>, _>>()?;
        Ok(seconds.into_iter().map(|seconds| Duration::from_secs(seconds.into())).collect())
    }

    pub(super) fn count(&self, attribute: &'static str) -> Result<Option<usize>, PolicyError> {
        Ok(self.number(attribute)?.map(|number| number as usize))
    }

    pub(super) fn seconds(&self, attribute: &'static str) -> Result<Option<Duration>, PolicyError> {
        let seconds = self.number(attribute)?.filter(|seconds| *seconds > 0);
        Ok(seconds.map(|seconds| Duration::from_secs(u64::from(seconds))))
    }

    pub(super) fn time(&self, attribute: &'static str) -> Result<Option<Timestamp>, PolicyError> {
        let Some(text) = self.value(attribute) else { return Ok(None) };
        let time = Timestamp::parse(text.as_bytes());
        let reason = || format!("{text:?} must be a time such as 20270101000000Z");
        time.map(Some).ok_or_else(|| PolicyError { attribute, reason: reason() })
    }

    pub(super) fn flag(&self, attribute: &'static str) -> Result<Option<bool>, PolicyError> {
        match self.value(attribute) {
            None => Ok(None),
            Some("TRUE") => Ok(Some(true)),
            Some("FALSE") => Ok(Some(false)),
            Some(text) => Err(PolicyError { attribute, reason: format!("{text:?} must be TRUE or FALSE") }),
        }
    }

    pub(super) fn word<T>(&self, attribute: &'static str, words: &[(&str, T)]) -> Result<T, PolicyError>
    where
        T: Copy + Default,
    {
        let Some(text) = self.value(attribute) else { return Ok(T::default()) };
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            PolicyError { attribute, reason: format!("{text:?} must be one of {}", known.join(", ")) }
        })
    }

    pub(super) fn check_quality(&self) -> Result<CheckQuality, PolicyError> {
        let levels = [("0", CheckQuality::Off), ("1", CheckQuality::IfPossible), ("2", CheckQuality::Enforced)];
        self.word("pwdCheckQuality", &levels)
    }

    pub(super) fn quality_profile(&self) -> Result<QualityProfile, PolicyError> {
        let profiles =
            [("nist", QualityProfile::Nist), ("entra", QualityProfile::Entra), ("none", QualityProfile::None)];
        self.word("pwdQualityProfile", &profiles)
    }

    pub(super) fn breach_action(&self) -> Result<BreachAction, PolicyError> {
        let actions =
            [("none", BreachAction::None), ("notify", BreachAction::Notify), ("must-change", BreachAction::MustChange)];
        self.word("pwdBreachAction", &actions)
    }

    pub(super) fn must_change_bind(&self) -> Result<MustChangeBind, PolicyError> {
        self.word("pwdMustChangeBind", &[("restrict", MustChangeBind::Restrict), ("fail", MustChangeBind::Fail)])
    }

    /// As many as RFC 7677 demands at least.
    pub(super) fn scram_iterations(&self) -> Result<Option<u32>, PolicyError> {
        let attribute = "pwdScramIterations";
        let wanted = self.number(attribute)?.filter(|count| *count > 0);
        if wanted.is_none_or(|count| (LEAST_ITERATIONS..=MOST_ITERATIONS).contains(&count)) {
            return Ok(wanted);
        }
        let reason = format!("from {LEAST_ITERATIONS} to {MOST_ITERATIONS}, or 0 to keep no keys");
        Err(PolicyError { attribute, reason })
    }

    pub(super) fn forbid_names(&self) -> Result<ForbidNames, PolicyError> {
        let words = [("none", ForbidNames::None), ("whole", ForbidNames::Whole), ("contained", ForbidNames::Contained)];
        self.word("pwdForbidNames", &words)
    }

    pub(super) fn live_connections(&self, attribute: &'static str) -> Result<LiveConnections, PolicyError> {
        let words =
            [("end", LiveConnections::End), ("restrict", LiveConnections::Restrict), ("leave", LiveConnections::Leave)];
        self.word(attribute, &words)
    }

    /// At least as many as lock the account, so that the count survives a restart.
    pub(super) fn recorded(&self, max_failure: usize) -> Result<usize, PolicyError> {
        let wanted = self.count("pwdMaxRecordedFailure")?.filter(|count| *count > 0);
        Ok(wanted.unwrap_or(DEFAULT_RECORDED).max(max_failure).min(MAX_RECORDED))
    }

    /// `pwdAttribute` names the attribute that the policy is for, and there is one only.
    pub(super) fn check_attribute(&self) -> Result<(), PolicyError> {
        let Some(name) = self.value("pwdAttribute") else { return Ok(()) };
        let named = self.schema.find_attribute_type(name).map(|attribute| attribute.id);
        if named == Some(self.schema.known().user_password) {
            return Ok(());
        }
        Err(PolicyError { attribute: "pwdAttribute", reason: format!("{name:?} must be userPassword") })
    }
}

fn not_whole(attribute: &'static str, text: &str) -> PolicyError {
    PolicyError { attribute, reason: format!("{text:?} must be a whole number from 0 to {}", u32::MAX) }
}
