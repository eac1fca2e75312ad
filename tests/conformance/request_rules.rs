//! Which controls and extended operations somebody may use: each does what a right of the same rules lets them do, and nothing
//! without it (features D10; docs/access.md has the list).

use keystead::directory::ResultCode::{AuthorizationDenied, InsufficientAccessRights, Success};
use keystead::directory::tree::Directory;
use keystead::directory::tree::Scope::BaseObject;
use keystead::protocol::{RawControl, oid};

use crate::scene::{Client, SUFFIX, Scene, acting_as, full, rule, rules, search_request};
use crate::sentences;

fn control(oid: &'static str, value: Option<&'static str>) -> RawControl {
    RawControl { oid: oid.into(), critical: true, value: value.map(Into::into) }
}

/// Lets hanna of the helpdesk do something more.
fn hanna_may<D: Directory>(scene: &Scene<D>, rights: &[&str]) {
    let people = format!("subtree:ou=people,{SUFFIX}");
    let more = (!rights.is_empty()).then(|| rule("more", &format!("dn:{}", full("hanna")), &people, &[], rights));
    scene.rule_by(&rules().into_iter().chain(more).collect::<Vec<_>>());
}

/// What requests with controls, and extended ones, are answered.
fn codes<D: Directory>(client: &Client<'_, D>) -> [keystead::directory::ResultCode; 5] {
    let delete = client.change_with("dn: uid=x,ou=people\nchangetype: delete\n", &[control(oid::TREE_DELETE, None)]);
    let stamp = "dn: alice\nchangetype: modify\nreplace: createTimestamp\ncreateTimestamp: 20200101000000Z\n-\n";
    let relaxed = client.change_with(stamp, &[control(oid::RELAX, None)]);
    let acts = client.extended(oid::WHO_AM_I, None, &acting_as("u:bob"));
    let search = search_request(&full("bob"), BaseObject, "(objectClass=*)", &["cn"]);
    let (_, asked) = client.send_search(&search, &[control(oid::EFFECTIVE_RIGHTS, Some("u:bob"))]);
    let reset = client.password_modify_with(Some(&full("bob")), None, Some("given out by hanna"), &[]);
    [delete, relaxed, acts, asked, reset].map(|response| response.result.code)
}

sentences! {
    /// Tree delete takes `delete` to each entry, relax rules `import-hash` (and `write`), proxied authorization `proxy`, effective
    /// rights of others `explain`, and Password Modify for others `reset-password`: so the helpdesk is forbidden all but the last.
    fn controls_and_extended_operations_take_rights(scene) {
        scene.root().change("dn: uid=x,ou=people\nobjectClass: account\nuid: x\n").unwrap();
        let none = InsufficientAccessRights;
        hanna_may(scene, &[]);
        assert_eq!(codes(&scene.client("hanna")), [none, none, AuthorizationDenied, none, Success]);
        assert_eq!(codes(&scene.client("alice")), [none, none, AuthorizationDenied, none, none]);
        hanna_may(scene, &["explain", "proxy"]);
        assert_eq!(codes(&scene.client("hanna")), [none, none, Success, Success, Success]);
        hanna_may(scene, &["delete"]);
        assert_eq!(codes(&scene.client("hanna")), [Success, none, AuthorizationDenied, none, Success]);
    }

    /// One entry below that they may not delete is enough to forbid tree delete.
    fn tree_delete_is_forbidden_by_one_entry(scene) {
        scene.root().change("dn: ou=team,ou=people\nobjectClass: organizationalUnit\nou: team\n\n\
            dn: uid=x,ou=team,ou=people\nobjectClass: account\nuid: x\n").unwrap();
        let hanna = format!("dn:{}", full("hanna"));
        let team = rule("team", &hanna, &format!("entry:ou=team,ou=people,{SUFFIX}"), &[], &["delete"]);
        scene.rule_by(&rules().into_iter().chain([team]).collect::<Vec<_>>());
        let delete = "dn: ou=team,ou=people\nchangetype: delete\n";
        let answer = scene.client("hanna").change_with(delete, &[control(oid::TREE_DELETE, None)]);
        assert_eq!(answer.result.code, InsufficientAccessRights);
    }
}
