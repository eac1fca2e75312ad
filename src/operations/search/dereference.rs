//! Attributes of the entries that an entry names (draft-masarati-ldap-deref-00). What is shown is what a search for them
//! would show.

use std::sync::Arc;

use super::examine::FoundEntry;
use super::turn::Turn;
use crate::access::Decider;
use crate::directory::entry::EncodedAttribute;
use crate::directory::filter::Steps;
use crate::directory::schema::{AttributeSet, NormalForm, Schema};
use crate::directory::tree::Node;
use crate::directory::{AttributeTypeId, Attributes, Dn, Entry};
use crate::operations::derived::{Derived, Groups, Sources};
use crate::operations::selection::Selection;
use crate::operations::{Context, Refusal};
use crate::protocol::control::{DerefSpec, Dereferenced, ResponseControl, dereference_response};

/// An entry with more names than this has none followed.
const MOST_NAMES: usize = 10_000;
/// What it costs to follow a name; compare [`Steps`].
pub(super) const NAME: u64 = 40;

/// Names to be followed.
#[derive(Clone, Debug)]
pub(super) struct Following {
    attributes: Vec<Followed>,
}

#[derive(Clone, Debug)]
struct Followed {
    attribute: AttributeTypeId,
    wanted: Selection,
    derived: Derived,
}

impl Following {
    /// What cannot be followed, because it is unknown or its values are no names, is left out.
    pub(super) fn read(specs: &[DerefSpec], schema: &Schema) -> Self {
        let read = |spec: &DerefSpec| {
            let described = std::str::from_utf8(&spec.attribute).ok().and_then(|name| schema.describe(name))?;
            let form = schema.attribute_type(described.attribute_type).equality_or_fallback().normal_form();
            let wanted = Selection::exactly(&spec.wanted, schema);
            let derived = Derived::needed(&wanted, &AttributeSet::EMPTY, schema);
            let followed = Followed { attribute: described.attribute_type, wanted, derived };
            (form == NormalForm::Dn && described.options().is_empty()).then_some(followed)
        };
        Self { attributes: specs.iter().filter_map(read).collect() }
    }

    /// The attributes whose values are followed.
    pub(super) fn attributes(&self) -> impl Iterator<Item = AttributeTypeId> {
        self.attributes.iter().map(|followed| followed.attribute)
    }

    /// How many names of an entry would be followed.
    pub(super) fn names(&self, node: &Node, found: &FoundEntry) -> usize {
        self.attributes.iter().flat_map(|followed| held(followed, node, found)).map(|held| held.values().count()).sum()
    }

    /// The control for an entry, if there is something to follow, and no more than can be.
    pub(super) fn follow(
        &self,
        node: &Node,
        found: &FoundEntry,
        turn: &mut Turn<'_>,
    ) -> Result<Option<ResponseControl>, Refusal> {
        let names = self.names(node, found);
        if names == 0 || names > MOST_NAMES {
            return Ok(None);
        }
        let mut followed = Vec::with_capacity(names);
        for one in &self.attributes {
            for attribute in held(one, node, found) {
                for name in attribute.values() {
                    turn.taken += NAME;
                    let entry = one.look(turn.ctx, name, &mut turn.decider, &mut turn.groups)?;
                    followed.push(Dereferenced { attribute: attribute.description(), name, found: entry });
                }
            }
        }
        Ok(Some(dereference_response(&followed)))
    }
}

/// The names that the requester may read.
fn held<'n>(
    followed: &Followed,
    node: &'n Node,
    found: &'n FoundEntry,
) -> impl Iterator<Item = EncodedAttribute<'n>> + use<'n> {
    let id = followed.attribute;
    let readable = found.decision.read.contains(id);
    let all = node.entry.attributes().chain(found.derived.attributes());
    all.filter(move |attribute| readable && attribute.attribute_type == id)
}

impl Followed {
    /// What the requester may read of the entry of that name, if anything.
    fn look(
        &self,
        ctx: &Context<'_>,
        name: &[u8],
        decider: &mut Decider<'_>,
        groups: &mut Groups,
    ) -> Result<Option<Entry>, Refusal> {
        let text = std::str::from_utf8(name).ok();
        let Some(dn) = text.and_then(|text| Dn::parse(ctx.schema(), text).ok()) else { return Ok(None) };
        let Some(id) = ctx.tree.find(&dn)?.entry() else { return Ok(None) };
        let Some(node) = ctx.tree.node(id)? else { return Ok(None) };
        let decision = decider.decide(&node, ctx.tree)?;
        if !decision.is_visible() {
            return Ok(None);
        }
        let mut derived = Entry::empty();
        if !self.derived.is_nothing_of(&node, ctx.schema()) {
            let dn = ctx.tree.dn(id)?.unwrap_or_else(|| Arc::new(dn));
            let mut steps = Steps::new(STEPS);
            let mut sources = Sources { decider, groups, steps: &mut steps };
            derived = ctx.derived_from(&node, &dn, &self.derived, &mut sources)?.unwrap_or_else(Entry::empty);
        }
        let mut shown = Attributes::new();
        for attribute in node.entry.attributes().chain(derived.attributes()) {
            if decision.read.contains(attribute.attribute_type) && self.wanted.selects(&attribute, ctx.schema()) {
                shown.push(attribute.decode());
            }
        }
        let is_empty = shown.iter().next().is_none();
        Ok((!is_empty).then(|| Entry::encode(&shown, ctx.schema())))
    }
}

/// Steps that it may take to derive what is asked for behind one name.
const STEPS: u64 = 20_000;
