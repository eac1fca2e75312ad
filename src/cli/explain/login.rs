//! `keystead explain login`

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::json;

use super::{Subject, unreadable};
use crate::access::explain::{self, Wanted};
use crate::access::{Actor, Right};
use crate::cli::{CliError, output};
use crate::directory::tree::{Node, Tree, TreeError};
use crate::directory::{Dn, Identity, Timestamp};
use crate::operations::policies::{Governing, Policies};
use crate::operations::second_factor;
use crate::password::Account;
use crate::password::condition::Condition;
use crate::password::standing::Validity;

/// Whether somebody can log in with the right password, and why not: succeeds if they can.
#[derive(Debug, Args)]
pub(in crate::cli) struct LoginArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The entry: a name or a uid.
    entry: String,
    /// Answer as JSON, for programs.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    circumstances: super::circumstances::CircumstancesArgs,
}

pub(super) fn run(args: &LoginArgs) -> Result<(), CliError> {
    let subject = Subject::open(&args.config)?;
    let (node, dn) = subject.find(&args.entry)?;
    let answer = Answer::find(&subject, &node, &dn, args).map_err(|error| unreadable(&error))?;
    if args.json {
        output::say(&answer.to_json().to_string());
    } else {
        answer.say();
    }
    if answer.can() { Ok(()) } else { Err(CliError::Message(format!("{dn} cannot log in"))) }
}

/// Whether somebody can log in, and all that has to do with it.
struct Answer {
    dn: Arc<Dn>,
    is_permitted: bool,
    conditions: Vec<Condition>,
    governing: Governing,
    reasons: Vec<String>,
}

impl Answer {
    fn find(subject: &Subject, node: &Node, dn: &Arc<Dn>, args: &LoginArgs) -> Result<Self, TreeError> {
        let tree = &subject.view;
        let circumstances = args.circumstances.read();
        let governing = Policies::default().choose(&node.entry, dn, tree)?;
        let reasons = governing.reasons(&node.entry, dn, tree)?.iter().map(ToString::to_string).collect();
        let nobody = Actor::find(Identity::Anonymous, &circumstances, &subject.rules, tree)?;
        let wanted = Wanted { right: Right::Authenticate, attribute: None };
        let is_permitted = explain::ask(&subject.rules, &nobody, node, wanted, tree)?.is_yes();
        let conditions = conditions(subject, node, &governing, circumstances.now)?;
        Ok(Self { dn: Arc::clone(dn), is_permitted, conditions, governing, reasons })
    }

    fn can(&self) -> bool {
        self.is_permitted && !self.conditions.iter().any(Condition::keeps_out)
    }

    fn say(&self) {
        let can = if self.can() { "can log in with the right password" } else { "cannot log in" };
        output::say(&format!("{} {can}:", self.dn));
        if !self.is_permitted {
            output::say(
                "  no rule lets anybody authenticate as this entry (keystead explain access --right authenticate)",
            );
        }
        for condition in &self.conditions {
            output::say(&format!("  {condition}"));
        }
        let origin = &self.governing.policy.origin;
        let policy = if origin.is_empty() { String::new() } else { format!("governed by {origin}: ") };
        output::say(&format!("  {policy}{}", self.reasons.join(", and ")));
    }

    fn to_json(&self) -> serde_json::Value {
        json!({
            "entry": self.dn.as_str(),
            "can": self.can(),
            "permitted": self.is_permitted,
            "conditions": self.conditions.iter().map(to_json).collect::<Vec<_>>(),
            "policy": Some(&self.governing.policy.origin).filter(|origin| !origin.is_empty()),
            "because": self.reasons,
        })
    }
}

/// How the account of an entry stands.
pub(super) fn conditions(
    subject: &Subject,
    node: &Node,
    governing: &Governing,
    now: Timestamp,
) -> Result<Vec<Condition>, TreeError> {
    let schema = subject.view.schema();
    let account = Account::read(subject.view.credentials(node.id)?.as_ref(), schema);
    let mut all = Condition::all(&account, &governing.policy, Validity::of(&node.entry, schema), now);
    all.extend(second_factor::conditions(&node.entry, &subject.view, now)?);
    all.sort_by_key(|one| !one.keeps_out());
    Ok(all)
}

/// A condition for programs.
pub(super) fn to_json(condition: &Condition) -> serde_json::Value {
    json!({ "condition": condition.word(), "keeps_out": condition.keeps_out(), "meaning": condition.to_string() })
}
