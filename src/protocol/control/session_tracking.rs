//! Which session elsewhere a request belongs to (draft-wahl-ldap-session-03): for the log, so that what is done here can
//! be put beside what a web server or a RADIUS server has written down.

use std::fmt;

use super::{Controls, RawControl};
use crate::protocol::ber::{self, Cursor};

/// So many sessions of one request are noted; further ones are passed over.
const MOST: usize = 4;
/// So many characters of each text are noted.
const CHARACTERS: usize = 256;

/// A session that somebody else keeps. Nothing of it is proven.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrackedSession {
    /// Where it is kept: an address.
    pub source_ip: String,
    /// And a name.
    pub source_name: String,
    /// What the identifier means: an object identifier.
    pub format: String,
    /// What it is called there: mostly the name of a user.
    pub identifier: String,
}

pub(super) fn read(controls: &mut Controls, control: &RawControl) -> Option<()> {
    let mut fields = control.elements(5)?.enter(ber::SEQUENCE)?;
    let [source_ip, source_name, format, identifier] =
        [text(&mut fields)?, text(&mut fields)?, text(&mut fields)?, text(&mut fields)?];
    let sessions = &mut controls.rare_mut().sessions;
    if sessions.len() < MOST {
        sessions.push(TrackedSession { source_ip, source_name, format, identifier });
    }
    fields.is_at_end().then_some(())
}

fn text(fields: &mut Cursor<'_>) -> Option<String> {
    fields.take_text(ber::OCTET_STRING).map(|text| text.chars().take(CHARACTERS).collect())
}

impl fmt::Display for TrackedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {} ({}), {}", self.identifier, self.source_name, self.source_ip, self.format)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::wire;
    use crate::protocol::{Request, oid};

    fn control(identifier: &str) -> RawControl {
        let mut fields = Vec::new();
        for text in ["192.0.2.1", "web.example.com", "1.3.6.1.4.1.21008.108.63.1.3", identifier] {
            wire::put_element(&mut fields, ber::OCTET_STRING, text.as_bytes());
        }
        let mut value = Vec::new();
        wire::put_element(&mut value, ber::SEQUENCE, &fields);
        RawControl { oid: oid::SESSION_TRACKING.into(), critical: false, value: Some(value.into()) }
    }

    fn read(controls: &[RawControl]) -> Vec<String> {
        let controls = Controls::read(controls, &Request::Delete("cn=a".into())).unwrap();
        controls.rare().sessions.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_session_is_read_and_printed() {
        let printed = "alice at web.example.com (192.0.2.1), 1.3.6.1.4.1.21008.108.63.1.3";
        assert_eq!(read(&[control("alice")]), [printed]);
    }

    #[test]
    fn a_request_may_belong_to_several_and_what_is_noted_is_bounded() {
        let many: Vec<_> = (0..50).map(|number| control(&number.to_string())).collect();
        assert_eq!(read(&many).len(), 4);
        assert!(read(&[control(&"ä".repeat(10_000))])[0].len() < 1_000);
    }
}
