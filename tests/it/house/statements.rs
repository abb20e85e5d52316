//! SQL lives in `storage`, as constants that a test can prepare on both databases.

use super::sources::{Kind, Source, Token, src};

/// A constant whose text is SQL, or a literal that stands in the middle of code.
struct Statement {
    line: usize,
    /// The constant's name; without one the text stands in code.
    name: Option<String>,
}

fn is_sql(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().take(4).collect();
    match *words.as_slice() {
        ["SELECT", _, ..]
        | ["INSERT", "INTO", _, ..]
        | ["DELETE", "FROM", _, ..]
        | ["UPDATE", _, "SET", ..]
        | ["WITH", "RECURSIVE", ..] => true,
        ["WITH", _, ..] => text.contains(" AS ("),
        // The beginning of a text that is put together from pieces.
        ["SELECT"] | ["INSERT", "INTO"] | ["DELETE", "FROM"] => true,
        _ => false,
    }
}

/// Every literal that begins like a statement, with the constant that it belongs to.
fn statements(tokens: &[Token]) -> Vec<Statement> {
    let mut found = Vec::new();
    let mut constant: Option<String> = None;
    for (at, token) in tokens.iter().enumerate() {
        match &token.kind {
            Kind::Ident(word) if word == "const" || word == "static" => {
                let name = tokens.get(at + 1).and_then(Token::ident);
                let is_typed = tokens.get(at + 2).is_some_and(|t| t.is(&Kind::Punct(':')));
                // `'static` is a lifetime, `const fn` a function.
                if is_typed {
                    constant = name.map(ToOwned::to_owned);
                }
            }
            Kind::Punct(';') => constant = None,
            Kind::Text(text) if is_sql(text) => {
                found.push(Statement { line: token.line, name: constant.clone() });
            }
            _ => {}
        }
    }
    found
}

/// The names in the initializer of `STATEMENTS`.
fn listed(tokens: &[Token]) -> Vec<&str> {
    let declared = tokens.windows(2).position(|pair| {
        matches!(pair[0].ident(), Some("const" | "static")) && pair[1].ident() == Some("STATEMENTS")
    });
    let Some(declared) = declared else {
        return Vec::new();
    };
    tokens[declared..]
        .iter()
        .skip_while(|token| !token.is(&Kind::Punct('=')))
        .take_while(|token| !token.is(&Kind::Punct(';')))
        .filter_map(Token::ident)
        .collect()
}

fn unlisted(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| source.path.starts_with("src/storage/")) {
        let tokens = source.tokens();
        let listed = listed(tokens);
        let in_db =
            source.path == "src/storage/db.rs" || source.path.starts_with("src/storage/db/");
        for Statement { line, name } in statements(tokens) {
            let path = &source.path;
            match name.as_deref() {
                Some("STATEMENTS") => {}
                Some(name) if listed.contains(&name) => {}
                Some(name) => found.push(format!("{path}:{line}: {name} is not in STATEMENTS")),
                // db.rs puts texts together from placeholders.
                None if in_db => {}
                None => found.push(format!("{path}:{line}: SQL in code, not in a constant")),
            }
        }
    }
    found
}

fn outside_storage(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| !source.path.starts_with("src/storage/")) {
        for Statement { line, .. } in statements(source.tokens()) {
            found.push(format!("{}:{line}: SQL outside src/storage", source.path));
        }
    }
    found
}

#[test]
fn every_statement_is_listed() {
    super::assert_none(&unlisted(src()));
}

#[test]
fn no_statement_stands_outside_storage() {
    super::assert_none(&outside_storage(src()));
}

#[test]
fn an_unlisted_statement_is_flagged() {
    let of = |text: &str| unlisted(&[Source::parse("src/storage/grants.rs", text)]);
    for text in [
        "const FIND: &str = \"SELECT a FROM b\";",
        "const ADD: &'static str = \"\n    INSERT INTO a VALUES (1)\";",
        "const STATEMENTS: &[&str] = &[OTHER]; impl A { const FIND: &str = \"DELETE FROM a\"; }",
        "pub const FIND: &str = concat!(\"WITH a AS (\", \"x)\"); pub const STATEMENTS: &[&str] = &[];",
    ] {
        super::assert_flagged(&of(text), "is not in STATEMENTS");
    }
    super::assert_flagged(&of("fn a() { run(\"UPDATE a SET b = 1\") }"), "SQL in code");

    super::assert_none(&of("const FIND: &str = \"SELECT a FROM b\";\n\
         pub const STATEMENTS: &[(&str, &str)] = &[(\"find\", FIND)];"));
    super::assert_none(&of("const TITLE: &str = \"With love\";"));
    super::assert_none(&of("#[cfg(test)]\nmod tests { const A: &str = \"SELECT a FROM b\"; }"));
}

#[test]
fn a_statement_outside_storage_is_flagged() {
    for text in [
        "const A: &str = \"SELECT a\";",
        "fn a() { run(\"INSERT INTO a VALUES (1)\") }",
        "fn a() { format!(\"UPDATE {table} SET a = 1\"); }",
        "fn a() { run(\"WITH RECURSIVE a AS (SELECT 1)\") }",
    ] {
        let violations = outside_storage(&[Source::parse("src/service/a.rs", text)]);
        super::assert_flagged(&violations, "SQL outside src/storage");
    }
    let prose =
        "/// SELECT a door.\nfn a() { say(\"Select a car\", \"UPDATE me\", \"WITH care\") }";
    super::assert_none(&outside_storage(&[Source::parse("src/service/a.rs", prose)]));
}
