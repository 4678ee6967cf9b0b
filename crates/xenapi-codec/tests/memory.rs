//! What reading costs in memory, counted by the allocator. One test, so that nothing else allocates beside it.
#![allow(clippy::unwrap_used, missing_docs)]

use peak_alloc::PeakAlloc;
use xenapi_codec::Limits;
use xenapi_codec::xmlrpc::{Engine, ReplyStream, XmlWriter, read_call_with, read_result_with, read_views, write_success};
use xenapi_core::{Records, Ref, Struct, Value, Wire, Writer, to_value};
use xenapi_model::{VM, vm};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// How much more than before was allocated while `work` ran, at most.
fn cost<T>(work: impl FnOnce() -> T) -> usize {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let result = work();
    let cost = ALLOCATOR.peak_usage().saturating_sub(before);
    drop(result);
    cost
}

fn record() -> vm::Record {
    vm::Record {
        name_label: "web-0001".into(),
        recommendations: "<restrictions/>".repeat(300),
        tags: vec!["production".into()],
        other_config: (0..20).map(|at| (format!("key-{at}"), "a value of some length")).collect(),
        ..vm::Record::default()
    }
}

#[test]
fn costs_are_bounded() {
    documents_that_mean_harm();
    streams();
    views();
    encoding();
}

/// The multiple that the documentation states, for what costs most beside its size.
fn documents_that_mean_harm() {
    let wrap = |text: String| {
        format!(
            "<methodResponse><params><param><value><array><data>{text}</data></array></value></param></params></methodResponse>"
        )
    };
    let member = "<member><name>a</name><value>1</value></member>";
    let documents = [
        wrap("<value/>".repeat(50_000)),
        wrap("<value></value>".repeat(50_000)),
        wrap("<value><array><data></data></array></value>".repeat(20_000)),
        wrap("<value><array/></value>".repeat(20_000)),
        wrap(format!("<value><struct>{member}</struct></value>").repeat(10_000)),
        wrap(format!("<value><struct>{}</struct></value>", member.repeat(10_000))),
        wrap(format!("<value>{}</value>", "&lt;".repeat(100_000))),
        wrap(format!("<value>{}</value>", "<!-- -->a".repeat(50_000))),
        wrap(format!("<value><base64>{}</base64></value>", "AAAA".repeat(50_000))),
        wrap("<value><nil/></value>".repeat(30_000)),
        "<value>".repeat(50_000),
        "<a>".repeat(50_000),
        "<".repeat(100_000),
        "&".repeat(100_000),
    ];
    let limits = Limits::default();
    for document in &documents {
        let most = 16 * document.len() + 64 * 1024;
        for engine in [Engine::Auto, Engine::General] {
            let value = cost(|| read_result_with(document.as_bytes(), &limits, engine, Value::read));
            let records = cost(|| read_result_with(document.as_bytes(), &limits, engine, Records::<vm::Record>::read));
            let call = cost(|| read_call_with(document.as_bytes(), &limits, engine));
            let start: String = document.chars().take(100).collect();
            assert!(value.max(records).max(call) < most, "{value}, {records}, {call} of {}: {start}", document.len());
        }
    }
}

fn streams() {
    let one = to_value(&record());
    let largest = write_success(&one).len();
    let bytes =
        write_success(&Value::Struct((0..200).map(|at| (format!("OpaqueRef:{at}"), one.clone())).collect::<Struct>()));
    for size in [1, 1000, 16 * 1024, 1 << 20] {
        let peak = cost(|| {
            let mut stream = ReplyStream::members(&Limits::reply());
            let mut count = 0;
            for mut chunk in bytes.chunks(size) {
                while let Some((_, record)) = stream.next_record::<vm::Record>(&mut chunk).unwrap() {
                    record.unwrap();
                    count += 1;
                }
            }
            assert_eq!((count, stream.finish(<()>::read).unwrap()), (200, Ok(())));
        });
        assert!(peak < 64 * 1024 + 2 * largest, "chunks of {size}: {peak} bytes, with {largest} in a record");
    }
}

fn views() {
    let one = to_value(&record());
    let bytes =
        write_success(&Value::Struct((0..200).map(|at| (format!("OpaqueRef:{at}"), one.clone())).collect::<Struct>()));
    let peak = cost(|| read_views::<VM>(&bytes, &Limits::reply()).unwrap().unwrap());
    assert!(peak * 10 < bytes.len() * 6, "{peak} bytes for {}", bytes.len());
}

fn encoding() {
    let records = Records { records: vec![(Ref::new("OpaqueRef:1"), record()); 50], wrong: vec![] };
    let mut writer = XmlWriter::new();
    records.write(&mut writer);
    let mut buffer = writer.into_bytes();
    let length = buffer.len();
    let peak = cost(|| {
        let mut writer = XmlWriter::reusing(core::mem::take(&mut buffer));
        records.write(&mut writer);
        buffer = writer.into_bytes();
    });
    assert_eq!(buffer.len(), length);
    assert!(peak < 64, "{peak} bytes for 50 records");
    // Drained after each record, the writer holds no more than one.
    let peak = cost(|| {
        let (mut writer, mut sent) = (XmlWriter::new(), 0);
        writer.begin_success();
        writer.begin_struct();
        for (reference, record) in &records.records {
            writer.member(reference.as_str());
            record.write(&mut writer);
            sent += writer.drain(<[u8]>::len);
        }
        writer.end_struct();
        writer.end_success();
        assert!(sent + writer.bytes().len() > length);
    });
    assert!(peak < 4 * length / 50 + 4096, "{peak}");
}
