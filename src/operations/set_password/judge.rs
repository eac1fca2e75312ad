//! What a new password is judged by, and passwords that are made to be good.

use crate::access::{Decision, Right};
use crate::directory::schema::Schema;
use crate::directory::{AttributeTypeId, Dn, Entry, Randomness, Rdn};
use crate::operations::{Context, Refusal};
use crate::password::account::Account;
use crate::password::change;
use crate::password::policy::{BreachAction, CheckQuality};
use crate::password::quality::{self, BreachList, Facts, lists};
use crate::password::scheme::Scheme;
use crate::password::verdict::{BrokenRule, Refused};
use crate::password::{Policy, Secret, StoredPassword, generate};
use crate::protocol::control::Skipped;

/// Passwords that are made are at least this long, in characters.
const GENERATED_LENGTH: usize = 20;

/// Whether a hash may be brought in the place of a password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::operations) enum Hashes {
    Imported,
    Refused,
}

impl Hashes {
    pub(in crate::operations) const fn of(decision: &Decision) -> Self {
        if decision.allows(Right::ImportHash) { Self::Imported } else { Self::Refused }
    }
}

/// How far a new password is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Looking {
    /// By itself.
    AtItself,
    /// And whether it was had before.
    AtHistory,
}

/// What a new password is judged by.
pub(super) struct Judge<'a> {
    pub(super) account: &'a Account,
    pub(super) policy: &'a Policy,
    names: Vec<String>,
    addresses: Vec<String>,
    organization: Vec<String>,
    old: Option<&'a Secret>,
    hashes: Hashes,
    breached: Option<&'a dyn BreachList>,
    pub(super) skipped: Skipped,
}

impl<'a> Judge<'a> {
    /// Compares with the old password, too, where that was given.
    pub(super) fn knowing(self, old: Option<&'a Secret>) -> Self {
        Self { old, ..self }
    }

    /// A new password as it is to be kept, if nothing holds it back and it is good enough; else all that is wrong. A hash is
    /// kept as it is if the requester may import hashes; nobody else can have one taken for a password.
    pub(super) fn admit(
        &self,
        new: &Secret,
        held_back: Vec<BrokenRule>,
        ctx: &Context<'_>,
    ) -> Result<StoredPassword, Refusal> {
        let looking = if held_back.iter().any(is_final) { Looking::AtItself } else { Looking::AtHistory };
        let mut broken = held_back;
        broken.extend(self.faults(new, looking));
        Refused::unless_empty(broken)?;
        if self.is_imported(new) {
            return Ok(StoredPassword::new(new.expose()));
        }
        Ok(StoredPassword::create(new, self.policy.hashing.or(ctx.services.new_passwords), ctx.random))
    }

    fn is_imported(&self, new: &Secret) -> bool {
        self.hashes == Hashes::Imported && StoredPassword::is_prehashed(new.expose())
    }

    /// All that is wrong with a new password.
    pub(super) fn faults(&self, new: &Secret, looking: Looking) -> Vec<BrokenRule> {
        if self.is_imported(new) {
            let stored = StoredPassword::new(new.expose());
            let fault = match stored.scheme() {
                // It is no hash, and whoever may bring one along may not bring a password past the policy by that.
                Scheme::Clear => Some(BrokenRule::Prehashed),
                Scheme::Unusable if !stored.is_locked() => Some(BrokenRule::UnusableHash),
                _ => None,
            };
            return fault.into_iter().collect();
        }
        if StoredPassword::is_prehashed(new.expose()) && self.policy.pwd_check_quality != CheckQuality::Off {
            return vec![BrokenRule::Prehashed];
        }
        let mut broken = if self.skipped.quality {
            quality::judge_bounds(new).into_iter().collect()
        } else {
            self.with_facts(|facts| quality::judge(new, self.policy, facts))
        };
        if looking == Looking::AtHistory && !self.skipped.history {
            broken.extend(change::judge_by_history(new, self.account, self.policy));
        }
        broken
    }

    /// The lists that a password was looked up in that was admitted, if somebody will ask.
    pub(super) fn lists(&self, new: &Secret) -> Option<u64> {
        let is_looked_up =
            self.policy.pwd_check_quality != CheckQuality::Off && !StoredPassword::is_prehashed(new.expose());
        let is_asked = self.policy.breach_action != BreachAction::None;
        (is_looked_up && is_asked).then(|| lists::edition(self.policy, self.breached))
    }

    /// A password that the policy itself would admit.
    pub(super) fn generate(&self, random: &dyn Randomness) -> Result<Secret, Refusal> {
        let most = if self.policy.pwd_max_length == 0 { usize::MAX } else { self.policy.pwd_max_length };
        let length = GENERATED_LENGTH.max(self.policy.pwd_min_length).min(most);
        let attempt = || {
            let made = generate::password_that(|made| self.is_good(made), length, random);
            Refused::unless_empty(self.faults(&made, Looking::AtHistory)).map(|()| made)
        };
        // One in 65,536 is taken for one that is publicly known; hardly two in a row.
        Ok(attempt().or_else(|_| attempt())?)
    }

    /// Whether it is good enough by itself, lists and history aside, which take a disk and hashes to look at.
    fn is_good(&self, new: &Secret) -> bool {
        self.with_facts(|facts| quality::judge(new, self.policy, &Facts { breached: None, ..*facts }).is_empty())
    }

    pub(super) fn with_facts<R>(&self, judge: impl FnOnce(&Facts<'_>) -> R) -> R {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let organization: Vec<&str> = self.organization.iter().map(String::as_str).collect();
        let addresses: Vec<&str> = self.addresses.iter().map(String::as_str).collect();
        let (names, addresses, organization) = (&names, &addresses, &organization);
        judge(&Facts { names, addresses, organization, old: self.old, breached: self.breached })
    }
}

impl Context<'_> {
    /// What the new password of an entry is judged by.
    pub(super) fn judge<'j>(
        &'j self,
        account: &'j Account,
        policy: &'j Policy,
        entry: &Entry,
        hashes: Hashes,
    ) -> Judge<'j> {
        Judge {
            account,
            policy,
            names: own_names(entry, self.schema()),
            addresses: texts(entry, self.schema().known().mail),
            organization: organization(self.tree.suffixes(), self.schema()),
            old: None,
            hashes,
            breached: self.services.breached.as_deref(),
            skipped: self.skipped(),
        }
    }
}

/// Whether a rule keeps the owner from a change whatever the old password is.
pub(super) const fn is_final(rule: &BrokenRule) -> bool {
    matches!(rule, BrokenRule::NotAllowed | BrokenRule::OldPasswordMissing)
}

/// What the owner is called: names that make poor passwords.
fn own_names(entry: &Entry, schema: &Schema) -> Vec<String> {
    let known = schema.known();
    let mut names = Vec::new();
    for id in [known.uid, known.cn, known.sn, known.given_name, known.display_name] {
        names.extend(texts(entry, id));
    }
    for mail in entry.values(known.mail).map(String::from_utf8_lossy) {
        names.extend(mail.split('@').next().map(str::to_owned));
    }
    names
}

fn texts(entry: &Entry, id: AttributeTypeId) -> Vec<String> {
    entry.values(id).map(|value| String::from_utf8_lossy(value).into_owned()).collect()
}

/// What the organization is called: the names of its suffixes, of `dc=example,dc=com` the `example`.
fn organization(suffixes: &[Dn], schema: &Schema) -> Vec<String> {
    let rdns = suffixes.iter().filter_map(|suffix| Rdn::parse(schema, suffix.rdns().next()?.0).ok());
    let values = |rdn: Rdn| -> Vec<String> {
        rdn.assertions().iter().map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
    };
    rdns.flat_map(values).collect()
}
