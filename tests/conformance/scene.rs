//! A small directory, people who use it, and a clock that stands still until it is moved.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use keystead::access::{Actor, RuleText, Rules};
use keystead::directory::ldif::{self, Body, Reader};
use keystead::directory::schema::SchemaBuilder;
use keystead::directory::tree::memory::MemoryDirectory;
use keystead::directory::tree::{Directory, Scope, Tree};
use keystead::directory::{Dn, Filter, Identity, Randomness, ResultCode, Schema, Timestamp, wire};
use keystead::operations::context::{AnonymousBind, ExpiredChange};
use keystead::operations::policies::Policies;
use keystead::operations::refusal::PolicyControl;
use keystead::operations::search::{Search, Step};
use keystead::operations::{
    Confidentiality, Context, Effect, Freedom, Limits, Outcome, Refusal, Requester, Services, bind, perform,
};
use keystead::password::scheme::{Cost, NewScheme};
use keystead::password::{Meter, Secret, StoredPassword};
use keystead::protocol::control::Controls;
use keystead::protocol::extended::PasswordModify;
use keystead::protocol::request::{
    AddRequest, Authentication, BindRequest, CompareRequest, DerefAliases, ExtendedRequest, ModifyDnRequest,
    ModifyRequest, RequestedChange, SearchRequest,
};
use keystead::protocol::{MessageId, RawControl, Request, Response, oid};

pub const SUFFIX: &str = "dc=example,dc=com";

/// The directory that every scene begins with. Everybody's password is `NAME's password`.
const ENTRIES: &str = include_str!("scene.ldif");

/// A directory and everything around it.
pub struct Scene<D: Directory> {
    pub directory: D,
    pub services: Services,
    pub clock: Cell<Timestamp>,
    random: CountingRandom,
    #[cfg(feature = "server")]
    _folder: Option<tempfile::TempDir>,
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
        schema: &|numbering| SchemaBuilder::new().with_numbering(numbering).add_standard()?.build(),
    };
    keystead::store::Store::open(&options).unwrap()
}

impl<D: Directory> Scene<D> {
    fn of(directory: D, #[cfg(feature = "server")] folder: Option<tempfile::TempDir>) -> Self {
        let view = directory.view();
        let new_passwords = NewScheme::Argon2id(Cost { memory_kib: 64, passes: 1, lanes: 1 });
        let random = CountingRandom(Cell::new(1));
        let services = Services {
            rules: Rules::prepare(&rules(), view.schema()).unwrap(),
            meter: Arc::new(Meter::new([7; 16])),
            policies: Policies::default(),
            new_passwords,
            no_password: StoredPassword::create(&Secret::new("nobody's"), new_passwords, &random),
            last_success_precision: Duration::from_secs(3600),
            limits: Limits::default(),
            anonymous: AnonymousBind::Allowed,
            expired_change: ExpiredChange::Allowed,
        };
        let clock = Cell::new(Timestamp::parse(b"20260601120000Z").unwrap());
        let scene = Self {
            directory,
            services,
            clock,
            random,
            #[cfg(feature = "server")]
            _folder: folder,
        };
        assert_eq!(scene.root().change(ENTRIES), Ok(()));
        scene
    }

    /// Lets time pass.
    pub fn wait(&self, seconds: u64) {
        self.clock.set(self.clock.get().saturating_add(Duration::from_secs(seconds)));
    }

    /// Somebody over a protected connection who has not authenticated.
    pub fn anonymous(&self) -> Client<'_, D> {
        Client { scene: self, requester: Requester::anonymous(Confidentiality::Protected, "127.0.0.1".into()).into() }
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

/// `alice` is `uid=alice,ou=people,dc=example,dc=com`; `cn=admin` is `cn=admin,dc=example,dc=com`.
pub fn full(name: &str) -> String {
    if name.is_empty() || name.ends_with(SUFFIX) {
        name.to_owned()
    } else if name.contains('=') {
        format!("{name},{SUFFIX}")
    } else {
        format!("uid={name},ou=people,{SUFFIX}")
    }
}

/// What a client was answered.
pub type Answered = Result<(), ResultCode>;

/// Somebody who uses the directory.
pub struct Client<'s, D: Directory> {
    pub scene: &'s Scene<D>,
    requester: std::cell::RefCell<Requester>,
}

/// An entry of a search answer: its name, and names and values of its attributes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FoundEntry {
    pub dn: String,
    pub attributes: Vec<(String, Vec<Vec<u8>>)>,
}

impl FoundEntry {
    /// The values of an attribute as text.
    pub fn texts(&self, name: &str) -> Vec<String> {
        let attribute = self.attributes.iter().find(|(own, _)| own == name);
        attribute
            .map(|(_, values)| values.iter().map(|v| String::from_utf8_lossy(v).into_owned()).collect())
            .unwrap_or_default()
    }

    /// The names of its attributes.
    pub fn names(&self) -> Vec<&str> {
        self.attributes.iter().map(|(name, _)| name.as_str()).collect()
    }
}

impl<D: Directory> Client<'_, D> {
    pub fn become_identity(&self, identity: Identity) {
        self.requester.borrow_mut().identity = identity;
    }

    /// Goes on over a connection that others can listen in on.
    pub fn in_the_clear(self) -> Self {
        self.requester.borrow_mut().confidentiality = Confidentiality::Open;
        self
    }

    /// Who the connection belongs to.
    pub fn identity(&self) -> Identity {
        self.requester.borrow().identity.clone()
    }

    fn with<R>(&self, work: impl FnOnce(&Context<'_>) -> R) -> R {
        let view = self.scene.directory.view();
        let requester = self.requester.borrow().clone();
        let actor = Actor::find(requester.identity.clone(), &self.scene.services.rules, &view).unwrap();
        work(&Context {
            tree: &view,
            services: &self.scene.services,
            requester: &requester,
            actor: &actor,
            now: self.scene.clock.get(),
            random: &self.scene.random,
        })
    }

    /// Does what a shell does with an outcome: makes its changes, then what follows from them.
    fn carry_out(&self, result: Result<Outcome, Refusal>, policy: PolicyControl) -> Response {
        let outcome = match result {
            Ok(outcome) => outcome,
            Err(refusal) => return refusal.to_response(policy),
        };
        for change in [outcome.change, outcome.afterwards] {
            if !change.is_empty() {
                self.scene.directory.commit(change).unwrap();
            }
        }
        for effect in outcome.effects {
            match effect {
                Effect::Authenticated { identity, freedom } => {
                    let mut requester = self.requester.borrow_mut();
                    requester.identity = identity;
                    requester.freedom = freedom;
                }
                Effect::PasswordSet { uuid, .. } | Effect::CredentialsSet { uuid } => {
                    self.scene.services.meter.forget(uuid);
                    if self.identity().uuid() == Some(uuid) && matches!(effect, Effect::PasswordSet { .. }) {
                        self.requester.borrow_mut().freedom = Freedom::Full;
                    }
                }
            }
        }
        outcome.response
    }

    /// Sends a request with controls, and returns the whole answer.
    pub fn send(&self, request: &Request, controls: &[RawControl]) -> Response {
        let controls = match Controls::read(controls, request.operation()) {
            Ok(controls) => controls,
            Err(error) => return Refusal::from(error).to_response(PolicyControl::Unwanted),
        };
        let policy = PolicyControl::of(&controls);
        if let Request::Bind(bind) = request {
            return self.send_bind(bind, &controls, policy);
        }
        let result = self.with(|ctx| perform(ctx, request, &controls));
        self.carry_out(result, policy)
    }

    fn send_bind(&self, request: &BindRequest, controls: &Controls, policy: PolicyControl) -> Response {
        self.requester.borrow_mut().freedom = Freedom::Full;
        self.become_identity(Identity::Anonymous);
        let result = self.with(|ctx| match bind::prepare(ctx, request)? {
            bind::Prepared::Done(outcome) => Ok(*outcome),
            bind::Prepared::Verify(verification) => verification.run(ctx, controls),
        });
        self.carry_out(result, policy)
    }

    fn code(&self, request: &Request) -> Answered {
        result(&self.send(request, &[]))
    }

    /// Applies the records of some LDIF, one after another; entries without a change type are added.
    pub fn change(&self, text: &str) -> Answered {
        self.requests(text).iter().try_for_each(|request| self.code(request))
    }

    /// The words with which the first record of some LDIF is refused.
    pub fn change_words(&self, text: &str) -> String {
        let refused = self.requests(text).iter().map(|request| self.send(request, &[])).find(|r| result(r).is_err());
        refused.map(|response| response.result.diagnostic_message).unwrap_or_default()
    }

    /// The requests that some LDIF stands for.
    pub fn requests(&self, text: &str) -> Vec<Request> {
        Reader::new(text.as_bytes()).map(|record| request(record.unwrap())).collect()
    }

    /// Binds with a password, and returns the code.
    pub fn bind(&self, name: &str, password: &str) -> Answered {
        result(&self.bind_with(name, password, &[]))
    }

    /// Binds with controls, and returns the whole answer.
    pub fn bind_with(&self, name: &str, password: &str, controls: &[RawControl]) -> Response {
        let authentication = Authentication::Simple(Bytes::copy_from_slice(password.as_bytes()));
        let request = BindRequest { version: 3, name: full(name).into(), authentication };
        self.send(&Request::Bind(request), controls)
    }

    /// Sets a password by the extended operation; `Ok` holds the one that was made, if one was.
    pub fn password_modify(
        &self,
        identity: Option<&str>,
        old: Option<&str>,
        new: Option<&str>,
    ) -> Result<Option<String>, ResultCode> {
        let response = self.password_modify_with(identity, old, new, &[]);
        result(&response).map(|()| response.value.map(|value| generated(&value)))
    }

    /// The same with controls; returns the whole answer.
    pub fn password_modify_with(
        &self,
        identity: Option<&str>,
        old: Option<&str>,
        new: Option<&str>,
        controls: &[RawControl],
    ) -> Response {
        let mut fields = Vec::new();
        for (tag, field) in [(0x80, identity), (0x81, old), (0x82, new)] {
            if let Some(field) = field {
                wire::put_element(&mut fields, tag, field.as_bytes());
            }
        }
        let mut value = Vec::new();
        wire::put_element(&mut value, wire::SEQUENCE, &fields);
        assert!(PasswordModify::read(Some(&value.clone().into())).is_ok());
        let request = ExtendedRequest { name: oid::PASSWORD_MODIFY.into(), value: Some(value.into()) };
        self.send(&Request::Extended(request), controls)
    }

    /// Compares a value.
    pub fn compare(&self, name: &str, attribute: &str, value: &str) -> ResultCode {
        let request = CompareRequest {
            entry: full(name).into(),
            attribute: Bytes::copy_from_slice(attribute.as_bytes()),
            value: Bytes::copy_from_slice(value.as_bytes()),
        };
        self.send(&Request::Compare(request), &[]).result.code
    }

    /// The names that a search of the whole tree finds, without the suffix.
    pub fn find(&self, filter: &str) -> Vec<String> {
        let found = self.search(SUFFIX, Scope::WholeSubtree, filter, &["1.1"]).unwrap();
        let short = |dn: &str| dn.strip_suffix(SUFFIX).unwrap_or(dn).trim_end_matches(',').to_owned();
        let mut names: Vec<String> = found.iter().map(|entry| short(&entry.dn)).collect();
        names.sort();
        names
    }

    /// The entry of that name.
    pub fn read(&self, name: &str, attributes: &[&str]) -> Option<FoundEntry> {
        self.search(&full(name), Scope::BaseObject, "(objectClass=*)", attributes).ok()?.pop()
    }

    /// What a search finds, if it ends with success.
    pub fn search(
        &self,
        base: &str,
        scope: Scope,
        filter: &str,
        attributes: &[&str],
    ) -> Result<Vec<FoundEntry>, ResultCode> {
        let request = search_request(base, scope, filter, attributes);
        let (found, response) = self.send_search(&request, &[]);
        result(&response).map(|()| found)
    }

    /// What a search finds and how it ends.
    pub fn send_search(&self, request: &SearchRequest, controls: &[RawControl]) -> (Vec<FoundEntry>, Response) {
        let mut out = BytesMut::new();
        let controls = match Controls::read(controls, keystead::protocol::Operation::Search) {
            Ok(controls) => controls,
            Err(error) => return (Vec::new(), Refusal::from(error).to_response(PolicyControl::Unwanted)),
        };
        let ended = self.with(|ctx| {
            keystead::operations::perform::may_search(ctx, request)?;
            let mut search = Search::start(ctx, request, &controls, MessageId(1), &mut out)?;
            loop {
                // Few at a time, so that stopping and going on is tried as well.
                match search.run(ctx, 3, &mut out)? {
                    Step::More => {}
                    Step::Done(response) => return Ok(response),
                    Step::PageFull => return Ok(keystead::operations::search::page_full(b"more")),
                }
            }
        });
        let response = ended.unwrap_or_else(|refusal: Refusal| refusal.to_response(PolicyControl::Unwanted));
        (entries(&out), response)
    }
}

/// A search request without limits.
pub fn search_request(base: &str, scope: Scope, filter: &str, attributes: &[&str]) -> SearchRequest {
    SearchRequest {
        base: Bytes::copy_from_slice(base.as_bytes()),
        scope,
        deref_aliases: DerefAliases::Never,
        size_limit: 0,
        time_limit: 0,
        types_only: false,
        filter: Filter::parse(filter).unwrap(),
        attributes: attributes.iter().map(|name| Bytes::copy_from_slice(name.as_bytes())).collect(),
    }
}

/// The code of an answer; compare results are errors here, since they are not success.
pub fn result(response: &Response) -> Answered {
    match response.result.code {
        ResultCode::Success => Ok(()),
        code => Err(code),
    }
}

/// The password policy control of a request.
pub fn policy_control() -> Vec<RawControl> {
    vec![RawControl { oid: oid::PASSWORD_POLICY.into(), critical: false, value: None }]
}

/// The octets of the password policy control of an answer.
pub fn policy_response(response: &Response) -> Option<Vec<u8>> {
    let control = response.controls.iter().find(|control| control.oid == oid::PASSWORD_POLICY)?;
    control.value.clone()
}

fn generated(value: &[u8]) -> String {
    let inner = wire::element(value).unwrap().content;
    String::from_utf8(wire::element(inner).unwrap().content.to_vec()).unwrap()
}

fn entries(octets: &[u8]) -> Vec<FoundEntry> {
    let entry = |message: wire::Element<'_>| {
        let id = wire::element(message.content).unwrap();
        let operation = wire::element(id.rest).unwrap();
        let dn = wire::element(operation.content).unwrap();
        let list = wire::element(dn.rest).unwrap();
        let attribute = |one: wire::Element<'_>| {
            let name = wire::element(one.content).unwrap();
            let values = wire::elements(wire::element(name.rest).unwrap().content);
            (String::from_utf8(name.content.to_vec()).unwrap(), values.map(|v| v.content.to_vec()).collect())
        };
        FoundEntry {
            dn: String::from_utf8(dn.content.to_vec()).unwrap(),
            attributes: wire::elements(list.content).map(attribute).collect(),
        }
    };
    wire::elements(octets).map(entry).collect()
}

fn request(record: ldif::Record) -> Request {
    match record.body {
        Body::Content(attributes) | Body::Add(attributes) => {
            let attributes = attributes.into_iter().map(|(name, value)| (name, vec![value])).collect();
            Request::Add(AddRequest { entry: full(&record.dn), attributes })
        }
        Body::Delete => Request::Delete(full(&record.dn).into()),
        Body::Modify(changes) => {
            let change = |change: ldif::AttributeChange| RequestedChange {
                kind: change.kind,
                attribute: change.attribute,
                values: change.values,
            };
            let changes = changes.into_iter().map(change).collect();
            Request::Modify(ModifyRequest { object: full(&record.dn), changes })
        }
        Body::ModifyDn { new_rdn, delete_old_rdn, new_superior } => {
            let new_superior = new_superior.map(|superior| full(&superior));
            Request::ModifyDn(ModifyDnRequest { entry: full(&record.dn), new_rdn, delete_old_rdn, new_superior })
        }
    }
}

/// The rules that `keystead init` writes.
fn rules() -> Vec<RuleText> {
    let rule = |name: &str, who: &str, to: &str, attributes: &[&str], allow: &[&str]| RuleText {
        name: name.into(),
        who: vec![who.into()],
        to: vec![to.into()],
        attributes: attributes.iter().map(|&word| word.into()).collect(),
        allow: allow.iter().map(|&word| word.into()).collect(),
        ..RuleText::default()
    };
    let everything = ["*", "+", "password-state"];
    let see = ["search", "read", "compare"];
    let tree = format!("subtree:{SUFFIX}");
    vec![
        rule("administrators", &format!("group:cn=administrators,ou=groups,{SUFFIX}"), &tree, &everything, &["all"]),
        rule("local root", "local-root", "everything", &everything, &["all"]),
        rule("authenticate", "everyone", &tree, &[], &["authenticate"]),
        rule("own password", "self", &tree, &[], &["change-password"]),
        rule("oneself", "self", &tree, &everything, &see),
        rule("whoever has authenticated", "authenticated", &tree, &["*", "+"], &see),
        rule(
            "helpdesk",
            &format!("group:cn=helpdesk,ou=groups,{SUFFIX}"),
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
