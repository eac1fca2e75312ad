//! How the passwords of those whom a policy governs are kept.

use super::PolicyError;
use super::reader::Reader;
use crate::password::scheme::{Cost, NewScheme};

/// What a policy says of how new passwords are kept; where it says nothing, it is as the server has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Hashing(Option<NewScheme>);

const SCHEME: &str = "pwdHashScheme";
const MEMORY: &str = "pwdHashMemory";
const PASSES: &str = "pwdHashPasses";
const LANES: &str = "pwdHashLanes";

/// The word for each scheme, as `[password] scheme` of the configuration has it.
const WORDS: [(&str, Option<Kind>); 3] =
    [("argon2id", Some(Kind::Argon2id)), ("ssha512", Some(Kind::Ssha512)), ("ssha", Some(Kind::Ssha))];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Argon2id,
    Ssha512,
    Ssha,
}

/// No policy lowers the cost below what OWASP holds to be the least: 7 MiB and five passes, or as much work with more
/// memory.
const LEAST_MEMORY: u32 = 7 * 1024;
const LEAST_WORK: u64 = 5 * LEAST_MEMORY as u64;

impl Hashing {
    pub(super) fn read(reader: &Reader<'_>) -> Result<Self, PolicyError> {
        let kind = reader.word(SCHEME, &WORDS)?;
        let (memory, passes, lanes) = (reader.number(MEMORY)?, reader.number(PASSES)?, reader.number(LANES)?);
        let said =
            [(MEMORY, memory), (PASSES, passes), (LANES, lanes)].into_iter().find(|(_, number)| number.is_some());
        match (kind, said) {
            (None, None) => Ok(Self(None)),
            (None | Some(Kind::Argon2id), _) => {
                let usual = Cost::default();
                let cost = Cost {
                    memory_kib: memory.unwrap_or(usual.memory_kib),
                    passes: passes.unwrap_or(usual.passes),
                    lanes: lanes.unwrap_or(usual.lanes),
                };
                check(cost)?;
                Ok(Self(Some(NewScheme::Argon2id(cost))))
            }
            (Some(Kind::Ssha512 | Kind::Ssha), Some((attribute, _))) => {
                Err(PolicyError { attribute, reason: "only argon2id has a cost".to_owned() })
            }
            (Some(Kind::Ssha512), None) => Ok(Self(Some(NewScheme::Ssha512))),
            (Some(Kind::Ssha), None) => Ok(Self(Some(NewScheme::Ssha))),
        }
    }

    /// What new passwords are kept as, where the server keeps them as `usual`.
    pub fn or(self, usual: NewScheme) -> NewScheme {
        self.0.unwrap_or(usual)
    }

    /// Why a cost is too little for any policy, in words; absent if it is enough.
    pub fn too_little(cost: Cost) -> Option<&'static str> {
        let work = u64::from(cost.memory_kib) * u64::from(cost.passes);
        let is_too_little = cost.memory_kib < LEAST_MEMORY || work < LEAST_WORK;
        is_too_little.then_some("too little: at least 7168 KiB, and 35840 KiB in all passes together")
    }

    /// What it says, if it says something.
    pub const fn said(self) -> Option<NewScheme> {
        self.0
    }
}

fn check(cost: Cost) -> Result<(), PolicyError> {
    if let Some(reason) = Hashing::too_little(cost) {
        return Err(PolicyError { attribute: MEMORY, reason: reason.to_owned() });
    }
    if cost.is_sane() {
        return Ok(());
    }
    let reason = "too much: at most 256 MiB, 1 GiB in all passes together, and 64 lanes of at least 8 KiB";
    Err(PolicyError { attribute: MEMORY, reason: reason.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::{Attribute, Attributes, Entry, Schema};

    fn read(list: &[(&str, &str)]) -> Result<Hashing, String> {
        let schema = Schema::standard();
        let attribute = |(name, value): &(&str, &str)| Attribute {
            description: schema.describe(name).unwrap(),
            values: vec![value.as_bytes().to_vec()],
        };
        let entry = Entry::encode(&list.iter().map(attribute).collect::<Attributes>(), &schema);
        Hashing::read(&Reader::new(&entry, &schema)).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_said_of_the_cost_is_as_owasp_recommends() {
        assert_eq!(read(&[]), Ok(Hashing(None)));
        let argon2id =
            |memory_kib, passes, lanes| Ok(Hashing(Some(NewScheme::Argon2id(Cost { memory_kib, passes, lanes }))));
        assert_eq!(read(&[(SCHEME, "Argon2id")]), argon2id(19_456, 2, 1));
        assert_eq!(read(&[(MEMORY, "65536"), (PASSES, "3"), (LANES, "4")]), argon2id(65_536, 3, 4));
        assert_eq!(read(&[(SCHEME, "ssha512")]).unwrap().or(NewScheme::Ssha), NewScheme::Ssha512);
        assert_eq!(Hashing::default().or(NewScheme::Ssha), NewScheme::Ssha);
    }

    #[test]
    fn a_cost_is_bounded_both_ways() {
        let fault = |list: &[(&str, &str)]| read(list).unwrap_err();
        assert!(fault(&[(MEMORY, "4096"), (PASSES, "50")]).contains("too little"));
        assert!(fault(&[(PASSES, "1")]).contains("too little"));
        assert!(fault(&[(MEMORY, "300000")]).contains("too much"));
        assert!(fault(&[(PASSES, "100")]).contains("too much"));
        assert!(fault(&[(LANES, "0")]).contains("too much") && fault(&[(LANES, "65")]).contains("too much"));
        assert!(fault(&[(SCHEME, "ssha"), (PASSES, "3")]).starts_with("pwdHashPasses: only argon2id"));
        assert!(fault(&[(SCHEME, "md5")]).contains("one of argon2id, ssha512, ssha"));
    }
}
