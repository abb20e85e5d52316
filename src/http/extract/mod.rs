//! What handlers take from requests, checked and typed. Every extractor refuses with a
//! [`Problem`](crate::http::problem::Problem), so a handler only sees what is well-formed.

mod body;
mod caller;
mod device_proof;
mod field;
mod idempotency;
mod if_match;
mod json;
mod page;
mod path;
mod pointer;
mod prefer;
mod presented;
mod query;
mod wrong_members;

pub use body::{BODY_BYTES_MAX, WholeBody};
pub(super) use caller::basic;
pub use caller::{Decided, InSession, SignedIn, SignedInAt, Standing, TokenCaller};
pub use device_proof::OptionalProof;
pub(super) use device_proof::{offer_nonce, shown_token};
pub use idempotency::{IdempotencyKey, REPLAYED};
pub use if_match::IfMatch;
pub(super) use json::given;
pub use json::{ApiJson, OptionalJson};
pub use page::{List, NoFilter, PageParams, Paged};
pub use path::ApiPath;
pub use prefer::Wait;
pub(super) use presented::{Presented, bearer, presented};
pub use query::ApiQuery;
