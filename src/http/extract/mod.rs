//! What handlers take from requests, checked and typed. Every extractor refuses with a
//! [`Problem`](crate::http::problem::Problem), so a handler only sees what is well-formed.

mod body;
mod caller;
mod field;
mod idempotency;
mod if_match;
mod json;
mod page;
mod path;
mod prefer;
mod query;
mod wrong_members;

pub use body::{BODY_BYTES_MAX, WholeBody};
pub use caller::{InSession, SignedIn, Standing, TokenCaller};
pub(super) use caller::{basic, bearer};
pub use idempotency::{IdempotencyKey, REPLAYED};
pub use if_match::IfMatch;
pub(super) use json::given;
pub use json::{ApiJson, OptionalJson};
pub use page::{List, NoFilter, PageParams, Paged};
pub use path::ApiPath;
pub use prefer::Wait;
pub use query::ApiQuery;
