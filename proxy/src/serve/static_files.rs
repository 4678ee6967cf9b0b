//! The console's files: read once at the start, served from memory.
//!
//! A request names a file by looking it up in a table, so no request can reach a file that is not in the folder.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Empty, Full};
use ring::digest::{SHA256, digest};

use super::errors::{Code, Refusal};
use super::{Body, accepts};

/// A folder with more than this is not a console's.
const MOST_FILES: usize = 2_000;
const MOST_BYTES: u64 = 256 << 20;

/// Files below this gain nothing by compression.
const LEAST_COMPRESSED: usize = 1024;

/// The files of a console.
pub struct StaticFiles {
    files: HashMap<String, File>,
    /// What pages may load and run.
    page_policy: HeaderValue,
}

struct File {
    content_type: &'static str,
    plain: Bytes,
    tag: String,
    /// Filled in by [`StaticFiles::compress`]; until then the plain bytes serve.
    gzip: OnceLock<Bytes>,
    brotli: OnceLock<Bytes>,
}

impl StaticFiles {
    /// No console: `/` answers with a page that says how to get one.
    pub fn none() -> Self {
        StaticFiles { files: HashMap::new(), page_policy: page_policy("") }
    }

    /// Reads a folder.
    ///
    /// # Errors
    /// When it cannot be read, has no `index.html`, or is too large to be a console.
    pub fn load(folder: &Path) -> Result<Self, LoadError> {
        let mut files = HashMap::new();
        let mut left = MOST_BYTES;
        read_folder(folder, "", &mut files, &mut left)?;
        let Some(index) = files.get("/index.html") else {
            return Err(LoadError { path: folder.into(), what: "there is no index.html in it".into() });
        };
        let page_policy = page_policy(&String::from_utf8_lossy(&index.plain));
        Ok(StaticFiles { files, page_policy })
    }

    /// Compresses what is worth it. Takes a while, and may run beside the serving.
    pub fn compress(&self) {
        let worth = |file: &&File| is_text(file.content_type) && file.plain.len() >= LEAST_COMPRESSED;
        let mut files: Vec<&File> = self.files.values().filter(worth).collect();
        // The small ones first: they are done at once.
        files.sort_unstable_by_key(|file| file.plain.len());
        for file in &files {
            if let Ok(bytes) = gzip(&file.plain) {
                file.gzip.get_or_init(|| bytes);
            }
        }
        for file in &files {
            if let Ok(bytes) = brotli(&file.plain) {
                file.brotli.get_or_init(|| bytes);
            }
        }
    }

    /// Answers a request for a path. Paths without an ending belong to the console's own pages, which are all one document.
    pub fn respond(&self, method: &Method, path: &str, headers: &HeaderMap) -> Response<Body> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            let mut response =
                Refusal::new(Code::MethodNotAllowed, format!("{path} takes GET and HEAD only")).into_response();
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        match self.find(path) {
            Some(file) => self.answer(file, method, headers),
            None if self.files.is_empty() && is_page(path) => no_console(),
            None => Refusal::new(Code::NotFound, format!("there is no {path} here")).into_response(),
        }
    }

    fn find(&self, path: &str) -> Option<&File> {
        match self.files.get(path) {
            None if is_page(path) => self.files.get("/index.html"),
            found => found,
        }
    }

    fn answer(&self, file: &File, method: &Method, request: &HeaderMap) -> Response<Body> {
        let (bytes, encoding) = file.best(request);
        let tag = format!("\"{}{}{}\"", file.tag, if encoding.is_some() { "-" } else { "" }, encoding.unwrap_or_default());
        let mut response = Response::new(empty());
        let headers = response.headers_mut();
        // Names stay the same from build to build, so browsers ask each time and mostly hear "not modified". The page itself is small, and
        // must not stay behind, with the whole pool in its memory, for somebody who may come back.
        let is_page = file.content_type.starts_with("text/html");
        let caching = if is_page { "no-store" } else { "no-cache" };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        let not_modified = is_known(request, &tag);
        if let Ok(tag) = HeaderValue::try_from(tag) {
            headers.insert(header::ETAG, tag);
        }
        if is_page {
            headers.insert(header::CONTENT_SECURITY_POLICY, self.page_policy.clone());
        } else if file.content_type.starts_with("text/javascript") {
            // A worker has the policy that its script came with, and loads WebAssembly of its own.
            headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(WORKER_POLICY));
        }
        if not_modified {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.content_type));
        headers.insert(header::CONTENT_LENGTH, bytes.len().into());
        if let Some(encoding) = encoding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        if method == Method::GET {
            *response.body_mut() = full(bytes.clone());
        }
        response
    }
}

impl File {
    fn new(name: &str, plain: Vec<u8>) -> Self {
        let hash = digest(&SHA256, &plain);
        File {
            content_type: content_type(name),
            tag: URL_SAFE_NO_PAD.encode(&hash.as_ref()[..12]),
            plain: plain.into(),
            gzip: OnceLock::new(),
            brotli: OnceLock::new(),
        }
    }

    fn best(&self, request: &HeaderMap) -> (&Bytes, Option<&'static str>) {
        let packed = [("br", &self.brotli), ("gzip", &self.gzip)];
        let usable = packed.into_iter().filter(|(name, _)| accepts(request, name));
        let mut usable = usable.filter_map(|(name, bytes)| bytes.get().map(|bytes| (bytes, Some(name))));
        usable.next().unwrap_or((&self.plain, None))
    }
}

/// A folder that cannot serve as a console.
#[derive(Debug)]
pub struct LoadError {
    path: PathBuf,
    what: String,
}

impl core::fmt::Display for LoadError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "the console in {} cannot be served: {}", self.path.display(), self.what)
    }
}

impl core::error::Error for LoadError {}

fn read_folder(folder: &Path, prefix: &str, files: &mut HashMap<String, File>, left: &mut u64) -> Result<(), LoadError> {
    let wrong = |path: &Path, what: String| LoadError { path: path.into(), what };
    let failed = |path: &Path, error: &io::Error| wrong(path, error.to_string());
    for entry in fs::read_dir(folder).map_err(|error| failed(folder, &error))? {
        let entry = entry.map_err(|error| failed(folder, &error))?;
        let path = entry.path();
        let Ok(name) = entry.file_name().into_string() else { continue };
        if name.starts_with('.') {
            continue;
        }
        let kind = entry.file_type().map_err(|error| failed(&path, &error))?;
        let name = format!("{prefix}/{name}");
        if kind.is_dir() {
            read_folder(&path, &name, files, left)?;
        } else if kind.is_file() {
            let size = entry.metadata().map_err(|error| failed(&path, &error))?.len();
            *left = left.checked_sub(size).ok_or_else(|| wrong(folder, format!("it holds more than {MOST_BYTES} bytes")))?;
            if files.len() == MOST_FILES {
                return Err(wrong(folder, format!("it holds more than {MOST_FILES} files")));
            }
            let bytes = fs::read(&path).map_err(|error| failed(&path, &error))?;
            files.insert(name.clone(), File::new(&name, bytes));
        }
    }
    Ok(())
}

/// Whether a path may be one of the console's own pages: plain segments, and no ending in the last one.
fn is_page(path: &str) -> bool {
    let plain = |part: &str| !matches!(part, "." | "..") && !part.contains(['\\', '\0']);
    let last = path.rsplit('/').next().unwrap_or_default();
    let lower = path.to_ascii_lowercase();
    // Dots, slashes, backslashes and NUL are not encoded by anybody who means well.
    let hides = ["%2e", "%2f", "%5c", "%00"].iter().any(|code| lower.contains(code));
    path.starts_with('/') && !hides && path.split('/').all(plain) && !last.contains('.')
}

fn content_type(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending.to_ascii_lowercase().as_str() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" | "ftl" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn is_text(content_type: &str) -> bool {
    content_type.starts_with("text/")
        || matches!(content_type, "application/wasm" | "application/json" | "application/manifest+json" | "image/svg+xml")
}

fn is_known(request: &HeaderMap, tag: &str) -> bool {
    let known = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    known.flat_map(|value| value.split(',')).any(|known| {
        let known = known.trim();
        known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag
    })
}

fn gzip(bytes: &[u8]) -> io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(bytes)?;
    encoder.finish().map(Bytes::from)
}

fn brotli(mut bytes: &[u8]) -> io::Result<Bytes> {
    // The strongest: it is done once, beside the serving, and saves a tenth of every first visit. A build for development takes too long
    // for that.
    let quality = if cfg!(debug_assertions) { 9 } else { 11 };
    let params = brotli::enc::BrotliEncoderParams { quality, size_hint: bytes.len(), ..Default::default() };
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut bytes, &mut packed, &params)?;
    Ok(packed.into())
}

/// What a worker may load and run.
const WORKER_POLICY: &str =
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; frame-ancestors 'none'";

/// What a page may load and run: its own files, WebAssembly, and the scripts that stand in the page itself, by their hashes.
fn page_policy(page: &str) -> HeaderValue {
    let hashes: String = inline_scripts(page)
        .map(|script| format!(" 'sha256-{}'", STANDARD.encode(digest(&SHA256, script.as_bytes()))))
        .collect();
    let policy = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{hashes}; style-src 'self' 'unsafe-inline'; \
         img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; \
         base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// The texts of the scripts that stand in a page.
fn inline_scripts(page: &str) -> impl Iterator<Item = &str> {
    page.split("<script").skip(1).filter_map(|rest| {
        let (attributes, rest) = rest.split_once('>')?;
        let (script, _) = rest.split_once("</script>")?;
        (!attributes.contains("src=") && !script.is_empty()).then_some(script)
    })
}

fn no_console() -> Response<Body> {
    const PAGE: &str = include_str!("no_console.html");
    let mut response = Response::new(full(Bytes::from_static(PAGE.as_bytes())));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_SECURITY_POLICY, page_policy(PAGE));
    response
}

fn full(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(Into::into).boxed_unsync()
}

fn empty() -> Body {
    Empty::new().map_err(Into::into).boxed_unsync()
}

#[cfg(test)]
#[path = "static_files_tests.rs"]
mod tests;
