//! Fast hashes are wrapped in a slow one, on whatever thread makes entries.

use crate::directory::migration::{Draft, Fate, Note};
use crate::password::StoredPassword;
use crate::password::account::Remembered;
use crate::password::scheme::{Cost, NewScheme};
use crate::server::random::SystemRandom;

const PASSWORD: &str = "userPassword";
/// Where hashes are: the password, and those before it.
const KEPT_IN: [&str; 3] = [PASSWORD, "pwdHistory", "pwdReplaced"];
const WRAPPED: &str = "in Argon2id, until its owner binds";

/// What fast hashes are wrapped at: the cost of new ones, or the usual cost if those are not Argon2id.
pub(super) fn cost(new_passwords: NewScheme) -> Cost {
    match new_passwords {
        NewScheme::Argon2id(cost) => cost,
        NewScheme::Ssha512 | NewScheme::Ssha => Cost::default(),
    }
}

/// Wraps the password and those before it. What is slow itself, or cannot be verified, stays as it is.
pub(super) fn wrap(draft: &mut Draft, cost: Cost) {
    let mut notes = Vec::new();
    for (name, value) in &mut draft.attributes {
        let Some(what) = KEPT_IN.into_iter().find(|what| name.eq_ignore_ascii_case(what)) else { continue };
        let wrapped = if what == PASSWORD { wrap_password(value, cost) } else { wrap_remembered(value, cost) };
        if let Some(wrapped) = wrapped {
            *value = wrapped;
            notes.push(Note { fate: Fate::Translated, what: what.to_owned(), words: WRAPPED });
        }
    }
    draft.notes.extend(notes);
}

fn wrap_password(value: &[u8], cost: Cost) -> Option<Vec<u8>> {
    StoredPassword::new(value).wrap(cost, &SystemRandom).map(|stored| stored.expose().to_vec())
}

fn wrap_remembered(value: &[u8], cost: Cost) -> Option<Vec<u8>> {
    let old = Remembered::parse(value)?;
    let password = old.password.wrap(cost, &SystemRandom)?;
    Some(Remembered { password, ..old }.to_value())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::Secret;

    #[test]
    fn fast_hashes_are_wrapped_and_nothing_else() {
        let ssha = "{SSHA}/OGEpRm7XwEalwJWGyxExca0swmjTO7Q";
        let history = format!("20240101000000Z#1.3.6.1.4.1.1466.115.121.1.40#{}#{ssha}", ssha.len());
        let attribute = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        let before = vec![
            attribute("userpassword", ssha),
            attribute("pwdHistory", &history),
            attribute("pwdReplaced", &history),
            attribute("pwdHistory", "nonsense"),
            attribute("userPassword", "secret"),
            attribute("description", ssha),
        ];
        let mut draft = Draft::new(before.clone());
        wrap(&mut draft, Cost { memory_kib: 64, passes: 1, lanes: 1 });
        assert_eq!(draft.attributes[3..], before[3..]);
        let old = |index: usize| Remembered::parse(&draft.attributes[index].1).unwrap().password;
        for stored in [StoredPassword::new(&draft.attributes[0].1), old(1), old(2)] {
            assert_eq!(stored.scheme().to_string(), "argon2-wrap");
            assert!(stored.verify(&Secret::new("secret")) && !stored.verify(&Secret::new("Secret")));
        }
        let told: Vec<_> = draft.notes.iter().map(|note| (note.fate, note.what.as_str())).collect();
        assert_eq!(told, KEPT_IN.map(|what| (Fate::Translated, what)));
    }
}
