//! Libraries that stand between one process and the system, and bring it into trouble: made from
//! `tests/tools/` with the C compiler that a build of this program needs anyway.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The library that moves a process's clock.
pub(crate) fn clock() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| compile("clock"))
}

/// The library that fills and breaks a process's disk.
pub(crate) fn disk() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| compile("disk"))
}

fn compile(name: &str) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/tools/{name}.c"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (draft, library) =
        (folder.join(format!("{name}.{}", std::process::id())), folder.join(format!("{name}.so")));
    let mut command = Command::new("cc");
    command.args(["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o"]);
    let output = command.arg(&draft).arg(&source).output().expect("a C compiler");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Another run of the tests may be using the one that is there.
    std::fs::rename(&draft, &library).unwrap();
    library
}
