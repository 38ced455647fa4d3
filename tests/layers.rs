//! The layers of the crate: a module uses only those below it, and never a sibling.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::items_after_statements
)]

use std::fs;
use std::path::{Path, PathBuf};

/// Lowest first, as `src/lib.rs` lists them.
const LAYERS: [&[&str]; 10] = [
    &["error"],
    &["codec"],
    &["event_loop"],
    &["connection"],
    &["pubsub"],
    &["streams"],
    &["websocket"],
    &["backplane"],
    &["adapter", "store"],
    &["napi"],
];
/// The layers that may name the crate redis.
const NAMES_REDIS: [&str; 2] = ["connection", "pubsub"];

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            found.push(path);
        }
    }
    found
}

/// The file's module, and its text without comments.
fn read(path: &Path) -> (String, String) {
    let inside = path.strip_prefix("src").unwrap();
    let module = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
    let text = fs::read_to_string(path).unwrap();
    let code: Vec<&str> =
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    (module.to_owned(), code.join("\n"))
}

fn names_after<'a>(code: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    code.split(prefix).skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        &rest[..end]
    })
}

#[test]
fn no_arrow_climbs() {
    let mut arrows = 0;
    for path in sources(Path::new("src")) {
        let (module, code) = read(&path);
        if module == "lib" {
            continue;
        }
        let own = layer(&module).unwrap_or_else(|| panic!("{module} is in no layer"));
        for used in names_after(&code, "crate::").filter(|used| *used != module) {
            let below = layer(used).unwrap_or_else(|| panic!("{}: crate::{used}", path.display()));
            assert!(below < own || used == "error", "{} uses crate::{used}", path.display());
            arrows += 1;
        }
    }
    assert!(arrows > 20, "the scan found next to nothing");
}

#[test]
fn redis_and_napi_are_named_where_they_belong() {
    for path in sources(Path::new("src")) {
        let (module, code) = read(&path);
        let napi = code.contains("napi::") || code.contains("napi_derive::");
        assert!(!napi || module == "napi", "{} names napi", path.display());
        assert!(
            !code.contains("redis::") || NAMES_REDIS.contains(&&*module),
            "{} names redis",
            path.display()
        );
        assert!(
            !code.contains("tokio::net") || module == "connection",
            "{} opens sockets",
            path.display()
        );
    }
}
