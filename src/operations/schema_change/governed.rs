//! The classes for which another content rule holds afterwards: their entries must be legal by it.

use crate::directory::schema::ObjectClassId;
use crate::directory::tree::Node;
use crate::directory::{AttributeTypeId, Schema};

use super::{BATCH, Context, Refusal, SchemaFault};

/// Structural classes, by their numbers in the schema that comes.
#[derive(Debug)]
pub(super) struct Governed(Vec<ObjectClassId>);

impl Governed {
    /// Those whose rule comes, goes or changes.
    pub(super) fn between(before: &Schema, after: &Schema) -> Self {
        let rules = |schema: &Schema| -> Vec<(Box<str>, Box<str>)> {
            let class = |id| schema.object_class(id).map(|class| class.oid.clone()).unwrap_or_default();
            schema.content_rules().iter().map(|rule| (class(rule.class), rule.definition.clone())).collect()
        };
        let (old, new) = (rules(before), rules(after));
        let changed =
            old.iter().filter(|rule| !new.contains(rule)).chain(new.iter().filter(|rule| !old.contains(rule)));
        // Of a class that goes there is no entry.
        let mut classes: Vec<_> = changed.filter_map(|(oid, _)| Some(after.find_object_class(oid)?.id)).collect();
        classes.dedup();
        Self(classes)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Requires that every entry of the classes is legal by the schema that comes.
    pub(super) fn require_obedience(&self, ctx: &Context<'_>, after: &Schema) -> Result<(), Refusal> {
        let mut last = None;
        loop {
            let nodes = ctx.tree.nodes_after(last, BATCH)?;
            let Some(node) = nodes.last() else { return Ok(()) };
            last = Some(node.id);
            for node in &nodes {
                self.require_legal(node, ctx, after)?;
            }
        }
    }

    fn require_legal(&self, node: &Node, ctx: &Context<'_>, after: &Schema) -> Result<(), Refusal> {
        let known = after.known();
        let structural = node.entry.first_text(known.structural_object_class).unwrap_or_default();
        let class = after.find_object_class(structural).filter(|class| self.0.contains(&class.id));
        let Some(class) = class else { return Ok(()) };
        // The password is kept apart.
        let elsewhere: Option<AttributeTypeId> = ctx.account(node)?.password.is_some().then_some(known.user_password);
        after
            .check_entry(&node.entry.decode(), elsewhere.as_slice())
            .map_err(|violation| SchemaFault::Disobeyed(class.name().to_owned(), violation).into())
    }
}
