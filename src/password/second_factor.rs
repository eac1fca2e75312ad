//! The second factor: a token makes a code, which its owner types behind the password.
//!
//! A token and its parameters are entries, as `OpenLDAP`'s slapo-otp has them (OATH-LDAP). What cannot be read opens
//! nothing.
//!
//! Each number is good once, and so is every one before it: that of the last code that was used stands in the token. A
//! code that is that of the last number again is refused also where it would be right by chance; so whoever repeats it
//! learns nothing, and a device that still sends it need not be counted as one that guesses.

use std::fmt;

use super::Secret;
use super::one_time_password::{Algorithm, DIGITS, Generator};
use crate::directory::{AttributeTypeId, Entry, Schema, Timestamp};

/// Octets of a secret at least: 80 bits, as the oldest apps have them. RFC 4226 §4 wants 128.
pub const LEAST_SECRET: usize = 10;
/// Time steps before and after the present one that are looked at at most, whatever the parameters say.
pub const MOST_WINDOW: u64 = 10;
/// Codes that are skipped at most, whatever the parameters say.
pub const MOST_LOOK_AHEAD: u64 = 30;
/// The shortest and the longest time step, in seconds.
const PERIODS: std::ops::RangeInclusive<u64> = 10..=3_600;

/// What the numbers of a token count.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// Time steps (RFC 6238).
    Totp,
    /// Uses (RFC 4226).
    Hotp,
}

impl Kind {
    /// Both, in the order in which they are tried.
    pub const ALL: [Self; 2] = [Self::Totp, Self::Hotp];

    /// Its name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Totp => "TOTP",
            Self::Hotp => "HOTP",
        }
    }

    /// By what an entry names its token.
    pub const fn token(self, schema: &Schema) -> AttributeTypeId {
        match self {
            Self::Totp => schema.known().oath_totp_token,
            Self::Hotp => schema.known().oath_hotp_token,
        }
    }

    /// By what a token names its parameters.
    pub const fn params(self, schema: &Schema) -> AttributeTypeId {
        match self {
            Self::Totp => schema.known().oath_totp_params,
            Self::Hotp => schema.known().oath_hotp_params,
        }
    }

    /// Where a token keeps the number of the last code that was used.
    pub const fn last(self, schema: &Schema) -> AttributeTypeId {
        match self {
            Self::Totp => schema.known().oath_totp_last_time_step,
            Self::Hotp => schema.known().oath_hotp_counter,
        }
    }
}

/// A token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    generator: Generator,
    moves: Moves,
    /// The number of the last code that was used.
    last: Option<u64>,
}

/// How its numbers go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Moves {
    /// By one with every period, in seconds; so many before and after are good as well.
    WithTime { period: u64, window: u64 },
    /// By one with every use; so many may be skipped.
    WithUse { look_ahead: u64 },
}

/// What a code turns out to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// That of this number, which has not been used.
    Right(u64),
    /// The last one that was used.
    Used,
    /// Any other.
    Wrong,
}

/// Why nobody can log in by a token.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TokenFault {
    /// The entry is of a class that says that there is a token, and names none.
    #[error("the entry is of an oath class and names no token")]
    NotSetUp,
    /// A name is none, or no entry has it.
    #[error("there is no entry {0:?}, which is to be the token")]
    NoToken(String),
    /// The token names no parameters.
    #[error("the token {0:?} names no parameters (oathTOTPParams or oathHOTPParams)")]
    NoParams(String),
    /// No entry has the name of the parameters.
    #[error("there is no entry {0:?}, which is to hold the parameters of the token")]
    ParamsMissing(String),
    /// There is no secret.
    #[error("the token has no oathSecret")]
    NoSecret,
    /// The secret is too short.
    #[error("oathSecret is shorter than {LEAST_SECRET} octets")]
    ShortSecret,
    /// Codes are too short or too long.
    #[error("oathOTPLength must be from {} to {}", DIGITS.start(), DIGITS.end())]
    Length,
    /// It is not known by what codes are made.
    #[error(
        "oathHMACAlgorithm must be one of HMAC-SHA-1, -224, -256, -384 and -512 of RFC 8018, such as 1.2.840.113549.2.7"
    )]
    Algorithm,
    /// Time steps are too short or too long.
    #[error("oathTOTPTimeStepPeriod must be from {} to {} seconds", PERIODS.start(), PERIODS.end())]
    Period,
    /// What must be a number from 0 on is none.
    #[error("{0} must be a whole number from 0 on")]
    Number(&'static str),
}

impl Token {
    /// Reads a token and its parameters.
    pub fn read(kind: Kind, token: &Entry, params: &Entry, schema: &Schema) -> Result<Self, TokenFault> {
        let known = schema.known();
        let secret = token.first(known.oath_secret).map(Secret::new).ok_or(TokenFault::NoSecret)?;
        check_secret(&secret)?;
        let generator = Parameters { entry: params, schema }.generator(secret)?;
        let moves = Parameters { entry: params, schema }.moves(kind)?;
        let name = if kind == Kind::Totp { "oathTOTPLastTimeStep" } else { "oathHOTPCounter" };
        let last = numbers(token, kind.last(schema), name)?;
        Ok(Self { generator, moves, last })
    }

    /// What somebody has typed and the code behind it, if there can be one: as many digits as it has, and something in front.
    pub fn split<'t>(&self, typed: &'t Secret) -> Option<(&'t [u8], &'t [u8])> {
        let typed = typed.expose();
        let (rest, code) = typed.split_at_checked(typed.len().checked_sub(self.generator.digits())?)?;
        (!rest.is_empty() && code.iter().all(u8::is_ascii_digit)).then_some((rest, code))
    }

    /// What a code is.
    pub fn find(&self, code: &[u8], now: Timestamp) -> Found {
        if self.last.is_some_and(|last| self.generator.makes(last, code)) {
            return Found::Used;
        }
        // All are looked at, and of two numbers with one code the later counts: it must not be good once more then.
        let right = self.candidates(now).filter(|number| self.generator.makes(*number, code)).last();
        right.map_or(Found::Wrong, Found::Right)
    }

    /// The time step that it is, if the token goes with time: until the next, a wrong code is as wrong as before.
    pub fn step(&self, now: Timestamp) -> Option<u64> {
        let seconds = u64::try_from(now.unix_micros().div_euclid(1_000_000)).ok()?;
        match self.moves {
            Moves::WithTime { period, .. } => seconds.checked_div(period),
            Moves::WithUse { .. } => None,
        }
    }

    /// Whether the last code that was used is of a time that is still to come, so that none is good before.
    pub fn is_ahead(&self, now: Timestamp) -> bool {
        let Moves::WithTime { window, .. } = self.moves else { return false };
        let latest = self.step(now).and_then(|step| step.checked_add(window));
        self.last.is_some_and(|last| latest.is_none_or(|latest| last >= latest))
    }

    /// The numbers that are good now.
    fn candidates(&self, now: Timestamp) -> impl Iterator<Item = u64> {
        let after_last = self.last.map_or(Some(0), |last| last.checked_add(1));
        let range = match self.moves {
            Moves::WithTime { window, .. } => self
                .step(now)
                .zip(after_last)
                .map(|(step, first)| (first.max(step.saturating_sub(window)), step.saturating_add(window))),
            Moves::WithUse { look_ahead } => after_last.map(|first| (first, first.saturating_add(look_ahead))),
        };
        range.into_iter().flat_map(|(first, last)| first..=last)
    }
}

/// Requires that a secret can be one.
pub fn check_secret(secret: &Secret) -> Result<(), TokenFault> {
    if secret.len() < LEAST_SECRET { Err(TokenFault::ShortSecret) } else { Ok(()) }
}

/// What an entry says of tokens.
#[derive(Clone, Copy)]
pub struct Parameters<'p> {
    /// The entry.
    pub entry: &'p Entry,
    /// What its attributes are.
    pub schema: &'p Schema,
}

impl Parameters<'_> {
    /// Requires that what the entry says can be meant; of what it does not say, nothing.
    pub fn check(&self) -> Result<(), TokenFault> {
        let known = self.schema.known();
        if let Some(secret) = self.entry.first(known.oath_secret) {
            check_secret(&Secret::new(secret))?;
        }
        if self.entry.has(known.oath_otp_length) {
            self.generator(Secret::default())?;
        }
        if self.entry.has(known.oath_totp_time_step_period) {
            self.moves(Kind::Totp)?;
        }
        if self.entry.has(known.oath_hotp_look_ahead) {
            self.moves(Kind::Hotp)?;
        }
        Ok(())
    }

    fn generator(&self, secret: Secret) -> Result<Generator, TokenFault> {
        let known = self.schema.known();
        let algorithm = self.entry.first_text(known.oath_hmac_algorithm).and_then(Algorithm::of_oid);
        let digits = self.entry.first_text(known.oath_otp_length).and_then(|text| text.parse().ok());
        let algorithm = algorithm.ok_or(TokenFault::Algorithm)?;
        digits.and_then(|digits| Generator::new(secret, algorithm, digits)).ok_or(TokenFault::Length)
    }

    fn moves(&self, kind: Kind) -> Result<Moves, TokenFault> {
        let known = self.schema.known();
        match kind {
            Kind::Totp => {
                let period = numbers(self.entry, known.oath_totp_time_step_period, "oathTOTPTimeStepPeriod")?;
                let period = period.filter(|period| PERIODS.contains(period)).ok_or(TokenFault::Period)?;
                let window = numbers(self.entry, known.oath_totp_time_step_window, "oathTOTPTimeStepWindow")?;
                Ok(Moves::WithTime { period, window: window.unwrap_or(0).min(MOST_WINDOW) })
            }
            Kind::Hotp => {
                let look_ahead = numbers(self.entry, known.oath_hotp_look_ahead, "oathHOTPLookAhead")?;
                Ok(Moves::WithUse { look_ahead: look_ahead.unwrap_or(0).min(MOST_LOOK_AHEAD) })
            }
        }
    }
}

impl fmt::Debug for Parameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parameters(..)")
    }
}

/// The number that an attribute holds, if there is one; the greatest of several, which options can make.
fn numbers(entry: &Entry, id: AttributeTypeId, name: &'static str) -> Result<Option<u64>, TokenFault> {
    let mut greatest = None;
    for value in entry.values(id) {
        let number = std::str::from_utf8(value).ok().and_then(|text| text.parse::<u64>().ok());
        greatest = greatest.max(Some(number.ok_or(TokenFault::Number(name))?));
    }
    Ok(greatest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Attributes;

    const SECRET: &str = "12345678901234567890";

    fn entry(schema: &Schema, attributes: &[(&str, &str)]) -> Entry {
        let mut all = Attributes::new();
        for (name, value) in attributes {
            all.set_one(schema.find_attribute_type(name).unwrap().id, *value);
        }
        Entry::encode(&all, schema)
    }

    /// The usual parameters, with some in their place.
    fn params(schema: &Schema, others: &[(&str, &str)]) -> Entry {
        let usual = [
            ("oathOTPLength", "6"),
            ("oathHMACAlgorithm", "1.2.840.113549.2.7"),
            ("oathTOTPTimeStepPeriod", "30"),
            ("oathTOTPTimeStepWindow", "1"),
            ("oathHOTPLookAhead", "3"),
        ];
        entry(schema, &usual.iter().chain(others).copied().collect::<Vec<_>>())
    }

    fn token(kind: Kind, last: Option<&str>, others: &[(&str, &str)]) -> Result<Token, TokenFault> {
        let schema = Schema::standard();
        let name = if kind == Kind::Totp { "oathTOTPLastTimeStep" } else { "oathHOTPCounter" };
        let attributes: Vec<_> = [("oathSecret", SECRET)].into_iter().chain(last.map(|last| (name, last))).collect();
        Token::read(kind, &entry(&schema, &attributes), &params(&schema, others), &schema)
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_micros(seconds * 1_000_000)
    }

    fn code(number: u64) -> String {
        Generator::new(Secret::new(SECRET), Algorithm::Sha1, 6).unwrap().code(number).to_string()
    }

    #[test]
    fn a_code_is_good_in_the_window_around_its_time() {
        let token = token(Kind::Totp, None, &[]).unwrap();
        for (number, found) in [
            (98, Found::Wrong),
            (99, Found::Right(99)),
            (100, Found::Right(100)),
            (101, Found::Right(101)),
            (102, Found::Wrong),
        ] {
            for now in [3_000, 3_029] {
                assert_eq!(token.find(code(number).as_bytes(), at(now)), found, "{number} at {now}");
            }
        }
    }

    #[test]
    fn a_number_and_all_before_it_are_used_once() {
        let token = token(Kind::Totp, Some("100"), &[]).unwrap();
        let found = |number| token.find(code(number).as_bytes(), at(3_000));
        assert_eq!((found(99), found(100), found(101)), (Found::Wrong, Found::Used, Found::Right(101)));
        // Whenever it is.
        assert_eq!(token.find(code(100).as_bytes(), at(9_000_000)), Found::Used);
    }

    #[test]
    fn some_codes_of_a_counter_may_be_skipped_and_none_comes_back() {
        let fresh = token(Kind::Hotp, None, &[]).unwrap();
        let found = |token: &Token, number| token.find(code(number).as_bytes(), at(0));
        assert_eq!(
            (found(&fresh, 0), found(&fresh, 3), found(&fresh, 4)),
            (Found::Right(0), Found::Right(3), Found::Wrong)
        );
        let used = token(Kind::Hotp, Some("3"), &[]).unwrap();
        assert_eq!((found(&used, 2), found(&used, 3), found(&used, 4)), (Found::Wrong, Found::Used, Found::Right(4)));
        assert_eq!((found(&used, 7), found(&used, 8)), (Found::Right(7), Found::Wrong));
    }

    #[test]
    fn windows_are_bounded_whatever_the_parameters_say() {
        let giant = u64::MAX.to_string();
        let all = [("oathTOTPTimeStepWindow", giant.as_str()), ("oathHOTPLookAhead", giant.as_str())];
        let now = at(30 * 1_000);
        for (kind, good, bad) in [(Kind::Totp, 1_010, 1_011), (Kind::Hotp, MOST_LOOK_AHEAD, MOST_LOOK_AHEAD + 1)] {
            let token = token(kind, None, &all).unwrap();
            assert_eq!(token.find(code(good).as_bytes(), now), Found::Right(good));
            assert_eq!(token.find(code(bad).as_bytes(), now), Found::Wrong);
        }
    }

    #[test]
    fn no_number_is_too_great_and_no_time_too_early() {
        for kind in Kind::ALL {
            for last in ["0", "18446744073709551614", "18446744073709551615"] {
                let token = token(kind, Some(last), &[]).unwrap();
                for now in [i64::MIN / 1_000_000, -1, 0, 1, i64::MAX / 1_000_000] {
                    assert!(!matches!(token.find(b"000000", at(now)), Found::Right(_)), "{kind:?} {last} {now}");
                    token.is_ahead(at(now));
                }
            }
        }
        assert!(token(Kind::Totp, Some("18446744073709551615"), &[]).unwrap().is_ahead(at(3_000)));
        assert!(!token(Kind::Totp, Some("100"), &[]).unwrap().is_ahead(at(3_000)));
    }

    #[test]
    fn what_cannot_be_read_opens_nothing() {
        for (name, values, fault) in [
            ("oathOTPLength", &["0", "-6", "5", "9", "600", "six", ""][..], TokenFault::Length),
            ("oathHMACAlgorithm", &["1.2.840.113549.2.6", "sha1", ""], TokenFault::Algorithm),
            ("oathTOTPTimeStepPeriod", &["0", "9", "3601", "18446744073709551615"], TokenFault::Period),
            ("oathTOTPTimeStepPeriod", &["-30", "x"], TokenFault::Number("oathTOTPTimeStepPeriod")),
            ("oathTOTPTimeStepWindow", &["-1", "1.5"], TokenFault::Number("oathTOTPTimeStepWindow")),
        ] {
            for value in values {
                assert_eq!(token(Kind::Totp, None, &[(name, value)]), Err(fault.clone()), "{name}: {value}");
            }
        }
        assert_eq!(token(Kind::Totp, Some("-1"), &[]), Err(TokenFault::Number("oathTOTPLastTimeStep")));
        let look_ahead = token(Kind::Hotp, None, &[("oathHOTPLookAhead", "-3")]);
        assert_eq!(look_ahead, Err(TokenFault::Number("oathHOTPLookAhead")));
        let schema = Schema::standard();
        for (secret, fault) in
            [(&[][..], TokenFault::NoSecret), (&[("oathSecret", "123456789")], TokenFault::ShortSecret)]
        {
            let read = Token::read(Kind::Totp, &entry(&schema, secret), &params(&schema, &[]), &schema);
            assert_eq!(read, Err(fault));
        }
    }

    #[test]
    fn a_code_stands_behind_something_and_is_digits() {
        let token = token(Kind::Totp, None, &[]).unwrap();
        let split = |typed: &str| {
            let typed = Secret::new(typed);
            token.split(&typed).map(|(rest, code)| (rest.to_vec(), code.to_vec()))
        };
        let found = |rest: &str, code: &str| Some((rest.as_bytes().to_vec(), code.as_bytes().to_vec()));
        assert_eq!(split("pw123456"), found("pw", "123456"));
        assert_eq!(split("1234567"), found("1", "234567"));
        assert_eq!(split("p\u{e4}ss 123456"), found("p\u{e4}ss ", "123456"));
        for none in
            ["", "1", "12345", "123456", "pw12345", "pw12345a", "pw12345\u{ff16}", "pw 12345", "pw-12345", "pw123456 "]
        {
            assert_eq!(split(none), None, "{none}");
        }
    }
}
