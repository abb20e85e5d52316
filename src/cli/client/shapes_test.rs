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
    let grant = ["HeldGrantBody", "AmendedBody", "EndedBody", "RelinquishedBody"];
    let shapes: [(&[&str], Shape); 20] = [
        (&["VehicleBody"], vehicles::LISTED),
        (&["VehicleBody"], vehicles::SHAPE),
        (&["HoldersBody"], vehicles::HOLDERS),
        (&["ConnectionBody"], connections::STARTED),
        (&["ConnectionBody"], connections::SHAPE),
        (&["ConsentedCarBody"], connections::CARS),
        (&["HeldGrantBody"], grants::LISTED),
        (&grant, grants::SHAPE),
        (&["CriterionBody"], grants::CRITERIA),
        (&["StatementBody"], grants::STATEMENT),
        (&["StatedEntryBody"], grants::ENTRIES),
        (&["CommandBody"], commands::SHAPE),
        (&["CommandBody"], commands::SENT),
        (&["CommandBody"], commands::LISTED),
        (&["PlacedBody"], holds::SHAPE),
        (&["HoldBody"], holds::LISTED),
        (&["EventBody"], events::LISTED),
        (&["EntryBody"], audit_entries::LISTED),
        (&["UserBody"], users::SHAPE),
        (&["CreatedUserBody"], users::CREATED),
    ];
    for (bodies, shape) in shapes {
        for member in shape.members.iter().chain([&shape.id]) {
            let is_there = |body: &&str| has(&api, &api["components"]["schemas"][*body], member);
            assert!(bodies.iter().any(is_there), "{bodies:?} have no {member}");
        }
    }
}
