//! What it takes for a file's name to outlive a power failure.

use std::fs::File;
use std::io;
use std::path::Path;

/// Makes a new name durable: on Unix a name is part of its directory.
///
/// # Errors
/// The file system's.
#[cfg(unix)]
pub(super) fn sync_directory_of(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
pub(super) fn sync_directory_of(_: &Path) -> io::Result<()> {
    Ok(())
}
