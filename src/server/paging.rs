//! Searches that wait for their client to ask for the next page (RFC 2696).

use crate::directory::Identity;
use crate::operations::search::Search;
use crate::protocol::control::Controls;
use crate::protocol::request::SearchRequest;

/// So many searches of one connection may wait; the oldest makes room. Of those that are sorted, one may.
const MOST: usize = 16;

/// The waiting searches of one connection.
#[derive(Debug, Default)]
pub(super) struct Paging {
    searches: Vec<Waiting>,
    last: u64,
}

#[derive(Debug)]
struct Waiting {
    cookie: u64,
    asked: Asked,
    identity: Identity,
    search: Search,
}

/// A search as it was asked for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    request: SearchRequest,
    controls: Controls,
}

impl Asked {
    /// The request, with what its controls say.
    pub(super) fn new(request: &SearchRequest, controls: &Controls) -> Self {
        Self { request: request.clone(), controls: controls.clone() }
    }

    /// Whether it is the same search, for whose next page a client asks.
    fn is_same(&self, request: &SearchRequest, controls: &Controls) -> bool {
        self.request.is_same_but_for_limits(request) && self.controls.ask_the_same_of_pages(controls)
    }
}

impl Paging {
    /// Keeps a search, and returns the cookie by which it is found again.
    pub(super) fn keep(&mut self, asked: Asked, identity: Identity, search: Search) -> [u8; 8] {
        if search.keeps_much() {
            self.searches.retain(|waiting| !waiting.search.keeps_much());
        }
        if self.searches.len() >= MOST {
            self.searches.remove(0);
        }
        self.last += 1;
        self.searches.push(Waiting { cookie: self.last, asked, identity, search });
        self.last.to_be_bytes()
    }

    /// Finds the search that the cookie belongs to, if it is the same search by the same person.
    pub(super) fn take(
        &mut self,
        cookie: &[u8],
        (request, controls): (&SearchRequest, &Controls),
        identity: &Identity,
    ) -> Option<Search> {
        let cookie = u64::from_be_bytes(cookie.try_into().ok()?);
        let same = |waiting: &Waiting| {
            waiting.cookie == cookie && waiting.identity == *identity && waiting.asked.is_same(request, controls)
        };
        let at = self.searches.iter().position(same)?;
        Some(self.searches.remove(at).search)
    }
}
