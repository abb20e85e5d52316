//! The record cannot be quietly changed (P7): every entry gets one position whoever sequences,
//! what is signed continues what was signed, and anybody can check it from outside.

mod archives;
mod copies;
mod erasure;
mod lag;
mod log;
mod outside;
mod positions;
mod proofs;
mod replay;
mod rollback;
mod tampering;
mod witness;
mod witnesses;
