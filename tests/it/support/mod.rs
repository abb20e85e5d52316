//! What the tests stand on: databases, and whatever else has to exist before a story can begin.

pub(crate) mod postgres;
