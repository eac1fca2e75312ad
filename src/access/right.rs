//! Rights, named for what people do.

use std::fmt;

macro_rules! rights {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// Something that a rule can grant or deny.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Right { $($(#[$doc])* $variant,)* }

        impl Right {
            /// Every right.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name that rules have for it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

rights! {
    /// Find entries by an attribute.
    Search = "search";
    /// See the values of an attribute.
    Read = "read";
    /// Ask whether an attribute has a value.
    Compare = "compare";
    /// Change an attribute.
    Write = "write";
    /// Add the entry.
    Add = "add";
    /// Delete the entry.
    Delete = "delete";
    /// Rename or move the entry.
    Rename = "rename";
    /// Bind as the entry, given its password.
    Authenticate = "authenticate";
    /// Change the password of the entry, given the old one.
    ChangePassword = "change-password";
    /// Set the password of the entry without the old one.
    ResetPassword = "reset-password";
    /// End a lock.
    Unlock = "unlock";
    /// Set a password that is hashed already.
    ImportHash = "import-hash";
    /// Set the password of the entry without what its policy says of quality or history.
    BypassPolicy = "bypass-policy";
    /// Act as the entry.
    Proxy = "proxy";
    /// Write rules that stand in the tree.
    Delegate = "delegate";
    /// Ask what the entry may do.
    Explain = "explain";
}

impl Right {
    /// The right of that name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|right| right.name() == name)
    }

    /// Whether it is granted attribute by attribute; the others are granted for the entry as a whole.
    pub const fn is_per_attribute(self) -> bool {
        matches!(self, Self::Search | Self::Read | Self::Compare | Self::Write)
    }

    const fn bit(self) -> u32 {
        1 << self as u16
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of rights.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Rights(u32);

impl Rights {
    /// No right.
    pub const NONE: Self = Self(0);

    /// Every right.
    pub fn all() -> Self {
        Right::ALL.iter().copied().collect()
    }

    /// Whether `right` is among them.
    pub const fn has(self, right: Right) -> bool {
        self.0 & right.bit() != 0
    }

    /// These and those.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These without those.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of these are among `other`.
    pub const fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The rights, in the order of their definition.
    pub fn iter(self) -> impl Iterator<Item = Right> {
        Right::ALL.iter().copied().filter(move |right| self.has(*right))
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        Self(rights.into_iter().fold(0, |bits, right| bits | right.bit()))
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_found_by_name() {
        for right in Right::ALL {
            assert_eq!(Right::find(right.name()), Some(*right));
        }
        assert_eq!(Right::find("root"), None);
    }

    #[test]
    fn sets_are_joined_and_compared() {
        let some: Rights = [Right::Read, Right::Search].into_iter().collect();
        assert!(some.has(Right::Read) && !some.has(Right::Write));
        assert!(some.is_within(Rights::all()) && !Rights::all().is_within(some));
        assert_eq!(Rights::all().without(some).union(some), Rights::all());
    }
}
