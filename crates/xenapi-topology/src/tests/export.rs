//! Pictures and texts that other programs read.

use alloc::string::String;
use alloc::vec::Vec;

use super::{chaos, sample};
use crate::{Graph, Lens, Metrics, Options, State, Theme, dot, graph, json, layout, mermaid, svg};

fn some_graphs() -> Vec<Graph> {
    let mut graphs = Vec::new();
    for lens in Lens::ALL {
        graphs.push(graph(&sample::pool(3, 24, 1), lens, &Options::default()));
        graphs.push(graph(&xenapi_client::Cache::new(), lens, &Options::default()));
        graphs.extend((0..20).map(|seed| graph(&chaos::cache(seed, 0), lens, &Options::default())));
    }
    graphs
}

/// Reads XML as far as needed to see that every tag is closed in order and that no text holds markup.
fn assert_well_formed(xml: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = xml;
    while let Some(start) = rest.find('<') {
        let text = &rest[..start];
        assert!(!text.contains('>'), "{text:?}");
        for entity in text.split('&').skip(1) {
            assert!(["lt;", "gt;", "amp;", "quot;"].iter().any(|known| entity.starts_with(known)), "{text:?}");
        }
        let end = start + rest[start..].find('>').expect("a tag ends");
        let tag = &rest[start + 1..end];
        assert!(tag.matches('"').count().is_multiple_of(2), "{tag}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(tag.split(' ').next().unwrap());
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty() && rest.trim().is_empty());
    assert!(!xml.chars().any(|c| c.is_control() && c != '\n'));
}

#[test]
fn svg_is_well_formed_titled_and_self_contained() {
    for graph in some_graphs() {
        let layout = layout(&graph, &Metrics::default());
        for theme in Theme::ALL {
            let picture = svg(&graph, &layout, theme);
            assert_well_formed(&picture);
            assert!(picture.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
            assert!(picture.contains("role=\"img\"") && picture.contains("<title id=\"topology-title\">"));
            assert!(
                !picture.contains("href")
                    && !picture.contains("url(")
                    && !picture.contains("NaN")
                    && !picture.contains("inf")
            );
            assert!(picture.contains(theme.palette().surface));
        }
    }
}

#[test]
fn the_legend_shows_the_states_in_use_and_no_others() {
    let graph = graph(&sample::pool(2, 10, 1), Lens::Compute, &Options::everything());
    let picture = svg(&graph, &layout(&graph, &Metrics::default()), Theme::Light);
    for state in State::ALL {
        let used = graph.nodes.iter().any(|node| node.state == state);
        assert_eq!(picture.contains(&alloc::format!(">{}</text>", state.name())), used, "{state}");
    }
}

#[test]
fn json_is_json_and_holds_everything() {
    for graph in some_graphs() {
        let value: serde_json::Value = serde_json::from_str(&json(&graph)).unwrap();
        let list = |name: &str| value[name].as_array().unwrap().len();
        assert_eq!(
            (list("nodes"), list("edges"), list("columns")),
            (graph.nodes.len(), graph.edges.len(), graph.columns.len())
        );
        assert_eq!(value["lens"], graph.lens.name());
        for (node, json) in graph.nodes.iter().zip(value["nodes"].as_array().unwrap()) {
            assert_eq!(json["label"].as_str().unwrap(), node.label);
            assert_eq!(json["ref"].as_str(), node.object.as_ref().map(|(_, reference)| reference.as_str()));
        }
    }
}

#[test]
fn dot_and_mermaid_name_every_node_and_edge_on_a_line_of_its_own() {
    for graph in some_graphs() {
        let lines = |text: &str, of: &str| text.lines().filter(|line| line.contains(of)).count();
        let dot = dot(&graph);
        assert!(dot.starts_with("digraph ") && dot.ends_with("}\n"));
        assert_eq!(lines(&dot, " [label="), graph.nodes.len());
        assert_eq!(lines(&dot, " [style="), graph.edges.len());
        let mermaid = mermaid(&graph);
        assert_eq!(mermaid.lines().count(), 1 + graph.nodes.len() + graph.edges.len());
        assert!(mermaid.lines().all(|line| line.matches('"').count() % 2 == 0));
    }
}

#[test]
fn lenses_are_named_and_read_back() {
    for lens in Lens::ALL {
        assert_eq!(lens.name().parse(), Ok(lens));
    }
    let error: String = alloc::format!("{}", "pools".parse::<Lens>().unwrap_err());
    assert_eq!(error, "\"pools\" is no lens: use compute, storage or network");
}
