//! What tables show is what the API answers: a member that it does not describe would be a column
//! that is never there.

use std::collections::BTreeMap;

use serde_json::Value;

use super::table::Shape;
use super::{audit_entries, commands, connections, events, grants, holds, users, vehicles};

/// The members of a schema by their names.
fn members(api: &Value, schema: &Value) -> BTreeMap<String, Value> {
    if let Some(name) = schema["$ref"].as_str() {
        return members(api, api.pointer(name.trim_start_matches('#')).unwrap());
    }
    let parts = ["allOf", "oneOf"].into_iter().filter_map(|kind| schema[kind].as_array());
    let inherited = parts.flatten().flat_map(|part| members(api, part));
    let own = schema["properties"].as_object().into_iter().flatten();
    inherited.chain(own.map(|(name, schema)| (name.clone(), schema.clone()))).collect()
}

/// Whether a schema has a member, or a member with that member.
fn has(api: &Value, schema: &Value, path: &str) -> bool {
    let (name, below) = path.split_once('/').unwrap_or((path, ""));
    let members = members(api, schema);
    members.get(name).is_some_and(|member| below.is_empty() || has(api, member, below))
}

#[test]
fn each_column_is_a_member_that_the_api_describes() {
    let api = serde_json::to_value(crate::http::api()).unwrap();
    // A grant is shown after it was issued, amended, ended or given back.
    let grant = ["HeldGrant", "AmendedGrant", "EndedGrant", "RelinquishedGrant"];
    let shapes: [(&[&str], Shape); 20] = [
        (&["Vehicle"], vehicles::LISTED),
        (&["Vehicle"], vehicles::SHAPE),
        (&["Holders"], vehicles::HOLDERS),
        (&["StartedConnection"], connections::STARTED),
        (&["Connection"], connections::SHAPE),
        (&["ConsentedCar"], connections::CARS),
        (&["HeldGrant"], grants::LISTED),
        (&grant, grants::SHAPE),
        (&["ReturnCriterion"], grants::CRITERIA),
        (&["Statement"], grants::STATEMENT),
        (&["StatedEntry"], grants::ENTRIES),
        (&["Command"], commands::SHAPE),
        (&["Command"], commands::SENT),
        (&["Command"], commands::LISTED),
        (&["PlacedHold"], holds::SHAPE),
        (&["Hold"], holds::LISTED),
        (&["Event"], events::LISTED),
        (&["AuditEntry"], audit_entries::LISTED),
        (&["User"], users::SHAPE),
        (&["CreatedUser"], users::CREATED),
    ];
    for (bodies, shape) in shapes {
        for member in shape.members.iter().chain([&shape.id]) {
            let is_there = |body: &&str| has(&api, &api["components"]["schemas"][*body], member);
            assert!(bodies.iter().any(is_there), "{bodies:?} have no {member}");
        }
    }
}
