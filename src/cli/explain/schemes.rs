//! `keystead explain schemes`

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::{Subject, unreadable};
use crate::cli::{CliError, output};
use crate::directory::Timestamp;
use crate::directory::tree::{Node, TreeError};
use crate::operations::policies::Policies;
use crate::password::Account;
use crate::password::scheme::Scheme;
use crate::server::Clock;

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
    /// Those that no password matches, so that no bind is good.
    unusable: u64,
}

/// What is told.
#[derive(Default)]
struct Counts {
    /// By scheme and cost.
    kinds: BTreeMap<String, Count>,
    /// Outdated passwords, by the policy that has a deadline for them, and that.
    deadlines: BTreeMap<(String, Timestamp), u64>,
}

/// So many entries are read at once.
const BATCH: usize = 1_000;

pub(super) fn run(args: &SchemesArgs) -> Result<(), CliError> {
    let subject = Subject::open(&args.config)?;
    let counts = count_all(&subject).map_err(|error| unreadable(&error))?;
    let now = Clock::default().now();
    if args.json {
        output::say(&counts.to_json(now).to_string());
    } else {
        counts.say(now);
    }
    Ok(())
}

impl Counts {
    fn to_json(&self, now: Timestamp) -> Value {
        let scheme = |(kind, Count { passwords, outdated, unusable }): (&String, &Count)| json!({ "scheme": kind, "passwords": passwords, "outdated": outdated, "unusable": unusable });
        let deadline = |((policy, deadline), passwords): (&(String, Timestamp), &u64)| json!({ "policy": policy, "deadline": deadline.to_string(), "passed": *deadline <= now, "outdated": passwords });
        json!({
            "schemes": self.kinds.iter().map(scheme).collect::<Vec<_>>(),
            "deadlines": self.deadlines.iter().map(deadline).collect::<Vec<_>>(),
        })
    }

    fn say(&self, now: Timestamp) {
        for (kind, Count { passwords, outdated, unusable }) in &self.kinds {
            let more = match (outdated, unusable) {
                (0, 0) => String::new(),
                (some, 0) => format!("  {some} of them are hashed anew when their owners bind next"),
                _ => "  no password matches them, so nobody binds by them".to_owned(),
            };
            output::say(&format!("{passwords:>9}  {kind}{more}"));
        }
        if self.kinds.is_empty() {
            output::say("nobody has a password");
        }
        for ((policy, deadline), passwords) in &self.deadlines {
            let when = if *deadline <= now {
                "when their owners bind next, since"
            } else {
                "if their owners first bind after"
            };
            output::say(&format!("{passwords:>9}  must be changed {when} {deadline} (pwdRehashDeadline of {policy})"));
        }
    }
}

fn count_all(subject: &Subject) -> Result<Counts, TreeError> {
    let policies = Policies::default();
    let mut counts = Counts::default();
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

fn count(subject: &Subject, node: &Node, policies: &Policies, counts: &mut Counts) -> Result<(), TreeError> {
    let view = &subject.view;
    let Some(credentials) = view.credentials(node.id)? else { return Ok(()) };
    let Some(password) = Account::read(Some(&credentials), view.schema()).password else { return Ok(()) };
    let Some(dn) = view.dn(node.id)? else { return Ok(()) };
    let policy = policies.governing(&node.entry, &dn, view)?;
    let wanted = policy.hashing.or(subject.config.new_passwords);
    // What matches no password is shown by no bind.
    let is_usable = password.scheme() != Scheme::Unusable;
    let outdated = u64::from(is_usable && password.is_outdated(wanted));
    let count = counts.kinds.entry(password.kind()).or_default();
    count.passwords += 1;
    count.outdated += outdated;
    count.unusable += u64::from(!is_usable);
    if let (Some(deadline), true) = (policy.rehash_deadline, is_usable) {
        *counts.deadlines.entry((policy.origin.clone(), deadline)).or_default() += outdated;
    }
    Ok(())
}
