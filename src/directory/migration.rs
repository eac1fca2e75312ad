//! What the exports of other servers say otherwise than this one: `slapcat`, `db2ldif`, `export-ldif`.
//!
//! Each server has a list of what is left out and why, a list of what has another name here, and a function for what must
//! be worked out. What is in none of them is kept as it is. Nothing goes without a note, and no note holds a value.

mod ds389;
mod opendj;
mod openldap;

use super::Timestamp;

/// The server that wrote an export.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// `OpenLDAP`: `slapcat`.
    OpenLdap,
    /// 389 Directory Server: `db2ldif`.
    Ds389,
    /// `OpenDJ`: `export-ldif`.
    OpenDj,
}

/// An attribute that did not come along as it was.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Note {
    /// What became of it.
    pub fate: Fate,
    /// Its name in the export; of an object class, the name of the class.
    pub what: String,
    /// What it became, or why not.
    pub words: &'static str,
}

impl Note {
    /// Whether it says no more than that the server derives the attribute itself, which goes for every entry.
    pub fn is_routine(&self) -> bool {
        self.words == DERIVED
    }
}

/// What became of an attribute; what somebody must do something about comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fate {
    /// It is here, and good for nothing.
    Unusable,
    /// It is here, and nobody knows since when.
    Undated,
    /// It is not here.
    LeftOut,
    /// It is here under another name or in another form.
    Translated,
}

/// An entry on its way.
#[derive(Debug)]
pub struct Draft {
    /// Its attributes, a value each, in the order of the file.
    pub attributes: Vec<(String, Vec<u8>)>,
    /// What was done so far.
    pub notes: Vec<Note>,
}

/// What a server's attributes and object classes become; names in any case.
struct Rules {
    /// Attributes that are left out, and why.
    left_out: &'static [(&'static str, &'static str)],
    /// Attributes that have another name here.
    renamed: &'static [(&'static str, &'static str)],
    /// Object classes that are left out, and why.
    classes: &'static [(&'static str, &'static str)],
    /// What must be worked out, before the lists are looked at.
    work_out: fn(&mut Draft, Timestamp),
    /// Why an entry is left out as a whole.
    entry: fn(&str, &Draft) -> Option<&'static str>,
}

impl Origin {
    /// Who wrote a file that begins like this, as far as it tells.
    pub fn recognize(head: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(head).to_ascii_lowercase();
        if text.starts_with("# keystead") {
            return None;
        }
        let has = |beginning: &str| text.lines().any(|line| line.starts_with(beginning));
        if has("nsuniqueid:") || has("# entry-id:") {
            Some(Self::Ds389)
        } else if has("ds-pwp-") || has("ds-sync-") || has("objectclass: ds-") {
            Some(Self::OpenDj)
        } else {
            has("structuralobjectclass:").then_some(Self::OpenLdap)
        }
    }

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenLdap => "OpenLDAP",
            Self::Ds389 => "389 Directory Server",
            Self::OpenDj => "OpenDJ",
        }
    }

    const fn rules(self) -> &'static Rules {
        match self {
            Self::OpenLdap => &openldap::RULES,
            Self::Ds389 => &ds389::RULES,
            Self::OpenDj => &opendj::RULES,
        }
    }

    /// Makes of an entry of that server one of this. `now` is when it comes: what is over by then is left out.
    pub fn translate(self, dn: &str, draft: &mut Draft, now: Timestamp) -> Result<(), &'static str> {
        let rules = self.rules();
        if let Some(why) = (rules.entry)(dn, draft) {
            return Err(why);
        }
        (rules.work_out)(draft, now);
        for &(name, becomes) in rules.renamed {
            draft.rename(name, becomes);
        }
        for &(name, why) in rules.left_out {
            draft.leave_out(name, why);
        }
        for &(class, why) in rules.classes {
            draft.leave_class_out(class, why);
        }
        Ok(())
    }
}

impl Draft {
    /// Begins with the attributes of a record.
    pub const fn new(attributes: Vec<(String, Vec<u8>)>) -> Self {
        Self { attributes, notes: Vec::new() }
    }

    /// Leaves an attribute out, whatever its options.
    pub fn leave_out(&mut self, name: &str, why: &'static str) {
        for _ in self.take(name) {
            self.note(Fate::LeftOut, name, why);
        }
    }

    /// Leaves an object class out; the entry keeps the others.
    pub fn leave_class_out(&mut self, class: &str, why: &'static str) {
        let before = self.attributes.len();
        self.attributes.retain(|(name, value)| {
            !(name.eq_ignore_ascii_case("objectClass") && value.eq_ignore_ascii_case(class.as_bytes()))
        });
        if self.attributes.len() < before {
            self.note(Fate::LeftOut, class, why);
        }
    }

    fn rename(&mut self, name: &str, becomes: &'static str) {
        let values = self.take(name);
        if self.has(becomes) {
            for _ in values {
                self.note(Fate::LeftOut, name, "the entry has what it would become as well");
            }
            return;
        }
        for value in values {
            self.put(becomes, value);
            self.note(Fate::Translated, name, becomes);
        }
    }

    /// Keeps one of several values: the first that is good, or else the first.
    pub fn keep_one(&mut self, name: &str, is_good: impl Fn(&[u8]) -> bool, why: &'static str) {
        let values = self.attributes.iter().filter(|(other, _)| is(other, name)).map(|(_, value)| value);
        let kept = values.clone().position(|value| is_good(value)).unwrap_or_default();
        let others = values.count().saturating_sub(1);
        let mut at = 0..;
        self.attributes.retain(|(other, _)| !is(other, name) || at.next() == Some(kept));
        for _ in 0..others {
            self.note(Fate::LeftOut, name, why);
        }
    }

    /// Notes what became of an attribute or an object class.
    pub fn note(&mut self, fate: Fate, what: &str, words: &'static str) {
        self.notes.push(Note { fate, what: what.to_owned(), words });
    }

    /// Whether it has the attribute, with whatever options.
    pub fn has(&self, name: &str) -> bool {
        self.attributes.iter().any(|(other, _)| is(other, name))
    }

    fn has_class(&self, class: &str) -> bool {
        let is_it =
            |(name, value): &(String, Vec<u8>)| is(name, "objectClass") && value.eq_ignore_ascii_case(class.as_bytes());
        self.attributes.iter().any(is_it)
    }

    fn put(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.attributes.push((name.to_owned(), value.into()));
    }

    /// Removes an attribute, and returns its values.
    fn take(&mut self, name: &str) -> Vec<Vec<u8>> {
        let mut taken = Vec::new();
        self.attributes.retain_mut(|(other, value)| {
            let it = is(other, name);
            if it {
                taken.push(std::mem::take(value));
            }
            !it
        });
        taken
    }

    /// The same where it is to be one number; 0 if it is none.
    fn take_count(&mut self, name: &str) -> Option<u32> {
        let value = self.take(name).pop()?;
        Some(std::str::from_utf8(&value).ok().and_then(|text| text.parse().ok()).unwrap_or_default())
    }

    /// The same where it is to be one time; the first there is, if it is none.
    fn take_time(&mut self, name: &str) -> Option<Timestamp> {
        Some(Timestamp::parse(&self.take(name).pop()?).unwrap_or_default())
    }

    /// Puts so many times, which differ, into an attribute that counts by them.
    fn put_times(&mut self, name: &str, count: u32, last: Timestamp) {
        for back in 0..i64::from(count.min(MOST_TIMES)) {
            let time = Timestamp::from_unix_micros(last.unix_micros() - back);
            self.put(name, time.precise().to_string());
        }
    }

    /// Locks the account until an administrator opens it.
    fn lock_for_good(&mut self) {
        drop(self.take("pwdAccountLockedTime"));
        self.put("pwdAccountLockedTime", *b"000001010000Z");
    }
}

/// No policy waits for more wrong passwords.
const MOST_TIMES: u32 = 100;

/// Whether an attribute description is of that type.
fn is(description: &str, name: &str) -> bool {
    description.split(';').next().is_some_and(|base| base.eq_ignore_ascii_case(name))
}

/// A value of `pwdHistory` (draft-behera-ldap-password-policy-10 §5.3.7).
fn remembered(time: &[u8], hash: &[u8]) -> Option<Vec<u8>> {
    let time = Timestamp::parse(time)?;
    let mut value = format!("{time}#1.3.6.1.4.1.1466.115.121.1.40#{}#", hash.len()).into_bytes();
    value.extend_from_slice(hash);
    Some(value)
}

/// Access rules are not data here.
const RULES_ARE_CONFIGURED: &str = "who may do what is said in the configuration file: see docs/access.md";

/// The server derives it itself.
const DERIVED: &str = "it is derived here when somebody asks for it";

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &[u8] = b"20260601120000Z";

    /// An entry and what becomes of it, as `name: value` lines, and the notes.
    fn translated(origin: Origin, lines: &str) -> (Vec<String>, Vec<String>) {
        let attributes = lines.lines().map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_owned(), value.as_bytes().to_vec())
        });
        let mut draft = Draft::new(attributes.collect());
        origin.translate("uid=alice,dc=example,dc=com", &mut draft, Timestamp::parse(NOW).unwrap()).unwrap();
        let line = |(name, value): &(String, Vec<u8>)| format!("{name}: {}", String::from_utf8_lossy(value));
        let note = |note: &Note| format!("{:?} {}: {}", note.fate, note.what, note.words);
        (draft.attributes.iter().map(line).collect(), draft.notes.iter().map(note).collect())
    }

    #[test]
    fn exports_are_told_apart_by_how_they_begin() {
        let from = |text: &str| Origin::recognize(text.as_bytes());
        assert_eq!(from("dn: dc=a\nstructuralObjectClass: domain\n"), Some(Origin::OpenLdap));
        assert_eq!(from("version: 1\n\n# entry-id: 1\ndn: dc=a\n"), Some(Origin::Ds389));
        assert_eq!(from("dn: dc=a\nnsUniqueId: 1-2-3-4\n"), Some(Origin::Ds389));
        assert_eq!(from("dn: uid=a\nds-pwp-account-disabled: true\n"), Some(Origin::OpenDj));
        assert_eq!(from("# Keystead\ndn: dc=a\nstructuralObjectClass: domain\n"), None);
        assert_eq!(from("dn: dc=a\ndescription: nsUniqueId:\n"), None);
    }

    #[test]
    fn what_no_list_names_is_kept() {
        for origin in [Origin::OpenLdap, Origin::Ds389, Origin::OpenDj] {
            let lines = "objectClass: person\ncn;lang-de: x\npwdFailureTime: 20260601115900.1Z\npwdReset: TRUE";
            let (kept, notes) = translated(origin, lines);
            assert_eq!((kept.join("\n"), notes.len()), (lines.to_owned(), 0), "{origin:?}");
        }
    }

    #[test]
    fn one_value_is_kept_the_first_that_is_good_and_none_is_noted() {
        for (good, expected) in [(&b"two"[..], "two"), (b"three", "three"), (b"none", "one")] {
            let values = ["one", "two", "three"].map(|value| ("userPassword".to_owned(), value.as_bytes().to_vec()));
            let mut draft = Draft::new(values.to_vec());
            draft.keep_one("userpassword", |value| value == good, "there is one");
            let kept: Vec<_> = draft.attributes.iter().map(|(_, value)| String::from_utf8_lossy(value)).collect();
            assert_eq!((kept, draft.notes.len()), (vec![expected.into()], 2));
            assert!(draft.notes.iter().all(|note| note.what == "userpassword" && note.words == "there is one"));
        }
    }

    #[test]
    fn openldaps_overlays_are_understood() {
        let lines = "authTimestamp: 20260101000000Z\nmemberOf: cn=x\ncontextCSN: 1\nentryTtl: 5";
        let (kept, notes) = translated(Origin::OpenLdap, lines);
        assert_eq!(kept, ["pwdLastSuccess: 20260101000000Z"]);
        assert_eq!(notes.len(), 4, "{notes:?}");
        // Both overlays at once.
        let lines = "authTimestamp: 20260101000000Z\npwdLastSuccess: 20260102000000Z";
        let (kept, notes) = translated(Origin::OpenLdap, lines);
        assert_eq!((kept, notes.len()), (vec!["pwdLastSuccess: 20260102000000Z".to_owned()], 1));
    }

    #[test]
    fn modules_that_judge_passwords_there_are_told_of_and_change_nothing() {
        let policy =
            |last: &str| format!("objectClass: pwdPolicy\nobjectClass: pwdPolicyChecker\npwdMinLength: 8\n{last}");
        for (last, told) in [
            ("pwdUseCheckModule: TRUE", 1),
            ("pwdCheckModule: check_password.so", 1),
            ("pwdUseCheckModule: FALSE", 0),
            ("pwdCheckModuleArg: aGVsbG8=", 0),
        ] {
            let (kept, notes) = translated(Origin::OpenLdap, &policy(last));
            assert_eq!((kept.join("\n"), notes.len()), (policy(last), told), "{last}");
        }
    }

    #[test]
    fn the_number_of_389_becomes_a_uuid() {
        let (kept, _) = translated(Origin::Ds389, "nsUniqueId: 3b6f4f81-1dd211b2-80d7f1e8-72ee0000");
        assert_eq!(kept, ["entryUUID: 3b6f4f81-1dd2-11b2-80d7-f1e872ee0000"]);
        let lines = "nsUniqueId: 3b6f4f81-1dd211b2-80d7f1e8-72ee0000\nentryUUID: 11111111-2222-3333-4444-555555555555";
        let (kept, notes) = translated(Origin::Ds389, lines);
        assert_eq!(kept, ["entryUUID: 11111111-2222-3333-4444-555555555555"]);
        assert_eq!(notes.len(), 1);
        let (kept, notes) = translated(Origin::Ds389, "nsUniqueId: nonsense");
        assert_eq!((kept.len(), notes.len()), (0, 1));
    }

    #[test]
    fn the_locks_of_389_stay_locked() {
        for line in ["nsAccountLock: TRUE", "accountUnlockTime: 19700101000000Z"] {
            assert_eq!(translated(Origin::Ds389, line).0, ["pwdAccountLockedTime: 000001010000Z"], "{line}");
        }
        let lines = "nsRoleDN: cn=nsManagedDisabledRole,dc=example,dc=com";
        assert_eq!(translated(Origin::Ds389, lines).0, ["pwdAccountLockedTime: 000001010000Z"]);
        // For a time: the policy says how long from now. One that is over is over.
        let (kept, _) = translated(Origin::Ds389, "accountUnlockTime: 20260601121000Z");
        assert_eq!(kept, ["pwdAccountLockedTime: 20260601120000Z"]);
        let (kept, notes) = translated(Origin::Ds389, "accountUnlockTime: 20260601110000Z");
        assert_eq!((kept.len(), notes.len()), (0, 1));
        // What cannot be read opens nothing.
        let (kept, _) = translated(Origin::Ds389, "accountUnlockTime: later");
        assert_eq!(kept, ["pwdAccountLockedTime: 000001010000Z"]);
        assert_eq!(translated(Origin::Ds389, "nsAccountLock: false").0.len(), 0);
    }

    #[test]
    fn what_389_counts_is_counted_here() {
        let lines = "passwordRetryCount: 2\nretryCountResetTime: 20260601121000Z\npasswordGraceUserTime: 1";
        let (kept, _) = translated(Origin::Ds389, lines);
        assert_eq!(
            kept,
            [
                "pwdFailureTime: 20260601120000.000000Z",
                "pwdFailureTime: 20260601115959.999999Z",
                "pwdGraceUseTime: 20260601120000.000000Z",
            ]
        );
        let (kept, notes) = translated(Origin::Ds389, "passwordRetryCount: 2\nretryCountResetTime: 20260601110000Z");
        assert_eq!((kept.len(), notes.len()), (0, 2), "{notes:?}");
        let (kept, _) = translated(Origin::Ds389, "passwordRetryCount: 4000000000");
        assert_eq!(kept.len(), 100);
        assert_eq!(translated(Origin::Ds389, "passwordRetryCount: many").0.len(), 0);
    }

    #[test]
    fn what_389_remembers_is_remembered_here() {
        let (kept, _) = translated(Origin::Ds389, "passwordHistory: 20250102030405Z{SSHA}abc");
        assert_eq!(kept, ["pwdHistory: 20250102030405Z#1.3.6.1.4.1.1466.115.121.1.40#9#{SSHA}abc"]);
        let (kept, notes) = translated(Origin::Ds389, "passwordHistory: {SSHA}abc");
        assert_eq!((kept.len(), notes.len()), (0, 1));
        assert_eq!(translated(Origin::Ds389, "passwordExpirationTime: 19700101000000Z").0, ["pwdReset: TRUE"]);
        let (kept, notes) = translated(Origin::Ds389, "passwordExpirationTime: 20270101000000Z");
        assert_eq!((kept.len(), notes.len()), (0, 1));
    }

    #[test]
    fn the_replication_state_of_389_is_stripped() {
        let lines =
            "cn;adcsn-5f1e;vucsn-5f1e: x\nsn;vdcsn-5f1e;deleted: y\nmail;deletedattribute;deleted: \ncn;lang-de: z";
        let (kept, notes) = translated(Origin::Ds389, lines);
        assert_eq!(kept, ["cn: x", "cn;lang-de: z"]);
        assert_eq!(notes.len(), 2, "{notes:?}");
        let mut tombstone = Draft::new(vec![("objectClass".to_owned(), b"nsTombstone".to_vec())]);
        let now = Timestamp::default();
        assert!(Origin::Ds389.translate("nsuniqueid=1-2-3-4,uid=x,dc=a", &mut tombstone, now).is_err());
    }

    #[test]
    fn the_policies_of_389_are_left_out_and_containers_stay() {
        let lines = "objectClass: top\nobjectClass: nsContainer\ncn: accounts";
        let (kept, notes) = translated(Origin::Ds389, lines);
        assert_eq!(kept, ["objectClass: top", "cn: accounts", "objectClass: applicationProcess"]);
        assert_eq!(notes.len(), 1);
        for class in ["passwordPolicy", "costemplate", "cosSuperDefinition"] {
            let mut policy = Draft::new(vec![("objectClass".to_owned(), class.as_bytes().to_vec())]);
            assert!(Origin::Ds389.translate("cn=x,dc=a", &mut policy, Timestamp::default()).is_err(), "{class}");
        }
        assert_eq!(translated(Origin::Ds389, "pwdpolicysubentry: cn=x").0.len(), 0);
    }

    #[test]
    fn opendj_is_understood() {
        let lines = "ds-pwp-account-disabled: true\nds-pwp-last-login-time: 20260101000000.123Z\n\
                     ds-pwp-account-expiration-time: 20270101000000Z\nds-sync-hist: modifyTimestamp:0\n\
                     pwdHistory: 20250102030405.678Z#1.3.6.1.4.1.1466.115.121.1.40#{SSHA512}a#b\naci: (x)";
        let (kept, notes) = translated(Origin::OpenDj, lines);
        assert_eq!(
            kept,
            [
                "pwdAccountLockedTime: 000001010000Z",
                "pwdHistory: 20250102030405Z#1.3.6.1.4.1.1466.115.121.1.40#12#{SSHA512}a#b",
                "pwdLastSuccess: 20260101000000.123Z",
                "pwdEndTime: 20270101000000Z",
            ]
        );
        assert_eq!(notes.len(), 6, "{notes:?}");
        // A policy that is an entry stays; one of the configuration cannot.
        let policy = |dn: &str| translated(Origin::OpenDj, &format!("ds-pwp-password-policy-dn: {dn}"));
        assert_eq!(policy("cn=strict,dc=example,dc=com").0, ["pwdPolicySubentry: cn=strict,dc=example,dc=com"]);
        assert_eq!(policy("cn=strict,cn=Password Policies,cn=config").0.len(), 0);
    }
}
