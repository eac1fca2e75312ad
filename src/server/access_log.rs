//! One line for every request that was answered: who did what, how it ended and how long it took. Never what a password
//! is, never the value of a filter.

use std::time::Duration;

use tracing::{debug, info};

use crate::directory::ResultCode;
use crate::protocol::Operation;

/// One request that was answered.
pub(super) struct Line<'a> {
    pub(super) connection: u64,
    pub(super) operation: Operation,
    pub(super) who: &'a str,
    pub(super) target: &'a str,
    pub(super) code: ResultCode,
    pub(super) took: Duration,
}

/// Writes a line. Searches and compares are told to whoever wants to know everything; what changes or tries something,
/// always.
pub(super) fn write(line: &Line<'_>) {
    let Line { connection, operation, who, target, code, took } = line;
    let (op, code, us) = (operation.name(), code.name(), took.as_micros());
    match operation {
        Operation::Search | Operation::Compare => {
            debug!(target: "access", conn = connection, op, who, target, code, us);
        }
        _ => info!(target: "access", conn = connection, op, who, target, code, us),
    }
}
