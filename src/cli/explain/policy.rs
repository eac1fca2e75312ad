//! `keystead explain policy`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::login::{conditions, to_json};
use super::{Subject, unreadable};
use crate::cli::{CliError, output};
use crate::directory::Dn;
use crate::directory::tree::Node;
use crate::operations::policies::{Because, Governing, Policies, misnamed, misnamed_sentence};
use crate::password::condition::Condition;
use crate::password::policy::Idle;
use crate::password::policy::settings::Setting;
use crate::server::Clock;

#[derive(Debug, Args)]
pub(in crate::cli) struct PolicyArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The entry: a name or a uid.
    entry: String,
    /// Answer as JSON, for programs.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &PolicyArgs) -> Result<(), CliError> {
    let subject = Subject::open(&args.config)?;
    let (node, dn) = subject.find(&args.entry)?;
    let answer = Answer::find(&subject, &node, &dn)?;
    if args.json {
        output::say(&answer.to_json().to_string());
    } else {
        answer.say();
    }
    Ok(())
}

/// Which policy governs an entry, why, and what it comes to.
struct Answer<'a> {
    dn: &'a Dn,
    governing: Governing,
    reasons: Vec<String>,
    /// Policies that would govern it if this one did not, with their precedence.
    others: Vec<(String, Option<u32>)>,
    /// What the entry names as its policy though it is none.
    misnamed: Option<String>,
    /// How the account stands under it.
    conditions: Vec<Condition>,
}

impl<'a> Answer<'a> {
    fn find(subject: &Subject, node: &Node, dn: &'a Dn) -> Result<Self, CliError> {
        let policies = Policies::default();
        let (entry, tree) = (&node.entry, &subject.view);
        let governing = policies.choose(entry, dn, tree).map_err(|error| unreadable(&error))?;
        let reasons = governing.reasons(entry, dn, tree).map_err(|error| unreadable(&error))?;
        let claiming = policies.claiming(entry, dn, tree).map_err(|error| unreadable(&error))?;
        let others = claiming.iter().filter(|policy| policy.origin != governing.policy.origin && !policy.report_only);
        let precedence = |number| (number != u32::MAX).then_some(number);
        let others = others.map(|policy| (policy.origin.clone(), precedence(policy.precedence))).collect();
        let conditions = conditions(subject, node, &governing, Clock::default().now());
        let conditions = conditions.map_err(|error| unreadable(&error))?;
        let misnamed = misnamed(entry, tree).map_err(|error| unreadable(&error))?.map(str::to_owned);
        let reasons = reasons.iter().map(ToString::to_string).collect();
        Ok(Self { dn, governing, reasons, others, misnamed, conditions })
    }

    fn say(&self) {
        let Self { dn, governing, reasons, .. } = self;
        if governing.because == Because::Nothing {
            output::say(&format!("{dn} is governed by no password policy; these are the defaults:"));
        } else {
            output::say(&format!("{dn} is governed by {}:", governing.policy.origin));
            output::say(&format!("  {}", reasons.join(", and ")));
        }
        for Setting { attribute, value, meaning } in governing.policy.settings() {
            let origin = if governing.policy.said.contains(&attribute) { "says so" } else { "default" };
            output::say(&format!("  {attribute:<24} {value:<10} {origin:<8} {meaning}"));
        }
        for idle in &governing.policy.idle {
            output::say(&format!("  {idle}"));
        }
        if let Some(name) = &self.misnamed {
            output::say(&format!("  {}", misnamed_sentence(dn, name)));
        }
        output::say("The account:");
        for condition in &self.conditions {
            output::say(&format!("  {condition}"));
        }
        for policy in &governing.tried {
            output::say(&format!("{} would govern it, were it not only tried out", policy.origin));
        }
        for (name, precedence) in &self.others {
            let precedence = precedence.map_or_else(|| "no precedence".to_owned(), |p| format!("precedence {p}"));
            output::say(&format!("{name} ({precedence}) would govern it, too, but comes after that"));
        }
    }

    fn to_json(&self) -> serde_json::Value {
        let policy = &self.governing.policy;
        let origin = Some(&policy.origin).filter(|origin| !origin.is_empty());
        let setting = |Setting { attribute, value, meaning }: &Setting| {
            let from = origin.filter(|_| policy.said.contains(attribute));
            json!({ "attribute": attribute, "value": value, "from": from, "meaning": meaning })
        };
        let idle = |Idle { attribute, extent, reason }: &Idle| json!({ "attribute": attribute, "extent": extent, "reason": reason });
        let other = |(name, precedence): &(String, Option<u32>)| json!({ "policy": name, "precedence": precedence });
        json!({
            "entry": self.dn.as_str(),
            "policy": origin,
            "because": self.reasons,
            "named_but_no_policy": self.misnamed,
            "account": self.conditions.iter().map(to_json).collect::<Vec<_>>(),
            "settings": policy.settings().iter().map(setting).collect::<Vec<_>>(),
            "without_effect": policy.idle.iter().map(idle).collect::<Vec<_>>(),
            "tried": self.governing.tried.iter().map(|policy| policy.origin.as_str()).collect::<Vec<_>>(),
            "others": self.others.iter().map(other).collect::<Vec<_>>(),
        })
    }
}
