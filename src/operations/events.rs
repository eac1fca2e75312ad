//! What is recorded of what happens to passwords.

use crate::directory::Dn;
use crate::directory::tree::{Event, EventKind, EventResult, Means, Node};
use crate::password::Policy;
use crate::password::meter::Subject;
use crate::password::verdict::BrokenRule;
use crate::protocol::control::Flag;

use uuid::Uuid;

use super::verify_password::Given;
use super::{Context, Refusal};

/// Whose password it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whose<'a> {
    /// The identity of the entry; nil where it does not exist yet.
    pub(super) uuid: Uuid,
    pub(super) dn: &'a Dn,
}

impl<'a> Whose<'a> {
    pub(super) const fn entry(node: &Node, dn: &'a Dn) -> Self {
        Self { uuid: node.uuid, dn }
    }
}

impl Context<'_> {
    /// Something that the requester does.
    pub(super) fn event(&self, kind: EventKind, means: Means, whose: Whose<'_>, policy: &Policy) -> Event {
        Event {
            time: self.now,
            kind,
            result: EventResult::Done,
            means,
            actor: self.requester.identity.name().to_owned(),
            source: self.requester.source.to_string(),
            target: whose.dn.to_string(),
            uuid: whose.uuid,
            policy: policy.origin.clone(),
            reason: self.stated_reason(),
            times: 1,
        }
    }

    /// What whoever does it says, and who acts for them if somebody else does.
    pub(super) fn stated_reason(&self) -> String {
        let said = self.wishes.map(|wishes| wishes.reason.clone()).filter(|reason| !reason.is_empty());
        let by = self.requester.proxied_by.as_ref().map(|by| format!("asked for by {}", by.name()));
        said.into_iter().chain(by).collect::<Vec<_>>().join(", ")
    }

    /// What somebody brings about who tries a password and is wrong. Of names that no entry has nothing is recorded.
    pub(super) fn event_of_trying(&self, given: &Given<'_>, kind: EventKind) -> Option<Event> {
        let Subject::Entry(uuid) = given.subject else { return None };
        // That the store cannot tell the name is no reason to answer otherwise.
        let dn = self.tree.find_uuid(uuid).and_then(|id| id.map_or(Ok(None), |id| self.tree.dn(id)));
        let dn = dn.ok().flatten()?;
        Some(self.event(kind, given.means, Whose { uuid, dn: &dn }, given.policy))
    }

    /// Records that a password was not set, if the reason is one that people ask for: a rule, a lacking right, a wrong
    /// password. What failed for want of time or disk is none.
    pub(super) fn note_refused(&self, event: Event, refusal: &Refusal) {
        if self.flags.has(Flag::NoOp) && matches!(refusal, Refusal::Password(_)) {
            // To ask what a rule says is no attempt.
            return;
        }
        if let Some(reason) = refused_because(refusal) {
            self.services.journal.note(Event { result: EventResult::Refused, reason, ..event });
        }
    }
}

/// The reason in words that are the same in every language and hold nothing of the password.
fn refused_because(refusal: &Refusal) -> Option<String> {
    match refusal {
        Refusal::Password(refused) => Some(refused.rules().iter().map(BrokenRule::key).collect::<Vec<_>>().join(", ")),
        Refusal::InvalidCredentials { replaced: Some(_), .. } => Some("wrong-old-password, the one before".to_owned()),
        Refusal::InvalidCredentials { policy: Some(_), .. } => Some("account-blocked".to_owned()),
        Refusal::InvalidCredentials { .. } => Some("wrong-old-password".to_owned()),
        Refusal::InsufficientAccess(_) | Refusal::NoSuchObject { .. } => Some("no-right".to_owned()),
        Refusal::WouldEscalate(_) => Some("no-right, more rights than the requester".to_owned()),
        Refusal::MustChangePassword => Some("no-right, own password first".to_owned()),
        _ => None,
    }
}
