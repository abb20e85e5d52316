//! Causes of commands, and reasons of consents and suspensions, stay typed. What stands in a row or in an answer as a word is never read back into a decision:
//! only storage restores a cause, and no code outside the rules of lending says a cause's word by itself.

use keylend::domain::cause::{NotSent, Unseen};
use keylend::domain::fault::{AccountFault, Fault};
use keylend::domain::impairment::{ConnectionEnd, NotGiven, Withdrawal};
use keylend::domain::policy::Reason;

use super::imports::is_path_separator;
use super::sources::{Kind, Source, src};

/// The types whose words are written only.
const TYPES: &[&str] = &[
    "AccountFault",
    "Cause",
    "ConnectionEnd",
    "ConnectionReason",
    "Fault",
    "NotGiven",
    "NotSent",
    "ProviderCode",
    "Reason",
    "Suspension",
    "Unseen",
    "Withdrawal",
];
/// Where they are defined.
const DEFINED_IN: &[&str] = &[
    "src/domain/cause.rs",
    "src/domain/fault.rs",
    "src/domain/impairment.rs",
    "src/domain/policy.rs",
];
/// Where those that storage restores restore their parts.
const RESTORED_IN: &[&str] =
    &["src/domain/cause.rs", "src/domain/fault.rs", "src/domain/impairment.rs"];
/// What would let a text be parsed into them.
const READERS: &[&str] = &["Deserialize", "DeserializeOwned", "FromStr", "TryFrom"];
/// Where one of their words means something else: the code of a problem, where codes are made and in a
/// client; and the name of a person of whom nothing is known any more.
const OTHER_MEANINGS: &[&str] = &[
    "src/http/problem/catalog.rs",
    "src/service/grants/issue.rs",
    "src/cli/demo/story.rs",
    "src/storage/personal_data.rs",
];

/// Every word of theirs.
fn words() -> Vec<&'static str> {
    let reasons = Reason::ALL.iter().map(|reason| reason.as_str());
    let faults = Fault::ALL.iter().map(|fault| fault.as_str());
    let not_sent = NotSent::ALL.iter().map(|why| why.as_str());
    let unseen = Unseen::ALL.iter().map(|why| why.as_str());
    let account = AccountFault::ALL.iter().map(|fault| fault.as_str());
    let not_given = NotGiven::ALL.iter().map(|why| why.as_str());
    let withdrawn = Withdrawal::ALL.iter().map(|what| what.as_str());
    let ended = ConnectionEnd::ALL.iter().map(|by| by.as_str());
    let commands = reasons.chain(faults).chain(not_sent).chain(unseen).chain(["abandoned"]);
    commands.chain(account).chain(not_given).chain(withdrawn).chain(ended).collect()
}

fn read_back(sources: &[Source]) -> Vec<String> {
    let words = words();
    let mut found = Vec::new();
    for source in sources {
        let path = source.path.as_str();
        let defines = DEFINED_IN.contains(&path);
        let restores = RESTORED_IN.contains(&path) || path.starts_with("src/storage/");
        // The simulator speaks the vehicle cloud's words, and shares no code with the service.
        let says = path.starts_with("src/domain/")
            || path.starts_with("src/simulator/")
            || OTHER_MEANINGS.contains(&path);
        let tokens = source.tokens();
        for (at, token) in tokens.iter().enumerate() {
            let line = token.line;
            match &token.kind {
                Kind::Ident(name) if TYPES.contains(&name.as_str()) && !restores => {
                    let called = tokens.get(at + 3).and_then(|token| token.ident());
                    if is_path_separator(tokens, at + 1) && called == Some("restore") {
                        found.push(format!("{path}:{line}: only storage restores a {name}"));
                    }
                }
                Kind::Ident(name) if READERS.contains(&name.as_str()) && defines => {
                    found.push(format!("{path}:{line}: {name} would read a cause from any text"));
                }
                Kind::Ident(name) if name == "words" && defines => {
                    let written = tokens.get(at + 3).and_then(|token| token.ident());
                    let is_macro =
                        tokens.get(at + 1).is_some_and(|next| next.is(&Kind::Punct('!')));
                    if is_macro && written != Some("written") {
                        found.push(format!("{path}:{line}: these words are `written` only"));
                    }
                }
                Kind::Text(text) if words.contains(&text.as_str()) && !says => {
                    found.push(format!("{path}:{line}: {text:?} is a cause's word; use the type"));
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn no_cause_is_read_back_from_text_outside_storage() {
    super::assert_none(&read_back(src()));
}

#[test]
fn a_cause_that_is_read_back_or_said_as_a_text_is_flagged() {
    for (path, text, expected) in [
        (
            "src/http/v1/commands.rs",
            "fn f(word: &str) { Cause::restore(word).ok(); }",
            "only storage restores a Cause",
        ),
        (
            "src/domain/command.rs",
            "fn f(word: &str) { words.filter_map(|word| Reason::restore(word).ok()); }",
            "only storage restores a Reason",
        ),
        (
            "src/domain/cause.rs",
            "impl std::str::FromStr for Cause {}",
            "FromStr would read a cause from any text",
        ),
        (
            "src/domain/fault.rs",
            "#[derive(Debug, Deserialize)] struct ProviderCode(String);",
            "Deserialize would read a cause from any text",
        ),
        (
            "src/service/connections/reauthenticate.rs",
            "fn f(car: &Vehicle) { Suspension::restore(&shown.reason).ok(); }",
            "only storage restores a Suspension",
        ),
        (
            "src/http/v1/connections/callback.rs",
            "fn f(word: &str) { match ConnectionReason::restore(word) { _ => 1 } }",
            "only storage restores a ConnectionReason",
        ),
        (
            "src/domain/impairment.rs",
            "#[derive(Debug, Deserialize)] enum ConnectionReason {}",
            "Deserialize would read a cause from any text",
        ),
        (
            "src/domain/impairment.rs",
            "words! { /// Why.\n NotGiven { A = \"a\", } }",
            "these words are `written` only",
        ),
        (
            "src/service/connections/faults.rs",
            "fn f() { if reason == \"connected_services_account/subscription\" {} }",
            "is a cause's word; use the type",
        ),
        (
            "src/service/connections/disconnect.rs",
            "fn f() { connections::end(tx, id, \"disconnected\"); }",
            "\"disconnected\" is a cause's word",
        ),
        (
            "src/domain/policy.rs",
            "words! { /// Why.\n Reason { A = \"a\", } }",
            "these words are `written` only",
        ),
        (
            "src/http/smartcar_v2/commands.rs",
            "fn f() { match word { Some(\"consent_lost\" | \"b\") => 1, _ => 2 } }",
            "\"consent_lost\" is a cause's word",
        ),
        (
            "src/service/commands/send.rs",
            "fn f() { command.reasons = vec![\"not_sent_in_time\".to_owned()]; }",
            "\"not_sent_in_time\" is a cause's word",
        ),
    ] {
        super::assert_flagged(&read_back(&[Source::parse(path, text)]), expected);
    }
    for (path, text) in [
        ("src/storage/commands.rs", "fn f() { words.map(Cause::restore); }"),
        ("src/domain/impairment.rs", "fn f() { AccountFault::restore(text); }"),
        ("src/simulator/faults/connect_error.rs", "fn f() { (\"error\", \"access_denied\"); }"),
        ("src/domain/policy.rs", "words! { written Reason { A = \"grant_expired\", } }"),
        ("src/storage/commands.rs", "fn f() { Instruction::restore(action, text); }"),
    ] {
        super::assert_none(&read_back(&[Source::parse(path, text)]));
    }
}
