//! Somebody who uses the directory.

mod counting;
mod pages;
mod watching;

use std::cell::{Cell, RefCell};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use keystead::access::Actor;
use keystead::directory::ldif::{self, Body, Reader};
use keystead::directory::tree::{Change, Directory, Scope, Write};
use keystead::directory::{Filter, Identity, ResultCode, wire};
use keystead::operations::bind::InProgress;
use keystead::operations::context::Link;
use keystead::operations::perform::{looks_far, may_search};
use keystead::operations::recognition::{Recognition, recognise};
use keystead::operations::refusal::PolicyControl;
use keystead::operations::search::{self, Search, Step};
use keystead::operations::transaction::{Aborted, Transactions, Turn};
use keystead::operations::{
    ChannelBindings, Confidentiality, Context, Effect, Effort, External, Freedom, Outcome, Refusal, Requester, bind,
    perform, proxy,
};
use keystead::protocol::control::{Controls, Flags, ResponseControl};
use keystead::protocol::request::{
    AddRequest, Authentication, BindRequest, CompareRequest, DerefAliases, ExtendedRequest, ModifyDnRequest,
    ModifyRequest, RequestedChange, SearchRequest,
};
use keystead::protocol::{Message, MessageId, RawControl, Request, Response, oid};

pub use counting::Work;
pub use watching::Watching;

use super::answer::{FoundEntry, entries, generated, result};
use super::{SUFFIX, Scene, full, short};

/// What a client was answered.
pub type Answered = Result<(), ResultCode>;

/// Somebody who uses the directory.
pub struct Client<'s, D: Directory> {
    scene: &'s Scene<D>,
    requester: RefCell<Requester>,
    effort: Cell<Option<Effort>>,
    delay: Cell<Duration>,
    /// A bind that is half done.
    begun: RefCell<Option<Box<InProgress>>>,
    transactions: RefCell<Transactions>,
    /// The number of the last request.
    sent: Cell<i32>,
}

impl<'s, D: Directory> Client<'s, D> {
    pub fn new(scene: &'s Scene<D>, requester: Requester) -> Self {
        Self {
            scene,
            requester: requester.into(),
            effort: Cell::default(),
            delay: Cell::default(),
            begun: RefCell::default(),
            transactions: RefCell::default(),
            sent: Cell::new(0),
        }
    }

    pub fn become_identity(&self, identity: Identity) {
        self.requester.borrow_mut().identity = identity;
    }

    /// How much they may do from now on.
    pub fn become_free(&self, freedom: Freedom) {
        self.requester.borrow_mut().freedom = freedom;
    }

    /// The address that the connection comes from.
    pub fn come_from(&self, address: &str) {
        self.requester.borrow_mut().source = address.into();
    }

    /// How much work the last bind was.
    pub fn effort(&self) -> Option<Effort> {
        self.effort.get()
    }

    /// For how long a shell holds the last answer back.
    pub fn delay(&self) -> Duration {
        self.delay.get()
    }

    /// Goes on over a connection that others can listen in on.
    pub fn in_the_clear(self) -> Self {
        self.requester.borrow_mut().confidentiality = Confidentiality::Open;
        self
    }

    /// Goes on over a connection of that kind.
    pub fn over(self, link: Link) -> Self {
        self.requester.borrow_mut().link = link;
        self
    }

    /// From now on the connection itself proves who it is, for SASL EXTERNAL.
    pub fn prove_externally(&self, external: External) {
        self.requester.borrow_mut().external = Some(external);
    }

    /// Goes on over a channel that these bindings tell from others.
    pub fn bound_to(self, channel: ChannelBindings) -> Self {
        self.requester.borrow_mut().channel = Some(channel.into());
        self
    }

    /// What has become of whoever has authenticated here, as a server finds it out before the next request.
    pub fn recognised(&self) -> Recognition {
        let (view, services) = (self.scene.directory.view(), self.scene.services.borrow());
        recognise(&self.requester.borrow(), &view, &services.policies, self.scene.clock.get()).unwrap()
    }

    /// Who the connection belongs to.
    pub fn identity(&self) -> Identity {
        self.requester.borrow().identity.clone()
    }

    /// Who has authenticated, where the connection belongs to somebody whom they act as.
    pub fn proxied_by(&self) -> Option<Identity> {
        self.requester.borrow().proxied_by.clone()
    }

    fn with<R>(&self, work: impl FnOnce(&Context<'_>) -> R) -> R {
        self.with_view(&self.scene.directory.view(), work)
    }

    /// As whom the controls say.
    fn acting<R>(
        &self,
        view: &D::View,
        controls: &Controls,
        work: impl FnOnce(&Context<'_>) -> Result<R, Refusal>,
    ) -> Result<R, Refusal> {
        self.with_view(view, |ctx| match &controls.proxied {
            None => work(ctx),
            Some(proxied) => {
                let (requester, actor) = proxy::authorize(ctx, proxied)?;
                work(&Context { requester: &requester, actor: &actor, ..*ctx })
            }
        })
    }

    fn with_view<R>(&self, view: &D::View, work: impl FnOnce(&Context<'_>) -> R) -> R {
        let requester = self.requester.borrow().clone();
        let services = self.scene.services.borrow();
        let circumstances = requester.circumstances(self.scene.clock.get());
        let rules = &services.rules.in_force(view).unwrap().rules;
        let actor = Actor::find(requester.identity.clone(), &circumstances, rules, view).unwrap();
        work(&Context {
            tree: view,
            services: &services,
            requester: &requester,
            rules,
            actor: &actor,
            now: self.scene.clock.get(),
            random: &self.scene.random,
            flags: Flags::default(),
            wishes: None,
        })
    }

    /// Does what a shell does with an outcome: makes its changes, then what follows from them.
    fn carry_out(&self, result: Result<Outcome, Refusal>, policy: PolicyControl) -> Response {
        self.delay.set(result.as_ref().map_or_else(Refusal::hold, |outcome| outcome.hold).delay);
        let mut outcome = match result {
            Ok(outcome) => outcome,
            Err(refusal) => return refusal.to_response(policy),
        };
        let change = std::mem::take(&mut outcome.change);
        if !change.is_empty() {
            let schema = change.writes.iter().any(|write| matches!(write, Write::SetSchema(_)));
            let committed = self.scene.directory.commit(change).unwrap();
            if schema {
                self.scene.refit();
            }
            outcome.settle(committed.csn);
        }
        for effect in outcome.effects {
            match effect {
                Effect::Authenticated { identity, freedom, proof, proxied_by } => {
                    let mut requester = self.requester.borrow_mut();
                    requester.identity = identity;
                    requester.freedom = freedom;
                    requester.proof = proof;
                    requester.proxied_by = proxied_by.map(|identity| *identity);
                }
                Effect::BindInProgress(begun) => *self.begun.borrow_mut() = Some(begun),
                Effect::AskedChanged => {}
                Effect::PasswordSet { uuid, .. } | Effect::CredentialsSet { uuid } => {
                    self.scene.services.borrow().meter.forget(uuid);
                    if self.identity().uuid() == Some(uuid) && matches!(effect, Effect::PasswordSet { .. }) {
                        self.requester.borrow_mut().freedom = Freedom::Full;
                    }
                }
            }
        }
        outcome.response
    }

    /// The number of the last request.
    pub fn last_id(&self) -> i32 {
        self.sent.get()
    }

    /// The notice that the transaction has been given up, if one has come.
    pub fn aborted(&self) -> Option<Aborted> {
        let mut transactions = self.transactions.borrow_mut();
        transactions.expire(self.scene.now());
        transactions.take_aborted()
    }

    /// Sends a request with controls, and returns the whole answer.
    pub fn send(&self, request: &Request, controls: &[RawControl]) -> Response {
        self.sent.set(self.sent.get() + 1);
        let message = Message {
            id: MessageId(self.sent.get()),
            octets: 0,
            request: request.clone(),
            controls: controls.to_vec(),
        };
        let controls = match Controls::read(controls, request) {
            Ok(controls) => controls,
            Err(error) => {
                self.transactions.borrow_mut().note_refused(&message, &error);
                return Refusal::from(error).to_response(PolicyControl::Unwanted);
            }
        };
        let policy = PolicyControl::of(&controls);
        let begun = self.begun.take();
        if let Request::Bind(bind) = request {
            self.transactions.borrow_mut().forget();
            return self.send_bind(bind, &controls, policy, begun.as_deref());
        }
        let view = self.scene.directory.view();
        let requester = self.requester.borrow().clone();
        if Transactions::begins_as_another(&message, &controls)
            && let Err(refusal) = self.acting(&view, &controls, |_| Ok(()))
        {
            return refusal.to_response(policy);
        }
        let turn = self.transactions.borrow_mut().take(&requester, &message, &controls, self.scene.now());
        match turn {
            None => {}
            Some(Turn::Answered(result)) => return self.carry_out(*result, policy),
            Some(Turn::Settle(transaction)) => {
                let controls = Controls { proxied: transaction.proxied(), ..controls };
                let result = self.acting(&view, &controls, |ctx| transaction.plan(ctx));
                return self.carry_out(result, policy);
            }
        }
        let result = self.acting(&view, &controls, |ctx| perform(ctx, request, &controls));
        self.carry_out(result, policy)
    }

    fn send_bind(
        &self,
        request: &BindRequest,
        controls: &Controls,
        policy: PolicyControl,
        begun: Option<&InProgress>,
    ) -> Response {
        self.requester.borrow_mut().freedom = Freedom::Full;
        self.requester.borrow_mut().proxied_by = None;
        self.become_identity(Identity::Anonymous);
        let result = self.with(|ctx| match bind::prepare(ctx, request, controls, begun)? {
            bind::Prepared::Done(outcome) => Ok(*outcome),
            bind::Prepared::Verify(mut verification) => {
                self.effort.set(Some(verification.effort(ctx)));
                verification.run(ctx, controls)
            }
        });
        self.carry_out(result, policy)
    }

    /// Applies the records of some LDIF, one after another; entries without a change type are added.
    pub fn change(&self, text: &str) -> Answered {
        requests(text).iter().try_for_each(|request| result(&self.send(request, &[])))
    }

    /// Whether what the first record of some LDIF asks for is done where nobody waits for the thread.
    pub fn looks_far(&self, text: &str) -> bool {
        self.with(|ctx| looks_far(ctx, requests(text).first().unwrap()))
    }

    /// What the first record of some LDIF would change, planned at this moment and not made yet.
    pub fn plan(&self, text: &str) -> Result<Change, ResultCode> {
        let planned = self.with(|ctx| perform(ctx, requests(text).first().unwrap(), &Controls::default()));
        planned.map(|outcome| outcome.change).map_err(|refusal| ResultCode::from(&refusal))
    }

    /// The whole answer to the first record of some LDIF.
    pub fn change_with(&self, text: &str, controls: &[RawControl]) -> Response {
        self.send(requests(text).first().unwrap(), controls)
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

    /// What a bind comes to, planned at this moment and not carried out yet.
    pub fn plan_bind(&self, name: &str, password: &str) -> Result<Outcome, ResultCode> {
        let authentication = Authentication::Simple(Bytes::copy_from_slice(password.as_bytes()));
        let request = BindRequest { version: 3, name: full(name).into(), authentication };
        let controls = Controls::default();
        let planned = self.with(|ctx| match bind::prepare(ctx, &request, &controls, None)? {
            bind::Prepared::Done(outcome) => Ok(*outcome),
            bind::Prepared::Verify(verification) => verification.run(ctx, &controls),
        });
        planned.map_err(|refusal| ResultCode::from(&refusal))
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
        self.extended(oid::PASSWORD_MODIFY, Some(&value), controls)
    }

    /// Sends an extended request.
    pub fn extended(&self, name: &str, value: Option<&[u8]>, controls: &[RawControl]) -> Response {
        let name = Bytes::copy_from_slice(name.as_bytes());
        let request = ExtendedRequest { name, value: value.map(Bytes::copy_from_slice) };
        self.send(&Request::Extended(request), controls)
    }

    /// Compares a value.
    pub fn compare(&self, name: &str, attribute: &str, value: &str) -> ResultCode {
        self.compare_with(name, attribute, value, &[]).result.code
    }

    /// The same with controls; returns the whole answer.
    pub fn compare_with(&self, name: &str, attribute: &str, value: &str, controls: &[RawControl]) -> Response {
        let request = CompareRequest {
            entry: full(name).into(),
            attribute: Bytes::copy_from_slice(attribute.as_bytes()),
            value: Bytes::copy_from_slice(value.as_bytes()),
        };
        self.send(&Request::Compare(request), controls)
    }

    /// The names that a search of the whole tree finds, in alphabetical order and without the suffix.
    pub fn find(&self, filter: &str) -> Vec<String> {
        self.names(SUFFIX, Scope::WholeSubtree, filter).unwrap()
    }

    /// The names that a search finds, in alphabetical order and without the suffix.
    pub fn names(&self, base: &str, scope: Scope, filter: &str) -> Result<Vec<String>, ResultCode> {
        let found = self.search(&full(base), scope, filter, &["1.1"])?;
        let mut names: Vec<String> = found.iter().map(|entry| short(&entry.dn)).collect();
        names.sort();
        Ok(names)
    }

    /// The entry of that name.
    pub fn read(&self, name: &str, attributes: &[&str]) -> Option<FoundEntry> {
        self.search(&full(name), Scope::BaseObject, "(objectClass=*)", attributes).ok()?.pop()
    }

    /// The values of one attribute of an entry.
    pub fn values(&self, name: &str, attribute: &str) -> Vec<String> {
        self.read(name, &[attribute]).map(|entry| entry.texts(attribute)).unwrap_or_default()
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
        self.search_in_steps(request, controls, || {})
    }

    /// The same, with something happening between two steps. Each looks at a few entries only, so that stopping and
    /// going on is tried as well.
    pub fn search_in_steps(
        &self,
        request: &SearchRequest,
        controls: &[RawControl],
        between: impl Fn(),
    ) -> (Vec<FoundEntry>, Response) {
        let (out, response) = self.search_octets(request, controls, between);
        (entries(&out), response)
    }

    /// The octets of the entries that a search finds, and how it ends.
    pub fn search_octets(
        &self,
        request: &SearchRequest,
        controls: &[RawControl],
        between: impl Fn(),
    ) -> (BytesMut, Response) {
        let mut out = BytesMut::new();
        let controls = match Controls::read(controls, &Request::Search(request.clone())) {
            Ok(controls) => controls,
            Err(error) => {
                return (out, Refusal::from(error).to_response(PolicyControl::Unwanted));
            }
        };
        let view = self.scene.directory.view();
        let mut search = self.acting(&view, &controls, |ctx| {
            may_search(ctx, request)?;
            Search::start(ctx, request, &controls, MessageId(1), &mut out)
        });
        let response = loop {
            let step = match &mut search {
                Ok(search) => self.acting(&view, &controls, |ctx| search.run(ctx, 3, &mut out)),
                Err(refusal) => break search::refused(refusal, &controls),
            };
            match step {
                Ok(Step::More) => between(),
                Ok(Step::Done(response)) => break response,
                Ok(Step::Waiting) => break Response::from(ResultCode::Success),
                Ok(Step::PageFull) => break search::page_full(b"more", told(&search)),
                Err(refusal) => break search::refused(&refusal, &controls),
            }
        };
        (out, response)
    }
}

fn told(search: &Result<Search, Refusal>) -> Vec<ResponseControl> {
    search.as_ref().map(Search::told).unwrap_or_default()
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

/// The requests that some LDIF stands for.
pub fn requests(text: &str) -> Vec<Request> {
    Reader::new(text.as_bytes()).map(|record| request(record.unwrap())).collect()
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
