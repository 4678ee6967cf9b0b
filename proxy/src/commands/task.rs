//! Waiting for a task.

use core::time::Duration;

use xenapi_codec::{Limits, xmlrpc};
use xenapi_core::{Failure, RawRef, Value, Wire as _};
use xenapi_model::task;

use super::connection::{Connection, refused};
use crate::cli::Exit;
use crate::output;

/// Between two looks at a task: short at first, for those that are done at once.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Waits until a task ends, shows its progress, takes it away, and gives its result.
pub(super) async fn wait(connection: &Connection, method: &str, reference: &RawRef) -> Result<Value, Exit> {
    let mut pause = FIRST_PAUSE;
    let mut shown = None;
    let ended = loop {
        let task: task::Record = connection.demand("task.get_record", vec![reference.into()]).await?;
        // Progress is a fraction; servers have been seen to send nonsense.
        let percent = (task.progress.clamp(0.0, 1.0) * 100.0).round();
        if shown != Some(percent) {
            output::say(&format!("{method}: {percent} %"));
            shown = Some(percent);
        }
        if !matches!(task.status.as_str(), "pending" | "cancelling") {
            break task;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    };
    // The task has told all it had to tell. One that another client took away meanwhile is no loss.
    let _: Result<(), Exit> = connection.demand("task.destroy", vec![reference.into()]).await;
    match ended.status.as_str() {
        "success" => result(method, &ended.result),
        "cancelled" => Err(Exit::failure(format!("{method}: the task was cancelled"))),
        _ => Err(refused(method, &Failure::from_description(ended.error_info))),
    }
}

/// The result of a task is a document of its own; of a task without one it is empty.
fn result(method: &str, text: &str) -> Result<Value, Exit> {
    if text.is_empty() {
        return Ok(Value::VOID);
    }
    xmlrpc::read_value_as(text, &Limits::reply(), Value::read)
        .map_err(|error| Exit::failure(format!("{method}: the result of the task cannot be read: {error}")))
}
