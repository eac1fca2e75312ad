//! What clients of `UnboundID` ask before a password is set: what is demanded of it ("get password quality requirements"), and for
//! passwords to choose from ("generate password").
//!
//! ```text
//! SEQUENCE { CHOICE { addWithDefaultPasswordPolicy [0] NULL, addWithSpecifiedPasswordPolicy [1] LDAPDN,
//!     selfChangeForAuthorizationIdentity [2] NULL, selfChangeForSpecifiedUser [3] LDAPDN, administrativeResetForUser [4] LDAPDN } }
//! SEQUENCE { CHOICE { defaultPolicy [0] NULL, passwordPolicyDN [1] LDAPDN, targetEntryDN [2] LDAPDN },
//!     numberOfPasswords [3] INTEGER DEFAULT 1, validationAttempts [4] INTEGER DEFAULT 5 }
//! ```

use bytes::Bytes;

use crate::directory::wire;
use crate::protocol::ber::{self, Cursor};

/// For which password demands are asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Coming {
    /// That of an entry that is to be added, by the default policy.
    New,
    /// That of an entry that is to be added, by this policy.
    NewBy(Bytes),
    /// The next one of whoever asks.
    Own,
    /// The next one of this user, chosen by themselves.
    ChosenBy(Bytes),
    /// The next one of this user, set by somebody else.
    SetFor(Bytes),
}

impl Coming {
    /// Reads the value of a request.
    pub fn read(value: Option<&Bytes>) -> Result<Self, &'static str> {
        const MALFORMED: &str = "the value of the password quality requirements request is malformed";
        let value = value.ok_or(MALFORMED)?;
        ber::check(value, 2).map_err(|_| MALFORMED)?;
        let mut outer = Cursor::new(value, value);
        let mut fields = outer.enter(ber::SEQUENCE).ok_or(MALFORMED)?;
        let (tag, name) = choice(&mut fields).ok_or(MALFORMED)?;
        let coming = match tag {
            0 => Self::New,
            1 => Self::NewBy(name),
            2 => Self::Own,
            3 => Self::ChosenBy(name),
            4 => Self::SetFor(name),
            _ => return Err(MALFORMED),
        };
        if fields.is_at_end() && outer.is_at_end() { Ok(coming) } else { Err(MALFORMED) }
    }
}

/// The number of an alternative, and what is in it.
fn choice(fields: &mut Cursor<'_>) -> Option<(u8, Bytes)> {
    let tag = fields.peek()?;
    Some((tag.checked_sub(ber::context(0))?, fields.take_octets(tag)?))
}

/// What is demanded of a password that is to come.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Demands {
    /// Each in a sentence.
    pub sentences: Vec<String>,
    /// Whether the current one must be given.
    pub current_required: Option<bool>,
    /// Whether its owner must change it.
    pub must_change: Option<bool>,
    /// For how many seconds it is good.
    pub good_for: Option<u64>,
}

impl Demands {
    /// The value of the answer.
    pub fn answer(&self) -> Vec<u8> {
        let mut list = Vec::new();
        for sentence in &self.sentences {
            let mut one = Vec::new();
            wire::put_element(&mut one, ber::OCTET_STRING, sentence.as_bytes());
            wire::put_element(&mut list, ber::SEQUENCE, &one);
        }
        let mut fields = Vec::new();
        wire::put_element(&mut fields, ber::SEQUENCE, &list);
        for (number, truth) in [(0, self.current_required), (1, self.must_change)] {
            if let Some(truth) = truth {
                wire::put_element(&mut fields, ber::context(number), &[if truth { 0xff } else { 0 }]);
            }
        }
        if let Some(seconds) = self.good_for {
            // Clients take no more than 32 bits.
            let seconds = i32::try_from(seconds).unwrap_or(i32::MAX);
            ber::put_integer(&mut fields, ber::context(2), seconds.into());
        }
        let mut value = Vec::new();
        wire::put_element(&mut value, ber::SEQUENCE, &fields);
        value
    }
}

/// A request for passwords to choose from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Suggest {
    /// By which policy they are good.
    pub by: Judged,
    /// How many.
    pub count: usize,
}

/// By which policy passwords are good that are made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Judged {
    /// The default one.
    ByDefault,
    /// This one.
    By(Bytes),
    /// That of this entry.
    For(Bytes),
}

/// More nobody chooses from.
pub const MOST_SUGGESTIONS: usize = 20;

impl Suggest {
    /// Reads the value of a request; an absent one asks for one password by the default policy. How often a password may be
    /// made anew until it is good is for the server to know.
    pub fn read(value: Option<&Bytes>) -> Result<Self, &'static str> {
        const MALFORMED: &str = "the value of the generate password request is malformed";
        const TOO_MANY: &str = "the number of passwords must be from 1 to 20";
        let Some(value) = value else { return Ok(Self { by: Judged::ByDefault, count: 1 }) };
        ber::check(value, 4).map_err(|_| MALFORMED)?;
        let mut outer = Cursor::new(value, value);
        let mut fields = outer.enter(ber::SEQUENCE).ok_or(MALFORMED)?;
        let by = match choice(&mut fields).ok_or(MALFORMED)? {
            (0, _) => Judged::ByDefault,
            (1, policy) => Judged::By(policy),
            (2, entry) => Judged::For(entry),
            _ => return Err(MALFORMED),
        };
        let count = match fields.peek() {
            Some(tag) if tag == ber::context(3) => fields.take_integer(tag).ok_or(MALFORMED)?,
            _ => 1,
        };
        if fields.peek() == Some(ber::context(4)) {
            fields.take_integer(ber::context(4)).filter(|attempts| *attempts >= 0).ok_or(MALFORMED)?;
        }
        if !(fields.is_at_end() && outer.is_at_end()) {
            return Err(MALFORMED);
        }
        let count =
            usize::try_from(count).ok().filter(|count| (1..=MOST_SUGGESTIONS).contains(count)).ok_or(TOO_MANY)?;
        Ok(Self { by, count })
    }

    /// The value of the answer: by which policy the passwords are good, and the passwords.
    pub fn answer(policy: &str, passwords: &[&[u8]]) -> Vec<u8> {
        let mut list = Vec::new();
        for password in passwords {
            let mut one = Vec::new();
            wire::put_element(&mut one, ber::OCTET_STRING, password);
            // It was judged, and found good.
            wire::put_element(&mut one, ber::BOOLEAN, &[0xff]);
            wire::put_element(&mut list, ber::SEQUENCE, &one);
        }
        let mut fields = Vec::new();
        wire::put_element(&mut fields, ber::OCTET_STRING, policy.as_bytes());
        wire::put_element(&mut fields, ber::SEQUENCE, &list);
        let mut value = Vec::new();
        wire::put_element(&mut value, ber::SEQUENCE, &fields);
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demands_are_asked_for_by_one_alternative() {
        let read = |octets: &'static [u8]| Coming::read(Some(&Bytes::from_static(octets)));
        assert_eq!(read(b"\x30\x02\x80\x00"), Ok(Coming::New));
        assert_eq!(read(b"\x30\x02\x82\x00"), Ok(Coming::Own));
        assert_eq!(read(b"\x30\x06\x83\x04cn=a"), Ok(Coming::ChosenBy(Bytes::from_static(b"cn=a"))));
        for bad in
            [&b""[..], b"\x30\x00", b"\x30\x02\x85\x00", b"\x30\x02\x04\x00", b"\x30\x04\x80\x00\x82\x00", b"\x80\x00"]
        {
            assert!(read(bad).is_err(), "{bad:x?}");
        }
        assert!(Coming::read(None).is_err());
    }

    #[test]
    fn demands_are_sentences_and_what_follows() {
        let demands = Demands {
            sentences: vec!["A.".into()],
            must_change: Some(true),
            good_for: Some(300),
            ..Demands::default()
        };
        assert_eq!(demands.answer(), b"\x30\x0f\x30\x06\x30\x04\x04\x02A.\x81\x01\xff\x82\x02\x01\x2c");
        assert_eq!(Demands::default().answer(), b"\x30\x02\x30\x00");
    }

    #[test]
    fn an_absent_value_asks_for_one_password() {
        let read = |octets: &'static [u8]| Suggest::read(Some(&Bytes::from_static(octets)));
        let suggest = |by, count| Ok(Suggest { by, count });
        assert_eq!(Suggest::read(None), suggest(Judged::ByDefault, 1));
        assert_eq!(read(b"\x30\x05\x80\x00\x83\x01\x03"), suggest(Judged::ByDefault, 3));
        assert_eq!(read(b"\x30\x05\x82\x00\x84\x01\x00"), suggest(Judged::For(Bytes::new()), 1));
        for bad in [
            &b"\x30\x00"[..],
            b"\x30\x05\x80\x00\x83\x01\x00",
            b"\x30\x05\x80\x00\x83\x01\x15",
            b"\x30\x05\x80\x00\x84\x01\xff",
        ] {
            assert!(read(bad).is_err(), "{bad:x?}");
        }
    }

    #[test]
    fn made_passwords_are_told_with_the_policy_that_has_judged_them() {
        let answer = Suggest::answer("cn=p", &[b"ab"]);
        assert_eq!(answer, b"\x30\x11\x04\x04cn=p\x30\x09\x30\x07\x04\x02ab\x01\x01\xff");
    }
}
