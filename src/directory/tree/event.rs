//! What has happened to passwords: the record that an audit reads and that messages to people are made of.
//!
//! An event is part of the [change](super::Change) that it tells of, so there is never one without the other.

use std::fmt;

use uuid::Uuid;

use crate::directory::Timestamp;

/// Something that has happened to a password or its state, or that was refused. It never holds a secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// When.
    pub time: Timestamp,
    /// What.
    pub kind: EventKind,
    /// Whether it was done.
    pub result: EventResult,
    /// By which way.
    pub means: Means,
    /// The name of whoever did it; empty for somebody who has not proven who they are, and for the server itself.
    pub actor: String,
    /// Where they came from: an address, or `local`; empty for the server itself.
    pub source: String,
    /// The name of the entry whose password it is.
    pub target: String,
    /// The identity of that entry; nil if it does not exist.
    pub uuid: Uuid,
    /// The name of the policy that governs the entry; empty if there is none.
    pub policy: String,
    /// Why: what whoever did it says, or the rules that refused it. Empty if there is nothing to say.
    pub reason: String,
    /// How often: more than once where so much was refused that it is told together.
    pub times: u32,
}

/// An event with its number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recorded {
    /// Its number; later ones have greater ones.
    pub sequence: u64,
    /// What happened.
    pub event: Event,
}

/// Defines words that have a number on disk, which must never change.
macro_rules! words {
    ($(#[$of_type:meta])* $type:ident { $($(#[$of_word:meta])* $name:ident = $number:literal $word:literal,)* }) => {
        $(#[$of_type])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum $type { $($(#[$of_word])* $name,)* }

        impl $type {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its number on disk.
            pub const fn number(self) -> u8 {
                match self { $(Self::$name => $number,)* }
            }

            /// The word for it.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What has that number.
            pub fn of_number(number: u8) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.number() == number)
            }

            /// What has that word.
            pub fn of_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word() == word)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words! {
    /// What has happened.
    EventKind {
        /// An entry was added with a password.
        Set = 1 "set",
        /// Its owner has changed it.
        Changed = 2 "changed",
        /// Somebody else has set it.
        Reset = 3 "reset",
        /// It was removed: nobody can bind any more.
        Removed = 4 "removed",
        /// Passwords came with a file.
        Imported = 5 "imported",
        /// The same password was hashed anew, as the configuration says now.
        Rehashed = 6 "rehashed",
        /// Wrong passwords or an administrator have locked the account.
        Locked = 7 "locked",
        /// It is open again.
        Unlocked = 8 "unlocked",
        /// Its time of validity was set so that it cannot be used now.
        Disabled = 9 "disabled",
        /// Its time of validity was set so that it can be used now.
        Enabled = 10 "enabled",
        /// From now on its owner must change the password.
        MustChange = 11 "must-change",
        /// They need not any more.
        NeedNotChange = 12 "need-not-change",
        /// It expires soon: a bind has told its owner, or it is so near as the policy wants told.
        Expiring = 13 "expiring",
        /// It has expired, and one of the last binds was used.
        GraceUsed = 14 "grace-used",
        /// One of the uses of a temporary password was used.
        TemporaryUsed = 15 "temporary-used",
        /// Something still sends the password before.
        StaleDevice = 16 "stale-device",
        /// Many accounts are attacked at once: by one source, or with one wrong password.
        Spray = 30 "spray",
        /// How it stands was set, as only whoever brings accounts from elsewhere may.
        StateSet = 17 "state-set",
        /// A good bind has shown that it is publicly known.
        Known = 18 "publicly-known",
        /// A one-time code was given out that takes the place of a forgotten password.
        CodeIssued = 19 "code-issued",
        /// It has expired, and the policy wants that told.
        Expired = 20 "expired",
    }
}

words! {
    /// Whether something was done.
    EventResult {
        /// It was.
        Done = 1 "done",
        /// It was asked for and refused.
        Refused = 2 "refused",
    }
}

words! {
    /// By which way something came.
    Means {
        /// A bind.
        Bind = 1 "bind",
        /// A compare of the password.
        Compare = 2 "compare",
        /// An add.
        Add = 3 "add",
        /// A modify.
        Modify = 4 "modify",
        /// The Password Modify operation (RFC 3062).
        PasswordModify = 5 "password-modify",
        /// A file that was imported.
        Import = 6 "import",
        /// Nobody asked for it: the time had come.
        Time = 7 "time",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_name_one_thing_each() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::of_number(kind.number()), Some(*kind));
            assert_eq!(EventKind::of_word(kind.word()), Some(*kind));
        }
        for means in Means::ALL {
            assert_eq!(Means::of_number(means.number()), Some(*means));
            assert_eq!(Means::of_word(means.word()), Some(*means));
        }
        assert_eq!((EventKind::of_number(0), EventResult::of_word("")), (None, None));
    }
}
