//! Use cases neither decide who may nor run transactions by themselves: one table and one frame do.

use super::sources::{Source, src};

/// The frame, and the gate for commands, whose batches take in outcomes besides.
const OWN_TRANSACTIONS: &[&str] = &["src/service/transaction.rs", "src/service/commands/batch.rs"];
/// What begins, ends or repeats a transaction.
const CEREMONY: &[&str] = &["begin", "begin_urgent", "commit", "repeat"];
/// Records an entry without the frame.
const RECORDS: &[&str] = &["insert_many", "insert_hashed"];
/// The table, which alone asks what kind of caller it is and which scopes a program has.
const TABLE: &str = "src/domain/access.rs";
/// Asks that.
const KINDS_OF_CALLER: &[&str] = &["is_admin", "is_api_client", "has_scope"];

fn by_hand(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        let owns = OWN_TRANSACTIONS.contains(&source.path.as_str());
        let is_use_case = source.path.starts_with("src/service/");
        for token in source.tokens() {
            let Some(name) = token.ident() else { continue };
            let ceremony = CEREMONY.contains(&name) || RECORDS.contains(&name);
            if is_use_case && !owns && ceremony {
                let (path, line) = (&source.path, token.line);
                found.push(format!("{path}:{line}: {name} is the frame's (Base::transact)"));
            }
            if source.path != TABLE && KINDS_OF_CALLER.contains(&name) {
                let (path, line) = (&source.path, token.line);
                found.push(format!("{path}:{line}: {name} is the table's (domain/access.rs)"));
            }
        }
    }
    found
}

#[test]
fn use_cases_leave_transactions_and_rights_to_their_one_place() {
    super::assert_none(&by_hand(src()));
}

#[test]
fn a_use_case_that_does_it_by_hand_is_flagged() {
    for (text, expected) in [
        ("fn f() { tx.commit().await }", "commit is the frame's"),
        ("fn f() { store.begin().await }", "begin is the frame's"),
        ("fn f() { entries::insert_many(tx) }", "insert_many is the frame's"),
        ("fn f() { if actor.is_admin() {} }", "is_admin is the table's"),
    ] {
        let violations = by_hand(&[Source::parse("src/service/grants/x.rs", text)]);
        super::assert_flagged(&violations, expected);
    }
}
