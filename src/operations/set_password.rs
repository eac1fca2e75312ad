//! Setting the password of an entry: the one way for the extended operation, modify and add.

mod judge;

use crate::access::{Right, escalation};
use crate::directory::schema::Schema;
use crate::directory::tree::{Change, Event, EventKind, LogKind, Means, Node, Write};
use crate::directory::{Attributes, Dn, Entry};
use crate::password::account::{Account, Lock};
use crate::password::change::{By, OldPassword};
use crate::password::ledger::BY_CODE;
use crate::password::report::Given;
use crate::password::scram::ScramKeys;
use crate::password::verdict::Language;
use crate::password::{Policy, Secret, StoredPassword};
use crate::protocol::control::{Flag, ResetOptions, Skipped};

use uuid::Uuid;

use super::end_of_lock::{self, Before};
use super::events::Whose;
use super::policies::Governing;
use super::refusal::{MAY_NOT_SET, Power};
use super::target::Target;
use super::{Context, Effect, Freedom, Refusal};
pub(super) use judge::Hashes;
use judge::{Judge, Looking, is_final};

/// A password that is to be set.
#[derive(Debug)]
pub(super) struct NewPassword {
    /// By whom.
    pub(super) by: By,
    /// By which way.
    pub(super) means: Means,
    /// The old one, if it was given.
    pub(super) old: OldPassword,
    /// The new one; if absent, one is made.
    pub(super) new: Option<Secret>,
}

/// An entry that is being added.
#[derive(Clone, Copy, Debug)]
pub(super) struct Newcomer<'n> {
    pub(super) entry: &'n Entry,
    pub(super) dn: &'n Dn,
    /// What governs it.
    pub(super) governing: &'n Governing,
}

/// A password that will have been set.
#[derive(Debug)]
pub(super) struct SetPassword {
    /// The password from now on, and its state.
    pub(super) account: Account,
    /// The password, if it was made here.
    pub(super) generated: Option<Secret>,
    /// What is recorded of it.
    pub(super) events: Vec<Event>,
    /// The lock that it leaves as it is.
    pub(super) stays_locked: Option<Lock>,
}

/// A password that was admitted, and what it was proven by.
struct Made {
    account: Account,
    generated: Option<Secret>,
    old: OldPassword,
    /// The lock that there was before.
    locked: Option<Lock>,
}

impl Made {
    /// The same with what is recorded of it.
    fn recorded(self, event: Event, before: Before<'_>, ctx: &Context<'_>) -> Result<SetPassword, Refusal> {
        let Self { mut account, generated, old, .. } = self;
        let reason = if matches!(old, OldPassword::Code) { BY_CODE.to_owned() } else { event.reason };
        let event = Event { reason, ..event };
        account.ledger.add(&event, &ctx.requester.hands());
        let ended = ctx.note_end_of_lock(before, &mut account, &event)?;
        let stays_locked = account.locked;
        Ok(SetPassword { account, generated, events: [event].into_iter().chain(ended).collect(), stays_locked })
    }
}

impl Context<'_> {
    /// Requires the right to set the password of an entry: decided before any password is looked at, since otherwise the
    /// code would tell whether a guess was right. Who lacks it is recorded.
    pub(super) fn require_right_to_set(&self, target: &Target, by: By, means: Means) -> Result<(), Refusal> {
        self.may_set(target, by).inspect_err(|refusal| {
            let event = self.event(kind(by), means, Whose::entry(&target.node, &target.dn), &Policy::default());
            self.note_refused(event, refusal);
        })
    }

    /// Whether the requester has the right to set the password of an entry.
    pub(super) fn may_set(&self, target: &Target, by: By) -> Result<(), Refusal> {
        match by {
            By::Owner => target.require(Right::ChangePassword, "you may not change this password", self),
            By::Administrator if self.requester.freedom == Freedom::PasswordChange => Err(Refusal::MustChangePassword),
            By::Administrator => {
                target.require(Right::ResetPassword, MAY_NOT_SET, self)?;
                self.require_no_escalation(target.node.uuid, &target.dn)
            }
        }
    }

    /// Requires that whoever is or will be called `dn` holds nothing that the requester does not hold.
    pub(super) fn require_no_escalation(&self, uuid: Uuid, dn: &Dn) -> Result<(), Refusal> {
        match escalation::exceeds(uuid, dn, self.actor, self.rules, self.tree)? {
            None => Ok(()),
            Some(_) => Err(Refusal::WouldEscalate(Power::SetPassword)),
        }
    }

    /// Verifies the old password, judges the new one and hashes it. The right has been required before. Nothing is left to do
    /// if the same was asked for a moment ago, and done.
    pub(super) fn set_password(&self, target: &Target, request: &NewPassword) -> Result<Option<SetPassword>, Refusal> {
        if request.by == By::Owner && self.reset_options().is_some() {
            return Err(Refusal::Unwilling(
                "how long a password is good can be said by whoever sets somebody else's only",
            ));
        }
        let governing = self.services.policies.choose(&target.node.entry, &target.dn, self.tree)?;
        let whose = Whose::entry(&target.node, &target.dn);
        let mut event = self.event(kind(request.by), request.means, whose, &governing.policy);
        event.reason = self.reason_to_set();
        let permitted = self.require_right_to_skip(target);
        match permitted.and_then(|()| self.try_to_set_password(target, request, &governing)) {
            Ok(Some(set)) => {
                let before = Before { target, policy: &governing.policy, lock: set.locked };
                set.recorded(event, before, self).map(Some)
            }
            Ok(None) => Ok(None),
            Err(refusal) => {
                self.note_refused(event, &refusal);
                Err(self.in_their_language(refusal))
            }
        }
    }

    fn try_to_set_password(
        &self,
        target: &Target,
        request: &NewPassword,
        governing: &Governing,
    ) -> Result<Option<Made>, Refusal> {
        let policy: &Policy = &governing.policy;
        let mut account = self.account(&target.node)?;
        let mut judge = self.judge(&account, policy, &target.node.entry, Hashes::of(&target.decision));
        // A dry run leaves no trace, so it must not tell which passwords somebody else has or had.
        judge.skipped.history |= request.by == By::Administrator && self.flags.has(Flag::NoOp);
        self.require_changeable(request, &judge)?;
        let Some(old) = self.proven_old(target, &account, policy, request)? else { return Ok(None) };
        let judge = judge.knowing(old.given());
        let held_back = self.held_back(&account, policy, request.by, &old);
        let generated = match request.new {
            Some(_) => None,
            None if held_back.is_empty() => Some(judge.generate(self.random)?),
            None => return Err(Refusal::refused(held_back)),
        };
        let new = request.new.as_ref().or(generated.as_ref()).ok_or(Refusal::Busy)?;
        let stored = judge.admit(new, held_back, self)?;
        judge.with_facts(|facts| {
            let given = Given { new, old: &old, by: request.by, account: &account, facts };
            self.report_change(&target.dn, &governing.tried, &given);
        });
        let checked_against = judge.lists(new);
        let locked = account.locked;
        account.set_password(stored, policy, request.by, self.now);
        end_of_lock::unlock_if_permitted(target, request.by, &mut account);
        account.scram_keys = self.scram_keys(new, policy);
        account.checked_against = checked_against;
        if let Some(options) = self.reset_options() {
            self.limit(&mut account, policy, options)?;
        }
        Ok(Some(Made { account, generated, old, locked }))
    }

    /// Refuses what the owner may not do whatever they prove, before any password is looked at; with all that is wrong with
    /// the new one by itself. Whether it was had before is told to those alone who give the old one where they must.
    fn require_changeable(&self, request: &NewPassword, judge: &Judge<'_>) -> Result<(), Refusal> {
        let Judge { account, policy, .. } = *judge;
        // Who asks once more, or has a code, is not held back yet.
        if self.asked_again(account, request).is_some() || account.code.is_some() {
            return Ok(());
        }
        let mut broken = self.held_back(account, policy, request.by, &request.old);
        if !broken.iter().any(is_final) {
            return Ok(());
        }
        broken.extend(request.new.iter().flat_map(|new| judge.faults(new, Looking::AtItself)));
        Err(Refusal::refused(broken))
    }

    fn reset_options(&self) -> Option<ResetOptions> {
        self.wishes.and_then(|wishes| wishes.options)
    }

    /// Which rules whoever sets the password wants to leave aside.
    fn skipped(&self) -> Skipped {
        self.reset_options().unwrap_or_default().skipped
    }

    /// Requires the right to leave rules of the policy aside, if that is asked for: before any password is looked at.
    fn require_right_to_skip(&self, target: &Target) -> Result<(), Refusal> {
        if self.skipped().is_empty() {
            return Ok(());
        }
        target.require(Right::BypassPolicy, "you may not set this password against the policy: leave out skip=", self)
    }

    /// What is recorded of a password that is set: what whoever sets it says, how long they want it to be good, and which rules
    /// were left aside: those that were asked for, and not what is wrong with the password, since it is in use from now on.
    pub(super) fn reason_to_set(&self) -> String {
        let options = self.reset_options().unwrap_or_default();
        let skipped = match options.skipped {
            none if none.is_empty() => String::new(),
            some => format!("policy bypassed: {some}"),
        };
        let all = [self.stated_reason(), options.of_life(), skipped];
        all.into_iter().filter(|one| !one.is_empty()).collect::<Vec<_>>().join(", ")
    }

    /// Does with a new password as whoever sets it wishes, within what the policy allows.
    fn limit(&self, account: &mut Account, policy: &Policy, options: ResetOptions) -> Result<(), Refusal> {
        match options.must_change {
            Some(true) => account.make_temporary(policy, self.now),
            Some(false) => account.make_lasting(),
            None => {}
        }
        let from = options.valid_from.map_or(self.now, |from| from.max(self.now));
        if options.valid_from.is_some() && !account.must_change {
            return Err(Refusal::Unwilling(
                "only a password that must be changed is good from later on: add must-change",
            ));
        }
        if self.now < from {
            account.begin_at(from, policy);
        }
        if (options.lifetime.is_some() || options.uses.is_some()) && !account.must_change {
            return Err(Refusal::Unwilling("only a password that must be changed ends by itself: add must-change"));
        }
        account.shorten(options.lifetime.map(|lifetime| from.saturating_add(lifetime)), options.uses);
        Ok(())
    }

    /// A password for an entry that is being added. It need not be changed at the first bind, as one that was reset must:
    /// accounts of services are made like this.
    pub(super) fn first_password(
        &self,
        new: &Secret,
        newcomer: &Newcomer<'_>,
        hashes: Hashes,
    ) -> Result<Account, Refusal> {
        let Newcomer { entry, dn, governing: Governing { policy, tried, .. } } = *newcomer;
        let mut account = Account::default();
        let judge = self.judge(&account, policy, entry, hashes);
        let stored = judge.admit(new, Vec::new(), self).map_err(|refusal| self.in_their_language(refusal))?;
        judge.with_facts(|facts| {
            let given = Given { new, old: &OldPassword::Absent, by: By::Administrator, account: &account, facts };
            self.report_change(dn, tried, &given);
        });
        let checked_against = judge.lists(new);
        account.set_password(stored, policy, By::Owner, self.now);
        account.scram_keys = self.scram_keys(new, policy);
        account.checked_against = checked_against;
        Ok(account)
    }

    /// The keys of a password that SCRAM needs, if the policy has them kept. A hash has none.
    pub(super) fn scram_keys(&self, password: &Secret, policy: &Policy) -> Option<ScramKeys> {
        let iterations = policy.scram_iterations?;
        if StoredPassword::is_prehashed(password.expose()) {
            return None;
        }
        ScramKeys::make(password, iterations, self.random)
    }

    /// A password that could be set, of an entry or of one that is to come. It is kept nowhere.
    pub(super) fn suggest_password(&self, policy: &Policy, entry: Option<&Entry>) -> Result<Secret, Refusal> {
        let (nothing, account) = (Entry::encode(&Attributes::default(), self.schema()), Account::default());
        self.judge(&account, policy, entry.unwrap_or(&nothing), Hashes::Refused).generate(self.random)
    }

    /// What is wrong with a password, in the language of whoever reads it: that is the requester, whoever the password is
    /// for.
    fn in_their_language(&self, refusal: Refusal) -> Refusal {
        match refusal {
            Refusal::Password(refused) => {
                let language = self.requesters_language();
                Refusal::Password(refused.told_in(language.unwrap_or_default()))
            }
            other => other,
        }
    }

    /// A refusal in the language of the requester.
    pub(super) fn told_to_requester(&self, refusal: Refusal) -> Refusal {
        match self.requesters_language() {
            Some(language) => refusal.told_in(language),
            None => refusal,
        }
    }

    /// The language that an entry prefers, or else English.
    pub(super) fn language_of(&self, entry: &Entry) -> Language {
        entry.first_text(self.schema().known().preferred_language).map(Language::preferred).unwrap_or_default()
    }

    /// What the requester's entry says in `preferredLanguage`. That the store cannot tell is no reason to tell nothing.
    pub(super) fn requesters_language(&self) -> Option<Language> {
        let id = self.tree.find_uuid(self.requester.identity.uuid()?).ok()??;
        let node = self.tree.node(id).ok()??;
        node.entry.first_text(self.schema().known().preferred_language).map(Language::preferred)
    }

    /// The change that sets a password: the credentials, and what the entry says of when and by whom it was changed.
    pub(super) fn password_change(&self, target: &Target, set: SetPassword) -> Change {
        let mut attributes = target.node.entry.decode();
        self.stamp_password_change(&mut attributes);
        let node = &target.node;
        let log = self.log(LogKind::Modify, target.dn.as_str(), node.uuid, "replace: userPassword\n-\n".to_owned());
        let entry = Entry::encode(&attributes, self.schema());
        let replace = Write::Replace { uuid: node.uuid, version: node.version, entry };
        let writes = vec![replace, self.credentials_write(node, &set.account)];
        Change { events: set.events, ..Change::of(writes, vec![log]) }
    }

    /// What changes in the entry itself when its password does.
    pub(super) fn stamp_password_change(&self, attributes: &mut Attributes) {
        let known = self.schema().known();
        if has_class(attributes, "shadowAccount", self.schema()) {
            attributes.set_one(known.shadow_last_change, self.now.unix_days().to_string());
        }
        self.stamp_changed(attributes);
    }

    pub(super) fn credentials_write(&self, node: &Node, account: &Account) -> Write {
        let credentials = account.to_entry(self.schema());
        Write::SetCredentials { uuid: node.uuid, version: account.version, credentials }
    }
}

/// What it is to set a password.
pub(super) const fn kind(by: By) -> EventKind {
    match by {
        By::Owner => EventKind::Changed,
        By::Administrator => EventKind::Reset,
    }
}

/// What follows when a password has been set.
pub(super) const fn password_was_set(node: &Node, by: By) -> Effect {
    Effect::PasswordSet { uuid: node.uuid, by }
}

pub(super) fn has_class(attributes: &Attributes, class: &str, schema: &Schema) -> bool {
    let values = attributes.values(schema.known().object_class);
    values.iter().any(|value| value.eq_ignore_ascii_case(class.as_bytes()))
}
