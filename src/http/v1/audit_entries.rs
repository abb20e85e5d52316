//! The record.

pub(in crate::http) mod list;
