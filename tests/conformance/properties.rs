//! Whatever names and values are, what is printed can be read again.

use bytes::Bytes;
use keystead::directory::filter::Assertion;
use keystead::directory::tree::Scope::{BaseObject, WholeSubtree};
use keystead::directory::{Filter, ldif};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::scene::{SUFFIX, Scene, full, only};

/// One attribute line of LDIF.
fn written(name: &str, value: &[u8]) -> String {
    let mut line = Vec::new();
    ldif::write_attribute(&mut line, name, value);
    String::from_utf8(line).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever text names an entry: the name that is returned finds it again, as a base, in a filter and as a member.
    #[test]
    fn names_that_are_returned_can_be_used(text in "\\PC{1,12}", other in "[ -~]{1,8}") {
        let scene = Scene::in_memory();
        let root = scene.root();
        let escape = keystead::directory::dn::escape;
        let name = full(&format!("cn={}+sn={},ou=people", escape(&text), escape(&other)));
        if root.change(&format!("{}objectClass: person\n", written("dn", name.as_bytes()))).is_err() {
            // Spaces alone, or nothing that a rule compares.
            return Ok(());
        }
        let found = root.search(SUFFIX, WholeSubtree, "(&(objectClass=person)(!(objectClass=inetOrgPerson)))", &["*"]).unwrap();
        let entry = only(&found);
        prop_assert_eq!(&root.search(&entry.dn, BaseObject, "(objectClass=*)", &["*"]).unwrap(), &found);
        prop_assert_eq!(entry.texts("cn"), [text.clone()]);
        for (attribute, value) in [("cn", &text), ("sn", &other), ("entryDN", &entry.dn)] {
            let assertion = Assertion { attribute: attribute.into(), value: Bytes::copy_from_slice(value.as_bytes()) };
            let filter = Filter::Equality(assertion).to_string();
            prop_assert!(root.search(SUFFIX, WholeSubtree, &filter, &["*"]).unwrap().contains(entry), "{}", filter);
        }
        let member = written("member", entry.dn.as_bytes());
        let join = format!("dn: cn=staff,ou=groups\nchangetype: modify\nadd: member\n{member}-\n");
        prop_assert_eq!(root.change(&join), Ok(()));
        prop_assert_eq!(root.values(&entry.dn, "memberOf"), [full("cn=staff,ou=groups")]);
    }

    /// Whatever octets an entry holds: written as LDIF and added to another directory, it is the same entry.
    #[test]
    fn an_entry_written_as_ldif_is_the_same_entry(
        descriptions in vec("\\PC{1,30}", 1..4),
        photos in vec(vec(any::<u8>(), 0..200), 1..3),
    ) {
        let (from, to) = (Scene::in_memory(), Scene::in_memory());
        let mut record = b"dn: carla\nobjectClass: inetOrgPerson\ncn: x\nsn: y\n".to_vec();
        for value in &descriptions { ldif::write_attribute(&mut record, "description;lang-de", value.as_bytes()); }
        for value in &photos { ldif::write_attribute(&mut record, "jpegPhoto", value); }
        if from.root().change(std::str::from_utf8(&record).unwrap()).is_err() {
            // Two values that are equal, or one that is none.
            return Ok(());
        }
        let entry = from.root().read("carla", &["*"]).unwrap();
        let mut text = Vec::new();
        ldif::write_dn(&mut text, &entry.dn);
        for (name, values) in &entry.attributes {
            for value in values { ldif::write_attribute(&mut text, name, value); }
        }
        prop_assert_eq!(to.root().change(std::str::from_utf8(&text).unwrap()), Ok(()));
        prop_assert_eq!(to.root().read("carla", &["*"]).unwrap(), entry);
    }
}
