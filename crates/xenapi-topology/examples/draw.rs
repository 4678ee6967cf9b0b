//! Draws a made-up pool through every lens, light and dark, and says how long that takes:
//! `cargo run -p xenapi-topology --example draw -- DIRECTORY [HOSTS VMS]`.

extern crate alloc;

use core::time::Duration;
use std::time::Instant;

use xenapi_client::Cache;
use xenapi_topology::{Lens, Metrics, Options, Theme, graph, layout, svg};

#[path = "../src/tests/sample.rs"]
mod sample;

fn main() -> std::io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let directory = args.first().map_or(".", String::as_str);
    let number = |at: usize, default: usize| args.get(at).and_then(|text| text.parse().ok()).unwrap_or(default);
    let cache = sample::pool(number(1, 3), number(2, 24), 1);
    for lens in Lens::ALL {
        let graph = graph(&cache, lens, &Options::default());
        let placed = layout(&graph, &Metrics::default());
        let took = (0..20).map(|_| time(&cache, lens)).min().unwrap_or_default();
        let (nodes, edges) = (graph.nodes.len(), graph.edges.len());
        println!("{lens}: {nodes} nodes, {edges} edges for {} objects in {took:?}", graph.total);
        for theme in Theme::ALL {
            std::fs::write(format!("{directory}/{lens}-{theme:?}.svg"), svg(&graph, &placed, theme))?;
        }
    }
    Ok(())
}

/// How long graph and layout take.
fn time(cache: &Cache, lens: Lens) -> Duration {
    let start = Instant::now();
    let graph = graph(cache, lens, &Options::default());
    let placed = layout(&graph, &Metrics::default());
    assert_eq!(placed.nodes.len(), graph.nodes.len());
    start.elapsed()
}
