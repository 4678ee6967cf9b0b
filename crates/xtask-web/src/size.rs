//! What the console costs to download.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// What the first visit may download until the first inventory is shown, compressed by brotli.
const FIRST_VISIT: usize = 300 << 10;

/// Whether a file is loaded only when somebody asks for what needs it: the parts that were cut off and their styles, other languages,
/// what the explorer knows of the API, and the simulated pool. A test in a browser sees that nothing else is loaded before.
fn is_later(name: &str) -> bool {
    const STARTS: [&str; 5] = ["split_", "chunk_", "xenoxide_sim", "sim-", "languages/"];
    const STYLES: [&str; 6] = ["topology.css", "tables.css", "object.css", "impact.css", "palette.css", "explorer.css"];
    STARTS.iter().any(|start| name.starts_with(start)) || STYLES.contains(&name) || ["api.json", "files.js"].contains(&name)
}

/// Bytes of one file: as it is, and as a browser would receive it under each content coding.
#[derive(Clone, Copy, Default)]
struct Sizes {
    raw: usize,
    gzip: usize,
    brotli: usize,
}

/// Prints a Markdown table of every file under `dir`, the largest first, and their sum. An error when the first visit is over its budget.
pub(crate) fn run(dir: &Path) -> Result<(), String> {
    let mut files = Vec::new();
    collect(dir, &mut files)?;
    let mut rows = Vec::new();
    for file in files {
        let bytes = fs::read(&file).map_err(|error| format!("read {}: {error}", file.display()))?;
        let name = file.strip_prefix(dir).unwrap_or(&file).display().to_string();
        rows.push((name, measure(&bytes).map_err(|error| format!("compress {}: {error}", file.display()))?));
    }
    if rows.is_empty() {
        return Err(format!("{} holds no files", dir.display()));
    }
    rows.sort_by(|a, b| b.1.raw.cmp(&a.1.raw).then_with(|| a.0.cmp(&b.0)));
    print!("{}", table(&rows));
    first_visit(&rows).map(|text| println!("\n{text}"))
}

/// What the first visit costs, or that it is too much.
fn first_visit(rows: &[(String, Sizes)]) -> Result<String, String> {
    let now: usize = rows.iter().filter(|(name, _)| !is_later(name)).map(|(_, sizes)| sizes.brotli).sum();
    let text = format!("The first visit downloads {} KiB of at most {} KiB (brotli).", kib(now), kib(FIRST_VISIT));
    if now <= FIRST_VISIT { Ok(text) } else { Err(text) }
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let failed = |error| format!("read {}: {error}", dir.display());
    for entry in fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// Compresses at the strongest level of each coding, which is what a server does once for a static file.
fn measure(bytes: &[u8]) -> std::io::Result<Sizes> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(bytes)?;
    let mut brotli = brotli::CompressorWriter::new(Vec::new(), 64 * 1024, 11, 22);
    brotli.write_all(bytes)?;
    Ok(Sizes { raw: bytes.len(), gzip: gzip.finish()?.len(), brotli: brotli.into_inner().len() })
}

fn table(rows: &[(String, Sizes)]) -> String {
    let mut sum = Sizes::default();
    let mut text = String::from("| file | raw KiB | gzip KiB | brotli KiB |\n| --- | ---: | ---: | ---: |\n");
    for (name, sizes) in rows {
        sum.raw += sizes.raw;
        sum.gzip += sizes.gzip;
        sum.brotli += sizes.brotli;
        text.push_str(&row(name, *sizes));
    }
    text.push_str(&row("**all**", sum));
    text
}

fn row(name: &str, sizes: Sizes) -> String {
    format!("| {name} | {} | {} | {} |\n", kib(sizes.raw), kib(sizes.gzip), kib(sizes.brotli))
}

/// Bytes as KiB with one decimal, rounded to the nearest.
fn kib(bytes: usize) -> String {
    let tenths = (bytes * 10 + 512) / 1024;
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
    use super::*;

    #[test]
    fn kib_rounds_to_the_nearest_tenth() {
        assert_eq!(kib(0), "0.0");
        assert_eq!(kib(1024), "1.0");
        assert_eq!(kib(1536), "1.5");
        assert_eq!(kib(1024 * 300 - 1), "300.0");
    }

    #[test]
    fn repetitive_text_shrinks_under_both_codings() {
        let sizes = measure("OpaqueRef:".repeat(1000).as_bytes()).unwrap();
        assert_eq!(sizes.raw, 10_000);
        assert!(sizes.gzip > 0 && sizes.gzip < 200, "{}", sizes.gzip);
        assert!(sizes.brotli > 0 && sizes.brotli < 200, "{}", sizes.brotli);
    }

    #[test]
    fn what_is_loaded_later_does_not_count_for_the_first_visit() {
        let of = |brotli| Sizes { raw: brotli, gzip: brotli, brotli };
        let rows = |wasm| [("a.wasm".to_owned(), of(wasm)), ("languages/zh-CN.lang".into(), of(1 << 20))];
        assert_eq!(
            first_visit(&rows(FIRST_VISIT)).unwrap(),
            "The first visit downloads 300.0 KiB of at most 300.0 KiB (brotli)."
        );
        assert!(first_visit(&rows(FIRST_VISIT + 1)).is_err());
    }

    #[test]
    fn the_table_ends_with_the_sum() {
        let one = Sizes { raw: 1024, gzip: 512, brotli: 256 };
        let text = table(&[("a".into(), one), ("b".into(), one)]);
        assert_eq!(text.lines().last().unwrap(), "| **all** | 2.0 | 1.0 | 0.5 |");
    }
}
