//! The test controls, below `/_sim`: looking at the cars and their journal, adjusting cars, consents,
//! accounts and webhooks, and asking for faults. Only processes of this machine are let in.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{delete, get, patch, post};

use crate::simulator::cloud::state::Cloud;

mod accounts;
mod car_view;
mod connect;
mod consents;
mod faults;
mod journal;
mod own_machine;
mod request;
mod vehicles;
mod webhooks;

/// Every path below `/_sim`, with what it answers.
pub(super) fn router() -> Router<Arc<Cloud>> {
    Router::new()
        .route("/_sim/vehicles", get(vehicles::cars))
        .route("/_sim/vehicles/{id}", patch(vehicles::adjust))
        .route(
            "/_sim/vehicles/{id}/faults",
            get(faults::of_car).put(faults::set_of_car).delete(faults::clear_of_car),
        )
        .route(
            "/_sim/token-faults",
            get(faults::of_tokens).put(faults::set_of_tokens).delete(faults::clear_of_tokens),
        )
        .route(
            "/_sim/vehicles/{id}/account",
            get(accounts::get).put(accounts::set).delete(accounts::clear),
        )
        .route("/_sim/webhooks", get(webhooks::list).post(webhooks::register))
        .route("/_sim/webhooks/{id}", delete(webhooks::end))
        .route("/_sim/webhooks/{id}/deliver", post(webhooks::deliver))
        .route("/_sim/connect", get(connect::get).put(connect::set))
        .route("/_sim/clock", get(journal::clock))
        .route("/_sim/journal", get(journal::journal))
        .route("/_sim/consents", get(consents::list).delete(consents::forget))
        .route("/_sim/consents/{id}", patch(consents::permit).delete(consents::withdraw))
        .route_layer(from_fn(own_machine::only))
}
