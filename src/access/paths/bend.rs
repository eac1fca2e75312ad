//! Filters of rules that somebody has matched, or not matched any longer, by what they write of an entry.

use super::step::{Reader, shown};
use super::terrain::Place;
use crate::access::rule::Rule;
use crate::access::{Decision, Right};
use crate::directory::filter::{Facts, Matcher, Truth};
use crate::directory::schema::{AttributeSet, ObjectClassKind, Schema};
use crate::directory::tree::TreeError;
use crate::directory::{AttributeTypeId, Dn, Entry};

/// That the filter of the rule of that position comes to match an entry, or no longer to match it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Bent {
    position: usize,
    matches: Matches,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Matches {
    Yes,
    No,
}

impl Bent {
    /// Whether the filter matches then, if it is that of the rule of that position.
    pub(super) fn of(bent: &[Self], position: usize) -> Option<bool> {
        bent.iter().find(|one| one.position == position).map(|one| one.matches == Matches::Yes)
    }
}

impl Reader<'_> {
    /// What they can do by `find` to an entry, if not as it is, then when they have written what filters of rules look at: each
    /// thing that they write, and then what they do.
    pub(super) fn find_by_bending<T>(
        &mut self,
        place: &Place,
        find: &mut dyn FnMut(&mut Self) -> Result<Vec<T>, TreeError>,
    ) -> Result<Vec<(Vec<String>, T)>, TreeError> {
        let plain = find(self)?;
        let known = plain.len();
        let mut found: Vec<_> = plain.into_iter().map(|step| (Vec::new(), step)).collect();
        let all = self.bendable(place)?;
        let one_by_one = all.iter().map(std::slice::from_ref);
        for some in one_by_one.chain((all.len() > 1).then_some(all.as_slice())) {
            self.bent = some.iter().map(|(bent, _)| *bent).collect();
            let more = find(self);
            self.bent.clear();
            let more = more?;
            if more.len() > known {
                let before: Vec<String> = some.iter().map(|(_, step)| step.clone()).collect();
                found.extend(more.into_iter().map(|step| (before.clone(), step)));
                break;
            }
        }
        Ok(found)
    }

    /// The filters that they can so have matched, or not matched any longer, where that gives them more; in an order in which they
    /// can.
    fn bendable(&mut self, place: &Place) -> Result<Vec<(Bent, String)>, TreeError> {
        let mut all: Vec<(Bent, String)> = Vec::new();
        loop {
            let known = all.len();
            self.bent = all.iter().map(|(bent, _)| *bent).collect();
            let more = self.bendable_now(place);
            self.bent.clear();
            all.extend(more?);
            if all.len() == known {
                return Ok(all);
            }
        }
    }

    fn bendable_now(&mut self, place: &Place) -> Result<Vec<(Bent, String)>, TreeError> {
        let decision = self.decide(place)?;
        let writable = self.writable(place, &decision);
        if writable.is_empty() {
            return Ok(Vec::new());
        }
        let schema = self.terrain.tree.schema();
        let rules = self.rules;
        let mut found = Vec::new();
        for (position, rule) in rules.iter().enumerate() {
            let concerns = self.actor.may_have_rule(position) && rule.to.iter().any(|reach| reach.has(&place.dn));
            let Some(filter) = rule.filter.as_ref().filter(|_| concerns && Bent::of(&self.bent, position).is_none())
            else {
                continue;
            };
            let facts = Facts { entries: &[&place.node.entry], searchable: schema.everything(), dn: &place.dn, schema };
            let is_matched = filter.evaluate(&facts) != Truth::False;
            let outcomes = Outcomes::of(filter, &facts, &writable);
            let matches = match rule.is_denial() {
                true if is_matched && outcomes.fails => Matches::No,
                false if !is_matched && outcomes.holds => Matches::Yes,
                _ => continue,
            };
            let mentioned = filter.mentioned();
            let Some(id) = writable.iter().find(|id| mentioned.contains(*id)) else { continue };
            found.push((Bent { position, matches }, self.bending(id, place, (rule, matches))?));
        }
        Ok(found)
    }

    fn bending(
        &mut self,
        id: AttributeTypeId,
        place: &Place,
        (rule, matches): (&Rule, Matches),
    ) -> Result<String, TreeError> {
        let by = self.rule(Right::Write, Some(id), place)?;
        let comes = if matches == Matches::Yes { "applies to it" } else { "does not apply to it any longer" };
        Ok(format!("may write {} of {}, so that {} {comes}, by {by}", self.name(id), place.dn, shown(rule)))
    }

    /// Whether they may add an entry of a name, whatever else than `entry` says it says: so that filters match it, or do not, and
    /// that it names them.
    pub(super) fn may_add_some(&mut self, dn: &Dn, entry: &Entry) -> Result<bool, TreeError> {
        if self.decider.decide_new(dn, entry)?.allows(Right::Add) {
            return Ok(true);
        }
        let schema = self.terrain.tree.schema();
        let facts = Facts { entries: &[entry], searchable: schema.everything(), dn, schema };
        let all = AttributeSet::first(schema.attribute_types().len());
        let applies = |(position, rule): &(usize, &Rule)| {
            let outcomes = rule.filter.as_ref().map(|filter| Outcomes::of(filter, &facts, &all));
            let reaches = rule.to.iter().any(|reach| reach.has(dn));
            let (is_theirs, matches) = if rule.is_denial() {
                (self.actor.has_rule(*position), outcomes.is_none_or(|outcomes| !outcomes.fails))
            } else {
                (self.actor.may_have_rule(*position), outcomes.is_none_or(|outcomes| outcomes.holds))
            };
            reaches && is_theirs && matches
        };
        let applying: Vec<usize> =
            self.rules.iter().enumerate().filter(applies).map(|(position, _)| position).collect();
        Ok(self.decider.decision_by(&applying).allows(Right::Add))
    }

    /// The attributes of an entry of which they may write some values.
    fn writable(&self, place: &Place, decision: &Decision) -> AttributeSet {
        let granted = decision.attributes(Right::Write).unwrap_or_default();
        granted.iter().filter(|id| self.may_hold(*id, place, decision)).collect()
    }
}

/// What may come of a filter when some attributes are written at will.
#[derive(Clone, Copy)]
struct Outcomes {
    holds: bool,
    fails: bool,
}

impl Outcomes {
    fn of(filter: &Matcher, facts: &Facts<'_>, writable: &AttributeSet) -> Self {
        let fixed = |filter: &Matcher| {
            let holds = filter.evaluate(facts) == Truth::True;
            Self { holds, fails: !holds }
        };
        match filter {
            Matcher::And(parts) => {
                let parts: Vec<Self> = parts.iter().map(|part| Self::of(part, facts, writable)).collect();
                Self { holds: parts.iter().all(|part| part.holds), fails: parts.iter().any(|part| part.fails) }
            }
            Matcher::Or(parts) => {
                let parts: Vec<Self> = parts.iter().map(|part| Self::of(part, facts, writable)).collect();
                Self { holds: parts.iter().any(|part| part.holds), fails: parts.iter().all(|part| part.fails) }
            }
            Matcher::Not(inner) => {
                let Self { holds, fails } = Self::of(inner, facts, writable);
                Self { holds: fails, fails: holds }
            }
            Matcher::Within(_, inner) => Self::of(inner, facts, writable),
            Matcher::Equal { selector, raw, .. } if is_of_structure(&selector.types, raw, facts.schema) => {
                fixed(filter)
            }
            Matcher::Present(selector)
            | Matcher::Equal { selector, .. }
            | Matcher::AtLeast(selector, ..)
            | Matcher::AtMost(selector, ..)
            | Matcher::Pieces(selector, ..)
            | Matcher::Word(selector, _)
            | Matcher::Bits { selector, .. } => {
                let Self { holds, fails } = fixed(filter);
                let has = |id: &AttributeTypeId| facts.entries.iter().any(|entry| entry.has(*id));
                let mut there = selector.types.iter().filter(|id| has(id));
                Self {
                    holds: holds || selector.types.iter().any(|id| writable.contains(*id)),
                    fails: fails || there.all(|id| writable.contains(*id)),
                }
            }
            // The name of an entry, and who is reached by way of others, stay as they are.
            Matcher::InName(..) | Matcher::InChain(_) | Matcher::Always(_) => fixed(filter),
        }
    }
}

/// Whether it is asked for a class that an entry cannot get or lose.
fn is_of_structure(types: &[AttributeTypeId], class: &[u8], schema: &Schema) -> bool {
    let class = std::str::from_utf8(class).ok().and_then(|name| schema.find_object_class(name));
    types.contains(&schema.known().object_class) && class.is_some_and(|class| class.kind != ObjectClassKind::Auxiliary)
}
