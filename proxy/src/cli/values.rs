//! Values of options.

use core::net::SocketAddr;
use core::str::FromStr;
use std::ffi::OsString;
use std::net::ToSocketAddrs as _;
use std::path::PathBuf;

use xenapi_hyper::{Fingerprint, Target};
use xenapi_sim::faults::{self, FaultSpec, SpecError};

use super::Exit;
use crate::serve::router::is_pool_name;

/// Where calls go: a server, or recordings that answer as one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// A server.
    Server(Target),
    /// A folder of recordings.
    Records(PathBuf),
    /// xapi's database, or a support bundle that holds it.
    Database(PathBuf),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text.strip_prefix("records:"), text.strip_prefix("database:")) {
            (Some(""), _) => Err("the folder of the recordings is missing: write records:DIR".into()),
            (Some(folder), _) => Ok(Place::Records(folder.into())),
            (None, Some("")) => Err("the file of the database is missing: write database:FILE".into()),
            (None, Some(file)) => Ok(Place::Database(file.into())),
            (None, None) => text
                .parse()
                .map(Place::Server)
                .map_err(|error: xenapi_hyper::InvalidTarget| format!("{error}, records:DIR, or database:FILE")),
        }
    }
}

/// Faults that are joined by `;`.
#[derive(Clone, PartialEq, Debug)]
pub struct FaultList(pub Vec<FaultSpec>);

impl FromStr for FaultList {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        faults::parse(text).map(FaultList)
    }
}

/// Refuses a password among the arguments, before anything repeats it.
///
/// # Errors
/// When there is `--password` in front of a `--`.
pub(crate) fn refuse_passwords(args: &[OsString]) -> Result<(), Exit> {
    let options = args.iter().take_while(|arg| *arg != "--").map(|arg| arg.as_encoded_bytes());
    let is_password = |arg: &[u8]| arg == b"--password" || arg.starts_with(b"--password=");
    if options.into_iter().any(is_password) {
        return Err(Exit::usage(
            "--password is refused: everybody on this machine can read arguments. Leave it out to be asked on the terminal,\n\
             or give --password-file FILE (`-` for standard input), or set XENOXIDE_PASSWORD. If that password was a real one, change it.",
        ));
    }
    Ok(())
}

/// What `--scenario` tells about itself.
pub(super) fn scenarios() -> String {
    let all = xenapi_sim::Scenario::ALL.map(|scenario| format!("{scenario}: {}", scenario.about()));
    format!("The kind of pool. {}", all.join("; "))
}

/// Something for the pool of that name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named<T> {
    /// The pool.
    pub name: String,
    /// What it is about.
    pub value: T,
}

fn named<T: FromStr<Err: core::fmt::Display>>(text: &str, form: &str) -> Result<Named<T>, String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("write {form}"))?;
    if !is_pool_name(name) {
        return Err(format!("{name:?} cannot name a pool: take letters, digits, `-`, `_` and `.`, at most 64"));
    }
    let value = value.parse().map_err(|error: T::Err| error.to_string())?;
    Ok(Named { name: name.into(), value })
}

pub(super) fn named_target(text: &str) -> Result<Named<Target>, String> {
    named(text, "NAME=URL, for example lab=https://xs1.example")
}

pub(super) fn named_fingerprint(text: &str) -> Result<Named<Fingerprint>, String> {
    named(text, "NAME=SHA256, with the name of a pool")
}

pub(super) fn named_file(text: &str) -> Result<Named<PathBuf>, String> {
    named(text, "NAME=FILE, with the name of a pool")
}

/// `HOST:PORT` as an address of this machine.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    let wrong = || format!("{text:?} is no address to listen on: write IP:PORT, for example 127.0.0.1:8080 or [::]:80");
    text.parse().or_else(|_| text.to_socket_addrs().ok().and_then(|mut all| all.next()).ok_or_else(wrong))
}
