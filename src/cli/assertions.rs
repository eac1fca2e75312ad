//! Whether rules grant what `[[assert]]` says they must not.

use super::CliError;
use crate::access::Rules;
use crate::access::assertion::Assertion;
use crate::access::violation::violations;
use crate::directory::tree::Tree;
use crate::server::Clock;

/// Requires that every assertion holds, or tells for whom it does not.
pub(super) fn require(rules: &Rules, assertions: &[Assertion], tree: &dyn Tree) -> Result<(), CliError> {
    let found = violations(rules, assertions, Clock::default().now(), tree);
    let found = found.map_err(|error| CliError::Message(format!("the store cannot be read: {error}")))?;
    let told: Vec<String> = found.iter().map(ToString::to_string).collect();
    if told.is_empty() { Ok(()) } else { Err(CliError::Message(told.join("\n"))) }
}
