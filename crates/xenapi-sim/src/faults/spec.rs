//! The language of faults.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt::{self, Write as _};
use core::str::FromStr;

use xenapi_core::Millis;

/// The language, for people.
pub const GRAMMAR: &str = "\
FAULTS is FAULT[;FAULT]…, and each FAULT is NAME[=VALUE][:KEY=VALUE]…

On the wire:
  refuse                    new connections are cut at once
  drop                      the connection is closed in the place of doing what was asked
  drop=answer               … after doing it, in the place of the answer
  delay=TIME[..TIME]        the request waits first, for a time between the two
  truncate[=SIZE]           only SIZE bytes of the answer's body come (default: half of them), then the end
  slow=SIZE                 the answer's body comes at SIZE bytes a second
  status=CODE               an error page, for example status=503
Answers:
  host-is-slave[=ADDRESS]   HOST_IS_SLAVE, by default with the master's address
  failure=CODE[,PARAM]…     this refusal
The pool:
  session-loss              the session of the request is gone; by itself, all are
  events-lost               event queues overflow: EVENTS_LOST, and old tokens miss deletions
  restart[=TIME]            the toolstack restarts: connections, sessions and tasks are gone; nobody listens for half of
                            TIME, then HOST_STILL_BOOTING until it is over
  master                    the host HOST becomes the master
  host-death  host-back     the host HOST dies with its VMs; it boots again
  carrier-loss=DEVICE  carrier-back=DEVICE   the NIC DEVICE of the host HOST loses its link; has it again
  sr-death=SR  sr-back=SR   the SR (uuid or name) fails; works again

Keys:
  path=PATH                 only requests whose path begins so
  method=METHOD             only this call: VM.start (which is Async.VM.start, too), VM.*, or *
  host=HOST                 only requests at this host's own address; for faults of the pool, the host that is meant:
                            its number from 1, its uuid or its name
  p=NUMBER                  with this probability, 0 to 1
  seed=NUMBER               of the dice; the same seed and the same requests give the same faults
  times=NUMBER              not more often than this
  after=TIME                not before this time from now
  for=TIME                  not longer than this
  every=TIME                again and again (faults of the pool without path or method)

Faults of the pool happen by themselves, at once or at `after`, unless `path` or `method` says before which requests.
TIME is 500ms, 2s, 5m or 1h; SIZE is 100, 64k or 1M. In values, write %3A for a colon, %3B for a semicolon, %2C for a comma.";

/// What goes wrong.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// New connections are cut.
    Refuse,
    /// The connection is closed.
    Drop {
        /// Only after what was asked is done.
        answered: bool,
    },
    /// The request waits for a time between the two.
    Delay(Millis, Millis),
    /// Only so many bytes of the body are sent, or half of them.
    Truncate(Option<u64>),
    /// The body is sent at so many bytes a second.
    Slow(u64),
    /// An error page.
    Status(u16),
    /// `HOST_IS_SLAVE` with an address, or with the master's.
    HostIsSlave(Option<String>),
    /// A refusal: its code and its parameters.
    Failure(Vec<String>),
    /// Sessions end.
    SessionLoss,
    /// Event queues overflow.
    EventsLost,
    /// The toolstack restarts and is away for so long.
    Restart(Millis),
    /// Another host becomes the master.
    Master,
    /// A host dies.
    HostDeath,
    /// A dead host boots.
    HostBack,
    /// A NIC loses its link.
    CarrierLoss(String),
    /// A NIC has its link again.
    CarrierBack(String),
    /// An SR fails.
    SrDeath(String),
    /// An SR works again.
    SrBack(String),
}

impl Fault {
    /// Whether it happens to the pool, not to a request.
    pub(super) fn is_of_the_pool(&self) -> bool {
        use Fault::{
            CarrierBack, CarrierLoss, EventsLost, HostBack, HostDeath, Master, Restart, SessionLoss, SrBack, SrDeath,
        };
        matches!(
            self,
            SessionLoss
                | EventsLost
                | Restart(_)
                | Master
                | HostDeath
                | HostBack
                | CarrierLoss(_)
                | CarrierBack(_)
                | SrDeath(_)
                | SrBack(_)
        )
    }

    pub(super) fn is_of_connections(&self) -> bool {
        *self == Fault::Refuse
    }

    fn needs_host(&self) -> bool {
        use Fault::{CarrierBack, CarrierLoss, HostBack, HostDeath, Master};
        matches!(self, Master | HostDeath | HostBack | CarrierLoss(_) | CarrierBack(_))
    }
}

/// One fault as it is written.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct FaultSpec {
    /// What goes wrong.
    pub fault: Fault,
    /// Only requests whose path begins so.
    pub path: Option<String>,
    /// Only calls of this method.
    pub method: Option<String>,
    /// Only this host: a number from 1, a uuid or a name.
    pub host: Option<String>,
    /// From 0 to 1.
    pub probability: Option<f64>,
    /// Of the dice.
    pub seed: Option<u64>,
    /// Not more often.
    pub times: Option<u64>,
    /// Not before.
    pub after: Option<Millis>,
    /// Not longer.
    pub duration: Option<Millis>,
    /// Again and again.
    pub every: Option<Millis>,
}

/// What is wrong with a text of faults.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SpecError {
    /// The fault in question, as it was written.
    pub part: String,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the fault {:?}: {}", self.part, self.why)
    }
}

impl core::error::Error for SpecError {}

/// Reads faults that are joined by `;`.
///
/// # Errors
/// When a part is not one, with the part and the reason.
pub fn parse(text: &str) -> Result<Vec<FaultSpec>, SpecError> {
    let parts = text.split([';', '\n']).map(str::trim).filter(|part| !part.is_empty());
    parts.map(FaultSpec::from_str).collect()
}

impl FromStr for FaultSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let wrong = |why: String| SpecError { part: text.chars().take(200).collect(), why };
        let mut parts = text.split(':');
        let first = parts.next().unwrap_or_default();
        let (name, value) = pair(first);
        let mut spec = FaultSpec::of(fault(name, value.as_deref()).map_err(wrong)?);
        let mut seen = Vec::new();
        for part in parts {
            let (key, value) = pair(part);
            let value =
                value.filter(|value| !value.is_empty()).ok_or_else(|| wrong(format!("write {key:?} as KEY=VALUE")))?;
            if seen.contains(&key) {
                return Err(wrong(format!("{key} is given twice")));
            }
            seen.push(key);
            spec.set(key, &value).map_err(wrong)?;
        }
        spec.check().map_err(wrong)?;
        Ok(spec)
    }
}

/// A key with its decoded value.
fn pair(text: &str) -> (&str, Option<String>) {
    match text.split_once('=') {
        Some((key, value)) => (key.trim(), Some(unescape(value.trim()))),
        None => (text.trim(), None),
    }
}

impl FaultSpec {
    /// A fault without any keys.
    pub fn of(fault: Fault) -> Self {
        let (path, method, host) = (None, None, None);
        let (probability, seed, times, after, duration, every) = (None, None, None, None, None, None);
        FaultSpec { fault, path, method, host, probability, seed, times, after, duration, every }
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "path" if value.starts_with('/') => self.path = Some(value.into()),
            "path" => return Err(format!("the path {value:?} does not begin with a slash")),
            "method" => self.method = Some(method(value)?),
            "host" => self.host = Some(value.into()),
            "p" => self.probability = Some(probability(value)?),
            "seed" => self.seed = Some(number(key, value)?),
            "times" => self.times = Some(number(key, value)?),
            "after" => self.after = Some(time(value)?),
            "for" => self.duration = Some(time(value)?),
            "every" => self.every = Some(time(value)?),
            _ => {
                return Err(format!(
                    "there is no key {key:?}; there are path, method, host, p, seed, times, after, for and every"
                ));
            }
        }
        Ok(())
    }

    /// What does not go together.
    fn check(&self) -> Result<(), String> {
        if self.fault.needs_host() && self.host.is_none() {
            return Err("say which host: host=NUMBER, host=UUID or host=NAME".into());
        }
        if self.fault.is_of_connections() && (self.path.is_some() || self.method.is_some()) {
            return Err("a connection has neither path nor method yet; use drop for requests".into());
        }
        let Some(every) = self.every else { return Ok(()) };
        if !self.fault.is_of_the_pool() || self.path.is_some() || self.method.is_some() {
            return Err("every is for faults of the pool that happen by themselves".into());
        }
        if every == Millis(0) {
            return Err("every has to be longer than nothing".into());
        }
        Ok(())
    }
}

const NAMES: [&str; 18] = [
    "refuse",
    "drop",
    "delay",
    "truncate",
    "slow",
    "status",
    "host-is-slave",
    "failure",
    "session-loss",
    "events-lost",
    "restart",
    "master",
    "host-death",
    "host-back",
    "carrier-loss",
    "carrier-back",
    "sr-death",
    "sr-back",
];

fn fault(name: &str, value: Option<&str>) -> Result<Fault, String> {
    let alone = |fault: Fault| match value {
        None => Ok(fault),
        Some(value) => Err(format!("{name} takes no value, but has {value:?}")),
    };
    let given = || value.filter(|value| !value.is_empty()).ok_or_else(|| format!("{name} needs a value: {name}=…"));
    Ok(match name {
        "refuse" => alone(Fault::Refuse)?,
        "drop" => match value {
            None => Fault::Drop { answered: false },
            Some("answer") => Fault::Drop { answered: true },
            Some(other) => return Err(format!("drop={other} is not known; there are drop and drop=answer")),
        },
        "delay" => {
            let (least, most) = range(given()?)?;
            Fault::Delay(least, most)
        }
        "truncate" => Fault::Truncate(value.map(size).transpose()?),
        "slow" => match size(given()?)? {
            0 => return Err("slow=0 would never end; use a delay, or drop".into()),
            rate => Fault::Slow(rate),
        },
        "status" => Fault::Status(status(given()?)?),
        "host-is-slave" => Fault::HostIsSlave(value.map(ToOwned::to_owned)),
        "failure" => Fault::Failure(given()?.split(',').map(unescape_comma).collect()),
        "session-loss" => alone(Fault::SessionLoss)?,
        "events-lost" => alone(Fault::EventsLost)?,
        "restart" => Fault::Restart(value.map(time).transpose()?.unwrap_or_default()),
        "master" => alone(Fault::Master)?,
        "host-death" => alone(Fault::HostDeath)?,
        "host-back" => alone(Fault::HostBack)?,
        "carrier-loss" => Fault::CarrierLoss(given()?.into()),
        "carrier-back" => Fault::CarrierBack(given()?.into()),
        "sr-death" => Fault::SrDeath(given()?.into()),
        "sr-back" => Fault::SrBack(given()?.into()),
        _ => return Err(format!("there is no fault {name:?}; there are {}", NAMES.join(", "))),
    })
}

fn method(value: &str) -> Result<String, String> {
    let plain = value.trim_end_matches('*');
    let usual = plain.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '_');
    if usual && value.len() - plain.len() <= 1 && (value == "*" || value.contains('.')) {
        return Ok(value.into());
    }
    Err(format!("{value:?} is no method; write for example VM.start, VM.* or *"))
}

fn number(key: &str, value: &str) -> Result<u64, String> {
    value.parse().map_err(|_| format!("{key}={value} is no whole number"))
}

fn probability(value: &str) -> Result<f64, String> {
    let number = value.parse().ok().filter(|number| (0.0..=1.0).contains(number));
    number.ok_or_else(|| format!("p={value} is no probability; write a number from 0 to 1"))
}

fn status(value: &str) -> Result<u16, String> {
    let status = value.parse().ok().filter(|status| (400..=599).contains(status));
    status.ok_or_else(|| format!("status={value} is no error; write a number from 400 to 599"))
}

/// `500ms`, `2s`, `5m`, `1h`.
fn time(text: &str) -> Result<Millis, String> {
    let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)];
    let read = || {
        let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
        let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
        number.parse::<u64>().ok()?.checked_mul(*factor).filter(|time| *time <= MOST_TIME)
    };
    read().map(Millis).ok_or_else(|| format!("{text:?} is no time; write for example 500ms, 2s, 5m or 1h (at most a year)"))
}

/// A year.
const MOST_TIME: u64 = 366 * 24 * 3_600_000;

fn range(text: &str) -> Result<(Millis, Millis), String> {
    let (least, most) = text.split_once("..").unwrap_or((text, text));
    let (least, most) = (time(least)?, time(most)?);
    if least > most { Err(format!("{text}: the first time is longer than the second")) } else { Ok((least, most)) }
}

/// `100`, `64k`, `1M`.
fn size(text: &str) -> Result<u64, String> {
    let (number, factor) = match text.strip_suffix(['k', 'K']) {
        Some(number) => (number, 1 << 10),
        None => text.strip_suffix('M').map_or((text, 1), |number| (number, 1 << 20)),
    };
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let size = if digits { number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor)) } else { None };
    size.ok_or_else(|| format!("{text:?} is no size; write for example 100, 64k or 1M"))
}

/// What stands between the marks of the language. A comma stays for [`unescape_comma`].
fn unescape(text: &str) -> String {
    text.replace("%3A", ":").replace("%3B", ";").replace("%3a", ":").replace("%3b", ";")
}

fn unescape_comma(text: &str) -> String {
    text.replace("%2C", ",").replace("%2c", ",").replace("%25", "%")
}

fn escape(text: &str) -> String {
    text.replace(':', "%3A").replace(';', "%3B")
}

fn escape_word(text: &str) -> String {
    escape(&text.replace('%', "%25").replace(',', "%2C"))
}

/// A time in the largest unit that fits.
struct Time(Millis);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.0 {
            time if time > 0 && time % 3_600_000 == 0 => write!(f, "{}h", time / 3_600_000),
            time if time > 0 && time % 60_000 == 0 => write!(f, "{}m", time / 60_000),
            time if time % 1000 == 0 => write!(f, "{}s", time / 1000),
            time => write!(f, "{time}ms"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Refuse => f.write_str("refuse"),
            Fault::Drop { answered: false } => f.write_str("drop"),
            Fault::Drop { answered: true } => f.write_str("drop=answer"),
            Fault::Delay(least, most) if least == most => write!(f, "delay={}", Time(*least)),
            Fault::Delay(least, most) => write!(f, "delay={}..{}", Time(*least), Time(*most)),
            Fault::Truncate(None) => f.write_str("truncate"),
            Fault::Truncate(Some(bytes)) => write!(f, "truncate={bytes}"),
            Fault::Slow(rate) => write!(f, "slow={rate}"),
            Fault::Status(status) => write!(f, "status={status}"),
            Fault::HostIsSlave(None) => f.write_str("host-is-slave"),
            Fault::HostIsSlave(Some(address)) => write!(f, "host-is-slave={}", escape(address)),
            Fault::Failure(words) => {
                let words: Vec<String> = words.iter().map(|word| escape_word(word)).collect();
                write!(f, "failure={}", words.join(","))
            }
            Fault::SessionLoss => f.write_str("session-loss"),
            Fault::EventsLost => f.write_str("events-lost"),
            Fault::Restart(Millis(0)) => f.write_str("restart"),
            Fault::Restart(time) => write!(f, "restart={}", Time(*time)),
            Fault::Master => f.write_str("master"),
            Fault::HostDeath => f.write_str("host-death"),
            Fault::HostBack => f.write_str("host-back"),
            Fault::CarrierLoss(device) => write!(f, "carrier-loss={}", escape(device)),
            Fault::CarrierBack(device) => write!(f, "carrier-back={}", escape(device)),
            Fault::SrDeath(sr) => write!(f, "sr-death={}", escape(sr)),
            Fault::SrBack(sr) => write!(f, "sr-back={}", escape(sr)),
        }
    }
}

impl fmt::Display for FaultSpec {
    /// As [`parse`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.fault.to_string();
        let mut key = |name: &str, value: Option<String>| match value {
            Some(value) => write!(text, ":{name}={value}"),
            None => Ok(()),
        };
        key("path", self.path.as_deref().map(escape))?;
        key("method", self.method.as_deref().map(escape))?;
        key("host", self.host.as_deref().map(escape))?;
        key("p", self.probability.map(|probability| probability.to_string()))?;
        key("seed", self.seed.map(|seed| seed.to_string()))?;
        key("times", self.times.map(|times| times.to_string()))?;
        key("after", self.after.map(|time| Time(time).to_string()))?;
        key("for", self.duration.map(|time| Time(time).to_string()))?;
        key("every", self.every.map(|time| Time(time).to_string()))?;
        f.write_str(&text)
    }
}
