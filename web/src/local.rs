//! Pools that are in the browser alone: simulated, or opened from files. Each is a worker that answers as a server would, so that everything
//! else is as with any pool.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Worker, WorkerOptions, WorkerType};
use xenapi_console::badge::Place;
use xenapi_console::text::Text;

use crate::driver::PoolInfo;
use crate::pages::What;

/// What stands before the name of such a pool where others have an address.
const SCHEME: &str = "local:";
/// The name of the simulated pool.
pub(crate) const DEMO: &str = "demo";
/// Who logs in to such a pool, and with what: it is nobody's secret.
pub(crate) const USER: &str = "root";
pub(crate) const PASSWORD: &str = "xenoxide";

/// A worker, and the answers that are awaited of it.
struct Local {
    info: PoolInfo,
    worker: Worker,
    awaited: Rc<RefCell<BTreeMap<u32, Function>>>,
    _listener: Closure<dyn FnMut(JsValue)>,
}

impl Drop for Local {
    fn drop(&mut self) {
        self.worker.terminate();
    }
}

thread_local! {
    static POOLS: RefCell<BTreeMap<String, Local>> = const { RefCell::new(BTreeMap::new()) };
    static LAST: Cell<u32> = const { Cell::new(0) };
}

/// The pools that are open.
pub(crate) fn pools() -> Vec<PoolInfo> {
    POOLS.with(|pools| pools.borrow().values().map(|local| local.info.clone()).collect())
}

/// The address by which the driver knows such a pool; none for those of the server.
pub(crate) fn address(pool: &str) -> Option<String> {
    POOLS.with(|pools| pools.borrow().contains_key(pool)).then(|| format!("{SCHEME}{pool}"))
}

/// Whether an address is one of [`address`]; then the name of the pool.
pub(crate) fn name_of(address: &str) -> Option<&str> {
    address.strip_prefix(SCHEME)
}

/// Opens what somebody wants to see.
///
/// # Errors
/// A sentence that says why there is nothing to see.
pub(crate) async fn open(what: What) -> Result<PoolInfo, String> {
    match what {
        What::Demo => demo().await,
        What::Files(entries, picked) => files(read(entries, picked).await?).await,
    }
}

/// Begins a simulated pool, unless there is one.
///
/// # Errors
/// A sentence that says why there is none.
async fn demo() -> Result<PoolInfo, String> {
    if let Some(info) = pools().into_iter().find(|pool| pool.name == DEMO) {
        return Ok(info);
    }
    let label = Text::DemoPool.get();
    begin(DEMO, label, Place::Simulated, |message| set(message, "open", &"demo".into())).await
}

/// Opens files as a pool: those of a drop or of a field.
///
/// # Errors
/// A sentence that says what is wrong with them.
async fn files(list: Array) -> Result<PoolInfo, String> {
    let first = list.iter().next().and_then(|file| member(&file, "name").as_string());
    let label = first.ok_or_else(|| Text::NothingToOpen.get().to_owned())?;
    // A folder is called as the folder is, a file without its endings.
    let stem = match label.split_once('/') {
        Some((folder, _)) => folder.to_owned(),
        None => label.split('.').next().unwrap_or(&label).to_owned(),
    };
    let stem = if stem.is_empty() || stem == DEMO { format!("{stem}-copy") } else { stem };
    begin(&stem, &stem, Place::File, |message| {
        set(message, "open", &"files".into());
        set(message, "files", &list);
    })
    .await
}

async fn begin(name: &str, label: &str, place: Place, what: impl FnOnce(&Object)) -> Result<PoolInfo, String> {
    let info =
        PoolInfo { name: name.to_owned(), label: label.to_owned(), place: Some(place), read_only: place == Place::File };
    let local = Local::start(info.clone())?;
    let opened = local.ask(what);
    let reply = JsFuture::from(opened).await.unwrap_or_default();
    if let Some(error) = member(&reply, "error").as_string() {
        return Err(error);
    }
    for note in member(&reply, "notes").dyn_ref::<Array>().cloned().unwrap_or_default().iter() {
        web_sys::console::info_1(&note);
    }
    POOLS.with(|pools| pools.borrow_mut().insert(name.to_owned(), local));
    Ok(info)
}

/// What a pool answers to a call. None if it does not answer any more.
pub(crate) async fn answer(pool: &str, call: &[u8]) -> Option<Vec<u8>> {
    let reply = POOLS.with(|pools| {
        let pools = pools.borrow();
        Some(pools.get(pool)?.ask(|message| set(message, "call", &Uint8Array::from(call))))
    });
    let reply = JsFuture::from(reply?).await.ok()?;
    member(&reply, "reply").dyn_ref::<Uint8Array>().map(Uint8Array::to_vec)
}

impl Local {
    fn start(info: PoolInfo) -> Result<Local, String> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options("./sim-worker.js", &options).map_err(|error| said(&error))?;
        let awaited: Rc<RefCell<BTreeMap<u32, Function>>> = Rc::default();
        let listener = {
            let awaited = awaited.clone();
            Closure::<dyn FnMut(JsValue)>::new(move |event: JsValue| {
                let message = member(&event, "data");
                let id = member(&message, "id").as_f64().unwrap_or_default() as u32;
                // Not called while the map is borrowed: what waits may ask at once for the next thing.
                let resolve = awaited.borrow_mut().remove(&id);
                if let Some(resolve) = resolve {
                    let _ = resolve.call1(&JsValue::UNDEFINED, &message);
                }
            })
        };
        worker.set_onmessage(Some(listener.as_ref().unchecked_ref()));
        let broken = {
            let awaited = awaited.clone();
            Closure::<dyn FnMut(JsValue)>::new(move |event: JsValue| {
                let message = Object::new();
                set(&message, "error", &JsValue::from_str(&said(&event)));
                for resolve in std::mem::take(&mut *awaited.borrow_mut()).into_values() {
                    let _ = resolve.call1(&JsValue::UNDEFINED, &message);
                }
            })
        };
        worker.set_onerror(Some(broken.as_ref().unchecked_ref()));
        // It belongs to the worker, which lives as long as the page or until it is ended.
        broken.forget();
        Ok(Local { info, worker, awaited, _listener: listener })
    }

    /// Posts a message; the promise is of the answer.
    fn ask(&self, what: impl FnOnce(&Object)) -> Promise {
        let id = LAST.with(|last| {
            last.set(last.get().wrapping_add(1));
            last.get()
        });
        let message = Object::new();
        set(&message, "id", &id.into());
        what(&message);
        let promise = Promise::new(&mut |resolve, _| {
            self.awaited.borrow_mut().insert(id, resolve);
        });
        if let Err(error) = self.worker.post_message(&message) {
            let failed = Object::new();
            set(&failed, "error", &JsValue::from_str(&said(&error)));
            if let Some(resolve) = self.awaited.borrow_mut().remove(&id) {
                let _ = resolve.call1(&JsValue::UNDEFINED, &failed);
            }
        }
        promise
    }
}

fn member(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}

fn set(object: &Object, name: &str, value: &JsValue) {
    // A new object takes members.
    let _ = Reflect::set(object, &JsValue::from_str(name), value);
}

/// What an error of the browser says.
fn said(error: &JsValue) -> String {
    member(error, "message")
        .as_string()
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| Text::WorkerFailed.get().to_owned())
}

/// Reads what was dropped or picked, by the page's own script: `entries` of a drop, `picked` of a field.
///
/// # Errors
/// A sentence that says what could not be read.
async fn read(entries: Array, picked: Array) -> Result<Array, String> {
    let window = crate::dom::window().ok_or_else(|| Text::WorkerFailed.get().to_owned())?;
    let read = member(&window, "xenoxideRead");
    let read = read.dyn_ref::<Function>().ok_or_else(|| Text::WorkerFailed.get().to_owned())?;
    let promise = read.call2(&JsValue::UNDEFINED, &entries, &picked).map_err(|error| said(&error))?;
    let list = JsFuture::from(Promise::resolve(&promise)).await.map_err(|error| said(&error))?;
    list.dyn_into::<Array>().map_err(|_| Text::WorkerFailed.get().to_owned())
}
