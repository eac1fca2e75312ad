//! How different two texts are.

/// The fewest characters that must be added, taken away or replaced to make one of the other (Levenshtein 1966).
pub(super) fn edit_distance(one: &[char], other: &[char]) -> usize {
    // The distances from what has been seen of `one` to each beginning of `other`.
    let mut distances: Vec<usize> = (0..=other.len()).collect();
    for (row, c) in one.iter().enumerate() {
        let (mut diagonal, mut left) = (row, row + 1);
        if let Some(first) = distances.first_mut() {
            *first = left;
        }
        for (above, d) in distances.iter_mut().skip(1).zip(other) {
            let replaced = diagonal + usize::from(c != d);
            diagonal = *above;
            left = replaced.min(left + 1).min(diagonal + 1);
            *above = left;
        }
    }
    distances.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_added_taken_away_or_replaced_counts_once() {
        for (one, other, distance) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("abcdef", "abcdef", 0),
            ("abcdef", "abcdeg", 1),
            ("abcdef", "abcdefg", 1),
            ("abcdef", "abcde", 1),
            ("kitten", "sitting", 3),
            ("Sommer2025", "Sommer2026", 1),
            ("ängstlich", "angstlich", 1),
            ("ab", "ba", 2),
        ] {
            let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
            assert_eq!(edit_distance(&one, &other), distance, "{one:?} {other:?}");
        }
    }
}
