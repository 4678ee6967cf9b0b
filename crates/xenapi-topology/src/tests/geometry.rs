//! Properties that hold for every cache, sound or not.

use alloc::vec::Vec;

use super::{chaos, sample};
use crate::text::width;
use crate::{Graph, LABEL_INDENT, Layout, Lens, Metrics, Options, PADDING, Point, Segment, graph, layout};

/// Options that fold much, fold nothing, and cut.
fn all_options() -> [Options; 4] {
    [
        Options::default(),
        Options { show_templates: true, show_control_domains: true, ..Options::everything() },
        Options { fold_above: 2, ..Options::default() },
        Options { cap: 12, ..Options::default() },
    ]
}

fn every_picture(seeds: core::ops::Range<u64>, check: &dyn Fn(u64, &Graph, &Layout)) {
    for seed in seeds {
        let cache = chaos::cache(seed, 0);
        for lens in Lens::ALL {
            for options in all_options() {
                let graph = graph(&cache, lens, &options);
                let layout = layout(&graph, &Metrics::default());
                check(seed, &graph, &layout);
            }
        }
    }
}

#[test]
fn nodes_never_overlap_and_stay_within_the_picture() {
    every_picture(0..16, &|seed, graph, layout| {
        assert_eq!(layout.nodes.len(), graph.nodes.len());
        let mut by_column: Vec<Vec<(f64, f64)>> = graph.columns.iter().map(|_| Vec::new()).collect();
        for (node, rect) in graph.nodes.iter().zip(layout.nodes.iter()) {
            let column = layout.columns[node.column];
            assert_eq!((rect.x, rect.width), (column.x, column.width));
            assert!(rect.x >= 0.0 && rect.y >= 0.0 && rect.width > 0.0 && rect.height > 0.0, "seed {seed}: {rect:?}");
            assert!(rect.x + rect.width <= layout.width && rect.y + rect.height <= layout.height, "seed {seed}: {rect:?}");
            by_column[node.column].push((rect.y, rect.y + rect.height));
        }
        for column in &mut by_column {
            column.sort_by(|a, b| a.0.total_cmp(&b.0));
            assert!(column.windows(2).all(|pair| pair[0].1 + 1.0 < pair[1].0), "seed {seed}: overlap");
        }
        assert!(layout.columns.windows(2).all(|pair| pair[0].x + pair[0].width + 1.0 < pair[1].x));
    });
}

#[test]
fn edges_start_and_end_at_the_borders_of_their_nodes() {
    every_picture(0..16, &|seed, graph, layout| {
        for (edge, curve) in graph.edges.iter().zip(layout.edges.iter()) {
            let ends = [curve.start, curve.end()];
            for (at, node) in [edge.from, edge.to].into_iter().enumerate() {
                let rect = layout.nodes[node];
                let touches = |point: &Point| *point == rect.left() || *point == rect.right();
                assert!(ends.iter().any(touches), "seed {seed}: end {at} of {edge:?}");
            }
            let finite = |point: &Point| point.x.is_finite() && point.y.is_finite();
            let all = curve.segments.iter().all(|segment| match segment {
                Segment::Line(end) => finite(end),
                Segment::Cubic(a, b, end) => finite(a) && finite(b) && finite(end),
            });
            assert!(all && finite(&curve.start), "seed {seed}: {curve:?}");
            assert!(edge.active <= edge.weight && edge.weight > 0);
        }
    });
}

#[test]
fn lanes_do_not_cross_nodes() {
    every_picture(0..16, &|seed, _, layout| {
        for curve in layout.edges.iter() {
            let mut from = curve.start;
            for segment in &curve.segments {
                let end = match segment {
                    Segment::Line(end) | Segment::Cubic(_, _, end) => *end,
                };
                let inside = |rect: &&crate::Rect| rect.x == from.x && rect.y < from.y && from.y < rect.y + rect.height;
                if matches!(segment, Segment::Line(_)) && layout.columns.iter().any(|column| column.x == from.x) {
                    assert_eq!(layout.nodes.iter().find(inside), None, "seed {seed}");
                }
                from = end;
            }
        }
    });
}

#[test]
fn texts_fit_their_nodes() {
    let metrics = Metrics::default();
    every_picture(0..16, &|seed, graph, layout| {
        for ((node, rect), labels) in graph.nodes.iter().zip(layout.nodes.iter()).zip(&layout.labels) {
            let room = rect.width - LABEL_INDENT - PADDING;
            let label = width(&labels.label, metrics.font_size);
            let detail = width(&labels.detail, metrics.small_size);
            let tall = graph.columns[node.column].kind.is_tall();
            let used = if tall { label.max(detail) } else { label + detail };
            assert!(used <= room + 0.01, "seed {seed}: {labels:?} needs {used} of {room}");
            assert!(!labels.label.is_empty() && !labels.label.contains('\n'));
        }
    });
}

#[test]
fn the_order_of_arrival_does_not_matter() {
    for seed in 0..12 {
        let (one, two) = (chaos::cache(seed, 1), chaos::cache(seed, 2));
        for lens in Lens::ALL {
            for options in all_options() {
                let (a, b) = (graph(&one, lens, &options), graph(&two, lens, &options));
                assert_eq!(a, b, "seed {seed}");
                assert_eq!(layout(&a, &Metrics::default()), layout(&b, &Metrics::default()), "seed {seed}");
            }
        }
    }
}

#[test]
fn edges_refer_to_nodes_and_run_to_the_right() {
    every_picture(0..16, &|seed, graph, _| {
        assert!(graph.nodes.is_sorted_by_key(|node| node.column));
        let ids: alloc::collections::BTreeSet<_> = graph.nodes.iter().map(|node| &node.id).collect();
        assert_eq!(ids.len(), graph.nodes.len(), "seed {seed}: ids are unique");
        let ends: Vec<_> = graph.edges.iter().map(|edge| (edge.from, edge.to)).collect();
        assert!(ends.is_sorted_by(|a, b| a < b), "seed {seed}: one edge between two nodes");
        assert!(ends.iter().all(|(from, to)| from != to && *from.max(to) < graph.nodes.len()));
        let drawn: usize = graph
            .nodes
            .iter()
            .map(|node| if node.is_group() { node.folded } else { usize::from(!node.kind.is_place()) })
            .sum();
        let places_in_groups =
            graph.nodes.iter().flat_map(|node| &node.members).filter(|(class, _)| class.is_empty()).count();
        assert_eq!(drawn - places_in_groups, graph.total, "seed {seed}: every object is somewhere, once");
        assert!(graph.columns.iter().map(|column| column.count).sum::<usize>() <= graph.total);
    });
}

/// The names in the order in which they stand, by column.
fn order(graph: &Graph) -> Vec<(usize, &str)> {
    let layout = layout(graph, &Metrics::default());
    let mut names: Vec<_> = (0..graph.nodes.len()).collect();
    names.sort_by(|a, b| {
        let key = |at: &usize| (graph.nodes[*at].column, layout.nodes[*at].y);
        key(a).partial_cmp(&key(b)).unwrap()
    });
    names.into_iter().map(|at| (graph.nodes[at].column, graph.nodes[at].id.as_str())).collect()
}

#[test]
fn a_new_vm_moves_no_other_past_its_neighbours() {
    use xenapi_model::VM;
    for seed in 1..12 {
        let mut cache = sample::pool(3, 18, seed);
        let before = graph(&cache, Lens::Compute, &Options::everything());
        let newcomer = (**cache.get::<VM>(&sample::reference(1)).unwrap()).clone();
        cache.insert::<VM>(sample::reference(999), xenapi_model::vm::Record { name_label: "middle".into(), ..newcomer });
        let after = graph(&cache, Lens::Compute, &Options::everything());
        let new: Vec<_> = order(&after).into_iter().filter(|(_, id)| !id.contains("000003e7")).collect();
        assert_eq!(order(&before), new, "seed {seed}");
    }
}

#[test]
fn hosts_stand_in_the_order_of_their_names() {
    for lens in Lens::ALL {
        let graph = graph(&sample::pool(9, 40, 3), lens, &Options::default());
        let layout = layout(&graph, &Metrics::default());
        let hosts: Vec<_> = (0..graph.nodes.len()).filter(|at| graph.nodes[*at].label.starts_with("host-")).collect();
        assert_eq!(hosts.len(), 9);
        assert!(hosts.is_sorted_by(|a, b| layout.nodes[*a].y < layout.nodes[*b].y), "{lens}");
    }
}

#[test]
fn a_tree_is_drawn_without_crossings() {
    let graph = graph(&sample::pool(5, 40, 2), Lens::Compute, &Options::everything());
    let layout = layout(&graph, &Metrics::default());
    for (a, first) in graph.edges.iter().zip(layout.edges.iter()) {
        for (b, second) in graph.edges.iter().zip(layout.edges.iter()) {
            if graph.nodes[a.from].column == graph.nodes[b.from].column && first.start.y < second.start.y {
                assert!(first.end().y < second.end().y);
            }
        }
    }
}
