//! What is sent of the entries that a search finds.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::BytesMut;
use smallvec::SmallVec;

use super::Search;
use super::examine::FoundEntry;
use super::persistent::NOTHING_TO_TELL;
use super::turn::Turn;
use crate::directory::Dn;
use crate::directory::entry::EncodedAttribute;
use crate::directory::filter::{Facts, Truth};
use crate::directory::schema::Schema;
use crate::directory::tree::{Node, Scope};
use crate::operations::root_dse::apart;
use crate::operations::{Context, Refusal};
use crate::protocol::control::{AccountUsability, Flag, ResponseControl};
use crate::protocol::entry_writer::{Envelope, Values, put_entry};

/// What goes with the attributes of an entry.
struct Parcel<'e> {
    envelope: Envelope<'e>,
    /// What somebody may do with it, as attributes.
    rights: &'e [Vec<u8>],
}

impl Search {
    /// Writes an entry that matches, and what has happened to it.
    pub(super) fn write(
        &self,
        node: &Node,
        found: &FoundEntry,
        notice: Option<ResponseControl>,
        turn: &mut Turn<'_>,
    ) -> Result<(), Refusal> {
        let ctx = turn.ctx;
        let dn = turn.names.name(node, ctx)?;
        let followed = match self.extras.as_ref().and_then(|extras| extras.following.as_ref()) {
            Some(following) => following.follow(node, found, turn)?,
            None => None,
        };
        let usability = self.usability(ctx, node, found)?;
        let controls: SmallVec<[ResponseControl; 1]> = usability.into_iter().chain(followed).chain(notice).collect();
        let attributes = node.entry.attributes().chain(found.derived.attributes());
        let readable = attributes.filter(|attribute| found.decision.read.contains(attribute.attribute_type));
        let parcel = Parcel { envelope: self.envelope(&dn, &controls), rights: &found.rights };
        self.put(&parcel, readable, ctx.schema(), turn.out);
        Ok(())
    }

    /// Whether the account of an entry can be used, if that is asked for.
    fn usability(
        &self,
        ctx: &Context<'_>,
        node: &Node,
        found: &FoundEntry,
    ) -> Result<Option<ResponseControl>, Refusal> {
        if !self.asked.has(Flag::AccountUsability) {
            return Ok(None);
        }
        let dn = ctx.tree.dn(node.id)?.unwrap_or_else(|| Arc::new(Dn::root()));
        Ok(ctx.usability(node, &dn, &found.decision)?.map(AccountUsability::to_control))
    }

    /// Writes an entry with those of its attributes, and of their values, that are wanted.
    fn put<'e>(
        &self,
        parcel: &Parcel<'_>,
        attributes: impl Iterator<Item = EncodedAttribute<'e>>,
        schema: &Schema,
        out: &mut BytesMut,
    ) {
        let Parcel { envelope, rights } = parcel;
        let rights = rights.iter().map(Vec::as_slice);
        let selected = attributes.filter(|attribute| self.selection.selects(attribute, schema));
        let matched = self.extras.as_ref().and_then(|extras| extras.matched_values.as_ref());
        match matched.filter(|_| self.values == Values::Included) {
            None => {
                let octets: SmallVec<[&[u8]; 32]> = selected.map(|attribute| attribute.octets).chain(rights).collect();
                put_entry(out, envelope, octets.iter().copied());
            }
            Some(matched) => {
                let kept: Vec<Cow<'_, [u8]>> = selected.map(|attribute| matched.keep(&attribute, schema)).collect();
                put_entry(out, envelope, kept.iter().map(AsRef::as_ref).chain(rights));
            }
        }
    }

    /// The root DSE and the subschema subentry, which no tree holds and everybody may read.
    pub(super) fn answer_at_once(&mut self, ctx: &Context<'_>, dn: &Dn, out: &mut BytesMut) -> Result<bool, Refusal> {
        if dn.is_root() && self.reach.scope != Scope::BaseObject {
            return Ok(false);
        }
        let Some(entry) = apart(ctx, dn) else { return Ok(false) };
        if self.is_about_a_tree() {
            return Err(NOTHING_TO_TELL);
        }
        let in_scope = matches!(self.reach.scope, Scope::BaseObject | Scope::WholeSubtree);
        let facts = Facts { entries: &[&entry], searchable: ctx.schema().everything(), dn, schema: ctx.schema() };
        if in_scope && self.matcher.evaluate(&facts) == Truth::True {
            self.sent += 1;
            self.put_plainly((dn.as_str(), &[]), entry.attributes(), ctx.schema(), out);
        }
        Ok(true)
    }

    /// Writes what is wanted of an entry, with these controls and nothing besides.
    pub(super) fn put_plainly<'e>(
        &self,
        (name, controls): (&str, &[ResponseControl]),
        readable: impl Iterator<Item = EncodedAttribute<'e>>,
        schema: &Schema,
        out: &mut BytesMut,
    ) {
        self.put(&Parcel { envelope: self.envelope(name, controls), rights: &[] }, readable, schema, out);
    }

    const fn envelope<'e>(&self, dn: &'e str, controls: &'e [ResponseControl]) -> Envelope<'e> {
        Envelope { id: self.id, dn, values: self.values, controls }
    }
}
