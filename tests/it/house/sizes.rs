//! A reader should see a file in a sitting and a function on a page.

use super::sources::{Source, all};

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
/// A test tells its story from beginning to end, so it may be longer.
const TEST_FUNCTION_LINES_MAX: usize = 100;

fn files_too_long(sources: &[Source]) -> Vec<String> {
    sources
        .iter()
        .filter(|source| source.text.lines().count() > FILE_LINES_MAX)
        .map(|s| format!("{}: {} lines, {FILE_LINES_MAX} at most", s.path, s.text.lines().count()))
        .collect()
}

fn functions_too_long(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        for (name, lines) in &source.defines.functions {
            let (path, first, count) = (&source.path, lines.start(), lines.clone().count());
            let is_test = source.is_test_line(*first);
            let most = if is_test { TEST_FUNCTION_LINES_MAX } else { FUNCTION_LINES_MAX };
            if count > most {
                found.push(format!("{path}:{first}: fn {name} has {count} lines, {most} at most"));
            }
        }
    }
    found
}

#[test]
fn files_and_functions_stay_short() {
    let mut violations = files_too_long(all());
    violations.extend(functions_too_long(all()));
    super::assert_none(&violations);
}

#[test]
fn a_long_file_is_flagged() {
    let at_most = Source::parse("src/a.rs", &"\n".repeat(FILE_LINES_MAX));
    let too_long = Source::parse("src/b.rs", &"\n".repeat(FILE_LINES_MAX + 1));
    let violations = files_too_long(&[at_most, too_long]);
    assert_eq!(violations, ["src/b.rs: 501 lines, 500 at most"]);
}

#[test]
fn a_long_function_is_flagged_wherever_it_hides() {
    let body = "\n".repeat(FUNCTION_LINES_MAX - 1);
    let fits = Source::parse("src/a.rs", &format!("/// Doc.\nfn fits() {{{body}}}"));
    super::assert_none(&functions_too_long(&[fits]));

    let body = "\n".repeat(FUNCTION_LINES_MAX);
    for text in [
        format!("fn long() {{{body}}}"),
        format!("impl A {{ fn long(&self) {{{body}}} }}"),
        format!("trait A {{ fn long(&self) {{{body}}} }}"),
        format!("fn outer() {{}} mod m {{ async fn long() {{{body}}} }}"),
    ] {
        let violations = functions_too_long(&[Source::parse("src/a.rs", &text)]);
        super::assert_flagged(&violations, "fn long has 71 lines, 70 at most");
    }
    let test =
        Source::parse("src/a.rs", &format!("#[cfg(test)]\nmod t {{ fn long() {{{body}}} }}"));
    super::assert_none(&functions_too_long(&[test]));
}
