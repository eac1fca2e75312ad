//! Entries that a search treats otherwise than others: aliases, references to other servers, and subentries.

use roaring::RoaringBitmap;

use super::alias;
use super::reach::{Base, Reach};
use crate::directory::tree::{EntryId, Scope};
use crate::operations::{Context, Refusal};
use crate::protocol::control::{Controls, Flag};
use crate::protocol::request::{DerefAliases, SearchRequest};

/// How a search is to treat them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Treatment {
    aliases: DerefAliases,
    /// Whether references are entries as others are (RFC 3296 §3).
    references: References,
    subentries: Subentries,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum References {
    Plain,
    Followed,
}

/// Which subentries are seen (RFC 3672 §3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Subentries {
    /// The base of a search alone.
    AtBase,
    /// None at all.
    Hidden,
    /// Only they.
    Alone,
}

/// What an entry is to a search.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    /// An entry.
    Plain,
    /// Nothing.
    Hidden,
    /// A place where others are kept.
    Reference,
}

/// The special entries of a directory, mostly none.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Special {
    aliases: RoaringBitmap,
    references: RoaringBitmap,
    subentries: RoaringBitmap,
    only_subentries: bool,
}

impl Treatment {
    pub(super) fn of(request: &SearchRequest, controls: &Controls) -> Self {
        Self {
            aliases: request.deref_aliases,
            references: if controls.flags.has(Flag::ManageDsaIt) { References::Plain } else { References::Followed },
            subentries: match (controls.subentries, request.scope) {
                (Some(true), _) => Subentries::Alone,
                (None, Scope::BaseObject) => Subentries::AtBase,
                (None | Some(false), _) => Subentries::Hidden,
            },
        }
    }

    /// The entry at which the search begins.
    pub(super) fn find_base(self, ctx: &Context<'_>, dn: &crate::directory::Dn, scope: Scope) -> Result<Base, Refusal> {
        if self.references == References::Followed
            && let Some(referral) = ctx.referral_for(dn, Some(scope))?
        {
            return Err(referral);
        }
        match self.aliases {
            DerefAliases::FindingBaseObject | DerefAliases::Always => alias::find_base(ctx, dn),
            DerefAliases::Never | DerefAliases::InSearching => Base::find(ctx, dn),
        }
    }
}

impl Special {
    /// Finds those that matter, and extends the search to where aliases lead.
    pub(super) fn find(ctx: &Context<'_>, treatment: Treatment, reach: &mut Reach) -> Result<Self, Refusal> {
        let known = ctx.schema().known();
        let mut special = Self { only_subentries: treatment.subentries == Subentries::Alone, ..Self::default() };
        if treatment.subentries != Subentries::AtBase {
            special.subentries = ctx.those_with(known.subtree_specification)?;
        }
        if reach.scope == Scope::BaseObject {
            return Ok(special);
        }
        if treatment.references == References::Followed && !special.only_subentries {
            special.references = ctx.those_with(known.referral)?;
        }
        if matches!(treatment.aliases, DerefAliases::InSearching | DerefAliases::Always) {
            special.aliases = ctx.those_with(known.aliased_object_name)?;
            if !special.aliases.is_empty() {
                reach.also = alias::leads(ctx, reach, &special.aliases)?;
            }
        }
        Ok(special)
    }

    /// Adds what is to be looked at besides what the filter may match below the base.
    pub(super) fn extend(&self, ids: &mut RoaringBitmap, reach: &Reach) {
        *ids |= &self.references;
        ids.extend(reach.also.iter().filter(|(_, scope)| *scope == Scope::BaseObject).map(|(id, _)| id.0));
    }

    pub(super) fn role(&self, EntryId(id): EntryId) -> Role {
        if self.references.contains(id) {
            Role::Reference
        } else if self.aliases.contains(id) || self.subentries.contains(id) != self.only_subentries {
            Role::Hidden
        } else {
            Role::Plain
        }
    }
}
