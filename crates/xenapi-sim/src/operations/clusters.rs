//! Clusters of hosts, for clustered storage.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{Failure, RawRef, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::operations::Handler;

pub(crate) fn find(class: &str, message: &str) -> Option<Handler> {
    match class {
        "Cluster" => of_clusters(message),
        _ => of_members(message),
    }
}

fn of_clusters(message: &str) -> Option<Handler> {
    Some(match message {
        "create" => Handler::Now(|sim, _, args| {
            let pif = sim.need("PIF", args.text(0))?;
            let options = Options::of(args, 1, args.flag(2), 3)?;
            check_pif(sim, &pif)?;
            let cluster = new_cluster(sim, &options)?;
            join(sim, &cluster, &pif);
            Ok(cluster.into())
        }),
        "pool_create" => Handler::Now(pool_create),
        "pool_resync" => Handler::Now(|sim, _, args| {
            let cluster = sim.need("Cluster", args.text(0))?;
            for member in sim.store.refs("Cluster", cluster.as_str(), "cluster_hosts") {
                enable(sim, &member, true);
            }
            Ok(Value::VOID)
        }),
        "get_network" => Handler::Now(|sim, _, args| {
            let cluster = sim.need("Cluster", args.text(0))?;
            let members = sim.store.refs("Cluster", cluster.as_str(), "cluster_hosts");
            let pif = members.first().map(|member| sim.store.reference("Cluster_host", member.as_str(), "PIF"));
            let network = pif.map(|pif| sim.store.reference("PIF", pif.as_str(), "network"));
            Ok(network.unwrap_or_default().into())
        }),
        "destroy" => Handler::Now(|sim, _, args| {
            let cluster = sim.need("Cluster", args.text(0))?;
            let members = sim.store.refs("Cluster", cluster.as_str(), "cluster_hosts");
            if members.len() > 1 {
                return Err(Failure::new("CLUSTER_DOES_NOT_HAVE_ONE_NODE", [members.len().to_string()]));
            }
            dissolve(sim, &cluster)
        }),
        "pool_destroy" | "pool_force_destroy" => Handler::Now(|sim, _, args| {
            let cluster = sim.need("Cluster", args.text(0))?;
            dissolve(sim, &cluster)
        }),
        _ => return None,
    })
}

fn of_members(message: &str) -> Option<Handler> {
    Some(match message {
        "create" => Handler::Now(|sim, _, args| {
            let (cluster, host) = (sim.need("Cluster", args.text(0))?, sim.need("host", args.text(1))?);
            let pif = sim.need("PIF", args.text(2))?;
            if sim.store.reference("PIF", pif.as_str(), "host") != host {
                return Err(Failure::new("PIF_NOT_ATTACHED_TO_HOST", [pif.as_str(), host.as_str()]));
            }
            check_pif(sim, &pif)?;
            let is_member = |member: &RawRef| sim.store.reference("Cluster_host", member.as_str(), "host") == host;
            if sim.store.all("Cluster_host").iter().any(is_member) {
                return Err(Failure::new("CLUSTER_ALREADY_EXISTS", [""; 0]));
            }
            Ok(join(sim, &cluster, &pif).into())
        }),
        "enable" => Handler::Now(|sim, _, args| {
            let member = sim.need("Cluster_host", args.text(0))?;
            check_pif(sim, &sim.store.reference("Cluster_host", member.as_str(), "PIF"))?;
            enable(sim, &member, true);
            Ok(Value::VOID)
        }),
        "disable" => Handler::Now(|sim, _, args| {
            let member = sim.need("Cluster_host", args.text(0))?;
            check_stack(sim, &sim.store.reference("Cluster_host", member.as_str(), "cluster"))?;
            enable(sim, &member, false);
            Ok(Value::VOID)
        }),
        "destroy" => Handler::Now(|sim, _, args| {
            let member = sim.need("Cluster_host", args.text(0))?;
            let cluster = sim.store.reference("Cluster_host", member.as_str(), "cluster");
            check_stack(sim, &cluster)?;
            if sim.store.refs("Cluster", cluster.as_str(), "cluster_hosts").len() < 2 {
                return Err(Failure::new("CLUSTER_HOST_IS_LAST", [member.as_str()]));
            }
            leave(sim, &member);
            Ok(Value::VOID)
        }),
        "force_destroy" => Handler::Now(|sim, _, args| {
            let member = sim.need("Cluster_host", args.text(0))?;
            check_stack(sim, &sim.store.reference("Cluster_host", member.as_str(), "cluster"))?;
            leave(sim, &member);
            Ok(Value::VOID)
        }),
        _ => return None,
    })
}

/// How a cluster is to be.
struct Options {
    stack: String,
    auto_join: bool,
    timeout: f64,
    coefficient: f64,
}

impl Options {
    fn of(args: &Args, stack: usize, auto_join: bool, timeouts: usize) -> Result<Options, Failure> {
        let number = |at: usize, default| if args.value(at).is_some() { args.float(at) } else { default };
        let (timeout, coefficient) = (number(timeouts, 20.0), number(timeouts + 1, 1.0));
        let stack = String::from(args.text(stack));
        if stack != "corosync" {
            return Err(Failure::new("INVALID_CLUSTER_STACK", [stack]));
        }
        // These are the bounds of the cluster stack.
        if timeout.is_nan() || timeout < 1.0 {
            return Err(Failure::new("INVALID_VALUE", ["token_timeout".to_string(), alloc::format!("{timeout}")]));
        }
        if coefficient.is_nan() || coefficient < 0.65 {
            let text = alloc::format!("{coefficient}");
            return Err(Failure::new("INVALID_VALUE", ["token_timeout_coefficient".to_string(), text]));
        }
        Ok(Options { stack, auto_join, timeout, coefficient })
    }
}

/// A NIC that a cluster relies on has an address, is up, and may not be unplugged.
fn check_pif(sim: &Sim, pif: &RawRef) -> Result<(), Failure> {
    let of = pif.as_str();
    if sim.store.text("PIF", of, "IP").is_empty() {
        return Err(Failure::new("PIF_HAS_NO_NETWORK_CONFIGURATION", [of]));
    }
    if !sim.store.flag("PIF", of, "disallow_unplug") {
        return Err(Failure::new("PIF_ALLOWS_UNPLUG", [of]));
    }
    if !sim.store.flag("PIF", of, "currently_attached") {
        return Err(Failure::new("REQUIRED_PIF_IS_UNPLUGGED", [of]));
    }
    Ok(())
}

/// A cluster that holds storage together stays.
fn check_stack(sim: &Sim, cluster: &RawRef) -> Result<(), Failure> {
    let uses = |sr: &RawRef| {
        sim.store.text("SR", sr.as_str(), "type") == "gfs2" && crate::operations::storage::need_attached(sim, sr).is_ok()
    };
    if sim.store.all("SR").iter().any(uses) {
        let stack = sim.store.text("Cluster", cluster.as_str(), "cluster_stack");
        return Err(Failure::new("CLUSTER_STACK_IN_USE", [stack]));
    }
    Ok(())
}

fn new_cluster(sim: &mut Sim, options: &Options) -> Result<RawRef, Failure> {
    if sim.store.count("Cluster") > 0 {
        return Err(Failure::new("CLUSTER_ALREADY_EXISTS", [""; 0]));
    }
    let (cluster, uuid, token) = (sim.random.reference(), sim.random.uuid(), sim.random.uuid());
    let draft = sim.store.draft("Cluster").with("uuid", uuid).with("cluster_token", token);
    let draft = draft.with("cluster_stack", options.stack.as_str()).with("pool_auto_join", options.auto_join);
    let draft = draft.with("token_timeout", options.timeout).with("token_timeout_coefficient", options.coefficient);
    sim.store.insert(&cluster, draft);
    Ok(cluster)
}

fn pool_create(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let network = sim.need("network", args.text(0))?;
    let options = Options::of(args, 1, true, 2)?;
    let mut pifs = Vec::new();
    for host in sim.store.all("host") {
        let all = sim.store.refs("network", network.as_str(), "PIFs");
        let own = all.into_iter().find(|pif| sim.store.reference("PIF", pif.as_str(), "host") == host);
        let own = own.ok_or_else(|| Failure::new("PIF_NOT_PRESENT", [host.as_str(), network.as_str()]))?;
        // Whoever makes a cluster of a pool wants its NICs to stay.
        let is_kept = sim.store.flag("PIF", own.as_str(), "disallow_unplug");
        if !is_kept {
            sim.store.put("PIF", own.as_str(), "disallow_unplug", true);
        }
        let checked = check_pif(sim, &own);
        if checked.is_err() && !is_kept {
            sim.store.put("PIF", own.as_str(), "disallow_unplug", false);
        }
        checked?;
        pifs.push(own);
    }
    let cluster = new_cluster(sim, &options)?;
    for pif in pifs {
        join(sim, &cluster, &pif);
    }
    Ok(cluster.into())
}

/// A host becomes a member by one of its NICs.
fn join(sim: &mut Sim, cluster: &RawRef, pif: &RawRef) -> RawRef {
    let host = sim.store.reference("PIF", pif.as_str(), "host");
    let (member, uuid) = (sim.random.reference(), sim.random.uuid());
    let draft = sim.store.draft("Cluster_host").with("uuid", uuid).with("cluster", cluster).with("host", &host);
    sim.store.insert(&member, draft.with("PIF", pif).with("joined", true));
    enable(sim, &member, true);
    member
}

fn enable(sim: &mut Sim, member: &RawRef, wanted: bool) {
    let date = sim.date();
    let allowed: &[&str] = if wanted { &["disable", "destroy"] } else { &["enable", "destroy"] };
    let allowed: Vec<Value> = allowed.iter().map(|operation| Value::from(*operation)).collect();
    let of = member.as_str();
    sim.store.put("Cluster_host", of, "enabled", wanted);
    sim.store.put("Cluster_host", of, "live", wanted);
    sim.store.put("Cluster_host", of, "last_update_live", date);
    sim.store.put("Cluster_host", of, "allowed_operations", allowed);
    let cluster = sim.store.reference("Cluster_host", of, "cluster");
    count(sim, &cluster);
}

fn leave(sim: &mut Sim, member: &RawRef) {
    let cluster = sim.store.reference("Cluster_host", member.as_str(), "cluster");
    sim.store.remove("Cluster_host", member.as_str());
    count(sim, &cluster);
}

/// Writes how many members there are and live, and whether that is a quorum.
fn count(sim: &mut Sim, cluster: &RawRef) {
    let members = sim.store.refs("Cluster", cluster.as_str(), "cluster_hosts");
    let live = members.iter().filter(|member| sim.store.flag("Cluster_host", member.as_str(), "live")).count();
    let number = |count: usize| i64::try_from(count).unwrap_or(0);
    let quorum = members.len() / 2 + 1;
    let of = cluster.as_str();
    sim.store.put("Cluster", of, "expected_hosts", number(members.len()));
    sim.store.put("Cluster", of, "live_hosts", number(live));
    sim.store.put("Cluster", of, "quorum", number(quorum));
    sim.store.put("Cluster", of, "is_quorate", live >= quorum);
}

fn dissolve(sim: &mut Sim, cluster: &RawRef) -> Result<Value, Failure> {
    check_stack(sim, cluster)?;
    for member in sim.store.refs("Cluster", cluster.as_str(), "cluster_hosts") {
        sim.store.remove("Cluster_host", member.as_str());
    }
    sim.store.remove("Cluster", cluster.as_str());
    Ok(Value::VOID)
}
