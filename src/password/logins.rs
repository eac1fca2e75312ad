//! The last logins of an account, `pwdLoginHistory`: when, by what and from where, for its owner to see. One that somebody else
//! has made is seen there at once.
//!
//! ```text
//! 20260601120000Z#simple#10.2.3.4
//! ```
//!
//! One from the same place by the same method a little later is the same login, so that an application that binds all day
//! pushes nothing out.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::lines::Lines;
use crate::directory::{AttributeTypeId, Entry, Timestamp};

/// So many are kept at most, whatever a policy says.
pub const MOST: usize = 50;

/// The last logins of an account.
#[derive(Clone, Default)]
pub struct Logins {
    lines: Lines,
    /// How many are kept, once that is known.
    kept: Option<usize>,
}

/// That somebody was let in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Login {
    /// When.
    pub time: Timestamp,
    /// By what: `simple`, the name of a SASL mechanism, or `compare`.
    pub method: Cow<'static, str>,
    /// From where: an address.
    pub source: Arc<str>,
}

/// Logins that are to be added.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewLogins {
    /// How many are kept; none of what there was, if it is none.
    pub kept: usize,
    /// Those since, oldest first; no more than are kept.
    pub logins: Vec<Login>,
}

impl Logins {
    /// Reads the attribute of credentials.
    pub fn read(entry: &Entry, attribute_type: AttributeTypeId) -> Self {
        Self { lines: Lines::read(entry, attribute_type), kept: None }
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        matches!(self.kept, Some(0)) || self.lines.is_empty()
    }

    /// What there is to add of a login: nothing, if it is one of those that are told; one from the same place by the same method
    /// within `precision` is.
    pub fn news(&self, login: Login, kept: usize, precision: Duration) -> Option<NewLogins> {
        let is_same = |told: &Login| {
            told.method == login.method
                && told.source == login.source
                && login.time < told.time.saturating_add(precision)
        };
        if kept == 0 {
            return (!self.is_empty()).then_some(NewLogins { kept, logins: Vec::new() });
        }
        if self.iter().any(|told| is_same(&told)) {
            return None;
        }
        Some(NewLogins { kept, logins: vec![login] })
    }

    /// Adds what is new; what is told already is not told twice.
    pub fn add(&mut self, new: &NewLogins) {
        self.kept = Some(new.kept);
        for line in new.logins.iter().map(Login::to_line) {
            if !self.lines.all().contains(&line.as_str()) {
                self.lines.add(line);
            }
        }
    }

    /// Those that are kept, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Login> {
        self.told().into_iter().filter_map(Login::read)
    }

    /// The values of the attribute, oldest first.
    pub fn to_values(&self) -> Vec<Vec<u8>> {
        if self.is_empty() {
            return Vec::new();
        }
        self.told().into_iter().map(|line| line.as_bytes().to_vec()).collect()
    }

    fn told(&self) -> Vec<&str> {
        let mut lines = self.lines.all();
        let left_out = lines.len().saturating_sub(self.kept.unwrap_or(MOST));
        lines.drain(..left_out);
        lines
    }
}

impl NewLogins {
    /// Those of later, too.
    pub(super) fn add(&mut self, later: Self) {
        self.kept = later.kept;
        self.logins.extend(later.logins);
        let left_out = self.logins.len().saturating_sub(self.kept);
        self.logins.drain(..left_out);
    }
}

impl Login {
    /// Reads `TIME#METHOD#SOURCE`.
    fn read(line: &str) -> Option<Self> {
        let mut fields = line.splitn(3, '#');
        let time = Timestamp::parse(fields.next()?.as_bytes())?;
        let method = fields.next()?.to_owned().into();
        Some(Self { time, method, source: fields.next()?.into() })
    }

    fn to_line(&self) -> String {
        format!("{}#{}#{}", self.time, self.method, self.source)
    }
}

impl PartialEq for Logins {
    fn eq(&self, other: &Self) -> bool {
        self.to_values() == other.to_values()
    }
}

impl Eq for Logins {}

impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.told()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::{Attributes, Schema};

    const HOUR: Duration = Duration::from_secs(3_600);

    fn login(seconds: i64, source: &str) -> Login {
        let time = Timestamp::from_unix_micros(seconds * 1_000_000);
        Login { time, method: "simple".into(), source: source.into() }
    }

    fn stored(logins: &Logins) -> Logins {
        let schema = Schema::standard();
        let id = schema.known().pwd_login_history;
        let mut attributes = Attributes::new();
        if !logins.is_empty() {
            attributes.set(id, logins.to_values());
        }
        Logins::read(&Entry::encode(&attributes, &schema), id)
    }

    /// Logs in, and says how many are told then.
    fn enter(logins: &mut Logins, login: Login, kept: usize) -> usize {
        if let Some(new) = logins.news(login, kept, HOUR) {
            logins.add(&new);
        }
        *logins = stored(logins);
        logins.iter().count()
    }

    #[test]
    fn the_last_are_kept_oldest_first() {
        let mut logins = Logins::default();
        for number in 0..10 {
            enter(&mut logins, login(number, &format!("10.0.0.{number}")), 3);
        }
        let told: Vec<String> = logins.iter().map(|login| login.to_line()).collect();
        assert_eq!(
            told,
            ["19700101000007Z#simple#10.0.0.7", "19700101000008Z#simple#10.0.0.8", "19700101000009Z#simple#10.0.0.9"]
        );
        // A policy that keeps fewer, or none any more.
        assert_eq!(enter(&mut logins, login(10, "10.0.0.10"), 2), 2);
        assert_eq!((enter(&mut logins, login(11, "10.0.0.11"), 0), logins.is_empty()), (0, true));
    }

    #[test]
    fn one_from_the_same_place_by_the_same_method_within_the_precision_is_the_same() {
        let mut logins = Logins::default();
        assert_eq!(enter(&mut logins, login(0, "a"), 9), 1);
        assert_eq!(enter(&mut logins, login(3_599, "a"), 9), 1);
        assert_eq!(enter(&mut logins, login(3_599, "b"), 9), 2);
        assert_eq!(enter(&mut logins, Login { method: "PLAIN".into(), ..login(3_599, "a") }, 9), 3);
        assert_eq!(enter(&mut logins, login(3_600, "a"), 9), 4);
    }

    #[test]
    fn what_is_added_twice_is_told_once() {
        let mut logins = Logins::default();
        let new = NewLogins { kept: 3, logins: vec![login(1, "a"), login(2, "a")] };
        logins.add(&new);
        logins = stored(&logins);
        logins.add(&new);
        assert_eq!(logins.iter().collect::<Vec<_>>(), new.logins);
    }

    #[test]
    fn writing_and_reading_are_inverse() {
        for source in ["10.2.3.4", "2001:db8::1", "local uid 1000", "with # inside", ""] {
            let login = login(100, source);
            assert_eq!(Login::read(&login.to_line()), Some(login));
        }
        for nonsense in ["", "#", "19700101000000Z#simple", "now#simple#a"] {
            assert_eq!(Login::read(nonsense), None, "{nonsense:?}");
        }
    }
}
