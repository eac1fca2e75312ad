//! Access rules that stand in the tree are judged where they are written: only what makes sense, only for what stands below
//! them, only what their author holds, and only what is proven to break nothing that the operator asserts.

use std::sync::Arc;

use uuid::Uuid;

use crate::access::delegated::{self, Amendment, CLASS, DelegationFault, InForce, RuleEntry};
use crate::access::names::nobody_meant;
use crate::access::rule::Source;
use crate::access::violation::{Counterexample, violations_by};
use crate::access::work::{Budget, Stopped};
use crate::access::{Decision, Right, Rule};
use crate::directory::schema::Schema;
use crate::directory::tree::{Condition, Node};
use crate::directory::{AttributeTypeId, Attributes, Dn, Entry};

use super::set_password::has_class;
use super::{Context, Refusal};

/// Whether an entry is a rule and nothing else: it holds nothing that a subentry of that class need not hold. The right to write
/// rules is enough to add, change and delete it.
pub(super) fn is_mere_rule(entry: &Entry, schema: &Schema) -> bool {
    let is_class = |name: &[u8]| {
        let class = std::str::from_utf8(name).ok().and_then(|name| schema.find_object_class(name));
        class.is_some_and(|class| ["top", "subentry", CLASS].contains(&class.name()))
    };
    let is_of_rule = |id: AttributeTypeId| {
        id == schema.known().object_class || schema.attribute_type(id).is_read_only() || is_word(id, schema)
    };
    delegated::is_rule(entry, schema)
        && entry.values(schema.known().object_class).all(is_class)
        && entry.attributes().all(|attribute| is_of_rule(attribute.attribute_type))
}

/// Whether an attribute is one of those by which such an entry says what it is about.
pub(super) fn is_word(id: AttributeTypeId, schema: &Schema) -> bool {
    let classes = ["subentry", CLASS].into_iter().filter_map(|name| schema.find_object_class(name));
    let mut words = classes.flat_map(|class| class.must.iter().chain(&class.may));
    id != schema.known().object_class && words.any(|word| *word == id)
}

/// What a change does to the rules of the tree.
#[derive(Default)]
pub(super) struct RuleChange(Amendment);

impl RuleChange {
    /// Judges an entry that is to be called `dn`, if it is a rule, and notes its author; `decision` is what the requester may
    /// do with it.
    pub(super) fn put(
        &mut self,
        ctx: &Context<'_>,
        decision: &Decision,
        attributes: &mut Attributes,
        dn: &Dn,
    ) -> Result<(), Refusal> {
        if !has_class(attributes, CLASS, ctx.schema()) {
            return Ok(());
        }
        let author = delegated::author_of(&ctx.requester.identity).filter(|_| decision.allows(Right::Delegate));
        let author = author.ok_or(Refusal::InsufficientAccess("you may not write access rules here"))?;
        let dn = Arc::new(dn.clone());
        let rules = delegated::read(&Entry::encode(attributes, ctx.schema()), &dn, ctx.schema())?;
        if let Some(right) = rules.iter().find_map(|rule| delegated::not_held(rule, ctx.actor, ctx.rules)) {
            return Err(DelegationFault::NotHeld(right).into());
        }
        require_somebody(ctx, &rules)?;
        attributes.set_one(ctx.schema().known().access_author, author.clone());
        self.0.gone.push(Arc::clone(&dn));
        self.0.come.push(RuleEntry { dn, author: Some(author), rules });
        Ok(())
    }

    /// Requires that an entry that ceases to be there, or to be a rule, may do so: if it denies, others may have more without
    /// it.
    pub(super) fn take_away(&mut self, ctx: &Context<'_>, node: &Node) -> Result<(), Refusal> {
        if !delegated::is_rule(&node.entry, ctx.schema()) {
            return Ok(());
        }
        if !ctx.decider().decide(node, ctx.tree)?.allows(Right::Delegate) {
            return Err(Refusal::InsufficientAccess("you may not take away access rules here"));
        }
        self.0.gone.extend(ctx.tree.dn(node.id)?);
        Ok(())
    }

    /// Takes an entry, if it is a rule, to where it comes with what stands above it.
    pub(super) fn carry(&mut self, ctx: &Context<'_>, node: &Node, new: &Dn) -> Result<(), Refusal> {
        self.take_away(ctx, node)?;
        if delegated::is_rule(&node.entry, ctx.schema()) {
            // What makes no sense there is suspended, as it always is.
            self.0.come.extend(RuleEntry::of(node, &Arc::new(new.clone()), ctx.schema()));
        }
        Ok(())
    }

    /// Requires that there are not too many rules then, and that they grant nothing that the operator says nobody may; `own`
    /// is the entry that is written. What was proven rests on the other rules staying as they are.
    pub(super) fn settle(self, ctx: &Context<'_>, own: Uuid, conditions: &mut Vec<Condition>) -> Result<(), Refusal> {
        if self.0.gone.is_empty() && self.0.come.is_empty() {
            return Ok(());
        }
        let nodes = delegated::rule_nodes(ctx.tree)?;
        self.require_room(ctx, &nodes)?;
        self.require_assertions(ctx)?;
        let others = nodes.iter().filter(|node| node.uuid != own);
        let holders = others.clone().map(|node| node.uuid).chain([own]).collect();
        conditions.extend(delegated::normal_class(ctx.schema()).map(|normal| Condition::HeldOnlyBy {
            attribute_type: ctx.schema().known().object_class,
            normal: normal.into(),
            holders,
        }));
        if !ctx.services.assertions.is_empty() {
            conditions.extend(others.map(|node| Condition::Unchanged { uuid: node.uuid, version: node.version }));
        }
        Ok(())
    }

    fn require_room(&self, ctx: &Context<'_>, nodes: &[Node]) -> Result<(), Refusal> {
        let limits = &ctx.services.limits;
        let mut staying = Vec::with_capacity(nodes.len());
        for node in nodes {
            if ctx.tree.dn(node.id)?.is_some_and(|dn| !self.0.gone.contains(&dn)) {
                staying.push(node);
            }
        }
        let total = staying.len() + self.0.come.len();
        if total > limits.rules && total > nodes.len() {
            return Err(Refusal::AdminLimit(TOO_MANY));
        }
        let is_of = |node: &Node, author: &str| delegated::author_noted(&node.entry, ctx.schema()) == Some(author);
        for author in self.0.come.iter().filter_map(|entry| entry.author.as_deref()) {
            let coming = self.0.come.iter().filter(|entry| entry.author.as_deref() == Some(author)).count();
            let theirs = staying.iter().filter(|node| is_of(node, author)).count() + coming;
            let before = nodes.iter().filter(|node| is_of(node, author)).count();
            if theirs > limits.rules_per_author && theirs > before {
                return Err(Refusal::AdminLimit(TOO_MANY_OF_ONE));
            }
        }
        Ok(())
    }

    /// What the rules granted before is not held against whoever writes now. Where a rule comes, those that rest on it come
    /// into force as well; where a denial ends, all that it may have kept from somebody are looked at.
    fn require_assertions(&self, ctx: &Context<'_>) -> Result<(), Refusal> {
        if ctx.services.assertions.is_empty() {
            return Ok(());
        }
        let Amendment { gone, come } = &self.0;
        let before = ctx.services.rules.in_force_after(&Amendment::default(), ctx.tree)?;
        let after = ctx.services.rules.in_force_after(&self.0, ctx.tree)?;
        let comes = |source: &Source| matches!(source, Source::Entry(dn) if come.iter().any(|entry| entry.dn == *dn));
        let goes = |source: &Source| matches!(source, Source::Entry(dn) if gone.contains(dn));
        let was = |source: &Source| before.rules.iter().any(|rule| rule.source == *source);
        let ends_denial = before.rules.iter().any(|rule| rule.is_denial() && goes(&rule.source));
        let concerns = |rule: &Rule| rule.is_delegated() && (ends_denial || comes(&rule.source) || !was(&rule.source));
        let budget = Budget::new(ctx.services.limits.assertion_steps);
        let found = self.violations(ctx, &after, &budget, &concerns)?;
        if found.is_empty() {
            return Ok(());
        }
        let known = self.violations(ctx, &before, &budget, &concerns)?;
        let is_known = |one: &Counterexample| {
            let mut known = known.iter();
            known.any(|old| (&old.assertion, &old.rule_source) == (&one.assertion, &one.rule_source))
        };
        match found.iter().find(|one| comes(&one.rule_source) || !is_known(one)) {
            Some(example) => Err(DelegationFault::Violates(example.to_string()).into()),
            None => Ok(()),
        }
    }

    fn violations(
        &self,
        ctx: &Context<'_>,
        rules: &InForce,
        budget: &Budget,
        concerns: &dyn Fn(&Rule) -> bool,
    ) -> Result<Vec<Counterexample>, Refusal> {
        let found = violations_by(&rules.rules, &ctx.services.assertions, ctx.now, (ctx.tree, budget), concerns);
        found.map_err(|stopped| match stopped {
            Stopped::Tree(error) => error.into(),
            Stopped::Spent if self.0.come.is_empty() => Refusal::AdminLimit(UNPROVEN_WITHOUT),
            Stopped::Spent => Refusal::AdminLimit(UNPROVEN),
        })
    }
}

const TOO_MANY: &str = "there are as many access rules in the tree as this server takes: delete some that are not needed, or have \
    the operator raise `rules` in [limits]";
const TOO_MANY_OF_ONE: &str = "you have written as many access rules as one author may: delete some that are not needed, make one \
    of several that grant the same, or have the operator raise `rules_per_author` in [limits]";
const UNPROVEN: &str = "whether this rule keeps to what the operator asserts takes more work to find out than this server does for \
    a change: let it reach fewer entries by `accessTo`, name people by `dn:` and not by a large group or by `attribute:`, or \
    have the operator raise `assertion_steps` in [limits]";
const UNPROVEN_WITHOUT: &str = "whether the operator's assertions hold without this rule takes more work to find out than this \
    server does for a change: take away first what it denies, or have the operator raise `assertion_steps` in [limits]";

/// A rule that denies something to a group which does not exist would deny it to nobody.
fn require_somebody(ctx: &Context<'_>, rules: &[Rule]) -> Result<(), Refusal> {
    let denials = rules.iter().filter(|rule| rule.is_denial()).cloned().collect();
    match nobody_meant(&denials, ctx.tree)?.into_iter().next() {
        Some(found) => Err(DelegationFault::DeniesNobody(found.name).into()),
        None => Ok(()),
    }
}
