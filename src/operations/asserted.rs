//! What is asserted of access rules must stay true when entries change, and not the rules: when somebody is put into a group or
//! named as a manager, when an entry comes, goes, is renamed, or holds something that a rule looks for.
//!
//! A change that touches nothing for which rules or assertions ask costs nothing. Of another, those whom it touches are tried,
//! and it is refused if it breaks an assertion. What takes too long to know is done, and looked at once it is: then the rule is
//! out of force. So is what two changes break together, each of which alone breaks nothing.

use std::collections::HashSet;
use std::sync::Arc;

use crate::access::actor::{direct_groups, memberships_of};
use crate::access::assertion::{Assertion, Extent};
use crate::access::delegated::Amendment;
use crate::access::explain::{entry_called, members_within, occupants_within};
use crate::access::violation::{Counterexample, Touched, violations_by, violations_touching};
use crate::access::who::Who;
use crate::access::work::{Budget, Stopped};
use crate::access::{Rule, Rules};
use crate::directory::schema::{AttributeSet, Schema};
use crate::directory::tree::{Change, Credentials, EntryId, Overlay, Tree, TreeError, Write};
use crate::directory::{AttributeTypeId, Dn, Entry};

use super::outcome::Effect;
use super::transaction::unmade;
use super::{Context, Effort, Outcome, Refusal};

/// So many entries are looked at for one change.
const MOST: usize = 2_000;
/// So many steps are taken where somebody else waits for the thread.
const FEW_STEPS: u64 = 100_000;

/// Requires that a change leaves all true that is asserted; `effort` says whether it may take long to find out.
pub(super) fn hold(ctx: &Context<'_>, mut outcome: Outcome, effort: Effort) -> Result<Outcome, Refusal> {
    if ctx.services.assertions.is_empty() || outcome.change.writes.is_empty() {
        return Ok(outcome);
    }
    let asked = Asked::by(ctx);
    if !asked.is_touched_by(&outcome.change, ctx.tree)? {
        return Ok(outcome);
    }
    let mut after = Overlay::new(ctx.tree)?;
    after.apply(outcome.change.clone()).map_err(unmade)?;
    let steps = match effort {
        Effort::Heavy => ctx.services.limits.assertion_steps,
        Effort::Light => ctx.services.limits.assertion_steps.min(FEW_STEPS),
    };
    let budget = Budget::new(steps);
    match (Trial { ctx, asked: &asked, after: &after, budget: &budget }).broken_by(&outcome.change) {
        Err(Stopped::Tree(error)) => return Err(error.into()),
        Ok(Some(example)) => return Err(refusal(ctx, example)?),
        Ok(None) | Err(Stopped::Spent) => outcome.effects.push(Effect::AskedChanged),
    }
    Ok(outcome)
}

/// What rules and assertions ask for.
struct Asked<'a> {
    /// What filters look at, and what holds those to whom a rule applies.
    attributes: AttributeSet,
    /// Of these, what is not tried anyway with an entry that might be added.
    of_new: AttributeSet,
    /// What they name: people, groups and roles.
    names: Vec<&'a Dn>,
    /// The single entries that rules and assertions are about.
    places: Vec<&'a Dn>,
    /// Whether they are about what somebody may do to themselves.
    is_about_oneself: bool,
}

impl<'a> Asked<'a> {
    fn by(ctx: &Context<'a>) -> Self {
        let object_class = ctx.schema().known().object_class;
        let mut asked = Self {
            attributes: AttributeSet::EMPTY,
            of_new: AttributeSet::EMPTY,
            names: Vec::new(),
            places: Vec::new(),
            is_about_oneself: false,
        };
        for rule in ctx.rules.iter().chain(ctx.services.rules.written().iter()) {
            asked.note_filter(rule);
            asked.places.extend(rule.entries());
            rule.who.iter().for_each(|who| asked.note_who(who));
        }
        asked.of_new = asked.attributes.clone();
        asked.of_new.remove(object_class);
        for assertion in &ctx.services.assertions {
            asked.note_assertion(assertion);
        }
        asked
    }

    fn note_filter(&mut self, rule: &Rule) {
        if let Some(filter) = &rule.filter {
            self.attributes.union(&filter.mentioned());
        }
    }

    fn note_assertion(&mut self, assertion: &'a Assertion) {
        if let Some(filter) = &assertion.filter {
            let mentioned = filter.mentioned();
            self.attributes.union(&mentioned);
            self.of_new.union(&mentioned);
        }
        assertion.who.iter().chain(&assertion.except).for_each(|who| self.note_who(who));
        for extent in &assertion.to {
            match extent {
                Extent::Members(group) => self.names.push(group),
                Extent::Reach(reach) => self.places.extend(reach.entry()),
            }
        }
    }

    fn note_who(&mut self, who: &'a Who) {
        match who {
            Who::Entry(name) | Who::Group(name) | Who::Role(name) => self.names.push(name),
            Who::HeldIn(attribute) => {
                self.attributes.insert(*attribute);
                self.of_new.insert(*attribute);
            }
            Who::Oneself => self.is_about_oneself = true,
            Who::Anonymous | Who::Authenticated | Who::Everyone | Who::LocalRoot | Who::Below(_) => {}
        }
    }

    /// Whether a change may concern any of it, as far as that is quickly found out.
    fn is_touched_by(&self, change: &Change, tree: &dyn Tree) -> Result<bool, TreeError> {
        for write in &change.writes {
            let is_touched = match write {
                Write::Insert { .. } | Write::Move { .. } => true,
                Write::Replace { uuid, entry, .. } => {
                    let node = tree.find_uuid(*uuid)?.map(|id| tree.node(id)).transpose()?.flatten();
                    node.is_some_and(|node| self.differ(&node.entry, entry, tree.schema()))
                }
                Write::Remove { uuid, .. } => {
                    let node = tree.find_uuid(*uuid)?.map(|id| tree.node(id)).transpose()?.flatten();
                    let name = node.as_ref().map(|node| tree.dn(node.id)).transpose()?.flatten();
                    let is_named = name.is_some_and(|name| self.has_named(&name) || self.is_place(&name));
                    // What else is gone can do nothing, and have nothing done to it.
                    is_named || node.is_some_and(|node| are_members_other(&node.entry, &Entry::empty(), tree.schema()))
                }
                Write::SetCredentials { uuid, credentials, .. } => {
                    // What the author of rules has passed on is suspended as long as they are locked.
                    let id = tree.find_uuid(*uuid)?;
                    id.map(|id| is_lock_other(id, credentials, tree)).transpose()?.unwrap_or_default()
                }
                Write::SetSchema(_) => false,
            };
            if is_touched {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn has_named(&self, dn: &Dn) -> bool {
        self.names.iter().any(|name| **name == *dn)
    }

    fn is_place(&self, dn: &Dn) -> bool {
        self.places.iter().any(|place| **place == *dn)
    }

    fn differ(&self, before: &Entry, after: &Entry, schema: &Schema) -> bool {
        are_members_other(before, after, schema) || self.is_asked_other(before, after)
    }

    /// Whether something else is held that is asked for.
    fn is_asked_other(&self, before: &Entry, after: &Entry) -> bool {
        let held = before.attributes().chain(after.attributes()).map(|attribute| attribute.attribute_type);
        held.filter(|id| self.attributes.contains(*id)).any(|id| !before.values(id).eq(after.values(id)))
    }
}

/// The attributes by which somebody is in something.
const fn memberships(schema: &Schema) -> [AttributeTypeId; 3] {
    let known = schema.known();
    [known.member, known.unique_member, known.role_occupant]
}

fn are_members_other(before: &Entry, after: &Entry, schema: &Schema) -> bool {
    memberships(schema).into_iter().any(|id| !before.values(id).eq(after.values(id)))
}

/// Whether an administrator locks an account by that, or ends such a lock.
fn is_lock_other(id: EntryId, credentials: &Entry, tree: &dyn Tree) -> Result<bool, TreeError> {
    let before = tree.credentials(id)?;
    let was_locked = before.is_some_and(|own| Credentials::are_locked_by_hand(&own.entry, tree.schema()));
    Ok(was_locked != Credentials::are_locked_by_hand(credentials, tree.schema()))
}

/// A change that is tried.
struct Trial<'t, 'c> {
    ctx: &'t Context<'c>,
    asked: &'t Asked<'c>,
    after: &'t Overlay<'c>,
    budget: &'t Budget,
}

impl Trial<'_, '_> {
    /// Somebody for whom an assertion is broken then that was not before.
    fn broken_by(&self, change: &Change) -> Result<Option<Counterexample>, Stopped> {
        let (ctx, assertions) = (self.ctx, &self.ctx.services.assertions);
        let mut touched = self.touched(change)?;
        let rules = self.rules_after(&touched)?;
        let after = rules.as_deref().unwrap_or(ctx.rules);
        self.note_suspended(after, &mut touched)?;
        let mut found = violations_touching(after, assertions, ctx.now, (self.after, self.budget), &touched)?;
        if let Some(after) = &rules {
            let is_known = |rule: &Rule| ctx.rules.iter().any(|own| own.source == rule.source);
            let comes = |rule: &Rule| rule.is_delegated() && !is_known(rule);
            found.extend(violations_by(after, assertions, ctx.now, (self.after, self.budget), &comes)?);
        }
        // An entry that is made anew under a name that is free then may hold what the one before did not, and the other way round.
        if !touched.free.is_empty() {
            found.extend(violations_by(after, assertions, ctx.now, (self.after, self.budget), &|_| true)?);
        }
        if found.is_empty() {
            return Ok(None);
        }
        // What was broken before is not held against whoever writes now: it is looked at once this is written.
        let mut known = violations_touching(ctx.rules, assertions, ctx.now, (ctx.tree, self.budget), &touched)?;
        if !touched.free.is_empty() {
            known.extend(violations_by(ctx.rules, assertions, ctx.now, (ctx.tree, self.budget), &|_| true)?);
        }
        let of = |one: &Counterexample| (one.assertion.clone(), one.rule.clone(), one.rule_source.clone());
        Ok(found.into_iter().find(|example| !known.iter().any(|other| of(other) == of(example))))
    }

    /// The rules as they are then, if those of the tree may be others: an author may hold more, or less.
    fn rules_after(&self, touched: &Touched) -> Result<Option<Arc<Rules>>, TreeError> {
        let before = self.ctx.services.rules.in_force(self.ctx.tree)?;
        let are_none = before.suspended.is_empty() && !before.rules.iter().any(Rule::is_delegated);
        if are_none || touched.people.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.ctx.services.rules.in_force_after(&Amendment::default(), self.after)?.rules))
    }

    /// Those who hold less then, since a rule of the tree is no more in force that is for them: so they may be reset by more people.
    /// Of those who are named by no list, the look afterwards finds it.
    fn note_suspended(&self, after: &Rules, touched: &mut Touched) -> Result<(), Stopped> {
        let is_same = |one: &Rule, other: &Rule| one.source == other.source && one.is_denial() == other.is_denial();
        let goes =
            |rule: &&Rule| rule.is_delegated() && !rule.is_denial() && !after.iter().any(|other| is_same(rule, other));
        for who in self.ctx.rules.iter().filter(goes).flat_map(|rule| &rule.who) {
            let less: HashSet<EntryId> = match who {
                Who::Entry(name) => self.after.find(name)?.entry().into_iter().collect(),
                Who::Group(group) => members_within(group, self.after, self.budget)?,
                Who::Role(role) => occupants_within(role, self.after, self.budget)?,
                Who::Anonymous
                | Who::Authenticated
                | Who::Everyone
                | Who::LocalRoot
                | Who::Below(_)
                | Who::Oneself
                | Who::HeldIn(_) => continue,
            };
            if touched.len() + less.len() <= MOST {
                touched.entries.extend(less);
            }
        }
        Ok(())
    }

    fn touched(&self, change: &Change) -> Result<Touched, Stopped> {
        let mut touched = Touched::default();
        for write in &change.writes {
            self.note(write, &mut touched)?;
            if touched.len() > MOST {
                return Err(Stopped::Spent);
            }
        }
        Ok(touched)
    }

    fn note(&self, write: &Write, touched: &mut Touched) -> Result<(), Stopped> {
        let nothing = Entry::empty();
        match write {
            Write::Insert { uuid, entry, .. } => {
                let Some(id) = self.after.find_uuid(*uuid)? else { return Ok(()) };
                self.note_new(id, entry, touched)
            }
            Write::Replace { uuid, entry, .. } => {
                let Some(id) = self.ctx.tree.find_uuid(*uuid)? else { return Ok(()) };
                let Some(node) = self.ctx.tree.node(id)? else { return Ok(()) };
                if self.asked.is_asked_other(&node.entry, entry) {
                    touched.entries.insert(id);
                }
                self.note_members(id, (&node.entry, entry), touched)
            }
            Write::Remove { uuid, .. } => {
                let Some(id) = self.ctx.tree.find_uuid(*uuid)? else { return Ok(()) };
                let Some(node) = self.ctx.tree.node(id)? else { return Ok(()) };
                self.note_gone(id, touched)?;
                self.note_members(id, (&node.entry, &nothing), touched)
            }
            Write::Move { uuid, .. } => {
                let Some(id) = self.ctx.tree.find_uuid(*uuid)? else { return Ok(()) };
                self.note_moved(id, touched)
            }
            Write::SetCredentials { uuid, credentials, .. } => {
                if let Some(id) = self.ctx.tree.find_uuid(*uuid)?
                    && is_lock_other(id, credentials, self.ctx.tree)?
                {
                    touched.people.insert(id);
                }
                Ok(())
            }
            Write::SetSchema(_) => Ok(()),
        }
    }

    fn note_new(&self, id: EntryId, entry: &Entry, touched: &mut Touched) -> Result<(), Stopped> {
        let Some(dn) = self.after.dn(id)? else { return Ok(()) };
        let is_named = self.asked.has_named(&dn);
        if is_named || !direct_groups(&dn, self.after)?.is_empty() {
            touched.people.insert(id);
            touched.entries.insert(id);
        } else if entry.attributes().any(|attribute| self.asked.of_new.contains(attribute.attribute_type)) {
            touched.entries.insert(id);
        } else if self.asked.is_about_oneself {
            touched.new.insert(id);
        }
        self.note_members(id, (&Entry::empty(), entry), touched)
    }

    /// The name that an entry had, if it is free then, and somebody may come to have it.
    fn note_gone(&self, id: EntryId, touched: &mut Touched) -> Result<(), TreeError> {
        let Some(dn) = self.ctx.tree.dn(id)? else { return Ok(()) };
        if self.after.find(&dn)?.entry().is_some() {
            return Ok(());
        }
        if self.asked.is_place(&dn) {
            touched.free.push(Arc::clone(&dn));
        }
        if self.asked.has_named(&dn) {
            // As it was, it may have broken what whoever comes to have its name then breaks.
            touched.people.insert(id);
            touched.gone.push(dn);
        }
        Ok(())
    }

    /// What is called otherwise, and who is in it.
    fn note_moved(&self, top: EntryId, touched: &mut Touched) -> Result<(), Stopped> {
        let mut pending = vec![top];
        while let Some(id) = pending.pop() {
            let Some(node) = self.ctx.tree.node(id)? else { continue };
            touched.people.insert(id);
            touched.entries.insert(id);
            self.note_gone(id, touched)?;
            self.note_those_in((&node.entry, &Entry::empty()), touched)?;
            pending.extend(self.ctx.tree.children(id, None, MOST + 1)?);
            if touched.len() + pending.len() > 2 * MOST {
                return Err(Stopped::Spent);
            }
        }
        Ok(())
    }

    /// Those who come into a group or leave it, if something is granted to it, or asserted of it.
    fn note_members(
        &self,
        id: EntryId,
        (before, after): (&Entry, &Entry),
        touched: &mut Touched,
    ) -> Result<(), Stopped> {
        if !are_members_other(before, after, self.ctx.schema()) {
            return Ok(());
        }
        let trees: [&dyn Tree; 2] = [self.ctx.tree, self.after];
        let mut is_asked = false;
        for tree in trees {
            let Some(dn) = tree.dn(id)? else { continue };
            let above = memberships_of(&dn, tree)?;
            let mut names = above.names.iter().chain([&dn]);
            is_asked |= names.any(|name| self.asked.has_named(name));
        }
        if !is_asked {
            return Ok(());
        }
        touched.people.insert(id);
        self.note_those_in((before, after), touched)
    }

    fn note_those_in(&self, (before, after): (&Entry, &Entry), touched: &mut Touched) -> Result<(), Stopped> {
        for attribute in memberships(self.ctx.schema()) {
            let changed =
                before.values(attribute).filter(|value| !after.values(attribute).any(|other| other == *value));
            let come = after.values(attribute).filter(|value| !before.values(attribute).any(|other| other == *value));
            for value in changed.chain(come) {
                let Some(member) = entry_called(value, self.after)? else { continue };
                touched.people.insert(member);
                touched.entries.insert(member);
                if let Some(dn) = self.after.dn(member)? {
                    let within = members_within(&dn, self.after, self.budget)?;
                    touched.people.extend(&within);
                    touched.entries.extend(&within);
                }
                if touched.len() > MOST {
                    return Err(Stopped::Spent);
                }
            }
        }
        Ok(())
    }
}

/// Tells of an assertion that would be broken: with whom and what, if the requester may know of them.
fn refusal(ctx: &Context<'_>, example: Counterexample) -> Result<Refusal, TreeError> {
    let mut is_known = true;
    for shown in [&example.who, &example.target] {
        is_known &= is_visible(ctx, shown)?;
    }
    let told = if is_known {
        format!("{example}; so it would be with this change")
    } else {
        let Counterexample { assertion, assertion_source, .. } = &example;
        format!(
            "with this change the assertion {assertion:?} ({assertion_source}) would not hold any more, for somebody or something \
             that you do not see; the log of the server tells more"
        )
    };
    Ok(Refusal::BreaksAssertion { told, example: Box::new(example) })
}

/// Whether the requester may know of what a counter-example shows, by its name or in words that have a name at their end.
fn is_visible(ctx: &Context<'_>, shown: &str) -> Result<bool, TreeError> {
    const WORDS: [&str; 5] = [
        "whoever is put into ",
        "whoever is given the role ",
        "whoever stands below ",
        "an entry that is added below ",
        "the entry ",
    ];
    let name = WORDS.iter().find_map(|words| shown.strip_prefix(words)).unwrap_or(shown);
    let name = name.trim_end_matches(" itself").trim_end_matches(", if it is added");
    let Ok(dn) = Dn::parse(ctx.schema(), name) else { return Ok(true) };
    match ctx.tree.find(&dn)?.entry().map(|id| ctx.tree.node(id)).transpose()?.flatten() {
        Some(node) => Ok(ctx.decider().decide(&node, ctx.tree)?.is_visible()),
        None => Ok(true),
    }
}
