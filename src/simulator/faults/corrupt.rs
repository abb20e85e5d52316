//! Answers that are almost right: the member that tells what happened has another type, is
//! missing, or is there twice and contradicts itself. It is text to text and knows no car.

use serde_json::{Map, Value, json};

/// Where the member that tells what happened is, in answers of either version: the object, and
/// the name. The first one that is there counts.
const TELLING: [(&str, &str); 5] = [
    ("", "status"),
    ("", "isLocked"),
    ("/data/attributes/body", "value"),
    ("/data/attributes/status", "value"),
    ("/data/attributes", "make"),
];
/// Stands in for a member while an answer is written; no answer contains it.
const MARK: &str = "\u{1}";

/// The answer with a member of another type than it should have.
pub(crate) fn wrong_type(mut body: Value) -> String {
    if let Some((object, name)) = telling(&mut body) {
        let wrong = match object.get(&name) {
            Some(Value::Number(_)) => json!("one"),
            _ => json!(1),
        };
        object.insert(name, wrong);
    }
    body.to_string()
}

/// The answer without a member that it should have.
pub(crate) fn missing_field(mut body: Value) -> String {
    if let Some((object, name)) = telling(&mut body) {
        object.remove(&name);
    }
    body.to_string()
}

/// The answer with a member that is there twice: first as it should be, then otherwise.
pub(crate) fn duplicate_keys(mut body: Value) -> String {
    let Some((object, name)) = telling(&mut body) else { return body.to_string() };
    let right = object.insert(name.clone(), json!(MARK)).unwrap_or_default();
    let wrong = match &right {
        Value::String(text) if text == "SUCCESS" => json!("FAILURE"),
        Value::String(_) => json!("failed"),
        Value::Bool(value) => json!(!value),
        _ => Value::Null,
    };
    let twice = format!("{right},{}:{wrong}", json!(name));
    body.to_string().replace(&json!(MARK).to_string(), &twice)
}

/// The member that tells what happened, or the first one if none is known to.
fn telling(body: &mut Value) -> Option<(&mut Map<String, Value>, String)> {
    let has = |(place, name): &&(&str, &str)| {
        body.pointer(place).is_some_and(|object| object.get(name).is_some())
    };
    let found = TELLING.iter().find(has);
    let (place, name) = found.map_or(("", None), |(place, name)| (*place, Some(*name)));
    let object = body.pointer_mut(place)?.as_object_mut()?;
    let first = object.keys().next().cloned();
    let name = name.map(str::to_owned).or(first)?;
    Some((object, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_telling_member_of_either_version_is_corrupt() {
        let v2 = json!({"message": "m", "status": "success"});
        assert_eq!(wrong_type(v2.clone()), r#"{"message":"m","status":1}"#);
        assert_eq!(missing_field(v2.clone()), r#"{"message":"m"}"#);
        assert_eq!(duplicate_keys(v2), r#"{"message":"m","status":"success","status":"failed"}"#);
        let v3 = json!({"data": {"attributes": {"status": {"value": "SUCCESS"}}}});
        assert_eq!(
            duplicate_keys(v3),
            r#"{"data":{"attributes":{"status":{"value":"SUCCESS","value":"FAILURE"}}}}"#
        );
        assert_eq!(
            duplicate_keys(json!({"isLocked": true})),
            r#"{"isLocked":true,"isLocked":false}"#
        );
        assert_eq!(wrong_type(json!({"distance": 3.5})), r#"{"distance":"one"}"#);
        assert_eq!(missing_field(json!([1])), "[1]");
    }
}
