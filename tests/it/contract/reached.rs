//! Which operations were reached: not only refused at the door, but answered by what they are for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Answers to somebody who may not ask, and to what is no request.
pub(super) const NOT_THEIRS: [u64; 5] = [401, 403, 405, 415, 428];
/// The same, and those to a request whose form or whose ids are not good: others who may ask should try too.
pub(super) const BEFORE_IT_BEGINS: [u64; 8] = [400, 401, 403, 404, 405, 415, 422, 428];

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

    /// Whether an answer says that the operation itself was reached.
    fn is_reached_by(&self, status: u64, not_by: &[u64]) -> bool {
        self.is_open || !not_by.contains(&status)
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
        Self { operations, answers: BTreeMap::new() }
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

    /// The operations that nobody has reached yet, with what they answered, if these answers do not count.
    pub(super) fn missed(&self, not_by: &[u64]) -> Vec<(String, Vec<u64>)> {
        let missed = |operation: &Operation| {
            let answers = self.answers.get(&operation.id).into_iter().flatten().copied();
            let answers: Vec<u64> = answers.collect();
            let is_reached = answers.iter().any(|&status| operation.is_reached_by(status, not_by));
            (!is_reached).then(|| (operation.id.clone(), answers))
        };
        self.operations.iter().filter_map(missed).collect()
    }
}
