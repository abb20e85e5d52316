//! People who pause keys and take that back a little later, and who end all keys of a car.

use std::time::Duration;

use keylend::clock::{Clock, SystemClock};
use serde_json::json;

use super::dice::Dice;
use super::person::{Call, Person, World};
use crate::checker::history::Asked;

/// No hold stands longer, also if nobody gets to lift it.
const HELD_AT_MOST: Duration = Duration::from_millis(1500);
/// It is lifted when about so many more requests of everybody were answered.
const ANSWERS_MEANWHILE: usize = 30;

/// Pausing something for a while: `scope` names it, as `grant_id` for example.
fn holding(world: &World, scope: &str, over: &str, allow_lock: bool) -> Call {
    let until = SystemClock::start().now().plus(HELD_AT_MOST);
    Call {
        path: "/v1/holds".to_owned(),
        body: json!({ "scope": { scope: over }, "reason": "Torture.", "until": until, "allow_lock": allow_lock }),
        key: Some(world.name("hold")),
        asked: Asked::Hold { over: over.to_owned(), allow_lock },
        token: None,
        in_haste: false,
    }
}

fn lifting(hold_id: &str) -> Call {
    Call {
        path: format!("/v1/holds/{hold_id}"),
        body: json!({}),
        key: None,
        asked: Asked::Lift { hold_id: hold_id.to_owned() },
        token: None,
        in_haste: false,
    }
}

/// Places a hold, and mostly lifts it once others have met it.
pub(super) async fn pause(person: &mut Person, dice: &mut Dice, scope: &str, over: &str) {
    let world = std::sync::Arc::clone(&person.world);
    let call = holding(&world, scope, over, dice.percent(60));
    let Some(answer) = person.insist(&call, 4).await else { return };
    let Some(hold_id) = answer.text("hold_id").map(str::to_owned) else { return };
    let next = world.log.answered() + dice.below(ANSWERS_MEANWHILE) as u64;
    tokio::select! {
        () = world.stop.cancelled() => {}
        () = world.log.until_answered(next) => {}
    }
    if dice.percent(80) {
        person.insist(&lifting(&hold_id), 4).await;
    }
}

/// Ending all keys of a car.
pub(super) fn ending(world: &World, vehicle_id: &str) -> Call {
    Call {
        path: "/v1/ends".to_owned(),
        body: json!({ "scope": { "vehicle_id": vehicle_id }, "reason": "Torture." }),
        key: Some(world.name("end")),
        asked: Asked::EndAll { over: vehicle_id.to_owned() },
        token: None,
        in_haste: false,
    }
}
