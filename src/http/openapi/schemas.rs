//! The names and forms that make good clients. In this program the types of answers are called `…Body`, because the domain has
//! the plain names; clients know the plain names alone, and their lists hold them.

use serde_json::{Map, Value, json};

const PLACE: &str = "#/components/schemas/";
/// The ends of names in this program.
const ANSWER: &str = "Body";
const LIST_OF: &str = "List_";

/// Gives every schema the name and the form that clients know.
pub(super) fn complete(api: &mut Value) {
    let schemas = api.pointer_mut("/components/schemas");
    if let Some(schemas) = schemas.and_then(Value::as_object_mut) {
        let all = std::mem::take(schemas);
        *schemas = all.into_iter().map(of_clients).collect();
    }
    rename_references(api);
    lift_meanings(api);
}

/// The name that clients know a schema by.
fn name_of(own: &str) -> String {
    let plain = |name: &str| name.strip_suffix(ANSWER).unwrap_or(name).to_owned();
    match own.strip_prefix(LIST_OF) {
        Some(row) => format!("{}List", plain(row)),
        None => plain(own),
    }
}

fn of_clients((own, mut schema): (String, Value)) -> (String, Value) {
    if let Some(row) = own.strip_prefix(LIST_OF) {
        if let Some(rows) = schema.pointer_mut("/properties/data/items") {
            *rows = json!({ "$ref": format!("{PLACE}{row}") });
        }
        require_all(&mut schema);
    }
    if own.ends_with(ANSWER) {
        require_all(&mut schema);
    }
    (name_of(&own), schema)
}

/// In an answer each member is there, if only as `null`.
fn require_all(schema: &mut Value) {
    let parts = schema.get_mut("allOf").and_then(Value::as_array_mut);
    parts.into_iter().flatten().for_each(require_all);
    let members = schema["properties"].as_object().map(Map::keys);
    let members: Option<Vec<String>> = members.map(|names| names.cloned().collect());
    if let (Some(members), Some(schema)) = (members, schema.as_object_mut()) {
        schema.insert("required".to_owned(), members.into());
    }
}

/// References to schemas, wherever they stand, by the name that clients know.
fn rename_references(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(own) = text.strip_prefix(PLACE) {
                *text = format!("{PLACE}{}", name_of(own));
            }
        }
        Value::Array(members) => members.iter_mut().for_each(rename_references),
        Value::Object(members) => members.values_mut().for_each(rename_references),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What a value means stands beside its form, also where the form is another schema or `null`: generators look there.
fn lift_meanings(value: &mut Value) {
    match value {
        Value::Array(members) => members.iter_mut().for_each(lift_meanings),
        Value::Object(members) => {
            members.values_mut().for_each(lift_meanings);
            let forms = members.get_mut("oneOf").and_then(Value::as_array_mut);
            let of_reference = |form: &mut Value| {
                let form = form.as_object_mut().filter(|form| form.contains_key("$ref"))?;
                form.remove("description")
            };
            let meaning = forms.and_then(|forms| forms.iter_mut().find_map(of_reference));
            if let Some(meaning) = meaning {
                members.entry("description").or_insert(meaning);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
