//! Published events: entries of the record, in the order of their positions, for clients that may see them. A client keeps a cursor;
//! the service stores nothing for it.

mod cursor;
mod published_event;
mod read;

pub use cursor::{After, EventCursor};
pub use published_event::PublishedEvent;
pub use read::{EventFilter, EventPage, has_newer, read, start};
