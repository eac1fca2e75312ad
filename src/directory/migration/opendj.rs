//! `export-ldif` of `OpenDJ` and its relatives.

use super::{DERIVED, Draft, Fate, Rules, Timestamp, remembered};

const REPLICATION: &str = "the state of its replication";
const LIMITS: &str = "limits are in the configuration file: see docs/configuration.md";
const EXPIRY: &str = "a password ends pwdMaxAge seconds after pwdChangedTime here";

pub(super) const RULES: Rules = Rules {
    left_out: &[
        ("aci", super::RULES_ARE_CONFIGURED),
        ("ds-privilege-name", super::RULES_ARE_CONFIGURED),
        ("ds-sync-hist", REPLICATION),
        ("ds-sync-state", REPLICATION),
        ("ds-sync-conflict", REPLICATION),
        ("ds-sync-generation-id", REPLICATION),
        ("ds-sync-delay", REPLICATION),
        ("ds-rlim-size-limit", LIMITS),
        ("ds-rlim-time-limit", LIMITS),
        ("ds-rlim-lookthrough-limit", LIMITS),
        ("ds-rlim-idle-time-limit", LIMITS),
        ("ds-pwp-warned-time", "warnings follow from pwdExpireWarning here"),
        ("ds-pwp-password-changed-by-required-time", "see pwdReset in docs/passwords.md"),
        ("ds-pwp-password-expiration-time", EXPIRY),
        ("ds-pwp-reset-time", "see pwdReset in docs/passwords.md"),
        ("entryDN", DERIVED),
        ("isMemberOf", DERIVED),
        ("hasSubordinates", DERIVED),
        ("numSubordinates", DERIVED),
        ("subschemaSubentry", DERIVED),
        ("etag", DERIVED),
    ],
    renamed: &[
        ("ds-pwp-last-login-time", "pwdLastSuccess"),
        ("ds-pwp-account-expiration-time", "pwdEndTime"),
        ("ds-pwp-password-policy-dn", "pwdPolicySubentry"),
    ],
    classes: &[("ds-root-dn-user", "administrators are named by access rules here")],
    work_out,
    entry: |_, _| None,
};

fn work_out(draft: &mut Draft, _: Timestamp) {
    match draft.take("ds-pwp-account-disabled").pop() {
        Some(value) if value.eq_ignore_ascii_case(b"true") => {
            draft.lock_for_good();
            draft.note(
                Fate::Translated,
                "ds-pwp-account-disabled",
                "pwdAccountLockedTime, until an administrator opens it",
            );
        }
        Some(_) => draft.note(Fate::LeftOut, "ds-pwp-account-disabled", "the account is open"),
        None => {}
    }
    for value in draft.take("pwdHistory") {
        match history(&value) {
            Some(value) => {
                draft.put("pwdHistory", value);
                draft.note(Fate::Translated, "pwdHistory", "pwdHistory with the length of each hash");
            }
            None => draft.note(Fate::LeftOut, "pwdHistory", "it is no time with a hash behind it"),
        }
    }
    // The format of this time is configurable there.
    let logins = draft.take("ds-pwp-last-login-time");
    for value in logins {
        if Timestamp::parse(&value).is_some() {
            draft.put("ds-pwp-last-login-time", value);
        } else {
            draft.note(Fate::LeftOut, "ds-pwp-last-login-time", "it is no GeneralizedTime");
        }
    }
    for value in draft.take("ds-pwp-password-policy-dn") {
        if value.to_ascii_lowercase().ends_with(b"cn=config") {
            draft.note(
                Fate::LeftOut,
                "ds-pwp-password-policy-dn",
                "the policy is in its configuration: make it an entry",
            );
        } else {
            draft.put("ds-pwp-password-policy-dn", value);
        }
    }
}

/// It writes `time#syntax#hash`, without the length that the draft has; a hash may hold `#` itself.
fn history(value: &[u8]) -> Option<Vec<u8>> {
    let mut fields = value.splitn(3, |octet| *octet == b'#');
    let (time, _syntax, rest) = (fields.next()?, fields.next()?, fields.next()?);
    let with_length = rest.iter().position(|octet| *octet == b'#').and_then(|at| {
        let (length, hash) = rest.split_at_checked(at)?;
        let hash = hash.get(1..)?;
        (std::str::from_utf8(length).ok()?.parse() == Ok(hash.len())).then_some(hash)
    });
    remembered(time, with_length.unwrap_or(rest))
}
