//! The binary: hands its arguments to [`keylend::cli`], prints what went wrong with all its
//! causes, and ends with the status that says so.

use std::process::ExitCode;

fn main() -> ExitCode {
    keylend::cli::main()
}
