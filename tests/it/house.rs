//! The rules of the house, read off the sources.
//!
//! What a reader of ARCHITECTURE.md is promised (who imports whom, where SQL lives, how long
//! things get) is checked here, so that the page cannot drift from the code. Each rule is a
//! function from sources to a list of violations, and each is also given a bad snippet, to show
//! that it can fail.

mod arrows;
mod causes;
mod databases;
mod frames;
mod imports;
mod lockfile;
mod names;
mod sizes;
mod sources;
mod statements;
mod syntax;
mod type_names;

/// Fails with every violation at once: whoever broke a rule twice should not run twice.
#[track_caller]
fn assert_none(violations: &[String]) {
    assert!(violations.is_empty(), "rules of the house broken:\n  {}", violations.join("\n  "));
}

/// Fails with what is not in a list of known faults, and with what is in it and is mended.
#[track_caller]
fn assert_known(found: &[String], known: &[&str]) {
    let new = found.iter().filter(|fault| !known.contains(&fault.as_str()));
    let mended = known.iter().filter(|fault| !found.iter().any(|found| found == *fault));
    let violations: Vec<_> = new
        .map(|fault| format!("new: {fault}"))
        .chain(mended.map(|fault| format!("mended, so strike it off KNOWN: {fault}")))
        .collect();
    assert_none(&violations);
}

/// Fails unless `rule` finds a fault in the bad snippet and says `expected` about it.
#[track_caller]
fn assert_flagged(violations: &[String], expected: &str) {
    assert!(
        violations.iter().any(|violation| violation.contains(expected)),
        "the rule did not say {expected:?}, but {violations:?}"
    );
}
