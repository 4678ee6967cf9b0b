//! A VM's memory and processors.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use xenapi_core::{Failure, Millis, RawRef, Value};

use crate::Sim;
use crate::arguments::Args;
use crate::dispatch::Caller;
use crate::operations::timed::{hold, timed};
use crate::operations::{Handler, boot, life, rules};
use crate::tasks::Hold;

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
            Ok(Value::Int(boot::overhead_of(sim, &vm)))
        }),
        "maximise_memory" => Handler::Now(maximise),
        "set_memory_target_live" => Handler::Now(|sim, _, args| {
            let vm = RawRef::from(args.text(0));
            rules::check(sim, &vm, "changing_memory_live")?;
            let target = args.int(1);
            apply(sim, &vm, &[(2, target), (3, target)])
        }),
        "wait_memory_target_live" => Handler::Job(|_, _, args| {
            timed(
                RawRef::from(args.text(0)),
                BALLOONING.0 + 500,
                |sim, vm| {
                    rules::check(sim, vm, "awaiting_memory_live")?;
                    Ok(Vec::from([hold("VM", vm, "awaiting_memory_live")]))
                },
                |_, _| Ok(Value::VOID),
            )
        }),
        "set_VCPUs_number_live" => Handler::Job(|_, _, args| {
            timed((RawRef::from(args.text(0)), args.int(1)), 300, check_hotplug, |sim, (vm, number)| {
                let metrics = life::metrics_of(sim, vm);
                sim.store.put("VM_metrics", metrics.as_str(), "VCPUs_number", *number);
                sim.store.put("VM", vm.as_str(), "VCPUs_at_startup", *number);
                Ok(Value::VOID)
            })
        }),
        "add_to_VCPUs_params_live" => Handler::Now(add_scheduling),
        "set_HVM_shadow_multiplier" => Handler::Now(|sim, _, args| {
            let vm = RawRef::from(args.text(0));
            rules::check(sim, &vm, "changing_shadow_memory")?;
            set_shadow(sim, &vm, args.float(1))
        }),
        "set_shadow_multiplier_live" => Handler::Now(|sim, _, args| {
            let vm = RawRef::from(args.text(0));
            rules::check(sim, &vm, "changing_shadow_memory_live")?;
            if sim.store.text("VM", vm.as_str(), "domain_type") == "pv" {
                return Err(Failure::new("VM_HVM_REQUIRED", [vm.as_str()]));
            }
            set_shadow(sim, &vm, args.float(1))
        }),
        _ => return None,
    })
}

const LIMITS: [&str; 4] = ["memory_static_min", "memory_static_max", "memory_dynamic_min", "memory_dynamic_max"];

/// How long a guest takes to give memory back, or to take more.
const BALLOONING: Millis = Millis(3000);

/// Sets some of the four limits, by their places in [`LIMITS`], if the VM allows the operation and the four stay in order.
fn set(sim: &mut Sim, args: &Args, operation: &str, wanted: &[(usize, i64)]) -> Result<Value, Failure> {
    let vm = RawRef::from(args.text(0));
    rules::check(sim, &vm, operation)?;
    apply(sim, &vm, wanted)
}

fn apply(sim: &mut Sim, vm: &RawRef, wanted: &[(usize, i64)]) -> Result<Value, Failure> {
    let mut limits = LIMITS.map(|field| sim.store.int("VM", vm.as_str(), field));
    for (at, bytes) in wanted {
        limits[*at] = *bytes;
    }
    let [static_min, static_max, dynamic_min, dynamic_max] = limits;
    if static_min < 0 {
        return Err(Failure::new("MEMORY_CONSTRAINT_VIOLATION", ["0 <= memory_static_min"]));
    }
    if !(static_min <= dynamic_min && dynamic_min <= dynamic_max && dynamic_max <= static_max) {
        return Err(Failure::new("MEMORY_CONSTRAINT_VIOLATION_ORDER", [""; 0]));
    }
    for (field, bytes) in LIMITS.iter().zip(limits) {
        sim.store.put("VM", vm.as_str(), field, bytes);
    }
    refresh_overhead(sim, vm);
    balloon(sim, vm);
    Ok(Value::VOID)
}

/// The overhead follows the settings while nothing runs; a running VM keeps what it has.
fn refresh_overhead(sim: &mut Sim, vm: &RawRef) {
    if sim.store.reference("VM", vm.as_str(), "resident_on").is_null() {
        let overhead = boot::overhead_of(sim, vm);
        sim.store.put("VM", vm.as_str(), "memory_overhead", overhead);
    }
}

/// A running guest goes where its dynamic range and its host let it.
fn balloon(sim: &mut Sim, vm: &RawRef) {
    let of = vm.as_str();
    let runs = sim.store.text("VM", of, "power_state") == "Running" && !sim.store.flag("VM", of, "is_control_domain");
    if !runs {
        return;
    }
    let host = sim.store.reference("VM", of, "resident_on");
    let (least, most) = (sim.store.int("VM", of, "memory_dynamic_min"), sim.store.int("VM", of, "memory_dynamic_max"));
    let actual = boot::memory_used(sim, vm) - sim.store.int("VM", of, "memory_overhead");
    let target = actual.saturating_add(boot::free_memory(sim, &host)).clamp(least, most);
    if sim.store.put("VM", of, "memory_target", target) || target != actual {
        let domid = sim.store.int("VM", of, "domid");
        sim.defer(BALLOONING, (vm.clone(), domid), go_on_ballooning);
    }
}

/// The guest is where it was to go, unless it is another one by now, or on its way to another host.
fn go_on_ballooning(sim: &mut Sim, state: &(RawRef, i64)) {
    let (vm, domid) = state;
    let current = sim.store.value("VM", vm.as_str(), "current_operations").and_then(Value::as_struct);
    let is_busy = current.is_some_and(|current| current.iter().any(|(_, it)| it.as_text() != Some("awaiting_memory_live")));
    if sim.store.int("VM", vm.as_str(), "domid") != *domid {
        return;
    }
    if is_busy {
        sim.defer(BALLOONING, state.clone(), go_on_ballooning);
    } else {
        finish_ballooning(sim, vm);
    }
}

fn finish_ballooning(sim: &mut Sim, vm: &RawRef) {
    let of = vm.as_str();
    let host = sim.store.reference("VM", of, "resident_on");
    let actual = boot::memory_used(sim, vm) - sim.store.int("VM", of, "memory_overhead");
    let wanted = sim.store.int("VM", of, "memory_target");
    let target = wanted.min(actual.saturating_add(boot::free_memory(sim, &host)));
    boot::take_memory(sim, &host, target - actual);
    let (metrics, date) = (life::metrics_of(sim, vm), sim.date());
    sim.store.put("VM_metrics", metrics.as_str(), "memory_actual", target);
    sim.store.put("VM_metrics", metrics.as_str(), "last_updated", date);
}

/// `VM.maximise_memory`: the most memory of which, with its overhead, no more than a total is used.
fn maximise(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    const MIB: i64 = 1 << 20;
    let vm = sim.need("VM", args.text(0))?;
    let (total, of) = (args.int(1), vm.as_str());
    let is_paravirtual = sim.store.text("VM", of, "domain_type") == "pv";
    let vcpus = sim.store.int("VM", of, "VCPUs_max");
    let multiplier = match sim.store.value("VM", of, "HVM_shadow_multiplier") {
        Some(Value::Double(multiplier)) => *multiplier,
        _ => 1.0,
    };
    let fits = |mebibytes: i64| {
        let bytes = mebibytes * MIB;
        bytes.saturating_add(boot::overhead(bytes, vcpus, multiplier, is_paravirtual)) <= total
    };
    // The most mebibytes that fit, by halving.
    let (mut low, mut high) = (0, total.max(0) / MIB);
    while low < high {
        let middle = low + (high - low + 1) / 2;
        if fits(middle) { low = middle } else { high = middle - 1 }
    }
    Ok(Value::Int(low * MIB))
}

fn set_shadow(sim: &mut Sim, vm: &RawRef, multiplier: f64) -> Result<Value, Failure> {
    if multiplier.is_nan() || multiplier < 1.0 {
        let text = "HVM_shadow_multiplier must be at least 1.0";
        return Err(Failure::new("INVALID_VALUE", [String::from(text), format!("{multiplier}")]));
    }
    sim.store.put("VM", vm.as_str(), "HVM_shadow_multiplier", multiplier);
    refresh_overhead(sim, vm);
    Ok(Value::VOID)
}

fn check_hotplug(sim: &mut Sim, (vm, number): &mut (RawRef, i64)) -> Result<Vec<Hold>, Failure> {
    rules::check(sim, vm, "changing_VCPUs_live")?;
    let max = sim.store.int("VM", vm.as_str(), "VCPUs_max");
    if !(1..=max).contains(number) {
        let text = "VCPU values must satisfy: 0 < VCPUs ≤ VCPUs_max";
        return Err(Failure::new("INVALID_VALUE", [String::from(text), number.to_string()]));
    }
    Ok(Vec::from([hold("VM", vm, "changing_VCPUs_live")]))
}

/// `VM.add_to_VCPUs_params_live`: how the scheduler treats a VM that runs.
fn add_scheduling(sim: &mut Sim, _: &Caller, args: &mut Args) -> Result<Value, Failure> {
    let (vm, key, value) = (RawRef::from(args.text(0)), args.text(1), args.text(2));
    rules::check(sim, &vm, "changing_VCPUs_live")?;
    let fits = match key {
        "weight" | "cap" => value.parse::<u32>().is_ok(),
        "mask" => !value.is_empty() && value.split(',').all(|cpu| cpu.parse::<u32>().is_ok()),
        _ => false,
    };
    if !fits {
        return Err(Failure::new("INVALID_VALUE", [key, value]));
    }
    sim.store.put_key("VM", vm.as_str(), "VCPUs_params", key, value);
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
    refresh_overhead(sim, &vm);
    Ok(Value::VOID)
}
