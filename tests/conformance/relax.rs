//! Relax rules (draft-zeilenga-ldap-relax): entries keep what they bring along.

use keystead::directory::ResultCode;
use keystead::directory::ResultCode::{
    ConstraintViolation, InsufficientAccessRights, InvalidAttributeSyntax, Success, UnwillingToPerform,
};
use keystead::directory::tree::Directory;
use keystead::protocol::oid;

use crate::scene::answer::critical;
use crate::scene::{Client, SUFFIX, rule, rules};
use crate::sentences;

fn relaxed<D: Directory>(client: &Client<'_, D>, text: &str) -> ResultCode {
    client.change_with(text, &[critical(oid::RELAX, None)]).result.code
}

const BROUGHT: &str = "dn: old\nobjectClass: inetOrgPerson\ncn: Old\nsn: Old\nuserPassword: a good long secret\n\
    createTimestamp: 20100101000000Z\ncreatorsName: cn=long ago\nmodifyTimestamp: 20110101000000Z\nmodifiersName: cn=later\n\
    entryUUID: 5a3f1c52-1111-4222-8333-123456789abc\npwdChangedTime: 20120101000000Z\npwdReset: TRUE\n";

sentences! {
    /// An entry that is added keeps its identity, its stamps and the state of its password.
    fn an_entry_keeps_what_it_brings_along(scene) {
        assert_eq!(scene.root().change(BROUGHT), Err(ConstraintViolation));
        assert_eq!(relaxed(&scene.root(), BROUGHT), Success);
        for (name, value) in [
            ("createTimestamp", "20100101000000Z"), ("creatorsName", "cn=long ago"), ("modifyTimestamp", "20110101000000Z"),
            ("modifiersName", "cn=later"), ("entryUUID", "5a3f1c52-1111-4222-8333-123456789abc"),
            ("pwdChangedTime", "20120101000000Z"), ("pwdReset", "TRUE"),
        ] {
            assert_eq!(scene.root().values("old", name), [value], "{name}");
        }
        assert_eq!(scene.anonymous().bind("old", "a good long secret"), Ok(()));
        // Nobody else can be who it is.
        assert_eq!(relaxed(&scene.root(), &BROUGHT.replace("dn: old", "dn: other")), UnwillingToPerform);
    }

    /// What is left out is what the server sets as ever, and a value must be one.
    fn what_is_not_brought_along_is_set_as_ever(scene) {
        let text = "dn: old\nobjectClass: inetOrgPerson\ncn: Old\nsn: Old\ncreateTimestamp: 20100101000000Z\n";
        assert_eq!(relaxed(&scene.root(), text), Success);
        assert_eq!(scene.root().values("old", "modifyTimestamp"), ["20260601120000Z"]);
        assert_eq!(scene.root().values("old", "pwdChangedTime"), [""; 0]);
        let bad = "dn: bad\nobjectClass: inetOrgPerson\ncn: Bad\nsn: Bad\npwdChangedTime: yesterday\n";
        assert_eq!(relaxed(&scene.root(), bad), InvalidAttributeSyntax);
        // The state of a password has no options, so what is described with some is not it.
        let options = "dn: bad\nobjectClass: inetOrgPerson\ncn: Bad\nsn: Bad\npwdChangedTime;lang-de: 20100101000000Z\n";
        assert_eq!(relaxed(&scene.root(), options), UnwillingToPerform);
    }

    /// A modify sets stamps and the state of a password.
    fn a_modify_sets_what_only_the_server_sets(scene) {
        for (name, value) in [
            ("pwdChangedTime", "20120101000000Z"), ("createTimestamp", "20100101000000Z"), ("modifyTimestamp", "20110101000000Z"),
            ("modifiersName", "cn=later"), ("pwdLastSuccess", "20130101000000.000000Z"), ("pwdGraceUseTime", "20140101000000.000000Z"),
        ] {
            let text = format!("dn: alice\nchangetype: modify\nreplace: {name}\n{name}: {value}\n");
            assert_eq!(scene.root().change(&text), Err(ConstraintViolation), "{name}");
            assert_eq!(relaxed(&scene.root(), &text), Success, "{name}");
            assert_eq!(scene.root().values("alice", name), [value], "{name}");
        }
        assert_eq!(scene.anonymous().bind("alice", "alice's password"), Ok(()));
    }

    /// Beyond everybody: secrets, what the server derives, identity and the sequence number of what exists.
    fn some_things_nobody_sets(scene) {
        for attribute in ["pwdHistory", "entryCSN", "entryUUID", "structuralObjectClass", "memberOf", "entryDN", "pwdScheme", "pwdHashCost"] {
            let text = format!("dn: alice\nchangetype: modify\nreplace: {attribute}\n{attribute}: 1\n");
            assert_eq!(relaxed(&scene.root(), &text), ConstraintViolation, "{attribute}");
        }
    }

    /// It needs the right to import hashes; and power over others that one lacks is not gained by it.
    fn it_needs_the_right_to_import(scene) {
        let stamp = |name: &str| format!("dn: {name}\nchangetype: modify\nreplace: createTimestamp\ncreateTimestamp: 20100101000000Z\n");
        let state = |name: &str| format!("dn: {name}\nchangetype: modify\nreplace: pwdChangedTime\npwdChangedTime: 20100101000000Z\n");
        let people = format!("subtree:{SUFFIX}");
        let all_but = ["search", "read", "compare", "write", "add", "reset-password"];
        let writer = rule("bob writes", "dn:uid=bob,ou=people,dc=example,dc=com", &people, &["*", "+"], &all_but);
        scene.rule_by(&[rules(), vec![writer.clone()]].concat());
        let bob = scene.client("bob");
        assert_eq!((relaxed(&bob, &stamp("alice")), relaxed(&bob, &state("alice"))), (InsufficientAccessRights, InsufficientAccessRights));
        assert_eq!(relaxed(&bob, BROUGHT), InsufficientAccessRights);
        let importer = rule("bob imports", "dn:uid=bob,ou=people,dc=example,dc=com", &people, &[], &["import-hash"]);
        scene.rule_by(&[rules(), vec![writer, importer]].concat());
        assert_eq!((relaxed(&bob, &stamp("alice")), relaxed(&bob, &state("alice"))), (Success, Success));
        assert_eq!(relaxed(&bob, &state("cn=admin")), InsufficientAccessRights);
        assert_eq!(relaxed(&bob, BROUGHT), Success);
    }
}
