//! What an entry has of passwords: the hash and the state that draft-behera-ldap-password-policy-10 §5.3 defines.

use std::sync::Arc;

use crate::directory::tree::{Credentials, Version};
use crate::directory::{AttributeTypeId, Attributes, Entry, Schema, Timestamp};

use super::ledger::Ledger;
use super::logins::Logins;
use super::notice::Notice;
use super::one_time_code::OneTimeCode;
use super::scheme::StoredPassword;
use super::scram::ScramKeys;
use super::stale::StaleSource;

/// The password of an entry and its state. Read from its credentials, changed, and written back as a whole.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Account {
    /// The version of the credentials that it was read from; 0 if there were none.
    pub version: Version,
    /// `userPassword`: one value, or none.
    pub password: Option<StoredPassword>,
    /// `pwdScramSha256`: what SCRAM needs of the same password.
    pub scram_keys: Option<ScramKeys>,
    /// `pwdChangedTime`
    pub changed: Option<Timestamp>,
    /// `pwdHistory`, oldest first.
    pub history: Vec<Remembered>,
    /// `pwdReplaced`: the password before, where the policy has none remembered. It forbids nothing.
    pub replaced: Option<Remembered>,
    /// `pwdFailureTime`, oldest first.
    pub failures: Vec<Timestamp>,
    /// `pwdFailuresInARow`: how many different wrong passwords since the last right one, also those that no longer count.
    pub failures_in_a_row: u32,
    /// `pwdAccountLockedTime`, `pwdLockedBy`
    pub locked: Option<Lock>,
    /// `pwdGraceUseTime`, oldest first.
    pub grace_uses: Vec<Timestamp>,
    /// `pwdReset`: somebody else has set the password, and its owner must change it.
    pub must_change: bool,
    /// `pwdLastSuccess`, `pwdLastSuccessFrom`: the last bind that was let in.
    pub last_success: Option<Seen>,
    /// `pwdLastFailure`, `pwdLastFailureFrom`: the last time that a password was refused.
    pub last_failure: Option<Seen>,
    /// `pwdLoginHistory`: the last logins, where the policy has them kept.
    pub logins: Logins,
    /// `pwdStaleSource`: from where the password before is still sent, the latest last.
    pub stale: Vec<StaleSource>,
    /// `pwdCheckedAgainst`: the lists that the password was looked up in last, as a number.
    pub checked_against: Option<u64>,
    /// `pwdExpireNoticed`: what was told last of the end of the password.
    pub noticed: Option<Notice>,
    /// `pwdTemporaryValidFrom`: from when on a password that somebody else has set is good.
    pub temporary_from: Option<Timestamp>,
    /// `pwdTemporaryExpiry`: when a password that somebody else has set ends.
    pub temporary_until: Option<Timestamp>,
    /// `pwdTemporaryUses`: how many binds it is still good for.
    pub temporary_uses: Option<u32>,
    /// A code that the helpdesk has given out in the place of a forgotten password.
    pub code: Option<OneTimeCode>,
    /// `pwdLedger`: the last changes, and who made them.
    pub ledger: Ledger,
}

/// When something was seen, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// When.
    pub time: Timestamp,
    /// An address; empty if it is not known.
    pub source: Arc<str>,
}

/// Why and since when an account is locked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lock {
    /// Since that time, by wrong passwords; a policy may end it.
    Since(Timestamp),
    /// By so many wrong passwords in a row that only an administrator ends it: `000001010000Z`.
    Exhausted,
    /// By an administrator, who alone ends it: since that time, or `000001010000Z`.
    ByAdministrator(Option<Timestamp>),
}

/// A password that was used before (draft-behera §5.3.7).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remembered {
    /// When it was replaced.
    pub time: Timestamp,
    /// Its hash.
    pub password: StoredPassword,
}

/// The value of `pwdAccountLockedTime` that no duration ends (draft-behera §5.3.3).
const PERMANENT: &[u8] = b"000001010000Z";
/// The values of `pwdLockedBy`.
const FAILURES: &[u8] = b"failures";
const ADMINISTRATOR: &[u8] = b"administrator";
/// The syntax that `pwdHistory` names: octet string.
const HISTORY_SYNTAX: &str = "1.3.6.1.4.1.1466.115.121.1.40";

impl Account {
    /// Reads credentials; what cannot be read counts as absent.
    pub fn read(credentials: Option<&Credentials>, schema: &Schema) -> Self {
        credentials.map_or_else(Self::default, |credentials| Self {
            version: credentials.version,
            ..Self::from_entry(&credentials.entry, schema)
        })
    }

    /// Reads the attributes of credentials.
    pub fn from_entry(entry: &Entry, schema: &Schema) -> Self {
        let known = schema.known();
        let time = |id| entry.first(id).and_then(Timestamp::parse);
        let times = |id| sorted(entry.values(id).filter_map(Timestamp::parse).collect());
        let mut history: Vec<_> = entry.values(known.pwd_history).filter_map(Remembered::parse).collect();
        history.sort_by_key(|remembered| remembered.time);
        let mut stale: Vec<_> = entry.values(known.pwd_stale_source).filter_map(StaleSource::parse).collect();
        stale.sort_by_key(|place| place.last);
        Self {
            version: 0,
            password: entry.first(known.user_password).map(StoredPassword::new),
            scram_keys: entry.first(known.pwd_scram_sha256).and_then(ScramKeys::parse),
            // It is written without a fraction; another server may have written one.
            changed: time(known.pwd_changed_time).map(Timestamp::whole_seconds),
            history,
            replaced: entry.first(known.pwd_replaced).and_then(Remembered::parse),
            failures: times(known.pwd_failure_time),
            failures_in_a_row: entry
                .first_text(known.pwd_failures_in_a_row)
                .and_then(|text| text.parse().ok())
                .unwrap_or_default(),
            locked: entry
                .first(known.pwd_account_locked_time)
                .and_then(|value| Lock::read(value, entry.first(known.pwd_locked_by))),
            grace_uses: times(known.pwd_grace_use_time),
            must_change: entry.first(known.pwd_reset) == Some(b"TRUE"),
            last_success: Seen::read(entry, [known.pwd_last_success, known.pwd_last_success_from]),
            last_failure: Seen::read(entry, [known.pwd_last_failure, known.pwd_last_failure_from]),
            logins: Logins::read(entry, known.pwd_login_history),
            stale,
            checked_against: entry
                .first_text(known.pwd_checked_against)
                .and_then(|text| u64::from_str_radix(text, 16).ok()),
            noticed: entry.first(known.pwd_expire_noticed).and_then(Notice::parse),
            temporary_from: time(known.pwd_temporary_valid_from),
            temporary_until: time(known.pwd_temporary_expiry),
            temporary_uses: entry.first_text(known.pwd_temporary_uses).and_then(|text| text.parse().ok()),
            code: entry
                .first(known.pwd_reset_code)
                .zip(time(known.pwd_reset_code_expiry))
                .map(|(hash, until)| OneTimeCode { hash: StoredPassword::new(hash), until }),
            ledger: Ledger::read(entry, known.pwd_ledger),
        }
    }

    /// Writes it as the attributes of credentials.
    pub fn to_entry(&self, schema: &Schema) -> Entry {
        let known = schema.known();
        let mut attributes = Attributes::new();
        let text = |text: &dyn ToString| vec![text.to_string().into_bytes()];
        let precise = |times: &[Timestamp]| times.iter().map(|time| time.precise().to_string().into_bytes()).collect();
        // Of most there is nothing.
        let mut put = |id, values: Vec<Vec<u8>>| {
            if !values.is_empty() {
                attributes.set(id, values);
            }
        };
        put(known.user_password, self.password.iter().map(|password| password.expose().to_vec()).collect());
        put(known.pwd_scram_sha256, self.scram_keys.iter().map(ScramKeys::to_value).collect());
        put(known.pwd_changed_time, self.changed.iter().flat_map(|time| text(time)).collect());
        put(known.pwd_history, self.history.iter().map(Remembered::to_value).collect());
        put(known.pwd_replaced, self.replaced.iter().map(Remembered::to_value).collect());
        put(known.pwd_failure_time, precise(&self.failures));
        let in_a_row = (self.failures_in_a_row > 0).then_some(self.failures_in_a_row);
        put(known.pwd_failures_in_a_row, in_a_row.iter().flat_map(|number| text(number)).collect());
        put(known.pwd_account_locked_time, self.locked.into_iter().map(Lock::to_value).collect());
        put(known.pwd_locked_by, self.locked.into_iter().map(Lock::cause).collect());
        put(known.pwd_grace_use_time, precise(&self.grace_uses));
        put(known.pwd_reset, self.must_change.then(|| b"TRUE".to_vec()).into_iter().collect());
        for (seen, [time, source]) in [
            (&self.last_success, [known.pwd_last_success, known.pwd_last_success_from]),
            (&self.last_failure, [known.pwd_last_failure, known.pwd_last_failure_from]),
        ] {
            put(time, seen.iter().flat_map(|seen| text(&seen.time.precise())).collect());
            put(
                source,
                seen.iter().filter(|seen| !seen.source.is_empty()).flat_map(|seen| text(&seen.source)).collect(),
            );
        }
        put(known.pwd_login_history, self.logins.to_values());
        put(known.pwd_stale_source, self.stale.iter().map(StaleSource::to_value).collect());
        let checked_against = self.checked_against.map(|lists| format!("{lists:016x}").into_bytes());
        put(known.pwd_checked_against, checked_against.into_iter().collect());
        put(known.pwd_expire_noticed, self.noticed.into_iter().map(Notice::to_value).collect());
        put(known.pwd_temporary_valid_from, self.temporary_from.iter().flat_map(|time| text(time)).collect());
        put(known.pwd_temporary_expiry, self.temporary_until.iter().flat_map(|time| text(time)).collect());
        put(known.pwd_temporary_uses, self.temporary_uses.iter().flat_map(|uses| text(uses)).collect());
        put(known.pwd_reset_code, self.code.iter().map(|code| code.hash.expose().to_vec()).collect());
        put(known.pwd_reset_code_expiry, self.code.iter().flat_map(|code| text(&code.until)).collect());
        put(known.pwd_ledger, self.ledger.to_values());
        Entry::encode(&attributes, schema)
    }

    /// The password before, by which a device that still sends it is told from somebody who guesses.
    pub fn before(&self) -> Option<&Remembered> {
        self.history.last().or(self.replaced.as_ref())
    }

    /// What others may see of it: everything but the secrets, and scheme and cost in the place of the hash.
    pub fn to_public_entry(&self, schema: &Schema) -> Entry {
        let mut attributes = self.to_entry(schema).decode();
        for secret in schema.secret().iter() {
            attributes.remove(secret);
        }
        if let Some(password) = &self.password {
            attributes.set_one(schema.known().pwd_scheme, password.name());
            if let Some(cost) = password.cost() {
                attributes.set_one(schema.known().pwd_hash_cost, cost);
            }
        }
        Entry::encode(&attributes, schema)
    }
}

fn sorted(mut times: Vec<Timestamp>) -> Vec<Timestamp> {
    times.sort_unstable();
    times
}

impl Seen {
    /// Reads the time and the place.
    fn read(entry: &Entry, [time, source]: [AttributeTypeId; 2]) -> Option<Self> {
        let time = entry.first(time).and_then(Timestamp::parse)?;
        Some(Self { time, source: entry.first_text(source).unwrap_or_default().into() })
    }
}

impl Lock {
    /// Reads a value of `pwdAccountLockedTime` that an administrator sets.
    pub fn by_administrator(value: &[u8]) -> Option<Self> {
        Self::read(value, Some(ADMINISTRATOR))
    }

    /// Reads a value of `pwdAccountLockedTime` that comes from elsewhere, where nobody says what has brought it about: what
    /// no duration ends, somebody has wanted.
    pub fn brought_along(value: &[u8]) -> Option<Self> {
        Self::read(value, None)
    }

    fn read(value: &[u8], cause: Option<&[u8]>) -> Option<Self> {
        let by = |word: &[u8]| cause.is_some_and(|cause| cause.eq_ignore_ascii_case(word));
        if value == PERMANENT {
            return Some(if by(FAILURES) { Self::Exhausted } else { Self::ByAdministrator(None) });
        }
        let time = Timestamp::parse(value)?;
        Some(if by(ADMINISTRATOR) { Self::ByAdministrator(Some(time)) } else { Self::Since(time) })
    }

    /// Without a fraction, since sssd reads no other form.
    fn to_value(self) -> Vec<u8> {
        match self {
            Self::Exhausted | Self::ByAdministrator(None) => PERMANENT.to_vec(),
            Self::Since(time) | Self::ByAdministrator(Some(time)) => time.to_string().into_bytes(),
        }
    }

    fn cause(self) -> Vec<u8> {
        match self {
            Self::Since(_) | Self::Exhausted => FAILURES.to_vec(),
            Self::ByAdministrator(_) => ADMINISTRATOR.to_vec(),
        }
    }

    /// Whether an administrator has made it. Such a lock ends whatever the account was used for; one that wrong passwords
    /// have brought about does not, since then whoever guesses could throw people out.
    pub const fn is_by_administrator(self) -> bool {
        matches!(self, Self::ByAdministrator(_))
    }

    /// Whether a new password leaves it as it is, so that it takes the right to unlock to end it. A lock that wrong passwords
    /// have brought about for a time, or until a reset, ends by one.
    pub const fn outlasts_reset(self) -> bool {
        matches!(self, Self::ByAdministrator(_) | Self::Exhausted)
    }
}

impl Remembered {
    /// Reads a value of `pwdHistory`: `time#syntax#length#data`.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let mut fields = value.splitn(4, |octet| *octet == b'#');
        let time = Timestamp::parse(fields.next()?)?;
        let (_syntax, length) = (fields.next()?, fields.next()?);
        let data = fields.next()?;
        let length: usize = std::str::from_utf8(length).ok()?.parse().ok()?;
        (data.len() == length).then(|| Self { time, password: StoredPassword::new(data) })
    }

    /// Writes it as a value of `pwdHistory`.
    pub fn to_value(&self) -> Vec<u8> {
        let hash = self.password.expose();
        let mut value = format!("{}#{HISTORY_SYNTAX}#{}#", self.time.precise(), hash.len()).into_bytes();
        value.extend_from_slice(hash);
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::logins::{Login, NewLogins};

    fn sample_logins() -> Logins {
        let time = Timestamp::from_unix_micros(13_000_000);
        let login = Login { time, method: "PLAIN".into(), source: "10.2.3.6".into() };
        let mut logins = Logins::default();
        logins.add(&NewLogins { kept: 9, logins: vec![login] });
        logins
    }

    fn sample() -> Account {
        let time = |seconds: i64| Timestamp::from_unix_micros(seconds * 1_000_000);
        Account {
            version: 0,
            password: Some(StoredPassword::new(b"{SSHA}abc")),
            scram_keys: Some(ScramKeys::of_nobody(&[1; 32], b"a", 4096)),
            changed: Some(time(10)),
            history: vec![Remembered { time: time(5), password: StoredPassword::new(b"{SSHA}d#e") }],
            failures: vec![Timestamp::from_unix_micros(1), Timestamp::from_unix_micros(2)],
            replaced: Some(Remembered { time: time(4), password: StoredPassword::new(b"{SSHA}x") }),
            failures_in_a_row: 12,
            locked: Some(Lock::Since(time(30))),
            grace_uses: vec![Timestamp::from_unix_micros(7)],
            must_change: true,
            checked_against: Some(7),
            noticed: Some(Notice { end: time(90), before: std::time::Duration::from_secs(30) }),
            last_success: Some(Seen { time: Timestamp::from_unix_micros(9), source: "10.2.3.4".into() }),
            last_failure: Some(Seen { time: time(11), source: "".into() }),
            logins: sample_logins(),
            stale: vec![StaleSource { source: "10.2.3.5".into(), count: 3, last: time(12) }],
            temporary_from: Some(time(35)),
            temporary_until: Some(time(40)),
            temporary_uses: Some(1),
            code: Some(OneTimeCode { hash: StoredPassword::new(b"{SSHA}ghi"), until: time(50) }),
            ledger: Ledger::default(),
        }
    }

    /// Otherwise the password would seem to be another one when the account is next written.
    #[test]
    fn a_fraction_of_the_second_in_which_a_password_was_set_is_no_matter() {
        let schema = Schema::standard();
        let mut attributes = Attributes::new();
        attributes.set_one(schema.known().pwd_changed_time, "20240302000000.123Z");
        let account = Account::from_entry(&Entry::encode(&attributes, &schema), &schema);
        assert_eq!(Account::from_entry(&account.to_entry(&schema), &schema).changed, account.changed);
    }

    #[test]
    fn writing_and_reading_are_inverse() {
        let schema = Schema::standard();
        let by_administrator = Lock::ByAdministrator(Some(Timestamp::from_unix_micros(30_000_000)));
        for lock in [Lock::Exhausted, Lock::ByAdministrator(None), by_administrator] {
            let account = Account { locked: Some(lock), ..sample() };
            assert_eq!(Account::from_entry(&account.to_entry(&schema), &schema), account);
        }
        for account in [sample(), Account::default()] {
            assert_eq!(Account::from_entry(&account.to_entry(&schema), &schema), account);
        }
    }

    #[test]
    fn a_lock_without_a_cause_is_what_other_servers_mean_by_it() {
        assert_eq!(Lock::brought_along(b"000001010000Z"), Some(Lock::ByAdministrator(None)));
        let time = Timestamp::parse(b"20260601120000Z").unwrap();
        assert_eq!(Lock::brought_along(b"20260601120000Z"), Some(Lock::Since(time)));
        assert_eq!(Lock::by_administrator(b"20260601120000Z"), Some(Lock::ByAdministrator(Some(time))));
        assert_eq!(Lock::read(b"20260601120000Z", Some(b"nobody")), Some(Lock::Since(time)));
        assert_eq!(Lock::by_administrator(b"soon"), None);
    }

    #[test]
    fn sssd_can_read_the_times() {
        let schema = Schema::standard();
        let entry = sample().to_entry(&schema);
        let known = schema.known();
        assert_eq!(entry.first(known.pwd_account_locked_time), Some(&b"19700101000030Z"[..]));
        assert_eq!(entry.first(known.pwd_failure_time), Some(&b"19700101000000.000001Z"[..]));
        for lock in [Lock::Exhausted, Lock::ByAdministrator(None)] {
            let permanent = Account { locked: Some(lock), ..Account::default() }.to_entry(&schema);
            assert_eq!(permanent.first(known.pwd_account_locked_time), Some(&b"000001010000Z"[..]));
        }
        let lock = Lock::ByAdministrator(Some(Timestamp::from_unix_micros(30_500_000)));
        let by_hand = Account { locked: Some(lock), ..Account::default() }.to_entry(&schema);
        assert_eq!(by_hand.first(known.pwd_account_locked_time), Some(&b"19700101000030Z"[..]));
    }

    #[test]
    fn what_others_see_holds_no_hash() {
        let schema = Schema::standard();
        let public = sample().to_public_entry(&schema);
        let known = schema.known();
        let secrets = [known.user_password, known.pwd_history, known.pwd_replaced, known.pwd_scram_sha256];
        assert!(!secrets.iter().any(|id| public.has(*id)));
        assert_eq!(public.first(schema.known().pwd_scheme), Some(&b"unusable"[..]));
        let printed: Vec<u8> = public.octets().to_vec();
        assert!(!printed.windows(5).any(|window| window == b"{SSHA"));
    }
}
