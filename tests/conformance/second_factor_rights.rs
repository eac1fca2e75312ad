//! Who writes tokens, and that their secrets are shown to nobody.

use keystead::access::RuleText;
use keystead::directory::ResultCode::{
    AttributeOrValueExists, CompareTrue, ConfidentialityRequired, ConstraintViolation, InsufficientAccessRights,
    UnwillingToPerform,
};
use keystead::directory::tree::Directory;
use keystead::directory::tree::Scope::{BaseObject, WholeSubtree};
use keystead::protocol::{RawControl, oid};

use crate::scene::client::Answered;
use crate::scene::{Client, SEE, SUFFIX, Scene, full, only, rule, rules, search_request};
use crate::second_factor::{ALICE, code, with_tokens};
use crate::sentences;

const SEED: &str = "12345678901234567890";
const NEW_SEED: &str = "abcdefghijabcdefghij";

/// The helpdesk makes tokens, changes them and takes them away, and gives them to people.
fn helpdesk_of_tokens(more: &[&str]) -> Vec<RuleText> {
    let group = format!("group:cn=helpdesk,ou=groups,{SUFFIX}");
    let rights = [&["add", "delete", "rename", "search", "read", "write"], more].concat();
    let tokens = rule("tokens", &group, &format!("subtree:ou=tokens,{SUFFIX}"), &["*"], &rights);
    let bearers = rule(
        "bearers",
        &group,
        &format!("subtree:{SUFFIX}"),
        &["oathTOTPToken", "oathHOTPToken", "objectClass"],
        &["write"],
    );
    rules().into_iter().chain([tokens, bearers]).collect()
}

fn modify<D: Directory>(client: &Client<'_, D>, name: &str, lines: &str) -> Answered {
    client.change(&format!("dn: {name}\nchangetype: modify\n{lines}-\n"))
}

fn new_seed(seed: &str) -> String {
    format!("replace: oathSecret\noathSecret: {seed}\n")
}

fn token(name: &str, seed: &str) -> String {
    format!(
        "dn: ou={name},ou=tokens\nchangetype: add\nobjectClass: organizationalUnit\nobjectClass: oathTOTPToken\nou: {name}\n\
         oathTOTPParams: ou=totp-params,ou=tokens,{SUFFIX}\noathSecret: {seed}\n"
    )
}

/// The administrator logs in by a token, too.
fn admin_has_a_token<D: Directory>(scene: &Scene<D>) {
    assert_eq!(scene.root().change(&token("admin", SEED)), Ok(()));
    let lines = format!(
        "add: objectClass\nobjectClass: oathTOTPUser\n-\nadd: oathTOTPToken\noathTOTPToken: ou=admin,ou=tokens,{SUFFIX}\n"
    );
    assert_eq!(modify(&scene.root(), "cn=admin", &lines), Ok(()));
}

sentences! {
    /// No search, compare, filter or record shows the secret of a token, whoever asks.
    fn nobody_reads_the_secret_of_a_token(scene) {
        with_tokens(scene);
        let everything = ["*", "+", "password-state"];
        scene.rule_by(&rules().into_iter().chain([rule("all", "everyone", "everything", &everything, SEE)]).collect::<Vec<_>>());
        let seed = format!("{:?}", SEED.as_bytes()).trim_matches(['[', ']']).to_owned();
        for client in [scene.root(), scene.client("cn=admin"), scene.client("alice"), scene.anonymous()] {
            for list in [&[][..], &["*", "+"], &["oathSecret"], &["1.3.6.1.4.1.5427.1.389.4226.4.1"], &["@oathTOTPToken"], &["oathSecret;x"]] {
                let found = client.search(SUFFIX, WholeSubtree, "(objectClass=*)", list).unwrap();
                let text = format!("{found:?}");
                assert!(!text.contains(&seed) && !text.contains("oathSecret"), "{list:?}");
            }
            for filter in ["(oathSecret=*)", "(!(oathSecret=x))", "(oathSecret=12345678901234567890)", "(oathSecret=1234*)", "(oathSecret>=0)"] {
                assert!(client.find(filter).is_empty(), "{filter}");
            }
            if !client.identity().is_anonymous() {
                assert_ne!(client.compare("ou=alice,ou=tokens", "oathSecret", SEED), CompareTrue);
            }
        }
        assert_eq!(modify(&scene.root(), "ou=alice,ou=tokens", &new_seed(NEW_SEED)), Ok(()));
        let log = format!("{:?}", scene.root().search("cn=changelog", WholeSubtree, "(objectClass=*)", &["*"]).unwrap());
        for octets in [SEED, NEW_SEED].map(|seed| format!("{:?}", seed.as_bytes()).trim_matches(['[', ']']).to_owned()) {
            assert!(!log.contains(&octets));
        }
    }

    /// A secret is replaced as a whole: no change tells whether it is a certain one.
    fn no_change_tells_what_the_secret_is(scene) {
        with_tokens(scene);
        let root = scene.root();
        for (lines, answer) in [
            ("delete: oathSecret\noathSecret: 12345678901234567890\n", UnwillingToPerform),
            ("delete: oathSecret\noathSecret: something else entirely\n", UnwillingToPerform),
            ("add: oathSecret\noathSecret: 12345678901234567890\n", AttributeOrValueExists),
            ("add: oathSecret\noathSecret: something else entirely\n", AttributeOrValueExists),
            ("replace: oathSecret\noathSecret: 12345678901234567890\noathSecret: something else entirely\n", UnwillingToPerform),
            ("replace: oathSecret;x-a\noathSecret;x-a: something else entirely\n", UnwillingToPerform),
            ("increment: oathSecret\noathSecret: 1\n", UnwillingToPerform),
        ] {
            assert_eq!(modify(&root, "ou=alice,ou=tokens", lines), Err(answer), "{lines}");
        }
        assert_eq!(modify(&root, "ou=alice,ou=tokens", "delete: oathSecret\n-\nadd: oathSecret\noathSecret: 12345678901234567890\n"), Ok(()));
        assert_eq!(scene.anonymous().bind("alice", &format!("{ALICE}{}", code(scene, 0))), Ok(()));
    }

    /// The secret of a token is written by whoever may reset a password there, and by nobody without that, whatever they may write.
    fn the_secret_takes_the_right_to_reset(scene) {
        with_tokens(scene);
        let hanna = scene.client("hanna");
        scene.rule_by(&helpdesk_of_tokens(&[]));
        assert_eq!(modify(&hanna, "ou=alice,ou=tokens", &new_seed(NEW_SEED)), Err(InsufficientAccessRights));
        assert_eq!(hanna.change(&token("new", NEW_SEED)), Err(InsufficientAccessRights));
        scene.rule_by(&helpdesk_of_tokens(&["reset-password"]));
        assert_eq!(modify(&hanna, "ou=alice,ou=tokens", &new_seed(NEW_SEED)), Ok(()));
        assert_eq!(hanna.change(&token("new", NEW_SEED)), Ok(()));
        let clear = scene.client("hanna").in_the_clear();
        assert_eq!(modify(&clear, "ou=alice,ou=tokens", &new_seed(SEED)), Err(ConfidentialityRequired));
        assert_eq!(clear.change(&token("newer", SEED)), Err(ConfidentialityRequired));
    }

    /// Whoever writes the token of somebody, or what it names, has a factor of theirs: so not of those who hold more.
    fn nobody_writes_the_token_of_somebody_who_may_do_more(scene) {
        with_tokens(scene);
        admin_has_a_token(scene);
        scene.rule_by(&helpdesk_of_tokens(&["reset-password"]));
        let hanna = scene.client("hanna");
        for lines in [
            new_seed(NEW_SEED),
            "delete: oathSecret\n".to_owned(),
            format!("replace: oathTOTPParams\noathTOTPParams: ou=other,ou=tokens,{SUFFIX}\n"),
            "replace: oathTOTPLastTimeStep\noathTOTPLastTimeStep: 1\n".to_owned(),
        ] {
            assert_eq!(modify(&hanna, "ou=admin,ou=tokens", &lines), Err(InsufficientAccessRights), "{lines}");
        }
        for lines in ["replace: oathTOTPTimeStepWindow\noathTOTPTimeStepWindow: 10\n", "replace: oathOTPLength\noathOTPLength: 7\n"] {
            assert_eq!(modify(&hanna, "ou=totp-params,ou=tokens", lines), Err(InsufficientAccessRights), "{lines}");
        }
        // What has nothing to do with codes is theirs to write, and so are the tokens of others.
        assert_eq!(modify(&hanna, "ou=admin,ou=tokens", "replace: description\ndescription: in the safe\n"), Ok(()));
        assert_eq!(modify(&hanna, "ou=alice,ou=tokens", &new_seed(NEW_SEED)), Ok(()));
        assert_eq!(modify(&hanna, "ou=hotp-params,ou=tokens", "replace: oathHOTPLookAhead\noathHOTPLookAhead: 5\n"), Ok(()));
        for token in ["ou=admin", "ou=totp-params"] {
            assert_eq!(hanna.change(&format!("dn: {token},ou=tokens\nchangetype: delete\n")), Err(InsufficientAccessRights));
            let renamed = format!("dn: {token},ou=tokens\nchangetype: modrdn\nnewrdn: ou=elsewhere\ndeleteoldrdn: 1\n");
            assert_eq!(hanna.change(&renamed), Err(InsufficientAccessRights));
        }
        // What may be done is told so as well.
        let told = |name: &str| {
            let control = RawControl { oid: oid::EFFECTIVE_RIGHTS.into(), critical: true, value: None };
            let list = ["oathTOTPParams", "oathOTPLength", "description"];
            let (found, _) = hanna.send_search(&search_request(&full(name), BaseObject, "(objectClass=*)", &list), &[control]);
            ["entryLevelRights", "attributeLevelRights"].map(|own| only(&found).texts(own).join("|"))
        };
        let letters = |codes: &str| format!("description:rscwo, oathOTPLength:{codes}, oathTOTPParams:{codes}");
        assert_eq!(told("ou=admin,ou=tokens"), ["va".to_owned(), letters("rsc")]);
        assert_eq!(told("ou=totp-params,ou=tokens"), ["va".to_owned(), letters("rsc")]);
        assert_eq!(told("ou=alice,ou=tokens"), ["vadn".to_owned(), letters("rscwo")]);
        let root = scene.root();
        assert_eq!(modify(&root, "ou=totp-params,ou=tokens", "replace: oathTOTPTimeStepWindow\noathTOTPTimeStepWindow: 2\n"), Ok(()));
        assert_eq!(modify(&root, "ou=admin,ou=tokens", &new_seed(NEW_SEED)), Ok(()));
    }

    /// Nor makes one of a name that they have left behind.
    fn nobody_makes_the_token_that_somebody_who_may_do_more_names(scene) {
        with_tokens(scene);
        let lines = format!("add: objectClass\nobjectClass: oathTOTPUser\n-\nadd: oathTOTPToken\noathTOTPToken: ou=gone,ou=tokens,{SUFFIX}\n");
        assert_eq!(modify(&scene.root(), "cn=admin", &lines), Ok(()));
        scene.rule_by(&helpdesk_of_tokens(&["reset-password"]));
        let hanna = scene.client("hanna");
        assert_eq!(hanna.change(&token("gone", NEW_SEED)), Err(InsufficientAccessRights));
        assert_eq!(hanna.change(&token("mine", NEW_SEED)), Ok(()));
        let renamed = "dn: ou=mine,ou=tokens\nchangetype: modrdn\nnewrdn: ou=gone\ndeleteoldrdn: 1\n";
        assert_eq!(hanna.change(renamed), Err(InsufficientAccessRights));
        assert_eq!(scene.root().change(renamed), Ok(()));
    }

    /// By which token somebody logs in, and whether by one at all, is said of nobody who holds more.
    fn nobody_says_by_which_token_somebody_who_may_do_more_logs_in(scene) {
        with_tokens(scene);
        admin_has_a_token(scene);
        scene.rule_by(&helpdesk_of_tokens(&["reset-password"]));
        let hanna = scene.client("hanna");
        let other = format!("replace: oathTOTPToken\noathTOTPToken: ou=alice,ou=tokens,{SUFFIX}\n");
        let none = "delete: oathTOTPToken\n-\ndelete: objectClass\nobjectClass: oathTOTPUser\nobjectClass: oathUser\n";
        let shut_out = "add: objectClass\nobjectClass: oathHOTPUser\n";
        for lines in [&other, none] {
            assert_eq!(modify(&hanna, "cn=admin", lines), Err(InsufficientAccessRights), "{lines}");
        }
        assert_eq!(modify(&hanna, "alice", none), Ok(()));
        assert_eq!(modify(&hanna, "alice", shut_out), Ok(()));
        assert_eq!(modify(&scene.root(), "cn=admin", none), Ok(()));
        assert_eq!(modify(&hanna, "cn=admin", shut_out), Err(InsufficientAccessRights));
    }

    /// What could make no code is refused where it is written, with the reason.
    fn nonsense_is_refused_where_it_is_written(scene) {
        with_tokens(scene);
        let root = scene.root();
        for (name, lines) in [
            ("ou=totp-params,ou=tokens", "replace: oathOTPLength\noathOTPLength: 0\n"),
            ("ou=totp-params,ou=tokens", "replace: oathOTPLength\noathOTPLength: 4\n"),
            ("ou=totp-params,ou=tokens", "replace: oathOTPLength\noathOTPLength: 99999999999999999999\n"),
            ("ou=totp-params,ou=tokens", "replace: oathHMACAlgorithm\noathHMACAlgorithm: 1.3.14.3.2.26\n"),
            ("ou=totp-params,ou=tokens", "replace: oathTOTPTimeStepPeriod\noathTOTPTimeStepPeriod: 0\n"),
            ("ou=totp-params,ou=tokens", "replace: oathTOTPTimeStepPeriod\noathTOTPTimeStepPeriod: 315360000\n"),
            ("ou=totp-params,ou=tokens", "replace: oathTOTPTimeStepWindow\noathTOTPTimeStepWindow: -1\n"),
            ("ou=hotp-params,ou=tokens", "replace: oathHOTPLookAhead\noathHOTPLookAhead: -3\n"),
            ("ou=alice,ou=tokens", "replace: oathSecret\noathSecret: short\n"),
        ] {
            assert_eq!(modify(&root, name, lines), Err(ConstraintViolation), "{lines}");
        }
        let told = root.change_with("dn: ou=totp-params,ou=tokens\nchangetype: modify\nreplace: oathOTPLength\noathOTPLength: 0\n-\n", &[]);
        assert_eq!(told.result.diagnostic_message, "oathOTPLength must be from 6 to 8");
        assert_eq!(root.change(&token("new", "short")), Err(ConstraintViolation));
        // A window is taken as far as this server looks.
        assert_eq!(modify(&root, "ou=totp-params,ou=tokens", "replace: oathTOTPTimeStepWindow\noathTOTPTimeStepWindow: 1000000000\n"), Ok(()));
        assert!(scene.anonymous().bind("alice", &format!("{ALICE}{}", code(scene, 11))).is_err());
        assert_eq!(scene.anonymous().bind("alice", &format!("{ALICE}{}", code(scene, 10))), Ok(()));
        assert!(root.looks_far("dn: ou=totp-params,ou=tokens\nchangetype: modify\nreplace: OATHotplength\nOATHotplength: 6\n-\n"));
        assert_eq!(root.values("alice", "oathTOTPToken"), [full("ou=alice,ou=tokens")]);
    }
}
