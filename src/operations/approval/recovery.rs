//! Where the password of an account is recovered that takes two people to set: whoever reads the mail or the telephone there sets
//! it, so one person alone must not say which that is.

use std::collections::HashSet;
use std::time::Duration;

use uuid::Uuid;

use crate::directory::tree::{Change, Write};
use crate::operations::target::Target;
use crate::operations::{Context, Refusal};

use super::subject;

/// The account, not that of `own`, of which a change says otherwise where its password is recovered, if setting that takes two
/// people; and for how long an approval is good. Without a password there is nothing to recover.
pub(super) fn written(ctx: &Context<'_>, change: &Change, own: Uuid) -> Result<Option<(Target, Duration)>, Refusal> {
    for write in &change.writes {
        let (Write::Replace { uuid, entry, .. } | Write::Move { uuid, entry, .. }) = write else { continue };
        if *uuid == own {
            continue;
        }
        let Some(node) = ctx.tree.find_uuid(*uuid)?.map(|id| ctx.tree.node(id)).transpose()?.flatten() else {
            continue;
        };
        let differs = |id| {
            let before: HashSet<&[u8]> = node.entry.values(id).collect();
            entry.values(id).collect::<HashSet<&[u8]>>() != before
        };
        if ctx.services.recovery_attributes.iter().any(differs)
            && ctx.has_password(&node)?
            && let Some(found) = subject(ctx, node.uuid)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
