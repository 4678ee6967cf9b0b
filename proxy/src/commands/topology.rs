//! `xenoxide topology`: a picture of a pool.

use std::fs;

use xenapi_client::Cache;
use xenapi_codec::{Limits, xmlrpc};
use xenapi_model::errors;
use xenapi_topology::{Graph, Metrics, Options, Theme};

use super::connection::{Connection, explain, refused};
use crate::cli::{Exit, Format, Lens, Topology, When, exit};
use crate::output::{self, Progress};

/// Where a simulated pool that was made out of recordings lists the classes that were recorded.
const RECORDED: &str = "xenoxide:recorded-classes";

/// Runs the command.
pub(super) async fn run(args: &Topology) -> Result<(), Exit> {
    let cache = Connection::within(&args.connection, load).await?;
    let mut options = if args.all { Options::everything() } else { Options::default() };
    options.show_templates = args.templates;
    let lens = match args.lens {
        Lens::Compute => xenapi_topology::Lens::Compute,
        Lens::Storage => xenapi_topology::Lens::Storage,
        Lens::Network => xenapi_topology::Lens::Network,
    };
    let graph = xenapi_topology::graph(&cache, lens, &options);
    if graph.capped {
        output::say(&format!("note: not all of the {} objects are drawn; --all draws them", graph.total));
    }
    let drawn = draw(&graph, args);
    match &args.out {
        Some(path) => {
            fs::write(path, drawn).map_err(|error| Exit::failure(format!("cannot write {}: {error}", path.display())))
        }
        None => output::line(drawn.trim_end()),
    }
}

fn draw(graph: &Graph, args: &Topology) -> String {
    match if args.json { Format::Json } else { args.format } {
        Format::Svg => {
            let layout = xenapi_topology::layout(graph, &Metrics::default());
            xenapi_topology::svg(graph, &layout, if args.dark { Theme::Dark } else { Theme::Light })
        }
        Format::Dot => xenapi_topology::dot(graph),
        Format::Mermaid => xenapi_topology::mermaid(graph),
        Format::Json => xenapi_topology::json(graph),
    }
}

/// All objects that a picture may need. Classes that nobody recorded, or that an old server does not know, stay unknown.
pub(super) async fn load(connection: &Connection) -> Result<Cache, Exit> {
    let mut cache = Cache::new();
    cache.track_console();
    let mut progress = Progress::new(When::Auto, "load");
    load_class(connection, &mut cache, "pool", &mut progress).await?;
    let recorded =
        cache.iter::<xenapi_model::Pool>().find_map(|(_, pool)| pool.other_config.get(RECORDED).map(String::from));
    let is_there = |class: &str| recorded.as_deref().is_none_or(|list| list.split(',').any(|recorded| recorded == class));
    // Tasks and messages are in no picture, and there may be very many.
    let wanted = |class: &str| !matches!(class, "pool" | "session" | "event" | "task" | "message");
    let classes: Vec<&str> =
        cache.classes().map(|class| class.name).filter(|class| wanted(class) && is_there(class)).collect();
    for (at, class) in classes.iter().enumerate() {
        progress.step(at, classes.len(), &format!("load {class}"));
        load_class(connection, &mut cache, class, &mut progress).await?;
    }
    Ok(cache)
}

async fn load_class(connection: &Connection, cache: &mut Cache, class: &str, progress: &mut Progress) -> Result<(), Exit> {
    let method = format!("{class}.get_all_records");
    let bytes = connection.fetch(&method).await?;
    let target = connection.client().target();
    let unreadable = |what: String| {
        Exit::new(
            exit::PROTOCOL,
            format!("{method}: the answer of {target} cannot be read: {what}; check that this is a XenAPI server"),
        )
    };
    let outcome = xmlrpc::read_reply(&bytes, &Limits::reply()).map_err(|error| unreadable(error.to_string()))?;
    match outcome {
        xmlrpc::Outcome::Success(mut reader) => {
            let loaded = cache.load_records(class, &mut reader).map_err(|error| unreadable(error.to_string()))?;
            if let Some(first) = loaded.wrong.first() {
                let count = loaded.wrong.len();
                progress.say(&format!("note: {count} objects of class {class} cannot be read, and are left out: {first}"));
            }
            Ok(())
        }
        xmlrpc::Outcome::Failure(failure) if failure.code == errors::SESSION_INVALID => {
            Err(refused(connection.client().target(), &method, &failure))
        }
        xmlrpc::Outcome::Failure(failure) => {
            progress.say(&format!("note: {class} is left out: {}", explain(&failure)));
            Ok(())
        }
        xmlrpc::Outcome::Fault { code, text } => Err(unreadable(format!("fault {code}: {text}"))),
        _ => Err(unreadable("it is of a kind that is not known here".into())),
    }
}
