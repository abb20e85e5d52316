//! Which cars could be connected, and what they are capable of. This cloud knows only the cars of
//! its fleet: they and others of their kind are compatible, everything else is not.

use std::collections::BTreeMap;

use serde::Serialize;

use super::car_state::Powertrain;
use super::readings::Readable;
use super::state::Cloud;
use crate::smartcar::permission;

/// What can be told, by its permission and path; whether a battery is needed for it.
const COMMANDS: [(&str, &str, bool); 4] = [
    (permission::CONTROL_SECURITY, "/security", false),
    ("control_charge", "/charge", true),
    ("control_charge", "/charge/limit", true),
    ("control_navigation", "/navigation/destination", false),
];

/// Cars of one kind.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CarKind {
    pub(crate) model: String,
    pub(crate) start_year: i32,
    pub(crate) end_year: i32,
    #[serde(rename = "type")]
    pub(crate) powertrain: Powertrain,
    pub(crate) endpoints: Vec<&'static str>,
    pub(crate) permissions: Vec<&'static str>,
}

/// Every path below a car with its permission, and whether such a car is capable of it.
pub(crate) fn capabilities(powertrain: Powertrain) -> Vec<(&'static str, &'static str, bool)> {
    let reads = Readable::ALL.iter().filter_map(|reading| {
        Some((reading.permission()?, reading.path(), reading.is_had_by(powertrain)))
    });
    let commands = COMMANDS.into_iter();
    let commands =
        commands.map(|(name, path, battery)| (name, path, !battery || powertrain.has_battery()));
    reads.chain(commands).collect()
}

/// Whether one of the words is this one, in whichever case; no words at all mean any.
pub(crate) fn fits(words: Option<&str>, word: &str) -> bool {
    let words = words.filter(|words| !words.trim().is_empty());
    let same = |wanted: &str| wanted.eq_ignore_ascii_case(word);
    words.is_none_or(|words| words.split([' ', ',']).any(same))
}

/// A region that this cloud serves: all of them, with the same cars.
pub(crate) fn is_region(name: &str) -> bool {
    matches!(name, "US" | "CA" | "EUROPE")
}

/// All kinds of cars, by their makers.
pub(crate) fn kinds(cloud: &Cloud) -> BTreeMap<String, Vec<CarKind>> {
    let now = cloud.clock.now();
    let mut kinds: BTreeMap<String, Vec<CarKind>> = BTreeMap::new();
    for car in cloud.cars() {
        let powertrain = car.state_at(now).powertrain;
        let list = kinds.entry(car.make.clone()).or_default();
        let same = |kind: &&mut CarKind| kind.model == car.model && kind.powertrain == powertrain;
        if let Some(known) = list.iter_mut().find(same) {
            known.start_year = known.start_year.min(car.year);
            known.end_year = known.end_year.max(car.year);
            continue;
        }
        let able = capabilities(powertrain).into_iter().filter(|(.., capable)| *capable);
        let (mut permissions, endpoints): (Vec<_>, Vec<_>) =
            able.map(|(name, path, _)| (name, if path.is_empty() { "/" } else { path })).unzip();
        permissions.dedup();
        list.push(CarKind {
            model: car.model.clone(),
            start_year: car.year,
            end_year: car.year,
            powertrain,
            endpoints,
            permissions,
        });
    }
    kinds
}
