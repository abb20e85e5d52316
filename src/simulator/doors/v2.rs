//! API v2.0: owners' tokens, one path for each reading, one for each command, and the application's
//! own lists.

use std::sync::Arc;

use axum::Extension;
use axum::routing::{MethodRouter, delete, get, post};

use crate::simulator::cloud::readings::Readable;
use crate::simulator::cloud::state::Cloud;

mod batch;
mod commands;
mod compatibility;
mod management;
mod paging;
mod reads;
mod subscriptions;
mod vehicles;

/// Every path below `/v2.0`, with what it answers.
pub(super) fn routes() -> Vec<(String, MethodRouter<Arc<Cloud>>)> {
    let api = [
        ("/management/connections", get(management::list).delete(management::disconnect)),
        ("/compatibility", get(compatibility::of_vin)),
        ("/compatibility/matrix", get(compatibility::matrix)),
        ("/user", get(vehicles::user)),
        ("/vehicles", get(vehicles::list)),
    ];
    let commands = [
        ("/security", post(commands::security)),
        ("/charge", post(commands::charge)),
        ("/charge/limit", post(commands::charge_limit)),
        ("/navigation/destination", post(commands::destination)),
        ("/batch", post(batch::batch)),
        ("/application", delete(vehicles::disconnect)),
        (
            "/webhooks/{webhook_id}",
            post(subscriptions::subscribe).delete(subscriptions::unsubscribe),
        ),
    ];
    let read = |reading: &Readable| (reading.path(), get(reads::read).layer(Extension(*reading)));
    let cars = commands.into_iter().chain(Readable::ALL.iter().map(read));
    let api = api.into_iter().map(|(path, methods)| (format!("/v2.0{path}"), methods));
    let cars = cars.map(|(path, methods)| (format!("/v2.0/vehicles/{{id}}{path}"), methods));
    api.chain(cars).collect()
}
