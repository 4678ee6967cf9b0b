//! Documents as releases write them, broken ones, and windows over time.
#![allow(clippy::unwrap_used)]

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::*;

const LEGEND: &str = "<legend><entry>AVERAGE:host:h1:cpu_avg</entry><entry>AVERAGE:vm:v1:a&amp;b:c</entry></legend>";

fn xml(rows: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xport><meta><start>10</start><step>5</step><end>20</end><rows>3</rows>\
         <columns>2</columns>{LEGEND}</meta><data>{rows}</data></xport>"
    )
}

#[test]
fn all_forms_say_the_same() {
    let as_xml = xml("<row><t>20</t><v>0.5</v><v>1e+15</v></row><row><t>15</t><v>NaN</v><v>0.0</v></row>");
    let texts = r#"{"meta":{"start":"10","step":"5","end":"20","rows":"2","columns":"2","legend":["AVERAGE:host:h1:cpu_avg","AVERAGE:vm:v1:a&b:c"]},
        "data":[{"t":"20","values":["0.5","1e+15"]},{"t":"15","values":["NaN","0.0"]}]}"#;
    let bare = r#"{"meta": {"start": 10, "step": 5, "end": 20, "rows": 2, "columns": 2,
        "legend": ["AVERAGE:host:h1:cpu_avg", "AVERAGE:vm:v1:a\u0026b:c"], "more": [{"x": null}]},
        "data": [{"t": 20, "values": [0.5, 1.0E15]}, {"t": 15, "values": [NaN, 0]}]}"#;
    let first = read(as_xml.as_bytes()).unwrap();
    assert_eq!(first.step, 5);
    assert_eq!(first.columns[1].source, "a&b:c");
    assert_eq!(first.columns[0].to_string(), "AVERAGE:host:h1:cpu_avg");
    assert_eq!(first.rows.iter().map(|row| row.time).collect::<Vec<_>>(), [15, 20]);
    assert!(first.rows[0].values[0].is_nan());
    for other in [texts, bare] {
        let other = read(other.as_bytes()).unwrap();
        assert_eq!(other.columns, first.columns);
        assert_eq!(other.rows[1], first.rows[1]);
        assert!(other.rows[0].values[0].is_nan() && other.rows[0].values[1] == 0.0);
    }
    for (word, is) in [("Infinity", f64::INFINITY), ("-Infinity", f64::NEG_INFINITY), ("inf", f64::INFINITY)] {
        let rows = format!("<row><t>20</t><v>{word}</v><v>-1.5</v></row>");
        assert_eq!(read(xml(&rows).as_bytes()).unwrap().rows[0].values, [is, -1.5]);
    }
}

#[test]
fn what_is_wrong_is_an_error_and_not_a_gap() {
    for rows in [
        "<row><t>20</t><v>0.5</v></row>",
        "<row><t>20</t><v>0.5</v><v>1</v><v>1</v></row>",
        "<row><t>20</t><v>x</v><v>1</v></row>",
        "<row><t>soon</t><v>1</v><v>1</v></row>",
        "<row><t>20</t><v>&nbsp;</v><v>1</v></row>",
        "<row><!DOCTYPE x>",
    ] {
        assert!(read(xml(rows).as_bytes()).is_err(), "{rows}");
    }
    for text in [
        "",
        " ",
        "not found",
        "<html>",
        "{",
        "[]",
        "{\"data\":[{\"values\":[1]}]}",
        "{} x",
        "{\"meta\":{\"legend\":[\"a:b\"]}}",
    ] {
        assert!(read(text.as_bytes()).is_err(), "{text}");
    }
    assert!(read(b"<xport>\xff</xport>").is_err());
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(read(deep.as_bytes()).is_err());
}

#[test]
fn a_document_that_breaks_off_is_an_error() {
    let whole = xml("<row><t>20</t><v>0.5</v><v>1</v></row>");
    let json = r#"{"meta":{"step":"5","legend":["AVERAGE:vm:u:cpu0"]},"data":[{"t":"5","values":["1"]}]}"#;
    for whole in [whole.as_str(), json] {
        assert!(read(whole.as_bytes()).is_ok());
        for end in 0..whole.len() {
            assert!(read(&whole.as_bytes()[..end]).is_err(), "{}", &whole[..end]);
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_text_may_come(text in "[<{]?[xport/>meta\"{}:,\\[\\]NaN0-9 <\\\\u&;-]{0,60}") {
        let _ = read(text.as_bytes());
    }
}

/// A table of one column with a value for each time.
fn table(step: i64, column: &str, rows: &[(i64, f64)]) -> Updates {
    let columns = [Column::read(column).unwrap()].into();
    let rows = rows.iter().map(|(time, value)| Row { time: *time, values: [*value].into() }).collect();
    Updates { step, end: 0, columns, rows }
}

fn shown(follower: &Follower, source: &str) -> Vec<String> {
    let found = follower.columns().find(|(column, _)| column.source == source);
    found.into_iter().flat_map(|(_, series)| series.points()).map(|(time, value)| format!("{time}:{value}")).collect()
}

#[test]
fn overlaps_gaps_and_newcomers_are_put_together() {
    let mut follower = Follower::new(60, 0);
    follower.merge(&table(5, "AVERAGE:vm:v1:cpu0", &[(100, 1.0), (105, f64::NAN)]));
    assert_eq!(follower.query(), Query { start: 105, interval: 5, ..Query::last(0) });
    // The last row comes again, and is known now; an older one that was known is not forgotten.
    let merged = follower.merge(&table(5, "AVERAGE:vm:v1:cpu0", &[(100, f64::NAN), (105, 2.0), (110, 3.0)]));
    assert_eq!(merged, Merged { rows: 1, columns: 0, restarted: false });
    assert_eq!(shown(&follower, "cpu0"), ["100:1", "105:2", "110:3"]);
    // The host was away, and another VM is there.
    follower.merge(&table(5, "AVERAGE:vm:v2:memory", &[(130, 7.0)]));
    assert_eq!(shown(&follower, "cpu0"), ["100:1", "105:2", "110:3", "115:NaN", "130:NaN"]);
    assert_eq!(shown(&follower, "memory"), ["100:NaN", "105:NaN", "110:NaN", "115:NaN", "130:7"]);
    // Rows in the middle may come late.
    follower.merge(&table(5, "AVERAGE:vm:v1:cpu0", &[(115, 4.0)]));
    assert_eq!(shown(&follower, "cpu0"), ["100:1", "105:2", "110:3", "115:4", "120:NaN", "130:NaN"]);
    let (_, series) = follower.of(Owner::VM, "v1").next().unwrap();
    assert_eq!((series.last(), series.summary()), (Some((115, 4.0)), Some((2.5, 4.0))));
}

#[test]
fn the_window_moves_and_what_is_gone_is_forgotten() {
    let mut follower = Follower::new(20, 0);
    follower.merge(&table(5, "AVERAGE:vm:old:cpu0", &[(100, 1.0), (105, 1.0)]));
    for time in (110..=200).step_by(5) {
        follower.merge(&table(5, "AVERAGE:vm:new:cpu0", &[(time, 2.0)]));
    }
    assert_eq!(follower.times().collect::<Vec<_>>(), [180, 185, 190, 195, 200]);
    assert_eq!(follower.columns().count(), 1);
    assert_eq!(follower.columns().next().unwrap().0.uuid, "new");
    // A longer pause than the finest archive reaches: the host answers with another step.
    let merged = follower.merge(&table(60, "AVERAGE:vm:new:cpu0", &[(1200, 2.0)]));
    assert!(merged.restarted);
    assert_eq!(shown(&follower, "cpu0"), ["1200:2"]);
}

#[test]
fn a_query_is_written_as_hosts_read_it() {
    let query = Query { vm: Some("a b&c".into()), ..Query::last(600) };
    assert_eq!(query.path(), "/rrd_updates?start=-590&interval=0&host=true&json=true&cf=AVERAGE&vm_uuid=a%20b%26c");
}
