//! Keylend.
