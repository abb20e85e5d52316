//! Rust files as the rules see them: path, text, what is defined, and a flat list of tokens that
//! knows which lines are compiled for tests only. Each file is read once for all rules.

use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::OnceLock;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::syntax::{self, Definitions};

/// The sources of the crate come first.
const FOLDERS: [&str; 4] = ["src", "tests", "benches", "examples"];

/// One Rust file.
pub(super) struct Source {
    /// Relative to the package, with `/`.
    pub(super) path: String,
    pub(super) text: String,
    pub(super) defines: Definitions,
    /// Whether the whole file is compiled for tests only.
    pub(super) is_test: bool,
    test_lines: Vec<RangeInclusive<usize>>,
    test_stems: Vec<String>,
    tokens: Vec<Token>,
}

/// A token with its line. Delimiters are tokens of their own; documentation is left out.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) line: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Ident(String),
    Punct(char),
    Open(Delimiter),
    Close(Delimiter),
    /// The value of a string literal.
    Text(String),
    /// Any other literal.
    Literal,
}

impl Token {
    pub(super) fn ident(&self) -> Option<&str> {
        if let Kind::Ident(name) = &self.kind { Some(name) } else { None }
    }

    pub(super) fn is(&self, kind: &Kind) -> bool {
        self.kind == *kind
    }
}

impl Source {
    pub(super) fn parse(path: &str, text: &str) -> Self {
        let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let test_lines = syntax::test_lines(&parsed);
        let is_inner_test = |line| test_lines.iter().any(|lines| lines.contains(&line));
        let stream: TokenStream = text.parse().expect("syn parsed it already");
        let mut tokens = Vec::new();
        flatten(stream, &mut tokens);
        tokens.retain(|token| !is_inner_test(token.line));
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            defines: Definitions::of(&parsed),
            is_test: false,
            test_stems: syntax::test_stems(path, &parsed),
            test_lines,
            tokens,
        }
    }

    /// Whether this line is compiled for tests only.
    pub(super) fn is_test_line(&self, line: usize) -> bool {
        self.is_test || self.test_lines.iter().any(|range| range.contains(&line))
    }

    /// The tokens of what is shipped: no tests, no documentation.
    pub(super) fn tokens(&self) -> &[Token] {
        if self.is_test { &[] } else { &self.tokens }
    }

    /// The tokens without the tests inside the file; of a file that is a test, all of them.
    pub(super) fn tokens_of_the_file(&self) -> &[Token] {
        &self.tokens
    }

    /// The module path below the crate's root: `src/domain/id.rs` is `["domain", "id"]`.
    pub(super) fn module(&self) -> Vec<&str> {
        let inner = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let mut parts: Vec<&str> = inner.trim_end_matches(".rs").split('/').collect();
        if matches!(parts.last(), Some(&"mod" | &"lib")) {
            parts.pop();
        }
        parts
    }
}

/// Every Rust file of the crate.
pub(super) fn src() -> &'static [Source] {
    let all = all();
    let end = all.iter().position(|source| !source.path.starts_with("src/"));
    &all[..end.unwrap_or(all.len())]
}

/// Every Rust file of the package.
pub(super) fn all() -> &'static [Source] {
    static ALL: OnceLock<Vec<Source>> = OnceLock::new();
    ALL.get_or_init(|| {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut found = Vec::new();
        for folder in FOLDERS {
            let before = found.len();
            collect(package, &package.join(folder), &mut found);
            assert!(found.len() > before, "no Rust files under {folder}");
        }
        mark_test_files(&mut found);
        found
    })
}

fn collect(package: &Path, folder: &Path, found: &mut Vec<Source>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            collect(package, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let relative = path.strip_prefix(package).expect("it lies in the package");
            let relative = relative.to_string_lossy().replace('\\', "/");
            let text = fs::read_to_string(&path).expect("a readable source");
            found.push(Source::parse(&relative, &text));
        }
    }
}

/// `#[cfg(test)] mod tests;` makes a file, and all below it, a test.
fn mark_test_files(sources: &mut [Source]) {
    let stems: Vec<String> = sources.iter().flat_map(|source| source.test_stems.clone()).collect();
    for source in sources {
        source.is_test = !source.path.starts_with("src/")
            || stems.iter().any(|stem| {
                source.path == format!("{stem}.rs") || source.path.starts_with(&format!("{stem}/"))
            });
    }
}

fn flatten(stream: TokenStream, into: &mut Vec<Token>) {
    let mut trees = stream.into_iter().peekable();
    while let Some(tree) = trees.next() {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Ident(name) => {
                into.push(Token { line, kind: Kind::Ident(name.to_string()) });
            }
            TokenTree::Punct(mark) => {
                if mark.as_char() == '#' && skips_documentation(&mut trees) {
                    continue;
                }
                into.push(Token { line, kind: Kind::Punct(mark.as_char()) });
            }
            TokenTree::Literal(literal) => {
                let kind = match syn::Lit::new(literal) {
                    syn::Lit::Str(text) => Kind::Text(text.value()),
                    _ => Kind::Literal,
                };
                into.push(Token { line, kind });
            }
            TokenTree::Group(group) => {
                let close = group.span_close().start().line;
                into.push(Token { line, kind: Kind::Open(group.delimiter()) });
                flatten(group.stream(), into);
                into.push(Token { line: close, kind: Kind::Close(group.delimiter()) });
            }
        }
    }
}

/// After a `#`: takes `[doc = "…"]` or `![doc = "…"]` off the stream, and says whether it did.
fn skips_documentation(
    trees: &mut std::iter::Peekable<proc_macro2::token_stream::IntoIter>,
) -> bool {
    let mut ahead = trees.clone();
    let inner = matches!(ahead.peek(), Some(TokenTree::Punct(mark)) if mark.as_char() == '!');
    if inner {
        ahead.next();
    }
    let Some(TokenTree::Group(group)) = ahead.next() else {
        return false;
    };
    let first = group.stream().into_iter().next();
    let is_doc = matches!(first, Some(TokenTree::Ident(name)) if name == "doc");
    if is_doc {
        *trees = ahead;
    }
    is_doc
}

#[test]
fn what_is_compiled_for_tests_only_is_told_apart() {
    let source = Source::parse(
        "src/a.rs",
        "//! Doc.\nfn shipped() {}\n#[cfg(test)]\nmod tests {\n    fn inside() {}\n}\n",
    );
    assert!(!source.is_test_line(2));
    assert!((3..=6).all(|line| source.is_test_line(line)));
    let names: Vec<_> = source.tokens().iter().filter_map(Token::ident).collect();
    assert!(names.contains(&"shipped"));
    assert!(!names.contains(&"inside"));
}

#[test]
fn a_file_declared_for_tests_only_is_a_test() {
    let mut sources = vec![
        Source::parse("src/a/mod.rs", "//! A.\n#[cfg(test)]\nmod tests;\nmod b;\n"),
        Source::parse("src/a/tests.rs", "//! T.\n"),
        Source::parse("src/a/b.rs", "//! B.\n#[cfg(test)]\n#[path = \"b_test.rs\"]\nmod tests;\n"),
        Source::parse("src/a/b_test.rs", "//! T.\n"),
    ];
    mark_test_files(&mut sources);
    let marks: Vec<_> = sources.iter().map(|source| source.is_test).collect();
    assert_eq!(marks, [false, true, false, true]);
}
