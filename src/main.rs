//! The binary: hands its arguments to [`keylend::cli`], prints what went wrong with all its
//! causes, and ends with the status that says so.

use std::process::ExitCode;

#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    keylend::cli::main()
}
