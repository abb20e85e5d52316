//! Smartcar's own clients, unmodified: against the facade with a digital key in the place of the
//! access token, and against the simulator itself.

mod main_job;
mod programs;

use std::path::{Path, PathBuf};

pub(crate) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Where `scripts/install-test-tools` puts what it installs and builds.
pub(crate) fn tools() -> PathBuf {
    Path::new(ROOT).join("target/test-tools")
}

/// A client that is not there fails its test with the reason; nothing is skipped.
pub(crate) fn installed(path: PathBuf) -> PathBuf {
    let shown = path.display();
    assert!(path.exists(), "{shown} is not there: run scripts/install-test-tools");
    path
}
