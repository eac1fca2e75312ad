//! The state of an account by one operation (row B30), as `manage-account` of `OpenDS` and clients of `UnboundID` ask for it.

use keystead::directory::ResultCode::{
    InsufficientAccessRights, InvalidAttributeSyntax, NoSuchObject, ProtocolError, StrongerAuthRequired,
    UnwillingToPerform,
};
use keystead::directory::tree::Directory;
use keystead::directory::{ResultCode, wire};
use keystead::protocol::{RawControl, Response, oid};

use crate::scene::client::Client;
use crate::scene::{Scene, full, result, rule, rules};
use crate::sentences;

/// An operation: its number and its values.
type Operation<'o> = (u8, &'o [&'o str]);

fn value(name: &str, operations: &[Operation<'_>]) -> Vec<u8> {
    let mut list = Vec::new();
    for (number, values) in operations {
        let mut texts = Vec::new();
        for text in *values {
            wire::put_element(&mut texts, wire::OCTET_STRING, text.as_bytes());
        }
        let mut one = Vec::new();
        wire::put_element(&mut one, 0x0a, &[*number]);
        if !values.is_empty() {
            wire::put_element(&mut one, wire::SEQUENCE, &texts);
        }
        wire::put_element(&mut list, wire::SEQUENCE, &one);
    }
    let mut fields = Vec::new();
    wire::put_element(&mut fields, wire::OCTET_STRING, full(name).as_bytes());
    if !operations.is_empty() {
        wire::put_element(&mut fields, wire::SEQUENCE, &list);
    }
    let mut value = Vec::new();
    wire::put_element(&mut value, wire::SEQUENCE, &fields);
    value
}

fn send<D: Directory>(client: &Client<'_, D>, name: &str, operations: &[Operation<'_>]) -> Response {
    client.extended(oid::ACCOUNT_STATE, Some(&value(name, operations)), &[])
}

/// What an answer tells: numbers and values.
fn told(response: &Response) -> Vec<(u8, Vec<String>)> {
    assert_eq!(result(response), Ok(()), "{response:?}");
    let fields = wire::element(response.value.as_ref().unwrap()).unwrap().content;
    let user = wire::element(fields).unwrap();
    let texts = |octets: &[u8]| {
        let text = |value: wire::Element<'_>| String::from_utf8(value.content.to_vec()).unwrap();
        wire::element(octets).map(|list| wire::elements(list.content).map(text).collect()).unwrap_or_default()
    };
    let one = |operation: wire::Element<'_>| {
        let number = wire::element(operation.content).unwrap();
        (number.content.first().copied().unwrap(), texts(number.rest))
    };
    wire::elements(wire::element(user.rest).unwrap().content).map(one).collect()
}

/// The values of one part of the state.
fn part<D: Directory>(client: &Client<'_, D>, name: &str, number: u8) -> Vec<String> {
    let all = told(&send(client, name, &[(number, &[])]));
    assert_eq!(all.len(), 1);
    all.into_iter().next().unwrap().1
}

fn opens<D: Directory>(scene: &Scene<D>) -> bool {
    scene.anonymous().bind("alice", "alice's password") == Ok(())
}

fn code(response: &Response) -> ResultCode {
    response.result.code
}

sentences! {
    /// A request without operations asks for everything; both object identifiers mean the same.
    fn everything_is_told_at_once(scene) {
        scene.policy(&[("pwdMaxAge", "1000"), ("pwdExpireWarning", "100"), ("pwdGraceAuthNLimit", "2")]);
        scene.wait(10);
        assert_eq!(scene.anonymous().bind("alice", "alice's password"), Ok(()));
        scene.settle();
        let hanna = scene.client("hanna");
        let all = told(&send(&hanna, "alice", &[]));
        for (number, text) in [
            (0, full("cn=default,ou=policies")), (1, "false".into()), (8, "20260601120000Z".into()), (14, "990".into()),
            (15, "890".into()), (21, "3".into()), (22, "20260601120010Z".into()), (26, "false".into()), (34, "2".into()),
            (49, "127.0.0.1".into()), (55, "true".into()), (58, "20260601121640Z".into()), (59, "false".into()),
            (67, "false".into()), (81, "true".into()),
        ] {
            let found = all.iter().find(|(other, _)| *other == number);
            assert_eq!(found.map(|(_, values)| values.as_slice()), Some([text].as_slice()), "{number}: {all:?}");
        }
        let again = hanna.extended(oid::ACCOUNT_STATE_OF_OPENDS, Some(&value("alice", &[])), &[]);
        assert_eq!(told(&again), all);
    }

    /// What wrong passwords have brought about is told, and cleared by the right to unlock.
    fn who_is_locked_out_is_let_in_again(scene) {
        let hanna = scene.client("hanna");
        assert!(scene.anonymous().bind("alice", "a first guess").is_err());
        assert_eq!((part(&hanna, "alice", 16).len(), part(&hanna, "alice", 21)), (1, vec!["2".to_owned()]));
        for guess in ["a second guess", "a third guess"] {
            assert!(scene.anonymous().bind("alice", guess).is_err());
        }
        assert_eq!([59, 55, 1, 20].map(|number| part(&hanna, "alice", number).concat()), ["true", "false", "false", "900"]);
        assert_eq!(part(&hanna, "alice", 61), ["20260601120000Z"]);
        assert!(!opens(scene));
        for operation in [(19, &[][..]), (60, &["false"][..])] {
            assert_eq!(told(&send(&hanna, "alice", &[operation])).len(), 1);
        }
        assert_eq!((part(&hanna, "alice", 59).concat(), part(&hanna, "alice", 16).len()), ("false".to_owned(), 0));
        assert!(opens(scene));
    }

    /// A lock by an administrator is what others call disabled.
    fn an_account_is_disabled_and_enabled(scene) {
        let hanna = scene.client("hanna");
        assert_eq!(told(&send(&hanna, "alice", &[(2, &["true"])])), [(1, vec!["true".to_owned()])]);
        assert!(!opens(scene));
        assert_eq!([1, 59, 55].map(|number| part(&hanna, "alice", number).concat()), ["true", "false", "false"]);
        assert_eq!(told(&send(&hanna, "alice", &[(3, &[])])), [(1, vec!["false".to_owned()])]);
        assert!(opens(scene));
        assert_eq!(told(&send(&hanna, "alice", &[(2, &["false"])])), [(1, vec!["false".to_owned()])]);
    }

    /// Whoever takes back wrong passwords does not enable what an administrator has disabled.
    fn to_take_back_wrong_passwords_enables_nothing(scene) {
        let hanna = scene.client("hanna");
        assert_eq!(told(&send(&hanna, "alice", &[(2, &["true"])])), [(1, vec!["true".to_owned()])]);
        for operation in [(19, &[][..]), (60, &["false"][..])] {
            assert_eq!(code(&send(&hanna, "alice", &[operation])), UnwillingToPerform);
            assert_eq!(part(&hanna, "alice", 1).concat(), "true");
        }
        assert!(!opens(scene));
    }

    /// The same as `pwdReset`, and the time of an account as `pwdStartTime` and `pwdEndTime`.
    fn that_a_password_must_be_changed_and_the_time_of_an_account_are_set(scene) {
        let (hanna, admin) = (scene.client("hanna"), scene.client("cn=admin"));
        assert_eq!(told(&send(&hanna, "alice", &[(27, &["true"])])), [(26, vec!["true".to_owned()])]);
        assert_eq!(part(&hanna, "alice", 26), ["true"]);
        assert_eq!(told(&send(&hanna, "alice", &[(28, &[])])), [(26, vec!["false".to_owned()])]);
        assert_eq!(part(&hanna, "alice", 26), ["false"]);
        let both: &[Operation<'_>] = &[(5, &["20260601130000Z"]), (46, &["20260601110000Z"])];
        assert_eq!(told(&send(&admin, "alice", both)).len(), 2);
        assert_eq!([4, 7, 45, 56, 57].map(|number| part(&admin, "alice", number).concat()), ["20260601130000Z", "3600", "20260601110000Z", "false", "false"]);
        scene.wait(3600);
        assert_eq!([57, 55].map(|number| part(&admin, "alice", number).concat()), ["true", "false"]);
        assert_eq!(told(&send(&admin, "alice", &[(6, &[]), (47, &[])])).len(), 2);
        assert_eq!(part(&admin, "alice", 4), [""; 0]);
    }

    /// Each part is read by the right to the attribute that it follows from, and written by the right to modify that.
    fn rights_are_those_to_the_attributes(scene) {
        assert_eq!(code(&send(&scene.anonymous(), "alice", &[])), StrongerAuthRequired);
        let bob = scene.client("bob");
        assert_eq!(code(&send(&bob, "alice", &[])), InsufficientAccessRights);
        for operation in [(1, &[][..]), (22, &[]), (2, &["true"]), (3, &[]), (19, &[]), (27, &["true"]), (5, &["20260601130000Z"])] {
            assert_eq!(code(&send(&bob, "alice", &[operation])), InsufficientAccessRights, "{operation:?}");
        }
        assert_eq!(code(&send(&scene.client("hanna"), "cn=admin", &[(2, &["true"])])), InsufficientAccessRights);
        // Whether an account can be used follows from all of its state.
        let seen = ["cn", "pwdAccountLockedTime", "pwdChangedTime"];
        let some = rule("some", "authenticated", "everything", &seen, &["search", "read"]);
        scene.rule_by(&[rules(), vec![some]].concat());
        let to_bob: Vec<u8> = told(&send(&bob, "alice", &[])).iter().map(|(number, _)| *number).collect();
        assert!(to_bob.contains(&1) && !to_bob.contains(&55) && !to_bob.contains(&26), "{to_bob:?}");
        assert_eq!(code(&send(&bob, "alice", &[(55, &[])])), InsufficientAccessRights);
        let hidden = rule("oneself", "self", "everything", &["*", "+", "password-state"], &["search", "read"]);
        scene.rule_by(&[rules().into_iter().filter(|rule| rule.name == "authenticate").collect::<Vec<_>>(), vec![hidden]].concat());
        for name in ["alice", "nobody"] {
            assert_eq!(code(&send(&scene.client("bob"), name, &[])), NoSuchObject, "{name}");
        }
        assert_eq!(code(&send(&scene.client("bob"), "bob", &[])), ResultCode::Success);
    }

    /// What only the server sets is refused with a sentence, and nothing of the request is done.
    fn what_cannot_be_asked_or_set_is_refused(scene) {
        let admin = scene.client("cn=admin");
        let cases: &[(&[Operation<'_>], ResultCode)] = &[
            (&[(39, &[])], UnwillingToPerform),
            (&[(120, &[])], UnwillingToPerform),
            (&[(17, &[])], UnwillingToPerform),
            (&[(9, &["20260601130000Z"])], UnwillingToPerform),
            (&[(60, &["true"])], UnwillingToPerform),
            (&[(2, &["true"]), (40, &[])], UnwillingToPerform),
            (&[(2, &["true"]), (1, &[])], UnwillingToPerform),
            (&[(2, &[])], ProtocolError),
            (&[(2, &["perhaps"])], ProtocolError),
            (&[(5, &[])], ProtocolError),
            (&[(5, &["tomorrow"])], InvalidAttributeSyntax),
        ];
        for (operations, expected) in cases {
            let response = send(&admin, "alice", operations);
            assert_eq!(code(&response), *expected, "{operations:?}");
            assert!(!response.result.diagnostic_message.is_empty() && response.value.is_none());
        }
        assert_eq!(code(&admin.extended(oid::ACCOUNT_STATE, None, &[])), ProtocolError);
        assert!(opens(scene));
    }

    /// It is a change like any other: tried out by the no-op control, and recorded with what is said of why.
    fn it_is_a_change_like_any_other(scene) {
        let hanna = scene.client("hanna");
        let disable = value("alice", &[(2, &["true"])]);
        let no_op = RawControl { oid: oid::NO_OP.into(), critical: true, value: None };
        assert!(hanna.extended(oid::ACCOUNT_STATE, Some(&disable), &[no_op]).result.code != ResultCode::Success);
        assert!(opens(scene));
        let why = RawControl { oid: oid::PASSWORD_REASON.into(), critical: true, value: Some(b"left us".to_vec().into()) };
        assert_eq!(result(&hanna.extended(oid::ACCOUNT_STATE, Some(&disable), &[why])), Ok(()));
        assert!(scene.recorded().iter().any(|one| one.event.reason == "left us"), "{:?}", scene.events());
    }
}
