//! The state of an account by one operation, as `manage-account` and clients of `UnboundID` ask for it. It is read by
//! the right to read the attribute that each part of it follows from, and written as if that attribute were modified.

use std::time::Duration;

use crate::directory::modification::ModificationKind;
use crate::directory::schema::WellKnown;
use crate::directory::{AttributeTypeId, ResultCode, Timestamp};
use crate::operations::modify::modify;
use crate::operations::target::Target;
use crate::operations::{Context, Outcome, Refusal};
use crate::password::Policy;
use crate::password::account::{Account, Lock};
use crate::password::standing::Validity;
use crate::protocol::Response;
use crate::protocol::extended::{AccountState, StateOperation};
use crate::protocol::request::{ModifyRequest, RequestedChange};

/// Reads the state of an account, or changes it.
pub fn account_state(ctx: &Context<'_>, request: &AccountState) -> Result<Outcome, Refusal> {
    if ctx.requester.identity.is_anonymous() {
        return Err(Refusal::AuthenticationRequired);
    }
    let writes = request.operations.iter().filter(|operation| is_write(operation.number)).count();
    match writes {
        0 => read(ctx, request),
        all if all == request.operations.len() => write(ctx, request),
        _ => Err(Refusal::Unwilling(
            "the state is asked for in a request of its own: it would be that from before the change",
        )),
    }
}

/// Whether an operation sets something. Some that do cannot be done here.
const fn is_write(number: i32) -> bool {
    matches!(
        number,
        2 | 3 | 5 | 6 | 9 | 10 | 12 | 13 | 17..=19 | 23 | 24 | 27 | 28 | 31..=33 | 36 | 37 | 40 | 44 | 46 | 47 | 50 | 51 | 60 | 72..=79
    )
}

/// The attribute that a part of the state follows from.
type Follows = fn(&WellKnown) -> AttributeTypeId;

/// What is told, by its number, and the attribute that it follows from: who may not read that is not told.
const TOLD: [(i32, Follows); 28] = [
    (POLICY, |known| known.pwd_policy_subentry),
    (DISABLED, |known| known.pwd_account_locked_time),
    (END, |known| known.pwd_end_time),
    (7, |known| known.pwd_end_time),
    (8, |known| known.pwd_changed_time),
    (14, |known| known.pwd_changed_time),
    (15, |known| known.pwd_changed_time),
    (FAILURES, |known| known.pwd_failure_time),
    (20, |known| known.pwd_account_locked_time),
    (21, |known| known.pwd_failure_time),
    (22, |known| known.pwd_last_success),
    (25, |known| known.pwd_last_success),
    (RESET, |known| known.pwd_reset),
    (29, |known| known.pwd_temporary_expiry),
    (30, |known| known.pwd_grace_use_time),
    (34, |known| known.pwd_grace_use_time),
    (START, |known| known.pwd_start_time),
    (48, |known| known.pwd_start_time),
    (49, |known| known.pwd_last_success_from),
    (USABLE, |known| known.pwd_account_locked_time),
    (56, |known| known.pwd_start_time),
    (57, |known| known.pwd_end_time),
    (58, |known| known.pwd_changed_time),
    (LOCKED, |known| known.pwd_account_locked_time),
    (61, |known| known.pwd_account_locked_time),
    (62, |known| known.pwd_last_success),
    (67, |known| known.pwd_changed_time),
    (81, |known| known.pwd_changed_time),
];

const POLICY: i32 = 0;
const DISABLED: i32 = 1;
const END: i32 = 4;
const FAILURES: i32 = 16;
const RESET: i32 = 26;
const START: i32 = 45;
const USABLE: i32 = 55;
const LOCKED: i32 = 59;

fn read(ctx: &Context<'_>, request: &AccountState) -> Result<Outcome, Refusal> {
    let dn = ctx.parse_dn(&request.user)?;
    let target = ctx.target(&dn)?;
    target.require_visible(ctx)?;
    let state = State::of(ctx, &target)?;
    let may_read = |number: i32, follows: Follows| {
        let is_readable = target.decision.read.contains(follows(ctx.schema().known()));
        is_readable && (number != USABLE || ctx.may_know_usability(&target.decision))
    };
    let denied = || Refusal::InsufficientAccess("you may not read this of the state of the account");
    let told: Vec<(i32, Vec<String>)> = if request.operations.is_empty() {
        TOLD.iter()
            .filter(|(number, follows)| may_read(*number, *follows))
            .map(|(number, _)| (*number, state.tell(*number)))
            .collect()
    } else {
        let one = |operation: &StateOperation| {
            let known = TOLD.iter().find(|(number, _)| *number == operation.number);
            let (number, follows) = known.ok_or(Refusal::Unwilling("this is not told of an account here"))?;
            if may_read(*number, *follows) { Ok((*number, state.tell(*number))) } else { Err(denied()) }
        };
        request.operations.iter().map(one).collect::<Result<_, Refusal>>()?
    };
    if told.is_empty() {
        return Err(denied());
    }
    Ok(Outcome::answer(answer(target.dn.as_str(), &told)))
}

fn answer(user: &str, told: &[(i32, Vec<String>)]) -> Response {
    Response { value: Some(AccountState::answer(user, told)), ..ResultCode::Success.into() }
}

/// All that is known of an account now.
struct State<'c> {
    account: Account,
    policy: std::sync::Arc<Policy>,
    validity: Validity,
    is_usable: bool,
    ctx: &'c Context<'c>,
}

impl<'c> State<'c> {
    fn of(ctx: &'c Context<'_>, target: &Target) -> Result<Self, Refusal> {
        let account = ctx.account(&target.node)?;
        let policy = ctx.services.policies.governing(&target.node.entry, &target.dn, ctx.tree)?;
        let validity = Validity::of(&target.node.entry, ctx.schema());
        let is_usable = account.password.is_some() && ctx.reasons(&account, &policy, validity).is_empty();
        Ok(Self { account, policy, validity, is_usable, ctx })
    }

    /// The values of one part of it; none if there is nothing to tell.
    fn tell(&self, number: i32) -> Vec<String> {
        let (account, policy, now) = (&self.account, &*self.policy, self.ctx.now);
        let expires = policy.expires(account);
        let used = account.last_success.as_ref().map(|seen| seen.time).max(account.changed);
        let truth = |it: bool| Some(it.to_string());
        let one = match number {
            POLICY => Some(policy.origin.clone()).filter(|origin| !origin.is_empty()),
            DISABLED => truth(account.locked.is_some_and(Lock::is_by_administrator)),
            END => time(self.validity.end),
            7 => self.until(self.validity.end),
            8 => time(account.changed),
            14 => self.until(expires),
            15 => self.until(expires.map(|end| end.saturating_sub(policy.pwd_expire_warning))),
            FAILURES => return account.failures.iter().map(ToString::to_string).collect(),
            20 => self.until(account.locked.and_then(|lock| policy.lock_ends(lock)).filter(|end| *end > now)),
            21 => policy.lockout_limit().map(|limit| limit.saturating_sub(self.counted()).to_string()),
            22 => time(account.last_success.as_ref().map(|seen| seen.time)),
            25 => self.until(used.zip(policy.pwd_max_idle).map(|(used, idle)| used.saturating_add(idle))),
            RESET => truth(account.must_change),
            29 => self.until(account.temporary_until.filter(|_| account.must_change)),
            30 => return account.grace_uses.iter().map(ToString::to_string).collect(),
            34 => Some(policy.pwd_grace_authn_limit.saturating_sub(account.grace_uses.len()).to_string()),
            START => time(self.validity.start),
            48 => self.until(self.validity.start.filter(|start| *start > now)),
            49 => account.last_success.as_ref().map(|seen| seen.source.to_string()).filter(|from| !from.is_empty()),
            USABLE => truth(self.is_usable),
            56 => truth(self.validity.start.is_some_and(|start| now < start)),
            57 => truth(self.validity.end.is_some_and(|end| now >= end)),
            58 => time(expires),
            LOCKED => truth(self.is_locked_by_failures()),
            61 => time(account.locked.and_then(|lock| if let Lock::Since(time) = lock { Some(time) } else { None })),
            62 => truth(account.is_idle(policy, now)),
            67 => truth(expires.is_some_and(|end| now >= end)),
            81 => truth(account.password.is_some()),
            _ => None,
        };
        one.into_iter().collect()
    }

    fn is_locked_by_failures(&self) -> bool {
        let is_by_failures = self.account.locked.is_some_and(|lock| !lock.is_by_administrator());
        is_by_failures && self.policy.is_locked(self.account.locked, self.ctx.now)
    }

    /// How many wrong passwords count.
    fn counted(&self) -> usize {
        let interval = self.policy.pwd_failure_count_interval;
        let counts = |time: &&Timestamp| interval.is_none_or(|interval| self.ctx.now < time.saturating_add(interval));
        self.account.failures.iter().filter(counts).count()
    }

    /// How many seconds are left.
    fn until(&self, end: Option<Timestamp>) -> Option<String> {
        end.map(|end| end.since(self.ctx.now)).as_ref().map(Duration::as_secs).map(|seconds| seconds.to_string())
    }
}

fn time(time: Option<Timestamp>) -> Option<String> {
    time.map(|time| time.to_string())
}

/// Modifies what the operations are about, by the rights to modify it, and tells what it is now.
fn write(ctx: &Context<'_>, request: &AccountState) -> Result<Outcome, Refusal> {
    let user = std::str::from_utf8(&request.user).map_err(|_| Refusal::DnNotText)?;
    let writes = request.operations.iter().map(StateWrite::of).collect::<Result<Vec<_>, _>>()?;
    let changes = writes.iter().map(StateWrite::change).collect();
    let outcome = modify(ctx, &ModifyRequest { object: user.to_owned(), changes })?;
    if request.operations.iter().any(takes_back_failures) {
        require_no_lock_by_hand(ctx, &request.user)?;
    }
    let told: Vec<_> = writes.into_iter().map(|write| (write.told, write.tells)).collect();
    let value = Some(AccountState::answer(user, &told));
    Ok(Outcome { response: Response { value, ..outcome.response }, ..outcome })
}

/// Whether an operation takes back wrong passwords, and the lock that they have brought about.
fn takes_back_failures(operation: &StateOperation) -> bool {
    matches!(operation.number, 19 | 60)
}

/// Requires that an account is not one that an administrator has disabled: only who means that enables it. The requester
/// may do that, and so may know of it.
fn require_no_lock_by_hand(ctx: &Context<'_>, user: &[u8]) -> Result<(), Refusal> {
    let target = ctx.target(&ctx.parse_dn(user)?)?;
    if ctx.account(&target.node)?.locked.is_some_and(Lock::is_by_administrator) {
        return Err(Refusal::Unwilling(
            "an administrator has disabled this account, and no wrong passwords; enable it, if that is meant (operation 2 with false, or 3)",
        ));
    }
    Ok(())
}

/// What is to be written, and what is told of it.
struct StateWrite {
    attribute: &'static str,
    /// Absent: it goes.
    value: Option<Vec<u8>>,
    told: i32,
    tells: Vec<String>,
}

/// A lock that an administrator alone ends (draft-behera §5.3.3).
const LOCKED_FOR_GOOD: &[u8] = b"000001010000Z";

impl StateWrite {
    fn of(operation: &StateOperation) -> Result<Self, Refusal> {
        let flag = |told, attribute, set: &[u8]| {
            let is_set = truth_of(operation)?;
            Ok(Self { attribute, value: is_set.then(|| set.to_vec()), told, tells: vec![is_set.to_string()] })
        };
        let clear = |told, attribute, tells: &[&str]| {
            Ok(Self { attribute, value: None, told, tells: tells.iter().map(|told| (*told).to_owned()).collect() })
        };
        let moment = |told, attribute| {
            let value = one(operation).ok_or(Refusal::Protocol("this operation needs a time, and one only"))?;
            let tells = vec![String::from_utf8_lossy(value).into_owned()];
            Ok(Self { attribute, value: Some(value.to_vec()), told, tells })
        };
        match operation.number {
            2 => flag(DISABLED, "pwdAccountLockedTime", LOCKED_FOR_GOOD),
            3 => clear(DISABLED, "pwdAccountLockedTime", &["false"]),
            5 => moment(END, "pwdEndTime"),
            6 => clear(END, "pwdEndTime", &[]),
            19 => clear(FAILURES, "pwdAccountLockedTime", &[]),
            27 => flag(RESET, "pwdReset", b"TRUE"),
            28 => clear(RESET, "pwdReset", &["false"]),
            46 => moment(START, "pwdStartTime"),
            47 => clear(START, "pwdStartTime", &[]),
            60 if !truth_of(operation)? => clear(LOCKED, "pwdAccountLockedTime", &["false"]),
            60 => {
                Err(Refusal::Unwilling("wrong passwords lock an account, and nobody else as if they had: disable it"))
            }
            _ => Err(Refusal::Unwilling("this is not set by this operation here; the server keeps it by itself")),
        }
    }

    fn change(&self) -> RequestedChange {
        let values = self.value.iter().cloned().collect();
        RequestedChange { kind: ModificationKind::Replace, attribute: self.attribute.to_owned(), values }
    }
}

fn one(operation: &StateOperation) -> Option<&[u8]> {
    match operation.values.as_slice() {
        [one] => Some(one),
        _ => None,
    }
}

fn truth_of(operation: &StateOperation) -> Result<bool, Refusal> {
    match one(operation).map(<[u8]>::to_ascii_lowercase).as_deref() {
        Some(b"true") => Ok(true),
        Some(b"false") => Ok(false),
        _ => Err(Refusal::Protocol("this operation needs true or false")),
    }
}
