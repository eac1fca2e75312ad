//! What somebody may do to an entry that brings them further.

use std::sync::Arc;

use super::bend::Bent;
use super::terrain::{Place, Terrain};
use crate::access::rule::{Rule, Rules};
use crate::access::who::Who;
use crate::access::{Actor, Decider, Decision, Right, escalation, proxy};
use crate::directory::modification::{Modification, ModificationKind};
use crate::directory::tree::TreeError;
use crate::directory::{AttributeDescription, AttributeTypeId};

/// What recovers a password that is lost: whoever receives it there is the owner from then on.
const RECOVERY: [&str; 3] = ["mail", "mobile", "telephoneNumber"];

/// Reads what somebody may do to an entry.
pub(super) struct Reader<'r> {
    pub(super) terrain: &'r Terrain<'r>,
    /// The rules as they are for whoever it is, who may have made a group that they name.
    pub(super) rules: &'r Rules,
    pub(super) actor: &'r Actor,
    pub(super) decider: Decider<'r>,
    /// Filters that they have matched or not.
    pub(super) bent: Vec<Bent>,
}

impl Reader<'_> {
    /// How they become a member of a group.
    pub(super) fn join(&mut self, group: &Place) -> Result<Option<String>, TreeError> {
        let holding = self.holding(group);
        let decision = self.decide(group)?;
        for attribute in holding.iter().copied() {
            if self.may_hold(attribute, group, &decision) && self.may_add_themselves(attribute, group, &decision) {
                let rule = self.rule(Right::Write, Some(attribute), group)?;
                let name = self.name(attribute).to_owned();
                let dn = &group.dn;
                if self.is_allowed(attribute, group) {
                    return Ok(Some(format!("may add themselves as {name} of {dn}, by {rule}")));
                }
                let by = self.rule(Right::Write, Some(self.terrain.tree.schema().known().object_class), group)?;
                let by = if by == rule { rule } else { format!("{by} and {rule}") };
                return Ok(Some(format!(
                    "may make {dn} a group by its objectClass, and add themselves as {name} of it, by {by}"
                )));
            }
        }
        let writes: Vec<_> = holding
            .into_iter()
            .filter(|attribute| self.may_hold(*attribute, group, &decision))
            .map(|attribute| (Right::Write, Some(attribute)))
            .collect();
        let Some((attribute, rule)) = self.hold(group, &decision, &writes) else { return Ok(None) };
        Ok(Some(format!(
            "may put themselves into {attribute} of {}, whose members {rule} then lets them write",
            group.dn
        )))
    }

    /// By which attributes somebody is in a group, or has a role.
    fn holding(&self, Place { node, dn }: &Place) -> Vec<AttributeTypeId> {
        let schema = self.terrain.tree.schema();
        let known = schema.known();
        let members = [known.member, known.unique_member];
        if !self.terrain.is_role(dn) && !node.entry.has(known.role_occupant) {
            return members.to_vec();
        }
        let allowed = members.into_iter().filter(|attribute| schema.allows(&node.entry, *attribute));
        std::iter::once(known.role_occupant).chain(allowed).collect()
    }

    /// How they come to be somebody, or to know their password.
    pub(super) fn take_over(&mut self, person: &Place) -> Result<Vec<String>, TreeError> {
        let tree = self.terrain.tree;
        let decision = self.decide(person)?;
        let mut ways = Vec::new();
        let powers = [
            (Right::ResetPassword, "reset the password of"),
            (Right::ImportHash, "set from outside how the password stands, and take away locks, of"),
        ];
        let is_guarded = self.is_guarded(person)?;
        if let Some((right, what)) = powers.into_iter().find(|(right, _)| decision.allows(*right) && !is_guarded) {
            ways.push(format!("may {what} {}, by {}", person.dn, self.rule(right, None, person)?));
        }
        if self.may_act_as(person)? {
            ways.push(format!("may act as {}, by {}", person.dn, self.rule(Right::Proxy, None, person)?));
        }
        let writable = decision.attributes(Right::Write).unwrap_or_default();
        let recovery = self.terrain.inquiry.recovery;
        let recovering = recovery.iter().chain(RECOVERY.into_iter().filter_map(|name| self.find(name)));
        let (uid, by_policy) = (tree.schema().known().uid, tree.schema().known().pwd_policy_subentry);
        let naming = std::iter::once(uid).chain(self.terrain.inquiry.naming.iter());
        let filters = self.terrain.policies.iter().filter(|policy| policy.is_for(person, tree));
        let selecting = filters.flat_map(|policy| policy.filtering.iter());
        let kinds: [(Vec<AttributeTypeId>, &str); 4] = [
            (recovering.collect(), "where a lost password is recovered"),
            (vec![by_policy], "which chooses the password policy, and so how often it may be guessed"),
            (naming.collect(), "by which whoever proves that name is found"),
            (
                selecting.collect(),
                "by which a password policy selects whom it governs, and so how often it may be guessed",
            ),
        ];
        for (attributes, meaning) in kinds {
            let is_power = |id: AttributeTypeId| id == by_policy || recovery.contains(id);
            let may = |id: &AttributeTypeId| {
                writable.contains(*id) && self.may_hold(*id, person, &decision) && !(is_guarded && is_power(*id))
            };
            let Some(id) = attributes.into_iter().find(may) else { continue };
            let rule = self.rule(Right::Write, Some(id), person)?;
            ways.push(format!("may write {} of {}, {meaning}, by {rule}", self.name(id), person.dn));
        }
        // By what the entry holds of them they hold nothing for good that others do: the guard stays as it is.
        let rights: &[_] =
            if is_guarded { &[(Right::Proxy, None)] } else { &[(Right::ResetPassword, None), (Right::Proxy, None)] };
        if let Some((attribute, rule)) = self.hold(person, &decision, rights) {
            ways.push(format!(
                "may put themselves into {attribute} of {}, which {rule} then lets them take over",
                person.dn
            ));
        }
        Ok(ways)
    }

    /// What they may do with an entry, when they have written what filters look at.
    pub(super) fn decide(&mut self, place: &Place) -> Result<Arc<Decision>, TreeError> {
        if self.bent.is_empty() {
            return self.decider.decide(&place.node, self.terrain.tree);
        }
        let applying = self.applying(place)?;
        Ok(Arc::new(self.decider.decision_by(&applying)))
    }

    fn applying(&mut self, place: &Place) -> Result<Vec<usize>, TreeError> {
        let Self { decider, bent, terrain, .. } = self;
        if bent.is_empty() {
            return decider.applying(&place.node, terrain.tree);
        }
        decider.applying_if(&place.node, terrain.tree, &|position| Bent::of(bent, position))
    }

    /// Whether they may act as somebody: as [`proxy::may_act_as`] decides.
    fn may_act_as(&mut self, person: &Place) -> Result<bool, TreeError> {
        if self.actor.identity.is_anonymous() || !self.decide(person)?.allows(Right::Proxy) {
            return Ok(false);
        }
        let rules = self.rules;
        let mut applying = self.applying(person)?.into_iter().filter_map(|position| rules.get(position));
        Ok(applying.any(|rule| proxy::names(rule, &person.dn)) || !self.is_guarded(person)?)
    }

    /// Whether they hold less than somebody, and so may not take them over, nor write what has power over them.
    pub(super) fn is_guarded(&self, person: &Place) -> Result<bool, TreeError> {
        let Place { node, dn } = person;
        // Whatever they call it: the groups that name it follow.
        let dn = self.terrain.tree.dn(node.id)?.unwrap_or_else(|| Arc::clone(dn));
        Ok(escalation::exceeds(node.uuid, &dn, self.actor, self.rules, self.terrain.tree)?.is_some())
    }

    /// Whether an entry may have the attribute, as it is or as they may make it.
    pub(super) fn may_hold(&self, attribute: AttributeTypeId, place: &Place, decision: &Decision) -> bool {
        self.is_allowed(attribute, place) || decision.write.contains(self.terrain.tree.schema().known().object_class)
    }

    /// Whether an entry may have the attribute as it is.
    fn is_allowed(&self, attribute: AttributeTypeId, place: &Place) -> bool {
        let schema = self.terrain.tree.schema();
        schema.attribute_type(attribute).usage.is_operational() || schema.allows(&place.node.entry, attribute)
    }

    /// The attribute of an entry into which they may put themselves, and the rule that then grants them one of these.
    fn hold(
        &self,
        place: &Place,
        decision: &Decision,
        wanted: &[(Right, Option<AttributeTypeId>)],
    ) -> Option<(&str, String)> {
        let is_guarded = wanted.iter().all(|(right, _)| *right == Right::Proxy);
        let reaches = |rule: &&Rule| {
            rule.to.iter().any(|reach| reach.has(&place.dn)) && (!is_guarded || proxy::names(rule, &place.dn))
        };
        for rule in self.rules.iter().filter(|rule| !rule.is_over(self.terrain.now)).filter(reaches) {
            let grants = wanted.iter().any(|(right, attribute)| {
                rule.allow.has(*right) && attribute.is_none_or(|id| rule.attributes.contains(id))
            });
            for who in &rule.who {
                if let Who::HeldIn(attribute) = who
                    && grants
                    && self.may_hold(*attribute, place, decision)
                    && self.may_add_themselves(*attribute, place, decision)
                {
                    return Some((self.name(*attribute), shown(rule)));
                }
            }
        }
        None
    }

    pub(super) fn may_add_themselves(&self, attribute: AttributeTypeId, place: &Place, decision: &Decision) -> bool {
        let Some(own) = self.actor.identity.dn() else { return decision.write.contains(attribute) };
        let change = Modification {
            kind: ModificationKind::Add,
            attribute: AttributeDescription::plain(attribute),
            values: vec![own.as_str().as_bytes().to_vec()],
        };
        decision.may_write(&change, &place.node.entry, self.actor, self.terrain.tree.schema())
    }

    /// The rule by which they may.
    pub(super) fn rule(
        &mut self,
        right: Right,
        attribute: Option<AttributeTypeId>,
        place: &Place,
    ) -> Result<String, TreeError> {
        let applying = self.applying(place)?;
        let grants = |rule: &&Rule| rule.allow.has(right) && attribute.is_none_or(|id| rule.attributes.contains(id));
        let mut rules = applying.into_iter().filter_map(|position| self.rules.get(position));
        Ok(rules.find(grants).map(shown).unwrap_or_default())
    }

    pub(super) fn find(&self, name: &str) -> Option<AttributeTypeId> {
        self.terrain.tree.schema().find_attribute_type(name).map(|attribute| attribute.id)
    }

    pub(super) fn name(&self, attribute: AttributeTypeId) -> &str {
        self.terrain.tree.schema().attribute_type(attribute).name()
    }
}

pub(super) fn shown(rule: &Rule) -> String {
    format!("the rule {:?} ({})", rule.name, rule.source)
}
