//! Saving what is drawn.

use wasm_bindgen_futures::spawn_local;
use xenapi_console::graph::Drawing;
use xenapi_console::text::Text;
use xenapi_topology::{Graph, Metrics, Theme, dot, json, mermaid, svg};
use yew::prelude::*;

use crate::dom;
use crate::store::Data;

/// How a drawing can be saved: the word in names and tests, and what it is called.
pub(super) const FORMATS: [(&str, Text); 5] = [
    ("svg", Text::SaveSvg),
    ("png", Text::SavePng),
    ("dot", Text::SaveDot),
    ("mermaid", Text::SaveMermaid),
    ("json", Text::SaveJson),
];

/// Saves what is drawn, filtered and folded as it is. Files speak English, as those of the command line do, so that they can be compared.
pub(super) fn save(format: &'static str, data: &Data, drawing: &Drawing) -> Callback<MouseEvent> {
    let (data, wanted) = (data.clone(), drawing.wanted.clone());
    Callback::from(move |_: MouseEvent| {
        let graph = data.with(|cache| xenapi_topology::graph(cache, wanted.lens, &wanted.options()));
        let name = |ending: &str| file_name(&graph, ending);
        match format {
            "dot" => dom::transfer::save(&name("dot"), "text/vnd.graphviz", &dot(&graph)),
            "mermaid" => dom::transfer::save(&name("mmd"), "text/plain", &mermaid(&graph)),
            "json" => dom::transfer::save(&name("json"), "application/json", &json(&graph)),
            _ => {
                let layout = xenapi_topology::layout(&graph, &Metrics::default());
                let theme = if dom::is_dark() { Theme::Dark } else { Theme::Light };
                let picture = svg(&graph, &layout, theme);
                if format == "svg" {
                    return dom::transfer::save(&name("svg"), "image/svg+xml", &picture);
                }
                let size = |attribute: &str| -> f64 {
                    let value = picture.split_once(attribute).and_then(|(_, rest)| rest.split('"').next());
                    value.and_then(|value| value.parse().ok()).unwrap_or(1.0)
                };
                let (width, height) = (size(" width=\""), size(" height=\""));
                spawn_local(dom::save::png(name("png"), picture, width, height));
            }
        }
    })
}

/// The pool and the lens, in characters that every file system takes.
fn file_name(graph: &Graph, ending: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
    let pool: String = graph.pool.chars().map(plain).collect();
    let pool = if pool.is_empty() { "pool".into() } else { pool };
    format!("{pool}-{}.{ending}", graph.lens)
}
