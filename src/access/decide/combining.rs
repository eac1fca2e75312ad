//! What rules come to together.

use super::Decision;
use crate::access::rule::Rule;
use crate::access::values::{Effect, LimitedWrite};
use crate::access::{Right, Rights};
use crate::directory::schema::{AttributeSet, Schema};

/// What rules come to together. Rules of the tree take nothing away from what those of the configuration grant.
pub(super) fn combine(rules: &[&Rule], schema: &Schema) -> Decision {
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
