//! The record cannot be quietly changed (P7): every entry gets one position whoever sequences,
//! what is signed continues what was signed, and anybody can check it from outside.

mod log;
mod positions;
mod proofs;
mod rollback;
