//! The description makes good clients: every name is one thing's, everything is described, and texts have a form.

use serde_json::{Map, Value};

fn api() -> Value {
    serde_json::to_value(crate::http::api()).unwrap()
}

fn members(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap()
}

/// Every operation, with its method and path.
fn operations(api: &Value) -> impl Iterator<Item = (String, &Value)> {
    members(&api["paths"]).iter().flat_map(|(path, item)| {
        members(item).iter().map(move |(method, operation)| (format!("{method} {path}"), operation))
    })
}

#[test]
fn every_schema_keeps_a_name_of_its_own() {
    let given = serde_json::to_value(crate::http::described().into_openapi()).unwrap();
    let (given, api) = (&given["components"]["schemas"], api());
    let known = members(&api["components"]["schemas"]);
    assert_eq!(known.len(), members(given).len(), "two schemas have one name");
    for name in known.keys() {
        assert!(!name.ends_with("Body") && !name.contains('_'), "{name}");
    }
}

#[test]
fn an_operation_is_named_by_its_noun_and_its_verb() {
    let api = api();
    let tags: Vec<&str> =
        api["tags"].as_array().unwrap().iter().filter_map(|tag| tag["name"].as_str()).collect();
    for (place, operation) in operations(&api) {
        let id = operation["operationId"].as_str().unwrap();
        let (noun, verb) = id.split_once('.').unwrap();
        assert_eq!(operation["tags"], serde_json::json!([noun]), "{place}");
        assert!(tags.contains(&noun) && !verb.contains('.'), "{place}: {id}");
    }
}

#[test]
fn everything_is_described() {
    let api = api();
    let mut silent = Vec::new();
    for (place, operation) in operations(&api) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if parameter["description"].as_str().unwrap_or_default().is_empty() {
                silent.push(format!("{place}: {}", parameter["name"]));
            }
        }
    }
    for (name, schema) in members(&api["components"]["schemas"]) {
        if schema["description"].as_str().unwrap_or_default().is_empty() {
            silent.push(name.clone());
        }
        for part in schema["allOf"].as_array().into_iter().flatten().chain([schema]) {
            for (member, value) in part["properties"].as_object().into_iter().flatten() {
                if value["description"].as_str().unwrap_or_default().is_empty() {
                    silent.push(format!("{name}.{member}"));
                }
            }
        }
    }
    assert!(silent.is_empty(), "without a description: {silent:#?}");
}

/// What programs send has a bound, so that a client can check it before it asks; where Smartcar's protocol rules, it rules.
#[test]
fn what_is_sent_has_a_form() {
    let api = api();
    let schemas = &api["components"]["schemas"];
    let mut formless = Vec::new();
    for (place, operation) in operations(&api).filter(|(place, _)| !place.contains("/v2.0/")) {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        // A header that may be left out is ignored where it says nothing.
        let parameters = parameters.filter(|one| one["in"] != "header" || one["required"] == true);
        let sent = parameters.map(|one| (one["name"].to_string(), one["schema"].clone()));
        let body = operation.pointer("/requestBody/content/application~1json/schema/$ref");
        let body = body.and_then(Value::as_str).and_then(|place| place.rsplit('/').next());
        let of_body = body.and_then(|name| schemas[name]["properties"].as_object());
        let of_body =
            of_body.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone()));
        for (name, schema) in sent.chain(of_body) {
            let is_text = schema["type"] == "string"
                || schema["type"].as_array().is_some_and(|types| types.contains(&"string".into()));
            let has_form = ["enum", "pattern", "format", "maxLength"];
            if is_text && !has_form.iter().any(|form| schema.get(form).is_some()) {
                formless.push(format!("{place}: {name}"));
            }
        }
    }
    assert!(formless.is_empty(), "without a form: {formless:#?}");
}

/// One word for each thing, in the API and in its glossary.
#[test]
fn the_glossary_has_the_nouns_of_the_operations() {
    let api = api();
    let ids: Vec<&str> =
        operations(&api).filter_map(|(_, operation)| operation["operationId"].as_str()).collect();
    let is_known = |word: &str| {
        ids.iter().any(|id| *id == word || id.split_once('.').is_some_and(|(noun, _)| noun == word))
    };
    let rows = include_str!("../../docs/glossary.md").lines().filter(|line| line.starts_with("| "));
    let named: Vec<&str> = rows
        .skip(1)
        .filter_map(|row| row.split('|').nth(2))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .filter(|word| *word != "organization")
        .collect();
    assert!(named.len() > 15, "the glossary is not being read");
    let unknown: Vec<&&str> = named.iter().filter(|word| !is_known(word)).collect();
    assert!(unknown.is_empty(), "no operation is about {unknown:?}");
    let of_keylend = [
        "health",
        "problems",
        "oauth",
        "smartcar",
        "smartcar_v2",
        "smartcar_v3",
        "keys",
        "log",
        "return_urls",
        "allowed_clients",
    ];
    for id in &ids {
        let (noun, _) = id.split_once('.').unwrap();
        assert!(
            named.contains(&noun) || of_keylend.contains(&noun),
            "{noun} is not in the glossary"
        );
    }
}
