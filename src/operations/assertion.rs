//! The assertion control (RFC 4528): an operation is done only if something is true of its target.
//!
//! It is looked at when the operation is planned, and what is planned holds only as long as the entry stays as it was; so
//! both are one. It tells no more than a search would.

use crate::directory::filter::{Facts, Filter, MAX_PARTS, Matcher, Steps, Truth};
use crate::directory::schema::AttributeSet;
use crate::directory::tree::{Change, Write};
use crate::directory::{Dn, Entry};

use super::derived::Derived;
use super::root_dse::apart;
use super::selection::Selection;
use super::target::Target;
use super::{Context, Refusal};

/// The steps that an assertion may take: some hundred times what those of clients take.
const STEPS: u64 = 200_000;

impl Context<'_> {
    /// Requires that `asserted` is true of the entry of that name.
    pub(super) fn require_assertion(&self, asserted: &Filter, name: &[u8]) -> Result<(), Refusal> {
        let dn = self.parse_dn(name)?;
        if let Some(entry) = apart(self, &dn) {
            return self.require_true(asserted, &[&entry], self.schema().everything(), &dn);
        }
        let target = self.target(&dn)?;
        target.require_visible(self)?;
        self.require_true_of(asserted, &target)
    }

    fn require_true_of(&self, asserted: &Filter, target: &Target) -> Result<(), Refusal> {
        let mentioned = Matcher::prepare(asserted, self.schema()).mentioned();
        let needed = Derived::needed(&Selection::default(), &mentioned, self.schema());
        let derived = self.derived(&target.node, &target.dn, &needed)?;
        self.require_true(asserted, &[&target.node.entry, &derived], &target.decision.search, &target.dn)
    }

    /// Requires that `asserted` is true of the entry of that name that `change` adds.
    pub(super) fn require_assertion_of_new(
        &self,
        asserted: &Filter,
        name: &[u8],
        change: &Change,
    ) -> Result<(), Refusal> {
        let dn = self.parse_dn(name)?;
        let added = change.writes.iter().find_map(|write| match write {
            Write::Insert { entry, .. } => Some(entry),
            _ => None,
        });
        let Some(entry) = added else { return Err(Refusal::AssertionFailed) };
        let decision = self.decider().decide_new(&dn, entry)?;
        self.require_true(asserted, &[entry], &decision.search, &dn)
    }

    fn require_true(
        &self,
        asserted: &Filter,
        entries: &[&Entry],
        searchable: &AttributeSet,
        dn: &Dn,
    ) -> Result<(), Refusal> {
        const TOO_MUCH: Refusal = Refusal::AdminLimit("the assertion takes more work than this server does for one");
        if asserted.parts() > MAX_PARTS {
            return Err(TOO_MUCH);
        }
        let matcher = Matcher::prepare(asserted, self.schema());
        let facts = Facts { entries, searchable, dn, schema: self.schema() };
        match matcher.evaluate_within(&facts, &mut Steps::new(STEPS)) {
            Some(Truth::True) => Ok(()),
            Some(Truth::False | Truth::Undefined) => Err(Refusal::AssertionFailed),
            None => Err(TOO_MUCH),
        }
    }
}
