//! The rules of lending a key, and nothing else.
//!
//! Everything here is pure: facts and the time come in, verdicts go out. It knows no database,
//! no HTTP, no async runtime, no clock and no randomness.

#[macro_use]
pub(crate) mod schema;
#[macro_use]
mod minutes;
#[macro_use]
mod words;

pub mod access;
pub mod actor;
pub mod allowed_origin;
pub mod allowed_times;
pub mod amendment;
pub mod calendar;
pub mod cause;
pub mod claim;
pub mod command;
pub mod connection;
pub mod device_key;
pub mod entitlement;
pub mod event;
pub mod extension;
pub mod fault;
pub mod grant;
pub mod hold;
pub mod id;
pub mod impairment;
pub mod instruction;
pub mod kept;
pub mod key_scope;
pub mod password;
pub mod policy;
pub mod principal;
pub mod published;
pub mod reading;
pub mod return_terms;
pub mod return_url;
pub mod row_facts;
pub mod scope_end;
pub mod session;
pub mod statement;
pub mod time;
pub mod user;
pub mod vehicle;
pub mod webhook;

pub use words::UnknownWord;
