//! A terminal at which several people are signed in, each as a profile of their own.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::Terminal;
use crate::support::app::http_client;
use crate::support::household::free_address;
use crate::support::people::PASSWORD;
use crate::support::program::{Printed, Running};

/// A terminal for the client. Logins are kept in its folder.
pub(super) struct Desk {
    pub(super) terminal: Terminal,
    pub(super) server: String,
}

/// The programs behind a desk.
pub(super) struct Served {
    pub(super) service: Running,
    pub(super) cloud: Running,
}

impl Desk {
    /// A desk in front of this server, whatever it is.
    pub(super) fn at(server: &str) -> Self {
        let mut terminal = Terminal::open();
        let config = terminal.folder().join("config");
        terminal.export("KEYLEND_CONFIG", config.to_str().unwrap());
        terminal.export("KEYLEND_SERVER", server);
        Self { terminal, server: server.to_owned() }
    }

    /// A desk in front of the program itself and its simulator; the administrator is
    /// `ada@example.com`.
    pub(super) async fn served() -> (Self, Served) {
        let address = free_address();
        let mut desk = Self::at(&format!("http://{address}"));
        let terminal = &mut desk.terminal;
        let mut cloud = terminal.start(&["simulate", "--listen", "127.0.0.1:0", "--auto-approve"]);
        let cloud_url = cloud.after("simulated vehicle cloud at").await;
        terminal.export("KEYLEND_SIMULATOR_URL", &cloud_url);
        terminal.export("KEYLEND_LISTEN", &address);
        terminal.run(&["migrate"]).await.well();
        let admin = ["admin", "create", "--organization", "x", "--email", "ada@example.com"];
        let admin = [&admin[..], &["--password-stdin"]].concat();
        terminal.run_with(&admin, PASSWORD).await.well();
        let mut service = terminal.start(&["serve"]);
        service.logged_after("public_url=").await;
        (desk, Served { service, cloud })
    }

    /// Runs a command of the client for somebody; its words are separated by spaces.
    pub(super) async fn run(&self, profile: &str, line: &str) -> Printed {
        self.run_with(profile, line, "").await
    }

    /// The same, with something to read.
    pub(super) async fn run_with(&self, profile: &str, line: &str, input: &str) -> Printed {
        let arguments: Vec<&str> = line.split(' ').chain(["--profile", profile]).collect();
        self.terminal.run_with(&arguments, input).await
    }

    /// The one line that a command printed.
    pub(super) async fn line(&self, profile: &str, line: &str) -> String {
        let printed = self.run(profile, line).await.well();
        assert_eq!(printed.lines().count(), 1, "{printed}");
        printed.trim().to_owned()
    }

    /// Signs somebody in who has the password of all stories.
    pub(super) async fn sign_in(&self, profile: &str, email: &str) {
        let line = format!("login --email {email} --password-stdin");
        self.run_with(profile, &line, PASSWORD).await.well();
    }

    /// Has an administrator make an account, and its person accept the link.
    pub(super) async fn invite(&self, admin: &str, name: &str) {
        let line = format!("users create --email {name}@example.com --display-name {name} -o json");
        let claim = self.run(admin, &line).await.json();
        let input = format!("{}\n{PASSWORD}\n", claim["claim_url"].as_str().unwrap());
        self.run_with(name, "login --claim --password-stdin", &input).await.well();
    }

    /// Has an owner connect the simulator's cars, as their browser would.
    pub(super) async fn connect(&self, owner: &str) -> String {
        let started = self.run(owner, "vehicles connect -o json").await.json();
        let http = http_client();
        let consent = http.get(started["authorize_url"].as_str().unwrap()).send().await.unwrap();
        let back = consent.headers()["location"].to_str().unwrap();
        let back = http.get(back).header("accept", "application/json").send().await.unwrap();
        let received = back.text().await.unwrap();
        self.run_with(owner, "connections complete", &received).await.well()
    }

    /// The file of a login.
    pub(super) fn file(&self, profile: &str) -> PathBuf {
        self.terminal.folder().join(format!("config/profiles/{profile}.json"))
    }

    /// What the file of a login says.
    pub(super) fn kept(&self, profile: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.file(profile)).unwrap()).unwrap()
    }
}

impl Served {
    /// Ends both programs as a supervisor does.
    pub(super) async fn finish(self) {
        assert!(self.service.terminate().await.success());
        assert!(self.cloud.terminate().await.success());
    }
}
