//! Searches that go on to tell of changes.

use std::cell::{Cell, RefCell};

use bytes::BytesMut;
use keystead::directory::ResultCode;
use keystead::directory::tree::Directory;
use keystead::operations::perform::may_search;
use keystead::operations::search::{self, Search, Step};
use keystead::protocol::control::Controls;
use keystead::protocol::request::SearchRequest;
use keystead::protocol::{MessageId, RawControl, Request};

use super::Client;
use crate::scene::answer::{FoundEntry, entries};

/// A search that goes on to tell of changes.
pub struct Watching<'c, 's, D: Directory> {
    client: &'c Client<'s, D>,
    request: SearchRequest,
    controls: Controls,
    search: RefCell<Search>,
    before: RefCell<D::View>,
    ended: Cell<Option<ResultCode>>,
}

impl<'s, D: Directory> Client<'s, D> {
    /// Begins one, and what it finds at first.
    pub fn watch(
        &self,
        request: &SearchRequest,
        controls: &[RawControl],
    ) -> Result<(Watching<'_, 's, D>, Vec<FoundEntry>), ResultCode> {
        self.watch_octets(request, controls).map(|(watching, out)| (watching, entries(&out)))
    }

    /// The same with the octets of what it finds.
    pub fn watch_octets(
        &self,
        request: &SearchRequest,
        controls: &[RawControl],
    ) -> Result<(Watching<'_, 's, D>, BytesMut), ResultCode> {
        let read =
            Controls::read(controls, &Request::Search(request.clone())).map_err(|_| ResultCode::ProtocolError)?;
        let view = self.scene.directory.view();
        let mut out = BytesMut::new();
        let mut search = self
            .acting(&view, &read, |ctx| Search::start(ctx, request, &read, MessageId(1), &mut out))
            .map_err(|refusal| search::refused(&refusal, &read).result.code)?;
        loop {
            match self.acting(&view, &read, |ctx| search.run(ctx, 3, &mut out)).unwrap() {
                Step::More => {}
                Step::Waiting => break,
                Step::Done(response) => return Err(response.result.code),
                Step::PageFull => panic!("there are no pages"),
            }
        }
        let watching = Watching {
            client: self,
            request: request.clone(),
            controls: read,
            search: search.into(),
            before: view.into(),
            ended: Cell::default(),
        };
        Ok((watching, out))
    }
}

impl<D: Directory> Watching<'_, '_, D> {
    /// What it tells of what has happened since.
    pub fn told(&self) -> Vec<FoundEntry> {
        entries(&self.told_octets())
    }

    /// The same as octets.
    pub fn told_octets(&self) -> BytesMut {
        let view = self.client.scene.directory.view();
        let mut out = BytesMut::new();
        while self.ended.get().is_none() {
            let (mut search, before) = (self.search.borrow_mut(), self.before.borrow());
            let step = self.client.acting(&view, &self.controls, |ctx| {
                may_search(ctx, &self.request)?;
                search.watch(ctx, &*before, 2, &mut out)
            });
            match step {
                Ok(Step::More) => {}
                Ok(Step::Waiting) => break,
                Ok(Step::Done(response)) => self.ended.set(Some(response.result.code)),
                Ok(Step::PageFull) => panic!("there are no pages"),
                Err(refusal) => self.ended.set(Some(search::refused(&refusal, &self.controls).result.code)),
            }
        }
        self.before.replace(view);
        out
    }

    /// How it ended.
    pub fn ended(&self) -> Option<ResultCode> {
        self.ended.get()
    }
}
