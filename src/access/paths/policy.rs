//! Password policies: whoever weakens the one that governs an administrator, or has another govern them, may guess.

use super::group::written;
use super::step::{Reader, shown};
use super::terrain::{Place, Terrain};
use crate::access::Right;
use crate::access::explain::{entry_called, members};
use crate::access::rule::Rule;
use crate::access::violation::nobody_below;
use crate::access::who::Who;
use crate::directory::filter::{Filter, Matcher};
use crate::directory::modification::{Modification, ModificationKind};
use crate::directory::schema::{AttributeSet, ObjectClass, Schema};
use crate::directory::tree::{EntryId, Tree, TreeError};
use crate::directory::{Attribute, AttributeDescription, AttributeTypeId, Dn, Entry};

/// What a password policy says of guessing.
const GUESSING: [&str; 6] =
    ["pwdLockout", "pwdMaxFailure", "pwdMinLength", "pwdCheckQuality", "pwdLockoutDuration", "pwdFailureCountInterval"];
/// By what it says whom it governs.
const CLAIMING: [&str; 3] = ["pwdAppliesToFilter", "pwdAppliesToGroup", "pwdAppliesToSubtree"];
/// By what it goes before others that say so.
const PRECEDENCE: &str = "pwdPrecedence";
/// The class of policies. It may stand beside any other.
const CLASS: &str = "pwdPolicy";

/// A password policy, and by what it selects whom it governs.
pub(super) struct Policy {
    place: Place,
    groups: Vec<EntryId>,
    /// The attributes that it looks at.
    pub(super) filtering: AttributeSet,
}

impl Policy {
    /// Every policy of a tree.
    pub(super) fn find_all(tree: &dyn Tree) -> Result<Vec<Self>, TreeError> {
        let schema = tree.schema();
        let class = schema.known().object_class;
        let form = schema.attribute_type(class).equality_or_fallback().normal_form();
        let Ok(normal) = form.of_assertion(schema, CLASS.as_bytes()) else { return Ok(Vec::new()) };
        let mut all = Vec::new();
        for id in tree.equal(class, &normal)? {
            let Some((node, dn)) = tree.node(id)?.zip(tree.dn(id)?) else { continue };
            all.push(Self::read(Place { node, dn }, tree)?);
        }
        Ok(all)
    }

    fn read(place: Place, tree: &dyn Tree) -> Result<Self, TreeError> {
        let schema = tree.schema();
        let values = |name| {
            let attribute = schema.find_attribute_type(name).map(|attribute| attribute.id);
            attribute.into_iter().flat_map(|id| place.node.entry.values(id))
        };
        let groups = values("pwdAppliesToGroup").map(|value| entry_called(value, tree));
        let groups = groups.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        let mut filtering = AttributeSet::EMPTY;
        for text in values("pwdAppliesToFilter").filter_map(|value| std::str::from_utf8(value).ok()) {
            if let Ok(filter) = Filter::parse(text) {
                filtering.union(&Matcher::prepare(&filter, schema).mentioned());
            }
        }
        Ok(Self { place, groups, filtering })
    }

    /// Whether it says whom it governs.
    fn says_whom(&self, schema: &Schema) -> bool {
        let mut claims = CLAIMING.iter().filter_map(|name| schema.find_attribute_type(name));
        claims.any(|attribute| self.place.node.entry.has(attribute.id))
    }

    /// Whether it may govern somebody: it governs nobody below another suffix.
    pub(super) fn is_for(&self, person: &Place, tree: &dyn Tree) -> bool {
        let suffix = |dn: &Dn| tree.suffixes().iter().position(|suffix| dn.is_within(suffix));
        suffix(&self.place.dn) == suffix(&person.dn)
    }
}

/// What somebody may do with policies, as far as it does not matter whom they govern.
pub(super) struct PolicyWays<'t> {
    /// What they may write of those that there are.
    writing: Vec<Writing<'t>>,
    /// How they make one that says whom it governs.
    claiming: Option<String>,
}

/// What somebody may write of a policy.
struct Writing<'t> {
    policy: &'t Policy,
    kind: Kind,
    steps: Vec<String>,
}

/// What that is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// How often passwords may be guessed.
    Guessing,
    /// Whom it governs.
    Claiming,
    /// That it goes before others, if it says whom it governs.
    Precedence,
}

impl<'t> Reader<'t> {
    /// How they change by which policy everybody is governed, or what it says.
    pub(super) fn policies(&mut self) -> Result<PolicyWays<'t>, TreeError> {
        Ok(PolicyWays { writing: self.writing()?, claiming: self.add_policy()? })
    }

    /// How they so have power over an administrator: none that governs somebody who holds more is theirs to write, neither
    /// as it is nor as it would be.
    pub(super) fn policy_for(&self, person: &Place, ways: &PolicyWays<'t>) -> Result<Vec<Vec<String>>, TreeError> {
        let claim = self.claim_on(person);
        let may_claim = !self.is_refused(&claim, &person.dn)?;
        let mut found: Vec<Vec<String>> =
            ways.claiming.iter().filter(|_| may_claim).map(|step| vec![step.clone()]).collect();
        for Writing { policy, kind, steps } in &ways.writing {
            let matters = match kind {
                Kind::Guessing => true,
                Kind::Claiming => may_claim,
                Kind::Precedence => policy.says_whom(self.terrain.tree.schema()),
            };
            let Place { node, dn } = &policy.place;
            if matters && policy.is_for(person, self.terrain.tree) && !self.is_refused(&node.entry, dn)? {
                found.push(steps.clone());
                break;
            }
        }
        Ok(found)
    }

    pub(super) fn is_refused(&self, policy: &Entry, dn: &Dn) -> Result<bool, TreeError> {
        (self.terrain.inquiry.refuses_policy)(policy, dn, (self.actor, self.rules), self.terrain.tree)
    }

    /// A policy that says that it governs somebody, and nobody else but what stands below them.
    fn claim_on(&self, person: &Place) -> Entry {
        let schema = self.terrain.tree.schema();
        let mut attributes = written(&["top", CLASS, "keysteadPolicy"], schema).decode();
        for (name, value) in [("pwdAttribute", "userPassword"), ("pwdAppliesToSubtree", person.dn.as_str())] {
            if let Some(id) = self.find(name) {
                let description = AttributeDescription::plain(id);
                attributes.push(Attribute { description, values: vec![value.as_bytes().to_vec()] });
            }
        }
        Entry::encode(&attributes, schema)
    }

    fn writing(&mut self) -> Result<Vec<Writing<'t>>, TreeError> {
        let terrain: &'t Terrain<'t> = self.terrain;
        let mut found = Vec::new();
        for policy in &terrain.policies {
            let ways = self.find_by_bending(&policy.place, &mut |reader| reader.writing_of(policy))?;
            let written = |(mut steps, (kind, step)): (Vec<String>, (Kind, String))| {
                steps.push(step);
                Writing { policy, kind, steps }
            };
            found.extend(ways.into_iter().map(written));
        }
        Ok(found)
    }

    /// What they may write of a policy.
    fn writing_of(&mut self, policy: &Policy) -> Result<Vec<(Kind, String)>, TreeError> {
        let mut found = Vec::new();
        let decision = self.decide(&policy.place)?;
        let writable = decision.attributes(Right::Write).unwrap_or_default();
        let kinds = [
            (Kind::Guessing, &GUESSING[..], "and so how often passwords may be guessed"),
            (Kind::Claiming, &CLAIMING[..], "and so whom it governs"),
            (Kind::Precedence, &[PRECEDENCE][..], "and so that it goes before others"),
        ];
        for (kind, names, meaning) in kinds {
            let may = |id: &AttributeTypeId| writable.contains(*id) && self.may_hold(*id, &policy.place, &decision);
            let Some(id) = names.iter().filter_map(|name| self.find(name)).find(may) else { continue };
            let rule = self.rule(Right::Write, Some(id), &policy.place)?;
            let (name, dn) = (self.name(id), &policy.place.dn);
            let step = format!("may write {name} of the password policy {dn}, {meaning}, by {rule}");
            found.push((kind, step));
        }
        Ok(found)
    }

    /// How they make a policy that says of itself that it governs whom they like: an entry of their own, or one that they may
    /// write.
    fn add_policy(&mut self) -> Result<Option<String>, TreeError> {
        let schema = self.terrain.tree.schema();
        // Filters of rules may ask for any class, or for none of some: a policy can be of each.
        let every: Vec<&str> = schema.object_classes().iter().map(ObjectClass::name).collect();
        let entries = [written(&every, schema), written(&["top", CLASS], schema)];
        let class = schema.known().object_class;
        let claims: Vec<AttributeTypeId> = CLAIMING.iter().filter_map(|name| self.find(name)).collect();
        for (position, rule) in self.rules.iter().enumerate() {
            if !self.actor.may_have_rule(position) || rule.is_over(self.terrain.now) {
                continue;
            }
            let claiming = claims.iter().copied().find(|id| rule.attributes.contains(*id));
            let writes = rule.allow.has(Right::Write) && rule.values.is_empty() && rule.attributes.contains(class);
            let claiming = claiming.filter(|_| writes);
            if !rule.allow.has(Right::Add) && claiming.is_none() {
                continue;
            }
            let names = self.reached(rule);
            let candidates = || names.iter().flat_map(|dn| entries.iter().map(move |entry| (dn, entry)));
            for (dn, entry) in candidates() {
                if self.may_add_some(dn, entry)? && self.is_free(dn)? {
                    let rule = self.rule_for_new(Right::Add, None, dn, entry)?;
                    let place = dn.parent().unwrap_or_else(Dn::root);
                    return Ok(Some(format!(
                        "may add a password policy below {place} that says whom it governs, by {rule}"
                    )));
                }
            }
            for (dn, entry) in candidates() {
                let decision = self.decider.decide_new(dn, entry)?;
                if claiming.is_some_and(|id| decision.write.contains(id) && decision.write.contains(class)) {
                    return Ok(Some(format!(
                        "may make a password policy of entries that they may write, which says whom it governs, by {}",
                        shown(rule)
                    )));
                }
            }
            if claiming.is_some_and(|id| rule.who.contains(&Who::Oneself) && !self.is_denied(rule, [id, class])) {
                let rule = shown(rule);
                return Ok(Some(format!(
                    "may make a password policy of their own entry, which says whom it governs, by {rule}"
                )));
            }
        }
        Ok(None)
    }

    /// Whether an entry of that name could be added: none is there, and there is something above it.
    fn is_free(&self, dn: &Dn) -> Result<bool, TreeError> {
        let tree = self.terrain.tree;
        Ok(!tree.suffixes().contains(dn) && tree.find(dn)?.entry().is_none())
    }

    /// Whether writing one of these is denied as widely as a rule grants it.
    fn is_denied(&self, grant: &Rule, attributes: [AttributeTypeId; 2]) -> bool {
        self.rules.iter().any(|rule| {
            rule.deny.has(Right::Write)
                && (rule.who.contains(&Who::Oneself)
                    || rule.who.iter().any(|who| matches!(who, Who::Everyone | Who::Authenticated)))
                && rule.filter.is_none()
                && rule.when.is_none()
                && rule.values.is_empty()
                && attributes.iter().any(|id| rule.attributes.contains(*id))
                && grant.to.iter().all(|reach| rule.to.iter().any(|own| own.includes(reach)))
        })
    }

    /// Names to which a rule reaches, which an entry might have.
    fn reached(&self, rule: &Rule) -> Vec<Dn> {
        let suffixes = self.terrain.tree.suffixes();
        let bases = rule.to.iter().filter_map(|reach| reach.base()).chain(suffixes);
        let names = bases.flat_map(|base| [base.clone(), nobody_below(base), nobody_below(&nobody_below(base))]);
        let within = |dn: &Dn| suffixes.iter().any(|suffix| dn.is_within(suffix));
        names.filter(|dn| within(dn) && rule.to.iter().any(|reach| reach.has(dn))).collect()
    }

    /// How they have another policy govern an administrator by the groups that select it.
    pub(super) fn selection(&mut self, person: &Place) -> Result<Option<Vec<String>>, TreeError> {
        let tree = self.terrain.tree;
        for policy in self.terrain.policies.iter().filter(|policy| policy.is_for(person, tree)) {
            for id in &policy.groups {
                let Some(group) = self.terrain.place(*id)? else { continue };
                let mut ways = self.find_by_bending(&group, &mut |reader| reader.put(person, &group, policy))?;
                if let Some((before, step)) = ways.pop() {
                    return Ok(Some([before, vec![step]].concat()));
                }
            }
        }
        Ok(None)
    }

    /// How they put an administrator into a group that selects a policy, or take them out of it.
    fn put(&mut self, person: &Place, group: &Place, policy: &Policy) -> Result<Vec<String>, TreeError> {
        let (kind, what) = if members(&group.dn, self.terrain.tree)?.contains(&person.node.id) {
            (ModificationKind::Delete, "take administrators out of")
        } else {
            (ModificationKind::Add, "put administrators into")
        };
        let Some(attribute) = self.may_put(person, kind, group)? else { return Ok(Vec::new()) };
        let rule = self.rule(Right::Write, Some(attribute), group)?;
        Ok(vec![format!(
            "may {what} {}, whose members the password policy {} governs, by {rule}",
            group.dn, policy.place.dn
        )])
    }

    /// The attribute of a group into which they may put somebody, or out of which they may take them.
    fn may_put(
        &mut self,
        person: &Place,
        kind: ModificationKind,
        group: &Place,
    ) -> Result<Option<AttributeTypeId>, TreeError> {
        let known = self.terrain.tree.schema().known();
        let decision = self.decide(group)?;
        Ok([known.member, known.unique_member].into_iter().find(|attribute| {
            let change = Modification {
                kind,
                attribute: AttributeDescription::plain(*attribute),
                values: vec![person.dn.as_str().as_bytes().to_vec()],
            };
            decision.may_write(&change, &group.node.entry, self.actor, self.terrain.tree.schema())
        }))
    }
}
