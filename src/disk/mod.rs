//! What must be on a disk before it may be said to be: files that survive a power failure, folders
//! of such files, and the call that ends the process when a disk fails.

pub mod durable;
pub mod folder;
pub mod halt;
