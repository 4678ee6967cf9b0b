//! One request from its credentials to the end of its last byte.

use alloc::boxed::Box;
use alloc::format;

use core::fmt;

use xenapi_core::{Failure, Millis, RawRef, Role};

use super::routes::{self, Route};
use super::{Download, Duplex, Head, Method, Piece, Reply, Request, Served, Turn, Upload, Visit, auth};
use crate::{Origin, Sim};

/// What a server does for a request. Machines come as `E`.
#[derive(Debug)]
pub enum Answer<E = Exchange> {
    /// Send this.
    Reply(Reply),
    /// Send the head, then what [`Exchange::next`] gives.
    Download(Head, E),
    /// Send the head, if there is one; give the body to [`Exchange::take`]; at the end send what [`Exchange::finish`] gives, if there was none.
    Upload(Option<Head>, E),
    /// Send the head, then connect the client with the machine, beginning with [`Exchange::open`].
    Duplex(Head, E),
}

/// A transfer under way. It has to be told how it ended: by its own end, or by [`Exchange::abandon`].
pub struct Exchange {
    visit: Visit,
    machine: Machine,
    over: bool,
}

enum Machine {
    Download(Box<dyn Download>),
    Upload(Box<dyn Upload>),
    Duplex(Box<dyn Duplex>),
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = match self.machine {
            Machine::Download(_) => "download",
            Machine::Upload(_) => "upload",
            Machine::Duplex(_) => "duplex",
        };
        write!(f, "Exchange({machine})")
    }
}

/// Finds who answers, lets only those in who may, and begins.
pub(super) fn begin(sim: &mut Sim, request: &Request) -> Answer {
    let Some(route) = routes::find(request.method, &request.path) else {
        return Answer::Reply(nothing(request));
    };
    let mut visit = match enter(sim, request, route) {
        Ok(visit) => visit,
        Err(page) => return Answer::Reply(page),
    };
    let served = (route.serve)(sim, request, &mut visit);
    let exchange = |visit, machine| Exchange { visit, machine, over: false };
    match served {
        Ok(Served::Reply(reply)) | Err(reply) => {
            let failed = reply.status() >= 400;
            leave(sim, &mut visit, !failed, &format!("HTTP {}", reply.status()));
            Answer::Reply(reply)
        }
        Ok(Served::Download(head, machine)) => {
            let head = with_task(head, &visit);
            Answer::Download(head, exchange(visit, Machine::Download(machine)))
        }
        Ok(Served::Upload(head, machine)) => {
            let head = head.map(|head| with_task(head, &visit));
            Answer::Upload(head, exchange(visit, Machine::Upload(machine)))
        }
        Ok(Served::Duplex(head, machine)) => Answer::Duplex(head, exchange(visit, Machine::Duplex(machine))),
    }
}

/// Where no handler is: pages over the network only with TLS, and there are none.
fn nothing(request: &Request) -> Reply {
    if request.method == Method::Get && request.origin == Origin::Tcp && !request.secure {
        return Reply::error(403, "Web pages are served over HTTPS only.");
    }
    Reply::error(404, &format!("There is nothing at {}.", request.path))
}

/// Credentials, role, task.
fn enter(sim: &mut Sim, request: &Request, route: &'static Route) -> Result<Visit, Reply> {
    let mut visit = if route.open { auth::anyone(sim, request) } else { auth::visit(sim, request)? };
    if !route.open && visit.role < route.role {
        let with: alloc::vec::Vec<&str> =
            Role::ASSIGNABLE.iter().filter(|role| **role >= route.role).map(|role| role.name()).collect();
        let permission = format!("http/{}", route.action);
        let text = format!("No permission in user session. (Roles with this permission: {})", with.join(", "));
        let failure = Failure::new("RBAC_PERMISSION_DENIED", [permission.clone(), text.clone()]);
        visit.failure = Some(failure);
        leave(sim, &mut visit, false, "");
        return Err(Reply::error(403, &format!("{permission}: {text}")));
    }
    match (request.given("task_id"), route.task) {
        // A task that the client made is filled, whatever the route does on its own.
        (Some(task), _) if sim.store.contains("task", &task) => visit.task = Some(RawRef::from(task.as_str())),
        (Some(task), _) => {
            leave(sim, &mut visit, false, "");
            return Err(Reply::error(500, &format!("HANDLE_INVALID: there is no task {task}")));
        }
        (None, Some(name)) => {
            let task = sim.new_task(name, &visit.session);
            if let Some(parent) = request.given("subtask_of").filter(|parent| sim.store.contains("task", parent)) {
                sim.store.put("task", task.as_str(), "subtask_of", RawRef::from(parent.as_str()));
            }
            visit.task = Some(task);
        }
        (None, None) => {}
    }
    Ok(visit)
}

/// Clients learn the transfer's task from the head.
fn with_task(head: Head, visit: &Visit) -> Head {
    match &visit.task {
        Some(task) => head.with("task-id", task.as_str()),
        None => head,
    }
}

/// Completes the task and ends the session of the request.
fn leave(sim: &mut Sim, visit: &mut Visit, well: bool, why: &str) {
    if let Some(task) = visit.task.take() {
        let result = match (well, visit.failure.take()) {
            (true, None) => Ok(core::mem::take(&mut visit.result)),
            (_, Some(failure)) => Err(failure),
            (false, None) => Err(Failure::new("INTERNAL_ERROR", [why])),
        };
        sim.settle_task(&task, &result);
    }
    if visit.temporary {
        visit.temporary = false;
        sim.end_session(&visit.session);
    }
}

impl Exchange {
    fn leave(&mut self, sim: &mut Sim, well: bool, why: &str) {
        if !core::mem::replace(&mut self.over, true) {
            leave(sim, &mut self.visit, well, why);
        }
        sim.notice_changes();
    }

    /// A download's next part.
    pub fn next(&mut self, sim: &mut Sim, now: Millis) -> Piece {
        sim.advance(now);
        let Machine::Download(machine) = &mut self.machine else { return Piece::Broken };
        if self.over {
            return Piece::End;
        }
        let piece = machine.next(sim, &mut self.visit);
        match piece {
            Piece::End => self.leave(sim, true, ""),
            Piece::Broken => self.leave(sim, false, "the transfer broke off"),
            Piece::Bytes(_) | Piece::Wait(_) => sim.notice_changes(),
        }
        piece
    }

    /// Gives an upload the next bytes of its body.
    ///
    /// # Errors
    /// The reply that ends the exchange.
    pub fn take(&mut self, sim: &mut Sim, bytes: &[u8], now: Millis) -> Result<(), Reply> {
        sim.advance(now);
        let Machine::Upload(machine) = &mut self.machine else { return Ok(()) };
        let taken = machine.take(sim, &mut self.visit, bytes);
        match &taken {
            Ok(()) => sim.notice_changes(),
            Err(reply) => self.leave(sim, false, &format!("HTTP {}", reply.status())),
        }
        taken
    }

    /// The body of an upload ended, with the announced length or before.
    pub fn finish(&mut self, sim: &mut Sim, whole: bool, now: Millis) -> Reply {
        sim.advance(now);
        let Machine::Upload(machine) = &mut self.machine else { return Reply::error(500, "This is no upload.") };
        match machine.finish(sim, &mut self.visit, whole) {
            Ok(reply) => {
                self.leave(sim, true, "");
                reply
            }
            Err(reply) => {
                self.leave(sim, false, &format!("HTTP {}", reply.status()));
                reply
            }
        }
    }

    /// What a console says first.
    pub fn open(&mut self, sim: &mut Sim, now: Millis) -> Turn {
        self.turn(sim, now, |machine, sim, visit| machine.open(sim, visit))
    }

    /// What it answers to bytes of the client.
    pub fn receive(&mut self, sim: &mut Sim, bytes: &[u8], now: Millis) -> Turn {
        self.turn(sim, now, |machine, sim, visit| machine.receive(sim, visit, bytes))
    }

    /// What it says when its time has come.
    pub fn wake(&mut self, sim: &mut Sim, now: Millis) -> Turn {
        self.turn(sim, now, |machine, sim, visit| machine.wake(sim, visit))
    }

    fn turn(&mut self, sim: &mut Sim, now: Millis, act: impl FnOnce(&mut dyn Duplex, &mut Sim, &mut Visit) -> Turn) -> Turn {
        sim.advance(now);
        let over = Turn { close: true, ..Turn::default() };
        let Machine::Duplex(machine) = &mut self.machine else { return over };
        if self.over {
            return over;
        }
        let turn = act(machine.as_mut(), sim, &mut self.visit);
        if turn.close {
            machine.close(sim);
            self.leave(sim, true, "");
        }
        sim.notice_changes();
        turn
    }

    /// The client hung up, or the server gives up. Does nothing after an end.
    pub fn abandon(&mut self, sim: &mut Sim, now: Millis) {
        if self.over {
            return;
        }
        sim.advance(now);
        match &mut self.machine {
            Machine::Download(machine) => machine.abandon(sim),
            Machine::Upload(machine) => machine.abandon(sim),
            Machine::Duplex(machine) => machine.close(sim),
        }
        // A console has no other end than this.
        let well = matches!(self.machine, Machine::Duplex(_));
        self.leave(sim, well, "the client hung up");
    }
}
