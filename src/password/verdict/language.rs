//! The languages in which people are told what is wrong with a password.

use std::time::Duration;

/// A language that there is a catalog of sentences in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Language {
    /// What everybody gets who prefers no other.
    #[default]
    English,
    /// `de`
    German,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// The language that a value of `preferredLanguage` asks for (RFC 2798 §2.7), which is written as in
    /// `Accept-Language` (RFC 9110 §12.5.4): `de-CH, en;q=0.5`. Of those that there are, the one with the greatest weight;
    /// of equal ones the first. Whoever wants none of them reads English.
    pub fn preferred(list: &str) -> Self {
        let mut best = (0, Self::default());
        for (language, weight) in list.split(',').filter_map(range) {
            if weight > best.0 {
                best = (weight, language);
            }
        }
        best.1
    }

    /// How long it takes, as people say it: rounded up to what they count in, "3 hours" rather than "10799 seconds". It stands
    /// behind "in".
    pub fn in_words(self, time: Duration) -> String {
        let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
        let units = [(86_400, "days", "Tagen"), (3_600, "hours", "Stunden"), (60, "minutes", "Minuten")];
        // Two of a unit at least: in an hour and a half there are 90 minutes.
        let unit = units.into_iter().find(|(size, ..)| seconds >= 2 * size);
        let (number, english, german) = match unit {
            Some((size, english, german)) => (seconds.div_ceil(size), english, german),
            None if seconds == 1 => (1, "second", "Sekunde"),
            None => (seconds, "seconds", "Sekunden"),
        };
        let unit = match self {
            Self::English => english,
            Self::German => german,
        };
        format!("{number} {unit}")
    }

    /// The primary subtag (RFC 5646 §2.2.1).
    const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }
}

/// One language range and its weight in thousandths: `de-CH;q=0.8`. `None` for a language that there is not.
fn range(text: &str) -> Option<(Language, u16)> {
    let (tag, parameter) = text.split_once(';').unwrap_or((text, ""));
    let primary = tag.trim().split(['-', '_']).next()?;
    let found = Language::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary));
    let language = if primary == "*" { Language::default() } else { found? };
    Some((language, weight(parameter)))
}

/// A weight as `q=0.8`; what cannot be read counts as if it were absent, since the person named the language after all.
fn weight(parameter: &str) -> u16 {
    let value = parameter.trim().strip_prefix(['q', 'Q']).and_then(|rest| rest.trim_start().strip_prefix('='));
    let Some(value) = value.map(str::trim) else { return GREATEST };
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let thousandths = format!("{fraction:0<3}");
    match (whole, thousandths.get(..3).map(str::parse::<u16>)) {
        ("0" | "", Some(Ok(thousandths))) => thousandths,
        _ => GREATEST,
    }
}

const GREATEST: u16 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_with_the_greatest_weight_is_chosen_of_those_that_there_are() {
        for (list, language) in [
            ("de", Language::German),
            ("de-AT", Language::German),
            ("DE_ch", Language::German),
            ("fr, de;q=0.7, en;q=0.3", Language::German),
            ("en;q=0.3 , de ; q=0.7", Language::German),
            ("en, de", Language::English),
            ("de, en", Language::German),
            ("en-GB;q=0.8, de;q=0.85", Language::German),
            ("*;q=0.5, de;q=0.1", Language::English),
            ("de;q=0, *", Language::English),
            ("de;q=nonsense", Language::German),
            ("fr, it", Language::English),
            ("deutsch", Language::English),
            ("de;q=0", Language::English),
            ("", Language::English),
            (",;,=;q", Language::English),
        ] {
            assert_eq!(Language::preferred(list), language, "{list:?}");
        }
    }

    #[test]
    fn times_are_told_as_people_count_them() {
        for (seconds, english, german) in [
            (0, "0 seconds", "0 Sekunden"),
            (1, "1 second", "1 Sekunde"),
            (119, "119 seconds", "119 Sekunden"),
            (120, "2 minutes", "2 Minuten"),
            (5_401, "91 minutes", "91 Minuten"),
            (10_799, "3 hours", "3 Stunden"),
            (86_400, "24 hours", "24 Stunden"),
            (172_801, "3 days", "3 Tagen"),
        ] {
            let time = Duration::from_secs(seconds);
            assert_eq!(
                (Language::English.in_words(time).as_str(), Language::German.in_words(time).as_str()),
                (english, german)
            );
        }
        assert_eq!(Language::English.in_words(Duration::from_millis(1)), "1 second");
    }
}
