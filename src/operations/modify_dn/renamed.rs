//! What becomes of the attributes of an entry that gets another RDN (RFC 4511 §4.9).
//!
//! A rename writes: the values of the new RDN come into the entry, and those of the old one may go. The right to rename is the
//! right to change what names the entry, and no other attribute; nor one whose values are names of others, whatever names
//! the entry, since by these people get into groups.

use std::sync::Arc;

use crate::access::Decision;
use crate::directory::modification::{Modification, ModificationKind};
use crate::directory::schema::NormalForm;
use crate::directory::schema::check::{Violation, find_value};
use crate::directory::{AttributeTypeId, Attributes, Dn, Entry, Rdn, Schema};
use crate::operations::add::check_policy;
use crate::operations::modify::complete_same_structure;
use crate::operations::target::Target;
use crate::operations::{Context, Refusal};
use crate::protocol::request::ModifyDnRequest;

/// The attributes with the values of the new RDN, and without those of the old one if they are to go.
pub(super) struct Renamed {
    pub(super) attributes: Attributes,
    /// What of that is more than another name: it takes the right to write.
    written: Vec<Modification>,
    /// The attributes that get or lose a value, those that name the entry among them.
    touched: Vec<AttributeTypeId>,
}

impl Renamed {
    pub(super) fn find(
        ctx: &Context<'_>,
        target: &Target,
        rdn: &Rdn,
        request: &ModifyDnRequest,
    ) -> Result<Self, Refusal> {
        let schema = ctx.schema();
        let mut attributes = target.node.entry.decode();
        let old = Rdn::parse(schema, &target.node.rdn)?;
        let mut written = Vec::new();
        for (description, value) in old.assertions().iter().filter(|_| request.delete_old_rdn) {
            let defined = schema.attribute_type(description.attribute_type);
            let values = attributes.values_mut(description);
            if let Some(at) = find_value(schema, defined, values, value) {
                let values = vec![values.remove(at)];
                written.push(Modification { kind: ModificationKind::Delete, attribute: description.clone(), values });
            }
        }
        for (description, value) in rdn.assertions() {
            let defined = schema.attribute_type(description.attribute_type);
            if defined.is_secret() || defined.is_read_only() {
                return Err(Violation::NotNamed(defined.name().to_owned()).into());
            }
            let values = attributes.values_mut(description);
            if find_value(schema, defined, values, value).is_none() {
                values.push(value.clone());
            }
            // One that is there already counts, too: from then on it would be what names the entry, and free to be changed.
            let values = vec![value.clone()];
            written.push(Modification { kind: ModificationKind::Add, attribute: description.clone(), values });
        }
        attributes.prune();
        written.retain(|one| !(is_part_of(one, &old, schema) && is_part_of(one, rdn, schema)));
        let touched = written.iter().map(|one| one.attribute.attribute_type).collect();
        written.retain(|one| !is_naming(one.attribute.attribute_type, &old, schema));
        Ok(Self { attributes, written, touched })
    }

    /// Requires the right to write what is no mere name, of the entry as it is and as it will be.
    pub(super) fn require_write(&self, ctx: &Context<'_>, target: &Target, new: &Arc<Decision>) -> Result<(), Refusal> {
        let may = |change: &Modification| {
            let mut decisions = [&target.decision, new].into_iter();
            decisions.all(|decision| decision.may_write(change, &target.node.entry, ctx.actor, ctx.schema()))
        };
        if self.written.iter().all(may) {
            return ctx.require_no_power(target, self.touched.iter().copied());
        }
        let reason =
            "you may change the attributes that name this entry, and write no others by giving it another name";
        Err(target.denied(reason, ctx)?)
    }

    /// Requires that it is a legal entry, and completes it.
    pub(super) fn check(&mut self, ctx: &Context<'_>, target: &Target, new: &Dn) -> Result<(), Refusal> {
        let schema = ctx.schema();
        complete_same_structure(ctx, target, &mut self.attributes)?;
        let elsewhere = ctx.account(&target.node)?.password.map(|_| schema.known().user_password);
        schema.check_entry(&self.attributes, elsewhere.as_slice())?;
        check_policy(ctx, &self.attributes, new)?;
        ctx.require_no_claim(&target.node.entry, &target.dn)?;
        ctx.require_no_claim(&Entry::encode(&self.attributes, schema), new)?;
        ctx.stamp_changed(&mut self.attributes);
        Ok(())
    }
}

/// Whether an attribute names the entry and no others.
fn is_naming(id: AttributeTypeId, old: &Rdn, schema: &Schema) -> bool {
    let holds_names = schema.attribute_type(id).equality_or_fallback().normal_form() == NormalForm::Dn;
    !holds_names && old.assertions().iter().any(|(description, _)| description.attribute_type == id)
}

/// Whether the value that a change is about stands in an RDN.
fn is_part_of(change: &Modification, rdn: &Rdn, schema: &Schema) -> bool {
    let defined = schema.attribute_type(change.attribute.attribute_type);
    let mut assertions = rdn.assertions().iter().filter(|(description, _)| *description == change.attribute);
    assertions.any(|(_, value)| find_value(schema, defined, &change.values, value).is_some())
}
