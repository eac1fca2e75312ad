//! `keystead events`

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValuesParser;
use uuid::Uuid;

use super::follow::{AT_ONCE, read_on, unreadable};
use super::json::{self, Json};
use super::uid::{entry_of_uid, is_uid};
use super::{CliError, open_store};
use crate::config::Config;
use crate::directory::tree::{Directory, Event, EventKind, EventResult, Recorded, Tree, TreeError};
use crate::directory::{Dn, Schema, Timestamp};
use crate::server::Clock;
use crate::store::{Existence, Store};

#[derive(Debug, Args)]
pub(super) struct EventsArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Only what happened to the password of this entry: a name or a uid.
    #[arg(long, value_name = "ENTRY")]
    of: Option<String>,
    /// Only what this one did: a name or a uid.
    #[arg(long, value_name = "ENTRY")]
    by: Option<String>,
    /// Only this.
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(EventKind::ALL.iter().map(|kind| kind.word())))]
    kind: Option<String>,
    /// Only since then: 20260601120000Z, or as long ago as 90s, 15m, 24h or 7d.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Write an object of JSON for each, for programs.
    #[arg(long)]
    json: bool,
    /// Go on with what happens from now on, until somebody ends this.
    #[arg(long)]
    follow: bool,
}

/// Events may be recorded so much later than they happened.
const LATE: Duration = Duration::from_secs(120);

pub(super) fn run(args: &EventsArgs) -> Result<(), CliError> {
    let config = Config::read(&args.config)?;
    let store = open_store(&config, Existence::ReadOnly)?;
    let wanted = Wanted::read(args, &store)?;
    let mut after = match wanted.since {
        Some(since) => store.last_event_before(since.saturating_sub(LATE)).map_err(|error| unreadable(&error))?,
        None => 0,
    };
    let next = || {
        let events = store.events_after(after, AT_ONCE)?;
        after = events.last().map_or(after, |last| last.sequence);
        Ok::<_, TreeError>(events)
    };
    read_on(&store, args.follow.into(), next, |events: &[Recorded]| write(events, &wanted, args))
}

fn write(events: &[Recorded], wanted: &Wanted<'_>, args: &EventsArgs) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for recorded in events.iter().filter(|recorded| wanted.matches(&recorded.event)) {
        let line = if args.json { as_json(recorded) } else { in_words(&recorded.event) };
        writeln!(out, "{line}")?;
    }
    out.flush()
}

/// Which events are wanted.
struct Wanted<'a> {
    schema: std::sync::Arc<Schema>,
    of: Option<(Dn, Option<Uuid>)>,
    by: Option<Dn>,
    kind: Option<&'a str>,
    since: Option<Timestamp>,
}

impl<'a> Wanted<'a> {
    fn read(args: &'a EventsArgs, store: &Store) -> Result<Self, CliError> {
        let view = store.view();
        let name = |text: &String| named(text, &view);
        let of = match &args.of {
            Some(text) => {
                let dn = name(text)?;
                // Whoever is called so now may have had another name.
                let node = view.find(&dn).ok().and_then(|found| view.node(found.entry()?).ok()?);
                Some((dn, node.map(|node| node.uuid)))
            }
            None => None,
        };
        Ok(Self {
            schema: std::sync::Arc::clone(view.schema()),
            of,
            by: args.by.as_ref().map(name).transpose()?,
            kind: args.kind.as_deref(),
            since: args.since.as_deref().map(since).transpose()?,
        })
    }

    fn matches(&self, event: &Event) -> bool {
        let is = |text: &str, dn: &Dn| Dn::parse(&self.schema, text).is_ok_and(|name| name == *dn);
        self.kind.is_none_or(|kind| kind == event.kind.word())
            && self.since.is_none_or(|since| event.time >= since)
            && self.of.as_ref().is_none_or(|(dn, uuid)| *uuid == Some(event.uuid) || is(&event.target, dn))
            && self.by.as_ref().is_none_or(|dn| is(&event.actor, dn))
    }
}

/// The name that somebody means by it or by a uid. Whoever is deleted has a name, too.
fn named(text: &str, tree: &dyn Tree) -> Result<Dn, CliError> {
    match Dn::parse(tree.schema(), text) {
        Err(_) if is_uid(text) => {
            let missing = || CliError::Message(format!("there is no entry with the uid {text:?}; give the whole name"));
            let id = entry_of_uid(text, tree)?.ok_or_else(missing)?;
            let dn = tree.dn(id).map_err(|error| CliError::Message(format!("the store cannot be read: {error}")))?;
            dn.map(|dn| (*dn).clone()).ok_or_else(missing)
        }
        read => read.map_err(|error| CliError::Message(format!("{text:?}: {error}"))),
    }
}

/// A point in time, or how long ago.
fn since(text: &str) -> Result<Timestamp, CliError> {
    let wrong = || CliError::Message(format!("{text:?} is no time such as 20260601120000Z, 90s, 15m, 24h or 7d"));
    if let Some(time) = Timestamp::parse(text.as_bytes()) {
        return Ok(time);
    }
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3_600,
        Some('d') => 86_400,
        _ => return Err(wrong()),
    };
    let number: u32 = text.get(..text.len() - 1).and_then(|number| number.parse().ok()).ok_or_else(wrong)?;
    Ok(Clock::default().now().saturating_sub(Duration::from_secs(u64::from(number) * unit)))
}

fn in_words(event: &Event) -> String {
    let Event { time, kind, means, .. } = event;
    let mut line = format!("{time} {kind}");
    let mut say = |before: &str, text: &str| {
        if !text.is_empty() {
            line.push_str(before);
            line.extend(text.chars().filter(|character| !character.is_control()));
        }
    };
    say(" ", if event.result == EventResult::Refused { "refused" } else { "" });
    say(" of ", &event.target);
    say(" by ", &event.actor);
    say(" from ", &event.source);
    say(" through ", means.word());
    say(": ", &event.reason);
    if event.times > 1 {
        say(" ", &format!("({} times)", event.times));
    }
    line
}

fn as_json(recorded: &Recorded) -> String {
    let Recorded { sequence, event } = recorded;
    json::object(&[
        ("sequence", Json::Number(*sequence)),
        ("time", Json::Text(&event.time.precise().to_string())),
        ("kind", Json::Text(event.kind.word())),
        ("result", Json::Text(event.result.word())),
        ("means", Json::Text(event.means.word())),
        ("actor", Json::Text(&event.actor)),
        ("source", Json::Text(&event.source)),
        ("target", Json::Text(&event.target)),
        ("uuid", Json::Text(&event.uuid.to_string())),
        ("policy", Json::Text(&event.policy)),
        ("reason", Json::Text(&event.reason)),
        ("times", Json::Number(u64::from(event.times))),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_say_them() {
        assert_eq!(since("20260601120000Z").unwrap(), Timestamp::parse(b"20260601120000Z").unwrap());
        let ago = Clock::default().now().since(since("2h").unwrap()).as_secs();
        assert!((7_199..=7_201).contains(&ago), "{ago}");
        for wrong in ["", "h", "2 h", "-2h", "2w", "yesterday", "99999999999d", "é"] {
            assert!(since(wrong).is_err(), "{wrong}");
        }
    }
}
