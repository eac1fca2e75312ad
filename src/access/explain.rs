//! Answers to what people ask of the rules: may somebody do this, by which rule, and who else may?

use std::collections::HashSet;
use std::sync::Arc;

use super::actor::{Memberships, Moment, memberships_of};
use super::rule::{Rule, Rules};
use super::who::Who;
use super::{Actor, Circumstances, Decider, Right, escalation};
use crate::directory::schema::Schema;
use crate::directory::tree::{EntryId, Node, Tree, TreeError};
use crate::directory::{AttributeTypeId, Dn, Identity};

/// What is asked about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// The right.
    pub right: Right,
    /// To which attribute; `None` for any, and for rights that are granted for the entry as a whole.
    pub attribute: Option<AttributeTypeId>,
}

/// Whether somebody may do something, and why. Rules are told by their position.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The rules that grant it.
    pub grants: Vec<usize>,
    /// The rules that deny it, which counts for more.
    pub denials: Vec<usize>,
    /// The rules that would grant it under other circumstances.
    pub suspended: Vec<usize>,
    /// What keeps them from it although it is granted.
    pub obstacle: Option<Obstacle>,
}

/// What keeps somebody from what rules grant them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Obstacle {
    /// No rule grants anything of an attribute that is secret.
    Secret,
    /// By the rule of that name, the owner of the entry holds something that they do not hold.
    WouldEscalate(String),
}

impl Answer {
    /// Whether they may.
    pub const fn is_yes(&self) -> bool {
        !self.grants.is_empty() && self.denials.is_empty() && self.obstacle.is_none()
    }

    /// The rule by which they may under other circumstances, if they may not under these.
    pub fn at_times(&self) -> Option<usize> {
        let may_not_now = self.grants.is_empty() && self.denials.is_empty() && self.obstacle.is_none();
        self.suspended.first().copied().filter(|_| may_not_now)
    }
}

/// Who may do something, as far as rules name them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Holders {
    /// These entries, in order of their names.
    pub entries: Vec<Arc<Dn>>,
    /// These, under the circumstances that the rule of that position asks for.
    pub at_times: Vec<(Arc<Dn>, usize)>,
    /// And whole kinds of people, each by the rule of that position.
    pub kinds: Vec<(Kind, usize)>,
}

/// A kind of people whom a rule names without naming each.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Everybody, authenticated or not.
    Everyone,
    /// Whoever has not authenticated.
    Anonymous,
    /// Whoever has.
    Authenticated,
    /// The superuser of the server's machine.
    LocalRoot,
    /// Everybody below that name.
    Below(Dn),
}

/// Answers whether `actor` may do what is wanted to an entry.
pub fn ask(rules: &Rules, actor: &Actor, node: &Node, wanted: Wanted, tree: &dyn Tree) -> Result<Answer, TreeError> {
    let applying = Decider::new(rules, actor, tree.schema()).applying(node, tree)?;
    let concerns = |rule: &Rule| wanted.attribute.is_none_or(|id| rule.attributes.contains(id));
    let having = |applying: &[usize], has: &dyn Fn(&Rule) -> bool| -> Vec<usize> {
        let positions = applying.iter().copied();
        positions.filter(|at| rules.get(*at).is_some_and(|rule| has(rule) && concerns(rule))).collect()
    };
    let grants = having(&applying, &|rule| rule.allow.has(wanted.right));
    // What denies some values leaves the others.
    let denials = having(&applying, &|rule| rule.deny.has(wanted.right) && rule.values.is_empty());
    let at_best = at_best(actor, rules, tree)?;
    let mut suspended = having(&Decider::new(rules, &at_best, tree.schema()).applying(node, tree)?, &|rule| {
        rule.allow.has(wanted.right) && rule.when.is_some()
    });
    suspended.retain(|position| !grants.contains(position));
    let obstacle = obstacle(rules, actor, node, wanted, tree)?.filter(|_| !grants.is_empty() || !suspended.is_empty());
    Ok(Answer { grants, denials, suspended, obstacle })
}

/// The same actor under the circumstances that leave them the most rights.
fn at_best(actor: &Actor, rules: &Rules, tree: &dyn Tree) -> Result<Actor, TreeError> {
    let memberships = match actor.identity.dn() {
        Some(dn) => memberships_of(dn, tree)?,
        None => Memberships::default(),
    };
    Actor::in_groups(actor.identity.clone(), &memberships, Moment::Ever(actor.since), rules, tree)
}

fn obstacle(
    rules: &Rules,
    actor: &Actor,
    node: &Node,
    wanted: Wanted,
    tree: &dyn Tree,
) -> Result<Option<Obstacle>, TreeError> {
    if wanted.right.is_per_attribute() && wanted.attribute.is_some_and(|id| tree.schema().secret().contains(id)) {
        return Ok(Some(Obstacle::Secret));
    }
    if wanted.right != Right::ResetPassword || actor.identity.uuid() == Some(node.uuid) {
        return Ok(None);
    }
    let Some(dn) = tree.dn(node.id)? else { return Ok(None) };
    let exceeded = escalation::exceeds(node.uuid, &dn, actor, rules, tree)?;
    Ok(exceeded.map(|rule| Obstacle::WouldEscalate(rule.to_owned())))
}

/// Answers who may do what is wanted to an entry, under the circumstances and under others.
pub fn holders(
    rules: &Rules,
    node: &Node,
    wanted: Wanted,
    circumstances: &Circumstances,
    tree: &dyn Tree,
) -> Result<Holders, TreeError> {
    let dn = tree.dn(node.id)?.unwrap_or_else(|| Arc::new(Dn::root()));
    let mut candidates = HashSet::new();
    let mut holders = Holders::default();
    for (position, rule) in rules.iter().enumerate().filter(|(_, rule)| !rule.is_over(circumstances.now)) {
        if rule.allow.has(wanted.right) && rule.to.iter().any(|reach| reach.has(&dn)) {
            for who in &rule.who {
                named(who, node, tree, &mut candidates)?;
                holders.kinds.extend(kind(who).map(|kind| (kind, position)));
            }
        }
    }
    for id in candidates {
        let (Some(one), Some(name)) = (tree.node(id)?, tree.dn(id)?) else { continue };
        let identity = Identity::Entry { uuid: one.uuid, dn: Arc::clone(&name) };
        let actor = Actor::find(identity, circumstances, rules, tree)?;
        let answer = ask(rules, &actor, node, wanted, tree)?;
        if answer.is_yes() {
            holders.entries.push(name);
        } else if let Some(position) = answer.at_times() {
            holders.at_times.push((name, position));
        }
    }
    holders.entries.sort_by_key(ToString::to_string);
    holders.at_times.sort_by_key(|(name, _)| name.to_string());
    Ok(holders)
}

/// The entries that a rule names.
fn named(who: &Who, target: &Node, tree: &dyn Tree, into: &mut HashSet<EntryId>) -> Result<(), TreeError> {
    match who {
        Who::Entry(dn) => into.extend(tree.find(dn)?.entry()),
        Who::Group(dn) => into.extend(members(dn, tree)?),
        Who::Oneself => {
            into.insert(target.id);
        }
        Who::HeldIn(attribute) => {
            for value in target.entry.values(*attribute) {
                into.extend(entry_called(value, tree)?);
                if let Some(group) = read_name(value, tree.schema()) {
                    into.extend(members(&group, tree)?);
                }
            }
        }
        Who::Anonymous | Who::Authenticated | Who::Everyone | Who::LocalRoot | Who::Below(_) => {}
    }
    Ok(())
}

fn kind(who: &Who) -> Option<Kind> {
    match who {
        Who::Everyone => Some(Kind::Everyone),
        Who::Anonymous => Some(Kind::Anonymous),
        Who::Authenticated => Some(Kind::Authenticated),
        Who::LocalRoot => Some(Kind::LocalRoot),
        Who::Below(dn) => Some(Kind::Below(dn.clone())),
        Who::Entry(_) | Who::Group(_) | Who::Oneself | Who::HeldIn(_) => None,
    }
}

/// Who is in a group, also through groups in it.
pub fn members(group: &Dn, tree: &dyn Tree) -> Result<HashSet<EntryId>, TreeError> {
    let known = tree.schema().known();
    let mut found = HashSet::new();
    let mut pending: Vec<EntryId> = tree.find(group)?.entry().into_iter().collect();
    let mut groups: HashSet<EntryId> = pending.iter().copied().collect();
    while let Some(id) = pending.pop() {
        let Some(node) = tree.node(id)? else { continue };
        for attribute in [known.member, known.unique_member] {
            for value in node.entry.values(attribute) {
                let Some(member) = entry_called(value, tree)? else { continue };
                found.insert(member);
                if groups.insert(member) {
                    pending.push(member);
                }
            }
        }
    }
    Ok(found)
}

/// The entry that a value names.
pub fn entry_called(value: &[u8], tree: &dyn Tree) -> Result<Option<EntryId>, TreeError> {
    match read_name(value, tree.schema()) {
        Some(dn) => Ok(tree.find(&dn)?.entry()),
        None => Ok(None),
    }
}

fn read_name(value: &[u8], schema: &Schema) -> Option<Dn> {
    Dn::parse(schema, std::str::from_utf8(value).ok()?).ok()
}
