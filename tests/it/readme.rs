//! The README, and the pages that go on from it: each command is typed into one shell in an empty folder, must succeed, and
//! must print what the page says. The program is the one that the tests have built.

use std::process::Stdio;

use tokio::process::Command;

use crate::support::Terminal;
use crate::support::household::free_address;

const README: &str = include_str!("../../README.md");
/// The addresses that the page uses; a test uses free ones.
const PAGE_ADDRESSES: [&str; 2] = ["127.0.0.1:8080", "127.0.0.1:8090"];
/// Stands before what a command printed, with its number; a person never types it.
const MARK: char = '\u{1e}';

/// A command as it is typed, and the lines that it prints.
#[derive(Debug, Default)]
struct Step {
    typed: String,
    printed: Vec<String>,
}

/// The commands of a page's section, or of all the page, from its console blocks. A command begins with `$ ` and goes on
/// in lines that begin with four spaces, and to the end of a text that is given to it.
fn steps(page: &str, heading: Option<&str>) -> Vec<Step> {
    let section = match heading {
        Some(heading) => {
            let (_, section) = page.split_once(&format!("\n## {heading}\n")).expect(heading);
            section.split("\n## ").next().unwrap()
        }
        None => page,
    };
    let mut steps: Vec<Step> = Vec::new();
    let blocks = section.split("```console\n").skip(1);
    for line in blocks.flat_map(|block| block.split("```").next().unwrap().lines()) {
        if let Some(typed) = line.strip_prefix("$ ") {
            steps.push(Step { typed: typed.to_owned(), printed: Vec::new() });
            continue;
        }
        let step = steps.last_mut().expect("a block begins with a command");
        let is_given = step.typed.contains("<<'END'") && !step.typed.ends_with("\nEND");
        if is_given || line.starts_with("    ") && step.printed.is_empty() {
            step.typed.push('\n');
            step.typed.push_str(line);
        } else {
            step.printed.push(line.to_owned());
        }
    }
    steps
}

/// What a reader types who follows the README and the pages that go on from it, in one shell.
fn all_steps() -> Vec<Step> {
    let backend = include_str!("../../docs/backend.md");
    let record = include_str!("../../docs/record.md");
    let sdk = include_str!("../../docs/smartcar-sdk.md");
    [
        steps(README, Some("See it")),
        steps(README, Some("First key")),
        steps(record, Some("A tour")),
        steps(README, Some("For backends")),
        steps(backend, None),
        steps(README, Some("For owners of Smartcar apps")),
        steps(sdk, None),
        steps(README, Some("Test without a car")),
        steps(include_str!("../../docs/simulator.md"), None),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// One script of all steps: each is followed by its status, and the servers end with the shell.
fn script(steps: &[Step]) -> String {
    let mut script = "trap 'kill $(jobs -p); wait' EXIT\nexec 2>&1\n".to_owned();
    for (number, step) in steps.iter().enumerate() {
        script.push_str(&format!("printf '{MARK}%s\\n' {number}\n{}\n", step.typed));
        script.push_str(
            "status=$?; if [ $status != 0 ]; then echo \"ended with $status\"; exit 1; fi\n",
        );
    }
    script
}

/// A line with `#` for every letter and digit of an id or a hash, and for every digit: they differ
/// from run to run.
fn masked(line: &str) -> String {
    let is_part = |char: char| char.is_ascii_alphanumeric() || "-_+".contains(char);
    let mut shape = String::new();
    let mut word = String::new();
    for char in line.chars().chain(['\n']) {
        if is_part(char) {
            word.push(char);
            continue;
        }
        let is_long = word.len() >= 26 && word.contains(|char: char| char.is_ascii_digit());
        let mask = |char: char| if is_long || char.is_ascii_digit() { '#' } else { char };
        shape.extend(word.drain(..).map(mask));
        shape.push(char);
    }
    // How long a number is differs too.
    while shape.contains("##") {
        shape = shape.replace("##", "#");
    }
    shape.trim_end().to_owned()
}

/// Whether a line has the shape that the page says, where `…` stands for anything.
fn is_as_shown(line: &str, shown: &str) -> bool {
    match shown.split_once('…') {
        None => masked(line) == masked(shown),
        Some((before, after)) => {
            let begins = line.starts_with(before) || masked(line).starts_with(&masked(before));
            line.len() > before.len() + after.len() && begins && line.ends_with(after)
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_command_prints_what_the_page_says() {
    let first_key = steps(README, Some("First key"));
    let first_unlock =
        first_key.iter().position(|step| step.typed.contains("send unlock")).unwrap();
    assert!(first_unlock < 10, "the first unlock is command {}", first_unlock + 1);
    assert!(README.lines().count() <= 200, "a README is read to its end");
    let steps = all_steps();
    let sections = README.matches("```console\n").count();
    assert_eq!(sections, 8, "a block of the README that no test types");

    let terminal = Terminal::open();
    let addresses = [free_address(), free_address()];
    let mut typed = script(&steps).replace("cargo run --release -- ", "keylend ");
    for port in ["8080", "8090"] {
        typed = typed.replace(&format!("localhost:{port}"), &format!("127.0.0.1:{port}"));
    }
    // It has no setting for where it listens.
    let simulate = format!("keylend simulate --listen {} ", PAGE_ADDRESSES[1]);
    typed = typed.replace("keylend simulate ", &simulate);
    for (page, free) in PAGE_ADDRESSES.iter().zip(&addresses) {
        typed = typed.replace(page, free);
    }
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_keylend")).parent().unwrap();
    // Whoever runs the tests may have settings of their own.
    let settings = format!(
        "unset ${{!KEYLEND_@}} XDG_CONFIG_HOME\nexport PATH={}:$PATH HOME={} KEYLEND_LISTEN={} KEYLEND_SERVER=http://{}\n",
        program.display(),
        terminal.folder().display(),
        addresses[0],
        addresses[0],
    );
    let mut shell = Command::new("bash");
    shell.arg("-c").arg(settings + &typed).current_dir(terminal.folder());
    shell.stdin(Stdio::null()).kill_on_drop(true);
    let output = shell.output().await.unwrap();
    let mut printed = String::from_utf8(output.stdout).unwrap();
    for (page, free) in PAGE_ADDRESSES.iter().zip(&addresses) {
        printed = printed.replace(free, page);
    }
    assert!(output.status.success(), "{printed}");
    let parts: Vec<&str> = printed.split(MARK).skip(1).collect();
    assert_eq!(parts.len(), steps.len(), "{printed}");
    for (step, part) in steps.iter().zip(parts) {
        let lines: Vec<&str> = part.lines().skip(1).collect();
        let is_right = lines.len() == step.printed.len()
            && lines.iter().zip(&step.printed).all(|(line, shown)| is_as_shown(line, shown));
        let shown = step.printed.join("\n");
        assert!(is_right, "$ {}\n{}\nbut the page says\n{shown}", step.typed, lines.join("\n"));
    }
}

#[test]
fn what_differs_from_run_to_run_is_masked_and_nothing_else() {
    for (one, other) in [
        ("user usr_01m84fyh7ne2kt8c6wrpkt4d7s", "user usr_01m8py736tevc91rcb84tc6vbd"),
        ("2026-11-23T15:26:19Z  grant.issued", "2027-01-01T00:00:00Z  grant.issued"),
        ("entry 21: all 26 entries", "entry 7: all 9 entries"),
    ] {
        assert!(is_as_shown(one, other), "{one}\n{other}");
    }
    assert!(!is_as_shown("2026-11-23T15:26:19.641Z", "2027-01-01T00:00:00Z"));
    assert!(!is_as_shown("status acknowledged", "status confirmed"));
    assert!(is_as_shown("eyJhbGciOiJFZERTQSJ9.x", "eyJhbGci…"));
    assert!(!is_as_shown("eyJhbGci", "eyJhbGci…"));
}
