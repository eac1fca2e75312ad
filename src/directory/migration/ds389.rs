//! `db2ldif` of 389 Directory Server, which has password attributes of its own.

use super::{DERIVED, Draft, Fate, Rules, Timestamp, is, remembered};

const LIMITS: &str = "limits are in the configuration file: see docs/configuration.md";
const REPLICATION: &str = "the state of its replication";
const EXPIRY: &str = "a password ends pwdMaxAge seconds after pwdChangedTime here";
const ROLES: &str = "there are no roles here: make them groups";
const POLICIES: &str = "its policies have attributes of their own: write them anew, see docs/passwords.md";
const NEEDLESS: &str = "what it allows needs no class here";

pub(super) const RULES: Rules = Rules {
    left_out: &[
        ("aci", super::RULES_ARE_CONFIGURED),
        ("nsRole", DERIVED),
        ("memberOf", DERIVED),
        ("entryDN", DERIVED),
        ("hasSubordinates", DERIVED),
        ("numSubordinates", DERIVED),
        ("tombstoneNumSubordinates", DERIVED),
        ("subschemaSubentry", DERIVED),
        ("parentid", DERIVED),
        ("entryid", DERIVED),
        ("internalModifiersName", "modifiersName is kept"),
        ("internalCreatorsName", "creatorsName is kept"),
        ("entryUSN", "entryCSN orders changes here"),
        ("nsds50ruv", REPLICATION),
        ("nsds5ReplConflict", REPLICATION),
        ("nsds5agmtmaxcsn", REPLICATION),
        ("nscpEntryDN", REPLICATION),
        ("nsParentUniqueId", REPLICATION),
        ("nsSizeLimit", LIMITS),
        ("nsTimeLimit", LIMITS),
        ("nsLookThroughLimit", LIMITS),
        ("nsIdleTimeout", LIMITS),
        ("nsPagedSizeLimit", LIMITS),
        ("nsPagedLookThroughLimit", LIMITS),
        ("nsRoleDN", ROLES),
        ("passwordAllowChangeTime", "it follows from pwdChangedTime and pwdMinAge here"),
        ("passwordExpWarned", "warnings follow from pwdExpireWarning here"),
        ("pwdPolicySubentry", POLICIES),
        ("passwordPolicySubentry", POLICIES),
        ("pwdTPRReset", "see pwdTemporaryMaxUses in docs/passwords.md"),
        ("pwdTPRUseCount", "see pwdTemporaryMaxUses in docs/passwords.md"),
        ("pwdTPRExpTime", "see pwdTemporaryMaxAge in docs/passwords.md"),
        ("pwdTPRExpireAt", "see pwdTemporaryMaxAge in docs/passwords.md"),
        ("pwdTPRValidFrom", "see pwdTemporaryMaxAge in docs/passwords.md"),
    ],
    renamed: &[("pwdUpdateTime", "pwdChangedTime"), ("lastLoginTime", "pwdLastSuccess")],
    classes: &[
        ("nsAccount", NEEDLESS),
        ("nsMemberOf", NEEDLESS),
        ("ldapSubEntry", "entries here are seen as they are"),
    ],
    work_out,
    entry,
};

/// What has been removed there, and what replication keeps, are entries in the file as well.
fn entry(dn: &str, draft: &Draft) -> Option<&'static str> {
    let is_marked = dn.get(..11).is_some_and(|begin| begin.eq_ignore_ascii_case("nsuniqueid="));
    if draft.has_class("nsTombstone") || (is_marked && dn.to_ascii_lowercase().contains("ffffffff-ffffffff")) {
        return Some("it was removed there");
    }
    if draft.has_class("nsds5replicationConflict") {
        return Some("replication there left it behind");
    }
    let of_policies = ["passwordPolicy", "cosSuperDefinition", "cosDefinition", "cosTemplate"];
    of_policies.iter().any(|class| draft.has_class(class)).then_some(POLICIES)
}

fn work_out(draft: &mut Draft, now: Timestamp) {
    strip_replication_state(draft);
    containers(draft);
    identity(draft);
    locks(draft, now);
    counts(draft, now);
    passwords(draft);
}

/// `cn;vucsn-5f...: x` is `cn: x`, and a value marked as deleted is none.
fn strip_replication_state(draft: &mut Draft) {
    let is_state = |option: &str| {
        let kinds = ["adcsn-", "vucsn-", "vdcsn-", "mdcsn-"];
        kinds.iter().any(|kind| option.get(..6).is_some_and(|begin| begin.eq_ignore_ascii_case(kind)))
    };
    let is_removal =
        |option: &str| ["deleted", "deletedattribute"].iter().any(|word| option.eq_ignore_ascii_case(word));
    let attributes = std::mem::take(&mut draft.attributes);
    for (description, value) in attributes {
        let mut options = description.split(';');
        let base = options.next().unwrap_or_default();
        if options.clone().any(is_removal) {
            draft.note(Fate::LeftOut, base, "it was removed there");
            continue;
        }
        let kept = options.filter(|option| !is_state(option)).fold(base.to_owned(), |all, one| format!("{all};{one}"));
        draft.attributes.push((kept, value));
    }
}

/// Its class for what only holds other entries has a like one among the standards.
fn containers(draft: &mut Draft) {
    if draft.has_class("nsContainer") {
        draft.leave_class_out("nsContainer", "the class is applicationProcess here");
        draft.put("objectClass", *b"applicationProcess");
    }
}

/// `3b6f4f81-1dd211b2-80d7f1e8-72ee0000` holds the digits of a UUID.
fn identity(draft: &mut Draft) {
    let Some(number) = draft.take("nsUniqueId").pop() else { return };
    let digits: String = number.iter().filter(|octet| **octet != b'-').map(|octet| char::from(*octet)).collect();
    let has_uuid = draft.has("entryUUID");
    match uuid::Uuid::try_parse(&digits) {
        _ if has_uuid => draft.note(Fate::LeftOut, "nsUniqueId", "entryUUID is kept"),
        Ok(uuid) => {
            draft.put("entryUUID", uuid.to_string());
            draft.note(Fate::Translated, "nsUniqueId", "entryUUID");
        }
        Err(_) => draft.note(Fate::LeftOut, "nsUniqueId", "it has not the digits of a UUID, so a new one is made"),
    }
}

fn locks(draft: &mut Draft, now: Timestamp) {
    let disabled_role = |(name, value): &(String, Vec<u8>)| {
        let value = String::from_utf8_lossy(value).to_ascii_lowercase();
        is(name, "nsRoleDN") && value.starts_with("cn=nsmanageddisabledrole,")
    };
    let by_role = draft.attributes.iter().any(disabled_role);
    let flag = draft.take("nsAccountLock").pop();
    let by_flag = flag.as_ref().is_some_and(|value| value.eq_ignore_ascii_case(b"true"));
    if flag.is_some() && !by_flag {
        draft.note(Fate::LeftOut, "nsAccountLock", "the account is open");
    }
    match draft.take_time("accountUnlockTime") {
        None => {}
        Some(time) if time == Timestamp::default() => {
            draft.lock_for_good();
            draft.note(Fate::Translated, "accountUnlockTime", "pwdAccountLockedTime, until an administrator opens it");
        }
        Some(time) if time > now => {
            draft.put("pwdAccountLockedTime", now.to_string());
            draft.note(Fate::Translated, "accountUnlockTime", "pwdAccountLockedTime, for as long as the policy says");
        }
        Some(_) => draft.note(Fate::LeftOut, "accountUnlockTime", "the lock is over"),
    }
    if by_flag || by_role {
        draft.lock_for_good();
        let what = if by_flag { "nsAccountLock" } else { "nsRoleDN" };
        draft.note(Fate::Translated, what, "pwdAccountLockedTime, until an administrator opens it");
    }
}

fn counts(draft: &mut Draft, now: Timestamp) {
    let reset = draft.take_time("retryCountResetTime");
    let is_over = reset.is_some_and(|time| time <= now);
    match draft.take_count("passwordRetryCount") {
        Some(count) if count > 0 && !is_over => {
            draft.put_times("pwdFailureTime", count, now);
            draft.note(Fate::Translated, "passwordRetryCount", "pwdFailureTime, as if it had been just now");
        }
        Some(_) => draft.note(Fate::LeftOut, "passwordRetryCount", "nothing is counted any more"),
        None => {}
    }
    if reset.is_some() {
        draft.note(Fate::LeftOut, "retryCountResetTime", "it follows from pwdFailureCountInterval here");
    }
    if let Some(count) = draft.take_count("passwordGraceUserTime") {
        draft.put_times("pwdGraceUseTime", count, now);
        draft.note(Fate::Translated, "passwordGraceUserTime", "pwdGraceUseTime");
    }
}

fn passwords(draft: &mut Draft) {
    for value in draft.take("passwordHistory") {
        let split = value.iter().position(|octet| *octet == b'{').and_then(|at| value.split_at_checked(at));
        match split.and_then(|(time, hash)| remembered(time, hash)) {
            Some(value) => {
                draft.put("pwdHistory", value);
                draft.note(Fate::Translated, "passwordHistory", "pwdHistory");
            }
            None => draft.note(Fate::LeftOut, "passwordHistory", "it is no time with a hash behind it"),
        }
    }
    match draft.take_time("passwordExpirationTime") {
        None => {}
        // What it writes after a reset, where passwordMustChange is on.
        Some(time) if time == Timestamp::default() => {
            drop(draft.take("pwdReset"));
            draft.put("pwdReset", *b"TRUE");
            draft.note(Fate::Translated, "passwordExpirationTime", "pwdReset: it must be changed");
        }
        Some(_) => draft.note(Fate::LeftOut, "passwordExpirationTime", EXPIRY),
    }
}
