//! A session with a pool, for the commands that ask one.

use core::cell::OnceCell;
use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;

use bytes::Bytes;
use xenapi_core::{Call, Failure, RawCall, RawRef, Value, Wire};
use xenapi_hyper::server::{ServerConfig, SimServer};
use xenapi_hyper::{
    Client, ClientConfig, Error, ErrorKind, Target, Transport, TransportConfig, TransportError, TransportErrorKind,
};
use xenapi_model::errors;

use super::trust::Stranger;
use super::{password, pool, trust, variable};
use crate::cli::{self, Exit, Place, exit};
use crate::output;

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
    /// The pool's master, where the target turned out to be another host.
    master: OnceCell<Client>,
    user: String,
    password: String,
    /// What is told once a server that nobody knew was trusted.
    stranger: Option<Stranger>,
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
        let user = match &args.who.user {
            Some(user) => user.clone(),
            None => variable("XENOXIDE_USER")?.unwrap_or_else(|| pool::USER.into()),
        };
        let (trust, stranger) = trust::chosen(&target, &args.trusted)?;
        let (user, password) = match &records {
            Some(_) => (pool::USER.into(), pool::PASSWORD.into()),
            None => {
                let password = password::find(&args.who, &user, &target).await?;
                (user, password)
            }
        };
        let transport = Transport::new(target, &trust, TransportConfig::default()).map_err(|error| lost(&error))?;
        Ok(Connection { client: client(transport), master: OnceCell::new(), user, password, stranger, records })
    }

    /// Does something with a session on a pool, and ends the session in every case, be it Ctrl-C.
    pub(super) async fn within<R>(
        args: &cli::Connection,
        work: impl AsyncFnOnce(&Connection) -> Result<R, Exit>,
    ) -> Result<R, Exit> {
        let connection = Connection::prepare(args).await?;
        let interrupted =
            |target: &Target| Err(Exit::interrupted(format!("interrupted; nothing more is asked of {target}")));
        let work = async |connection: &Connection| {
            connection.log_in().await?;
            work(connection).await
        };
        connection.finish(interrupted, work).await
    }

    /// Does something, and ends the session, if there is one by then. `interrupted` is what comes of it when somebody ends the program.
    pub(super) async fn finish<R>(
        self,
        interrupted: impl FnOnce(&Target) -> Result<R, Exit>,
        work: impl AsyncFnOnce(&Connection) -> Result<R, Exit>,
    ) -> Result<R, Exit> {
        let done = tokio::select! {
            done = work(&self) => done,
            stopped = super::stopped() => stopped.and_then(|()| interrupted(self.client().target())),
        };
        self.close().await;
        done
    }

    /// Begins a session: with the master of the pool, if a member sends there.
    pub(super) async fn log_in(&self) -> Result<(), Exit> {
        let mut done = self.client.login(&self.user, &self.password, ORIGINATOR).await;
        if let Some(stranger) = &self.stranger {
            stranger.tell();
        }
        if let Err(error) = &done
            && let Some(address) = error.master()
        {
            let there = self.client.transport().beside(address, None).map_err(|error| lost(&error))?;
            let master = self.master.get_or_init(|| client(there));
            output::say(&format!(
                "note: {} is a member of its pool; the master at {} is asked",
                self.client.target(),
                master.target()
            ));
            done = master.login(&self.user, &self.password, ORIGINATOR).await;
        }
        done.map_err(|error| match (error.failure(), error.transport()) {
            (Some(failure), _) => self.not_logged_in(failure),
            // Nobody asked for this call by its name.
            (None, Some(transport)) => lost(transport),
            (None, None) => failed(&error),
        })
    }

    fn not_logged_in(&self, failure: &Failure) -> Exit {
        let target = self.client().target();
        let why = explain(failure);
        let advice = match failure.code.as_str() {
            errors::SESSION_AUTHENTICATION_FAILED => "; check user and password".into(),
            // The master has changed just now.
            errors::HOST_IS_SLAVE => format!("; it is not the pool's master: ask {} instead", failure.param(0)),
            errors::HOST_STILL_BOOTING => "; wait a moment and run the command again".into(),
            _ => String::new(),
        };
        Exit::refused(format!("{target}: cannot log in as {}: {why}{advice}", self.user), failure)
    }

    /// Ends the session. What goes wrong with that is the server's affair: sessions end by themselves.
    async fn close(self) {
        let _ = tokio::time::timeout(GOODBYE, self.client().logout()).await;
        if let Some(server) = self.records {
            server.shutdown().await;
        }
    }

    /// Whether recordings answer instead of a server.
    pub(super) fn is_offline(&self) -> bool {
        self.records.is_some()
    }

    /// Makes calls.
    pub(super) fn client(&self) -> &Client {
        self.master.get().unwrap_or(&self.client)
    }

    /// The session.
    pub(super) fn session(&self) -> RawRef {
        self.client().session().unwrap_or_default()
    }

    /// Makes a call and gives the whole answer as it came, a refusal like any other.
    pub(super) async fn fetch(&self, method: &str) -> Result<Bytes, Exit> {
        let call = RawCall { method: method.into(), params: vec![self.session().into()] };
        self.client().fetch(&call).await.map_err(|error| failed(&error))
    }

    /// Makes a call that should succeed.
    pub(super) async fn demand<R: Wire>(&self, method: &str, params: Vec<Value>) -> Result<R, Exit> {
        let unknown = || Exit::failure(format!("the schema has no method {method}"));
        let call = Call::new(xenapi_model::method(method).ok_or_else(unknown)?, params);
        self.client().call(call).await.map_err(|error| failed(&error))
    }
}

fn client(transport: Transport) -> Client {
    Client::with_config(transport, ClientConfig { change_timeout: PATIENCE, ..ClientConfig::default() })
}

/// The end of a command whose call has no result.
pub(super) fn failed(error: &Error) -> Exit {
    match error.kind() {
        ErrorKind::Failure(failure) => refused(error.target(), error.method(), failure),
        ErrorKind::Transport(transport) => Exit::new(code_of(transport), error),
        ErrorKind::Unreadable(_) | ErrorKind::Unusable(_) => Exit::new(exit::PROTOCOL, error),
        _ => Exit::failure(error),
    }
}

/// The end of a command whose server was not reached.
pub(super) fn lost(error: &TransportError) -> Exit {
    Exit::new(code_of(error), error)
}

fn code_of(error: &TransportError) -> exit::Code {
    match error.kind() {
        TransportErrorKind::Untrusted(_) => exit::UNTRUSTED,
        TransportErrorKind::Resolve(_)
        | TransportErrorKind::Connect(..)
        | TransportErrorKind::Tls(_)
        | TransportErrorKind::Timeout { .. } => exit::UNREACHABLE,
        TransportErrorKind::ReplyTooLarge { .. } | TransportErrorKind::Status { .. } | TransportErrorKind::Broken(_) => {
            exit::PROTOCOL
        }
        _ => exit::FAILED,
    }
}

/// The end of a command whose call was refused.
pub(super) fn refused(target: &Target, method: &str, failure: &Failure) -> Exit {
    let advice = match failure.code.as_str() {
        errors::RBAC_PERMISSION_DENIED => "; log in as a user with a higher role",
        errors::SESSION_INVALID => "; the session has ended: run the command again",
        errors::HOST_STILL_BOOTING => "; wait a moment and run the command again",
        errors::MESSAGE_METHOD_UNKNOWN => "; the server is too old or too new for it",
        _ => "",
    };
    Exit::refused(format!("{method}: {target} refused: {}{advice}", explain(failure)), failure)
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
