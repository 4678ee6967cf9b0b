//! Pools out of recorded replies.

use super::*;

fn file(name: &str, value: &str) -> (String, Vec<u8>) {
    let head = "<?xml version=\"1.0\"?><methodResponse><params><param><value><struct><member><name>Status</name>\
        <value>Success</value></member><member><name>Value</name>";
    let tail = "</member></struct></value></param></params></methodResponse>";
    (name.into(), alloc::format!("{head}{value}{tail}").into_bytes())
}

fn member(name: &str, value: &str) -> String {
    alloc::format!("<member><name>{name}</name><value>{value}</value></member>")
}

fn record(members: &[(&str, &str)]) -> String {
    let members: String = members.iter().map(|(name, value)| member(name, value)).collect();
    alloc::format!("<struct>{members}</struct>")
}

fn all(records: &[(&str, String)]) -> String {
    let members: String = records.iter().map(|(reference, record)| member(reference, record)).collect();
    alloc::format!("<value><struct>{members}</struct></value>")
}

fn load(files: &[(String, Vec<u8>)]) -> (Pool, Vec<String>) {
    let (sim, notes) = Sim::from_records(files, 0).unwrap();
    let mut pool = Pool { sim, session: String::new(), now: Millis(0) };
    pool.session = pool.login("root");
    (pool, notes)
}

#[test]
fn partial_records_load_and_what_is_odd_is_told() {
    let set = |items: &str| alloc::format!("<array><data>{items}</data></array>");
    let vbds = set("<value>OpaqueRef:b1</value><value>OpaqueRef:b2</value>");
    let vm = record(&[("uuid", "u1"), ("name_label", "old"), ("VBDs", &vbds), ("VCPUs_max", "4"), ("ancient", "kept")]);
    let files = [
        file("VM.get_all_records.xml", &all(&[("OpaqueRef:v1", vm)])),
        file("VM.get_all_records.more.xml", &all(&[("OpaqueRef:v2", record(&[("is_a_template", "<boolean>1</boolean>")]))])),
        file("VM.get_record.xml", &alloc::format!("<value>{}</value>", record(&[("uuid", "u1"), ("name_label", "new")]))),
        file(
            "vbd.get_record.b1.xml",
            &alloc::format!("<value>{}</value>", record(&[("qos_algorithm_params", ""), ("bootable", "maybe")])),
        ),
        ("notes.txt".into(), Vec::new()),
        ("Thing.get_all_records.xml".into(), Vec::new()),
        ("SR.get_all_records.xml".into(), b"not xml".to_vec()),
    ];
    let (mut pool, notes) = load(&files);
    let notes = notes.join("\n");
    assert_eq!(pool.sim.recorded_classes(), Some(vec!["VM"]));
    assert_eq!(pool.refs("VM.get_all", &[]).len(), 2);
    assert_eq!(pool.text("VM.get_name_label", &["OpaqueRef:v1"]), "new", "the single record is about the same VM");
    assert!(pool.flag("VM.get_is_a_template", &["OpaqueRef:v2"]));
    assert_eq!(pool.refs("VBD.get_all", &[]).len(), 1);
    assert_eq!(pool.refs("SR.get_all", &[]).len(), 0);
    for part in [
        "SR.get_all_records.xml: cannot be read",
        "Thing.get_all_records.xml: passed over",
        "ancient",
        "no pool was recorded",
    ] {
        assert!(notes.contains(part), "{part} in:\n{notes}");
    }
    assert!(notes.contains("bootable has another type") && !notes.contains("notes.txt"), "{notes}");
    let pool_object = pool.refs("pool.get_all", &[])[0].clone();
    let config = pool.ask("pool.get_other_config", &[&pool_object]).unwrap();
    assert_eq!(config.as_struct().unwrap().get("xenoxide:recorded-classes"), Some(&"VM".into()));
}

#[test]
fn relations_are_mended_from_either_side() {
    let items = |items: &str| alloc::format!("<array><data><value>{items}</value></data></array>");
    let files = [
        file(
            "VM.get_all_records.xml",
            &all(&[
                ("OpaqueRef:v1", record(&[("VBDs", &items("OpaqueRef:b1"))])),
                ("OpaqueRef:v2", record(&[("VBDs", &items("OpaqueRef:gone"))])),
            ]),
        ),
        file(
            "VBD.get_all_records.xml",
            &all(&[("OpaqueRef:b1", record(&[("userdevice", "0")])), ("OpaqueRef:b2", record(&[("VM", "OpaqueRef:v1")]))]),
        ),
    ];
    let (mut pool, notes) = load(&files);
    assert_eq!(pool.text("VBD.get_VM", &["OpaqueRef:b1"]), "OpaqueRef:v1");
    assert_eq!(pool.refs("VM.get_VBDs", &["OpaqueRef:v1"]), ["OpaqueRef:b1", "OpaqueRef:b2"]);
    assert_eq!(pool.refs("VM.get_VBDs", &["OpaqueRef:v2"]), ["OpaqueRef:gone"], "what dangles is kept");
    assert!(notes.iter().any(|note| note.contains("not recorded: 1 VBD")), "{notes:?}");
}

#[test]
fn nothing_to_load_is_an_error_that_says_what_is_needed() {
    for files in [vec![], vec![("VM.get_all_records.xml".into(), Vec::new())]] {
        let Err(error) = Sim::from_records(&files, 0) else { panic!("nothing was there") };
        assert!(error.to_string().contains("get_all_records.xml"), "{error}");
        assert!(matches!(&error, crate::Error::NoRecords { notes } if notes.len() == files.len()), "{error}");
    }
}

#[test]
fn recordings_of_a_generated_pool_make_the_same_pool() {
    let mut pool = Pool::new();
    let classes = ["VM", "host", "pool", "VBD", "VDI", "SR", "PBD", "VIF", "network", "PIF", "PIF_metrics", "Bond", "VLAN"];
    let files: Vec<(String, Vec<u8>)> = classes
        .iter()
        .map(|class| {
            let records = pool.ask(&alloc::format!("{class}.get_all_records"), &[]).unwrap();
            (alloc::format!("{class}.get_all_records.xml"), xenapi_codec::xmlrpc::write_success(&records))
        })
        .collect();
    let (mut again, notes) = load(&files);
    for class in classes.iter().filter(|class| **class != "pool") {
        let method = alloc::format!("{class}.get_all_records");
        assert_eq!(pool.ask(&method, &[]), again.ask(&method, &[]), "{class}");
    }
    assert_eq!(notes.len(), 1, "only what was not recorded: {notes:?}");
    assert_eq!(again.sim.recorded_classes().unwrap().len(), classes.len());
}

#[test]
fn the_recordings_of_a_real_xenserver_load() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/real");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        std::eprintln!("skipped: no recordings at {}", folder.display());
        return;
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    let files: Vec<(String, Vec<u8>)> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "xml"))
        .map(|path| (path.file_name().unwrap().to_str().unwrap().into(), std::fs::read(&path).unwrap()))
        .collect();
    let (mut pool, notes) = load(&files);
    assert_eq!(pool.sim.recorded_classes(), Some(vec!["PIF", "SR", "VM", "pool"]));
    assert_eq!(pool.refs("VM.get_all", &[]).len(), 10, "6 VMs, 3 templates, one single record");
    assert_eq!(pool.refs("SR.get_all", &[]).len(), 18);
    assert_eq!(pool.refs("PIF.get_all", &[]).len(), 2);
    assert!(pool.refs("host.get_all", &[]).is_empty());
    assert!(notes.iter().any(|note| note.starts_with("referred to but not recorded")), "{notes:#?}");
    for note in &notes {
        assert!(!note.contains("cannot be read"), "{note}");
    }
    let vm = pool.vm("Halted");
    assert_eq!(pool.start(&vm).unwrap_err(), failure("NO_HOSTS_AVAILABLE", &[]));
    let running = pool.vm("Running");
    pool.ask("VM.hard_shutdown", &[&running]).unwrap();
    assert_eq!(pool.text("VM.get_power_state", &[&running]), "Halted");
}

#[test]
fn truncated_recordings_do_not_panic() {
    let (name, bytes) = file("VM.get_all_records.xml", &all(&[("OpaqueRef:v1", record(&[("name_label", "a&amp;b")]))]));
    for end in 0..bytes.len() {
        assert!(Sim::from_records(&[(name.clone(), bytes[..end].to_vec())], 0).is_err(), "{end}");
    }
    assert!(Sim::from_records(&[(name, bytes)], 0).is_ok());
}
