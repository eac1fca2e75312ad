//! A whole search, as the server does it but for the network: planning, deciding, matching, and writing what is found.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use keystead::access::{Actor, Circumstances, RuleBook, RuleText};
use keystead::directory::filter::Filter;
use keystead::directory::schema::AttributeSet;
use keystead::directory::tree::{Scope, Tree};
use keystead::directory::{Dn, Randomness, Timestamp};
use keystead::operations::context::{AddedPassword, AnonymousBind, ExpiredChange};
use keystead::operations::integrity::Integrity;
use keystead::operations::monitor::{Connected, Monitor, Readings};
use keystead::operations::policies::Policies;
use keystead::operations::reports::{Known, Report, Reports};
use keystead::operations::search::{Search, Step};
use keystead::operations::{Confidentiality, Context, IdentityMap, Limits, Requester, Services};
use keystead::password::meter::radar::Thresholds;
use keystead::password::scheme::{Cost, NewScheme};
use keystead::password::second_factor::TokenFault;
use keystead::password::{Meter, Secret, StoredPassword};
use keystead::protocol::MessageId;
use keystead::protocol::control::{Controls, Flags};
use keystead::protocol::request::{DerefAliases, SearchRequest};

use crate::{SUFFIX, Scene};

/// So many entries does the server look at before it looks at what else there is to do.
const AT_ONCE: usize = 64;

/// Nothing here is foretold by anybody.
struct Foretold;

impl Randomness for Foretold {
    fn fill(&self, octets: &mut [u8]) {
        octets.fill(7);
    }
}

#[derive(Debug)]
struct Unheard;

impl Reports for Unheard {
    fn take(&self, _: &Report<'_>) {}
    fn take_known(&self, _: &Known<'_>) {}
    fn take_unheeded(&self, _: &str) {}
    fn take_unusable_token(&self, _: &Dn, _: &TokenFault) {}
}

impl Monitor for Unheard {
    fn readings(&self) -> Readings {
        Readings::default()
    }

    fn connections_after(&self, _: u64, _: usize) -> Vec<Connected> {
        Vec::new()
    }
}

/// Somebody who searches by some rules.
pub struct Searcher<'s> {
    scene: &'s Scene,
    services: Services,
    requester: Requester,
    /// Found out once, as the server does it for each connection.
    actor: Actor,
    now: Timestamp,
}

impl Scene {
    /// One of the people, by these rules.
    pub fn searcher(&self, texts: &[RuleText]) -> Searcher<'_> {
        let new_passwords = NewScheme::Argon2id(Cost { memory_kib: 64, passes: 1, lanes: 1 });
        let services = Services {
            rules: RuleBook::new(self.rules(texts), usize::MAX),
            identities: IdentityMap::default(),
            assertions: Vec::new(),
            meter: Arc::new(Meter::new([7; 16])),
            journal: Arc::default(),
            policies: Policies::default(),
            reports: Arc::new(Unheard),
            monitor: Arc::new(Unheard),
            breached: None,
            new_passwords,
            no_password: StoredPassword::create(&Secret::new("nobody's"), new_passwords, &Foretold),
            fake_salts: [7; 32],
            spray: Thresholds::default(),
            last_success_precision: Duration::from_secs(3600),
            recovery_attributes: AttributeSet::EMPTY,
            integrity: Integrity::usual(self.tree.schema()),
            configured: None,
            referrals: Vec::new(),
            alt_servers: Vec::new(),
            limits: Limits { size: u32::MAX, ..Limits::default() },
            anonymous: AnonymousBind::Allowed,
            expired_change: ExpiredChange::Allowed,
            added_password: AddedPassword::Refused,
        };
        let mut requester = Requester::anonymous(Confidentiality::Protected, "127.0.0.1".into());
        requester.identity = self.identity.clone();
        let now = Timestamp::parse(b"20260601120000Z").unwrap();
        let rules = &services.rules.in_force(&self.tree).unwrap().rules;
        let actor = Actor::find(self.identity.clone(), &Circumstances::unknown(now), rules, &self.tree).unwrap();
        Searcher { scene: self, services, requester, actor, now }
    }
}

impl Searcher<'_> {
    /// Searches the whole tree for everything that matches; how many octets would be sent.
    pub fn search(&self, filter: &str) -> usize {
        let tree = &self.scene.tree;
        let rules = &self.services.rules.in_force(tree).unwrap().rules;
        let context = Context {
            tree,
            services: &self.services,
            requester: &self.requester,
            rules,
            actor: &self.actor,
            now: self.now,
            random: &Foretold,
            flags: Flags::default(),
            wishes: None,
        };
        let request = SearchRequest {
            base: Bytes::from_static(SUFFIX.as_bytes()),
            scope: Scope::WholeSubtree,
            deref_aliases: DerefAliases::Never,
            size_limit: 0,
            time_limit: 0,
            types_only: false,
            filter: Filter::parse(filter).unwrap(),
            attributes: Vec::new().into(),
        };
        let (mut out, mut sent) = (BytesMut::new(), 0);
        let mut search = Search::start(&context, &request, &Controls::default(), MessageId(1), &mut out).unwrap();
        loop {
            let step = search.run(&context, AT_ONCE, &mut out).unwrap();
            sent += out.len();
            out.clear();
            match step {
                Step::More => {}
                Step::Done(_) => return sent,
                Step::PageFull | Step::Waiting => unreachable!("neither a page nor what follows was asked for"),
            }
        }
    }
}
