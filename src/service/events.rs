//! Events for those outside: what the record says, in the order of its positions, for those whom it concerns. There is no
//! second truth: whoever follows them has a cursor over the record, and nothing is kept for them.

mod cursor;
mod read;
mod told;

pub use cursor::{After, EventCursor};
pub use read::{EventFilter, EventPage, read, start};
pub use told::ToldEvent;
