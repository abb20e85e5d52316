//! Imports point one way: from the edges of the house to its rules, never back up.
//!
//! Read off the tokens, so that a path in a macro or in an attribute counts like a `use`.

use proc_macro2::Delimiter;

use super::sources::{Kind, Source, Token, src};

/// Who may import whom. A module may always import itself, and `lib.rs` lists them all.
///
/// `main -> cli -> app -> { http, console, worker, simulator, witness } -> service
///  -> { storage, connector, signing, auth, audit } -> domain`; what stands together in braces
/// does not import its neighbours. The rest are leaves.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    ("cli", &["app", EDGES, "service", BELOW_SERVICE, "domain", "disk", SETTINGS, SOURCES]),
    ("app", &[EDGES, "service", BELOW_SERVICE, "domain", SETTINGS, SOURCES]),
    ("http", &["service", BELOW_SERVICE, "domain", SETTINGS, SOURCES]),
    ("console", &["service", BELOW_SERVICE, "domain", SOURCES]),
    ("worker", &["service", BELOW_SERVICE, "domain", SETTINGS, SOURCES]),
    // The simulator plays somebody else's cloud: were it to share code with the service, the two
    // could be wrong together.
    ("simulator", &["smartcar", "domain", SOURCES]),
    // A witness is somebody else's: it has the mathematics of the record and a key of its own, and
    // nothing of the service that it watches.
    ("witness", &["audit", "signing", "domain", SOURCES]),
    // Compiled for tests only: it plays everything around the service and uses what it offers.
    ("rehearsal", &["service", BELOW_SERVICE, "domain", SETTINGS, SOURCES]),
    ("service", &[BELOW_SERVICE, "domain", SETTINGS, SOURCES]),
    // The forms in which entries are kept and hashed are those of the tree.
    ("storage", &["audit", "domain", SOURCES]),
    ("connector", &["smartcar", "domain", SOURCES]),
    ("signing", &["domain", "disk::durable", SOURCES]),
    ("auth", &["domain", SOURCES]),
    ("audit", &["domain", "tally"]),
    // Copies of the record are read offline, by people who have neither a database nor a service.
    ("disk", &["audit::files"]),
    ("smartcar", &[]),
    ("clock", &["domain::id", "domain::time"]),
    ("entropy", &["domain::id", "domain::time"]),
    // Settings name the database in storage's own words and witnesses by their keys, and logging is
    // set up from settings.
    ("config", &["domain", "storage::Location", "audit::note"]),
    ("telemetry", &["config", "measures"]),
    ("measures", &[]),
    ("domain", &["tally"]),
    // What the cases of property tests met; compiled for tests only.
    ("tally", &[]),
];

const EDGES: &str = "http console worker simulator witness";
const BELOW_SERVICE: &str = "storage connector signing auth disk::folder audit";
const SETTINGS: &str = "config telemetry";
// The call that ends the process is made where a disk fails and heard where the process is run.
// Whoever measures names what it measures.
const SOURCES: &str = "clock entropy disk::halt measures tally";

/// What one corner of the house may import beyond its module.
const ALSO: &[(&str, &str)] =
    &[("src/http/smartcar_v2", "smartcar"), ("src/http/smartcar_v3", "smartcar")];

/// Words that must not appear in a module or below it: what it is built without.
const WITHOUT: &[(&str, &[&str])] = &[
    ("domain", &["sqlx", "axum", "reqwest", "tokio", "tracing", "async", "await"]),
    ("audit", &["sqlx", "axum", "reqwest", "tokio"]),
    ("smartcar", &["sqlx", "axum", "reqwest", "tokio"]),
    ("signing", &["sqlx", "axum", "reqwest"]),
    ("simulator/cloud", &["axum"]),
    ("simulator/faults", &["axum", "reqwest", "tokio"]),
];

/// A path into the crate, as far as its second module: `crate::domain::id::Id` is `domain::id`.
struct Import {
    line: usize,
    top: String,
    next: Option<String>,
}

fn wrong_way(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| source.path != "src/lib.rs") {
        let module = source.module();
        let own = module.first().copied().unwrap_or_default();
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == own) else {
            found.push(format!("{}: {own} has no place in the house (MAY_IMPORT)", source.path));
            continue;
        };
        for import in imports(source.tokens(), module.len()) {
            let Import { line, top, next } = &import;
            let longer = next.as_ref().map(|next| format!("{top}::{next}"));
            let corner =
                ALSO.iter().any(|(prefix, also)| source.path.starts_with(prefix) && also == top);
            let listed = |name: &str| {
                allowed.iter().any(|names| names.split(' ').any(|listed| listed == name))
            };
            if top == own || corner || listed(top) || longer.as_deref().is_some_and(listed) {
                continue;
            }
            let target = longer.unwrap_or_else(|| top.clone());
            found.push(format!("{}:{line}: {own} may not import {target}", source.path));
        }
    }
    found
}

/// Every `crate::…` and `keylend::…`, and every chain of `super` that reaches the crate's root
/// from a module `depth` levels below it.
fn imports(tokens: &[Token], depth: usize) -> Vec<Import> {
    let mut found = Vec::new();
    let mut supers = 0;
    for (at, token) in tokens.iter().enumerate() {
        let Some(name) = token.ident() else { continue };
        let continues = is_path_separator(tokens, at + 1);
        supers = match name {
            "super" if continues && supers > 0 && is_path_separator(tokens, at - 2) => supers + 1,
            "super" if continues => 1,
            _ => 0,
        };
        let foreign = at >= 2 && is_path_separator(tokens, at - 2);
        let at_root = (name == "crate" || name == "keylend") && !foreign;
        if continues && (at_root || (supers > 0 && supers == depth)) {
            read_targets(&tokens[at + 3..], &mut found);
        }
    }
    found
}

pub(super) fn is_path_separator(tokens: &[Token], at: usize) -> bool {
    let colon = Kind::Punct(':');
    tokens.get(at).is_some_and(|token| token.is(&colon))
        && tokens.get(at + 1).is_some_and(|token| token.is(&colon))
}

/// What stands after `crate::`: one path, or a list of them in braces.
fn read_targets(tokens: &[Token], found: &mut Vec<Import>) {
    let Some(first) = tokens.first() else { return };
    if let Some(top) = first.ident() {
        read_next(first.line, top, tokens, found);
    } else if first.is(&Kind::Open(Delimiter::Brace)) {
        for member in members(tokens) {
            read_targets(&tokens[member..], found);
        }
    }
}

/// `top` and each module that is named right below it.
fn read_next(line: usize, top: &str, tokens: &[Token], found: &mut Vec<Import>) {
    let import = |next: Option<&str>| Import { line, top: top.into(), next: next.map(Into::into) };
    if !is_path_separator(tokens, 1) {
        found.push(import(None));
    } else if tokens.get(3).is_some_and(|token| token.is(&Kind::Open(Delimiter::Brace))) {
        let below = &tokens[3..];
        found.extend(members(below).into_iter().map(|member| import(below[member].ident())));
    } else {
        found.push(import(tokens.get(3).and_then(Token::ident)));
    }
}

/// Where the members of a list in braces begin; `tokens` starts with its opening brace.
pub(super) fn members(tokens: &[Token]) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut level = 0;
    for (at, token) in tokens.iter().enumerate() {
        let opens = matches!(token.kind, Kind::Open(_));
        match token.kind {
            Kind::Open(_) => level += 1,
            Kind::Close(_) => level -= 1,
            _ => {}
        }
        if level == 0 {
            break;
        }
        let begins = level == 1 && (opens || token.is(&Kind::Punct(',')));
        if begins && tokens.get(at + 1).is_some_and(|next| !matches!(next.kind, Kind::Close(_))) {
            starts.push(at + 1);
        }
    }
    starts
}

fn words_out_of_place(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        let module = source.module().join("/");
        let is_own = |name: &str| {
            module.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let Some((own, words)) = WITHOUT.iter().find(|(name, _)| is_own(name)) else { continue };
        for token in source.tokens() {
            if let Some(word) = token.ident().filter(|word| words.contains(word)) {
                found.push(format!("{}:{}: {own} knows no {word}", source.path, token.line));
            }
        }
    }
    found
}

#[test]
fn imports_point_one_way() {
    super::assert_none(&wrong_way(src()));
}

#[test]
fn each_module_is_built_without_what_it_must_not_know() {
    super::assert_none(&words_out_of_place(src()));
}

#[test]
fn an_import_of_the_wrong_way_is_flagged_however_it_is_written() {
    for (path, text, expected) in [
        ("src/domain/grant.rs", "use crate::service::X;", "domain may not import service::X"),
        ("src/domain/mod.rs", "use crate::{clock::Clock};", "domain may not import clock::Clock"),
        ("src/http/mod.rs", "fn a() { crate::app::run(); }", "http may not import app::run"),
        ("src/http/mod.rs", "use crate::{domain::id::{A, B}, app};", "http may not import app"),
        ("src/http/v1/a.rs", "use crate::smartcar::v3;", "http may not import smartcar::v3"),
        ("src/storage/a.rs", "use super::super::service as s;", "storage may not import service"),
        ("src/storage/mod.rs", "use super::{auth, domain};", "storage may not import auth"),
        ("src/clock.rs", "use crate::domain::grant::Grant;", "clock may not import domain::grant"),
        ("src/clock.rs", "use crate::domain::{time::T, grant};", "may not import domain::grant"),
        ("src/audit/log.rs", "use crate::signing::Key;", "audit may not import signing::Key"),
        ("src/service/a.rs", "fn a() { info!(x = crate::http::y()); }", "may not import http::y"),
        ("src/main.rs", "fn main() { keylend::app::run() }", "main may not import app::run"),
        ("src/extras.rs", "fn a() {}", "extras has no place in the house"),
    ] {
        super::assert_flagged(&wrong_way(&[Source::parse(path, text)]), expected);
    }
}

#[test]
fn an_import_of_the_right_way_is_not_flagged() {
    for (path, text) in [
        ("src/http/smartcar_v2/a.rs", "use crate::smartcar::v2;"),
        ("src/connector/smartcar.rs", "use crate::{smartcar::v3, domain::{id, time}};"),
        ("src/domain/a.rs", "use super::service; use std::clock; use a::crate_::app;"),
        ("src/domain/a.rs", "/// See [`crate::app`].\nfn a() { let app = 1; }"),
        ("src/domain/a.rs", "#[cfg(test)]\nmod tests { use crate::app; }"),
        ("src/entropy.rs", "use crate::domain::{id::Id, time::Timestamp};"),
        ("src/main.rs", "use keylend::cli;"),
    ] {
        super::assert_none(&wrong_way(&[Source::parse(path, text)]));
    }
}

#[test]
fn a_word_out_of_place_is_flagged() {
    for (path, text) in [
        ("src/domain/a.rs", "#[derive(sqlx::Type)] struct A;"),
        ("src/domain/a.rs", "async fn a() {}"),
        ("src/signing/a.rs", "use axum::Json;"),
        ("src/smartcar/v2.rs", "use {serde::Serialize, reqwest};"),
        ("src/simulator/cloud/car.rs", "use axum::Json;"),
        ("src/simulator/faults.rs", "use axum::Json;"),
    ] {
        super::assert_flagged(&words_out_of_place(&[Source::parse(path, text)]), "knows no");
    }
}
