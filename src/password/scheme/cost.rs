//! What it costs to verify a password, to be told without the hash.

use super::{Parts, Scheme, StoredPassword, argon2id, crypt, pbkdf2, wrap};

impl StoredPassword {
    /// The cost that stands in the hash: `m=19456,t=2,p=1` of Argon2, also around another hash; `rounds=10000` of PBKDF2 and
    /// `crypt`, `cost=10` of bcrypt, `n=4096,r=32,p=1` of yescrypt. A digest has none.
    pub fn cost(&self) -> Option<String> {
        match (self.scheme(), self.parts()) {
            (Scheme::Argon2, Parts::Scheme(_, rest)) => argon2id::told_cost(rest),
            (Scheme::Wrapped, Parts::Scheme(_, rest)) => wrap::told_cost(rest),
            (Scheme::Pbkdf2, Parts::Scheme(name, rest)) => pbkdf2::told_cost(name, rest),
            (Scheme::Bcrypt | Scheme::Yescrypt | Scheme::ShaCrypt | Scheme::Md5Crypt, Parts::Scheme(_, rest)) => {
                crypt::told_cost(rest)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_told_as_each_scheme_has_them() {
        for (value, cost) in [
            (
                "{ARGON2}$argon2id$v=19$m=1024,t=2,p=1$c2FsdHNhbHQ$5n+dqKA654HpeA9ZUkM9fgOil+sHaLHsKpxAaxMk/T4",
                "m=1024,t=2,p=1",
            ),
            (
                "{ARGON2}$argon2i$m=1024,t=2,p=1$c2FsdHNhbHQ$UIdIiYbNWj1zBpBRiybtBPjo5rPy4bhehAFaS1cyJME",
                "m=1024,t=2,p=1",
            ),
            (
                "{ARGON2-WRAP}{SHA}|$argon2id$v=19$m=64,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$BSBoEL4PqmQAKk980etdGJxiQVNpXI6a+uyy81NckTY",
                "m=64,t=2,p=1",
            ),
            ("{PBKDF2}10000$RVb3jWX.JZrCKNjoxLVTjQ$ECg2bRElc5GG8ePnxK4qP162aZc", "rounds=10000"),
            ("{CRYPT}$1$7NJkUwSS$2n7U0fCLMPpIx44W.iV/Y/", "rounds=1000"),
            ("{crypt}$5$q954RmpT5OBjuB.G$WL5TRjKEKfhogC2JNqJQFbwvMudo8XRxTuxzP8dcGjC", "rounds=5000"),
            ("{CRYPT}$5$rounds=20000$EWRB44pBgCCRJ8ZY$it.5i4cwKQ6UuhO1ara2OHbKspylpgmgR4i0436aBg1", "rounds=20000"),
            ("{CRYPT}$2b$05$knPPULxxiaPhed2dAi1mLeBhSqZYAe2aJhnLXwJ84LPTnLl.2D3Wy", "cost=5"),
            ("{CRYPT}$y$j9T$qhPf56dC3d8L8dHeWsHwo1$9HpLRogEjUPCAGKh11nrhQtsTXCKv5KOVeeAxjP4y14", "n=4096,r=32,p=1"),
        ] {
            assert_eq!(StoredPassword::new(value.as_bytes()).cost().as_deref(), Some(cost), "{value}");
        }
    }

    #[test]
    fn what_is_fast_or_no_hash_has_no_cost() {
        for value in [
            "secret",
            "{CLEAR}secret",
            "{SSHA}/OGEpRm7XwEalwJWGyxExca0swmjTO7Q",
            "{MD5}Xr4ilOzQ4PCOq3aQ0qbuaQ==",
            "{CRYPT}!",
        ] {
            assert_eq!(StoredPassword::new(value.as_bytes()).cost(), None, "{value}");
        }
        for malformed in [
            "{ARGON2}$argon2id$v=19$m=secret,t=2,p=1$c2FsdHNhbHQ$aGFzaA",
            "{PBKDF2}secret$c2FsdA$aGFzaA",
            "{CRYPT}$2b$secret",
        ] {
            assert_eq!(StoredPassword::new(malformed.as_bytes()).cost(), None, "{malformed}");
        }
    }
}
