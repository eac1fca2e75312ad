//! Tree delete (draft-armijo-ldap-treedelete).

use keystead::directory::ResultCode;
use keystead::directory::ResultCode::{
    AdminLimitExceeded, InsufficientAccessRights, NoOperation, NoSuchObject, Success,
};
use keystead::directory::tree::Directory;
use keystead::protocol::oid;

use crate::scene::answer::critical;
use crate::scene::{Client, SUFFIX, rule, rules};
use crate::sentences;

fn delete<D: Directory>(client: &Client<'_, D>, name: &str) -> ResultCode {
    client.change_with(&format!("dn: {name}\nchangetype: delete\n"), &[critical(oid::TREE_DELETE, None)]).result.code
}

sentences! {
    /// An entry goes with everything below it, and the rest stays.
    fn an_entry_goes_with_everything_below(scene) {
        let root = scene.root();
        root.change("dn: ou=team,uid=alice,ou=people\nobjectClass: organizationalUnit\n").unwrap();
        root.change("dn: ou=inner,ou=team,uid=alice,ou=people\nobjectClass: organizationalUnit\n").unwrap();
        assert_eq!(delete(&root, "ou=people"), Success);
        assert_eq!(root.find("(|(ou=people)(ou=team)(ou=inner)(uid=*))"), [""; 0]);
        assert_eq!(root.find("(cn=staff)").len(), 1);
        assert_eq!(delete(&root, "ou=people"), NoSuchObject);
        // The names are free again.
        root.change("dn: ou=people\nobjectClass: organizationalUnit\n").unwrap();
        root.change("dn: alice\nobjectClass: inetOrgPerson\ncn: a\nsn: b\n").unwrap();
        assert_eq!(root.names("ou=people,dc=example,dc=com", keystead::directory::tree::Scope::SingleLevel, "(objectClass=*)").unwrap().len(), 1);
        // A leaf, too, and the whole.
        assert_eq!(delete(&root, "alice"), Success);
        assert_eq!(delete(&root, SUFFIX), Success);
    }

    /// "the right to delete is needed for each": all or nothing.
    fn the_right_to_delete_is_needed_for_each(scene) {
        let mut all = rules();
        all.push(rule("bob deletes", "dn:uid=bob,ou=people,dc=example,dc=com", &format!("subtree:ou=groups,{SUFFIX}"), &[], &["delete"]));
        let mut kept = rule("but not that", "everyone", &format!("entry:cn=staff,ou=groups,{SUFFIX}"), &[], &[]);
        kept.deny = vec!["delete".into()];
        scene.rule_by(&[all.clone(), vec![kept]].concat());
        assert_eq!(delete(&scene.client("bob"), "ou=groups"), InsufficientAccessRights);
        assert_eq!(delete(&scene.client("bob"), "ou=people"), InsufficientAccessRights);
        assert_eq!(scene.root().find("(objectClass=groupOfNames)").len(), 3);
        scene.rule_by(&all);
        assert_eq!(delete(&scene.client("bob"), "ou=groups"), Success);
    }

    /// With the no-op control it is asked about only.
    fn it_can_be_tried_out(scene) {
        let both = [critical(oid::TREE_DELETE, None), critical(oid::NO_OP, None)];
        let answer = scene.root().change_with("dn: ou=people\nchangetype: delete\n", &both);
        assert_eq!((answer.result.code, scene.root().find("(uid=*)").len()), (NoOperation, 4));
    }

    /// How many entries go at once is bounded, since others wait for so long.
    fn how_much_goes_at_once_is_bounded(scene) {
        let below = scene.root().find("(ou:dn:=people)").len();
        scene.configure(|services| services.limits.tree_delete = below - 1);
        assert_eq!(delete(&scene.root(), "ou=people"), AdminLimitExceeded);
        scene.configure(|services| services.limits.tree_delete = below);
        assert_eq!(delete(&scene.root(), "ou=people"), Success);
    }
}
