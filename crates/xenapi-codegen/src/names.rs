//! How names of the API become names in Rust. The only place that decides.

/// A class as a type: `VM` stays, `host` becomes `Host`, `VM_guest_metrics` becomes `VMGuestMetrics`.
pub fn type_name(name: &str) -> String {
    camel(name)
}

/// A class, field, message or parameter as a module, field, function or argument: lower case.
pub fn snake(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        "self" => "this".into(),
        "type" | "fn" | "ref" | "move" | "where" | "in" | "override" | "match" | "box" | "final" | "virtual" | "static"
        | "use" | "enum" => {
            format!("r#{lower}")
        }
        _ => lower,
    }
}

/// A field as a constant.
pub fn constant(name: &str) -> String {
    name.to_ascii_uppercase()
}

/// A word of an enumeration as a variant: `balance-slb` becomes `BalanceSlb`, `RW` stays.
pub fn variant(word: &str) -> String {
    let name = camel(word);
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("N{name}") } else { name }
}

fn camel(name: &str) -> String {
    let parts = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    let mut out = String::new();
    for part in parts {
        let (first, rest) = part.split_at(1);
        out.push_str(&first.to_ascii_uppercase());
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_the_capitals_of_the_field() {
        for (name, ty) in [
            ("VM", "VM"),
            ("host", "Host"),
            ("VM_guest_metrics", "VMGuestMetrics"),
            ("sr_stat", "SrStat"),
            ("VGPU_type", "VGPUType"),
        ] {
            assert_eq!(type_name(name), ty);
        }
        for (name, rust) in [("VCPUs_max", "vcpus_max"), ("type", "r#type"), ("self", "this"), ("PV_args", "pv_args")] {
            assert_eq!(snake(name), rust);
        }
        for (word, rust) in [("balance-slb", "BalanceSlb"), ("RW", "RW"), ("pv_in_pvh", "PvInPvh"), ("4d", "N4d")] {
            assert_eq!(variant(word), rust);
        }
    }
}
