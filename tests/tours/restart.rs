//! Nothing that was acknowledged is lost, however the server ends.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex};
use std::time::Instant;

use crate::ber::{self, message};
use crate::client::Client;
use crate::server::{PATIENCE, SUFFIX, Server, full};
use crate::transactions;

/// So often the server is killed; `KEYSTEAD_KILLS` may ask for more.
const KILLS: usize = 25;

/// Cheap hashes, so that much is written in little time.
const CHEAP: &str = "\n[password]\nargon2_memory_kib = 64\nargon2_passes = 1\n";

/// Somebody who writes, remembers what was acknowledged, and looks whether it is there.
trait Writer: Send {
    /// Connects as whoever writes.
    fn connect(&self, server: &Server) -> Client;

    /// Makes one change; `None` if the server ended before it answered.
    fn write(&mut self, client: &mut Client) -> Option<()>;

    /// Asserts that everything is there that was acknowledged, and nothing that was never wanted. What was under way may be
    /// there or not, but whole.
    fn check(&mut self, server: &Server);

    /// Asserts that what is recorded agrees with that.
    fn check_record(&self, _: &Record) {}
}

/// What is recorded of passwords: the directory as LDIF, and the events.
struct Record {
    exported: String,
    events: Vec<serde_json::Value>,
}

impl Record {
    fn of(server: &Server) -> Self {
        let events = server.keystead("events", &["--json"]).ok().out;
        let events = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        // Long lines are folded.
        Self { exported: server.keystead("export", &[]).ok().out.replace("\n ", ""), events }
    }

    /// The values of an attribute of an entry.
    fn values(&self, dn: &str, name: &str) -> Vec<&str> {
        let start = format!("dn: {dn}\n");
        let entry = self.exported.split("\n\n").find(|entry| entry.contains(&start)).unwrap();
        let prefix = format!("{name}: ");
        entry.lines().filter_map(|line| line.strip_prefix(&prefix)).collect()
    }
}

/// Adds entries, and deletes every third again.
struct Adder {
    folder: String,
    next: usize,
    entries: BTreeMap<String, State>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Present,
    Absent,
    /// No answer came.
    Doubtful,
}

/// Replaces an indexed attribute of an entry by ever greater numbers.
struct Modifier {
    dn: String,
    sent: usize,
    acknowledged: usize,
}

/// Changes several entries together, in a transaction: each gets the same number, and one is added.
struct Settler {
    folder: String,
    sent: usize,
    acknowledged: usize,
}

/// How a password is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    /// By its owner, with the Password Modify operation.
    PasswordModify,
    /// By its owner, with a modify that deletes the old one and adds the new one.
    Modify,
    /// By an administrator, who need not know the old one.
    Reset,
}

impl Way {
    fn request(self, who: &str, old: &str, new: &str) -> Vec<u8> {
        match self {
            Self::PasswordModify => ber::password_modify(None, Some(old), Some(new)),
            Self::Modify => ber::exchange(&full(who), "userPassword", old, new),
            Self::Reset => ber::password_modify(Some(&full(who)), None, Some(new)),
        }
    }

    /// What is recorded of it: what was done, and through what.
    fn recorded(self) -> (&'static str, &'static str) {
        match self {
            Self::PasswordModify => ("changed", "password-modify"),
            Self::Modify => ("changed", "modify"),
            Self::Reset => ("reset", "password-modify"),
        }
    }
}

/// Sets somebody's password.
struct Changer {
    who: &'static str,
    way: Way,
    password: String,
    /// Sent, and not answered.
    doubtful: Option<String>,
    count: usize,
    /// How often it was changed, for all that is known.
    changed: usize,
}

impl Adder {
    fn new(root: &mut Client, number: usize) -> Self {
        let folder = full(&format!("ou=adder {number}"));
        assert_eq!(root.ask(&ber::add(&folder, &[("objectClass", "organizationalUnit")])).code, 0);
        Self { folder, next: 0, entries: BTreeMap::new() }
    }

    fn name(&self, number: usize) -> String {
        format!("cn=thing {number},{}", self.folder)
    }
}

impl Writer for Adder {
    fn connect(&self, server: &Server) -> Client {
        Client::root(server)
    }

    fn write(&mut self, client: &mut Client) -> Option<()> {
        let number = self.next;
        self.next += 1;
        let earlier = number.checked_sub(2).map(|number| self.name(number));
        let deletable = earlier.filter(|name| number % 3 == 2 && self.entries.get(name) == Some(&State::Present));
        let (name, request, state) = if let Some(name) = deletable {
            (name.clone(), ber::delete(&name), State::Absent)
        } else {
            let name = self.name(number);
            let add = ber::add(&name, &[("objectClass", "device"), ("serialNumber", &number.to_string())]);
            (name, add, State::Present)
        };
        self.entries.insert(name.clone(), State::Doubtful);
        let code = client.try_ask(&request)?;
        assert_eq!(code, 0, "{name}");
        self.entries.insert(name, state);
        Some(())
    }

    fn check(&mut self, server: &Server) {
        let found =
            Client::root(server).find(&ber::search(&self.folder, &ber::equal("objectClass", "device"), &["1.1"]));
        for (name, state) in &mut self.entries {
            let is_there = found.contains(name);
            assert_ne!(*state, if is_there { State::Absent } else { State::Present }, "{name}");
            *state = if is_there { State::Present } else { State::Absent };
        }
        assert!(found.iter().all(|name| self.entries.contains_key(name)), "{found:?}");
    }
}

impl Modifier {
    fn new(who: &str) -> Self {
        Self { dn: full(who), sent: 0, acknowledged: 0 }
    }

    /// No two people have the same mail address.
    fn value(&self, number: usize) -> String {
        let who = self.dn.split(&['=', ','][..]).nth(1).unwrap();
        format!("{who}.{number}@example.com")
    }
}

impl Writer for Modifier {
    fn connect(&self, server: &Server) -> Client {
        Client::root(server)
    }

    fn write(&mut self, client: &mut Client) -> Option<()> {
        self.sent += 1;
        let code = client.try_ask(&ber::replace(&self.dn, "mail", &self.value(self.sent)))?;
        assert_eq!(code, 0, "{}", self.dn);
        self.acknowledged = self.sent;
        Some(())
    }

    fn check(&mut self, server: &Server) {
        let mut root = Client::root(server);
        let mut has = |number: usize| {
            let filter = ber::equal("mail", &self.value(number));
            !root.find(&ber::search(&self.dn, &filter, &["1.1"])).is_empty()
        };
        let values: Vec<usize> = (self.acknowledged.saturating_sub(1)..=self.sent).filter(|n| has(*n)).collect();
        let [value] = values[..] else { panic!("{} has {values:?}", self.dn) };
        assert!(self.acknowledged <= value, "{}: {value} instead of {}", self.dn, self.acknowledged);
        self.acknowledged = value;
        self.sent = value;
    }
}

impl Settler {
    const TOGETHER: [&str; 3] = ["cn=one", "cn=two", "cn=three"];

    fn new(root: &mut Client) -> Self {
        let folder = full("ou=settler");
        assert_eq!(root.ask(&ber::add(&folder, &[("objectClass", "organizationalUnit")])).code, 0);
        for name in Self::TOGETHER {
            let device = [("objectClass", "device"), ("serialNumber", "0")];
            assert_eq!(root.ask(&ber::add(&format!("{name},{folder}"), &device)).code, 0);
        }
        Self { folder, sent: 0, acknowledged: 0 }
    }
}

impl Writer for Settler {
    fn connect(&self, server: &Server) -> Client {
        Client::root(server)
    }

    fn write(&mut self, client: &mut Client) -> Option<()> {
        self.sent += 1;
        let number = self.sent.to_string();
        let replace = |name| ber::replace(&format!("{name},{}", self.folder), "serialNumber", &number);
        let mut requests: Vec<Vec<u8>> = Self::TOGETHER.map(replace).into();
        let added = format!("ou=after {number},{}", self.folder);
        requests.insert(1, ber::add(&added, &[("objectClass", "organizationalUnit")]));
        assert_eq!(transactions::try_settle(client, &requests)?, 0, "{number}");
        self.acknowledged = self.sent;
        Some(())
    }

    fn check(&mut self, server: &Server) {
        let mut root = Client::root(server);
        let mut having = |attribute: &str, value: &str| {
            root.find(&ber::search(&self.folder, &ber::equal(attribute, value), &["1.1"])).len()
        };
        let counts: Vec<_> = (self.acknowledged..=self.sent)
            .map(|number| {
                (number, having("serialNumber", &number.to_string()), having("ou", &format!("after {number}")))
            })
            .collect();
        // Whole, or not at all.
        let is_last = |count: &&(usize, usize, usize)| count.1 == 3 && (count.2 == 1 || count.0 == 0);
        let last = counts.iter().find(is_last).unwrap_or_else(|| panic!("{counts:?}")).0;
        assert!(counts.iter().all(|(number, together, _)| *number == last || *together == 0), "{counts:?}");
        assert!(counts.iter().all(|(number, _, added)| *number <= last || *added == 0), "{counts:?}");
        assert_eq!(having("objectClass", "organizationalUnit"), last + 1);
        self.acknowledged = last;
        self.sent = last;
    }
}

impl Changer {
    fn new(server: &Server, who: &'static str, way: Way) -> Self {
        Self { who, way, password: server.password(who), doubtful: None, count: 0, changed: 0 }
    }
}

impl Writer for Changer {
    fn connect(&self, server: &Server) -> Client {
        match self.way {
            Way::Reset => Client::root(server),
            Way::PasswordModify | Way::Modify => Client::bound(server, self.who, &self.password),
        }
    }

    fn write(&mut self, client: &mut Client) -> Option<()> {
        self.count += 1;
        let new = format!("a secret worth {} sheep", self.count);
        let request = self.way.request(self.who, &self.password, &new);
        self.doubtful = Some(new);
        // Somebody else changes the same entry all the time, and sometimes comes first again and again.
        while let code @ 1.. = client.try_ask(&request)? {
            assert_eq!(code, 51, "{}", self.who);
        }
        self.password = self.doubtful.take()?;
        self.changed += 1;
        Some(())
    }

    fn check(&mut self, server: &Server) {
        let mut client = Client::local(server);
        if let Some(doubtful) = self.doubtful.take()
            && client.bind(self.who, &doubtful) == 0
        {
            let old = std::mem::replace(&mut self.password, doubtful);
            assert_eq!(client.bind(self.who, &old), 49, "{}: both passwords are good", self.who);
            self.changed += 1;
        }
        assert_eq!(client.bind(self.who, &self.password), 0, "{}: the password was lost", self.who);
    }

    /// Each change has its event, its line in the ledger, and the password before in the history: all of the same moment.
    fn check_record(&self, record: &Record) {
        let dn = full(self.who);
        let (kind, means) = self.way.recorded();
        let is_one = |event: &&serde_json::Value| event["target"] == *dn && event["kind"] == kind;
        let events: Vec<_> = record.events.iter().filter(is_one).collect();
        assert!(events.iter().all(|event| event["means"] == means), "{dn}: {events:?}");
        assert_eq!(events.len(), self.changed, "{dn}: {events:?}");
        let last = events.last().unwrap()["time"].as_str().unwrap();
        let ledger = record.values(&dn, "pwdLedger");
        assert_eq!(ledger.len(), (self.changed + 1).min(20), "{dn}: {ledger:?}");
        let line = format!("{last} {kind}; through {means}; ");
        assert!(ledger.iter().max().unwrap().starts_with(&line), "{dn}: {ledger:?}");
        let history = record.values(&dn, "pwdHistory");
        assert_eq!(history.len(), self.changed.min(5), "{dn}: {history:?}");
        assert!(history.iter().max().unwrap().starts_with(&format!("{last}#")), "{dn}: {history:?}");
        // Kept in seconds, and never twice the same.
        let changed = record.values(&dn, "pwdChangedTime").concat();
        assert!(changed.trim_end_matches('Z') >= last.split('.').next().unwrap(), "{dn}: {changed} before {last}");
    }
}

/// How many changes were acknowledged.
#[derive(Default)]
struct Acknowledged {
    count: Mutex<usize>,
    grown: Condvar,
}

impl Acknowledged {
    fn add_one(&self) {
        *self.count.lock().unwrap() += 1;
        self.grown.notify_all();
    }

    fn wait_for(&self, number: usize) {
        let few = |count: &mut usize| *count < number;
        let waited = self.grown.wait_timeout_while(self.count.lock().unwrap(), PATIENCE, few).unwrap().1;
        assert!(!waited.timed_out(), "{number} changes were not acknowledged in time");
    }
}

fn server_to_write_to() -> (Server, Vec<Box<dyn Writer>>) {
    let server = Server::start_with(CHEAP);
    server.answer_wrong_passwords_at_once();
    let mut root = Client::root(&server);
    let mut writers: Vec<Box<dyn Writer>> = Vec::new();
    for number in 0..3 {
        writers.push(Box::new(Adder::new(&mut root, number)));
    }
    writers.push(Box::new(Settler::new(&mut root)));
    // Passwords and other attributes of the same entry are changed at the same time.
    for who in ["alice", "bob", "hanna"] {
        writers.push(Box::new(Modifier::new(who)));
    }
    // However many binds there are before it is set once more, the new one is good for them.
    server.change_policy(&["delete: pwdTemporaryMaxUses"]);
    for (who, way) in
        [("alice", Way::PasswordModify), ("bob", Way::PasswordModify), ("carol", Way::Modify), ("hanna", Way::Reset)]
    {
        writers.push(Box::new(Changer::new(&server, who, way)));
    }
    for writer in &mut writers {
        let mut client = writer.connect(&server);
        writer.write(&mut client).unwrap();
    }
    (server, writers)
}

/// Has everybody write until the server is ended by `end`, starts it again, and looks at what is there.
fn write_until(server: &mut Server, writers: &mut [Box<dyn Writer>], end: impl FnOnce(&mut Server, &Acknowledged)) {
    let acknowledged = Acknowledged::default();
    std::thread::scope(|scope| {
        for writer in &mut *writers {
            let mut client = writer.connect(server);
            let acknowledged = &acknowledged;
            scope.spawn(move || {
                while writer.write(&mut client).is_some() {
                    acknowledged.add_one();
                }
            });
        }
        end(server, &acknowledged);
    });
    server.serve();
    for writer in &mut *writers {
        writer.check(server);
    }
    let record = Record::of(server);
    for writer in writers {
        writer.check_record(&record);
    }
}

fn everything_fits_together(server: &Server) {
    server.keystead("verify", &[]).ok().tells("Everything fits together.");
}

#[test]
fn whatever_was_acknowledged_survives_any_number_of_kills() {
    let kills = std::env::var("KEYSTEAD_KILLS").map_or(KILLS, |number| number.parse().unwrap());
    let (mut server, mut writers) = server_to_write_to();
    for round in 0..kills {
        write_until(&mut server, &mut writers, |server, acknowledged| {
            acknowledged.wait_for(10 + round * 37 % 90);
            let log = server.kill();
            assert!(!log.contains("panicked") && !log.contains("ERROR"), "{log}");
        });
        everything_fits_together(&server);
    }
    server.stop();
    everything_fits_together(&server);
}

#[test]
fn a_store_is_verified_and_exported_while_it_is_written_to() {
    let (mut server, mut writers) = server_to_write_to();
    write_until(&mut server, &mut writers, |server, acknowledged| {
        for round in 1..=5 {
            acknowledged.wait_for(round * 50);
            everything_fits_together(server);
            let exported = server.keystead("export", &[]).ok();
            assert_eq!(exported.values("uid"), ["alice", "bob", "carol", "hanna"]);
            assert_eq!(exported.values("userPassword").len() + exported.values("userPassword:").len(), 6);
        }
        // It ends as it should, in the middle of all this.
        let log = server.stop();
        assert!(!log.contains("panicked") && !log.contains("ERROR"), "{log}");
    });
    everything_fits_together(&server);
}

#[test]
fn a_server_that_is_told_to_stop_answers_what_was_begun_and_says_goodbye() {
    for signal in ["TERM", "INT"] {
        let mut server = Server::start();
        let old = server.password("alice");
        let mut idle = Client::plain(&server);
        assert_eq!(idle.who_am_i(), "");
        let mut busy = Client::bound(&server, "alice", &old);
        // They come together, so when the second is answered the first has been begun.
        let change = message(100, &ber::password_modify(None, Some(&old), Some("a much better secret")));
        busy.send(&[change, message(101, &ber::who_am_i())].concat());
        assert_eq!(busy.receive().unwrap().summary(), (101, ber::EXTENDED, 0));
        server.signal(signal);
        let changed = busy.receive().unwrap();
        assert_eq!((changed.summary(), changed.words.as_str()), ((100, ber::EXTENDED, 0), ""));
        for client in [&mut busy, &mut idle] {
            let notice = client.is_told_of_the_end();
            assert_eq!((notice.code, notice.words.as_str()), (52, "the server is shutting down"));
        }
        let log = server.wait_for_the_end();
        assert!(log.contains("stopped") && !log.contains("ERROR") && !log.contains("WARN"), "{log}");
        assert!(!server.socket().exists());
        server.serve();
        assert_eq!((server.bind("alice", &old), server.bind("alice", "a much better secret")), (49, 0));
    }
}

#[test]
fn a_client_that_keeps_the_server_waiting_does_not_keep_it_from_stopping() {
    let mut server = Server::start_with("\n[limits]\nshutdown_seconds = 1\n");
    server.change_policy(&["replace: pwdMinDelay\npwdMinDelay: 20", "replace: pwdMaxDelay\npwdMaxDelay: 20"]);
    let mut slow = Client::local(&server);
    slow.send(&[ber::simple_bind(&full("alice"), "a wrong password")].map(|bind| message(1, &bind)).concat());
    let mut silent = Client::bound(&server, "bob", &server.password("bob"));
    for id in 1..=200 {
        silent.send(&message(id, &ber::read("cn=Subschema", &["*", "+"])));
    }
    // By now the others have been begun.
    assert_eq!(server.bind("carol", &server.password("carol")), 0);
    let asked = Instant::now();
    server.stop();
    assert!(asked.elapsed().as_secs() < 10, "{:?}", asked.elapsed());
    let answers: Vec<_> = std::iter::from_fn(|| slow.try_receive().ok().flatten()).collect();
    assert!(answers.iter().all(|answer| answer.id == 0), "{answers:?}");
    server.serve();
    server.ldap("ldapsearch", "carol", &["-b", SUFFIX, "(uid=bob)"]).ok();
}
