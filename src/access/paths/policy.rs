//! Password policies: whoever weakens the one that governs an administrator, or has another govern them, may guess.

use super::group::written;
use super::step::{Reader, shown};
use super::terrain::Place;
use crate::access::Right;
use crate::access::explain::{entry_called, members};
use crate::access::rule::Rule;
use crate::access::violation::nobody_below;
use crate::access::who::Who;
use crate::directory::filter::{Filter, Matcher};
use crate::directory::modification::{Modification, ModificationKind};
use crate::directory::schema::{AttributeSet, ObjectClass};
use crate::directory::tree::{EntryId, Tree, TreeError};
use crate::directory::{AttributeDescription, AttributeTypeId, Dn};

/// What a password policy says of guessing.
const GUESSING: [&str; 6] =
    ["pwdLockout", "pwdMaxFailure", "pwdMinLength", "pwdCheckQuality", "pwdLockoutDuration", "pwdFailureCountInterval"];
/// By what it says whom it governs, and that it goes before others.
const CLAIMING: [&str; 4] = ["pwdAppliesToFilter", "pwdAppliesToGroup", "pwdAppliesToSubtree", "pwdPrecedence"];
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

    /// Whether it may govern somebody: it governs nobody below another suffix.
    pub(super) fn is_for(&self, person: &Place, tree: &dyn Tree) -> bool {
        let suffix = |dn: &Dn| tree.suffixes().iter().position(|suffix| dn.is_within(suffix));
        suffix(&self.place.dn) == suffix(&person.dn)
    }
}

impl Reader<'_> {
    /// How they change by which policy everybody is governed, or what it says.
    pub(super) fn policies(&mut self) -> Result<Vec<String>, TreeError> {
        let mut ways = Vec::new();
        ways.extend(self.weaken()?);
        ways.extend(self.add_policy()?);
        Ok(ways)
    }

    fn weaken(&mut self) -> Result<Option<String>, TreeError> {
        for policy in &self.terrain.policies {
            let decision = self.decider.decide(&policy.place.node, self.terrain.tree)?;
            let writable = decision.attributes(Right::Write).unwrap_or_default();
            let kinds = [
                (&GUESSING[..], "and so how often passwords may be guessed"),
                (&CLAIMING[..], "and so whom it governs"),
            ];
            for (names, meaning) in kinds {
                let found = names.iter().find_map(|name| self.find(name).filter(|id| writable.contains(*id)));
                if let Some(id) = found {
                    let rule = self.rule(Right::Write, Some(id), &policy.place)?;
                    let name = self.name(id);
                    let dn = &policy.place.dn;
                    return Ok(Some(format!("may write {name} of the password policy {dn}, {meaning}, by {rule}")));
                }
            }
        }
        Ok(None)
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
            for (dn, entry) in names.iter().flat_map(|dn| entries.iter().map(move |entry| (dn, entry))) {
                let decision = self.decider.decide_new(dn, entry)?;
                if decision.allows(Right::Add) {
                    let rule = self.rule_for_new(Right::Add, None, dn, entry)?;
                    let place = dn.parent().unwrap_or_else(Dn::root);
                    return Ok(Some(format!(
                        "may add a password policy below {place} that says whom it governs, by {rule}"
                    )));
                }
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
    pub(super) fn selection(&mut self, person: &Place) -> Result<Option<String>, TreeError> {
        let tree = self.terrain.tree;
        for policy in self.terrain.policies.iter().filter(|policy| policy.is_for(person, tree)) {
            for id in &policy.groups {
                let Some((node, dn)) = tree.node(*id)?.zip(tree.dn(*id)?) else { continue };
                let (kind, what) = if members(&dn, tree)?.contains(&person.node.id) {
                    (ModificationKind::Delete, "take administrators out of")
                } else {
                    (ModificationKind::Add, "put administrators into")
                };
                let group = Place { node, dn };
                if let Some(attribute) = self.may_put(person, kind, &group)? {
                    let rule = self.rule(Right::Write, Some(attribute), &group)?;
                    return Ok(Some(format!(
                        "may {what} {}, whose members the password policy {} governs, by {rule}",
                        group.dn, policy.place.dn
                    )));
                }
            }
        }
        Ok(None)
    }

    /// The attribute of a group into which they may put somebody, or out of which they may take them.
    fn may_put(
        &mut self,
        person: &Place,
        kind: ModificationKind,
        group: &Place,
    ) -> Result<Option<AttributeTypeId>, TreeError> {
        let known = self.terrain.tree.schema().known();
        let decision = self.decider.decide(&group.node, self.terrain.tree)?;
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
