//! The headings of the file, `[log]` and `[[listen]]`. What is wrong with one is told once, and not again with each line below it.

/// Headings that stand once.
const ONCE: [&str; 8] = ["directory", "tls", "limits", "password", "store", "audit", "log", "integrity"];
/// Headings that stand once for each thing that they are about.
const REPEATED: [&str; 8] = ["listen", "index", "unique", "constraint", "allocate", "access", "assert", "map"];

/// A heading that differs in more letters is another word.
const MOST_TYPOS: usize = 2;

/// Whether a line is a heading.
fn is_heading(line: &str) -> bool {
    line.trim_start().starts_with('[')
}

/// How many lines belong to the heading that is the first of these, it included.
pub(super) fn extent(lines: &[&str]) -> usize {
    1 + lines.iter().skip(1).take_while(|line| !is_heading(line)).count()
}

/// What is wrong with a heading, if that can be told from itself.
pub(super) fn fault(line: &str) -> Option<String> {
    let line = line.trim();
    let (inside, is_repeated) = match (line.strip_prefix("[["), line.strip_prefix('[')) {
        (Some(inside), _) => (inside, true),
        (None, inside) => (inside?, false),
    };
    let name = inside.split_once(']')?.0.trim();
    let right = written(name);
    match right {
        Some(_) if REPEATED.contains(&name) == is_repeated => None,
        Some(right) if is_repeated => Some(format!("write {right}, in one pair of brackets: it stands once")),
        Some(right) => Some(format!("write {right}, in two pairs of brackets: there may be several")),
        // Parts of a heading are not written as headings of their own.
        None if name.contains(['.', '"', '\'']) => None,
        None => Some(unknown(line, name)),
    }
}

/// How a heading of that name is written.
fn written(name: &str) -> Option<String> {
    if ONCE.contains(&name) {
        Some(format!("[{name}]"))
    } else {
        REPEATED.contains(&name).then(|| format!("[[{name}]]"))
    }
}

fn unknown(line: &str, name: &str) -> String {
    let heading = line.split_inclusive(']').take(if line.starts_with("[[") { 2 } else { 1 }).collect::<String>();
    let all = || ONCE.into_iter().chain(REPEATED);
    let distance = |known: &&str| typos(&name.to_ascii_lowercase(), known);
    let nearest = all().min_by_key(distance).filter(|known| distance(known) <= MOST_TYPOS).and_then(written);
    nearest.map_or_else(
        || format!("{heading} is not known; there are {}", all().filter_map(written).collect::<Vec<_>>().join(", ")),
        |meant| format!("{heading} is not known; did you mean {meant}?"),
    )
}

/// How many letters must be put in, left out or replaced to make one word of the other (Levenshtein).
fn typos(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (above, letter) in one.chars().enumerate() {
        let mut diagonal = above;
        let mut left = above + 1;
        for (cell, wanted) in row.iter_mut().skip(1).zip(other.chars()) {
            let replaced = diagonal + usize::from(letter != wanted);
            diagonal = *cell;
            left = replaced.min(left + 1).min(diagonal + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = above + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_that_is_right_has_no_fault() {
        for right in ["[log]", " [directory] # where", "[[listen]]", "[[ access ]]", "[access.when]", "[\"log\"]"] {
            assert!(is_heading(right));
            assert_eq!(fault(right), None, "{right}");
        }
        assert!(!is_heading("log = 1"));
    }

    #[test]
    fn a_heading_that_is_wrong_is_told_with_the_right_one() {
        for (wrong, words) in [
            ("[logs]", "[logs] is not known; did you mean [log]?"),
            ("[Log] # ]", "did you mean [log]?"),
            ("[[listens]]", "[[listens]] is not known; did you mean [[listen]]?"),
            ("[acces]", "[acces] is not known; did you mean [[access]]?"),
            ("[listen]", "write [[listen]], in two pairs of brackets"),
            ("[[limits]]", "write [limits], in one pair of brackets"),
            ("[replication]", "is not known; there are [directory], [tls],"),
        ] {
            let told = fault(wrong).unwrap();
            assert!(told.contains(words), "{wrong}: {told}");
        }
    }

    #[test]
    fn typos_are_counted() {
        let of = |one, other| typos(one, other);
        assert_eq!([of("log", "log"), of("logs", "log"), of("", "log"), of("lgo", "log")], [0, 1, 3, 2]);
        assert_eq!([of("kitten", "sitting"), of("intention", "execution")], [3, 5]);
    }
}
