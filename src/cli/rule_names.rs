//! Whether the names in access rules stand for somebody.

use super::CliError;
use crate::access::Rules;
use crate::access::names::{NobodyMeant, nobody_meant};
use crate::directory::tree::Tree;

/// Tells of names that stand for nobody, and requires that no rule denies something to a group of which rules know no member.
pub(super) fn require(rules: &Rules, tree: &dyn Tree, tell: &dyn Fn(&str)) -> Result<(), CliError> {
    let found = nobody_meant(rules, tree);
    let found = found.map_err(|error| CliError::Message(format!("the store cannot be read: {error}")))?;
    let (mistakes, others): (Vec<_>, Vec<_>) = found.into_iter().partition(NobodyMeant::is_mistake);
    for one in &others {
        tell(&one.to_string());
    }
    let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    if told.is_empty() { Ok(()) } else { Err(CliError::Message(told.join("\n"))) }
}
