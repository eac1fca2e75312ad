//! Answers to what people ask of the rules: may somebody do this, by which rule, and who else may?
//!
//! Whether they may is what the [`Decider`] decides, with the guards that operations put before it. The rules that are told
//! are those that have a part in that.

mod guards;
mod holders;

use std::collections::HashSet;
use std::sync::Arc;

use super::actor::{Memberships, Moment, memberships_of};
use super::rule::{Rule, Rules};
use super::work::{ENTRY, LOOKUP, Unbounded, Work};
use super::{Actor, Decider, Decision, Right};
use crate::directory::schema::Schema;
use crate::directory::tree::{EntryId, Node, Tree, TreeError};
use crate::directory::{AttributeTypeId, Dn, Entry};

pub use guards::{Guards, obstacle};
pub use holders::{Holders, Kind, holders};

/// What is asked about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// The right.
    pub right: Right,
    /// To which attribute; `None` for any. Rights that are granted for the entry as a whole have none.
    pub attribute: Option<AttributeTypeId>,
}

/// Whether somebody may do something, and why. Rules are told by their position.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answer {
    /// Whether they may, as operations decide it; of `write`, whether they may write some values.
    pub may: bool,
    /// The rules that grant it.
    pub grants: Vec<usize>,
    /// The rules that deny it, which counts for more; if they may, those that take away a part of it.
    pub denials: Vec<usize>,
    /// The rules that would grant it under other circumstances, or to an entry that matches their filter.
    pub suspended: Vec<usize>,
    /// What keeps them from it although it is granted.
    pub obstacle: Option<Obstacle>,
    /// What else they may not although they may.
    pub caveat: Option<Caveat>,
    /// Whether they may under other circumstances.
    at_best: bool,
}

/// What keeps somebody from what rules grant them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Obstacle {
    /// No rule grants anything of an attribute that is secret.
    Secret,
    /// By the rule of that name, the owner of the entry holds something that they do not hold.
    WouldEscalate(String),
    /// It is their own password, which they change by knowing it.
    Oneself,
    /// They have not authenticated, and nobody who has not acts for somebody.
    Anonymous,
    /// The rule of that name denies something to the entry, as a group or in one, or to one below it, which they do not hold
    /// themselves: they do not take the entry away.
    DenialLost(String),
    /// The rule of that name, of the configuration, denies something to that group, or to one below it: while it does, nobody takes
    /// the group away.
    DenialStands(String),
    /// It is a password policy that governs somebody who holds something that they do not hold, or may govern people whose passwords
    /// they may not reset, or goes by what they may not search.
    GovernsMore,
    /// It is a token by which somebody logs in who holds something that they do not hold, by the rule of that name; or the
    /// parameters of one.
    Borne(String),
    /// It is the parameters of more tokens than are looked at.
    BorneByMany,
}

/// What somebody may not although they have the right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Caveat {
    /// They lift a lock, but cannot lock: by the rule of that name, the owner holds something that they do not hold.
    CannotLock(String),
}

impl Answer {
    /// Whether they may.
    pub const fn is_yes(&self) -> bool {
        self.may
    }

    /// The rule by which they may under other circumstances, if they may not under these: one that grants it then, or else
    /// one that denies it now.
    pub fn at_times(&self) -> Option<usize> {
        let rules = self.suspended.iter().chain(&self.denials);
        rules.copied().next().filter(|_| !self.may && self.at_best)
    }
}

/// What something is done to.
#[derive(Clone, Copy, Debug)]
pub enum Target<'t> {
    /// An entry.
    There(&'t Node),
    /// An entry of that name that is not there yet.
    New(&'t Dn),
}

/// Answers whether `actor` may do what is wanted, with all guards.
#[expect(clippy::too_many_arguments, reason = "each is a part of the question")]
pub fn ask_guarded(
    rules: &Rules,
    actor: &Actor,
    target: Target<'_>,
    wanted: Wanted,
    guards: Guards<'_>,
    tree: &dyn Tree,
) -> Result<Answer, TreeError> {
    let dn = match target {
        Target::There(node) => tree.dn(node.id)?.unwrap_or_else(|| Arc::new(Dn::root())),
        Target::New(dn) => Arc::new(dn.clone()),
    };
    Question { rules, actor, target, dn: &dn, wanted, guards, tree }.answer()
}

/// Answers whether `actor` may do what is wanted to an entry, with the guards for which rules are enough.
pub fn ask(rules: &Rules, actor: &Actor, node: &Node, wanted: Wanted, tree: &dyn Tree) -> Result<Answer, TreeError> {
    ask_guarded(rules, actor, Target::There(node), wanted, Guards::NONE, tree)
}

/// Answers whether `actor` may do what is wanted to an entry that is not there, once it is. What it will hold is not known,
/// so rules with a filter are among those that grant it under other circumstances.
pub fn ask_new(rules: &Rules, actor: &Actor, dn: &Dn, wanted: Wanted, tree: &dyn Tree) -> Result<Answer, TreeError> {
    ask_guarded(rules, actor, Target::New(dn), wanted, Guards::NONE, tree)
}

/// One question.
struct Question<'q> {
    rules: &'q Rules,
    actor: &'q Actor,
    target: Target<'q>,
    dn: &'q Dn,
    wanted: Wanted,
    guards: Guards<'q>,
    tree: &'q dyn Tree,
}

impl Question<'_> {
    fn answer(&self) -> Result<Answer, TreeError> {
        let (decision, applying) = self.decide(self.actor)?;
        let is_granted = self.is_in(&decision);
        let grants = self.having(&applying, |rule| rule.allow.has(self.wanted.right));
        let denials =
            if is_granted { self.partial_denials(&applying, &grants) } else { self.denials(&applying, &grants) };
        let at_best = at_best(self.actor, self.rules, self.tree)?;
        let (decision_at_best, applying_at_best) = self.decide(&at_best)?;
        let mut suspended = self.having(&applying_at_best, |rule| rule.allow.has(self.wanted.right));
        let filtered = self.filtered(&at_best);
        let is_granted_at_best = self.is_in(&decision_at_best) || (denials.is_empty() && !filtered.is_empty());
        suspended.extend(filtered);
        suspended.retain(|position| !grants.contains(position));
        suspended.sort_unstable();
        suspended.dedup();
        let obstacle = self.obstacle(&decision)?;
        let is_told = !grants.is_empty() || !suspended.is_empty() || obstacle == Some(Obstacle::Secret);
        Ok(Answer {
            may: is_granted && obstacle.is_none(),
            at_best: is_granted_at_best && obstacle.is_none(),
            caveat: if is_granted { self.caveat()? } else { None },
            obstacle: obstacle.filter(|_| is_told),
            grants,
            denials,
            suspended,
        })
    }

    /// The attribute that is asked about, if the right is granted by attributes.
    fn attribute(&self) -> Option<AttributeTypeId> {
        self.wanted.attribute.filter(|_| self.wanted.right.is_per_attribute())
    }

    /// What rules grant to somebody, and the rules that apply.
    fn decide(&self, actor: &Actor) -> Result<(Arc<Decision>, Vec<usize>), TreeError> {
        let mut decider = Decider::new(self.rules, actor, self.tree.schema());
        Ok(match self.target {
            Target::There(node) => (decider.decide(node, self.tree)?, decider.applying(node, self.tree)?),
            Target::New(dn) => (decider.decide_new(dn, &Entry::empty())?, decider.applying_new(dn, &Entry::empty())?),
        })
    }

    fn is_in(&self, decision: &Decision) -> bool {
        let right = self.wanted.right;
        let Some(set) = decision.attributes(right) else { return decision.allows(right) };
        self.attribute().map_or_else(|| !set.is_empty(), |id| set.contains(id))
    }

    /// Whether a rule is about what is asked for.
    fn concerns(&self, rule: &Rule) -> bool {
        self.attribute().is_none_or(|id| rule.attributes.contains(id))
    }

    fn having(&self, applying: &[usize], has: impl Fn(&Rule) -> bool) -> Vec<usize> {
        let is_one = |rule: &Rule| has(rule) && self.concerns(rule);
        applying.iter().copied().filter(|at| self.rules.get(*at).is_some_and(is_one)).collect()
    }

    /// Of the rules that deny it, those that count: one of the tree takes nothing from what the configuration grants, and
    /// one that denies single values leaves the others.
    fn denials(&self, applying: &[usize], grants: &[usize]) -> Vec<usize> {
        let grants: Vec<&Rule> = grants.iter().filter_map(|at| self.rules.get(*at)).collect();
        self.having(applying, |rule| {
            let counts = grants.is_empty() || grants.iter().any(|grant| is_against(rule, grant));
            rule.deny.has(self.wanted.right) && rule.values.is_empty() && counts
        })
    }

    /// The rules that deny a part of it: some attributes, if it is asked about any, or some values.
    fn partial_denials(&self, applying: &[usize], grants: &[usize]) -> Vec<usize> {
        let grants: Vec<&Rule> = grants.iter().filter_map(|at| self.rules.get(*at)).collect();
        let takes = |denial: &Rule| {
            let mut from = grants.iter().filter(|grant| is_against(denial, grant));
            from.any(|grant| denial.attributes.intersects(&grant.attributes))
        };
        let is_partial = |rule: &Rule| match self.attribute() {
            Some(_) => !rule.values.is_empty(),
            None => self.wanted.right.is_per_attribute(),
        };
        self.having(applying, |rule| rule.deny.has(self.wanted.right) && is_partial(rule) && takes(rule))
    }

    /// The rules that would grant it if the entry, which is not there yet, matched their filter.
    fn filtered(&self, actor: &Actor) -> Vec<usize> {
        let is_new = matches!(self.target, Target::New(_));
        let reaches = |rule: &Rule| rule.to.iter().any(|reach| reach.has(self.dn));
        let grants = |(position, rule): &(usize, &Rule)| {
            is_new
                && rule.filter.is_some()
                && rule.allow.has(self.wanted.right)
                && self.concerns(rule)
                && reaches(rule)
                && actor.may_have_rule(*position)
        };
        self.rules.iter().enumerate().filter(grants).map(|(position, _)| position).collect()
    }
}

/// Whether a denial takes away what a rule grants, where both apply.
const fn is_against(denial: &Rule, grant: &Rule) -> bool {
    grant.is_delegated() || !denial.is_delegated()
}

/// The same actor under the circumstances that leave them the most rights.
fn at_best(actor: &Actor, rules: &Rules, tree: &dyn Tree) -> Result<Actor, TreeError> {
    let memberships = match actor.identity.dn() {
        Some(dn) => memberships_of(dn, tree)?,
        None => Memberships::default(),
    };
    Actor::in_groups(actor.identity.clone(), &memberships, Moment::Ever(actor.since), rules, tree)
}

/// Who is in a group, also through groups in it.
pub fn members(group: &Dn, tree: &dyn Tree) -> Result<HashSet<EntryId>, TreeError> {
    members_within(group, tree, &Unbounded)
}

/// The same, as far as the work goes.
pub fn members_within<W: Work>(group: &Dn, tree: &dyn Tree, work: &W) -> Result<HashSet<EntryId>, W::Stop> {
    let known = tree.schema().known();
    let mut found = HashSet::new();
    let mut pending: Vec<EntryId> = tree.find(group)?.entry().into_iter().collect();
    let mut groups: HashSet<EntryId> = pending.iter().copied().collect();
    while let Some(id) = pending.pop() {
        work.take(ENTRY)?;
        let Some(node) = tree.node(id)? else { continue };
        for attribute in [known.member, known.unique_member] {
            for value in node.entry.values(attribute) {
                work.take(LOOKUP)?;
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

/// Who occupies a role.
pub fn occupants(role: &Dn, tree: &dyn Tree) -> Result<HashSet<EntryId>, TreeError> {
    occupants_within(role, tree, &Unbounded)
}

/// The same, as far as the work goes.
pub fn occupants_within<W: Work>(role: &Dn, tree: &dyn Tree, work: &W) -> Result<HashSet<EntryId>, W::Stop> {
    work.take(ENTRY)?;
    let node = tree.find(role)?.entry().map(|id| tree.node(id)).transpose()?.flatten();
    let mut found = HashSet::new();
    for value in node.iter().flat_map(|node| node.entry.values(tree.schema().known().role_occupant)) {
        work.take(LOOKUP)?;
        found.extend(entry_called(value, tree)?);
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

pub(super) fn read_name(value: &[u8], schema: &Schema) -> Option<Dn> {
    Dn::parse(schema, std::str::from_utf8(value).ok()?).ok()
}
