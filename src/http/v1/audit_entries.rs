//! The record.

pub(in crate::http) mod list;
pub(in crate::http) mod proof;
