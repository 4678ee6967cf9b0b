//! What queries mean.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{DateTime, Ref};
use xenapi_model::vm::VmPowerState;
use xenapi_model::{VM, VMGuestMetrics, VMMetrics, vm, vm_metrics};

use super::*;
use crate::route::Kind;
use crate::tables::{Ask, Sort, Table};
use crate::tests::{cache, guest, vm as a_vm};

const NOW: i64 = 1_800_000_000;

fn table() -> Table {
    let mut cache = cache();
    cache.insert(Ref::<VMGuestMetrics>::new("g-db"), guest(&[("0/ip", "192.168.7.4")]));
    let record = vm::Record {
        tags: ["prod".into(), "web tier".into()].into(),
        memory_dynamic_max: 8 << 30,
        metrics: Some(Ref::new("m1")),
        name_description: "runs the shop".into(),
        ..a_vm("web 10", VmPowerState::Running, "h1")
    };
    cache.insert(Ref::<VM>::new("v1"), record);
    let metrics = vm_metrics::Record { start_time: DateTime::from_unix(NOW - 7200), ..Default::default() };
    cache.insert(Ref::<VMMetrics>::new("m1"), metrics);
    let mut table = Table::new(Kind::Vms);
    let ask = Ask { query: Query::default(), sort: Sort::default(), now: 0 };
    table.update(&cache, &ask);
    table
}

fn spec() -> &'static Spec {
    Spec::of(Kind::Vms)
}

/// The names of the VMs that a query finds, of `db`, `Web 2` and `web 10`.
fn found(query: &str) -> String {
    let table = table();
    let parsed = Query::parse(query, spec());
    assert!(parsed.problems.is_empty(), "{query}: {:?}", parsed.problems);
    let mut names: Vec<&str> =
        table.all().iter().filter(|row| parsed.matches(row, NOW)).map(|row| row.name.as_str()).collect();
    names.sort_unstable_by(|a, b| crate::format::natural_cmp(a, b));
    names.join(",")
}

const ALL: &str = "db,Web 2,web 10";

#[test]
fn words_are_looked_for_everywhere() {
    for (query, expected) in [
        ("", ALL),
        ("  ", ALL),
        ("WEB", "Web 2,web 10"),
        ("web halted", "Web 2"),
        ("host 1 paused", "db"),
        ("\"host 1\"", "db,web 10"),
        ("168.7", "db"),
        ("shop", "web 10"),
        ("!web", "db"),
        ("-web", "db"),
        ("nothing like this", ""),
        ("\"web 1", "web 10"),
    ] {
        assert_eq!(found(query), expected, "{query}");
    }
}

#[test]
fn fields_are_compared_by_what_they_are() {
    for (query, expected) in [
        ("state:running", "web 10"),
        ("state:run", "web 10"),
        ("state=run", ""),
        ("state:running,paused", "db,web 10"),
        ("!state:running,paused", "Web 2"),
        ("state!=running", "db,Web 2"),
        ("host:\"host 1\"", "db,web 10"),
        ("host:1", "db,web 10"),
        ("host=1", ""),
        ("host:none", "Web 2"),
        ("host:\"none\"", ""),
        ("!host", "Web 2"),
        ("memory>4GiB", "web 10"),
        ("memory>=8g", "web 10"),
        ("memory<4GiB", "db,Web 2"),
        ("memory:2GiB", "db,Web 2"),
        ("memory=2048MiB,8GiB", ALL),
        ("vcpus>1 vcpus<=2", ALL),
        ("tags:web", "web 10"),
        ("tags=web", ""),
        ("tags=\"web tier\"", "web 10"),
        ("!tags", "db,Web 2"),
        ("ip:192.168", "db"),
        ("name~^web", "Web 2,web 10"),
        ("name~^w*0$", "web 10"),
        ("name~2$", "Web 2"),
        ("name~^db$", "db"),
        ("name!~web", "db"),
        ("name>=\"web 10\"", "web 10"),
        ("started<3h", "web 10"),
        ("started<1h", ""),
        ("started>1h", "web 10"),
        ("started>2027-01-01", "web 10"),
        ("started=2027-01-15", "web 10"),
        ("started<=2027-01-14", ""),
        ("name:web state:halted", "Web 2"),
        ("aa:bb", ""),
        ("NAME:db", "db"),
    ] {
        assert_eq!(found(query), expected, "{query}");
    }
}

#[test]
fn what_cannot_be_understood_is_told_at_its_place_and_left_out() {
    for (query, place, hint) in [
        ("web memroy>4GiB", 4..15, "Did you mean “memory”"),
        ("zzz:1", 0..5, "no field “zzz”"),
        ("memory>4", 0..8, "4GiB"),
        ("vcpus>many", 0..10, "no number"),
        ("started<yesterday", 0..17, "2026-11-22"),
        ("state: x", 0..6, "What should “state” be"),
    ] {
        let parsed = Query::parse(query, spec());
        let [problem] = parsed.problems.as_slice() else { panic!("{query}: {parsed:?}") };
        assert_eq!(problem.range, place, "{query}");
        assert!(problem.text.contains(hint), "{query}: {}", problem.text);
    }
    assert!(Query::parse("zzz:1", spec()).is_empty());
}

#[test]
fn no_text_makes_it_panic_and_negation_is_the_rest() {
    // Every combination of a few awkward pieces.
    let pieces = [
        "", " ", "!", "-", "\"", "\\", ",", ":", "=", ">", "~", "^", "$", "*", "name", "state", "memory", "4GiB", "ü", "%",
        "::",
    ];
    let table = table();
    for one in pieces {
        for two in pieces {
            for three in pieces {
                let text = [one, two, three].concat();
                let query = Query::parse(&text, spec());
                for problem in &query.problems {
                    assert!(text.get(problem.range.clone()).is_some(), "{text}");
                }
                for row in table.all().iter() {
                    let _ = query.matches(row, NOW);
                }
                for at in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
                    let completion = complete(&text, at, spec(), table.all(), true);
                    if let Some(completion) = completion {
                        assert!(completion.apply(&text, 0).is_some(), "{text}");
                    }
                }
            }
        }
    }
    for query in ["web", "state:running", "memory>4GiB", "tags:web", "host:none", "name~^w", "started<3h"] {
        let negated = ["!", query].concat();
        let (with, without) = (Query::parse(query, spec()), Query::parse(&negated, spec()));
        assert!(table.all().iter().all(|row| with.matches(row, NOW) != without.matches(row, NOW)), "{query}");
    }
}

fn suggestions(text: &str) -> Vec<String> {
    let table = table();
    let completion = complete(text, text.len(), spec(), table.all(), false);
    completion.map(|it| it.suggestions.into_iter().map(|it| it.insert).collect()).unwrap_or_default()
}

#[test]
fn fields_and_values_are_completed() {
    assert_eq!(suggestions("me"), ["memory>"]);
    assert_eq!(suggestions("web !st"), ["state:", "started>"]);
    assert_eq!(suggestions("host:"), ["\"host 1\""]);
    assert_eq!(suggestions("state:running,p"), ["paused"]);
    assert_eq!(suggestions("memory>")[1], "4GiB");
    assert!(suggestions("").is_empty() && suggestions("web ").is_empty() && suggestions("zzz:").is_empty());
    let table = table();
    let completion = complete("web sta x", 7, spec(), table.all(), false).unwrap();
    assert_eq!(completion.apply("web sta x", 0).unwrap(), ("web state: x".into(), 10));
}

#[test]
fn distances_are_few_letters() {
    for (a, b, far) in
        [("memory", "memroy", 1), ("", "abc", 3), ("tags", "tags", 0), ("ab", "ba", 1), ("abcd", "dcba", 3), ("", "", 0)]
    {
        assert_eq!((distance(a, b), distance(b, a)), (far, far), "{a} {b}");
    }
}
