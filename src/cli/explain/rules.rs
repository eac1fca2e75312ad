//! `keystead explain rules`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::Subject;
use super::told::place;
use crate::access::when::When;
use crate::access::{Right, Rule};
use crate::cli::{CliError, output};
use crate::directory::Timestamp;
use crate::server::Clock;

/// Every rule that begins or ends at some time: when, why, and whether it is over.
#[derive(Debug, Args)]
pub(in crate::cli) struct RulesArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Answer as JSON, for programs.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &RulesArgs) -> Result<(), CliError> {
    let subject = Subject::open(&args.config)?;
    let now = Clock::default().now();
    let mut limited: Vec<Limited<'_>> = subject.rules.iter().filter_map(|rule| Limited::of(rule, now)).collect();
    limited.sort_by_key(|one| (one.until.is_none(), one.until, one.from));
    if args.json {
        let all: Vec<_> = limited.iter().map(|one| one.to_json(&subject)).collect();
        output::say(&json!({ "rules": all }).to_string());
    } else if limited.is_empty() {
        output::say("no rule begins or ends at some time");
    } else {
        for one in &limited {
            output::say(&one.in_words(&subject));
        }
    }
    Ok(())
}

/// A rule that begins or ends.
struct Limited<'r> {
    rule: &'r Rule,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    state: &'static str,
}

impl<'r> Limited<'r> {
    fn of(rule: &'r Rule, now: Timestamp) -> Option<Self> {
        let when = rule.when.as_ref()?;
        let (from, until) = (When::begins(when), When::ends(when));
        let state = match (from, until) {
            (None, None) => return None,
            _ if rule.is_over(now) => "over",
            (Some(from), _) if now < from => "to come",
            _ => "in force",
        };
        Some(Self { rule, from, until, state })
    }

    fn effect(&self) -> (&'static str, String) {
        let (word, rights) =
            if self.rule.is_denial() { ("denies", self.rule.deny) } else { ("allows", self.rule.allow) };
        (word, rights.iter().map(Right::name).collect::<Vec<_>>().join(", "))
    }

    fn in_words(&self, subject: &Subject) -> String {
        let Self { rule, from, until, state } = self;
        let (word, rights) = self.effect();
        let time = |before: &str, time: &Option<Timestamp>| time.map(|time| format!("{before} {time}"));
        let said = |before: &str, text: &Option<String>| text.as_ref().map(|text| format!("{before} {text:?}"));
        let parts =
            [time("from", from), time("until", until), said("reason", &rule.reason), said("ticket", &rule.ticket)];
        let named = format!("{state:<8}  the rule {:?} ({}) {word} {rights}", rule.name, place(subject, rule));
        [Some(named)].into_iter().chain(parts).flatten().collect::<Vec<_>>().join(", ")
    }

    fn to_json(&self, subject: &Subject) -> serde_json::Value {
        let (word, rights) = self.effect();
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
        json!({
            "rule": self.rule.name,
            "place": place(subject, self.rule),
            "state": self.state,
            word: rights,
            "from": time(self.from),
            "until": time(self.until),
            "reason": self.rule.reason,
            "ticket": self.rule.ticket,
        })
    }
}
