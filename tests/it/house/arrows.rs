//! Files depend on each other in one direction: there is no circle of files, and folders inside the
//! simulator know only what is below them.
//!
//! There is an arrow from a file to another one if it names something that is defined there, in a
//! `use` or anywhere else. A name that a module passes on with a `use` of its own is followed to where
//! it is defined, so a `mod.rs` that lists its children and passes their names on is nobody's
//! neighbour. Two kinds of arrows do not count:
//!
//! - Between a module's own file and the files below it: together they are that module. The file
//!   above puts its parts together, and the parts may use what it keeps for all of them.
//! - From the tests of a file, inside it or in `…_test.rs` beside it. Other files that are compiled
//!   for tests only count like all others.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::Delimiter;

use super::imports::{is_path_separator, members};
use super::sources::{Kind, Source, Token, src};

/// A path of modules and a name, below the crate's root.
type Path = Vec<String>;

/// A file as the graph sees it.
struct File<'a> {
    path: &'a str,
    module: Path,
    tokens: &'a [Token],
    /// Names that stand for another path, because a `use` brings them in.
    names: BTreeMap<String, Path>,
}

/// The files by their modules.
type Files<'a> = BTreeMap<Path, File<'a>>;

/// From each file to those that it names something of.
type Arrows<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// What a folder, and the file that lists it, must know nothing of.
const BELOW: &[(&str, &[&str])] = &[
    ("src/simulator/cloud", &["src/simulator/doors"]),
    ("src/simulator/faults", &["src/simulator/doors", "src/simulator/cloud"]),
];

fn arrows(sources: &[Source]) -> Arrows<'_> {
    let files = read(sources);
    files.values().map(|file| (file.path, targets(file, &files))).collect()
}

fn wrong_way(arrows: &Arrows<'_>) -> Vec<String> {
    let within = |path: &str, folder: &str| {
        path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
    };
    let mut found = Vec::new();
    for (from, targets) in arrows {
        let above = BELOW.iter().filter(|(folder, _)| within(from, folder));
        for folder in above.flat_map(|(_, above)| above.iter()) {
            let targets = targets.iter().filter(|to| within(to, folder));
            found.extend(targets.map(|to| format!("{from} is below {to} and must not know it")));
        }
    }
    found
}

/// The files of each circle, in a line.
fn circles(arrows: &Arrows<'_>) -> Vec<String> {
    let reached: Arrows<'_> = arrows.keys().map(|path| (*path, reachable(path, arrows))).collect();
    let mut found = BTreeSet::new();
    for (path, there) in &reached {
        let circle: Vec<&str> =
            there.iter().copied().filter(|other| reached[other].contains(path)).collect();
        if circle.len() > 1 {
            found.insert(circle.join(", "));
        }
    }
    found.into_iter().collect()
}

/// Everything that can be reached from a file along the arrows.
fn reachable<'a>(from: &'a str, arrows: &Arrows<'a>) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = vec![from];
    while let Some(path) = open.pop() {
        open.extend(arrows[path].iter().filter(|next| found.insert(**next)));
    }
    found
}

fn read(sources: &[Source]) -> Files<'_> {
    let mut files = Files::new();
    let counts = |path: &str| path != "src/lib.rs" && !path.ends_with("_test.rs");
    for source in sources.iter().filter(|source| counts(&source.path)) {
        let module: Path = source.module().into_iter().map(str::to_owned).collect();
        let tokens = source.tokens_of_the_file();
        let names = names(tokens, &module);
        files.insert(module.clone(), File { path: &source.path, module, tokens, names });
    }
    files
}

/// What names at the beginning of a path stand for: child modules, and whatever `use` brings in.
fn names(tokens: &[Token], module: &[String]) -> BTreeMap<String, Path> {
    let mut names = BTreeMap::new();
    for pair in tokens.windows(3) {
        if let (Some("mod"), Some(name)) = (pair[0].ident(), pair[1].ident())
            && pair[2].is(&Kind::Punct(';'))
        {
            names.insert(name.to_owned(), [module, &[name.to_owned()]].concat());
        }
    }
    for (at, _) in tokens.iter().enumerate().filter(|(_, token)| token.ident() == Some("use")) {
        let end = tokens[at..].iter().position(|token| token.is(&Kind::Punct(';')));
        let item = &tokens[at + 1..end.map_or(tokens.len(), |end| at + end)];
        if let Some((start, next)) = beginning(item, 0, module, &names) {
            let mut found = Vec::new();
            branches(&item[next..], &start, &mut found);
            names.extend(found.into_iter().map(|import| (import.name, import.path)));
        }
    }
    names
}

/// The files in which something is defined that this one names.
fn targets<'a>(file: &File<'_>, files: &Files<'a>) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    for at in 0..file.tokens.len() {
        for path in paths_at(file.tokens, at, file) {
            let Some(target) = definition(&path, files, 0) else { continue };
            if !target.module.starts_with(&file.module) && !file.module.starts_with(&target.module)
            {
                found.insert(target.path);
            }
        }
    }
    found
}

/// The file in which a path ends; `None` for a module alone and for what is not of this crate.
fn definition<'f, 'a>(path: &[String], files: &'f Files<'a>, depth: usize) -> Option<&'f File<'a>> {
    let longest = (1..path.len()).rev().find_map(|length| {
        let (module, rest) = path.split_at(length);
        Some((files.get(module)?, rest))
    });
    let (file, rest) = longest?;
    if files.contains_key(path) {
        return None;
    }
    // A name that was passed on, perhaps more than once.
    match rest.first().and_then(|name| file.names.get(name)).filter(|_| depth < 8) {
        Some(passed) => {
            let onward: Path = passed.iter().chain(&rest[1..]).cloned().collect();
            definition(&onward, files, depth + 1).or(Some(file))
        }
        None => Some(file),
    }
}

/// The paths that begin at a token: several, if they end in a list in braces.
fn paths_at(tokens: &[Token], at: usize, file: &File<'_>) -> Vec<Path> {
    let within_a_path = at >= 2 && is_path_separator(tokens, at - 2);
    let is_visibility = at >= 2
        && tokens[at - 1].ident() == Some("in")
        && tokens[at - 2].is(&Kind::Open(Delimiter::Parenthesis));
    if within_a_path || is_visibility || !is_path_separator(tokens, at + 1) {
        return Vec::new();
    }
    let Some((start, next)) = beginning(tokens, at, &file.module, &file.names) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    branches(&tokens[next..], &start, &mut found);
    found.into_iter().map(|named| named.path).collect()
}

/// What the first words of a path stand for, and the token after them.
fn beginning(
    tokens: &[Token],
    mut at: usize,
    module: &[String],
    names: &BTreeMap<String, Path>,
) -> Option<(Path, usize)> {
    let mut path = match tokens.get(at)?.ident()? {
        "crate" => return Some((Path::new(), at + 3)),
        "self" | "super" => module.to_vec(),
        name => return Some((names.get(name)?.clone(), at + 3)),
    };
    while let Some(word @ ("self" | "super")) = tokens.get(at).and_then(Token::ident) {
        if word == "super" {
            path.pop();
        }
        at += 3;
    }
    Some((path, at))
}

/// A path, and the name by which it is known from then on if a `use` brings it in.
struct Named {
    name: String,
    path: Path,
}

/// Completes `start` with what stands in the tokens: `a::b as c`, `a::{b, c::d}` or `a::*`.
fn branches(tokens: &[Token], start: &[String], found: &mut Vec<Named>) {
    let Some(first) = tokens.first() else { return };
    if first.is(&Kind::Open(Delimiter::Brace)) {
        for member in members(tokens) {
            branches(&tokens[member..], start, found);
        }
        return;
    }
    let word = if first.is(&Kind::Punct('*')) { Some("*") } else { first.ident() };
    let Some(word) = word else { return };
    let mut path = start.to_vec();
    if word != "self" {
        path.push(word.to_owned());
    }
    if is_path_separator(tokens, 1) {
        return branches(&tokens[3..], &path, found);
    }
    let alias = tokens.get(1).filter(|token| token.ident() == Some("as")).and(tokens.get(2));
    let name = alias.and_then(Token::ident).or(path.last().map(String::as_str));
    if let Some(name) = name.map(str::to_owned) {
        found.push(Named { name, path });
    }
}

#[test]
fn no_files_depend_on_each_other_in_a_circle() {
    super::assert_none(&circles(&arrows(src())));
}

#[test]
fn rooms_know_only_what_is_below_them() {
    super::assert_none(&wrong_way(&arrows(src())));
}

#[test]
fn a_circle_is_flagged_however_it_is_written() {
    for texts in [
        ["use super::b::B;", "use super::a::A;", ""],
        ["use crate::m::b::B;", "fn b() { crate::m::a::a(); }", ""],
        ["use super::{b::{self, B}};", "use super::a;\nfn b() { a::a(); }", ""],
        ["use crate::m;\nfn a() { m::b::b(); }", "use self::super::a::*;", ""],
        ["use super::b::B as C;", "use super::c::C;", "use super::a::A;"],
        // The module passes on what `b` defines.
        ["use super::B;", "use crate::m::a::A;", ""],
    ] {
        let [a, b, c] = texts;
        let sources = [
            Source::parse("src/m/mod.rs", "mod a;\nmod b;\nmod c;\npub use b::B;"),
            Source::parse("src/m/a.rs", a),
            Source::parse("src/m/b.rs", b),
            Source::parse("src/m/c.rs", c),
        ];
        super::assert_flagged(&circles(&arrows(&sources)), "src/m/a.rs, src/m/b.rs");
    }
}

#[test]
fn what_is_no_circle_is_not_flagged() {
    for (a, b) in [
        ("use super::b::B;", "fn b() {}"),
        ("use super::b;", "use super::a;"),
        ("pub(in crate::m) struct A;", "use super::a::A;"),
        ("use super::b::B;", "#[cfg(test)]\nmod tests { use super::super::a::A; }"),
        ("use super::b::B;", "use super::M;"),
        ("use super::b::B;", "/// See [`super::a::A`].\nfn b() { let a = a::A; }"),
    ] {
        let sources = [
            Source::parse("src/m/mod.rs", "mod a;\nmod b;\nuse a::A;\npub struct M(A);"),
            Source::parse("src/m/a.rs", a),
            Source::parse("src/m/b.rs", b),
        ];
        super::assert_none(&circles(&arrows(&sources)));
    }
}

#[test]
fn a_room_that_knows_what_is_above_it_is_flagged() {
    for (path, text) in [
        ("src/simulator/cloud/car.rs", "use crate::simulator::doors::call::Call;"),
        ("src/simulator/cloud.rs", "use super::doors::call::Call;"),
        ("src/simulator/faults/corrupt.rs", "fn a() { super::super::doors::call::a(); }"),
    ] {
        let door = Source::parse("src/simulator/doors/call.rs", "");
        let sources = [Source::parse(path, text), door];
        super::assert_flagged(&wrong_way(&arrows(&sources)), "must not know it");
    }
    let cloud = Source::parse("src/simulator/cloud/car.rs", "");
    let door = Source::parse("src/simulator/doors/call.rs", "use super::super::cloud::car::Car;");
    super::assert_none(&wrong_way(&arrows(&[cloud, door])));
}
