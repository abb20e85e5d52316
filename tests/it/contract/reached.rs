//! Which operations were reached: not only refused at the door, but answered by what they are for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Answers that say nothing of the operation itself: who asks may not, or the request has no form.
const AT_THE_DOOR: [u64; 7] = [400, 401, 403, 405, 415, 422, 428];

/// One operation of the description.
struct Operation {
    id: String,
    method: String,
    /// The parts of its path; `{…}` stands for any.
    path: Vec<String>,
    is_open: bool,
}

/// What the operations have answered so far.
pub(super) struct Reached {
    operations: Vec<Operation>,
    answers: BTreeMap<String, BTreeSet<u64>>,
    only: Vec<String>,
}

fn parts(path: &str) -> Vec<String> {
    path.split('?').next().unwrap().split('/').map(str::to_owned).collect()
}

impl Operation {
    fn names_something(&self) -> bool {
        self.path.iter().any(|part| part.starts_with('{'))
    }

    fn is_asked_by(&self, method: &str, path: &[String]) -> bool {
        let same = |(own, asked): (&String, &String)| own.starts_with('{') || own == asked;
        self.method == method
            && self.path.len() == path.len()
            && self.path.iter().zip(path).all(same)
    }

    /// Whether an answer comes from behind the door.
    fn is_reached_by(&self, status: u64) -> bool {
        let names_nothing = status == 404 && self.names_something();
        !names_nothing && (self.is_open || !AT_THE_DOOR.contains(&status))
    }
}

impl Reached {
    pub(super) fn nothing() -> Self {
        let api = serde_json::to_value(keylend::http::api()).unwrap();
        let of_path = |(path, item): (&String, &Value)| -> Vec<Operation> {
            let of_method = |(method, operation): (&String, &Value)| Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase(),
                path: parts(path),
                is_open: operation["security"] == serde_json::json!([{}]),
            };
            item.as_object().unwrap().iter().map(of_method).collect()
        };
        let mut operations: Vec<Operation> =
            api["paths"].as_object().unwrap().iter().flat_map(of_path).collect();
        // What is written out comes before what stands for any.
        operations.sort_by_key(|operation| operation.names_something());
        Self { operations, answers: BTreeMap::new(), only: Vec::new() }
    }

    /// Adds the requests and answers of an HTTP archive.
    pub(super) fn add(&mut self, har: &[u8]) {
        let har: Value = serde_json::from_slice(har).unwrap();
        for entry in har["log"]["entries"].as_array().unwrap() {
            let url = reqwest::Url::parse(entry["request"]["url"].as_str().unwrap()).unwrap();
            let (method, path) = (entry["request"]["method"].as_str().unwrap(), parts(url.path()));
            let mut asked = self.operations.iter().filter(|one| one.is_asked_by(method, &path));
            let Some(operation) = asked.next() else { continue };
            let answers = self.answers.entry(operation.id.clone()).or_default();
            answers.insert(entry["response"]["status"].as_u64().unwrap());
        }
    }

    /// The operations that nobody has reached yet, with what they answered.
    pub(super) fn missed(&self) -> Vec<(String, Vec<u64>)> {
        let missed = |operation: &Operation| {
            let answers = self.answers.get(&operation.id).into_iter().flatten().copied();
            let answers: Vec<u64> = answers.collect();
            let is_reached = answers.iter().any(|&status| operation.is_reached_by(status));
            (!is_reached).then(|| (operation.id.clone(), answers))
        };
        self.operations.iter().filter_map(missed).collect()
    }

    /// Which operations the next caller tries: all, if none is named.
    pub(super) fn only(&self) -> &[String] {
        &self.only
    }

    /// From now on only what nobody has reached yet is tried.
    pub(super) fn only_what_is_missed(&mut self) {
        self.only = self.missed().into_iter().map(|(id, _)| id).collect();
    }

    /// From now on only these are tried.
    pub(super) fn only_these(&mut self, ids: &[&str]) {
        self.only = ids.iter().map(|&id| id.to_owned()).collect();
    }
}
