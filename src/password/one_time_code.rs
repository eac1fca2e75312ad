//! Codes that the helpdesk gives out to people who have forgotten their password: good for one change of it, and for a short
//! time. So nobody but its owner ever knows a password (OWASP ASVS 6.4.6).

use zeroize::Zeroizing;

use super::scheme::NewScheme;
use super::{Secret, StoredPassword};
use crate::directory::{Randomness, Timestamp};

/// A code that was given out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OneTimeCode {
    /// `pwdResetCode`: its hash.
    pub hash: StoredPassword,
    /// `pwdResetCodeExpiry`: when it ends.
    pub until: Timestamp,
}

/// Digits and capitals without `I L O U`, which are mistaken for others or make words (Crockford's base 32): five bits each.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// So many characters are 80 bits; NIST SP 800-63B-4 §4.2.1.1 wants 64.
const LENGTH: usize = 16;
/// Characters between two hyphens.
const GROUP: usize = 4;

impl OneTimeCode {
    /// Makes a code, such as `7K3M-Q9ZD-01XW-R5TC`. It is told once, and kept as a hash.
    pub fn make(until: Timestamp, scheme: NewScheme, random: &dyn Randomness) -> (Self, Secret) {
        let mut octets = Zeroizing::new([0; LENGTH]);
        random.fill(octets.as_mut_slice());
        let mut told = Zeroizing::new(Vec::with_capacity(LENGTH + LENGTH / GROUP));
        for (at, octet) in octets.iter().enumerate() {
            if at > 0 && at % GROUP == 0 {
                told.push(b'-');
            }
            told.extend(ALPHABET.get(usize::from(octet % 32)));
        }
        let told = Secret::new(told.as_slice());
        let hash = StoredPassword::create(&Self::as_made(&told), scheme, random);
        (Self { hash, until }, told)
    }

    /// A code as it is hashed, however somebody has typed it: without hyphens and spaces, in capitals, and with the digits that
    /// letters were mistaken for.
    pub fn as_made(typed: &Secret) -> Secret {
        let plain = typed.expose().iter().filter(|octet| !matches!(octet, b'-' | b' '));
        let read: Zeroizing<Vec<u8>> = plain
            .map(|octet| match octet.to_ascii_uppercase() {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                other => other,
            })
            .collect::<Vec<_>>()
            .into();
        Secret::new(read.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::password::scheme::Cost;

    struct Counting(Cell<u8>);

    impl Randomness for Counting {
        fn fill(&self, octets: &mut [u8]) {
            for octet in octets {
                self.0.set(self.0.get().wrapping_mul(109).wrapping_add(89));
                *octet = self.0.get();
            }
        }
    }

    fn made() -> (OneTimeCode, String) {
        let cheap = NewScheme::Argon2id(Cost { memory_kib: 64, passes: 1, lanes: 1 });
        let (code, told) = OneTimeCode::make(Timestamp::default(), cheap, &Counting(Cell::new(3)));
        (code, String::from_utf8(told.expose().to_vec()).unwrap())
    }

    #[test]
    fn a_code_can_be_read_out_and_has_eighty_bits() {
        let (_, told) = made();
        assert_eq!((told.len(), told.split('-').map(str::len).collect::<Vec<_>>()), (19, vec![4; 4]));
        assert!(told.bytes().all(|octet| octet == b'-' || ALPHABET.contains(&octet)), "{told}");
    }

    #[test]
    fn a_code_is_right_however_it_is_typed() {
        let (code, told) = made();
        let right = |typed: &str| code.hash.verify(&OneTimeCode::as_made(&Secret::new(typed)));
        let mistaken = told.replace('0', "o").replace('1', "l");
        for typed in [told.clone(), told.to_lowercase(), told.replace('-', ""), told.replace('-', " "), mistaken] {
            assert!(right(&typed), "{typed}");
        }
        for wrong in ["", "0000-0000-0000-0000", told.get(..18).unwrap()] {
            assert!(!right(wrong), "{wrong}");
        }
    }
}
