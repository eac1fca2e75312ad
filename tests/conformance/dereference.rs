//! Dereference (draft-masarati-ldap-deref-00), and the controls that leave out attributes.

use keystead::directory::tree::Directory;
use keystead::directory::tree::Scope::{BaseObject, WholeSubtree};
use keystead::protocol::{RawControl, oid};

use crate::scene::answer::{controls_of_entries, critical, element, list};
use crate::scene::{Client, SEE, SUFFIX, full, only, rule, rules, search_request};
use crate::sentences;

fn following(specs: &[(&str, &[&str])]) -> RawControl {
    let spec = |(attribute, wanted): &(&str, &[&str])| {
        element(0x30, &[element(4, attribute.as_bytes()), list(wanted)].concat())
    };
    critical(oid::DEREFERENCE, Some(&element(0x30, &specs.iter().flat_map(spec).collect::<Vec<u8>>())))
}

/// The octets of the control that stands with `cn=staff`.
fn behind_staff<D: Directory>(client: &Client<'_, D>, specs: &[(&str, &[&str])]) -> Vec<u8> {
    let request = search_request(SUFFIX, WholeSubtree, "(|(cn=staff)(uid=bob))", &["1.1"]);
    let (octets, _) = client.search_octets(&request, &[following(specs)], || {});
    let mut found = controls_of_entries(&octets);
    found.retain(|(name, controls)| name.starts_with("cn=staff") || !controls.is_empty());
    found.pop().unwrap().1
}

/// What the control is expected to be: names, each with attributes that have one value.
fn control(attribute: &str, names: &[(&str, &[(&str, &str)])]) -> Vec<u8> {
    let one = |(name, attributes): &(&str, &[(&str, &str)])| {
        let attribute_of = |(name, value): &(&str, &str)| {
            element(0x30, &[element(4, name.as_bytes()), element(0x31, &element(4, value.as_bytes()))].concat())
        };
        let list: Vec<u8> = attributes.iter().flat_map(attribute_of).collect();
        let list = if list.is_empty() { list } else { element(0xa0, &list) };
        element(0x30, &[element(4, attribute.as_bytes()), element(4, full(name).as_bytes()), list].concat())
    };
    let value = element(0x30, &names.iter().flat_map(one).collect::<Vec<u8>>());
    let control = [element(4, oid::DEREFERENCE.as_bytes()), element(4, &value)].concat();
    element(0xa0, &element(0x30, &control))
}

sentences! {
    /// §2.1: "Each value of the dereference attribute in a `SearchResultEntry` SHOULD result in dereferencing the corresponding
    /// entry, collecting the values of the attributes to be dereferenced, and returning them".
    fn the_members_of_a_group_come_with_it(scene) {
        let expected = control("member", &[("alice", &[("uid", "alice")]), ("bob", &[("uid", "bob")])]);
        assert_eq!(behind_staff(&scene.client("bob"), &[("member", &["uid"])]), expected);
        assert_eq!(behind_staff(&scene.client("bob"), &[("MEMBER", &["UID", "nosuch"]), ("manager", &["cn"])]), expected);
    }

    /// §2.3: where nothing is to be shown the attributes are left out, also where there is no such entry.
    fn what_is_not_there_has_no_attributes(scene) {
        let nobody = full("nobody");
        let add = format!("dn: cn=staff,ou=groups\nchangetype: modify\nadd: member\nmember: {nobody}\n");
        scene.root().change(&add).unwrap();
        let [alice, bob] = [("alice", &[("uid", "alice")][..]), ("bob", &[("uid", "bob")])];
        let expected = control("member", &[alice, bob, ("nobody", &[])]);
        assert_eq!(behind_staff(&scene.client("bob"), &[("member", &["uid"])]), expected);
        let nothing = control("member", &[("alice", &[]), ("bob", &[]), ("nobody", &[])]);
        assert_eq!(behind_staff(&scene.client("bob"), &[("member", &["description"])]), nothing);
    }

    /// §2.1: "Attribute description hierarchy SHALL NOT be exploited".
    fn subtypes_are_not_meant(scene) {
        let expected = control("member", &[("alice", &[]), ("bob", &[])]);
        assert_eq!(behind_staff(&scene.client("bob"), &[("member", &["name"])]), expected);
    }

    /// What the server derives can be asked for, and followed.
    fn derived_attributes_are_known(scene) {
        let staff = full("cn=staff,ou=groups");
        let expected = control("member", &[("alice", &[("memberOf", &staff)]), ("bob", &[("memberOf", &staff)])]);
        assert_eq!(behind_staff(&scene.client("bob"), &[("member", &["memberOf"])]), expected);
        let request = search_request(&full("bob"), BaseObject, "(uid=bob)", &["1.1"]);
        let (octets, _) = scene.client("bob").search_octets(&request, &[following(&[("memberOf", &["cn"])])], || {});
        let expected = control("memberOf", &[("cn=staff,ou=groups", &[("cn", "staff")])]);
        assert_eq!(controls_of_entries(&octets).pop().unwrap().1, expected);
    }

    /// §5: "The control result MUST NOT disclose information the client's identity could not have accessed by performing the
    /// related search operations." A secret nobody could.
    fn nothing_is_disclosed(scene) {
        let both = |value: &'static [(&'static str, &'static str)]| control("member", &[("alice", value), ("bob", value)]);
        assert_eq!(behind_staff(&scene.root(), &[("member", &["userPassword", "pwdHistory"])]), both(&[]));
        let groups = format!("subtree:ou=groups,{SUFFIX}");
        let base = rule("the base", "authenticated", &format!("entry:{SUFFIX}"), &["dc"], SEE);
        scene.rule_by(&[base, rule("groups", "authenticated", &groups, &["*"], SEE)]);
        assert_eq!(behind_staff(&scene.client("hanna"), &[("member", &["uid"])]), both(&[]));
        let mut hidden = rule("but not members", "authenticated", &groups, &["member"], &[]);
        hidden.deny = vec!["read".into()];
        scene.rule_by(&[rules(), vec![hidden]].concat());
        assert_eq!(behind_staff(&scene.client("hanna"), &[("member", &["uid"])]), b"");
    }

    /// CVE-2019-14824 (389 Directory Server): what may be searched and not read, what only other entries show, what stands in
    /// an entry that cannot be seen, and secrets are not shown by way of whoever names them.
    fn what_may_not_be_read_is_not_dereferenced_cve_2019_14824(scene) {
        let (alice, bob) = (format!("entry:{}", full("alice")), format!("entry:{}", full("bob")));
        let tree = format!("subtree:{SUFFIX}");
        let everybody = "authenticated";
        scene.rule_by(&[
            rule("groups", everybody, &format!("subtree:ou=groups,{SUFFIX}"), &["*"], SEE),
            rule("the base", everybody, &format!("entry:{SUFFIX}"), &["dc"], SEE),
            rule("mail is searched", everybody, &tree, &["mail", "uid"], &["search", "compare"]),
            rule("uids are read", everybody, &alice, &["uid"], &["read"]),
            rule("secrets", everybody, &tree, &["*", "+", "password-state"], &["write", "compare"]),
        ]);
        let asked: &[&str] = &["uid", "mail", "sn", "userPassword", "pwdHistory", "pwdChangedTime", "entryUUID"];
        let told = behind_staff(&scene.client("hanna"), &[("member", asked)]);
        assert_eq!(told, control("member", &[("alice", &[("uid", "alice")]), ("bob", &[])]));
        // Of bob nothing at all may be known: he is named as the group names him, and by nothing else.
        assert_eq!(scene.client("hanna").find("(mail=bob@example.com)"), ["uid=bob,ou=people"]);
        let mut hidden = rule("not bob", everybody, &bob, &["*", "+", "password-state"], &[]);
        hidden.deny = vec!["search".into(), "read".into(), "compare".into()];
        scene.rule_by(&[rules(), vec![hidden]].concat());
        let told = behind_staff(&scene.client("hanna"), &[("member", &["uid"])]);
        assert_eq!(told, control("member", &[("alice", &[("uid", "alice")]), ("bob", &[])]));
    }

    /// Real attributes only, and virtual attributes only (389 Directory Server): what the entry stores, or what the server
    /// derives.
    fn attributes_are_left_out_by_where_they_come_from(scene) {
        let names = |oid, attributes: &[&str]| {
            let request = search_request(&full("bob"), BaseObject, "(memberOf=*)", attributes);
            let (found, _) = scene.client("bob").send_search(&request, &[critical(oid, None)]);
            only(&found).names().iter().map(|name| (*name).to_owned()).collect::<Vec<String>>()
        };
        assert_eq!(names(oid::REAL_ATTRIBUTES_ONLY, &["uid", "memberOf", "entryDN"]), ["uid"]);
        assert_eq!(names(oid::VIRTUAL_ATTRIBUTES_ONLY, &["uid", "memberOf", "entryDN"]), ["entryDN", "memberOf"]);
    }

    /// Domain scope and search options (MS-ADTS): no references are sent.
    fn references_are_left_out(scene) {
        let elsewhere = "dn: ou=elsewhere\nobjectClass: referral\nobjectClass: extensibleObject\nou: elsewhere\nref: ldap://other.example.com/ou=x\n";
        scene.root().change_with(elsewhere, &[critical(oid::MANAGE_DSA_IT, None)]);
        let all = search_request(SUFFIX, WholeSubtree, "(uid=bob)", &["1.1"]);
        assert_eq!(scene.client("bob").send_search(&all, &[]).0.len(), 2);
        let request = search_request(SUFFIX, WholeSubtree, "(uid=bob)", &["1.1"]);
        for control in [critical(oid::DOMAIN_SCOPE, None), critical(oid::SEARCH_OPTIONS, Some(b"\x30\x03\x02\x01\x01"))] {
            assert_eq!(scene.client("bob").send_search(&request, &[control]).0.len(), 1);
        }
    }
}
