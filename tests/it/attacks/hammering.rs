//! A guest with a good key who asks without end: what the car's maker lets be asked of a car is not the guest's
//! alone. With the allowance of a service as it is installed.

use std::time::Duration;

use keylend::config::{Config, Limits};
use serde_json::json;

use crate::support::{TestApp, on_both};

/// So many seconds the guest goes on.
const SECONDS: usize = 40;

fn as_installed(config: &mut Config) {
    config.limits.vehicle_requests = Limits::default().vehicle_requests;
}

/// How often the car was told to lock.
async fn locks(app: &TestApp) -> usize {
    let journal = app.cloud.journal().await;
    journal.iter().filter(|told| told["action"] == "LOCK").count()
}

on_both! { as as_installed;
    async fn a_guest_who_locks_without_end_does_not_keep_the_owner_from_locking(app) {
        let (owner, guest) = (app.owner().await, app.guest().await);
        let car = &owner.vehicles[0];
        let key = guest.holder_of(&owner.lend(app, &guest).await).await;
        let mut of_owner = 0;
        for second in 0..SECONDS {
            for _ in 0..2 {
                let locked = key.command(car, "lock").await;
                assert!([200, 202, 429].contains(&locked.status), "{}", locked.body);
            }
            if second % 3 == 0 {
                let locked = owner.command(car, "lock").await.expect(200);
                assert_eq!(locked.text("status"), "acknowledged", "{}", locked.body);
                of_owner += 1;
            }
            app.advance(Duration::from_secs(1));
        }
        assert_eq!(of_owner, 14);
        // What could not be sent was refused, and is no failure of the car's.
        assert!(!owner.events_of(car).await.contains(&"command.failed".to_owned()));
        let of_guest = locks(app).await - of_owner;
        assert!(of_guest > 0 && of_guest < SECONDS, "{of_guest} of the guest's reached the car");
    }

    async fn one_guest_leaves_enough_for_another(app) {
        let (owner, guest, other) = (app.owner().await, app.guest().await, app.stranger().await);
        let car = &owner.vehicles[0];
        let key = guest.holder_of(&owner.lend(app, &guest).await).await;
        let others = other.holder_of(&owner.lend(app, &other).await).await;
        for _ in 0..80 {
            key.command(car, "lock").await;
            key.get(&format!("/v1/vehicles/{car}/lock-status")).await;
        }
        for action in ["unlock", "lock", "unlock", "lock"] {
            let sent = others.command(car, action).await.expect(200);
            assert_eq!(sent.text("status"), "acknowledged", "{}", sent.body);
        }
        let check = json!({ "vehicle_id": car, "action": "lock" });
        assert_eq!(key.post("/v1/access-checks", check).await.expect(200).body["allowed"], true);
    }
}
