//! What whoever sets somebody's password says beside it: two controls of Keystead's own. Their values are plain text, so that
//! any client can send them, and a person with `ldappasswd -e`, too.

use std::fmt;
use std::time::Duration;

use super::{Controls, RawControl};
use crate::directory::Timestamp;

/// What is said beside a new password.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ResetWishes {
    /// Why it is set, for the record: "forgotten, ticket 4711". Empty if nothing is said.
    pub reason: String,
    /// How it is set; absent if the policy alone says.
    pub options: Option<ResetOptions>,
}

/// How the password of somebody else is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ResetOptions {
    /// What is given out.
    pub given: GivenOut,
    /// Whether its owner must change it; absent if the policy says.
    pub must_change: Option<bool>,
    /// How long it is good, if shorter than the policy says.
    pub lifetime: Option<Duration>,
    /// For how many binds it is good, if fewer than the policy says.
    pub uses: Option<u32>,
    /// From when on it is good; absent if at once.
    pub valid_from: Option<Timestamp>,
    /// Which rules of the policy it need not follow.
    pub skipped: Skipped,
}

/// Why a word cannot be taken that says how a password is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum WordFault {
    /// There is no such word.
    #[error(
        "is unknown there; use code, must-change, need-not-change, lifetime=SECONDS, uses=BINDS, valid-from=TIME or \
         skip=quality,history"
    )]
    Unknown,
    /// Another word says the same, or the contrary.
    #[error("stands there twice, or beside its contrary")]
    Repeated,
    /// It has no value, or one that means nothing.
    #[error(
        "has a wrong value: lifetime and uses take a number from 1 on, valid-from a time as 20261201080000Z, skip takes \
         quality, history or both with a comma, and other words take none"
    )]
    Value,
}

/// Rules that are left aside for once, by whoever may do that.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Skipped {
    /// What the password is.
    pub quality: bool,
    /// Whether it was had before.
    pub history: bool,
}

impl Skipped {
    /// Whether every rule holds.
    pub const fn is_empty(self) -> bool {
        !self.quality && !self.history
    }

    /// Words between commas: `quality`, `history`, each at most once.
    fn parse(words: &str) -> Result<Self, WordFault> {
        let mut skipped = Self::default();
        for word in words.split(',') {
            let rule = match word {
                "quality" => &mut skipped.quality,
                "history" => &mut skipped.history,
                _ => return Err(WordFault::Value),
            };
            if std::mem::replace(rule, true) {
                return Err(WordFault::Repeated);
            }
        }
        Ok(skipped)
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = [(self.quality, "quality"), (self.history, "history")];
        let names: Vec<&str> = rules.into_iter().filter_map(|(is_skipped, name)| is_skipped.then_some(name)).collect();
        f.write_str(&names.join(", "))
    }
}

/// What is given out to somebody who has no password.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum GivenOut {
    /// A password.
    #[default]
    Password,
    /// A code that is good for one change by its owner.
    Code,
}

/// A reason is a sentence.
const LONGEST_REASON: usize = 500;

/// Why the password is set: UTF-8 text without control characters, of at most 500 octets.
pub(super) fn reason(controls: &mut Controls, control: &RawControl) -> Option<()> {
    let text = std::str::from_utf8(control.value.as_ref()?).ok()?.trim();
    if text.is_empty() || text.len() > LONGEST_REASON || text.chars().any(char::is_control) {
        return None;
    }
    text.clone_into(&mut wishes(controls).reason);
    Some(())
}

/// How the password is set: words between spaces.
pub(super) fn options(controls: &mut Controls, control: &RawControl) -> Option<()> {
    let text = std::str::from_utf8(control.value.as_ref()?).ok()?;
    let mut options = ResetOptions::default();
    for word in text.split_ascii_whitespace() {
        options.take(word).ok()?;
    }
    wishes(controls).options = Some(options);
    Some(())
}

/// So much of a word is told.
const LONGEST_WORD: usize = 40;

/// The first word of such a value that cannot be taken, or its beginning, and why not.
pub(super) fn unfit_word(control: &RawControl) -> Option<(String, WordFault)> {
    let text = std::str::from_utf8(control.value.as_ref()?).ok()?;
    let mut options = ResetOptions::default();
    let mut unfit = text.split_ascii_whitespace().filter_map(|word| Some((word, options.take(word).err()?)));
    let (word, fault) = unfit.next()?;
    Some((word.chars().take(LONGEST_WORD).collect(), fault))
}

fn wishes(controls: &mut Controls) -> &mut ResetWishes {
    controls.rare_mut().reset.get_or_insert_default()
}

impl ResetOptions {
    /// What is said of the life of the password, in the words of the control: `need-not-change`, `lifetime=3600 uses=1`.
    pub fn of_life(&self) -> String {
        let must_change = self.must_change.map(|must| if must { "must-change" } else { "need-not-change" }.to_owned());
        let lifetime = self.lifetime.map(|lifetime| format!("lifetime={}", lifetime.as_secs()));
        let uses = self.uses.map(|uses| format!("uses={uses}"));
        let valid_from = self.valid_from.map(|from| format!("valid-from={from}"));
        [must_change, lifetime, uses, valid_from].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// `code`, `must-change`, `need-not-change`, `lifetime=SECONDS`, `uses=BINDS`, `valid-from=TIME`, `skip=RULE,...`: each at
    /// most once.
    fn take(&mut self, word: &str) -> Result<(), WordFault> {
        let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0).ok_or(WordFault::Value);
        let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        let is_new = match (name, value) {
            ("code", None) => std::mem::replace(&mut self.given, GivenOut::Code) == GivenOut::Password,
            ("must-change", None) => self.must_change.replace(true).is_none(),
            ("need-not-change", None) => self.must_change.replace(false).is_none(),
            ("lifetime", Some(seconds)) => {
                self.lifetime.replace(Duration::from_secs(number(seconds)?.into())).is_none()
            }
            ("uses", Some(binds)) => self.uses.replace(number(binds)?).is_none(),
            ("valid-from", Some(time)) => {
                let time = Timestamp::parse(time.as_bytes()).ok_or(WordFault::Value)?;
                self.valid_from.replace(time).is_none()
            }
            ("skip", Some(rules)) => std::mem::replace(&mut self.skipped, Skipped::parse(rules)?).is_empty(),
            ("code" | "must-change" | "need-not-change" | "lifetime" | "uses" | "valid-from" | "skip", _) => {
                return Err(WordFault::Value);
            }
            _ => return Err(WordFault::Unknown),
        };
        if is_new { Ok(()) } else { Err(WordFault::Repeated) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(value: Option<&str>) -> RawControl {
        RawControl { oid: "".into(), critical: true, value: value.map(|text| text.to_owned().into()) }
    }

    fn options_of(text: &str) -> Option<ResetOptions> {
        let mut controls = Controls::default();
        options(&mut controls, &control(Some(text)))?;
        controls.rare().reset.as_ref()?.options
    }

    fn reason_of(text: &str) -> Option<String> {
        let mut controls = Controls::default();
        reason(&mut controls, &control(Some(text)))?;
        controls.rare().reset.as_ref().map(|wishes| wishes.reason.clone())
    }

    #[test]
    fn options_are_words_between_spaces() {
        assert_eq!(options_of(""), Some(ResetOptions::default()));
        let code = ResetOptions { given: GivenOut::Code, ..ResetOptions::default() };
        assert_eq!(options_of(" code "), Some(code));
        let lifetime = Some(Duration::from_secs(3600));
        let all = ResetOptions { must_change: Some(true), lifetime, uses: Some(1), ..ResetOptions::default() };
        assert_eq!(options_of("uses=1 must-change lifetime=3600"), Some(all));
        assert_eq!(options_of("need-not-change").unwrap().must_change, Some(false));
        let from = options_of("valid-from=20261201080000Z").unwrap().valid_from.unwrap();
        assert_eq!(from.to_string(), "20261201080000Z");
        let of_life = |text| options_of(text).unwrap().of_life();
        let all = "must-change lifetime=3600 uses=1 valid-from=20261201080000Z";
        assert_eq!(of_life("valid-from=20261201080000Z uses=1 lifetime=3600 must-change skip=quality"), all);
        assert_eq!((of_life("need-not-change"), of_life("code")), ("need-not-change".into(), String::new()));
        let skipped = |text| options_of(text).unwrap().skipped.to_string();
        assert_eq!(
            (skipped("skip=history"), skipped("skip=history,quality")),
            ("history".into(), "quality, history".into())
        );
        assert_eq!((skipped("uses=1"), Skipped::default().is_empty()), (String::new(), true));
    }

    #[test]
    fn the_word_that_means_nothing_is_named() {
        let unfit = |text: &str| unfit_word(&control(Some(text)));
        for (text, word, fault) in [
            ("must-change codes", "codes", WordFault::Unknown),
            ("length=3", "length=3", WordFault::Unknown),
            ("uses=1 must-change uses=2", "uses=2", WordFault::Repeated),
            ("must-change need-not-change", "need-not-change", WordFault::Repeated),
            ("code code", "code", WordFault::Repeated),
            ("skip=history,history", "skip=history,history", WordFault::Repeated),
            ("lifetime=soon", "lifetime=soon", WordFault::Value),
            ("uses", "uses", WordFault::Value),
            ("uses=0", "uses=0", WordFault::Value),
            ("code=1", "code=1", WordFault::Value),
            ("valid-from=tomorrow", "valid-from=tomorrow", WordFault::Value),
            ("skip=approval", "skip=approval", WordFault::Value),
        ] {
            assert_eq!(unfit(text), Some((word.to_owned(), fault)), "{text}");
        }
        assert_eq!(unfit(&"x".repeat(1000)).map(|(word, _)| word.len()), Some(40));
        assert_eq!((unfit("code"), unfit_word(&control(None))), (None, None));
    }

    #[test]
    fn what_is_unknown_twice_or_contradictory_is_malformed() {
        for wrong in [
            "codes",
            "Code",
            "code code",
            "must-change need-not-change",
            "lifetime",
            "lifetime=0",
            "lifetime=-1",
            "lifetime=1h",
            "lifetime=99999999999",
            "uses=",
            "uses=1 uses=2",
            "must-change=yes",
            "skip",
            "skip=",
            "skip=quality,",
            "skip=quality,quality",
            "skip=quality skip=history",
            "skip=approval",
            "valid-from=",
            "valid-from=tomorrow",
            "valid-from=2026-12-01",
            "valid-from=20261201080000Z valid-from=20261201080000Z",
        ] {
            assert_eq!(options_of(wrong), None, "{wrong}");
        }
        assert_eq!(options(&mut Controls::default(), &control(None)), None);
    }

    #[test]
    fn a_reason_is_a_line_of_text() {
        assert_eq!(reason_of(" forgotten, ticket #4711 ").as_deref(), Some("forgotten, ticket #4711"));
        assert_eq!(reason_of(&"ü".repeat(250)).map(|text| text.len()), Some(500));
        for wrong in ["", "  ", "two\nlines", "\u{1b}[31m", &"ü".repeat(251)] {
            assert_eq!(reason_of(wrong), None, "{wrong:?}");
        }
        assert_eq!(reason(&mut Controls::default(), &control(None)), None);
    }
}
