//! One name, one type: within a module below `src` a reader who has seen a type once knows
//! which one is meant.
//!
//! Types inside a function and types of tests do not count, and neither do associated types.

use std::collections::BTreeSet;

use super::sources::{Source, src};

/// Names that are still defined twice. No line is added here; one that is mended is struck off.
const KNOWN: &[&str] = &[];

/// The names that are defined twice, each with its module.
fn defined_twice(sources: &[Source]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut twice = BTreeSet::new();
    for source in sources {
        let module = source.module().first().copied().unwrap_or_default().to_owned();
        let types = source.defines.types.iter();
        for (name, _) in types.filter(|(_, line)| !source.is_test_line(*line)) {
            let name = format!("{module}::{name}");
            if !seen.insert(name.clone()) {
                twice.insert(name);
            }
        }
    }
    twice.into_iter().collect()
}

#[test]
fn no_type_name_is_defined_twice_in_one_module() {
    super::assert_known(&defined_twice(src()), KNOWN);
}

#[test]
fn a_name_that_is_defined_twice_is_flagged() {
    for (here, there) in [
        ("src/m/b.rs", "pub(super) enum A {}"),
        ("src/m/b/c.rs", "trait A {}"),
        ("src/m/b.rs", "mod inside { type A = u8; }"),
    ] {
        let sources = [Source::parse("src/m/a.rs", "struct A;"), Source::parse(here, there)];
        super::assert_flagged(&defined_twice(&sources), "m::A");
    }
    for (here, there) in [
        ("src/n/b.rs", "struct A;"),
        ("src/m/b.rs", "fn f() { struct A; }"),
        ("src/m/b.rs", "impl Iterator for B { type A = u8; }"),
        ("src/m/b.rs", "#[cfg(test)]\nstruct A;"),
    ] {
        let sources = [Source::parse("src/m/a.rs", "struct A;"), Source::parse(here, there)];
        super::assert_none(&defined_twice(&sources));
    }
}
