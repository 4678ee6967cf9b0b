#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use super::*;

fn console() -> (tempfile::TempDir, StaticFiles) {
    let folder = tempfile::tempdir().unwrap();
    let page = "<!doctype html><script type=\"module\">start()</script><script src=\"/x.js\"></script>";
    fs::write(folder.path().join("index.html"), page).unwrap();
    fs::write(folder.path().join("app_bg.wasm"), vec![0; 4096]).unwrap();
    fs::create_dir(folder.path().join("icons")).unwrap();
    fs::write(folder.path().join("icons/vm.svg"), "<svg/>").unwrap();
    fs::write(folder.path().join(".secret"), "x").unwrap();
    let files = StaticFiles::load(folder.path()).unwrap();
    (folder, files)
}

fn get(files: &StaticFiles, path: &str, headers: &[(header::HeaderName, &str)]) -> Response<Body> {
    let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::try_from(*value).unwrap())).collect();
    files.respond(&Method::GET, path, &headers)
}

fn text(response: &Response<Body>, name: header::HeaderName) -> &str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[test]
fn files_have_their_types() {
    let (_folder, files) = console();
    assert_eq!(text(&get(&files, "/app_bg.wasm", &[]), header::CONTENT_TYPE), "application/wasm");
    assert_eq!(text(&get(&files, "/icons/vm.svg", &[]), header::CONTENT_TYPE), "image/svg+xml");
    for page in ["/", "/index.html", "/vm/8a5cbb5e", "/storage/"] {
        let response = get(&files, page, &[]);
        assert_eq!((response.status(), text(&response, header::CONTENT_TYPE)), (StatusCode::OK, "text/html; charset=utf-8"));
    }
}

#[test]
fn nothing_outside_of_the_folder_can_be_named() {
    let (_folder, files) = console();
    let outside = [
        "/../Cargo.toml",
        "/../../etc/passwd",
        "/icons/../../etc/passwd",
        "/%2e%2e/etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/..\\etc",
        "/.secret",
        "/missing.js",
        "//etc/passwd.txt",
    ];
    for path in outside {
        assert_eq!(get(&files, path, &[]).status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[test]
fn a_known_tag_saves_the_body_and_differs_by_encoding() {
    let (_folder, files) = console();
    let plain = text(&get(&files, "/app_bg.wasm", &[]), header::ETAG).to_owned();
    files.compress();
    let packed = get(&files, "/app_bg.wasm", &[(header::ACCEPT_ENCODING, "gzip, br")]);
    assert_eq!(text(&packed, header::CONTENT_ENCODING), "br");
    assert_ne!(text(&packed, header::ETAG), plain);
    let gzip = get(&files, "/app_bg.wasm", &[(header::ACCEPT_ENCODING, "br;q=0, gzip")]);
    assert_eq!(text(&gzip, header::CONTENT_ENCODING), "gzip");
    let again = get(&files, "/app_bg.wasm", &[(header::IF_NONE_MATCH, &plain)]);
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    let other = get(&files, "/app_bg.wasm", &[(header::IF_NONE_MATCH, "\"other\"")]);
    assert_eq!(other.status(), StatusCode::OK);
}

#[test]
fn pages_may_run_their_own_scripts_and_no_others() {
    let (_folder, files) = console();
    let policy = text(&get(&files, "/", &[]), header::CONTENT_SECURITY_POLICY).to_owned();
    let hash = STANDARD.encode(digest(&SHA256, b"start()"));
    assert!(policy.contains(&format!("script-src 'self' 'wasm-unsafe-eval' 'sha256-{hash}';")), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"));
}

#[test]
fn other_methods_are_refused_and_head_has_no_body() {
    let (_folder, files) = console();
    let none = HeaderMap::new();
    assert_eq!(files.respond(&Method::DELETE, "/", &none).status(), StatusCode::METHOD_NOT_ALLOWED);
    let head = files.respond(&Method::HEAD, "/app_bg.wasm", &none);
    assert_eq!(text(&head, header::CONTENT_LENGTH), "4096");
    assert!(http_body::Body::is_end_stream(head.body()));
}

#[test]
fn without_a_console_the_page_says_how_to_build_it() {
    let files = StaticFiles::none();
    let response = get(&files, "/", &[]);
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(text(&response, header::CONTENT_TYPE), "text/html; charset=utf-8");
    assert_eq!(get(&files, "/x.js", &[]).status(), StatusCode::NOT_FOUND);
}

#[test]
fn a_folder_that_is_no_console_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let error = StaticFiles::load(folder.path()).err().unwrap().to_string();
    assert!(error.contains("index.html") && error.contains(folder.path().to_str().unwrap()), "{error}");
    let error = StaticFiles::load(&folder.path().join("absent")).err().unwrap().to_string();
    assert!(error.contains("absent"), "{error}");
}
