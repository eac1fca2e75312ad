//! Looking for ways in which somebody who is no administrator could become one.
//!
//! Everybody whom a rule names is a beginning: anonymous, whoever has authenticated, a member of each group, each entry that
//! rules name. From there one goes on by what the rules let them do: put themselves into a group, put themselves into an
//! attribute by which a rule applies, reset a password, act as somebody, or take over what recovers a password or slows its
//! guessing. Whatever is gained on the way is kept. Every step into an administrator ends a path; the way there is the
//! shortest. Circumstances are those that favour them most, and the guard against taking over somebody holds as always.

mod step;

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use super::actor::{Memberships, Moment, memberships_of};
use super::explain::{entry_called, members};
use super::rule::Rules;
use super::who::Who;
use super::{Actor, Decider, Rights};
use crate::directory::tree::{EntryId, Node, Tree, TreeError};
use crate::directory::{AttributeTypeId, Dn, Identity, Timestamp};
use step::Reader;

/// A way to become an administrator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Path {
    /// Who goes it, in words or by name.
    pub from: String,
    /// What they do, in sentences, in order.
    pub steps: Vec<String>,
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}:", self.from)?;
        for (number, step) in self.steps.iter().enumerate() {
            writeln!(f, "  {}. {step}", number + 1)?;
        }
        Ok(())
    }
}

/// How many entries that matter are looked at. More people with rights of their own are a finding by themselves.
const MAX_PEOPLE: usize = 5_000;

/// The groups whose members may do everything: those that a rule allows all.
pub fn groups_of_administrators(rules: &Rules) -> Vec<Dn> {
    let mut groups: Vec<Dn> = Vec::new();
    for rule in rules.iter().filter(|rule| rule.allow == Rights::all()) {
        for who in &rule.who {
            if let Who::Group(group) = who
                && !groups.contains(group)
            {
                groups.push(group.clone());
            }
        }
    }
    groups
}

/// Every way to become a member of one of these groups, or somebody who is.
pub fn paths(rules: &Rules, administrators: &[Dn], now: Timestamp, tree: &dyn Tree) -> Result<Vec<Path>, TreeError> {
    let terrain = Terrain::survey(rules, administrators, now, tree)?;
    let mut found = Vec::new();
    for start in terrain.starts()? {
        terrain.walk(start, &mut found)?;
    }
    Ok(found)
}

/// What there is to gain.
struct Terrain<'a> {
    rules: &'a Rules,
    now: Timestamp,
    tree: &'a dyn Tree,
    /// Groups that rules name or that are in one of these.
    groups: Vec<Place>,
    /// People in them, and those whom rules or these entries name.
    people: Vec<Place>,
    /// Password policies.
    policies: Vec<Place>,
    /// The groups and people that are administrators.
    administrators: HashSet<EntryId>,
    /// The attributes by which rules apply.
    holding: Vec<AttributeTypeId>,
}

/// An entry that matters.
struct Place {
    node: Node,
    dn: Arc<Dn>,
}

/// Somebody on their way.
struct Walker {
    identity: Identity,
    memberships: Memberships,
    from: String,
    steps: Vec<String>,
}

/// What a step leads to.
enum Gain<'p> {
    /// Being in that group.
    Group(&'p Place),
    /// Being that person.
    Person(&'p Place),
}

impl<'a> Terrain<'a> {
    fn survey(rules: &'a Rules, administrators: &[Dn], now: Timestamp, tree: &'a dyn Tree) -> Result<Self, TreeError> {
        let mut terrain = Self {
            rules,
            now,
            tree,
            groups: Vec::new(),
            people: Vec::new(),
            policies: Vec::new(),
            administrators: HashSet::new(),
            holding: Vec::new(),
        };
        let mut ids = HashSet::new();
        for group in administrators {
            let top = tree.find(group)?.entry();
            terrain.administrators.extend(top);
            terrain.administrators.extend(members(group, tree)?);
        }
        ids.extend(terrain.administrators.iter().copied());
        for who in rules.iter().filter(|rule| !rule.is_over(now)).flat_map(|rule| &rule.who) {
            match who {
                Who::Group(group) => {
                    ids.extend(tree.find(group)?.entry());
                    ids.extend(members(group, tree)?);
                }
                Who::Entry(dn) => ids.extend(tree.find(dn)?.entry()),
                Who::HeldIn(attribute) if !terrain.holding.contains(attribute) => terrain.holding.push(*attribute),
                _ => {}
            }
        }
        terrain.add_places(ids)?;
        terrain.add_holders()?;
        terrain.find_policies()?;
        Ok(terrain)
    }

    fn add_places(&mut self, ids: HashSet<EntryId>) -> Result<(), TreeError> {
        let known = self.tree.schema().known();
        let mut ids: Vec<EntryId> = ids.into_iter().collect();
        ids.sort_unstable();
        for id in ids.into_iter().take(MAX_PEOPLE) {
            let Some(place) = self.place(id)? else { continue };
            let is_group = place.node.entry.has(known.member) || place.node.entry.has(known.unique_member);
            if is_group { self.groups.push(place) } else { self.people.push(place) }
        }
        Ok(())
    }

    /// Those whom groups and people that matter name in an attribute by which rules apply.
    fn add_holders(&mut self) -> Result<(), TreeError> {
        let mut ids = HashSet::new();
        for place in self.groups.iter().chain(&self.people) {
            for value in self.holding.iter().flat_map(|attribute| place.node.entry.values(*attribute)) {
                ids.extend(entry_called(value, self.tree)?);
            }
        }
        for place in self.groups.iter().chain(&self.people) {
            ids.remove(&place.node.id);
        }
        self.add_places(ids)
    }

    fn find_policies(&mut self) -> Result<(), TreeError> {
        let schema = self.tree.schema();
        let class = schema.known().object_class;
        let form = schema.attribute_type(class).equality_or_fallback().normal_form();
        let Ok(normal) = form.of_assertion(schema, b"pwdPolicy") else { return Ok(()) };
        for id in self.tree.equal(class, &normal)? {
            self.policies.extend(self.place(id)?);
        }
        Ok(())
    }

    fn place(&self, id: EntryId) -> Result<Option<Place>, TreeError> {
        Ok(self.tree.node(id)?.zip(self.tree.dn(id)?).map(|(node, dn)| Place { node, dn }))
    }

    /// Those who may set out.
    fn starts(&self) -> Result<Vec<Walker>, TreeError> {
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
            starts.push(Walker { identity, memberships, from, steps: Vec::new() });
        }
        if self.rules.iter().any(|rule| rule.who.contains(&Who::Everyone)) {
            let from = "whoever has not authenticated".to_owned();
            let memberships = Memberships::default();
            starts.push(Walker { identity: Identity::Anonymous, memberships, from, steps: Vec::new() });
        }
        for group in self.groups.iter().filter(|group| !self.is_administrator(group)) {
            let identity = stranger(suffix);
            let memberships = self.joined(&Memberships::default(), group)?;
            let from = format!("a member of {}", group.dn);
            starts.push(Walker { identity, memberships, from, steps: Vec::new() });
        }
        for person in self.people.iter().filter(|person| !self.is_administrator(person)) {
            let is_named = self.rules.iter().any(|rule| rule.who.contains(&Who::Entry(Dn::clone(&person.dn))));
            if is_named || self.is_held(person)? {
                let identity = Identity::Entry { uuid: person.node.uuid, dn: Arc::clone(&person.dn) };
                let memberships = memberships_of(&person.dn, self.tree)?;
                starts.push(Walker { identity, memberships, from: person.dn.to_string(), steps: Vec::new() });
            }
        }
        let mut seen = HashSet::new();
        starts.retain(|start| seen.insert(start.from.clone()));
        Ok(starts)
    }

    fn is_administrator(&self, place: &Place) -> bool {
        self.administrators.contains(&place.node.id)
    }

    fn is_held(&self, person: &Place) -> Result<bool, TreeError> {
        for attribute in &self.holding {
            if !self.tree.equal(*attribute, person.dn.key())?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Goes wherever one can get to.
    fn walk(&self, start: Walker, found: &mut Vec<Path>) -> Result<(), TreeError> {
        let mut gained = HashSet::new();
        let mut told = HashSet::new();
        let mut pending = VecDeque::from([start]);
        while let Some(walker) = pending.pop_front() {
            let actor = self.actor(&walker)?;
            let mut steps = Vec::new();
            self.steps(&walker, &actor, &mut steps)?;
            for (gain, step) in steps {
                let place = gain.place();
                let on = [walker.steps.clone(), vec![step]].concat();
                let arrives = self.is_administrator(place);
                if arrives && told.insert(on.last().cloned()) {
                    found.push(Path { from: walker.from.clone(), steps: on });
                } else if !arrives && gained.insert(place.node.id) {
                    pending.push_back(self.moved(&walker, &gain, on)?);
                }
            }
        }
        Ok(())
    }

    fn actor(&self, walker: &Walker) -> Result<Actor, TreeError> {
        let moment = Moment::Ever(self.now);
        Actor::in_groups(walker.identity.clone(), &walker.memberships, moment, self.rules, self.tree)
    }

    /// The walker with what has been gained.
    fn moved(&self, walker: &Walker, gain: &Gain<'_>, steps: Vec<String>) -> Result<Walker, TreeError> {
        let from = walker.from.clone();
        Ok(match gain {
            Gain::Group(group) => {
                let memberships = self.joined(&walker.memberships, group)?;
                Walker { identity: walker.identity.clone(), memberships, from, steps }
            }
            Gain::Person(person) => {
                let mut memberships = memberships_of(&person.dn, self.tree)?;
                memberships.groups.extend(&walker.memberships.groups);
                memberships.names.extend(walker.memberships.names.iter().cloned());
                let identity = Identity::Entry { uuid: person.node.uuid, dn: Arc::clone(&person.dn) };
                Walker { identity, memberships, from, steps }
            }
        })
    }

    fn joined(&self, memberships: &Memberships, group: &Place) -> Result<Memberships, TreeError> {
        let mut more = memberships_of(&group.dn, self.tree)?;
        more.groups.insert(group.node.id);
        more.names.push(Arc::clone(&group.dn));
        more.groups.extend(&memberships.groups);
        more.names.extend(memberships.names.iter().cloned());
        Ok(more)
    }

    /// What somebody can do to gain something.
    fn steps<'t>(
        &'t self,
        walker: &Walker,
        actor: &Actor,
        steps: &mut Vec<(Gain<'t>, String)>,
    ) -> Result<(), TreeError> {
        let mut reader = Reader { terrain: self, actor, decider: Decider::new(self.rules, actor, self.tree.schema()) };
        for group in &self.groups {
            if !walker.memberships.groups.contains(&group.node.id) {
                steps.extend(reader.join(group)?.map(|step| (Gain::Group(group), step)));
            }
        }
        let policy = reader.policy(&self.policies)?;
        for person in &self.people {
            if walker.identity.uuid() == Some(person.node.uuid) {
                continue;
            }
            let ways = reader.take_over(person)?;
            steps.extend(ways.into_iter().map(|step| (Gain::Person(person), step)));
            // A policy matters for those whom it guards, of whom administrators are told.
            if let Some(step) = policy.clone().filter(|_| self.is_administrator(person)) {
                steps.push((Gain::Person(person), step));
            }
        }
        Ok(())
    }
}

impl<'p> Gain<'p> {
    const fn place(&self) -> &'p Place {
        match self {
            Self::Group(place) | Self::Person(place) => place,
        }
    }
}
