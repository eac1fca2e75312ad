//! `slapcat`: much is the same here, since the names of RFC 4512 and of draft-behera-ldap-password-policy are.

use super::{DERIVED, Draft, Fate, Rules, Timestamp};

const NO_EXPIRING_ENTRIES: &str = "entries do not end by themselves here";

pub(super) const RULES: Rules = Rules {
    left_out: &[
        ("contextCSN", "it is made anew here"),
        ("memberOf", DERIVED),
        ("entryDN", DERIVED),
        ("subschemaSubentry", DERIVED),
        ("hasSubordinates", DERIVED),
        ("entryTtl", NO_EXPIRING_ENTRIES),
        ("entryExpireTimestamp", NO_EXPIRING_ENTRIES),
        ("auditContext", "where the other server wrote its log is nothing to this one"),
        ("pwdMaxTotalAttempts", "wrong passwords are counted here as pwdMaxFailure and the lockout without end say"),
        ("pwdAccountTmpLockoutEnd", "a delay after wrong passwords is over by now"),
        ("olcAccess", super::RULES_ARE_CONFIGURED),
        ("OpenLDAPaci", super::RULES_ARE_CONFIGURED),
    ],
    // The overlay lastbind, before 2.5.
    renamed: &[("authTimestamp", "pwdLastSuccess")],
    classes: &[("dynamicObject", NO_EXPIRING_ENTRIES)],
    work_out,
    entry: |_, draft| {
        draft.has_class("glue").then_some("it only held the place of an entry that the other server had not")
    },
};

/// The policy is kept as it is; but what judges passwords there is a shared object, and judges nothing here.
fn work_out(draft: &mut Draft, _: Timestamp) {
    for name in ["pwdUseCheckModule", "pwdCheckModule"] {
        if draft.attributes.iter().any(|(other, value)| super::is(other, name) && value != b"FALSE") {
            draft.note(Fate::Unusable, name, NO_MODULES);
        }
    }
}

const NO_MODULES: &str = "no module judges passwords here: say what they must be in the policy, see docs/passwords.md";
