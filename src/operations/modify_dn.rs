//! Modify DN (RFC 4511 §4.9): renaming an entry, or moving it with all that stands below it.

mod renamed;

use crate::access::Right;
use crate::directory::tree::{Change, EntryId, Found, LogKind, Node, Place, Write};
use crate::directory::{Attributes, Dn, Entry, Rdn, ldif};
use crate::protocol::control::Flag;
use crate::protocol::request::ModifyDnRequest;

use super::delegation::RuleChange;
use super::integrity::State;
use super::integrity::references::Renames;
use super::integrity::unique::Transition;
use super::target::Target;
use super::{Context, Outcome, Refusal};

use renamed::Renamed;

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
    let mut renamed = Renamed::find(ctx, &target, &rdn, request)?;
    let node = &target.node;
    let entry = Entry::encode(&renamed.attributes, ctx.schema());
    let decision = ctx.decider().decide_renamed(node.uuid, &new_dn, &entry)?;
    if parent.id != old_parent && !decision.allows(Right::Add) {
        return Err(Refusal::InsufficientAccess("you may not move entries there"));
    }
    renamed.require_write(ctx, &target, &decision)?;
    renamed.check(ctx, &target, &new_dn)?;
    let mut attributes = renamed.attributes;
    require_free(ctx, &target, &new_dn)?;
    let mut rules = RuleChange::default();
    rules.put(ctx, &decision, &mut attributes, &new_dn)?;
    let entry = Entry::encode(&attributes, ctx.schema());
    let moved = moved(ctx, &target, new_dn, &mut rules)?;
    let mut change = Change::none();
    rules.settle(ctx, node.uuid, &mut change.conditions)?;
    require_integrity(ctx, &moved, &entry, &mut change)?;
    let place = Place::Below { parent: parent.uuid, rdn: rdn.as_str().into(), key: rdn.key().into() };
    let log = ctx.log(LogKind::ModifyDn, target.dn.as_str(), node.uuid, log_lines(request));
    let entry = follow(ctx, &moved, attributes, &mut change)?;
    change.writes.insert(0, Write::Move { uuid: node.uuid, version: node.version, place, entry });
    change.log.insert(0, log);
    Ok(Outcome::success(change))
}

/// The entry to move below: visible, kept here, below the same suffix, and not below the entry itself.
fn new_superior(ctx: &Context<'_>, target: &Target, name: &str) -> Result<Node, Refusal> {
    let dn = ctx.parse_dn(name.as_bytes())?;
    // RFC 3296 §5.6: with ManageDsaIT a reference is an entry, and what is wrong with that is told below.
    if !ctx.flags.has(Flag::ManageDsaIt) && ctx.referral_for(&dn, None)?.is_some() {
        return Err(Refusal::AffectsOtherServer);
    }
    let superior = ctx.target(&dn)?;
    superior.require_visible(ctx)?;
    if dn.is_within(&target.dn) {
        return Err(Refusal::BelowItself);
    }
    let suffix = |dn: &Dn| ctx.tree.suffixes().iter().position(|suffix| dn.is_within(suffix));
    if suffix(&dn) != suffix(&target.dn) {
        return Err(Refusal::AffectsOtherSuffix);
    }
    match ctx.require_superior(&superior.node, &dn) {
        Err(Refusal::Referral { .. }) => Err(Refusal::AffectsOtherServer),
        other => other.map(|()| superior.node),
    }
}

/// The new name must be free, or be the entry's own in another spelling.
fn require_free(ctx: &Context<'_>, target: &Target, new_dn: &Dn) -> Result<(), Refusal> {
    let taken: Option<EntryId> = match ctx.tree.find(new_dn)? {
        Found::Entry(id) => Some(id),
        Found::Missing(_) | Found::Outside => None,
    };
    if taken.is_some_and(|id| id != target.node.id) { Err(Refusal::AlreadyExists) } else { Ok(()) }
}

/// An entry that gets another name.
struct Moved {
    node: Node,
    old: Dn,
    new: Dn,
}

/// The entry, and all below it, which get other names too. None of these must be a name by which somebody holds more than
/// the requester: it may stand in a group already.
fn moved(ctx: &Context<'_>, target: &Target, new: Dn, rules: &mut RuleChange) -> Result<Vec<Moved>, Refusal> {
    let mut moved = vec![Moved { node: target.node.clone(), old: Dn::clone(&target.dn), new }];
    let most = ctx.services.limits.rename;
    let mut looked_below = 0;
    while let Some(Moved { node, old, new }) = moved.get(looked_below) {
        if old != new {
            ctx.require_modest_name(node.uuid, new)?;
            ctx.require_no_denial_lost(old)?;
            if looked_below == 0 {
                // Itself it is written, and judged as such.
                rules.take_away(ctx, node)?;
            } else {
                // A policy may be the default by its name, or named by it.
                ctx.require_no_claim(&node.entry, old)?;
                ctx.require_no_claim(&node.entry, new)?;
                rules.carry(ctx, node, new)?;
            }
        }
        let mut below = Vec::new();
        for child in ctx.tree.children(node.id, None, most)? {
            if moved.len() + below.len() >= most {
                return Err(Refusal::AdminLimit("more entries stand below it than this server renames at once"));
            }
            let Some(node) = ctx.tree.node(child)? else { continue };
            let rdn = Rdn::parse(ctx.schema(), &node.rdn)?;
            let child_of = |above: &Dn| Dn::child(above, rdn.as_str(), rdn.key());
            below.push(Moved { old: child_of(old), new: child_of(new), node });
        }
        moved.extend(below);
        looked_below += 1;
    }
    Ok(moved)
}

/// Requires that the values of the new RDN are unique where they shall be and break no constraint, and those of all that comes to
/// a place where more is demanded.
fn require_integrity(ctx: &Context<'_>, moved: &[Moved], entry: &Entry, change: &mut Change) -> Result<(), Refusal> {
    let mut is_first = true;
    for Moved { node, old, new } in moved {
        let after = if std::mem::take(&mut is_first) { entry } else { &node.entry };
        let before = Some(State { dn: old, entry: &node.entry });
        let transition = Transition { uuid: node.uuid, before, after: State { dn: new, entry: after } };
        ctx.require_integrity(transition, &mut change.conditions)?;
        let demands = &ctx.services.integrity;
        if !demands.unique.differs(old, new) && !demands.constraints.differ(old, new) {
            break;
        }
    }
    Ok(())
}

/// Has all references follow, and those of the entry itself, which is written anyway.
fn follow(
    ctx: &Context<'_>,
    moved: &[Moved],
    mut attributes: Attributes,
    change: &mut Change,
) -> Result<Entry, Refusal> {
    let renames = Renames::given(moved.iter().map(|one| (&one.old, &one.new)));
    if let Some(subject) = moved.first() {
        ctx.follow_elsewhere(&renames, &[subject.node.id], change)?;
    }
    ctx.follow(&renames, &mut attributes);
    Ok(Entry::encode(&attributes, ctx.schema()))
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
