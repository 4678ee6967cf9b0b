//! The codec against its peers.
//!
//! `cargo xtask bench codec` prints one table from one run. `cargo bench -p xenoxide-benches --bench codec` is the criterion suite,
//! for comparing one state of the code with another (`-- --save-baseline before`, `-- --baseline before`).
#![allow(missing_docs, clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "a program that always has std")]

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use xenoxide_benches::{
    Content, Document, Order, Row, Samples, Subject, Task, Work, goals, interleaved, markdown, outside, subjects,
};

/// Where the whole comparison is made; the figures that must be reached are about this document.
const MAIN: (Content, usize) = (Content::Vm, 1000);

/// The document on which instructions are counted.
const SMALL: (Content, usize) = (Content::Vm, 50);

/// What our own subjects are measured on beside.
const OTHERS: [(Content, usize); 8] = [
    (Content::Vm, 50),
    (Content::Vdi, 1000),
    (Content::Vbd, 1000),
    (Content::Events, 50),
    (Content::Events, 1000),
    (Content::Vm, 10_000),
    (Content::Vbd, 10_000),
    (Content::Events, 10_000),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let at = |option: &str| args.iter().position(|arg| arg == option);
    let done = if let Some(at) = at("--run") {
        run(&args[at + 1..])
    } else if let Some(at) = at("--documents") {
        documents(&args[at + 1..])
    } else if at("--table").is_some() {
        table(at("--quick").is_some());
        Ok(())
    } else {
        suite();
        Ok(())
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `--run KEY CONTENT COUNT RUNS`: what callgrind looks at.
fn run(args: &[String]) -> Result<(), String> {
    let (subject, document) = outside::asked(args, Order::Datamodel)?;
    let runs: u32 = args.get(3).and_then(|runs| runs.parse().ok()).ok_or("how many runs?")?;
    let mut work = (subject.prepare)(&document)?;
    (0..runs).for_each(|_| (work.run)());
    Ok(())
}

/// `--documents DIR CONTENT COUNT`: the documents for other programs.
fn documents(args: &[String]) -> Result<(), String> {
    let [dir, rest @ ..] = args else { return Err("usage: --documents DIR CONTENT COUNT".into()) };
    let (_, document) = outside::asked(&[&["memcpy".to_owned()], rest].concat(), Order::Datamodel)?;
    outside::write(&document, Path::new(dir)).map(|_| ()).map_err(|error| format!("{dir}: {error}"))
}

fn suite() {
    let mut criterion = Criterion::default().configure_from_args();
    let document = Document::new(MAIN.0, MAIN.1, Order::Datamodel);
    for (task, name) in [(Task::Decode, "decode"), (Task::Encode, "encode")] {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10);
        for subject in subjects().into_iter().filter(|subject| subject.task == task) {
            match (subject.prepare)(&document) {
                Ok(mut work) => {
                    group.throughput(Throughput::Bytes(work.bytes as u64));
                    group.bench_function(subject.key, |bencher| bencher.iter(|| (work.run)()));
                }
                Err(error) => eprintln!("{} is left out: {error}", subject.name),
            }
        }
        group.finish();
    }
    criterion.final_summary();
}

/// Everything, or with `quick` only times on the main document.
fn table(quick: bool) {
    let mut notes = Vec::new();
    let mut rows = compared(quick, &mut notes);
    if !quick {
        rows.extend(foreign(&rows, &mut notes));
        for (content, count) in OTHERS {
            rows.extend(own(content, count, &mut notes));
        }
    }
    println!("\n{}", markdown(&rows));
    println!("{}", goals(&rows));
    notes.iter().for_each(|note| println!("- {note}"));
}

/// Prepares subjects, with a note for each that fails.
fn works<'d>(subjects: &[Subject], document: &'d Document, notes: &mut Vec<String>) -> Vec<(Subject, Work<'d>)> {
    let prepared = subjects.iter().filter_map(|subject| match (subject.prepare)(document) {
        Ok(work) => Some((*subject, work)),
        Err(error) => {
            notes.push(format!("{} failed on {}: {error}", subject.name, document.title()));
            None
        }
    });
    prepared.collect()
}

fn timed(mut works: Vec<(Subject, Work<'_>)>, rounds: usize, seconds: u64) -> Vec<(Subject, usize, Samples)> {
    let (subjects, mut bare): (Vec<Subject>, Vec<Work<'_>>) = works.drain(..).unzip();
    let samples = interleaved(&mut bare, rounds, Duration::from_secs(seconds));
    subjects.into_iter().zip(bare).zip(samples).map(|((subject, work), samples)| (subject, work.bytes, samples)).collect()
}

/// The rows of one task on one document, each compared to the first.
fn rows_of(task: Task, document: &Document, timed: &[(Subject, usize, Samples)]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (subject, bytes, samples) in timed.iter().filter(|(subject, ..)| subject.task == task) {
        let mut row =
            Row::new(document.title(), &format!("{}{}", prefix(task), subject.name), *bytes, document.count, samples);
        row.key = subject.key;
        row.base = rows.first().map_or(row.time, |first| first.time);
        rows.push(row);
    }
    rows
}

fn prefix(task: Task) -> &'static str {
    if task == Task::Encode { "encode: " } else { "" }
}

/// All subjects on the main document: times in either order, memory, instructions.
fn compared(quick: bool, notes: &mut Vec<String>) -> Vec<Row> {
    let (content, count) = MAIN;
    let document = Document::new(content, count, Order::Datamodel);
    let mixed = Document::new(content, count, Order::Shuffled);
    let all = subjects();
    let shuffling: Vec<Subject> = all.iter().copied().filter(|subject| subject.order_matters).collect();
    eprintln!("{}: times", document.title());
    // Both orders in the same rounds, so that they can be compared.
    let works = [works(&all, &document, notes), works(&shuffling, &mixed, notes)];
    let first = works[0].len();
    let mut results = timed(works.into_iter().flatten().collect(), if quick { 5 } else { 9 }, if quick { 10 } else { 60 });
    let shuffled = results.split_off(first);
    let mut rows = Vec::new();
    for task in [Task::Decode, Task::Encode] {
        let mut part = rows_of(task, &document, &results);
        let of_task = results.iter().filter(|(subject, ..)| subject.task == task);
        for (row, (subject, ..)) in part.iter_mut().zip(of_task) {
            if let Some((.., samples)) = shuffled.iter().find(|(other, ..)| other.key == subject.key) {
                row.shuffled = samples.median();
            }
            if !quick {
                beside(row, subject, &document, notes);
            }
        }
        rows.append(&mut part);
    }
    rows
}

/// What is measured beside the time, by other programs.
fn beside(row: &mut Row, subject: &Subject, document: &Document, notes: &mut Vec<String>) {
    eprintln!("{}: memory and instructions", subject.name);
    match outside::heap(Path::new(env!("CARGO_BIN_EXE_codec-heap")), subject, document) {
        Ok((heap, allocations)) => (row.heap, row.allocations) = (heap, allocations),
        Err(error) => notes.push(format!("memory of {}: {error}", subject.name)),
    }
    let small = Document::new(SMALL.0, SMALL.1, Order::Datamodel);
    let Ok(program) = std::env::current_exe() else { return };
    let bytes = (subject.prepare)(&small).map(|work| work.bytes);
    match bytes.and_then(|bytes| outside::instructions(&program, subject, &small, bytes)) {
        Ok(instructions) => row.instructions = instructions,
        Err(error) => {
            notes.push(format!("instructions of {}: {}", subject.name, error.lines().last().unwrap_or("no reason")))
        }
    }
}

/// Python and Node.js, on the main document.
fn foreign(rows: &[Row], notes: &mut Vec<String>) -> Vec<Row> {
    let document = Document::new(MAIN.0, MAIN.1, Order::Datamodel);
    let folder = std::env::temp_dir().join(format!("xenoxide-bench-{}", std::process::id()));
    eprintln!("{}: Python and Node.js", document.title());
    let measured = outside::write(&document, &folder).map(|folder| outside::foreign(&folder));
    _ = std::fs::remove_dir_all(&folder);
    match measured {
        Ok((found, more)) => {
            notes.extend(more);
            let base = rows.first().map_or(f64::NAN, |first| first.time);
            let row = |it: outside::Foreign| {
                let bytes = if it.xml { document.xml().len() } else { document.json().len() };
                let mut samples = Samples::default();
                samples.push(it.time);
                let mut row = Row::new(document.title(), &it.name, bytes, document.count, &samples);
                row.base = base;
                row
            };
            found.into_iter().map(row).collect()
        }
        Err(error) => {
            notes.push(format!("Python and Node.js were not measured: {}: {error}", folder.display()));
            Vec::new()
        }
    }
}

/// Our own subjects on another document, and what they are compared to.
fn own(content: Content, count: usize, notes: &mut Vec<String>) -> Vec<Row> {
    let document = Document::new(content, count, Order::Datamodel);
    eprintln!("{}: times", document.title());
    let chosen: Vec<Subject> =
        subjects().into_iter().filter(|subject| !subject.vm_only && subject.key != "general").collect();
    let (rounds, seconds) = if count > 1000 { (3, 1) } else { (7, 4) };
    let results = timed(works(&chosen, &document, notes), rounds, seconds);
    [Task::Decode, Task::Encode].iter().flat_map(|task| rows_of(*task, &document, &results)).collect()
}
