//! Readings as signals, and why there is none.

use super::*;
use crate::domain::reading::{Observation, SystemCondition, SystemStatus};
use crate::http::smartcar_v2::answer::Refusal;

fn signals(observation: Observation) -> Vec<Signal> {
    let fetched_at = Timestamp::from_unix_micros(1_700_000_000_123_456).unwrap();
    of(&Reading { observation, reported_at: None, fetched_at }, "v")
}

#[test]
fn each_system_is_a_signal() {
    let system = |id: &str| SystemCondition {
        system_id: id.to_owned(),
        status: "ok".to_owned(),
        description: None,
    };
    let systems = vec![system("SYSTEM_ABS"), system("SYSTEM_TPMS")];
    let told = signals(Observation::SystemStatus(SystemStatus { systems }));
    let names: Vec<_> =
        told.iter().map(|one| (one.id.as_str(), one.attributes.name.as_str())).collect();
    assert_eq!(names, [("diagnostics-abs", "ABS"), ("diagnostics-tirepressuremonitoring", "TPMS")]);
    for signal in told {
        assert_eq!(signal.meta.retrieved_at, Some(Moment::Millis(1_700_000_000_123)));
    }
}

#[test]
fn what_failed_says_why_in_the_words_of_v3() {
    let failure = Failure(Refusal::of("VALIDATION", None).describing("why"));
    let now = Timestamp::from_unix_micros(1_000).unwrap();
    let told = failed(Observable::Odometer, &failure, "v", now);
    let [signal] = told.as_slice() else { panic!("{told:?}") };
    let error = signal.attributes.status.clone().unwrap().error.unwrap();
    assert_eq!(
        (error.kind.as_str(), error.code.as_deref()),
        ("VALIDATION", Some("INVALID_INPUT_FORMAT"))
    );
    assert_eq!((error.description.as_deref(), &signal.attributes.body), (Some("why"), &None));
    assert_eq!(signal.meta.retrieved_at, Some(Moment::Millis(1)));
}
