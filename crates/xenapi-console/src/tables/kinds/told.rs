//! What the body of a message says. Some are sentences; alarms and a few others are documents that programs read.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_model::message;

use crate::format;
use crate::text::Text;

/// More than this of a body is no line any more.
const MOST: usize = 600;

/// A message in a few words: what an alarm is about, otherwise its name.
pub(crate) fn short(message: &message::Record) -> String {
    let alarm = (message.name == "ALARM").then(|| Alarm::read(&message.body)).flatten();
    alarm.map_or_else(|| super::words(&message.name), |alarm| alarm.short())
}

/// What a message is called: an alarm with what it is about.
pub(super) fn name(message: &message::Record) -> String {
    let (words, short) = (super::words(&message.name), short(message));
    if short == words { words } else { [words.as_str(), ": ", &short].concat() }
}

/// A body in one line.
pub(crate) fn body(body: &str) -> String {
    if let Some(alarm) = Alarm::read(body) {
        return alarm.long();
    }
    let fields = fields(body);
    if fields.is_empty() { one_line(body) } else { fields.join(", ") }
}

/// What the server measured, and from where on that is an alarm.
struct Alarm<'a> {
    name: &'a str,
    value: f64,
    level: Option<f64>,
}

impl<'a> Alarm<'a> {
    /// Reads `value: 0.91`, and `<name value="cpu_usage"/>` and `<alarm_trigger_level value="0.9"/>` after it.
    fn read(body: &'a str) -> Option<Alarm<'a>> {
        let value =
            body.trim_start().strip_prefix("value:")?.split_whitespace().next().and_then(xenapi_core::parse_double)?;
        let attribute = |element: &str| {
            let (_, rest) = body.split_once(element)?;
            let (_, rest) = rest.trim_start().strip_prefix("value=")?.split_once(['"', '\''])?;
            rest.split_once(['"', '\'']).map(|(value, _)| value)
        };
        let name = attribute("<name ")?;
        let level = attribute("<alarm_trigger_level ").and_then(xenapi_core::parse_double);
        value.is_finite().then_some(Alarm { name, value, level: level.filter(|it| it.is_finite()) })
    }

    /// What is measured, in words; by its own name if nobody knows it.
    fn what(&self) -> &str {
        match self.name {
            "cpu_usage" => Text::AlarmCpu.get(),
            "mem_usage" => Text::AlarmMemory.get(),
            "memory_internal_free" | "memory_free_kib" => Text::AlarmMemoryFree.get(),
            "fs_usage" | "log_fs_usage" => Text::AlarmFs.get(),
            "network_usage" => Text::AlarmNetwork.get(),
            "disk_usage" | "sr_io_throughput_total_per_host" => Text::AlarmDisk.get(),
            "physical_utilisation" => Text::AlarmSr.get(),
            name => name,
        }
    }

    /// A number with the unit of what is measured.
    fn number(&self, number: f64) -> String {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast saturates, and what is shown is rounded"
        )]
        match self.name {
            "cpu_usage" | "mem_usage" | "fs_usage" | "log_fs_usage" | "physical_utilisation" => {
                format::percentage((number * 100.0 + 0.5).max(0.0) as u64)
            }
            "network_usage" | "disk_usage" | "sr_io_throughput_total_per_host" => {
                Text::PerSecond.with(&[&format::bytes(number as i64)])
            }
            "memory_free_kib" | "memory_internal_free" => format::bytes((number * 1024.0) as i64),
            _ => number.to_string(),
        }
    }

    fn short(&self) -> String {
        Text::AlarmShort.with(&[self.what(), &self.number(self.value)])
    }

    fn long(&self) -> String {
        match self.level {
            Some(level) => Text::AlarmLong.with(&[self.what(), &self.number(self.value), &self.number(level)]),
            None => self.short(),
        }
    }
}

/// The elements of a document that hold text, as `name: text`. Nothing for a body that is none.
fn fields(body: &str) -> Vec<String> {
    let mut fields = Vec::new();
    if !body.trim_start().starts_with('<') {
        return fields;
    }
    let mut length = 0;
    // From each `<name>` to its `</name>`, if nothing but text is between them.
    for part in body.split('<') {
        let Some((name, text)) = part.split_once('>') else { continue };
        let text = one_line(text);
        if name.starts_with(['/', '?', '!']) || text.is_empty() {
            continue;
        }
        let name = name.split_whitespace().next().unwrap_or_default().replace('_', " ");
        length += name.len() + text.len() + 4;
        if length > MOST {
            break;
        }
        fields.push([name.as_str(), ": ", &unescaped(&text)].concat());
    }
    fields
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&")
}

fn one_line(body: &str) -> String {
    let mut text = String::new();
    for word in body.split_whitespace().take(80) {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const CPU: &str = "value: 0.910000\nconfig:\n<variable>\n\t<name value=\"cpu_usage\"/>\n\t<alarm_trigger_level value=\"0.9\"/>\n</variable>\n";

    #[test]
    fn an_alarm_says_what_was_measured() {
        assert_eq!(body(CPU), "CPU usage is 91 %; the alarm is set at 90 %");
        let alarm = message::Record { name: "ALARM".into(), body: CPU.into(), ..message::Record::default() };
        assert_eq!(short(&alarm), "CPU usage 91 %");
        assert_eq!(name(&alarm), "Alarm: CPU usage 91 %");
        let network = CPU.replace("cpu_usage", "network_usage").replace("0.910000", "2097152").replace("0.9", "1048576");
        assert_eq!(body(&network), "Network traffic is 2 MiB/s; the alarm is set at 1 MiB/s");
        let unknown = CPU.replace("cpu_usage", "froth");
        assert_eq!(body(&unknown), "froth is 0.91; the alarm is set at 0.9");
    }

    #[test]
    fn documents_are_told_by_their_elements() {
        let bond = "<body><host>host-03</host><bond>bond0</bond><up_links>1 of 2</up_links></body>";
        assert_eq!(body(bond), "host: host-03, bond: bond0, up links: 1 of 2");
        assert_eq!(body("<a>x &amp;&lt; y</a>"), "a: x &< y");
    }

    #[test]
    fn what_is_no_document_stays_as_it_is() {
        assert_eq!(body("VM 'x'\n  started"), "VM 'x' started");
        for odd in ["", "<", "<>", "value:", "value: nan <name value=", "value: 1 <name value=\"", "<a", "a < b > c"] {
            let _ = body(odd);
        }
        assert_eq!(body("a < b > c"), "a < b > c");
        let plain = message::Record { name: "VM_STARTED".into(), ..message::Record::default() };
        assert_eq!((short(&plain), name(&plain)), ("VM started".into(), "VM started".into()));
    }
}
