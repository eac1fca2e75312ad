//! What entries are asked, since it decides which rules apply to them. What several rules depend on is asked once.

use std::collections::HashMap;
use std::sync::Arc;

use super::rule_mask::RuleMask;
use crate::access::Actor;
use crate::access::rule::{Rule, Rules};
use crate::access::who::Who;
use crate::directory::filter::Matcher;
use crate::directory::schema::{NormalForm, Schema};
use crate::directory::{AttributeTypeId, Entry};

/// Something that each entry is asked.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) about: About,
    /// Those that do not apply where the answer is no.
    pub(super) rules: RuleMask,
}

/// What is asked.
#[derive(Clone, Debug)]
pub(super) enum About {
    /// Whether the target makes the actor one of whom the rule of that position is about.
    Actor(usize),
    /// Whether it matches the filter of the rule of that position.
    Filter(usize),
    /// Which values it has of an attribute, of which several rules ask for one each.
    Values(Arc<ByValue>),
}

/// Rules by the value of an attribute that their filters ask for.
#[derive(Debug)]
pub(super) struct ByValue {
    attribute: AttributeTypeId,
    form: NormalForm,
    rules: HashMap<Vec<u8>, RuleMask, foldhash::fast::RandomState>,
}

impl ByValue {
    /// The rules whose filters an entry matches.
    pub(super) fn matched(&self, entry: &Entry, schema: &Schema) -> RuleMask {
        let mut matched = RuleMask::default();
        for value in entry.values(self.attribute) {
            let rules = self.form.of_value(schema, value).ok().and_then(|normal| self.rules.get(normal.as_ref()));
            if let Some(rules) = rules {
                matched.union(rules);
            }
        }
        matched
    }
}

impl Question {
    /// Everything that may have to be asked, the cheaper first.
    pub(super) fn all(rules: &Rules, actor: &Actor) -> Vec<Self> {
        let theirs = rules.iter().enumerate().filter(|(position, _)| actor.may_have_rule(*position));
        let about_actor = theirs.clone().filter(|(position, _)| !actor.has_rule(*position));
        let mut all = alike(about_actor, whos, About::Actor);
        let filtered = theirs.filter(|(_, rule)| rule.filter.is_some());
        // What cannot be decided grants nothing, and denies.
        let filters =
            alike(filtered, |rule| rule.filter.as_ref().map(|filter| (filter, rule.is_denial())), About::Filter);
        all.extend(by_values(filters, rules));
        all
    }

    fn filter<'r>(&self, rules: &'r Rules) -> Option<&'r Matcher> {
        match self.about {
            About::Filter(position) => rules.get(position)?.filter.as_ref(),
            _ => None,
        }
    }
}

/// Whom a rule is about, as the target decides.
fn whos(rule: &Rule) -> Vec<&Who> {
    rule.who.iter().filter(|who| who.depends_on_target()).collect()
}

/// A question for all rules that are alike.
fn alike<'r, K: std::hash::Hash + Eq>(
    rules: impl Iterator<Item = (usize, &'r Rule)>,
    key: impl Fn(&'r Rule) -> K,
    about: fn(usize) -> About,
) -> Vec<Question> {
    let mut questions: Vec<Question> = Vec::new();
    let mut known: HashMap<K, usize> = HashMap::new();
    for (position, rule) in rules {
        let at = *known.entry(key(rule)).or_insert(questions.len());
        match questions.get_mut(at) {
            Some(question) => question.rules.insert(position),
            None => questions.push(Question { about: about(position), rules: std::iter::once(position).collect() }),
        }
    }
    questions
}

/// Of questions that ask for a value of the same attribute each, one is made.
fn by_values(filters: Vec<Question>, rules: &Rules) -> Vec<Question> {
    let mut groups: Vec<(Asked, Vec<OfValue>)> = Vec::new();
    let mut others = Vec::new();
    for question in filters {
        let Some((key, normal)) = question.filter(rules).and_then(value) else {
            others.push(question);
            continue;
        };
        match groups.iter_mut().find(|(own, _)| *own == key) {
            Some((_, group)) => group.push((normal, question)),
            None => groups.push((key, vec![(normal, question)])),
        }
    }
    let mut all = Vec::new();
    for ((attribute, form), group) in groups {
        if group.len() == 1 {
            others.extend(group.into_iter().map(|(_, question)| question));
            continue;
        }
        let mut by_value = ByValue { attribute, form, rules: HashMap::default() };
        let mut rules = RuleMask::default();
        for (normal, question) in group {
            rules.union(&question.rules);
            by_value.rules.entry(normal).or_default().union(&question.rules);
        }
        all.push(Question { about: About::Values(Arc::new(by_value)), rules });
    }
    all.extend(others);
    all
}

/// An attribute, and how its values are brought to their normal form.
type Asked = (AttributeTypeId, NormalForm);
/// A value in its normal form, and the question for it.
type OfValue = (Vec<u8>, Question);

/// The attribute of which a filter asks for one value, and the normal form of that.
fn value(filter: &Matcher) -> Option<(Asked, Vec<u8>)> {
    let Matcher::Equal { selector, form, normal, .. } = filter else { return None };
    let is_plain = matches!(
        form,
        NormalForm::CaseExact
            | NormalForm::CaseIgnore
            | NormalForm::Integer
            | NormalForm::Numeric
            | NormalForm::Oid
            | NormalForm::Dn
    );
    let attribute = selector.single().filter(|_| is_plain)?;
    Some(((attribute, *form), normal.clone()))
}
