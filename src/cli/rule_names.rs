//! Whether the names in access rules stand for somebody, and for entries.

use super::CliError;
use crate::access::names::{NobodyMeant, nobody_meant};
use crate::access::reach::Reach;
use crate::access::values::Values;
use crate::access::who::Who;
use crate::access::{Rule, Rules};
use crate::config::reach::is_beside;
use crate::directory::Dn;
use crate::directory::tree::{Found, Tree, TreeError};

/// Tells of names that stand for nobody and for no entry, and requires that no rule denies something to a group of which rules
/// know no member.
pub(super) fn require(rules: &Rules, tree: &dyn Tree, tell: &dyn Fn(&str)) -> Result<(), CliError> {
    let unreadable = |error: TreeError| CliError::Message(format!("the store cannot be read: {error}"));
    let found = nobody_meant(rules, tree).map_err(unreadable)?;
    let (mistakes, others): (Vec<_>, Vec<_>) = found.into_iter().partition(NobodyMeant::is_mistake);
    for one in &others {
        tell(&one.to_string());
    }
    for one in nothing_meant(rules, tree).map_err(unreadable)? {
        tell(&one);
    }
    let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    if told.is_empty() { Ok(()) } else { Err(CliError::Message(told.join("\n"))) }
}

/// Where rules name a place at which there is nothing, in sentences.
fn nothing_meant(rules: &Rules, tree: &dyn Tree) -> Result<Vec<String>, TreeError> {
    let mut told = Vec::new();
    for rule in rules.iter() {
        for (name, what) in places(rule, tree.suffixes()) {
            if is_nowhere(name, tree)? {
                let does = if rule.is_denial() { "denies" } else { "grants" };
                let Rule { name: rule, source, .. } = rule;
                told.push(format!("{name} does not exist: the rule {rule:?} ({source}) {does} nothing {what}"));
            }
        }
    }
    Ok(told)
}

/// The names at which what a rule is about begins, but for those above the suffixes and beside them, and what is not done where
/// there is no such entry.
fn places<'r>(rule: &'r Rule, suffixes: &[Dn]) -> impl Iterator<Item = (&'r Dn, &'static str)> {
    let is_above = move |base: &Dn| suffixes.iter().any(|suffix| suffix.is_within(base));
    let to = rule.to.iter().filter_map(Reach::base).map(|base| (base, "there"));
    let values = rule.values.iter().filter_map(|values| match values {
        Values::Below(base) => Some((base, "by values below it")),
        Values::OwnName | Values::Exactly(_) => None,
    });
    let who = rule.who.iter().filter_map(|who| match who {
        Who::Below(base) => Some((base, "to anybody below it")),
        _ => None,
    });
    to.chain(values).chain(who).filter(move |(base, _)| !is_beside(base) && !is_above(base))
}

/// Whether no entry has that name. Below a suffix that has no entries yet, none is missed.
fn is_nowhere(name: &Dn, tree: &dyn Tree) -> Result<bool, TreeError> {
    Ok(match tree.find(name)? {
        Found::Missing(above) => above.is_some(),
        Found::Outside => true,
        Found::Entry(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::access::RuleText;
    use crate::directory::Schema;
    use crate::directory::tree::Directory;
    use crate::directory::tree::memory::MemoryDirectory;

    /// An empty directory with a suffix has no names that could be missed; that of a name beside it can.
    #[test]
    fn nothing_is_missed_where_there_is_nothing_yet() {
        let schema = Arc::new(Schema::standard());
        let suffix = Dn::parse(&schema, "dc=example,dc=com").unwrap();
        let tree = MemoryDirectory::new(Arc::clone(&schema), vec![suffix]);
        let told = |who: &str, to: &str| {
            let rule = RuleText {
                name: "r".into(),
                who: vec![who.into()],
                to: vec![to.into()],
                deny: vec!["read".into()],
                ..RuleText::default()
            };
            nothing_meant(&Rules::prepare(&[rule], &schema).unwrap(), &tree.view()).unwrap()
        };
        for to in
            ["everything", "subtree:ou=people,dc=example,dc=com", "subtree:dc=com", "subtree:cn=monitor", "entry:"]
        {
            assert!(told("everyone", to).is_empty(), "{to}");
        }
        assert_eq!(
            told("below:o=other", "everything"),
            ["o=other does not exist: the rule \"r\" (built in) denies nothing to anybody below it"]
        );
        assert_eq!(
            told("everyone", "subtree:o=other"),
            ["o=other does not exist: the rule \"r\" (built in) denies nothing there"]
        );
    }
}
