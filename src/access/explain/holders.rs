//! Who may do something.

use std::collections::HashSet;
use std::sync::Arc;

use uuid::Uuid;

use super::{Answer, Guards, Obstacle, Target, Wanted, ask_guarded, entry_called, members, occupants, read_name};
use crate::access::rule::{Rule, Rules};
use crate::access::violation::nobody_below;
use crate::access::who::Who;
use crate::access::{Actor, Circumstances};
use crate::directory::tree::{EntryId, Node, Tree, TreeError};
use crate::directory::{Dn, Identity};

/// Who may do something, as far as rules name them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Holders {
    /// These entries, in order of their names, each by the rule of that position.
    pub entries: Vec<(Arc<Dn>, usize)>,
    /// These, under the circumstances that the rule of that position asks for.
    pub at_times: Vec<(Arc<Dn>, usize)>,
    /// And whole kinds of people, each by the rule of that position.
    pub kinds: Vec<(Kind, usize)>,
    /// And these, under the circumstances that the rule of that position asks for.
    pub kinds_at_times: Vec<(Kind, usize)>,
    /// But not those of these kinds to whom the rules of these positions deny it.
    pub exceptions: Vec<usize>,
}

/// A kind of people whom a rule names without naming each.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Everybody, authenticated or not.
    Everyone,
    /// Whoever has not authenticated.
    Anonymous,
    /// Whoever has.
    Authenticated,
    /// The superuser of the server's machine.
    LocalRoot,
    /// Everybody below that name.
    Below(Dn),
}

/// Answers who may do what is wanted, under the circumstances and under others. Of a kind of people, somebody is
/// asked about who is nothing else.
#[expect(clippy::too_many_arguments, reason = "each is a part of the question")]
pub fn holders(
    rules: &Rules,
    target: Target<'_>,
    wanted: Wanted,
    circumstances: &Circumstances,
    guards: Guards<'_>,
    tree: &dyn Tree,
) -> Result<Holders, TreeError> {
    let (node, dn) = match target {
        Target::There(node) => (Some(node), tree.dn(node.id)?.unwrap_or_else(|| Arc::new(Dn::root()))),
        Target::New(dn) => (None, Arc::new(dn.clone())),
    };
    let search = Search { rules, target, dn: &dn, wanted, circumstances, guards, tree };
    let mut holders = Holders::default();
    let mut candidates = HashSet::new();
    for (position, rule) in search.rules(|rule| rule.allow.has(wanted.right)) {
        for who in &rule.who {
            named(who, node, tree, &mut candidates)?;
            if search.add_kinds(who, position, &mut holders)? == Guarded::Yes {
                // Whoever holds enough to pass the guard does so by some other rule.
                let mut whos = rules.iter().flat_map(|rule| &rule.who);
                whos.try_for_each(|who| named(who, node, tree, &mut candidates))?;
            }
        }
    }
    for id in candidates {
        let (Some(one), Some(name)) = (tree.node(id)?, tree.dn(id)?) else { continue };
        let answer = search.ask(Identity::Entry { uuid: one.uuid, dn: Arc::clone(&name) })?;
        if let Some(position) = answer.grants.first().filter(|_| answer.is_yes()) {
            holders.entries.push((name, *position));
        } else if let Some(position) = answer.at_times() {
            holders.at_times.push((name, position));
        }
    }
    holders.entries.sort_by_key(|(name, _)| name.to_string());
    holders.at_times.sort_by_key(|(name, _)| name.to_string());
    if !holders.kinds.is_empty() {
        let denials =
            search.rules(|rule| rule.deny.has(wanted.right) && !rule.is_delegated() && rule.values.is_empty());
        holders.exceptions.extend(denials.filter(|(_, rule)| rule.who.iter().any(names_some)).map(|(at, _)| at));
    }
    Ok(holders)
}

/// Whether it is about some people of a kind.
const fn names_some(who: &Who) -> bool {
    matches!(who, Who::Entry(_) | Who::Group(_) | Who::Role(_) | Who::Below(_) | Who::HeldIn(_) | Who::Oneself)
}

struct Search<'s> {
    rules: &'s Rules,
    target: Target<'s>,
    dn: &'s Dn,
    wanted: Wanted,
    circumstances: &'s Circumstances,
    guards: Guards<'s>,
    tree: &'s dyn Tree,
}

/// Whether the guard against taking over somebody keeps a kind of people from it.
#[derive(PartialEq, Eq)]
enum Guarded {
    Yes,
    No,
}

impl<'s> Search<'s> {
    /// The rules about the entry that are not over.
    fn rules(&self, is_one: impl Fn(&Rule) -> bool) -> impl Iterator<Item = (usize, &'s Rule)> {
        let attribute = self.wanted.attribute.filter(|_| self.wanted.right.is_per_attribute());
        let concerns = move |rule: &Rule| attribute.is_none_or(|id| rule.attributes.contains(id));
        let (now, dn) = (self.circumstances.now, self.dn);
        let about =
            move |rule: &Rule| !rule.is_over(now) && concerns(rule) && rule.to.iter().any(|reach| reach.has(dn));
        self.rules.iter().enumerate().filter(move |(_, rule)| is_one(rule) && about(rule))
    }

    fn ask(&self, identity: Identity) -> Result<Answer, TreeError> {
        let actor = Actor::find(identity, self.circumstances, self.rules, self.tree)?;
        ask_guarded(self.rules, &actor, self.target, self.wanted, self.guards, self.tree)
    }

    /// Adds the kinds of people whom the rule of that position names, as far as they may by it.
    fn add_kinds(&self, who: &Who, position: usize, holders: &mut Holders) -> Result<Guarded, TreeError> {
        let kinds = match who {
            Who::Everyone => vec![Kind::Anonymous, Kind::Authenticated],
            Who::Anonymous => vec![Kind::Anonymous],
            Who::Authenticated => vec![Kind::Authenticated],
            Who::LocalRoot => vec![Kind::LocalRoot],
            Who::Below(dn) => vec![Kind::Below(dn.clone())],
            Who::Entry(_) | Who::Group(_) | Who::Role(_) | Who::Oneself | Who::HeldIn(_) => Vec::new(),
        };
        let (mut now, mut at_times, mut guarded) = (Vec::new(), Vec::new(), Guarded::No);
        for kind in kinds {
            let answer = self.ask(kind.example())?;
            if answer.is_yes() && answer.grants.contains(&position) {
                now.push(kind);
            } else if answer.at_times().is_some() && answer.suspended.contains(&position) {
                at_times.push(kind);
            } else if matches!(answer.obstacle, Some(Obstacle::WouldEscalate(_))) {
                guarded = Guarded::Yes;
            }
        }
        holders.kinds.extend(joined(now).map(|kind| (kind, position)));
        holders.kinds_at_times.extend(joined(at_times).map(|kind| (kind, position)));
        Ok(guarded)
    }
}

/// Whoever has authenticated and whoever has not are everybody.
fn joined(kinds: Vec<Kind>) -> impl Iterator<Item = Kind> {
    let all = if kinds == [Kind::Anonymous, Kind::Authenticated] { vec![Kind::Everyone] } else { kinds };
    all.into_iter()
}

impl Kind {
    /// Somebody of that kind of whom nothing else is known.
    fn example(&self) -> Identity {
        let below = |base: &Dn| Identity::Entry { uuid: Uuid::nil(), dn: Arc::new(nobody_below(base)) };
        match self {
            Self::Anonymous => Identity::Anonymous,
            Self::LocalRoot => Identity::LocalRoot,
            Self::Everyone | Self::Authenticated => below(&Dn::root()),
            Self::Below(base) => below(base),
        }
    }
}

/// The entries that a rule names, by what an entry holds if there is one.
fn named(who: &Who, target: Option<&Node>, tree: &dyn Tree, into: &mut HashSet<EntryId>) -> Result<(), TreeError> {
    match who {
        Who::Entry(dn) => into.extend(tree.find(dn)?.entry()),
        Who::Group(dn) => into.extend(members(dn, tree)?),
        Who::Role(dn) => into.extend(occupants(dn, tree)?),
        Who::Oneself => {
            into.extend(target.map(|node| node.id));
        }
        Who::HeldIn(attribute) => {
            for value in target.into_iter().flat_map(|node| node.entry.values(*attribute)) {
                into.extend(entry_called(value, tree)?);
                if let Some(group) = read_name(value, tree.schema()) {
                    into.extend(members(&group, tree)?);
                }
            }
        }
        Who::Anonymous | Who::Authenticated | Who::Everyone | Who::LocalRoot | Who::Below(_) => {}
    }
    Ok(())
}
