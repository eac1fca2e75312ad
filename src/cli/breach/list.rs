//! Reading a list of passwords, or of their hashes.

use std::io::{self, BufRead, Read};

use zeroize::Zeroizing;

use crate::password::prepare::prepare;
use crate::password::quality::filter::Key;
use crate::password::{Secret, prepare};

/// What the lines of a list are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lines {
    /// SHA-1 in hex of a password, and perhaps a colon and how often it was seen.
    Hashes {
        /// Those that were seen less often are left out.
        min_count: u64,
    },
    /// Passwords.
    Passwords,
}

/// What is wrong with a list.
#[derive(Debug, thiserror::Error)]
pub(super) enum ListError {
    /// It cannot be read.
    #[error("{0}")]
    Read(#[from] io::Error),
    /// The line is something else. It is not told what, since it may be a password.
    #[error("line {0} is not a SHA-1 in hex with or without \":COUNT\"; a list of passwords is read with --plain")]
    NotAHash(u64),
    /// The line is longer than any of a list.
    #[error("line {0} has more than {MAX_LINE} octets; is this a list?")]
    TooLong(u64),
}

/// No line is longer.
const MAX_LINE: usize = 4096;

/// Reads a list line by line.
pub(super) struct ListReader<R> {
    source: R,
    lines: Lines,
    number: u64,
    line: Zeroizing<Vec<u8>>,
}

impl<R: BufRead> ListReader<R> {
    pub(super) fn new(source: R, lines: Lines) -> Self {
        Self { source, lines, number: 0, line: Zeroizing::default() }
    }

    /// The line that was read last, from 1.
    pub(super) const fn line_number(&self) -> u64 {
        self.number
    }

    /// The next password of the list, or `None` at its end.
    pub(super) fn next_key(&mut self) -> Result<Option<Key>, ListError> {
        while self.read_line()? {
            let line = self.line.trim_ascii_end();
            let key = match self.lines {
                _ if line.is_empty() => None,
                Lines::Passwords => of_password(without_line_break(&self.line)),
                Lines::Hashes { min_count } => {
                    let (key, count) = of_hash(line).ok_or(ListError::NotAHash(self.number))?;
                    (count >= min_count).then_some(key)
                }
            };
            if key.is_some() {
                return Ok(key);
            }
        }
        Ok(None)
    }

    fn read_line(&mut self) -> Result<bool, ListError> {
        self.line.clear();
        self.number += 1;
        let read = self.source.by_ref().take(MAX_LINE as u64).read_until(b'\n', &mut self.line)?;
        if self.number == 1 && self.line.starts_with(BYTE_ORDER_MARK) {
            self.line.drain(..BYTE_ORDER_MARK.len());
        }
        if read == MAX_LINE && !self.line.ends_with(b"\n") {
            Err(ListError::TooLong(self.number))
        } else {
            Ok(read > 0)
        }
    }
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

fn without_line_break(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// What is too long for a password is none.
fn of_password(line: &[u8]) -> Option<Key> {
    let characters = std::str::from_utf8(line).map_or(line.len(), |text| text.chars().count());
    (characters <= prepare::MAX_CHARACTERS).then(|| Key::of_password(prepare(&Secret::new(line)).expose()))
}

/// The key and the count of `SHA1:COUNT`; without a count, it was seen once.
fn of_hash(line: &[u8]) -> Option<(Key, u64)> {
    let (hex, rest) = line.split_at_checked(40)?;
    let mut hash = [0; 20];
    for (octet, pair) in hash.iter_mut().zip(hex.chunks_exact(2)) {
        let [high, low] = *pair else { return None };
        *octet = digit(high)? << 4 | digit(low)?;
    }
    let count = match rest {
        [] => 1,
        [b':', count @ ..] => str::from_utf8(count).ok()?.trim().parse().ok()?,
        _ => return None,
    };
    Some((Key::of_sha1(&hash), count))
}

const fn digit(c: u8) -> Option<u8> {
    match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        b'A'..=b'F' => Some(c - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, lines: Lines) -> Result<Vec<Key>, String> {
        let mut list = ListReader::new(text.as_bytes(), lines);
        let mut keys = Vec::new();
        while let Some(key) = list.next_key().map_err(|error| error.to_string())? {
            keys.push(key);
        }
        Ok(keys)
    }

    const PASSWORD: &str = "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8";

    #[test]
    fn hashes_are_read_in_either_case_with_and_without_a_count() {
        let text = format!("\u{feff}{PASSWORD}:10\r\n{}\n\n{PASSWORD}:3", PASSWORD.to_lowercase());
        let password = Key::of_password(b"password");
        assert_eq!(read(&text, Lines::Hashes { min_count: 0 }), Ok(vec![password; 3]));
        assert_eq!(read(&text, Lines::Hashes { min_count: 4 }), Ok(vec![password]));
    }

    #[test]
    fn passwords_are_read_as_they_are_but_for_the_line_break_and_prepared() {
        let keys = read(" pass word \r\npa\u{308}ss\nx", Lines::Passwords).unwrap();
        assert_eq!(keys, [" pass word ", "päss", "x"].map(|text| Key::of_password(text.as_bytes())));
        assert_eq!(read(&"x".repeat(2000), Lines::Passwords), Ok(vec![]));
    }

    #[test]
    fn a_line_that_is_no_hash_is_told_by_its_number_and_not_shown() {
        let hashes = Lines::Hashes { min_count: 0 };
        let short = PASSWORD.get(1..).unwrap();
        for line in
            ["hunter2", short, &format!("{PASSWORD}0"), &format!("{PASSWORD}:many"), &PASSWORD.replace('A', "G")]
        {
            let error = read(&format!("{PASSWORD}:1\n{line}\n"), hashes).unwrap_err();
            assert!(error.starts_with("line 2 is not a SHA-1") && !error.contains(line), "{error}");
        }
        assert!(read(&"x".repeat(5000), hashes).unwrap_err().starts_with("line 1 has more than 4096"));
    }
}
