//! Content synchronization (RFC 4533): a client keeps a copy of what a search finds.

use std::collections::{BTreeMap, BTreeSet};

use keystead::access::RuleText;
use keystead::directory::ResultCode::{self, NoSuchObject, ProtocolError, SyncRefreshRequired, UnwillingToPerform};
use keystead::directory::tree::Directory;
use keystead::directory::tree::Scope::{BaseObject, WholeSubtree};
use keystead::directory::wire;
use keystead::protocol::request::{DerefAliases, SearchRequest};
use keystead::protocol::{RawControl, oid};

use crate::scene::answer::{control_of, critical, element, entries, intermediate};
use crate::scene::client::Watching;
use crate::scene::{Client, SEE, SUFFIX, rule, rules, search_request, short};
use crate::sentences;

const ALL: &str = "(objectClass=*)";

/// What a client keeps: names by identity.
#[derive(Debug, Default)]
struct Copy {
    entries: BTreeMap<Vec<u8>, String>,
    cookie: Vec<u8>,
    /// How many entries have come, and how many were named.
    sent: usize,
    named: usize,
}

fn control(mode: u8, cookie: &[u8]) -> RawControl {
    let cookie = if cookie.is_empty() { Vec::new() } else { element(4, cookie) };
    critical(oid::SYNC_REQUEST, Some(&element(wire::SEQUENCE, &[element(10, &[mode]), cookie].concat())))
}

const REFRESH_ONLY: u8 = 1;
const REFRESH_AND_PERSIST: u8 = 3;

impl Copy {
    /// Takes what has come; returns the identities that are part of the copy.
    fn take(&mut self, octets: &[u8]) -> BTreeSet<Vec<u8>> {
        let mut seen = BTreeSet::new();
        for entry in entries(octets) {
            let (_, value) = entry.controls.iter().find(|(name, _)| name == oid::SYNC_STATE).unwrap();
            let fields: Vec<_> = wire::elements(wire::element(value).unwrap().content).collect();
            let [state, uuid, ..] = fields.as_slice() else { panic!("a state and an identity") };
            let uuid = uuid.content.to_vec();
            match state.content {
                [1 | 2] => {
                    seen.insert(uuid.clone());
                    self.entries.insert(uuid, short(&entry.dn));
                    self.sent += 1;
                }
                [3] => {
                    assert!(entry.attributes.is_empty());
                    assert!(self.entries.remove(&uuid).is_some(), "{} was no part of it", entry.dn);
                }
                other => panic!("{other:?}"),
            }
        }
        for value in intermediate(octets).into_iter().flatten() {
            let info = wire::element(&value).unwrap();
            match info.tag {
                0x80 => self.cookie = info.content.to_vec(),
                0xa2 => self.cookie = wire::element(info.content).unwrap().content.to_vec(),
                0xa3 => {
                    let set = wire::elements(info.content).find(|field| field.tag == wire::SET).unwrap();
                    let before = seen.len();
                    seen.extend(wire::elements(set.content).map(|uuid| uuid.content.to_vec()));
                    self.named += seen.len() - before;
                }
                other => panic!("{other:x}"),
            }
        }
        seen
    }

    /// Brings it up to date.
    fn refresh<D: Directory>(&mut self, client: &Client<'_, D>, request: &SearchRequest) {
        (self.sent, self.named) = (0, 0);
        let (octets, response) = client.search_octets(request, &[control(REFRESH_ONLY, &self.cookie)], || {});
        assert_eq!(response.result.code, ResultCode::Success);
        let seen = self.take(&octets);
        self.entries.retain(|uuid, _| seen.contains(uuid));
        let done = control_of(&response, oid::SYNC_DONE).unwrap();
        let fields: Vec<_> = wire::elements(wire::element(done).unwrap().content).collect();
        let [cookie] = fields.as_slice() else { panic!("refreshDeletes is FALSE, which is its default") };
        self.cookie = cookie.content.to_vec();
    }

    /// Begins to be kept up to date.
    fn follow<'c, 's, D: Directory>(
        &mut self,
        client: &'c Client<'s, D>,
        request: &SearchRequest,
    ) -> Watching<'c, 's, D> {
        let (watching, octets) = client.watch_octets(request, &[control(REFRESH_AND_PERSIST, &self.cookie)]).unwrap();
        let seen = self.take(&octets);
        self.entries.retain(|uuid, _| seen.contains(uuid));
        watching
    }

    /// Its names, in alphabetical order.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.entries.values().cloned().collect();
        names.sort();
        names
    }
}

fn request(filter: &str) -> SearchRequest {
    search_request(SUFFIX, WholeSubtree, filter, &["*"])
}

const ADDED: &str = "dn: carla\nobjectClass: account\ndescription: new\n";
const MODIFIED: &str = "dn: alice\nchangetype: modify\nreplace: title\ntitle: x\n";
const CHANGES: &[&str] = &[
    ADDED,
    "dn: carla\nchangetype: modify\nreplace: description\ndescription: newer\n",
    "dn: ou=below,ou=people\nobjectClass: organizationalUnit\n\ndn: cn=x,ou=below,ou=people\nobjectClass: device\n",
    MODIFIED,
    "dn: carla\nchangetype: modrdn\nnewrdn: uid=clara\ndeleteoldrdn: 1\n",
    "dn: bob\nchangetype: delete\n",
    "dn: ou=below,ou=people\nchangetype: modrdn\nnewrdn: ou=under\ndeleteoldrdn: 1\n",
    "dn: clara\nchangetype: modify\nreplace: description\ndescription: newest\n\ndn: clara\nchangetype: delete\n",
    "dn: cn=x,ou=under,ou=people\nchangetype: modrdn\nnewrdn: cn=x\ndeleteoldrdn: 1\nnewsuperior: ou=groups,dc=example,dc=com\n",
];

sentences! {
    /// §3.3: a copy that is brought up to date is what the search finds, whatever has happened since.
    fn a_copy_is_brought_up_to_date(scene) {
        let admin = scene.client("cn=admin");
        let filters = [ALL, "(|(description=newer)(uid=*))", "(title=x)"];
        let mut copies: Vec<_> = filters.iter().map(|filter| (*filter, Copy::default())).collect();
        for change in CHANGES {
            scene.root().change(change).unwrap();
            for (filter, copy) in &mut copies {
                copy.refresh(&admin, &request(filter));
                assert_eq!(copy.names(), admin.find(filter), "{filter} {change}");
            }
        }
    }

    /// §3.3.2: what has not changed is named, and not sent again.
    fn what_has_not_changed_is_only_named(scene) {
        let admin = scene.client("cn=admin");
        let mut copy = Copy::default();
        copy.refresh(&admin, &request(ALL));
        let all = copy.entries.len();
        assert_eq!((copy.sent, copy.named), (all, 0));
        copy.refresh(&admin, &request(ALL));
        assert_eq!((copy.sent, copy.named), (0, all));
        scene.root().change(ADDED).unwrap();
        scene.root().change(MODIFIED).unwrap();
        copy.refresh(&admin, &request(ALL));
        assert_eq!((copy.sent, copy.named), (2, all - 1));
        scene.root().change("dn: bob\nchangetype: delete\n").unwrap();
        copy.refresh(&admin, &request(ALL));
        assert_eq!(copy.names(), admin.find(ALL));
    }

    /// §3.3.2: with a cookie that says nothing to the server, everything is sent.
    fn a_cookie_that_does_not_help_has_everything_sent(scene) {
        let admin = scene.client("cn=admin");
        let mut copy = Copy::default();
        copy.refresh(&admin, &request(ALL));
        let good = String::from_utf8(copy.cookie.clone()).unwrap();
        let (first, rest) = good.split_once('-').unwrap();
        let other_time = format!("{first}-1{rest}");
        for bad in ["x", "", "-", "1-2-3-4-5", "ffffffffffffffff-1-1-1-1", "rid=001,csn=20260101000000.000000Z#000000#000#000000", &other_time] {
            copy.cookie = bad.as_bytes().to_vec();
            copy.refresh(&admin, &request(ALL));
            assert_eq!((copy.sent, copy.named), (copy.entries.len(), 0), "{bad}");
        }
        // Another search has another copy.
        copy.cookie = good.clone().into_bytes();
        copy.refresh(&admin, &request("(uid=*)"));
        assert_eq!((copy.names(), copy.named), (admin.find("(uid=*)"), 0));
        // So has somebody else.
        copy.cookie = good.into_bytes();
        copy.refresh(&scene.client("bob"), &request(ALL));
        assert_eq!((copy.names(), copy.named), (scene.client("bob").find(ALL), 0));
    }

    /// §3.4: when a copy is up to date, the client is told of changes as they happen.
    fn a_copy_is_kept_up_to_date(scene) {
        let admin = scene.client("cn=admin");
        for filter in [ALL, "(|(description=newer)(uid=*))"] {
            let mut copy = Copy::default();
            let mut watching = copy.follow(&admin, &request(filter));
            for change in CHANGES {
                scene.root().change(change).unwrap();
                copy.take(&watching.told_octets());
                if watching.ended() == Some(SyncRefreshRequired) {
                    watching = copy.follow(&admin, &request(filter));
                }
                assert_eq!(copy.names(), admin.find(filter), "{filter} {change}");
            }
            // Where it got to is known, so that it goes on from there.
            copy.refresh(&admin, &request(filter));
            assert_eq!((copy.sent, copy.named), (0, copy.entries.len()));
            scene.root().change("dn: cn=x,ou=groups\nchangetype: delete\n\ndn: ou=under,ou=people\nchangetype: delete\n").unwrap();
            scene.root().change("dn: bob\nobjectClass: inetOrgPerson\ncn: b\nsn: b\nmail: bob@example.com\n").unwrap();
        }
    }

    /// The names below an entry that is renamed change with it, and nothing tells of each: the client begins again.
    fn renaming_a_tree_has_copies_begun_again(scene) {
        let admin = scene.client("cn=admin");
        let mut copy = Copy::default();
        let watching = copy.follow(&admin, &request(ALL));
        scene.root().change("dn: ou=people\nchangetype: modrdn\nnewrdn: ou=humans\ndeleteoldrdn: 1\n").unwrap();
        copy.take(&watching.told_octets());
        assert_eq!(watching.ended(), Some(SyncRefreshRequired));
        copy.refresh(&admin, &request(ALL));
        assert_eq!((copy.names(), copy.named), (admin.find(ALL), 0));
    }

    /// A copy holds what its owner may see, as rights are now; of other entries not even the identity is told.
    fn a_copy_holds_what_may_be_seen(scene) {
        let bob = scene.client("bob");
        let mut copy = Copy::default();
        copy.refresh(&bob, &request(ALL));
        let mut own = rules();
        own.push(RuleText {
            deny: SEE.iter().map(|&right| right.into()).collect(),
            filter: Some("(description=hidden)".into()),
            ..rule("hidden", "dn:uid=bob,ou=people,dc=example,dc=com", &format!("subtree:{SUFFIX}"), &["*", "+"], &[])
        });
        scene.rule_by(&own);
        copy.refresh(&bob, &request(ALL));
        assert_eq!((copy.names(), copy.named), (bob.find(ALL), 0));
        let watching = copy.follow(&bob, &request(ALL));
        scene.root().change("dn: carla\nobjectClass: account\ndescription: hidden\n").unwrap();
        let uuid = scene.root().values("carla", "entryUUID").concat().replace('-', "");
        let octets = watching.told_octets();
        let hex = octets.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().concat();
        assert!(!hex.contains(&uuid) && entries(&octets).is_empty());
        scene.root().change("dn: carla\nchangetype: modify\nreplace: description\ndescription: shown\n").unwrap();
        copy.take(&watching.told_octets());
        assert_eq!(copy.names(), bob.find(ALL));
        scene.root().change("dn: carla\nchangetype: modify\nreplace: description\ndescription: hidden\n").unwrap();
        copy.take(&watching.told_octets());
        assert_eq!((copy.names(), watching.ended()), (bob.find(ALL), None));
        // Whoever loses rights begins again, and keeps nothing.
        scene.rule_by(&rules().into_iter().filter(|rule| rule.name == "local root").collect::<Vec<_>>());
        scene.root().change("dn: carla\nchangetype: delete\n").unwrap();
        assert_eq!(entries(&watching.told_octets()), []);
        assert_eq!(watching.ended(), Some(SyncRefreshRequired));
        copy.cookie.clear();
        copy.refresh(&bob, &SearchRequest { base: "".into(), ..request(ALL) });
        assert_eq!(copy.names(), [""; 0]);
    }

    /// What makes no sense is refused.
    fn what_is_no_copy_is_refused(scene) {
        let admin = scene.client("cn=admin");
        let send = |request: &SearchRequest, more: &[RawControl]| {
            let controls = [&[control(REFRESH_ONLY, b"")], more].concat();
            admin.send_search(request, &controls).1.result.code
        };
        assert_eq!(send(&request(ALL), &[crate::sort::sort_by(&["cn"])]), UnwillingToPerform);
        assert_eq!(send(&SearchRequest { deref_aliases: DerefAliases::Always, ..request(ALL) }, &[]), ProtocolError);
        for apart in ["", "cn=Subschema", "cn=changelog", "cn=Monitor"] {
            assert_eq!(send(&search_request(apart, BaseObject, ALL, &[]), &[]), UnwillingToPerform, "{apart}");
        }
        assert_eq!(send(&search_request("cn=nothing,dc=example,dc=com", BaseObject, ALL, &[]), &[]), NoSuchObject);
    }
}
