//! Draws a pool as SVG: `compute`, `storage` or `network`.
//!
//! ```sh
//! cargo run -p xenapi --features topology --example topology -- https://xs1.lab root secret network >pool.svg
//! ```

pub mod common;

use common::{Fault, Task};
use xenapi::Live;
use xenapi::client::{Client as Machine, Config};
use xenapi::topology::{Lens, Metrics, Options, Theme, graph, layout, svg};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fault> {
    let mut out = std::io::stdout();
    run(common::task(&mut out)?).await
}

/// The example itself.
pub async fn run(task: Task<'_>) -> Result<(), Fault> {
    let lens: Lens =
        task.rest.first().map_or("compute", String::as_str).parse().map_err(|_| "compute, storage or network?")?;
    let mut machine = Machine::new(Config::new(task.user, task.password));
    machine.track_console();
    let live = Live::start(task.transport, machine);
    live.loaded().await?;
    let graph = live.with(|machine| graph(machine.cache(), lens, &Options::default()));
    writeln!(task.out, "{}", svg(&graph, &layout(&graph, &Metrics::default()), Theme::Light))?;
    live.logout().await;
    Ok(())
}
