//! Whether rules grant what `[[assert]]` says they must not.

use std::sync::Arc;

use super::CliError;
use crate::access::assertion::Assertion;
use crate::access::names::nobody_asserted;
use crate::access::violation::{Counterexample, violations};
use crate::access::withheld::Withheld;
use crate::access::{RuleBook, Rules};
use crate::directory::tree::memory::MemoryDirectory;
use crate::directory::tree::{Directory, Tree, TreeError};
use crate::server::Clock;

/// Tells of groups that assertions name and that do not exist, and requires that every assertion holds, or tells for whom it
/// does not.
pub(super) fn require(
    rules: &Rules,
    assertions: &[Assertion],
    tree: &dyn Tree,
    tell: &dyn Fn(&str),
) -> Result<(), CliError> {
    tell_of_nobody(assertions, tree, tell)?;
    require_none(&violations(rules, assertions, Clock::default().now(), tree).map_err(|error| unreadable(&error))?)
}

/// The rules that a server leaves out of force when it starts, since they break an assertion by what entries hold. What breaks
/// one by its words alone is a mistake in the configuration.
pub(super) fn withheld_at_start(
    rules: &RuleBook,
    assertions: &[Assertion],
    tree: &dyn Tree,
    tell: &dyn Fn(&str),
) -> Result<Vec<Withheld>, CliError> {
    tell_of_nobody(assertions, tree, tell)?;
    let withheld = rules.to_withhold(assertions, Clock::default().now(), tree).map_err(|error| unreadable(&error))?;
    if withheld.is_empty() {
        return Ok(withheld);
    }
    let nothing = MemoryDirectory::new(Arc::clone(tree.schema()), tree.suffixes().to_vec());
    let by_words = violations(rules.written(), assertions, Clock::default().now(), &nothing.view());
    let by_words = by_words.map_err(|error| unreadable(&error))?;
    let is_mistake = |example: &Counterexample| {
        let of = |one: &Counterexample| (one.assertion.clone(), one.rule.clone(), one.rule_source.clone());
        by_words.iter().any(|word| of(word) == of(example))
    };
    require_none(&withheld.iter().map(|one| one.example.clone()).filter(is_mistake).collect::<Vec<_>>())?;
    Ok(withheld)
}

/// The same of a configuration that is read again: no rule breaks an assertion that did not do so `before`.
pub(super) fn withheld_anew(
    rules: &RuleBook,
    assertions: &[Assertion],
    before: &[Withheld],
    tree: &dyn Tree,
    tell: &dyn Fn(&str),
) -> Result<Vec<Withheld>, CliError> {
    tell_of_nobody(assertions, tree, tell)?;
    let withheld = rules.to_withhold(assertions, Clock::default().now(), tree).map_err(|error| unreadable(&error))?;
    let is_new = |one: &&Withheld| !before.iter().any(|known| known.is_as(one));
    require_none(&withheld.iter().filter(is_new).map(|one| one.example.clone()).collect::<Vec<_>>())?;
    Ok(withheld)
}

fn tell_of_nobody(assertions: &[Assertion], tree: &dyn Tree, tell: &dyn Fn(&str)) -> Result<(), CliError> {
    for one in nobody_asserted(assertions, tree).map_err(|error| unreadable(&error))? {
        tell(&one.to_string());
    }
    Ok(())
}

fn require_none(found: &[Counterexample]) -> Result<(), CliError> {
    let told: Vec<String> = found.iter().map(ToString::to_string).collect();
    if told.is_empty() { Ok(()) } else { Err(CliError::Message(told.join("\n"))) }
}

fn unreadable(error: &TreeError) -> CliError {
    CliError::Message(format!("the store cannot be read: {error}"))
}
