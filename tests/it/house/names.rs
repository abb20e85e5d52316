//! Every file says what it is for, and no module is a drawer for odds and ends.

use super::sources::{Source, all};

/// A thing that ends up here has a noun missing.
const DRAWERS: &[&str] = &[
    "common", "dto", "dtos", "helper", "helpers", "manager", "managers", "misc", "model", "models",
    "types", "util", "utils",
];

fn drawers(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        let parts = source.path.trim_end_matches(".rs").split('/');
        for part in parts.filter(|part| DRAWERS.contains(part)) {
            found.push(format!("{}: no module is called {part}", source.path));
        }
        let inline = source.defines.modules.iter().filter(|name| DRAWERS.contains(&name.as_str()));
        found.extend(inline.map(|name| format!("{}: no module is called {name}", source.path)));
    }
    found
}

fn without_a_purpose(sources: &[Source]) -> Vec<String> {
    sources
        .iter()
        .filter(|source| !source.text.starts_with("//! "))
        .map(|source| format!("{}: does not begin with `//! `, what it is for", source.path))
        .collect()
}

#[test]
fn no_module_is_a_drawer() {
    super::assert_none(&drawers(all()));
}

#[test]
fn every_file_says_what_it_is_for() {
    super::assert_none(&without_a_purpose(all()));
}

#[test]
fn a_drawer_is_flagged_as_file_folder_and_inline() {
    for (path, text) in [
        ("src/utils.rs", ""),
        ("src/http/common/mod.rs", ""),
        ("src/http/helpers/ids.rs", ""),
        ("src/http/mod.rs", "mod a { mod types {} }"),
    ] {
        let violations = drawers(&[Source::parse(path, text)]);
        super::assert_flagged(&violations, "no module is called");
    }
}

#[test]
fn a_file_without_a_purpose_is_flagged() {
    let violations =
        without_a_purpose(&[Source::parse("src/a.rs", "/// Not the file.\nfn a() {}")]);
    super::assert_flagged(&violations, "src/a.rs: does not begin with");
}
