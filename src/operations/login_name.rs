//! Finding somebody by what they call themselves, where a name may be given that is no distinguished name.

use crate::directory::Dn;
use crate::directory::tree::EntryId;

use super::identity_map::Origin;
use super::{Context, Refusal};

/// Somebody, as a request names them (RFC 4513 §5.2.1.8: `dn:`, `u:`; a bare DN or user name is understood as well).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UserName {
    /// A distinguished name.
    Dn(Dn),
    /// A value of `uid`.
    Uid(String),
}

impl UserName {
    /// Reads it. A text that is no distinguished name is a user name.
    pub fn read(octets: &[u8], ctx: &Context<'_>) -> Result<Self, Refusal> {
        let text = std::str::from_utf8(octets).map_err(|_| Refusal::DnNotText)?;
        if let Some(uid) = strip_prefix_ignoring_case(text, "u:") {
            return Ok(Self::Uid(uid.to_owned()));
        }
        if let Some(dn) = strip_prefix_ignoring_case(text, "dn:") {
            return Ok(Self::Dn(Dn::parse(ctx.schema(), dn)?));
        }
        match Dn::parse(ctx.schema(), text) {
            Ok(dn) => Ok(Self::Dn(dn)),
            Err(_) if !text.contains(['=', ',']) => Ok(Self::Uid(text.to_owned())),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads an authorization identity (RFC 4513 §5.2.1.8), which says what kind of name it is; `None` if it is none.
    pub fn read_authz_id(octets: &[u8], ctx: &Context<'_>) -> Option<Self> {
        let text = std::str::from_utf8(octets).ok()?;
        let is_told = |prefix| strip_prefix_ignoring_case(text, prefix).is_some();
        if is_told("u:") || is_told("dn:") { Self::read(octets, ctx).ok() } else { None }
    }

    /// The one entry that is meant; `None` if there is none, or several.
    pub fn find(&self, ctx: &Context<'_>) -> Result<Option<EntryId>, Refusal> {
        match self {
            Self::Dn(dn) => Ok(ctx.tree.find(dn)?.entry()),
            Self::Uid(uid) => match ctx.services.identities.find(Origin::UserName, uid, ctx.tree)? {
                Some(mapped) => Ok(mapped),
                None => find_uid(uid, ctx),
            },
        }
    }
}

fn find_uid(uid: &str, ctx: &Context<'_>) -> Result<Option<EntryId>, Refusal> {
    let known = ctx.schema().known();
    let form = ctx.schema().attribute_type(known.uid).equality_or_fallback().normal_form();
    let Ok(normal) = form.of_value(ctx.schema(), uid.as_bytes()) else { return Ok(None) };
    match ctx.tree.equal(known.uid, &normal)?.as_slice() {
        [only] => Ok(Some(*only)),
        _ => Ok(None),
    }
}

fn strip_prefix_ignoring_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (head, tail) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(tail)
}
