//! Somebody, as rules name them.

use super::rule::{RuleFault, read_dn};
use super::values::are_names;
use crate::directory::schema::Schema;
use crate::directory::{AttributeTypeId, Dn};

/// Somebody.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Who {
    /// Whoever has not authenticated.
    Anonymous,
    /// Whoever has.
    Authenticated,
    /// Both.
    Everyone,
    /// The entry itself.
    Oneself,
    /// The superuser of this machine, over a local socket.
    LocalRoot,
    /// The entry of that name.
    Entry(Dn),
    /// Members of that group, also of groups in it.
    Group(Dn),
    /// Those whom the role of that name (`organizationalRole`, RFC 4519 §3.10) has as `roleOccupant`; not members of groups in it.
    Role(Dn),
    /// Entries below that name.
    Below(Dn),
    /// Those whose name, or the name of a group that they are in, the target holds in that attribute.
    HeldIn(AttributeTypeId),
}

impl Who {
    /// Reads a word of a rule.
    pub fn parse(key: &'static str, word: &str, schema: &Schema) -> Result<Self, RuleFault> {
        let unknown = || RuleFault::UnknownWord { key, word: word.to_owned() };
        let Some((kind, name)) = word.split_once(':') else {
            return match word {
                "anonymous" => Ok(Self::Anonymous),
                "authenticated" => Ok(Self::Authenticated),
                "everyone" => Ok(Self::Everyone),
                "self" => Ok(Self::Oneself),
                "local-root" => Ok(Self::LocalRoot),
                _ => Err(unknown()),
            };
        };
        match kind {
            "dn" => Ok(Self::Entry(read_dn(key, name, schema)?)),
            "group" => Ok(Self::Group(read_dn(key, name, schema)?)),
            "role" => Ok(Self::Role(read_dn(key, name, schema)?)),
            "below" => Ok(Self::Below(read_dn(key, name, schema)?)),
            "attribute" => {
                let attribute = schema.find_attribute_type(name).ok_or_else(unknown)?;
                if !are_names(attribute.equality_or_fallback().normal_form()) {
                    return Err(RuleFault::HoldsNoNames(name.to_owned()));
                }
                Ok(Self::HeldIn(attribute.id))
            }
            _ => Err(unknown()),
        }
    }

    /// The group or role of which it is about those who are in it.
    pub(crate) const fn body(&self) -> Option<&Dn> {
        match self {
            Self::Group(name) | Self::Role(name) => Some(name),
            _ => None,
        }
    }

    /// Whether it depends on the entry that something is done to, and not on the actor alone.
    pub const fn depends_on_target(&self) -> bool {
        matches!(self, Self::Oneself | Self::HeldIn(_))
    }
}
