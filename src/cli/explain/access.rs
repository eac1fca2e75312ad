//! `keystead explain access`

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::told::Told;
use super::{Subject, unreadable};
use crate::access::explain::{self, Answer, Caveat, Guards, Holders, Kind, Obstacle, Target, Wanted};
use crate::access::{Actor, Circumstances, Decider, Right};
use crate::cli::{CliError, output};
use crate::directory::schema::AttributeSet;
use crate::directory::tree::{Node, Tree, TreeError};
use crate::directory::{AttributeTypeId, Dn, Identity};
use crate::operations::policies::{Policies, refuses_policy};
use crate::password::Account;

/// With --who and --to: whether, and by which rule. With --to alone: who may. With --who alone: to whom.
#[derive(Debug, Args)]
pub(in crate::cli) struct AccessArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Who: a name, a uid, `anonymous` or `local-root`.
    #[arg(long, required_unless_present = "to")]
    who: Option<String>,
    /// To which entry: a name or a uid; with `--right add`, also the name of one that is not there yet.
    #[arg(long)]
    to: Option<String>,
    /// Which right, such as `reset-password`; all, if absent.
    #[arg(long, value_parser = parse_right)]
    right: Option<Right>,
    /// To which attribute.
    #[arg(long = "attr", alias = "attribute", value_name = "ATTRIBUTE")]
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
    let mut told = Told::new(&subject);
    answer(args, &subject, &mut told)?;
    told.say_texts();
    Ok(())
}

fn answer(args: &AccessArgs, subject: &Subject, told: &mut Told<'_>) -> Result<(), CliError> {
    let attribute = args.attribute.as_deref().map(|name| find_attribute(subject, name)).transpose()?;
    let circumstances = args.circumstances.read();
    if let (Some(to), Some(Right::Add)) = (&args.to, args.right)
        && let Some(dn) = subject.missing(to)?
    {
        return match &args.who {
            Some(who) => tell_new(told, &find_actor(subject, who, &circumstances)?, &dn),
            None => who_may(told, Target::New(&dn), &dn, wanted_add(), &circumstances),
        };
    }
    let target = args.to.as_deref().map(|name| subject.find(name)).transpose()?;
    let wanted = |right: Right| Wanted { right, attribute: attribute.filter(|_| right.is_per_attribute()) };
    match (&args.who, target) {
        (Some(who), Some((node, dn))) => {
            let actor = find_actor(subject, who, &circumstances)?;
            chosen(args).into_iter().try_for_each(|right| tell(told, &actor, (&node, &dn), wanted(right)))
        }
        (None, Some((node, dn))) => {
            let who_may = |right| who_may(told, Target::There(&node), &dn, wanted(right), &circumstances);
            chosen(args).into_iter().try_for_each(who_may)
        }
        (Some(who), None) => {
            let actor = find_actor(subject, who, &circumstances)?;
            to_whom(subject, &actor, wanted(required(args)?))
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
fn tell(told: &mut Told<'_>, actor: &Actor, (node, dn): (&Node, &Arc<Dn>), wanted: Wanted) -> Result<(), CliError> {
    let subject = told.subject;
    let answer = ask(subject, actor, Target::There(node), wanted)?;
    let what = match wanted.attribute {
        Some(id) => format!("{} {} of", wanted.right, subject.view.schema().attribute_type(id).name()),
        None if wanted.right.is_per_attribute() => {
            let set = granted_attributes(subject, actor, node, wanted.right)?;
            format!("{} {} of", wanted.right, attributes(&set, subject, node))
        }
        None => wanted.right.to_string(),
    };
    say_answer(told, actor, &answer, &format!("{what} {dn}"));
    if answer.is_yes()
        && wanted.right == Right::ResetPassword
        && let Some(demand) = approval(subject, (node, dn))?
    {
        output::say(&format!("    {demand}"));
    }
    Ok(())
}

/// The answer of the server, with all its guards.
fn ask(subject: &Subject, actor: &Actor, target: Target<'_>, wanted: Wanted) -> Result<Answer, CliError> {
    let recovery = recovery(subject);
    explain::ask_guarded(&subject.rules, actor, target, wanted, guards(&recovery), &subject.view)
        .map_err(|error| unreadable(&error))
}

fn recovery(subject: &Subject) -> AttributeSet {
    subject.config.recovery_attributes(subject.view.schema())
}

fn guards(recovery: &AttributeSet) -> Guards<'_> {
    Guards { recovery, refuses_policy: &refuses_policy }
}

const fn wanted_add() -> Wanted {
    Wanted { right: Right::Add, attribute: None }
}

/// Whether somebody may add an entry that is not there.
fn tell_new(told: &mut Told<'_>, actor: &Actor, dn: &Dn) -> Result<(), CliError> {
    let subject = told.subject;
    let answer = ask(subject, actor, Target::New(dn), wanted_add())?;
    say_answer(told, actor, &answer, &format!("add {dn}, which is not there yet"));
    Ok(())
}

fn say_answer(told: &mut Told<'_>, actor: &Actor, answer: &Answer, what: &str) {
    output::say(&format!("{} {} {what}", shown(actor), if answer.is_yes() { "may" } else { "may not" }));
    for reason in reasons(told, answer) {
        output::say(&format!("    {reason}"));
    }
}

/// What the policy of an account demands of a reset beside the right to it.
fn approval(subject: &Subject, (node, dn): (&Node, &Dn)) -> Result<Option<String>, CliError> {
    let policy = Policies::default().governing(&node.entry, dn, &subject.view).map_err(|error| unreadable(&error))?;
    let demand = |_| format!("somebody else must approve it, by the password policy {}", policy.origin);
    Ok(policy.reset_approval_max_age.map(demand))
}

/// Those to which somebody has a right.
fn granted_attributes(subject: &Subject, actor: &Actor, node: &Node, right: Right) -> Result<AttributeSet, CliError> {
    let mut decider = Decider::new(&subject.rules, actor, subject.view.schema());
    let decision = decider.decide(node, &subject.view).map_err(|error| unreadable(&error))?;
    let mut set = decision.attributes(right).unwrap_or_default();
    for id in node.entry.attributes().map(|attribute| attribute.attribute_type) {
        if set.contains(id) {
            let wanted = Wanted { right, attribute: Some(id) };
            if !ask(subject, actor, Target::There(node), wanted)?.is_yes() {
                set.subtract(&[id].into_iter().collect());
            }
        }
    }
    Ok(set)
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

fn reasons(told: &mut Told<'_>, answer: &Answer) -> Vec<String> {
    let mut reasons = Vec::new();
    let denied = if answer.is_yes() { "denied in part" } else { "denied" };
    let kinds = [
        ("granted", &answer.grants),
        (denied, &answer.denials),
        ("granted under other circumstances", &answer.suspended),
    ];
    for (word, positions) in kinds {
        reasons.extend(positions.iter().map(|position| format!("{word} by {}", told.rule(*position))));
    }
    reasons.extend(answer.obstacle.as_ref().map(|obstacle| match obstacle {
        Obstacle::Secret => "refused because the attribute is secret, whatever rules say".to_owned(),
        Obstacle::WouldEscalate(name) => {
            format!("refused because the owner of that entry holds more, by the rule {name:?}")
        }
        Obstacle::Oneself => "refused because people change their own password, by knowing it".to_owned(),
        Obstacle::Anonymous => "refused because nobody acts for others who has not authenticated".to_owned(),
        Obstacle::DenialLost(name) => format!(
            "refused because the rule {name:?} denies something to that entry, as a group or in one, or to one below it, which they do \
             not hold themselves"
        ),
        Obstacle::DenialStands(name) => format!(
            "refused because the rule {name:?} denies something to that group, or to one below it: take the group out of the rule first"
        ),
        Obstacle::GovernsMore => "refused because that password policy governs somebody who holds more, or whose password they may not reset, or goes by what they may not search".to_owned(),
        Obstacle::Borne(name) => {
            format!("refused because somebody logs in by that token, or with its parameters, who holds more, by the rule {name:?}")
        }
        Obstacle::BorneByMany => {
            "refused because more people than are looked at log in with these parameters; the superuser of the machine may".to_owned()
        }
    }));
    if let Some(Caveat::CannotLock(name)) = &answer.caveat {
        reasons
            .push(format!("to lift a lock, but not to lock: the owner of that entry holds more, by the rule {name:?}"));
    }
    if reasons.is_empty() {
        reasons.push("no rule grants it".to_owned());
    }
    reasons
}

/// Who has a right to one entry.
fn who_may(
    told: &mut Told<'_>,
    target: Target<'_>,
    dn: &Dn,
    wanted: Wanted,
    circumstances: &Circumstances,
) -> Result<(), CliError> {
    let subject = told.subject;
    let recovery = recovery(subject);
    let Holders { entries, at_times, kinds, kinds_at_times, exceptions } =
        explain::holders(&subject.rules, target, wanted, circumstances, guards(&recovery), &subject.view)
            .map_err(|error| unreadable(&error))?;
    let is_somebody = |name: &Dn| is_mere_group(subject, name).map(|is_group| !is_group);
    let entries = keep(entries, |(name, _)| is_somebody(name))?;
    let at_times = keep(at_times, |(name, _)| is_somebody(name))?;
    let what = match wanted.attribute {
        Some(id) => format!("{} {} of", wanted.right, subject.view.schema().attribute_type(id).name()),
        None => wanted.right.to_string(),
    };
    let yet = if matches!(target, Target::New(_)) { ", which is not there yet" } else { "" };
    if entries.is_empty() && at_times.is_empty() && kinds.is_empty() && kinds_at_times.is_empty() {
        output::say(&format!("nobody may {what} {dn}{yet}"));
        return Ok(());
    }
    output::say(&format!("these may {what} {dn}{yet}:"));
    for (kind, position) in kinds {
        output::say(&format!("    {}, by {}", in_words(&kind), told.rule(position)));
    }
    for position in exceptions {
        output::say(&format!("    but not those to whom {} denies it", told.rule(position)));
    }
    for (kind, position) in kinds_at_times {
        output::say(&format!("    under other circumstances {}, by {}", in_words(&kind), told.rule(position)));
    }
    for (name, position) in entries {
        output::say(&format!("    {name}, by {}", told.rule(position)));
    }
    for (name, position) in at_times {
        output::say(&format!("    under other circumstances {name}, by {}", told.rule(position)));
    }
    if wanted.right == Right::ResetPassword
        && let Target::There(node) = target
        && let Some(demand) = approval(subject, (node, dn))?
    {
        output::say(&format!("    {demand}"));
    }
    Ok(())
}

/// Those of some of which something is true.
fn keep<T>(some: Vec<T>, is_true: impl Fn(&T) -> Result<bool, CliError>) -> Result<Vec<T>, CliError> {
    some.into_iter().map(|one| Ok(is_true(&one)?.then_some(one))).filter_map(Result::transpose).collect()
}

/// Whether an entry is a group that nobody can be: it stands in another group for its members, and has no password.
fn is_mere_group(subject: &Subject, dn: &Dn) -> Result<bool, CliError> {
    let find = || -> Result<bool, TreeError> {
        let (view, known) = (&subject.view, subject.view.schema().known());
        let Some(node) = view.find(dn)?.entry().map(|id| view.node(id)).transpose()?.flatten() else {
            return Ok(false);
        };
        let is_group = node.entry.has(known.member) || node.entry.has(known.unique_member);
        Ok(is_group && Account::read(view.credentials(node.id)?.as_ref(), view.schema()).password.is_none())
    };
    find().map_err(|error| unreadable(&error))
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

/// Whether a right is about a password that is there.
const fn is_about_password(right: Right) -> bool {
    matches!(
        right,
        Right::Authenticate | Right::ChangePassword | Right::ResetPassword | Right::Unlock | Right::BypassPolicy
    )
}

fn has_password(subject: &Subject, node: &Node) -> Result<bool, CliError> {
    let credentials = subject.view.credentials(node.id).map_err(|error| unreadable(&error))?;
    let password = subject.view.schema().known().user_password;
    Ok(credentials.is_some_and(|credentials| credentials.entry.has(password)))
}

/// The entries to which somebody has a right.
fn to_whom(subject: &Subject, actor: &Actor, wanted: Wanted) -> Result<(), CliError> {
    let right = wanted.right;
    let bar = output::progress(0, "{spinner} {pos} entries looked at ({per_sec})");
    let (mut after, mut count, mut approved, mut without) = (None, 0_u64, 0_u64, 0_u64);
    loop {
        let nodes = subject.view.nodes_after(after, 1_000).map_err(|error| unreadable(&error))?;
        let Some(last) = nodes.last() else { break };
        after = Some(last.id);
        for node in &nodes {
            if ask(subject, actor, Target::There(node), wanted)?.is_yes() {
                let dn = subject.view.dn(node.id).map_err(|error| unreadable(&error))?;
                let Some(dn) = dn else { continue };
                if is_about_password(right) && !has_password(subject, node)? {
                    without += 1;
                    continue;
                }
                let demand = if right == Right::ResetPassword { approval(subject, (node, &dn))? } else { None };
                bar.suspend(|| output::say(dn.as_str()));
                count += 1;
                approved += u64::from(demand.is_some());
            }
        }
        bar.inc(nodes.len() as u64);
    }
    bar.finish_and_clear();
    output::say(&format!("{} may {right} {count} {}", shown(actor), if count == 1 { "entry" } else { "entries" }));
    if without > 0 {
        let entries = if without == 1 { "entry that has" } else { "entries that have" };
        output::say(&format!("and {without} {entries} no password"));
    }
    if approved > 0 {
        output::say(&format!("of these, {approved} only if somebody else approves it, by their password policy"));
    }
    Ok(())
}
