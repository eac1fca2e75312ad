//! The relax rules control (draft-zeilenga-ldap-relax): whoever brings entries from elsewhere sets what otherwise only the
//! server sets, so that an account keeps its age. It needs the right to import hashes, which is as much power.

use crate::directory::tree::Version;
use crate::directory::{AttributeTypeId, Attributes, Entry};
use crate::password::Account;
use crate::protocol::control::Flag;

use super::{Context, Refusal};

/// Told to whoever has not the right.
pub(super) const NOT_RELAXED: &str = "you may not set what only the server sets";

impl Context<'_> {
    /// Whether the request may name an attribute that only the server sets, if whoever asks has the right to.
    pub(super) fn is_relaxed(&self, id: AttributeTypeId) -> bool {
        self.flags.has(Flag::Relax) && (self.stamps().contains(&id) || self.password_state().contains(&id))
    }

    /// The same for an entry that is to be added, which may bring its identity along.
    pub(super) fn is_relaxed_for_new(&self, id: AttributeTypeId) -> bool {
        self.is_relaxed(id) || (self.flags.has(Flag::Relax) && id == self.schema().known().entry_uuid)
    }

    /// The account with some of its state set from outside.
    pub(super) fn account_with(
        &self,
        account: &Account,
        set: impl FnOnce(&mut Attributes) -> Result<(), Refusal>,
    ) -> Result<Account, Refusal> {
        let version: Version = account.version;
        let mut attributes = account.to_entry(self.schema()).decode();
        set(&mut attributes)?;
        for attribute in attributes.iter() {
            self.schema().check_attribute(attribute)?;
        }
        let entry = Entry::encode(&attributes, self.schema());
        Ok(Account { version, ..Account::from_entry(&entry, self.schema()) })
    }

    /// Who made or changed an entry, and when.
    fn stamps(&self) -> [AttributeTypeId; 4] {
        let known = self.schema().known();
        [known.create_timestamp, known.creators_name, known.modify_timestamp, known.modifiers_name]
    }

    /// How a password stands; not what it was, which is secret.
    fn password_state(&self) -> [AttributeTypeId; 9] {
        let known = self.schema().known();
        [
            known.pwd_changed_time,
            known.pwd_failure_time,
            known.pwd_account_locked_time,
            known.pwd_grace_use_time,
            known.pwd_reset,
            known.pwd_last_success,
            known.pwd_temporary_valid_from,
            known.pwd_temporary_expiry,
            known.pwd_temporary_uses,
        ]
    }
}
