//! The ledger of an account, `pwdLedger`: the last changes of its password and who made them, for its owner to read. A reset
//! that nobody asked for is seen there at once.
//!
//! ```text
//! 20260601120000.000000Z reset; through password-modify; from 10.1.2.3; by uid=hanna,ou=people,dc=example,dc=com; reason ...
//! ```
//!
//! Only what somebody did who had proven who they are is in it. Whoever guesses passwords and locks an account by that must
//! not be able to push out a line that matters.

use std::time::Duration;

use super::lines::Lines;
use crate::directory::tree::{Event, EventKind};
use crate::directory::{AttributeTypeId, Entry, Timestamp};

/// The reason of a change for which a one-time code was given in the place of the old password.
pub const BY_CODE: &str = "by a one-time code";

/// So many changes are kept.
const KEPT: usize = 20;

/// The last changes of a password.
#[derive(Clone, Default)]
pub struct Ledger(Lines);

/// A line of the ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Done {
    /// When.
    pub time: Timestamp,
    /// What was done.
    pub kind: EventKind,
    /// The name of whoever did it.
    pub actor: String,
    /// What they have said of it, and how it came about.
    pub reason: String,
}

impl Done {
    /// Whether a one-time code was given in the place of the old password.
    pub fn is_by_code(&self) -> bool {
        self.reason.ends_with(BY_CODE)
    }
}

impl Ledger {
    /// Reads the attribute of credentials.
    pub fn read(entry: &Entry, attribute_type: AttributeTypeId) -> Self {
        Self(Lines::read(entry, attribute_type))
    }

    /// Adds what somebody did. Values of an attribute must differ, so the same twice in one moment is told as one after the
    /// other.
    pub fn add(&mut self, event: &Event) {
        let mut time = event.time;
        let mut line = line(event, time);
        while self.lines().contains(&line.as_str()) {
            time = time.saturating_add(Duration::from_micros(1));
            line = self::line(event, time);
        }
        self.0.add(line);
    }

    /// The values of the attribute, oldest first.
    pub fn to_values(&self) -> Vec<Vec<u8>> {
        let lines = self.lines();
        let left_out = lines.len().saturating_sub(KEPT);
        lines.into_iter().skip(left_out).map(|line| line.as_bytes().to_vec()).collect()
    }

    /// When and by whom the password was set last.
    pub fn last_set(&self) -> Option<Done> {
        self.last(&[EventKind::Set, EventKind::Changed, EventKind::Reset])
    }

    /// What was done last of these kinds.
    pub fn last(&self, kinds: &[EventKind]) -> Option<Done> {
        self.lines().into_iter().rev().filter_map(Done::read).find(|done| kinds.contains(&done.kind))
    }

    /// All that was done, oldest first.
    pub fn all(&self) -> Vec<Done> {
        self.lines().into_iter().filter_map(Done::read).collect()
    }

    /// Since when it is whole: what was done before may have been pushed out. `None` if it holds all that was ever done.
    pub fn whole_since(&self) -> Option<Timestamp> {
        let lines = self.lines();
        let oldest = lines.first().filter(|_| lines.len() >= KEPT)?;
        Some(Done::read(oldest).map_or(Timestamp::from_unix_micros(i64::MAX), |done| done.time))
    }

    /// All lines, oldest first.
    fn lines(&self) -> Vec<&str> {
        self.0.all()
    }
}

fn line(event: &Event, time: Timestamp) -> String {
    let Event { kind, means, source, actor, reason, .. } = event;
    let line = format!("{} {kind}; through {means}; from {source}; by {actor}", time.precise());
    if reason.is_empty() { line } else { line + "; reason " + reason }
}

impl Done {
    fn read(line: &str) -> Option<Self> {
        let (time, rest) = line.split_once(' ')?;
        let kind = EventKind::of_word(rest.split(';').next()?)?;
        let (_, rest) = rest.split_once("; by ")?;
        // In a name, a semicolon has a backslash in front of it (RFC 4514 §2.4).
        let is_end = |at: &usize| !rest.get(..*at).unwrap_or_default().ends_with('\\');
        let end = rest.match_indices("; reason ").map(|(at, _)| at).find(is_end);
        let actor = rest.get(..end.unwrap_or(rest.len()))?.to_owned();
        let reason = end.and_then(|end| rest.get(end..)?.strip_prefix("; reason ")).unwrap_or_default().to_owned();
        Some(Self { time: Timestamp::parse(time.as_bytes())?, kind, actor, reason })
    }
}

impl PartialEq for Ledger {
    fn eq(&self, other: &Self) -> bool {
        self.lines() == other.lines()
    }
}

impl Eq for Ledger {}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.lines()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::tree::{EventResult, Means};
    use crate::directory::{Attributes, Schema};

    fn event(seconds: i64, kind: EventKind) -> Event {
        Event {
            time: Timestamp::from_unix_micros(seconds * 1_000_000),
            kind,
            result: EventResult::Done,
            means: Means::Modify,
            actor: r"cn=by me\; reason or not,dc=example".into(),
            source: "10.2.3.4".into(),
            target: "uid=alice".into(),
            uuid: uuid::Uuid::nil(),
            policy: String::new(),
            reason: "asked; by telephone".into(),
            times: 1,
        }
    }

    fn stored(ledger: &Ledger) -> Ledger {
        let schema = Schema::standard();
        let id = schema.known().pwd_ledger;
        let mut attributes = Attributes::new();
        attributes.set(id, ledger.to_values());
        Ledger::read(&Entry::encode(&attributes, &schema), id)
    }

    #[test]
    fn a_line_says_when_what_how_from_where_by_whom_and_why() {
        let mut ledger = Ledger::default();
        ledger.add(&event(1, EventKind::Reset));
        let line = r"19700101000001.000000Z reset; through modify; from 10.2.3.4; by cn=by me\; reason or not,dc=example; reason asked; by telephone";
        assert_eq!(ledger.to_values(), [line.as_bytes()]);
        assert_eq!(stored(&ledger), ledger);
        assert_eq!(Ledger::read(&Entry::empty(), Schema::standard().known().pwd_ledger), Ledger::default());
    }

    #[test]
    fn the_same_twice_in_one_moment_is_two_lines() {
        let mut ledger = Ledger::default();
        for _ in 0..3 {
            ledger.add(&event(1, EventKind::Unlocked));
        }
        let lines: Vec<_> = ledger.to_values().into_iter().map(|line| line.get(..21).unwrap().to_vec()).collect();
        assert_eq!(lines, [b"19700101000001.000000", b"19700101000001.000001", b"19700101000001.000002"]);
    }

    #[test]
    fn the_last_twenty_are_kept() {
        let mut ledger = Ledger::default();
        for second in 0..50 {
            ledger.add(&event(second, EventKind::Unlocked));
            ledger = stored(&ledger);
        }
        let values = ledger.to_values();
        assert_eq!(values.len(), KEPT);
        assert!(values.first().unwrap().starts_with(b"19700101000030.") && values.is_sorted());
    }

    #[test]
    fn it_tells_who_set_the_password_last() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.last_set(), None);
        for (second, kind) in [(1, EventKind::Set), (2, EventKind::Changed), (3, EventKind::Unlocked)] {
            ledger.add(&event(second, kind));
        }
        let last = stored(&ledger).last_set().unwrap();
        assert_eq!((last.time, last.kind), (Timestamp::from_unix_micros(2_000_000), EventKind::Changed));
        assert_eq!(
            (last.actor.as_str(), last.reason.as_str()),
            (event(0, EventKind::Set).actor.as_str(), "asked; by telephone")
        );
        let unlocked = stored(&ledger).last(&[EventKind::Locked, EventKind::Unlocked]).unwrap();
        assert_eq!((unlocked.kind, unlocked.time), (EventKind::Unlocked, Timestamp::from_unix_micros(3_000_000)));
        assert_eq!(ledger.last(&[EventKind::Locked]), None);
    }
}
