//! The API, noun by noun, as its users meet it: every story on SQLite and on PostgreSQL.

mod access_checks;
mod amendments;
mod api_clients;
mod audit_entries;
mod claims;
mod commands;
mod connections;
mod consents;
mod cors;
mod descriptions;
mod docs;
mod due;
mod end_checks;
mod ends;
mod events;
mod extensions;
mod facade;
mod facade_v3;
mod graces;
mod grants;
mod holders;
mod holds;
mod idempotency;
mod keys;
mod lists;
mod living_grants;
mod main_job;
mod pending_ends;
mod readings;
mod retention;
mod return_urls;
mod sessions;
mod statements;
mod switches;
mod users;
pub(crate) mod webhook_endpoints;
mod webhooks;
mod who;

use crate::support::{Actor, TestApp};

/// The same person in a new session: access tokens live for ten minutes, and time passes fast.
pub(crate) async fn again(app: &TestApp, actor: &Actor, name: &str) -> Actor {
    let signed_in = app.sign_in(&format!("{name}@story.example")).await;
    actor.with_token(signed_in.token.unwrap())
}
