//! API v3 of the same cloud: one token for the application and a header that names the owner, cars
//! as signals, commands that tell how they ended. It is another door to the same cars; what they
//! do and what goes wrong is shared with API v2.0.

use std::sync::Arc;

use axum::Extension;
use axum::routing::{MethodRouter, delete, get, post};

use crate::simulator::cloud::state::Cloud;
use crate::smartcar::v3::CommandKind;

mod access;
mod commands;
mod compatible;
mod connections;
mod reads;

/// Every path below `/v3`, with what it answers.
pub(super) fn routes() -> Vec<(String, MethodRouter<Arc<Cloud>>)> {
    let below = |path: &str| format!("/v3/vehicles/{{id}}{path}");
    let mut routes = vec![
        ("/v3/connections".to_owned(), get(connections::list)),
        ("/v3/connections/{id}".to_owned(), get(connections::one).delete(connections::disconnect)),
        ("/v3/users/{id}".to_owned(), delete(connections::forget)),
        ("/v3/compatible-vehicles".to_owned(), get(compatible::list)),
        (below(""), get(reads::vehicle)),
        (below("/signals"), get(reads::list)),
        (below("/signals/{code}"), get(reads::one)),
    ];
    for kind in CommandKind::ALL {
        routes.push((below(kind.path()), post(commands::command).layer(Extension(*kind))));
    }
    routes
}
