//! `bench-client-heap PORT SHA256 SESSION`: bytes that the decoded records take, and bytes that a cache of the same objects takes.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "a program that always has std")]

use xenapi_core::{Class, get_all_records};
use xenapi_hyper::{Client, Live};
use xenapi_model as model;
use xenoxide_bench_client::{Fault, Server};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Bytes that are allocated now.
fn taken() -> usize {
    dhat::HeapStats::get().curr_bytes
}

/// What the records of a class take, held as they were decoded.
async fn records<C: Class>(client: &Client) -> Result<usize, Fault>
where
    C::Record: Send + 'static,
{
    let before = taken();
    let mut all = client.call(get_all_records::<C>()).await?.records;
    // The buffer of the answer is gone by now; room that was never used is no record.
    all.shrink_to_fit();
    let after = taken();
    drop(all);
    Ok(after.saturating_sub(before))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fault> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let server = Server::parse(&args)?;
    let _profiler = dhat::Profiler::builder().testing().trim_backtraces(Some(1)).build();
    let client = Client::new(server.transport()?);
    client.set_session(Some(server.session.clone()));
    // What the connection takes once is none of it.
    records::<model::Pool>(&client).await?;
    let mut decoded = 0;
    macro_rules! all {
        ($($class:ident)*) => { $(decoded += records::<model::$class>(&client).await?;)* };
    }
    all!(Pool Host HostMetrics VM VMMetrics VMGuestMetrics VBD VDI SR PBD VIF Network PIF PIFMetrics Bond VLAN Console Task);
    drop(client);
    let before = taken();
    let live = Live::start(server.transport()?, server.machine());
    live.loaded().await?;
    // Until the batch that was read is gone, too.
    live.call(model::host::fields::NAME_LABEL.get(&live.with(|machine| {
        machine.cache().iter::<model::Host>().next().map(|(host, _)| host).unwrap_or_else(xenapi_core::Ref::null)
    })))
    .await?;
    let cache = taken().saturating_sub(before);
    println!("{decoded} {cache}");
    Ok(())
}
