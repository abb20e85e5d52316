//! What the vehicle cloud itself calls.

pub(in crate::http) mod webhooks;
