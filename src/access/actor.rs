//! Somebody, with the groups that they are in, under the circumstances in which they ask.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::Right;
use super::circumstances::Circumstances;
use super::decide::Decided;
use super::rule::{Rule, Rules};
use super::who::Who;
use super::work::{ENTRY, LOOKUP, Unbounded, Work};
use crate::directory::dn::is_surely_other;
use crate::directory::filter::Truth;
use crate::directory::schema::NormalForm;
use crate::directory::tree::{EntryId, Tree, TreeError, Version};
use crate::directory::{AttributeTypeId, Dn, Entry, Identity, Schema, Timestamp};

/// How many groups are followed upwards from an entry. Whoever is in more has what is granted to these, and is denied
/// what is denied to any group.
const MAX_GROUPS: usize = 10_000;

/// Somebody who wants something, with all that rules ask about them: good for as long as
/// [`Tree::membership_version`] and their connection stay the same, and [`Self::is_current`].
#[derive(Clone, Debug)]
pub struct Actor {
    /// Who.
    pub identity: Identity,
    /// When it was found out.
    pub version: Version,
    /// At what time.
    pub since: Timestamp,
    /// How each rule stands to them, in order.
    standings: Vec<Standing>,
    /// When some of that may change, by the conditions of rules.
    until: Option<Timestamp>,
    /// What they and their groups are called, in the normal form, for rules that look for it in the target; otherwise
    /// empty.
    names: HashSet<Box<[u8]>>,
    /// What was decided for them before.
    pub(super) decided: Arc<Decided>,
}

/// How a rule stands to somebody.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Standing {
    /// It is not for them, or its time is over.
    Foreign,
    /// It is for them, whatever the target is, but its conditions do not hold.
    Suspended,
    /// The target decides whether it is for them.
    Depends,
    /// It is for them, whatever the target is.
    Applies,
}

/// The groups that somebody is in.
#[derive(Clone, Debug, Default)]
pub struct Memberships {
    /// The groups.
    pub groups: HashSet<EntryId>,
    /// What they are called.
    pub names: Vec<Arc<Dn>>,
    /// Roles that they have besides those whose entries say so.
    pub(super) roles: HashSet<EntryId>,
}

/// Which circumstances are considered.
#[derive(Clone, Copy, Debug)]
pub enum Moment<'a> {
    /// These.
    Now(&'a Circumstances),
    /// From that time on, whichever leave the actor the most rights.
    Ever(Timestamp),
}

impl Actor {
    /// Finds out about somebody.
    pub fn find(
        identity: Identity,
        circumstances: &Circumstances,
        rules: &Rules,
        tree: &dyn Tree,
    ) -> Result<Self, TreeError> {
        let memberships = match identity.dn() {
            Some(dn) if rules.iter().any(asks_for_groups) => memberships_of(dn, tree)?,
            _ => Memberships::default(),
        };
        Self::in_groups(identity, &memberships, Moment::Now(circumstances), rules, tree)
    }

    /// Somebody of whose groups all is known.
    pub fn in_groups(
        identity: Identity,
        memberships: &Memberships,
        moment: Moment<'_>,
        rules: &Rules,
        tree: &dyn Tree,
    ) -> Result<Self, TreeError> {
        let mut standings = Vec::with_capacity(rules.iter().len());
        for rule in rules.iter() {
            standings.push(Standing::find(rule, (&identity, memberships), moment, tree)?);
        }
        let until = match moment {
            Moment::Now(circumstances) => next_change(rules, circumstances.now),
            Moment::Ever(_) => None,
        };
        let mut names = HashSet::new();
        if rules.iter().any(asks_for_names) {
            names.extend(identity.dn().map(|own| own.key().into()));
            names.extend(memberships.names.iter().map(|name| name.key().into()));
        }
        Ok(Self {
            identity,
            version: tree.membership_version(),
            since: moment.time(),
            standings,
            until,
            names,
            decided: Arc::default(),
        })
    }

    /// A number that stands for how they stand to rules: while it is the same, so are their rights, as far as these do not
    /// depend on the target.
    pub fn fingerprint(&self, rules: &Rules) -> u64 {
        let mut hasher = DefaultHasher::new();
        let mut names: Vec<_> = self.names.iter().collect();
        names.sort_unstable();
        (self.identity.name(), format!("{:?}", self.standings), names, format!("{rules:?}")).hash(&mut hasher);
        hasher.finish()
    }

    /// A number that they share with those to whom each rule stands as it does to them.
    pub(super) fn likeness(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let mut names: Vec<_> = self.names.iter().collect();
        names.sort_unstable();
        (&self.standings, names).hash(&mut hasher);
        hasher.finish()
    }

    /// Whether no condition of a rule has begun or ceased to hold since, by the time alone.
    pub fn is_current(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// Whether some rule may let them find or read something.
    pub fn may_see_something(&self, rules: &Rules) -> bool {
        let shows = |rule: &Rule| rule.allow.has(Right::Search) || rule.allow.has(Right::Read);
        rules.iter().enumerate().any(|(position, rule)| shows(rule) && self.may_have_rule(position))
    }

    /// The rules that may apply to them and say why they are there.
    pub fn reasoned<'r>(&self, rules: &'r Rules) -> impl Iterator<Item = &'r Rule> {
        let has_reason = |rule: &Rule| rule.reason.is_some() || rule.ticket.is_some();
        let theirs = rules.iter().enumerate().filter(|(position, _)| self.may_have_rule(*position));
        theirs.map(|(_, rule)| rule).filter(move |rule| has_reason(rule))
    }

    /// What they and their groups are called, in the normal form, if a rule asks for it.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.names.iter().map(AsRef::as_ref)
    }

    /// Whether the rule of that position applies whatever the target is.
    pub fn has_rule(&self, position: usize) -> bool {
        self.standing(position) == Standing::Applies
    }

    /// Whether the rule of that position is for them, whatever the target is: it applies or will when its conditions hold.
    pub fn is_named_by(&self, position: usize) -> bool {
        matches!(self.standing(position), Standing::Applies | Standing::Suspended)
    }

    /// Whether the rule of that position applies to some targets.
    pub fn may_have_rule(&self, position: usize) -> bool {
        matches!(self.standing(position), Standing::Applies | Standing::Depends)
    }

    /// Whether a rule applies to them and a target, as far as its name does not matter.
    pub(super) fn has_rule_on(&self, (position, rule): (usize, &Rule), target: TargetFacts<'_>) -> bool {
        let holds = |who: &Who| match who {
            Who::Oneself => target.relation == Relation::Own,
            Who::HeldIn(attribute) => self.is_held_in(*attribute, target.entry, target.schema),
            _ => false,
        };
        match self.standing(position) {
            Standing::Applies => true,
            Standing::Depends => rule.who.iter().any(holds),
            Standing::Foreign | Standing::Suspended => false,
        }
    }

    /// Whether an entry holds their name, or the name of one of their groups, in an attribute.
    fn is_held_in(&self, attribute: AttributeTypeId, entry: &Entry, schema: &Schema) -> bool {
        let form = schema.attribute_type(attribute).equality_or_fallback().normal_form();
        // Where they are called by few names, most values need not be brought to their normal form.
        let is_other = |value: &[u8]| {
            let mut names = self.names.iter();
            form == NormalForm::Dn && names.len() <= FEW_NAMES && names.all(|name| is_surely_other(schema, value, name))
        };
        let is_name = |value: &[u8]| form.of_value(schema, value).is_ok_and(|name| self.names.contains(name.as_ref()));
        entry.values(attribute).filter(|value| !is_other(value)).any(is_name)
    }

    fn standing(&self, position: usize) -> Standing {
        self.standings.get(position).copied().unwrap_or(Standing::Foreign)
    }
}

/// So many names are tried one by one.
const FEW_NAMES: usize = 8;

/// What a rule may ask of a target, but for its name.
#[derive(Clone, Copy, Debug)]
pub(super) struct TargetFacts<'t> {
    /// Whether it is the actor's own entry.
    pub(super) relation: Relation,
    /// Its attributes.
    pub(super) entry: &'t Entry,
    /// The schema.
    pub(super) schema: &'t Schema,
}

/// What a target is to an actor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Relation {
    /// Their own entry.
    Own,
    /// Another.
    Other,
}

impl Standing {
    fn find(
        rule: &Rule,
        (identity, memberships): (&Identity, &Memberships),
        moment: Moment<'_>,
        tree: &dyn Tree,
    ) -> Result<Self, TreeError> {
        if rule.is_over(moment.time()) {
            return Ok(Self::Foreign);
        }
        let depends = !identity.is_anonymous() && rule.who.iter().any(Who::depends_on_target);
        let closed = || Ok::<_, TreeError>(!matches!(identity, Identity::LocalRoot) && is_unmet_denial(rule, tree)?);
        // Of whoever is in more groups than are looked for, nobody knows in which they are not.
        let is_about_groups = || rule.who.iter().any(|who| matches!(who, Who::Group(_)));
        let maybe = memberships.groups.len() >= MAX_GROUPS && rule.is_denial() && is_about_groups();
        let named = is_one_of(&rule.who, identity, memberships, tree)? || maybe || closed()?;
        Ok(match (named, depends, moment.holds(rule)) {
            (true, _, true) => Self::Applies,
            (true, _, false) => Self::Suspended,
            (false, true, true) => Self::Depends,
            (false, _, _) => Self::Foreign,
        })
    }
}

impl Moment<'_> {
    const fn time(self) -> Timestamp {
        match self {
            Self::Now(circumstances) => circumstances.now,
            Self::Ever(from) => from,
        }
    }

    /// Whether the conditions of a rule hold. What cannot be known keeps a grant from applying, and a denial not.
    fn holds(self, rule: &Rule) -> bool {
        match (&rule.when, self) {
            (None, _) => true,
            (Some(when), Self::Now(circumstances)) => match when.holds(circumstances) {
                Truth::True => true,
                Truth::Undefined => rule.is_denial(),
                Truth::False => false,
            },
            (Some(_), Self::Ever(_)) => !rule.is_denial(),
        }
    }
}

fn next_change(rules: &Rules, now: Timestamp) -> Option<Timestamp> {
    rules.iter().filter_map(|rule| rule.when.as_ref()?.next_change(now)).min()
}

fn asks_for_groups(rule: &Rule) -> bool {
    rule.who.iter().any(|who| matches!(who, Who::Group(_) | Who::HeldIn(_)))
}

fn asks_for_names(rule: &Rule) -> bool {
    rule.who.iter().any(|who| matches!(who, Who::HeldIn(_)))
}

/// Whether somebody is one of those that words name, whatever the target is.
pub(super) fn is_one_of(
    whos: &[Who],
    identity: &Identity,
    memberships: &Memberships,
    tree: &dyn Tree,
) -> Result<bool, TreeError> {
    let Memberships { groups, roles, .. } = memberships;
    for who in whos {
        let is_it = match who {
            Who::Anonymous => identity.is_anonymous(),
            Who::Authenticated => !identity.is_anonymous(),
            Who::Everyone => true,
            Who::LocalRoot => matches!(identity, Identity::LocalRoot),
            Who::Entry(dn) => identity.dn().is_some_and(|own| **own == *dn),
            Who::Below(dn) => identity.dn().is_some_and(|own| **own != *dn && own.is_within(dn)),
            Who::Group(_) if groups.is_empty() => false,
            Who::Group(dn) => match tree.find(dn)?.entry() {
                Some(group) => groups.contains(&group),
                // A group that does not exist has no members; what denies it something, see `is_unmet_denial`.
                None => false,
            },
            Who::Role(dn) => match tree.find(dn)?.entry() {
                Some(role) => roles.contains(&role) || occupies(identity, role, tree)?,
                None => false,
            },
            Who::Oneself | Who::HeldIn(_) => false,
        };
        if is_it {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether somebody occupies a role.
fn occupies(identity: &Identity, role: EntryId, tree: &dyn Tree) -> Result<bool, TreeError> {
    let (Some(own), Some(node)) = (identity.dn(), tree.node(role)?) else { return Ok(false) };
    let (schema, attribute) = (tree.schema(), tree.schema().known().role_occupant);
    let form = schema.attribute_type(attribute).equality_or_fallback().normal_form();
    let mut values = node.entry.values(attribute);
    Ok(values.any(|value| !is_surely_other(schema, value, own.key()) && form.matches(schema, value, own.key())))
}

/// Whether a rule denies something to a group or role that does not exist. Who would be in it nobody knows, so it may be anybody.
pub(super) fn is_unmet_denial(rule: &Rule, tree: &dyn Tree) -> Result<bool, TreeError> {
    if !rule.is_denial() {
        return Ok(false);
    }
    for who in &rule.who {
        if let Some(body) = who.body()
            && tree.find(body)?.entry().is_none()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The groups that `dn` is in, directly or through other groups.
pub fn groups_of(dn: &Dn, tree: &dyn Tree) -> Result<HashSet<EntryId>, TreeError> {
    Ok(memberships_of(dn, tree)?.groups)
}

/// The groups that `dn` is in, directly or through other groups, with their names.
pub fn memberships_of(dn: &Dn, tree: &dyn Tree) -> Result<Memberships, TreeError> {
    memberships_within(dn, tree, &Unbounded)
}

/// The same, as far as the work goes.
pub fn memberships_within<W: Work>(dn: &Dn, tree: &dyn Tree, work: &W) -> Result<Memberships, W::Stop> {
    let mut found = Memberships::default();
    let mut pending = vec![Arc::new(dn.clone())];
    while let Some(member) = pending.pop() {
        work.take(2 * LOOKUP)?;
        for group in direct_groups(&member, tree)? {
            work.take(ENTRY)?;
            if found.groups.len() < MAX_GROUPS && found.groups.insert(group) {
                let name = tree.dn(group)?;
                found.names.extend(name.clone());
                pending.extend(name);
            }
        }
    }
    Ok(found)
}

/// The groups that name `dn` as a member.
pub fn direct_groups(dn: &Dn, tree: &dyn Tree) -> Result<Vec<EntryId>, TreeError> {
    let known = tree.schema().known();
    debug_assert_eq!(tree.schema().attribute_type(known.member).equality_or_fallback().normal_form(), NormalForm::Dn);
    let mut groups = tree.equal(known.member, dn.key())?;
    groups.extend(tree.equal(known.unique_member, dn.key())?);
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::RuleText;
    use crate::directory::tree::memory::MemoryDirectory;
    use crate::directory::tree::{Change, Directory, Place, Write};
    use crate::directory::{Attribute, Attributes};
    use uuid::Uuid;

    /// Of whoever is in more than 10,000 groups nobody knows in which they are not: so each denial to a group is for them, and no
    /// grant that is not found.
    #[test]
    fn denials_hold_for_whoever_is_in_more_groups_than_are_looked_at() {
        let schema = Schema::standard();
        let group = Dn::parse(&schema, "cn=denied").unwrap();
        let directory = MemoryDirectory::new(Arc::clone(&schema), vec![group.clone()]);
        let mut attributes = Attributes::new();
        for (name, value) in [("objectClass", "groupOfNames"), ("cn", "denied"), ("member", "cn=somebody")] {
            let description = schema.describe(name).unwrap();
            attributes.push(Attribute { description, values: vec![value.as_bytes().to_vec()] });
        }
        let entry = Entry::encode(&attributes, &schema);
        let write = Write::Insert { uuid: Uuid::from_u128(1), place: Place::Suffix(group), entry, credentials: None };
        directory.commit(Change { writes: vec![write], ..Change::none() }).unwrap();
        let rule = |allow: &[&str], deny: &[&str]| RuleText {
            who: vec!["group:cn=denied".into()],
            to: vec!["everything".into()],
            allow: allow.iter().map(|&word| word.into()).collect(),
            deny: deny.iter().map(|&word| word.into()).collect(),
            ..RuleText::default()
        };
        let rules = Rules::prepare(&[rule(&["read"], &[]), rule(&[], &["read"])], &schema).unwrap();
        let standings = |count: u32| {
            let groups = (1_000..).map(EntryId).take(count as usize).collect();
            let memberships = Memberships { groups, ..Memberships::default() };
            let dn = Arc::new(Dn::parse(&schema, "cn=ada").unwrap());
            let identity = Identity::Entry { uuid: Uuid::from_u128(2), dn };
            let moment = Moment::Ever(Timestamp::default());
            let actor = Actor::in_groups(identity, &memberships, moment, &rules, &directory.view()).unwrap();
            (actor.has_rule(0), actor.has_rule(1))
        };
        assert_eq!(standings(9_999), (false, false));
        assert_eq!(standings(10_000), (false, true));
    }
}
