//! Deciding for one actor, entry after entry.
//!
//! Most entries of a search stand below one parent and match the same rules, so what is decided is kept: by parent, which
//! rules reach the entries below it; and by the rules that apply, what they come to. It is kept with the actor, and so for
//! all requests of a connection.

mod below;
mod combining;
mod ground;
mod kept;
mod question;
mod rule_mask;

use std::sync::Arc;

use smallvec::SmallVec;
use uuid::Uuid;

use super::actor::{Relation, TargetFacts};
use super::rule::{Rule, Rules};
use super::values::{Effect, LimitedWrite, may_write_values, touches_denied_value};
use super::{Actor, Right, Rights};
use crate::directory::filter::{Facts, Truth};
use crate::directory::modification::Modification;
use crate::directory::schema::{AttributeSet, Schema};
use crate::directory::tree::{EntryId, Node, Tree, TreeError};
use crate::directory::{Dn, Entry};
use below::{Below, BelowNamed};
use combining::combine;
use ground::{Ground, decision_of};
pub(super) use kept::Decided;
use kept::DecidedFor;
use question::{About, Question};
use rule_mask::RuleMask;

/// What an actor may do with an entry.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Decision {
    /// The rights that are granted for the entry as a whole.
    pub rights: Rights,
    /// The attributes that may be searched.
    pub search: AttributeSet,
    /// The attributes that may be read.
    pub read: AttributeSet,
    /// The attributes that may be compared.
    pub compare: AttributeSet,
    /// The attributes that may be written, whichever the values, but for those that are denied.
    pub write: AttributeSet,
    /// The attributes of which some values may be written, or must not.
    pub limited: Vec<LimitedWrite>,
}

impl Decision {
    /// Whether the actor may know that the entry exists: they may find it or see something of it.
    pub fn is_visible(&self) -> bool {
        !self.read.is_empty() || !self.search.is_empty()
    }

    /// Whether a change of an attribute of an entry may be made.
    pub fn may_write(&self, change: &Modification, entry: &Entry, actor: &Actor, schema: &Schema) -> bool {
        let granted = self.write.contains(change.attribute.attribute_type)
            || may_write_values(&self.limited, change, entry, (actor, schema));
        granted && !touches_denied_value(&self.limited, change, entry, (actor, schema))
    }

    /// The attributes to which a right is granted that is granted by attributes; of `write`, also those of which only some
    /// values may be written.
    pub fn attributes(&self, right: Right) -> Option<AttributeSet> {
        match right {
            Right::Search => Some(self.search.clone()),
            Right::Read => Some(self.read.clone()),
            Right::Compare => Some(self.compare.clone()),
            Right::Write => {
                let mut set = self.write.clone();
                let grants = self.limited.iter().filter(|one| one.effect == Effect::Grant);
                grants.for_each(|one| set.union(&one.attributes));
                Some(set)
            }
            _ => None,
        }
    }

    /// Both together.
    fn and(mut self, other: Self) -> Self {
        self.rights = self.rights.union(other.rights);
        self.search.union(&other.search);
        self.read.union(&other.read);
        self.compare.union(&other.compare);
        self.write.union(&other.write);
        self.limited.extend(other.limited);
        self
    }

    /// Whether a right that is granted for the entry as a whole is granted.
    pub const fn allows(&self, right: Right) -> bool {
        self.rights.has(right)
    }
}

/// What decisions are for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Purpose {
    /// Whatever rights there are.
    Everything,
    /// What may be found and seen.
    Sight,
}

impl Purpose {
    /// Whether it matters who has a right.
    const fn asks_for(self, right: Right) -> bool {
        match self {
            Self::Everything => true,
            Self::Sight => matches!(right, Right::Search | Right::Read | Right::Compare),
        }
    }
}

/// Decides for one actor.
#[derive(Debug)]
pub struct Decider<'a> {
    rules: &'a Rules,
    actor: &'a Actor,
    schema: &'a Schema,
    purpose: Purpose,
    /// What was found out before.
    decided: &'a DecidedFor,
    /// What entries may have to be asked.
    questions: &'a [Question],
    /// What was asked for last, which is mostly what is asked for next.
    last_below: Option<(Option<EntryId>, Arc<Below>)>,
    /// The ground of the last entry of which something was asked, and what the answers came to there.
    last_ground: Option<Arc<Ground>>,
    last_decisions: SmallVec<[(RuleMask, Arc<Decision>); 4]>,
}

/// So many decisions are tried one by one.
const FEW_DECISIONS: usize = 4;

impl<'a> Decider<'a> {
    /// Decides for `actor` by `rules`.
    pub fn new(rules: &'a Rules, actor: &'a Actor, schema: &'a Schema) -> Self {
        Self::with(rules, actor, schema, Purpose::Everything)
    }

    /// Decides what `actor` may search, read and compare. Nothing else is granted by what it decides, since rules about
    /// other rights are not looked at: so many entries cost less.
    pub fn for_sight(rules: &'a Rules, actor: &'a Actor, schema: &'a Schema) -> Self {
        Self::with(rules, actor, schema, Purpose::Sight)
    }

    fn with(rules: &'a Rules, actor: &'a Actor, schema: &'a Schema, purpose: Purpose) -> Self {
        let questions = actor.decided.questions.get_or_init(|| Question::all(rules, actor));
        let decided = actor.decided.of(purpose);
        let last_decisions = SmallVec::new();
        Self { rules, actor, schema, purpose, decided, questions, last_below: None, last_ground: None, last_decisions }
    }

    /// Who it decides for.
    pub const fn actor(&self) -> &'a Actor {
        self.actor
    }

    /// What the actor may do with an entry that exists.
    pub fn decide(&mut self, node: &Node, tree: &dyn Tree) -> Result<Arc<Decision>, TreeError> {
        let below = self.below(node.parent, tree)?;
        let one = below.of_one(node, self.schema, tree)?;
        if one.is_empty() {
            let ground = below.ground(self.purpose, || self.ground(below.all.clone()));
            return self.decide_on(ground, node, tree);
        }
        let mut reaching = below.all.clone();
        reaching.union(&one);
        self.decide_on(&self.ground(reaching), node, tree)
    }

    /// What the actor may do with an entry that is reached by the rules of that ground.
    fn decide_on(&mut self, ground: &Arc<Ground>, node: &Node, tree: &dyn Tree) -> Result<Arc<Decision>, TreeError> {
        if ground.asking.is_empty() {
            return Ok(Arc::clone(&ground.decision));
        }
        let mut applying = ground.asking.clone();
        self.retain(&mut applying, &ground.questions, (&node.entry, Some(node.uuid)), &|| name_of(node, tree))?;
        if applying.is_empty() {
            return Ok(Arc::clone(&ground.decision));
        }
        if !self.last_ground.as_ref().is_some_and(|last| Arc::ptr_eq(last, ground)) {
            self.last_ground = Some(Arc::clone(ground));
            self.last_decisions.clear();
        }
        if let Some((_, decision)) = self.last_decisions.iter().find(|(asked, _)| *asked == applying) {
            return Ok(Arc::clone(decision));
        }
        let mut mask = ground.certain.clone();
        mask.union(&applying);
        let decision = self.combined(mask);
        if self.last_decisions.len() >= FEW_DECISIONS {
            self.last_decisions.clear();
        }
        self.last_decisions.push((applying, Arc::clone(&decision)));
        Ok(decision)
    }

    /// The rules that apply to the actor and an entry that exists, by position.
    pub fn applying(&mut self, node: &Node, tree: &dyn Tree) -> Result<Vec<usize>, TreeError> {
        let mut mask = self.reaching(node, tree)?;
        self.retain(&mut mask, self.questions, (&node.entry, Some(node.uuid)), &|| name_of(node, tree))?;
        Ok(mask.iter().collect())
    }

    /// The rules that apply to the actor and an entry that exists, by position, where it is said of the filters of some whether
    /// they match it.
    pub(super) fn applying_if(
        &mut self,
        node: &Node,
        tree: &dyn Tree,
        matches: &dyn Fn(usize) -> Option<bool>,
    ) -> Result<Vec<usize>, TreeError> {
        let mask = self.reaching(node, tree)?;
        let is_own = self.actor.identity.uuid() == Some(node.uuid);
        let relation = if is_own { Relation::Own } else { Relation::Other };
        let target = TargetFacts { relation, entry: &node.entry, schema: self.schema };
        let mut applying = Vec::new();
        for (position, rule) in self.rules.iter().enumerate().filter(|(position, _)| mask.has(*position)) {
            let is_matched = match matches(position) {
                Some(said) => said,
                None => self.matches(rule, &node.entry, &|| name_of(node, tree))?,
            };
            if is_matched && self.actor.has_rule_on((position, rule), target) {
                applying.push(position);
            }
        }
        Ok(applying)
    }

    /// What the rules of these positions come to together.
    pub(super) fn decision_by(&self, positions: &[usize]) -> Decision {
        let rules: Vec<&Rule> = positions.iter().filter_map(|position| self.rules.get(*position)).collect();
        combine(&rules, self.schema)
    }

    fn reaching(&mut self, node: &Node, tree: &dyn Tree) -> Result<RuleMask, TreeError> {
        let below = self.below(node.parent, tree)?;
        let mut mask = below.all.clone();
        mask.union(&below.of_one(node, self.schema, tree)?);
        Ok(mask)
    }

    /// What the actor may do with an entry that is to be at `dn`.
    pub fn decide_new(&mut self, dn: &Dn, entry: &Entry) -> Result<Arc<Decision>, TreeError> {
        self.decide_at(None, dn, entry)
    }

    /// What the actor may do with an entry that exists, when it stands at `dn` and is `entry`.
    pub fn decide_renamed(&mut self, uuid: Uuid, dn: &Dn, entry: &Entry) -> Result<Arc<Decision>, TreeError> {
        self.decide_at(Some(uuid), dn, entry)
    }

    /// What the actor may do with an entry of which only the name is known, since it is gone: a rule that asks for more of it
    /// grants nothing, and denies.
    pub fn decide_by_name(&mut self, dn: &Dn) -> Arc<Decision> {
        let mut mask = RuleMask::default();
        for (position, rule) in self.rules.iter().enumerate() {
            let is_certain = rule.filter.is_none() && self.actor.has_rule(position);
            let applies = if rule.is_denial() { self.actor.may_have_rule(position) } else { is_certain };
            if applies && rule.to.iter().any(|reach| reach.has(dn)) {
                mask.insert(position);
            }
        }
        self.combined(mask)
    }

    fn decide_at(&mut self, uuid: Option<Uuid>, dn: &Dn, entry: &Entry) -> Result<Arc<Decision>, TreeError> {
        let mask = self.applying_at(uuid, dn, entry)?;
        Ok(self.combined(mask))
    }

    /// The rules that apply to the actor and an entry that is to be at `dn`, by position.
    pub fn applying_new(&self, dn: &Dn, entry: &Entry) -> Result<Vec<usize>, TreeError> {
        Ok(self.applying_at(None, dn, entry)?.iter().collect())
    }

    fn applying_at(&self, uuid: Option<Uuid>, dn: &Dn, entry: &Entry) -> Result<RuleMask, TreeError> {
        let rules = self.rules.iter().enumerate().filter(|(position, _)| self.actor.may_have_rule(*position));
        let reaching = rules.filter(|(_, rule)| rule.to.iter().any(|reach| reach.has(dn)));
        let mut mask = reaching.map(|(position, _)| position).collect();
        self.retain(&mut mask, self.questions, (entry, uuid), &|| Ok(dn.clone()))?;
        Ok(mask)
    }

    fn below(&mut self, parent: Option<EntryId>, tree: &dyn Tree) -> Result<Arc<Below>, TreeError> {
        if let Some((last, below)) = &self.last_below
            && *last == parent
        {
            return Ok(Arc::clone(below));
        }
        let below = self.find_below(parent, tree)?;
        self.last_below = Some((parent, Arc::clone(&below)));
        Ok(below)
    }

    fn find_below(&self, parent: Option<EntryId>, tree: &dyn Tree) -> Result<Arc<Below>, TreeError> {
        let parent_dn = match parent {
            Some(parent) => tree.dn(parent)?,
            None => None,
        };
        if let Some(known) = self.actor.decided.below.find(&parent)
            && known.parent_dn == parent_dn
        {
            return Ok(known.below);
        }
        let mut below = Below::default();
        let rules = self.rules.iter().enumerate().filter(|(position, _)| self.actor.may_have_rule(*position));
        for (position, rule) in rules {
            for reach in &rule.to {
                below.note(position, reach, parent_dn.as_deref());
            }
        }
        below.ready(self.schema);
        let below = Arc::new(below);
        self.actor.decided.below.keep(parent, BelowNamed { parent_dn, below: Arc::clone(&below) });
        Ok(below)
    }

    /// What is the same for all entries that these rules reach.
    fn ground(&self, reaching: RuleMask) -> Arc<Ground> {
        if let Some(known) = self.decided.ground.find(&reaching) {
            return known;
        }
        let ground = Arc::new(Ground::of(&reaching, self.questions, self.rules, (self.purpose, self.schema)));
        self.decided.ground.keep(reaching, Arc::clone(&ground));
        ground
    }

    /// Takes those rules out of `mask` that do not apply by what the entry answers. Nothing is asked for rules that do not
    /// apply anyway.
    fn retain(
        &self,
        mask: &mut RuleMask,
        questions: &[Question],
        (entry, uuid): (&Entry, Option<Uuid>),
        dn: &dyn Fn() -> Result<Dn, TreeError>,
    ) -> Result<(), TreeError> {
        let is_own = uuid.is_some() && self.actor.identity.uuid() == uuid;
        let relation = if is_own { Relation::Own } else { Relation::Other };
        let target = TargetFacts { relation, entry, schema: self.schema };
        for question in questions {
            if mask.intersects(&question.rules) {
                self.ask(question, mask, target, dn)?;
            }
        }
        Ok(())
    }

    fn ask(
        &self,
        question: &Question,
        mask: &mut RuleMask,
        target: TargetFacts<'_>,
        dn: &dyn Fn() -> Result<Dn, TreeError>,
    ) -> Result<(), TreeError> {
        let holds = match &question.about {
            About::Actor(position) => {
                self.rules.get(*position).is_some_and(|rule| self.actor.has_rule_on((*position, rule), target))
            }
            About::Filter(position) => match self.rules.get(*position) {
                Some(rule) => self.matches(rule, target.entry, dn)?,
                None => false,
            },
            About::Values(by_value) => {
                let mut failed = question.rules.clone();
                failed.subtract(&by_value.matched(target.entry, self.schema));
                mask.subtract(&failed);
                return Ok(());
            }
        };
        if !holds {
            mask.subtract(&question.rules);
        }
        Ok(())
    }

    /// What the rules of a mask come to together.
    fn combined(&self, mask: RuleMask) -> Arc<Decision> {
        if let Some(decision) = self.decided.combined.find(&mask) {
            return decision;
        }
        let decision = Arc::new(decision_of(&mask, self.rules, (self.purpose, self.schema)));
        self.decided.combined.keep(mask, Arc::clone(&decision));
        decision
    }

    /// Whether the entry matches the rule's filter; a denial holds also where that cannot be decided.
    fn matches(&self, rule: &Rule, entry: &Entry, dn: &dyn Fn() -> Result<Dn, TreeError>) -> Result<bool, TreeError> {
        let Some(filter) = &rule.filter else { return Ok(true) };
        let dn = if filter.asks_for_name() { dn()? } else { Dn::root() };
        let facts = Facts { entries: &[entry], searchable: self.schema.everything(), dn: &dn, schema: self.schema };
        let truth = filter.evaluate(&facts);
        Ok(truth == Truth::True || (truth == Truth::Undefined && rule.is_denial()))
    }
}

fn name_of(node: &Node, tree: &dyn Tree) -> Result<Dn, TreeError> {
    tree.dn(node.id).map(|dn| dn.map_or_else(Dn::root, |dn| Dn::clone(&dn)))
}
