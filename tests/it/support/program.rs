//! The program itself, as a person starts it at a terminal: in a folder of its own, without any
//! setting from outside.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

/// Longer than anything takes that a program is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
const PROGRAM: &str = env!("CARGO_BIN_EXE_keylend");

/// A folder in which the program is run.
pub(crate) struct Terminal {
    folder: TempDir,
    settings: Vec<(String, String)>,
}

/// What a run that is over has printed.
#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Printed {
    fn of(output: std::process::Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { status: output.status, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// What was printed, by a run that ended well.
    #[track_caller]
    pub(crate) fn well(self) -> String {
        assert!(self.status.success(), "{}\n{}{}", self.status, self.stdout, self.stderr);
        self.stdout
    }

    /// The same as JSON.
    #[track_caller]
    pub(crate) fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.well()).unwrap()
    }

    /// What was printed, by a run that ended with this status.
    #[track_caller]
    pub(crate) fn ended(self, status: i32) -> String {
        assert_eq!(
            self.status.code(),
            Some(status),
            "{}\n{}{}",
            self.status,
            self.stdout,
            self.stderr
        );
        self.stdout
    }

    /// What was said to the person, by a run that ended with this status and did not do what it
    /// was asked to.
    #[track_caller]
    pub(crate) fn unmet(self, status: i32) -> String {
        let stderr = self.stderr.clone();
        self.ended(status);
        stderr
    }

    /// What was said to the person, by a run that ended with status 1.
    #[track_caller]
    pub(crate) fn failed(self) -> String {
        assert_eq!(self.status.code(), Some(1), "{}\n{}{}", self.status, self.stdout, self.stderr);
        self.stderr
    }
}

impl Terminal {
    pub(crate) fn open() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), settings: Vec::new() }
    }

    /// Exports an environment variable.
    pub(crate) fn export(&mut self, name: &str, value: &str) {
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The program with these arguments, to be started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.prepared(Command::new(PROGRAM), arguments)
    }

    fn prepared(&self, mut command: Command, arguments: &[&str]) -> Command {
        command.args(arguments).current_dir(self.folder()).env_clear();
        command.env("TMPDIR", self.folder()).kill_on_drop(true);
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Leaves the folder behind when the terminal is closed.
    pub(crate) fn keep(self) -> PathBuf {
        self.folder.keep()
    }

    /// Runs the program to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Printed {
        self.run_with(arguments, "").await
    }

    /// The same, with something to read.
    pub(crate) async fn run_with(&self, arguments: &[&str], input: &str) -> Printed {
        let mut child = self.command(arguments).spawn().unwrap();
        // A program that fails before it reads closes its end, which is no fault of the test.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes()).await;
        Printed::of(child.wait_with_output().await.unwrap())
    }

    /// The same, by way of another program that changes what this one may do.
    pub(crate) async fn run_by(&self, by: &str, arguments: &[&str]) -> Printed {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &format!("exec {by} \"$0\" \"$@\""), PROGRAM]);
        Printed::of(self.prepared(shell, arguments).output().await.unwrap())
    }

    /// Starts the program, which goes on until it is asked to end.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        self.start_with(arguments, &[])
    }

    /// The same with more settings than were exported.
    pub(crate) fn start_with(&self, arguments: &[&str], settings: &[(&str, &str)]) -> Running {
        let mut command = self.command(arguments);
        Running::of(command.envs(settings.iter().copied()))
    }

    /// Starts the program from a shell that does something before.
    pub(crate) fn start_after(&self, before: &str, arguments: &[&str]) -> Running {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &format!("{before} && exec \"$0\" \"$@\""), PROGRAM]);
        Running::of(&mut self.prepared(shell, arguments))
    }
}

/// A run that goes on.
pub(crate) struct Running {
    child: Child,
    stdout: mpsc::UnboundedReceiver<String>,
    stderr: mpsc::UnboundedReceiver<String>,
}

/// What a program prints, taken from it at once: one that is not listened to would stop when the
/// pipe is full.
fn lines(output: impl AsyncRead + Unpin + Send + 'static) -> mpsc::UnboundedReceiver<String> {
    let (sender, receiver) = mpsc::unbounded_channel();
    #[expect(clippy::disallowed_methods, reason = "it ends with the program")]
    tokio::spawn(async move {
        let mut lines = BufReader::new(output).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            // Nobody may be listening any more.
            let _ = sender.send(line);
        }
    });
    receiver
}

impl Running {
    fn of(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stdout = lines(child.stdout.take().unwrap());
        let stderr = lines(child.stderr.take().unwrap());
        Self { child, stdout, stderr }
    }

    /// The next line on standard output that holds a text, as what follows the text.
    pub(crate) async fn after(&mut self, text: &str) -> String {
        find(&mut self.stdout, text).await
    }

    /// The same in the log.
    pub(crate) async fn logged_after(&mut self, text: &str) -> String {
        find(&mut self.stderr, text).await
    }

    /// Ends the program without a word, as a crash does.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// The same, without waiting for the end.
    pub(crate) fn start_kill(&mut self) {
        self.child.start_kill().unwrap();
    }

    /// Waits until the program has ended by itself, and gives its status and the rest of its log.
    pub(crate) async fn ended(mut self) -> (ExitStatus, String) {
        let ending = async {
            let mut said = String::new();
            while let Some(line) = self.stderr.recv().await {
                said.push_str(&line);
                said.push('\n');
            }
            (self.child.wait().await.unwrap(), said)
        };
        tokio::time::timeout(PATIENCE, ending).await.expect("the program goes on")
    }

    /// Asks the program to read its key file again.
    pub(crate) async fn hang_up(&self) {
        self.signal("-HUP").await;
    }

    /// Asks the program to end, as a supervisor does, and gives its status.
    pub(crate) async fn terminate(mut self) -> ExitStatus {
        self.signal("-TERM").await;
        self.child.wait().await.unwrap()
    }

    async fn signal(&self, name: &str) {
        let id = self.child.id().expect("the program is running").to_string();
        assert!(Command::new("kill").args([name, &id]).status().await.unwrap().success());
    }
}

/// A program that goes on and never says it would keep the test waiting for good.
async fn find(lines: &mut mpsc::UnboundedReceiver<String>, text: &str) -> String {
    let mut said = String::new();
    let found = async {
        while let Some(line) = lines.recv().await {
            if let Some((_, rest)) = line.split_once(text) {
                return Some(rest.trim().to_owned());
            }
            said.push_str(&line);
            said.push('\n');
        }
        None
    };
    let found = tokio::time::timeout(PATIENCE, found).await;
    found.ok().flatten().unwrap_or_else(|| panic!("the program never said {text:?}, but:\n{said}"))
}
