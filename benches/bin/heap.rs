//! What memory one subject takes for one document: `codec-heap KEY CONTENT COUNT` prints the most bytes at a time and the number
//! of allocations.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "a program that always has std")]

use std::process::ExitCode;

use xenoxide_benches::{Order, outside};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match outside::asked(&args, Order::Datamodel) {
        Ok((subject, document)) => match (subject.prepare)(&document) {
            Ok(mut work) => {
                // Backtraces are of no use here, and take long.
                let profiler = dhat::Profiler::builder().testing().trim_backtraces(Some(1)).build();
                (work.run)();
                let stats = dhat::HeapStats::get();
                drop(profiler);
                println!("{} {} {}", stats.max_bytes, stats.total_blocks, work.bytes);
                ExitCode::SUCCESS
            }
            Err(error) => fail(&error),
        },
        Err(error) => fail(&error),
    }
}

fn fail(error: &str) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::FAILURE
}
