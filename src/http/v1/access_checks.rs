//! `POST /v1/access-checks`: what the policy would say.

pub(in crate::http) mod create;
pub(in crate::http) mod who;
