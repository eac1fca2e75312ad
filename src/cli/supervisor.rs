//! What supervises this process, as systemd does with `Type=notify`, is told when it serves: then what needs a directory can be
//! started after it.

use sd_notify::NotifyState;

use crate::server::Bound;

/// Tells it where the server listens. Without a supervisor nobody is told.
pub(super) fn tell_ready(bound: &[Bound]) {
    let urls: Vec<&str> = bound.iter().map(|one| one.url.as_str()).collect();
    let status = format!("Listening on {}", urls.join(", "));
    if let Err(error) = sd_notify::notify(&[NotifyState::Ready, NotifyState::Status(&status)]) {
        tracing::warn!(%error, "what supervises this process could not be told that it serves");
    }
}
