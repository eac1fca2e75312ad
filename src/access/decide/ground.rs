//! What is the same for all entries that the same rules reach: which rules apply to all of them, what is to be asked of each,
//! and which rules can change nothing any more, so that nothing is asked for them.

use std::sync::Arc;

use super::combining::combine;
use super::question::Question;
use super::rule_mask::RuleMask;
use super::{Decision, Purpose};
use crate::access::rule::{Rule, Rules};
use crate::access::{Right, Rights};
use crate::directory::schema::{AttributeSet, Schema};

/// What is the same for all entries that the same rules reach.
#[derive(Debug, Default)]
pub(super) struct Ground {
    /// The rules that apply to all of them.
    pub(super) certain: RuleMask,
    /// The rules that apply to some of them, and matter there.
    pub(super) asking: RuleMask,
    /// What decides about these.
    pub(super) questions: Vec<Question>,
    /// What the certain ones come to.
    pub(super) decision: Arc<Decision>,
}

impl Ground {
    /// Of the rules that reach entries.
    pub(super) fn of(
        reaching: &RuleMask,
        questions: &[Question],
        rules: &Rules,
        (purpose, schema): (Purpose, &Schema),
    ) -> Self {
        let mut asking = RuleMask::default();
        for question in questions {
            asking.union(&question.rules);
        }
        asking.intersect(reaching);
        let mut certain = reaching.clone();
        certain.subtract(&asking);
        // Of values, nothing is certain but that they may be written.
        let whole = Effects::of(of(&certain, rules).filter(|rule| rule.values.is_empty()));
        let possible = Effects::of(of(reaching, rules));
        let matters =
            |position: &usize| rules.get(*position).is_some_and(|rule| matters(rule, purpose, &whole, &possible));
        let asking: RuleMask = asking.iter().filter(matters).collect();
        let of_these = |question: &Question| {
            let mut rules = question.rules.clone();
            rules.intersect(&asking);
            (!rules.is_empty()).then(|| Question { about: question.about.clone(), rules })
        };
        let questions = questions.iter().filter_map(of_these).collect();
        let decision = Arc::new(decision_of(&certain, rules, (purpose, schema)));
        Self { certain, asking, questions, decision }
    }
}

/// What the rules of a mask come to together, as far as the purpose asks for it.
pub(super) fn decision_of(mask: &RuleMask, rules: &Rules, (purpose, schema): (Purpose, &Schema)) -> Decision {
    let decision = combine(&of(mask, rules).collect::<Vec<_>>(), schema);
    match purpose {
        Purpose::Everything => decision,
        // Of the rest not all was asked.
        Purpose::Sight => {
            Decision { rights: Rights::NONE, write: AttributeSet::EMPTY, limited: Vec::new(), ..decision }
        }
    }
}

fn of<'r>(mask: &RuleMask, rules: &'r Rules) -> impl Iterator<Item = &'r Rule> {
    mask.iter().filter_map(|position| rules.get(position))
}

/// What some rules grant and deny: those of the configuration, and those of the tree.
struct Effects {
    own_grants: Effect,
    delegated_grants: Effect,
    own_denials: Effect,
    delegated_denials: Effect,
}

/// Rights, and for each that is granted by attributes, to which.
#[derive(Default)]
struct Effect {
    rights: Rights,
    attributes: [AttributeSet; BY_ATTRIBUTE.len()],
}

/// The rights that are granted by attributes.
const BY_ATTRIBUTE: [Right; 4] = [Right::Search, Right::Read, Right::Compare, Right::Write];

impl Effects {
    fn of<'r>(rules: impl Iterator<Item = &'r Rule>) -> Self {
        let none = Effect::default;
        let mut effects =
            Self { own_grants: none(), delegated_grants: none(), own_denials: none(), delegated_denials: none() };
        for rule in rules {
            let (grants, denials) = if rule.is_delegated() {
                (&mut effects.delegated_grants, &mut effects.delegated_denials)
            } else {
                (&mut effects.own_grants, &mut effects.own_denials)
            };
            grants.add(rule, rule.allow);
            denials.add(rule, rule.deny);
        }
        effects
    }
}

impl Effect {
    fn add(&mut self, rule: &Rule, rights: Rights) {
        self.rights = self.rights.union(rights);
        for (right, set) in BY_ATTRIBUTE.iter().zip(&mut self.attributes) {
            if rights.has(*right) {
                set.union(&rule.attributes);
            }
        }
    }

    /// The attributes for which a right is among them.
    fn attributes(&self, right: Right) -> AttributeSet {
        let mut all = BY_ATTRIBUTE.iter().zip(&self.attributes);
        all.find(|(own, _)| **own == right).map(|(_, set)| set.clone()).unwrap_or_default()
    }

    /// These and, if they are given, those.
    fn with(&self, right: Right, others: Option<&Self>) -> AttributeSet {
        let mut set = self.attributes(right);
        if let Some(others) = others {
            set.union(&others.attributes(right));
        }
        set
    }
}

/// Whether it matters if a rule applies, where those apply that apply for certain, and nothing but what is possible.
fn matters(rule: &Rule, purpose: Purpose, certain: &Effects, possible: &Effects) -> bool {
    let wanted = |right: &Right| purpose.asks_for(*right);
    let mut granted = rule.allow.iter().filter(wanted);
    let mut denied = rule.deny.iter().filter(wanted);
    if !rule.values.is_empty() {
        return granted.next().is_some() || denied.next().is_some();
    }
    granted.any(|right| grants_more(rule, right, certain))
        || denied.any(|right| denies_more(rule, right, certain, possible))
}

/// Whether a rule grants a right that is not granted anyway. What rules of the tree grant, those of the configuration may
/// grant anyway; the other way round there may be denials between them.
fn grants_more(rule: &Rule, right: Right, certain: &Effects) -> bool {
    let others = rule.is_delegated().then_some(&certain.delegated_grants);
    if right.is_per_attribute() {
        let mut more = rule.attributes.clone();
        more.subtract(&certain.own_grants.with(right, others));
        return !more.is_empty();
    }
    !certain.own_grants.rights.has(right) && !others.is_some_and(|others| others.rights.has(right))
}

/// Whether a rule denies a right that may be granted, and is not denied anyway. Rules of the tree deny what such rules grant.
fn denies_more(rule: &Rule, right: Right, certain: &Effects, possible: &Effects) -> bool {
    let others = rule.is_delegated().then_some(&certain.delegated_denials);
    let own = (!rule.is_delegated()).then_some(&possible.own_grants);
    if right.is_per_attribute() {
        let mut more = rule.attributes.clone();
        more.subtract(&certain.own_denials.with(right, others));
        return more.intersects(&possible.delegated_grants.with(right, own));
    }
    let is_granted = possible.delegated_grants.rights.has(right) || own.is_some_and(|own| own.rights.has(right));
    let is_denied = certain.own_denials.rights.has(right) || others.is_some_and(|others| others.rights.has(right));
    is_granted && !is_denied
}
