//! `xenoxide call`: one call, typed by the schema.

use core::cell::OnceCell;

use xenapi_core::{Call, Method, Ref, Type, Value};
use xenapi_hyper::Target;
use xenapi_model::Task;

use super::connection::{Connection, failed};
use crate::cli::{self, Exit};
use crate::output::{self, Progress};
use crate::serve::policy::Known;
use crate::typed::json::to_json;
use crate::typed::parse::{Arg, LookUp, parse};
use crate::typed::signature::{find, signature};

/// Runs the command.
pub(super) async fn run(args: &cli::Call) -> Result<(), Exit> {
    // Everything that can be wrong with the words is said before anybody is asked.
    let known = find(&args.method).map_err(Exit::usage)?;
    let method = known.method;
    if args.as_task && !method.has_async() {
        return Err(Exit::usage(format!("{} cannot run as a task; leave --async out", method.name())));
    }
    let params = read_params(&method, &args.args)?;
    let connection = Connection::prepare(&args.connection).await?;
    if connection.is_offline() && !method.is_read_only() && method.takes_session() {
        output::say("note: recordings answer, so nothing stays of what the call changes");
    }
    let task = OnceCell::new();
    let work = async |connection: &Connection| {
        if method.takes_session() {
            connection.log_in().await?;
        }
        answer(connection, known, args, params, &task).await
    };
    let interrupted = |target: &Target| Err(Exit::interrupted(interrupted(target, args, task.get())));
    let (ty, value) = connection.finish(interrupted, work).await?;
    let json = to_json(&ty, &value);
    let text = if args.json { serde_json::to_string(&json) } else { serde_json::to_string_pretty(&json) };
    output::line(&text.map_err(Exit::failure)?)
}

/// What is said of a call whose caller does not wait for it any more.
fn interrupted(target: &Target, args: &cli::Call, task: Option<&Ref<Task>>) -> String {
    let method = &args.method;
    match task {
        Some(task) => format!(
            "{method}: interrupted; its task goes on at {target}:\n`xenoxide call {target} task.get_record {task}` shows it, task.cancel \
             ends it"
        ),
        None => format!("{method}: interrupted; {target} may go on with it"),
    }
}

fn read_params(method: &Method, texts: &[String]) -> Result<Vec<Arg>, Exit> {
    let params = method.params();
    let required = params.iter().filter(|param| param.required).count();
    if !(required..=params.len()).contains(&texts.len()) {
        let name = method.name();
        let most = params.len();
        let takes = if required == most { most.to_string() } else { format!("{required} to {most}") };
        let given = texts.len();
        return Err(Exit::usage(format!(
            "{name} takes {takes} parameters, and {given} {} given:\n  {}",
            if given == 1 { "is" } else { "are" },
            signature(method)
        )));
    }
    let read = params.iter().zip(texts).map(|(param, text)| {
        parse(&param.ty, text)
            .map_err(|what| Exit::usage(format!("{}: the argument {} ({}): {what}", method.name(), param.name, param.ty)))
    });
    read.collect()
}

async fn answer(
    connection: &Connection,
    known: Known,
    args: &cli::Call,
    params: Vec<Arg>,
    task: &OnceCell<Ref<Task>>,
) -> Result<(Type, Value), Exit> {
    let method = known.method;
    let mut look_up = Objects { connection };
    let mut values = Vec::with_capacity(params.len());
    for param in params {
        values.push(param.resolve(&mut look_up).await?);
    }
    let client = connection.client();
    let call = Call::<Value>::new(method, values);
    let name = call.name();
    if args.as_task {
        let mut progress = Progress::new(args.progress, &name);
        let mut running = client.start_task(call).await.map_err(|error| failed(&error))?;
        // Nobody else has set it.
        let _ = task.set(running.reference().clone());
        while let Some(part) = running.progress().await.map_err(|error| failed(&error))? {
            progress.at(part);
        }
        let value = running.finish().await.map_err(|error| failed(&error))?;
        return Ok((method.result(), value));
    }
    if known.is_async {
        let call = call.into_task::<Task>().ok_or_else(|| Exit::usage(format!("{name} has no Async. form")))?;
        let task = client.call(call).await.map_err(|error| failed(&error))?;
        return Ok((Type::Ref("task"), Value::from(&task)));
    }
    let value = client.call(call).await.map_err(|error| failed(&error))?;
    Ok((method.result(), value))
}

/// Finds objects by asking the server.
struct Objects<'c> {
    connection: &'c Connection,
}

impl LookUp for Objects<'_> {
    type Error = Exit;

    async fn by_uuid(&mut self, class: &'static str, uuid: &str) -> Result<Value, Exit> {
        self.connection.demand(&format!("{class}.get_by_uuid"), vec![uuid.into()]).await
    }

    async fn by_name(&mut self, class: &'static str, name: &str) -> Result<Value, Exit> {
        let method = format!("{class}.get_by_name_label");
        let mut found: Vec<Value> = self.connection.demand(&method, vec![name.into()]).await?;
        match (found.pop(), found.len()) {
            (Some(one), 0) => Ok(one),
            (None, _) => Err(Exit::no_such_object(format!("there is no {class} with the name {name:?}"))),
            (Some(_), others) => Err(Exit::no_such_object(format!(
                "{} objects of class {class} have the name {name:?}; give the uuid of the one that is meant",
                others + 1
            ))),
        }
    }

    fn session(&self) -> Value {
        Value::from(&self.connection.session())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::*;

    fn read(method: &str, texts: &[&str]) -> Result<Vec<Arg>, Exit> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        read_params(&find(method).unwrap().method, &texts)
    }

    #[test]
    fn a_wrong_number_of_parameters_shows_what_is_taken() {
        let error = read("VM.start", &[]).unwrap_err();
        assert_eq!(error.code, 2);
        assert!(
            error.message.starts_with("VM.start takes 3 parameters, and 0 are given:\n  VM.start("),
            "{}",
            error.message
        );
        assert!(read("VM.start", &["a", "true", "false", "x"]).is_err());
        assert_eq!(read("VM.start", &["a", "true", "false"]).unwrap().len(), 3);
        assert_eq!(read("session.login_with_password", &["root", "x"]).unwrap().len(), 2);
    }

    #[test]
    fn a_wrong_argument_is_named_with_its_type() {
        let error = read("VM.start", &["a", "perhaps", "false"]).unwrap_err();
        assert_eq!(error.message, "VM.start: the argument start_paused (bool): \"perhaps\" is neither true nor false");
    }
}
