//! A VM's memory and processors.

use alloc::string::{String, ToString};

use xenapi_core::{Failure, RawRef, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::operations::{Handler, rules};

pub(crate) fn find(message: &str) -> Option<Handler> {
    Some(match message {
        "set_memory_limits" => Handler::Now(|sim, _, args| {
            let wanted = [(0, args.int(1)), (1, args.int(2)), (2, args.int(3)), (3, args.int(4))];
            set(sim, args, "changing_memory_limits", &wanted)
        }),
        "set_memory_dynamic_range" => Handler::Now(|sim, _, args| {
            let wanted = [(2, args.int(1)), (3, args.int(2))];
            set(sim, args, "changing_dynamic_range", &wanted)
        }),
        "set_memory_static_range" => Handler::Now(|sim, _, args| {
            let wanted = [(0, args.int(1)), (1, args.int(2))];
            set(sim, args, "changing_static_range", &wanted)
        }),
        "set_memory" => Handler::Now(|sim, _, args| {
            let all = args.int(1);
            set(sim, args, "changing_memory_limits", &[(1, all), (2, all), (3, all)])
        }),
        "set_memory_static_min" => Handler::Now(|sim, _, args| set(sim, args, "changing_static_range", &[(0, args.int(1))])),
        "set_memory_static_max" => Handler::Now(|sim, _, args| set(sim, args, "changing_static_range", &[(1, args.int(1))])),
        "set_memory_dynamic_min" => {
            Handler::Now(|sim, _, args| set(sim, args, "changing_dynamic_range", &[(2, args.int(1))]))
        }
        "set_memory_dynamic_max" => {
            Handler::Now(|sim, _, args| set(sim, args, "changing_dynamic_range", &[(3, args.int(1))]))
        }
        "set_VCPUs_max" => Handler::Now(|sim, _, args| set_processors(sim, args, true)),
        "set_VCPUs_at_startup" => Handler::Now(|sim, _, args| set_processors(sim, args, false)),
        "compute_memory_overhead" => Handler::Now(|sim, _, args| {
            let vm = sim.need("VM", args.text(0))?;
            Ok(Value::Int(sim.store.int("VM", vm.as_str(), "memory_overhead")))
        }),
        _ => return None,
    })
}

const LIMITS: [&str; 4] = ["memory_static_min", "memory_static_max", "memory_dynamic_min", "memory_dynamic_max"];

/// Sets some of the four limits, by their places in [`LIMITS`], if the four stay in order.
fn set(sim: &mut Sim, args: &Args, operation: &str, wanted: &[(usize, i64)]) -> Result<Value, Failure> {
    let vm = RawRef::from(args.text(0));
    rules::check(sim, &vm, operation)?;
    let mut limits = LIMITS.map(|field| sim.store.int("VM", vm.as_str(), field));
    for (at, bytes) in wanted {
        limits[*at] = *bytes;
    }
    let [static_min, static_max, dynamic_min, dynamic_max] = limits;
    if !(static_min <= dynamic_min && dynamic_min <= dynamic_max && dynamic_max <= static_max) {
        return Err(Failure::new("MEMORY_CONSTRAINT_VIOLATION_ORDER", [""; 0]));
    }
    for (field, bytes) in LIMITS.iter().zip(limits) {
        sim.store.put("VM", vm.as_str(), field, bytes);
    }
    Ok(Value::VOID)
}

fn set_processors(sim: &mut Sim, args: &Args, is_max: bool) -> Result<Value, Failure> {
    let (vm, number) = (RawRef::from(args.text(0)), args.int(1));
    rules::check(sim, &vm, "changing_VCPUs")?;
    let of = vm.as_str();
    let (max, at_startup) = (sim.store.int("VM", of, "VCPUs_max"), sim.store.int("VM", of, "VCPUs_at_startup"));
    let (fits, text) = if is_max {
        (number > 0 && number >= at_startup, "VCPU values must satisfy: 0 < VCPUs_at_startup ≤ VCPUs_max")
    } else {
        (number > 0 && number <= max, "VCPU values must satisfy: 0 < VCPUs_at_startup ≤ VCPUs_max")
    };
    if !fits {
        return Err(Failure::new("INVALID_VALUE", [String::from(text), number.to_string()]));
    }
    sim.store.put("VM", of, if is_max { "VCPUs_max" } else { "VCPUs_at_startup" }, number);
    Ok(Value::VOID)
}
