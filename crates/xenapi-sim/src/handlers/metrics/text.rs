//! How metrics are written.

use alloc::format;
use alloc::string::String;

use crate::handlers::{Reply, Request};

/// Adds a number as the format `%.15g` of C has it, but zero as `0.0`.
pub(crate) fn number(out: &mut String, value: f64) {
    if value.is_nan() {
        *out += "NaN";
    } else if value.is_infinite() {
        *out += if value > 0.0 { "Infinity" } else { "-Infinity" };
    } else if value == 0.0 {
        *out += "0.0";
    } else {
        finite(out, value);
    }
}

fn finite(out: &mut String, value: f64) {
    let scientific = format!("{value:.14e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..15).contains(&exponent) {
        let decimals = usize::try_from(14 - exponent).unwrap_or(0);
        let plain = format!("{value:.decimals$}");
        *out += if plain.contains('.') { plain.trim_end_matches('0').trim_end_matches('.') } else { &plain };
    } else {
        let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
        let sign = if exponent < 0 { '-' } else { '+' };
        *out += &format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
}

/// Adds text as a string of JSON.
pub(crate) fn quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => *out += "\\\"",
            '\\' => *out += "\\\\",
            c if c.is_control() => *out += &format!("\\u{:04x}", u32::from(c)),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Adds text as content of XML.
pub(in crate::handlers) fn escaped(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => *out += "&amp;",
            '<' => *out += "&lt;",
            '>' => *out += "&gt;",
            '"' => *out += "&quot;",
            c => out.push(c),
        }
    }
}

/// Whether a client wants JSON: by its `Accept`, without one by the presence of `json` in the query.
///
/// # Errors
/// 406 for a client that takes neither.
pub(crate) fn wants_json(request: &Request) -> Result<bool, Reply> {
    let Some(accept) = request.header("accept") else { return Ok(request.query("json").is_some()) };
    let mut best: Option<(f64, bool)> = None;
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let json = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "*/*" | "application/*" | "application/json" => true,
            "text/xml" | "application/xml" | "text/*" => false,
            _ => continue,
        };
        let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
        if quality > 0.0 && best.is_none_or(|(other, _)| quality > other) {
            best = Some((quality, json));
        }
    }
    let refused = || Reply::error(406, "Metrics come as application/json or text/xml; the header Accept allows neither.");
    best.map(|(_, json)| json).ok_or_else(refused)
}

/// The type of content.
pub(crate) fn content_type(json: bool) -> &'static str {
    if json { "application/json" } else { "text/xml" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handlers::Method;

    #[test]
    fn numbers_are_written_as_c_writes_them() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "0.0"),
            (1.0, "1"),
            (0.1, "0.1"),
            (1.0 / 3.0, "0.333333333333333"),
            (1_073_741_824.0, "1073741824"),
            (123_456_789_012_345.6, "123456789012346"),
            (1e15, "1e+15"),
            (1.5e300, "1.5e+300"),
            (0.0001, "0.0001"),
            (0.000_012_5, "1.25e-05"),
            (-2.5, "-2.5"),
            (100.0, "100"),
            (999_999_999_999_999.9, "1e+15"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            let mut out = String::new();
            number(&mut out, value);
            assert_eq!(out, text);
        }
    }

    #[test]
    fn the_header_decides_and_else_the_query() {
        let request = |target| Request::new(Method::Get, target);
        for (request, json) in [
            (request("/host_rrd"), Some(false)),
            (request("/host_rrd?json"), Some(true)),
            (request("/host_rrd?json=false"), Some(true)),
            (request("/host_rrd").with("Accept", "*/*"), Some(true)),
            (request("/host_rrd?json=true").with("Accept", "text/xml"), Some(false)),
            (request("/host_rrd").with("Accept", "text/xml;q=0.5, application/json"), Some(true)),
            (request("/host_rrd").with("Accept", "text/html, application/xml;q=0.9, */*;q=0.8"), Some(false)),
            (request("/host_rrd").with("Accept", "image/png"), None),
        ] {
            assert_eq!(wants_json(&request).ok(), json, "{request:?}");
        }
    }
}
