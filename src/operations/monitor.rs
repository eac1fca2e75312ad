//! What a server tells of itself while it runs, as entries below `cn=monitor`: named as OpenLDAP names them, so that what
//! watches over that server finds its numbers here. Nobody sees them whom no access rule lets see them.

use std::fmt;

use crate::directory::tree::TreeError;
use crate::directory::{Attributes, Dn, Entry, ResultCode, Schema, Timestamp};
use crate::protocol::Operation;

use super::Context;
use super::root_dse::NAME_AND_VERSION;

/// The name below which the entries stand.
pub(super) const MONITOR: &str = "cn=Monitor";

/// The entry above what the store tells.
const STORE: &str = "cn=Store,cn=Monitor";

/// Knows how the server is doing.
pub trait Monitor: fmt::Debug + Send + Sync {
    /// How it is doing now.
    fn readings(&self) -> Readings;

    /// The connections whose numbers follow `after`, in order: at most `limit`.
    fn connections_after(&self, after: u64, limit: usize) -> Vec<Connected>;
}

/// How a server is doing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Readings {
    /// Since when it runs.
    pub started: Timestamp,
    /// The connections.
    pub connections: Connections,
    /// Operations of each kind.
    pub operations: Vec<Operations>,
    /// How operations ended, and how many so.
    pub results: Vec<(ResultCode, u64)>,
    /// Entries that searches have sent.
    pub entries_sent: u64,
    /// Octets that were sent.
    pub octets_sent: u64,
    /// Octets that were received.
    pub octets_received: u64,
    /// Numbers of parts of the server.
    pub parts: Vec<Part>,
    /// Why the store takes no changes any more, in a sentence; absent while it does.
    pub store_failure: Option<String>,
    /// Access rules that are out of force since they would break an assertion, each in a sentence.
    pub withheld: Vec<String>,
}

/// How many connections there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Connections {
    /// That are open.
    pub current: u64,
    /// That were opened.
    pub total: u64,
    /// That may be open.
    pub most: u64,
}

/// Operations of one kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Operations {
    /// The kind.
    pub operation: Operation,
    /// How many have begun.
    pub initiated: u64,
    /// How many have been answered, or need no answer.
    pub completed: u64,
}

/// Numbers of a part of the server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// Its name.
    pub name: &'static str,
    /// What it tells, and how much.
    pub numbers: Vec<(&'static str, u64)>,
}

/// Somebody who is connected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Connected {
    /// The number of the connection.
    pub number: u64,
    /// Where it comes from.
    pub from: String,
    /// Since when.
    pub since: Timestamp,
    /// The name of whoever it belongs to; empty for somebody who has not authenticated.
    pub who: String,
}

/// Knows nothing: there is no server.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Monitor for Unwatched {
    fn readings(&self) -> Readings {
        Readings::default()
    }

    fn connections_after(&self, _: u64, _: usize) -> Vec<Connected> {
        Vec::new()
    }
}

/// Whether somebody may know that a server tells of itself.
pub(super) fn is_visible(ctx: &Context<'_>) -> Result<bool, TreeError> {
    let Ok(dn) = Dn::parse(ctx.schema(), MONITOR) else { return Ok(false) };
    let top = Made::new(MONITOR, "monitorServer").entry(ctx.schema()).1;
    Ok(ctx.decider().decide_new(&dn, &top)?.is_visible())
}

/// The entries, but for those of connections.
pub(super) fn entries(readings: &Readings, now: Timestamp, schema: &Schema) -> Vec<(String, Entry)> {
    let total = |count: fn(&Operations) -> u64| readings.operations.iter().map(count).sum::<u64>();
    let (initiated, completed) = (total(|kind| kind.initiated), total(|kind| kind.completed));
    let Connections { current, total, most } = readings.connections;
    let mut made = vec![
        Made::new(MONITOR, "monitorServer")
            .with("monitoredInfo", NAME_AND_VERSION)
            .with("currentConnections", current)
            .with("totalConnections", total)
            .with("opsInitiated", initiated)
            .with("opsCompleted", completed)
            .with("entriesSent", readings.entries_sent)
            .with("bytesSent", readings.octets_sent)
            .with("startTime", readings.started)
            .with("currentTime", now),
        Made::below(MONITOR, "Version", "monitoredObject").with("monitoredInfo", NAME_AND_VERSION),
    ];
    made.extend(counters("Connections", &[("Current", current), ("Total", total), ("Most", most)]));
    let operations = Made::below(MONITOR, "Operations", "monitorContainer").counting(initiated, completed);
    let kinds = readings.operations.iter().map(|kind| {
        Made::below(&operations.name, word(kind.operation), "monitorOperation").counting(kind.initiated, kind.completed)
    });
    let kinds: Vec<Made> = kinds.collect();
    made.push(operations);
    made.extend(kinds);
    let results: Vec<_> = readings.results.iter().map(|(code, count)| (code.name(), *count)).collect();
    made.extend(counters("Results", &results));
    let sent = [
        ("Entries", readings.entries_sent),
        ("Bytes", readings.octets_sent),
        ("Bytes Received", readings.octets_received),
    ];
    made.extend(counters("Statistics", &sent));
    made.extend(readings.parts.iter().flat_map(|part| counters(part.name, &part.numbers)));
    if let (Some(failure), Some(store)) = (&readings.store_failure, made.iter_mut().find(|made| made.name == STORE)) {
        *store = store.clone().with("monitoredInfo", failure);
    }
    made.extend(access(&readings.withheld));
    made.extend(times(readings.started, now));
    made.iter().map(|made| made.entry(schema)).collect()
}

/// A connection as an entry.
pub(super) fn connection(connected: &Connected, schema: &Schema) -> (String, Entry) {
    let name = format!("Connection {}", connected.number);
    let made = Made::below(&connections(), &name, "monitorConnection")
        .with("monitorConnectionNumber", connected.number)
        .with("monitorConnectionPeerAddress", &connected.from)
        .with("monitorConnectionStartTime", connected.since);
    if connected.who.is_empty() { made } else { made.with("monitorConnectionAuthzDN", &connected.who) }.entry(schema)
}

/// The name below which connections stand.
pub(super) fn connections() -> String {
    format!("cn=Connections,{MONITOR}")
}

/// The number of the connection of that name.
pub(super) fn number_of(dn: &Dn) -> Option<u64> {
    let (rdn, _) = dn.rdns().next()?;
    let (_, value) = rdn.split_once('=')?;
    let (word, number) = value.split_once(' ')?;
    number.parse().ok().filter(|_| word.eq_ignore_ascii_case("Connection"))
}

/// A container, and a counter below it for each number.
fn counters(name: &str, numbers: &[(&str, u64)]) -> Vec<Made> {
    let container = Made::below(MONITOR, name, "monitorContainer");
    let below = |(name, number): &(&str, u64)| {
        Made::below(&container.name, name, "monitorCounterObject").with("monitorCounter", number)
    };
    let counters: Vec<Made> = numbers.iter().map(below).collect();
    [vec![container], counters].concat()
}

/// The rules that are out of force: how many, and why.
fn access(withheld: &[String]) -> Vec<Made> {
    let mut made = counters("Access", &[("Rules out of Force", withheld.len() as u64)]);
    if let Some(counter) = made.pop() {
        made.push(withheld.iter().fold(counter, |made, told| made.with("monitoredInfo", told)));
    }
    made
}

fn times(started: Timestamp, now: Timestamp) -> Vec<Made> {
    let container = Made::below(MONITOR, "Time", "monitorContainer");
    let uptime = now.unix_micros().saturating_sub(started.unix_micros()) / 1_000_000;
    let below =
        |name, attribute, value: String| Made::below(&container.name, name, "monitoredObject").with(attribute, value);
    let start = below("Start", "monitorTimestamp", started.to_string());
    let current = below("Current", "monitorTimestamp", now.to_string());
    let uptime = below("Uptime", "monitoredInfo", uptime.to_string());
    vec![container, start, current, uptime]
}

/// What OpenLDAP calls the operation.
const fn word(operation: Operation) -> &'static str {
    match operation {
        Operation::Bind => "Bind",
        Operation::Unbind => "Unbind",
        Operation::Search => "Search",
        Operation::Modify => "Modify",
        Operation::Add => "Add",
        Operation::Delete => "Delete",
        Operation::ModifyDn => "Modrdn",
        Operation::Compare => "Compare",
        Operation::Abandon => "Abandon",
        Operation::Extended => "Extended",
    }
}

/// An entry that is being made.
#[derive(Clone)]
struct Made {
    name: String,
    attributes: Vec<(&'static str, String)>,
}

impl Made {
    fn new(name: &str, class: &'static str) -> Self {
        let own = name.split(',').next().and_then(|rdn| rdn.split_once('=')).map_or("", |(_, value)| value);
        let classes = ["top", "monitor", class].map(|class| ("objectClass", class.to_owned()));
        let mut attributes = classes.to_vec();
        attributes.push(("cn", own.to_owned()));
        attributes.push(("entryDN", name.to_owned()));
        attributes.push(("structuralObjectClass", class.to_owned()));
        Self { name: name.to_owned(), attributes }
    }

    fn below(above: &str, name: &str, class: &'static str) -> Self {
        Self::new(&format!("cn={name},{above}"), class)
    }

    fn with(mut self, attribute: &'static str, value: impl fmt::Display) -> Self {
        self.attributes.push((attribute, value.to_string()));
        self
    }

    fn counting(self, initiated: u64, completed: u64) -> Self {
        self.with("monitorOpInitiated", initiated).with("monitorOpCompleted", completed)
    }

    fn entry(&self, schema: &Schema) -> (String, Entry) {
        let mut attributes = Attributes::new();
        for (name, value) in &self.attributes {
            let Some(description) = schema.describe(name) else { continue };
            attributes.values_mut(&description).push(value.as_bytes().to_vec());
        }
        (self.name.clone(), Entry::encode(&attributes, schema))
    }
}
