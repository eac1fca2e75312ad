//! Looking for somebody who may what an assertion says nobody may.
//!
//! Each rule that grants such a right is taken by itself. Somebody to whom it applies, of whom the assertion is and who is not
//! excepted is looked for: first among the entries; then, for a rule about a group or a subtree, whoever might be put
//! there. So is an entry to which they may do it: first among the entries, then one that might be added. The whole of
//! the rules decides, with all that denies it and the guard against taking over somebody, under the circumstances that
//! favour them most: a grant that holds sometimes counts, a denial that holds sometimes does not.
//!
//! Rules for oneself and for those whom the target holds (`self`, `attribute:`) are tried on the entries that there are.

mod example;
mod subjects;
mod targets;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use super::actor::is_unmet_denial;
use super::assertion::Assertion;
use super::rule::{Rule, Rules, Source};
use super::who::Who;
use super::work::{Unbounded, Work};
use super::{Actor, Decider, Decision, Right, escalation};
use crate::directory::tree::{EntryId, Node, Tree, TreeError};
use crate::directory::{AttributeTypeId, Dn, Entry, Timestamp};

use subjects::Subject;
pub(super) use subjects::nobody_below;

/// Somebody who may what nobody may.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counterexample {
    /// The assertion that does not hold.
    pub assertion: String,
    /// Where it stands.
    pub assertion_source: Source,
    /// The rule that grants it.
    pub rule: String,
    /// Where that stands.
    pub rule_source: Source,
    /// To whom, in words or by name.
    pub who: String,
    /// Which right.
    pub right: Right,
    /// To which attribute, if it is granted by attributes.
    pub attribute: Option<String>,
    /// Of which entry, in words or by name.
    pub target: String,
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { assertion, assertion_source, rule, rule_source, who, right, attribute, target } = self;
        let attribute = attribute.as_ref().map(|name| format!(" {name} of")).unwrap_or_default();
        write!(
            f,
            "the assertion {assertion:?} ({assertion_source}) does not hold: {who} may {right}{attribute} {target}, by the \
             rule {rule:?} ({rule_source})"
        )
    }
}

/// Looks for violations: for each assertion and rule, the first. In an empty tree only those are found that follow from the
/// words of the rules, whatever entries there will be.
pub fn violations(
    rules: &Rules,
    assertions: &[Assertion],
    now: Timestamp,
    tree: &dyn Tree,
) -> Result<Vec<Counterexample>, TreeError> {
    violations_by(rules, assertions, now, (tree, &Unbounded), &|_| true)
}

/// The same by those rules alone that `concerns` says, all of which decide, as far as the work goes.
pub fn violations_by<W: Work>(
    rules: &Rules,
    assertions: &[Assertion],
    now: Timestamp,
    (tree, work): (&dyn Tree, &W),
    concerns: &dyn Fn(&Rule) -> bool,
) -> Result<Vec<Counterexample>, W::Stop> {
    let rules = lasting(rules, tree)?;
    let rules = rules.as_ref();
    let mut found = Vec::new();
    for assertion in assertions {
        for rule in rules.iter().filter(|rule| !rule.is_over(now) && concerns(rule)) {
            let inquiry = Inquiry { rules, assertion, rule, now, tree, work, focus: Focus::All };
            if inquiry.concerns() {
                found.extend(inquiry.search()?);
            }
        }
    }
    Ok(found)
}

/// The same by all rules, but only for what was touched since they were looked for everywhere. What `attribute:` means of groups
/// in values is not looked for.
pub fn violations_touching<W: Work>(
    rules: &Rules,
    assertions: &[Assertion],
    now: Timestamp,
    (tree, work): (&dyn Tree, &W),
    touched: &Touched,
) -> Result<Vec<Counterexample>, W::Stop> {
    let rules = lasting(rules, tree)?;
    let rules = rules.as_ref();
    let mut found = Vec::new();
    for assertion in assertions {
        for rule in rules.iter().filter(|rule| !rule.is_over(now)) {
            for focus in touched.focuses() {
                let inquiry = Inquiry { rules, assertion, rule, now, tree, work, focus };
                let example = if inquiry.concerns() { inquiry.search()? } else { break };
                if example.is_some() {
                    found.extend(example);
                    break;
                }
            }
        }
    }
    Ok(found)
}

/// The rules, but for denials for a group that does not exist: these are for everybody until somebody makes the group.
fn lasting<'r>(rules: &'r Rules, tree: &dyn Tree) -> Result<Cow<'r, Rules>, TreeError> {
    let mut unmet = Vec::new();
    for (position, rule) in rules.iter().enumerate() {
        if is_unmet_denial(rule, tree)? {
            unmet.push(position);
        }
    }
    if unmet.is_empty() {
        return Ok(Cow::Borrowed(rules));
    }
    let lasting = rules.iter().enumerate().filter(|(position, _)| !unmet.contains(position));
    Ok(Cow::Owned(lasting.map(|(_, rule)| rule.clone()).collect()))
}

/// What a change touches of what rules and assertions ask for: where neither somebody nor an entry is one of these, nothing can
/// have come about.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Touched {
    /// Entries that were moved, that hold something else, or that are in other groups.
    pub entries: BTreeSet<EntryId>,
    /// Those who are called otherwise or are in other groups, and groups that are.
    pub people: BTreeSet<EntryId>,
    /// Names that are free now, and that rules or assertions name.
    pub gone: Vec<Arc<Dn>>,
    /// Names of the single entries that rules or assertions are about, and that are free now.
    pub free: Vec<Arc<Dn>>,
    /// New entries of which nothing is asked but that they may do something to themselves.
    pub new: BTreeSet<EntryId>,
}

impl Touched {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How much it is.
    pub fn len(&self) -> usize {
        self.entries.len() + self.people.len() + self.gone.len() + self.free.len() + self.new.len()
    }

    fn focuses(&self) -> impl Iterator<Item = Focus<'_>> {
        let are_people = !self.people.is_empty() || !self.gone.is_empty();
        let all = [
            (!self.entries.is_empty(), Focus::Targets(&self.entries)),
            (are_people, Focus::Subjects(self)),
            (!self.new.is_empty(), Focus::Own(&self.new)),
        ];
        all.into_iter().filter(|(is_any, _)| *is_any).map(|(_, focus)| focus)
    }
}

/// With whom and what it is tried.
#[derive(Clone, Copy)]
enum Focus<'a> {
    /// With all.
    All,
    /// Everybody, with these entries.
    Targets(&'a BTreeSet<EntryId>),
    /// The people of these, with all entries.
    Subjects(&'a Touched),
    /// Each of these with itself.
    Own(&'a BTreeSet<EntryId>),
}

/// Whether a rule grants what an assertion says must not be.
struct Inquiry<'a, W> {
    rules: &'a Rules,
    assertion: &'a Assertion,
    rule: &'a Rule,
    now: Timestamp,
    tree: &'a dyn Tree,
    work: &'a W,
    focus: Focus<'a>,
}

/// Whether somebody is to be tried.
type IsTried<'t, W> = &'t dyn Fn(&Subject) -> Result<bool, <W as Work>::Stop>;

/// How often somebody was tried to whom each rule stands alike: of the entries they may do the same with all but their own.
#[derive(Default)]
struct Tried(HashMap<u64, u8>);

impl Tried {
    /// Whether two like them were tried, so that each entry was another's for one of these.
    fn enough_like(&mut self, actor: &Actor) -> bool {
        let times = self.0.entry(actor.likeness()).or_default();
        *times = times.saturating_add(1);
        *times > 2
    }
}

/// A right that somebody has; if it is granted by attributes, to that one.
#[derive(Clone, Copy)]
struct Granted {
    right: Right,
    attribute: Option<AttributeTypeId>,
}

impl<W: Work> Inquiry<'_, W> {
    fn rights(&self) -> impl Iterator<Item = Right> {
        let must_not = self.assertion.must_not;
        self.rule.allow.iter().filter(move |right| must_not.has(*right))
    }

    fn concerns(&self) -> bool {
        let attributes = self.rule.attributes.intersects(&self.assertion.attributes);
        self.rights().any(|right| attributes || !right.is_per_attribute())
    }

    fn search(&self) -> Result<Option<Counterexample>, W::Stop> {
        for who in &self.rule.who {
            let found = match who {
                Who::Oneself | Who::HeldIn(_) if !self.is_tried_by_target(who) => None,
                Who::Oneself | Who::HeldIn(_) => self.search_dependent(who, &|_| Ok(true))?,
                _ => self.search_independent(who)?,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Whether those whom a word means by the target are to be tried: of people who are in other groups only the entries that
    /// they are need be looked at for that, and these were touched as well.
    const fn is_tried_by_target(&self, who: &Who) -> bool {
        match self.focus {
            Focus::All | Focus::Targets(_) => true,
            Focus::Subjects(_) => false,
            Focus::Own(_) => matches!(who, Who::Oneself),
        }
    }

    /// Tries those whom the rule names whatever the target is; of kinds of people also those of whom the assertion is by the
    /// target.
    fn search_independent(&self, who: &Who) -> Result<Option<Counterexample>, W::Stop> {
        let found = if matches!(self.focus, Focus::Own(_)) { None } else { self.search_named(who)? };
        if found.is_some() || matches!(who, Who::Entry(_) | Who::Group(_) | Who::Role(_)) {
            return Ok(found);
        }
        for meant in self.assertion.who.iter().filter(|meant| meant.depends_on_target()) {
            if !self.is_tried_by_target(meant) {
                continue;
            }
            let found = self.search_dependent(meant, &|subject| self.is_named(who, subject))?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn search_named(&self, who: &Who) -> Result<Option<Counterexample>, W::Stop> {
        let mut tried = Tried::default();
        for candidate in self.candidates(who)? {
            let Some(subject) = self.subject(candidate)? else { continue };
            if !self.is_named(who, &subject)? || !self.may_be_meant(&subject)? {
                continue;
            }
            let actor = subject.actor(self)?;
            if !self.depends_on_target() && tried.enough_like(&actor) {
                continue;
            }
            let mut decider = Decider::new(self.rules, &actor, self.tree.schema());
            let mut found = None;
            self.each_target(&mut |node, dn| {
                found = self.try_entry(&subject, &mut decider, (node, dn))?;
                Ok(found.is_none())
            })?;
            if found.is_none() && !matches!(self.focus, Focus::Targets(_)) {
                found = self.try_new_entries(&subject, &mut decider)?;
            }
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Whether the target has a say in of whom the assertion is.
    fn depends_on_target(&self) -> bool {
        self.assertion.who.iter().chain(&self.assertion.except).any(Who::depends_on_target)
    }

    /// Tries those whom `who` means by each target, as far as they are to be tried.
    fn search_dependent(&self, who: &Who, is_tried: IsTried<'_, W>) -> Result<Option<Counterexample>, W::Stop> {
        let mut found = None;
        self.each_target(&mut |node, dn| {
            for candidate in self.candidates_of(who, node, dn)? {
                let Some(subject) = self.subject(candidate)? else { continue };
                if !is_tried(&subject)? {
                    continue;
                }
                let actor = subject.actor(self)?;
                let mut decider = Decider::new(self.rules, &actor, self.tree.schema());
                found = self.try_entry(&subject, &mut decider, (node, dn))?;
                if found.is_some() {
                    break;
                }
            }
            Ok(found.is_none())
        })?;
        Ok(found)
    }

    fn try_entry(
        &self,
        subject: &Subject,
        decider: &mut Decider<'_>,
        (node, dn): (&Node, &Arc<Dn>),
    ) -> Result<Option<Counterexample>, W::Stop> {
        if !self.is_meant(subject, node)? {
            return Ok(None);
        }
        self.work.take(self.decision_cost())?;
        let decision = decider.decide(node, self.tree)?;
        for right in self.rights() {
            let Some(granted) = self.granted(right, &decision, &node.entry) else { continue };
            let is_own = subject.identity.uuid() == Some(node.uuid);
            if right == Right::ResetPassword && (is_own || self.exceeds((node.uuid, dn), decider.actor())?) {
                continue;
            }
            return Ok(Some(self.counterexample(subject, granted, dn.to_string())));
        }
        Ok(None)
    }

    /// Tries an entry that might be added where rule and assertion begin, and matches what they ask for. Denials that ask for
    /// something else do not hinder whoever chooses what it holds.
    fn try_new_entries(&self, subject: &Subject, decider: &mut Decider<'_>) -> Result<Option<Counterexample>, W::Stop> {
        if self.assertion.filter.is_some() {
            return Ok(None);
        }
        let entry = example::for_filter(self.rule.filter.as_ref(), self.tree.schema());
        for (dn, shown) in self.new_names()? {
            self.work.take(self.decision_cost())?;
            let decision = decider.decide_new(&dn, &entry)?;
            for right in self.rights() {
                let Some(granted) = self.granted(right, &decision, &Entry::empty()) else { continue };
                if right == Right::ResetPassword && self.exceeds((Uuid::nil(), &dn), decider.actor())? {
                    continue;
                }
                return Ok(Some(self.counterexample(subject, granted, shown)));
            }
        }
        Ok(None)
    }

    /// Whether the owner of an entry holds what somebody does not hold, and so is not theirs to reset.
    fn exceeds(&self, target: (Uuid, &Dn), actor: &Actor) -> Result<bool, W::Stop> {
        Ok(escalation::exceeds_within(target, actor, self.rules, self.tree, self.work)?.is_some())
    }

    /// Each rule may ask the entry.
    fn decision_cost(&self) -> u64 {
        8 + self.rules.iter().len() as u64 / 4
    }

    /// The right, if it is granted, with an attribute that the assertion is about.
    fn granted(&self, right: Right, decision: &Arc<Decision>, entry: &Entry) -> Option<Granted> {
        let Some(mut set) = decision.attributes(right) else {
            return decision.allows(right).then_some(Granted { right, attribute: None });
        };
        set.intersect(&self.assertion.attributes);
        set.intersect(&self.rule.attributes);
        let present = entry.attributes().map(|attribute| attribute.attribute_type).find(|id| set.contains(*id));
        let some = present.or_else(|| set.iter().next());
        some.map(|id| Granted { right, attribute: Some(id) })
    }

    fn counterexample(
        &self,
        subject: &Subject,
        Granted { right, attribute }: Granted,
        target: String,
    ) -> Counterexample {
        let name = |id| self.tree.schema().attribute_type(id).name().to_owned();
        Counterexample {
            assertion: self.assertion.name.clone(),
            assertion_source: self.assertion.source.clone(),
            rule: self.rule.name.clone(),
            rule_source: self.rule.source.clone(),
            who: subject.shown.clone(),
            right,
            attribute: attribute.map(name),
            target,
        }
    }
}
