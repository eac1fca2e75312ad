//! `keystead check`

use std::sync::Arc;

use super::{CliError, ConfigArgs, assertions, open_store, output};
use crate::access::assertion::Assertion;
use crate::access::{RuleBook, Rules};
use crate::config::Config;
use crate::directory::Dn;
use crate::directory::tree::memory::MemoryDirectory;
use crate::directory::tree::{Directory, Tree};
use crate::operations::policies::unheeded;
use crate::store::Existence;

pub(super) fn run(args: &ConfigArgs) -> Result<(), CliError> {
    let config = Config::read(&args.config)?;
    for warning in &config.warnings {
        output::complain(&format!("warning: {warning}"));
    }
    if !config.assertions.is_empty() {
        check_assertions(&config)?;
    } else if config.data.exists()
        && let Ok(store) = open_store(&config, Existence::ReadOnly)
    {
        tell_unheeded(&store.view())?;
    }
    output::say(&format!("{} is right", args.config.display()));
    Ok(())
}

/// Tries the assertions on the entries, if there is a directory; otherwise what follows from the words of the rules.
fn check_assertions(config: &Config) -> Result<(), CliError> {
    if config.data.exists() {
        let view = open_store(config, Existence::ReadOnly)?.view();
        tell_unheeded(&view)?;
        return check_on(config, &view);
    }
    let message = |error: &dyn std::fmt::Display| CliError::Message(error.to_string());
    let schema = Arc::new(config.build_schema(Vec::new()).map_err(|error| message(&error))?);
    let suffixes = config.suffixes.iter().map(|name| Dn::parse(&schema, name)).collect::<Result<Vec<_>, _>>();
    let nothing = MemoryDirectory::new(schema, suffixes.map_err(|error| message(&error))?);
    output::complain(
        "there are no entries yet: of assertions, only what follows from the words of the rules was tried",
    );
    check_on(config, &nothing.view())
}

/// Warns of policies that ask for what is not done.
fn tell_unheeded(tree: &dyn Tree) -> Result<(), CliError> {
    for warning in unheeded(tree).map_err(|error| CliError::Message(error.to_string()))? {
        output::complain(&format!("warning: {warning}"));
    }
    Ok(())
}

fn check_on(config: &Config, tree: &dyn Tree) -> Result<(), CliError> {
    let message = |error: crate::access::RuleError| CliError::Message(error.to_string());
    let rules = Rules::prepare(&config.rules, tree.schema()).map_err(message)?;
    let prepared = Assertion::prepare_all(&config.assertions, tree.schema()).map_err(message)?;
    let in_force = RuleBook::new(rules).in_force(tree).map_err(|error| CliError::Message(error.to_string()))?;
    assertions::require(&in_force.rules, &prepared, tree)
}
