//! Compare (RFC 4511 §4.10).

use keystead::directory::ResultCode::{
    CompareFalse, CompareTrue, ConfidentialityRequired, InappropriateMatching, InsufficientAccessRights,
    InvalidAttributeSyntax, InvalidDnSyntax, NoSuchAttribute, NoSuchObject, UndefinedAttributeType,
};

use crate::sentences;

sentences! {
    /// RFC 4511 §4.10: compareTrue or compareFalse, by the equality rule of the attribute.
    fn values_are_compared_by_their_rule(scene) {
        let bob = scene.client("bob");
        scene.root().change("dn: alice\nchangetype: modify\nadd: cn;lang-de\ncn;lang-de: Alizia\n-\n").unwrap();
        for (attribute, value, expected) in [
            ("sn", "ADAMS", CompareTrue),
            ("surname", "  adams", CompareTrue),
            ("2.5.4.4", "Adams", CompareTrue),
            ("sn", "Adam", CompareFalse),
            ("cn", "alizia", CompareTrue),
            ("cn;lang-de", "ALIZIA", CompareTrue),
            ("cn;lang-de", "Alice Adams", CompareFalse),
            ("name", "Adams", CompareTrue),
            ("name", "Baker", CompareFalse),
            ("uidNumber", "5001", CompareTrue),
            ("uidNumber", "5002", CompareFalse),
            ("homeDirectory", "/home/alice", CompareTrue),
            ("homeDirectory", "/HOME/alice", CompareFalse),
            ("objectClass", "person", CompareTrue),
            ("objectClass", "2.5.6.7", CompareTrue),
            ("objectClass", "groupOfNames", CompareFalse),
            ("memberOf", "CN=staff,ou=groups,dc=example,dc=com", CompareTrue),
            ("entryDN", "UID=alice,OU=people,dc=example,dc=com", CompareTrue),
            ("hasSubordinates", "FALSE", CompareTrue),
            ("createTimestamp", "20260601140000+0200", CompareTrue),
        ] {
            assert_eq!(bob.compare("alice", attribute, value), expected, "{attribute}: {value}");
        }
    }

    /// RFC 4511 §4.10: "if the attribute ... does not exist", noSuchAttribute; undefinedAttributeType and
    /// inappropriateMatching (RFC 4511 appendix A.2) where the assertion itself makes no sense.
    fn an_assertion_that_cannot_be_decided_is_answered_with_the_reason(scene) {
        let bob = scene.client("bob");
        scene.root().change("dn: alice\nchangetype: modify\nadd: jpegPhoto\njpegPhoto: x\n-\n").unwrap();
        for (attribute, value, expected) in [
            ("title", "x", NoSuchAttribute),
            ("sn;lang-de", "Adams", NoSuchAttribute),
            ("nosuch", "x", UndefinedAttributeType),
            ("", "x", UndefinedAttributeType),
            ("sn;", "x", UndefinedAttributeType),
            ("jpegPhoto", "x", InappropriateMatching),
            ("uidNumber", "many", InvalidAttributeSyntax),
            ("objectClass", "nosuch", InvalidAttributeSyntax),
            ("memberOf", "staff", InvalidAttributeSyntax),
        ] {
            assert_eq!(bob.compare("alice", attribute, value), expected, "{attribute}: {value}");
        }
    }

    /// RFC 4511 §4.10: noSuchObject where there is no entry; an entry that may not be seen does not exist.
    fn an_entry_to_compare_with_must_exist(scene) {
        assert_eq!(scene.client("bob").compare("nobody", "sn", "x"), NoSuchObject);
        assert_eq!(scene.client("bob").compare("dc=other,dc=org", "sn", "x"), NoSuchObject);
        assert_eq!(scene.client("bob").compare("uid=,,dc=com", "sn", "x"), InvalidDnSyntax);
        assert_eq!(scene.anonymous().compare("alice", "sn", "Adams"), NoSuchObject);
        assert_eq!(scene.anonymous().compare("nobody", "sn", "Adams"), NoSuchObject);
    }

    /// draft-behera-ldap-password-policy-10 §8.1: to compare a password is to try it; the hash is no value that anybody
    /// could compare with.
    fn to_compare_a_password_is_to_try_it(scene) {
        let bob = scene.client("bob");
        assert_eq!(bob.compare("alice", "userPassword", "alice's password"), CompareTrue);
        assert_eq!(bob.compare("alice", "2.5.4.35", "alice's password"), CompareTrue);
        assert_eq!(bob.compare("alice", "userPassword", "{ARGON2}"), CompareFalse);
        assert_eq!(bob.compare("alice", "userPassword", ""), CompareFalse);
        assert_eq!(bob.compare("ou=people", "userPassword", "x"), CompareFalse);
        assert_eq!(scene.client("bob").in_the_clear().compare("alice", "userPassword", "x"), ConfidentialityRequired);
        assert_eq!(scene.anonymous().compare("alice", "userPassword", "alice's password"), NoSuchObject);
        assert_eq!(bob.compare("alice", "pwdHistory", "x"), InsufficientAccessRights);
        assert_eq!(bob.compare("alice", "pwdReset", "TRUE"), InsufficientAccessRights);
    }

    /// The meter counts wrong passwords wherever they are tried (draft-behera §8.1).
    fn wrong_passwords_that_are_compared_lock_the_account(scene) {
        let bob = scene.client("bob");
        for guess in ["one", "two", "three"] {
            assert_eq!(bob.compare("alice", "userPassword", guess), CompareFalse);
        }
        assert_eq!(bob.compare("alice", "userPassword", "alice's password"), CompareFalse);
        assert!(scene.anonymous().bind("alice", "alice's password").is_err());
    }
}
