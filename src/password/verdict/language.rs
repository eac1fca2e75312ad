//! The languages in which people are told what is wrong with a password.

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
}
