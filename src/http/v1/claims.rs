//! Links to accounts without credentials.

pub(in crate::http) mod redeem;
