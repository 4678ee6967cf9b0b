//! `xenoxide events`: what happens in a pool, a line of JSON each.

use serde_json::Value as Json;
use xenapi_core::{Call, Type, Value};
use xenapi_model::errors;

use super::connection::{Connection, failed};
use crate::cli::{Events, Exit};
use crate::output;
use crate::typed::json::to_json;

/// Seconds after which the server answers even if nothing happened.
const POLL_SECONDS: f64 = 30.0;

/// Runs the command until it is stopped.
pub(super) async fn run(args: &Events) -> Result<(), Exit> {
    check(&args.classes)?;
    let connection = Connection::open(&args.connection).await?;
    let ended = tokio::select! {
        ended = follow(&connection, args) => ended,
        stopped = super::stopped() => stopped,
    };
    connection.close().await;
    ended
}

fn check(classes: &[String]) -> Result<(), Exit> {
    let wrong = classes.iter().find(|class| *class != "*" && xenapi_model::class_of_event(class).is_none());
    wrong.map_or(Ok(()), |class| Err(Exit::usage(format!("there is no class {class:?}; `xenoxide schema` lists them"))))
}

async fn follow(connection: &Connection, args: &Events) -> Result<(), Exit> {
    let from = xenapi_model::method("event.from").ok_or_else(|| Exit::failure("the schema has no event.from"))?;
    let mut token = String::new();
    let mut show = args.all;
    loop {
        let classes = Value::Array(args.classes.iter().map(|class| class.as_str().into()).collect());
        let seconds = if token.is_empty() { 0.0 } else { POLL_SECONDS };
        let params = vec![classes, token.as_str().into(), Value::Double(seconds)];
        let batch: Value = match connection.client().call(Call::new(from, params)).await {
            Ok(batch) => batch,
            Err(error) if error.failure().is_some_and(|failure| failure.code == errors::EVENTS_LOST) => {
                output::say("note: the server has lost events; it goes on with the present");
                token.clear();
                show = args.all;
                continue;
            }
            Err(error) => return Err(failed(&error)),
        };
        let batch = to_json(&Type::EventBatch, &batch);
        if show {
            let events = batch.get("events").and_then(Json::as_array);
            events.into_iter().flatten().try_for_each(|event| output::line(&event.to_string()))?;
        }
        show = true;
        token = batch.get("token").and_then(Json::as_str).unwrap_or_default().into();
    }
}
