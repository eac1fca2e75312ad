//! The log of a server: where it goes, in which form, and how much of it.

use std::io::{self, BufWriter, IsTerminal};

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

use super::log_line::LogLine;
use crate::config::{LogFormat, LogSettings};

/// Changes how much is logged.
#[derive(Clone, Debug)]
pub(super) struct Level(reload::Handle<EnvFilter, Registry>);

impl Level {
    /// Has so much be logged from now on.
    pub(super) fn set(&self, level: &str) {
        // It fails only when nothing is logged any more.
        let _ = self.0.reload(filter(level));
    }
}

/// Starts the log. Lines are handed to a thread of its own, so that nobody who serves connections waits for whoever reads
/// them; none is left out, and what has not been written is when the guard is dropped.
pub(super) fn start(log: &LogSettings) -> (WorkerGuard, Level) {
    let colours = io::stderr().is_terminal();
    let (writer, guard) = NonBlockingBuilder::default().lossy(false).finish(BufWriter::new(io::stderr()));
    let (filter, level) = reload::Layer::new(filter(&log.level));
    let lines = fmt::layer().with_writer(writer).with_ansi(colours);
    let lines = match log.format {
        LogFormat::Text if colours => lines.boxed(),
        LogFormat::Text => lines.event_format(LogLine).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    // If something else has set up logging before, it stays.
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
    (guard, Level(level))
}

/// The protocol crate logs what it decodes, at levels that would show values.
fn filter(level: &str) -> EnvFilter {
    EnvFilter::new(format!("{level},ldap3_proto=off"))
}
