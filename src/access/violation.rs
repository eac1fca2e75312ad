//! Looking for somebody who may what an assertion says nobody may.
//!
//! Each rule that grants such a right is taken by itself. Somebody to whom it applies and who is not excepted is looked for:
//! first among the entries; then, for a rule about a group or a subtree, whoever might be put there. So is an entry to which
//! they may do it: first among the entries, then one that might be added. The whole of the rules decides, with all that
//! denies it and the guard against taking over somebody, under the circumstances that favour them most: a grant that holds
//! sometimes counts, a denial that holds sometimes does not.
//!
//! Rules for oneself and for those whom the target holds (`self`, `attribute:`) are tried on the entries that there are.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use super::actor::{Memberships, Moment, is_one_of, memberships_of};
use super::assertion::{Assertion, Extent};
use super::explain::{entry_called, members};
use super::reach::Reach;
use super::rule::{Rule, Rules, Source};
use super::who::Who;
use super::{Actor, Decider, Decision, Right, escalation};
use crate::directory::filter::{Facts, Matcher, Truth};
use crate::directory::schema::AttributeSet;
use crate::directory::tree::{EntryId, Node, Tree, TreeError};
use crate::directory::{AttributeTypeId, Dn, Entry, Identity, Timestamp};

/// Somebody who may what nobody may.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counterexample {
    /// The assertion that does not hold.
    pub assertion: String,
    /// Where it stands.
    pub assertion_source: Source,
    /// The rule that grants it.
    pub rule: String,
    /// Where that stands.
    pub rule_source: Source,
    /// To whom, in words or by name.
    pub who: String,
    /// Which right.
    pub right: Right,
    /// To which attribute, if it is granted by attributes.
    pub attribute: Option<String>,
    /// Of which entry, in words or by name.
    pub target: String,
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { assertion, assertion_source, rule, rule_source, who, right, attribute, target } = self;
        let attribute = attribute.as_ref().map(|name| format!(" {name} of")).unwrap_or_default();
        write!(
            f,
            "the assertion {assertion:?} ({assertion_source}) does not hold: {who} may {right}{attribute} {target}, by the \
             rule {rule:?} ({rule_source})"
        )
    }
}

/// Looks for violations: for each assertion and rule, the first. In an empty tree only those are found that follow from the
/// words of the rules, whatever entries there will be.
pub fn violations(
    rules: &Rules,
    assertions: &[Assertion],
    now: Timestamp,
    tree: &dyn Tree,
) -> Result<Vec<Counterexample>, TreeError> {
    violations_by(rules, assertions, now, tree, &|_| true)
}

/// The same by those rules alone that `concerns` says; all decide.
pub fn violations_by(
    rules: &Rules,
    assertions: &[Assertion],
    now: Timestamp,
    tree: &dyn Tree,
    concerns: &dyn Fn(&Rule) -> bool,
) -> Result<Vec<Counterexample>, TreeError> {
    let mut found = Vec::new();
    for assertion in assertions {
        for rule in rules.iter().filter(|rule| !rule.is_over(now) && concerns(rule)) {
            let inquiry = Inquiry { rules, assertion, rule, now, tree };
            if inquiry.concerns() {
                found.extend(inquiry.search()?);
            }
        }
    }
    Ok(found)
}

/// Whether a rule grants what an assertion says must not be.
struct Inquiry<'a> {
    rules: &'a Rules,
    assertion: &'a Assertion,
    rule: &'a Rule,
    now: Timestamp,
    tree: &'a dyn Tree,
}

/// A right that somebody has; if it is granted by attributes, to that one.
#[derive(Clone, Copy)]
struct Granted {
    right: Right,
    attribute: Option<AttributeTypeId>,
}

/// What is done with each target; whether to go on.
type Visit<'v> = &'v mut dyn FnMut(&Node, &Arc<Dn>) -> Result<bool, TreeError>;

/// Somebody, with their groups.
struct Subject {
    identity: Identity,
    memberships: Memberships,
    shown: String,
}

impl Subject {
    fn actor(&self, inquiry: &Inquiry<'_>) -> Result<Actor, TreeError> {
        let moment = Moment::Ever(inquiry.now);
        Actor::in_groups(self.identity.clone(), &self.memberships, moment, inquiry.rules, inquiry.tree)
    }
}

impl Inquiry<'_> {
    fn rights(&self) -> impl Iterator<Item = Right> {
        let must_not = self.assertion.must_not;
        self.rule.allow.iter().filter(move |right| must_not.has(*right))
    }

    fn concerns(&self) -> bool {
        let attributes = self.rule.attributes.intersects(&self.assertion.attributes);
        self.rights().any(|right| attributes || !right.is_per_attribute())
    }

    fn search(&self) -> Result<Option<Counterexample>, TreeError> {
        for who in &self.rule.who {
            let found = match who {
                Who::Oneself | Who::HeldIn(_) => self.search_dependent(who)?,
                _ => self.search_independent(who)?,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Tries those whom the rule names whatever the target is.
    fn search_independent(&self, who: &Who) -> Result<Option<Counterexample>, TreeError> {
        for subject in self.subjects(who)? {
            if !self.may_be_meant(&subject)? {
                continue;
            }
            let actor = subject.actor(self)?;
            let mut decider = Decider::new(self.rules, &actor, self.tree.schema());
            let mut found = None;
            self.each_target(&mut |node, dn| {
                found = self.try_entry(&subject, &mut decider, (node, dn))?;
                Ok(found.is_none())
            })?;
            if found.is_none() {
                found = self.try_new_entries(&subject, &mut decider)?;
            }
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Tries those whom each target makes subjects of the rule.
    fn search_dependent(&self, who: &Who) -> Result<Option<Counterexample>, TreeError> {
        let mut found = None;
        self.each_target(&mut |node, dn| {
            for subject in self.subjects_of(who, node, dn)? {
                let actor = subject.actor(self)?;
                let mut decider = Decider::new(self.rules, &actor, self.tree.schema());
                found = self.try_entry(&subject, &mut decider, (node, dn))?;
                if found.is_some() {
                    break;
                }
            }
            Ok(found.is_none())
        })?;
        Ok(found)
    }

    fn try_entry(
        &self,
        subject: &Subject,
        decider: &mut Decider<'_>,
        (node, dn): (&Node, &Arc<Dn>),
    ) -> Result<Option<Counterexample>, TreeError> {
        if !self.is_meant(subject, node)? {
            return Ok(None);
        }
        let decision = decider.decide(node, self.tree)?;
        for right in self.rights() {
            let Some(granted) = self.granted(right, &decision, &node.entry) else { continue };
            let is_reset = right == Right::ResetPassword;
            let is_own = subject.identity.uuid() == Some(node.uuid);
            let guarded = || escalation::exceeds(node.uuid, dn, decider.actor(), self.rules, self.tree);
            if is_reset && (is_own || guarded()?.is_some()) {
                continue;
            }
            return Ok(Some(self.counterexample(subject, granted, dn.to_string())));
        }
        Ok(None)
    }

    /// Tries an entry that might be added where rule and assertion begin, unless a filter decides about it.
    fn try_new_entries(
        &self,
        subject: &Subject,
        decider: &mut Decider<'_>,
    ) -> Result<Option<Counterexample>, TreeError> {
        let is_filtered = self.rule.filter.is_some() || self.assertion.filter.is_some();
        let denies = |rule: &Rule| rule.filter.is_some() && self.rights().any(|right| rule.deny.has(right));
        if is_filtered || self.rules.iter().any(denies) {
            return Ok(None);
        }
        for (dn, shown) in self.new_names() {
            let decision = decider.decide_new(&dn, &Entry::empty())?;
            for right in self.rights() {
                if let Some(granted) = self.granted(right, &decision, &Entry::empty()) {
                    return Ok(Some(self.counterexample(subject, granted, shown)));
                }
            }
        }
        Ok(None)
    }

    /// Names that an entry might have to which both rule and assertion reach.
    fn new_names(&self) -> Vec<(Dn, String)> {
        let extents = self.assertion.to.iter().filter_map(|extent| match extent {
            Extent::Reach(reach) => Some(reach),
            Extent::Members(_) => None,
        });
        let reaches: Vec<&Reach> = extents.collect();
        let bases = reaches.iter().copied().chain(&self.rule.to).filter_map(Reach::base);
        let bases: Vec<&Dn> = bases.chain(self.tree.suffixes()).collect();
        let below = nobody_below;
        let both =
            |dn: &Dn| reaches.iter().any(|reach| reach.has(dn)) && self.rule.to.iter().any(|reach| reach.has(dn));
        let mut names = Vec::new();
        for base in bases {
            let child = below(base);
            names.push((base.clone(), format!("the entry {base}, if it is added")));
            names.push((below(&child), format!("an entry that is added below {base}")));
            names.push((child, format!("an entry that is added below {base}")));
        }
        names.retain(|(dn, _)| both(dn));
        names
    }

    /// The right, if it is granted, with an attribute that the assertion is about.
    fn granted(&self, right: Right, decision: &Arc<Decision>, entry: &Entry) -> Option<Granted> {
        let Some(mut set) = decision.attributes(right) else {
            return decision.allows(right).then_some(Granted { right, attribute: None });
        };
        set.intersect(&self.assertion.attributes);
        set.intersect(&self.rule.attributes);
        let present = entry.attributes().map(|attribute| attribute.attribute_type).find(|id| set.contains(*id));
        let some = present.or_else(|| set.iter().next());
        some.map(|id| Granted { right, attribute: Some(id) })
    }

    fn counterexample(
        &self,
        subject: &Subject,
        Granted { right, attribute }: Granted,
        target: String,
    ) -> Counterexample {
        let name = |id| self.tree.schema().attribute_type(id).name().to_owned();
        Counterexample {
            assertion: self.assertion.name.clone(),
            assertion_source: self.assertion.source.clone(),
            rule: self.rule.name.clone(),
            rule_source: self.rule.source.clone(),
            who: subject.shown.clone(),
            right,
            attribute: attribute.map(name),
            target,
        }
    }

    /// Whether the assertion is about somebody, as far as the target does not matter.
    fn may_be_meant(&self, subject: &Subject) -> Result<bool, TreeError> {
        let (identity, groups) = (&subject.identity, &subject.memberships.groups);
        let depends = self.assertion.who.iter().any(Who::depends_on_target);
        Ok((depends || is_one_of(&self.assertion.who, identity, groups, self.tree)?)
            && !is_one_of(&self.assertion.except, identity, groups, self.tree)?)
    }

    /// Whether the assertion is about somebody and a target.
    fn is_meant(&self, subject: &Subject, target: &Node) -> Result<bool, TreeError> {
        let (identity, groups) = (&subject.identity, &subject.memberships.groups);
        let is = |whos: &[Who]| -> Result<bool, TreeError> {
            Ok(is_one_of(whos, identity, groups, self.tree)? || self.is_by_target(whos, subject, target))
        };
        Ok(is(&self.assertion.who)? && !is(&self.assertion.except)?)
    }

    fn is_by_target(&self, whos: &[Who], subject: &Subject, target: &Node) -> bool {
        let names = || subject.identity.dn().into_iter().chain(&subject.memberships.names);
        whos.iter().any(|who| match who {
            Who::Oneself => subject.identity.uuid() == Some(target.uuid),
            Who::HeldIn(attribute) => {
                let schema = self.tree.schema();
                let form = schema.attribute_type(*attribute).equality_or_fallback().normal_form();
                let mut values = target.entry.values(*attribute);
                values.any(|value| names().any(|name| form.matches(schema, value, name.key())))
            }
            _ => false,
        })
    }

    /// Calls `visit` with each entry that both rule and assertion are about, until it says that it is enough.
    fn each_target(&self, visit: Visit<'_>) -> Result<(), TreeError> {
        let members = self.members()?;
        let mut after = None;
        loop {
            let nodes = self.tree.nodes_after(after, 1_000)?;
            let Some(last) = nodes.last() else { return Ok(()) };
            after = Some(last.id);
            for node in &nodes {
                let Some(dn) = self.tree.dn(node.id)? else { continue };
                if self.is_target(node, &dn, &members) && !visit(node, &dn)? {
                    return Ok(());
                }
            }
        }
    }

    fn members(&self) -> Result<HashSet<EntryId>, TreeError> {
        let mut all = HashSet::new();
        for extent in &self.assertion.to {
            if let Extent::Members(group) = extent {
                all.extend(members(group, self.tree)?);
            }
        }
        Ok(all)
    }

    fn is_target(&self, node: &Node, dn: &Dn, members: &HashSet<EntryId>) -> bool {
        let within = |extent: &Extent| match extent {
            Extent::Reach(reach) => reach.has(dn),
            Extent::Members(_) => members.contains(&node.id),
        };
        let everything = AttributeSet::first(self.tree.schema().attribute_types().len());
        let facts = Facts { entries: &[&node.entry], searchable: &everything, dn, schema: self.tree.schema() };
        let matches = |filter: &Option<Matcher>| match filter {
            Some(filter) => filter.evaluate(&facts) == Truth::True,
            None => true,
        };
        self.rule.to.iter().any(|reach| reach.has(dn))
            && self.assertion.to.iter().any(within)
            && matches(&self.rule.filter)
            && matches(&self.assertion.filter)
    }

    /// Those whom a rule names, as far as one of each kind is enough.
    fn subjects(&self, who: &Who) -> Result<Vec<Subject>, TreeError> {
        let nameless =
            |identity, shown: &str| Subject { identity, memberships: Memberships::default(), shown: shown.to_owned() };
        Ok(match who {
            Who::Anonymous => vec![nameless(Identity::Anonymous, "whoever has not authenticated")],
            Who::LocalRoot => vec![nameless(Identity::LocalRoot, "the superuser of this machine")],
            Who::Authenticated => vec![stranger(&Dn::root(), "whoever has authenticated")],
            Who::Everyone => vec![
                nameless(Identity::Anonymous, "whoever has not authenticated"),
                stranger(&Dn::root(), "whoever has authenticated"),
            ],
            Who::Below(base) => vec![stranger(base, &format!("whoever stands below {base}"))],
            Who::Entry(dn) => match self.tree.find(dn)?.entry() {
                Some(id) => self.somebody(id)?.into_iter().collect(),
                None => Vec::new(),
            },
            Who::Group(dn) => self.in_group(dn)?,
            Who::Oneself | Who::HeldIn(_) => Vec::new(),
        })
    }

    /// Those in a group, and whoever might be put into it. If that is excepted, so are all.
    fn in_group(&self, group: &Dn) -> Result<Vec<Subject>, TreeError> {
        let Some(id) = self.tree.find(group)?.entry() else { return Ok(Vec::new()) };
        let mut memberships = memberships_of(group, self.tree)?;
        memberships.groups.insert(id);
        memberships.names.push(Arc::new(group.clone()));
        let shown = format!("whoever is put into {group}");
        let anybody = Subject { memberships, ..stranger(&Dn::root(), &shown) };
        if is_one_of(&self.assertion.except, &anybody.identity, &anybody.memberships.groups, self.tree)? {
            return Ok(Vec::new());
        }
        let mut ids: Vec<EntryId> = members(group, self.tree)?.into_iter().collect();
        ids.sort_unstable();
        let enough = if self.needs_every_member() { usize::MAX } else { NAMED };
        let mut subjects = Vec::new();
        for member in ids.into_iter().take(enough) {
            subjects.extend(self.somebody(member)?);
        }
        subjects.push(anybody);
        Ok(subjects)
    }

    /// Whether more may be true of a member than of whoever is in the group and in nothing else: they may hold enough to
    /// pass the guard, or be meant for another reason.
    fn needs_every_member(&self) -> bool {
        let is_about_all = |who: &Who| matches!(who, Who::Everyone | Who::Authenticated);
        self.rights().any(|right| right == Right::ResetPassword) || !self.assertion.who.iter().any(is_about_all)
    }

    /// Those whom a target makes subjects of the rule.
    fn subjects_of(&self, who: &Who, node: &Node, dn: &Arc<Dn>) -> Result<Vec<Subject>, TreeError> {
        let Who::HeldIn(attribute) = who else {
            let identity = Identity::Entry { uuid: node.uuid, dn: Arc::clone(dn) };
            let memberships = memberships_of(dn, self.tree)?;
            return Ok(vec![Subject { identity, memberships, shown: format!("{dn} itself") }]);
        };
        let mut subjects = Vec::new();
        for value in node.entry.values(*attribute) {
            let Some(id) = entry_called(value, self.tree)? else { continue };
            subjects.extend(self.somebody(id)?);
            if let Some(name) = self.tree.dn(id)? {
                subjects.extend(
                    self.in_group(&name)?.into_iter().filter(|subject| subject.identity.uuid() != Some(Uuid::nil())),
                );
            }
        }
        Ok(subjects)
    }

    fn somebody(&self, id: EntryId) -> Result<Option<Subject>, TreeError> {
        let (Some(node), Some(dn)) = (self.tree.node(id)?, self.tree.dn(id)?) else { return Ok(None) };
        let memberships = memberships_of(&dn, self.tree)?;
        let shown = dn.to_string();
        Ok(Some(Subject { identity: Identity::Entry { uuid: node.uuid, dn }, memberships, shown }))
    }
}

/// So many members are tried to have a name to tell.
const NAMED: usize = 20;

/// A name that nobody has.
const NEW: &str = "cn=somebody";
const NEW_KEY: &[u8] = b"\0somebody new\0";

/// The name of nobody, below a name.
pub(super) fn nobody_below(base: &Dn) -> Dn {
    Dn::child(base, NEW, NEW_KEY)
}

/// Somebody of whom nothing is known but below what they stand.
fn stranger(base: &Dn, shown: &str) -> Subject {
    let dn = Arc::new(nobody_below(base));
    Subject {
        identity: Identity::Entry { uuid: Uuid::nil(), dn },
        memberships: Memberships::default(),
        shown: shown.to_owned(),
    }
}
