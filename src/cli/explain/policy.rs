//! `keystead explain policy`

use std::path::PathBuf;

use clap::Args;

use super::{Subject, unreadable};
use crate::cli::{CliError, output};
use crate::directory::Dn;
use crate::operations::policies::Policies;

#[derive(Debug, Args)]
pub(in crate::cli) struct PolicyArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The entry: a name or a uid.
    entry: String,
}

pub(super) fn run(args: &PolicyArgs) -> Result<(), CliError> {
    let subject = Subject::open(&args.config)?;
    let (node, dn) = subject.find(&args.entry)?;
    let policy = Policies::default().governing(&node.entry, &dn, &subject.view).map_err(|error| unreadable(&error))?;
    if policy.origin.is_empty() {
        output::say(&format!("{dn} is governed by no password policy; these are the defaults:"));
    } else {
        output::say(&format!("{dn} is governed by {}:", policy.origin));
    }
    let said = said(&subject, &policy.origin)?;
    for setting in policy.settings() {
        let origin = if said.iter().any(|name| name == setting.attribute) { "says so" } else { "default" };
        output::say(&format!("  {:<24} {:<10} {origin:<8} {}", setting.attribute, setting.value, setting.meaning));
    }
    Ok(())
}

/// The attributes that the policy entry has.
fn said(subject: &Subject, origin: &str) -> Result<Vec<String>, CliError> {
    let schema = subject.view.schema();
    let Ok(dn) = Dn::parse(schema, origin) else { return Ok(Vec::new()) };
    if dn.is_root() {
        return Ok(Vec::new());
    }
    let (node, _) = subject.find(origin)?;
    Ok(node
        .entry
        .attributes()
        .map(|attribute| schema.attribute_type(attribute.attribute_type).name().to_owned())
        .collect())
}
