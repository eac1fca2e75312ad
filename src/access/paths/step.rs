//! What somebody may do to an entry that brings them further.

use super::{Place, Terrain};
use crate::access::rule::Rule;
use crate::access::who::Who;
use crate::access::{Actor, Decider, Decision, Right, escalation, proxy};
use crate::directory::modification::{Modification, ModificationKind};
use crate::directory::tree::TreeError;
use crate::directory::{AttributeDescription, AttributeTypeId};

/// What recovers a password that is lost: whoever receives it there is the owner from then on.
const RECOVERY: [&str; 3] = ["mail", "mobile", "telephoneNumber"];
/// What a password policy says of guessing.
const GUESSING: [&str; 4] = ["pwdLockout", "pwdMaxFailure", "pwdMinLength", "pwdCheckQuality"];

/// Reads what somebody may do to an entry.
pub(super) struct Reader<'r> {
    pub(super) terrain: &'r Terrain<'r>,
    pub(super) actor: &'r Actor,
    pub(super) decider: Decider<'r>,
}

impl Reader<'_> {
    /// How they become a member of a group.
    pub(super) fn join(&mut self, group: &Place) -> Result<Option<String>, TreeError> {
        let known = self.terrain.tree.schema().known();
        let decision = self.decider.decide(&group.node, self.terrain.tree)?;
        for attribute in [known.member, known.unique_member] {
            if self.may_add_themselves(attribute, group, &decision) {
                let rule = self.rule(Right::Write, Some(attribute), group)?;
                let name = self.name(attribute);
                return Ok(Some(format!("may add themselves as {name} of {}, by {rule}", group.dn)));
            }
        }
        let writes = [known.member, known.unique_member].map(|attribute| (Right::Write, Some(attribute)));
        let Some((attribute, rule)) = self.hold(group, &decision, &writes) else { return Ok(None) };
        Ok(Some(format!(
            "may put themselves into {attribute} of {}, whose members {rule} then lets them write",
            group.dn
        )))
    }

    /// How they come to be somebody, or to know their password.
    pub(super) fn take_over(&mut self, person: &Place) -> Result<Vec<String>, TreeError> {
        let tree = self.terrain.tree;
        let decision = self.decider.decide(&person.node, tree)?;
        let mut ways = Vec::new();
        if decision.allows(Right::ResetPassword)
            && escalation::exceeds(person.node.uuid, &person.dn, self.actor, self.terrain.rules, tree)?.is_none()
        {
            let rule = self.rule(Right::ResetPassword, None, person)?;
            ways.push(format!("may reset the password of {}, by {rule}", person.dn));
        }
        if proxy::may_act_as(self.terrain.rules, self.actor, (&person.node, &person.dn), tree)? {
            ways.push(format!("may act as {}, by {}", person.dn, self.rule(Right::Proxy, None, person)?));
        }
        for name in RECOVERY {
            let Some(id) = self.find(name).filter(|id| decision.write.contains(*id)) else { continue };
            let rule = self.rule(Right::Write, Some(id), person)?;
            ways.push(format!("may write {name} of {}, where a lost password is recovered, by {rule}", person.dn));
            break;
        }
        if let Some(id) = self.find("pwdPolicySubentry").filter(|id| decision.write.contains(*id)) {
            let rule = self.rule(Right::Write, Some(id), person)?;
            ways.push(format!(
                "may choose the password policy of {}, and so how often it may be guessed, by {rule}",
                person.dn
            ));
        }
        let rights = [(Right::ResetPassword, None), (Right::Proxy, None)];
        if let Some((attribute, rule)) = self.hold(person, &decision, &rights) {
            ways.push(format!(
                "may put themselves into {attribute} of {}, which {rule} then lets them take over",
                person.dn
            ));
        }
        Ok(ways)
    }

    /// The policy whose guard against guessing they may take away.
    pub(super) fn policy(&mut self, policies: &[Place]) -> Result<Option<String>, TreeError> {
        for policy in policies {
            let decision = self.decider.decide(&policy.node, self.terrain.tree)?;
            let weakest =
                GUESSING.into_iter().find_map(|name| self.find(name).filter(|id| decision.write.contains(*id)));
            if let Some(id) = weakest {
                let rule = self.rule(Right::Write, Some(id), policy)?;
                let name = self.name(id);
                return Ok(Some(format!(
                    "may write {name} of the password policy {}, and so how often passwords may be guessed, by {rule}",
                    policy.dn
                )));
            }
        }
        Ok(None)
    }

    /// The attribute of an entry into which they may put themselves, and the rule that then grants them one of these.
    fn hold(
        &self,
        place: &Place,
        decision: &Decision,
        wanted: &[(Right, Option<AttributeTypeId>)],
    ) -> Option<(&str, String)> {
        let reaches = |rule: &&Rule| rule.to.iter().any(|reach| reach.has(&place.dn));
        for rule in self.terrain.rules.iter().filter(|rule| !rule.is_over(self.terrain.now)).filter(reaches) {
            let grants = wanted.iter().any(|(right, attribute)| {
                rule.allow.has(*right) && attribute.is_none_or(|id| rule.attributes.contains(id))
            });
            for who in &rule.who {
                if let Who::HeldIn(attribute) = who
                    && grants
                    && self.may_add_themselves(*attribute, place, decision)
                {
                    return Some((self.name(*attribute), shown(rule)));
                }
            }
        }
        None
    }

    fn may_add_themselves(&self, attribute: AttributeTypeId, place: &Place, decision: &Decision) -> bool {
        let Some(own) = self.actor.identity.dn() else { return decision.write.contains(attribute) };
        let change = Modification {
            kind: ModificationKind::Add,
            attribute: AttributeDescription::plain(attribute),
            values: vec![own.as_str().as_bytes().to_vec()],
        };
        decision.may_write(&change, &place.node.entry, self.actor, self.terrain.tree.schema())
    }

    /// The rule by which they may.
    fn rule(&mut self, right: Right, attribute: Option<AttributeTypeId>, place: &Place) -> Result<String, TreeError> {
        let applying = self.decider.applying(&place.node, self.terrain.tree)?;
        let grants = |rule: &&Rule| rule.allow.has(right) && attribute.is_none_or(|id| rule.attributes.contains(id));
        let mut rules = applying.into_iter().filter_map(|position| self.terrain.rules.get(position));
        Ok(rules.find(grants).map(shown).unwrap_or_default())
    }

    fn find(&self, name: &str) -> Option<AttributeTypeId> {
        self.terrain.tree.schema().find_attribute_type(name).map(|attribute| attribute.id)
    }

    fn name(&self, attribute: AttributeTypeId) -> &str {
        self.terrain.tree.schema().attribute_type(attribute).name()
    }
}

fn shown(rule: &Rule) -> String {
    format!("the rule {:?} ({})", rule.name, rule.source)
}
