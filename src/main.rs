//! The binary: hands its arguments to [`keylend::cli`], prints what went wrong with all its
//! causes, and ends with the status that says so.

use std::process::ExitCode;

/// The system's allocator gives memory back slowly and takes a lock between threads; this one was
/// measured (`docs/adr/0019`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    keylend::cli::main()
}
