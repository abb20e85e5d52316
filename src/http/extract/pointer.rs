//! Where something is wrong in a JSON body, as a pointer (RFC 6901).

use serde_path_to_error::{Path, Segment};

use super::field::violation;
use crate::service::Violation;

/// What `serde` found wrong, and where.
pub(super) fn wrong(error: &serde_path_to_error::Error<serde_json::Error>) -> Violation {
    violation(pointer(error.path()), &error.inner().to_string(), child)
}

fn pointer(path: &Path) -> String {
    path.iter().fold(String::new(), |place, segment| match segment {
        Segment::Seq { index } => format!("{place}/{index}"),
        Segment::Map { key } => child(&place, key),
        Segment::Enum { variant } => child(&place, variant),
        Segment::Unknown => place,
    })
}

/// RFC 6901 section 3: `~` and `/` are escaped.
pub(super) fn child(place: &str, name: &str) -> String {
    format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"))
}
