//! One connection as a state machine: which requests may run when, and which answers are still wanted
//! (RFC 4511 §3.1, §4.2.1, §4.11, §4.14).
//!
//! Pure: messages in, [`Action`]s out; sockets and operations are elsewhere. Requests run side by side, but for a bind,
//! during which everything else waits, and `StartTLS`, during which nothing may come.

use std::collections::VecDeque;

use smallvec::{SmallVec, smallvec};

use crate::directory::ResultCode;
use crate::protocol::extended::cancelled;
use crate::protocol::request::ExtendedRequest;
use crate::protocol::{Message, MessageId, Operation, Request, Response, oid};

/// What the connection is to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Do what the request wants, and call [`Session::complete`] when it is answered.
    Perform(Message),
    /// Stop working on the request; no answer is wanted any more.
    Abandon(MessageId),
    /// Answer at once.
    Respond {
        /// To which request.
        id: MessageId,
        /// Of which kind.
        operation: Operation,
        /// What.
        response: Response,
    },
    /// Answer that TLS begins, and begin it.
    StartTls(MessageId),
    /// Tell why, and end the connection.
    Disconnect {
        /// The code of the notice.
        code: ResultCode,
        /// Its words.
        reason: &'static str,
    },
    /// End the connection silently, as the client asked.
    Close,
}

/// What follows from one message: mostly one action.
pub type Actions = SmallVec<[Action; 2]>;

/// Whether and how the connection is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tls {
    /// It is not, and cannot be.
    Unavailable,
    /// It is not yet.
    Available,
    /// It is, or needs not be, since it does not leave the machine.
    Established,
}

/// Messages that wait for a bind to end; a client that sends more without waiting means no good.
const MOST_WAITING: usize = 256;

/// The state of one connection.
#[derive(Debug)]
pub struct Session {
    tls: Tls,
    phase: Phase,
    outstanding: SmallVec<[Outstanding; 4]>,
    waiting: VecDeque<Message>,
}

/// A request that has not been answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Outstanding {
    id: MessageId,
    operation: Operation,
    octets: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Requests run side by side.
    Open,
    /// A bind runs alone.
    Binding(MessageId),
    /// TLS is being established.
    StartingTls,
    /// Nothing more is taken.
    Ended,
}

impl Session {
    /// A connection on which nothing has been said.
    pub fn new(tls: Tls) -> Self {
        Self { tls, phase: Phase::Open, outstanding: SmallVec::new(), waiting: VecDeque::new() }
    }

    /// How many requests are under way or wait.
    pub fn load(&self) -> usize {
        self.outstanding.len() + self.waiting.len()
    }

    /// How many octets these came in.
    pub fn octets(&self) -> usize {
        let outstanding = self.outstanding.iter().map(|one| one.octets);
        outstanding.chain(self.waiting.iter().map(|message| message.octets)).map(|octets| octets as usize).sum()
    }

    /// Whether nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.load() == 0
    }

    /// Takes one message and says what to do next. Never blocks, never fails.
    pub fn receive(&mut self, message: Message) -> Actions {
        match self.phase {
            Phase::Ended => Actions::new(),
            // Whatever comes in the clear behind StartTLS was put there by somebody else (RFC 4511 §4.14.1).
            Phase::StartingTls => self.disconnect("a request came while TLS was being established"),
            Phase::Binding(_) if !is_about_others(&message.request) => {
                if self.waiting.len() >= MOST_WAITING {
                    return self.disconnect("too many requests came while a bind was under way");
                }
                self.waiting.push_back(message);
                Actions::new()
            }
            Phase::Open | Phase::Binding(_) => self.begin(message),
        }
    }

    /// Notes that a request has been answered, and says what may run now.
    pub fn complete(&mut self, id: MessageId) -> Actions {
        self.outstanding.retain(|one| one.id != id);
        if self.phase != Phase::Binding(id) {
            return Actions::new();
        }
        self.phase = Phase::Open;
        let mut actions = Actions::new();
        while self.phase == Phase::Open {
            let Some(message) = self.waiting.pop_front() else { break };
            actions.extend(self.begin(message));
        }
        actions
    }

    /// Notes that TLS has been established: nothing that was said before counts (RFC 4511 §4.14.2).
    pub fn tls_established(&mut self) {
        self.tls = Tls::Established;
        self.phase = Phase::Open;
    }

    /// Takes nothing more.
    pub fn end(&mut self) -> Actions {
        self.phase = Phase::Ended;
        self.waiting.clear();
        self.abandon_all()
    }

    fn begin(&mut self, message: Message) -> Actions {
        if self.outstanding.iter().any(|one| one.id == message.id) {
            return self.disconnect("two requests have the same message id");
        }
        let operation = message.request.operation();
        let outstanding = Outstanding { id: message.id, operation, octets: message.octets };
        match &message.request {
            Request::Unbind => {
                let mut actions = self.end();
                actions.push(Action::Close);
                actions
            }
            Request::Abandon(id) => self.abandon(*id),
            Request::Malformed { reason, .. } => {
                let response = Response::with_message(ResultCode::ProtocolError, *reason);
                smallvec![Action::Respond { id: message.id, operation, response }]
            }
            Request::Bind(_) => {
                let mut actions = self.abandon_all();
                self.phase = Phase::Binding(message.id);
                self.outstanding.push(outstanding);
                actions.push(Action::Perform(message));
                actions
            }
            Request::Extended(request)
                if is_of_the_connection(request) && message.controls.iter().any(|it| it.critical) =>
            {
                let words = "no control is available for this operation";
                let refused = Response::with_message(ResultCode::UnavailableCriticalExtension, words);
                smallvec![respond(&message, refused)]
            }
            Request::Extended(request) if request.name == oid::START_TLS => self.start_tls(&message, request),
            Request::Extended(request) if request.name == oid::CANCEL => self.cancel(&message, request),
            _ => {
                self.outstanding.push(outstanding);
                smallvec![Action::Perform(message)]
            }
        }
    }

    /// RFC 4511 §4.11: a bind cannot be abandoned nor StartTLS, and what has been answered need not be. What waits for a bind
    /// to end is forgotten.
    fn abandon(&mut self, id: MessageId) -> Actions {
        self.waiting.retain(|message| message.id != id || !can_be_abandoned(&message.request));
        let before = self.outstanding.len();
        self.outstanding.retain(|one| one.id != id || one.operation == Operation::Bind);
        if self.outstanding.len() < before { smallvec![Action::Abandon(id)] } else { Actions::new() }
    }

    fn abandon_all(&mut self) -> Actions {
        self.outstanding.drain(..).map(|one| Action::Abandon(one.id)).collect()
    }

    /// RFC 4511 §4.14.1.
    fn start_tls(&mut self, message: &Message, request: &ExtendedRequest) -> Actions {
        let (code, words) = match self.tls {
            _ if request.value.is_some() => (ResultCode::ProtocolError, "StartTLS takes no value"),
            Tls::Established => (ResultCode::OperationsError, "the connection is protected already"),
            Tls::Unavailable => (ResultCode::ProtocolError, "TLS is not available here"),
            Tls::Available if !self.is_idle() => {
                (ResultCode::OperationsError, "other requests are under way; wait for their answers first")
            }
            Tls::Available => {
                self.phase = Phase::StartingTls;
                return smallvec![Action::StartTls(message.id)];
            }
        };
        smallvec![respond(message, Response::with_message(code, words))]
    }

    /// RFC 3909: a search is stopped and answered; other operations are done before they could be.
    fn cancel(&mut self, message: &Message, request: &ExtendedRequest) -> Actions {
        let Some(target) = cancelled(request.value.as_ref()) else {
            let malformed = Response::with_message(ResultCode::ProtocolError, "the cancel request is malformed");
            return smallvec![respond(message, malformed)];
        };
        let found = self.outstanding.iter().find(|one| one.id == target).map(|one| one.operation);
        match found {
            None => smallvec![respond(message, ResultCode::NoSuchOperation.into())],
            Some(Operation::Bind) => smallvec![respond(message, ResultCode::CannotCancel.into())],
            Some(operation @ Operation::Search) => {
                self.outstanding.retain(|one| one.id != target);
                let canceled = Action::Respond { id: target, operation, response: ResultCode::Canceled.into() };
                smallvec![Action::Abandon(target), canceled, respond(message, ResultCode::Success.into())]
            }
            Some(_) => smallvec![respond(message, ResultCode::TooLate.into())],
        }
    }

    fn disconnect(&mut self, reason: &'static str) -> Actions {
        let mut actions = self.end();
        actions.push(Action::Disconnect { code: ResultCode::ProtocolError, reason });
        actions
    }
}

fn can_be_abandoned(request: &Request) -> bool {
    match request {
        Request::Bind(_) | Request::Unbind => false,
        Request::Extended(request) => request.name != oid::START_TLS,
        _ => true,
    }
}

/// Requests that are about other requests, and so cannot wait behind them.
const fn is_about_others(request: &Request) -> bool {
    matches!(request, Request::Abandon(_) | Request::Unbind)
}

/// Extended operations that are done here: no control has a meaning for them (RFC 4511 §4.1.11).
fn is_of_the_connection(request: &ExtendedRequest) -> bool {
    request.name == oid::START_TLS || request.name == oid::CANCEL
}

fn respond(message: &Message, response: Response) -> Action {
    Action::Respond { id: message.id, operation: message.request.operation(), response }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::protocol::RawControl;
    use crate::protocol::request::{Authentication, BindRequest};

    fn message(id: i32, request: Request) -> Message {
        Message { id: MessageId(id), octets: 10, request, controls: Vec::new() }
    }

    fn delete(id: i32) -> Message {
        message(id, Request::Delete("cn=a".into()))
    }

    fn search(id: i32) -> Message {
        let request = b"\x30\x1f\x02\x01\x01\x63\x1a\x04\x00\x0a\x01\x00\x0a\x01\x00\x02\x01\x00\x02\x01\x00\x01\x01\x00\x87\x05class\x30\x00";
        let framing = crate::protocol::Framing { max_octets: 100, max_elements: 100 };
        let decoded = framing.next(&mut bytes::BytesMut::from(&request[..])).unwrap().unwrap();
        Message { id: MessageId(id), ..decoded }
    }

    fn bind(id: i32) -> Message {
        let authentication = Authentication::Simple(Bytes::new());
        message(id, Request::Bind(BindRequest { version: 3, name: Bytes::new(), authentication }))
    }

    fn extended(id: i32, name: &'static str, value: Option<&'static [u8]>) -> Message {
        message(id, Request::Extended(ExtendedRequest { name: name.into(), value: value.map(Bytes::from_static) }))
    }

    fn code(actions: &Actions) -> ResultCode {
        match actions.last() {
            Some(Action::Respond { response, .. }) => response.result.code,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn requests_run_side_by_side() {
        let mut session = Session::new(Tls::Established);
        assert_eq!(session.receive(delete(1)).as_slice(), [Action::Perform(delete(1))]);
        assert_eq!(session.receive(delete(2)).as_slice(), [Action::Perform(delete(2))]);
        assert!(session.complete(MessageId(2)).is_empty() && !session.is_idle());
        assert!(session.complete(MessageId(1)).is_empty() && session.is_idle());
    }

    #[test]
    fn the_octets_of_what_has_not_been_answered_are_counted() {
        let mut session = Session::new(Tls::Established);
        session.receive(delete(1));
        session.receive(bind(2));
        session.receive(delete(3));
        assert_eq!(session.octets(), 20, "what waits for a bind, too, and not what that has abandoned");
        session.complete(MessageId(2));
        assert_eq!(session.octets(), 10);
        session.receive(message(4, Request::Abandon(MessageId(3))));
        assert_eq!(session.octets(), 0);
    }

    #[test]
    fn bind_abandons_outstanding_operations() {
        let mut session = Session::new(Tls::Established);
        session.receive(delete(1));
        assert_eq!(session.receive(bind(2)).as_slice(), [Action::Abandon(MessageId(1)), Action::Perform(bind(2))]);
    }

    #[test]
    fn requests_behind_a_bind_wait_for_it_in_order() {
        let mut session = Session::new(Tls::Established);
        session.receive(bind(1));
        assert!(session.receive(delete(2)).is_empty() && session.receive(bind(3)).is_empty());
        assert!(session.receive(delete(4)).is_empty());
        let next = session.complete(MessageId(1));
        let (second, third) = (Action::Perform(delete(2)), Action::Perform(bind(3)));
        assert_eq!(next.as_slice(), [second, Action::Abandon(MessageId(2)), third]);
        assert_eq!(session.complete(MessageId(3)).as_slice(), [Action::Perform(delete(4))]);
    }

    #[test]
    fn a_client_cannot_pile_up_requests_behind_a_bind() {
        let mut session = Session::new(Tls::Established);
        session.receive(bind(1));
        let last = (2..1000).map(|id| session.receive(delete(id))).find(|actions| !actions.is_empty()).unwrap();
        assert!(matches!(last.last(), Some(Action::Disconnect { .. })));
    }

    #[test]
    fn abandon_stops_the_request_and_has_no_answer() {
        let mut session = Session::new(Tls::Established);
        session.receive(delete(1));
        let abandon = |id| message(9, Request::Abandon(MessageId(id)));
        assert_eq!(session.receive(abandon(1)).as_slice(), [Action::Abandon(MessageId(1))]);
        assert!(session.receive(abandon(1)).is_empty() && session.receive(abandon(7)).is_empty());
        session.receive(bind(2));
        assert!(session.receive(abandon(2)).is_empty());
    }

    #[test]
    fn what_waits_for_a_bind_can_be_abandoned_but_for_another_bind() {
        let mut session = Session::new(Tls::Established);
        session.receive(bind(1));
        for waiting in [delete(2), search(3), bind(4), extended(5, oid::START_TLS, None), delete(6)] {
            session.receive(waiting);
        }
        for id in 2..=5 {
            assert!(session.receive(message(9, Request::Abandon(MessageId(id)))).is_empty());
        }
        assert_eq!(session.complete(MessageId(1)).as_slice(), [Action::Perform(bind(4))]);
        let rest = session.complete(MessageId(4));
        assert!(
            matches!(rest.as_slice(), [Action::Respond { id: MessageId(5), .. }, Action::Perform(last)] if *last == delete(6))
        );
    }

    #[test]
    fn unbind_abandons_everything_and_closes_silently() {
        let mut session = Session::new(Tls::Established);
        session.receive(delete(1));
        let actions = session.receive(message(2, Request::Unbind));
        assert_eq!(actions.as_slice(), [Action::Abandon(MessageId(1)), Action::Close]);
        assert!(session.receive(delete(3)).is_empty());
    }

    #[test]
    fn a_message_id_in_use_ends_the_connection() {
        let mut session = Session::new(Tls::Established);
        session.receive(delete(1));
        let actions = session.receive(delete(1));
        assert!(matches!(actions.last(), Some(Action::Disconnect { code: ResultCode::ProtocolError, .. })));
    }

    #[test]
    fn a_malformed_request_is_answered_and_costs_nobody_the_connection() {
        let mut session = Session::new(Tls::Established);
        let malformed = Request::Malformed { operation: Operation::Search, reason: "bad" };
        assert_eq!(code(&session.receive(message(1, malformed))), ResultCode::ProtocolError);
        assert_eq!(session.receive(delete(1)).as_slice(), [Action::Perform(delete(1))]);
    }

    #[test]
    fn start_tls_needs_an_idle_unprotected_connection() {
        let start_tls = |id| extended(id, oid::START_TLS, None);
        assert_eq!(code(&Session::new(Tls::Established).receive(start_tls(1))), ResultCode::OperationsError);
        assert_eq!(code(&Session::new(Tls::Unavailable).receive(start_tls(1))), ResultCode::ProtocolError);
        let mut session = Session::new(Tls::Available);
        session.receive(delete(1));
        assert_eq!(code(&session.receive(start_tls(2))), ResultCode::OperationsError);
        session.complete(MessageId(1));
        assert_eq!(session.receive(start_tls(3)).as_slice(), [Action::StartTls(MessageId(3))]);
    }

    #[test]
    fn start_tls_and_cancel_are_not_done_with_a_critical_control() {
        for request in [extended(1, oid::START_TLS, None), extended(1, oid::CANCEL, Some(b"\x30\x03\x02\x01\x07"))] {
            let control = |critical| RawControl { oid: oid::PROXIED_AUTHORIZATION.into(), critical, value: None };
            let send = |critical| {
                let controls = vec![control(critical)];
                Session::new(Tls::Established).receive(Message { controls, ..request.clone() })
            };
            assert_eq!(code(&send(true)), ResultCode::UnavailableCriticalExtension);
            assert_ne!(code(&send(false)), ResultCode::UnavailableCriticalExtension);
        }
    }

    #[test]
    fn nothing_may_come_in_the_clear_behind_start_tls() {
        let mut session = Session::new(Tls::Available);
        session.receive(extended(1, oid::START_TLS, None));
        assert!(matches!(session.receive(bind(2)).last(), Some(Action::Disconnect { .. })));
        let mut session = Session::new(Tls::Available);
        session.receive(extended(1, oid::START_TLS, None));
        session.tls_established();
        assert_eq!(session.receive(bind(2)).as_slice(), [Action::Perform(bind(2))]);
    }

    #[test]
    fn cancel_stops_a_search_and_answers_both() {
        let cancel = |id, value| extended(id, oid::CANCEL, Some(value));
        let mut session = Session::new(Tls::Established);
        session.receive(search(1));
        let actions = session.receive(cancel(2, b"\x30\x03\x02\x01\x01"));
        assert_eq!(actions.len(), 3);
        assert!(
            matches!(&actions[1], Action::Respond { response, .. } if response.result.code == ResultCode::Canceled)
        );
        assert_eq!(code(&actions), ResultCode::Success);
        assert_eq!(code(&session.receive(cancel(3, b"\x30\x03\x02\x01\x01"))), ResultCode::NoSuchOperation);
        session.receive(delete(4));
        assert_eq!(code(&session.receive(cancel(5, b"\x30\x03\x02\x01\x04"))), ResultCode::TooLate);
        assert_eq!(code(&session.receive(cancel(6, b"\x30\x00"))), ResultCode::ProtocolError);
    }
}
