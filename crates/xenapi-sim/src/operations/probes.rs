//! Looking for storage: what `SR.probe` finds, and what a configuration lacks.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use xenapi_core::{Failure, Millis, RawRef, Struct, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::operations::steps::steps;
use crate::operations::storage;
use crate::tasks::{Operation, Start};

/// A number of a LUN that every simulated target has.
const SCSI_ID: &str = "3600140512345678abcdef0123456789ab";

fn text<'a>(config: &'a Struct, key: &str) -> &'a str {
    config.get(key).and_then(Value::as_text).unwrap_or("")
}

fn backend(number: u32, stdout: &str, stderr: String) -> Failure {
    Failure::new(format!("SR_BACKEND_FAILURE_{number}"), [String::new(), stdout.into(), stderr])
}

/// What the driver says of a configuration that is not complete: what is missing, and, where it can tell, what there is to choose.
///
/// # Errors
/// `SR_BACKEND_FAILURE_n` with the driver's number, text and list.
pub(crate) fn check_config(sim: &Sim, kind: &str, config: &Struct) -> Result<(), Failure> {
    let missing = |key: &str| text(config, key).is_empty();
    let lacks = |number, key: &str, list: String| {
        let stdout = format!("The request is missing the {key} parameter");
        Err(backend(number, &stdout, list))
    };
    match kind {
        "nfs" if missing("server") => lacks(102, "server", String::new()),
        "nfs" if missing("serverpath") => lacks(101, "serverpath", exports(sim, text(config, "server"))),
        "lvmoiscsi" if missing("target") => lacks(95, "target", String::new()),
        "lvmoiscsi" if missing("targetIQN") => {
            let stdout = "The request is missing or has an incorrect target IQN parameter";
            Err(backend(96, stdout, targets(text(config, "target"))))
        }
        "lvmoiscsi" if missing("SCSIid") => {
            let stdout = "The SCSIid parameter is missing or incorrect";
            Err(backend(107, stdout, luns()))
        }
        "lvm" | "ext" if missing("device") => lacks(90, "device", String::new()),
        "iso" | "file" if missing("location") => lacks(87, "location", String::new()),
        "smb" if missing("server") => lacks(102, "server", String::new()),
        _ => Ok(()),
    }
}

/// The paths of a server: those that repositories use, and one that is free.
fn exports(sim: &Sim, server: &str) -> String {
    let mut paths: Vec<&str> = Vec::new();
    for row in sim.store.table("PBD").rows.values() {
        let of = row.reference.as_str();
        if sim.store.key("PBD", of, "device_config", "server") == Some(server)
            && let Some(path) = sim.store.key("PBD", of, "device_config", "serverpath")
            && !paths.contains(&path)
        {
            paths.push(path);
        }
    }
    paths.push("/export/free");
    let exports = paths.iter().map(|path| {
        let (server, path) = (escape(server), escape(path));
        format!("<Export><Target>{server}</Target><Path>{path}</Path><Accesslist>*</Accesslist></Export>")
    });
    format!("<?xml version=\"1.0\" ?><nfs-exports>{}</nfs-exports>", exports.collect::<String>())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn targets(address: &str) -> String {
    format!(
        "<?xml version=\"1.0\" ?><iscsi-target-iqns><TGT><Index>0</Index><IPAddress>{}</IPAddress>\
         <TargetIQN>iqn.2026-01.example.array:lun1</TargetIQN></TGT></iscsi-target-iqns>",
        escape(address)
    )
}

fn luns() -> String {
    format!(
        "<?xml version=\"1.0\" ?><iscsi-target><LUN><vendor>SIMULATE</vendor><serial>0001</serial><LUNid>0</LUNid>\
         <size>549755813888</size><SCSIid>{SCSI_ID}</SCSIid></LUN></iscsi-target>"
    )
}

/// What somebody looks for.
struct Search {
    host: RawRef,
    config: Struct,
    kind: String,
}

/// A repository on the storage that was searched.
struct Found {
    uuid: String,
    name: String,
    description: String,
    size: i64,
    used: i64,
}

impl Search {
    fn new(args: &Args) -> Search {
        let config = args.value(1).and_then(Value::as_struct).cloned().unwrap_or_default();
        Search { host: RawRef::from(args.text(0)), config, kind: args.text(2).to_lowercase() }
    }

    fn check(&self, sim: &Sim) -> Result<(), Failure> {
        sim.need("host", self.host.as_str())?;
        let Some(driver) = storage::driver_of(sim, &self.kind) else {
            return Err(Failure::new("SR_UNKNOWN_DRIVER", [self.kind.as_str()]));
        };
        let features = sim.store.value("SM", driver.as_str(), "features").and_then(Value::as_struct);
        if features.is_some_and(|features| !features.is_empty() && features.get("SR_PROBE").is_none()) {
            return Err(backend(102, "The driver cannot probe", String::new()));
        }
        Ok(())
    }

    /// The repositories that are connected in this way, and those that were forgotten.
    fn found(&self, sim: &Sim) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        let is_same = |pbd: &RawRef| {
            let own = sim.store.value("PBD", pbd.as_str(), "device_config").and_then(Value::as_struct);
            own.is_some_and(|own| {
                let keys = ["server", "serverpath", "target", "targetIQN", "device", "location"];
                keys.iter().all(|key| text(own, key) == text(&self.config, key))
            })
        };
        for row in sim.store.table("SR").rows.values() {
            let of = row.reference.as_str();
            if sim.store.text("SR", of, "type") != self.kind || !sim.store.refs("SR", of, "PBDs").iter().any(is_same) {
                continue;
            }
            found.push(Found {
                uuid: sim.store.text("SR", of, "uuid").into(),
                name: sim.store.text("SR", of, "name_label").into(),
                description: sim.store.text("SR", of, "name_description").into(),
                size: sim.store.int("SR", of, "physical_size"),
                used: sim.store.int("SR", of, "physical_utilisation"),
            });
        }
        let forgotten = sim.around.repositories.iter().filter(|(_, repository)| repository.kind == self.kind);
        found.extend(forgotten.map(|(uuid, repository)| Found {
            uuid: uuid.clone(),
            name: String::new(),
            description: String::new(),
            size: repository.size,
            used: repository.used,
        }));
        found
    }
}

fn run(
    args: &Args,
    answer: impl Fn(&Sim, &Search) -> Result<Value, Failure> + Send + 'static,
) -> Result<Box<dyn Operation>, Failure> {
    let search = alloc::sync::Arc::new(Search::new(args));
    let begin = {
        let search = search.clone();
        move |sim: &mut Sim| search.check(sim).map(|()| Start { duration: Millis(1500), holds: Vec::new() })
    };
    steps(begin, move |sim| {
        search.check(sim)?;
        answer(sim, &search)
    })
}

/// `SR.probe`: text that clients parse.
pub(crate) fn probe(args: &Args) -> Result<Box<dyn Operation>, Failure> {
    run(args, |sim, search| {
        check_config(sim, &search.kind, &search.config)?;
        let found = search.found(sim);
        let list = found.iter().map(|sr| {
            let (name, description) = (escape(&sr.name), escape(&sr.description));
            format!(
                "<SR><UUID>{}</UUID><Devlist></Devlist><size>{}</size><name_label>{name}</name_label>\
                 <name_description>{description}</name_description></SR>",
                sr.uuid, sr.size
            )
        });
        Ok(format!("<?xml version=\"1.0\" ?><SRlist>{}</SRlist>", list.collect::<String>()).into())
    })
}

/// `SR.probe_ext`: the same as records.
pub(crate) fn probe_ext(args: &Args) -> Result<Box<dyn Operation>, Failure> {
    run(args, |sim, search| {
        check_config(sim, &search.kind, &search.config)?;
        let results = search.found(sim).into_iter().map(|sr| {
            let mut stat = Struct::new();
            stat.push("uuid", sr.uuid);
            stat.push("name_label", sr.name);
            stat.push("name_description", sr.description);
            stat.push("free_space", sr.size.saturating_sub(sr.used).max(0));
            stat.push("total_space", sr.size);
            stat.push("clustered", false);
            stat.push("health", "healthy");
            let mut result = Struct::new();
            result.push("configuration", search.config.clone());
            result.push("complete", true);
            result.push("sr", stat);
            result.push("extra_info", Struct::new());
            Value::Struct(result)
        });
        Ok(Value::Array(results.collect()))
    })
}
