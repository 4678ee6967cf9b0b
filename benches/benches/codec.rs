//! Decoding and encoding the reply to `VM.get_all_records` of 1,000 VMs.
//!
//! `cargo bench -p xenoxide-benches --bench codec` ends with two tables of rates and ratios.
#![allow(missing_docs)]

use criterion::{Bencher, BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use quick_xml::events::Event;
use xenapi_codec::Limits;
use xenapi_codec::xmlrpc::{XmlWriter, read_result, write_success};
use xenapi_core::{Records, Value, Wire, to_value};
use xenapi_model::vm;
use xenoxide_benches::{Table, reply_with_vms, vms};

const VMS: usize = 1000;

/// What any reader on quick-xml pays at least.
fn count_events(bytes: &[u8]) -> usize {
    let mut reader = quick_xml::Reader::from_reader(bytes);
    let mut events = 0;
    loop {
        match reader.read_event() {
            Ok(Event::Eof) | Err(_) => return events,
            Ok(_) => events += 1,
        }
    }
}

struct Suite<'a> {
    group: BenchmarkGroup<'a, WallTime>,
    table: Table,
    bytes: usize,
}

impl<'a> Suite<'a> {
    fn new(criterion: &'a mut Criterion, name: &str, bytes: usize) -> Self {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10).throughput(Throughput::Bytes(bytes as u64));
        Suite { group, table: Table::new(&format!("{name}, {VMS} VMs, {:.1} MB", bytes as f64 / 1e6)), bytes }
    }

    fn row<T>(&mut self, name: &str, mut work: impl FnMut() -> T) {
        let (table, bytes) = (&self.table, self.bytes);
        self.group.bench_function(name, |bencher: &mut Bencher<'_>| {
            bencher.iter_custom(|runs| table.time(name, bytes, runs, &mut work));
        });
    }

    fn end(self) -> Table {
        self.group.finish();
        self.table
    }
}

fn decode(criterion: &mut Criterion) -> Table {
    let bytes = reply_with_vms(VMS);
    let limits = Limits::reply();
    let typed = || read_result(&bytes, &limits, Records::<vm::Record>::read).map(|it| it.map(|it| it.records.len()));
    assert_eq!(typed(), Ok(Ok(VMS)));
    // dxr reads no date with a zone.
    let text = String::from_utf8_lossy(&bytes).replace("Z</dateTime.iso8601>", "</dateTime.iso8601>");
    assert!(dxr::MethodResponse::from_xml(&text).is_ok());

    let mut suite = Suite::new(criterion, "decode", bytes.len());
    suite.row("bare quick-xml events", || count_events(&bytes));
    suite.row("typed records", || read_result(&bytes, &limits, Records::<vm::Record>::read));
    suite.row("value tree", || read_result(&bytes, &limits, Value::read));
    suite.row("passed over", || read_result(&bytes, &limits, <()>::read));
    suite.row("dxr value tree", || dxr::MethodResponse::from_xml(&text));
    suite.end()
}

fn encode(criterion: &mut Criterion) -> Table {
    let records = vms(VMS);
    let tree = to_value(&records);
    let bytes = write_success(&tree);
    let text = String::from_utf8_lossy(&bytes).replace("Z</dateTime.iso8601>", "</dateTime.iso8601>");
    let other = dxr::MethodResponse::from_xml(&text);

    let mut suite = Suite::new(criterion, "encode", bytes.len());
    suite.row("value tree", || write_success(&tree));
    suite.row("typed records", || {
        let mut writer = XmlWriter::new();
        records.write(&mut writer);
        writer.into_bytes()
    });
    if let Ok(other) = other {
        suite.row("dxr value tree", || other.to_xml());
    }
    suite.end()
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let tables = [decode(&mut criterion), encode(&mut criterion)];
    criterion.final_summary();
    for table in tables {
        println!("\n{table}");
    }
}
