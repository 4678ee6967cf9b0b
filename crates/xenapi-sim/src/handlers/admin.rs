//! `/xenoxide/faults`: faults of a pool that runs. xapi has nothing of the kind, and no path of its own below `/xenoxide`.
//!
//! `GET` lists the faults, a line each: number, how often it happened, the fault as it is written. `POST` adds those in its body, `PUT` puts them
//! in the place of all that there are (an empty body takes all back); both answer the list. Only root may: over the network with root's password or
//! session, or on the Unix socket.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Reply, Request, Served, Upload, Visit};
use crate::{Sim, faults};

/// Where it is.
pub(super) const FAULTS: &str = "/xenoxide/faults";

/// A list of faults is never longer.
const LONGEST: usize = 64 << 10;

/// `GET`
pub(super) fn list(sim: &mut Sim, _: &Request, _: &mut Visit) -> Result<Served, Reply> {
    Ok(Served::Reply(listing(sim)))
}

/// `POST`
pub(super) fn add(_: &mut Sim, _: &Request, _: &mut Visit) -> Result<Served, Reply> {
    Ok(Served::Upload(None, Box::new(Change { replace: false, text: Vec::new() })))
}

/// `PUT`
pub(super) fn replace(_: &mut Sim, _: &Request, _: &mut Visit) -> Result<Served, Reply> {
    Ok(Served::Upload(None, Box::new(Change { replace: true, text: Vec::new() })))
}

fn listing(sim: &Sim) -> Reply {
    let lines: String = sim.faults().map(|(id, happened, spec)| format!("{id} {happened} {spec}\n")).collect();
    Reply::ok("text/plain; charset=utf-8", lines)
}

struct Change {
    replace: bool,
    text: Vec<u8>,
}

impl Upload for Change {
    fn take(&mut self, _: &mut Sim, _: &mut Visit, bytes: &[u8]) -> Result<(), Reply> {
        self.text.extend_from_slice(bytes);
        if self.text.len() <= LONGEST { Ok(()) } else { Err(Reply::error(400, "The list of faults is too long.")) }
    }

    fn finish(&mut self, sim: &mut Sim, _: &mut Visit, whole: bool) -> Result<Reply, Reply> {
        if !whole {
            return Err(Reply::error(400, "The body is not complete."));
        }
        let text = core::str::from_utf8(&self.text).map_err(|_| Reply::error(400, "The body is not UTF-8."))?;
        let specs = faults::parse(text).map_err(|error| Reply::error(400, &format!("{error}")))?;
        sim.check_faults(&specs).map_err(|error| Reply::error(400, &format!("{error}")))?;
        if self.replace {
            sim.clear_faults();
        }
        sim.add_faults(&specs, sim.now);
        Ok(listing(sim))
    }
}
