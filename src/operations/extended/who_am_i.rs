//! Who am I? (RFC 4532).

use crate::directory::{Identity, ResultCode};
use crate::operations::{Context, Outcome};
use crate::protocol::Response;

/// The authorization identity of the connection: empty, or `dn:` and a name (RFC 4532 §2.2).
pub fn who_am_i(ctx: &Context<'_>) -> Outcome {
    let name = match &ctx.requester.identity {
        Identity::Anonymous => String::new(),
        named => format!("dn:{}", named.name()),
    };
    Outcome::answer(Response { value: Some(name.into_bytes()), ..ResultCode::Success.into() })
}
