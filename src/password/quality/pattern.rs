//! Patterns: what fingers type along rows of keys, and what repeats itself.
//!
//! A password is looked at as a whole. It is taken apart into runs, each of which is a pattern, and characters that belong
//! to none; it is a pattern only if hardly any of those are left over. What is unpredictable stays so, whatever stands beside
//! it.

/// So many characters that belong to no pattern hide none.
const MOST_LEFT_OVER: usize = 2;

/// So many signs, numbers and years around a word hide nothing: a PIN, or a year with two signs.
const MOST_DECORATIONS: usize = 4;

/// So many characters beside blanks are as good as none.
const MOST_BESIDE_BLANKS: usize = 4;

/// Fewer characters in a row say nothing.
const SHORTEST: usize = 3;

/// Longer pieces that are repeated are not a matter of fingers.
const LONGEST_UNIT: usize = 3;

/// Whether a folded password is nothing but patterns, or nearly: repetitions, rows of keys, years, blanks.
pub(super) fn is_pattern(text: &[char]) -> bool {
    if is_nearly_blank(text) {
        return true;
    }
    let left_over = fewest(text, Count::LeftOver);
    // One character in four at most, so that a short password is not condemned for a half of it.
    text.len() > SHORTEST && left_over <= MOST_LEFT_OVER && left_over * 4 <= text.len()
}

/// Whether a password consists of blanks, with hardly anything between them.
pub(super) fn is_nearly_blank(text: &[char]) -> bool {
    let blanks = text.iter().filter(|c| is_blank(**c)).count();
    let others = text.len() - blanks;
    others <= MOST_BESIDE_BLANKS && blanks > others
}

/// Whether what stands around a word is no more than decoration.
pub(super) fn is_decoration<'t>(around: impl IntoIterator<Item = &'t [char]>) -> bool {
    around.into_iter().map(|text| fewest(text, Count::Pieces)).sum::<usize>() <= MOST_DECORATIONS
}

/// Whether a character leaves no ink: what is white, what controls, and what has no width.
pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}'
            | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}')
}

/// What is counted when a text is taken apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Count {
    /// Characters that belong to no pattern.
    LeftOver,
    /// These, and the patterns.
    Pieces,
}

/// The fewest in whichever way the text is taken apart.
fn fewest(text: &[char], count: Count) -> usize {
    let mut least = vec![usize::MAX; text.len() + 1];
    if let Some(start) = least.first_mut() {
        *start = 0;
    }
    let of_pattern = usize::from(count == Count::Pieces);
    for start in 0..text.len() {
        let (_, rest) = text.split_at(start);
        let before = least.get(start).copied().unwrap_or_default();
        let mut reach = |length: usize, cost: usize| {
            if let Some(end) = least.get_mut(start + length) {
                *end = (*end).min(before + cost);
            }
        };
        reach(1, 1);
        for (shortest, longest) in patterns_at(rest) {
            // The next pattern may begin where this one has not ended, by less than the shortest.
            for length in longest.saturating_sub(SHORTEST).max(shortest)..=longest {
                reach(length, of_pattern);
            }
        }
    }
    least.last().copied().unwrap_or_default()
}

/// The patterns with which a text begins: how long each is at least, and at most.
fn patterns_at(text: &[char]) -> impl Iterator<Item = (usize, usize)> {
    let repetitions = (1..=LONGEST_UNIT).map(|unit| ((2 * unit).max(SHORTEST), repetition(text, unit)));
    let walk = ROWS.iter().map(|row| walk(text, row)).max().unwrap_or(0);
    let date = date(text);
    let all = repetitions.chain([(SHORTEST, walk), (date, date)]);
    all.filter(|(shortest, longest)| *longest > 0 && longest >= shortest)
}

/// How many characters at the beginning repeat the first `unit` ones.
fn repetition(text: &[char], unit: usize) -> usize {
    let later = text.iter().skip(unit);
    (unit + text.iter().zip(later).take_while(|(before, after)| before == after).count()).min(text.len())
}

/// How many characters at the beginning stand beside each other in a row, in either direction.
fn walk(text: &[char], row: &str) -> usize {
    let along = |row: &[char]| {
        let starts = (0..row.len()).filter_map(|start| row.get(start..));
        starts.map(|keys| keys.iter().zip(text).take_while(|(key, c)| key == c).count()).max().unwrap_or(0)
    };
    let mut row: Vec<char> = row.chars().collect();
    let forwards = along(&row);
    row.reverse();
    forwards.max(along(&row))
}

/// How many characters at the beginning are a year of our time, or a day of one in digits; 0 if they are not.
fn date(text: &[char]) -> usize {
    let digits: Vec<u32> = text.iter().take(8).map_while(|c| c.to_digit(10)).collect();
    let is_year = |digits: &[u32]| matches!(digits, [1, 9, ..] | [2, 0, ..]);
    let is_day = |digits: &[u32]| match digits {
        [a, b, c, d] => {
            let (first, second) = (10 * a + b, 10 * c + d);
            (1..=31).contains(&first) && (1..=31).contains(&second) && first.min(second) <= 12
        }
        _ => false,
    };
    match digits.as_slice() {
        [a, b, c, d, rest @ ..] if is_year(&[*a, *b, *c, *d]) => {
            if is_day(rest) {
                8
            } else {
                4
            }
        }
        [a, b, c, d, rest @ ..] if rest.len() == 4 && is_day(&[*a, *b, *c, *d]) && is_year(rest) => 8,
        _ => 0,
    }
}

/// Rows of the keyboard and the like, along which fingers walk: case folded, without and with shift, as keys are labelled in
/// the United States and in Germany.
const ROWS: &[&str] = &[
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop[]",
    "asdfghjkl;'",
    "zxcvbnm,./",
    "qwertzuiopü",
    "asdfghjklöä",
    "yxcvbnm,.-",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "!@#$%^&*()_+",
    "!\"§$%&/()=?",
    "qazwsxedcrfvtgbyhnujmikolp",
    "qaywsxedcrfvtgbzhnujmikolp",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    "1qay2wsx3edc4rfv5tgb6zhn7ujm8ik,9ol.0pö-",
    "!qaz@wsx#edc$rfv%tgb^yhn&ujm*ik<(ol>)p:?",
    "!qay\"wsx§edc$rfv%tgb&zhn/ujm(ik;)ol:=pö_",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn chars(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    #[test]
    fn rows_repetitions_and_years_leave_nothing_over() {
        for text in ["qwertyuiopasdfgh", "poiuytrewq", "aaaa", "abcabcabca", "1984aaa", "24122019", "abcddd", "aaaabcd"]
        {
            assert_eq!(fewest(&chars(text), Count::LeftOver), 0, "{text}");
        }
        assert_eq!(fewest(&chars("19840312"), Count::Pieces), 1);
        assert_eq!(fewest(&chars("12032019"), Count::Pieces), 1);
        assert_eq!(fewest(&chars("2024!!!"), Count::Pieces), 2);
        assert_eq!(fewest(&chars("7k!"), Count::Pieces), 3);
        assert_eq!(fewest(&[], Count::Pieces), 0);
    }

    #[test]
    fn rows_are_walked_with_shift_on_american_and_german_keys() {
        for text in ["!@#$%^&*", "*&^%$#@!", "!\"§$%&/()", "yxcvbnm,.-", "qwertzuiopü", "1qay2wsx3edc", "!qaz@wsx#edc"]
        {
            assert!(is_pattern(&chars(text)), "{text}");
        }
    }

    #[test]
    fn what_is_unpredictable_is_no_pattern_whatever_stands_beside_it() {
        for text in ["abcdx7qp", "7k3v9q2m8x", "aaaa7k3v9q", "e-99812345", "abcd83920174659283710465"] {
            assert!(!is_pattern(&chars(text)), "{text}");
        }
    }

    #[test]
    fn a_long_text_is_taken_apart_soon() {
        let repeated: Vec<char> = std::iter::repeat_n('a', 4096).collect();
        assert!(is_pattern(&repeated));
    }
}
