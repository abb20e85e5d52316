//! tmp
/// x
pub const GATE_BATCH_SIZE: &str = "x";
