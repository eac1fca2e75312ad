//! Bind (RFC 4511 §4.2, RFC 4513 §5): in two steps, since the second may take a while.

mod logins;
mod mechanism;
mod plain;
mod sasl;
mod scram;
mod second_factor;
mod told;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use smallvec::smallvec;

use crate::access::Right;
use crate::directory::tree::{Change, Event, EventKind, Means, Node, Write};
use crate::directory::{Dn, Identity, ResultCode, Timestamp};
use crate::password::account::Seen;
use crate::password::logins::NewLogins;
use crate::password::meter::{Attempt, Subject, Trial};
use crate::password::report::Would;
use crate::password::scram::ScramKeys;
use crate::password::standing::{Blocked, Standing, Validity};
use crate::password::verdict::PolicyErrorCode;
use crate::password::verified::Against;
use crate::password::{Account, Policy, Secret, StoredPassword, scheme};
use crate::protocol::Response;
use crate::protocol::control::{Controls, Flag, authorization_identity_response};
use crate::protocol::request::{Authentication, BindRequest};

use super::context::AnonymousBind;
use super::counted;
use super::events::Whose;
use super::login_name::UserName;
use super::policies::Governing;
use super::recheck::Recheck;
use super::refusal::PolicyControl;
use super::rehash::Rehash;
use super::second_factor::Presented;
use super::target::Target;
use super::verify_password::{Given, Known, SecondFactor, blocked, blocks};
use super::{Context, Effect, Freedom, Hold, Need, Outcome, Proof, Refusal};
pub use mechanism::Mechanism;
pub use sasl::claimed_name;
pub use scram::InProgress;
use scram::Proven;
use told::Told;

/// What the first step of a bind comes to.
#[derive(Debug)]
pub enum Prepared {
    /// Nothing is left to do.
    Done(Box<Outcome>),
    /// A password is to be verified.
    Verify(Box<Verification>),
}

/// What is to prove who somebody is.
#[derive(Clone, Debug)]
enum Evidence {
    /// Nothing: it is only asked what there is.
    Nothing,
    /// A password.
    Password(Secret),
    /// That they know the password, which they do not send.
    Proof(Box<Proven>),
}

/// Evidence that is to be verified.
#[derive(Debug)]
pub struct Verification {
    subject: Subject,
    means: Means,
    /// By what: `simple`, or the name of a mechanism.
    method: &'static str,
    entry: Option<(Node, Arc<Dn>)>,
    account: Account,
    policy: Arc<Policy>,
    /// Policies that are only tried out.
    tried: Vec<Arc<Policy>>,
    evidence: Evidence,
    known: Known,
    /// What was sent as a code, if the entry asks for one.
    presented: Option<Box<Presented>>,
    /// Whom the client wants to be taken for (RFC 4513 §5.2.1.8); empty: whoever the password is of.
    authorize_as: Vec<u8>,
}

/// Looks at the request and finds the entry. Whoever was bound before is not any more, however this ends
/// (RFC 4511 §4.2.1). `begun` is the bind that the request before has begun, if it has and this one may go on with it.
pub fn prepare(
    ctx: &Context<'_>,
    request: &BindRequest,
    controls: &Controls,
    begun: Option<&InProgress>,
) -> Result<Prepared, Refusal> {
    if request.version != 3 {
        return Err(Refusal::UnsupportedVersion);
    }
    let password = match &request.authentication {
        Authentication::Simple(password) => password,
        Authentication::Sasl { mechanism, credentials } => {
            return sasl::prepare(ctx, (mechanism, credentials.as_deref()), controls, begun);
        }
        Authentication::Unknown => return Err(Refusal::UnsupportedAuthentication),
    };
    match (request.name.is_empty(), password.is_empty()) {
        (true, true) => anonymous(ctx).map(|outcome| done(outcome, controls)),
        (false, true) => Err(Refusal::UnauthenticatedBind),
        _ if !ctx.requester.confidentiality.admits_passwords() => Err(Refusal::ConfidentialityRequired),
        _ => by_password(ctx, &request.name, password).map(|it| Prepared::Verify(Box::new(it))),
    }
}

fn done(mut outcome: Outcome, controls: &Controls) -> Prepared {
    tell_identity(&mut outcome, controls);
    Prepared::Done(Box::new(outcome))
}

/// Tells whom the connection belongs to now, if that was asked for (RFC 3829).
fn tell_identity(outcome: &mut Outcome, controls: &Controls) {
    if !controls.flags.has(Flag::AuthorizationIdentity) {
        return;
    }
    let name = outcome.effects.iter().find_map(|effect| match effect {
        Effect::Authenticated { identity, .. } => Some(identity.name()),
        _ => None,
    });
    outcome.response.controls.extend(name.map(authorization_identity_response));
}

fn anonymous(ctx: &Context<'_>) -> Result<Outcome, Refusal> {
    if ctx.services.anonymous == AnonymousBind::Refused {
        return Err(Refusal::AnonymousRefused);
    }
    let (identity, freedom, proof) = (Identity::Anonymous, Freedom::Full, Proof::Connection);
    let effect = Effect::Authenticated { identity, freedom, proof, proxied_by: None };
    Ok(Outcome { effects: smallvec![effect], ..Outcome::answer(ResultCode::Success) })
}

fn by_password(ctx: &Context<'_>, name: &[u8], password: &[u8]) -> Result<Verification, Refusal> {
    verification(ctx, &UserName::read(name, ctx)?, Evidence::Password(Secret::new(password)))
}

/// The name of somebody as a DN, whether or not there is such an entry.
fn spelled<'u>(ctx: &Context<'_>, user: &'u UserName) -> Result<Cow<'u, Dn>, Refusal> {
    match user {
        UserName::Dn(dn) => Ok(Cow::Borrowed(dn)),
        UserName::Uid(uid) => {
            let spelled = format!("uid={}", crate::directory::dn::escape(uid));
            Ok(Cow::Owned(Dn::parse(ctx.schema(), &spelled)?))
        }
    }
}

fn verification(ctx: &Context<'_>, user: &UserName, evidence: Evidence) -> Result<Verification, Refusal> {
    // A name that no entry has, and an entry that nobody may be, are counted and take as long as any other.
    let unknown = |dn: &Dn, evidence: Evidence| -> Result<Verification, Refusal> {
        let policy = ctx.services.policies.for_nobody(dn, ctx.tree)?;
        let subject = ctx.services.meter.unknown(dn);
        let (account, tried, means, method) = (Account::default(), Vec::new(), Means::Bind, logins::SIMPLE);
        let (entry, known, presented, authorize_as) = (None, Known::Nothing, None, Vec::new());
        Ok(Verification {
            subject,
            means,
            method,
            entry,
            account,
            policy,
            tried,
            evidence,
            known,
            presented,
            authorize_as,
        })
    };
    let Some(id) = user.find(ctx)? else { return unknown(&*spelled(ctx, user)?, evidence) };
    let trying = ctx.requester.trying_a_password(ctx.now);
    let nobody = ctx.services.rules.stranger(&trying, ctx.rules, ctx.tree)?;
    let anonymous = Context { actor: &nobody, ..*ctx };
    let Some(target) = anonymous.target_by_id(id)? else { return unknown(&Dn::root(), evidence) };
    if !target.decision.allows(Right::Authenticate) {
        return unknown(&target.dn, evidence);
    }
    Verification::by(ctx, target, evidence, Means::Bind)
}

impl Verification {
    /// Of the password of an entry that may authenticate.
    pub(super) fn of(ctx: &Context<'_>, target: Target, password: Secret, means: Means) -> Result<Self, Refusal> {
        Self::by(ctx, target, Evidence::Password(password), means)
    }

    fn by(ctx: &Context<'_>, target: Target, evidence: Evidence, means: Means) -> Result<Self, Refusal> {
        let Governing { policy, tried, .. } = ctx.services.policies.choose(&target.node.entry, &target.dn, ctx.tree)?;
        let account = ctx.account(&target.node)?;
        let (evidence, presented) = evidence.apart(ctx, &target)?;
        let subject = Subject::Entry(target.node.uuid);
        let entry = Some((target.node, target.dn));
        let (known, authorize_as, method) = (Known::Nothing, Vec::new(), logins::SIMPLE);
        Ok(Self { subject, means, method, entry, account, policy, tried, evidence, known, presented, authorize_as })
    }

    /// The password, if it was sent.
    const fn password(&self) -> Option<&Secret> {
        match &self.evidence {
            Evidence::Password(password) => Some(password),
            Evidence::Nothing | Evidence::Proof(_) => None,
        }
    }

    /// The keys for SCRAM, as long as the policy has them kept. By SCRAM no code can be sent, so where one is asked for
    /// there are none.
    fn scram_keys(&self) -> Option<&ScramKeys> {
        match (&self.account.password, self.policy.scram_iterations) {
            (Some(_), Some(_)) if self.presented.is_none() => self.account.scram_keys.as_ref(),
            _ => None,
        }
    }

    /// Whether the keys for SCRAM are to be made or forgotten.
    fn keys_are_due(&self) -> bool {
        self.account.scram_keys.as_ref().map(ScramKeys::iterations) != self.policy.scram_iterations
    }

    /// Finds out how much work it will be.
    pub fn effort(&mut self, ctx: &Context<'_>) -> scheme::Effort {
        let Some(password) = self.password() else { return scheme::Effort::Light };
        let stored = self.account.password.as_ref().unwrap_or(&ctx.services.no_password);
        // Refusing takes as long with every account, so only what will be let in can be quick.
        let quick = !self.lacks_code()
            && !stored.is_outdated(self.policy.hashing.or(ctx.services.new_passwords))
            && !self.policy.is_locked(self.account.locked, ctx.now)
            && !ctx.recheck_is_due(&self.account, &self.policy)
            && !self.keys_are_due()
            && (self.was_right_a_moment_ago(ctx)
                || stored.effort() == scheme::Effort::Light && stored.verify(password));
        if !quick {
            return scheme::Effort::Heavy;
        }
        self.known = Known::Right;
        scheme::Effort::Light
    }

    fn was_right_a_moment_ago(&self, ctx: &Context<'_>) -> bool {
        let verified = ctx.services.meter.verified();
        self.policy.verified_cache.is_some()
            && self.against().zip(self.password()).is_some_and(|(against, it)| verified.contains(against, it, ctx.now))
    }

    fn remember(&self, ctx: &Context<'_>) {
        let what = self.against().zip(self.password());
        if let (Some(life), Some((against, password)), Known::Nothing) = (self.policy.verified_cache, what, self.known)
        {
            ctx.services.meter.verified().remember(against, password, life, ctx.now);
        }
    }

    fn against(&self) -> Option<Against> {
        let (node, _) = self.entry.as_ref()?;
        Some(Against { uuid: node.uuid, entry: node.version, credentials: self.account.version })
    }

    /// Verifies the password, and says how the account stands.
    pub fn run(&self, ctx: &Context<'_>, controls: &Controls) -> Result<Outcome, Refusal> {
        let result = self.verify(ctx, controls);
        if !self.tried.is_empty() {
            self.report(ctx, &result)?;
        }
        result
    }

    /// Tells what policies that are only tried out would have done.
    fn report(&self, ctx: &Context<'_>, result: &Result<Outcome, Refusal>) -> Result<(), Refusal> {
        let Some((node, dn)) = &self.entry else { return Ok(()) };
        match result {
            Ok(_) => {
                // Only a bind that shows the password has it hashed anew.
                let shown = self.password().filter(|_| self.means == Means::Bind).map(|_| ctx.services.new_passwords);
                ctx.report(dn, &self.tried, |policy| Would::at_bind(&self.account, policy, shown, ctx.now));
            }
            Err(refusal) if matches!(refusal.untold(), Refusal::InvalidCredentials { .. }) => {
                let account = ctx.account(node)?;
                ctx.report(dn, &self.tried, |policy| Would::at_failure(&account, policy, ctx.now));
            }
            Err(_) => {}
        }
        Ok(())
    }

    /// Requires the evidence to be right. What is wrong is counted.
    fn prove<'c>(&self, ctx: &'c Context<'_>) -> Result<Attempt<'c>, Refusal> {
        let Self { subject, means, ref account, ref policy, known, .. } = *self;
        match &self.evidence {
            Evidence::Nothing => Err(blocked(None)),
            Evidence::Password(password) => {
                let second_factor = self.second_factor();
                ctx.verify_password(&Given { subject, means, account, policy, password, known, second_factor })
            }
            Evidence::Proof(proven) => {
                let keys = self.scram_keys();
                // Whoever has no keys is refused after the same work.
                let is_right = proven.proof.is_by(keys.unwrap_or(&proven.nobodys)) && keys.is_some();
                let known = if is_right { Known::Right } else { Known::Nothing };
                let (password, second_factor) = (proven.proof.sent(), SecondFactor::NotAsked);
                ctx.verify_proof(&Given { subject, means, account, policy, password, known, second_factor })
            }
        }
    }

    fn verify(&self, ctx: &Context<'_>, controls: &Controls) -> Result<Outcome, Refusal> {
        let Self { ref account, ref policy, .. } = *self;
        let attempt = self.prove(ctx)?;
        let Some((node, dn)) = &self.entry else { return Err(blocked(None)) };
        let validity = Validity::of(&node.entry, ctx.schema());
        match blocks(&attempt, account, policy, validity, ctx.now) {
            None => {}
            Some(Blocked::TemporaryEnded) => {
                let locked = blocked(Some(PolicyErrorCode::AccountLocked));
                return Err(locked.of_temporary(ctx.language_of(&node.entry)));
            }
            Some(_) => return Err(blocked(Some(PolicyErrorCode::AccountLocked))),
        }
        let mut standing = self.account.standing(&self.policy, ctx.now);
        let recheck = self.recheck(ctx, dn, standing);
        let rehash = self.password().map_or(Rehash::Nothing, |_| ctx.rehash(&self.account, &self.policy, self.means));
        if recheck.demands_change() || rehash.demands_change() && standing != Standing::Expired {
            standing = Account { must_change: true, ..Account::default() }.standing(&self.policy, ctx.now);
        }
        let told = Told::of(standing);
        match standing {
            Standing::Expired => {
                let event = self.event(ctx, EventKind::Expired, (node, dn));
                // Once a day of each account, so it is no flood of writes.
                let hold = if ctx.services.journal.note_daily(event) { Hold::NOTED } else { Hold::NONE };
                return Err(told.refusal(policy, hold));
            }
            Standing::MustChangeElsewhere => return Err(told.refusal(policy, Hold::NONE)),
            Standing::Good { .. } | Standing::Grace { .. } | Standing::MustChange => {}
        }
        let freedom = if standing == Standing::MustChange { Freedom::PasswordChange } else { Freedom::Full };
        let proof = Proof::Password(self.account.changed);
        let own = Identity::Entry { uuid: node.uuid, dn: Arc::clone(dn) };
        let (identity, proxied_by) = sasl::assume(ctx, (own, proof), &self.authorize_as)?;
        if proxied_by.is_some() && freedom != Freedom::Full {
            return Err(Refusal::MustChangePassword);
        }
        // Known so exactly that an account in use does not count as idle.
        let precision = self.policy.pwd_max_idle.map_or(Duration::MAX, |idle| idle / 10);
        let lock = if attempt.is_despite_lock() { LockFor::Others } else { LockFor::Nobody };
        let logins = self.news(ctx);
        attempt.let_in(precision.min(ctx.services.last_success_precision), logins.clone());
        self.remember(ctx);
        let (mut change, mut need) =
            self.changes(ctx, (node, dn), Entered { standing, recheck, rehash, lock, logins })?;
        if let Standing::Good { expires_in: Some(left) } = standing {
            let event = self.event(ctx, EventKind::Expiring, (node, dn));
            ctx.services.journal.note_daily(Event { reason: format!("in {} seconds", left.as_secs()), ..event });
        }
        let mut response = Response::from(ResultCode::Success);
        response.controls.extend(told.control(PolicyControl::of(controls), policy));
        if let (Evidence::Proof(proven), Some(keys)) = (&self.evidence, self.scram_keys()) {
            response.value = Some(proven.proof.server_final(keys));
        }
        let mut effects = smallvec![Effect::Authenticated { identity, freedom, proof, proxied_by }];
        if !change.is_empty() && need == Need::Required {
            effects.push(Effect::CredentialsSet { uuid: node.uuid });
        }
        if self.use_code_up(&mut change) {
            need = Need::Required;
        }
        let trial = Trial { subject: self.subject, source: &ctx.requester.source, now: ctx.now };
        let hold = Hold::back(ctx.services.meter.notice_right(&trial, &ctx.services.spray));
        let mut outcome = Outcome { change, need, effects, hold, ..Outcome::answer(response) };
        tell_identity(&mut outcome, controls);
        Ok(outcome)
    }

    /// Looks the password up again, if lists are newer. A bind that ends badly all the same, and a compare, show nothing.
    fn recheck(&self, ctx: &Context<'_>, dn: &Dn, standing: Standing) -> Recheck {
        match (standing, self.password()) {
            (Standing::Good { .. } | Standing::Grace { .. }, Some(password)) if self.means == Means::Bind => {
                ctx.recheck(&self.account, &self.policy, password, dn)
            }
            _ => Recheck::Nothing,
        }
    }

    /// What a good bind uses up or finds out, without which it is none; or else what it is welcome to write: a hash at
    /// today's cost, keys for SCRAM, and in which lists the password was looked up.
    fn changes(
        &self,
        ctx: &Context<'_>,
        whose: (&Node, &Dn),
        Entered { standing, recheck, rehash, lock, logins }: Entered,
    ) -> Result<(Change, Need), Refusal> {
        let demands_change = recheck.demands_change() || rehash.demands_change();
        let uses_up = matches!(standing, Standing::Grace { .. })
            || standing == Standing::MustChange && self.account.temporary_uses.is_some();
        let first = uses_up || demands_change;
        if !first && !self.keys_are_due() && rehash == Rehash::Nothing && recheck == Recheck::Nothing {
            return Ok((Change::none(), Need::Welcome));
        }
        let (node, _) = whose;
        let last_success = Some(Seen { time: ctx.now, source: Arc::clone(&ctx.requester.source) });
        let mut account = Account { last_success, ..self.account.clone() };
        if let Some(new) = &logins {
            account.logins.add(new);
        }
        if lock == LockFor::Nobody {
            (account.failures, account.failures_in_a_row, account.locked) = (Vec::new(), 0, None);
        }
        let event = |kind, reason| Event { reason, ..self.event(ctx, kind, whose) };
        account.checked_against = recheck.lists().or(account.checked_against);
        account.must_change |= demands_change;
        let used = match (standing, account.temporary_uses) {
            (Standing::Grace { remaining }, _) => {
                account.grace_uses.push(distinct(&account.grace_uses, ctx.now));
                Some(event(EventKind::GraceUsed, format!("{remaining} left")))
            }
            (Standing::MustChange, Some(left)) => {
                let left = left.saturating_sub(1);
                account.temporary_uses = Some(left);
                Some(event(EventKind::TemporaryUsed, format!("{left} left")))
            }
            _ => None,
        };
        if let (Some(wanted), Some(password)) = (rehash.wanted(), self.password()) {
            account.password = Some(StoredPassword::create(password, wanted, ctx.random));
        }
        let rekeyed = self.rekey(ctx, &mut account);
        let write = || Write::SetCredentials {
            uuid: node.uuid,
            version: self.account.version,
            credentials: account.to_entry(ctx.schema()),
        };
        let change = |events| Change { writes: vec![write()], events, ..Change::none() };
        if !first && !rekeyed && rehash == Rehash::Nothing && recheck == Recheck::Nothing {
            return Ok((Change::none(), Need::Welcome));
        }
        let scheme = account.password.as_ref().map(StoredPassword::name).unwrap_or_default();
        let scheme = if rehash.demands_change() { scheme + ", after pwdRehashDeadline" } else { scheme };
        let known = recheck.found().map(|rule| event(EventKind::Known, rule.to_owned()));
        let rehashed = rehash.wanted().map(|_| event(EventKind::Rehashed, scheme));
        let ended = if lock == LockFor::Nobody { self.end_of_lock(ctx, whose)? } else { Vec::new() };
        let change = change(ended.into_iter().chain(used).chain(known).chain(rehashed).collect());
        Ok((change, if first { Need::Required } else { Need::Welcome }))
    }

    /// What is told of a lock whose time was over.
    fn end_of_lock(&self, ctx: &Context<'_>, (node, dn): (&Node, &Dn)) -> Result<Vec<Event>, Refusal> {
        let ended = |_| counted::lock_has_ended(Whose { uuid: node.uuid, dn }, ctx.now);
        ctx.end_of_lock(node, self.account.locked, ended)
    }

    /// Makes or forgets the keys for SCRAM as the policy wants it, where the password is at hand. Whether it has.
    fn rekey(&self, ctx: &Context<'_>, account: &mut Account) -> bool {
        let Some(password) = self.password().filter(|_| self.keys_are_due()) else { return false };
        let make = |iterations| ScramKeys::make(password, iterations, ctx.random);
        account.scram_keys = self.policy.scram_iterations.and_then(make);
        account.scram_keys != self.account.scram_keys
    }

    /// Something that the owner brings about by a good bind, or somebody else by comparing.
    fn event(&self, ctx: &Context<'_>, kind: EventKind, (node, dn): (&Node, &Dn)) -> Event {
        let event = ctx.event(kind, self.means, Whose { uuid: node.uuid, dn }, &self.policy);
        if self.means == Means::Bind { Event { actor: event.target.clone(), ..event } } else { event }
    }
}

/// How somebody was let in.
#[derive(Debug)]
struct Entered {
    standing: Standing,
    recheck: Recheck,
    rehash: Rehash,
    lock: LockFor,
    /// What there is to note of that.
    logins: Option<NewLogins>,
}

/// For whom wrong passwords have locked the account, when the right one was given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum LockFor {
    /// Nobody: they are forgotten.
    Nobody,
    /// Others, elsewhere.
    Others,
}

/// Values of one attribute must differ.
fn distinct(times: &[Timestamp], now: Timestamp) -> Timestamp {
    let next = |last: &Timestamp| last.saturating_add(Duration::from_micros(1));
    times.last().map_or(now, |last| now.max(next(last)))
}
