//! Looking for ways in which somebody who is no administrator could become one.
//!
//! Everybody whom a rule names is a beginning: anonymous, whoever has authenticated, a member of each group, each entry that
//! rules name. From there one goes on by what the rules let them do: put themselves into a group, put themselves into an
//! attribute by which a rule applies, make a group that a rule names and that is not there, reset a password, act as
//! somebody, or take over what recovers a password, by what somebody is found, or what slows the guessing of passwords.
//! Whatever is gained on the way is kept. Every step into an administrator ends a path; the way there is the
//! shortest. Circumstances are those that favour them most, and the guard against taking over somebody holds as always.
//!
//! Of people who are alike, being in the same groups and named by nothing else, one is followed.

mod group;
mod policy;
mod step;

use std::borrow::Cow;
use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use super::actor::{Memberships, Moment, memberships_of};
use super::explain::{entry_called, members};
use super::rule::{Rule, Rules};
use super::who::Who;
use super::{Actor, Decider, Rights};
use crate::directory::schema::AttributeSet;
use crate::directory::tree::{EntryId, Node, Tree, TreeError};
use crate::directory::{AttributeTypeId, Dn, Identity, Timestamp};
use policy::Policy;
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

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Survey {
    /// The ways.
    pub paths: Vec<Path>,
    /// How many entries that matter were not looked at, since there are more than can be: if any, there may be other ways.
    pub unseen: usize,
}

/// How many entries that matter are looked at.
const MOST: usize = 200_000;

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

/// Every way to become a member of one of these groups, or somebody who is. `naming` are the attributes by which somebody is
/// found who proves another name than that of their entry.
pub fn paths(
    rules: &Rules,
    administrators: &[Dn],
    naming: &AttributeSet,
    now: Timestamp,
    tree: &dyn Tree,
) -> Result<Survey, TreeError> {
    survey(rules, administrators, naming, (now, MOST), tree)
}

fn survey(
    rules: &Rules,
    administrators: &[Dn],
    naming: &AttributeSet,
    (now, most): (Timestamp, usize),
    tree: &dyn Tree,
) -> Result<Survey, TreeError> {
    let terrain = Terrain::survey(rules, (administrators, naming), (now, most), tree)?;
    let mut paths = Vec::new();
    for start in terrain.starts()? {
        terrain.walk(start, &mut paths)?;
    }
    Ok(Survey { paths, unseen: terrain.unseen })
}

/// What there is to gain.
struct Terrain<'a> {
    rules: &'a Rules,
    now: Timestamp,
    most: usize,
    tree: &'a dyn Tree,
    /// The attributes by which somebody is found.
    naming: &'a AttributeSet,
    /// Groups that rules name or that are in one of these.
    groups: Vec<Place>,
    /// People in them, and those whom rules or these entries name.
    people: Vec<Place>,
    /// What each of the people is, in the same order.
    classes: Vec<Class>,
    /// Password policies.
    policies: Vec<Policy>,
    /// The groups and people that are administrators.
    administrators: HashSet<EntryId>,
    /// Groups that rules name and that are not there.
    missing: Vec<Missing>,
    /// How many entries that matter are not among these.
    unseen: usize,
    /// The attributes by which rules apply.
    holding: Vec<AttributeTypeId>,
}

/// An entry that matters.
struct Place {
    node: Node,
    dn: Arc<Dn>,
}

/// What makes people alike: the groups that they are in, the names below which they stand that rules name, and who they are,
/// if that matters.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Class {
    groups: Vec<EntryId>,
    below: Vec<bool>,
    alone: Option<EntryId>,
}

/// A group that is not there.
struct Missing {
    dn: Dn,
    administers: bool,
}

/// Somebody on their way.
#[derive(Clone)]
struct Walker {
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
    fn survey(
        rules: &'a Rules,
        (administrators, naming): (&[Dn], &'a AttributeSet),
        (now, most): (Timestamp, usize),
        tree: &'a dyn Tree,
    ) -> Result<Self, TreeError> {
        let mut terrain = Self {
            rules,
            now,
            most,
            tree,
            naming,
            groups: Vec::new(),
            people: Vec::new(),
            classes: Vec::new(),
            policies: Vec::new(),
            administrators: HashSet::new(),
            missing: Vec::new(),
            unseen: 0,
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
                Who::Group(group) => match tree.find(group)?.entry() {
                    Some(id) => {
                        ids.insert(id);
                        ids.extend(members(group, tree)?);
                    }
                    None => terrain.add_missing(group, administrators),
                },
                Who::Entry(dn) => ids.extend(tree.find(dn)?.entry()),
                Who::HeldIn(attribute) if !terrain.holding.contains(attribute) => terrain.holding.push(*attribute),
                _ => {}
            }
        }
        terrain.add_places(ids)?;
        terrain.add_holders()?;
        terrain.policies = Policy::find_all(tree)?;
        terrain.classes = terrain.people.iter().map(|person| terrain.class(person)).collect::<Result<_, _>>()?;
        Ok(terrain)
    }

    fn add_missing(&mut self, group: &Dn, administrators: &[Dn]) {
        if self.missing.iter().all(|known| known.dn != *group) {
            self.missing.push(Missing { dn: group.clone(), administers: administrators.contains(group) });
        }
    }

    /// Administrators come first: if there are too many entries, they are among those that are looked at.
    fn add_places(&mut self, ids: HashSet<EntryId>) -> Result<(), TreeError> {
        let known = self.tree.schema().known();
        let mut ids: Vec<EntryId> = ids.into_iter().collect();
        ids.sort_unstable_by_key(|id| (!self.administrators.contains(id), *id));
        let room = self.most.saturating_sub(self.groups.len() + self.people.len());
        self.unseen += ids.len().saturating_sub(room);
        for id in ids.into_iter().take(room) {
            let Some(place) = self.place(id)? else { continue };
            let is_group = place.node.entry.has(known.member) || place.node.entry.has(known.unique_member);
            if is_group { self.groups.push(place) } else { self.people.push(place) }
        }
        Ok(())
    }

    fn class(&self, person: &Place) -> Result<Class, TreeError> {
        let mut groups: Vec<EntryId> = memberships_of(&person.dn, self.tree)?.groups.into_iter().collect();
        groups.sort_unstable();
        let whos = || self.rules.iter().flat_map(|rule| &rule.who);
        let below = |who: &Who| match who {
            Who::Below(base) => Some(*person.dn != *base && person.dn.is_within(base)),
            _ => None,
        };
        let is_named = whos().any(|who| matches!(who, Who::Entry(dn) if *dn == *person.dn));
        let matters = is_named || self.is_held(person)?;
        Ok(Class { groups, below: whos().filter_map(below).collect(), alone: matters.then_some(person.node.id) })
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
                ways.extend(policies.iter().cloned());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::RuleText;
    use crate::directory::tree::Directory;
    use crate::directory::tree::Place as TreePlace;
    use crate::directory::tree::memory::MemoryDirectory;
    use crate::directory::tree::{Change, Write};
    use crate::directory::{Attribute, Attributes, Entry, Schema};
    use std::slice;
    use std::sync::Arc;

    /// Where not all can be looked at, that is said, and never that there is no way.
    #[test]
    fn what_was_not_looked_at_is_told() {
        let schema = Schema::standard();
        let suffix = Dn::parse(&schema, "cn=top").unwrap();
        let directory = MemoryDirectory::new(Arc::clone(&schema), vec![suffix.clone()]);
        let mut attributes = Attributes::new();
        for (name, value) in [("objectClass", "groupOfNames"), ("member", "cn=top")] {
            let description = schema.describe(name).unwrap();
            attributes.push(Attribute { description, values: vec![value.as_bytes().to_vec()] });
        }
        let entry = Entry::encode(&attributes, &schema);
        let write = Write::Insert {
            uuid: Uuid::from_u128(1),
            place: TreePlace::Suffix(suffix.clone()),
            entry,
            credentials: None,
        };
        directory.commit(Change { writes: vec![write], log: Vec::new(), ..Change::none() }).unwrap();
        let text = RuleText {
            name: "all".into(),
            who: vec!["group:cn=top".into()],
            to: vec!["everything".into()],
            allow: vec!["all".into()],
            ..RuleText::default()
        };
        let rules = Rules::prepare(&[text], &schema).unwrap();
        let unseen = |most| {
            let now = Timestamp::default();
            survey(&rules, slice::from_ref(&suffix), &AttributeSet::EMPTY, (now, most), &directory.view())
                .unwrap()
                .unseen
        };
        assert_eq!((unseen(10), unseen(1), unseen(0)), (0, 0, 1));
    }
}
