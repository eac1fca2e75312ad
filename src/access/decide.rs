//! Deciding for one actor, entry after entry.
//!
//! Most entries of a search stand below one parent and match the same rules, so what is decided is kept: by parent, which
//! rules reach the entries below it; and by the rules that apply, what they come to. It is kept with the actor, and so for
//! all requests of a connection.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use smallvec::SmallVec;
use uuid::Uuid;

use super::actor::{Relation, TargetFacts};
use super::reach::Reach;
use super::rule::{Rule, Rules};
use super::values::{Effect, LimitedWrite, may_write_values, touches_denied_value};
use super::{Actor, Right, Rights};
use crate::directory::filter::{Facts, Truth};
use crate::directory::modification::Modification;
use crate::directory::schema::{AttributeSet, Schema};
use crate::directory::tree::{EntryId, Node, Tree, TreeError};
use crate::directory::{Dn, Entry, Rdn};

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

/// A set of rules, by position.
type RuleMask = SmallVec<[u64; 2]>;

/// Decides for one actor.
#[derive(Debug)]
pub struct Decider<'a> {
    rules: &'a Rules,
    actor: &'a Actor,
    schema: &'a Schema,
    /// The rules of which each entry has a say: whether it is the actor's, or matches a filter.
    asking: &'a RuleMask,
    /// What was asked for last, which is mostly what is asked for next.
    last_below: Option<(Option<EntryId>, Arc<Below>)>,
    last_decision: Option<(RuleMask, Arc<Decision>)>,
}

/// What was decided for an actor before, by the rules that they were found for.
#[derive(Debug, Default)]
pub(super) struct Decided {
    asking: OnceLock<RuleMask>,
    /// By the number of the parent.
    below: Kept<Option<EntryId>, BelowNamed>,
    combined: Kept<RuleMask, Arc<Decision>>,
}

/// Something that was found out lately.
#[derive(Debug)]
struct Kept<K, V>(Mutex<HashMap<K, V, foldhash::fast::RandomState>>);

/// So much is kept of a kind; then it begins anew.
const MOST_KEPT: usize = 1_000;

impl<K: Eq + Hash, V: Clone> Kept<K, V> {
    fn find(&self, key: &K) -> Option<V> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn keep(&self, key: K, value: V) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(key, value);
    }
}

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// Which rules reach the entries below a parent.
#[derive(Debug, Default)]
struct Below {
    /// All of them.
    all: RuleMask,
    /// Only the one with that RDN key; in order.
    one: Vec<(Box<[u8]>, usize)>,
}

/// Which rules reach the entries below a parent, as long as it is called that.
#[derive(Clone, Debug)]
struct BelowNamed {
    parent_dn: Option<Arc<Dn>>,
    below: Arc<Below>,
}

impl<'a> Decider<'a> {
    /// Decides for `actor` by `rules`.
    pub fn new(rules: &'a Rules, actor: &'a Actor, schema: &'a Schema) -> Self {
        let asking = actor.decided.asking.get_or_init(|| asking(rules, actor));
        Self { rules, actor, schema, asking, last_below: None, last_decision: None }
    }

    /// Who it decides for.
    pub const fn actor(&self) -> &'a Actor {
        self.actor
    }

    /// What the actor may do with an entry that exists.
    pub fn decide(&mut self, node: &Node, tree: &dyn Tree) -> Result<Arc<Decision>, TreeError> {
        let mask = self.reaching(node, tree)?;
        let mask = self.retain_applying(mask, &node.entry, Some(node.uuid), || name_of(node, tree))?;
        Ok(self.combined(mask))
    }

    /// The rules that apply to the actor and an entry that exists, by position.
    pub fn applying(&mut self, node: &Node, tree: &dyn Tree) -> Result<Vec<usize>, TreeError> {
        let mask = self.reaching(node, tree)?;
        let mask = self.retain_applying(mask, &node.entry, Some(node.uuid), || name_of(node, tree))?;
        Ok((0..self.rules.iter().len()).filter(|position| has(&mask, *position)).collect())
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
        for (position, rule) in self.rules.iter().enumerate().filter(|(position, _)| has(&mask, *position)) {
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
        if !below.one.is_empty() {
            let key = rdn_key(node, self.schema, tree)?;
            let first = below.one.partition_point(|(own, _)| **own < *key);
            let own = below.one.iter().skip(first).take_while(|(own, _)| **own == *key);
            own.for_each(|(_, position)| set(&mut mask, *position));
        }
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
        let mut mask = RuleMask::new();
        for (position, rule) in self.rules.iter().enumerate() {
            let is_certain = rule.filter.is_none() && self.actor.has_rule(position);
            let applies = if rule.is_denial() { self.actor.may_have_rule(position) } else { is_certain };
            if applies && rule.to.iter().any(|reach| reach.has(dn)) {
                set(&mut mask, position);
            }
        }
        self.combined(mask)
    }

    fn decide_at(&mut self, uuid: Option<Uuid>, dn: &Dn, entry: &Entry) -> Result<Arc<Decision>, TreeError> {
        let mut mask = RuleMask::new();
        for (position, rule) in self.rules.iter().enumerate() {
            if rule.to.iter().any(|reach| reach.has(dn)) {
                set(&mut mask, position);
            }
        }
        let mask = self.retain_applying(mask, entry, uuid, || Ok(dn.clone()))?;
        Ok(self.combined(mask))
    }

    /// The rules that apply to the actor and an entry that is to be at `dn`, by position.
    pub fn applying_new(&self, dn: &Dn, entry: &Entry) -> Result<Vec<usize>, TreeError> {
        let mut mask = RuleMask::new();
        let reaching = self.rules.iter().enumerate().filter(|(_, rule)| rule.to.iter().any(|reach| reach.has(dn)));
        reaching.for_each(|(position, _)| set(&mut mask, position));
        let mask = self.retain_applying(mask, entry, None, || Ok(dn.clone()))?;
        Ok((0..self.rules.iter().len()).filter(|position| has(&mask, *position)).collect())
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
        let kept = &self.actor.decided.below;
        if let Some(known) = kept.find(&parent)
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
        below.one.sort_unstable();
        let below = Arc::new(below);
        kept.keep(parent, BelowNamed { parent_dn, below: Arc::clone(&below) });
        Ok(below)
    }

    /// `mask` holds the rules that reach the entry; those that do not apply to the actor or to the entry for other
    /// reasons are taken out.
    fn retain_applying(
        &self,
        mut mask: RuleMask,
        entry: &Entry,
        uuid: Option<Uuid>,
        dn: impl Fn() -> Result<Dn, TreeError>,
    ) -> Result<RuleMask, TreeError> {
        let is_own = uuid.is_some() && self.actor.identity.uuid() == uuid;
        let relation = if is_own { Relation::Own } else { Relation::Other };
        let target = TargetFacts { relation, entry, schema: self.schema };
        let applies = |position: usize, rule: &Rule| self.actor.has_rule_on((position, rule), target);
        for position in both(&mask, self.asking) {
            let Some(rule) = self.rules.get(position) else { continue };
            if !applies(position, rule) || !self.matches(rule, entry, &dn)? {
                clear(&mut mask, position);
            }
        }
        Ok(mask)
    }

    /// What the rules of a mask come to together.
    fn combined(&mut self, mask: RuleMask) -> Arc<Decision> {
        if let Some((last, decision)) = &self.last_decision
            && *last == mask
        {
            return Arc::clone(decision);
        }
        let decision = self.find_combined(&mask);
        self.last_decision = Some((mask, Arc::clone(&decision)));
        decision
    }

    fn find_combined(&self, mask: &RuleMask) -> Arc<Decision> {
        if let Some(decision) = self.actor.decided.combined.find(mask) {
            return decision;
        }
        let applying = self.rules.iter().enumerate().filter(|(position, _)| has(mask, *position));
        let decision = Arc::new(combine(&applying.map(|(_, rule)| rule).collect::<Vec<_>>(), self.schema));
        self.actor.decided.combined.keep(mask.clone(), Arc::clone(&decision));
        decision
    }

    /// Whether the entry matches the rule's filter; a denial holds also where that cannot be decided.
    fn matches(&self, rule: &Rule, entry: &Entry, dn: &impl Fn() -> Result<Dn, TreeError>) -> Result<bool, TreeError> {
        let Some(filter) = &rule.filter else { return Ok(true) };
        let dn = if filter.asks_for_name() { dn()? } else { Dn::root() };
        let facts = Facts { entries: &[entry], searchable: self.schema.everything(), dn: &dn, schema: self.schema };
        let truth = filter.evaluate(&facts);
        Ok(truth == Truth::True || (truth == Truth::Undefined && rule.is_denial()))
    }
}

/// The rules of which each entry has a say.
fn asking(rules: &Rules, actor: &Actor) -> RuleMask {
    let mut asking = RuleMask::new();
    for (position, rule) in rules.iter().enumerate() {
        if rule.filter.is_some() || !actor.has_rule(position) {
            set(&mut asking, position);
        }
    }
    asking
}

impl Below {
    /// Notes which entries below `parent` a rule reaches. The entries of suffixes have no parent; each is looked at by
    /// its name.
    fn note(&mut self, position: usize, reach: &Reach, parent: Option<&Dn>) {
        let child_key = |dn: &Dn| match parent {
            Some(parent) if dn.depth() == parent.depth() + 1 && dn.is_within(parent) => {
                dn.rdns().next().map(|(_, key)| key.into())
            }
            Some(_) => None,
            None => Some(dn.key().into()),
        };
        let all = match (reach, parent) {
            (Reach::Everything, _) => true,
            (Reach::Children(base), Some(parent)) => parent == base,
            (Reach::Subtree(base) | Reach::Below(base), Some(parent)) => parent.is_within(base),
            _ => false,
        };
        if all {
            set(&mut self.all, position);
        } else if let Reach::Entry(dn) | Reach::Subtree(dn) = reach {
            self.one.extend(child_key(dn).map(|key| (key, position)));
        }
    }
}

fn name_of(node: &Node, tree: &dyn Tree) -> Result<Dn, TreeError> {
    tree.dn(node.id).map(|dn| dn.map_or_else(Dn::root, |dn| Dn::clone(&dn)))
}

/// What an RDN is compared by; of the entry of a suffix, which has no parent, the whole name.
fn rdn_key(node: &Node, schema: &Schema, tree: &dyn Tree) -> Result<Box<[u8]>, TreeError> {
    if node.parent.is_none() {
        return Ok(tree.dn(node.id)?.map(|dn| dn.key().into()).unwrap_or_default());
    }
    Ok(Rdn::parse(schema, &node.rdn).map(|rdn| rdn.key().into()).unwrap_or_default())
}

/// What rules come to together. Rules of the tree take nothing away from what those of the configuration grant.
fn combine(rules: &[&Rule], schema: &Schema) -> Decision {
    let (delegated, own): (Vec<&Rule>, Vec<&Rule>) = rules.iter().partition(|rule| rule.is_delegated());
    let decision = granted(&own, &own, schema);
    if delegated.is_empty() { decision } else { decision.and(granted(&delegated, rules, schema)) }
}

/// What some rules grant, as far as others do not deny it.
fn granted(rules: &[&Rule], denials: &[&Rule], schema: &Schema) -> Decision {
    let allowed = rules.iter().fold(Rights::NONE, |rights, rule| rights.union(rule.allow));
    let denied = denials.iter().fold(Rights::NONE, |rights, rule| rights.union(rule.deny));
    let attributes = |right: Right| {
        let mut set = AttributeSet::EMPTY;
        let grants = rules.iter().filter(|rule| rule.values.is_empty() && rule.allow.has(right));
        grants.for_each(|rule| set.union(&rule.attributes));
        let denials = denials.iter().filter(|rule| rule.values.is_empty() && rule.deny.has(right));
        denials.for_each(|rule| set.subtract(&rule.attributes));
        set.subtract(schema.secret());
        set
    };
    Decision {
        rights: allowed.without(denied).iter().filter(|right| !right.is_per_attribute()).collect(),
        search: attributes(Right::Search),
        read: attributes(Right::Read),
        compare: attributes(Right::Compare),
        write: attributes(Right::Write),
        limited: rules.iter().filter(|rule| !rule.values.is_empty()).map(|rule| limited(rule, denials)).collect(),
    }
}

/// What a rule says of some values. Where writing is denied whichever the values, it grants nothing.
fn limited(rule: &Rule, rules: &[&Rule]) -> LimitedWrite {
    let (values, mut attributes) = (rule.values.clone(), rule.attributes.clone());
    if rule.is_denial() {
        return LimitedWrite { attributes, values, effect: Effect::Denial };
    }
    let denials = rules.iter().filter(|other| other.values.is_empty() && other.deny.has(Right::Write));
    denials.for_each(|denial| attributes.subtract(&denial.attributes));
    LimitedWrite { attributes, values, effect: Effect::Grant }
}

fn has(mask: &RuleMask, position: usize) -> bool {
    mask.get(position / 64).is_some_and(|word| word & 1 << (position % 64) != 0)
}

/// The positions that are in both.
fn both(one: &RuleMask, other: &RuleMask) -> SmallVec<[usize; 8]> {
    let mut positions = SmallVec::new();
    for (at, (a, b)) in one.iter().zip(other).enumerate() {
        let mut common = a & b;
        while common != 0 {
            positions.push(at * 64 + common.trailing_zeros() as usize);
            common &= common - 1;
        }
    }
    positions
}

fn set(mask: &mut RuleMask, position: usize) {
    if mask.len() <= position / 64 {
        mask.resize(position / 64 + 1, 0);
    }
    if let Some(word) = mask.get_mut(position / 64) {
        *word |= 1 << (position % 64);
    }
}

fn clear(mask: &mut RuleMask, position: usize) {
    if let Some(word) = mask.get_mut(position / 64) {
        *word &= !(1 << (position % 64));
    }
}
