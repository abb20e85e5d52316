//! Clients that three generators make of openapi.yaml compile without a warning and do the main job: they are what an app
//! developer has after a minute.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use keylend::clock::Clock as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::sdk::{ROOT, installed, tools};
use crate::support::{TestApp, on_both};

/// A language: how its client is generated and checked, and how the program that uses it is run, in a folder with its
/// program.
struct Language {
    /// The folder under tests/clients.
    name: &'static str,
    steps: &'static [&'static str],
    run: &'static str,
}

const TYPESCRIPT: Language = Language {
    name: "typescript",
    steps: &[
        "ln -s $TOOLS/node/node_modules node_modules",
        "node_modules/.bin/openapi-typescript $DOCUMENT --output api.d.ts",
        "node_modules/.bin/tsc --project .",
    ],
    run: "node main.mjs",
};

const PYTHON: Language = Language {
    name: "python",
    steps: &[
        "PATH=$TOOLS/venv/bin:$PATH openapi-python-client generate --path $DOCUMENT --output-path generated --fail-on-warning",
        "MYPYPATH=generated $TOOLS/venv/bin/mypy --strict generated/keylend_client main.py",
    ],
    run: "PYTHONPATH=generated $TOOLS/venv/bin/python main.py",
};

const GO: Language = Language {
    name: "go",
    steps: &[
        "mkdir api && $TOOLS/oapi-codegen/oapi-codegen -config generate.yaml -o api/api.go $DOCUMENT",
        "go vet ./...",
        "go build -buildvcs=false -o main .",
    ],
    run: "./main",
};

fn shell(folder: &Path, line: &str) -> Command {
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail", "-c", line]).current_dir(folder);
    command.env("TOOLS", installed(tools())).env("DOCUMENT", Path::new(ROOT).join("openapi.yaml"));
    command.env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// What a line of the shell printed; it must do well.
async fn well(mut command: Command) -> String {
    let output = command.output().await.expect("a shell");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (said, complained) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{said}\n{complained}");
    assert!(!complained.to_lowercase().contains("warning"), "{command:?}\n{complained}");
    said
}

impl Language {
    /// A folder with the program and its client, generated, checked and compiled.
    async fn built(&self) -> TempDir {
        let folder = TempDir::new().unwrap();
        let program = Path::new(ROOT).join("tests/clients").join(self.name);
        for file in std::fs::read_dir(program).unwrap() {
            let file = file.unwrap().path();
            std::fs::copy(&file, folder.path().join(file.file_name().unwrap())).unwrap();
        }
        for step in self.steps {
            well(shell(folder.path(), step)).await;
        }
        folder
    }

    async fn does_the_main_job(&self, built: &OnceCell<TempDir>, app: &TestApp) {
        let folder = built.get_or_init(|| self.built()).await;
        let (owner, guest) = (app.owner().await, app.guest().await);
        let mut program = shell(folder.path(), self.run);
        program.env("KEYLEND_URL", app.url()).env("GUEST_ID", &guest.id);
        program.env("OWNER_TOKEN", owner.token.as_ref().unwrap());
        program.env("GUEST_TOKEN", guest.token.as_ref().unwrap());
        let now = app.clock.now();
        program.env("NOT_BEFORE", now.to_string());
        program.env("NOT_AFTER", now.plus(Duration::from_secs(60 * 60)).to_string());
        let said: Value = serde_json::from_str(&well(program).await).unwrap();
        let expected = json!({
            "booking": "B-1",
            "unlocked": "acknowledged",
            "is_locked": false,
            "end_reason": "revoked",
            "refused": "grant_revoked",
        });
        assert_eq!(said, expected, "{}", self.name);
    }
}

static BUILT: [OnceCell<TempDir>; 3] = [const { OnceCell::const_new() }; 3];

on_both! {
    async fn a_typescript_client_does_the_main_job(app) {
        TYPESCRIPT.does_the_main_job(&BUILT[0], app).await;
    }

    async fn a_python_client_does_the_main_job(app) {
        PYTHON.does_the_main_job(&BUILT[1], app).await;
    }

    async fn a_go_client_does_the_main_job(app) {
        GO.does_the_main_job(&BUILT[2], app).await;
    }
}
