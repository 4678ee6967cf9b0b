//! `xenoxide events`: what happens in a pool, a line each, for people or for programs.

mod text;

use std::io::{self, IsTerminal as _};

use serde_json::Value as Json;
use xenapi_core::{Call, Method, Type, Value};
use xenapi_model::errors;

use super::connection::{Connection, failed};
use crate::cli::{Events, Exit, When};
use crate::output::{self, Paint};
use crate::typed::json::to_json;
use text::Teller;

/// Seconds after which the server answers even if nothing happened.
const POLL_SECONDS: f64 = 30.0;

/// Runs the command until it is stopped.
pub(super) async fn run(args: &Events, color: When) -> Result<(), Exit> {
    check(&args.classes)?;
    let connection = Connection::prepare(&args.connection).await?;
    if connection.is_offline() && !args.all {
        return Err(Exit::usage("recordings do not change, so nothing would ever come; --all lists what they hold"));
    }
    let is_text = args.text || !args.json && io::stdout().is_terminal();
    let teller = is_text.then(|| Teller::new(Paint::stdout(color)));
    let work = async |connection: &Connection| {
        connection.log_in().await?;
        Follower { args, teller, left: args.count, show: args.all }.follow(connection).await
    };
    // Who follows events ends that with Ctrl-C, so it is no interruption.
    connection.finish(|_| Ok(()), work).await
}

fn check(classes: &[String]) -> Result<(), Exit> {
    let wrong = classes.iter().find(|class| *class != "*" && xenapi_model::class_of_event(class).is_none());
    wrong.map_or(Ok(()), |class| Err(Exit::usage(format!("there is no class {class:?}; `xenoxide schema` lists them"))))
}

/// Follows what happens.
struct Follower<'a> {
    args: &'a Events,
    /// Tells it to people; programs get it as it is.
    teller: Option<Teller>,
    /// How many are still wanted.
    left: Option<u64>,
    /// Whether the next batch is news, or only how things are.
    show: bool,
}

impl Follower<'_> {
    async fn follow(mut self, connection: &Connection) -> Result<(), Exit> {
        let from = xenapi_model::method("event.from").ok_or_else(|| Exit::failure("the schema has no event.from"))?;
        let mut token = String::new();
        loop {
            let batch: Value = match connection.client().call(self.ask(from, &token)).await {
                Ok(batch) => batch,
                Err(error) if error.failure().is_some_and(|failure| failure.code == errors::EVENTS_LOST) => {
                    output::say("note: the server has lost events; it goes on with the present");
                    token.clear();
                    self.show = self.args.all;
                    continue;
                }
                Err(error) => return Err(failed(&error)),
            };
            let batch = to_json(&Type::EventBatch, &batch);
            for event in batch.get("events").and_then(Json::as_array).into_iter().flatten() {
                if !self.tell(event)? {
                    return Ok(());
                }
            }
            if connection.is_offline() {
                return Ok(());
            }
            self.show = true;
            token = batch.get("token").and_then(Json::as_str).unwrap_or_default().into();
        }
    }

    fn ask(&self, from: Method, token: &str) -> Call<Value> {
        let classes = Value::Array(self.args.classes.iter().map(|class| class.as_str().into()).collect());
        let seconds = if token.is_empty() { 0.0 } else { POLL_SECONDS };
        Call::new(from, vec![classes, token.into(), Value::Double(seconds)])
    }

    /// Prints an event. `false` when there were enough.
    fn tell(&mut self, event: &Json) -> Result<bool, Exit> {
        // Who tells changes has to hear of how things were, too.
        let said = self.teller.as_mut().map(|teller| teller.tell(event));
        if !self.show {
            return Ok(true);
        }
        match said {
            Some(line) => output::line(&line)?,
            None => output::line(&event.to_string())?,
        }
        if let Some(left) = &mut self.left {
            *left -= 1;
        }
        Ok(self.left != Some(0))
    }
}
