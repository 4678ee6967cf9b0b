//! The topology's layout, as `layout.mjs` calls it: pools, their drawings, and how long they take.

use core::fmt::Write as _;

use wasm_bindgen::prelude::wasm_bindgen;
use xenapi_client::Cache;
use xenapi_core::{Millis, RawCall, Value, ValueReader};
use xenapi_sim::{Config, Handled, Origin, Outcome, PASSWORD, Scenario, Sim};
use xenapi_topology::impact::{Component, Survey, impact};
use xenapi_topology::{Graph, Layout, Lens, Metrics, Options, Segment, graph, layout};

/// A pool, as a console would know it.
#[wasm_bindgen]
pub struct Pool {
    cache: Cache,
    graph: Option<Graph>,
    survey: Option<Survey>,
}

#[wasm_bindgen]
impl Pool {
    /// A simulated pool of a scenario; none of that name is the standard one.
    #[wasm_bindgen(constructor)]
    pub fn new(scenario: &str, hosts: usize, vms: usize) -> Pool {
        let scenario = scenario.parse().unwrap_or(Scenario::Standard);
        let mut sim = Sim::new(&Config { hosts, vms, ..Config::of(scenario) });
        Pool { cache: load(&mut sim).unwrap_or_default(), graph: None, survey: None }
    }

    /// Makes the graph of a lens, folded as it is shown first or whole. Answers how many nodes it has.
    pub fn graph(&mut self, lens: &str, whole: bool) -> usize {
        let options = if whole { Options::everything() } else { Options::default() };
        let graph = graph(&self.cache, lens.parse().unwrap_or(Lens::Compute), &options);
        let nodes = graph.nodes.len();
        self.graph = Some(graph);
        nodes
    }

    /// Lays out the graph that was made last. Answers how many lines there are.
    pub fn layout(&self) -> usize {
        self.graph.as_ref().map_or(0, |graph| layout(graph, &Metrics::default()).edges.len())
    }

    /// The graph that was made last and its layout: `nodes` as [width, height], `edges` as [from, to], `lines` as lists of points.
    pub fn drawing(&self) -> String {
        self.graph.as_ref().map(|graph| drawing(graph, &layout(graph, &Metrics::default()))).unwrap_or_default()
    }

    /// What follows if the first host fails: how many VMs depend on it.
    pub fn impact(&self) -> usize {
        let host = self.cache.iter::<xenapi_model::Host>().next().map(|(host, _)| Component::Host(host));
        impact(&self.cache, host.as_slice()).vms.len()
    }

    /// Begins to search for single points of failure.
    pub fn survey(&mut self) {
        self.survey = Some(Survey::new(&self.cache));
    }

    /// Looks at so many objects more; answers whether there is more to do.
    pub fn step(&mut self, objects: usize) -> bool {
        self.survey.as_mut().is_some_and(|survey| survey.step(objects))
    }
}

/// All records of a simulated pool.
fn load(sim: &mut Sim) -> Option<Cache> {
    let call = |method: &str, params: Vec<Value>| RawCall { method: method.into(), params };
    let text = |text: &str| Value::Text(text.into());
    let login = call("session.login_with_password", vec![text("root"), text(PASSWORD), text("1.0"), text("bench")]);
    let session = answer(sim, login)?;
    let mut cache = Cache::new();
    cache.track_console();
    let classes: Vec<&str> = cache.classes().map(|class| class.name).collect();
    for class in classes {
        if let Some(records) = answer(sim, call(&format!("{class}.get_all_records"), vec![session.clone()])) {
            cache.load_records(class, &mut ValueReader::new(&records)).ok()?;
        }
    }
    Some(cache)
}

fn answer(sim: &mut Sim, call: RawCall) -> Option<Value> {
    match sim.handle(call, Origin::Tcp, Millis(0)) {
        Handled::Done(Outcome::Value(value)) => Some(value),
        Handled::Done(Outcome::Shared(shared)) => Some(shared.to_value()),
        _ => None,
    }
}

fn drawing(graph: &Graph, layout: &Layout) -> String {
    let list = |items: &mut dyn Iterator<Item = String>| items.collect::<Vec<_>>().join(",");
    let nodes = list(&mut layout.nodes.iter().map(|rect| format!("[{},{}]", rect.width, rect.height)));
    let edges = list(&mut graph.edges.iter().map(|edge| format!("[{},{}]", edge.from, edge.to)));
    let lines = list(&mut layout.edges.iter().map(|curve| {
        let mut line = format!("[[{},{}]", curve.start.x, curve.start.y);
        for segment in &curve.segments {
            let end = match segment {
                Segment::Line(end) | Segment::Cubic(_, _, end) => end,
            };
            // Writing into a string cannot fail.
            let _ = write!(line, ",[{},{}]", end.x, end.y);
        }
        line + "]"
    }));
    format!("{{\"nodes\":[{nodes}],\"edges\":[{edges}],\"lines\":[{lines}]}}")
}
