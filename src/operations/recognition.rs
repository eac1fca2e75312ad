//! Whether somebody who has authenticated is still who they were: their entry may have been removed or renamed since, their
//! account closed, or their password set anew.

use std::sync::Arc;

use crate::directory::tree::{EventKind, Tree, TreeError};
use crate::directory::{Dn, Identity, Timestamp};
use crate::password::account::Lock;
use crate::password::policy::LiveConnections;
use crate::password::standing::Validity;
use crate::password::{Account, Policy};

use super::policies::Policies;
use super::{Freedom, Proof, Requester};

/// What has become of somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Recognition {
    /// They are who they were.
    Same,
    /// They are, under another name or with less freedom.
    Changed {
        /// Who they are now.
        identity: Identity,
        /// How much they may do now.
        freedom: Freedom,
    },
    /// They must authenticate anew, if they still can; why, in words.
    Ended(&'static str),
}

/// Looks at an authenticated requester again, and at whoever acts as them, who has proven who they are.
pub fn recognise(
    requester: &Requester,
    tree: &dyn Tree,
    policies: &Policies,
    now: Timestamp,
) -> Result<Recognition, TreeError> {
    if let Some(by) = &requester.proxied_by {
        let acting = Requester { identity: by.clone(), proxied_by: None, proven_by: None, ..requester.clone() };
        if let ended @ Recognition::Ended(_) = recognise(&acting, tree, policies, now)? {
            return Ok(ended);
        }
    }
    let proof = if requester.proxied_by.is_some() { Proof::Connection } else { requester.proof };
    let Identity::Entry { uuid, dn } = &requester.identity else { return Ok(Recognition::Same) };
    let found = match tree.find_uuid(*uuid)? {
        Some(id) => tree.node(id)?.zip(tree.dn(id)?),
        None => None,
    };
    let Some((node, name)) = found else { return Ok(Recognition::Ended("your entry has been removed")) };
    let account = Account::read(tree.credentials(node.id)?.as_ref(), tree.schema());
    let ends = ends(proof, &account, Validity::of(&node.entry, tree.schema()), now);
    let must_change = ends.is_empty() && matches!(proof, Proof::Password(_)) && account.must_change;
    let mut freedom = if must_change { Freedom::PasswordChange } else { requester.freedom };
    for end in ends {
        match end.leaves(&account, policies.governing(&node.entry, &name, tree)?.as_ref()) {
            LiveConnections::End => return Ok(Recognition::Ended(end.in_words())),
            LiveConnections::Restrict => freedom = Freedom::PasswordChange,
            LiveConnections::Leave => {}
        }
    }
    let is_same = same_name(dn, &name) && freedom == requester.freedom;
    let identity = || Identity::Entry { uuid: *uuid, dn: name };
    Ok(if is_same { Recognition::Same } else { Recognition::Changed { identity: identity(), freedom } })
}

/// All for which what was proven no longer counts. A lock that wrong passwords have brought about is no reason, since then
/// whoever guesses could throw people out.
pub(super) fn ends(proof: Proof, account: &Account, validity: Validity, now: Timestamp) -> Vec<End> {
    let mut ends = Vec::new();
    if validity.end.is_some_and(|end| now >= end) || account.locked.is_some_and(Lock::is_by_administrator) {
        ends.push(End::Closed);
    }
    if matches!(proof, Proof::Password(changed) if changed != account.changed) {
        ends.push(End::PasswordSet);
    }
    ends
}

/// Why what was proven no longer counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// The account has been disabled, or locked by an administrator.
    Closed,
    /// The password is another one.
    PasswordSet,
}

impl End {
    const fn in_words(self) -> &'static str {
        match self {
            Self::Closed => "your account has been closed",
            Self::PasswordSet => "your password has been changed; authenticate again",
        }
    }

    /// What becomes of the connection. One whose owner has changed the password elsewhere always ends: they may have done
    /// that to be rid of it.
    fn leaves(self, account: &Account, policy: &Policy) -> LiveConnections {
        let was_reset = || account.ledger.last_set().is_some_and(|last| last.kind == EventKind::Reset);
        match self {
            Self::Closed => policy.sessions_after_lock,
            Self::PasswordSet if policy.sessions_after_reset == LiveConnections::End || !was_reset() => {
                LiveConnections::End
            }
            Self::PasswordSet => policy.sessions_after_reset,
        }
    }
}

fn same_name(before: &Arc<Dn>, now: &Arc<Dn>) -> bool {
    Arc::ptr_eq(before, now) || before.as_str() == now.as_str()
}

/// When the password was set that an entry has now: what whoever has just set it has proven.
pub fn password_of(requester: &Requester, tree: &dyn Tree) -> Result<Proof, TreeError> {
    let credentials = match requester.identity.uuid() {
        Some(uuid) => tree.find_uuid(uuid)?.map(|id| tree.credentials(id)).transpose()?.flatten(),
        None => None,
    };
    Ok(Proof::Password(Account::read(credentials.as_ref(), tree.schema()).changed))
}
