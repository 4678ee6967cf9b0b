//! `POST /pools/{pool}/rpc`: a call on its way to a pool.
//!
//! Calls of the console keep their session out of the browser: the answer to a login is [`STAND_IN`], the session itself goes into
//! a sealed cookie, and later calls get it back in place of the word. Whatever a pool answers, the session is taken out of it again.
//! A console that says so gets its events from the pool's [shared stream](super::hub), with lean records.
//! Calls of other clients go through as they are, unless the pool is served read-only, or by its Unix socket, where the proxy asks
//! for the password.

use alloc::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Full};
use xenapi_codec::{Limits, xmlrpc};
use xenapi_core::{Failure, RawCall, Type, Value, Wire as _};

use super::errors::{Code, Refusal};
use super::hub::{Ask, Hub, Pace, Trouble};
use super::policy::{self, Known};
use super::router::{Pool, Router};
use super::seal::{self, STAND_IN};
use super::stream::{self, Gzip, Replace};
use super::upstream::Answer;
use super::{Body, CollectError, accepts, collect};

/// The header with which the console asks for sealed sessions. Pages of other sites cannot send it.
const CONSOLE_HEADER: &str = "x-xenoxide-console";

/// The header with which the console asks for the shared stream: `1`, or `again` from one that has a picture already, or `whole` for
/// everything in one answer.
const LEAN_HEADER: &str = "x-xenoxide-lean";

/// The header that tells which objects an answer of the shared stream is about.
const TOUCHED_HEADER: HeaderName = HeaderName::from_static("x-xenoxide-touched");

/// More than this is not read from a call that is too long, only to be able to answer it.
const MOST_DRAINED: u64 = 8 << 20;

/// The answer to a login is about 300 bytes.
const LONGEST_LOGIN_ANSWER: usize = 64 << 10;

/// Answers below this gain nothing by compression.
const LEAST_COMPRESSED: u64 = 1024;

impl Router {
    /// Takes a call and answers it.
    pub(super) async fn rpc(
        &self,
        pool: &Pool,
        hub: &Arc<Hub>,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Response<Body>, Refusal> {
        check_origin(headers)?;
        let body = self.read_body(headers, body).await?;
        let is_console = headers.get(CONSOLE_HEADER).is_some_and(|value| value == "1");
        if !is_console && !pool.read_only && pool.gate.is_none() {
            return Ok(respond(forward(pool, body, false).await?, headers));
        }
        // From here on what goes upstream is written anew from what was understood, so that the pool cannot understand another call
        // than the one that was judged.
        let limit = self.settings.request_bytes;
        let limits = Limits { bytes: limit, text: limit, ..Limits::request() };
        let call = xmlrpc::read_call(&body, &limits)
            .map_err(|error| Refusal::new(Code::BadRequest, format!("the body is not an XML-RPC call: {error}")))?;
        let known = policy::look_up(&call.method);
        if let Some(failure) = pool.gate.as_ref().and_then(|gate| gate.refusal(&call, known.as_ref())) {
            return Ok(refuse(&failure));
        }
        if pool.read_only
            && let Some(failure) = policy::read_only_refusal(&pool.name, &call.method, known.as_ref())
        {
            return Ok(refuse(&failure));
        }
        match known {
            known if !is_console => Ok(respond(forward_call(pool, &call, known.as_ref()).await?, headers)),
            Some(known) if policy::is_login(&known) => self.login(pool, hub, headers, &call).await,
            // Its session would reach the browser, and only root on a host may call it anyhow.
            Some(known) if policy::makes_session(&known) => {
                Err(Refusal::new(Code::BadRequest, format!("{} is not for consoles", call.method)))
            }
            known => {
                if let (Some(lean), "event.from") = (headers.get(LEAN_HEADER), call.method.as_str())
                    && let Some(ask) = Ask::of(&call, pace(lean))
                {
                    return self.shared_events(pool, hub, headers, &ask).await;
                }
                self.console_call(pool, hub, headers, call, known).await
            }
        }
    }

    /// Answers from the pool's shared stream.
    async fn shared_events(
        &self,
        pool: &Pool,
        hub: &Arc<Hub>,
        headers: &HeaderMap,
        ask: &Ask,
    ) -> Result<Response<Body>, Refusal> {
        let Some(session) = self.session(pool, headers) else { return Ok(no_session()) };
        match hub.batch(&session, ask).await {
            Ok(page) => {
                let touched = page.touched();
                let mut response = respond(Answer::xml(page.to_xml()), headers);
                if let Some(touched) = touched {
                    response.headers_mut().insert(TOUCHED_HEADER, touched);
                }
                Ok(response)
            }
            Err(Trouble::Failure(failure)) => Ok(refuse(&without_session(&failure, &session))),
            Err(Trouble::Refusal(refusal)) => Err(refusal),
        }
    }

    /// `GET /pools/{pool}/events`: the shared stream as one long answer.
    pub(super) async fn events(&self, pool: &Pool, hub: &Arc<Hub>, parts: &Parts) -> Result<Response<Body>, Refusal> {
        check_origin(&parts.headers)?;
        let Some(session) = self.session(pool, &parts.headers).or_else(|| session_of_query(parts)) else {
            let what = "there is no session; log in at this pool with the console, or give one as ?session_id=";
            return Err(Refusal::new(Code::NoSession, what));
        };
        match hub.admit(&session).await {
            Ok(()) => {}
            Err(Trouble::Refusal(refusal)) => return Err(refusal),
            Err(Trouble::Failure(failure)) => {
                let code = without_session(&failure, &session).to_string();
                return Err(Refusal::new(Code::NoSession, format!("pool {}: {code}", pool.name)));
            }
        }
        let last = parts.headers.get("last-event-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
        let body = hub.listen(session, last.into());
        let kind = HeaderValue::from_static("text/event-stream");
        let answer = Answer { status: StatusCode::OK, content_type: None, length: Some(0), body };
        let mut response = respond(answer, &parts.headers);
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        Ok(response)
    }

    async fn read_body(&self, headers: &HeaderMap, body: Body) -> Result<Bytes, Refusal> {
        let limit = self.settings.request_bytes;
        let too_large = || Refusal::new(Code::BodyTooLarge, format!("the call is over the limit of {limit} bytes"));
        if headers.contains_key(header::CONTENT_ENCODING) {
            return Err(Refusal::new(Code::BadRequest, "calls are taken without content-encoding only"));
        }
        let read = async move {
            let announced = body.size_hint().lower();
            if announced > limit as u64 {
                drain(body, announced).await;
                return Err(too_large());
            }
            match collect(body, limit).await {
                Ok(bytes) => Ok(bytes),
                Err(CollectError::TooLong) => Err(too_large()),
                Err(CollectError::Broken(error)) => {
                    Err(Refusal::new(Code::BadRequest, format!("the call broke off: {error}")))
                }
            }
        };
        tokio::time::timeout(self.settings.request_time, read).await.unwrap_or_else(|_| {
            let seconds = self.settings.request_time.as_secs();
            Err(Refusal::new(Code::BodyTooSlow, format!("the call did not arrive within {seconds} seconds")))
        })
    }

    /// Logs in, seals the session, and answers the word that stands for it.
    async fn login(
        &self,
        pool: &Pool,
        hub: &Arc<Hub>,
        headers: &HeaderMap,
        call: &RawCall,
    ) -> Result<Response<Body>, Refusal> {
        let answer = expect_ok(pool, forward_call(pool, call, None).await?)?;
        let broken = |what: String| Refusal::new(Code::UpstreamBroken, format!("pool {}: {what}", pool.name));
        let bytes = collect(answer.body, LONGEST_LOGIN_ANSWER).await;
        let bytes = bytes.map_err(|error| match error {
            CollectError::TooLong => broken("the answer to the login is too long".into()),
            CollectError::Broken(error) => broken(format!("the answer to the login broke off: {error}")),
        })?;
        let result = xmlrpc::read_result(&bytes, &Limits::default(), String::read)
            .map_err(|error| broken(format!("the answer to the login cannot be read: {error}")))?;
        let session = match result {
            Ok(session) => session,
            Err(failure) => return Ok(refuse(&failure)),
        };
        if !can_be_kept(&session) {
            return Err(broken("the answer to the login holds no session".into()));
        }
        let sealed = self.sealer.seal(&pool.name, &session).map_err(|error| broken(error.to_string()))?;
        if headers.contains_key(LEAN_HEADER) {
            // The console asks for everything next; the pool may begin to say it.
            hub.join(&session);
        }
        let mut response = xml(xmlrpc::write_success(&Value::from(STAND_IN)));
        put_cookie(&mut response, &seal::set_cookie(&pool.name, &sealed, self.settings.secure_cookies));
        Ok(response)
    }

    async fn console_call(
        &self,
        pool: &Pool,
        hub: &Hub,
        headers: &HeaderMap,
        mut call: RawCall,
        known: Option<Known>,
    ) -> Result<Response<Body>, Refusal> {
        let places = session_places(&call, known.as_ref());
        let session = self.session(pool, headers);
        let ends = known.as_ref().is_some_and(policy::is_logout);
        let answered = match (places.is_empty(), session) {
            (false, None) => Ok(no_session()),
            (_, session) => {
                let session = session.unwrap_or_default();
                if ends {
                    hub.leave(&session);
                }
                for place in places {
                    call.params[place] = Value::from(session.as_str());
                }
                let answer = forward_call(pool, &call, known.as_ref()).await.and_then(|answer| expect_ok(pool, answer));
                answer.map(|answer| respond(without(answer, &session), headers))
            }
        };
        if !ends {
            return answered;
        }
        // Whoever logs out is out, whether or not the pool could be told.
        let mut response = answered.unwrap_or_else(Refusal::into_response);
        put_cookie(&mut response, &seal::clear_cookie(&pool.name, self.settings.secure_cookies));
        Ok(response)
    }

    /// The session that the browser carries for a pool.
    fn session(&self, pool: &Pool, headers: &HeaderMap) -> Option<String> {
        let name = seal::cookie_name(&pool.name);
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        cookies.flat_map(|header| seal::cookies(header, &name)).find_map(|cookie| self.sealer.open(&pool.name, cookie))
    }
}

/// In which steps somebody wants to be told what exists.
fn pace(lean: &HeaderValue) -> Pace {
    match lean.as_bytes() {
        b"again" => Pace::Even,
        b"whole" => Pace::Whole,
        _ => Pace::Eager,
    }
}

/// Whether a session can be sealed, and taken out of later answers: it must look the same in XML, and be neither nothing nor a whole
/// text. Real ones are 46 letters, digits, colons and hyphens.
fn can_be_kept(session: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'&' | b'"' | b'\'');
    (8..=256).contains(&session.len()) && session.bytes().all(plain)
}

/// Reads a body that is too long to its end, within reason: a client that is still sending would not see the answer otherwise.
async fn drain(mut body: Body, announced: u64) {
    if announced > MOST_DRAINED {
        return;
    }
    while let Some(Ok(_)) = body.frame().await {}
}

/// The parameters that are sessions and hold the stand-in. It is never replaced elsewhere: put into a name, the session could be read.
fn session_places(call: &RawCall, known: Option<&Known>) -> Vec<usize> {
    let is_session = |place: usize| match known {
        None => place == 0,
        Some(known) if known.method.takes_session() && place == 0 => true,
        Some(known) => {
            let place = place - usize::from(known.method.takes_session());
            known.method.params().get(place).is_some_and(|param| matches!(param.ty, Type::Ref("session")))
        }
    };
    let holds = call.params.iter().enumerate().filter(|(_, value)| value.as_text() == Some(STAND_IN));
    holds.map(|(place, _)| place).filter(|place| is_session(*place)).collect()
}

/// Refuses what pages of other sites send. Programs send neither header; browsers let no page set them.
fn check_origin(headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or("?"));
    let foreign = || Refusal::new(Code::ForeignOrigin, "calls are taken from pages of this server only");
    match text(header::HeaderName::from_static("sec-fetch-site")) {
        // The browser knows its own address of this server, whatever a proxy in between has made of the host.
        Some("same-origin") => return Ok(()),
        None | Some("none") => {}
        Some(_) => return Err(foreign()),
    }
    let Some(origin) = text(header::ORIGIN) else { return Ok(()) };
    let site = origin.split_once("://").map(|(_, site)| site);
    if site.is_some() && site == text(header::HOST) { Ok(()) } else { Err(foreign()) }
}

async fn forward(pool: &Pool, body: Bytes, repeatable: bool) -> Result<Answer, Refusal> {
    pool.upstream.post(body, repeatable).await.map_err(|error| Refusal::upstream(&pool.name, &error))
}

async fn forward_call(pool: &Pool, call: &RawCall, known: Option<&Known>) -> Result<Answer, Refusal> {
    let repeatable = known.is_some_and(|known| known.method.is_read_only() && !known.is_async);
    forward(pool, xmlrpc::write_call(call).into(), repeatable).await
}

/// The console knows refusals of the API and of the proxy; what else a server says becomes one of the latter.
fn expect_ok(pool: &Pool, answer: Answer) -> Result<Answer, Refusal> {
    if answer.status == StatusCode::OK {
        return Ok(answer);
    }
    let what = format!("pool {}: it answered HTTP {} instead of XenAPI", pool.name, answer.status);
    Err(Refusal::new(Code::UpstreamBroken, what))
}

/// Takes the session out of an answer.
fn without(answer: Answer, session: &str) -> Answer {
    if session.is_empty() {
        return answer;
    }
    Answer { body: stream::through(answer.body, Replace::new(session, STAND_IN)), ..answer }
}

/// Sends a pool's answer on, compressed where that helps.
fn respond(answer: Answer, request: &HeaderMap) -> Response<Body> {
    let kind = answer.content_type.as_ref().and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_text = kind.starts_with("text/") || kind.starts_with("application/json");
    let is_long = answer.length.is_none_or(|length| length >= LEAST_COMPRESSED);
    let compress = is_text && is_long && accepts(request, "gzip");
    let body = if compress { stream::through(answer.body, Gzip::new()) } else { answer.body };
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(kind) = answer.content_type {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    if compress {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// The session that a program gives, as xapi's own addresses take it.
fn session_of_query(parts: &Parts) -> Option<String> {
    let mut pairs = parts.uri.query()?.split('&');
    let session = pairs.find_map(|pair| pair.strip_prefix("session_id="))?;
    let session = session.replace("%3A", ":").replace("%3a", ":");
    can_be_kept(&session).then_some(session)
}

/// A refusal with the word that stands for the session in the place of the session.
fn without_session(failure: &Failure, session: &str) -> Failure {
    let params = failure.params.iter().map(|param| param.replace(session, STAND_IN));
    Failure::new(failure.code.clone(), params.collect::<Vec<_>>())
}

fn no_session() -> Response<Body> {
    refuse(&Failure::new(xenapi_model::errors::SESSION_INVALID, [STAND_IN]))
}

/// A refusal in XenAPI's own form.
fn refuse(failure: &Failure) -> Response<Body> {
    xml(xmlrpc::write_failure(failure))
}

fn xml(document: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from(document)).map_err(Into::into).boxed_unsync());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store"));
    response
}

fn put_cookie(response: &mut Response<Body>, cookie: &str) {
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}
