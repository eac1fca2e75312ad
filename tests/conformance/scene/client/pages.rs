//! Searches in pages (RFC 2696).

use bytes::{Bytes, BytesMut};
use keystead::directory::tree::Directory;
use keystead::operations::perform::may_search;
use keystead::operations::search::{Search, Step};
use keystead::protocol::control::{Controls, PagedResults};
use keystead::protocol::request::SearchRequest;
use keystead::protocol::{MessageId, RawControl, Request, Response};

use super::Client;
use crate::scene::answer::entries;

impl<D: Directory> Client<'_, D> {
    /// How many entries are on each page of a search, and how it ends; with something happening between two pages.
    pub fn pages(&self, request: &SearchRequest, size: u32, between: impl Fn()) -> (Vec<usize>, Response) {
        let view = self.scene.directory.view();
        let page = PagedResults { size, cookie: Bytes::new() };
        let controls = Controls { paged: Some(page.clone()), ..Controls::default() };
        let mut counts = Vec::new();
        let mut out = BytesMut::new();
        let start = |out: &mut BytesMut| {
            self.with_view(&view, |ctx| {
                may_search(ctx, request)?;
                Search::start(ctx, request, &controls, MessageId(1), out)
            })
        };
        let mut search = start(&mut out).unwrap();
        loop {
            match self.with_view(&view, |ctx| search.run(ctx, 3, &mut out)).unwrap() {
                Step::More | Step::Waiting => {}
                Step::PageFull => {
                    counts.push(entries(&out.split()).len());
                    between();
                    self.with_view(&view, |ctx| search.next_page(ctx, &page, MessageId(1)));
                }
                Step::Done(response) => {
                    counts.push(entries(&out).len());
                    return (counts, response);
                }
            }
        }
    }

    /// The uids on each page of a search with more controls.
    pub fn pages_with(&self, request: &SearchRequest, size: u32, controls: &[RawControl]) -> Vec<Vec<String>> {
        let view = self.scene.directory.view();
        let page = PagedResults { size, cookie: Bytes::new() };
        let read = Controls::read(controls, &Request::Search(request.clone())).unwrap();
        let controls = Controls { paged: Some(page.clone()), ..read };
        let mut out = BytesMut::new();
        let mut search =
            self.with_view(&view, |ctx| Search::start(ctx, request, &controls, MessageId(1), &mut out)).unwrap();
        let mut pages = Vec::new();
        loop {
            let step = self.with_view(&view, |ctx| search.run(ctx, 3, &mut out)).unwrap();
            if step == Step::More {
                continue;
            }
            pages.push(entries(&out.split()).iter().flat_map(|entry| entry.texts("uid")).collect());
            if step != Step::PageFull {
                return pages;
            }
            self.with_view(&view, |ctx| search.next_page(ctx, &page, MessageId(1)));
        }
    }

    /// How many octets each step of a search writes.
    pub fn octets_of_steps(&self, request: &SearchRequest, entries_at_once: usize) -> Vec<usize> {
        let view = self.scene.directory.view();
        let mut out = BytesMut::new();
        let controls = Controls::default();
        let mut search =
            self.with_view(&view, |ctx| Search::start(ctx, request, &controls, MessageId(1), &mut out)).unwrap();
        let mut steps = Vec::new();
        loop {
            let step = self.with_view(&view, |ctx| search.run(ctx, entries_at_once, &mut out)).unwrap();
            steps.push(out.split().len());
            if step != Step::More {
                return steps;
            }
        }
    }
}
