//! Who somebody is by what their connection proves (SASL EXTERNAL, RFC 4422 appendix A).

use std::sync::Arc;

use crate::access::circumstances::Method;
use crate::access::{Actor, Circumstances, Right};
use crate::directory::Identity;
use crate::directory::tree::{EntryId, Node, TreeError};
use crate::password::Account;
use crate::password::standing::Validity;

use super::identity_map::Origin;
use super::recognition::ends;
use super::{Context, Proof, Refusal};

/// What a connection proves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum External {
    /// At its other end is the superuser of this machine, or whoever runs the server.
    Superuser,
    /// At its other end is somebody of that name.
    Named {
        /// Where the name comes from.
        origin: Origin,
        /// The name.
        name: String,
    },
}

impl External {
    /// Who that is here; `None` if it is nobody, or nobody who may authenticate.
    pub(super) fn identify(&self, ctx: &Context<'_>) -> Result<Option<Identity>, Refusal> {
        match self {
            Self::Superuser => Ok(Some(Identity::LocalRoot)),
            Self::Named { origin, name } => match ctx.services.identities.find(*origin, name, ctx.tree)?.flatten() {
                Some(id) => Ok(authenticated(ctx, id)?),
                None => Ok(None),
            },
        }
    }
}

/// The entry, if its account is open and a rule lets it authenticate. No password is asked for, so whether one is locked
/// by wrong guesses, has expired or must be changed makes no difference.
fn authenticated(ctx: &Context<'_>, id: EntryId) -> Result<Option<Identity>, Refusal> {
    let proven = Circumstances { method: Some(Method::External), ..ctx.requester.circumstances(ctx.now) };
    let nobody = Actor::find(Identity::Anonymous, &proven, ctx.rules, ctx.tree)?;
    let Some(target) = (Context { actor: &nobody, ..*ctx }).target_by_id(id)? else { return Ok(None) };
    let may = target.decision.allows(Right::Authenticate) && is_open(ctx, &target.node)?;
    let identity = || Identity::Entry { uuid: target.node.uuid, dn: Arc::clone(&target.dn) };
    Ok(may.then(identity))
}

/// Whether an account has not been closed by an administrator, nor by time.
pub(super) fn is_open(ctx: &Context<'_>, node: &Node) -> Result<bool, TreeError> {
    let account = Account::read(ctx.tree.credentials(node.id)?.as_ref(), ctx.schema());
    let validity = Validity::of(&node.entry, ctx.schema());
    let has_begun = validity.start.is_none_or(|start| start <= ctx.now);
    Ok(has_begun && ends(Proof::Connection, &account, validity, ctx.now).is_empty())
}
