//! `/rrd_updates`: what was measured since a time, of many objects in one table.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::archive::{self, Archive, Consolidation};
use super::probes::Meter;
use super::text;
use crate::Sim;
use crate::handlers::{Download, Head, Piece, Reply, Served, Visit};

/// A table with more values than this is streamed.
const MOST_AT_ONCE: usize = 100_000;
/// How much of a stream is made at once, in bytes.
const PIECE: usize = 64 << 10;

/// A table as it is written.
pub(crate) struct Updates {
    pub(crate) meters: Vec<Meter>,
    pub(crate) archive: Archive,
    pub(crate) kinds: Vec<Consolidation>,
    pub(crate) json: bool,
    /// Newest first.
    pub(crate) times: Vec<i64>,
}

impl Updates {
    fn columns(&self) -> usize {
        self.meters.iter().map(|meter| meter.probes.len()).sum::<usize>() * self.kinds.len()
    }

    /// The table at once, or as a stream if it is big.
    pub(crate) fn serve(self, now: i64) -> Served {
        let head = Head::ok(text::content_type(self.json));
        let start = self.head(now);
        if self.columns().saturating_mul(self.times.len()) > MOST_AT_ONCE {
            return Served::Download(
                head,
                Box::new(Stream { updates: self, started: Some(start), next: 0, meter: 0, over: false }),
            );
        }
        let mut body = start;
        for at in 0..self.times.len() {
            for meter in 0..self.meters.len() {
                self.part(at, meter, &mut body);
            }
            self.row_end(&mut body);
        }
        self.end(&mut body);
        Served::Reply(Reply { head, body: body.into_bytes() })
    }

    fn head(&self, now: i64) -> String {
        let last = self.archive.last(now);
        let facts = [
            ("start", self.times.last().copied().unwrap_or(last)),
            ("step", self.archive.step),
            ("end", last),
            ("rows", i64::try_from(self.times.len()).unwrap_or(i64::MAX)),
            ("columns", i64::try_from(self.columns()).unwrap_or(i64::MAX)),
        ];
        let mut out = String::from(if self.json {
            "{\"meta\":{"
        } else {
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xport><meta>"
        });
        for (name, value) in facts {
            out += &if self.json {
                alloc::format!("\"{name}\":\"{value}\",")
            } else {
                alloc::format!("<{name}>{value}</{name}>")
            };
        }
        out += if self.json { "\"legend\":[" } else { "<legend>" };
        let mut first = true;
        for meter in &self.meters {
            for kind in &self.kinds {
                for probe in &meter.probes {
                    let entry = alloc::format!("{}:{}:{}:{}", kind.name(), meter.kind, meter.uuid, probe.name);
                    if self.json {
                        if !core::mem::take(&mut first) {
                            out.push(',');
                        }
                        text::quoted(&mut out, &entry);
                    } else {
                        out += "<entry>";
                        text::escaped(&mut out, &entry);
                        out += "</entry>";
                    }
                }
            }
        }
        out += if self.json { "]},\"data\":[" } else { "</legend></meta><data>" };
        out
    }

    /// An object's part of a row, with the row's beginning before that of the first object.
    fn part(&self, at: usize, meter: usize, out: &mut String) {
        let (Some(time), Some(of)) = (self.times.get(at).copied(), self.meters.get(meter)) else { return };
        if meter == 0 {
            self.row_start(at, time, out);
        }
        let mut values = Vec::new();
        archive::row(of, self.archive, time, &self.kinds, &mut values);
        let is_first = self.meters[..meter].iter().all(|meter| meter.probes.is_empty());
        for (at, value) in values.into_iter().enumerate() {
            if self.json {
                *out += if at == 0 && is_first { "\"" } else { ",\"" };
                text::number(out, value);
                out.push('"');
            } else {
                *out += "<v>";
                text::number(out, value);
                *out += "</v>";
            }
        }
    }

    fn row_start(&self, at: usize, time: i64, out: &mut String) {
        *out += &if self.json {
            alloc::format!("{}{{\"t\":\"{time}\",\"values\":[", if at == 0 { "" } else { "," })
        } else {
            alloc::format!("<row><t>{time}</t>")
        };
    }

    fn row_end(&self, out: &mut String) {
        if !self.meters.is_empty() {
            *out += if self.json { "]}" } else { "</row>" };
        }
    }

    fn end(&self, out: &mut String) {
        *out += if self.json { "]}" } else { "</data></xport>" };
    }
}

/// A big table on its way.
struct Stream {
    updates: Updates,
    started: Option<String>,
    next: usize,
    meter: usize,
    over: bool,
}

impl Download for Stream {
    fn next(&mut self, _: &mut Sim, _: &mut Visit) -> Piece {
        if self.over {
            return Piece::End;
        }
        let mut out = self.started.take().unwrap_or_default();
        while out.len() < PIECE && self.next < self.updates.times.len() {
            self.updates.part(self.next, self.meter, &mut out);
            self.meter += 1;
            if self.meter >= self.updates.meters.len() {
                self.updates.row_end(&mut out);
                (self.next, self.meter) = (self.next + 1, 0);
            }
        }
        if self.next >= self.updates.times.len() {
            self.updates.end(&mut out);
            self.over = true;
        }
        Piece::Bytes(out.into_bytes())
    }
}
