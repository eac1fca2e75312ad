//! Going wherever one can get to.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use uuid::Uuid;

use super::Path;
use super::leave::Leaving;
use super::step::Reader;
use super::terrain::{Class, Missing, Place, Terrain, has_members};
use crate::access::actor::{Memberships, Moment, direct_groups, memberships_of};
use crate::access::rule::{Rule, Rules};
use crate::access::who::Who;
use crate::access::{Actor, Decider};
use crate::directory::tree::{EntryId, TreeError};
use crate::directory::{Dn, Identity};

/// In which groups somebody is, but for what follows from groups in groups.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Standing {
    /// The groups that name them.
    pub(super) direct: BTreeSet<EntryId>,
    /// The groups that no longer name another, which is the second.
    pub(super) cut: BTreeSet<(EntryId, EntryId)>,
}

/// Somebody on their way.
#[derive(Clone)]
pub(super) struct Walker {
    identity: Identity,
    standing: Standing,
    /// The groups that they have made.
    made: Vec<Dn>,
    /// The memberships that they have ended.
    left: BTreeSet<Leaving>,
    from: String,
    steps: Vec<String>,
}

/// Whether all was looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Walked {
    /// All.
    Wholly,
    /// Not all: there are more ways than are followed.
    InPart,
}

/// What a step leads to.
enum Gain<'p> {
    /// Being in that group.
    Group(&'p Place),
    /// Being a member of that person, who is made a group.
    Within(&'p Place, &'p Class),
    /// Being that person, who is of that class.
    Person(&'p Place, &'p Class),
    /// Being in that group, which is made.
    Made(&'p Missing),
    /// That being over.
    Left(Leaving),
}

/// What somebody has gained, or gains nothing by gaining again.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Gained {
    Group(EntryId),
    /// Being a member of somebody of that class.
    Within(Class),
    Class(Class),
    Made(Dn),
    /// With what they had besides when they left.
    Left(Standing, Vec<Dn>, BTreeSet<Leaving>),
}

/// So many of those who come from one are followed.
const MOST_WALKERS: usize = 20_000;

impl<'a> Terrain<'a> {
    /// Those who may set out.
    pub(super) fn starts(&self) -> Result<Vec<Walker>, TreeError> {
        let mut starts: Vec<Walker> = Vec::new();
        let stranger = |below: Option<&Dn>| {
            let dn = below.and_then(|base| Dn::parse(self.tree.schema(), &format!("cn=somebody new,{base}")).ok());
            Identity::Entry { uuid: Uuid::nil(), dn: Arc::new(dn.unwrap_or_else(Dn::root)) }
        };
        let suffix = self.tree.suffixes().first();
        let nowhere = Standing::default;
        for who in self.rules.iter().filter(|rule| !rule.is_over(self.now)).flat_map(|rule| &rule.who) {
            let (identity, from) = match who {
                Who::Anonymous => (Identity::Anonymous, "whoever has not authenticated".to_owned()),
                Who::Everyone | Who::Authenticated => (stranger(suffix), "whoever has authenticated".to_owned()),
                Who::Below(base) => (stranger(Some(base)), format!("whoever stands below {base}")),
                Who::Group(_) | Who::Role(_) | Who::Entry(_) | Who::Oneself | Who::HeldIn(_) | Who::LocalRoot => {
                    continue;
                }
            };
            starts.push(Walker::new(identity, nowhere(), from));
        }
        if self.rules.iter().any(|rule| rule.who.contains(&Who::Everyone)) {
            let from = "whoever has not authenticated".to_owned();
            starts.push(Walker::new(Identity::Anonymous, nowhere(), from));
        }
        let schema = self.tree.schema();
        let has_some = |group: &&Place| !self.makes_administrators(group) && has_members(group, schema);
        for group in self.groups.iter().filter(has_some) {
            let standing = Standing { direct: [group.node.id].into(), ..nowhere() };
            let is_role = self.is_role(&group.dn);
            let from = if is_role { "whoever has the role" } else { "a member of" };
            starts.push(Walker::new(stranger(suffix), standing, format!("{from} {}", group.dn)));
        }
        let mut classes = HashSet::new();
        for (person, class) in self.people.iter().zip(&self.classes) {
            if !self.is_administrator(person) && self.is_more_than_a_member(person, class)? && classes.insert(class) {
                starts.push(self.person(person)?);
            }
        }
        let mut seen = HashSet::new();
        starts.retain(|start| seen.insert(start.from.clone()));
        Ok(starts)
    }

    /// Whether more may be true of somebody than of a member of one group, or of whoever stands below some name.
    fn is_more_than_a_member(&self, person: &Place, class: &Class) -> Result<bool, TreeError> {
        let is_below = class.below.contains(&true);
        let several = class.below.iter().filter(|below| **below).count() > 1;
        let alone = class.alone.is_some();
        let direct = direct_groups(&person.dn, self.tree)?.len();
        // A role is among the groups of a class and is none that names them as a member.
        let has_role = class.groups.len() > memberships_of(&person.dn, self.tree)?.groups.len();
        let direct = direct + usize::from(has_role);
        Ok(alone || direct > 1 || (direct > 0 && is_below) || several)
    }

    fn person(&self, person: &Place) -> Result<Walker, TreeError> {
        let identity = Identity::Entry { uuid: person.node.uuid, dn: Arc::clone(&person.dn) };
        let direct = direct_groups(&person.dn, self.tree)?.into_iter().collect();
        Ok(Walker::new(identity, Standing { direct, cut: BTreeSet::new() }, person.dn.to_string()))
    }

    /// Goes wherever one can get to.
    pub(super) fn walk(&self, start: &Walker, found: &mut Vec<Path>) -> Result<Walked, TreeError> {
        let mut walk = Walk {
            terrain: self,
            gained: HashMap::new(),
            told: HashSet::new(),
            joined: Vec::new(),
            put_together: 1,
            found,
        };
        let mut pending = VecDeque::from([start.clone()]);
        let mut followed = 0;
        loop {
            while let Some(walker) = pending.pop_front() {
                followed += 1;
                if followed > MOST_WALKERS {
                    return Ok(Walked::InPart);
                }
                walk.go_on(&walker, &mut pending)?;
            }
            // Nobody has gained more by what was gained on different ways: then that is all.
            match walk.together(start) {
                Some(walker) => pending.push_back(walker),
                None => return Ok(Walked::Wholly),
            }
        }
    }

    fn arrives(&self, gain: &Gain<'_>) -> bool {
        match gain {
            Gain::Group(place) | Gain::Within(place, _) => self.makes_administrators(place),
            Gain::Person(place, _) => self.is_administrator(place),
            Gain::Made(group) => group.administers,
            Gain::Left(_) => false,
        }
    }

    /// The rules, in which whoever has made a group is one of those whom it names.
    fn rules_for(&self, walker: &Walker) -> Cow<'a, Rules> {
        let Some(own) = walker.identity.dn().filter(|_| !walker.made.is_empty()) else {
            return Cow::Borrowed(self.rules);
        };
        let is_made = |who: &Who| who.body().is_some_and(|body| walker.made.contains(body));
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
            Gain::Group(group) | Gain::Within(group, _) => {
                on.standing.direct.insert(group.node.id);
            }
            Gain::Person(person, _) => {
                on.standing.direct.extend(direct_groups(&person.dn, self.tree)?);
                on.identity = Identity::Entry { uuid: person.node.uuid, dn: Arc::clone(&person.dn) };
            }
            Gain::Made(group) => {
                on.made.push(group.dn.clone());
            }
            Gain::Left(leaving) => {
                on.left.insert(*leaving);
                match leaving {
                    Leaving::Own(group) => on.standing.direct.remove(group),
                    Leaving::Nested(group, member) => on.standing.cut.insert((*group, *member)),
                };
            }
        }
        Ok(on)
    }

    /// What somebody can do to gain something that they have not gained.
    fn steps<'t>(
        &'t self,
        walker: &Walker,
        memberships: &Memberships,
        (actor, rules): (&Actor, &Rules),
        gained: &HashSet<Gained>,
    ) -> Result<Vec<(Gain<'t>, Vec<String>)>, TreeError> {
        let mut steps = Vec::new();
        let decider = Decider::new(rules, actor, self.tree.schema());
        let mut reader = Reader { terrain: self, rules, actor, decider, bent: Vec::new() };
        let together = |(mut before, step): (Vec<String>, String)| {
            before.push(step);
            before
        };
        for group in &self.groups {
            let id = &group.node.id;
            if !memberships.groups.contains(id) && !memberships.roles.contains(id) {
                let ways = reader
                    .find_by_renaming(group, &mut |reader, group| Ok(reader.join(group)?.into_iter().collect()))?;
                steps.extend(ways.into_iter().map(|way| (Gain::Group(group), together(way))));
            }
        }
        for group in self.missing.iter().filter(|group| !walker.made.contains(&group.dn)) {
            steps.extend(reader.make(&group.dn, memberships)?.map(|step| (Gain::Made(group), vec![step])));
        }
        for leaving in self.bonds(&walker.standing, memberships)? {
            steps.extend(reader.leave(leaving)?.into_iter().map(|way| (Gain::Left(leaving), way)));
        }
        let policies = reader.policies()?;
        for (person, class) in self.people.iter().zip(&self.classes) {
            let is_administrator = self.is_administrator(person);
            if self.may_gain_within(person, class, (walker, memberships), gained)? {
                let ways = reader
                    .find_by_renaming(person, &mut |reader, person| Ok(reader.join(person)?.into_iter().collect()))?;
                steps.extend(ways.into_iter().map(|way| (Gain::Within(person, class), together(way))));
            }
            let is_known = !is_administrator && gained.contains(&Gained::Class(class.clone()));
            if is_known || walker.identity.uuid() == Some(person.node.uuid) {
                continue;
            }
            let ways = reader.find_by_renaming(person, &mut |reader, person| reader.take_over(person))?;
            steps.extend(ways.into_iter().map(|way| (Gain::Person(person, class), together(way))));
            // A policy matters for those whom it guards, of whom administrators are told.
            if is_administrator {
                let ways = reader.policy_for(person, &policies)?.into_iter().chain(reader.selection(person)?);
                steps.extend(ways.map(|way| (Gain::Person(person, class), way)));
            }
        }
        Ok(steps)
    }

    /// Whether more would be gained by being a member of a person, who is no group yet.
    fn may_gain_within(
        &self,
        person: &Place,
        class: &Class,
        (walker, memberships): (&Walker, &Memberships),
        gained: &HashSet<Gained>,
    ) -> Result<bool, TreeError> {
        let is_known = !self.makes_administrators(person) && gained.contains(&Gained::Within(class.clone()));
        let is_in = walker.identity.uuid() == Some(person.node.uuid) || memberships.groups.contains(&person.node.id);
        Ok(!is_known && !is_in && self.passes_on(person, class)? && !self.is_group(person))
    }
}

/// What is found on the ways of one who sets out.
struct Walk<'w, 'a> {
    terrain: &'w Terrain<'a>,
    /// What has been gained, by those who have left the same.
    gained: HashMap<BTreeSet<Leaving>, HashSet<Gained>>,
    /// How administrators are reached that were told of.
    told: HashSet<Vec<String>>,
    /// The groups that were joined or made by somebody who had left nothing, and how.
    joined: Vec<Joined>,
    /// How many of these were put together already.
    put_together: usize,
    found: &'w mut Vec<Path>,
}

struct Joined {
    group: Option<EntryId>,
    made: Option<Dn>,
    steps: Vec<String>,
}

impl Walk<'_, '_> {
    fn go_on(&mut self, walker: &Walker, pending: &mut VecDeque<Walker>) -> Result<(), TreeError> {
        let terrain = self.terrain;
        let memberships = terrain.memberships(&walker.standing)?;
        let rules = terrain.rules_for(walker);
        let identity = walker.identity.clone();
        let actor = Actor::in_groups(identity, &memberships, Moment::Ever(terrain.now), &rules, terrain.tree)?;
        let gained = self.gained.entry(walker.left.clone()).or_default();
        for (gain, own) in terrain.steps(walker, &memberships, (&actor, &rules), gained)? {
            let steps = [walker.steps.clone(), own.clone()].concat();
            let on = terrain.moved(walker, &gain, steps)?;
            if terrain.arrives(&gain) {
                if self.told.insert(own) {
                    self.found.push(Path { from: on.from, steps: on.steps });
                }
                continue;
            }
            if !gained.insert(gain.key(&on)) {
                continue;
            }
            if walker.left.is_empty() {
                self.joined.extend(gain.joined(&on.steps));
            }
            if let Gain::Person(person, _) = gain {
                // As they are alone, too: what is denied to the others is not denied to them.
                let alone = Walker { from: on.from.clone(), steps: on.steps.clone(), ..terrain.person(person)? };
                pending.extend((alone.standing != on.standing).then_some(alone));
            }
            pending.push_back(on);
        }
        Ok(())
    }

    /// Somebody with all that was joined on different ways; nobody, if that is no more than before.
    fn together(&mut self, start: &Walker) -> Option<Walker> {
        if self.joined.len() <= self.put_together {
            return None;
        }
        self.put_together = self.joined.len();
        let mut all = start.clone();
        for one in &self.joined {
            all.standing.direct.extend(one.group);
            if let Some(made) = one.made.as_ref().filter(|made| !all.made.contains(made)) {
                all.made.push(made.clone());
            }
            all.steps.extend(one.steps.clone());
        }
        let mut seen = HashSet::new();
        all.steps.retain(|step| seen.insert(step.clone()));
        Some(all)
    }
}

impl Walker {
    fn new(identity: Identity, standing: Standing, from: String) -> Self {
        Self { identity, standing, made: Vec::new(), left: BTreeSet::new(), from, steps: Vec::new() }
    }
}

impl Gain<'_> {
    /// What is gained by it, by whoever then is `on`.
    fn key(&self, on: &Walker) -> Gained {
        match self {
            Self::Group(place) => Gained::Group(place.node.id),
            Self::Within(_, class) => Gained::Within(Class::clone(class)),
            Self::Person(_, class) => Gained::Class(Class::clone(class)),
            Self::Made(group) => Gained::Made(group.dn.clone()),
            Self::Left(_) => Gained::Left(on.standing.clone(), on.made.clone(), on.left.clone()),
        }
    }

    fn joined(&self, steps: &[String]) -> Option<Joined> {
        let steps = steps.to_vec();
        match self {
            Self::Group(place) | Self::Within(place, _) => {
                Some(Joined { group: Some(place.node.id), made: None, steps })
            }
            Self::Made(group) => Some(Joined { group: None, made: Some(group.dn.clone()), steps }),
            Self::Person(..) | Self::Left(_) => None,
        }
    }
}
