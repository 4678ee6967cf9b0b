//! The archives of one object as a whole, which `/host_rrd`, `/vm_rrd` and `/sr_rrd` answer.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::archive::{self, ARCHIVES, Archive, Consolidation, STEP};
use super::probes::Meter;
use super::text;
use crate::Sim;
use crate::handlers::{Download, Head, Piece, Served, Visit};

/// How much is made at once, in bytes.
const PIECE: usize = 64 << 10;

/// An object's archives as they are written.
struct Whole {
    meter: Meter,
    json: bool,
    now: i64,
    /// The archives still to write.
    archives: Vec<(Archive, Consolidation)>,
    at: usize,
    /// The next row of the current archive; oldest first, other than in updates.
    row: i64,
    started: bool,
    over: bool,
}

/// Answers with all archives of an object.
pub(crate) fn serve(meter: Meter, kinds: &[Consolidation], json: bool, now: i64) -> Served {
    let archives = kinds.iter().flat_map(|kind| ARCHIVES.map(|archive| (archive, *kind)));
    let whole = Whole { meter, json, now, archives: archives.collect(), at: 0, row: 0, started: false, over: false };
    Served::Download(Head::ok(text::content_type(json)), Box::new(whole))
}

impl Whole {
    fn head(&self, out: &mut String) {
        let last = self.now - self.now.rem_euclid(STEP);
        let mut values = Vec::new();
        self.meter.sample(last, &mut values);
        *out += &if self.json {
            format!("{{\"version\":\"0003\",\"step\":\"{STEP}\",\"lastupdate\":\"{last}\",\"ds\":[")
        } else {
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rrd><version>0003</version><step>{STEP}</step><lastupdate>{last}</lastupdate>"
            )
        };
        for (at, (probe, value)) in self.meter.probes.iter().zip(values).enumerate() {
            let mut shown = String::new();
            text::number(&mut shown, value);
            let mut most = String::new();
            text::number(&mut most, probe.most);
            let unknown = if value.is_nan() { "5" } else { "0" };
            let facts = [
                ("name", probe.name.as_str()),
                ("type", "GAUGE"),
                ("minimal_heartbeat", "300.0000"),
                ("min", "0.0"),
                ("max", most.as_str()),
                ("last_ds", shown.as_str()),
                ("value", "0.0"),
                ("unknown_sec", unknown),
            ];
            self.object("ds", &facts, at == 0, out);
        }
        if self.json {
            *out += "],\"rra\":[";
        }
    }

    /// Texts with names.
    fn object(&self, name: &str, facts: &[(&str, &str)], first: bool, out: &mut String) {
        if self.json {
            *out += if first { "{" } else { ",{" };
            for (at, (key, value)) in facts.iter().enumerate() {
                *out += &format!("{}\"{key}\":", if at == 0 { "" } else { "," });
                text::quoted(out, value);
            }
            out.push('}');
            return;
        }
        *out += &format!("<{name}>");
        for (key, value) in facts {
            *out += &format!("<{key}>");
            text::escaped(out, value);
            *out += &format!("</{key}>");
        }
        *out += &format!("</{name}>");
    }

    fn archive_head(&self, archive: Archive, kind: Consolidation, out: &mut String) {
        let (name, per_row) = (kind.name(), archive.step / STEP);
        *out += &if self.json {
            let comma = if self.at == 0 { "" } else { "," };
            format!(
                "{comma}{{\"cf\":\"{name}\",\"pdp_per_row\":\"{per_row}\",\"params\":{{\"xff\":\"0.5000\"}},\"cdp_prep\":["
            )
        } else {
            format!("<rra><cf>{name}</cf><pdp_per_row>{per_row}</pdp_per_row><params><xff>0.5000</xff></params><cdp_prep>")
        };
        let zero = "0.0";
        let facts = [("primary_value", zero), ("secondary_value", zero), ("value", zero), ("unknown_datapoints", "0")];
        for at in 0..self.meter.probes.len() {
            self.object("ds", &facts, at == 0, out);
        }
        *out += if self.json { "],\"database\":[" } else { "</cdp_prep><database>" };
    }

    fn row(&self, archive: Archive, kind: Consolidation, out: &mut String) {
        let time = archive.last(self.now) - archive.step * (archive.rows - 1 - self.row);
        let mut values = Vec::new();
        archive::row(&self.meter, archive, time, &[kind], &mut values);
        if self.json {
            *out += if self.row == 0 { "[" } else { ",[" };
            for (at, value) in values.into_iter().enumerate() {
                *out += if at == 0 { "\"" } else { ",\"" };
                text::number(out, value);
                out.push('"');
            }
            out.push(']');
            return;
        }
        *out += "<row>";
        for value in values {
            *out += "<v>";
            text::number(out, value);
            *out += "</v>";
        }
        *out += "</row>";
    }
}

impl Download for Whole {
    fn next(&mut self, _: &mut Sim, _: &mut Visit) -> Piece {
        if self.over {
            return Piece::End;
        }
        let mut out = String::new();
        if !core::mem::replace(&mut self.started, true) {
            self.head(&mut out);
        }
        while out.len() < PIECE {
            let Some((archive, kind)) = self.archives.get(self.at).copied() else {
                out += if self.json { "]}" } else { "</rrd>" };
                self.over = true;
                break;
            };
            if self.row == 0 {
                self.archive_head(archive, kind, &mut out);
            }
            self.row(archive, kind, &mut out);
            self.row += 1;
            if self.row == archive.rows {
                out += if self.json { "]}" } else { "</database></rra>" };
                (self.at, self.row) = (self.at + 1, 0);
            }
        }
        Piece::Bytes(out.into_bytes())
    }
}
