//! The command line: what can be typed, and how it ends.

mod connection;
pub mod exit;
mod help;
mod values;

use core::net::SocketAddr;
use std::path::PathBuf;
use std::sync::LazyLock;

use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use xenapi_hyper::Fingerprint;
use xenapi_sim::Scenario;

pub use connection::{Connection, Trusted, Who};
pub use exit::Exit;
pub use help::VARIABLES;
pub use values::{FaultList, Named, Place};
pub(crate) use values::{address, refuse_passwords};

/// XenAPI pools in the browser and on the command line.
#[derive(Parser, Debug)]
#[command(name = "xenoxide", version, arg_required_else_help = true, after_help = help::AFTER.as_str())]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// When to use colours: auto (on a terminal, unless $NO_COLOR is set), always, never
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = When::Auto, hide_possible_values = true, global = true)]
    pub color: When,
}

/// When to do something that is only for people at a terminal.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum When {
    /// On a terminal
    #[default]
    Auto,
    /// In every case
    Always,
    /// In no case
    Never,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Serve the console on a simulated pool
    Demo(Demo),
    /// Serve the console, and forward its calls to pools
    Serve(Serve),
    /// Run a simulated pool that answers XenAPI
    Sim(Sim),
    /// Make one call and print its result as JSON
    Call(Call),
    /// Print a pool's events as they happen
    Events(Events),
    /// Write down all objects of a pool, as the server sends them
    Record(Record),
    /// Draw a pool
    Topology(Topology),
    /// Tell what stops if something fails
    Impact(Impact),
    /// Look at a server's certificate and remember it as trusted
    Trust(Trust),
    /// Show what the schema knows about a class, a field or a message
    Schema(Schema),
    /// Print the completions of a shell
    Completions(Completions),
    /// Print the manual, or write its pages into a folder
    Man(Man),
}

impl Command {
    /// Whether programs read what it says, errors included.
    pub fn is_for_programs(&self) -> bool {
        match self {
            Command::Demo(args) => args.front.json,
            Command::Serve(args) => args.front.json,
            Command::Sim(args) => args.json,
            Command::Call(args) => args.json,
            Command::Events(args) => args.json,
            Command::Record(args) => args.json,
            Command::Topology(args) => args.json,
            Command::Impact(args) => args.json,
            Command::Trust(args) => args.json,
            Command::Schema(args) => args.json,
            Command::Completions(_) | Command::Man(_) => false,
        }
    }
}

/// `demo`
#[derive(Args, Debug)]
#[command(after_long_help = xenapi_sim::faults::GRAMMAR)]
pub struct Demo {
    /// The pool.
    #[command(flatten)]
    pub pool: Simulated,
    /// The console and the proxy.
    #[command(flatten)]
    pub front: Front,
}

/// `serve`
#[derive(Args, Debug)]
pub struct Serve {
    /// The console and the proxy.
    #[command(flatten)]
    pub front: Front,
}

/// What pool to simulate.
#[derive(Args, Debug)]
pub struct Simulated {
    /// Hosts of the pool, 1 to 64 [default: as many as the scenario has]
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=64))]
    pub hosts: Option<u16>,
    /// VMs of the pool, beside templates, snapshots and control domains, up to 10000 [default: as many as the scenario has]
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(0..=10_000))]
    pub vms: Option<u16>,
    /// The kind of pool.
    #[arg(long, value_name = "NAME", default_value_t = Scenario::Standard, help = values::scenarios())]
    pub scenario: Scenario,
    /// Let guests start, stop, move and fill their disks by themselves: so many changes a minute
    #[arg(long, value_name = "RATE", num_args = 0..=1, default_missing_value = "30", value_parser = value_parser!(u32).range(1..=60_000))]
    pub life: Option<u32>,
    /// The same seed makes the same pool
    #[arg(long, default_value_t = 1, value_name = "S")]
    pub seed: u64,
    /// Show recordings instead: a folder with CLASS.get_all_records.xml files
    #[arg(long, value_name = "DIR", conflicts_with_all = ["hosts", "vms", "seed", "scenario", "database"])]
    pub records: Option<PathBuf>,
    /// Show the pool of a support bundle instead: xapi-db.xml, compressed or not, or the bundle's archive
    #[arg(long, value_name = "FILE", conflicts_with_all = ["hosts", "vms", "seed", "scenario"])]
    pub database: Option<PathBuf>,
    /// Let things go wrong; --help tells how they are written (repeatable)
    #[arg(long, value_name = "FAULTS")]
    pub faults: Vec<FaultList>,
}

/// The console and the proxy.
#[derive(Args, Debug)]
pub struct Front {
    /// Where browsers connect; port 0 is any free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR", value_parser = values::address)]
    pub listen: Option<SocketAddr>,
    /// The folder of the built console [default: where `cargo xtask web` puts it]
    #[arg(long, value_name = "DIR")]
    pub console: Option<PathBuf>,
    /// Read pools and limits from a TOML file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Pools to serve.
    #[arg(long, help = "A pool to serve: https://HOST[:PORT], http://HOST[:PORT] or unix:PATH (repeatable)", value_name = "NAME=URL", value_parser = values::named_target)]
    pub pool: Vec<Named<xenapi_hyper::Target>>,
    /// The SHA-256 of a pool's certificate, where `xenoxide trust` does not know it (repeatable)
    #[arg(long, value_name = "NAME=SHA256", value_parser = values::named_fingerprint)]
    pub fingerprint: Vec<Named<Fingerprint>>,
    /// The file with the password that root is asked for at a pool behind unix:PATH, which itself asks for none (repeatable)
    #[arg(long, value_name = "NAME=FILE", value_parser = values::named_file)]
    pub pool_password_file: Vec<Named<PathBuf>>,
    /// Refuse calls that may change something
    #[arg(long)]
    pub read_only: bool,
    /// Print one line of JSON when ready
    #[arg(long)]
    pub json: bool,
}

/// `sim`
#[derive(Args, Debug)]
#[command(
    after_help = "GET /xenoxide/faults lists the faults of a pool that runs, POST adds those in its body, PUT puts them in the place \
                  of all; root's password or session is needed, or the Unix socket.",
    after_long_help = SIM_HELP.as_str()
)]
pub struct Sim {
    /// Where it answers plain HTTP; port 0 is any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8081", value_parser = values::address)]
    pub listen: SocketAddr,
    /// Where it answers HTTPS, with a certificate made at the start
    #[arg(long, value_name = "ADDR", value_parser = values::address)]
    pub tls_listen: Option<SocketAddr>,
    /// Give each host an address of its own: the master's is the one given, the members' are the next ones (127.0.0.2, …), on the
    /// same ports. Members send callers to the master
    #[arg(long)]
    pub spread: bool,
    /// A Unix socket on which it answers; its callers are root
    #[arg(long, value_name = "PATH")]
    pub unix: Option<PathBuf>,
    /// Print every explicit message and whether it is simulated, and end
    #[arg(long)]
    pub coverage: bool,
    /// Print one line of JSON when ready
    #[arg(long)]
    pub json: bool,
    /// The pool.
    #[command(flatten)]
    pub pool: Simulated,
}

/// What `sim --help` says after the options.
static SIM_HELP: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{}\n\nGET /xenoxide/faults lists the faults of a pool that runs (number, how often it happened, fault); POST adds those in its\n\
         body; PUT puts them in the place of all, so that an empty body ends all. root's password or session is needed, or the Unix socket:\n  \
         curl -u root:xenoxide --data 'delay=2s:method=VM.start' http://127.0.0.1:8081/xenoxide/faults",
        xenapi_sim::faults::GRAMMAR
    )
});

/// `call`
#[derive(Args, Debug)]
#[command(
    after_help = "Arguments are read by the schema's types. Objects are given by reference, by uuid, or by a name that only \
                        one object has; sets, maps and records as JSON: '[\"a\", \"b\"]', '{\"key\": \"value\"}'. What begins with a \
                        hyphen and is no number comes after `--`."
)]
pub struct Call {
    /// Where to.
    #[command(flatten)]
    pub connection: Connection,
    /// The method, for example VM.get_all_records or VM.start
    #[arg(value_name = "Class.method")]
    pub method: String,
    /// Its parameters, without the session
    #[arg(value_name = "ARG", allow_negative_numbers = true)]
    pub args: Vec<String>,
    /// Make the call as a task, show its progress, and wait for its result
    #[arg(long = "async")]
    pub as_task: bool,
    /// When to show the progress of the task: auto (a bar on a terminal), always (elsewhere as lines), never
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = When::Auto, hide_possible_values = true)]
    pub progress: When,
    /// Print the result, and an error, in one line of JSON
    #[arg(long)]
    pub json: bool,
}

/// `events`
#[derive(Args, Debug)]
pub struct Events {
    /// Where from.
    #[command(flatten)]
    pub connection: Connection,
    /// The classes to follow, separated by commas
    #[arg(long, value_name = "CLASS", value_delimiter = ',', default_value = "*")]
    pub classes: Vec<String>,
    /// Begin with all objects as they are; of recordings, which do not change, that is all there is
    #[arg(long)]
    pub all: bool,
    /// End after so many events
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// Print a line of JSON for each event, as is done where the output is no terminal
    #[arg(long)]
    pub json: bool,
    /// Print a line for people for each event, as is done on a terminal: what changed, and to what
    #[arg(long, conflicts_with = "json")]
    pub text: bool,
}

/// `record`
#[derive(Args, Debug)]
pub struct Record {
    /// Where from.
    #[command(flatten)]
    pub connection: Connection,
    /// The folder for the files CLASS.get_all_records.xml
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Only these classes, separated by commas
    #[arg(long, value_name = "CLASS", value_delimiter = ',')]
    pub classes: Vec<String>,
    /// Replace files that are there
    #[arg(long)]
    pub force: bool,
    /// When to show the progress: auto (a bar on a terminal), always (elsewhere as lines), never
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = When::Auto, hide_possible_values = true)]
    pub progress: When,
    /// Print what was recorded, and an error, in one line of JSON
    #[arg(long)]
    pub json: bool,
}

/// `topology`
#[derive(Args, Debug)]
pub struct Topology {
    /// Where from.
    #[command(flatten)]
    pub connection: Connection,
    /// What to look at
    #[arg(long, value_enum, default_value_t = Lens::Compute)]
    pub lens: Lens,
    /// How to draw it
    #[arg(long, value_enum, default_value_t = Format::Svg)]
    pub format: Format,
    /// Draw every object instead of folding siblings into groups
    #[arg(long)]
    pub all: bool,
    /// Draw templates and snapshots too
    #[arg(long)]
    pub templates: bool,
    /// Light on dark (SVG)
    #[arg(long)]
    pub dark: bool,
    /// Write it into a file instead of printing it
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// The same as --format json; an error is JSON, too
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
}

/// `impact`
#[derive(Args, Debug)]
pub struct Impact {
    /// Where from.
    #[command(flatten)]
    pub connection: Connection,
    /// What fails.
    #[arg(
        value_name = "CLASS UUID",
        conflicts_with = "spof",
        help = "What fails: a class (host, PIF, network, SR, PBD) and the uuids, references or names of one or more of its \
                objects; then perhaps another class. All fail together"
    )]
    pub objects: Vec<String>,
    /// List the single points of failure instead
    #[arg(long)]
    pub spof: bool,
    /// Print JSON, errors included
    #[arg(long)]
    pub json: bool,
}

/// What a topology looks at.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lens {
    /// Pool, hosts, VMs
    Compute,
    /// VMs, disks, storage repositories, hosts
    Storage,
    /// VMs, networks, interfaces, hosts
    Network,
}

/// How a topology is drawn.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// A picture
    Svg,
    /// For Graphviz
    Dot,
    /// For Markdown
    Mermaid,
    /// For programs
    Json,
}

/// `trust`
#[derive(Args, Debug)]
#[command(
    after_help = "Certificates are remembered in the file $XENOXIDE_KNOWN_HOSTS, by default ~/.config/xenoxide/known_hosts: \
                        a line `HOST:PORT SHA256` each."
)]
pub struct Trust {
    /// The server.
    #[arg(value_name = "TARGET", help = "https://HOST[:PORT]")]
    pub target: xenapi_hyper::Target,
    /// Trust it only if it has this SHA-256
    #[arg(long, value_name = "SHA256")]
    pub fingerprint: Option<Fingerprint>,
    /// Replace another certificate that was trusted before
    #[arg(long)]
    pub replace: bool,
    /// Trust the other hosts of its pool, too, as it knows them; this logs in
    #[arg(long)]
    pub pool: bool,
    /// Who asks for the pool's certificates.
    #[command(flatten)]
    pub who: Who,
    /// Print what was found and done, and an error, in one line of JSON
    #[arg(long)]
    pub json: bool,
}

/// `schema`
#[derive(Args, Debug)]
pub struct Schema {
    /// A class, a field or a message: VM, VM.name_label, VM.start; or an error or an enumeration; without one, all classes
    #[arg(value_name = "CLASS[.member]")]
    pub name: Option<String>,
    /// Print JSON: the whole model, or what is declared of that name
    #[arg(long)]
    pub json: bool,
}

/// `completions`
#[derive(Args, Debug)]
#[command(
    after_help = "For example:\n  xenoxide completions bash > ~/.local/share/bash-completion/completions/xenoxide\n  \
                  xenoxide completions zsh > \"${fpath[1]}/_xenoxide\"\n  \
                  xenoxide completions fish > ~/.config/fish/completions/xenoxide.fish"
)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// `man`
#[derive(Args, Debug)]
pub struct Man {
    /// Write a page for each command into this folder, xenoxide.1, xenoxide-call.1 and so on, instead of printing the first
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn nonsense_is_refused_and_says_what() {
        let wrong: [(&[&str], &str); 15] = [
            (&["frobnicate"], "frobnicate"),
            (&["sim", "--hosts", "0"], "1..=64"),
            (&["sim", "--vms", "10001"], "10000"),
            (&["sim", "--listen", "nowhere"], "nowhere"),
            (&["sim", "--records", "x", "--seed", "2"], "--seed"),
            (&["sim", "--records", "x", "--database", "y"], "--database"),
            (&["sim", "--scenario", "island"], "branch-office"),
            (&["sim", "--life", "0"], "1..=60000"),
            (&["call", "database:", "VM.get_all"], "database:FILE"),
            (&["sim", "--faults", "fly"], "there is no fault \"fly\""),
            (&["demo", "--faults", "drop;delay=5"], "\"5\" is no time"),
            (&["serve", "--pool", "lab"], "NAME=URL"),
            (&["serve", "--pool", "a/b=https://x"], "a/b"),
            (&["call", "ftp://pool", "VM.get_all"], "https://"),
            (&["serve", "--fingerprint", "lab=abc"], "SHA-256"),
        ];
        for (args, says) in wrong {
            let error = Cli::try_parse_from([&["xenoxide"], args].concat()).expect_err("it is refused");
            assert_eq!(error.exit_code(), 2, "{args:?}");
            assert!(error.to_string().contains(says), "{args:?}: {error}");
        }
    }

    #[test]
    fn arguments_may_be_negative_numbers() {
        let cli = Cli::try_parse_from(["xenoxide", "call", "unix:/x", "VM.set_order", "OpaqueRef:1", "-1"]);
        let Ok(Cli { command: Command::Call(call), .. }) = cli else { panic!("{cli:?}") };
        assert_eq!(call.args, ["OpaqueRef:1", "-1"]);
    }
}
