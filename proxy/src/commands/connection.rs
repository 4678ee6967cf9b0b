//! A session with a pool, for the commands that ask one.

use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::env;

use bytes::Bytes;
use xenapi_core::{Call, Failure, RawCall, RawRef, Value, Wire};
use xenapi_hyper::server::{ServerConfig, SimServer};
use xenapi_hyper::{Client, ClientConfig, Error, Target, Transport, TransportConfig};
use xenapi_model::errors;

use super::{pool, trust};
use crate::cli::{self, Exit, Place};
use crate::config;

/// Some calls, such as copying a disk, take very long.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// Ending a session must not hold up the end of a command when the server is away.
const GOODBYE: Duration = Duration::from_secs(5);

/// The most characters of a parameter of a refusal that are shown.
const LONGEST_SHOWN: usize = 500;

/// What servers note about who logged in.
const ORIGINATOR: &str = "xenoxide";

/// A way to a pool, with a session on it once [`Connection::log_in`] was called.
pub(super) struct Connection {
    client: Client,
    user: String,
    password: String,
    /// Answers for recordings, as long as they are asked.
    records: Option<SimServer>,
}

impl Connection {
    /// The way to a pool. Nothing is sent yet.
    pub(super) async fn prepare(args: &cli::Connection) -> Result<Self, Exit> {
        let simulated = match &args.target {
            Place::Server(_) => None,
            Place::Records(folder) => Some(pool::from_records(folder)?),
            Place::Database(file) => Some(pool::from_database(file)?),
        };
        let (target, records) = match (&args.target, simulated) {
            (Place::Server(target), _) => (target.clone(), None),
            (_, Some(sim)) => {
                let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                let config = ServerConfig { http: Some(any_port), ..ServerConfig::default() };
                let server = pool::answer(sim, &config).await?;
                let port = server.http().map_or(0, |address| address.port());
                (Target::Http { host: Ipv4Addr::LOCALHOST.to_string(), port }, Some(server))
            }
            (_, None) => return Err(Exit::failure("there is nothing to ask")),
        };
        let user = match &args.user {
            Some(user) => user.clone(),
            None => variable("XENOXIDE_USER")?.unwrap_or_else(|| pool::USER.into()),
        };
        let password = if records.is_some() { pool::PASSWORD.into() } else { password(args, &target)? };
        let trust = trust::of(&target, args.fingerprint)?;
        let transport = Transport::new(target, &trust, TransportConfig::default()).map_err(Exit::failure)?;
        let config = ClientConfig { change_timeout: PATIENCE, ..ClientConfig::default() };
        Ok(Connection { client: Client::with_config(transport, config), user, password, records })
    }

    /// A session with a pool.
    pub(super) async fn open(args: &cli::Connection) -> Result<Self, Exit> {
        let connection = Connection::prepare(args).await?;
        connection.log_in().await?;
        Ok(connection)
    }

    /// Begins a session.
    pub(super) async fn log_in(&self) -> Result<(), Exit> {
        let done = self.client.login(&self.user, &self.password, ORIGINATOR).await;
        done.map_err(|error| match (error.failure(), error.transport()) {
            (Some(failure), _) => self.not_logged_in(failure),
            // Nobody asked for this call by its name.
            (None, Some(transport)) => Exit::failure(transport),
            (None, None) => failed(&error),
        })
    }

    fn not_logged_in(&self, failure: &Failure) -> Exit {
        let target = self.client.target();
        let why = explain(failure);
        if failure.code == errors::HOST_IS_SLAVE {
            let master = failure.param(0);
            return Exit::failure(format!(
                "{target}: this host is not the pool's master: {why}\nAsk https://{master} instead."
            ));
        }
        let advice = if failure.code == errors::SESSION_AUTHENTICATION_FAILED { "; check user and password" } else { "" };
        Exit::failure(format!("{target}: cannot log in as {}: {why}{advice}", self.user))
    }

    /// Ends the session. What goes wrong with that is the server's affair: sessions end by themselves.
    pub(super) async fn close(self) {
        let _ = tokio::time::timeout(GOODBYE, self.client.logout()).await;
        if let Some(server) = self.records {
            server.shutdown().await;
        }
    }

    /// Makes calls.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// The session.
    pub(super) fn session(&self) -> RawRef {
        self.client.session().unwrap_or_default()
    }

    /// Makes a call and gives the whole answer as it came, a refusal like any other.
    pub(super) async fn fetch(&self, method: &str) -> Result<Bytes, Exit> {
        let call = RawCall { method: method.into(), params: vec![self.session().into()] };
        self.client.fetch(&call).await.map_err(|error| failed(&error))
    }

    /// Makes a call that should succeed.
    pub(super) async fn demand<R: Wire>(&self, method: &str, params: Vec<Value>) -> Result<R, Exit> {
        let unknown = || Exit::failure(format!("the schema has no method {method}"));
        let call = Call::new(xenapi_model::method(method).ok_or_else(unknown)?, params);
        self.client.call(call).await.map_err(|error| failed(&error))
    }
}

/// The end of a command whose call has no result.
pub(super) fn failed(error: &Error) -> Exit {
    match error.failure() {
        Some(failure) => refused(error.target(), error.method(), failure),
        None => Exit::failure(error),
    }
}

/// The end of a command whose call was refused.
pub(super) fn refused(target: &Target, method: &str, failure: &Failure) -> Exit {
    Exit::failure(format!("{method}: {target} refused: {}", explain(failure)))
}

/// A refusal in a line: the code, and the parameters by the names that the schema has for them.
pub(super) fn explain(failure: &Failure) -> String {
    let known = errors::ERRORS.iter().find(|error| error.code == failure.code);
    let names = known.map_or(&[][..], |error| error.params);
    let params: Vec<String> = failure
        .params
        .iter()
        .enumerate()
        .map(|(at, param)| names.get(at).map_or_else(|| shown(param), |known| format!("{}: {}", known.name, shown(param))))
        .collect();
    let code = shown(&failure.code);
    if params.is_empty() { code } else { format!("{code} ({})", params.join(", ")) }
}

/// Text of a server, in one line that is not endless. Some send whole backtraces.
fn shown(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST_SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// A variable of the environment.
fn variable(name: &str) -> Result<Option<String>, Exit> {
    match env::var(name) {
        Ok(text) => Ok(Some(text)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(Exit::usage(format!("the variable {name} is not UTF-8; set it anew"))),
    }
}

fn password(args: &cli::Connection, target: &Target) -> Result<String, Exit> {
    if let Some(password) = &args.password {
        return Ok(password.clone());
    }
    if let Some(path) = &args.password_file {
        return config::read_password(path);
    }
    match variable("XENOXIDE_PASSWORD")? {
        Some(password) => Ok(password),
        // Whoever may open the socket is root without a word.
        None if matches!(target, Target::Unix(_)) => Ok(String::new()),
        None => Err(Exit::usage(format!(
            "{target} asks for a password: set XENOXIDE_PASSWORD, or give --password-file FILE\n(a simulated pool's is {})",
            pool::PASSWORD
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_its_parameters() {
        let failure = Failure::new("VM_BAD_POWER_STATE", ["OpaqueRef:1", "halted", "running"]);
        assert_eq!(explain(&failure), "VM_BAD_POWER_STATE (vm: OpaqueRef:1, expected: halted, actual: running)");
        assert_eq!(explain(&Failure::new("SR_BACKEND_FAILURE_999", ["a", "b"])), "SR_BACKEND_FAILURE_999 (a, b)");
        assert_eq!(explain(&Failure::new("X", [""; 0])), "X");
        let longer = Failure::new("INTERNAL_ERROR", ["a", "b"]);
        assert_eq!(explain(&longer), "INTERNAL_ERROR (message: a, b)");
    }

    #[test]
    fn a_refusal_is_one_line_of_bounded_length_whatever_the_server_sends() {
        let failure = Failure::new("BAD\n", ["a\nb\u{1b}[2J\u{9b}c".to_owned(), "é".repeat(100_000)]);
        assert_eq!(explain(&failure), format!("BAD (a b [2J c, {}…)", "é".repeat(LONGEST_SHOWN)));
    }
}
