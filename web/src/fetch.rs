//! The browser's fetch, as what carries documents to a pool: through the proxy, or to a pool within the page.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use gloo_net::http::{Request as HttpRequest, Response};
use gloo_timers::callback::Timeout;
use wasm_bindgen::JsValue;
use web_sys::{AbortController, AbortSignal};
use xenapi_client::{Carrier, Delivered, Parcel};
use xenapi_console::explain::{self, HttpTrouble, ProxyError};
use xenapi_core::{Failure, Millis};

use crate::{dom, local};

/// The header with which the page says that it is the console.
const CONSOLE: &str = "x-xenoxide-console";

/// The header with which the page asks for the shared stream.
const LEAN: &str = "x-xenoxide-lean";

/// The header in which the proxy names the objects that an answer is about.
const TOUCHED: &str = "x-xenoxide-touched";

/// Gets the names of the objects that an answer is about.
type Tell = Rc<dyn Fn(&str)>;

/// Carries documents to one pool.
#[derive(Clone)]
pub(crate) struct Fetch {
    url: Rc<str>,
    shared: Option<&'static str>,
    signal: Option<AbortSignal>,
    on_touched: Option<Tell>,
}

/// Why there is no answer.
pub(crate) enum NotCarried {
    /// The proxy says that there is no session.
    NoSession(Failure),
    /// Nothing came that is an answer, and why.
    Nothing(String),
}

impl fmt::Display for NotCarried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotCarried::NoSession(failure) => f.write_str(&explain::failure(failure).line()),
            NotCarried::Nothing(why) => f.write_str(&explain::sentence(why)),
        }
    }
}

impl Fetch {
    /// To the pool whose calls go to that address.
    pub(crate) fn to(url: &str) -> Fetch {
        Fetch { url: url.into(), shared: None, signal: None, on_touched: None }
    }

    /// The next answer may come from the stream that all consoles share.
    #[must_use]
    pub(crate) fn shared(self, how: Option<&'static str>, on_touched: impl Fn(&str) + 'static) -> Fetch {
        Fetch { shared: how, on_touched: Some(Rc::new(on_touched)), ..self }
    }

    /// The next answer is given up when that is told.
    #[must_use]
    pub(crate) fn until(self, signal: Option<AbortSignal>) -> Fetch {
        Fetch { signal, ..self }
    }

    async fn post(self, parcel: Parcel) -> Result<Vec<u8>, NotCarried> {
        if let Some(pool) = local::name_of(&self.url) {
            let answer = local::answer(pool, &parcel.document).await;
            if self.shared.is_some() {
                // Who looks at one object is told with every batch: asking again costs nothing here.
                self.tell("*");
            }
            return answer.ok_or_else(|| NotCarried::Nothing(explain::no_answer(pool)));
        }
        let limit = Limit::new(parcel.timeout, self.signal.clone());
        let mut request = HttpRequest::post(&self.url).header("content-type", "text/xml").header(CONSOLE, "1");
        if let Some(shared) = self.shared {
            request = request.header(LEAN, shared);
        }
        let body = js_sys::Uint8Array::from(parcel.document.as_slice());
        let sent = match request.abort_signal(limit.signal.as_ref()).body(body) {
            Ok(request) => request.send().await,
            Err(error) => Err(error),
        };
        let response = sent.map_err(|_| NotCarried::Nothing(explain::no_answer(&dom::host())))?;
        let touched = self.shared.and_then(|_| response.headers().get(TOUCHED));
        let answer = read(response).await;
        limit.done();
        if let Some(touched) = touched {
            self.tell(&touched);
        }
        answer
    }

    fn tell(&self, touched: &str) {
        if let Some(tell) = &self.on_touched {
            tell(touched);
        }
    }
}

impl Carrier for Fetch {
    type Document = Vec<u8>;
    type Error = NotCarried;
    type Delivery = Pin<Box<dyn Future<Output = Result<Delivered<Vec<u8>>, NotCarried>>>>;

    fn carry(&self, parcel: Parcel) -> Self::Delivery {
        let fetch = self.clone();
        Box::pin(async move {
            let document = fetch.post(parcel).await?;
            Ok(Delivered { document, vouched: None, tapped: false })
        })
    }

    /// A page reaches its own server only; the way to the master is the proxy's business.
    fn beside(&self, address: &str, _vouched: Option<&str>) -> Result<Fetch, NotCarried> {
        Err(NotCarried::Nothing(explain::no_answer(address)))
    }
}

/// How long an answer may take. One that is dropped before it is done gives the request up.
struct Limit {
    controller: Option<AbortController>,
    signal: Option<AbortSignal>,
    timer: Option<Timeout>,
}

impl Limit {
    /// Whoever has a signal of his own sees to the time himself.
    fn new(timeout: Millis, signal: Option<AbortSignal>) -> Limit {
        if signal.is_some() {
            return Limit { controller: None, signal, timer: None };
        }
        let controller = AbortController::new().ok();
        let signal = controller.as_ref().map(AbortController::signal);
        let timer = controller
            .clone()
            .map(|controller| Timeout::new(u32::try_from(timeout.0).unwrap_or(u32::MAX / 2), move || controller.abort()));
        Limit { controller, signal, timer }
    }

    fn done(mut self) {
        self.controller = None;
        self.timer = None;
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        if let Some(controller) = &self.controller {
            controller.abort();
        }
    }
}

async fn read(response: Response) -> Result<Vec<u8>, NotCarried> {
    let status = response.status();
    if status == 200 {
        return response.binary().await.map_err(|_| NotCarried::Nothing(explain::no_answer(&dom::host())));
    }
    let text = response.text().await.unwrap_or_default();
    Err(match explain::http(status, proxy_error(&text)) {
        HttpTrouble::NoSession(failure) => NotCarried::NoSession(failure),
        HttpTrouble::NotAnswered(why) => NotCarried::Nothing(why),
    })
}

/// What the proxy says in JSON, if it says anything.
pub(crate) fn proxy_error(text: &str) -> Option<ProxyError> {
    let error = member(&js_sys::JSON::parse(text).ok()?, "error")?;
    let code = member(&error, "code")?.as_string()?;
    Some(ProxyError { code, message: member(&error, "message").and_then(|it| it.as_string()).unwrap_or_default() })
}

/// A member of an object of JavaScript.
pub(crate) fn member(object: &JsValue, name: &str) -> Option<JsValue> {
    js_sys::Reflect::get(object, &JsValue::from_str(name)).ok().filter(|it| !it.is_undefined())
}
