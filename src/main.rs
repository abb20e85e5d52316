//! The `keylend` command: reads its arguments, calls the library, prints what went wrong.

fn main() {}
