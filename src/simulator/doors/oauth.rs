//! Where owners agree, and where codes, refresh tokens and applications' secrets become access tokens.

use std::sync::Arc;

use axum::routing::{MethodRouter, get, post};

use crate::simulator::cloud::state::Cloud;
use token_fault_injection::in_front_of;

mod application_token;
mod asked;
mod connect;
mod reauthenticate;
mod token;
mod token_fault_injection;

/// The pages and the token endpoints, with what they answer.
pub(super) fn routes(cloud: &Arc<Cloud>) -> Vec<(String, MethodRouter<Arc<Cloud>>)> {
    vec![
        ("/oauth/authorize".to_owned(), get(connect::ask).post(connect::decide)),
        ("/oauth/reauthenticate".to_owned(), get(reauthenticate::ask).post(reauthenticate::decide)),
        ("/oauth/token".to_owned(), in_front_of(post(token::token), cloud)),
        ("/oauth2/token".to_owned(), in_front_of(post(application_token::token), cloud)),
    ]
}
