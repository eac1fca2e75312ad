//! The authorization identity controls (RFC 3829).

use keystead::directory::Identity;
use keystead::operations::External;
use keystead::protocol::request::{Authentication, BindRequest};
use keystead::protocol::{RawControl, Request, Response, oid};

use crate::scene::answer::{control_of, critical};
use crate::scene::{full, result};
use crate::sentences;

fn asking() -> [RawControl; 1] {
    [critical(oid::AUTHORIZATION_IDENTITY, None)]
}

fn told(response: &Response) -> Option<String> {
    control_of(response, oid::AUTHORIZATION_IDENTITY_RESPONSE).map(|octets| String::from_utf8(octets.to_vec()).unwrap())
}

sentences! {
    /// RFC 3829 §4: "If the bind request succeeded and resulted in an identity (not anonymous), the controlValue contains
    /// the authorization identity (authzId) ... If anonymous ... the controlValue field is the empty string".
    fn a_good_bind_tells_who_it_was(scene) {
        let told_to = |name: &str, password: &str| told(&scene.anonymous().bind_with(name, password, &asking()));
        assert_eq!(told_to("alice", "alice's password"), Some(format!("dn:{}", full("alice"))));
        assert_eq!(told_to("UID=Alice,ou=People,dc=example,dc=com", "alice's password"), Some(format!("dn:{}", full("alice"))));
        assert_eq!(told_to("", "").as_deref(), Some(""));
    }

    /// The same for SASL EXTERNAL, where the client does not know who it is.
    fn sasl_external_tells_as_well(scene) {
        let client = scene.anonymous();
        client.prove_externally(External::Superuser);
        let authentication = Authentication::Sasl { mechanism: "EXTERNAL".into(), credentials: None };
        let bind = Request::Bind(BindRequest { version: 3, name: "".into(), authentication });
        let answer = client.send(&bind, &asking());
        assert_eq!(result(&answer), Ok(()));
        assert_eq!(told(&answer), Some(format!("dn:{}", Identity::LocalRoot.name())));
    }

    /// RFC 3829 §4: only "if the bind request succeeded", and only to whoever asked.
    fn a_bad_bind_tells_nothing(scene) {
        assert_eq!(told(&scene.anonymous().bind_with("alice", "wrong", &asking())), None);
        assert_eq!(told(&scene.anonymous().bind_with("alice", "alice's password", &[])), None);
    }
}
