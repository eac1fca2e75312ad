//! `keystead breach`: filters of passwords that are publicly known.

mod build;
mod check;
mod gather;
mod list;
mod write;

use clap::{Args, Subcommand};

use super::CliError;

#[derive(Debug, Args)]
pub(super) struct BreachArgs {
    #[command(subcommand)]
    command: BreachCommand,
}

#[derive(Debug, Subcommand)]
enum BreachCommand {
    /// Make a filter of a list of passwords: the "Pwned Passwords ordered by hash", or any other.
    ///
    /// A filter takes little more than two octets for each password and tells whether a password is in the list, without
    /// holding any. It is wrong about one in 65,536 passwords that are not in the list, and about none that is. Name it in
    /// the configuration as `[password] breach_filter = "FILE"`, and no new password may be in it.
    ///
    /// An ordered list is read once, a 256th of it in memory: 40 octets for each of its passwords, 160 MiB for a list of
    /// a thousand million. A list in another order is sorted through a file beside the filter, of eight octets for each
    /// password, which is gone afterwards.
    Build(build::BuildArgs),
    /// Say whether a password is in a filter; the password is asked for, or read from standard input.
    ///
    /// The exit status is 0 if it is not, 4 if it is, and 1 if that cannot be found out.
    Check(check::CheckArgs),
}

pub(super) fn run(args: &BreachArgs) -> Result<(), CliError> {
    match &args.command {
        BreachCommand::Build(args) => build::run(args),
        BreachCommand::Check(args) => check::run(args),
    }
}
