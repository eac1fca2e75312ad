//! What a client says (RFC 5802 §5.1, §7), read strictly.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// No message of a client is longer, in octets: what it says first is remembered until it says more.
const LONGEST: usize = 2_048;

/// What is wrong with a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ScramFault {
    /// It is not as RFC 5802 has it.
    #[error("the SCRAM message is malformed")]
    Malformed,
    /// It demands an extension that nobody has defined yet.
    #[error("the SCRAM message demands an extension that is not known here")]
    Extension,
    /// It belongs to another exchange: its nonce is another one.
    #[error("the SCRAM message belongs to another exchange")]
    OtherNonce,
    /// The client is bound to another channel, or says otherwise than it did first.
    #[error("the channel that the client is bound to is not this one: somebody may be in between")]
    OtherChannel,
}

/// What a client says of channel binding (RFC 5802 §6).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Gs2Flag {
    /// `n`: it can not.
    CannotBind,
    /// `y`: it can, and thinks that the server can not.
    CouldBind,
    /// `p=`: it binds to the channel by the data of that name.
    Binds(String),
}

/// The first message of a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientFirst {
    /// What it says of channel binding.
    pub flag: Gs2Flag,
    /// Whom it wants to be taken for; empty: whoever the password is of.
    pub authz_id: String,
    /// Whose the password is.
    pub username: String,
    pub(super) gs2_header: String,
    pub(super) bare: String,
    pub(super) nonce: String,
}

impl ClientFirst {
    /// Reads it: `gs2-cbind-flag "," [authzid] "," username "," nonce ["," extensions]`.
    pub fn read(message: &[u8]) -> Result<Self, ScramFault> {
        let text = text(message)?;
        let mut fields = text.splitn(3, ',');
        let (Some(flag), Some(authz_id), Some(bare)) = (fields.next(), fields.next(), fields.next()) else {
            return Err(ScramFault::Malformed);
        };
        let gs2_header = format!("{flag},{authz_id},");
        let flag = match (flag, flag.strip_prefix("p=")) {
            ("n", _) => Gs2Flag::CannotBind,
            ("y", _) => Gs2Flag::CouldBind,
            (_, Some(name)) if is_binding_name(name) => Gs2Flag::Binds(name.to_owned()),
            _ => return Err(ScramFault::Malformed),
        };
        let authz_id = match (authz_id, authz_id.strip_prefix("a=")) {
            ("", _) => String::new(),
            (_, Some(name)) => sasl_name(name)?,
            (_, None) => return Err(ScramFault::Malformed),
        };
        let mut attributes = bare.split(',');
        let username = match attributes.next() {
            Some(first) if first.starts_with("m=") => return Err(ScramFault::Extension),
            Some(first) => sasl_name(first.strip_prefix("n=").ok_or(ScramFault::Malformed)?)?,
            None => return Err(ScramFault::Malformed),
        };
        let nonce = attributes.next().and_then(|second| second.strip_prefix("r=")).ok_or(ScramFault::Malformed)?;
        if !is_nonce(nonce) || !attributes.all(is_attribute) {
            return Err(ScramFault::Malformed);
        }
        Ok(Self { flag, authz_id, username, gs2_header, bare: bare.to_owned(), nonce: nonce.to_owned() })
    }
}

/// The last message of a client: `channel-binding "," nonce ["," extensions] "," proof`.
#[derive(Debug)]
pub(super) struct ClientFinal {
    pub(super) channel_binding: Vec<u8>,
    pub(super) nonce: String,
    pub(super) without_proof: String,
    pub(super) proof: Vec<u8>,
}

impl ClientFinal {
    pub(super) fn read(message: &[u8]) -> Result<Self, ScramFault> {
        let text = text(message)?;
        let (without_proof, proof) = text.rsplit_once(",p=").ok_or(ScramFault::Malformed)?;
        let mut attributes = without_proof.split(',');
        let mut take = |prefix| attributes.next().and_then(|attribute| attribute.strip_prefix(prefix));
        let (Some(channel_binding), Some(nonce)) = (take("c="), take("r=")) else { return Err(ScramFault::Malformed) };
        if !is_nonce(nonce) || !attributes.all(is_attribute) {
            return Err(ScramFault::Malformed);
        }
        let base64 = |text| STANDARD.decode(text).map_err(|_| ScramFault::Malformed);
        let (channel_binding, proof) = (base64(channel_binding)?, base64(proof)?);
        Ok(Self { channel_binding, nonce: nonce.to_owned(), without_proof: without_proof.to_owned(), proof })
    }
}

fn text(message: &[u8]) -> Result<&str, ScramFault> {
    if message.len() > LONGEST || message.contains(&0) {
        return Err(ScramFault::Malformed);
    }
    std::str::from_utf8(message).map_err(|_| ScramFault::Malformed)
}

/// `saslname`: `=2C` stands for a comma, `=3D` for `=`, and neither stands for itself.
fn sasl_name(text: &str) -> Result<String, ScramFault> {
    let mut pieces = text.split('=');
    let mut name = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (character, rest) = match (piece.strip_prefix("2C"), piece.strip_prefix("3D")) {
            (Some(rest), _) => (',', rest),
            (_, Some(rest)) => ('=', rest),
            (None, None) => return Err(ScramFault::Malformed),
        };
        name.push(character);
        name.push_str(rest);
    }
    if name.is_empty() { Err(ScramFault::Malformed) } else { Ok(name) }
}

/// Printable ASCII without the comma.
fn is_nonce(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_graphic() && octet != b',')
}

/// A letter, `=` and something.
fn is_attribute(text: &str) -> bool {
    let mut octets = text.bytes();
    octets.next().is_some_and(|letter| letter.is_ascii_alphabetic())
        && octets.next() == Some(b'=')
        && octets.next().is_some()
}

fn is_binding_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b".-".contains(&octet))
}
