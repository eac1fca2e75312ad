//! Whether somebody who has authenticated is still who they were: their entry may have been removed or renamed since, their
//! account closed, or their password set anew.

use std::sync::Arc;

use crate::directory::tree::{Tree, TreeError};
use crate::directory::{Dn, Identity, Timestamp};
use crate::password::Account;
use crate::password::account::Lock;
use crate::password::standing::Validity;

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
pub fn recognise(requester: &Requester, tree: &dyn Tree, now: Timestamp) -> Result<Recognition, TreeError> {
    if let Some(by) = &requester.proxied_by {
        let acting = Requester { identity: by.clone(), proxied_by: None, ..requester.clone() };
        if let ended @ Recognition::Ended(_) = recognise(&acting, tree, now)? {
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
    if let Some(reason) = ended(proof, &account, Validity::of(&node.entry, tree.schema()), now) {
        return Ok(Recognition::Ended(reason));
    }
    let freedom = match proof {
        Proof::Password(_) if account.must_change => Freedom::PasswordChange,
        _ => requester.freedom,
    };
    let is_same = same_name(dn, &name) && freedom == requester.freedom;
    let identity = || Identity::Entry { uuid: *uuid, dn: name };
    Ok(if is_same { Recognition::Same } else { Recognition::Changed { identity: identity(), freedom } })
}

/// Why what was proven no longer counts. A lock that wrong passwords have brought about is no reason, since then whoever
/// guesses could throw people out.
pub(super) fn ended(proof: Proof, account: &Account, validity: Validity, now: Timestamp) -> Option<&'static str> {
    if validity.end.is_some_and(|end| now >= end) || account.locked.is_some_and(Lock::is_by_administrator) {
        return Some("your account has been closed");
    }
    let changed = matches!(proof, Proof::Password(changed) if changed != account.changed);
    changed.then_some("your password has been changed; authenticate again")
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
