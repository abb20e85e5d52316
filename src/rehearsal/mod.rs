//! The service rehearsed: the code of gate, senders, outcomes, recovery, reconciliation and
//! revocation as it is shipped, several processes of it over one database that is acted out in
//! memory and one cloud of cars that is acted out too, under a scheduler that draws everything from
//! a seed: who runs next, what fails, who dies. Compiled for tests only.
//!
//! A seed is a run: the same one makes the same choices and leaves the same [`trace`]. What was
//! promised is read off the trace afterwards ([`promises`]). A seed that breaks a promise is
//! printed with the command that plays it again.
//!
//! It proves nothing about SQL, sockets or disks; the integration tests do that.

mod cars;
mod people;
mod process;
mod promises;
mod run;
mod scopes;
mod story;
mod surroundings;
mod switches;
mod trace;
mod world;

mod planted_test;
mod seeds_test;
