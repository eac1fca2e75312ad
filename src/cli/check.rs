//! `keystead check`

use std::sync::Arc;

use super::{CliError, ConfigArgs, assertions, open_store, output};
use crate::access::assertion::Assertion;
use crate::access::{RuleBook, Rules};
use crate::config::Config;
use crate::directory::Dn;
use crate::directory::tree::memory::MemoryDirectory;
use crate::directory::tree::{Directory, Tree};
use crate::store::Existence;

pub(super) fn run(args: &ConfigArgs) -> Result<(), CliError> {
    let config = Config::read(&args.config)?;
    for warning in &config.warnings {
        output::complain(&format!("warning: {warning}"));
    }
    if !config.assertions.is_empty() {
        check_assertions(&config)?;
    }
    output::say(&format!("{} is right", args.config.display()));
    Ok(())
}

/// Tries the assertions on the entries, if there is a directory; otherwise what follows from the words of the rules.
fn check_assertions(config: &Config) -> Result<(), CliError> {
    if config.data.exists() {
        return check_on(config, &open_store(config, Existence::ReadOnly)?.view());
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

fn check_on(config: &Config, tree: &dyn Tree) -> Result<(), CliError> {
    let message = |error: crate::access::RuleError| CliError::Message(error.to_string());
    let rules = Rules::prepare(&config.rules, tree.schema()).map_err(message)?;
    let prepared = Assertion::prepare_all(&config.assertions, tree.schema()).map_err(message)?;
    let in_force = RuleBook::new(rules).in_force(tree).map_err(|error| CliError::Message(error.to_string()))?;
    assertions::require(&in_force.rules, &prepared, tree)
}
