//! Entries that are not like others: aliases, references to other servers, and subentries (rows A35, A36, B4, B5).

use keystead::directory::ResultCode::{
    AffectsMultipleDsas, AliasDereferencingProblem, AliasProblem, InsufficientAccessRights, NoSuchObject,
    ObjectClassViolation, Referral, Success,
};
use keystead::directory::tree::{Directory, Scope};
use keystead::protocol::request::DerefAliases::{self, Always, FindingBaseObject, InSearching, Never};
use keystead::protocol::{RawControl, oid};

use crate::scene::{Client, FoundEntry, SUFFIX, Scene, full, only, rule, search_request, short};
use crate::sentences;

fn alias(name: &str, target: &str) -> String {
    format!("dn: {name}\nobjectClass: alias\nobjectClass: extensibleObject\naliasedObjectName: {}\n\n", full(target))
}

/// What a search finds that treats aliases in that way.
fn find<D: Directory>(
    client: &Client<'_, D>,
    deref: DerefAliases,
    base: &str,
    scope: Scope,
    filter: &str,
) -> Vec<String> {
    let request = keystead::protocol::request::SearchRequest {
        deref_aliases: deref,
        ..search_request(&full(base), scope, filter, &["1.1"])
    };
    let (found, response) = client.send_search(&request, &[]);
    assert_eq!(response.result.code, Success, "{base} {filter}");
    names(&found)
}

fn names(found: &[FoundEntry]) -> Vec<String> {
    let mut names: Vec<String> = found.iter().map(|entry| short(&entry.dn)).collect();
    names.sort();
    names
}

/// `ou=also` stands for `ou=people`, and `cn=chief,ou=groups` for alice.
fn with_aliases<D: Directory>(scene: &Scene<D>) -> Client<'_, D> {
    let root = scene.root();
    root.change(&[alias("ou=also", "ou=people"), alias("cn=chief,ou=groups", "alice")].concat()).unwrap();
    root
}

const REFERENCE: &str = "dn: ou=remote\nobjectClass: referral\nobjectClass: extensibleObject\n\
    ref: ldap://other.example.org/ou=here,dc=example,dc=org\n\n";

fn with_reference<D: Directory>(scene: &Scene<D>) -> Client<'_, D> {
    let root = scene.root();
    root.change(REFERENCE).unwrap();
    root
}

fn manage() -> [RawControl; 1] {
    [RawControl { oid: oid::MANAGE_DSA_IT.into(), critical: true, value: None }]
}

fn subentries(wanted: u8) -> [RawControl; 1] {
    [RawControl { oid: oid::SUBENTRIES.into(), critical: true, value: Some(vec![1, 1, wanted].into()) }]
}

const ALICE: [&str; 1] = ["uid=alice,ou=people"];

sentences! {
    /// RFC 4511 §4.5.1.3: "neverDerefAliases: Do not dereference aliases in searching or in locating the base object."
    fn an_alias_is_an_entry_as_others_are_unless_it_is_followed(scene) {
        let root = with_aliases(scene);
        for mode in [Never, FindingBaseObject] {
            assert_eq!(find(&root, mode, "", Scope::WholeSubtree, "(objectClass=alias)"), ["cn=chief,ou=groups", "ou=also"]);
            assert_eq!(find(&root, mode, "ou=groups", Scope::SingleLevel, "(uid=alice)"), [""; 0]);
        }
        assert_eq!(find(&root, Never, "ou=also", Scope::BaseObject, "(objectClass=*)"), ["ou=also"]);
        assert_eq!(find(&root, InSearching, "ou=also", Scope::BaseObject, "(objectClass=*)"), ["ou=also"]);
    }

    /// "derefFindingBaseObj: Dereference aliases in locating the base object of the Search, but not when searching
    /// subordinates of the base object."
    fn aliases_on_the_way_to_the_base_are_followed(scene) {
        let root = with_aliases(scene);
        for mode in [FindingBaseObject, Always] {
            assert_eq!(find(&root, mode, "ou=also", Scope::WholeSubtree, "(uid=alice)"), ALICE);
            assert_eq!(find(&root, mode, "uid=alice,ou=also", Scope::BaseObject, "(objectClass=*)"), ALICE);
            assert_eq!(find(&root, mode, "cn=chief,ou=groups", Scope::BaseObject, "(objectClass=*)"), ALICE);
        }
        let names = root.names("uid=alice,ou=also,dc=example,dc=com", Scope::BaseObject, "(objectClass=*)");
        assert_eq!(names, Err(NoSuchObject));
    }

    /// "derefInSearching: ... dereferenced objects become the vertices of further search scopes": of one level, the entries
    /// themselves; of a subtree, what is below them too.
    fn aliases_in_the_scope_are_followed(scene) {
        let root = with_aliases(scene);
        for mode in [InSearching, Always] {
            assert_eq!(find(&root, mode, "ou=groups", Scope::SingleLevel, "(uid=*)"), ALICE);
            assert_eq!(find(&root, mode, "ou=groups", Scope::WholeSubtree, "(uid=*)"), ALICE);
            assert_eq!(find(&root, mode, SUFFIX, Scope::SingleLevel, "(ou=people)"), ["ou=people"]);
            assert_eq!(find(&root, mode, "", Scope::WholeSubtree, "(uid=alice)"), ALICE);
            assert_eq!(find(&root, mode, "", Scope::WholeSubtree, "(objectClass=alias)"), [""; 0]);
        }
        root.change(&alias("cn=all,ou=policies", "ou=groups")).unwrap();
        assert_eq!(find(&root, InSearching, "ou=policies", Scope::WholeSubtree, "(uid=*)"), ALICE);
        assert_eq!(find(&root, InSearching, "ou=policies", Scope::SingleLevel, "(cn=*)").len(), 1);
    }

    /// RFC 4511 §4.5.1.3: loops end, and what leads nowhere is told (33 and 36).
    fn aliases_that_lead_nowhere_are_told(scene) {
        let root = scene.root();
        root.change(&[alias("cn=a", "cn=b"), alias("cn=b", "cn=a"), alias("cn=c", "cn=gone")].concat()).unwrap();
        let code = |name: &str| {
            let request = search_request(&full(name), Scope::WholeSubtree, "(objectClass=*)", &[]);
            let request = keystead::protocol::request::SearchRequest { deref_aliases: Always, ..request };
            root.send_search(&request, &[]).1.result.code
        };
        assert_eq!([code("cn=a"), code("cn=x,cn=b"), code("cn=c")], [AliasDereferencingProblem, AliasDereferencingProblem, AliasProblem]);
        assert_eq!(find(&root, Always, "", Scope::WholeSubtree, "(uid=alice)"), ALICE);
    }

    /// Whoever may follow an alias learns nothing of what is behind it and is hidden from them, nor whether that is an alias, too.
    fn what_is_behind_an_alias_stays_hidden(scene) {
        let (root, alice) = (scene.root(), scene.client("alice"));
        let aliases = [("cn=there,ou=groups", "ou=people"), ("cn=mine", "cn=there,ou=groups"), ("cn=own", "cn=gone,ou=groups")];
        root.change(&aliases.map(|(name, target)| alias(name, target)).concat()).unwrap();
        let seen = ["cn=mine", "cn=own"].map(|name| {
            rule(name, "authenticated", &format!("entry:{}", full(name)), &["*"], &["search", "read"])
        });
        scene.rule_by(&seen);
        let answer = |name: &str| {
            let request = search_request(&full(name), Scope::WholeSubtree, "(objectClass=*)", &[]);
            let request = keystead::protocol::request::SearchRequest { deref_aliases: Always, ..request };
            let result = alice.send_search(&request, &[]).1.result;
            (result.code, result.matched_dn, result.diagnostic_message)
        };
        assert_eq!(answer("cn=mine").0, AliasProblem);
        assert_eq!(answer("cn=mine"), answer("cn=own"));
    }

    /// RFC 4512 §2.6: "an alias entry shall have no subordinates", and RFC 3672 §2.2 the same of subentries. What is below a
    /// reference is kept elsewhere, also where `ManageDsaIT` makes it an entry.
    fn nothing_stands_below_an_alias_a_subentry_or_a_reference(scene) {
        let root = with_aliases(scene);
        root.change(REFERENCE).unwrap();
        root.change("dn: cn=area\nobjectClass: subentry\nobjectClass: extensibleObject\nsubtreeSpecification: {}\n").unwrap();
        let add = |below: &str| format!("dn: uid=x,{below}\nobjectClass: account\n");
        let moved = |below: &str| format!("dn: bob\nchangetype: modrdn\nnewrdn: uid=bob\ndeleteoldrdn: 0\nnewsuperior: {}\n", full(below));
        for (below, added, follows) in [
            ("ou=also", AliasProblem, AliasProblem),
            ("cn=chief,ou=groups", AliasProblem, AliasProblem),
            ("cn=area", ObjectClassViolation, ObjectClassViolation),
            ("ou=remote", Referral, AffectsMultipleDsas),
        ] {
            for controls in [&[][..], &manage()] {
                assert_eq!(root.change_with(&add(below), controls).result.code, added, "{below}");
                assert_eq!(root.change_with(&moved(below), controls).result.code, follows, "{below}");
            }
        }
        let elsewhere = root.change_with(&moved("ou=y,ou=remote"), &[]).result;
        assert_eq!(elsewhere.code, AffectsMultipleDsas, "{elsewhere:?}");
        assert_eq!(root.change_with(&moved("ou=y,ou=remote"), &manage()).result.code, NoSuchObject);
    }

    /// Which of these it is is told to nobody who may not add entries there, or see the entry.
    fn what_is_hidden_is_not_told_by_what_cannot_stand_below_it(scene) {
        with_aliases(scene);
        let alice = scene.client("alice");
        assert_eq!(alice.change("dn: uid=x,ou=also\nobjectClass: account\n"), Err(InsufficientAccessRights));
    }

    /// Nobody finds by an alias what they may not see.
    fn aliases_show_nothing_that_is_hidden(scene) {
        with_aliases(scene);
        let mut own = crate::scene::rules();
        let mut deny = rule("hidden", "everyone", &format!("entry:{}", full("alice")), &["*", "+"], &[]);
        deny.deny = vec!["search".into(), "read".into()];
        own.push(deny);
        scene.rule_by(&own);
        let bob = scene.client("bob");
        assert_eq!(find(&bob, Always, "ou=groups", Scope::WholeSubtree, "(uid=*)"), [""; 0]);
        let request = search_request(&full("cn=chief,ou=groups"), Scope::BaseObject, "(objectClass=*)", &[]);
        let request = keystead::protocol::request::SearchRequest { deref_aliases: Always, ..request };
        assert_eq!(bob.send_search(&request, &[]).1.result.code, AliasProblem);
    }

    /// RFC 3296 §5.2: an operation on what is kept elsewhere is answered by a referral there.
    fn what_is_kept_elsewhere_is_referred_there(scene) {
        let root = with_reference(scene);
        for change in [
            "dn: uid=x,ou=remote\nobjectClass: account\n",
            "dn: ou=remote\nchangetype: delete\n",
            "dn: uid=x,ou=remote\nchangetype: modify\nadd: description\ndescription: x\n",
            "dn: uid=x,ou=remote\nchangetype: modrdn\nnewrdn: uid=y\ndeleteoldrdn: 1\n",
        ] {
            let result = root.change_with(change, &[]).result;
            assert_eq!((result.code, result.matched_dn.as_str()), (Referral, "ou=remote,dc=example,dc=com"), "{change}");
            let there = |url: &String| url.ends_with("ou=here,dc=example,dc=org");
            assert!(result.referrals.first().is_some_and(there), "{:?}", result.referrals);
        }
        let request = search_request(&full("uid=x,ou=remote"), Scope::WholeSubtree, "(objectClass=*)", &[]);
        let result = root.send_search(&request, &[]).1.result;
        assert_eq!(result.referrals, ["ldap://other.example.org/uid=x,ou=here,dc=example,dc=org??sub"]);
    }

    /// RFC 3296 §5.3: a search goes on where the rest is kept.
    fn a_search_goes_on_elsewhere(scene) {
        let root = with_reference(scene);
        for (scope, url) in [(Scope::WholeSubtree, "sub"), (Scope::SingleLevel, "base")] {
            let (found, response) = root.send_search(&search_request(SUFFIX, scope, "(uid=alice)", &["1.1"]), &[]);
            assert_eq!(response.result.code, Success);
            let references: Vec<_> = found.into_iter().filter(|entry| entry.dn.is_empty()).collect();
            assert_eq!(only(&references).texts("ref"), [format!("ldap://other.example.org/ou=here,dc=example,dc=org??{url}")]);
        }
        let (found, _) = root.send_search(&search_request(&full("ou=people"), Scope::WholeSubtree, "(uid=alice)", &[]), &[]);
        assert_eq!(names(&found), ALICE);
    }

    /// RFC 3296 §3: with `ManageDsaIT`, a reference is an entry as others are.
    fn references_are_managed(scene) {
        let root = with_reference(scene);
        let request = search_request(SUFFIX, Scope::WholeSubtree, "(ou=remote)", &["ref"]);
        let (found, _) = root.send_search(&request, &manage());
        assert_eq!(names(&found), ["ou=remote"]);
        assert_eq!(only(&found).texts("ref"), ["ldap://other.example.org/ou=here,dc=example,dc=org"]);
        let change = "dn: ou=remote\nchangetype: modify\nreplace: ref\nref: ldap://third.example.org/\n";
        assert_eq!(root.change_with(change, &manage()).result.code, Success);
        let named = root.change_with("dn: ou=remote\nchangetype: delete\n", &[]).result;
        assert_eq!(named.referrals, ["ldap://third.example.org/ou=remote,dc=example,dc=com"]);
        assert_eq!(root.change_with("dn: ou=remote\nchangetype: delete\n", &manage()).result.code, Success);
    }

    /// A reference is nobody's business who may not see it.
    fn references_are_shown_to_those_who_may_see_them(scene) {
        with_reference(scene);
        let result = scene.anonymous().change_with("dn: ou=remote\nchangetype: delete\n", &[]).result;
        assert_eq!((result.code, result.referrals), (NoSuchObject, Vec::new()));
    }

    /// RFC 3296 §5.1: what is below none of the suffixes may be kept by another server.
    fn what_is_not_kept_at_all_is_referred_by_default(scene) {
        let request = search_request("ou=x,dc=other,dc=org", Scope::BaseObject, "(objectClass=*)", &[]);
        assert_eq!(scene.root().send_search(&request, &[]).1.result.code, NoSuchObject);
        scene.configure(|services| services.referrals = vec!["ldap://root.example.org".to_owned()]);
        let result = scene.root().send_search(&request, &[]).1.result;
        assert_eq!((result.code, result.referrals), (Referral, vec!["ldap://root.example.org/ou=x,dc=other,dc=org??base".to_owned()]));
        let change = "dn: ou=x,dc=other,dc=org\nchangetype: delete\n";
        assert_eq!(scene.root().change_with(change, &[]).result.code, Referral);
        assert_eq!(scene.root().find("(uid=alice)"), ALICE);
    }

    /// RFC 3672 §3: subentries are seen by a search of the base alone, or with the control, and then nothing else is.
    fn subentries_are_seen_where_they_are_asked_for(scene) {
        let root = scene.root();
        root.change("dn: cn=sub\nobjectClass: subentry\nsubtreeSpecification: {}\n").unwrap();
        assert_eq!(root.find("(cn=sub)"), [""; 0]);
        assert_eq!(root.names("cn=sub", Scope::BaseObject, "(objectClass=*)").unwrap(), ["cn=sub"]);
        let all = |controls: &[RawControl]| {
            names(&root.send_search(&search_request(SUFFIX, Scope::WholeSubtree, "(cn=*)", &["1.1"]), controls).0)
        };
        assert_eq!(all(&subentries(0xff)), ["cn=sub"]);
        assert_eq!(all(&subentries(0)), all(&[]));
        let base = search_request(&full("cn=sub"), Scope::BaseObject, "(objectClass=*)", &["1.1"]);
        assert_eq!(root.send_search(&base, &subentries(0)).0.len(), 0);
        only(&root.send_search(&base, &subentries(0xff)).0);
        assert_eq!(root.change("dn: cn=sub\nchangetype: delete\n"), Ok(()));
    }
}
