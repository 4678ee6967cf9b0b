//! The same as a message with `xe`, the command line of the hosts. It has commands of its own, not one for each message.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::Value;

use super::catalogue::{Class, Kind, Message};
use super::code::shell;

/// An argument.
pub(super) struct Word<'a> {
    /// As one word, not yet quoted; objects by their uuids.
    pub(super) text: String,
    /// As it is sent.
    pub(super) value: &'a Value,
}

/// A message and how `xe` says it: the command, and an argument for each parameter after the object itself. `_` leaves one out;
/// `--word` stands for a parameter that is true, `*` for a map whose pairs are arguments themselves.
type Known = (&'static str, &'static str, &'static [&'static str]);

/// Messages with a command of their own. Commands that take the object go by its uuid.
const KNOWN: &[Known] = &[
    ("VM.start", "vm-start", &["paused", "--force"]),
    ("VM.start_on", "vm-start", &["on", "paused", "--force"]),
    ("VM.clean_shutdown", "vm-shutdown", &[]),
    ("VM.hard_shutdown", "vm-shutdown --force", &[]),
    ("VM.shutdown", "vm-shutdown", &[]),
    ("VM.clean_reboot", "vm-reboot", &[]),
    ("VM.hard_reboot", "vm-reboot --force", &[]),
    ("VM.suspend", "vm-suspend", &[]),
    ("VM.resume", "vm-resume", &["_", "--force"]),
    ("VM.resume_on", "vm-resume", &["on", "_", "--force"]),
    ("VM.pause", "vm-pause", &[]),
    ("VM.unpause", "vm-unpause", &[]),
    ("VM.pool_migrate", "vm-migrate", &["host-uuid", "*"]),
    ("VM.clone", "vm-clone", &["new-name-label"]),
    ("VM.copy", "vm-copy", &["new-name-label", "sr-uuid"]),
    ("VM.snapshot", "vm-snapshot", &["new-name-label", "_"]),
    ("VM.checkpoint", "vm-checkpoint", &["new-name-label"]),
    ("VM.revert", "snapshot-revert", &[]),
    ("VM.destroy", "vm-destroy", &[]),
    ("VBD.destroy", "vbd-destroy", &[]),
    ("VBD.plug", "vbd-plug", &[]),
    ("VBD.unplug", "vbd-unplug", &[]),
    ("VBD.eject", "vbd-eject", &[]),
    ("VBD.insert", "vbd-insert", &["vdi-uuid"]),
    ("VIF.destroy", "vif-destroy", &[]),
    ("VIF.plug", "vif-plug", &[]),
    ("VIF.unplug", "vif-unplug", &[]),
    ("VDI.destroy", "vdi-destroy", &[]),
    ("VDI.forget", "vdi-forget", &[]),
    ("VDI.clone", "vdi-clone", &["_"]),
    ("VDI.copy", "vdi-copy", &["sr-uuid"]),
    ("VDI.snapshot", "vdi-snapshot", &["_"]),
    ("VDI.resize", "vdi-resize", &["disk-size"]),
    ("VDI.pool_migrate", "vdi-pool-migrate", &["sr-uuid", "_"]),
    ("SR.scan", "sr-scan", &[]),
    ("SR.destroy", "sr-destroy", &[]),
    ("SR.forget", "sr-forget", &[]),
    ("PBD.destroy", "pbd-destroy", &[]),
    ("PBD.plug", "pbd-plug", &[]),
    ("PBD.unplug", "pbd-unplug", &[]),
    ("PIF.plug", "pif-plug", &[]),
    ("PIF.unplug", "pif-unplug", &[]),
    ("PIF.scan", "pif-scan host-", &[]),
    ("PIF.forget", "pif-forget", &[]),
    ("network.destroy", "network-destroy", &[]),
    ("host.enable", "host-enable", &[]),
    ("host.disable", "host-disable", &[]),
    ("host.reboot", "host-reboot", &[]),
    ("host.shutdown", "host-shutdown", &[]),
    ("host.evacuate", "host-evacuate", &[]),
    ("host.destroy", "host-forget", &[]),
    ("host.emergency_ha_disable", "host-emergency-ha-disable", &[]),
    ("pool.enable_ha", "pool-ha-enable", &[]),
    ("pool.disable_ha", "pool-ha-disable", &[]),
    ("pool.eject", "pool-eject host-", &[]),
    ("pool.designate_new_master", "pool-designate-new-master host-", &[]),
    ("pool.sync_database", "pool-sync-database", &[]),
    ("pool.recover_slaves", "pool-recover-slaves", &[]),
    ("task.cancel", "task-cancel", &[]),
    ("message.destroy", "message-destroy", &[]),
];

/// The command, or none where `xe` has none that we know. `words` are the arguments without the session.
pub(super) fn command(class: &Class, message: &Message, words: &[Word<'_>]) -> Option<String> {
    let noun = noun(&class.name);
    let quoted = |at: usize| words.get(at).map(|word| shell(&word.text)).unwrap_or_default();
    let (this, second) = (quoted(0), quoted(1));
    let name = |field: &str| field.replace('_', "-").to_ascii_lowercase();
    match &kind(class, message) {
        Kind::Get(field) => Some(format!("xe {noun}-param-get uuid={this} param-name={}", name(field))),
        Kind::Set(field) => match words.get(1).map(|word| word.value) {
            Some(value @ (Value::Struct(_) | Value::Array(_))) => Some(set_several(&noun, &this, &name(field), value)),
            _ => Some(format!("xe {noun}-param-set uuid={this} {}={second}", name(field))),
        },
        Kind::Add(field) => Some(format!("xe {noun}-param-add uuid={this} param-name={} param-key={second}", name(field))),
        Kind::Remove(field) => {
            Some(format!("xe {noun}-param-remove uuid={this} param-name={} param-key={second}", name(field)))
        }
        Kind::AddTo(field) => {
            let text = |at: usize| words.get(at).map(|word| word.text.as_str()).unwrap_or_default();
            Some(format!("xe {noun}-param-add uuid={this} param-name={} {}", name(field), pair(text(1), text(2))))
        }
        Kind::RemoveFrom(field) => {
            Some(format!("xe {noun}-param-remove uuid={this} param-name={} param-key={second}", name(field)))
        }
        // Some classes have a message of their own in the place of one that all have.
        Kind::OfClass | Kind::Own => of_class(&noun, &message.name, &this).or_else(|| own(class, message, words)),
    }
}

/// A whole set or map: `xe` adds to what is there, so that is cleared first.
fn set_several(noun: &str, this: &str, field: &str, value: &Value) -> String {
    let mut lines = Vec::from([format!("xe {noun}-param-clear uuid={this} param-name={field}")]);
    match value {
        Value::Struct(members) => {
            let pairs = members.iter().map(|(key, value)| [" ", &pair(&format!("{field}:{key}"), text_of(value))].concat());
            let pairs: String = pairs.collect();
            if !pairs.is_empty() {
                lines.push(format!("xe {noun}-param-set uuid={this}{pairs}"));
            }
        }
        Value::Array(items) => {
            lines.extend(items.iter().map(|item| {
                format!("xe {noun}-param-add uuid={this} param-name={field} param-key={}", shell(text_of(item)))
            }))
        }
        _ => {}
    }
    lines.join("\n")
}

fn text_of(value: &Value) -> &str {
    value.as_text().unwrap_or_default()
}

/// `key=value` as a shell reads it.
fn pair(key: &str, value: &str) -> String {
    if shell(key) == key { format!("{key}={}", shell(value)) } else { shell(&format!("{key}={value}")) }
}

/// How the message comes to be. Some classes have messages of their own that do what follows from a field elsewhere.
fn kind(class: &Class, message: &Message) -> Kind {
    let of = |start: &str| message.name.strip_prefix(start).filter(|name| class.field(name).is_some()).map(String::from);
    if message.kind != Kind::Own {
        return message.kind.clone();
    }
    let follows = [("add_to_", 3), ("remove_from_", 2), ("set_", 2)];
    for (start, params) in follows {
        let Some(field) = of(start).filter(|_| message.params.len() == params) else { continue };
        return match start {
            "add_to_" => Kind::AddTo(field),
            "remove_from_" => Kind::RemoveFrom(field),
            _ => Kind::Set(field),
        };
    }
    Kind::Own
}

fn of_class(noun: &str, message: &str, this: &str) -> Option<String> {
    match message {
        "get_all" => Some(format!("xe {noun}-list params=uuid --minimal")),
        "get_all_records" => Some(format!("xe {noun}-list params=all")),
        "get_by_uuid" => Some(format!("xe {noun}-list uuid={this}")),
        "get_by_name_label" => Some(format!("xe {noun}-list name-label={this}")),
        "get_record" => Some(format!("xe {noun}-param-list uuid={this}")),
        _ => None,
    }
}

fn own(class: &Class, message: &Message, words: &[Word<'_>]) -> Option<String> {
    let whole = format!("{}.{}", class.name, message.name);
    let (_, command, arguments) = KNOWN.iter().find(|it| it.0 == whole)?;
    let (command, object) = command.split_once(' ').map_or((*command, "uuid"), |(command, rest)| match rest {
        "host-" => (command, "host-uuid"),
        _ => (command, "uuid"),
    });
    let mut line = format!("xe {command}");
    // There is one pool, so its commands do not name it.
    if matches!(message.name.as_str(), "enable_ha" | "disable_ha" | "sync_database" | "recover_slaves") {
        return Some(line);
    }
    if let Some(this) = words.first() {
        line.push_str(&format!(" {object}={}", shell(&this.text)));
    }
    let rest: Vec<(&&str, &Word<'_>)> = arguments.iter().zip(words.iter().skip(1)).collect();
    for (argument, word) in rest {
        match argument.strip_prefix("--") {
            _ if *argument == "_" => {}
            _ if *argument == "*" => {
                if let Value::Struct(members) = word.value {
                    members.iter().for_each(|(key, value)| line.push_str(&format!(" {}", pair(key, text_of(value)))));
                }
            }
            Some(flag) if word.text == "true" => line.push_str(&format!(" --{flag}")),
            Some(_) => {}
            None => line.push_str(&format!(" {argument}={}", shell(&word.text))),
        }
    }
    if KNOWN.iter().any(|it| it.0 == whole && it.1.ends_with("--force")) {
        line.push_str(" --force");
    }
    Some(line)
}

/// The word that `xe` has for a class.
fn noun(class: &str) -> String {
    match class {
        "VM" => "vm".into(),
        "host_cpu" => "host-cpu".into(),
        name => name.replace('_', "-").to_ascii_lowercase(),
    }
}
