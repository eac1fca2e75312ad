//! Words for the person in front of the terminal.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A line on standard output. If nobody reads it any more, that is no failure of what was done.
pub(super) fn say(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// A line on standard error.
pub(super) fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "keystead: {line}");
}

/// A bar that shows how far a long work is, on terminals only.
pub(super) fn progress(length: u64, template: &str) -> ProgressBar {
    let target = if io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(length), target);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
