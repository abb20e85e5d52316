//! What ends the process: something that was said to be durable may not be, or a task that decides has
//! panicked. After a failed
//! `fsync` the system forgets which pages it could not write, so asking again proves nothing; to
//! go on would be to answer from what may be gone (P6). The next start reads what is there.
//!
//! The code that finds it calls the halt; the composition root waits for it and ends the process.

use std::io;
use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

/// The system's number for an input or output error of a device (`EIO`, the same on every Unix).
const EIO: i32 = 5;

/// A call that ends the process. Clones are the same call.
#[derive(Debug, Clone, Default)]
pub struct Halt {
    called: CancellationToken,
    why: Arc<OnceLock<String>>,
}

impl Halt {
    /// Calls it. Only the first reason is kept.
    pub fn call(&self, why: impl Into<String>) {
        if self.why.set(why.into()).is_ok() {
            self.called.cancel();
        }
    }

    /// Calls it if a file's error means that what was written before may be lost; a full disk or
    /// a missing right does not.
    pub fn judge(&self, path: &std::path::Path, error: &io::Error) {
        if error.raw_os_error() == Some(EIO) {
            self.call(format!("{}: {error}", path.display()));
        }
    }

    /// Whether it was called: then nothing may be written any more.
    #[must_use]
    pub fn is_called(&self) -> bool {
        self.called.is_cancelled()
    }

    /// Waits for the call, and gives its reason.
    pub async fn called(&self) -> String {
        self.called.cancelled().await;
        self.why.get().cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_reason_is_kept() {
        let halt = Halt::default();
        halt.call("one");
        halt.clone().call("two");
        assert_eq!(halt.called().await, "one");
    }

    #[test]
    fn a_full_disk_ends_nothing_and_a_broken_one_does() {
        let (halt, path) = (Halt::default(), std::path::Path::new("file"));
        halt.judge(path, &io::ErrorKind::StorageFull.into());
        halt.judge(path, &io::Error::from_raw_os_error(28));
        assert!(!halt.is_called());
        halt.judge(path, &io::Error::from_raw_os_error(EIO));
        assert!(halt.is_called());
    }
}
