//! What lies below the service gets into trouble: the database server, the disk, the clock. Service
//! and vehicle cloud run as processes of their own, and nothing is acknowledged that is lost, and
//! nothing sent that is not recorded.

mod clock;
mod commits;
mod disk;
mod failover;
mod panics;
mod pool;
mod servers;
pub(crate) mod stage;
