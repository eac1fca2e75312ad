//! Pre-read and post-read (RFC 4527).

use keystead::directory::ResultCode::{AssertionFailed, InsufficientAccessRights, NoOperation, NoSuchObject};
use keystead::directory::tree::{Directory, Tree};
use keystead::protocol::{RawControl, Response, oid};

use crate::scene::answer::{control_of, critical, entry, filter, list};
use crate::scene::{FoundEntry, SEE, Scene, full, result, rule};
use crate::sentences;

fn reading(attributes: &[&str]) -> [RawControl; 2] {
    [critical(oid::PRE_READ, Some(&list(attributes))), critical(oid::POST_READ, Some(&list(attributes)))]
}

fn before(response: &Response) -> Option<FoundEntry> {
    control_of(response, oid::PRE_READ).map(entry)
}

fn after(response: &Response) -> Option<FoundEntry> {
    control_of(response, oid::POST_READ).map(entry)
}

fn csn<D: Directory>(scene: &Scene<D>) -> String {
    scene.directory.view().csn().to_string()
}

sentences! {
    /// RFC 4527 §3.1, §3.2: a copy of the target entry "prior to the application of the update" and "after".
    fn a_modify_shows_the_entry_before_and_after(scene) {
        let text = "dn: UID=Alice,ou=people\nchangetype: modify\nreplace: sn\nsn: Other\n";
        scene.wait(5);
        let answer = scene.root().change_with(text, &reading(&["sn", "modifyTimestamp", "memberOf"]));
        assert_eq!(result(&answer), Ok(()));
        let (before, after) = (before(&answer).unwrap(), after(&answer).unwrap());
        assert_eq!((before.dn.as_str(), after.dn.as_str()), (full("alice").as_str(), full("alice").as_str()));
        assert_eq!((before.texts("sn"), after.texts("sn")), (vec!["Adams".into()], vec!["Other".into()]));
        assert_eq!(before.texts("modifyTimestamp"), ["20260601120000Z"]);
        assert_eq!(after.texts("modifyTimestamp"), ["20260601120005Z"]);
        assert_eq!(after.texts("memberOf"), ["cn=staff,ou=groups,dc=example,dc=com"]);
        assert_eq!(after.names().len(), 3);
    }

    /// RFC 4527 §1: the post-read control is there "to obtain values of operational attributes ... updated by the server as
    /// part of the update operation": they are what the commit has written.
    fn post_read_shows_what_the_commit_has_written(scene) {
        let add = "dn: new\nobjectClass: inetOrgPerson\ncn: New\nsn: New\nuserPassword: a good long secret\n";
        for text in [
            add,
            "dn: new\nchangetype: modify\nadd: mail\nmail: new@example.com\n",
            "dn: new\nchangetype: modify\nreplace: pwdReset\npwdReset: TRUE\n",
            "dn: new\nchangetype: modify\nreplace: userPassword\nuserPassword: another good secret\n",
            "dn: new\nchangetype: modrdn\nnewrdn: uid=newer\ndeleteoldrdn: 1\n",
            "dn: newer\nchangetype: modrdn\nnewrdn: uid=newer\ndeleteoldrdn: 1\nnewsuperior: ou=groups\n",
        ] {
            scene.wait(1);
            let post = critical(oid::POST_READ, Some(&list(&["*", "+"])));
            let shown = after(&scene.root().change_with(text, &[post])).unwrap();
            let stored = scene.root().search(&shown.dn, keystead::directory::tree::Scope::BaseObject, "(objectClass=*)", &["*", "+"]).unwrap();
            assert_eq!([shown], stored.as_slice(), "{text}");
        }
        let post = critical(oid::POST_READ, Some(&list(&["entryCSN"])));
        let shown = after(&scene.root().change_with("dn: alice\nchangetype: modify\nreplace: sn\nsn: x\n", &[post])).unwrap();
        assert_eq!(shown.texts("entryCSN"), [csn(scene)]);
    }

    /// RFC 4527 §3.1: "The Pre-Read controls may be used to obtain ... a copy of the entry being deleted."
    fn a_delete_shows_what_is_gone(scene) {
        let pre = critical(oid::PRE_READ, Some(&list(&["mail", "entryUUID"])));
        let uuid = scene.root().values("alice", "entryUUID");
        let gone = before(&scene.root().change_with("dn: alice\nchangetype: delete\n", &[pre])).unwrap();
        assert_eq!((gone.texts("mail"), gone.texts("entryUUID")), (vec!["alice@example.com".into()], uuid));
        assert_eq!(scene.root().read("alice", &[]), None);
    }

    /// RFC 4527 §5: "Servers MUST ensure that the client is authorized for reading of the information"; a secret nobody is.
    fn nothing_is_shown_that_may_not_be_read(scene) {
        let text = "dn: alice\nchangetype: modify\nreplace: sn\nsn: Other\n";
        let everything = ["*", "+", "userPassword", "pwdHistory"];
        let answer = scene.root().change_with(text, &reading(&everything));
        for shown in [before(&answer), after(&answer)].map(Option::unwrap) {
            assert!(!shown.names().iter().any(|name| name.starts_with("userPassword") || *name == "pwdHistory"));
        }
        let mut rules = vec![rule("writes", "authenticated", "everything", &["*"], &["write"])];
        rules.push(rule("sees names", "authenticated", "everything", &["cn"], SEE));
        scene.rule_by(&rules);
        let answer = scene.client("bob").change_with(text, &reading(&everything));
        assert_eq!(result(&answer), Ok(()));
        assert_eq!((before(&answer).unwrap().names(), after(&answer).unwrap().names()), (vec!["cn"], vec!["cn"]));
    }

    /// RFC 4527 §3.1: "If the update operation fails (in either normal or control processing), no Pre-Read response control
    /// is provided."
    fn what_fails_shows_nothing(scene) {
        let text = "dn: alice\nchangetype: modify\nreplace: sn\nsn: Other\n";
        let nothing = |answer: Response, code| {
            assert_eq!((result(&answer), answer.controls.len()), (Err(code), 0));
        };
        let with = |control: RawControl| [reading(&["cn"]).as_slice(), &[control]].concat();
        nothing(scene.client("bob").change_with(text, &reading(&["cn"])), InsufficientAccessRights);
        nothing(scene.root().change_with(&text.replace("alice", "nobody"), &reading(&["cn"])), NoSuchObject);
        nothing(scene.root().change_with(text, &with(critical(oid::ASSERTION, Some(&filter("(sn=Z)"))))), AssertionFailed);
        nothing(scene.root().change_with(text, &with(critical(oid::NO_OP, None))), NoOperation);
    }

    /// A request that changes nothing shows the entry as it is.
    fn a_modify_without_changes_shows_the_entry(scene) {
        let request = keystead::protocol::Request::Modify(keystead::protocol::request::ModifyRequest {
            object: full("alice"),
            changes: Vec::new(),
        });
        let answer = scene.root().send(&request, &reading(&["sn", "entryCSN"]));
        assert_eq!((result(&answer), before(&answer)), (Ok(()), after(&answer)));
        assert_eq!(after(&answer).unwrap().texts("sn"), ["Adams"]);
    }
}
