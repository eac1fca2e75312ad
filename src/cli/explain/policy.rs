//! `keystead explain policy`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Subject, unreadable};
use crate::cli::{CliError, output};
use crate::directory::Dn;
use crate::directory::tree::Node;
use crate::operations::policies::{Because, Governing, Policies};
use crate::password::policy::settings::Setting;

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
    settings: Vec<Explained>,
    /// Policies that would govern it if this one did not, with their precedence.
    others: Vec<(String, Option<u32>)>,
}

/// A setting, and whether the policy says it or it has the meaning of what is absent.
struct Explained {
    setting: Setting,
    is_said: bool,
}

impl<'a> Answer<'a> {
    fn find(subject: &Subject, node: &Node, dn: &'a Dn) -> Result<Self, CliError> {
        let policies = Policies::default();
        let (entry, tree) = (&node.entry, &subject.view);
        let governing = policies.choose(entry, dn, tree).map_err(|error| unreadable(&error))?;
        let reasons = governing.reasons(entry, dn, tree).map_err(|error| unreadable(&error))?;
        let claiming = policies.claiming(entry, dn, tree, usize::MAX).map_err(|error| unreadable(&error))?;
        let others = claiming.iter().filter(|policy| policy.origin != governing.policy.origin);
        let precedence = |number| (number != u32::MAX).then_some(number);
        let others = others.map(|policy| (policy.origin.clone(), precedence(policy.precedence))).collect();
        let said = said(subject, &governing.policy.origin)?;
        let explained =
            |setting: Setting| Explained { is_said: said.iter().any(|name| name == setting.attribute), setting };
        let settings = governing.policy.settings().into_iter().map(explained).collect();
        Ok(Self { dn, reasons: reasons.iter().map(ToString::to_string).collect(), governing, settings, others })
    }

    fn say(&self) {
        let Self { dn, governing, reasons, .. } = self;
        if governing.because == Because::Nothing {
            output::say(&format!("{dn} is governed by no password policy; these are the defaults:"));
        } else {
            output::say(&format!("{dn} is governed by {}:", governing.policy.origin));
            output::say(&format!("  {}", reasons.join(", and ")));
        }
        for Explained { setting, is_said } in &self.settings {
            let origin = if *is_said { "says so" } else { "default" };
            output::say(&format!("  {:<24} {:<10} {origin:<8} {}", setting.attribute, setting.value, setting.meaning));
        }
        for (name, precedence) in &self.others {
            let precedence = precedence.map_or_else(|| "no precedence".to_owned(), |p| format!("precedence {p}"));
            output::say(&format!("{name} ({precedence}) would govern it, too, but comes after that"));
        }
    }

    fn to_json(&self) -> serde_json::Value {
        let policy = Some(&self.governing.policy.origin).filter(|origin| !origin.is_empty());
        let setting = |Explained { setting, is_said }: &Explained| {
            json!({
                "attribute": setting.attribute,
                "value": setting.value,
                "from": policy.filter(|_| *is_said),
                "meaning": setting.meaning,
            })
        };
        let other = |(name, precedence): &(String, Option<u32>)| json!({ "policy": name, "precedence": precedence });
        json!({
            "entry": self.dn.as_str(),
            "policy": policy,
            "because": self.reasons,
            "settings": self.settings.iter().map(setting).collect::<Vec<_>>(),
            "others": self.others.iter().map(other).collect::<Vec<_>>(),
        })
    }
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
