//! Modify DN (RFC 4511 §4.9): renaming an entry, or moving it with all that stands below it.

use crate::access::Right;
use crate::directory::schema::check::{Violation, find_value};
use crate::directory::tree::{Change, EntryId, Found, LogKind, Node, Place, Write};
use crate::directory::{Attributes, Dn, Entry, Rdn, ldif};
use crate::protocol::request::ModifyDnRequest;

use super::target::Target;
use super::{Context, Outcome, Refusal};

/// Renames or moves an entry.
pub fn modify_dn(ctx: &Context<'_>, request: &ModifyDnRequest) -> Result<Outcome, Refusal> {
    let dn = ctx.parse_dn(request.entry.as_bytes())?;
    let rdn = Rdn::parse(ctx.schema(), &request.new_rdn)?;
    let target = ctx.target(&dn)?;
    target.require(Right::Rename, "you may not rename this entry", ctx)?;
    let Some(old_parent) = target.node.parent else { return Err(Refusal::SuffixEntry) };
    let parent = match &request.new_superior {
        Some(name) => new_superior(ctx, &target, name)?,
        None => ctx.tree.node(old_parent)?.ok_or(Refusal::Busy)?,
    };
    let parent_dn = ctx.tree.dn(parent.id)?.ok_or(Refusal::Busy)?;
    let new_dn = Dn::child(&parent_dn, rdn.as_str(), rdn.key());
    let attributes = renamed(ctx, &target, &rdn, request)?;
    let node = &target.node;
    let entry = Entry::encode(&attributes, ctx.schema());
    if parent.id != old_parent && !ctx.decider().decide_new(&new_dn, &entry)?.allows(Right::Add) {
        return Err(Refusal::InsufficientAccess("you may not move entries there"));
    }
    require_free(ctx, &target, &new_dn)?;
    require_no_escalation(ctx, node, new_dn)?;
    let place = Place::Below { parent: parent.uuid, rdn: rdn.as_str().into(), key: rdn.key().into() };
    let write = Write::Move { uuid: node.uuid, version: node.version, place, entry };
    let log = ctx.log(LogKind::ModifyDn, target.dn.as_str(), node.uuid, log_lines(request));
    Ok(Outcome::success(Change { writes: vec![write], log: vec![log], ..Change::none() }))
}

/// The entry to move below: visible, below the same suffix, and not below the entry itself.
fn new_superior(ctx: &Context<'_>, target: &Target, name: &str) -> Result<Node, Refusal> {
    let dn = ctx.parse_dn(name.as_bytes())?;
    let superior = ctx.target(&dn)?;
    superior.require_visible(ctx)?;
    if dn.is_within(&target.dn) {
        return Err(Refusal::BelowItself);
    }
    let suffix = |dn: &Dn| ctx.tree.suffixes().iter().position(|suffix| dn.is_within(suffix));
    if suffix(&dn) != suffix(&target.dn) {
        return Err(Refusal::AffectsOtherSuffix);
    }
    Ok(superior.node)
}

/// The new name must be free, or be the entry's own in another spelling.
fn require_free(ctx: &Context<'_>, target: &Target, new_dn: &Dn) -> Result<(), Refusal> {
    let taken: Option<EntryId> = match ctx.tree.find(new_dn)? {
        Found::Entry(id) => Some(id),
        Found::Missing(_) | Found::Outside => None,
    };
    if taken.is_some_and(|id| id != target.node.id) { Err(Refusal::AlreadyExists) } else { Ok(()) }
}

/// So many entries may stand below one that is renamed: each of them gets another name.
const MOST_BELOW: usize = 10_000;

/// The new names, also of what stands below, must not be names by which somebody holds more than the requester: they may
/// stand in a group already.
fn require_no_escalation(ctx: &Context<'_>, node: &Node, new_dn: Dn) -> Result<(), Refusal> {
    let mut pending = vec![(node.id, node.uuid, new_dn)];
    let mut seen = 0;
    while let Some((id, uuid, dn)) = pending.pop() {
        ctx.require_no_escalation(uuid, &dn)?;
        for child in ctx.tree.children(id, None, MOST_BELOW)? {
            seen += 1;
            if seen >= MOST_BELOW {
                return Err(Refusal::AdminLimit("more entries stand below it than this server renames at once"));
            }
            let Some(child) = ctx.tree.node(child)? else { continue };
            let rdn = Rdn::parse(ctx.schema(), &child.rdn)?;
            pending.push((child.id, child.uuid, Dn::child(&dn, rdn.as_str(), rdn.key())));
        }
    }
    Ok(())
}

/// The attributes with the values of the new RDN, and without those of the old one if they are to go.
fn renamed(ctx: &Context<'_>, target: &Target, rdn: &Rdn, request: &ModifyDnRequest) -> Result<Attributes, Refusal> {
    let schema = ctx.schema();
    let mut attributes = target.node.entry.decode();
    if request.delete_old_rdn {
        let old = Rdn::parse(schema, &target.node.rdn)?;
        for (description, value) in old.assertions() {
            let defined = schema.attribute_type(description.attribute_type);
            let values = attributes.values_mut(description);
            if let Some(at) = find_value(schema, defined, values, value) {
                values.remove(at);
            }
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
    }
    attributes.prune();
    let elsewhere = ctx.account(&target.node)?.password.map(|_| schema.known().user_password);
    schema.check_entry(&attributes, elsewhere.as_slice())?;
    ctx.stamp_changed(&mut attributes);
    Ok(attributes)
}

fn log_lines(request: &ModifyDnRequest) -> String {
    let mut out = Vec::new();
    ldif::write_attribute(&mut out, "newrdn", request.new_rdn.as_bytes());
    ldif::write_attribute(&mut out, "deleteoldrdn", if request.delete_old_rdn { b"1" } else { b"0" });
    if let Some(superior) = &request.new_superior {
        ldif::write_attribute(&mut out, "newsuperior", superior.as_bytes());
    }
    String::from_utf8(out).unwrap_or_default()
}
