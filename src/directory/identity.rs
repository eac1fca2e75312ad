//! Who somebody is, once they have proven it.

use std::sync::Arc;

use uuid::Uuid;

use super::Dn;

/// The authorization identity of a connection (RFC 4513 §1.1).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Identity {
    /// Nobody in particular.
    #[default]
    Anonymous,
    /// An entry.
    Entry {
        /// Which one, whatever it is called by now.
        uuid: Uuid,
        /// What it was called when it authenticated.
        dn: Arc<Dn>,
    },
    /// The superuser of this machine, over a local socket.
    LocalRoot,
}

impl Identity {
    /// The name, as logs and `creatorsName` have it; empty for anonymous.
    pub fn name(&self) -> &str {
        match self {
            Self::Anonymous => "",
            Self::Entry { dn, .. } => dn.as_str(),
            Self::LocalRoot => LOCAL_ROOT,
        }
    }

    /// The entry, if it is one.
    pub const fn uuid(&self) -> Option<Uuid> {
        match self {
            Self::Entry { uuid, .. } => Some(*uuid),
            Self::Anonymous | Self::LocalRoot => None,
        }
    }

    /// The name of the entry, if it is one.
    pub const fn dn(&self) -> Option<&Arc<Dn>> {
        match self {
            Self::Entry { dn, .. } => Some(dn),
            Self::Anonymous | Self::LocalRoot => None,
        }
    }

    /// Whether nobody has authenticated.
    pub const fn is_anonymous(&self) -> bool {
        matches!(self, Self::Anonymous)
    }
}

/// As OpenLDAP names whoever connects over `ldapi://` as root.
const LOCAL_ROOT: &str = "gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth";
