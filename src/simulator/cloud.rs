//! The vehicle cloud itself: its cars, its owners and what they agreed to, tokens, the journal and the
//! webhooks. It is all in memory and bounded; a restart forgets it. It serves no HTTP and knows no
//! door: those read from it and change it through [`state::Cloud`].

mod account_operations;
mod accounts;
pub(super) mod adjustment;
mod announcements;
mod applications;
mod bounded;
pub(super) mod car;
pub(super) mod car_state;
pub(super) mod compatibility;
pub(super) mod connect;
mod consent_operations;
pub(super) mod consents;
pub(super) mod courier;
mod diagnostics;
pub(super) mod events;
pub(super) mod fleet;
pub(super) mod journal;
pub(super) mod options;
pub(super) mod orders;
pub(super) mod readings;
pub(super) mod signals;
pub(super) mod state;
pub(super) mod webhook_endpoint;
pub(super) mod webhooks;
