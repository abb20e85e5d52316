//! The record as mathematics: what the bytes of an entry are, the Merkle tree over them
//! (RFC 6962), the checkpoints that sign its state, the proofs that follow, and their
//! verification. Bytes in, bytes out: the service, the command line and the tests use the same.
//!
//! `docs/record.md` specifies every format for those who verify with programs of their own.

pub mod bundle;
pub mod checkpoint;
pub mod entry;
pub mod files;
pub mod frontier;
pub mod note;
pub mod personal;
pub mod proof;
pub mod replay;
pub mod tile;
pub mod tree;
pub mod verify;
pub mod vouched;
pub mod witness;

/// A hash of the tree: of a leaf, or of everything below a node.
pub use tlog_tiles::Hash;
