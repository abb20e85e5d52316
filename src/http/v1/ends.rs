//! Ends by scope.

pub(in crate::http) mod create;
