//! Attributes that a collection of entries shares (RFC 3671): they stand in a subentry, and each entry of its subtree has them.

use std::sync::Arc;

use super::Groups;
use crate::access::Decider;
use crate::directory::schema::check::find_value;
use crate::directory::subtree::SubtreeSpecification;
use crate::directory::tree::{EntryId, Node};
use crate::directory::{Attribute, AttributeTypeId, Attributes, Dn, Schema};
use crate::operations::{Context, Refusal};

/// A collection of entries, and what they share.
#[derive(Clone, Debug)]
pub(in crate::operations) struct Collection {
    /// The name of the subentry.
    name: Arc<Dn>,
    /// The administrative point, which is the entry above the subentry.
    point: Arc<Dn>,
    subtree: SubtreeSpecification,
    shared: Vec<Attribute>,
    /// Whether the requester may know of the subentry. What is shared is told with the entries all the same.
    is_visible: bool,
}

/// What an entry excludes that takes nothing from any collection.
const EVERYTHING: [&str; 2] = ["excludeAllCollectiveAttributes", "2.5.18.0"];

impl Collection {
    fn all(ctx: &Context<'_>, decider: &mut Decider<'_>) -> Result<Vec<Self>, Refusal> {
        let mut collections = Vec::new();
        for id in ctx.those_with(ctx.schema().known().subtree_specification)? {
            if let Some(node) = ctx.tree.node(EntryId(id))? {
                collections.extend(Self::read(ctx, &node, decider)?);
            }
        }
        Ok(collections)
    }

    fn read(ctx: &Context<'_>, node: &Node, decider: &mut Decider<'_>) -> Result<Option<Self>, Refusal> {
        let schema = ctx.schema();
        let collective = schema.collective();
        let shared = node.entry.attributes().filter(|attribute| collective.contains(attribute.attribute_type));
        let shared: Vec<Attribute> = shared.map(|attribute| attribute.decode()).collect();
        let specification = node.entry.first_text(schema.known().subtree_specification);
        let subtree = specification.and_then(|text| SubtreeSpecification::parse(schema, text).ok());
        let (Some(subtree), Some(point), false) = (subtree, node.parent, shared.is_empty()) else { return Ok(None) };
        let (Some(name), Some(point)) = (ctx.tree.dn(node.id)?, ctx.tree.dn(point)?) else { return Ok(None) };
        let is_visible = decider.decide(node, ctx.tree)?.is_visible();
        Ok(Some(Self { name, point, subtree, shared, is_visible }))
    }

    /// Whether the entries share an attribute of one of the types.
    fn shares_one(&self, wanted: impl Fn(AttributeTypeId) -> bool) -> bool {
        self.shared.iter().any(|attribute| wanted(attribute.description.attribute_type))
    }
}

impl Context<'_> {
    /// Whether entries share an attribute of one of the types, so that no index knows of it.
    pub(in crate::operations) fn share_one(
        &self,
        groups: &mut Groups,
        wanted: impl Fn(AttributeTypeId) -> bool,
    ) -> Result<bool, Refusal> {
        let collections = groups.collections(|| Collection::all(self, &mut self.decider()))?;
        Ok(collections.iter().any(|collection| collection.shares_one(&wanted)))
    }

    /// Adds what an entry shares with others.
    pub(super) fn add_shared(
        &self,
        node: &Node,
        dn: &Dn,
        (groups, decider): (&mut Groups, &mut Decider<'_>),
        attributes: &mut Attributes,
    ) -> Result<(), Refusal> {
        let schema = self.schema();
        let known = schema.known();
        let collections = groups.collections(|| Collection::all(self, decider))?;
        if collections.is_empty() || node.entry.has(known.subtree_specification) {
            return Ok(());
        }
        let excluded: Vec<&str> =
            node.entry.values(known.collective_exclusions).filter_map(|name| std::str::from_utf8(name).ok()).collect();
        if excluded.iter().any(|name| EVERYTHING.iter().any(|all| all.eq_ignore_ascii_case(name))) {
            return Ok(());
        }
        let excluded: Vec<AttributeTypeId> = excluded
            .iter()
            .filter_map(|name| schema.find_attribute_type(name))
            .flat_map(|attribute| schema.subtypes(attribute.id))
            .copied()
            .collect();
        let mut names = Vec::new();
        for collection in collections.iter() {
            if !collection.subtree.holds(&collection.point, dn, &node.entry, schema) {
                continue;
            }
            let is_taken = |attribute: &&Attribute| !excluded.contains(&attribute.description.attribute_type);
            collection.shared.iter().filter(is_taken).for_each(|attribute| add_values(schema, attribute, attributes));
            names.extend(collection.is_visible.then(|| collection.name.as_str().as_bytes().to_vec()));
        }
        attributes.set(known.collective_attribute_subentries, names);
        Ok(())
    }
}

/// Adds values that are not there yet: several collections may share the same.
fn add_values(schema: &Schema, attribute: &Attribute, attributes: &mut Attributes) {
    let defined = schema.attribute_type(attribute.description.attribute_type);
    let values = attributes.values_mut(&attribute.description);
    for value in &attribute.values {
        if find_value(schema, defined, values, value).is_none() {
            values.push(value.clone());
        }
    }
}
