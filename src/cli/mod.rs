//! What the binary is told, by flags and environment.

pub mod settings;
