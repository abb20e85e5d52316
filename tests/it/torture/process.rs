//! The service or the vehicle cloud as a process, which can be killed, stopped and asked to end.
//! What it logs is read all the time, so that it never waits for its reader.

use std::collections::VecDeque;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Lines};
use tokio::process::{Child, Command};

/// Lines of the log that are kept for whoever asks what went wrong.
const LINES_KEPT: usize = 60;
/// Longer than any start takes.
const PATIENCE: Duration = Duration::from_secs(60);
const SIGKILL: i32 = 9;
/// What a failpoint ends its process with.
const SIGABRT: i32 = 6;

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It was killed from outside.
    Killed,
    /// It came to its failpoint.
    Failpoint,
    /// It ended by itself, well.
    Well,
    /// It ended by itself, badly.
    Other(ExitStatus),
}

type Said = Arc<Mutex<VecDeque<String>>>;

pub(crate) struct Process {
    child: Child,
    said: Said,
    /// What followed the text that told that it is ready.
    pub(crate) ready: String,
}

impl Process {
    /// Starts it and waits until it says that it is ready, on standard output or in its log.
    pub(crate) async fn start(mut command: Command, ready: &str) -> Self {
        let mut child = command.spawn().unwrap();
        drop(child.stdin.take());
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        let said = Said::default();
        let (found, mut wait) = tokio::sync::mpsc::channel(1);
        for lines in [Output::Stdout(stdout), Output::Stderr(stderr)] {
            let (said, found, ready) = (Arc::clone(&said), found.clone(), ready.to_owned());
            #[expect(clippy::disallowed_methods, reason = "it ends with the process's output")]
            tokio::spawn(async move {
                match lines {
                    Output::Stdout(lines) => read(lines, &said, &ready, found).await,
                    Output::Stderr(lines) => read(lines, &said, &ready, found).await,
                }
            });
        }
        drop(found);
        let heard = tokio::time::timeout(PATIENCE, wait.recv()).await;
        let Ok(Some(rest)) = heard else {
            panic!("the program never said {ready:?}, but:\n{}", text(&said));
        };
        Self { child, said, ready: rest }
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(&mut self) -> End {
        let status = self.child.wait().await.unwrap();
        match status.signal() {
            Some(SIGKILL) => End::Killed,
            Some(SIGABRT) => End::Failpoint,
            _ if status.success() => End::Well,
            _ => End::Other(status),
        }
    }

    /// Ends it without a word, as a crash does.
    pub(crate) async fn kill(&mut self) -> End {
        // It may have ended by itself a moment ago.
        let _ = self.child.start_kill();
        self.ended().await
    }

    /// Lets it stand still, or go on.
    pub(crate) async fn signal(&self, name: &str) {
        let id = self.child.id().expect("the program is running").to_string();
        assert!(Command::new("kill").args([name, &id]).status().await.unwrap().success());
    }

    /// Whether it stands still, by the word of the kernel.
    pub(crate) fn stands_still(&self) -> bool {
        let Some(id) = self.child.id() else { return false };
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // The name in parentheses may hold anything; the state follows it.
        stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
    }

    /// Asks it to end, as a supervisor does.
    pub(crate) async fn terminate(mut self) -> End {
        self.signal("-TERM").await;
        self.ended().await
    }

    /// The last lines of its log.
    pub(crate) fn said(&self) -> String {
        text(&self.said)
    }
}

enum Output {
    Stdout(Lines<BufReader<tokio::process::ChildStdout>>),
    Stderr(Lines<BufReader<tokio::process::ChildStderr>>),
}

fn text(said: &Said) -> String {
    let said = said.lock().unwrap_or_else(PoisonError::into_inner);
    said.iter().fold(String::new(), |text, line| text + line + "\n")
}

async fn read(
    mut lines: Lines<BufReader<impl AsyncRead + Unpin>>,
    said: &Said,
    ready: &str,
    found: tokio::sync::mpsc::Sender<String>,
) {
    let mut found = Some(found);
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some((_, rest)) = line.split_once(ready)
            && let Some(found) = found.take()
        {
            // Nobody waits for it a second time.
            let _ = found.send(rest.trim().to_owned()).await;
        }
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        said.push_back(line);
        if said.len() > LINES_KEPT {
            said.pop_front();
        }
    }
}
