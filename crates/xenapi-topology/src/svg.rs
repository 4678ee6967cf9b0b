//! A picture that one would put in a document as it is.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::graph::{Column, Edge, Graph, Lens, Node};
use crate::layout::{LABEL_INDENT, Layout, Metrics, PADDING, Rect, is_tall, shown_tally, tally_entry_width};
use crate::state::{EdgeState, State};
use crate::text::{self, coordinate, width};
use crate::theme::{FONTS, Palette, Theme, dashes, stroke_width};

/// The height of the band with the title.
const TITLE: f64 = 44.0;
/// The height of a row of the legend.
const LEGEND_ROW: f64 = 22.0;

/// A self-contained SVG document with title, headings and legend, laid out with [`Metrics::default`].
pub fn svg(graph: &Graph, layout: &Layout, theme: Theme) -> String {
    let legend = legend_rows(graph, layout.width.max(MIN_WIDTH) - 48.0);
    let page = Page { graph, layout, palette: theme.palette(), metrics: Metrics::default(), out: String::new() };
    page.draw(&legend)
}

/// Narrower pictures get room on their right, for the title.
const MIN_WIDTH: f64 = 420.0;

struct Page<'a> {
    graph: &'a Graph,
    layout: &'a Layout,
    palette: &'static Palette,
    metrics: Metrics,
    out: String,
}

/// What a row of the legend holds.
#[derive(Clone, Copy)]
enum Entry {
    Node(State),
    Edge(EdgeState),
}

impl Entry {
    fn name(self) -> &'static str {
        match self {
            Entry::Node(state) => state.name(),
            Entry::Edge(EdgeState::Active) => "active",
            Entry::Edge(EdgeState::Inactive) => "inactive",
            Entry::Edge(EdgeState::Broken) => "broken",
            Entry::Edge(EdgeState::Unknown) => "unknown link",
        }
    }

    fn width(self) -> f64 {
        let sample = if matches!(self, Entry::Node(_)) { 18.0 } else { 34.0 };
        sample + width(self.name(), 11.0) + 18.0
    }
}

/// The states in use, in rows that fit.
fn legend_rows(graph: &Graph, room: f64) -> Vec<Vec<Entry>> {
    let used = |state: &State| {
        graph.nodes.iter().any(|node| node.state == *state || shown_tally(node).iter().any(|(shown, _)| shown == state))
    };
    let drawn = |state: &EdgeState| graph.edges.iter().any(|edge| edge.state == *state);
    let edges = [EdgeState::Active, EdgeState::Inactive, EdgeState::Broken, EdgeState::Unknown];
    let states = State::ALL.into_iter().filter(used).map(Entry::Node);
    let mut rows: Vec<Vec<Entry>> = Vec::new();
    let mut left = 0.0;
    for entry in states.chain(edges.into_iter().filter(drawn).map(Entry::Edge)) {
        match rows.last_mut() {
            Some(row) if entry.width() <= left => row.push(entry),
            _ => {
                rows.push(alloc::vec![entry]);
                left = room;
            }
        }
        left -= entry.width();
    }
    rows
}

impl Page<'_> {
    fn draw(mut self, legend: &[Vec<Entry>]) -> String {
        let (width, height) =
            (self.layout.width.max(MIN_WIDTH), TITLE + self.layout.height + legend.len() as f64 * LEGEND_ROW + 12.0);
        let (w, h) = (coordinate(width), coordinate(height));
        let title = text::join(&[lens_title(self.graph.lens), &self.graph.pool]);
        self.put(&format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" role=\"img\" \
             aria-labelledby=\"topology-title topology-desc\" font-family=\"{FONTS}\">\n<title id=\"topology-title\">{}</title>\n\
             <desc id=\"topology-desc\">{}</desc>\n<rect width=\"{w}\" height=\"{h}\" fill=\"{}\"/>\n",
            escape(&title),
            escape(&summary(self.graph)),
            self.palette.surface
        ));
        self.heading(&title, width);
        self.put(&format!("<g transform=\"translate(0 {})\">\n", coordinate(TITLE - self.metrics.margin / 2.0)));
        self.columns();
        self.edges();
        self.nodes();
        self.put("</g>\n");
        self.legend(legend, height);
        self.put("</svg>\n");
        self.out
    }

    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn heading(&mut self, title: &str, width: f64) {
        let margin = self.metrics.margin;
        let note = if self.graph.capped { " · not everything is drawn" } else { "" };
        let title = text::fit(title, 15.0, width - 2.0 * margin);
        let after = margin + text::width(&title, 15.0) + 14.0;
        let sub = text::fit(&format!("{}{note}", summary(self.graph)), 12.0, (width - margin - after).max(0.0));
        let sub = if sub.chars().count() > 3 { sub } else { String::new() };
        self.put(&format!(
            "<text x=\"{m}\" y=\"31\" font-size=\"15\" font-weight=\"600\" fill=\"{}\">{}<tspan dx=\"14\" font-size=\"12\" \
             font-weight=\"400\" fill=\"{}\">{}</tspan></text>\n",
            self.palette.text,
            escape(&title),
            self.palette.muted,
            escape(&sub),
            m = coordinate(margin)
        ));
    }

    fn columns(&mut self) {
        let y = self.metrics.margin + self.metrics.heading - 13.0;
        self.put(&format!("<g font-size=\"11\" fill=\"{}\">\n", self.palette.muted));
        for at in 0..self.graph.columns.len() {
            let (column, placed) = (&self.graph.columns[at], self.layout.columns[at]);
            let (x, end) = (coordinate(placed.x), coordinate(placed.x + placed.width));
            let heading = column.kind.heading();
            self.put(&format!("<text x=\"{x}\" y=\"{}\" font-weight=\"600\">{heading}</text>", coordinate(y)));
            let note = note(column, placed.width - width(heading, 11.0) - 16.0);
            self.put(&format!("<text x=\"{end}\" y=\"{}\" text-anchor=\"end\">{note}</text>\n", coordinate(y)));
        }
        self.put("</g>\n");
    }

    /// Lines in the order of how much they have to say, the loudest last and so on top.
    fn edges(&mut self) {
        let mut order: Vec<usize> = (0..self.graph.edges.len()).collect();
        order.sort_by_key(|at| {
            let edge = &self.graph.edges[*at];
            (edge.state == EdgeState::Broken, !edge.quiet, edge.state == EdgeState::Active, *at)
        });
        self.put("<g fill=\"none\" stroke-linecap=\"round\">\n");
        for at in order {
            let edge = &self.graph.edges[at];
            let style = self.stroke(edge);
            self.put(&format!("<path d=\"{}\"{style}/>\n", self.layout.edges[at].path()));
        }
        self.put("</g>\n");
    }

    fn stroke(&self, edge: &Edge) -> String {
        let colour = self.palette.edge(edge.state, edge.quiet);
        let width = coordinate(stroke_width(edge.weight));
        match dashes(edge.state) {
            "" => format!(" stroke=\"{colour}\" stroke-width=\"{width}\""),
            dashes => format!(" stroke=\"{colour}\" stroke-width=\"{width}\" stroke-dasharray=\"{dashes}\""),
        }
    }

    fn nodes(&mut self) {
        self.put("<g style=\"font-variant-numeric: tabular-nums\">\n");
        for at in 0..self.graph.nodes.len() {
            let (node, rect) = (&self.graph.nodes[at], self.layout.nodes[at]);
            self.put("<g>");
            self.tooltip(node);
            self.body(node, rect);
            self.words(at, node, rect);
            self.put("</g>\n");
        }
        self.put("</g>\n");
    }

    fn tooltip(&mut self, node: &Node) {
        let tally: Vec<String> =
            shown_tally(node).iter().map(|(state, count)| format!("{count} {}", state.name())).collect();
        let states = if tally.is_empty() { String::from(node.state.name()) } else { tally.join(", ") };
        let words = text::join(&[&node.label, &node.detail, &states]);
        self.put(&format!("<title>{}</title>", escape(&words)));
    }

    fn body(&mut self, node: &Node, rect: Rect) {
        let palette = self.palette;
        let border = if node.state.is_trouble() { palette.state(node.state) } else { palette.border };
        let dashed = if node.state == State::Unknown && !node.is_group() { " stroke-dasharray=\"3 3\"" } else { "" };
        let fill = if node.kind.is_place() { palette.surface } else { palette.node };
        if node.is_group() {
            // The edge of a second card: there is more behind.
            self.rect(Rect { x: rect.x + 3.0, y: rect.y + 3.0, ..rect }, fill, border, "");
        }
        self.rect(rect, fill, border, dashed);
        let tall = is_tall(self.graph, node);
        let top = rect.y + if has_two_lines(tall, node) { 8.0 } else { rect.height / 2.0 - 6.0 };
        self.glyph(node.state, rect.x + 10.0, top, 1.0);
    }

    /// A card, its hairline on whole pixels.
    fn rect(&mut self, rect: Rect, fill: &str, border: &str, more: &str) {
        let (x, y) = (coordinate(rect.x + 0.5), coordinate(rect.y + 0.5));
        let (w, h) = (coordinate(rect.width - 1.0), coordinate(rect.height - 1.0));
        self.put(&format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"4\" fill=\"{fill}\" stroke=\"{border}\"{more}/>"
        ));
    }

    fn glyph(&mut self, state: State, x: f64, y: f64, scale: f64) {
        let scaled = if scale == 1.0 { String::new() } else { format!(" scale({})", coordinate(scale)) };
        self.put(&format!(
            "<path transform=\"translate({} {}){scaled}\" fill=\"{}\" fill-rule=\"evenodd\" d=\"{}\"/>",
            coordinate(x),
            coordinate(y),
            self.palette.state(state),
            state.glyph()
        ));
    }

    fn words(&mut self, at: usize, node: &Node, rect: Rect) {
        let labels = &self.layout.labels[at];
        let tall = is_tall(self.graph, node);
        let quiet = matches!(node.state, State::Halted | State::Unknown);
        let colour = if quiet { self.palette.muted } else { self.palette.text };
        let middle = rect.y + if has_two_lines(tall, node) { 14.0 } else { rect.height / 2.0 };
        let x = rect.x + LABEL_INDENT;
        self.text(x, middle + 4.5, self.metrics.font_size, colour, "", &labels.label);
        let tally = shown_tally(node);
        let tally_width: f64 = tally.iter().map(|(_, count)| tally_entry_width(*count, &self.metrics)).sum();
        let (line, mut from) =
            if tall { (rect.y + 30.0, x) } else { (middle, rect.x + rect.width - PADDING - tally_width + 8.0) };
        for (state, count) in tally {
            self.glyph(*state, from, line - 5.0, 0.8);
            self.text(from + 13.0, line + 4.0, self.metrics.small_size, self.palette.muted, "", &format!("{count}"));
            from += tally_entry_width(*count, &self.metrics);
        }
        if tall {
            self.text(from, line + 4.0, self.metrics.small_size, self.palette.muted, "", &labels.detail);
        } else {
            let end = rect.x + rect.width - PADDING;
            self.text(end, line + 4.0, self.metrics.small_size, self.palette.muted, " text-anchor=\"end\"", &labels.detail);
        }
    }

    fn text(&mut self, x: f64, y: f64, size: f64, colour: &str, more: &str, words: &str) {
        if !words.is_empty() {
            let (x, y, size) = (coordinate(x), coordinate(y), coordinate(size));
            self.put(&format!(
                "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" fill=\"{colour}\"{more}>{}</text>",
                escape(words)
            ));
        }
    }

    fn legend(&mut self, rows: &[Vec<Entry>], height: f64) {
        let mut middle = height - 12.0 - rows.len() as f64 * LEGEND_ROW + LEGEND_ROW / 2.0 - 6.0;
        for row in rows {
            let mut x = self.metrics.margin;
            for entry in row {
                let sample = match entry {
                    Entry::Node(state) => {
                        self.glyph(*state, x, middle - 6.0, 1.0);
                        18.0
                    }
                    Entry::Edge(state) => {
                        let edge = Edge { from: 0, to: 0, state: *state, weight: 1, active: 0, quiet: false };
                        let (style, y) = (self.stroke(&edge), coordinate(middle));
                        self.put(&format!("<path d=\"M{} {y}h26\"{style} fill=\"none\"/>", coordinate(x)));
                        34.0
                    }
                };
                self.text(x + sample, middle + 4.0, 11.0, self.palette.muted, "", entry.name());
                x += entry.width();
            }
            middle += LEGEND_ROW;
        }
    }
}

/// A high node with one line has it in its middle.
fn has_two_lines(tall: bool, node: &Node) -> bool {
    tall && (!node.detail.is_empty() || !shown_tally(node).is_empty())
}

fn lens_title(lens: Lens) -> &'static str {
    match lens {
        Lens::Compute => "Compute",
        Lens::Storage => "Storage",
        Lens::Network => "Network",
    }
}

/// What stands beside a heading: how many objects there are. Of a class that was not loaded nobody knows; what others refer to
/// is counted where that has room.
fn note(column: &Column, room: f64) -> String {
    let notes = match (column.unknown, column.count) {
        (true, 0) => [String::from("not loaded"), String::new()],
        (true, count) => [format!("not loaded · {count} referred to"), String::from("not loaded")],
        (false, count) => [format!("{count}"), String::new()],
    };
    notes.into_iter().find(|note| width(note, 11.0) <= room).unwrap_or_default()
}

/// What the picture shows, in a line.
fn summary(graph: &Graph) -> String {
    let mut words = String::new();
    for column in graph.columns.iter().filter(|column| column.count > 0) {
        if !words.is_empty() {
            words.push_str(", ");
        }
        let (one, several) = column.kind.unit();
        words.push_str(&text::count(column.count, one, several));
    }
    words
}

/// Text for XML: markup escaped, and what XML cannot hold replaced.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' | '\r' => out.push(' '),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
