//! How much is looked at for a search.

use std::cell::{Cell, RefCell};
use std::ops::RangeInclusive;
use std::sync::Arc;

use bytes::BytesMut;
use keystead::directory::filter::Matcher;
use keystead::directory::tree::{
    Candidates, Credentials, Directory, EntryId, Found, LoggedChange, Node, Plan, PlanBudget, Scope, Tree, TreeError,
    Version,
};
use keystead::directory::{AttributeTypeId, Csn, Dn, ResultCode, Schema};
use keystead::operations::Context;
use keystead::operations::search::{Search, Step};
use keystead::protocol::MessageId;
use keystead::protocol::control::Controls;
use keystead::protocol::request::SearchRequest;
use uuid::Uuid;

use super::Client;

/// What was done for a search.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Work {
    /// How it ended.
    pub code: ResultCode,
    /// How many octets were sent.
    pub octets: usize,
    /// In how many steps.
    pub steps: usize,
    /// How many entries were looked at, each as often as it was.
    pub entries: usize,
    /// Which indexes were asked, and how much they named.
    pub plans: Vec<String>,
}

impl<D: Directory> Client<'_, D> {
    /// What is done for a search.
    pub fn work_of(&self, request: &SearchRequest) -> Work {
        self.with(|ctx| {
            let counting = Counting { tree: ctx.tree, entries: Cell::new(0), plans: RefCell::default() };
            let ctx = Context { tree: &counting, ..*ctx };
            let mut out = BytesMut::new();
            let mut search = Search::start(&ctx, request, &Controls::default(), MessageId(1), &mut out).unwrap();
            let mut steps = 1;
            let code = loop {
                match search.run(&ctx, 3, &mut out).unwrap() {
                    Step::More => steps += 1,
                    Step::Done(response) => break response.result.code,
                    other => panic!("{other:?}"),
                }
            };
            let Counting { entries, plans, .. } = counting;
            Work { code, octets: out.len(), steps, entries: entries.get(), plans: plans.into_inner() }
        })
    }
}

/// A tree that counts what is asked of it.
struct Counting<'t> {
    tree: &'t dyn Tree,
    entries: Cell<usize>,
    plans: RefCell<Vec<String>>,
}

impl Counting<'_> {
    fn count(&self, entries: usize) {
        self.entries.set(self.entries.get() + entries);
    }
}

impl Tree for Counting<'_> {
    fn schema(&self) -> &Arc<Schema> {
        self.tree.schema()
    }

    fn suffixes(&self) -> &[Dn] {
        self.tree.suffixes()
    }

    fn find(&self, dn: &Dn) -> Result<Found, TreeError> {
        self.tree.find(dn)
    }

    fn node(&self, id: EntryId) -> Result<Option<Node>, TreeError> {
        self.count(1);
        self.tree.node(id)
    }

    fn nodes_after(&self, after: Option<EntryId>, limit: usize) -> Result<Vec<Node>, TreeError> {
        let nodes = self.tree.nodes_after(after, limit)?;
        self.count(nodes.len());
        Ok(nodes)
    }

    fn find_uuid(&self, uuid: Uuid) -> Result<Option<EntryId>, TreeError> {
        self.tree.find_uuid(uuid)
    }

    fn dn(&self, id: EntryId) -> Result<Option<Arc<Dn>>, TreeError> {
        self.tree.dn(id)
    }

    fn parent(&self, id: EntryId) -> Result<Option<EntryId>, TreeError> {
        self.tree.parent(id)
    }

    fn children(&self, id: EntryId, after: Option<EntryId>, limit: usize) -> Result<Vec<EntryId>, TreeError> {
        self.tree.children(id, after, limit)
    }

    fn credentials(&self, id: EntryId) -> Result<Option<Credentials>, TreeError> {
        self.tree.credentials(id)
    }

    fn equal(&self, attribute_type: AttributeTypeId, normal: &[u8]) -> Result<Vec<EntryId>, TreeError> {
        self.tree.equal(attribute_type, normal)
    }

    fn having(&self, attribute_type: AttributeTypeId) -> Result<Candidates, TreeError> {
        self.tree.having(attribute_type)
    }

    fn plan(&self, matcher: &Matcher, budget: PlanBudget) -> Result<Plan, TreeError> {
        let plan = self.tree.plan(matcher, budget)?;
        self.plans.borrow_mut().push(plan.explain(self.tree.schema()).to_string());
        Ok(plan)
    }

    fn csn(&self) -> Csn {
        self.tree.csn()
    }

    fn version(&self) -> Version {
        self.tree.version()
    }

    fn membership_version(&self) -> Version {
        self.tree.membership_version()
    }

    fn policies_version(&self) -> Version {
        self.tree.policies_version()
    }

    fn changes_after(&self, after: u64, limit: usize) -> Result<Vec<LoggedChange>, TreeError> {
        self.tree.changes_after(after, limit)
    }

    fn change_numbers(&self) -> Result<Option<RangeInclusive<u64>>, TreeError> {
        self.tree.change_numbers()
    }

    fn is_within(&self, id: EntryId, base: EntryId) -> Result<bool, TreeError> {
        self.tree.is_within(id, base)
    }

    fn in_scope(&self, id: EntryId, base: EntryId, scope: Scope) -> Result<bool, TreeError> {
        self.tree.in_scope(id, base, scope)
    }

    fn some_children(&self, id: EntryId, limit: usize) -> Result<Vec<EntryId>, TreeError> {
        self.tree.some_children(id, limit)
    }

    fn has_children(&self, id: EntryId) -> Result<bool, TreeError> {
        self.tree.has_children(id)
    }
}
