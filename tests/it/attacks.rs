//! Moments that somebody could choose, or meet by chance, to break a promise.

mod accounts;
mod acting_for;
mod consents;
mod deadlock;
mod pins;
mod refresh_tokens;
