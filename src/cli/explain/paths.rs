//! `keystead explain paths`

use std::path::PathBuf;

use clap::Args;

use super::{Subject, unreadable};
use crate::access::paths::{groups_of_administrators, paths};
use crate::cli::{CliError, output};
use crate::directory::Dn;
use crate::server::Clock;

/// Every way in which somebody who is no administrator could become one; fails if there is any.
#[derive(Debug, Args)]
pub(in crate::cli) struct PathsArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// A group of administrators; may be given several times. If absent, each group that a rule allows everything.
    #[arg(long, value_name = "NAME")]
    group: Vec<String>,
}

pub(super) fn run(args: &PathsArgs) -> Result<(), CliError> {
    let subject = Subject::open(&args.config)?;
    let named = args.group.iter().map(|name| subject.find(name).map(|(_, dn)| Dn::clone(&dn)));
    let mut groups = named.collect::<Result<Vec<_>, _>>()?;
    if groups.is_empty() {
        groups = groups_of_administrators(&subject.rules);
    }
    if groups.is_empty() {
        return Err(CliError::Message(
            "no rule allows a group everything; say who administrators are by --group".to_owned(),
        ));
    }
    let found =
        paths(&subject.rules, &groups, Clock::default().now(), &subject.view).map_err(|error| unreadable(&error))?;
    for path in &found {
        output::say(path.to_string().trim_end());
    }
    match found.len() {
        0 => {
            output::say("nobody else can become an administrator");
            Ok(())
        }
        1 => Err(CliError::Message("there is a way to become an administrator".to_owned())),
        ways => Err(CliError::Message(format!("there are {ways} ways to become an administrator"))),
    }
}
