//! Going wherever one can get to.

use std::borrow::Cow;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use uuid::Uuid;

use super::Path;
use super::step::Reader;
use super::terrain::{Class, Missing, Place, Terrain};
use crate::access::actor::{Memberships, Moment, memberships_of};
use crate::access::rule::{Rule, Rules};
use crate::access::who::Who;
use crate::access::{Actor, Decider};
use crate::directory::tree::{EntryId, TreeError};
use crate::directory::{Dn, Identity};

/// Somebody on their way.
#[derive(Clone)]
pub(super) struct Walker {
    identity: Identity,
    memberships: Memberships,
    /// The groups that they have made.
    made: Vec<Dn>,
    from: String,
    steps: Vec<String>,
}

/// What a step leads to.
enum Gain<'p> {
    /// Being in that group.
    Group(&'p Place),
    /// Being that person, who is of that class.
    Person(&'p Place, &'p Class),
    /// Being in that group, which is made.
    Made(&'p Missing),
}

/// What somebody has gained, or gains nothing by gaining again.
#[derive(PartialEq, Eq, Hash)]
enum Gained {
    Group(EntryId),
    Class(Class),
    Made(Dn),
}

impl<'a> Terrain<'a> {
    /// Those who may set out.
    pub(super) fn starts(&self) -> Result<Vec<Walker>, TreeError> {
        let mut starts: Vec<Walker> = Vec::new();
        let stranger = |below: Option<&Dn>| {
            let dn = below.and_then(|base| Dn::parse(self.tree.schema(), &format!("cn=somebody new,{base}")).ok());
            Identity::Entry { uuid: Uuid::nil(), dn: Arc::new(dn.unwrap_or_else(Dn::root)) }
        };
        let suffix = self.tree.suffixes().first();
        for who in self.rules.iter().filter(|rule| !rule.is_over(self.now)).flat_map(|rule| &rule.who) {
            let nobody = Memberships::default;
            let (identity, memberships, from) = match who {
                Who::Anonymous => (Identity::Anonymous, nobody(), "whoever has not authenticated".to_owned()),
                Who::Everyone | Who::Authenticated => {
                    (stranger(suffix), nobody(), "whoever has authenticated".to_owned())
                }
                Who::Below(base) => (stranger(Some(base)), nobody(), format!("whoever stands below {base}")),
                Who::Group(_) | Who::Entry(_) | Who::Oneself | Who::HeldIn(_) | Who::LocalRoot => continue,
            };
            starts.push(Walker::new(identity, memberships, from));
        }
        if self.rules.iter().any(|rule| rule.who.contains(&Who::Everyone)) {
            let from = "whoever has not authenticated".to_owned();
            let memberships = Memberships::default();
            starts.push(Walker::new(Identity::Anonymous, memberships, from));
        }
        for group in self.groups.iter().filter(|group| !self.is_administrator(group)) {
            let identity = stranger(suffix);
            let memberships = self.joined(&Memberships::default(), group)?;
            let from = format!("a member of {}", group.dn);
            starts.push(Walker::new(identity, memberships, from));
        }
        for person in self.people.iter().filter(|person| !self.is_administrator(person)) {
            let is_named = self.rules.iter().any(|rule| rule.who.contains(&Who::Entry(Dn::clone(&person.dn))));
            if is_named || self.is_held(person)? {
                let identity = Identity::Entry { uuid: person.node.uuid, dn: Arc::clone(&person.dn) };
                let memberships = memberships_of(&person.dn, self.tree)?;
                starts.push(Walker::new(identity, memberships, person.dn.to_string()));
            }
        }
        let mut seen = HashSet::new();
        starts.retain(|start| seen.insert(start.from.clone()));
        Ok(starts)
    }

    /// Goes wherever one can get to.
    pub(super) fn walk(&self, start: Walker, found: &mut Vec<Path>) -> Result<(), TreeError> {
        let mut gained = HashSet::new();
        let mut told = HashSet::new();
        let mut pending = VecDeque::from([start]);
        while let Some(walker) = pending.pop_front() {
            let rules = self.rules_for(&walker);
            let actor = Actor::in_groups(
                walker.identity.clone(),
                &walker.memberships,
                Moment::Ever(self.now),
                &rules,
                self.tree,
            )?;
            let mut steps = Vec::new();
            self.steps(&walker, (&actor, &rules), &gained, &mut steps)?;
            for (gain, step) in steps {
                let on = [walker.steps.clone(), vec![step]].concat();
                let arrives = self.arrives(&gain);
                if arrives && told.insert(on.last().cloned()) {
                    found.push(Path { from: walker.from.clone(), steps: on });
                } else if !arrives && gained.insert(gain.key()) {
                    pending.push_back(self.moved(&walker, &gain, on)?);
                }
            }
        }
        Ok(())
    }

    fn arrives(&self, gain: &Gain<'_>) -> bool {
        match gain {
            Gain::Group(place) | Gain::Person(place, _) => self.is_administrator(place),
            Gain::Made(group) => group.administers,
        }
    }

    /// The rules, in which whoever has made a group is one of those whom it names.
    fn rules_for(&self, walker: &Walker) -> Cow<'a, Rules> {
        let Some(own) = walker.identity.dn().filter(|_| !walker.made.is_empty()) else {
            return Cow::Borrowed(self.rules);
        };
        let is_made = |who: &Who| matches!(who, Who::Group(group) if walker.made.contains(group));
        let with_them = |rule: &Rule| {
            let mut rule = rule.clone();
            if rule.who.iter().any(is_made) {
                rule.who.push(Who::Entry(Dn::clone(own)));
            }
            rule
        };
        Cow::Owned(self.rules.iter().map(with_them).collect())
    }

    /// The walker with what has been gained.
    fn moved(&self, walker: &Walker, gain: &Gain<'_>, steps: Vec<String>) -> Result<Walker, TreeError> {
        let mut on = Walker { steps, ..walker.clone() };
        match gain {
            Gain::Group(group) => on.memberships = self.joined(&walker.memberships, group)?,
            Gain::Person(person, _) => {
                let theirs = memberships_of(&person.dn, self.tree)?;
                on.memberships.groups.extend(theirs.groups);
                on.memberships.names.extend(theirs.names);
                on.identity = Identity::Entry { uuid: person.node.uuid, dn: Arc::clone(&person.dn) };
            }
            Gain::Made(group) => on.made.push(group.dn.clone()),
        }
        Ok(on)
    }

    fn joined(&self, memberships: &Memberships, group: &Place) -> Result<Memberships, TreeError> {
        let mut more = memberships_of(&group.dn, self.tree)?;
        more.groups.insert(group.node.id);
        more.names.push(Arc::clone(&group.dn));
        more.groups.extend(&memberships.groups);
        more.names.extend(memberships.names.iter().cloned());
        Ok(more)
    }

    /// What somebody can do to gain something that they have not gained.
    fn steps<'t>(
        &'t self,
        walker: &Walker,
        (actor, rules): (&Actor, &Rules),
        gained: &HashSet<Gained>,
        steps: &mut Vec<(Gain<'t>, String)>,
    ) -> Result<(), TreeError> {
        let decider = Decider::new(rules, actor, self.tree.schema());
        let mut reader = Reader { terrain: self, rules, actor, decider };
        for group in &self.groups {
            if !walker.memberships.groups.contains(&group.node.id) {
                steps.extend(reader.join(group)?.map(|step| (Gain::Group(group), step)));
            }
        }
        for group in self.missing.iter().filter(|group| !walker.made.contains(&group.dn)) {
            steps.extend(reader.make(&group.dn, &walker.memberships)?.map(|step| (Gain::Made(group), step)));
        }
        let policies = reader.policies()?;
        for (person, class) in self.people.iter().zip(&self.classes) {
            let is_administrator = self.is_administrator(person);
            let is_known = !is_administrator && gained.contains(&Gained::Class(class.clone()));
            if is_known || walker.identity.uuid() == Some(person.node.uuid) {
                continue;
            }
            let mut ways = reader.take_over(person)?;
            // A policy matters for those whom it guards, of whom administrators are told.
            if is_administrator {
                ways.extend(reader.policy_for(person, &policies)?);
                ways.extend(reader.selection(person)?);
            }
            steps.extend(ways.into_iter().map(|step| (Gain::Person(person, class), step)));
        }
        Ok(())
    }
}

impl Walker {
    const fn new(identity: Identity, memberships: Memberships, from: String) -> Self {
        Self { identity, memberships, made: Vec::new(), from, steps: Vec::new() }
    }
}

impl Gain<'_> {
    fn key(&self) -> Gained {
        match self {
            Self::Group(place) => Gained::Group(place.node.id),
            Self::Person(_, class) => Gained::Class(Class::clone(class)),
            Self::Made(group) => Gained::Made(group.dn.clone()),
        }
    }
}
