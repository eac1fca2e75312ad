//! When rules apply: from where, how protected, by what proven, and at which times. What cannot be known opens nothing.

use keystead::access::RuleText;
use keystead::access::circumstances::{Protection, Remote};
use keystead::access::when::WhenText;
use keystead::directory::ResultCode::{InsufficientAccessRights, InvalidCredentials};
use keystead::directory::tree::Directory;
use keystead::operations::context::Link;

use crate::scene::{Client, SUFFIX, Scene, full, result, rule, rules};
use crate::sentences;

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn network(networks: &[&str]) -> WhenText {
    WhenText { network: words(networks), ..WhenText::default() }
}

/// Bob may write titles while that holds.
fn bob_writes_titles(when: WhenText) -> RuleText {
    let bob = format!("dn:{}", full("bob"));
    RuleText { when: Some(when), ..rule("titles", &bob, &format!("subtree:{SUFFIX}"), &["title"], &["write"]) }
}

fn from(address: &str) -> Link {
    let remote = if address == "local" { Remote::Local } else { Remote::Address(address.parse().unwrap()) };
    Link { remote: Some(remote), ..Link::default() }
}

fn over(protection: Protection) -> Link {
    Link { protection: Some(protection), ..Link::default() }
}

fn may_write<D: Directory>(client: &Client<'_, D>) -> bool {
    match client.change("dn: alice\nchangetype: modify\nreplace: title\ntitle: x\n-\n") {
        Ok(()) => true,
        Err(InsufficientAccessRights) => false,
        Err(other) => panic!("{other:?}"),
    }
}

/// The usual rules, that one, and that nobody may be denied more.
fn set<D: Directory>(scene: &Scene<D>, extra: RuleText) {
    scene.rule_by(&rules().into_iter().chain([extra]).collect::<Vec<_>>());
}

/// A rule that denies everybody to write titles while that holds, for somebody who may otherwise.
fn titles_are_denied<D: Directory>(scene: &Scene<D>, when: WhenText) {
    let may = rule("may", "authenticated", &format!("subtree:{SUFFIX}"), &["title"], &["write"]);
    let deny = RuleText {
        allow: vec![],
        deny: words(&["write"]),
        when: Some(when),
        ..rule("deny", "everyone", &format!("subtree:{SUFFIX}"), &["title"], &[])
    };
    scene.rule_by(&rules().into_iter().chain([may, deny]).collect::<Vec<_>>());
}

sentences! {
    /// D5: the same operation from here and from there.
    fn a_rule_may_ask_from_where(scene) {
        set(scene, bob_writes_titles(network(&["10.0.0.0/8", "2001:db8::/32"])));
        for (address, may) in [
            ("10.255.0.1", true), ("::ffff:10.255.0.1", true), ("2001:db8::7", true), ("11.0.0.1", false), ("local", false),
        ] {
            assert_eq!(may_write(&scene.client("bob").over(from(address))), may, "{address}");
        }
        set(scene, bob_writes_titles(network(&["local"])));
        assert!(may_write(&scene.client("bob").over(from("local"))));
        assert!(!may_write(&scene.client("bob").over(from("127.0.0.1"))));
    }

    /// D5: and by how well it is protected.
    fn a_rule_may_ask_for_tls(scene) {
        let least = |version: &str| WhenText { tls: Some(version.into()), ..WhenText::default() };
        for (version, protection, may) in [
            ("any", Protection::Nothing, false), ("any", Protection::Tls12 { bits: None }, true), ("1.2", Protection::Tls12 { bits: None }, true),
            ("1.3", Protection::Tls12 { bits: None }, false), ("1.3", Protection::Tls13 { bits: None }, true), ("1.3", Protection::Local, true),
        ] {
            set(scene, bob_writes_titles(least(version)));
            assert_eq!(may_write(&scene.client("bob").over(over(protection))), may, "{version} {protection:?}");
        }
    }

    /// D5: and by what they have proven who they are.
    fn a_rule_may_ask_how_somebody_has_authenticated(scene) {
        set(scene, bob_writes_titles(WhenText { authentication: words(&["simple"]), ..WhenText::default() }));
        let client = scene.client("bob");
        assert!(!may_write(&client), "by the connection itself");
        assert_eq!(client.bind("bob", "bob's password"), Ok(()));
        assert!(may_write(&client));
        let bound = scene.anonymous();
        assert_eq!(bound.bind("bob", "bob's password"), Ok(()));
        bound.become_identity(scene.client("alice").identity());
        assert!(!may_write(&bound), "alice has no such rule");
    }

    /// CVE-2019-13565: what a bind has proven does not outlive the next one.
    fn how_somebody_has_authenticated_ends_with_the_next_bind(scene) {
        let everyone = bob_writes_titles(WhenText { authentication: words(&["simple"]), ..WhenText::default() });
        set(scene, RuleText { who: words(&["everyone"]), ..everyone });
        let client = scene.anonymous();
        assert_eq!(client.bind("bob", "bob's password"), Ok(()));
        assert!(may_write(&client));
        assert_eq!(client.bind("bob", "wrong"), Err(InvalidCredentials));
        assert!(client.change("dn: alice\nchangetype: modify\nreplace: title\ntitle: x\n-\n").is_err());
    }

    /// What none of them has, 9: a right that begins and ends by itself, also on a connection that stays open.
    fn a_rule_may_last_for_a_time_only(scene) {
        let window = WhenText {
            from: Some("2026-06-01T13:00:00Z".into()),
            until: Some("2026-06-01T14:00:00Z".into()),
            ..WhenText::default()
        };
        set(scene, bob_writes_titles(window));
        let bob = scene.client("bob");
        assert!(!may_write(&bob), "at noon");
        scene.wait(3_600);
        assert!(may_write(&bob));
        scene.wait(3_599);
        assert!(may_write(&bob));
        scene.wait(1);
        assert!(!may_write(&bob));
    }

    /// D6: days and hours, in a time zone. The scene begins on a Monday, at noon in Greenwich, two in Berlin.
    fn a_rule_may_be_for_office_hours(scene) {
        let office = |days: &[&str], hours: &str| WhenText {
            days: words(days),
            hours: Some(hours.into()),
            zone: Some("Europe/Berlin".into()),
            ..WhenText::default()
        };
        for (days, hours, may) in [
            (&["mon", "tue"][..], "08:00-18:00", true), (&[], "13:59-14:01", true), (&[], "08:00-14:00", false),
            (&["tue"], "08:00-18:00", false), (&["mon"], "22:00-06:00", false), (&["mon"], "22:00-15:00", true),
        ] {
            set(scene, bob_writes_titles(office(days, hours)));
            assert_eq!(may_write(&scene.client("bob")), may, "{days:?} {hours}");
        }
    }

    /// What cannot be known: an allow does not apply.
    fn an_allow_whose_conditions_cannot_be_known_does_not_apply(scene) {
        for when in [network(&["0.0.0.0/0", "::/0", "local"]), WhenText { tls: Some("any".into()), ..WhenText::default() }] {
            set(scene, bob_writes_titles(when));
            assert!(!may_write(&scene.client("bob").over(Link::default())));
        }
    }

    /// What cannot be known: a deny does apply.
    fn a_deny_whose_conditions_cannot_be_known_applies(scene) {
        titles_are_denied(scene, network(&["192.0.2.0/24"]));
        assert!(!may_write(&scene.client("bob").over(Link::default())));
        assert!(!may_write(&scene.client("bob").over(from("192.0.2.7"))));
        assert!(may_write(&scene.client("bob").over(from("192.0.3.7"))));
        titles_are_denied(scene, WhenText { until: Some("2026-06-01T12:00:01Z".into()), ..WhenText::default() });
        assert!(!may_write(&scene.client("bob")));
        scene.wait(1);
        assert!(may_write(&scene.client("bob")));
    }

    /// A rule with both is two: what cannot be decided of its filter or conditions denies, and does not grant.
    fn a_rule_that_allows_and_denies_does_not_grant_what_cannot_be_known(scene) {
        let both = RuleText {
            deny: words(&["write"]),
            when: Some(network(&["192.0.2.0/24"])),
            ..rule("both", "anonymous", &format!("subtree:{SUFFIX}"), &["*"], &["search", "read"])
        };
        scene.rule_by(&[both]);
        assert_eq!(scene.anonymous().over(from("192.0.2.7")).find("(uid=alice)"), ["uid=alice,ou=people"]);
        assert_eq!(scene.anonymous().over(Link::default()).names("", keystead::directory::tree::Scope::WholeSubtree, "(uid=alice)"), Ok(vec![]));
    }

    /// Conditions on the right to authenticate: from elsewhere, no password is right, and none is counted as wrong.
    fn a_password_may_be_good_on_some_networks_only(scene) {
        let inside = RuleText {
            when: Some(network(&["10.0.0.0/8"])),
            ..rule("inside", "everyone", &format!("subtree:{SUFFIX}"), &[], &["authenticate"])
        };
        let others = rules().into_iter().filter(|rule| rule.name != "authenticate");
        scene.rule_by(&others.chain([inside]).collect::<Vec<_>>());
        let bind = |address: &str| scene.anonymous().over(from(address)).bind("bob", "bob's password");
        assert_eq!(bind("10.0.0.1"), Ok(()));
        assert_eq!(bind("11.0.0.1"), Err(InvalidCredentials));
        assert_eq!(scene.root().values("bob", "pwdFailureTime"), [""; 0]);
    }

    /// Decision 16 with conditions: who may more at other times may more, and who holds the same by the same rule does not.
    fn rights_under_conditions_are_out_of_reach_as_well(scene) {
        let night = WhenText { hours: Some("22:00-06:00".into()), ..WhenText::default() };
        let reset = |who: &str| result(&scene.client(who).password_modify_with(Some(&full("bob")), None, None, &[]));
        let people = format!("subtree:ou=people,{SUFFIX}");
        set(scene, bob_writes_titles(night.clone()));
        assert_eq!(reset("hanna"), Err(InsufficientAccessRights));
        let both = RuleText { who: words(&["authenticated"]), ..bob_writes_titles(night) };
        set(scene, both);
        assert_eq!(reset("hanna"), Ok(()));
        let now_only = RuleText {
            when: Some(WhenText { until: Some("2026-06-02".into()), ..WhenText::default() }),
            ..rule("for today", &format!("dn:{}", full("hanna")), &people, &["title"], &["write"])
        };
        let forever = rule("for ever", &format!("dn:{}", full("bob")), &people, &["title"], &["write"]);
        scene.rule_by(&rules().into_iter().chain([now_only, forever.clone()]).collect::<Vec<_>>());
        assert_eq!(reset("hanna"), Err(InsufficientAccessRights), "what she has ends tomorrow");
        let over = RuleText { when: Some(WhenText { until: Some("2026-05-01".into()), ..WhenText::default() }), ..forever };
        scene.rule_by(&rules().into_iter().chain([over]).collect::<Vec<_>>());
        assert_eq!(reset("hanna"), Ok(()), "what is over is no right");
    }
}
