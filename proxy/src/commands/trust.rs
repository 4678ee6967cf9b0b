//! `xenoxide trust`: which certificates are trusted, beside those that the system vouches for.

use core::time::Duration;
use std::env;
use std::path::PathBuf;

use xenapi_hyper::{Fingerprint, KnownHosts, Target};

use crate::cli::{Exit, Trust};
use crate::output;

const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the command.
pub(super) async fn run(args: &Trust) -> Result<(), Exit> {
    let target = &args.target;
    let Target::Https { host, port } = target else {
        return Err(Exit::usage(format!("{target} shows no certificate; give an https:// target")));
    };
    let store = store()?.ok_or_else(|| {
        Exit::failure("there is no place to remember certificates: set HOME, or XENOXIDE_KNOWN_HOSTS to a file")
    })?;
    let seen = xenapi_hyper::inspect(target, PATIENCE).await.map_err(Exit::failure)?;
    output::line(&format!("{target} shows a certificate for {:?}", seen.subject))?;
    output::line(&format!("SHA-256 {}", seen.fingerprint))?;
    if let Some(expected) = args.fingerprint.filter(|expected| *expected != seen.fingerprint) {
        return Err(Exit::failure(format!("{target}: that is not the certificate {expected}; nothing is trusted")));
    }
    match store.get(host, *port) {
        Some(known) if known == seen.fingerprint => return output::line("It is trusted already."),
        Some(known) if !args.replace => {
            return Err(Exit::failure(format!(
                "{target}: another certificate was trusted before, {known}.\nIf the server got a new one, run this with --replace; \
                 otherwise somebody may be in between."
            )));
        }
        _ => {}
    }
    store.remember(host, *port, seen.fingerprint).map_err(Exit::failure)?;
    output::line(&format!("Remembered in {}. Compare it with the server's own.", store.path().display()))
}

/// What a server has to show. The store is read only where it counts, so that a broken one hinders nobody else.
pub(super) fn of(target: &Target, fingerprint: Option<Fingerprint>) -> Result<xenapi_hyper::Trust, Exit> {
    Ok(match (fingerprint, target) {
        (Some(fingerprint), _) => xenapi_hyper::Trust::Pinned(fingerprint),
        (None, Target::Https { .. }) => store()?.map_or(xenapi_hyper::Trust::System, xenapi_hyper::Trust::Known),
        (None, _) => xenapi_hyper::Trust::System,
    })
}

/// The certificates that `xenoxide trust` remembers; none where there is no place for them.
fn store() -> Result<Option<KnownHosts>, Exit> {
    path().map(KnownHosts::open).transpose().map_err(Exit::failure)
}

fn path() -> Option<PathBuf> {
    let folder = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    folder("XENOXIDE_KNOWN_HOSTS").or_else(|| {
        let settings = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")))?;
        Some(settings.join("xenoxide/known_hosts"))
    })
}
