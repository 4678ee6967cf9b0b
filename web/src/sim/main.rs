//! A pool that is in the browser alone, as a program of its own in a worker: simulated, or opened from files.
//!
//! It is downloaded only by whoever wants one. The page posts `{id, open: "demo"}`, `{id, open: "files", files: [{name, bytes}]}` or
//! `{id, call: bytes}`, and gets `{id, notes}`, `{id, reply: bytes}` or `{id, error}`.

#![allow(
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    reason = "a program that always has std: two crate roots for one import say nothing here"
)]

mod pool;

use std::cell::RefCell;

use gloo_timers::callback::Timeout;
use js_sys::{Array, Function, Object, Reflect, Uint8Array};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use xenapi_core::Millis;

use pool::{File, Pool};

/// What the worker holds.
#[derive(Default)]
struct Worker {
    pool: Option<Pool>,
    /// When the worker began, in milliseconds since 1970.
    began: f64,
    timer: Option<Timeout>,
}

thread_local! {
    static WORKER: RefCell<Worker> = RefCell::default();
}

fn main() {
    WORKER.with(|worker| worker.borrow_mut().began = js_sys::Date::now());
    let listener = Closure::<dyn FnMut(JsValue)>::new(|event: JsValue| {
        let data = member(&event, "data");
        let id = member(&data, "id").as_f64().unwrap_or_default() as u32;
        WORKER.with(|worker| worker.borrow_mut().take(id, &data));
    });
    // A global scope takes members.
    let _ = Reflect::set(&js_sys::global(), &"onmessage".into(), listener.as_ref());
    // It listens for as long as the worker lives.
    listener.forget();
}

impl Worker {
    fn take(&mut self, id: u32, data: &JsValue) {
        let call = member(data, "call");
        if let Some(bytes) = call.dyn_ref::<Uint8Array>() {
            let now = self.now();
            match &mut self.pool {
                Some(pool) => {
                    if let Some(reply) = pool.call(id, &bytes.to_vec(), now) {
                        tell(id, "reply", &Uint8Array::from(reply.as_slice()));
                    }
                }
                None => tell(id, "error", &"no pool was opened".into()),
            }
        } else {
            match self.open(data) {
                Ok(notes) => tell(id, "notes", &notes.iter().map(|note| JsValue::from_str(note)).collect::<Array>()),
                Err(error) => tell(id, "error", &JsValue::from_str(&error)),
            }
        }
        self.go_on();
    }

    fn open(&mut self, data: &JsValue) -> Result<Vec<String>, String> {
        let clock = self.began as u64;
        let (pool, notes) = match member(data, "open").as_string().as_deref() {
            Some("demo") => (Pool::demo(clock), Vec::new()),
            _ => Pool::open(&files(&member(data, "files")), clock)?,
        };
        self.pool = Some(pool);
        Ok(notes)
    }

    /// Time since the worker began.
    fn now(&self) -> Millis {
        Millis((js_sys::Date::now() - self.began).max(0.0) as u64)
    }

    /// Answers what has become ready, and comes back when the next thing does.
    fn go_on(&mut self) {
        let now = self.now();
        let Some(pool) = &mut self.pool else { return };
        for (id, reply) in pool.ready(now) {
            tell(id, "reply", &Uint8Array::from(reply.as_slice()));
        }
        self.timer = pool.next_deadline().map(|due| {
            let wait = u32::try_from(due.0.saturating_sub(now.0)).unwrap_or(u32::MAX / 2);
            Timeout::new(wait.max(1), || WORKER.with(|worker| worker.borrow_mut().go_on()))
        });
    }
}

fn files(list: &JsValue) -> Vec<File> {
    let list = list.dyn_ref::<Array>().cloned().unwrap_or_default();
    let file = |file: JsValue| {
        let name = member(&file, "name").as_string()?;
        Some((name, member(&file, "bytes").dyn_ref::<Uint8Array>()?.to_vec()))
    };
    list.iter().filter_map(file).collect()
}

fn member(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}

/// Posts a message to the page.
fn tell(id: u32, what: &str, value: &JsValue) {
    let message = Object::new();
    // A new object takes members, and a worker can post.
    let _ = Reflect::set(&message, &"id".into(), &id.into());
    let _ = Reflect::set(&message, &what.into(), value);
    let global = js_sys::global();
    if let Some(post) = member(&global, "postMessage").dyn_ref::<Function>() {
        let _ = post.call1(&global, &message);
    }
}
