//! `keystead check`

use std::sync::Arc;

use super::{CliError, ConfigArgs, assertions, complain_of_access, open_store, output, rule_names};
use crate::access::assertion::Assertion;
use crate::access::delegated::InForce;
use crate::access::{RuleBook, Rules};
use crate::config::Config;
use crate::directory::Dn;
use crate::directory::tree::memory::MemoryDirectory;
use crate::directory::tree::{Directory, Tree};
use crate::operations::policies::unheeded;
use crate::store::{Existence, OpenError};

pub(super) fn run(args: &ConfigArgs) -> Result<(), CliError> {
    let config = Config::read(&args.config)?;
    for warning in &config.warnings {
        output::complain(&format!("warning: {warning}"));
    }
    complain_of_access(&config);
    match (config.data.exists(), config.assertions.is_empty()) {
        (true, nothing_asserted) => match open_store(&config, Existence::ReadOnly) {
            Ok(store) => check_on(&config, &store.view())?,
            Err(error @ CliError::Open(OpenError::OtherSuffix { .. })) => return Err(error),
            Err(error) if nothing_asserted => {
                output::complain(&format!("warning: whether rules name entries that exist was not tried: {error}"));
            }
            Err(error) => return Err(error),
        },
        (false, false) => check_words(&config)?,
        (false, true) => {}
    }
    output::say(&format!("{} is right", args.config.display()));
    Ok(())
}

/// Tries the assertions where there are no entries yet: what follows from the words of the rules.
fn check_words(config: &Config) -> Result<(), CliError> {
    let message = |error: &dyn std::fmt::Display| CliError::Message(error.to_string());
    let schema = Arc::new(config.build_schema(Vec::new()).map_err(|error| message(&error))?);
    let suffixes = config.suffixes.iter().map(|name| Dn::parse(&schema, name)).collect::<Result<Vec<_>, _>>();
    let nothing = MemoryDirectory::new(schema, suffixes.map_err(|error| message(&error))?);
    output::complain(
        "there are no entries yet: of assertions, only what follows from the words of the rules was tried",
    );
    let tree = nothing.view();
    let (rules, assertions) = in_force(config, &tree)?;
    // Which groups there will be nobody knows yet.
    assertions::require(&rules.rules, &assertions, &tree, &|_| {})
}

/// Warns of policies that ask for what is not done.
fn tell_unheeded(tree: &dyn Tree) -> Result<(), CliError> {
    for warning in unheeded(tree).map_err(|error| CliError::Message(error.to_string()))? {
        output::complain(&format!("warning: {warning}"));
    }
    Ok(())
}

/// Tries the assertions on the entries, and whether the names in rules are those of entries.
fn check_on(config: &Config, tree: &dyn Tree) -> Result<(), CliError> {
    tell_unheeded(tree)?;
    let (rules, assertions) = in_force(config, tree)?;
    let tell = |told: &str| output::complain(&format!("warning: {told}"));
    rules.suspended.iter().for_each(|one| tell(&one.to_string()));
    let rules = &rules.rules;
    rule_names::require(rules, tree, &tell)?;
    assertions::require(rules, &assertions, tree, &tell)
}

/// The rules of the configuration and of a tree, and the assertions.
fn in_force(config: &Config, tree: &dyn Tree) -> Result<(Arc<InForce>, Vec<Assertion>), CliError> {
    let message = |error: crate::access::RuleError| CliError::Message(error.to_string());
    let rules = Rules::prepare(&config.rules, tree.schema()).map_err(message)?;
    let prepared = Assertion::prepare_all(&config.assertions, tree.schema()).map_err(message)?;
    let in_force = RuleBook::new(rules, config.limits.rules)
        .in_force(tree)
        .map_err(|error| CliError::Message(error.to_string()))?;
    Ok((in_force, prepared))
}
