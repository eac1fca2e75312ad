//! Bind (RFC 4511 §4.2, RFC 4513 §5): in two steps, since the second may take a while.

mod mechanism;
mod plain;
mod told;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use smallvec::smallvec;

use crate::access::{Actor, Right};
use crate::directory::tree::{Change, Event, EventKind, Means, Node, Write};
use crate::directory::{Dn, Identity, ResultCode, Timestamp};
use crate::password::account::Seen;
use crate::password::meter::{Subject, Trial};
use crate::password::report::Would;
use crate::password::standing::{Standing, Validity};
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
use super::target::Target;
use super::verify_password::{Given, Known, blocked, blocks};
use super::{Context, Effect, Freedom, Outcome, Proof, Refusal, Requester, proxy};
pub(super) use mechanism::Mechanism;
use plain::Plain;
use told::Told;

/// What the first step of a bind comes to.
#[derive(Debug)]
pub enum Prepared {
    /// Nothing is left to do.
    Done(Box<Outcome>),
    /// A password is to be verified.
    Verify(Box<Verification>),
}

/// A password that is to be verified.
#[derive(Debug)]
pub struct Verification {
    subject: Subject,
    means: Means,
    entry: Option<(Node, Arc<Dn>)>,
    account: Account,
    policy: Arc<Policy>,
    /// Policies that are only tried out.
    tried: Vec<Arc<Policy>>,
    password: Secret,
    known: Known,
    /// Whom the client wants to be taken for (RFC 4513 §5.2.1.8); empty: whoever the password is of.
    authorize_as: Vec<u8>,
}

/// Looks at the request and finds the entry. Whoever was bound before is not any more, however this ends
/// (RFC 4511 §4.2.1).
pub fn prepare(ctx: &Context<'_>, request: &BindRequest, controls: &Controls) -> Result<Prepared, Refusal> {
    if request.version != 3 {
        return Err(Refusal::UnsupportedVersion);
    }
    let password = match &request.authentication {
        Authentication::Simple(password) => password,
        Authentication::Sasl { mechanism, credentials } => {
            return sasl(ctx, (mechanism, credentials.as_deref()), controls);
        }
        Authentication::Unknown => return Err(Refusal::UnsupportedAuthentication),
    };
    match (request.name.is_empty(), password.is_empty()) {
        (true, true) => anonymous(ctx).map(|outcome| done(outcome, controls)),
        (false, true) => Err(Refusal::UnauthenticatedBind),
        _ if !ctx.requester.confidentiality.admits_passwords() => Err(Refusal::ConfidentialityRequired),
        _ => verification(ctx, &request.name, Secret::new(password.as_ref())).map(|it| Prepared::Verify(Box::new(it))),
    }
}

/// A bind by a SASL mechanism (RFC 4513 §5.2). The name in the request means nothing.
fn sasl(
    ctx: &Context<'_>,
    (mechanism, credentials): (&[u8], Option<&[u8]>),
    controls: &Controls,
) -> Result<Prepared, Refusal> {
    match (Mechanism::find(mechanism).ok_or(Refusal::UnsupportedAuthentication)?, credentials) {
        (Mechanism::External, authorize_as) => {
            external(ctx, authorize_as.unwrap_or_default()).map(|outcome| done(outcome, controls))
        }
        (Mechanism::Plain, _) if !ctx.requester.confidentiality.admits_passwords() => {
            Err(Refusal::ConfidentialityRequired)
        }
        // The client is to speak first, and is told so (RFC 4422 §5).
        (Mechanism::Plain, None) => Ok(done(Outcome::answer(challenge(Vec::new())), controls)),
        (Mechanism::Plain, Some(message)) => {
            let Plain { authz_id, authc_id, passwd } = Plain::read(message)?;
            let verification = verification(ctx, authc_id, Secret::new(passwd))?;
            Ok(Prepared::Verify(Box::new(Verification { authorize_as: authz_id.to_vec(), ..verification })))
        }
    }
}

/// What the server says before a client has proven anything.
fn challenge(value: Vec<u8>) -> Response {
    Response { value: Some(value), ..ResultCode::SaslBindInProgress.into() }
}

/// Who somebody says they are who binds, for logs.
pub fn claimed_name(request: &BindRequest) -> Cow<'_, str> {
    let name = match &request.authentication {
        Authentication::Sasl { mechanism, credentials: Some(message) }
            if Mechanism::find(mechanism) == Some(Mechanism::Plain) =>
        {
            Plain::read(message).map_or(&b""[..], |plain| plain.authc_id)
        }
        _ => &request.name,
    };
    String::from_utf8_lossy(name)
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

/// SASL EXTERNAL: the connection itself has proven who it is. To become somebody else by it needs more than that.
fn external(ctx: &Context<'_>, authorize_as: &[u8]) -> Result<Outcome, Refusal> {
    let Some(external) = &ctx.requester.external else { return Err(Refusal::NoExternalIdentity) };
    let own = external.identify(ctx)?.ok_or(Refusal::NoExternalIdentity)?;
    let (identity, proxied_by) = assume(ctx, (own, Proof::Connection), authorize_as)?;
    let effect = Effect::Authenticated { identity, freedom: Freedom::Full, proof: Proof::Connection, proxied_by };
    Ok(Outcome { effects: smallvec![effect], ..Outcome::answer(ResultCode::Success) })
}

/// Who a connection belongs to on which `own` has been proven: they, or whom they want to be taken for and may be; then it
/// is known who that was.
fn assume(
    ctx: &Context<'_>,
    (own, proof): (Identity, Proof),
    authorize_as: &[u8],
) -> Result<(Identity, Option<Box<Identity>>), Refusal> {
    if authorize_as.is_empty() {
        return Ok((own, None));
    }
    let requester = Requester { identity: own.clone(), proof, ..ctx.requester.clone() };
    let actor = Actor::find(own.clone(), &requester.circumstances(ctx.now), ctx.rules, ctx.tree)?;
    let assumed = proxy::assumed(&Context { actor: &actor, requester: &requester, ..*ctx }, authorize_as)?;
    let identity = assumed.filter(|identity| !identity.is_anonymous()).ok_or_else(|| blocked(None))?;
    let proxied_by = (identity != own).then(|| Box::new(own));
    Ok((identity, proxied_by))
}

fn anonymous(ctx: &Context<'_>) -> Result<Outcome, Refusal> {
    if ctx.services.anonymous == AnonymousBind::Refused {
        return Err(Refusal::AnonymousRefused);
    }
    let (identity, freedom, proof) = (Identity::Anonymous, Freedom::Full, Proof::Connection);
    let effect = Effect::Authenticated { identity, freedom, proof, proxied_by: None };
    Ok(Outcome { effects: smallvec![effect], ..Outcome::answer(ResultCode::Success) })
}

fn verification(ctx: &Context<'_>, name: &[u8], password: Secret) -> Result<Verification, Refusal> {
    // A name that no entry has, and an entry that nobody may be, are counted and take as long as any other.
    let unknown = |dn: &Dn| -> Result<Verification, Refusal> {
        let policy = ctx.services.policies.default_for(dn, ctx.tree)?;
        let subject = ctx.services.meter.unknown(dn);
        let (account, tried, password) = (Account::default(), Vec::new(), password.clone());
        let (means, known) = (Means::Bind, Known::Nothing);
        let (entry, authorize_as) = (None, Vec::new());
        Ok(Verification { subject, means, entry, account, policy, tried, password, known, authorize_as })
    };
    let user = UserName::read(name, ctx)?;
    let Some(id) = user.find(ctx)? else {
        return match user {
            UserName::Dn(dn) => unknown(&dn),
            UserName::Uid(uid) => {
                let spelled = format!("uid={}", crate::directory::dn::escape(&uid));
                unknown(&Dn::parse(ctx.schema(), &spelled)?)
            }
        };
    };
    let trying = ctx.requester.trying_a_password(ctx.now);
    let nobody = Actor::find(Identity::Anonymous, &trying, ctx.rules, ctx.tree)?;
    let anonymous = Context { actor: &nobody, ..*ctx };
    let Some(target) = anonymous.target_by_id(id)? else { return unknown(&Dn::root()) };
    if !target.decision.allows(Right::Authenticate) {
        return unknown(&target.dn);
    }
    Verification::of(ctx, target, password, Means::Bind)
}

impl Verification {
    /// Of the password of an entry that may authenticate.
    pub(super) fn of(ctx: &Context<'_>, target: Target, password: Secret, means: Means) -> Result<Self, Refusal> {
        let Governing { policy, tried, .. } = ctx.services.policies.choose(&target.node.entry, &target.dn, ctx.tree)?;
        let account = ctx.account(&target.node)?;
        let subject = Subject::Entry(target.node.uuid);
        let entry = Some((target.node, target.dn));
        let (known, authorize_as) = (Known::Nothing, Vec::new());
        Ok(Self { subject, means, entry, account, policy, tried, password, known, authorize_as })
    }

    /// Finds out how much work it will be.
    pub fn effort(&mut self, ctx: &Context<'_>) -> scheme::Effort {
        let stored = self.account.password.as_ref().unwrap_or(&ctx.services.no_password);
        // Refusing takes as long with every account, so only what will be let in can be quick.
        let quick = !stored.is_outdated(self.policy.hashing.or(ctx.services.new_passwords))
            && !self.policy.is_locked(self.account.locked, ctx.now)
            && !ctx.recheck_is_due(&self.account, &self.policy)
            && (self.was_right_a_moment_ago(ctx)
                || stored.effort() == scheme::Effort::Light && stored.verify(&self.password));
        if !quick {
            return scheme::Effort::Heavy;
        }
        self.known = Known::Right;
        scheme::Effort::Light
    }

    fn was_right_a_moment_ago(&self, ctx: &Context<'_>) -> bool {
        let verified = ctx.services.meter.verified();
        self.policy.verified_cache.is_some()
            && self.against().is_some_and(|against| verified.contains(against, &self.password, ctx.now))
    }

    fn remember(&self, ctx: &Context<'_>) {
        if let (Some(life), Some(against), Known::Nothing) = (self.policy.verified_cache, self.against(), self.known) {
            ctx.services.meter.verified().remember(against, &self.password, life, ctx.now);
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
            Ok(_) => ctx.report(dn, &self.tried, |policy| Would::at_bind(&self.account, policy, ctx.now)),
            Err(Refusal::InvalidCredentials { .. }) => {
                let account = ctx.account(node)?;
                ctx.report(dn, &self.tried, |policy| Would::at_failure(&account, policy, ctx.now));
            }
            Err(_) => {}
        }
        Ok(())
    }

    fn verify(&self, ctx: &Context<'_>, controls: &Controls) -> Result<Outcome, Refusal> {
        let Self { subject, means, ref account, ref policy, ref password, known, .. } = *self;
        let attempt = ctx.verify_password(&Given { subject, means, account, policy, password, known })?;
        let Some((node, dn)) = &self.entry else { return Err(blocked(None)) };
        let validity = Validity::of(&node.entry, ctx.schema());
        if blocks(&attempt, account, policy, validity, ctx.now).is_some() {
            return Err(blocked(Some(PolicyErrorCode::AccountLocked)));
        }
        let mut standing = self.account.standing(&self.policy, ctx.now);
        let recheck = self.recheck(ctx, dn, standing);
        if recheck.demands_change() {
            standing = Account { must_change: true, ..Account::default() }.standing(&self.policy, ctx.now);
        }
        let told = Told::of(standing);
        match standing {
            Standing::Expired | Standing::MustChangeElsewhere => return Err(told.refusal(policy)),
            Standing::Good { .. } | Standing::Grace { .. } | Standing::MustChange => {}
        }
        let freedom = if standing == Standing::MustChange { Freedom::PasswordChange } else { Freedom::Full };
        let proof = Proof::Password(self.account.changed);
        let own = Identity::Entry { uuid: node.uuid, dn: Arc::clone(dn) };
        let (identity, proxied_by) = assume(ctx, (own, proof), &self.authorize_as)?;
        if proxied_by.is_some() && freedom != Freedom::Full {
            return Err(Refusal::MustChangePassword);
        }
        // Known so exactly that an account in use does not count as idle.
        let precision = self.policy.pwd_max_idle.map_or(Duration::MAX, |idle| idle / 10);
        let lock = if attempt.is_despite_lock() { LockFor::Others } else { LockFor::Nobody };
        attempt.let_in(precision.min(ctx.services.last_success_precision));
        self.remember(ctx);
        let (change, afterwards) = self.changes(ctx, (node, dn), Entered { standing, recheck, lock })?;
        if let Standing::Good { expires_in: Some(left) } = standing {
            // It is the owner whom it is told of, wherever they bind from.
            let event = Event { source: String::new(), ..self.event(ctx, EventKind::Expiring, (node, dn)) };
            ctx.services.journal.note_daily(Event { reason: format!("in {} seconds", left.as_secs()), ..event });
        }
        let mut response = Response::from(ResultCode::Success);
        response.controls.extend(told.control(PolicyControl::of(controls), policy));
        let mut effects = smallvec![Effect::Authenticated { identity, freedom, proof, proxied_by }];
        if !change.is_empty() {
            effects.push(Effect::CredentialsSet { uuid: node.uuid });
        }
        let trial = Trial { subject: self.subject, source: &ctx.requester.source, now: ctx.now };
        let delay = ctx.services.meter.notice_right(&trial, &ctx.services.spray);
        let mut outcome = Outcome { change, afterwards, effects, delay, ..Outcome::answer(response) };
        tell_identity(&mut outcome, controls);
        Ok(outcome)
    }

    /// Looks the password up again, if lists are newer. A bind that ends badly all the same, and a compare, show nothing.
    fn recheck(&self, ctx: &Context<'_>, dn: &Dn, standing: Standing) -> Recheck {
        match standing {
            Standing::Good { .. } | Standing::Grace { .. } if self.means == Means::Bind => {
                ctx.recheck(&self.account, &self.policy, &self.password, dn)
            }
            _ => Recheck::Nothing,
        }
    }

    /// What a good bind uses up or finds out, which must be written first; and what may be written later: a hash at
    /// today's cost, and in which lists the password was looked up.
    fn changes(
        &self,
        ctx: &Context<'_>,
        whose: (&Node, &Dn),
        Entered { standing, recheck, lock }: Entered,
    ) -> Result<(Change, Option<Box<Change>>), Refusal> {
        let (node, _) = whose;
        let last_success = Some(Seen { time: ctx.now, source: Arc::clone(&ctx.requester.source) });
        let mut account = Account { last_success, ..self.account.clone() };
        if lock == LockFor::Nobody {
            (account.failures, account.failures_in_a_row, account.locked) = (Vec::new(), 0, None);
        }
        let event = |kind, reason| Event { reason, ..self.event(ctx, kind, whose) };
        account.checked_against = recheck.lists().or(account.checked_against);
        account.must_change |= recheck.demands_change();
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
        let wanted = self.policy.hashing.or(ctx.services.new_passwords);
        let outdated = account.password.as_ref().is_some_and(|stored| stored.is_outdated(wanted));
        if outdated {
            account.password = Some(StoredPassword::create(&self.password, wanted, ctx.random));
        }
        let write = || Write::SetCredentials {
            uuid: node.uuid,
            version: self.account.version,
            credentials: account.to_entry(ctx.schema()),
        };
        let change = |events| Change { writes: vec![write()], events, ..Change::none() };
        let scheme = || account.password.as_ref().map(|stored| stored.scheme().to_string()).unwrap_or_default();
        let known = recheck.found().map(|rule| event(EventKind::Known, rule.to_owned()));
        let rehashed = outdated.then(|| event(EventKind::Rehashed, scheme()));
        let (first, later) = (used.is_some() || recheck.demands_change(), outdated || recheck != Recheck::Nothing);
        if !first && !later {
            return Ok((Change::none(), None));
        }
        let ended = if lock == LockFor::Nobody { self.end_of_lock(ctx, whose)? } else { Vec::new() };
        let change = change(ended.into_iter().chain(used).chain(known).chain(rehashed).collect());
        Ok(if first { (change, None) } else { (Change::none(), Some(Box::new(change))) })
    }

    /// What is told of a lock whose time was over. Whoever writes it first tells it: the meter finds other credentials then
    /// than those that it has counted for.
    fn end_of_lock(&self, ctx: &Context<'_>, (node, dn): (&Node, &Dn)) -> Result<Vec<Event>, Refusal> {
        let written = Account::read(ctx.tree.credentials(node.id)?.as_ref(), ctx.schema()).locked.is_some();
        if !written && self.account.locked.is_none() {
            return Ok(Vec::new());
        }
        let begun = if written { None } else { ctx.services.journal.lock_of(node.uuid) };
        let ended = counted::lock_has_ended(Whose { uuid: node.uuid, dn }, ctx.now);
        Ok(begun.into_iter().chain([ended]).collect())
    }

    /// Something that the owner brings about by a good bind, or somebody else by comparing.
    fn event(&self, ctx: &Context<'_>, kind: EventKind, (node, dn): (&Node, &Dn)) -> Event {
        let event = ctx.event(kind, self.means, Whose { uuid: node.uuid, dn }, &self.policy);
        if self.means == Means::Bind { Event { actor: event.target.clone(), ..event } } else { event }
    }
}

/// How somebody was let in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Entered {
    standing: Standing,
    recheck: Recheck,
    lock: LockFor,
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
