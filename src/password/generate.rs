//! Making passwords (RFC 3062 §2.2, `genPasswd`).

use zeroize::Zeroizing;

use super::Secret;
use crate::directory::Randomness;

/// Letters and digits that nobody mistakes for each other on paper or on the phone: no `l 1 I O 0`.
const ALPHABET: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// Characters between two hyphens.
const GROUP: usize = 5;

/// How often another password is made. Of those with 256 characters, one in fifty has no character twice in a row.
const ATTEMPTS: usize = 1000;

/// A random password of about `length` characters, such as `hT4kz-Wq7mR-x9nEa-Pb3vd`: more than 5.7 bits each, in groups
/// that can be read out. It has letters of both cases and digits, and never begins with a hyphen, which command lines
/// take for an option.
pub fn password(length: usize, random: &dyn Randomness) -> Secret {
    loop {
        let candidate = attempt(length.max(8), random);
        let has = |class: fn(&u8) -> bool| candidate.iter().any(class);
        if has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit) {
            return Secret::new(candidate.as_slice());
        }
    }
}

/// The same, and good by the rules of a policy; if hardly any random password is, one that may not be.
pub fn password_that(is_good: impl Fn(&Secret) -> bool, length: usize, random: &dyn Randomness) -> Secret {
    let mut made = password(length, random);
    for _ in 0..ATTEMPTS {
        if is_good(&made) {
            break;
        }
        made = password(length, random);
    }
    made
}

fn attempt(length: usize, random: &dyn Randomness) -> Zeroizing<Vec<u8>> {
    let mut password = Zeroizing::new(Vec::with_capacity(length + 64));
    while password.len() < length {
        let mut octets = Zeroizing::new([0; 64]);
        random.fill(octets.as_mut_slice());
        for octet in octets.iter() {
            if password.len() >= length {
                break;
            }
            // Each character is as likely as any other: octets that would favour some are thrown away.
            let fair = usize::from(*octet) < 256 / ALPHABET.len() * ALPHABET.len();
            let position = password.len();
            let hyphen = position % (GROUP + 1) == GROUP && position + 1 < length;
            if hyphen {
                password.push(b'-');
            } else if let (true, Some(c)) = (fair, ALPHABET.get(usize::from(*octet) % ALPHABET.len())) {
                password.push(*c);
            }
        }
    }
    password
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    struct Counting(Cell<u8>);

    impl Randomness for Counting {
        fn fill(&self, octets: &mut [u8]) {
            for octet in octets {
                self.0.set(self.0.get().wrapping_mul(77).wrapping_add(13));
                *octet = self.0.get();
            }
        }
    }

    #[test]
    fn passwords_are_readable_and_of_the_length_asked_for() {
        for length in [8, 15, 20, 23, 64, 256] {
            let made = password(length, &Counting(Cell::new(1)));
            let text = made.expose_text().unwrap().to_owned();
            assert_eq!(text.len(), length);
            assert!(!text.contains(['l', '1', 'I', 'O', '0', ' ']) && !text.starts_with('-') && !text.ends_with('-'));
            assert!(text.contains(|c: char| c.is_ascii_digit()) && text.contains(|c: char| c.is_ascii_uppercase()));
        }
    }

    #[test]
    fn a_password_is_made_again_until_it_is_good_but_not_for_ever() {
        let random = Counting(Cell::new(1));
        let seen = Cell::new(0);
        let third = |_: &Secret| seen.replace(seen.get() + 1) == 2;
        assert_eq!((password_that(third, 20, &random).len(), seen.get()), (20, 3));
        assert_eq!(password_that(|_| false, 20, &random).len(), 20);
    }
}
