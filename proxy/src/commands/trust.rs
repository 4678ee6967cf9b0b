//! `xenoxide trust`: which certificates are trusted, beside those that the system vouches for.

use core::time::Duration;
use std::env;
use std::path::PathBuf;

use serde_json::{Value, json};
use xenapi_hyper::{Fingerprint, KnownHosts, PoolHost, Roots, SeenCertificate, Target};

use super::connection::{Connection, failed, lost};
use crate::cli::{self, Exit, Place, Trust, Trusted, exit};
use crate::output;

const PATIENCE: Duration = Duration::from_secs(10);

/// What was known of a server before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Before {
    Nothing,
    Same,
    Other(Fingerprint),
}

/// Runs the command.
pub(super) async fn run(args: &Trust) -> Result<(), Exit> {
    let target = &args.target;
    let Target::Https { host, port } = target else {
        return Err(Exit::usage(format!("{target} shows no certificate; give an https:// target")));
    };
    let store = required_store()?;
    let seen = xenapi_hyper::inspect(target, PATIENCE).await.map_err(|error| lost(&error))?;
    let before = match store.get(host, *port) {
        None => Before::Nothing,
        Some(known) if known == seen.fingerprint => Before::Same,
        Some(known) => Before::Other(known),
    };
    let SeenCertificate { subject, fingerprint } = &seen;
    if !args.json {
        output::line(&format!("{target} shows a certificate for {subject:?}"))?;
        output::line(&format!("SHA-256 {fingerprint}"))?;
    }
    if let Some(expected) = args.fingerprint.filter(|expected| expected != fingerprint) {
        return Err(Exit::new(
            exit::UNTRUSTED,
            format!(
                "{target}: its certificate has the SHA-256 {fingerprint},\nand {expected} was expected; nothing is trusted"
            ),
        ));
    }
    if let (Before::Other(known), false) = (before, args.replace) {
        return Err(Exit::new(
            exit::UNTRUSTED,
            format!(
                "{target}: another certificate was trusted before:\n  before {known}\n  now    {fingerprint}\nIf the server got a new one, \
                 run this with --replace; otherwise somebody may be in between."
            ),
        ));
    }
    if before != Before::Same {
        store.remember(host, *port, *fingerprint).map_err(Exit::failure)?;
    }
    let path = store.path().display().to_string();
    if !args.json {
        match before {
            Before::Same => output::line("It is trusted already.")?,
            _ => output::line(&format!("Remembered in {path}. Compare it with the server's own."))?,
        }
    }
    let others = if args.pool { Some(of_pool(args, &store, *port).await?) } else { None };
    if args.json {
        let (known, earlier) = match before {
            Before::Nothing => ("new", None),
            Before::Same => ("same", None),
            Before::Other(known) => ("replaced", Some(known.to_string())),
        };
        let line = json!({
            "target": target.to_string(), "subject": subject, "fingerprint": fingerprint.to_string(), "was": known,
            "before": earlier, "store": path, "hosts": others.map(|all| all.iter().map(Member::to_json).collect::<Vec<_>>()),
        });
        return output::line(&line.to_string());
    }
    others.iter().flatten().try_for_each(|member| output::line(&member.to_line()))
}

/// What is known of a host of the pool from now on.
struct Member {
    host: PoolHost,
    /// What is remembered of it.
    known: Option<Fingerprint>,
}

impl Member {
    fn to_json(&self) -> Value {
        let text = |fingerprint: Option<Fingerprint>| fingerprint.map(|fingerprint| fingerprint.to_string());
        json!({
            "name": self.host.name, "address": self.host.address, "fingerprint": text(self.host.certificate),
            "trusted": text(self.known),
        })
    }

    fn to_line(&self) -> String {
        let place = output::plain(&format!("{} at {}", self.host.name, self.host.address));
        match (self.known, self.host.certificate) {
            (Some(known), Some(told)) if known != told => {
                format!(
                    "{place}: {known} was trusted before and stays so; the pool says {told}: `xenoxide trust` it by itself"
                )
            }
            (Some(known), _) => format!("{place}: SHA-256 {known}"),
            (None, _) => format!("{place}: the pool does not tell its certificate; `xenoxide trust` it by itself"),
        }
    }
}

/// Trusts all hosts of the pool as this server knows them.
async fn of_pool(args: &Trust, store: &KnownHosts, port: u16) -> Result<Vec<Member>, Exit> {
    let connection =
        cli::Connection { target: Place::Server(args.target.clone()), who: args.who.clone(), trusted: Trusted::default() };
    let trust = async |connection: &Connection| connection.client().trust_pool().await.map_err(|error| failed(&error));
    let hosts = Connection::within(&connection, trust).await?;
    Ok(hosts.into_iter().map(|host| Member { known: store.get(&host.address, port), host }).collect())
}

/// A server that is not known yet, and will be trusted for what it shows.
pub(super) struct Stranger {
    store: KnownHosts,
    host: String,
    port: u16,
}

impl Stranger {
    /// Tells whom it has been trusted for, if it came to that.
    pub(super) fn tell(&self) {
        if let Some(fingerprint) = self.store.get(&self.host, self.port) {
            output::say(&format!(
                "note: {}:{} was not known, and is trusted from now on with the SHA-256 {fingerprint}\n      \
                 compare it with the server's own; it is remembered in {}",
                self.host,
                self.port,
                self.store.path().display()
            ));
        }
    }
}

/// What a server has to show by the options, and whether it is a stranger so far.
pub(super) fn chosen(target: &Target, options: &Trusted) -> Result<(xenapi_hyper::Trust, Option<Stranger>), Exit> {
    let Target::Https { host, port } = target else {
        let is_in_vain = options.fingerprint.is_some() || options.ca_file.is_some() || options.trust_on_first_use;
        return match is_in_vain {
            // Whoever wants it checked must not believe that it is.
            true => Err(Exit::usage(format!(
                "{target} shows no certificate; --fingerprint, --ca-file and --trust-on-first-use are for https:// targets"
            ))),
            false => Ok((xenapi_hyper::Trust::System, None)),
        };
    };
    if let Some(file) = &options.ca_file {
        let roots = Roots::from_file(file).map_err(|error| Exit::failure(format!("--ca-file: {error}")))?;
        return Ok((xenapi_hyper::Trust::Authority(roots), None));
    }
    if !options.trust_on_first_use {
        return Ok((of(target, options.fingerprint)?, None));
    }
    let store = required_store()?;
    let is_known = store.get(host, *port).is_some();
    let stranger = Stranger { store: store.clone(), host: host.clone(), port: *port };
    Ok((xenapi_hyper::Trust::FirstUse(store), (!is_known).then_some(stranger)))
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

fn required_store() -> Result<KnownHosts, Exit> {
    store()?.ok_or_else(|| {
        Exit::failure("there is no place to remember certificates: set HOME, or XENOXIDE_KNOWN_HOSTS to a file")
    })
}

fn path() -> Option<PathBuf> {
    let folder = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    folder("XENOXIDE_KNOWN_HOSTS").or_else(|| {
        let settings = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")))?;
        Some(settings.join("xenoxide/known_hosts"))
    })
}
