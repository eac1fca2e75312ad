//! Every attribute of the password policy draft, and every error and warning of its control, as the tools of OpenLDAP tell them.
//!
//! Nothing is waited for: an administrator brings along what would have come about in time, by the relax rules control.

use jiff::{SignedDuration, Timestamp};

use crate::said::Said;
use crate::server::{SUFFIX, Server, full};

const NEW: &str = "a much better secret";

const DAY: i64 = 86_400;

/// What the policy or the state of a password has: nothing stands for its absence.
type Settings<'s> = &'s [(&'s str, &'s str)];

/// A way in which Alice changes one password into another.
type Change = fn(&Server, &str, &str) -> Said;

/// A server that answers wrong passwords at once, and locks without an exception for known places.
fn strict() -> Server {
    let server = Server::start();
    server.change_policy(&["delete: pwdMinDelay", "delete: pwdMaxDelay", "delete: pwdKnownSourceMaxAge"]);
    server
}

/// The time so many seconds ago.
fn ago(seconds: i64) -> String {
    (Timestamp::now() - SignedDuration::from_secs(seconds)).strftime("%Y%m%d%H%M%SZ").to_string()
}

/// LDIF that replaces attributes of an entry. Values are separated by blanks.
fn replace(dn: &str, settings: Settings<'_>) -> String {
    let one = |(name, values): &(&str, &str)| {
        let values = values.split(' ').filter(|value| !value.is_empty());
        let lines: Vec<String> = values.map(|it| format!("{name}: {it}\n")).collect();
        format!("replace: {name}\n{}-\n", lines.concat())
    };
    format!("dn: {dn}\nchangetype: modify\n{}", settings.iter().map(one).collect::<String>())
}

/// Has the policy say so.
#[track_caller]
fn policy(server: &Server, settings: Settings<'_>) {
    bring(server, "cn=default,ou=policies", settings);
}

/// Has the password of Alice stand so.
#[track_caller]
fn stands(server: &Server, state: Settings<'_>) {
    bring(server, "alice", state);
}

/// Has an entry be so, whoever else would set it.
#[track_caller]
fn bring(server: &Server, who: &str, settings: Settings<'_>) {
    if !settings.is_empty() {
        server.ldap_in("ldapmodify", "cn=admin", &["-e", "!relax"], &replace(&full(who), settings)).ok();
    }
}

/// Alice logs in, and asks how her password stands.
fn login(server: &Server, password: &str) -> Said {
    server.login("alice").with(password).run("ldapwhoami", &["-e", "ppolicy"])
}

/// Alice changes her password by the Password Modify operation.
fn passwd(server: &Server, old: &str, new: &str) -> Said {
    server.login("alice").with(old).run("ldappasswd", &["-e", "ppolicy", "-a", old, "-s", new])
}

/// Alice changes her entry.
fn modify(server: &Server, password: &str, lines: &str) -> Said {
    let change = format!("dn: {}\nchangetype: modify\n{lines}\n", full("alice"));
    server.login("alice").with(password).run_in("ldapmodify", &["-e", "ppolicy"], &change)
}

/// Alice changes her password by a modify that deletes the old one and adds the new one.
fn exchange(server: &Server, old: &str, new: &str) -> Said {
    let lines = format!("delete: userPassword\nuserPassword: {old}\n-\nadd: userPassword\nuserPassword: {new}");
    modify(server, old, &lines)
}

/// Compares a password with Alice's, as the helpdesk.
fn compare(server: &Server, password: &str) -> Said {
    server.ldap("ldapcompare", "hanna", &["-e", "ppolicy", &full("alice"), &format!("userPassword:{password}")])
}

/// What an administrator sees of Alice's entry.
fn seen(server: &Server, attribute: &str) -> Vec<String> {
    let arguments = ["-LLL", "-b", &full("alice"), "-s", "base", attribute];
    server.ldap("ldapsearch", "cn=admin", &arguments).ok().values(attribute)
}

/// Asserts that nothing is said of something.
#[track_caller]
fn is_silent(said: &Said, words: &str) {
    assert!(!said.out.contains(words) && !said.err.contains(words), "{words:?}!\n{}\n{}", said.out, said.err);
}

#[test]
fn each_refusal_of_a_new_password_is_told_to_ldappasswd_and_to_ldapmodify() {
    let server = strict();
    let old = server.password("alice");
    let young = ago(60);
    // What the policy has, how the password stands, the new one; the result code, the words of the control, the sentence.
    let table: [(Settings<'_>, Settings<'_>, &str, i32, &str, &str); 7] = [
        (
            &[("pwdMustChange", "FALSE"), ("pwdAllowUserChange", "FALSE")],
            &[],
            NEW,
            50,
            "error=3 (Policy prevents password modification)",
            "This password cannot be changed by its owner; please ask the helpdesk.",
        ),
        (
            &[("pwdCheckQuality", "2")],
            &[],
            "abcdefghijklmnopqrstuvwxyz",
            19,
            "error=5 (Password fails quality checks)",
            "The new password is little more than a repetition or a row of keys.",
        ),
        (
            &[("pwdMinLength", "20")],
            &[],
            "nineteen characters",
            19,
            "error=6 (Password is too short for policy)",
            "The new password needs at least 20 characters.",
        ),
        (
            &[("pwdMinAge", "3600")],
            &[("pwdChangedTime", &young)],
            NEW,
            19,
            "error=7 (Password has been changed too recently)",
            "The password was changed too recently; it can be changed again in ",
        ),
        (
            &[("pwdInHistory", "5")],
            &[],
            &old,
            19,
            "error=8 (New password is in list of old passwords)",
            "The new password is the same as the current one.",
        ),
        (
            &[("pwdMaxLength", "20")],
            &[],
            "twenty-one characters",
            19,
            "error=9 (Password is too long for policy)",
            "The new password may have at most 20 characters.",
        ),
        // Of several, the control has room for the first.
        (
            &[("pwdMinLength", "20"), ("pwdMinAge", "3600")],
            &[("pwdChangedTime", &young)],
            "abc",
            19,
            "error=7 (Password has been changed too recently)",
            "minutes. The new password needs at least 20 characters.",
        ),
    ];
    let usual = [
        ("pwdAllowUserChange", "TRUE"),
        ("pwdCheckQuality", "2"),
        ("pwdMinLength", "15"),
        ("pwdMaxLength", "256"),
        ("pwdMinAge", ""),
        ("pwdInHistory", "5"),
    ];
    for (settings, state, new, code, control, sentence) in table {
        policy(&server, &usual);
        policy(&server, settings);
        stands(&server, state);
        let before = (seen(&server, "pwdChangedTime"), seen(&server, "pwdLedger"));
        let control = format!("ppolicy: {control}");
        passwd(&server, &old, new).refuses_with(code).tells(&control).tells(sentence);
        exchange(&server, &old, new).fails_with(code).tells(&control).tells(sentence);
        // Nothing has changed by it.
        assert_eq!((seen(&server, "pwdChangedTime"), seen(&server, "pwdLedger")), before, "{control}");
        is_silent(&login(&server, &old).ok(), "ldap_bind");
    }
}

#[test]
fn a_limit_of_the_policy_that_is_kept_is_no_limit() {
    let server = strict();
    let first = server.password("alice");
    let aged = ago(3_700);
    let (twenty, short) = ("exactly twenty chars", "abc");
    let table: [(Settings<'_>, Settings<'_>, &str, Change); 5] = [
        (&[("pwdMinAge", "3600")], &[("pwdChangedTime", &aged)], NEW, passwd),
        (&[("pwdMinLength", "20"), ("pwdMaxLength", "20")], &[("pwdChangedTime", &aged)], twenty, exchange),
        (&[("pwdMinAge", ""), ("pwdCheckQuality", "0")], &[], short, passwd),
        // Two are remembered besides the current one, so the first is forgotten when the third is replaced.
        (
            &[("pwdMinLength", "15"), ("pwdMaxLength", "256"), ("pwdInHistory", "2"), ("pwdCheckQuality", "2")],
            &[],
            "and a third one as well",
            exchange,
        ),
        (&[], &[], &first, passwd),
    ];
    let mut old = first.clone();
    for (settings, state, new, change) in table {
        policy(&server, settings);
        stands(&server, state);
        change(&server, &old, new).ok();
        assert_eq!((server.bind("alice", &old), server.bind("alice", new)), (49, 0), "{new}");
        new.clone_into(&mut old);
    }
}

#[test]
fn whether_the_old_password_must_be_given_is_said_by_the_policy() {
    let server = strict();
    let old = server.password("alice");
    let without =
        |old: &str, new: &str| server.login("alice").with(old).run("ldappasswd", &["-e", "ppolicy", "-s", new]);
    let replace = |old: &str, new: &str| modify(&server, old, &format!("replace: userPassword\nuserPassword: {new}"));
    let (control, sentence) = (
        "ppolicy: error=4 (Policy requires old password in order to change password)",
        "The current password must be given to change it.",
    );
    without(&old, NEW).refuses_with(50).tells(control).tells(sentence);
    replace(&old, NEW).fails_with(50).tells(control).tells(sentence);
    assert_eq!(server.bind("alice", &old), 0);
    // A wrong one is another thing, and no matter of the policy.
    is_silent(&passwd(&server, &old, NEW).ok(), "ppolicy");
    let wrong =
        "delete: userPassword\nuserPassword: a wrong one\n-\nadd: userPassword\nuserPassword: another good secret";
    is_silent(&modify(&server, NEW, wrong).fails_with(49), "ppolicy");
    policy(&server, &[("pwdSafeModify", "FALSE")]);
    replace(NEW, "{SSHA}aGVsbG8gd29ybGQgaGVsbG8=")
        .fails_with(19)
        .tells("ppolicy: error=5 (Password fails quality checks)");
    replace(NEW, "short").fails_with(19).tells("ppolicy: error=6 (Password is too short for policy)");
    is_silent(&replace(NEW, "another good secret").ok(), "ppolicy");
    is_silent(&without("another good secret", "and a third one as well").ok(), "ppolicy");
    assert_eq!(server.bind("alice", "and a third one as well"), 0);
}

#[test]
fn an_entry_with_a_bad_password_is_not_added_and_ldapadd_is_told_why() {
    let server = strict();
    policy(&server, &[("pwdMaxLength", "30")]);
    let add = |password: &str| {
        let entry = format!("dn: {}\nobjectClass: inetOrgPerson\ncn: New\nsn: New\n", full("new"));
        server.ldap_in("ldapadd", "cn=admin", &["-e", "ppolicy"], &format!("{entry}userPassword: {password}\n"))
    };
    for (password, control, sentence) in [
        ("short", "error=6 (Password is too short for policy)", "The new password needs at least 15 characters."),
        (
            "abcdefghijklmnopqrstuvwxyz",
            "error=5 (Password fails quality checks)",
            "little more than a repetition or a row of keys",
        ),
        (
            "as many as thirty-one characters",
            "error=9 (Password is too long for policy)",
            "may have at most 30 characters",
        ),
    ] {
        add(password).fails_with(19).tells(&format!("ppolicy: {control}")).tells(sentence);
        server.ldap("ldapsearch", "cn=admin", &["-b", &full("new"), "1.1"]).fails_with(32);
    }
    is_silent(&add(NEW).ok(), "ppolicy");
    assert_eq!(server.bind("new", NEW), 0);
}

#[test]
fn a_bind_warns_before_a_password_expires_and_tells_that_it_has() {
    let server = strict();
    let password = server.password("alice");
    policy(&server, &[("pwdMaxAge", "86400"), ("pwdExpireWarning", "3600")]);
    stands(&server, &[("pwdChangedTime", &ago(DAY - 4_000))]);
    is_silent(&login(&server, &password).ok(), "ldap_bind");
    stands(&server, &[("pwdChangedTime", &ago(DAY - 3_000))]);
    let said = login(&server, &password).ok();
    let (_, left) = said.err.split_once("ldap_bind: Success (0) (Password expires in ").unwrap();
    let left: u32 = left.split_once(" seconds)").unwrap().0.parse().unwrap();
    assert!((2_800..=3_000).contains(&left), "{left}");
    is_silent(&server.login("alice").with(&password).run("ldapwhoami", &[]).ok(), "expire");
    // A compare is told the same, in fewer words.
    compare(&server, &password).fails_with(6).tells("ppolicy: expire=2");
    stands(&server, &[("pwdChangedTime", &ago(DAY + 1))]);
    login(&server, &password).fails_with(49).tells("ldap_bind: Invalid credentials (49); Password expired");
    is_silent(&server.login("alice").with(&password).run("ldapwhoami", &[]).fails_with(49), "expire");
    compare(&server, &password).fails_with(5).tells("ppolicy: error=0 (Password expired)");
    // Whoever guesses is not told.
    is_silent(&login(&server, "a wrong password").fails_with(49), "expired");
    // Its owner changes it without a bind, and it is judged as ever.
    let unbound = |new: &str| {
        let arguments = ["-x", "-H", &server.ldaps, "-e", "ppolicy", "-a", &password, "-s", new, &full("alice")];
        server.run("ldappasswd", &arguments, "")
    };
    unbound("short").refuses_with(19).tells("ppolicy: error=6 (Password is too short for policy)");
    unbound(NEW).ok();
    is_silent(&login(&server, NEW).ok(), "ldap_bind");
}

#[test]
fn an_expired_password_is_good_for_as_many_binds_and_as_long_as_the_policy_says() {
    let server = strict();
    let password = server.password("alice");
    let (once, twice) = (ago(30), format!("{} {}", ago(30), ago(20)));
    let (one_left, none_left) =
        ("(Password expired, 1 grace logins remain)", "(Password expired, 0 grace logins remain)");
    policy(&server, &[("pwdMaxAge", "86400"), ("pwdGraceAuthNLimit", "2")]);
    // How long it may be used, which uses there were; what is told.
    for (expiry, uses, told) in [
        ("", "", Some(one_left)),
        ("", &once, Some(none_left)),
        ("", &twice, None),
        ("7200", "", Some(one_left)),
        ("7200", &twice, None),
        ("1800", "", None),
    ] {
        policy(&server, &[("pwdGraceExpiry", expiry)]);
        stands(&server, &[("pwdChangedTime", &ago(DAY + 3_600)), ("pwdGraceUseTime", uses)]);
        let said = login(&server, &password);
        if let Some(words) = told {
            said.ok().tells(&format!("ldap_bind: Success (0) {words}"));
        } else {
            said.fails_with(49).tells("ldap_bind: Invalid credentials (49); Password expired");
        }
        let before = uses.split(' ').filter(|time| !time.is_empty()).count();
        assert_eq!(seen(&server, "pwdGraceUseTime").len(), before + usize::from(told.is_some()), "{expiry:?} {uses:?}");
    }
    // One use is left, and it is for the change.
    policy(&server, &[("pwdGraceExpiry", "")]);
    stands(&server, &[("pwdGraceUseTime", &once)]);
    exchange(&server, &password, NEW).ok().tells(none_left);
    assert_eq!(seen(&server, "pwdGraceUseTime"), [""; 0]);
    is_silent(&login(&server, NEW).ok(), "ldap_bind");
    // A compare uses one up as well, or it would be a way around.
    stands(&server, &[("pwdChangedTime", &ago(DAY + 3_600))]);
    compare(&server, NEW).fails_with(6).tells("ppolicy: grace=1");
    assert_eq!(seen(&server, "pwdGraceUseTime").len(), 1);
}

#[test]
fn whoever_must_change_the_password_first_is_told_so_and_does_nothing_else() {
    let server = strict();
    let given = "given out by the helpdesk";
    server.ldap("ldappasswd", "hanna", &["-e", "ppolicy", "-s", given, &full("alice")]).ok();
    let (bind, control) = ("ldap_bind: Success (0); Password must be changed", "error=2 (Password must be changed)");
    login(&server, given).ok().tells(bind);
    let alice = full("alice");
    let comparison = ["-e", "ppolicy", &alice, "uid:alice"];
    server.login("alice").with(given).run("ldapcompare", &comparison).fails_with(50).tells(control);
    modify(&server, given, "replace: title\ntitle: Dr")
        .fails_with(50)
        .tells(control)
        .tells("change your password first");
    let entry = format!("dn: {}\nobjectClass: device\ncn: x\n", full("cn=x,ou=people"));
    server.login("alice").with(given).run_in("ldapadd", &["-e", "ppolicy"], &entry).fails_with(50).tells(control);
    // Another password that does not do is refused for what it is.
    exchange(&server, given, "short").fails_with(19).tells(bind).tells("error=6 (Password is too short for policy)");
    passwd(&server, given, given)
        .refuses_with(19)
        .tells(bind)
        .tells("error=8 (New password is in list of old passwords)");
    is_silent(&exchange(&server, given, NEW).ok().tells(bind), "ppolicy");
    is_silent(&login(&server, NEW).ok(), "ldap_bind");
    passwd(&server, NEW, given).refuses_with(19).tells("The new password was used before.");
    // Where the policy does not want it, a reset is as good as a choice; unless somebody says otherwise.
    policy(&server, &[("pwdMustChange", "FALSE")]);
    server.ldap("ldappasswd", "hanna", &["-s", "given out once more", &full("alice")]).ok();
    is_silent(&login(&server, "given out once more").ok(), "ldap_bind");
    stands(&server, &[("pwdReset", "TRUE")]);
    login(&server, "given out once more").ok().tells(bind);
}

#[test]
fn an_account_that_is_locked_not_used_or_not_valid_is_told_as_locked() {
    let server = strict();
    let password = server.password("alice");
    let (days, hour, now) = (ago(3 * DAY), ago(3_600), ago(0));
    let (recent, past) = (format!("{} {}", ago(400), ago(390)), format!("{} {}", ago(4_000), ago(3_900)));
    let fresh = [
        ("pwdChangedTime", now.as_str()),
        ("pwdLastSuccess", ""),
        ("pwdFailureTime", ""),
        ("pwdAccountLockedTime", ""),
        ("pwdStartTime", ""),
        ("pwdEndTime", ""),
    ];
    policy(&server, &[("pwdMaxFailure", "3")]);
    let table: [(Settings<'_>, Settings<'_>, bool); 14] = [
        (&[("pwdLockoutDuration", "900")], &[("pwdAccountLockedTime", &ago(300))], true),
        (&[("pwdLockoutDuration", "900")], &[("pwdAccountLockedTime", &hour)], false),
        (&[("pwdLockoutDuration", "0")], &[("pwdAccountLockedTime", &days)], true),
        (&[("pwdLockoutDuration", "900")], &[("pwdAccountLockedTime", "000001010000Z")], true),
        (&[("pwdMaxIdle", "86400")], &[("pwdChangedTime", &days), ("pwdLastSuccess", &days)], true),
        (&[("pwdMaxIdle", "86400")], &[("pwdChangedTime", &days), ("pwdLastSuccess", &hour)], false),
        (&[("pwdMaxIdle", "")], &[("pwdChangedTime", &days), ("pwdLastSuccess", &days)], false),
        (&[], &[("pwdStartTime", "29990101000000Z")], true),
        (&[], &[("pwdStartTime", &hour)], false),
        (&[], &[("pwdEndTime", &hour)], true),
        (&[], &[("pwdEndTime", "29990101000000Z")], false),
        (&[], &[("pwdStartTime", &days), ("pwdEndTime", "29990101000000Z")], false),
        // One more wrong password below: the third that counts, or the first.
        (&[("pwdFailureCountInterval", "3600")], &[("pwdFailureTime", &recent)], true),
        (&[("pwdFailureCountInterval", "3600")], &[("pwdFailureTime", &past)], false),
    ];
    for (settings, state, is_locked) in table {
        policy(&server, settings);
        stands(&server, &fresh);
        stands(&server, state);
        if state.iter().any(|(name, _)| *name == "pwdFailureTime") {
            login(&server, "a wrong password").fails_with(49);
            assert_eq!(seen(&server, "pwdFailureTime").len(), if is_locked { 3 } else { 1 });
        }
        let said = login(&server, &password);
        if is_locked {
            said.fails_with(49).tells("ldap_bind: Invalid credentials (49); Account locked");
            compare(&server, &password).fails_with(5).tells("ppolicy: error=1 (Account locked)");
        } else {
            is_silent(&said.ok(), "ldap_bind");
            is_silent(&compare(&server, &password).fails_with(6), "ppolicy");
        }
    }
}

#[test]
fn as_many_wrong_passwords_lock_or_are_remembered_as_the_policy_says() {
    let server = strict();
    let password = server.password("alice");
    let guess = |number: usize| login(&server, &format!("guess number {number}")).fails_with(49);
    policy(&server, &[("pwdMaxFailure", "3")]);
    for number in 0..2 {
        is_silent(&guess(number), "locked");
    }
    guess(2).tells("ldap_bind: Invalid credentials (49); Account locked");
    login(&server, &password).fails_with(49).tells("Account locked");
    // Without a lock they are kept all the same, the latest of them.
    policy(&server, &[("pwdLockout", "FALSE"), ("pwdMaxRecordedFailure", "5")]);
    stands(&server, &[("pwdAccountLockedTime", ""), ("pwdFailureTime", "")]);
    for number in 0..7 {
        is_silent(&guess(number), "locked");
        assert_eq!(seen(&server, "pwdFailureTime").len(), 5.min(number + 1));
    }
    is_silent(&login(&server, &password).ok(), "ldap_bind");
    assert_eq!(seen(&server, "pwdFailureTime"), [""; 0]);
}

#[test]
fn a_policy_that_makes_no_sense_is_refused_with_the_reason() {
    let server = strict();
    let name = full("cn=senseless,ou=policies");
    for (lines, words) in [
        ("pwdAttribute: description", "pwdAttribute: \"description\" must be userPassword"),
        (
            "pwdAttribute: userPassword\npwdMinLength: 30\npwdMaxLength: 20",
            "pwdMinLength: 30 is more than pwdMaxLength, 20",
        ),
        ("pwdAttribute: userPassword\npwdMinAge: 100\npwdMaxAge: 100", "pwdMinAge: it must be less than pwdMaxAge"),
        (
            "pwdAttribute: userPassword\npwdMustChange: TRUE\npwdAllowUserChange: FALSE",
            "pwdMustChange: with pwdAllowUserChange FALSE, those who must change their passwords could not",
        ),
    ] {
        let entry = format!("dn: {name}\nobjectClass: namedPolicy\nobjectClass: pwdPolicy\ncn: senseless\n{lines}\n");
        server.ldap_in("ldapadd", "cn=admin", &[], &entry).fails_with(19).tells(words);
        server.ldap("ldapsearch", "cn=admin", &["-b", &name, "1.1"]).fails_with(32);
    }
    server.ldap("ldapsearch", "cn=admin", &["-b", SUFFIX, "(pwdAttribute=*)", "cn"]).ok().tells("cn: default");
}
