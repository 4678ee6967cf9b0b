//! The graph for other programs: DOT, Mermaid, JSON.

use alloc::format;
use alloc::string::String;
use core::fmt::Write;

use crate::graph::{Graph, Node};
use crate::state::EdgeState;
use crate::text::join;

/// For Graphviz.
pub fn dot(graph: &Graph) -> String {
    let mut out = format!("digraph {} {{\n  rankdir=LR;\n  node [shape=box, style=rounded];\n", graph.lens);
    for column in 0..graph.columns.len() {
        out.push_str("  { rank=same;");
        for at in (0..graph.nodes.len()).filter(|at| graph.nodes[*at].column == column) {
            let _ = write!(out, " n{at};");
        }
        out.push_str(" }\n");
    }
    for (at, node) in graph.nodes.iter().enumerate() {
        let label = quoted(&join(&[&node.label, &node.detail]));
        let _ = writeln!(out, "  n{at} [label={label}, tooltip={}];", quoted(node.state.name()));
    }
    for edge in &graph.edges {
        let style = match edge.state {
            EdgeState::Active => "solid",
            EdgeState::Inactive => "dashed",
            EdgeState::Broken => "bold",
            EdgeState::Unknown => "dotted",
        };
        let _ = writeln!(out, "  n{} -> n{} [style={style}, weight={}];", edge.from, edge.to, edge.weight.min(1000));
    }
    out.push_str("}\n");
    out
}

/// For Mermaid, which wikis and code hosts draw.
pub fn mermaid(graph: &Graph) -> String {
    let mut out = String::from("flowchart LR\n");
    for (at, node) in graph.nodes.iter().enumerate() {
        let _ = writeln!(out, "  n{at}[\"{}\"]", mermaid_text(node));
    }
    for edge in &graph.edges {
        let arrow = if edge.state == EdgeState::Active { "---" } else { "-.-" };
        let _ = writeln!(out, "  n{} {arrow} n{}", edge.from, edge.to);
    }
    out
}

/// Mermaid takes entity codes where its own marks would be read otherwise.
fn mermaid_text(node: &Node) -> String {
    let mut out = String::new();
    for c in join(&[&node.label, &node.detail, node.state.name()]).chars() {
        match c {
            '"' | '#' | '&' | '<' | '>' | '[' | ']' | '{' | '}' | '(' | ')' | '`' | ';' | '\\' | '|' => {
                let _ = write!(out, "#{};", u32::from(c));
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// As JSON: `lens`, `pool`, `columns`, `nodes`, `edges`, `total`, `capped`. Edges name their ends by the nodes' ids.
pub fn json(graph: &Graph) -> String {
    let mut out = format!("{{\"lens\":\"{}\",\"pool\":{},\"columns\":[", graph.lens, quoted(&graph.pool));
    for (at, column) in graph.columns.iter().enumerate() {
        let heading = quoted(column.kind.heading());
        let _ =
            write!(out, "{}{{\"heading\":{heading},\"count\":{},\"unknown\":{}}}", comma(at), column.count, column.unknown);
    }
    out.push_str("],\"nodes\":[");
    for (at, node) in graph.nodes.iter().enumerate() {
        out.push_str(comma(at));
        json_node(node, &mut out);
    }
    out.push_str("],\"edges\":[");
    for (at, edge) in graph.edges.iter().enumerate() {
        let (from, to) = (quoted(graph.nodes[edge.from].id.as_str()), quoted(graph.nodes[edge.to].id.as_str()));
        let (state, weight, active) = (edge.state.name(), edge.weight, edge.active);
        let ends = format!("\"from\":{from},\"to\":{to}");
        let _ = write!(out, "{}{{{ends},\"state\":\"{state}\",\"weight\":{weight},\"active\":{active}}}", comma(at));
    }
    let _ = write!(out, "],\"total\":{},\"capped\":{}}}", graph.total, graph.capped);
    out
}

fn json_node(node: &Node, out: &mut String) {
    let (id, label, detail) = (quoted(node.id.as_str()), quoted(&node.label), quoted(&node.detail));
    let _ = write!(out, "{{\"id\":{id},\"kind\":{},\"column\":{},", quoted(node.kind.name()), node.column);
    let _ = write!(out, "\"label\":{label},\"detail\":{detail},\"state\":\"{}\"", node.state.name());
    if let Some((class, reference)) = &node.object {
        let _ = write!(out, ",\"class\":{},\"ref\":{}", quoted(class), quoted(reference.as_str()));
    }
    if node.is_group() {
        let _ = write!(out, ",\"folded\":{},\"members\":[", node.folded);
        for (at, (class, reference)) in node.members.iter().enumerate() {
            let _ = write!(out, "{}{{\"class\":{},\"ref\":{}}}", comma(at), quoted(class), quoted(reference.as_str()));
        }
        out.push(']');
    }
    out.push('}');
}

fn comma(at: usize) -> &'static str {
    if at == 0 { "" } else { "," }
}

/// A string in quotes, as JSON writes it; DOT reads it the same way, as labels hold no line breaks.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
