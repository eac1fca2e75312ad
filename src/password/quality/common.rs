//! Passwords that everybody tries first.

/// Passwords that everybody tries first, lower-case, one a line; `#` begins a comment.
const COMMON: &str = include_str!("common.txt");

/// All of them, lower-case.
pub(super) fn words() -> impl Iterator<Item = &'static str> {
    COMMON.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}
