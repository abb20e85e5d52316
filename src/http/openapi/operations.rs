//! What is true of every operation, so that handlers need not say it: who may call it, that an API client says for whom it asks,
//! that some bodies may be left out, and that it may answer with a problem.

use serde_json::{Map, Value, json};
use utoipa::ToSchema as _;

use super::{API_CLIENT, GRANT_TOKEN, GRANT_TOKEN_AS_MANAGEMENT_TOKEN, SESSION};
use crate::domain::id::UserId;

/// The methods of a path, as its members.
const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// Adds to each operation what handlers need not say.
pub(super) fn complete(api: &mut Value) {
    let paths = api.get_mut("paths").and_then(Value::as_object_mut);
    let items = paths.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut);
    let operations = items.flatten().filter(|(name, _)| METHODS.contains(&name.as_str()));
    for operation in operations.filter_map(|(_, operation)| operation.as_object_mut()) {
        let ways = ways(operation);
        describe_callers(operation, &ways);
        if ways.iter().any(|(scheme, _)| scheme == API_CLIENT) {
            let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
            parameters.as_array_mut().into_iter().for_each(|all| all.push(acting_for()));
        }
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten() {
            parameter.get_mut("schema").into_iter().for_each(unless_left_out);
        }
        let body = operation.get_mut("requestBody");
        let body = body.and_then(|body| body.pointer_mut("/content/application~1json/schema"));
        body.into_iter().for_each(unless_left_out);
        answer_with_problems(operation);
    }
}

/// The ways to show who one is that an operation accepts, each with its scopes.
fn ways(operation: &Map<String, Value>) -> Vec<(String, Vec<String>)> {
    let security = operation.get("security").and_then(Value::as_array).into_iter().flatten();
    let ways = security.filter_map(Value::as_object).flatten();
    let scopes = |scopes: &Value| serde_json::from_value(scopes.clone()).unwrap_or_default();
    ways.map(|(scheme, wanted)| (scheme.clone(), scopes(wanted))).collect()
}

/// Says at the end of the description who may call it.
fn describe_callers(operation: &mut Map<String, Value>, ways: &[(String, Vec<String>)]) {
    let callers: Vec<String> = ways.iter().map(|(scheme, scopes)| caller(scheme, scopes)).collect();
    let callers = match callers.as_slice() {
        [] => "anybody, without credentials".to_owned(),
        some => some.join("; "),
    };
    let own = operation.get("description").and_then(Value::as_str).unwrap_or_default();
    let description = format!("{own}\n\nWho may call it: {callers}.");
    operation.insert("description".to_owned(), description.trim().into());
}

fn caller(scheme: &str, scopes: &[String]) -> String {
    match scheme {
        SESSION => "people who are signed in".to_owned(),
        API_CLIENT => format!("API clients with the scope `{}`", scopes.join("`, `")),
        GRANT_TOKEN => "holders of a grant token".to_owned(),
        GRANT_TOKEN_AS_MANAGEMENT_TOKEN => {
            "holders of a grant token, shown as a management token".to_owned()
        }
        other => other.to_owned(),
    }
}

/// Whom an API client acts for, where API clients may ask.
fn acting_for() -> Value {
    json!({
        "name": "Keylend-Acting-For",
        "in": "header",
        "description": "For API clients alone: the user for whom the request is made. Without it they make accounts and \
            read; everything else answers `acting_for_missing`.",
        "required": false,
        "schema": { "$ref": format!("#/components/schemas/{}", UserId::name()) },
    })
}

/// What may be left out has a form if it is sent: it is never `null`.
fn unless_left_out(schema: &mut Value) {
    let mut form = schema["oneOf"].as_array().into_iter().flatten();
    if let Some(form) = form.find(|&form| form["type"] != "null").cloned() {
        *schema = form;
    }
    let mut kind = schema["type"].as_array().into_iter().flatten();
    if let Some(kind) = kind.find(|&kind| kind != "null").cloned() {
        schema["type"] = kind;
    }
}

/// Every operation may answer with a problem; one that speaks another protocol's errors has said so.
fn answer_with_problems(operation: &mut Map<String, Value>) {
    let answers = operation.get_mut("responses").and_then(Value::as_object_mut);
    let Some(answers) = answers.filter(|answers| !answers.contains_key("4XX")) else { return };
    for range in ["4XX", "5XX"] {
        let problem = json!({ "$ref": "#/components/responses/ProblemAnswer" });
        answers.entry(range).or_insert(problem);
    }
}
