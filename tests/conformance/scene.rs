//! A small directory, people who use it, and a clock that stands still until it is moved.

pub mod answer;
pub mod client;
mod reported;
mod watched;

use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use keystead::access::{RuleBook, RuleText, Rules};
use keystead::directory::tree::memory::MemoryDirectory;
use keystead::directory::tree::{Change, Directory, Event, Recorded, Tree};
use keystead::directory::{Dn, Identity, Randomness, Schema, Timestamp};
use keystead::operations::approval;
use keystead::operations::context::{AddedPassword, AnonymousBind, ExpiredChange};
use keystead::operations::counted;
use keystead::operations::identity_map::{MappingText, Origin};
use keystead::operations::integrity::{Integrity, Uniqueness};
use keystead::operations::notices;
use keystead::operations::policies::Policies;
use keystead::operations::{Confidentiality, External, IdentityMap, Limits, Requester, Services};
use keystead::password::meter::radar::Thresholds;
use keystead::password::scheme::{Cost, NewScheme};
use keystead::password::{Meter, Secret, StoredPassword};

pub use answer::{FoundEntry, TOO_SHORT, acting_as, assert_told, only, policy_control, policy_response, result};
use reported::Reported;
use watched::Watched;

pub use client::{Client, requests, search_request};

pub const SUFFIX: &str = "dc=example,dc=com";

/// The directory that every scene begins with. Everybody's password is `NAME's password`.
const ENTRIES: &str = include_str!("scene.ldif");

/// A directory and everything around it.
pub struct Scene<D: Directory> {
    pub directory: D,
    services: RefCell<Services>,
    /// The rules as they were written.
    ruled_by: RefCell<Vec<RuleText>>,
    began: Timestamp,
    clock: Cell<Timestamp>,
    random: CountingRandom,
    reported: Arc<Reported>,
    #[cfg(feature = "server")]
    folder: Option<tempfile::TempDir>,
}

impl Scene<MemoryDirectory> {
    pub fn in_memory() -> Self {
        let schema = Schema::standard();
        let suffix = Dn::parse(&schema, SUFFIX).unwrap();
        let directory = MemoryDirectory::new(schema, vec![suffix]);
        Self::of(
            directory,
            #[cfg(feature = "server")]
            None,
        )
    }
}

#[cfg(feature = "server")]
impl Scene<keystead::store::Store> {
    pub fn on_disk() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open_store(folder.path(), keystead::store::Existence::Forbidden);
        Self::of(store, Some(folder))
    }

    /// Where it is kept.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.as_ref().unwrap().path()
    }
}

/// When every scene begins.
fn began() -> Timestamp {
    Timestamp::parse(b"20260601120000Z").unwrap()
}

/// Opens a store with the usual indexes.
#[cfg(feature = "server")]
pub fn open_store(path: &std::path::Path, existence: keystead::store::Existence) -> keystead::store::Store {
    let options = keystead::store::OpenOptions {
        path,
        existence,
        suffixes: &[SUFFIX.to_owned()],
        indexes: None,
        cache_octets: 16 << 20,
        now: began(),
        schema: &|numbering| {
            keystead::directory::schema::SchemaBuilder::new().with_numbering(numbering).add_standard()?.build()
        },
    };
    keystead::store::Store::open(&options).unwrap()
}

impl<D: Directory> Scene<D> {
    fn of(directory: D, #[cfg(feature = "server")] folder: Option<tempfile::TempDir>) -> Self {
        let view = directory.view();
        let new_passwords = NewScheme::Argon2id(Cost { memory_kib: 64, passes: 1, lanes: 1 });
        let random = CountingRandom(Cell::new(1));
        let reported = Arc::new(Reported::default());
        let services = Services {
            rules: RuleBook::new(Rules::prepare(&rules(), view.schema()).unwrap(), Limits::default().rules),
            identities: IdentityMap::default(),
            assertions: Vec::new(),
            meter: Arc::new(Meter::new([7; 16])),
            journal: Arc::default(),
            policies: Policies::default(),
            reports: Arc::clone(&reported) as _,
            monitor: Arc::new(Watched),
            breached: None,
            configured: None,
            new_passwords,
            no_password: StoredPassword::create(&Secret::new("nobody's"), new_passwords, &random),
            fake_salts: [9; 32],
            spray: Thresholds::default(),
            last_success_precision: Duration::from_secs(3600),
            recovery_attributes: keystead::operations::takeover::usual_recovery_attributes(view.schema()),
            integrity: Integrity::usual(view.schema()),
            referrals: Vec::new(),
            alt_servers: Vec::new(),
            limits: Limits::default(),
            anonymous: AnonymousBind::Allowed,
            expired_change: ExpiredChange::Allowed,
            added_password: AddedPassword::Refused,
        };
        let began = began();
        let scene = Self {
            directory,
            services: RefCell::new(services),
            ruled_by: RefCell::new(rules()),
            began,
            clock: Cell::new(began),
            random,
            reported,
            #[cfg(feature = "server")]
            folder,
        };
        assert_eq!(scene.root().change(ENTRIES), Ok(()));
        scene
    }

    /// Lets time pass.
    pub fn wait(&self, seconds: u64) {
        self.clock.set(self.clock.get().saturating_add(Duration::from_secs(seconds)));
    }

    /// Sets the clock back.
    pub fn set_back(&self, seconds: u64) {
        self.clock.set(self.clock.get().saturating_sub(Duration::from_secs(seconds)));
    }

    /// What the clock says.
    pub fn now(&self) -> Timestamp {
        self.clock.get()
    }

    /// Changes the configuration of the server.
    pub fn configure(&self, change: impl FnOnce(&mut Services)) {
        change(&mut self.services.borrow_mut());
    }

    /// Lets entries share any value.
    pub fn share_everything(&self) {
        self.configure(|services| services.integrity.unique = Uniqueness::default());
    }

    /// What counts wrong passwords.
    pub fn meter(&self) -> Arc<Meter> {
        Arc::clone(&self.services.borrow().meter)
    }

    /// What policies that are only tried out have reported since this was asked last.
    pub fn reported(&self) -> Vec<String> {
        self.reported.take_all()
    }

    /// What was written into policies in vain since this was asked last.
    pub fn unheeded(&self) -> Vec<String> {
        self.reported.take_all_unheeded()
    }

    /// Puts other access rules in the place of those that `keystead init` writes.
    pub fn rule_by(&self, rules: &[RuleText]) {
        *self.ruled_by.borrow_mut() = rules.to_vec();
        self.refit();
    }

    /// Makes the rules ready for the schema that is in force.
    pub fn refit(&self) {
        let rules = Rules::prepare(&self.ruled_by.borrow(), self.directory.view().schema()).unwrap();
        self.configure(|services| services.rules = RuleBook::new(rules, services.limits.rules));
    }

    /// Says who is whom by other names.
    pub fn map_by(&self, mappings: &[MappingText]) {
        let map = IdentityMap::prepare(mappings, self.directory.view().schema()).unwrap();
        self.configure(|services| services.identities = map);
    }

    /// Writes what has been counted and noted, as a server does each second.
    pub fn settle(&self) {
        let (meter, journal) = {
            let services = self.services.borrow();
            (Arc::clone(&services.meter), Arc::clone(&services.journal))
        };
        for unwritten in meter.take_unwritten(usize::MAX) {
            // The entry may be gone, and somebody may have set its credentials since.
            match counted::change(&self.directory.view(), &unwritten, &journal, self.clock.get()).unwrap() {
                Some(change) => meter.written(&unwritten, self.directory.commit(change).unwrap().version),
                None => meter.superseded(&unwritten),
            }
            journal.settle(unwritten.uuid);
        }
        let events = journal.take(self.clock.get());
        if !events.is_empty() {
            self.directory.commit(Change { events, ..Change::none() }).unwrap();
        }
    }

    /// Takes away requests that ended long ago, as a server does each hour; how many.
    pub fn sweep_requests(&self) -> usize {
        let change = approval::sweep(&self.directory.view(), self.clock.get()).unwrap();
        let swept = change.writes.len();
        if swept > 0 {
            self.directory.commit(change).unwrap();
        }
        swept
    }

    /// Looks for passwords that end, as a server does each hour.
    pub fn sweep(&self) {
        let services = self.services.borrow();
        let (mut after, now) = (None, self.clock.get());
        loop {
            let view = self.directory.view();
            // Few at a time, so that there are several steps.
            let found = notices::find(&view, &services.policies, after, 3, now).unwrap();
            for due in &found.due {
                let unwritten = services.meter.take_along(due.uuid, &due.account).unwrap();
                let change = notices::change(&view, due, &unwritten, &services.journal, now).unwrap().unwrap();
                services.meter.written(&unwritten, self.directory.commit(change).unwrap().version);
                services.meter.let_go(due.uuid);
            }
            after = found.last;
            if after.is_none() {
                return;
            }
        }
    }

    /// Writes what the meter has counted, and starts with a new one, as a restart does.
    pub fn restart(&self) {
        self.services.borrow().meter.hasten();
        self.settle();
        self.configure(|services| services.meter = Arc::new(Meter::new([8; 16])));
    }

    /// What has happened to passwords so far, in words; of the scene itself, nothing.
    pub fn events(&self) -> Vec<String> {
        self.settle();
        let before = |recorded: &Recorded| recorded.event.time > self.began;
        self.recorded().iter().filter(|one| before(one)).map(|recorded| in_words(&recorded.event)).collect()
    }

    /// Everything that was recorded.
    pub fn recorded(&self) -> Vec<Recorded> {
        self.directory.events_after(0, usize::MAX).unwrap()
    }

    /// Changes the default password policy: each attribute gets that value, or none if it is empty.
    pub fn policy(&self, settings: &[(&str, &str)]) {
        let line = |(name, value): &(&str, &str)| {
            let value = if value.is_empty() { String::new() } else { format!("{name}: {value}\n") };
            format!("replace: {name}\n{value}-\n")
        };
        let lines = settings.iter().map(line).collect::<Vec<_>>().concat();
        let class = "add: objectClass\nobjectClass: keysteadPolicy\n-\n";
        let change = |lines: &str| format!("dn: cn=default,ou=policies\nchangetype: modify\n{lines}\n");
        // The class may be there already.
        let _ = self.root().change(&change(class));
        assert_eq!(self.root().change(&change(&lines)), Ok(()), "{lines}");
    }

    /// Somebody over a protected connection who has not authenticated.
    pub fn anonymous(&self) -> Client<'_, D> {
        Client::new(self, Requester::anonymous(Confidentiality::Protected, "127.0.0.1".into()))
    }

    /// The superuser of this machine.
    pub fn root(&self) -> Client<'_, D> {
        let client = self.anonymous();
        client.become_identity(Identity::LocalRoot);
        client
    }

    /// Somebody who has authenticated as the entry of that name; a short name stands below `ou=people`.
    pub fn client(&self, name: &str) -> Client<'_, D> {
        let view = self.directory.view();
        let dn = Dn::parse(view.schema(), &full(name)).unwrap();
        let id = view.find(&dn).unwrap().entry().unwrap_or_else(|| panic!("no entry {name}"));
        let uuid = view.node(id).unwrap().unwrap().uuid;
        let client = self.anonymous();
        client.become_identity(Identity::Entry { uuid, dn: dn.into() });
        client
    }
}

/// `alice` is `uid=alice,ou=people,dc=example,dc=com`; `cn=admin` is `cn=admin,dc=example,dc=com`. What ends with
/// `dc=com` or `dc=org` is a whole name already.
pub fn full(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let is_whole = |end| lower.ends_with(end);
    if name.is_empty() || lower == "cn=subschema" || is_whole("dc=com") || is_whole("dc=org") {
        name.to_owned()
    } else if name.contains('=') {
        format!("{name},{SUFFIX}")
    } else {
        format!("uid={name},ou=people,{SUFFIX}")
    }
}

/// An event in a line: what, whether it was done, whose, by whom, how, why, and how often if more than once.
fn in_words(event: &Event) -> String {
    let name = |dn: &str| {
        let below = short(dn);
        below.strip_prefix("uid=").and_then(|rest| rest.strip_suffix(",ou=people")).unwrap_or(&below).to_owned()
    };
    let actor = if event.actor.is_empty() { "nobody".to_owned() } else { name(&event.actor) };
    let mut line = format!("{} {} of {} by {actor}, {}", event.kind, event.result, name(&event.target), event.means);
    if !event.reason.is_empty() {
        line.push_str(": ");
        line.push_str(&event.reason);
    }
    if event.times > 1 {
        write!(line, " ({} times)", event.times).unwrap();
    }
    line
}

/// A name without the suffix.
pub fn short(dn: &str) -> String {
    dn.strip_suffix(SUFFIX).unwrap_or(dn).trim_end_matches(',').to_owned()
}

/// An access rule in one line.
pub fn rule(name: &str, who: &str, to: &str, attributes: &[&str], allow: &[&str]) -> RuleText {
    let words = |list: &[&str]| list.iter().map(|&word| word.into()).collect();
    RuleText {
        name: name.into(),
        who: vec![who.into()],
        to: vec![to.into()],
        attributes: words(attributes),
        allow: words(allow),
        ..RuleText::default()
    }
}

/// What a connection proves on which a certificate with that subject was shown.
pub fn certificate(subject: &str) -> External {
    External::Named { origin: Origin::Certificate, name: subject.to_owned() }
}

/// To find an entry, see it, and ask about it.
pub const SEE: &[&str] = &["search", "read", "compare"];

/// The rules that `keystead init` writes.
pub fn rules() -> Vec<RuleText> {
    let everything = ["*", "+", "password-state"];
    let tree = format!("subtree:{SUFFIX}");
    let group = |name: &str| format!("group:cn={name},ou=groups,{SUFFIX}");
    vec![
        rule("administrators", &group("administrators"), &tree, &everything, &["all"]),
        rule(
            "schema",
            &group("administrators"),
            "entry:cn=Subschema",
            &["*", "+"],
            &["search", "read", "compare", "write"],
        ),
        RuleText {
            who: vec![group("administrators"), "local-root".into()],
            ..rule("change log", "local-root", "subtree:cn=changelog", &["*", "+"], SEE)
        },
        RuleText {
            who: vec![group("administrators"), "local-root".into()],
            ..rule("monitor", "local-root", "subtree:cn=monitor", &["*", "+"], SEE)
        },
        rule("schema", "local-root", "entry:cn=Subschema", &["*", "+"], &["search", "read", "compare", "write"]),
        rule("local root", "local-root", "everything", &everything, &["all"]),
        rule("authenticate", "everyone", &tree, &[], &["authenticate"]),
        rule("own password", "self", &tree, &[], &["change-password"]),
        rule("oneself", "self", &tree, &everything, SEE),
        rule("whoever has authenticated", "authenticated", &tree, &["*", "+"], SEE),
        rule(
            "helpdesk",
            &group("helpdesk"),
            &format!("subtree:ou=people,{SUFFIX}"),
            &["password-state"],
            &["search", "read", "compare", "reset-password", "unlock"],
        ),
    ]
}

/// Octets that differ, and are the same in every run.
struct CountingRandom(Cell<u64>);

impl Randomness for CountingRandom {
    fn fill(&self, octets: &mut [u8]) {
        for octet in octets {
            let next = self.0.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            self.0.set(next);
            *octet = next.to_be_bytes()[0];
        }
    }
}
