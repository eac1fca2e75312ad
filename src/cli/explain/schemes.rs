//! `keystead explain schemes`

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Subject, unreadable};
use crate::cli::{CliError, output};
use crate::directory::tree::{Node, TreeError};
use crate::operations::policies::Policies;
use crate::password::Account;

#[derive(Debug, Args)]
pub(in crate::cli) struct SchemesArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Answer as JSON, for programs.
    #[arg(long)]
    json: bool,
}

/// How many passwords are hashed alike.
#[derive(Clone, Copy, Default)]
struct Count {
    passwords: u64,
    /// Those that are hashed anew at the next good bind.
    outdated: u64,
}

/// So many entries are read at once.
const BATCH: usize = 1_000;

pub(super) fn run(args: &SchemesArgs) -> Result<(), CliError> {
    let subject = Subject::open(&args.config)?;
    let counts = count_all(&subject).map_err(|error| unreadable(&error))?;
    if args.json {
        let scheme = |(kind, Count { passwords, outdated }): (&String, &Count)| json!({ "scheme": kind, "passwords": passwords, "outdated": outdated });
        output::say(&json!({ "schemes": counts.iter().map(scheme).collect::<Vec<_>>() }).to_string());
        return Ok(());
    }
    for (kind, Count { passwords, outdated }) in &counts {
        let outdated = match outdated {
            0 => String::new(),
            some => format!("  {some} of them are hashed anew when their owners bind next"),
        };
        output::say(&format!("{passwords:>9}  {kind}{outdated}"));
    }
    if counts.is_empty() {
        output::say("nobody has a password");
    }
    Ok(())
}

fn count_all(subject: &Subject) -> Result<BTreeMap<String, Count>, TreeError> {
    let policies = Policies::default();
    let mut counts = BTreeMap::new();
    let bar = output::progress(0, "{spinner} {pos} entries ({per_sec})");
    let mut after = None;
    loop {
        let nodes = subject.view.nodes_after(after, BATCH)?;
        let Some(last) = nodes.last() else { break };
        after = Some(last.id);
        for node in &nodes {
            count(subject, node, &policies, &mut counts)?;
        }
        bar.inc(nodes.len() as u64);
    }
    bar.finish_and_clear();
    Ok(counts)
}

fn count(
    subject: &Subject,
    node: &Node,
    policies: &Policies,
    counts: &mut BTreeMap<String, Count>,
) -> Result<(), TreeError> {
    let view = &subject.view;
    let Some(credentials) = view.credentials(node.id)? else { return Ok(()) };
    let Some(password) = Account::read(Some(&credentials), view.schema()).password else { return Ok(()) };
    let Some(dn) = view.dn(node.id)? else { return Ok(()) };
    let policy = policies.governing(&node.entry, &dn, view)?;
    let wanted = policy.hashing.or(subject.config.new_passwords);
    let count = counts.entry(password.kind()).or_default();
    count.passwords += 1;
    count.outdated += u64::from(password.is_outdated(wanted));
    Ok(())
}
