//! `keystead check`

use super::{CliError, ConfigArgs, output};
use crate::config::Config;

pub(super) fn run(args: &ConfigArgs) -> Result<(), CliError> {
    let config = Config::read(&args.config)?;
    for warning in &config.warnings {
        output::complain(&format!("warning: {warning}"));
    }
    output::say(&format!("{} is right", args.config.display()));
    Ok(())
}
