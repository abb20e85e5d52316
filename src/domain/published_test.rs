//! The tables of `docs/events.md`: every type of event and every member, as the code has them.

use std::fmt::Write as _;

use super::*;

const PAGE: &str = include_str!("../../docs/events.md");
const BEGIN: &str = "<!-- written by src/domain/published_test.rs -->\n";

fn form(form: Form) -> String {
    match form {
        Form::Id(prefix) => format!("`{prefix}_…`"),
        Form::Time => "time".to_owned(),
        Form::Word(_) | Form::OpenWord => "word".to_owned(),
        Form::Words(_) | Form::OpenWords => "list of words".to_owned(),
        Form::Count => "whole number".to_owned(),
        Form::Flag => "true or false".to_owned(),
    }
}

fn tables() -> String {
    let mut tables = "| type | what happened | `data` |\n|---|---|---|\n".to_owned();
    for event_type in EventType::ALL {
        let members: Vec<String> =
            event_type.members().iter().map(|member| format!("`{member}`")).collect();
        let (meaning, members) = (event_type.meaning(), members.join(", "));
        writeln!(tables, "| `{event_type}` | {meaning} | {members} |").unwrap();
    }
    tables.push_str(
        "\nWhat the members of `data` are:\n\n| member | form | meaning |\n|---|---|---|\n",
    );
    for member in Member::ALL {
        let (form, meaning) = (form(member.form()), member.meaning());
        writeln!(tables, "| `{member}` | {form} | {meaning} |").unwrap();
    }
    tables
}

#[test]
fn the_page_shows_every_type_of_event_and_every_member() {
    let (_, written) = PAGE.split_once(BEGIN).unwrap();
    assert_eq!(written, tables(), "docs/events.md should end with:\n{}", tables());
}

#[test]
fn every_member_belongs_to_some_event() {
    let of_some = |member: &Member| {
        let of_types = EventType::ALL.iter().any(|one| one.members().contains(member));
        of_types || Member::OF_EVERY_EVENT.contains(member)
    };
    let unused: Vec<&Member> = Member::ALL.iter().filter(|member| !of_some(member)).collect();
    assert!(unused.is_empty(), "{unused:?}");
}
