//! Says how long the layout of everything and the answers about failures take for a made-up pool:
//! `cargo run --release -p xenapi-topology --example measure -- [HOSTS VMS]`.

extern crate alloc;

use std::time::Instant;

use xenapi_topology::impact::{Component, Survey, impact};
use xenapi_topology::{Lens, Metrics, Options, graph, layout};

#[path = "../src/tests/sample.rs"]
mod sample;

fn main() {
    let args: Vec<usize> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let (hosts, vms) = (args.first().copied().unwrap_or(64), args.get(1).copied().unwrap_or(5_000));
    let cache = sample::pool(hosts, vms, 1);
    for (name, options) in [("folded", Options::default()), ("all", Options::everything())] {
        for lens in Lens::ALL {
            let start = Instant::now();
            let picture = graph(&cache, lens, &options);
            let (drafted, start) = (start.elapsed(), Instant::now());
            let placed = layout(&picture, &Metrics::default());
            let laid_out = start.elapsed();
            let start = Instant::now();
            let again = placed.again(&picture, &picture.clone(), &Metrics::default());
            assert!(again.is_some(), "nothing has changed");
            println!(
                "{lens} {name}: {} nodes, {} edges; graph {drafted:?}, layout {laid_out:?}, again {:?}",
                picture.nodes.len(),
                picture.edges.len(),
                start.elapsed()
            );
        }
    }
    let start = Instant::now();
    let found = impact(&cache, &[Component::Host(sample::reference(1))]);
    println!("impact of a host: {} VMs in {:?}", found.vms.len(), start.elapsed());
    let start = Instant::now();
    let mut survey = Survey::new(&cache);
    println!("survey begins in {:?}", start.elapsed());
    let mut longest = core::time::Duration::ZERO;
    loop {
        let step = Instant::now();
        let more = survey.step(256);
        longest = longest.max(step.elapsed());
        if !more {
            break;
        }
    }
    let (tried, _) = survey.progress();
    println!(
        "{} single points among {tried} parts in {:?}, the longest step of 256 in {longest:?}",
        survey.points().len(),
        start.elapsed()
    );
}
