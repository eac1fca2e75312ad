//! The ledger of an account, `pwdLedger`: the last changes of its password and who made them, for its owner to read. A reset
//! that nobody asked for is seen there at once.
//!
//! ```text
//! 20260601120000.000000Z reset; through password-modify; from 10.1.2.3; by uid=hanna,ou=people,dc=example,dc=com; \
//!     entryUUID 5c0e6d5c-...; reason ...
//! ```
//!
//! A name may be that of somebody else tomorrow, so the `entryUUID` stands beside it; where somebody acted as them, theirs follows
//! behind ` by `. Lines of before that was kept have none.
//!
//! Only what somebody did who had proven who they are is in it. Whoever guesses passwords and locks an account by that must
//! not be able to push out a line that matters.

use std::time::Duration;

use uuid::Uuid;

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
    /// Who that is, whatever they are called by now, and who has acted as them; empty where it is the server, the superuser of the
    /// machine, or not known.
    pub hands: Vec<Uuid>,
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

    /// Adds what somebody did: whoever it is, and whoever acted as them. Values of an attribute must differ, so the same twice in
    /// one moment is told as one after the other.
    pub fn add(&mut self, event: &Event, hands: &[Uuid]) {
        let mut time = event.time;
        let mut line = line(event, hands, time);
        while self.lines().contains(&line.as_str()) {
            time = time.saturating_add(Duration::from_micros(1));
            line = self::line(event, hands, time);
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

fn line(event: &Event, hands: &[Uuid], time: Timestamp) -> String {
    let Event { kind, means, source, actor, reason, .. } = event;
    let mut line = format!("{} {kind}; through {means}; from {source}; by {actor}", time.precise());
    // What the server does itself is nobody's.
    if !hands.is_empty() && !actor.is_empty() {
        line += HANDS;
        line += &hands.iter().map(Uuid::to_string).collect::<Vec<_>>().join(BY);
    }
    if reason.is_empty() { line } else { line + REASON + reason }
}

/// What stands in front of who they are.
const HANDS: &str = "; entryUUID ";
/// What stands between those who acted as each other.
const BY: &str = " by ";
/// What stands in front of the reason.
const REASON: &str = "; reason ";

impl Done {
    fn read(line: &str) -> Option<Self> {
        let (time, rest) = line.split_once(' ')?;
        let kind = EventKind::of_word(rest.split(';').next()?)?;
        let (_, rest) = rest.split_once("; by ")?;
        // In a name, a semicolon has a backslash in front of it (RFC 4514 §2.4).
        let is_end = |at: &usize| !rest.get(..*at).unwrap_or_default().ends_with('\\');
        let end = rest.match_indices("; ").map(|(at, _)| at).find(is_end).unwrap_or(rest.len());
        let (actor, rest) = rest.split_at_checked(end)?;
        let (hands, rest) = match rest.strip_prefix(HANDS) {
            Some(rest) => {
                let (hands, _) = rest.split_once(';').unwrap_or((rest, ""));
                (hands, rest.get(hands.len()..)?)
            }
            None => ("", rest),
        };
        Some(Self {
            time: Timestamp::parse(time.as_bytes())?,
            kind,
            actor: actor.to_owned(),
            hands: hands.split(BY).filter_map(|hand| Uuid::try_parse(hand).ok()).collect(),
            reason: rest.strip_prefix(REASON).unwrap_or_default().to_owned(),
        })
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
            uuid: Uuid::nil(),
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
        ledger.add(&event(1, EventKind::Reset), &[]);
        let line = r"19700101000001.000000Z reset; through modify; from 10.2.3.4; by cn=by me\; reason or not,dc=example; reason asked; by telephone";
        assert_eq!(ledger.to_values(), [line.as_bytes()]);
        assert_eq!(stored(&ledger), ledger);
        assert_eq!(Ledger::read(&Entry::empty(), Schema::standard().known().pwd_ledger), Ledger::default());
    }

    #[test]
    fn a_line_says_who_it_was_whatever_they_are_called_by_now() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        // A line of before that was kept ends where the name or the reason does.
        for hands in [vec![], vec![one], vec![one, other]] {
            for actor in
                [r"cn=by me\; entryUUID or not,dc=example", "cn=a by cn=b,dc=example", "uid=alice", r"cn=\; reason \;"]
            {
                for reason in ["", "asked; by telephone", "; entryUUID 1; by x; reason ", "asked for by uid=x"] {
                    let mut ledger = Ledger::default();
                    let event = Event { actor: actor.into(), reason: reason.into(), ..event(1, EventKind::Reset) };
                    ledger.add(&event, &hands);
                    let (time, kind) = (event.time, EventKind::Reset);
                    let done = Done { time, kind, actor: actor.into(), hands: hands.clone(), reason: reason.into() };
                    assert_eq!(stored(&ledger).all(), [done]);
                }
            }
        }
        let mut ledger = Ledger::default();
        ledger.add(&event(1, EventKind::Reset), &[one, other]);
        let line = String::from_utf8(ledger.to_values().concat()).unwrap();
        let who = r"dc=example; entryUUID 00000000-0000-0000-0000-000000000001 by 00000000-0000-0000-0000-000000000002; reason asked";
        assert!(line.contains(who), "{line}");
        // What the server does is nobody's.
        ledger.add(&Event { actor: String::new(), ..event(2, EventKind::Unlocked) }, &[one]);
        assert_eq!(ledger.last(&[EventKind::Unlocked]).unwrap().hands, Vec::<Uuid>::new());
    }

    #[test]
    fn the_same_twice_in_one_moment_is_two_lines() {
        let mut ledger = Ledger::default();
        for _ in 0..3 {
            ledger.add(&event(1, EventKind::Unlocked), &[]);
        }
        let lines: Vec<_> = ledger.to_values().into_iter().map(|line| line.get(..21).unwrap().to_vec()).collect();
        assert_eq!(lines, [b"19700101000001.000000", b"19700101000001.000001", b"19700101000001.000002"]);
    }

    #[test]
    fn the_last_twenty_are_kept() {
        let mut ledger = Ledger::default();
        for second in 0..50 {
            ledger.add(&event(second, EventKind::Unlocked), &[]);
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
            ledger.add(&event(second, kind), &[]);
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
