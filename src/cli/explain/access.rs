//! `keystead explain access`

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::{Subject, unreadable};
use crate::access::explain::{self, Answer, Holders, Kind, Obstacle, Wanted};
use crate::access::rule::Source;
use crate::access::{Actor, Circumstances, Decider, Right};
use crate::cli::{CliError, output};
use crate::directory::schema::AttributeSet;
use crate::directory::tree::{Node, Tree};
use crate::directory::{AttributeTypeId, Dn, Identity};

/// With --who and --to: whether, and by which rule. With --to alone: who may. With --who alone: to whom.
#[derive(Debug, Args)]
pub(in crate::cli) struct AccessArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Who: a name, a uid, `anonymous` or `local-root`.
    #[arg(long, required_unless_present = "to")]
    who: Option<String>,
    /// To which entry: a name or a uid.
    #[arg(long)]
    to: Option<String>,
    /// Which right, such as `reset-password`; all, if absent.
    #[arg(long, value_parser = parse_right)]
    right: Option<Right>,
    /// To which attribute.
    #[arg(long)]
    attribute: Option<String>,
    #[command(flatten)]
    circumstances: super::circumstances::CircumstancesArgs,
}

fn parse_right(name: &str) -> Result<Right, String> {
    let known = || Right::ALL.iter().map(|right| right.name()).collect::<Vec<_>>().join(", ");
    Right::find(name).ok_or_else(|| format!("the rights are {}", known()))
}

pub(super) fn run(args: &AccessArgs) -> Result<(), CliError> {
    let subject = Subject::open(&args.config)?;
    let attribute = args.attribute.as_deref().map(|name| find_attribute(&subject, name)).transpose()?;
    let target = args.to.as_deref().map(|name| subject.find(name)).transpose()?;
    match (&args.who, target) {
        (Some(who), Some((node, dn))) => {
            let actor = find_actor(&subject, who, &args.circumstances.read())?;
            for right in chosen(args) {
                tell(
                    &subject,
                    &actor,
                    (&node, &dn),
                    Wanted { right, attribute: attribute.filter(|_| right.is_per_attribute()) },
                )?;
            }
            Ok(())
        }
        (None, Some((node, dn))) => {
            let circumstances = args.circumstances.read();
            let who_may = |right| who_may(&subject, (&node, &dn), Wanted { right, attribute }, &circumstances);
            chosen(args).into_iter().try_for_each(who_may)
        }
        (Some(who), None) => {
            let actor = find_actor(&subject, who, &args.circumstances.read())?;
            to_whom(&subject, &actor, required(args)?, attribute)
        }
        (None, None) => Err(CliError::Message("give --who, --to or both".to_owned())),
    }
}

fn chosen(args: &AccessArgs) -> Vec<Right> {
    args.right.map_or_else(|| Right::ALL.to_vec(), |right| vec![right])
}

fn required(args: &AccessArgs) -> Result<Right, CliError> {
    args.right.ok_or_else(|| CliError::Message("say which right, such as --right reset-password".to_owned()))
}

fn find_attribute(subject: &Subject, name: &str) -> Result<AttributeTypeId, CliError> {
    let found = subject.view.schema().find_attribute_type(name);
    found.map(|attribute| attribute.id).ok_or_else(|| CliError::Message(format!("there is no attribute {name:?}")))
}

fn find_actor(subject: &Subject, who: &str, circumstances: &Circumstances) -> Result<Actor, CliError> {
    let identity = match who {
        "anonymous" => Identity::Anonymous,
        "local-root" => Identity::LocalRoot,
        name => {
            let (node, dn) = subject.find(name)?;
            Identity::Entry { uuid: node.uuid, dn }
        }
    };
    Actor::find(identity, circumstances, &subject.rules, &subject.view).map_err(|error| unreadable(&error))
}

fn shown(actor: &Actor) -> &str {
    if actor.identity.is_anonymous() { "anonymous" } else { actor.identity.name() }
}

/// One right of one person to one entry.
fn tell(subject: &Subject, actor: &Actor, (node, dn): (&Node, &Arc<Dn>), wanted: Wanted) -> Result<(), CliError> {
    let answer =
        explain::ask(&subject.rules, actor, node, wanted, &subject.view).map_err(|error| unreadable(&error))?;
    let (may, what) = match wanted.attribute {
        Some(id) => {
            let name = subject.view.schema().attribute_type(id).name();
            (answer.is_yes(), format!("{} {name} of", wanted.right))
        }
        None if wanted.right.is_per_attribute() => {
            let set = granted_attributes(subject, actor, node, wanted.right)?;
            (!set.is_empty(), format!("{} {} of", wanted.right, attributes(&set, subject, node)))
        }
        None => (answer.is_yes(), wanted.right.to_string()),
    };
    output::say(&format!("{} {} {what} {dn}", shown(actor), if may { "may" } else { "may not" }));
    for reason in reasons(subject, &answer) {
        output::say(&format!("    {reason}"));
    }
    Ok(())
}

/// Those to which somebody has a right.
fn granted_attributes(subject: &Subject, actor: &Actor, node: &Node, right: Right) -> Result<AttributeSet, CliError> {
    let mut decider = Decider::new(&subject.rules, actor, subject.view.schema());
    let decision = decider.decide(node, &subject.view).map_err(|error| unreadable(&error))?;
    Ok(match right {
        Right::Search => decision.search.clone(),
        Right::Read => decision.read.clone(),
        Right::Compare => decision.compare.clone(),
        _ => decision.write.clone(),
    })
}

/// The attributes of an entry that are in a set, in words.
fn attributes(set: &AttributeSet, subject: &Subject, node: &Node) -> String {
    let schema = subject.view.schema();
    let present = node.entry.attributes().map(|attribute| attribute.attribute_type);
    let names: Vec<&str> = present.filter(|id| set.contains(*id)).map(|id| schema.attribute_type(id).name()).collect();
    match (set.is_empty(), names.is_empty()) {
        (true, _) => "any attribute".to_owned(),
        (_, true) => "attributes that it does not have".to_owned(),
        _ => names.join(", "),
    }
}

fn reasons(subject: &Subject, answer: &Answer) -> Vec<String> {
    let by = |word: &str, positions: &[usize]| -> Vec<String> {
        positions.iter().map(|position| format!("{word} by {}", rule(subject, *position))).collect()
    };
    let mut reasons = by("granted", &answer.grants);
    reasons.extend(by("denied", &answer.denials));
    reasons.extend(by("granted under other circumstances", &answer.suspended));
    match &answer.obstacle {
        Some(Obstacle::Secret) => {
            reasons.push("refused because the attribute is secret, whatever rules say".to_owned());
        }
        Some(Obstacle::WouldEscalate(name)) => {
            reasons.push(format!("refused because the owner of that entry holds more, by the rule {name:?}"));
        }
        None => {}
    }
    if reasons.is_empty() {
        reasons.push("no rule grants it".to_owned());
    }
    reasons
}

/// A rule, where it stands, under which conditions it applies, and why it is there.
fn rule(subject: &Subject, position: usize) -> String {
    let Some(rule) = subject.rules.get(position) else { return String::new() };
    let place = match &rule.source {
        Source::Line(line) => format!("{}:{line}", subject.config.path.display()),
        elsewhere => elsewhere.to_string(),
    };
    let said = |before: &str, text: &Option<String>| text.as_ref().map(|text| format!("{before}{text:?}"));
    let parts = [
        (!rule.values.is_empty()).then(|| "for some values only".to_owned()),
        rule.when.as_ref().map(|when| format!("only {when}")),
        said("reason ", &rule.reason),
        said("ticket ", &rule.ticket),
    ];
    let named = format!("the rule {:?} ({place})", rule.name);
    [Some(named)].into_iter().chain(parts).flatten().collect::<Vec<_>>().join(", ")
}

/// Who has a right to one entry.
fn who_may(
    subject: &Subject,
    (node, dn): (&Node, &Dn),
    wanted: Wanted,
    circumstances: &Circumstances,
) -> Result<(), CliError> {
    let Holders { entries, at_times, kinds } =
        explain::holders(&subject.rules, node, wanted, circumstances, &subject.view)
            .map_err(|error| unreadable(&error))?;
    if entries.is_empty() && at_times.is_empty() && kinds.is_empty() {
        output::say(&format!("nobody may {} {dn}", wanted.right));
        return Ok(());
    }
    output::say(&format!("these may {} {dn}:", wanted.right));
    for (kind, position) in kinds {
        output::say(&format!("    {}, by {}", in_words(&kind), rule(subject, position)));
    }
    for name in entries {
        output::say(&format!("    {name}"));
    }
    for (name, position) in at_times {
        output::say(&format!("    {name}, by {}", rule(subject, position)));
    }
    Ok(())
}

fn in_words(kind: &Kind) -> String {
    match kind {
        Kind::Everyone => "everybody".to_owned(),
        Kind::Anonymous => "whoever has not authenticated".to_owned(),
        Kind::Authenticated => "whoever has authenticated".to_owned(),
        Kind::LocalRoot => "the superuser of this machine".to_owned(),
        Kind::Below(dn) => format!("everybody below {dn}"),
    }
}

/// The entries to which somebody has a right.
fn to_whom(subject: &Subject, actor: &Actor, right: Right, attribute: Option<AttributeTypeId>) -> Result<(), CliError> {
    let wanted = Wanted { right, attribute };
    let bar = output::progress(0, "{spinner} {pos} entries looked at ({per_sec})");
    let (mut after, mut count) = (None, 0_u64);
    loop {
        let nodes = subject.view.nodes_after(after, 1_000).map_err(|error| unreadable(&error))?;
        let Some(last) = nodes.last() else { break };
        after = Some(last.id);
        for node in &nodes {
            let answer = explain::ask(&subject.rules, actor, node, wanted, &subject.view);
            if answer.map_err(|error| unreadable(&error))?.is_yes() {
                let dn = subject.view.dn(node.id).map_err(|error| unreadable(&error))?;
                bar.suspend(|| output::say(dn.as_deref().map_or("", Dn::as_str)));
                count += 1;
            }
        }
        bar.inc(nodes.len() as u64);
    }
    bar.finish_and_clear();
    output::say(&format!("{} may {right} {count} {}", shown(actor), if count == 1 { "entry" } else { "entries" }));
    Ok(())
}
