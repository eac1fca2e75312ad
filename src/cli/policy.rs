//! `keystead policy`: what would become of a policy.

mod simulate;
mod supposed;
mod tally;

use clap::{Args, Subcommand};

use super::CliError;

#[derive(Debug, Args)]
pub(super) struct PolicyArgs {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// Tell whom a policy would govern and what would become of them, before it is in force; nothing is changed.
    ///
    /// The file holds policies as they would be added, or changes of policies (changetype: modify, delete), as ldapadd and
    /// ldapmodify take them. They are checked as these are.
    Simulate(simulate::SimulateArgs),
}

pub(super) fn run(args: &PolicyArgs) -> Result<(), CliError> {
    match &args.command {
        PolicyCommand::Simulate(args) => simulate::run(args),
    }
}
