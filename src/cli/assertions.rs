//! Whether rules grant what `[[assert]]` says they must not.

use super::CliError;
use crate::access::Rules;
use crate::access::assertion::Assertion;
use crate::access::names::nobody_asserted;
use crate::access::violation::violations;
use crate::directory::tree::Tree;
use crate::server::Clock;

/// Tells of groups that assertions name and that do not exist, and requires that every assertion holds, or tells for whom it
/// does not.
pub(super) fn require(
    rules: &Rules,
    assertions: &[Assertion],
    tree: &dyn Tree,
    tell: &dyn Fn(&str),
) -> Result<(), CliError> {
    let unreadable = |error| CliError::Message(format!("the store cannot be read: {error}"));
    for one in nobody_asserted(assertions, tree).map_err(unreadable)? {
        tell(&one.to_string());
    }
    let found = violations(rules, assertions, Clock::default().now(), tree).map_err(unreadable)?;
    let told: Vec<String> = found.iter().map(ToString::to_string).collect();
    if told.is_empty() { Ok(()) } else { Err(CliError::Message(told.join("\n"))) }
}
