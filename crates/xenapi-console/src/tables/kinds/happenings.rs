//! Tasks and messages.

use alloc::string::String;
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_model::task::TaskStatusType;
use xenapi_model::{Message, Task, message, task};
use xenapi_topology::State;

use super::told;
use crate::object::Icon;
use crate::route::Kind;
use crate::select;
use crate::tables::rows::{Look, Made, Pass};
use crate::tables::spec::{Shape, Spec, col, more};
use crate::tables::value::{Link, Value};
use crate::text::{Plural, Text};

pub(super) fn collect(kind: Kind, pass: &mut Pass<'_>) {
    match kind {
        Kind::Tasks => pass.each::<Task>(|_| true, |it| it.uuid.as_str(), task),
        _ => pass.each::<Message>(|_| true, |it| it.uuid.as_str(), message),
    }
}

pub(super) static TASKS: Spec = Spec {
    kind: Kind::Tasks,
    title: Text::ColTasks,
    counted: Plural::CountTasks,
    icon: Icon::Group,
    testid: "task",
    columns: &[
        col("name", Text::Name, Shape::Name, 260),
        col("state", Text::State, Shape::State, 124),
        col("progress", Text::ColProgress, Shape::Progress, 120),
        col("host", Text::Host, Shape::Links, 150),
        col("created", Text::ColCreated, Shape::Date, 188),
        col("took", Text::ColTook, Shape::Span, 80),
        col("error", Text::ColError, Shape::Text, 280),
        more("finished", Text::ColFinished, Shape::Date, 188),
        more("uuid", Text::Uuid, Shape::Code, 270),
        more("description", Text::Description, Shape::Text, 260),
    ],
    classes: &["task", "host", "pool"],
    facets: &["state", "host"],
    sort: "-created",
    narrow: ["host", "created"],
    example: "migrate, state:pending, created<1h",
    none: Text::NoTasksHint,
};

/// What a task's status is called, with the shape of a state.
pub(crate) fn task_state(status: &TaskStatusType) -> (State, Text) {
    match status {
        TaskStatusType::Pending => (State::Running, Text::StatusPending),
        TaskStatusType::Success => (State::Halted, Text::StatusSuccess),
        TaskStatusType::Failure => (State::Failed, Text::StatusFailure),
        TaskStatusType::Cancelling => (State::Attention, Text::StatusCancelling),
        TaskStatusType::Cancelled => (State::Halted, Text::StatusCancelled),
        TaskStatusType::Unrecognised(_) => (State::Unknown, Text::Unknown),
    }
}

fn task(look: &mut Look<'_>, task: &task::Record) -> Made {
    let (state, word) = task_state(&task.status);
    let is_over = task.finished.unix() > 0 && !matches!(task.status, TaskStatusType::Pending | TaskStatusType::Cancelling);
    let took = task.finished.unix().saturating_sub(task.created.unix());
    let name = select::either(&task.name_label, task.uuid.as_str());
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is clamped, and NaN becomes zero")]
    let progress = (task.progress.clamp(0.0, 1.0) * 1000.0) as u32;
    let cells = [
        Value::text(&name),
        Value::Status(state, word),
        Value::Share(progress),
        look.link(&task.resident_on),
        Value::date(&task.created),
        if is_over && took >= 0 { Value::Span(took) } else { Value::Nothing },
        Value::text(task.error_info.join(" ")),
        if is_over { Value::date(&task.finished) } else { Value::Nothing },
        Value::text(task.uuid.as_str()),
        Value::text(&task.name_description),
    ];
    Made { name, state: Some(state), cells: cells.into() }
}

pub(super) static MESSAGES: Spec = Spec {
    kind: Kind::Messages,
    title: Text::ColMessages,
    counted: Plural::CountMessages,
    icon: Icon::Group,
    testid: "message",
    columns: &[
        col("name", Text::ColMessage, Shape::Name, 240),
        col("state", Text::ColSeverity, Shape::State, 130),
        col("object", Text::ColObject, Shape::Links, 200),
        col("class", Text::ColClass, Shape::Text, 90),
        col("time", Text::ColTime, Shape::Date, 188),
        col("body", Text::ColBody, Shape::Text, 300),
        more("priority", Text::ColPriority, Shape::Count, 80),
        more("uuid", Text::Uuid, Shape::Code, 270),
    ],
    classes: &["message", "VM", "host", "SR", "VDI", "pool"],
    facets: &["state", "class"],
    sort: "-time",
    narrow: ["object", "time"],
    example: "alarm, class:host, time<7d",
    none: Text::NoMessagesHint,
};

/// How grave a message is: the server's priorities go from 1, data at risk, to 5, information.
pub(crate) fn severity(priority: i64) -> (State, Text) {
    match priority {
        ..=0 => (State::Unknown, Text::Unknown),
        1 => (State::Failed, Text::SeverityDataLoss),
        2 => (State::Failed, Text::SeverityServiceLoss),
        3 => (State::Attention, Text::SeverityDegraded),
        4 => (State::Running, Text::SeverityRecovered),
        _ => (State::Halted, Text::SeverityInformation),
    }
}

/// The object that a message is about.
pub(crate) fn about(cache: &Cache, message: &message::Record) -> Option<Link> {
    // Messages spell classes in their own way: `Host`, `Pool`.
    let class =
        ["VM", "host", "SR", "pool", "VDI"].into_iter().find(|class| class.eq_ignore_ascii_case(message.cls.as_str()))?;
    let object = select::find(cache, class, &message.obj_uuid)?;
    let name = select::name_of(cache, class, &object.reference)?;
    Some(Link { name, object, uuid: message.obj_uuid.clone() })
}

fn message(look: &mut Look<'_>, message: &message::Record) -> Made {
    let (state, word) = severity(message.priority);
    let about = about(look.cache, message);
    let name = told::name(message);
    if let Some(about) = &about {
        // So that a new name is seen.
        look.depend(&about.object);
    }
    let cells = [
        Value::text(&name),
        Value::Status(state, word),
        about.map_or(Value::Nothing, |about| Value::Links(Vec::from([about]))),
        Value::text(message.cls.as_str()),
        Value::date(&message.timestamp),
        Value::text(told::body(&message.body)),
        Value::Count(message.priority),
        Value::text(message.uuid.as_str()),
    ];
    Made { name, state: Some(state), cells: cells.into() }
}

/// `VM_STARTED` as people read it: `VM started`.
pub(crate) fn words(name: &str) -> String {
    if let Some(text) = crate::text::message(name) {
        return text.get().into();
    }
    let mut text = String::with_capacity(name.len());
    for (at, word) in name.split('_').filter(|word| !word.is_empty()).enumerate() {
        if at > 0 {
            text.push(' ');
        }
        match word {
            "VM" | "SR" | "VDI" | "VIF" | "VBD" | "PBD" | "PIF" | "HA" | "CPU" | "NTP" | "TLS" | "SSH" | "VLAN" | "IP"
            | "MTC" | "VMSS" | "VMPP" => text.push_str(word),
            _ if at == 0 => {
                let mut letters = word.chars();
                text.extend(letters.next());
                text.push_str(&letters.as_str().to_lowercase());
            }
            _ => text.push_str(&word.to_lowercase()),
        }
    }
    text
}
