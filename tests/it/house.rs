//! The rules of the house, read off the sources.
//!
//! What a reader of ARCHITECTURE.md is promised (who imports whom, where SQL lives, how long
//! things get) is checked here, so that the page cannot drift from the code. Each rule is a
//! function from sources to a list of violations, and each is also given a bad snippet, to show
//! that it can fail.

mod imports;
mod lockfile;
mod names;
mod sizes;
mod sources;
mod statements;

/// Fails with every violation at once: whoever broke a rule twice should not run twice.
#[track_caller]
fn assert_none(violations: &[String]) {
    assert!(violations.is_empty(), "rules of the house broken:\n  {}", violations.join("\n  "));
}

/// Fails unless `rule` finds a fault in the bad snippet and says `expected` about it.
#[track_caller]
fn assert_flagged(violations: &[String], expected: &str) {
    assert!(
        violations.iter().any(|violation| violation.contains(expected)),
        "the rule did not say {expected:?}, but {violations:?}"
    );
}
