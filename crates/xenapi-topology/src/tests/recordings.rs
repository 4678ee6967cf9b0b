//! What a real XenServer 5.5 answered, where a copy lies beside the project. Only some classes were recorded.

use alloc::format;
use std::path::Path;
use std::{eprintln, fs};

use xenapi_client::Cache;
use xenapi_codec::Limits;
use xenapi_codec::xmlrpc::{Outcome, read_reply};

use crate::{ColumnKind, EdgeState, Lens, Metrics, NodeKind, Options, State, Theme, graph, layout, svg};

/// The recorded pool, or nothing where there is no copy.
fn recorded() -> Option<Cache> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/real");
    if !directory.is_dir() {
        eprintln!("skipped: no recordings in {}", directory.display());
        return None;
    }
    let mut cache = Cache::new();
    cache.track_console();
    for class in ["pool", "VM", "SR", "PIF"] {
        let file = directory.join(format!("{class}.get_all_records.xml"));
        let bytes = fs::read(&file).unwrap();
        let Outcome::Success(mut reader) = read_reply(&bytes, &Limits::reply()).unwrap() else {
            panic!("{class} was refused")
        };
        let loaded = cache.load_records(class, &mut reader).unwrap();
        assert!(loaded.records > 0, "{class}: {:?}", loaded.wrong);
    }
    Some(cache)
}

#[test]
fn a_partial_recording_is_drawn_with_its_gaps() {
    let Some(cache) = recorded() else { return };
    for lens in Lens::ALL {
        let picture = graph(&cache, lens, &Options::default());
        let unknown = |kind| picture.columns.iter().any(|column| column.kind == kind && column.unknown);
        assert!(unknown(ColumnKind::Hosts), "hosts were not recorded");
        assert!(
            picture.nodes.iter().any(|node| node.kind == NodeKind::Host && node.state == State::Unknown)
                || lens == Lens::Storage
        );
        assert!(picture.edges.iter().any(|edge| edge.state == EdgeState::Unknown), "{lens}");
        assert_eq!(picture.pool, "Pool1");
        let placed = layout(&picture, &Metrics::default());
        let picture_text = svg(&picture, &placed, Theme::Light);
        assert!(picture_text.contains("not loaded"), "{lens}");
    }
}
