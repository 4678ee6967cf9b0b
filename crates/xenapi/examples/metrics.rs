//! Shows how busy the hosts of a pool were during the last minutes.
//!
//! ```sh
//! cargo run -p xenapi --example metrics -- https://xs1.lab root secret
//! ```

pub mod common;

use common::{Fault, Task};
use xenapi::client::metrics::Owner;
use xenapi::{Host, get_all_records};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Fault> {
    let mut out = std::io::stdout();
    run(common::task(&mut out)?).await
}

/// The example itself.
pub async fn run(task: Task<'_>) -> Result<(), Fault> {
    let client = task.connect().await?;
    for (host, record) in client.call(get_all_records::<Host>()).await?.records {
        // Each host knows its own measurements only. Call `refresh` every five seconds to follow them.
        let mut metrics = client.follow_metrics(&host, 600, 0).await?;
        metrics.refresh().await?;
        let uuid = record.uuid.to_string();
        for (column, series) in metrics.window().of(Owner::HOST, &uuid) {
            if let ("cpu_avg", Some((mean, most))) = (column.source.as_str(), series.summary()) {
                writeln!(
                    task.out,
                    "{}: {:.0} % on average, {:.0} % at most",
                    record.name_label,
                    mean * 100.0,
                    most * 100.0
                )?;
            }
        }
    }
    client.logout().await?;
    Ok(())
}
