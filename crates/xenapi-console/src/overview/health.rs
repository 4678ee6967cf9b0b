//! What somebody should look at.

use alloc::string::String;
use alloc::vec::Vec;

use xenapi_client::Cache;
use xenapi_core::{Class, DateTime, Ref};
use xenapi_model::task::TaskStatusType;
use xenapi_model::{Host, Message, PBD, PIF, Pool, SR, Task, VDI, host, pif};
use xenapi_topology::State;

use super::Go;
use crate::object::Object;
use crate::route::Kind;
use crate::select;
use crate::tables::Link;
use crate::text::Plural;

/// The classes that [`health`] reads.
pub const OF_HEALTH: &[&str] =
    &["pool", "host", "host_metrics", "SR", "PBD", "PIF", "PIF_metrics", "task", "message", "VDI"];

/// From which share on storage is nearly full, in thousandths.
pub const FULL: u32 = 850;

/// From which share on it is as good as full.
const BRIM: u32 = 950;

/// How far back messages and failed tasks are news, in seconds.
const NEWS: i64 = 7 * 86_400;

/// How long before it ends a licence is worth a word, in seconds.
const LICENCE: i64 = 30 * 86_400;

/// How many objects a finding names.
const NAMED: usize = 4;

/// Something that somebody should look at.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding {
    /// What kind of finding it is, for tests.
    pub id: &'static str,
    /// How grave: failed or attention.
    pub state: State,
    /// What it is, in words.
    pub text: String,
    /// The first of the objects that it is about.
    pub links: Vec<Link>,
    /// How many others there are.
    pub more: usize,
    /// Where all of them are listed.
    pub go: Option<Go>,
}

/// What is wrong with the pool, the gravest first; `now` in seconds since 1970. Nothing at all if all is well.
pub fn health(cache: &Cache, now: i64) -> Vec<Finding> {
    let mut found = Vec::new();
    hosts(cache, &mut found);
    storage(cache, &mut found);
    interfaces(cache, &mut found);
    availability(cache, &mut found);
    happened(cache, now, &mut found);
    upkeep(cache, now, &mut found);
    found.sort_by_key(|finding| finding.state != State::Failed);
    found
}

/// Adds a finding about some objects, if there are any.
fn add(found: &mut Vec<Finding>, id: &'static str, state: State, text: Plural, mut links: Vec<Link>, go: Option<Go>) {
    if links.is_empty() {
        return;
    }
    links.sort_by(|a, b| crate::format::natural_cmp(&a.name, &b.name).then_with(|| a.object.cmp(&b.object)));
    add_as_they_are(found, id, state, text, links, go);
}

/// The same, with the objects in the order in which they are.
fn add_as_they_are(
    found: &mut Vec<Finding>,
    id: &'static str,
    state: State,
    text: Plural,
    mut links: Vec<Link>,
    go: Option<Go>,
) {
    if links.is_empty() {
        return;
    }
    let text = text.of(links.len());
    let more = links.len().saturating_sub(NAMED);
    links.truncate(NAMED);
    found.push(Finding { id, state, text, links, more, go });
}

fn go(kind: Kind, filter: &'static str) -> Option<Go> {
    Some(Go { kind, filter })
}

/// An object as a finding names it.
fn named<C: Class>(cache: &Cache, reference: &Ref<C>) -> Link {
    let object = Object::of(reference);
    let name = select::name_of(cache, C::RECORD.name, reference.raw()).unwrap_or_default();
    let uuid = select::uuid_of(cache, &object).unwrap_or_default();
    Link { name, object, uuid }
}

fn host_state(cache: &Cache, host: &host::Record) -> State {
    State::of_host(host, cache.get(&host.metrics).map(|it| &**it))
}

fn hosts(cache: &Cache, found: &mut Vec<Finding>) {
    let of = |state: State| -> Vec<Link> {
        let hosts = cache.iter::<Host>().filter(|(_, host)| host_state(cache, host) == state);
        hosts.map(|(reference, _)| named(cache, &reference)).collect()
    };
    add(found, "hosts-down", State::Failed, Plural::HealthHostsDown, of(State::Failed), go(Kind::Hosts, "state:failed"));
    add(
        found,
        "hosts-disabled",
        State::Attention,
        Plural::HealthHostsDisabled,
        of(State::Attention),
        go(Kind::Hosts, "!enabled"),
    );
}

fn storage(cache: &Cache, found: &mut Vec<Finding>) {
    // What hangs on a host that is down is not worth a word of its own.
    let lives = |host: &Ref<Host>| cache.get(host).is_none_or(|host| host_state(cache, host) != State::Failed);
    let unplugged = cache.iter::<PBD>().filter(|(_, pbd)| !pbd.currently_attached && lives(&pbd.host));
    let links = unplugged.map(|(reference, pbd)| {
        let name = |name: Option<&String>| name.cloned().unwrap_or_default();
        let (sr, host) = (cache.get(&pbd.sr), cache.get(&pbd.host));
        let name = alloc::format!("{} · {}", name(sr.map(|it| &it.name_label)), name(host.map(|it| &it.name_label)));
        Link { name, object: Object::of(&reference), uuid: pbd.uuid.as_str().into() }
    });
    add(found, "pbds-unplugged", State::Attention, Plural::HealthPbds, links.collect(), go(Kind::Pbds, "state:detached"));

    let fills = |sr: &xenapi_model::sr::Record| {
        let share = crate::format::permille(sr.physical_utilisation, sr.physical_size);
        share.filter(|_| select::fills(sr))
    };
    let full = |range: core::ops::Range<u32>| -> Vec<Link> {
        let srs = cache.iter::<SR>().filter(|(_, sr)| fills(sr).is_some_and(|share| range.contains(&share)));
        let link = |(reference, sr): (Ref<SR>, &alloc::sync::Arc<xenapi_model::sr::Record>)| {
            let mut link = named(cache, &reference);
            let share = crate::format::percent(sr.physical_utilisation, sr.physical_size).unwrap_or_default();
            link.name = alloc::format!("{} ({share})", link.name);
            link
        };
        srs.map(link).collect()
    };
    add(found, "srs-brim", State::Failed, Plural::HealthSrsBrim, full(BRIM..u32::MAX), go(Kind::Srs, "used>=95%"));
    add(found, "srs-full", State::Attention, Plural::HealthSrsFull, full(FULL..BRIM), go(Kind::Srs, "used>=85%"));

    let missing = cache.iter::<VDI>().filter(|(_, vdi)| vdi.missing).map(|(reference, _)| named(cache, &reference));
    add(found, "vdis-missing", State::Failed, Plural::HealthVdisMissing, missing.collect(), go(Kind::Vdis, "state:failed"));
}

fn interfaces(cache: &Cache, found: &mut Vec<Finding>) {
    let dark = cache.iter::<PIF>().filter(|(_, pif)| {
        let has_no_link = cache.get(&pif.metrics).is_some_and(|metrics| !metrics.carrier);
        let host_lives = cache.get(&pif.host).is_none_or(|host| host_state(cache, host) != State::Failed);
        pif.physical && has_no_link && host_lives && is_used(pif)
    });
    let (mut management, mut others) = (Vec::new(), Vec::new());
    for (reference, pif) in dark {
        let mut link = named(cache, &reference);
        if let Some(host) = cache.get(&pif.host) {
            link.name = alloc::format!("{} · {}", host.name_label, link.name);
        }
        if pif.management { management.push(link) } else { others.push(link) }
    }
    add(
        found,
        "management-dark",
        State::Failed,
        Plural::HealthManagement,
        management,
        go(Kind::Pifs, "link:down management"),
    );
    add(
        found,
        "nics-dark",
        State::Attention,
        Plural::HealthNics,
        others,
        go(Kind::Pifs, "link:down state:failed,attention"),
    );
}

/// Whether somebody relies on it: it carries a network that is plugged, or is a member of a bond.
fn is_used(pif: &pif::Record) -> bool {
    pif.currently_attached || pif.bond_slave_of.is_some() || pif.management
}

fn availability(cache: &Cache, found: &mut Vec<Finding>) {
    let pools = || cache.iter::<Pool>().filter(|(_, pool)| pool.ha_enabled);
    let link = |reference: Ref<Pool>| named(cache, &reference);
    let over = pools().filter(|(_, pool)| pool.ha_overcommitted).map(|(it, _)| link(it)).collect();
    add(found, "ha-overcommitted", State::Failed, Plural::HealthHaOver, over, None);
    let short =
        pools().filter(|(_, pool)| !pool.ha_overcommitted && pool.ha_plan_exists_for < pool.ha_host_failures_to_tolerate);
    add(found, "ha-short", State::Attention, Plural::HealthHaShort, short.map(|(it, _)| link(it)).collect(), None);
}

fn happened(cache: &Cache, now: i64, found: &mut Vec<Finding>) {
    let failed =
        cache.iter::<Task>().filter(|(_, task)| task.status == TaskStatusType::Failure && task.finished.unix() > now - NEWS);
    let links = failed.map(|(reference, task)| Link {
        name: task.name_label.clone(),
        object: Object::of(&reference),
        uuid: task.uuid.as_str().into(),
    });
    add(found, "tasks-failed", State::Attention, Plural::HealthTasks, links.collect(), go(Kind::Tasks, "state:failed"));

    let (mut grave, mut lesser) = (Vec::new(), Vec::new());
    for (reference, message) in
        cache.iter::<Message>().filter(|(_, it)| (1..=3).contains(&it.priority) && it.timestamp.unix() > now - NEWS)
    {
        let about = crate::tables::about(cache, message).map(|about| about.name);
        let words = crate::tables::short(message);
        let link =
            Link { name: about.unwrap_or_default(), object: Object::of(&reference), uuid: message.uuid.as_str().into() };
        if message.priority <= 2 { grave.push((words, link)) } else { lesser.push((words, link)) }
    }
    let (grave, lesser) = (told_once(grave), told_once(lesser));
    add_as_they_are(found, "alarms", State::Failed, Plural::HealthAlarms, grave, go(Kind::Messages, "priority<=2 time<7d"));
    add_as_they_are(
        found,
        "warnings",
        State::Attention,
        Plural::HealthWarnings,
        lesser,
        go(Kind::Messages, "priority=3 time<7d"),
    );
}

/// Messages with what they are about: the same words stand before the first of them alone.
fn told_once(mut messages: Vec<(String, Link)>) -> Vec<Link> {
    let natural = crate::format::natural_cmp;
    messages.sort_by(|(a, one), (b, other)| {
        natural(a, b).then_with(|| natural(&one.name, &other.name)).then_with(|| one.object.cmp(&other.object))
    });
    let mut links: Vec<Link> = Vec::with_capacity(messages.len());
    let mut last = None;
    for (words, mut link) in messages {
        if link.name.is_empty() {
            link.name.clone_from(&words);
        } else if last.as_ref() != Some(&words) {
            link.name = alloc::format!("{words}: {}", link.name);
        }
        last = Some(words);
        links.push(link);
    }
    links
}

fn upkeep(cache: &Cache, now: i64, found: &mut Vec<Finding>) {
    let hosts = |is: &dyn Fn(&host::Record) -> bool| -> Vec<Link> {
        cache.iter::<Host>().filter(|(_, host)| is(host)).map(|(reference, _)| named(cache, &reference)).collect()
    };
    let restart = hosts(&|host| !host.pending_guidances.is_empty() || !host.updates_requiring_reboot.is_empty());
    add(found, "hosts-restart", State::Attention, Plural::HealthRestart, restart, go(Kind::Hosts, ""));
    let ends = |host: &host::Record| {
        let text = host.license_params.get("expiry")?;
        DateTime::parse(text).ok().map(|time| time.unix()).filter(|unix| *unix > 0)
    };
    let over = hosts(&|host| ends(host).is_some_and(|at| at <= now));
    add(found, "licence-over", State::Failed, Plural::HealthLicenceOver, over, go(Kind::Hosts, ""));
    let soon = hosts(&|host| ends(host).is_some_and(|at| at > now && at <= now + LICENCE));
    add(found, "licence-soon", State::Attention, Plural::HealthLicenceSoon, soon, go(Kind::Hosts, ""));
}
